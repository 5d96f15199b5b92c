# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The draw: one number is one fault, each kind and each pair of states comes up, and the small form is made of them."""

from __future__ import annotations

import pytest
from campaign import draw, small

BACKENDS = ("nftables", "firewalld", "ufw")
MANY = range(4000)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_seed_is_a_fault(backend):
    assert [draw.draw(backend, seed) for seed in MANY] == [draw.draw(backend, seed) for seed in MANY]


@pytest.mark.parametrize("backend", BACKENDS)
def test_everything_comes_up(backend):
    drawn = [draw.draw(backend, seed) for seed in MANY]
    assert {fault.kind for fault in drawn} == set(draw.KINDS) - ({"firewalld"} if backend != "firewalld" else set())
    assert {fault.phase for fault in drawn} == set(draw.PHASES)
    ways = {(fault.base, fault.start, fault.to) for fault in drawn}
    assert ways == {(base, a, b) for base, states in draw.STATES.items() for a in states for b in states if a != b}
    assert {f.details["does"] for f in drawn if f.kind == "program"} == set(draw.BEHAVIOURS)
    assert {f.details["errno"] for f in drawn if f.kind == "system call"} == set(draw.ERRORS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_small_form_is_a_way_through_the_states(backend):
    faults = small.faults(backend)
    assert len(faults) == small.MOST
    assert len({fault.kind for fault in faults}) == small.MOST
    at = "absent"
    for fault in faults:
        assert (fault.base, fault.start) == ("active", at)
        at = fault.to
