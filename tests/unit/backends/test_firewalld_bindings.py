# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bindings of interfaces and sources to zones: which calls make them what they were."""

from __future__ import annotations

from ansible_collections.printfleet.cups.plugins.module_utils._backends import firewalld_bindings
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import Zone

ETH0, WG0, NET = ("interfaces", "eth0"), ("interfaces", "wg0"), ("sources", "192.0.2.0/24")


def orders(held, now, files=()):
    return [tuple(order) for order in firewalld_bindings.orders(held, now, set(files))]


def test_what_is_as_it_was_needs_no_call():
    assert orders({ETH0: "internal"}, {ETH0: "internal"}, [ETH0]) == []


def test_a_binding_that_the_reload_has_lost_is_made_again():
    assert orders({ETH0: "internal", NET: "work"}, {}) == [
        ("changeZoneOfInterface", "internal", "eth0"), ("changeZoneOfSource", "work", "192.0.2.0/24"),
    ]


def test_a_binding_that_a_file_has_moved_is_moved_back():
    assert orders({ETH0: "internal"}, {ETH0: "public"}, [ETH0]) == [("changeZoneOfInterface", "internal", "eth0")]


def test_a_binding_that_was_taken_away_at_runtime_is_taken_away_again():
    assert orders({}, {ETH0: "public", NET: "work"}, [ETH0, NET]) == [
        ("removeInterface", "public", "eth0"), ("removeSource", "work", "192.0.2.0/24"),
    ]


def test_an_interface_that_came_up_in_the_meantime_stays_bound():
    assert orders({ETH0: "internal"}, {ETH0: "internal", WG0: "trusted"}, [ETH0]) == []


def test_the_binding_before_a_change_counts_where_the_change_may_have_moved_it():
    assert firewalld_bindings.together({ETH0: "internal"}, {ETH0: "public", WG0: "trusted"}) == {
        ETH0: "internal", WG0: "trusted"
    }


def test_the_files_bindings_are_written_as_firewalld_tells_them():
    zone = Zone("work", "default", (("address", "192.0.2.0/24"), ("ipset", "banned")), ("eth0",))
    assert firewalld_bindings.permanent([zone]) == {ETH0, NET, ("sources", "ipset:banned")}
