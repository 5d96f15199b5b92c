# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The printers that @PRINTERS stands for on one host: queues and device URIs to addresses and ports, and to flows."""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import (
    _device_uri,
    _flow,
    _printer_list,
    _queues,
    _resolve,
    _words,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Host

# So many sentences of one kind; a host can have thousands of queues.
_MOST = 5
_BY_HAND = "a device URI in cups_firewall_printers"


class Endpoint(NamedTuple):
    """One port of one printer.  ``queue`` is a person's name for where it comes from."""

    queue: str
    address: str
    protocol: str
    port: int
    word: str


class Found(NamedTuple):
    """``unresolved`` is told at every run, ``told`` when something changes; ``names`` is what names resolved to."""

    endpoints: Tuple[Endpoint, ...] = ()
    unresolved: Tuple[str, ...] = ()
    told: Tuple[str, ...] = ()
    names: Dict[str, _resolve.Where] = {}

    def as_dict(self) -> dict:
        """The form in which the memory keeps it."""
        return {
            "endpoints": [list(endpoint) for endpoint in self.endpoints],
            "names": {name: [list(where.addresses), where.port] for name, where in self.names.items()},
        }


NONE = Found()


def read_remembered(value: object) -> Found:
    """What ``as_dict`` gave, read back from disk; raises ValueError, TypeError or KeyError where it is none."""
    if not value:
        return NONE
    names = {str(name): _read_where(*where) for name, where in dict(value["names"]).items()}  # type: ignore[index]
    endpoints = tuple(_read_endpoint(*item) for item in value["endpoints"])  # type: ignore[index]
    return Found(endpoints, names=names)


def _read_where(addresses: Sequence[str], port: int) -> _resolve.Where:
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 65536 or isinstance(addresses, str):
        raise ValueError("a name of a printer stands for what is none")
    known = tuple(_device_uri.read_address(str(address)) for address in addresses)
    if not all(known):
        raise ValueError("a printer's address is this host's own")
    return _resolve.Where(known, port)


def _read_endpoint(queue: str, address: str, protocol: str, port: int, word: str) -> Endpoint:
    if not str(queue).isprintable() or protocol not in _words.PROTOCOLS or not str(word).isalnum():
        raise ValueError("a printer is none")
    where = _read_where([address], port)
    return Endpoint(str(queue), where.addresses[0], str(protocol), where.port, str(word))


def find(host: Host, queues: bool, device_uris: Iterable[str], remembered: Found) -> Found:
    """Read the host's queues and resolve all names; raises Refused for a device URI, OSError for cupsd's files."""
    devices: List[Tuple[str, _device_uri.Device]] = []
    told: List[str] = []
    if queues:
        listing = _queues.read_host()
        told += _some(["CUPS on this host: %s." % complaint for complaint in listing.complaints])
        devices, unread = _devices(listing.queues)
        told += _some(unread)
        if not listing.queues:
            told.append("cups_firewall_printers: auto finds no queue on this host, so it opens no way to a printer.")
    for index, uri in enumerate(device_uris):
        devices.append((_BY_HAND, _printer_list.read_device(uri, "device_uris[%d]" % index)))
    places, unresolved = _places(host, devices, remembered)
    endpoints = [
        Endpoint(queue, address, need.protocol, need.port, need.word)
        for queue, device in devices if device.name in places
        for need in _device_uri.needs(device, places[device.name].port)
        for address in places[device.name].addresses
    ]
    return Found(
        tuple(dict.fromkeys(endpoints)), tuple(_some(unresolved)), tuple(told),
        {name: where for name, where in places.items() if not _is_address(name)},
    )


def _devices(queues: Iterable[_queues.Queue]) -> Tuple[List[Tuple[str, _device_uri.Device]], List[str]]:
    devices, told = [], []
    for queue in queues:
        label = "the queue %s" % _queues.shown(queue.name)
        try:
            device = _device_uri.read(queue.device_uri)
        except _device_uri.Unreadable as error:
            told.append("%s: its device URI %s; nothing is opened for it." % (label, error))
            continue
        devices.append((label, device))
        if device.remark:
            told.append("%s: %s." % (label, device.remark))
    return devices, told


