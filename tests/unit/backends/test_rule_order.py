# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of others are read in order: nothing is said of a rule that decides nothing for our rows."""

from __future__ import annotations

import ipaddress
import random

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _findings
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

FLOWS = (
    Flow("sharing", "ipp_sharing", "in", "tcp", Ports(631, 631), ("192.0.2.0/24", "2001:db8::/64"), False),
    Flow("finding", "ipp_sharing", "in", "udp", Ports(5353, 5353), ("192.0.2.0/24",), False),
    Flow("wide", "ipp_sharing", "in", "tcp", Ports(9100, 9102), (), False),
)
KNOWN = _findings.ours(make_policy(FLOWS, "keep", "keep", False, (), None))

# What a cloud's image loads at boot (Oracle's, in kind), with the rows' ports let in ahead of its last rule.
CLOUD = """\
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
%s-A INPUT -j REJECT --reject-with icmp-host-prohibited
"""
BUILT_IN = ":INPUT ACCEPT [0:0]\n"
# The same as nft lists it.
CLOUD_NFT = """\
table ip filter {
\tchain INPUT {
\t\ttype filter hook input priority filter; policy accept;
\t\tct state related,established counter accept
\t\tmeta l4proto icmp counter accept
\t\tiifname "lo" counter accept
\t\tct state new tcp dport 22 counter accept
%s\t\tcounter reject with icmp host-prohibited
\t}
}
"""


def iptables(rules, way="in", version=4):
    """Refusals and accepts that are told of rules as iptables-save prints them."""
    listed = ufw_kernel.parse(BUILT_IN + rules)
    chains = {
        name: [iptables_lines.read(iptables_lines.split(line)[2:], way, line) or rule_order.NOTHING
               for line in ufw_kernel.rules(listed, name)]
        for name in listed
    }
    base = rule_order.Base("INPUT" if way == "in" else "OUTPUT", way, version)
    return rule_order.refusals(chains, base, KNOWN), rule_order.accepts(chains, base, KNOWN)


def refused(rules, way="in", version=4):
    """The ports that are told as refused."""
    return sorted(port for ports in iptables(rules, way, version)[0].values() for port in ports)


ALL = ["5353/udp", "631/tcp", "9100-9102/tcp"]


@pytest.mark.parametrize("ahead, expected", [
    ("", ALL),
    ("-A INPUT -p tcp --dport 631 -j ACCEPT\n", ["5353/udp", "9100-9102/tcp"]),
    ("-A INPUT -p tcp -m multiport --dports 631,9100:9102 -j ACCEPT\n", ["5353/udp"]),
    ("-A INPUT -p tcp --dport 9101 -j ACCEPT\n", ["5353/udp", "631/tcp", "9100/tcp", "9102/tcp"]),
    # Only for some, and they may be those of the row; others are not.
    ("-A INPUT -s 192.0.2.7 -p tcp --dport 631 -j ACCEPT\n", ["5353/udp", "9100-9102/tcp"]),
    ("-A INPUT -s 192.0.0.0/16 -j ACCEPT\n", []),
    ("-A INPUT -s 198.51.100.0/24 -j ACCEPT\n", ["5353/udp", "631/tcp"]),
    ("-A INPUT ! -s 198.51.100.0/24 -j ACCEPT\n", []),
    ("-A INPUT -s 0.0.0.0/0 -p tcp -j ACCEPT\n", ["5353/udp"]),
    ("-A INPUT -p tcp --dport ipp -j ACCEPT\n", ["5353/udp"]),
    ("-A INPUT -p tcp ! --syn -j ACCEPT\n", ["5353/udp"]),
    ("-A INPUT -i eth0 -j ACCEPT\n", []),
    # A chain of their own.
    (":mine - [0:0]\n-A mine -p tcp --dport 631 -j ACCEPT\n-A INPUT -j mine\n", ["5353/udp", "9100-9102/tcp"]),
    (":mine - [0:0]\n-A INPUT -p tcp --dport 22 -j mine\n", ALL),
    (":mine - [0:0]\n-A mine -j RETURN\n-A mine -j ACCEPT\n-A INPUT -j mine\n", ALL),
    (":mine - [0:0]\n-A mine -p udp -j RETURN\n-A mine -j DROP\n-A INPUT -j mine\n", ALL),
    (":a - [0:0]\n:b - [0:0]\n-A a -g b\n-A a -j ACCEPT\n-A b -p udp -j ACCEPT\n-A INPUT -j a\n",
     ["631/tcp", "9100-9102/tcp"]),
    # What a target does that is not known here cannot be told, nor where a chain leads that calls itself.
    ("-A INPUT -p tcp -j NFQUEUE\n", ["5353/udp"]),
    (":a - [0:0]\n-A a -p tcp -j a\n-A INPUT -j a\n", ["5353/udp"]),
    ("-A INPUT -p tcp -j LOG --log-prefix '-j ACCEPT '\n", ALL),
    ("-A INPUT -m comment --comment '-j ACCEPT' -j MARK --set-mark 1\n", ALL),
])
def test_what_a_last_reject_still_refuses(ahead, expected):
    assert refused(CLOUD % ahead) == expected


