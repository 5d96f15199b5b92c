# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that users may write: ports, protocols, directions and peers, each read or refused.

Every refusal is one sentence that names the variable, the value and what is allowed.
Nothing here touches a host, so the same code judges values on the controller and on the host.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Iterable, Mapping, NamedTuple, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _address_ranges
from ansible_collections.printfleet.cups.plugins.module_utils._address_ranges import Network

PROTOCOLS = ("tcp", "udp")
DIRECTIONS = ("in", "out")
FAMILIES = (4, 6)

# CVE-2024-47176: cups-browsed up to 2.0.1 took any packet on this port from anyone.
# The page does not list it, so no table and no wish opens it.
NEVER_OPEN = ("udp", 631)

LOCAL = "@LOCAL"
# The printers that are found on the host, by its queues or by device URIs: a word of flows, nobody's to write.
PRINTERS = "@PRINTERS"
PRINTER_ENTRY = (
    "an IPv4 or IPv6 address, a network such as 198.51.100.0/24, a device URI such as ipp://printer.example/ipp/print,"
    " or auto"
)
# A scheme and a slash, perhaps behind a backend that calls another; never the beginning of an IPv6 network.
DEVICE_URI = re.compile(r"(?:[A-Za-z][A-Za-z0-9.+-]*:)?([A-Za-z][A-Za-z0-9.+-]*):/")
# No leading zeros: YAML has read 0631 as octal before it gets here, so "0631" is nobody's 631.
_PORT = re.compile(r"([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?")
# The characters that Linux device names use in practice (dev_valid_name() in net/core/dev.c
# allows more): whatever else stands there could be read as syntax by a firewall.
_INTERFACE = re.compile(r"@IF\(([A-Za-z0-9][A-Za-z0-9_.:-]{0,14})\)")
# Python 3.8 reads 010.0.0.1 as 10.0.0.1, other programs as 8.0.0.1: refused (CVE-2021-29921).
# Dotted parts only: 0064:ff9b::1 is a sound IPv6 address.
_LEADING_ZERO = re.compile(r"(?:^|[:.])0[0-9]+\.|\.0[0-9]+$")


class Refused(ValueError):
    """A value that cannot be accepted; the message is one sentence for the user."""


def refuse(variable: str, value: object, allowed: str) -> Refused:
    """The one form that all refusals have."""
    try:
        shown = repr(str(value)) if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError):
        # Python prints no number of thousands of digits and no list that holds itself through ten thousand others.
        shown = "a %s too large to show" % type(value).__name__
    if len(shown) > 120:
        shown = "%s... (%d characters)" % (shown[:100], len(shown))
    return Refused("%s: %s is not allowed: %s." % (variable, shown, allowed))


class Hidden:
    """What a refusal says in the place of a value that may hold a password."""

    def __init__(self, words: str) -> None:
        self._words = words

    def __repr__(self) -> str:
        return self._words


def shown(value: object) -> object:
    """The value itself where no password can be in it."""
    if isinstance(value, str):
        hides = DEVICE_URI.match(value) or "@" in value[1:] or any(mark in value for mark in ("?", "=", "//"))
        return Hidden("an entry that may hold a password") if hides else value
    if value is None or isinstance(value, (bool, int, float)):
        return value
    # Ansible has types of its own for both, so their names are no help to anybody.
    kinds = (("mapping", Mapping), ("list", (list, tuple)))
    return Hidden("a %s" % next((kind for kind, types in kinds if isinstance(value, types)), type(value).__name__))


