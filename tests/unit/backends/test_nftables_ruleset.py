# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of our table: which verdict each port gets, and for whom."""

from __future__ import annotations

import re

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_ruleset, nftables_switch
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Ssh, make_policy

LAN = _words.Interface("eth0", ("198.18.0.0/24", "2001:db8::/64"), ("198.18.0.255",), True)


def flow(direction="in", protocol="tcp", port=631, peers=(), broadcast=False, row="Table 1: 631 (IPP/IPPS) TCP IN"):
    return Flow(row, "ipp_sharing", direction, protocol, _words.read_ports(port, "port"), tuple(peers), broadcast)


def render(*flows, incoming="keep", outgoing="keep", log=False, ssh=None, **kept):
    return nftables_ruleset.render(make_policy(flows, incoming, outgoing, log, (LAN,), ssh), **kept)


def verdicts(text, name):
    """The map's elements: {"tcp . 631": "accept"}; its name goes on with what tells its contents."""
    body = re.search(r"map %s_[0-9a-f]{8} \{(.*?)\n\t\}" % name, text, re.S)
    return dict(re.findall(r'(\w+ \. [\d-]+) comment "[^"]*" : ([\w ]+?)(?=,| \})', body.group(1))) if body else {}


def chain(text, name):
    return re.search(r"\tchain %s \{\n(.*?)\t\}" % name, text, re.S).group(1)


def test_the_file_replaces_the_whole_table_from_any_state():
    assert "\ntable inet printfleet_cups\ndelete table inet printfleet_cups\ntable inet printfleet_cups {" in render()


def test_631_udp_is_refused_whatever_the_wish():
    assert verdicts(render(), "rows_in") == {"udp . 631": "goto refuse_in"}
    assert verdicts(render(flow(), incoming="deny"), "rows_in")["udp . 631"] == "goto refuse_in"


def test_a_row_open_to_anyone_is_accepted_without_a_look_at_the_peer():
    assert verdicts(render(flow()), "rows_in")["tcp . 631"] == "accept"


@pytest.mark.parametrize("incoming", ["keep", "deny"])
def test_a_row_with_peers_asks_both_families_and_refuses_the_others(incoming):
    text = render(flow(peers=["198.51.100.0/24", "2001:db8:1::/64"]), incoming=incoming)
    assert verdicts(text, "rows_in")["tcp . 631"] == "jump peers_in_1"
    assert re.fullmatch(
        r"\t\tip saddr @peers_v4_[0-9a-f]{8} accept\n\t\tip6 saddr @peers_v6_[0-9a-f]{8} accept\n\t\tgoto refuse_in\n",
        chain(text, "peers_in_1"))
    assert "elements = { 198.51.100.0/24 }" in text and "elements = { 2001:db8:1::/64 }" in text


def test_peers_of_one_family_close_the_other_one():
    body = chain(render(flow(peers=["198.51.100.7"])), "peers_in_1")
    assert "ip6" not in body and body.endswith("goto refuse_in\n")


def test_a_missing_interface_lets_nobody_in():
    assert verdicts(render(flow(peers=["@IF(wlan9)"])), "rows_in")["tcp . 631"] == "goto refuse_in"


def test_rows_with_the_same_peers_share_one_set_of_addresses():
    text = render(flow(peers=["@LOCAL"]), flow(protocol="udp", port=5353, peers=["@LOCAL"]))
    assert text.count("chain peers_in_") == 1
    assert "elements = { 198.18.0.0/24 }" in text


def test_keep_closes_nothing_on_the_way_out():
    text = render(flow("out", port="9100-9102", peers=["198.51.100.9"]))
    assert "chain outgoing" not in text and "policy drop" not in text


def test_deny_out_sends_jobs_to_the_listed_printers_only():
    text = render(flow("out", port="9100-9102", peers=["198.51.100.9"]), outgoing="deny")
    assert verdicts(text, "rows_out") == {"tcp . 9100-9102": "jump peers_out_1"}
    assert re.search(r"ip daddr @peers_v4_[0-9a-f]{8} accept", chain(text, "peers_out_1"))
    assert "hook output priority filter; policy drop;" in text
    assert chain(text, "outgoing").endswith("goto refuse_out\n")
    assert chain(text, "refuse_out").split("\n\t\t") == [
        "\t\tmeta l4proto 6 reject with tcp reset", "reject\n"
    ]


