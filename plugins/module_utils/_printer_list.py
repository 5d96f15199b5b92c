# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable cups_firewall_printers: networks, device URIs and the word auto, each read or refused.  Pure.

Device URIs may hold passwords, so no refusal quotes one, and what is handed on is the URI without them.
"""

from __future__ import annotations

from typing import Iterable, List, NamedTuple, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _device_uri, _words

AUTO = "auto"
_ALLOWED = "auto, or a list of addresses, networks, device URIs and auto"


class Printers(NamedTuple):
    """``peers`` stand in flows; ``queues`` and ``device_uris`` say what @PRINTERS among them is on a host."""

    peers: Tuple[str, ...]
    queues: bool
    device_uris: Tuple[str, ...]  # stripped


def read(value: object, variable: str) -> Printers:
    """Read the whole variable; raises Refused."""
    if isinstance(value, str) and value == AUTO:
        value = [AUTO]
    if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple)):
        raise _words.refuse(variable, _words.shown(value), "it is %s" % _ALLOWED)
    networks: List[str] = []
    uris: List[str] = []
    queues = False
    for index, entry in enumerate(value):
        if isinstance(entry, str) and entry == AUTO:
            queues = True
        elif isinstance(entry, str) and _words.DEVICE_URI.match(entry):
            uris.append(_device_uri.stripped(read_device(entry, "%s[%d]" % (variable, index))))
        elif isinstance(entry, str) and _words.shown(entry) is entry:
            networks.append(_words.read_network(entry, variable))
        else:
            raise _words.refuse(variable, _words.shown(entry), "an entry is %s" % _words.PRINTER_ENTRY)
    found_on_the_host = (_words.PRINTERS,) if queues or uris else ()
    return Printers(
        tuple(dict.fromkeys(networks)) + found_on_the_host, queues, tuple(dict.fromkeys(uri for uri in uris if uri))
    )


def read_device(value: object, variable: str) -> _device_uri.Device:
    """Read one device URI; raises Refused, which shows no more of it than its scheme."""
    if not isinstance(value, str):
        raise _words.refuse(variable, _words.shown(value), "a device URI is a text such as ipp://printer.example/ipp/print")
    try:
        return _device_uri.read(str(value))
    except _device_uri.Unreadable as error:
        found = _words.DEVICE_URI.match(value)
        shown = "a device URI that begins with %s:" % found.group(1) if found else "what stands there for a device URI"
        raise _words.refuse(variable, _words.Hidden(shown), "it %s" % error) from None


def strip(uris: Iterable[object], variable: str) -> List[str]:
    """The same device URIs without anything that could be a password, and without those that need no network."""
    devices = [read_device(uri, "%s[%d]" % (variable, index)) for index, uri in enumerate(uris)]
    return list(dict.fromkeys(uri for uri in map(_device_uri.stripped, devices) if uri))
