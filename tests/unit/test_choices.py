# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choices to flows: which rows, with which peers, and when the page's notes are not known."""

from __future__ import annotations

import copy
import re

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.printfleet.cups.plugins.filter.flows import flows
from ansible_collections.printfleet.cups.plugins.module_utils import _flow

ALL_PROFILES = ["ipp_sharing", "smb_sharing", "network_printers"]
ALL_PROTOCOLS = ["ipp", "ipps", "lpd", "socket", "smb"]
SOURCES = ["192.0.2.0/24", "2001:db8::/64", "@LOCAL"]
PRINTERS = ["198.51.100.7", "2001:db8:1::/64"]

# Written down from the page by hand: the rows of table 3 that each protocol needs.
ROWS_OF = {
    "ipp": {"53 TCP", "53 UDP", "5353 UDP", "631 TCP"},
    "ipps": {"53 TCP", "53 UDP", "5353 UDP", "631 TCP", "443 TCP"},
    "lpd": {"53 TCP", "53 UDP", "5353 UDP", "515 TCP", "161 UDP"},
    "socket": {"53 TCP", "53 UDP", "5353 UDP", "9100-9102 TCP", "161 UDP"},
    "smb": {"137 UDP", "139 TCP", "445 TCP"},
}


def short(found):
    return {"%s %s" % (flow["port"], flow["protocol"].upper()) for flow in found}


def refused(tables, **choices):
    with pytest.raises(AnsibleFilterError) as caught:
        flows(tables, **choices)
    return str(caught.value)


def test_every_row_of_every_table_once_per_protocol_and_direction(tables, page):
    found = flows(tables, ALL_PROFILES, ALL_PROTOCOLS)
    expected = []
    for number, body in enumerate(re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL), 1):
        for row in re.findall(r"<tr>(.*?)</tr>", body):
            cells = re.findall(r"<td>(.*?)</td>", row)
            cell = cells[0].replace("&nbsp;", " ")
            for protocol in cells[1].split("/"):
                for direction in (cells[2] if number < 3 else "OUT").split("+"):
                    expected.append("Table %d: %s %s %s" % (number, cell, protocol, direction))
    assert [flow["row"] for flow in found] == expected
    assert len(expected) == 21


def test_the_defaults_are_the_roles(tables, checkout):
    role = yaml.safe_load((checkout / "roles/cups_firewall/defaults/main.yml").read_text(encoding="utf-8"))
    names = ("profiles", "printer_protocols", "sources", "printers", "extra_flows")
    assert flows(tables) == flows(tables, **{name: role["cups_firewall_" + name] for name in names})
    assert not {"137 UDP", "139 TCP", "445 TCP"} & short(flows(tables))


@pytest.mark.parametrize("protocol", ALL_PROTOCOLS)
def test_the_rows_of_each_printer_protocol(tables, protocol):
    found = flows(tables, ["network_printers"], [protocol])
    assert short(found) == ROWS_OF[protocol]
    assert {flow["direction"] for flow in found} == {"out"}


def test_protocols_add_up(tables):
    for one in ALL_PROTOCOLS:
        for other in ALL_PROTOCOLS:
            assert short(flows(tables, ["network_printers"], [one, other])) == ROWS_OF[one] | ROWS_OF[other]


def test_nothing_chosen_is_nothing_open(tables):
    assert flows(tables, []) == []
    assert flows(tables, ["network_printers"], []) == []


def test_printer_protocols_select_no_rows_of_other_tables(tables):
    assert flows(tables, ["ipp_sharing", "smb_sharing"], []) == flows(tables, ["ipp_sharing", "smb_sharing"])


def test_sources_are_the_peers_of_what_comes_in_only(tables):
    for flow in flows(tables, ALL_PROFILES, ALL_PROTOCOLS, SOURCES, PRINTERS):
        if flow["direction"] == "in":
            assert flow["peers"] == SOURCES
        else:
            assert not set(flow["peers"]) & set(SOURCES)


