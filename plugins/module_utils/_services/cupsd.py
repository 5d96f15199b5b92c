# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cupsd.conf and cups-browsed.conf: where CUPS listens, whom it answers, what it announces.  Pure.

CUPS has no Include since 2.1, and no other file moves cupsd.conf: ServerRoot in cups-files.conf does not.
Judged by the sources of CUPS 2.4: scheduler/conf.c, read_cupsd_conf() and read_location().
"""

from __future__ import annotations

import ipaddress
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._services.access import Entries, merged, read_cups
from ansible_collections.printfleet.cups.plugins.module_utils._services.places import Line, Place, cups_lines

ANY, LOOPBACK, ADDRESS, NAME, SOCKET = "any", "loopback", "address", "name", "socket"
IPP_PORT = 631

_LISTENS = ("listen", "port", "ssllisten", "sslport")
_SERVICES = {"ipp": IPP_PORT, "ipps": IPP_PORT, "http": 80, "https": 443}
_TRUE = ("on", "yes", "true", "enabled", "1")
_DNSSD = ("dnssd", "dns-sd", "bonjour", "all")


class Listen(NamedTuple):
    """One line by which CUPS listens; ``kind`` tells whom it reaches, ``port`` is 0 for a socket."""

    kind: str
    host: str
    port: int
    place: Place

    @property
    def outside(self) -> bool:
        """Whether others than this host itself may reach it."""
        return self.kind in (ANY, ADDRESS, NAME)


class Location(NamedTuple):
    """Who may ask for what lies below a path: what holds for POST, by which everything is printed."""

    path: str
    denies_first: bool  # "Order deny,allow", which is the default too: who is not denied is let in
    allow: Entries
    deny: Entries
    authenticates: bool
    place: Place  # of the line that decides: Order, or the opening line


class Cupsd(NamedTuple):
    """What cupsd.conf says, as far as a firewall has to do with it; a Place is None where nothing is said."""

    path: str
    listens: Tuple[Listen, ...]
    locations: Tuple[Location, ...]
    browsing: bool
    browsing_place: Optional[Place]
    dnssd: bool
    names_count: bool

    def location(self, path: str) -> Optional[Location]:
        """The one that decides on what lies at a path: cupsdFindBest() in scheduler/auth.c."""
        found = [
            known for known in self.locations
            if known.path.startswith("/") and path.lower().startswith(known.path.lower())
        ]
        return max(found, key=lambda known: len(known.path), default=None)


class Browsed(NamedTuple):
    """Whether cups-browsed is told to listen for CUPS' old announcements, and where."""

    place: Place
    value: str


class _Builder:
    def __init__(self, path: str, place: Place) -> None:
        self.path, self.place, self.denies_first = path, place, True
        # Each is what came before and what came last, so that a copy costs nothing, however long they are.
        self.allow: tuple = ()
        self.deny: tuple = ()
        self.authenticates = False

    def copy(self) -> "_Builder":
        other = _Builder(self.path, self.place)
        other.__dict__.update(self.__dict__)
        return other

    def take(self, line: Line) -> None:
        if line.name == "order":
            self.denies_first, self.place = line.value.lower().startswith("deny"), line.place
        elif line.name == "allow":
            self.allow = (self.allow, read_cups(line.value))
            self.place = line.place
        elif line.name == "deny":
            self.deny = (self.deny, read_cups(line.value))
        elif line.name == "require" or (line.name == "authtype" and line.value.lower() != "none"):
            self.authenticates = True

    def built(self) -> Location:
        allow, deny = _unfolded(self.allow), _unfolded(self.deny)
        return Location(self.path, self.denies_first, allow, deny, self.authenticates, self.place)


def _unfolded(pairs: tuple) -> Entries:
    parts = []
    while pairs:
        pairs, last = pairs
        parts.append(last)
    return merged(reversed(parts))


def read_cupsd(text: str, path: str) -> Cupsd:
    """Read it; what it does not know, it passes over."""
    listens: List[Listen] = []
    locations: Dict[str, Location] = {}
    browsing, browsing_place, dnssd, names_count = True, None, True, False
    lines = cups_lines(text, path)
    for line in lines:
        if line.name == "<location" and line.value:
            location = _read_location(line, lines)
            # Of two for one path the second is an error, and its lines are read into the first.
            locations.setdefault(location.path, location)
        elif line.name == "<policy":
            _skip(lines, "</policy>")
        elif line.name in _LISTENS and line.value:
            listen = read_listen(line.value, line.place)
            listens += [listen] if listen else []
        elif line.name == "browsing":
            browsing, browsing_place = line.value.lower() in _TRUE, line.place
        elif line.name in ("browselocalprotocols", "browseprotocols"):
            dnssd = any(word in _DNSSD for word in line.value.lower().replace(",", " ").split())
        elif line.name == "hostnamelookups":
            names_count = line.value.lower() in _TRUE + ("double",)
    return Cupsd(
        path, tuple(listens), tuple(locations.values()), browsing, browsing_place, dnssd, names_count
    )


def _read_location(opening: Line, lines) -> Location:
    whole = _Builder(opening.value, opening.place)
    post: Optional[_Builder] = None
    current: Optional[_Builder] = whole
    for line in lines:
        if line.name == "</location>":
            break
        if line.name in ("<limit", "<limitexcept"):
            methods = line.value.split()
            posts = "POST" in methods or "ALL" in methods
            current = None
            if posts == (line.name == "<limit"):
                current = post = whole.copy()
        elif line.name in ("</limit>", "</limitexcept>"):
            current = whole
        elif current is not None:
            current.take(line)
    return (post or whole).built()


def _skip(lines, end: str) -> None:
    for line in lines:
        if line.name == end:
            return


def read_listen(value: str, place: Place) -> Optional[Listen]:
    """Read the value of Listen or Port, by the rules of get_address(); None for what CUPS cannot use."""
    if value.startswith("/"):
        return Listen(SOCKET, value, 0, place)
    host, colon, service = value.rpartition(":")
    if not colon or "]" in service:
        host, service = ("", value) if value.isdecimal() else (value, str(IPP_PORT))
    port = int(service) if service.isdecimal() and len(service) < 6 else _SERVICES.get(service.lower(), 0)
    if not 0 < port < 65536:
        return None
    return Listen(kind_of(host), host, port, place)


def kind_of(host: str) -> str:
    """Whom an address or a name that something listens on is there for."""
    if host in ("", "*"):
        return ANY
    try:
        address = ipaddress.ip_address(host.strip("[]").split("%")[0])
    except ValueError:
        return LOOPBACK if host.lower().rstrip(".") in ("localhost", "ip6-localhost") else NAME
    return ANY if address.is_unspecified else LOOPBACK if address.is_loopback else ADDRESS


def read_browsed(text: str, path: str) -> Optional[Browsed]:
    """The line of cups-browsed.conf that makes it listen on 631/udp; None where none does."""
    found = None
    for line in cups_lines(text, path):
        if line.name in ("browseremoteprotocols", "browseprotocols"):
            # The last line of each kind wins (read_configuration() in cups-browsed.c).
            listens = any(word in ("cups", "all") for word in line.value.lower().replace(",", " ").split())
            found = Browsed(line.place, line.value) if listens else None
    return found
