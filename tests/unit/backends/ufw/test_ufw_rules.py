# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as ufw writes them.  Every expected block was written by ufw 0.36.2 itself, from the command beside it."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backends import ufw_rules
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_rules import Rule, block

IPP = "Table 1: 631 (IPP/IPPS) TCP IN"
IPP_HEX = "7072696e74666c6565742e637570733a205461626c6520313a2036333120284950502f49505053292054435020494e"
ANY, ANY6 = "0.0.0.0/0", "::/0"


@pytest.mark.parametrize("rule, expected", [
    # ufw allow from 198.18.0.0/24 to any app pf-ipp-in
    (Rule(4, "allow", "in", "tcp", ANY, "631", "198.18.0.0/24", "any", "pf-ipp-in", "destination", False, IPP), """
### tuple ### allow tcp 631 0.0.0.0/0 any 198.18.0.0/24 pf-ipp-in - in comment=%s
-A ufw-user-input -p tcp --dport 631 -s 198.18.0.0/24 -j ACCEPT -m comment --comment 'dapp_pf-ipp-in'
""" % IPP_HEX),
    # ufw allow from 2001:db8::/64 to any app pf-ipp-in
    (Rule(6, "allow", "in", "tcp", ANY6, "631", "2001:db8::/64", "any", "pf-ipp-in", "destination", False, IPP), """
### tuple ### allow tcp 631 ::/0 any 2001:db8::/64 pf-ipp-in - in comment=%s
-A ufw6-user-input -p tcp --dport 631 -s 2001:db8::/64 -j ACCEPT -m comment --comment 'dapp_pf-ipp-in'
""" % IPP_HEX),
    # ufw deny log to any app pf-ipp-in
    (Rule(4, "deny", "in", "tcp", ANY, "631", ANY, "any", "pf-ipp-in", "destination", True, IPP), """
### tuple ### deny_log tcp 631 0.0.0.0/0 any 0.0.0.0/0 pf-ipp-in - in comment=%s
-A ufw-user-logging-input -p tcp --dport 631 -m conntrack --ctstate NEW -m limit --limit 3/min --limit-burst 10 \
-j LOG --log-prefix "[UFW BLOCK] "
-A ufw-user-logging-input -p tcp --dport 631 -j RETURN
-A ufw-user-input -p tcp --dport 631 -j ufw-user-logging-input
-A ufw-user-input -p tcp --dport 631 -j DROP -m comment --comment 'dapp_pf-ipp-in'
""" % IPP_HEX),
    # ufw allow out to 198.18.0.9 app pf-9100
    (Rule(4, "allow", "out", "tcp", "198.18.0.9", "9100:9102", ANY, "any", "pf-9100", "destination", False, "r"), """
### tuple ### allow tcp 9100:9102 198.18.0.9 any 0.0.0.0/0 pf-9100 - out comment=7072696e74666c6565742e637570733a2072
-A ufw-user-output -p tcp -m multiport --dports 9100:9102 -d 198.18.0.9 -j ACCEPT -m comment --comment 'dapp_pf-9100'
"""),
    # ufw reject out log to any app pf-9100, the rule for IPv6
    (Rule(6, "reject", "out", "tcp", ANY6, "9100:9102", ANY6, "any", "pf-9100", "destination", True, "r"), """
### tuple ### reject_log tcp 9100:9102 ::/0 any ::/0 pf-9100 - out comment=7072696e74666c6565742e637570733a2072
-A ufw6-user-logging-output -p tcp -m multiport --dports 9100:9102 -m conntrack --ctstate NEW -m limit \
--limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ufw6-user-logging-output -p tcp -m multiport --dports 9100:9102 -j RETURN
-A ufw6-user-output -p tcp -m multiport --dports 9100:9102 -j ufw6-user-logging-output
-A ufw6-user-output -p tcp -m multiport --dports 9100:9102 -j REJECT --reject-with tcp-reset \
-m comment --comment 'dapp_pf-9100'
"""),
    # ufw allow out to 198.18.0.0/24 from any app pf-mdns
    (Rule(4, "allow", "out", "udp", "198.18.0.0/24", "any", ANY, "5353", "pf-mdns", "source", False, "answers"), """
### tuple ### allow udp any 198.18.0.0/24 5353 0.0.0.0/0 - pf-mdns out \
comment=7072696e74666c6565742e637570733a20616e7377657273
-A ufw-user-output -p udp -d 198.18.0.0/24 --sport 5353 -j ACCEPT -m comment --comment 'sapp_pf-mdns'
"""),
    # ufw allow out from any port 68 to any app pf-dhcp
    (Rule(4, "allow", "out", "udp", ANY, "67", ANY, "68", "pf-dhcp", "destination", False, "dhcp"), """
### tuple ### allow udp 67 0.0.0.0/0 68 0.0.0.0/0 pf-dhcp - out comment=7072696e74666c6565742e637570733a2064686370
-A ufw-user-output -p udp --dport 67 --sport 68 -j ACCEPT -m comment --comment 'dapp_pf-dhcp'
"""),
    # ufw allow in from any to any proto igmp
    (Rule(4, "allow", "in", "igmp", ANY, "any", ANY, "any", "", "", False, "igmp"), """
### tuple ### allow igmp any 0.0.0.0/0 any 0.0.0.0/0 in comment=7072696e74666c6565742e637570733a2069676d70
-A ufw-user-input -p igmp -j ACCEPT
"""),
])
def test_a_block_is_written_as_ufw_writes_it(rule, expected):
    assert block(rule) == expected


