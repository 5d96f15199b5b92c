# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands of the administrator's own chains beside a default of deny."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_foreign, nftables_ruleset
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables_foreign import (
    base_chains,
    keep_what_loads,
)
from ansible_collections.printfleet.cups.tests.unit import nft_json

LISTINGS = sorted((pathlib.Path(__file__).parent / "nft_listings").glob("*.json"))

# By where the chain comes from: family, table, chain.
MINE = {family: nftables_ruleset.named("kept", (family, "filter", "mine")) for family in ("ip", "ip6", "inet")}


def keep(ruleset, directions):
    return nftables_foreign.keep(ruleset, directions, lambda: nft_json.statements(ruleset))


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
        "\tchain %s {\n\t\ttcp dport 80 accept\n\t}\n" % name,
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


@pytest.mark.parametrize("rule, why, advice", [
    ("meta l4proto tcp xt match recent accept", "shows an iptables match", "write it as a rule of nft"),
    ("tcp dport 22 add @seen { ip saddr } accept", r"does something beside deciding \(set\)", "write it as two rules"),
    ("tcp dport 22 meta mark set 0x1 accept", r"does something beside deciding \(mangle\)", "write it as two rules"),
    ("tcp dport 22 quota 5 mbytes accept", "its quota is used up", "set cups_firewall_default_incoming to keep"),
    ('limit name "often" accept', "its limit is shared", "write the rate into the rule"),
    ("ip saddr @known accept", "its set known changes by itself", "set cups_firewall_default_incoming to keep"),
    ("iif @inside accept", "its set inside holds interfaces by index", "use a set of type ifname"),
    ('iif . tcp dport { "eth0" . 22 } accept', "names an interface by its index", "use iifname or oifname"),
    ("jump nowhere", "calls a chain", "set cups_firewall_default_incoming to keep"),
])
def test_what_cannot_be_copied_exactly_is_told_and_the_rest_is_copied(rule, why, advice):
    more = (
        "\tset known {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\t}\n"
        "\tset inside {\n\t\ttype iface_index\n\t\telements = { \"eth0\" }\n\t}\n"
    )
    kept = keep(table("tcp dport 80 accept", rule, more=more), ("in",))
    assert kept.parts == ("\tchain %s {\n\t\ttcp dport 80 accept\n\t}\n" % MINE["inet"],)
    (finding,) = [one.finding() for one in kept.lost]
    assert finding.where == "nftables table inet filter, chain mine, rule '%s'" % rule
    assert "refused under cups_firewall_default_incoming: deny" in finding.what and re.search(why, finding.what)
    assert finding.advice.startswith(advice)


def test_only_a_rule_about_tcp_or_udp_could_be_a_row():
    advice = [
        keep(table(rule), ("in",)).lost[0].advice
        for rule in ("tcp dport 22 meta mark set 1 accept", "icmp type 8 meta mark set 1 accept")
    ]
    assert ["cups_firewall_extra_flows" in one for one in advice] == [True, False]


@pytest.mark.parametrize("verdict", ["return", "goto web"])
def test_without_a_rule_that_leads_elsewhere_nothing_behind_it_is_copied(verdict):
    """What it led away would be let through by the rules behind it."""
    more = "\tchain web {\n\t\ttcp dport 443 accept\n\t}\n"
    kept = keep(table("tcp dport 22 meta mark set 1 %s" % verdict, "tcp dport 80 accept", more=more), ("in",))
    assert kept.parts == () and kept.rules["in"] == () and len(kept.lost) == 1


def test_a_chain_that_calls_such_a_one_is_not_copied_either():
    more = "\tchain web {\n\t\ttcp dport 22 meta mark set 1 return\n\t\taccept\n\t}\n"
    kept = keep(table("jump web", "tcp dport 80 accept", more=more), ("in", "out"))
    assert kept.parts == () and [one.chain[2] for one in kept.lost] == ["web", "mine"]


