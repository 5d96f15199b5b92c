# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arithmetic of addresses, against Python's own sets."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._services import addresses
from hypothesis import given
from hypothesis import strategies as st

# Sixteen addresses at each end of each family, so that whole sets can be counted.
SMALL = st.lists(
    st.tuples(st.sampled_from(("192.0.2.0/28", "255.255.255.240/28", "2001:db8::/124", "::/124")),
              st.integers(0, 15), st.integers(0, 4)),
    max_size=6,
).map(lambda picks: [
    str(ipaddress.ip_network("%s/%d" % (
        ipaddress.ip_network(n)[i], ipaddress.ip_network(n).max_prefixlen - bits), strict=False))
    for n, i, bits in picks
])


def counted(networks):
    return {a for n in networks for a in ipaddress.ip_network(n)}


def spread(found):
    return {
        make(number) for runs, make in ((found.v4, ipaddress.IPv4Address), (found.v6, ipaddress.IPv6Address))
        for first, last in runs for number in range(first, last + 1)
    }


@given(SMALL, SMALL)
def test_it_counts_like_sets(one, other):
    a, b = addresses.of(one), addresses.of(other)
    assert spread(a) == counted(one)
    assert spread(a | b) == counted(one) | counted(other)
    assert spread(a - b) == counted(one) - counted(other)
    assert spread(a & b) == counted(one) & counted(other)
    assert a.empty == (not one)


@pytest.mark.parametrize("networks, told", [
    ((), "nobody"),
    (("0.0.0.0/0", "::/0"), "anyone"),
    (("0.0.0.0/0",), "0.0.0.0/0"),
    (("192.0.2.0/25", "192.0.2.128/25", "2001:db8::7"), "192.0.2.0/24, 2001:db8::7"),
    (("192.0.2.1", "192.0.2.3", "192.0.2.5", "192.0.2.7"), "192.0.2.1, 192.0.2.3, 192.0.2.5 and more"),
])
def test_it_is_told(networks, told):
    assert addresses.told(addresses.of(networks)) == told


def test_all_but_one_is_not_all():
    left = addresses.EVERYONE - addresses.of(("192.0.2.1",))
    assert left != addresses.EVERYONE and not left.empty
    assert (addresses.EVERYONE - addresses.EVERYONE).empty
