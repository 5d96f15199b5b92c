# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile values in every variable: one clear sentence, or rules in which nothing of them is syntax."""

from __future__ import annotations

import random
import re

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.printfleet.cups.plugins.filter.flows import flows
from ansible_collections.printfleet.cups.plugins.filter.port_tables import port_tables
from ansible_collections.printfleet.cups.plugins.module_utils import _flow, _policy, _words
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused
from ansible_collections.printfleet.cups.tests.unit.properties import checks, oracle

# Where, what, and what is allowed: one line, for whatever value.
SENTENCE = re.compile(r"[a-z_]+[^\n\r\x00-\x1f]* is not allowed: [^\n\r\x00-\x1f]+\.")


def extra(**changed):
    return {"extra_flows": [{"port": 8631, "protocols": ["tcp"], "directions": ["in"], **changed}]}


# Where one text can stand in what the role gives to the filter.
PLACES = {
    "profiles": lambda t: {"profiles": t},
    "a profile": lambda t: {"profiles": [t]},
    "printer_protocols": lambda t: {"printer_protocols": t},
    "a printer protocol": lambda t: {"printer_protocols": [t]},
    "sources": lambda t: {"sources": t},
    "a source": lambda t: {"sources": [t]},
    "a profile of sources": lambda t: {"sources": {t: []}},
    "a source of a profile": lambda t: {"sources": {"ipp_sharing": [t]}},
    "a printer": lambda t: {"printers": [t]},
    "the printers": lambda t: {"printers": t},
    "a device URI": lambda t: {"printers": ["ipp://%s/" % t]},
    "a device URI's port": lambda t: {"printers": ["ipp://192.0.2.1:%s/" % t]},
    "a device URI's path": lambda t: {"printers": ["socket://192.0.2.1/%s" % t]},
    "an interface": lambda t: {"sources": ["@IF(%s)" % t]},
    "extra_flows": lambda t: {"extra_flows": t},
    "an extra row": lambda t: {"extra_flows": [t]},
    "a key of an extra row": lambda t: extra(**{t: 1}),
    "a port": lambda t: extra(port=t),
    "a range": lambda t: extra(port="8631-%s" % t),
    "a protocol": lambda t: extra(protocols=[t]),
    "a direction": lambda t: extra(directions=[t]),
    "a service": lambda t: extra(service=t),
    "a description": lambda t: extra(description=t),
    "a peer": lambda t: extra(peers=[t]),
    "a sound peer with more": lambda t: extra(peers=["192.0.2.1" + t]),
}


def harmless(made, known_good=None):
    """Hold what the filter gave against every backend, read back by interpreters that know only our own words."""
    if known_good is not None and str(made) in known_good:
        return
    known_good = known_good if known_good is not None else set()
    known_good.add(str(made))
    read = [_flow.read_flow(item, "flows") for item in made]
    policy = _policy.make_policy(read, "deny", "deny", True, oracle.INTERFACES, None)
    for check in checks.CHECKS.values():
        check(policy, random.Random(1))


@pytest.fixture(scope="module")
def known_good():
    """What was held against the backends already: most values that are let through mean the same."""
    return set()


@pytest.mark.parametrize("place", sorted(PLACES))
def test_a_text_in_a_variable(place, texts, tables, tried, known_good):
    for text in texts:
        tried()
        try:
            made = flows(tables, **PLACES[place](text))
        except AnsibleFilterError as refused:
            assert SENTENCE.fullmatch(str(refused)) and len(str(refused)) < 600, (text, str(refused))
            continue
        for name in {item["row"] for item in made}:
            assert re.fullmatch(r"[A-Za-z0-9 ()/:,.+_-]{1,80}", name), text
        harmless(made, known_good)


@pytest.mark.parametrize("place", ["a source", "a printer", "a peer", "a source of a profile"])
def test_what_is_nearly_a_peer(place, peers, tables, tried):
    for peer in peers:
        tried()
        with pytest.raises(AnsibleFilterError) as refused:
            flows(tables, **PLACES[place](peer))
        assert SENTENCE.fullmatch(str(refused.value)), (peer, str(refused.value))