def test_printers_narrow_table_3_but_names_and_no_other_table(tables):
    for flow in flows(tables, ALL_PROFILES, ALL_PROTOCOLS, SOURCES, PRINTERS):
        narrow = flow["profile"] == "network_printers" and flow["port"] not in ("53", "5353")
        if flow["direction"] == "out":
            assert flow["peers"] == (PRINTERS if narrow else []), flow["row"]
        assert flow["broadcast"] == (flow["row"] in ("Table 3: 137 (WINS) UDP OUT", "Table 3: 161 (SNMP) UDP OUT"))


def test_sources_for_each_profile(tables):
    sources = {"ipp_sharing": ["192.0.2.1"], "smb_sharing": ["192.0.2.2"], "extra_flows": ["192.0.2.3"]}
    extra = [{"port": 8631, "protocols": ["tcp"], "directions": ["in"]}]
    found = flows(tables, ALL_PROFILES, ALL_PROTOCOLS, sources, [], extra)
    peers = {flow["profile"]: flow["peers"] for flow in found if flow["direction"] == "in"}
    assert peers == sources


def test_a_mapping_needs_no_key_for_what_lets_nobody_in(tables):
    found = flows(tables, ["ipp_sharing", "network_printers"], ALL_PROTOCOLS, {"ipp_sharing": []}, [],
                  [{"port": 123, "protocols": ["udp"], "directions": ["out"]}])
    assert {flow["profile"] for flow in found} == {"ipp_sharing", "network_printers", "extra_flows"}


def test_peers_are_written_in_one_way_and_once(tables):
    sources = ["2001:DB8:0::/32", "2001:db8::/32", "192.0.2.1/32", "192.0.2.1", "192.0.2.0/255.255.255.0", "@local"]
    found = flows(tables, ["ipp_sharing"], sources=sources)
    assert found[2]["peers"] == ["2001:db8::/32", "192.0.2.1", "192.0.2.0/24", "@LOCAL"]
    found = flows(tables, ["network_printers"], ["lpd"], printers=["192.0.2.1", "192.0.2.1/32"])
    assert found[-2]["peers"] == ["192.0.2.1"]


def test_what_is_named_twice_counts_once_in_the_order_of_the_page(tables):
    once = flows(tables, ["ipp_sharing", "network_printers"], ["ipp", "lpd"])
    twice = flows(tables, ["network_printers", "ipp_sharing", "network_printers"], ["lpd", "ipp", "ipp"])
    assert once == twice


def test_rows_of_the_users_own(tables):
    found = flows(tables, [], sources=SOURCES, extra_flows=[
        {"port": 8631, "service": "IPP", "protocols": ["tcp"], "directions": ["in"], "description": "Second queue."},
        {"port": "60000-60010", "protocols": ["tcp", "udp"], "directions": ["in", "out"], "peers": ["192.0.2.9/32"]},
        {"port": 123, "service": "NTP", "protocols": ["udp"], "directions": ["out"]},
    ])
    assert [(flow["row"], flow["port"], flow["peers"]) for flow in found] == [
        ("Extra: 8631 (IPP) TCP IN", "8631", SOURCES),
        ("Extra: 60000-60010 TCP IN", "60000-60010", ["192.0.2.9"]),
        ("Extra: 60000-60010 TCP OUT", "60000-60010", ["192.0.2.9"]),
        ("Extra: 60000-60010 UDP IN", "60000-60010", ["192.0.2.9"]),
        ("Extra: 60000-60010 UDP OUT", "60000-60010", ["192.0.2.9"]),
        ("Extra: 123 (NTP) UDP OUT", "123", []),
    ]
    assert {flow["profile"] for flow in found} == {"extra_flows"}
    assert not any(flow["broadcast"] for flow in found)


def test_sources_are_not_where_a_row_of_the_users_own_goes(tables):
    row = {"port": 8631, "protocols": ["tcp"], "directions": ["in", "out"]}
    found = flows(tables, [], sources=SOURCES, extra_flows=[row])
    assert [(flow["direction"], flow["peers"]) for flow in found] == [("in", SOURCES), ("out", [])]


def test_the_same_row_twice_is_one_flow(tables):
    row = {"port": 8631, "protocols": ["tcp"], "directions": ["in"]}
    assert len(flows(tables, [], extra_flows=[row, dict(row, description="The same.")])) == 1


def test_the_data_is_plain_and_the_module_takes_it(tables):
    found = flows(tables, ALL_PROFILES, ALL_PROTOCOLS, SOURCES, PRINTERS)
    assert yaml.safe_load(yaml.safe_dump(found)) == found
    for flow in found:
        assert _flow.read_flow(flow, "flows").as_dict() == flow


