# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""50 queues of every kind, and exactly what they need: as endpoints, as flows, as openings."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.printfleet.cups.plugins.filter.flows import flows
from ansible_collections.printfleet.cups.plugins.module_utils import (
    _apply,
    _flow,
    _policy,
    _printers,
    _queues,
    _words,
)
from ansible_collections.printfleet.cups.plugins.module_utils._printers import NONE, Endpoint, Found

HERE = Path(__file__).resolve().parent
EXPECTED = yaml.safe_load((HERE / "expected.yml").read_text(encoding="utf-8"))
WISH = {"default_incoming": "keep", "default_outgoing": "deny", "log_denied": False}


def allowed(openings):
    """Port to addresses, of all that goes out to printers."""
    ports = {}
    for o in openings:
        if o.direction == "out" and o.peers is not None and o.side == "destination":
            assert o.ports.first == o.ports.last or not o.peers, o
            ports.setdefault("%s %s" % (o.protocol, o.ports), set()).update(o.peers)
    return {
        port: sorted(str(host) for peer in peers for host in ipaddress.ip_network(peer))
        for port, peers in ports.items() if peers
    }


@pytest.fixture
def found(host, fixture_queues):
    return _printers.find(host, True, [], NONE)


def test_there_are_many_of_every_scheme():
    text = (HERE / "printers.conf").read_text(encoding="utf-8")
    schemes = set(re.findall(r"^DeviceURI ([a-z0-9+-]+):", text, re.MULTILINE))
    assert text.count("\nDeviceURI ") >= 50
    assert schemes >= {"ipp", "ipps", "http", "https", "lpd", "socket", "smb", "dnssd", "hp", "usb", "beh"}


def test_the_allow_list_is_exactly_what_the_queues_need(found):
    ports = {}
    for endpoint in found.endpoints:
        ports.setdefault("%s %d" % (endpoint.protocol, endpoint.port), set()).add(endpoint.address)
    assert {port: sorted(a) for port, a in ports.items()} == {
        port: sorted(a) for port, a in EXPECTED["allowed"].items()}


@pytest.mark.parametrize("protocols", [["ipp"], ["ipp", "ipps", "lpd", "socket"], ["smb"], []])
def test_the_policy_opens_that_and_nothing_else(found, tables, protocols):
    made = flows(tables, ["network_printers"], protocols, printers="auto")
    around = _apply.Surroundings((), None, printers=found)
    policy = _apply.policy_of(WISH, [_flow.read_flow(f, "flows") for f in made], around, False)
    expected = {port: sorted(a) for port, a in EXPECTED["allowed"].items()}
    # The rows of SNMP and WINS reach everyone on the link, as without auto.
    for row in made:
        if row["broadcast"]:
            expected["udp " + row["port"]] = sorted(expected["udp " + row["port"]] + ["255.255.255.255"])
    assert allowed(policy.openings) == expected
    # A row of the page closes its ports to all other hosts; the ports that only a queue brought close nothing.
    assert {str(c.ports) for c in policy.closures if c.direction == "out"} == {
        row["port"] for row in made if row["peers"]}


def test_it_is_told_what_was_not_understood(found):
    text = (HERE / "printers.conf").read_text(encoding="utf-8").split("\n")
    wrong = [text.index("DeviceURI ipp://jane:hunter2-i@198.51.100.202/") + 1]
    wrong += [wrong[0] + 1, wrong[0] + 2]
    lines = "CUPS on this host: printers.conf has lines that are not understood: %d, %d, %d." % tuple(wrong)
    assert sorted(found.told) == sorted(EXPECTED["told"] + [lines])
    assert found.unresolved == (
        "the queue 'no-such-name': the name 'gone.example' could not be resolved on this host, so nothing is opened for"
        " it; run the role again once it can be.",)


