# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From flows to the policy of one host."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _policy
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._words import Interface, Ports, Refused

INTERFACES = (
    Interface("lo", ("127.0.0.0/8", "::1/128"), (), False),
    Interface("eth0", ("192.0.2.0/24", "2001:db8::/64"), ("192.0.2.255",), True),
)
SSH = _policy.Ssh("203.0.113.5", 22)


def flow(first, protocol="tcp", direction="in", peers=(), last=None, broadcast=False, row=None):
    row = row or "%d %s %s" % (first, protocol, direction)
    return Flow(row, "extra_flows", direction, protocol, Ports(first, last or first), tuple(peers), broadcast)


def make(*flows, incoming="keep", outgoing="keep", ssh=None):
    return _policy.make_policy(flows, incoming, outgoing, False, INTERFACES, ssh)


def closed(policy):
    return {(c.direction, c.protocol, str(c.ports)) for c in policy.closures}


def opened(policy):
    return {(o.direction, o.protocol, str(o.ports), o.side): o.peers for o in policy.openings}


@pytest.mark.parametrize("default", ["keep", "deny"])
def test_631_udp_is_closed_always(default):
    policy = make(incoming=default, outgoing=default)
    assert closed(policy) == {("in", "udp", "631")}
    assert opened(policy) == {}


def test_without_peers_a_row_is_open_to_all_and_nothing_of_it_closed():
    policy = make(flow(631))
    assert opened(policy) == {("in", "tcp", "631", "destination"): None}
    assert closed(policy) == {("in", "udp", "631")}


def test_with_peers_a_row_that_comes_in_is_closed_to_others():
    policy = make(flow(631, peers=["192.0.2.9", "2001:db8::9"]))
    assert opened(policy) == {("in", "tcp", "631", "destination"): ("192.0.2.9", "2001:db8::9")}
    assert ("in", "tcp", "631") in closed(policy)


@pytest.mark.parametrize("default, is_closed", [("keep", False), ("deny", True)])
def test_what_goes_out_is_closed_to_others_under_deny_only(default, is_closed):
    policy = make(flow(515, direction="out", peers=["192.0.2.9"]), outgoing=default)
    assert (("out", "tcp", "515") in closed(policy)) is is_closed


def test_the_other_direction_has_no_say():
    policy = make(flow(515, direction="out", peers=["192.0.2.9"]), incoming="deny")
    assert ("out", "tcp", "515") not in closed(policy)


def test_words_are_resolved_here():
    policy = make(flow(631, peers=["@LOCAL", "198.51.100.1"]))
    assert opened(policy) == {
        ("in", "tcp", "631", "destination"): ("192.0.2.0/24", "198.51.100.1", "2001:db8::/64")}


def test_a_missing_interface_is_nobody_and_not_anybody():
    policy = make(flow(631, peers=["@IF(eth9)"]))
    assert opened(policy) == {("in", "tcp", "631", "destination"): ()}
    assert ("in", "tcp", "631") in closed(policy)
    (segment,) = _policy.segments(policy, "in", "tcp")
    assert segment.peers == () and segment.closed


def test_broadcast_adds_the_hosts_own_addresses_where_peers_narrow():
    policy = make(flow(161, "udp", "out", ["192.0.2.9"], broadcast=True))
    assert opened(policy)["out", "udp", "161", "destination"] == ("192.0.2.9", "192.0.2.255", "255.255.255.255")
    assert opened(make(flow(161, "udp", "out", broadcast=True)))["out", "udp", "161", "destination"] is None


@pytest.mark.parametrize("port, protocol, answers", [
    (137, "udp", True), (5353, "udp", True), (5353, "tcp", False), (138, "udp", False), (631, "tcp", False)])
def test_questions_to_many_are_answered_from_their_port(port, protocol, answers):
    policy = make(flow(port, protocol, "in", ["192.0.2.0/24"]))
    expected = ("out", protocol, str(port), "source")
    assert (expected in opened(policy)) is answers
    if answers:
        assert opened(policy)[expected] == ("192.0.2.0/24",)
    assert ("out", protocol, str(port), "source") not in opened(make(flow(port, protocol, "out")))