# Tables that are not the page's.

@pytest.mark.parametrize("notes", [
    [],
    ["DNS and mDNS are used for all printing protocols except SMB."],
    ["DNS and mDNS are used for all printing protocols.",
     "SNMP is used to provide status and supply level information for AppSocket and LPD printers."],
])
def test_other_notes_are_refused(tables, notes):
    changed = copy.deepcopy(tables)
    changed[2]["notes"] = notes
    message = refused(changed)
    assert message.startswith("cups_firewall_tables, notes of table 3: [")
    assert "which rows belong to which protocol is known only for the notes ['DNS and mDNS are" in message
    # Nobody asks for table 3 here, and its notes are not known all the same.
    assert refused(changed, profiles=["ipp_sharing"]) == message


def test_notes_of_another_table_are_refused(tables):
    changed = copy.deepcopy(tables)
    changed[0]["notes"] = ["Only on Sundays."]
    assert refused(changed).startswith("cups_firewall_tables, notes of table 1: ['Only on Sundays.'] is not allowed")


@pytest.mark.parametrize("key, value, says", [
    ("service", "IPPX", "cups_firewall_tables, table 3: '631 (IPPX)' is not allowed: no printer protocol is known"),
    ("service", "IPP/IPPX", "cups_firewall_tables, table 3: '631 (IPP/IPPX)' is not allowed: no printer protocol"),
    ("service", "dns", "cups_firewall_tables, table 3: '631 (dns)' is not allowed: no printer protocol is known"),
    ("service", "", "cups_firewall_tables, table 3: '631 Internet Printing Protocol requests"),
    ("protocols", ["tcp", "udp"], "cups_firewall_tables: '631/udp' is not allowed: 631/udp is never opened"),
    ("directions", ["in"], "cups_firewall_tables[2].rows[7].directions: ['in'] is not allowed: all rows of table 3"),
    ("port", "0", "cups_firewall_tables[2].rows[7].port: '0' is not allowed: a port is a number"),
    ("colour", "red", "cups_firewall_tables[2].rows[7]: 'colour' is not allowed: the keys are port, service"),
])
def test_a_changed_row_of_table_3(tables, key, value, says):
    changed = copy.deepcopy(tables)
    changed[2]["rows"][7][key] = value
    assert refused(changed).startswith(says)


def test_a_changed_port_is_a_changed_flow(tables):
    changed = copy.deepcopy(tables)
    changed[0]["rows"][1]["port"] = 8631
    changed[2]["rows"][9]["port"] = "9100-9109"
    rows = [flow["row"] for flow in flows(changed)]
    assert "Table 1: 8631 (IPP/IPPS) TCP IN" in rows
    assert "Table 1: 631 (IPP/IPPS) TCP IN" not in rows
    assert "Table 3: 9100-9109 TCP OUT" in rows


def test_631_udp_in_any_table_is_refused_where_it_would_be_opened(tables):
    changed = copy.deepcopy(tables)
    changed[0]["rows"][1]["protocols"] = ["tcp", "udp"]
    assert "631/udp is never opened (CVE-2024-47176)" in refused(changed)


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 1, 0]])
def test_the_order_of_the_tables_does_not_matter(tables, order):
    assert flows([tables[index] for index in order]) == flows(tables)


@pytest.mark.parametrize("indexes, numbers", [([0, 1], "[1, 2]"), ([0, 1, 2, 2], "[1, 2, 3, 3]"), ([2], "[3]")])
def test_each_table_once(tables, indexes, numbers):
    assert refused([tables[index] for index in indexes]) == (
        "cups_firewall_tables: %s is not allowed: it has each of the tables 1, 2 and 3 exactly once." % numbers)


def test_the_input_is_left_as_it_was(tables):
    before = copy.deepcopy(tables)
    extra = [{"port": 8631, "protocols": ["tcp"], "directions": ["in"]}]
    flows(tables, extra_flows=extra, sources={"ipp_sharing": [], "extra_flows": []})
    assert tables == before
    assert extra == [{"port": 8631, "protocols": ["tcp"], "directions": ["in"]}]