def test_an_address_is_spelled_as_ufw_spells_it():
    assert ufw_rules.address("::102:304", 6) == "::1.2.3.4"
    assert ufw_rules.address("2001:DB8:0::/64", 6) == "2001:db8::/64"
    assert ufw_rules.address("198.51.100.0/24", 4) == "198.51.100.0/24"


OURS = (
    Rule(4, "allow", "in", "tcp", ANY, "631", "198.18.0.0/24", "any", "pf", "destination", False, IPP),
    Rule(4, "deny", "in", "tcp", ANY, "631", ANY, "any", "pf", "destination", True, IPP),
)
FOREIGN = """\
*filter
:ufw-user-input - [0:0]
### RULES ###

### tuple ### deny_log any any 0.0.0.0/0 any 203.0.113.7 in comment=6261
-A ufw-user-logging-input -s 203.0.113.7 -j RETURN
-A ufw-user-input   -s 203.0.113.7 -j DROP
# a line of somebody's own

### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 22 -j ACCEPT

### END RULES ###
COMMIT
"""
BROUGHT_BY_PACKAGE = """\
*filter
:ufw-user-input - [0:0]
### RULES ###
-A ufw-user-limit -j REJECT
COMMIT
"""


@pytest.mark.parametrize("foreign, head", [
    # FOREIGN begins with a ban.
    (FOREIGN, FOREIGN[:FOREIGN.index("# a line")]),
    (BROUGHT_BY_PACKAGE, "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n"),
])
def test_our_blocks_go_ahead_of_all_others_but_bans_and_leave_no_trace(foreign, head):
    merged = ufw_rules.with_ours(foreign, OURS)
    assert foreign.startswith(head)
    assert merged == head + block(OURS[0]) + block(OURS[1]) + foreign[len(head):]
    assert ufw_rules.without_ours(merged) == foreign


BAN = """
### tuple ### deny any any 0.0.0.0/0 any 203.0.113.9 in
-A ufw-user-input -s 203.0.113.9 -j DROP
"""
LOGGED_BAN = """
### tuple ### reject_log tcp any 0.0.0.0/0 any 203.0.113.10 in_eth0 comment=6632
-A ufw-user-logging-input -i eth0 -p tcp -s 203.0.113.10 -j LOG
-A ufw-user-logging-input -i eth0 -p tcp -s 203.0.113.10 -j RETURN
-A ufw-user-input -i eth0 -p tcp -s 203.0.113.10 -j ufw-user-logging-input
-A ufw-user-input -i eth0 -p tcp -s 203.0.113.10 -j REJECT --reject-with tcp-reset
"""
CLOSED_TO_ALL = """
### tuple ### deny tcp 631 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 631 -j DROP
"""
ALLOWED = """
### tuple ### allow tcp 22 0.0.0.0/0 any 192.0.2.0/24 in
-A ufw-user-input -p tcp --dport 22 -s 192.0.2.0/24 -j ACCEPT
"""
FRAME = "*filter\n### RULES ###\n%s\n### END RULES ###\nCOMMIT\n"


