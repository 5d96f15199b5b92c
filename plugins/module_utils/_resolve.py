# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of printers to addresses, on the managed host and by its own ways: DNS, /etc/hosts, mDNS, DNS-SD.

A name server that does not answer must not hold a run up: every name has a thread of its own that nobody waits for
longer than ``SECONDS``, all of them together.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from typing import Callable, Dict, Iterable, List, NamedTuple, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _device_uri
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Host

SECONDS = 5.0
_THREADS = 16
# So many addresses of one name count; a printer has two or three.
_MOST = 32
# avahi-common/address.h: AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, _INET and _INET6.
_ANY, _IPV4, _IPV6 = "-1", "0", "1"


class Where(NamedTuple):
    """``addresses`` sorted; empty for a name that is this host itself.  ``port`` is 0 but for a service."""

    addresses: Tuple[str, ...]
    port: int = 0


class Asked(NamedTuple):
    """A name to resolve: a host's, or a DNS-SD service's full name."""

    name: str
    service: bool


Lookup = Callable[[Host, Asked], Where]


def resolve(host: Host, wanted: Iterable[Asked], seconds: float = SECONDS) -> Dict[str, Where]:
    """Where each name is; those that cannot be resolved in time are missing."""
    names = list(dict.fromkeys(wanted))
    if not names:
        return {}
    # Two ways to a name in .local are tried side by side: the first may be a name server that is silent.
    tasks = [(name, look_up) for name in names for look_up in _ways(name)]
    todo: "queue.Queue[Tuple[Asked, Lookup]]" = queue.Queue()
    done: "queue.Queue[Tuple[Asked, Lookup, Where]]" = queue.Queue()
    for task in tasks:
        todo.put(task)
    for _number in range(min(_THREADS, len(tasks))):
        # A daemon: a call of getaddrinfo() cannot be broken off, and the program does not wait for it at its end.
        threading.Thread(target=_work, args=(host, todo, done), daemon=True).start()
    found: Dict[Tuple[Asked, Lookup], Where] = {}
    until = time.monotonic() + seconds
    for _task in tasks:
        try:
            name, look_up, where = done.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        found[name, look_up] = where
    answers = {}
    for name in names:
        told = [found[name, way] for way in _ways(name) if (name, way) in found and found[name, way] is not _NOWHERE]
        if told:
            answers[name.name] = told[0]
    return answers


_NOWHERE = Where((), -1)


def _work(host: Host, todo: "queue.Queue", done: "queue.Queue") -> None:
    while True:
        try:
            name, look_up = todo.get_nowait()
        except queue.Empty:
            return
        try:
            where = look_up(host, name)
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
            # UnicodeError is a ValueError: getaddrinfo() has its own idea of names.
            where = _NOWHERE
        done.put((name, look_up, where))


def _ways(name: Asked) -> List[Lookup]:
    if name.service:
        return [_by_dns_sd]
    return [_by_the_host, _by_avahi] if name.name.endswith(".local") else [_by_the_host]


def _by_the_host(_host: Host, name: Asked) -> Where:
    """getaddrinfo(3), as CUPS' backends ask; raises OSError."""
    return _where(str(item[4][0]) for item in socket.getaddrinfo(name.name, None, type=socket.SOCK_STREAM))


def _by_avahi(host: Host, name: Asked) -> Where:
    """Avahi asked over D-Bus, for hosts whose nsswitch.conf knows no mDNS, or IPv4 alone."""
    found = []
    for family in (_IPV4, _IPV6):
        answer = _avahi(host, "ResolveHostName", "iisiu", (_ANY, _ANY, name.name, family, "0"))
        if answer:
            found.append(str(answer[4]))
    return _where(found)


def _by_dns_sd(host: Host, name: Asked) -> Where:
    """The SRV record gives host and port; the host's addresses are asked for as CUPS does."""
    own, kind, domain = _device_uri.read_service(name.name)
    answer = _avahi(host, "ResolveService", "iisssiu", (_ANY, _ANY, own, kind, domain, _ANY, "0"))
    if not answer:
        return _NOWHERE
    target, address, port = str(answer[5]).rstrip("."), str(answer[7]), int(answer[8])
    if not 0 < port < 65536:
        return _NOWHERE
    try:
        found = _by_the_host(host, Asked(target, False)).addresses
    except (OSError, ValueError):
        found = _by_avahi(host, Asked(target, False)).addresses
    # Avahi has found the service on a link of its own, so its answer counts whatever others say of the name.
    return _where(tuple(found) + (address,), port)


def _avahi(host: Host, method: str, signature: str, arguments: Tuple[str, ...]) -> list:
    """What a method of Avahi's server gives back, [] for nothing.  A daemon that is off is left off."""
    said = host.run((
        "busctl", "--system", "--json=short", "--timeout=4", "--auto-start=no", "call", "--",
        "org.freedesktop.Avahi", "/", "org.freedesktop.Avahi.Server", method, signature,
    ) + arguments)
    return list(json.loads(said.output)["data"]) if said.status == 0 else []


def _where(found: Iterable[str], port: int = 0) -> Where:
    """Addresses sorted and each once; what no printer can have is left out, and so is this host's own loopback."""
    kept = set()
    for address in found:
        try:
            kept.add(_device_uri.read_address(address))
        except ValueError:
            continue
    return Where(tuple(sorted(address for address in kept if address)[:_MOST]), port) if kept else _NOWHERE
