# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have on a host that overrules our rules, comes before them, or opens what they close."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _findings, _report
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_findings,
    iptables_lines,
    nftables_findings,
    rule_order,
    ufw_findings,
    ufw_kernel,
)
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._policy import make_policy
from ansible_collections.printfleet.cups.plugins.module_utils._words import Ports
from ansible_collections.printfleet.cups.tests.unit import busctl_prints

FLOWS = (
    Flow("sharing", "ipp_sharing", "in", "tcp", Ports(631, 631), ("192.0.2.0/24",), False),
    Flow("printers", "network_printers", "out", "tcp", Ports(9100, 9102), (), False),
)
KNOWN = _findings.ours(make_policy(FLOWS, "keep", "keep", False, (), None))
NONE = _findings.ours(None)
HEX = "7072696e74666c6565742e637570733a2078"  # "printfleet.cups: x"


def ruleset(*rules, policy="accept", hook="input", table="inet office"):
    return "table %s {\n\tchain base {\n\t\ttype filter hook %s priority filter; policy %s;\n%s\t}\n}\n" % (
        table, hook, policy, "".join("\t\t%s\n" % rule for rule in rules))


def levels(found):
    return [f.level for f in found]


@pytest.mark.parametrize("text, expected", [
    (ruleset("tcp dport 22 accept"), []),
    (ruleset(policy="drop"), ["warning"]),
    (ruleset(policy="drop", hook="output"), ["warning"]),
    (ruleset("drop"), ["warning"]),
    (ruleset('counter packets 0 bytes 0 log prefix "tcp dport 22 " drop comment "mine"'), ["warning"]),
    (ruleset("reject with icmpx admin-prohibited"), ["warning"]),
    (ruleset("tcp dport 631 drop"), ["warning"]),
    (ruleset("tcp dport { 22, 600-700 } drop"), ["warning"]),
    (ruleset("tcp dport 9101 reject with tcp reset", hook="output"), ["warning"]),
    (ruleset("tcp dport 9101 drop"), []),
    (ruleset("ip saddr @banned drop", "tcp dport 80 drop", "ct state invalid drop"), []),
    (ruleset("udp dport 631 accept"), ["note"]),
    (ruleset("udp dport { 600-700 } ip saddr 192.0.2.1 accept"), ["note"]),
    (ruleset("udp dport 631 accept", hook="output"), []),
    (ruleset('tcp dport 80 accept comment "udp dport 631 accept"'), []),
    (ruleset(policy="drop", table="inet firewalld"), []),
    (ruleset(policy="drop", table="inet printfleet_cups"), []),
    (ruleset(policy="drop").replace("\tchain", "\tchain ufw-before-input {\n\t}\n\tchain", 1), []),
])
def test_foreign_chains_of_nftables(text, expected):
    assert levels(nftables_findings.find(text, KNOWN)) == expected


def test_a_chain_is_named_with_its_rule():
    found = nftables_findings.find(ruleset("tcp dport 631 drop"), KNOWN)[0]
    assert found.where == "nftables table inet office, chain base, rule 'tcp dport 631 drop'"
    assert found.what == "it refuses packets in, whatever the page's rows say: 631/tcp"


def test_a_drop_means_nothing_where_no_row_is_open():
    assert nftables_findings.find(ruleset("drop", policy="drop"), NONE) == []


@pytest.mark.parametrize("words, expected", [
    ("-p tcp --dport 22 -j ACCEPT", []),
    ("-p tcp --dport 631 -j ACCEPT", ["warning"]),
    ("-p tcp -m tcp --dport 631 -j ACCEPT", ["warning"]),
    ("-p tcp -m multiport --dports 80,600:700 -m comment --comment 'mine, all mine' -j ACCEPT", ["warning"]),
    ("-p udp --dport 631 -j ACCEPT", ["warning"]),
    ("-j ACCEPT", ["warning"]),
    ("-s 198.51.100.0/24 -j ACCEPT", ["note"]),
    ("-p tcp ! --dport 22 -j ACCEPT", ["note"]),
    ("-i lo -j ACCEPT", []),
    ("-p icmp -j ACCEPT", []),
    ("-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", []),
    ("-m conntrack --ctstate NEW -p tcp --dport 631 -j ACCEPT", ["warning"]),
    ("-p tcp --dport 631 -j DROP", ["warning"]),
    ("-j REJECT --reject-with icmp-port-unreachable", ["warning"]),
    ("-s 203.0.113.9 -j DROP", []),
    ("-p tcp -m multiport --dports 22 -j f2b-sshd", []),
    ("-p tcp --syn -j DROP", []),
    ("'", []),
    ("", []),
])
def test_what_a_rule_of_iptables_ahead_of_ours_means(words, expected):
    rule = iptables_lines.read(iptables_lines.split(words), "in", "here")
    found = rule_order.find({"INPUT": [rule or rule_order.NOTHING]}, rule_order.Base("INPUT", "in", 4), KNOWN)
    assert levels(found) == expected