def test_a_map_takes_ranges_only_where_there_are_some():
    one, many = (
        render(flow(), *more, incoming="deny").partition("\tmap rows_in_")[2].partition("\t}")[0]
        for more in ((), (flow(port="20000-20002"),))
    )
    assert "flags interval" in many and "tcp . 20000-20002 " in many
    assert "flags interval" not in one and "tcp . 631 " in one


def test_what_is_looked_up_has_another_name_when_it_is_another():
    """So that it can be made beside the one in force, and never has to change while it is asked."""
    def names(*flows):
        return set(re.findall(r"(?:set|map) (\S+) \{", render(*flows)))

    one, other = names(flow(peers=["198.51.100.1"])), names(flow(peers=["198.51.100.2"]))
    assert len(one) == len(other) == len(one | other) - 1  # the map says who is asked, not where he is
    assert names(flow(peers=["198.51.100.1"])) == one


def test_the_same_peers_are_written_once_whoever_asks():
    """One row closes its port to others, the other is among all of deny's: two chains, one set."""
    text = render(flow(peers=["198.51.100.1"]), flow("out", port=9100, peers=["198.51.100.1"]), outgoing="deny")
    assert text.count("\tset peers_v4_") == 1 and text.count("@peers_v4_") == 2


def test_discovery_reaches_the_broadcast_addresses_of_the_host():
    text = render(flow("out", "udp", 161, ["198.51.100.9"], True), outgoing="deny")
    assert "elements = { 198.18.0.255, 198.51.100.9, 255.255.255.255 }" in text


def test_answers_leave_from_the_port_that_was_asked():
    text = render(flow(protocol="udp", port=5353, peers=["198.51.100.0/24"]), outgoing="deny")
    assert verdicts(text, "answers_out") == {"udp . 5353": "jump peers_out_2"}
    assert "meta l4proto . th sport vmap @answers_out_" in chain(text, "outgoing")


def test_overlapping_rows_become_disjoint_elements_for_all_their_peers():
    wide = flow(port="600-700", peers=["198.51.100.2"], row="Extra: 600-700 TCP IN")
    text = render(flow(peers=["198.51.100.1"]), wide)
    assert verdicts(text, "rows_in") == {
        "tcp . 600-630": "jump peers_in_1", "tcp . 631": "jump peers_in_2", "tcp . 632-700": "jump peers_in_1",
        "udp . 631": "goto refuse_in",
    }
    assert "elements = { 198.51.100.1, 198.51.100.2 }" in text


def test_deny_in_lets_ssh_in_from_where_ansible_comes_only():
    text = render(incoming="deny", ssh=Ssh("2001:db8:9::1", 2222))
    assert verdicts(text, "rows_in")["tcp . 2222"] == "jump peers_in_1"
    assert "elements = { 2001:db8:9::1 }" in text
    assert "ssh" not in render(incoming="deny").lower()


@pytest.mark.parametrize("incoming", ["keep", "deny"])
def test_answers_of_mdns_come_in_by_the_group_and_from_its_port_ahead_of_the_row_that_closes_it(incoming):
    lookup = flow("out", "udp", 5353, row="Table 3: 5353 (mDNS) UDP OUT")._replace(profile="network_printers")
    text = chain(render(lookup, flow(protocol="udp", port=5353, peers=["192.0.2.9"]), incoming=incoming), "incoming")
    for family, group in (("ip", "224.0.0.251"), ("ip6", "ff02::fb")):
        rule = "%s daddr %s udp sport 5353 udp dport 5353 accept" % (family, group)
        assert 0 < text.index(rule) < text.index("@rows_in_")
    assert "224.0.0.251" not in render(flow("out", "udp", 5353), incoming=incoming)


