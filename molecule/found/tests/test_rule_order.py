# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of rules of others is what packets meet: each rule set is loaded into a real kernel and knocked at."""

from __future__ import annotations

import os
import random

import pytest
from found.host import open_to, warnings

PORTS = (631, 9100, 9101, 9102)
MATCHES = (
    "", "", "-p tcp", "-p tcp --dport 631", "-p tcp -m multiport --dports 631,9100:9101", "-s {allowed}", "-i lo",
    "-s 198.51.100.0/24", "-i eth0", "! -i lo", "-p tcp ! --dport 631", "-m conntrack --ctstate NEW", "-p icmp",
    "-m state --state RELATED", '-m comment --comment "-j ACCEPT"', "-m addrtype --dst-type LOCAL",
)


def refused(host):
    """The rows' TCP ports that the audit tells as refused over IPv4."""
    found = set()
    for one in host.audit()["findings"]:
        if one["level"] == "warning" and " packets in" in one["what"]:
            for told in one["what"].rpartition(": ")[2].split(", "):
                ports, _slash, protocol = told.partition("/")
                first, _dash, last = ports.partition("-")
                found |= {int(first), int(last or first)} if protocol == "tcp" else set()
    return found


def reached(host):
    """The ports that the allowed neighbour reaches over IPv4."""
    told = host.reached(*(("allowed", "%d/tcp" % port) for port in PORTS))
    return {port for port in PORTS if told["allowed %d/tcp v4" % port] == "answered"}


@pytest.mark.parametrize("host", ["debian13"], indirect=True)
def test_a_last_reject_is_told_only_for_what_it_refuses(host):
    """Once the advice is followed, nothing is said."""
    host.case("cloud_reject")
    told = host.role()
    assert not [one for one in warnings(told) if "refuses" in one], warnings(told)
    assert refused(host) == set()
    assert open_to(host.reached(("allowed", "631/tcp")), "allowed", "631/tcp")
    host.setup("iptables -D INPUT -p tcp --dport 631 -j ACCEPT")
    assert refused(host) == {631} and 631 not in reached(host)
    host.setup("iptables -I INPUT 5 -p tcp --dport 631 -j ACCEPT")
    assert refused(host) == set() and 631 in reached(host)


def rules(draw, allowed):
    """A few rules in INPUT and in two chains that it may call."""
    lines, number = ["*filter", ":a - [0:0]", ":b - [0:0]"], 0
    for chain, known in (("b", 5), ("a", 6), ("INPUT", 7)):
        for _number in range(draw.randint(1, 4)):
            target = draw.choice(("DROP", "REJECT", "ACCEPT", "RETURN", "LOG", "b", "a")[:known])
            jump = draw.choice(("-j", "-g")) if target in ("a", "b") else "-j"
            number += chain == "INPUT"
            put = "-I INPUT %d" % number if chain == "INPUT" else "-A " + chain
            lines.append(" ".join((put, draw.choice(MATCHES).format(allowed=allowed), jump, target)))
    last = ["-I INPUT %d -j REJECT" % (number + 1)] if draw.random() < 0.5 else []
    return "\n".join(lines + last + ["COMMIT", ""])


@pytest.mark.parametrize("host", ["debian12"], indirect=True)
@pytest.mark.parametrize("firewall", ["ufw", "nftables"])
def test_rules_drawn_at_random(host, firewall):
    """What is told as refused does not get in; the ports that get in show that the others could."""
    draw = random.Random({"ufw": "ufw 200", "nftables": "nftables 52"}[firewall])
    if firewall == "ufw":
        host.setup("ufw default deny incoming; ufw --force enable")
    allowed = host.site.addresses["allowed"]
    host.role(backend=firewall, extra_flows=[
        {"port": "9100-9102", "protocols": ["tcp"], "directions": ["in"], "peers": list(allowed)},
    ])
    before = host.run("iptables-save", "-t", "filter")
    assert reached(host) == set(PORTS) and refused(host) == set()
    said = came = 0
    for _number in range(6):
        drawn = rules(draw, allowed[0])
        host.run("iptables-restore", "-n", stdin=drawn)
        told, open_now = refused(host), reached(host)
        assert not told & open_now, (drawn, told, open_now)
        said, came = said + len(told), came + len(open_now)
        host.run("iptables-restore", stdin=before)
    assert said and came, (said, came)


