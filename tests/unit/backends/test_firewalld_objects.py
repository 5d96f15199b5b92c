# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a policy to firewalld's objects: what is written, in which order it counts, and that it is well-formed."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backends import firewalld_objects
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import (
    Zone,
    parse_zone,
    setting,
)
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Closure, Group, Helper, Opening, Policy
from ansible_collections.printfleet.cups.plugins.module_utils._words import Ports

IPP = Ports(631, 631)
ROW = "Table 1: 631 (IPP/IPPS) TCP IN"
SERVICE = "printfleet-cups-table-1-631-ipp-ipps-tcp-in"
PEERS = ("192.0.2.1", "198.51.100.0/24", "2001:db8::/32")
PUBLIC = Zone("public", "default", (), ())


def make(openings=(), closures=(), incoming="keep", outgoing="keep", log=False, zones=(PUBLIC,), default="public",
         helpers=(), groups=()):
    policy = Policy(tuple(openings), tuple(closures), incoming, outgoing, log, helpers, groups)
    return firewalld_objects.render(policy, zones, default)


def opening(peers, direction="in", row=ROW, protocol="tcp", ports=IPP, side="destination"):
    return Opening(row, direction, protocol, ports, peers, side)


def element(objects, kind, name):
    return ElementTree.fromstring(objects.files[firewalld_objects.path(kind, name)])


def test_a_row_becomes_a_service_that_shows_its_name():
    service = element(make([opening(None)]), "services", SERVICE)
    assert service.findtext("short") == "Clients print to this host by IPP"
    assert "Row: %s." % ROW in service.findtext("description")
    assert [port.attrib for port in service.findall("port")] == [{"protocol": "tcp", "port": "631"}]


def test_helpers_have_a_policy_of_their_own_ahead_of_all_others_and_open_nothing():
    objects = make(helpers=(Helper("snmp", "udp", 161, "Table 3: 161 (SNMP) UDP OUT"),))
    policy = element(objects, "policies", "printfleet-find")
    assert (policy.get("priority"), policy.get("target")) == ("-32768", "CONTINUE")
    assert (policy.find("ingress-zone").get("name"), policy.find("egress-zone").get("name")) == ("HOST", "ANY")
    assert [part.get("name") for part in policy.iter("service")] == ["printfleet-cups-finds-by-snmp"]
    service = element(objects, "services", "printfleet-cups-finds-by-snmp")
    assert [part.tag for part in service] == ["short", "description", "helper"]
    assert service.findtext("short") == "Finding printers by SNMP broadcast"
    assert objects.files["/etc/modules-load.d/printfleet-cups.conf"].endswith("\nnf_conntrack_snmp\n")
    assert "printfleet-find" not in make().rules


def test_answers_come_in_by_way_of_a_multicast_group():
    objects = make(groups=(Group("row answers", 6, "ff02::fb", "udp", 5353),))
    assert objects.rules["printfleet-in"] == objects.plain["printfleet-in"] == (
        'rule priority="-300" family="ipv6" destination address="ff02::fb" port port="5353" protocol="udp" accept',
    )


def test_anyone_needs_no_set_and_no_family():
    objects = make([opening(None)])
    assert objects.rules["printfleet-in"] == ('rule priority="-300" service name="%s" accept' % SERVICE,)
    assert objects.entries == {}


def test_peers_come_in_through_a_set_of_each_family():
    objects = make([opening(PEERS)])
    assert objects.entries == {
        "printfleet-cups-1-v4": ("192.0.2.1", "198.51.100.0/24"),
        "printfleet-cups-1-v6": ("2001:db8::/32",),
    }
    assert objects.rules["printfleet-in"] == (
        'rule priority="-300" family="ipv4" source ipset="printfleet-cups-1-v4" service name="%s" accept' % SERVICE,
        'rule priority="-300" family="ipv6" source ipset="printfleet-cups-1-v6" service name="%s" accept' % SERVICE,
    )
    assert element(objects, "ipsets", "printfleet-cups-1-v6").find("option").attrib == {
        "name": "family", "value": "inet6",
    }


def test_peers_of_one_family_leave_the_other_without_a_rule():
    rules = make([opening(("2001:db8::1",))]).rules["printfleet-in"]
    assert [rule for rule in rules if "ipv4" in rule] == []
    assert len(rules) == 1


def test_outgoing_peers_are_destinations():
    objects = make([opening(PEERS, "out", "Table 3: 515 (LPD) TCP OUT", ports=Ports(515, 515))])
    assert 'destination ipset="printfleet-cups-1-v4"' in objects.rules["printfleet-out"][0]
    assert "printfleet-in" not in objects.rules


def test_rows_with_the_same_peers_share_a_set():
    objects = make([opening(PEERS), opening(PEERS, "out", "other"), opening(("192.0.2.9",), "out", "third")])
    assert sorted(objects.entries) == ["printfleet-cups-1-v4", "printfleet-cups-1-v6", "printfleet-cups-2-v4"]