@pytest.mark.parametrize("profile, direction, groups", [
    ("network_printers", "out", ["224.0.0.251", "ff02::fb"]),
    # Who shares printers hears those he shares them with, and no one else.
    ("ipp_sharing", "out", []),
    ("ipp_sharing", "in", []),
])
def test_printers_answer_lookups_by_way_of_the_group(profile, direction, groups):
    policy = make(flow(5353, "udp", direction, row="lookup")._replace(profile=profile))
    assert [g.address for g in policy.groups] == groups
    assert {(g.row, g.protocol, g.port) for g in policy.groups} <= {("lookup answers", "udp", 5353)}
    assert make(flow(5353, "tcp", direction)._replace(profile=profile)).groups == ()


def test_ssh_is_let_in_from_where_ansible_comes_where_the_policy_is_told_of_it():
    # Its answers too: of the connection at which Ansible waits, conntrack may know nothing yet.
    assert opened(make(incoming="deny", ssh=SSH)) == {
        ("in", "tcp", "22", "destination"): ("203.0.113.5",), ("out", "tcp", "22", "source"): ("203.0.113.5",)}
    assert opened(make(incoming="deny")) == {}
    assert opened(make(incoming="deny", ssh=_policy.Ssh("2001:db8::5", 2222))) == {
        ("in", "tcp", "2222", "destination"): ("2001:db8::5",), ("out", "tcp", "2222", "source"): ("2001:db8::5",)}


def test_what_stands_twice_counts_once():
    assert make(flow(631), flow(631)) == make(flow(631))


# Segments

def cut(policy, direction="in", protocol="tcp"):
    return [(str(s.ports), s.peers, s.closed) for s in _policy.segments(policy, direction, protocol)]


def test_overlapping_rows_are_cut_where_they_differ():
    policy = make(
        flow(9100, peers=["192.0.2.1"], last=9102),
        flow(9101, peers=["192.0.2.2"], last=9105),
        flow(9102),
    )
    assert cut(policy) == [
        ("9100", ("192.0.2.1",), True),
        ("9101", ("192.0.2.1", "192.0.2.2"), True),
        ("9102", None, True),
        ("9103-9105", ("192.0.2.2",), True),
    ]


def test_a_segment_names_its_rows():
    policy = make(flow(631, peers=["192.0.2.1"], row="a"), flow(631, peers=["192.0.2.2"], row="b"))
    (segment,) = _policy.segments(policy, "in", "tcp")
    assert segment.rows == ("a", "b")
    (never,) = _policy.segments(policy, "in", "udp")
    assert never == _policy.Segment("in", "udp", Ports(631, 631), (_policy.NEVER_ROW,), (), True)


def test_segments_are_of_one_direction_and_protocol_and_of_destinations():
    policy = make(flow(5353, "udp"), flow(631), flow(515, direction="out"))
    assert cut(policy, "out", "udp") == []
    assert cut(policy, "out", "tcp") == [("515", None, False)]
    assert cut(policy, "in", "udp") == [("631", (), True), ("5353", None, False)]


def test_the_ends_of_the_range_of_ports():
    policy = make(flow(1, last=65535), flow(65535, peers=["192.0.2.1"]))
    assert cut(policy) == [("1-65534", None, False), ("65535", None, True)]


@pytest.mark.parametrize("direction", ["in", "out"])
def test_defaults_by_direction(direction):
    policy = make(**{"incoming" if direction == "in" else "outgoing": "deny"})
    assert policy.default(direction) == "deny"
    assert policy.default("out" if direction == "in" else "in") == "keep"


def test_answers_leave_from_the_two_ports_that_are_asked_by_multicast_or_broadcast_only():
    flow = Flow("Extra: 5000-6000 UDP IN", "extra_flows", "in", "udp", Ports(5000, 6000), (), False)
    policy = _policy.make_policy((flow,), "deny", "deny", False, (), None)
    assert [str(o.ports) for o in policy.openings if o.side == "source"] == ["5353"]


def test_no_flow_opens_631_udp_however_it_was_made():
    flow = Flow("Extra: 600-700 UDP IN", "extra_flows", "in", "udp", Ports(600, 700), (), False)
    with pytest.raises(Refused, match="CVE-2024-47176"):
        _policy.make_policy((flow,), "keep", "keep", False, (), None)