BEFORE = "*filter\n# -A ufw-before-input -j ACCEPT\n-A ufw-before-input -p udp --dport 631 -j ACCEPT\nCOMMIT\n"


def test_an_edited_before_rules_is_told_with_its_line():
    found = ufw_findings.before(4, BEFORE, "*filter\nCOMMIT\n", KNOWN)
    assert levels(found) == ["warning"]
    assert found[0].where.startswith("/etc/ufw/before.rules, line 3 ")
    assert ufw_findings.before(4, BEFORE, BEFORE, KNOWN) == []
    assert ufw_findings.before(4, None, None, KNOWN) == []


def test_rules_ahead_of_ufw_are_told_and_those_behind_are_not():
    chains = ufw_kernel.parse(
        ":INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 631 -j ACCEPT\n-A INPUT -j ufw-before-logging-input\n"
        "-A INPUT -j ufw-before-input\n-A INPUT -p udp -m udp --dport 631 -j ACCEPT\n")
    found = ufw_findings.ahead(4, chains, KNOWN)
    assert [f.where for f in found] == ["iptables chain INPUT, rule '-A INPUT -p tcp -m tcp --dport 631 -j ACCEPT'"]


@pytest.mark.parametrize("line, expected", [
    ("allow any 631 0.0.0.0/0 any 0.0.0.0/0 in", 1),
    ("allow udp 631 0.0.0.0/0 any 192.0.2.0/24 in comment=61", 1),
    ("allow udp 600:700 0.0.0.0/0 any 0.0.0.0/0 in_eth0", 1),
    ("limit_log udp 137,631 0.0.0.0/0 any 0.0.0.0/0 in", 1),
    ("allow any 631 0.0.0.0/0 any 0.0.0.0/0 CUPS - in", 1),
    ("allow any 80 0.0.0.0/0 any 0.0.0.0/0 WWW%20Full - in", 0),
    ("allow tcp 631 0.0.0.0/0 any 0.0.0.0/0 in", 0),
    ("allow any 631 0.0.0.0/0 any 0.0.0.0/0 out", 0),
    ("deny any 631 0.0.0.0/0 any 0.0.0.0/0 in", 0),
    ("allow any 631 0.0.0.0/0 any 0.0.0.0/0 in comment=" + HEX, 0),
    ("allow any", 0),
])
def test_rules_of_the_administrators_that_open_631_udp(line, expected):
    profiles = ufw_findings.profile_ports(["[CUPS]\ntitle=x\nports=631\n", "[WWW Full]\nports=80,443/tcp\n"])
    found = ufw_findings.never_open("/etc/ufw/user.rules", "### RULES ###\n\n### tuple ### %s\n" % line, profiles)
    assert levels(found) == ["note"] * expected
    assert all("line 3" in f.where for f in found)


class PlayedBus:
    """A firewalld that answers what ``answers`` say, by method and first value."""

    def __init__(self, **answers):
        self.answers = {"getDefaultZone": "public", "getActiveZones": {"office": {}}, "getPolicies": [], **answers}

    def run(self, argv, stdin=None):
        del stdin
        words = argv[argv.index("call") + 4:]
        data = self.answers.get("_".join(words[::2]))
        return Result(0, "" if data is None else busctl_prints.answer(data), "")


def variants(**settings):
    return {key: {"type": "?", "data": value} for key, value in settings.items()}


def firewalld(nftables=True, **answers):
    return firewalld_findings.find(firewalld_findings.read(PlayedBus(**answers)), KNOWN, nftables)


IPP = {"getServiceSettings2_ipp": variants(ports=[["631", "tcp"], ["631", "udp"]])}


def test_a_stock_service_in_an_active_zone_is_told():
    found = firewalld(**IPP, getZoneSettings2_office=variants(services=["ipp"]))
    assert [(f.level, f.where) for f in found] == [("note", "firewalld's zone 'office', service 'ipp'")]


