# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of printers to addresses, on the managed host and by its own ways: DNS, /etc/hosts, mDNS, DNS-SD.

A name server that does not answer must not hold a run up: every name has a thread of its own that nobody waits for
longer than ``SECONDS``, all of them together.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _busctl, _device_uri
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Host

SECONDS = 5.0
# An answer on the link comes within a second (RFC 6762, section 6); for what is not there all the time is taken.
_LINK_SECONDS = 2
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


def resolve(host: Host, wanted: Iterable[Asked], seconds: float = SECONDS) -> Dict[str, Where]:
    """Where each name is; those that cannot be resolved in time are missing."""
    names = list(dict.fromkeys(wanted))
    todo: "queue.Queue[Asked]" = queue.Queue()
    done: "queue.Queue[Tuple[Asked, Where]]" = queue.Queue()
    for name in names:
        todo.put(name)
    for _number in range(min(_THREADS, len(names))):
        # A daemon: a call of getaddrinfo() cannot be broken off, and the program does not wait for it at its end.
        threading.Thread(target=_work, args=(host, todo, done), daemon=True).start()
    found: Dict[str, Where] = {}
    until = time.monotonic() + seconds
    for _name in names:
        try:
            name, where = done.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        if where is not _NOWHERE:
            found[name.name] = where
    return found


_NOWHERE = Where((), -1)
# UnicodeError is a ValueError: getaddrinfo() has its own idea of names.  The others are for what a foreign daemon says.
_NO_ANSWER = (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


def _work(host: Host, todo: "queue.Queue", done: "queue.Queue") -> None:
    while True:
        try:
            name = todo.get_nowait()
        except queue.Empty:
            return
        try:
            where = _by_dns_sd(host, name.name) if name.service else _by_name(host, name.name)
        except _NO_ANSWER:
            where = _NOWHERE
        done.put((name, where))


def _by_name(host: Host, name: str) -> Where:
    """getaddrinfo(3), as CUPS' backends ask; Avahi where the host's own ways know no mDNS, or IPv4's alone."""
    if not name.endswith(".local"):
        return _by_the_host(name)
    # All three at once: nss-mdns waits up to 15 seconds for what is not there, a name server may be silent, and for a
    # family that a printer has not Avahi waits until its time is up.
    own, avahi = _Answers(), _Answers()
    own.ask(lambda: _by_the_host(name))
    for family in (_IPV4, _IPV6):
        arguments = (_ANY, _ANY, name, family, "0")
        avahi.ask(lambda given=arguments: _avahi(host, "ResolveHostName", "iisiu", given)[4])
    until = time.monotonic() + _LINK_SECONDS
    for where in own.wait(until):
        return where
    # busctl has the same time, and a little more to start and to end.
    return _where(str(address) for address in avahi.wait(until + 1))


def with_other_family(name: str, now: Where, before: Where) -> Where:
    """``now``, and what ``before`` had of a family that nobody answered for; for names that mDNS answers.

    The host's own way counts if it answers in time, and nss-mdns as Debian sets it up (mdns4_minimal) asks for IPv4
    alone; Avahi's answer counts otherwise, with both families.  On a busy host that would be a change now and then.
    """
    if not name.endswith(".local") or not now.addresses:
        return now
    families = {":" in address for address in now.addresses}
    kept = tuple(address for address in before.addresses if (":" in address) not in families)
    return now._replace(addresses=tuple(sorted(now.addresses + kept)))


def _by_the_host(name: str) -> Where:
    return _where(str(item[4][0]) for item in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))


class _Answers:
    """Questions that are asked side by side."""

    def __init__(self) -> None:
        self._given: List[Any] = []
        self._threads: List[threading.Thread] = []

    def ask(self, question: Callable[[], Any]) -> None:
        """Begin with it."""
        thread = threading.Thread(target=self._run, args=(question,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, question: Callable[[], Any]) -> None:
        try:
            self._given.append(question())
        except _NO_ANSWER:
            return

    def wait(self, until: float) -> List[Any]:
        """The answers of those that give one in time."""
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return list(self._given)


def _by_dns_sd(host: Host, name: str) -> Where:
    """The SRV record gives host and port; the host's addresses are asked for as CUPS does."""
    own, kind, domain = _device_uri.read_service(name)
    answer = _avahi(host, "ResolveService", "iisssiu", (_ANY, _ANY, own, kind, domain, _ANY, "0"))
    if not answer or not 0 < int(answer[8]) < 65536:
        return _NOWHERE
    # Not the one address that stands in the answer: it is now of this family and now of that.
    where = _by_name(host, str(answer[5]).rstrip("."))
    return where if where is _NOWHERE else Where(where.addresses, int(answer[8]))


def _avahi(host: Host, method: str, signature: str, arguments: Tuple[str, ...]) -> list:
    """What a method of Avahi's server gives back, [] for nothing.  A daemon that is off is left off."""
    said = host.run((
        "busctl", "--system", "--timeout=%d" % _LINK_SECONDS, "--auto-start=no", "call", "--",
        "org.freedesktop.Avahi", "/", "org.freedesktop.Avahi.Server", method, signature,
    ) + arguments)
    return _busctl.read_answer(said.output) if said.status == 0 else []


def _where(found: Iterable[str], port: int = 0) -> Where:
    """Addresses sorted and each once; what no printer can have is left out, and so is this host's own loopback."""
    kept = set()
    for address in found:
        try:
            kept.add(_device_uri.read_address(address))
        except ValueError:
            continue
    return Where(tuple(sorted(address for address in kept if address)[:_MOST]), port) if kept else _NOWHERE