@pytest.mark.parametrize("rules, expected", [
    ("-A INPUT -p tcp --dport ssh -j DROP\n", []),
    ("-A INPUT ! -i lo -j DROP\n", ALL),
    ("-A INPUT -s 192.0.2.0/24 -j DROP\n", []),
    (":a - [0:0]\n-A a -i eth0 -j RETURN\n-A a -j DROP\n-A INPUT -j a\n", []),
    ("-A INPUT -m limit --limit 5/sec -j RETURN\n-A INPUT -j DROP\n", []),
    ("-A INPUT -m conntrack --ctstate INVALID -j DROP\n", []),
])
def test_what_some_come_through_is_not_told(rules, expected):
    assert refused(rules) == expected


def test_rows_of_the_other_ip_version_are_not_refused():
    assert refused("-A INPUT -j DROP\n", version=6) == ["631/tcp", "9100-9102/tcp"]


def test_what_is_let_in_ahead_of_ours():
    accept = "-A INPUT -p tcp --dport 631 -j ACCEPT\n"
    assert iptables(accept)[1] == [(accept.strip(), ("631/tcp",), False)]
    assert iptables("-A INPUT -p tcp --dport 600:700 -j DROP\n" + accept)[1] == []
    some = "-A INPUT -s 203.0.113.0/24 -j ACCEPT\n"
    assert [told[1:] for told in iptables(some + accept)[1]] == [
        (("631/tcp", "631/udp", "5353/udp"), True), (("631/tcp",), False)]
    called = ":mine - [0:0]\n-A mine -j ACCEPT\n-A INPUT -i eth0 -j mine\n"
    assert [told[2] for told in iptables(called)[1]] == [True]


def test_each_backend_takes_the_advice():
    """The warning is there, and goes once its advice is followed."""
    opened = "-A INPUT -p tcp -m tcp --dport 631 -j ACCEPT\n-A INPUT -p udp -m udp --dport 5353 -j ACCEPT\n" \
        "-A INPUT -p tcp -m multiport --dports 9100:9102 -j ACCEPT\n"
    listed = "\t\ttcp dport 631 counter accept\n\t\tudp dport 5353 counter accept\n\t\ttcp dport 9100-9102 accept\n"
    before = "*filter\n:ufw-before-input - [0:0]\n%sCOMMIT\n"

    def warnings(found):
        return [one.what for one in found if "refuses" in one.what or "policy" in one.what]

    direct = [firewalld_findings.Direct("ipv4", "INPUT", tuple(line.split()[2:])) for line in opened.splitlines()]
    last = firewalld_findings.Direct("ipv4", "INPUT", ("-j", "REJECT"))
    for told, after in (
        (nftables_findings.find(CLOUD_NFT % "", KNOWN), nftables_findings.find(CLOUD_NFT % listed, KNOWN)),
        (nftables_findings.find(dropping(""), KNOWN), nftables_findings.find(dropping(listed), KNOWN)),
        (ufw_findings.ahead(4, ufw_kernel.parse(BUILT_IN + CLOUD % ""), KNOWN),
         ufw_findings.ahead(4, ufw_kernel.parse(BUILT_IN + CLOUD % opened), KNOWN)),
        (ufw_findings.before(4, before % "-A ufw-before-input -j DROP\n", None, KNOWN),
         ufw_findings.before(4, before % (opened.replace("INPUT", "ufw-before-input") +
                                          "-A ufw-before-input -j DROP\n"), None, KNOWN)),
        (firewalld_findings.find(firewalld_findings.Running((), {}, (last,)), KNOWN, True),
         firewalld_findings.find(firewalld_findings.Running((), {}, (last, *direct)), KNOWN, True)),
    ):
        assert len(warnings(told)) == 1 and "631/tcp, 5353/udp, 9100-9102/tcp" in warnings(told)[0], told
        assert warnings(after) == [], after