def test_nobody_means_no_opening():
    objects = make([opening(())], [Closure(ROW, "in", "tcp", IPP)])
    assert objects.rules["printfleet-in"] == ('rule priority="-200" service name="%s" drop' % SERVICE,)


@pytest.mark.parametrize("everyone, family", [("0.0.0.0/0", "ipv4"), ("::/0", "ipv6")])
def test_a_whole_family_needs_no_set(everyone, family):
    objects = make([opening((everyone,))])
    assert objects.entries == {}
    assert objects.rules["printfleet-in"] == (
        'rule priority="-300" family="%s" service name="%s" accept' % (family, SERVICE),
    )


def test_answers_leave_by_their_source_port():
    row = "Table 1: 5353 (mDNS) UDP IN answers"
    objects = make([opening(None, "out", row, "udp", Ports(5353, 5353), "source")])
    service = element(objects, "services", "printfleet-cups-table-1-5353-mdns-udp-in-answers")
    assert service.find("port") is None
    assert service.find("source-port").attrib == {"protocol": "udp", "port": "5353"}


def test_a_range_is_written_as_one():
    objects = make([opening(None, "out", "Table 3: 9100-9102 TCP OUT", ports=Ports(9100, 9102))])
    service = element(objects, "services", "printfleet-cups-table-3-9100-9102-tcp-out")
    assert service.find("port").get("port") == "9100-9102"


def test_incoming_is_dropped_outgoing_is_refused_at_once():
    objects = make(closures=[
        Closure("a", "in", "tcp", IPP), Closure("b", "out", "tcp", IPP), Closure("c", "out", "udp", Ports(161, 161)),
    ])
    assert objects.rules["printfleet-in"] == ('rule priority="-200" service name="printfleet-cups-a" drop',)
    assert objects.rules["printfleet-out"] == (
        'rule priority="-200" family="ipv4" service name="printfleet-cups-b" reject type="tcp-reset"',
        'rule priority="-200" family="ipv6" service name="printfleet-cups-b" reject type="tcp-reset"',
        'rule priority="-200" service name="printfleet-cups-c" reject',
    )


def test_openings_come_before_closures_and_both_before_all_zones():
    objects = make([opening(PEERS)], [Closure(ROW, "in", "tcp", IPP)], "deny", "deny")
    for name, first in (("printfleet-in", "-32768"), ("printfleet-out", "-32767")):
        policy = element(objects, "policies", name)
        assert policy.get("priority") == first
        assert policy.get("target") == "CONTINUE"
    by_action = {rule[-1].tag: int(rule.get("priority")) for rule in element(objects, "policies", "printfleet-in")
                 if rule.tag == "rule" and rule.find("service") is not None}
    assert by_action["accept"] < by_action["drop"] < 0


def test_keep_adds_no_baseline_and_no_end():
    objects = make([opening(None)])
    assert sorted(objects.rules) == ["printfleet-in"]
    assert len(objects.rules["printfleet-in"]) == 1


def test_denied_outgoing_ends_after_the_administrators_policies():
    end = element(make(outgoing="deny"), "policies", "printfleet-out-end")
    assert (end.get("priority"), end.get("target")) == ("32767", "REJECT")
    assert [rule.find("reject").get("type") for rule in end.findall("rule")] == ["tcp-reset", "tcp-reset"]


def test_a_zone_that_refuses_by_default_needs_no_end_of_ours():
    assert "printfleet-in-end" not in make(incoming="deny").rules


def test_a_default_zone_that_accepts_is_closed_but_not_its_sources():
    trusted = Zone("trusted", "ACCEPT", (("address", "192.0.2.7"), ("ipset", "friends")), ())
    objects = make(incoming="deny", zones=(PUBLIC, trusted), default="trusted")
    end = element(objects, "policies", "printfleet-in-end")
    assert (end.get("priority"), end.get("target")) == ("32767", "DROP")
    assert 'rule priority="-100" family="ipv4" source address="192.0.2.7" accept' in objects.rules["printfleet-in-end"]
    assert 'rule priority="-100" source ipset="friends" accept' in objects.rules["printfleet-in-end"]
    assert "printfleet-trusted" not in objects.rules


def test_zones_that_accept_and_are_bound_by_hand_stand():
    zones = (Zone("home", "ACCEPT", (), ()), Zone("trusted", "ACCEPT", (), ("wg0",)))
    policy = element(make(incoming="deny", zones=zones, default="home"), "policies", "printfleet-trusted")
    assert [zone.get("name") for zone in policy.findall("ingress-zone")] == ["trusted"]
    assert (policy.get("priority"), policy.get("target")) == ("32766", "ACCEPT")


def test_keep_leaves_a_default_zone_that_accepts():
    assert make(zones=(Zone("trusted", "ACCEPT", (), ()),), default="trusted").rules == {}