NFT_MATCHES = (
    "", "", "meta l4proto tcp", "tcp dport 631", "tcp dport {{ 631, 9100-9101 }}", "ip saddr {allowed}",
    'iifname "lo"', 'iifname != "lo"', "ip saddr 198.51.100.0/24", "ip saddr != 198.51.100.0/24", "ct state new",
    "ct state established,related", "ct state invalid", "tcp dport != 631", "th dport 9100", "meta l4proto icmp",
    "fib daddr type local", "tcp dport 9000-9200 ip saddr {allowed}", "meta mark 0x1", "ip protocol tcp",
    "udp dport 631",
)
NFT_VERDICTS = (
    "drop", "reject", "accept", "return", 'log prefix "accept"', "counter", 'counter accept comment "drop"', "continue",
    "meta mark vmap {{ 0 : drop, 1 : accept }}", "jump b", "goto b", "jump a", "goto a",
)
NFT_PRIORITIES = ("-200", "-150", "-1", "filter", "1", "filter + 10")


# So that something is told and something gets in, whatever is drawn.
NFT_PLAIN = """table inet drawn {
  chain a { meta mark 0x1 drop; tcp dport { 9100, 9101 } return; tcp dport 631 goto b; }
  chain b { iifname "lo" accept; counter drop; }
  chain one { type filter hook input priority -150; policy accept; jump a; tcp dport 9101-9102 return; accept; }
  chain two { type filter hook input priority 1; policy drop; th dport { 631, 9100, 9101 } accept; meta mark 0 log; }
}
"""


def nft_tables(draw, allowed):
    """One or two tables of others, each with one or two base chains and two chains that these may call."""
    text = ""
    for number in range(draw.randint(1, 2)):
        family = draw.choice(("inet", "ip"))
        chains = [("b", "", 9), ("a", "", 11)]
        for name in ("one", "two")[:draw.randint(1, 2)]:
            head = "type filter hook input priority %s; policy %s;\n" % (
                draw.choice(NFT_PRIORITIES), draw.choice(("accept", "accept", "drop"))
            )
            chains.append((name, head, 13))
        text += "table %s drawn%d {\n" % (family, number)
        for name, head, known in chains:
            rules = [
                "%s %s\n" % (draw.choice(NFT_MATCHES), draw.choice(NFT_VERDICTS[:known]))
                for _rule in range(draw.randint(0, 4))
            ]
            text += "chain %s {\n%s%s}\n" % (name, head, "".join(rules).format(allowed=allowed))
        text += "}\n"
    return text


@pytest.mark.parametrize("host", ["debian12"], indirect=True)
def test_nftables_chains_drawn_at_random(host):
    """What is told as refused does not get in; the ports that get in show that the others could."""
    draw = random.Random("nftables chains 1")
    allowed = host.site.addresses["allowed"]
    host.role(extra_flows=[
        {"port": "9100-9102", "protocols": ["tcp"], "directions": ["in"], "peers": list(allowed)},
    ])
    assert reached(host) == set(PORTS) and refused(host) == set()
    said = came = 0
    rounds = int(os.environ.get("PRINTFLEET_ORDER_ROUNDS", "3"))
    for drawn in [NFT_PLAIN] + [nft_tables(draw, allowed[0]) for _number in range(rounds)]:
        host.run("nft", "-f", "-", stdin=drawn)
        told, open_now = refused(host), reached(host)
        assert not told & open_now, (drawn, told, open_now)
        said, came = said + len(told), came + len(open_now)
        host.run("sh", "-ec", "nft list tables | grep drawn | while read -r table; do nft delete $table; done")
    assert said and came, (said, came)