def dropping(rules):
    """A chain that drops by its policy."""
    return (CLOUD_NFT % rules).replace("policy accept", "policy drop").replace(
        "\t\tcounter reject with icmp host-prohibited\n", "")


def test_an_insert_in_before_rules_comes_first():
    text = "-A ufw-before-input -j DROP\n-I ufw-before-input -p tcp -j ACCEPT\n-I ufw-before-input 1 -p udp -j ACCEPT\n"
    found = ufw_findings.before(4, text, None, KNOWN)
    assert [one.what.split(":")[0] for one in found] == ["it lets packets in before our rules are asked"] * 2


@pytest.mark.parametrize("rule, expected", [
    ("tcp dport { 22, 600-700 } counter packets 3 bytes 9 drop", ["631/tcp"]),
    ("meta l4proto { tcp, udp } th dport { 53, 631 } drop", ["631/tcp"]),
    ("meta l4proto tcp log prefix \"drop \" flags tcp sequence,options level info drop comment \"accept\"",
     ["631/tcp", "9100-9102/tcp"]),
    ("ip protocol udp reject with icmpx port-unreachable", ["5353/udp"]),
    ("ct state { new, invalid } meta l4proto 17 drop", ["5353/udp"]),
    ("iifname != \"lo\" udp dport 5353 drop", ["5353/udp"]),
    ("tcp dport != 22 drop", []),
    ("tcp dport ipp drop", []),
    ("tcp dport @ports drop", []),
    ("tcp dport vmap { 631 : drop }", []),
    ("meta l4proto . th dport vmap @doors", []),
    ("ct state vmap { established : accept, invalid : drop }", []),
    ("ct state invalid drop", []),
    ("iif \"lo\" drop", []),
    ("iifname \"eth0\" drop", []),
    ("meta l4proto { icmp, ipv6-icmp } drop", []),
    ("icmp type redirect drop", []),
    ("icmpv6 type nd-redirect drop", []),
    ("ip saddr 192.0.2.0/24 drop", []),
    ("ip daddr 192.0.2.1 drop", []),
    ("limit rate over 5/minute drop", []),
    ("xt match \"recent\" drop", []),
    ("# xt_recent drop", []),
    ("", []),
])
def test_a_rule_of_nft(rule, expected):
    text = "table inet mine {\n\tchain input {\n\t\ttype filter hook input priority 0; policy accept;\n\t\t%s\n\t}\n}\n"
    found = nftables_findings.find(text % rule, KNOWN)
    assert [port for one in found for port in one.what.rpartition(": ")[2].split(", ")] == expected