def test_no_queue_costs_nothing_and_opens_nothing(host, queues, tables):
    queues("")
    found = _printers.find(host, True, [], NONE)
    assert found.endpoints == () and host.asked == []
    assert found.told == ("cups_firewall_printers: auto finds no queue on this host, so it opens no way to a printer.",)
    made = [_flow.read_flow(f, "flows") for f in flows(tables, ["network_printers"], printers=["auto"])]
    policy = _apply.policy_of(WISH, made, _apply.Surroundings((), None, printers=found), False)
    assert allowed(policy.openings) == {"udp 161": ["255.255.255.255"]}
    # Nobody is no host, and never the same as anyone.
    anyone = {str(o.ports) for o in policy.openings if o.peers is None}
    assert anyone == {"53", "5353"}


def test_the_word_without_its_meaning_is_nobody(tables):
    made = [_flow.read_flow(f, "flows") for f in flows(tables, ["network_printers"], printers=["usb://X/Y"])]
    policy = _policy.make_policy(made, "keep", "deny", False, (), None)
    assert {o.peers for o in policy.openings if str(o.ports) not in ("53", "5353", "161")} == {()}


@pytest.mark.parametrize("name", ["nter", "rinters", "printers", "PRINTERS"])
def test_the_word_is_no_interface(name):
    assert _words.resolve_peers(["@PRINTERS"], [_words.Interface(name, ("192.0.2.0/24",), (), True)]) == ()


def test_the_word_is_for_what_goes_out_alone():
    row = {"row": "x", "protocol": "tcp", "port": "631", "peers": ["@PRINTERS"]}
    assert _flow.read_flow(dict(row, direction="out"), "flows[0]").peers == ("@PRINTERS",)
    with pytest.raises(_words.Refused, match=r"flows\[0\].peers: '@PRINTERS' is not allowed"):
        _flow.read_flow(dict(row, direction="in"), "flows[0]")


def test_networks_beside_queues_stay_as_they_are(found, tables):
    made = [_flow.read_flow(f, "flows") for f in flows(tables, printers=["198.51.100.0/24", "auto"])]
    policy = _apply.policy_of(WISH, made, _apply.Surroundings((), None, printers=found), False)
    peers = {o.row: o.peers for o in policy.openings}
    assert peers["Table 3: 9100-9102 TCP OUT"] == ("198.51.100.0/24",)
    assert peers["Table 3: 515 (LPD) TCP OUT"] == (
        "192.0.2.8/31", "192.0.2.24", "198.51.100.0/24", "fe80::16")
    assert peers["Printers: 9101 (AppSocket) TCP OUT"] == ("192.0.2.12", "192.0.2.28")


def test_device_uris_by_hand_are_read_as_those_of_queues(host, fixture_queues):
    queued = _queues.read_host().queues
    readable = []
    for item in queued:
        try:
            readable.append(_printers._device_uri.stripped(_printers._device_uri.read(item.device_uri)))
        except _printers._device_uri.Unreadable:
            continue
    by_hand = _printers.find(host, False, [uri for uri in readable if uri], NONE)
    by_queue = _printers.find(host, True, [], NONE)
    assert {e[1:] for e in by_hand.endpoints} == {e[1:] for e in by_queue.endpoints}
    assert by_hand.told == ()


def test_what_came_and_what_went():
    office = Endpoint("the queue 'office'", "192.0.2.1", "tcp", 631, "IPP")
    same = office._replace(queue="the queue 'again'")
    plotter = Endpoint("the queue 'plotter'", "192.0.2.2", "tcp", 9100, "AppSocket")
    snmp = plotter._replace(protocol="udp", port=161, word="SNMP")
    assert _printers.differences(Found((office,)), Found((office, same))) == []
    assert _printers.differences(Found((office,)), Found((office, plotter, snmp))) == [
        "The queue 'plotter' is new or changed since the last run: it prints on 192.0.2.2 9100/tcp, 192.0.2.2 161/udp."]
    assert _printers.differences(Found((office, plotter)), Found((same,))) == [
        "The queue 'plotter' is gone or changed since the last run: it printed on 192.0.2.2 9100/tcp."]


def test_the_memory_gives_back_what_was_found(found):
    again = _printers.read_remembered(found.as_dict())
    assert (again.endpoints, again.names) == (found.endpoints, found.names)
