# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small interpreter of our firewalld files: read as XML, in the order in which firewalld asks them."""

from __future__ import annotations

import ipaddress
import shlex
from xml.etree import ElementTree

from ansible_collections.printfleet.cups.tests.unit.properties.oracle import among

# What /usr/lib/firewalld/helpers says of them.
_STOCK = {"snmp": ("udp", 161), "netbios-ns": ("udp", 137)}
_HOST = {"in": ("ANY", "HOST"), "out": ("HOST", "ANY")}


class Files:
    """Services, sets and policies among the files."""

    def __init__(self, files) -> None:
        self.kinds = {"services": {}, "ipsets": {}, "policies": {}}
        for path, text in files.items():
            if path == "/etc/modules-load.d/printfleet-cups.conf":
                continue
            folder, name = path.rsplit("/", 2)[1:]
            assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n')
            self.kinds[folder][name[:-len(".xml")]] = ElementTree.fromstring(text.encode())
        for name, root in self.kinds["ipsets"].items():
            networks = sorted(ipaddress.ip_network(e.text) for e in root.findall("entry"))
            assert networks and all(not a.overlaps(b) for a, b in zip(networks, networks[1:])), name

    def give(self, rules):
        """Give the policies other rules, as a running firewalld prints them; sets are none for them."""
        assert sorted(rules) == sorted(self.kinds["policies"])
        for name, root in self.kinds["policies"].items():
            for rule in root.findall("rule"):
                root.remove(rule)
            root.extend(_rich(text) for text in rules[name])
        self.kinds["ipsets"] = {}

    def helpers(self):
        """Name, protocol and port of each conntrack helper that is set on the way out, ahead of all else there."""
        found = set()
        policies = self.kinds["policies"].items()
        ways = {name: root for name, root in policies if root.find("ingress-zone").get("name") == "HOST"}
        first = min((int(root.get("priority")) for root in ways.values()), default=0)
        for name, root in ways.items():
            for service in (self.kinds["services"][part.get("name")] for part in root.iter("service")):
                for helper in service.findall("helper"):
                    # It opens nothing: no ports, and the policy itself says nothing.
                    assert [part.tag for part in service] == ["short", "description", "helper"], name
                    assert root.get("target") == "CONTINUE" and int(root.get("priority")) == first
                    assert [other for other in ways if int(ways[other].get("priority")) == first] == [name]
                    found.add((helper.get("name"),) + _STOCK[helper.get("name")])
        return found

    def verdict(self, packet, zone):
        """``zone`` is what the administrator's zone says of the packet: accept, refuse or rest."""
        policies = sorted(
            (int(root.get("priority")), name) for name, root in self.kinds["policies"].items()
        )
        for late in (False, True):
            for priority, name in policies:
                if (priority > 0) == late:
                    said = self._policy(self.kinds["policies"][name], packet)
                    if said != "rest":
                        return said
            if not late and zone != "rest":
                return zone
        return "rest"

    def _policy(self, root, packet):
        ends = tuple(root.find(end).get("name") for end in ("ingress-zone", "egress-zone"))
        if ends != _HOST[packet.direction]:
            return "rest"
        rules = sorted(enumerate(root.findall("rule")), key=lambda pair: (int(pair[1].get("priority")), pair[0]))
        for _number, rule in rules:
            said = self._rule(rule, packet)
            if said != "rest":
                return said
        return {"CONTINUE": "rest", "DROP": "refuse", "REJECT": "refuse", "ACCEPT": "accept"}[root.get("target")]

    def _rule(self, rule, packet):
        if rule.get("family") and rule.get("family") != "ipv%d" % packet.peer.version:
            return "rest"
        said = "rest"
        for part in rule:
            if part.tag in ("accept", "drop", "reject"):
                said = "accept" if part.tag == "accept" else "refuse"
            elif part.tag != "log" and not self._part(part, packet):
                return "rest"
        return said

    def _part(self, part, packet):
        if part.tag in ("source", "destination"):
            if (part.tag == "source") != (packet.direction == "in"):
                return False  # no packet of ours goes to a group or broadcast address of the host's
            if part.get("ipset"):
                entries = [entry.text for entry in self.kinds["ipsets"][part.get("ipset")].findall("entry")]
                return among(packet.peer, entries)
            return part.get("mac") is None and among(packet.peer, [part.get("address")])
        if part.tag == "service":
            service = self.kinds["services"][part.get("name")]
            ports = {"port": packet.destination_port, "source-port": packet.source_port}
            return any(
                item.get("protocol") == packet.protocol and _has(item.get("port"), ports[item.tag])
                for item in service if item.tag in ports
            )
        if part.tag == "protocol":
            return part.get("value") == {"tcp": "6", "udp": "17"}[packet.protocol]
        if part.tag in ("port", "source-port"):
            port = packet.destination_port if part.tag == "port" else packet.source_port
            return part.get("protocol") == packet.protocol and _has(part.get("port"), port)
        assert part.tag == "icmp-type", part.tag
        return False


def _rich(text):
    """A rule of firewalld.richlanguage(5) as the same rule of firewalld.policies(5)."""
    first, *words = shlex.split(text)
    rule = now = ElementTree.Element(first)
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            now.set(key, value)
        else:
            now = ElementTree.SubElement(now if word == "limit" else rule, word)
    return rule


def _has(ports, port):
    first, _dash, last = ports.partition("-")
    return int(first) <= port <= int(last or first)