@pytest.mark.parametrize("settings, expected", [
    (variants(ports=[["600-700", "udp"]]), ["note"]),
    (variants(ports=[["631", "tcp"]]), []),
    (variants(rules_str=['rule service name="ipp" accept']), []),
    (variants(rules_str=['rule family="ipv4" port port="631" protocol="udp" accept']), ["note"]),
    (variants(rules_str=['rule family="ipv4" port port="631" protocol="udp" drop']), []),
    (variants(rules_str=['rule source-port port="631" protocol="udp" accept']), []),
])
def test_ports_and_rich_rules_of_a_zone(settings, expected):
    assert levels(firewalld(getZoneSettings2_public=settings)) == expected


def test_a_policy_of_our_priority_is_told():
    settings = variants(priority=-32768, ingress_zones=["ANY"], egress_zones=["HOST"])
    found = firewalld(getPolicies=["mine", "printfleet-in"], getPolicySettings_mine=settings)
    assert [(f.level, f.where) for f in found] == [("warning", "firewalld's policy 'mine'")]
    later = variants(priority=-15000, ingress_zones=["ANY"], egress_zones=["HOST"])
    assert firewalld(getPolicies=["mine"], getPolicySettings_mine=later) == []


def test_a_direct_accept_matters_beside_the_iptables_backend_only():
    rules = {"getAllRules": [["ipv4", "filter", "INPUT", 0, ["-p", "udp", "--dport", "631", "-j", "ACCEPT"]]]}
    assert levels(firewalld(nftables=False, **rules)) == ["warning"]
    assert firewalld(nftables=True, **rules) == []


def test_a_direct_drop_always_matters():
    words = ["-I", "INPUT", "-p", "tcp", "--dport", "631", "-j", "DROP"]
    assert levels(firewalld(getAllPassthroughs=[["ipv4", words]])) == ["warning"]


def test_few_sentences_and_each_once():
    found = [_findings.overrules("in", "rule %d" % (number % 20), ("631/tcp",)) for number in range(40)]
    said = _findings.sentences(found + [_findings.opens_never_open("x", "y")])
    assert len(said) == 6
    assert said[0] == (
        "rule 0: it refuses packets in, whatever the page's rows say: 631/tcp; accept the rows' ports there, "
        "ahead of it.")
    assert said[-1] == "15 more such things are told by the module printfleet.cups.cups_firewall_info."


def test_foreign_text_is_one_line_without_control_characters():
    assert _findings.plain("a\n\x1b[31mb\udcff\u2028") == "a\\x0a\\x1b[31mb\\udcff\\u2028"
    assert len(_findings.plain("x" * 10000)) < 200


def test_the_report_is_short_and_says_who_holds_what():
    told = {
        "backend": "ufw", "default_incoming": "deny", "default_outgoing": "keep", "in_force": False, "managers": [],
        "rows": [{"row": "r", "direction": "in", "protocol": "tcp", "port": "631", "side": "destination",
                  "anyone": False, "peers": ["192.0.2.%d" % n for n in range(9)]}],
        "groups": [{"row": "g", "address": "ff02::fb", "protocol": "udp", "port": 5353}],
        "helpers": [{"name": "snmp", "row": "s", "finds": "printers by SNMP broadcast"}],
        "findings": [_findings.opens_never_open("zone x", "remove it").as_dict()],
        "drift": [
            {"id": "a", "what": "ufw was disabled", "command": "ufw --force enable"},
            {"id": "b", "what": "a file was removed", "command": ""},
        ],
    }
    assert _report.report(told) == [
        "Held by ufw; default incoming: deny, outgoing: keep.",
        "open in tcp 631 from 192.0.2.0, 192.0.2.1, 192.0.2.2, 192.0.2.3 and 5 more (r)",
        "open in udp 5353 by way of ff02::fb from anyone on the link (g)",
        "finds printers by SNMP broadcast: kernel helper snmp (s)",
        "NOT in force as the last run meant it: ufw was disabled; this command brings the rules back: "
        "ufw --force enable.",
        "NOT in force as the last run meant it: a file was removed; run the role again, with --check --diff it shows "
        "what differs.",
        "note: zone x: it opens 631/udp (CVE-2024-47176), which printing does not need and our rules, where in "
        "force, keep closed; remove it.",
    ]
    bare = {"backend": "", "managers": [{"name": "ufw", "active": True}], "findings": []}
    assert _report.report(bare) == ["Nothing of printfleet.cups is on this host; active: ufw."]