def test_the_baseline_comes_with_deny_only():
    denied, kept = render(incoming="deny"), render()
    assert "icmpv6 type" in chain(denied, "incoming") and "icmpv6" not in kept
    assert 'iifname "lo" accept' in chain(denied, "incoming")


def test_what_the_administrator_opened_is_asked_after_our_rows_and_before_the_refusal():
    text = render(flow(), incoming="deny", kept_incoming=["jump kept_1"], kept_parts=["\tchain kept_1 {\n\t}\n"])
    *before, kept, last = chain(text, "incoming").strip("\n\t").split("\n\t\t")
    assert [line for line in before if line.startswith("meta l4proto . th dport vmap @rows_in_")]
    assert (kept, last) == ("jump kept_1", "goto refuse_in")


def test_the_log_is_limited_and_off_by_default():
    assert " log " not in render(incoming="deny", outgoing="deny")
    text = render(log=True)
    assert all("limit rate" in line for line in text.splitlines() if " log " in line)
    assert "log prefix" in chain(text, "refuse_in")


def test_comments_fit_into_what_nft_takes():
    rows = ["Extra: %s" % ("x" * 73)] * 1 + ["Extra: %s" % ("y" * 73)]
    text = render(*(flow(row=row) for row in rows))
    assert max(len(c) for c in re.findall(r'comment "([^"]*)"', text)) <= 127


def test_an_answer_from_137_to_137_is_let_out_before_the_row_of_137_refuses_it():
    wins = {"protocol": "udp", "port": 137}
    text = render(flow(**wins), flow(direction="out", peers=("198.18.0.9",), **wins), outgoing="deny")
    rules = chain(text, "outgoing")
    assert rules.index("@answers_out") < rules.index("@rows_out")


def test_helpers_stand_in_a_file_of_their_own_and_in_a_chain_that_decides_nothing():
    policy = make_policy((flow("out", "udp", 161), flow("out", "udp", 137)), "keep", "keep", False, (LAN,), None)
    text = nftables_ruleset.render_helpers(policy)
    assert "ct helper" not in nftables_ruleset.render(policy) and "delete" not in text
    assert text.count("\n\t\tl3proto ip\n") == 2
    head, *rules = chain(text, "conntrack_helpers").strip().split("\n\t\t")
    assert head == "type filter hook output priority filter; policy accept;"
    assert [rule.partition(" comment")[0] for rule in rules] == [
        'ct state new udp dport 161 ct helper set "find_snmp"',
        'ct state new udp dport 137 ct helper set "find_netbios_ns"',
    ]
    assert nftables_ruleset.render_helpers(make_policy((flow(),), "deny", "deny", False, (LAN,), None)) == ""


def test_who_may_come_from_a_port_of_his_may_not_come_to_631_udp():
    policy = make_policy((flow("out", "udp", 161),), "deny", "keep", False, (LAN,), None, ())
    lines = chain(nftables_ruleset.render(policy), "incoming").split("\n\t\t")
    answers = [at for at, line in enumerate(lines) if line.startswith("meta l4proto . th sport vmap @answers_in_")]
    assert [lines.index("udp dport 631 goto refuse_in")] < answers


def test_every_block_can_be_made_beside_the_others():
    """A name that nftables_switch does not know costs packets: the table is then replaced as a whole."""
    flows = (
        flow(peers=["198.51.100.0/24"]), flow("out", "udp", 161), flow("in", "udp", 137), flow("out", "udp", 137),
    )
    policy = make_policy(flows, "deny", "deny", True, (LAN,), None)
    text = nftables_ruleset.render(policy) + nftables_ruleset.render_helpers(policy)
    heads = re.findall(r"(?m)^\t((?:chain|set|map|ct helper) \S+) \{$", text)
    assert {"chain incoming", "chain conntrack_helpers", "ct helper find_snmp"} <= set(heads) and len(heads) > 9
    empty = "table inet printfleet_cups {\n}\n"
    for head in heads:
        wanted = empty.replace("{\n", "{\n\t%s {\n\t}\n" % head)
        assert nftables_switch.moves(empty, wanted)[0].startswith("add %s" % head.split()[0]), head