@pytest.mark.parametrize("bans", ["", BAN, BAN + LOGGED_BAN])
@pytest.mark.parametrize("rest", ["", ALLOWED, CLOSED_TO_ALL, ALLOWED + BAN, CLOSED_TO_ALL + BAN])
def test_bans_at_the_top_stay_ahead_of_ours(bans, rest):
    """Only what denies one address is a ban: a port that is closed to everyone is what our openings are about."""
    ours = block(OURS[0]) + block(OURS[1])
    merged = ufw_rules.with_ours(FRAME % (bans + rest), OURS)
    assert merged == FRAME % (bans + ours + rest)
    assert ufw_rules.without_ours(merged) == FRAME % (bans + rest)


def test_a_ban_that_comes_later_does_not_move_our_blocks():
    """`ufw prepend` puts it ahead of them, and the next run finds all in place."""
    ours = block(OURS[0]) + block(OURS[1])
    banned = FRAME % (BAN + ours + ALLOWED)
    assert ufw_rules.with_ours(ufw_rules.without_ours(banned), OURS) == banned


def test_blocks_of_ours_are_found_wherever_the_administrator_moved_them():
    moved = FOREIGN.replace("\n### END RULES", block(OURS[1]) + "\n### END RULES")
    assert ufw_rules.without_ours(moved) == FOREIGN


def test_a_line_written_by_hand_behind_our_block_stays():
    by_hand = "-A ufw-user-input -s 192.0.2.1 -j DROP\n"
    foreign = BROUGHT_BY_PACKAGE.replace("-A ufw-user-limit", by_hand + "-A ufw-user-limit")
    assert ufw_rules.without_ours(ufw_rules.with_ours(foreign, OURS)) == foreign


@pytest.mark.parametrize("text, said", [
    ("", "it is empty"),
    ("# Ansible managed\n\n", "it has no line '*filter'"),
    ("### RULES ###\n-A ufw-user-input -j DROP\n", "line 2 stands outside of a table: '-A ufw-user-input -j DROP'"),
    ("*nat\n### RULES ###\nCOMMIT\n", "it has no line '*filter'"),
    ("*filter\n### RULES ###\n", "it has no line 'COMMIT' at the end of '*filter'"),
    # iptables-restore wants the end of the line as well (iptables/xshared.c).
    ("*filter\n### RULES ###\nCOMMIT", "it has no line 'COMMIT' at the end of '*filter'"),
    ("*filter\n*nat\nCOMMIT\n", "line 2 begins another table, and '*filter' has no line 'COMMIT' yet"),
    ("*filter\nCOMMIT\n*filter\nCOMMIT\n", "line 3 begins the table filter a second time"),
])
def test_what_ufw_cannot_load_is_not_written_into(text, said):
    with pytest.raises(ufw_rules.Unusable) as caught:
        ufw_rules.with_ours(text, OURS)
    assert str(caught.value) == said
    assert ufw_rules.with_ours(text, ()) == text


@pytest.mark.parametrize("head", ["# Ansible managed\n", "\n\n# one\n# two\n", "*raw\n:PREROUTING ACCEPT\nCOMMIT\n"])
@pytest.mark.parametrize("tail", ["", "\n# the end\n", "*nat\nCOMMIT\n"])
def test_what_stands_around_the_table_filter_stays(head, tail):
    """iptables-restore takes comments, empty lines and other tables there, and so does `ufw reload`."""
    foreign = head + BROUGHT_BY_PACKAGE + tail
    merged = ufw_rules.with_ours(foreign, OURS)
    assert merged == head + ufw_rules.with_ours(BROUGHT_BY_PACKAGE, OURS) + tail
    assert ufw_rules.without_ours(merged) == foreign


def test_a_rule_file_without_the_mark_for_rules_is_written_into():
    foreign = "*filter\n:ufw-user-input - [0:0]\n-A ufw-user-input -s 192.0.2.1 -j DROP\nCOMMIT\n"
    merged = ufw_rules.with_ours(foreign, OURS)
    assert merged.startswith("*filter\n:ufw-user-input - [0:0]\n" + block(OURS[0]))
    assert ufw_rules.without_ours(merged) == foreign


def test_rules_read_as_sentences():
    text = ufw_rules.with_ours(FOREIGN, OURS[:1])
    assert ufw_rules.readable(text) == [
        "  DENY LOG IN any from 203.0.113.7 to anywhere  # ba",
        "  ALLOW IN tcp from 198.18.0.0/24 to anywhere port 631  # printfleet.cups: " + IPP,
        "  ALLOW IN tcp from anywhere to anywhere port 22",
    ]
