# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of IPv4 and IPv6 addresses: what the firewall lets in, less what a service refuses.  Pure."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Iterable, Iterator, List, NamedTuple, Tuple, Union

Runs = Tuple[Tuple[int, int], ...]  # first and last, in order, with gaps between them

_MAKE = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}
_LAST = {4: 2 ** 32 - 1, 6: 2 ** 128 - 1}


class Addresses(NamedTuple):
    """A set of addresses of both families."""

    v4: Runs
    v6: Runs

    def __or__(self, other: "Addresses") -> "Addresses":  # type: ignore[override]
        return Addresses(_joined(self.v4 + other.v4), _joined(self.v6 + other.v6))

    def __sub__(self, other: "Addresses") -> "Addresses":
        return Addresses(_less(self.v4, other.v4), _less(self.v6, other.v6))

    def __and__(self, other: "Addresses") -> "Addresses":
        return self - (self - other)

    @property
    def empty(self) -> bool:
        """Whether nobody is in it.  (Not its truth: a tuple of two is always true.)"""
        return not self.v4 and not self.v6

    def family(self, version: int) -> Runs:
        """Its part of one IP version."""
        return self.v4 if version == 4 else self.v6


NOBODY = Addresses((), ())
EVERYONE = Addresses(((0, _LAST[4]),), ((0, _LAST[6]),))


def of(networks: Iterable[str]) -> Addresses:
    """The addresses of CIDRs; raises ValueError where one is none."""
    return _of(tuple(networks))


# The same few lists are asked for again and again, and one may hold thousands.
@lru_cache(maxsize=64)
def _of(networks: Tuple[str, ...]) -> Addresses:
    runs: Tuple[List[Tuple[int, int]], List[Tuple[int, int]]] = ([], [])
    for text in networks:
        network: Union[ipaddress.IPv4Network, ipaddress.IPv6Network] = ipaddress.ip_network(text, strict=False)
        first = int(network.network_address)
        runs[network.version == 6].append((first, first + network.num_addresses - 1))
    return Addresses(_joined(tuple(runs[0])), _joined(tuple(runs[1])))


def told(addresses: Addresses, most: int = 3) -> str:
    """The first few of its networks, for a person."""
    if addresses == EVERYONE:
        return "anyone"
    shown: List[str] = []
    for network in _networks(addresses):
        if len(shown) == most:
            return ", ".join(shown) + " and more"
        shown.append(network)
    return ", ".join(shown) or "nobody"


def _networks(addresses: Addresses) -> Iterator[str]:
    for version in (4, 6):
        for first, last in addresses.family(version):
            for network in ipaddress.summarize_address_range(_MAKE[version](first), _MAKE[version](last)):
                yield str(network.network_address) if network.num_addresses == 1 else str(network)


def _joined(runs: Runs) -> Runs:
    joined: List[Tuple[int, int]] = []
    for first, last in sorted(runs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def _less(runs: Runs, others: Runs) -> Runs:
    left: List[Tuple[int, int]] = []
    at = 0
    for first, last in runs:
        while at < len(others) and others[at][1] < first:
            at += 1
        step = at
        while step < len(others) and others[step][0] <= last:
            if first < others[step][0]:
                left.append((first, others[step][0] - 1))
            first = others[step][1] + 1
            step += 1
        if first <= last:
            left.append((first, last))
    return tuple(left)