def test_nothing_is_logged_unless_asked_for():
    closures = [Closure("a", "in", "tcp", IPP)]
    assert "<log" not in "".join(make(closures=closures, incoming="deny", outgoing="deny").files.values())
    objects = make(closures=closures, incoming="deny", outgoing="deny", log=True)
    assert 'drop' in objects.rules["printfleet-in"][-1]
    assert 'log prefix="printfleet.cups " level="info" limit value="10/m" drop' in objects.rules["printfleet-in"][-1]
    for name in ("printfleet-in-end", "printfleet-out-end"):
        assert any(rule.endswith('limit value="10/m"') for rule in objects.rules[name])
    # It logs there and leaves the verdict to the zone.
    assert element(objects, "policies", "printfleet-in-end").get("target") == "CONTINUE"


def test_rows_whose_names_look_alike_get_services_of_their_own():
    objects = make([opening(None, row="a b"), opening(None, row="a.b", ports=Ports(80, 80))])
    ports = {
        ElementTree.fromstring(text).find("port").get("port")
        for path, text in objects.files.items() if "/services/" in path
    }
    assert ports == {"631", "80"}


def test_the_same_row_with_another_port_is_another_service():
    objects = make([opening(None), opening(None, ports=Ports(8631, 8631))])
    assert len([path for path in objects.files if "/services/" in path]) == 2


def test_every_file_is_well_formed_and_escaped():
    objects = make([opening(PEERS, row="a <b> & \"c\" ]]>")], [Closure(ROW, "in", "udp", IPP)], "deny", "deny", True)
    for path, text in objects.files.items():
        kind = {"services": "service", "ipsets": "ipset", "policies": "policy"}[path.split("/")[3]]
        assert ElementTree.fromstring(text).tag == kind
    told = [ElementTree.fromstring(text).findtext("description") for text in objects.files.values()]
    assert any("Row: a <b> & \"c\" ]]>." in text for text in told)


def test_names_keep_to_firewallds_limits():
    objects = make([opening(PEERS, row="r" * 80)], (), "deny", "deny", True, (Zone("trusted", "ACCEPT", (), ()),))
    for path in objects.files:
        kind, name = path.split("/")[3], path.split("/")[4][:-len(".xml")]
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert len(name) <= {"policies": 18, "ipsets": 31, "services": 120}[kind]


def test_the_same_policy_gives_the_same_files():
    wish = ([opening(PEERS)], [Closure(ROW, "in", "tcp", IPP)], "deny", "deny")
    assert make(*wish) == make(*wish)


def test_the_digest_stands_for_all_that_needs_a_reload():
    first = make([opening(PEERS)])
    assert make([opening(("192.0.2.8", "2001:db8::8"))]).digest == first.digest
    assert make([opening(PEERS, ports=Ports(80, 80))]).digest != first.digest
    assert make([opening(PEERS)], outgoing="deny").digest != first.digest
    frame = firewalld_objects.frame_of
    assert frame(make([opening(PEERS, ports=Ports(80, 80))]).digest) == frame(first.digest)
    assert frame(make([opening(PEERS)], outgoing="deny").digest) != frame(first.digest)
    description = element(first, "policies", "printfleet-in").findtext("description")
    assert firewalld_objects.digest_in(description) == first.digest
    assert firewalld_objects.digest_in("someone else's words") == ""
    assert firewalld_objects.digest_in(None) == ""


def test_the_head_of_a_file_is_what_only_a_reload_changes():
    first, second = make([opening(PEERS)]), make([opening(("192.0.2.8", "2001:db8::8"))])
    for path, text in first.files.items():
        assert firewalld_objects.head(text) == firewalld_objects.head(second.files[path])
    service = first.files[firewalld_objects.path("services", SERVICE)]
    assert firewalld_objects.head(service.replace('"631"', '"632"')) != firewalld_objects.head(service)
    policy = first.files[firewalld_objects.path("policies", "printfleet-in")]
    assert firewalld_objects.head(policy.replace("CONTINUE", "ACCEPT")) != firewalld_objects.head(policy)
    assert firewalld_objects.head(None) is None


def test_a_zone_file_is_read():
    text = (
        '<?xml version="1.0" encoding="utf-8"?><zone target="ACCEPT"><source address="192.0.2.0/24"/>'
        '<source mac="00:00:5e:00:53:01"/><source ipset="x"/><interface name="eth0"/><service name="ssh"/></zone>'
    )
    sources = (("address", "192.0.2.0/24"), ("mac", "00:00:5e:00:53:01"), ("ipset", "x"))
    assert parse_zone("z", text) == Zone("z", "ACCEPT", sources, ("eth0",))
    assert parse_zone("z", "<zone/>") == Zone("z", "default", (), ())
    assert parse_zone("z", "<zone><short>") is None


@pytest.mark.parametrize("text, value", [
    ("DefaultZone=public\n", "public"),
    ("# DefaultZone=no\n DefaultZone = home \nDefaultZone=work\n", "work"),
    ("OtherDefaultZone=x\n", "fallback"),
    ("", "fallback"),
    (None, "fallback"),
])
def test_a_setting_of_firewalld_conf_is_read(text, value):
    assert setting(text, "DefaultZone", "fallback") == value