@pytest.mark.parametrize("rule, expected", [
    ("tcp dport 1-65535 accept", ["5353/udp"]),
    ("ip saddr 198.51.100.0/24 accept", ["631/tcp", "5353/udp"]),
    ("ip saddr { 198.51.100.1, 192.0.2.1 } accept", []),
    ("ct state vmap { established : accept, invalid : drop }", ALL),
    ("ct state vmap { established : accept, new : jump other }", []),
    ("meta l4proto . th dport vmap @doors", []),
    ("xt target \"NFQUEUE\"", []),
    ("meta mark set 0x00000001", ALL),
    ("jump other", ["5353/udp"]),
    ("goto other", ["5353/udp"]),
    ("ip saddr 198.51.100.0/24 jump other", ["5353/udp", "631/tcp"]),
    ("jump missing", []),
])
def test_a_rule_of_nft_ahead_of_the_policy(rule, expected):
    text = "table inet mine {\n\tchain other {\n\t\ttcp dport 1-65535 accept\n\t}\n\n\tchain input {\n" \
        "\t\ttype filter hook input priority 0; policy drop;\n\t\t%s\n\t}\n}\n"
    found = nftables_findings.find(text % rule, KNOWN)
    assert sorted(p for one in found for p in one.what.rpartition(": ")[2].split(", ")) == sorted(expected)


def test_what_is_told_holds_for_every_packet():
    """Rule sets drawn at random, walked by single packets: what is told as refused is let in for none of them."""
    draw = random.Random(631)
    hits = 0
    for _number in range(400):
        rules = generated(draw)
        told = set(refused("".join(line + "\n" for line in rules)))
        for opening in KNOWN.openings:
            for port in range(opening.ports.first, opening.ports.last + 1):
                said = any(covers(one, opening.protocol, port) for one in told)
                sources = ("192.0.2.1", "192.0.2.200") + (() if opening.peers else ("203.0.113.5",))
                verdicts = {
                    verdict(rules, "INPUT", source, interface, opening.protocol, port) or "policy"
                    for source in sources for interface in ("eth0", "eth1")
                }
                if said:
                    hits += 1
                    assert verdicts <= {"DROP", "REJECT"}, (rules, opening, port, verdicts)
    # Without these it would prove nothing.
    assert hits > 200, hits


def covers(told, protocol, port):
    ports, _slash, name = told.partition("/")
    first, _dash, last = ports.partition("-")
    return name == protocol and int(first) <= port <= int(last or first)


def generated(draw):
    """A few rules in INPUT and in two chains that it may call."""
    lines = [":a - [0:0]", ":b - [0:0]"]
    matches = ("", "", "", "-p tcp", "-p udp", "-p tcp --dport 631", "-p tcp --dport 9101", "-p udp --dport 5000:6000",
               "-s 192.0.2.0/25", "-s 198.51.100.0/24", "-i eth0", "! -i lo", "-i lo", "-p tcp ! --dport 631")
    for chain, targets in (("b", 3), ("a", 4), ("INPUT", 5)):
        for _number in range(draw.randint(1, 4)):
            words = ["-A", chain, draw.choice(matches), draw.choice(("-j", "-j", "-g"))]
            words.append(draw.choice(("DROP", "REJECT", "ACCEPT", "RETURN", "LOG", "b", "a")[: targets + 2]))
            if words[-1] == chain:
                words[-1] = "DROP"
            if words[-1] not in ("a", "b"):
                words[3] = "-j"
            lines.append(" ".join(word for word in words if word))
    return lines


def verdict(rules, chain, source, interface, protocol, port):
    """What becomes of one packet, by the manual page iptables(8) alone; "" where it falls out of the chain."""
    for line in rules:
        words = line.split()
        if words[:2] != ["-A", chain] or not met(words[2:-2], source, interface, protocol, port):
            continue
        target = words[-1]
        if target == "RETURN":
            return ""
        if target in ("a", "b"):
            found = verdict(rules, target, source, interface, protocol, port)
            if found or words[-2] == "-g":
                return found
        elif target != "LOG":
            return target
    return ""


def met(words, source, interface, protocol, port):
    options = " ".join(words)
    if "-p" in words and words[words.index("-p") + 1] != protocol:
        return False
    if "--dport" in words:
        first, _colon, last = words[words.index("--dport") + 1].partition(":")
        if (int(first) <= port <= int(last or first)) == ("! --dport" in options):
            return False
    if "-s" in words:
        if ipaddress.ip_address(source) not in ipaddress.ip_network(words[words.index("-s") + 1]):
            return False
    return "-i" not in words or (words[words.index("-i") + 1] == interface) != ("! -i" in options)