def test_what_is_nearly_a_port(ports, tables, tried):
    for port in ports:
        tried(2)
        with pytest.raises(AnsibleFilterError) as refused:
            flows(tables, **extra(port=port))
        assert SENTENCE.fullmatch(str(refused.value)), (port, str(refused.value))
        with pytest.raises(Refused):
            _flow.read_flow({"row": "x", "direction": "in", "protocol": "tcp", "port": port}, "flows[0]")


@pytest.mark.parametrize("key", _flow.KEYS)
def test_a_text_in_a_flow_of_the_module(key, texts, tried, known_good):
    sound = {"row": "x", "direction": "in", "protocol": "tcp", "port": "631", "profile": "ipp_sharing", "peers": []}
    for text in texts:
        tried()
        try:
            flow = _flow.read_flow({**sound, key: [text] if key == "peers" else text}, "flows[0]")
        except Refused as refused:
            assert SENTENCE.fullmatch(str(refused).replace("flows[0]", "flows")), (text, str(refused))
            continue
        assert key == "row", "only a plain word for the row's name is let through, but %r was" % text
        harmless([flow.as_dict()], known_good)


CELLS = ("631", "<td>TCP</td>", "Table 1: Ports Used", "Internet Printing Protocol requests",
         "DNS and mDNS are used")


@pytest.mark.parametrize("cell", CELLS)
def test_a_text_on_the_page(cell, texts, page, tried, known_good):
    assert cell in page
    for text in texts:
        tried()
        broken = page.replace(cell, cell + text, 1)
        try:
            made = flows(port_tables(broken))
        except AnsibleFilterError as refused:
            assert " is not allowed: " in str(refused) and "\n" not in str(refused) and len(str(refused)) < 600, text
            continue
        harmless(made, known_good)


@pytest.mark.parametrize("number", [1, 100, 1200])
def test_huge_lists_with_overlaps_and_duplicates(number, tables, tried):
    tried()
    chance = random.Random(number)
    peers = ["198.51.%d.%d/%d" % (chance.randrange(256), 0, 24) for _n in range(number)] + ["198.51.0.0/16"]
    peers += ["2001:db8:%x::/48" % chance.randrange(65536) for _n in range(number)] + peers[:50]
    made = flows(tables, sources=peers, profiles=["ipp_sharing"])
    policy = _policy.make_policy([_flow.read_flow(f, "f") for f in made], "deny", "keep", False, (), None)
    assert any(opening.networks(4) == ("198.51.0.0/16",) for opening in policy.openings)
    for name in ("nftables", "firewalld") + (("ufw",) if number < 1200 else ()):
        checks.CHECKS[name](policy, chance)


@pytest.mark.parametrize("value", [[[]], [{}], [None], [True], [1.5], [["a"] * 3], {"a": 1}, 7, 10 ** 400, None, True],
                         ids=lambda value: ascii(value)[:30])
@pytest.mark.parametrize("variable", ["profiles", "printer_protocols", "sources", "printers", "extra_flows"])
def test_other_things_than_texts(variable, value, tables, tried):
    tried()
    with pytest.raises(AnsibleFilterError) as refused:
        flows(tables, **{variable: value})
    assert SENTENCE.fullmatch(str(refused.value)), str(refused.value)


def test_a_list_that_holds_itself(tables, tried):
    tried()
    peers = []
    peers.append(peers)
    with pytest.raises(AnsibleFilterError, match="cups_firewall_sources"):
        flows(tables, sources=peers)


def test_names_of_hosts_and_the_inventory_reach_nothing(checkout, tried):
    """No name of a host is ever part of what the module gets: no template of ours speaks of one."""
    tried()
    for path in [*checkout.glob("roles/**/*.yml"), *checkout.glob("playbooks/*.yml")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"inventory_hostname|ansible_host\b|hostvars|groups\[", text), path
        assert not re.search(r"ansible\.builtin\.(shell|command|raw|script)\b", text), path


@pytest.mark.parametrize("length", [1, 79, 80])
def test_the_longest_names_still_fit(length):
    ports = _words.Ports(1, 2)
    made = [_flow.Flow("r" * length, "extra_flows", "in", "tcp", ports, ("192.0.2.1",), False).as_dict()]
    harmless(made)
