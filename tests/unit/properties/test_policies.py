# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies out of nowhere against every backend: a fixed number of them, and as many as a fixed time allows."""

from __future__ import annotations

import os
import random
import time

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _flow, _policy, _words
from ansible_collections.printfleet.cups.tests.unit.properties import checks, oracle
from hypothesis import HealthCheck, given, seed, settings

SECONDS = float(os.environ.get("PRINTFLEET_FUZZ_SECONDS") or "20")
SEED = int(os.environ.get("PRINTFLEET_FUZZ_SEED") or "631")
QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.parametrize("name", sorted(checks.CHECKS))
def test_a_fixed_number_of_policies(name, told):
    @settings(max_examples=60, derandomize=True, **QUIET)
    @given(oracle.policies(), checks.RANDOM)
    def check(policy, chance):
        told["packets"] += checks.CHECKS[name](policy, chance)
        told["policies"] += 1

    check()


MUTANTS = {
    "an opening less": lambda policy: policy._replace(openings=policy.openings[1:]),
    "an opening for everybody": lambda policy: policy._replace(
        openings=(policy.openings[0]._replace(peers=None),) + policy.openings[1:]),
    "a port more": lambda policy: policy._replace(
        openings=policy.openings + (policy.openings[0]._replace(ports=_words.Ports(600, 700)),)),
    "no closures": lambda policy: policy._replace(closures=(), default_incoming="keep"),
    "the other default": lambda policy: policy._replace(default_outgoing="keep"),
}


@pytest.mark.parametrize("mutant", sorted(MUTANTS))
@pytest.mark.parametrize("name", ["nftables", "ufw", "firewalld"])
def test_rules_of_another_policy_are_noticed(name, mutant, monkeypatch):
    """The control: without it the checks could be blind and nobody would know."""
    flow = {"row": "x", "direction": "in", "protocol": "tcp", "port": "631", "peers": ["198.51.100.0/28"]}
    policy = _policy.make_policy([_flow.read_flow(flow, "f")], "deny", "deny", False, oracle.INTERFACES, None)
    check = checks.CHECKS[name]
    check(policy, random.Random(1))
    other = MUTANTS[mutant](policy)
    decide, packets = oracle.decide, oracle.packets
    monkeypatch.setattr(oracle, "decide", lambda given, packet: decide(
        policy._replace(default_incoming=given.default_incoming, default_outgoing=given.default_outgoing)
        if given.default_incoming == given.default_outgoing == "keep" else policy, packet))
    monkeypatch.setattr(oracle, "packets", lambda _given, chance, _count: packets(policy, chance, 400))
    with pytest.raises(AssertionError):
        check(other, random.Random(1))


def test_as_many_policies_as_the_time_allows(told):
    """Each round has a seed of its own: PRINTFLEET_FUZZ_SEED=<the one that is shown> brings a failure back."""
    number, ends = SEED, time.monotonic() + SECONDS
    names = sorted(checks.CHECKS)
    while time.monotonic() < ends:
        chance = random.Random(number)

        @seed(number)
        @settings(max_examples=15, **QUIET)
        @given(oracle.policies())
        def check(policy):
            for name in names:
                told["packets"] += checks.CHECKS[name](policy, chance)  # noqa: B023
            told["policies"] += 1

        try:
            check()
        except BaseException:
            print("fuzz: failed with PRINTFLEET_FUZZ_SEED=%d" % number)
            raise
        number += 1
    told["rounds"] = "seeds %d to %d, %d seconds" % (SEED, number - 1, SECONDS)
    assert number > SEED