def test_what_is_lost_is_told_for_each_direction():
    other = "\tchain other {\n\t\ttype filter hook output priority 0; policy accept;\n\t\tjump web\n\t}\n"
    more = other + "\tchain web {\n\t\ttcp dport 22 meta mark set 1 accept\n\t}\n"
    kept = keep(table("jump web", more=more), ("in", "out"))
    assert sorted(one.direction for one in kept.lost) == ["in", "out"]


def test_an_unreadable_rule_that_opens_nothing_is_no_obstacle():
    kept = keep(table("tcp dport 80 accept", "tcp dport 22 add @seen { ip saddr } drop"), ("in",))
    assert kept.rules["in"] and not kept.lost


def test_json_that_is_none_loses_the_whole_chain():
    for said in ("", "{}", "[]", '{"nftables": [{"rule": 5}]}'):
        kept = nftables_foreign.keep(table("tcp dport 80 accept"), ("in",), lambda said=said: said)
        assert kept.parts == () and "as text and as JSON" in kept.lost[0].why


def test_json_is_asked_for_only_where_there_is_something_to_copy():
    def nobody_asks():
        raise AssertionError("asked")

    opens, drops = table("tcp dport 80 accept"), table("tcp dport 80 drop")
    for ruleset, directions in ((opens, ()), (opens, ("out",)), (drops, ("in",)), ("", ("in",))):
        assert nftables_foreign.keep(ruleset, directions, nobody_asks).parts == ()


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: path.stem)
def test_what_the_releases_of_nft_really_list(path):
    """Recorded on Debian 11, 12, 13 and forky: types of ICMP, an hour, a helper and payloads are no statements."""
    recorded = json.loads(path.read_text(encoding="utf-8"))
    ruleset = "\n".join(recorded["text"])
    kept = nftables_foreign.keep(ruleset, ("in",), lambda: json.dumps(recorded["json"]))
    text = "".join(kept.parts)
    for rule in ("icmp type { redirect, echo-request } accept", 'ct helper "ftp" accept', "th dport 631 accept",
                 'meta hour "08:00"-"17:00" tcp dport 8080 accept', "@th,160,32 1195725856 accept",
                 "tcp dport { 80, 443 } accept"):
        assert "\t\t%s\n" % rule in text or rule.startswith("@") and "\t\t@th,160,32" in text, rule
    assert re.search(r"\t\tip saddr @kept_\w{8} tcp dport 22 accept\n", text)
    assert "set add" not in text and " counter" not in text
    assert [one.rule.split(" accept")[0] for one in kept.lost] == [
        "ip saddr @knocked tcp dport 22", "tcp dport 23 meta mark set 0x00000001",
        "icmp type timestamp-request meta mark set 0x00000001", "udp dport 53 quota over 5 mbytes",
    ]


def test_a_copy_that_nft_does_not_take_is_told_and_the_others_are_kept():
    """ct original proto-dst of a table ip is listed by nft 1.0.6 in a form that it does not take in ours."""
    more = "\tchain other {\n\t\ttype filter hook input priority 0; policy accept;\n\t\ttcp dport 81 accept\n\t}\n"
    ruleset = table("tcp dport 80 accept", more=more)

    def load(kept):
        if "dport 80" in "".join(kept.parts):
            raise BackendError("syntax error")
        return "listed"

    kept, listed = keep_what_loads(ruleset, ("in",), lambda: nft_json.statements(ruleset), load)
    assert listed == "listed" and "dport 81" in "".join(kept.parts) and len(kept.rules["in"]) == 1
    assert [one.chain[2] for one in kept.lost] == ["mine"] and "syntax error" in kept.lost[0].why


def test_where_nft_refuses_ours_itself_that_is_the_error():
    def load(_kept):
        raise BackendError("no space")

    with pytest.raises(BackendError, match="no space"):
        keep_what_loads("", ("in",), lambda: "", load)


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
