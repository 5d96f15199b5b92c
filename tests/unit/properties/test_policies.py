# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies out of nowhere against every backend: a fixed number of them, and as many as a fixed time allows."""

from __future__ import annotations

import ipaddress
import os
import random
import time

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _flow, _policy, _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_objects,
    nftables_ruleset,
    ufw_intent,
    ufw_rules,
)
from ansible_collections.printfleet.cups.tests.unit.properties import (
    checks,
    oracle,
    read_firewalld,
    read_nft,
    read_ufw,
)
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


def test_an_opening_by_source_port_never_reaches_631_udp():
    """What stands in for a missing helper lets in whatever comes from port 161 but to that one port."""
    flow = {"row": "x", "direction": "out", "protocol": "udp", "port": "161"}
    policy = _policy.make_policy([_flow.read_flow(flow, "f")], "keep", "keep", False, oracle.INTERFACES, None, ())
    files = read_firewalld.Files(firewalld_objects.render(policy, (), "public").files)
    table = read_nft.Table(nftables_ruleset.render(policy))
    rules = ufw_rules.with_ours(checks.EMPTY, ufw_intent.rules(policy, 4, ufw_intent.profiles(policy)))
    for port, expected in ((630, "accept"), (631, "refuse"), (40000, "accept")):
        packet = oracle.Packet("in", "udp", ipaddress.ip_address("198.51.100.7"), 161, port)
        said = table.verdict(packet), files.verdict(packet, "rest"), read_ufw.by_lines(rules, packet)
        assert said == (expected,) * 3, port


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
