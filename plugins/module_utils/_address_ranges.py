# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges of addresses in which no client and no printer can be (IANA's special-purpose registries, RFC 6890).  Pure.

Link-local addresses (169.254.0.0/16, fe80::/10) are not among them: printers without DHCP have such addresses.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple, Union

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


class _Range(NamedTuple):
    """``outgoing``: a host may have a reason to send packets there."""

    network: Network
    why: str
    outgoing: bool


def _range(network: str, why: str, outgoing: bool = False) -> _Range:
    return _Range(ipaddress.ip_network(network), why, outgoing)


_GROUP = "it is in the multicast range %s, and no host has an address there"
_LOOPBACK = "it is in the loopback range %s, which is never filtered, so leave it out"
_RESERVED = "it is in the reserved range 240.0.0.0/4, and no host has an address there"
_RANGES = (
    # A single 0.0.0.0 or :: means everybody to whoever writes it.
    _range("0.0.0.0/32", "it is no host's address, anyone is written 0.0.0.0/0"),
    _range("::/128", "it is no host's address, anyone is written ::/0"),
    _range("0.0.0.0/8", "it is in the range 0.0.0.0/8, and no host has an address there, anyone is written 0.0.0.0/0"),
    _range("127.0.0.0/8", _LOOPBACK % "127.0.0.0/8"),
    _range("::1/128", _LOOPBACK % "::1"),
    # Not only what is in one range alone: 224.0.0.0/3 is both of the following and nothing else.
    _range("224.0.0.0/4", _GROUP % "224.0.0.0/4", outgoing=True),
    _range("ff00::/8", _GROUP % "ff00::/8", outgoing=True),
    _range("255.255.255.255/32", "it is the broadcast address, and no host has it as its own", outgoing=True),
    _range("240.0.0.0/4", _RESERVED),
    _range("224.0.0.0/3", "it is in the multicast and reserved range 224.0.0.0/3, and no host has an address there"),
    # Where clouds answer for credentials; as a peer of an outgoing row cloud-init needs it.
    _range(
        "169.254.169.254/32", "it is the metadata service of cloud providers, which neither prints nor is a printer",
        outgoing=True,
    ),
    _range("::ffff:0:0/96", "IPv4-mapped IPv6 never is on the wire, write the IPv4 address"),
)


def refusal(network: Network, outgoing: bool = False) -> str:
    """Why nobody can mean this network, in words that go on after "is not allowed: "; "" where somebody can.

    ``outgoing``: as a destination of an outgoing row that has not to do with printers.
    """
    for known in _RANGES:
        if network.version == known.network.version and _within(network, known.network):
            return "" if outgoing and known.outgoing else known.why
    return ""


def _within(network: Network, other: Network) -> bool:
    return other.prefixlen <= network.prefixlen and network.network_address in other


def mask_refusal(address: str, mask: str) -> str:
    """Why the mask behind the slash is not allowed; "" for a prefix length, a sound netmask, or what is no mask."""
    try:
        bits = int(ipaddress.IPv4Address(mask))
        ipaddress.IPv4Address(address)
    except ValueError:
        return ""
    inverse = bits ^ 0xFFFFFFFF
    if inverse & (inverse + 1) == 0:
        return ""
    if bits & (bits + 1) == 0:
        return "%s is a wildcard mask, as routers have it, write the prefix length: %s/%d" % (
            mask, address, 32 - bits.bit_length()
        )
    return "%s is no netmask, since a 1 stands behind a 0 in it, write a prefix length such as %s/24" % (mask, address)


def is_hosts(address: Union[ipaddress.IPv4Address, ipaddress.IPv6Address]) -> bool:
    """Whether a printer can have this address; its own loopback address counts, IPv4-mapped ones do not."""
    return address.is_loopback or not refusal(ipaddress.ip_network(address))
