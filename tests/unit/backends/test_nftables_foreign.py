# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands of the administrator's own chains beside a default of deny."""

from __future__ import annotations

import re

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_ruleset
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables_foreign import base_chains, keep

# By where the chain comes from: family, table, chain.
MINE = {family: nftables_ruleset.named("kept", (family, "filter", "mine")) for family in ("ip", "ip6", "inet")}


def table(*rules, family="inet", policy="accept", hook="input", more=""):
    return (
        "table %s filter {\n%s\tchain mine {\n\t\ttype filter hook %s priority filter; policy %s;\n%s\t}\n}\n"
        % (family, more, hook, policy, "".join("\t\t%s\n" % rule for rule in rules))
    )


def test_an_accept_is_copied_and_a_drop_is_left_to_its_own_chain():
    kept = keep(table("tcp dport 80 accept", "tcp dport 81 drop"), ("in",))
    name = MINE["inet"]
    assert kept.rules == {"in": ("jump " + name,), "out": ()}
    assert kept.parts == (
        '\tchain %s {\n\t\tcomment "as in table inet filter, chain mine"\n\t\ttcp dport 80 accept\n\t}\n' % name,
    )


def test_a_chain_that_accepts_nothing_is_not_copied():
    assert keep(table("tcp dport 81 drop"), ("in", "out")).parts == ()


def test_only_the_denied_directions_are_copied():
    ruleset = table("tcp dport 80 accept", hook="output")
    assert keep(ruleset, ("in",)).rules == {"in": (), "out": ()}
    assert keep(ruleset, ("out",)).rules == {"in": (), "out": ("jump " + MINE["inet"],)}


@pytest.mark.parametrize("family, guard", [("ip", "meta nfproto ipv4 "), ("ip6", "meta nfproto ipv6 "), ("inet", "")])
def test_a_table_of_one_family_opens_in_that_family_only(family, guard):
    assert keep(table("tcp dport 80 accept", family=family), ("in",)).rules["in"] == (guard + "jump " + MINE[family],)


def test_called_chains_and_sets_come_along_under_our_names():
    more = (
        "\tset office {\n\t\ttype ipv4_addr\n\t\telements = { 198.51.100.1 }\n\t}\n"
        "\tchain web {\n\t\ttcp dport 80 accept\n\t\treturn\n\t}\n"
    )
    kept = keep(table("ip saddr @office jump web", more=more), ("in",))
    text = "".join(kept.parts)
    found = re.search(r"ip saddr @(kept_[0-9a-f]{8}) jump (kept_[0-9a-f]{8})\n", text)
    assert "set %s {\n\t\ttype ipv4_addr\n\t\telements = { 198.51.100.1 }" % found.group(1) in text
    assert "chain %s {" % found.group(2) in text and "\t\treturn\n" in text


def test_a_copied_chain_keeps_its_name_and_a_copied_set_has_one_for_its_contents():
    """A chain is changed in one step while it stands; a set is not, so it never changes."""
    def names(address):
        more = "\tset office {\n\t\ttype ipv4_addr\n\t\telements = { %s }\n\t}\n" % address
        parts = keep(table("ip saddr @office accept", more=more), ("in",)).parts
        return {part.split()[0]: part.split()[1] for part in parts}

    one, other = names("198.51.100.1"), names("198.51.100.2")
    assert one["chain"] == other["chain"] == MINE["inet"] and one["set"] != other["set"]


def test_counters_and_logs_are_not_repeated_and_quoted_words_are_not_read():
    kept = keep(table('tcp dport 22 counter packets 0 bytes 0 log prefix "add @x } accept" level info accept'), ("in",))
    assert "\t\ttcp dport 22 accept\n" in "".join(kept.parts)


@pytest.mark.parametrize("rule", [
    "meta l4proto tcp xt match recent accept",
    "tcp dport 22 add @seen { ip saddr } accept",
    "tcp dport 22 meta mark set 0x1 accept",
    "tcp dport 22 quota 5 mbytes accept",
    'limit name "often" accept',
])
def test_what_cannot_be_read_exactly_is_refused_by_name(rule):
    with pytest.raises(BackendError, match="table inet filter, chain mine has the rule '.*' ?.*cannot be kept open"):
        keep(table(rule), ("in",))


def test_an_unreadable_rule_that_opens_nothing_is_no_obstacle():
    assert keep(table("tcp dport 80 accept", "tcp dport 22 add @seen { ip saddr } drop"), ("in",)).rules["in"]


@pytest.mark.parametrize("rule, kept", [
    ('iif "eth0" tcp dport 22 accept', 'iifname "eth0" tcp dport 22 accept'),
    ('oif != "eth0" accept', 'oifname != "eth0" accept'),
    ('iif { "eth0", "eth1" } accept', 'iifname { "eth0", "eth1" } accept'),
    ('iif vmap { "eth0" : accept }', 'iifname vmap { "eth0" : accept }'),
    ('iifname "eth0" accept', 'iifname "eth0" accept'),
    ("iif 77 accept", "iif 77 accept"),
    ('tcp dport 22 counter name "ssh" accept', "tcp dport 22 accept"),
    ("tcp dport 22 log group 5 snaplen 100 accept", "tcp dport 22 accept"),
])
def test_a_copy_can_be_loaded_when_no_interface_and_no_object_is_there_yet(rule, kept):
    """As at boot, and in the namespace in which nft is asked what it thinks of it."""
    assert "\t\t%s\n" % kept in "".join(keep(table(rule), ("in",)).parts)


def test_a_set_of_interfaces_by_index_is_refused():
    more = "\tset inside {\n\t\ttype iface_index\n\t\telements = { \"eth0\" }\n\t}\n"
    with pytest.raises(BackendError, match="set inside has the rule 'iif @inside accept'"):
        keep(table("iif @inside accept", more=more), ("in",))


def test_a_set_that_changes_by_itself_is_refused():
    more = "\tset known {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\t}\n"
    with pytest.raises(BackendError, match="whose set known changes by itself"):
        keep(table("ip saddr @known accept", more=more), ("in",))


def test_our_own_table_is_not_foreign():
    ruleset = table("tcp dport 80 accept").replace("table inet filter", "table inet printfleet_cups")
    assert base_chains(ruleset) == [] and keep(ruleset, ("in",)).parts == ()


def test_a_chain_that_drops_by_default_is_told():
    assert base_chains(table(policy="drop")) == [("inet", "filter", "mine", "in", "drop")]


def test_tables_that_see_no_ip_at_these_hooks_are_passed_over():
    ruleset = table(policy="drop", family="bridge")
    assert base_chains(ruleset) == []


def test_a_base_chain_with_a_comment_is_read_as_any_other():
    # nft 1.0.6 lists a chain's comment ahead of its hook.
    ruleset = table("tcp dport 80 accept").replace("\t\ttype", '\t\tcomment "mine"\n\t\ttype')
    assert [chain[2:] for chain in base_chains(ruleset)] == [("mine", "in", "accept")]
    assert keep(ruleset, ("in",)).parts == keep(table("tcp dport 80 accept"), ("in",)).parts


def test_comments_are_not_copied():
    rule = 'tcp dport 80 accept comment "type filter hook input priority 0; policy drop;"'
    text = "".join(keep(table(rule), ("in",)).parts)
    assert "\t\ttcp dport 80 accept\n" in text and "hook" not in text


def test_a_call_of_a_chain_that_is_not_there_is_refused():
    with pytest.raises(BackendError, match="jump nowhere"):
        keep(table("tcp dport 80 accept", "jump nowhere"), ("in",))