def _places(
    host: Host, devices: Sequence[Tuple[str, _device_uri.Device]], remembered: Found
) -> Tuple[Dict[str, _resolve.Where], List[str]]:
    """Where every device's host is, and a sentence for each name that could not be resolved now."""
    named = [device for _queue, device in devices if device.name]
    places = {d.name: _resolve.Where((d.name,)) for d in named if not d.service and _is_address(d.name)}
    asked = [_resolve.Asked(d.name, d.service) for d in named if d.name not in places]
    places.update(_resolve.resolve(host, asked))
    told = []
    for name in dict.fromkeys(item.name for item in asked):
        if name in places:
            before = remembered.names.get(name, _resolve.Where(()))
            places[name] = _resolve.with_other_family(name, places[name], before)
            continue
        users = list(dict.fromkeys(queue for queue, device in devices if device.name == name))
        who = ", ".join(users[:3]) + (" and %d more" % (len(users) - 3) if len(users) > 3 else "")
        said = "%s: the name %s could not be resolved on this host" % (who, _queues.shown(name))
        if name in remembered.names:
            places[name] = remembered.names[name]
            known = ", ".join(places[name].addresses) or "this host itself"
            told.append("%s, so what it stood for at the last change stays open: %s." % (said, known))
        else:
            told.append("%s, so nothing is opened for it; run the role again once it can be." % said)
    return places, told


def narrowed(flows: Iterable[_flow.Flow], endpoints: Iterable[Endpoint]) -> List[_flow.Flow]:
    """Put the printers' addresses beside @PRINTERS, and add flows for the ports that no row of one port covers.

    A row with a range of ports stays with its networks: a printer is reached on the port that its queue uses.
    """
    addresses: Dict[Tuple[str, int, str], List[str]] = {}
    for endpoint in endpoints:
        addresses.setdefault((endpoint.protocol, endpoint.port, endpoint.word), []).append(endpoint.address)
    result, covered = [], set()
    for flow in flows:
        if _words.PRINTERS in flow.peers and flow.ports.first == flow.ports.last:
            mine = [key for key in addresses if key[:2] == (flow.protocol, flow.ports.first)]
            covered.update(mine)
            flow = flow._replace(peers=flow.peers + _sorted(a for key in mine for a in addresses[key]))
        result.append(flow)
    for key in sorted(set(addresses) - covered):
        protocol, port, word = key
        row = _flow.read_row_name("Printers: %d (%s) %s OUT" % (port, word, protocol.upper()), "device_uris")
        peers = (_words.PRINTERS,) + _sorted(addresses[key])
        result.append(_flow.Flow(row, _flow.QUEUES, "out", protocol, _words.Ports(port, port), peers, False))
    return result


def differences(before: Found, now: Found) -> List[str]:
    """What queues came and went, in words; a queue for a printer that another one uses as well is no news."""
    old = {endpoint[1:4] for endpoint in before.endpoints}
    new = {endpoint[1:4] for endpoint in now.endpoints}
    came = [endpoint for endpoint in now.endpoints if endpoint[1:4] not in old]
    went = [endpoint for endpoint in before.endpoints if endpoint[1:4] not in new]
    return (
        _told(came, "%s is new or changed since the last run: it prints on %s.")
        + _told(went, "%s is gone or changed since the last run: it printed on %s.")
    )


def _told(endpoints: Iterable[Endpoint], sentence: str) -> List[str]:
    by_queue: Dict[str, List[str]] = {}
    for e in endpoints:
        by_queue.setdefault(e.queue, []).append("%s %d/%s" % (e.address, e.port, e.protocol))
    return _some([sentence % (queue[0].upper() + queue[1:], ", ".join(ends[:4])) for queue, ends in by_queue.items()])


def _sorted(addresses: Iterable[str]) -> Tuple[str, ...]:
    return tuple(sorted(set(addresses)))


def _some(sentences: Sequence[str]) -> List[str]:
    said = list(dict.fromkeys(sentences))
    if len(said) > _MOST:
        said[_MOST:] = ["There are %d more such queues." % (len(said) - _MOST)]
    return said


def _is_address(name: str) -> bool:
    try:
        return bool(_device_uri.read_address(name))
    except ValueError:
        return False