class Ports(NamedTuple):
    """One destination port or a range of them; both ends belong to it (1 to 65535)."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else "%d-%d" % self


class Interface(NamedTuple):
    """A network interface of the managed host, as the kernel tells it."""

    name: str
    networks: Tuple[str, ...]  # CIDRs that are on this link, both families
    broadcasts: Tuple[str, ...]  # IPv4 broadcast addresses of its own
    local: bool  # not point-to-point: cupsd's @LOCAL covers it


def read_ports(value: object, variable: str) -> Ports:
    """Read ``631`` or ``"9100-9102"``; raises Refused."""
    allowed = "a port is a number from 1 to 65535, a range is two of them in rising order, such as 9100-9102"
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise refuse(variable, value, allowed)
    if isinstance(value, int) and not 1 <= value <= 65535:
        raise refuse(variable, value, allowed)
    match = _PORT.fullmatch(str(value))
    if not match:
        raise refuse(variable, value, allowed)
    first = int(match.group(1))
    last = int(match.group(2) or first)
    if not 1 <= first <= last <= 65535:
        raise refuse(variable, value, allowed)
    return Ports(first, last)


def read_choice(value: object, variable: str, choices: Iterable[str]) -> str:
    """Read one word out of a fixed few; raises Refused."""
    known = tuple(choices)
    if not isinstance(value, str) or value not in known:
        raise refuse(variable, value, "it is one of %s" % ", ".join(known))
    return str(value)


def read_seconds(value: object, variable: str) -> int:
    """Read how long a change waits for its confirmation, in seconds; raises Refused."""
    if isinstance(value, bool) or not isinstance(value, int) or not (value == 0 or 5 <= value <= 3600):
        raise refuse(variable, value, "it is 0 for no confirmation, or 5 to 3600 seconds")
    return int(value)


def read_list(value: object, variable: str, what: str) -> list:
    """Read a list; a single string is refused, since Python would take it letter by letter."""
    if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple)):
        raise refuse(variable, value, "it is a list of %s" % what)
    return list(value)


def read_peer(value: object, variable: str, outgoing: bool = False) -> str:
    """Read an address, a CIDR, ``@LOCAL`` or ``@IF(name)`` into its one canonical spelling; raises Refused.

    ``outgoing``: it is the destination of an outgoing row of the user's own, which may be a multicast group.
    """
    allowed = "an entry is an IPv4 or IPv6 address, a network such as 198.51.100.0/24, @LOCAL or @IF(name)"
    if not isinstance(value, str) or not value.startswith("@"):
        return _read_network(value, variable, allowed, outgoing)
    if value.upper() == LOCAL:
        return LOCAL
    match = _INTERFACE.fullmatch(value)
    if not match:
        raise refuse(variable, value, allowed)
    return "@IF(%s)" % match.group(1)


def read_network(value: object, variable: str) -> str:
    """Read a printer's address or a CIDR, and no word, into its one canonical spelling; raises Refused."""
    return _read_network(value, variable, "an entry is %s" % PRINTER_ENTRY)


def _read_network(value: object, variable: str, allowed: str, outgoing: bool = False) -> str:
    if not isinstance(value, str):
        raise refuse(variable, shown(value), allowed)
    if "%" in value:
        raise refuse(variable, shown(value), "zone ids are not possible here, name the interface with @IF(name)")
    if not value.isascii() or _LEADING_ZERO.search(value.split("/")[0]):
        raise refuse(variable, shown(value), allowed)
    base, _slash, mask = str(value).partition("/")
    wrong_mask = _address_ranges.mask_refusal(base, mask)
    if wrong_mask:
        raise refuse(variable, value, wrong_mask)
    try:
        network = ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        raise refuse(variable, shown(value), allowed) from None
    if mask and network.network_address != ipaddress.ip_address(base):
        raise refuse(variable, value, "the address has bits outside its mask, the network would be %s" % network)
    nobody = _address_ranges.refusal(network, outgoing)
    if nobody:
        raise refuse(variable, value, nobody)
    return canonical(network)


def canonical(network: Network) -> str:
    """A single host without its mask, a network with it: as nft, ufw and firewalld print them."""
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def collapse(peers: Iterable[str], version: int) -> Tuple[str, ...]:
    """The networks of one IP version, sorted, without duplicates and without parts of one another."""
    return _collapse(tuple(peers))[FAMILIES.index(version)]


# Every backend asks for the same few groups of peers again and again, and a group may hold thousands.
@lru_cache(maxsize=128)
def _collapse(peers: Tuple[str, ...]) -> Tuple[Tuple[str, ...], ...]:
    networks = [ipaddress.ip_network(peer) for peer in peers]
    return tuple(
        tuple(canonical(n) for n in ipaddress.collapse_addresses(n for n in networks if n.version == version))
        for version in FAMILIES
    )


def resolve_peers(peers: Iterable[str], interfaces: Iterable[Interface]) -> Tuple[str, ...]:
    """Replace ``@LOCAL`` and ``@IF(name)`` by the networks that they stand for on this host.

    The rules are cupsd's own (scheduler/auth.c, cupsdCheckAuth): @LOCAL is every network of
    an interface that is not point-to-point, @IF(name) every network of that one interface,
    its name compared without regard to case.  An interface that is missing stands for nobody.
    """
    known = tuple(interfaces)
    networks = []
    for peer in peers:
        if peer == LOCAL:
            networks += [n for i in known if i.local for n in i.networks]
        elif peer == PRINTERS:
            # Their addresses stand beside it (_printers.narrowed); the word alone is nobody, never anyone.
            continue
        elif peer.startswith("@"):
            name = peer[len("@IF("):-1].lower()
            networks += [n for i in known if i.name.lower() == name for n in i.networks]
        else:
            networks.append(peer)
    return collapse(networks, 4) + collapse(networks, 6)
