# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the policy to rules and application profiles of ufw."""

from __future__ import annotations

import configparser
import re
import time

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import ufw_intent, ufw_profiles, ufw_rules
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_profiles import Service
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Closure, Opening, Policy


def rules_of(policy, version=4):
    return ufw_intent.rules(policy, version, ufw_intent.profiles(policy))


def said(policy, version=4):
    """The rules as sentences, without their comments."""
    text = "".join(ufw_rules.block(rule) for rule in rules_of(policy, version))
    return [line.strip().split("  # ")[0] for line in ufw_rules.readable(text)]


def test_keep_opens_to_the_sources_and_closes_to_all_others(make_policy):
    assert said(make_policy()) == [
        "DENY IN udp from anywhere to anywhere port 631",
        "ALLOW OUT udp from anywhere to anywhere port 53",
        "ALLOW IN tcp from 198.51.100.0/24 to anywhere port 631",
        "ALLOW IN udp from 198.51.100.0/24 to anywhere port 5353",
        "ALLOW OUT udp from anywhere port 5353 to 198.51.100.0/24",
        "ALLOW OUT udp from anywhere to anywhere port 53",
        "ALLOW OUT tcp from anywhere to 198.51.100.9 port 9100:9102",
        "DENY IN tcp from anywhere to anywhere port 631",
        "DENY IN udp from anywhere to anywhere port 5353",
    ]


def test_each_family_has_its_own_peers_and_the_same_closures(make_policy):
    six = said(make_policy(), 6)
    assert "ALLOW IN tcp from 2001:db8:1::/64 to anywhere port 631" in six
    assert not [line for line in six if "198.51" in line]
    # The only printer has an IPv4 address.
    assert not [line for line in six if "9100" in line]
    assert six[:1] + six[-2:] == said(make_policy())[:1] + said(make_policy())[-2:]


def test_deny_adds_the_baseline_that_ufw_itself_lacks(make_policy):
    more = [line for line in said(make_policy("deny", "deny")) if line not in said(make_policy())]
    assert more == [
        "ALLOW IN tcp from 198.51.100.7 to anywhere port 22",
        "ALLOW OUT tcp from anywhere port 22 to 198.51.100.7",
        "ALLOW IN igmp from anywhere to anywhere",
        "ALLOW OUT igmp from anywhere to anywhere",
        "ALLOW OUT udp from anywhere port 68 to anywhere port 67",
        "REJECT OUT tcp from anywhere to anywhere port 9100:9102",
    ]
    six = [line for line in said(make_policy("deny", "deny"), 6) if line not in said(make_policy(), 6)]
    assert six == [
        "ALLOW OUT udp from anywhere port 546 to anywhere port 547",
        "REJECT OUT tcp from anywhere to anywhere port 9100:9102",
    ]


def test_only_the_denied_direction_gets_a_baseline(make_policy):
    assert "ALLOW OUT igmp from anywhere to anywhere" not in said(make_policy("deny", "keep"))
    assert "ALLOW IN igmp from anywhere to anywhere" not in said(make_policy("keep", "deny"))


def test_closures_come_last_but_for_631_udp_and_only_they_log(make_policy):
    rules = rules_of(make_policy("deny", "deny", log=True))
    assert (rules[0].action, rules[0].destination_port, rules[0].protocol) == ("deny", "631", "udp")
    closes = [rule.action != "allow" for rule in rules[1:]]
    assert closes == sorted(closes) and any(closes)
    assert [rule.log for rule in rules] == [rule.action != "allow" for rule in rules]


def test_an_opening_to_anyone_has_no_closure(make_policy):
    assert said(make_policy(sources=())).count("DENY IN tcp from anywhere to anywhere port 631") == 0


def test_every_rule_with_a_port_refers_to_a_profile_of_the_file(make_policy):
    policy = make_policy("deny", "deny")
    profiles = read_profiles(policy)
    for rule in rules_of(policy) + rules_of(policy, 6):
        if rule.protocol == "igmp":
            assert rule.profile == ""
            continue
        port = rule.destination_port if rule.profile_side == "destination" else rule.source_port
        assert profiles[rule.profile]["ports"] == "%s/%s" % (port, rule.protocol)
        assert "Row: %s." % rule.row in profiles[rule.profile]["description"]


def read_profiles(policy):
    parser = configparser.RawConfigParser()
    parser.read_string(ufw_profiles.text(ufw_intent.profiles(policy)))
    return parser


def test_profiles_are_what_ufw_takes(make_policy):
    parser = read_profiles(make_policy("deny", "deny"))
    assert "printfleet-t1-631-tcp-in" in parser and "printfleet-t3-9100-9102-tcp-out" in parser
    assert "printfleet-t1-5353-udp-out-source" in parser and "printfleet-baseline-22-tcp-in" in parser
    for name in parser.sections():
        assert len(name) <= 64 and re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9 _\-.+]*", name)
        assert all(0 < len(parser[name][key]) <= 1024 for key in ("title", "description", "ports"))


def test_two_rows_never_share_a_profile_and_names_do_not_depend_on_order():
    one = Service("Extra: 8631 (IPP) TCP IN", "in", "tcp", "8631", "destination")
    two = Service("Extra: 8631 (other) TCP IN", "in", "tcp", "8631", "destination")
    alone = ufw_profiles.names([one])
    both = ufw_profiles.names([one, two, one])
    assert alone == {one: "printfleet-extra-8631-tcp-in"}
    assert len(set(both.values())) == 2 == len(both)
    assert ufw_profiles.names([two, one]) == both


def test_two_openings_that_ufw_takes_for_one_are_written_once():
    ports = _words.Ports(8631, 8631)
    openings = tuple(
        Opening("Extra: 8631 (IPP) TCP IN", "in", "tcp", ports, peers)
        for peers in (("198.51.100.1",), ("198.51.100.1", "198.51.100.3"), None)
    )
    closures = (Closure("Extra: 8631 (IPP) TCP IN", "in", "tcp", ports),)
    policy = Policy(openings, closures, "keep", "keep", False)
    assert said(policy) == [
        "ALLOW IN tcp from 198.51.100.1 to anywhere port 8631",
        "ALLOW IN tcp from 198.51.100.3 to anywhere port 8631",
        "ALLOW IN tcp from anywhere to anywhere port 8631",
    ]


def test_five_hundred_peers_take_a_moment(make_policy):
    peers = ["10.0.%d.%d" % (i // 100, 2 * (i % 100) + 1) for i in range(500)]
    policy = make_policy("deny", "deny", sources=peers, printers=peers)
    started = time.process_time()
    rules = rules_of(policy)
    text = "".join(ufw_rules.block(rule) for rule in rules)
    assert time.process_time() - started < 2
    # 631 in, 5353 in with its answers out, 9100-9102 out; twice 53, SSH with its answers, twice IGMP and DHCP.
    assert sum(rule.action == "allow" for rule in rules) == 4 * 500 + 7
    assert text.count("### tuple ###") == len(rules)
