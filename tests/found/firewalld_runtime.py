# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a host, by firewalld's own Python client: changes that exist at runtime only, and all that firewalld holds.

``python3 - draw SEED``: make random changes, print how many worked, by kind.
``python3 - read``: print all settings of all objects that are not ours.
"""

from __future__ import annotations

import json
import random
import re
import sys

from firewall.client import FirewallClient, FirewallClientPolicySettings

CALLS = 90
OURS = "printfleet-"
# Made by firewalld_objects.sh, as files: a set, a policy, and bindings that the files know.
SET, POLICY = "banned", "mine"
INTERFACES = ["eth0", "wg0", "tun0", "ens3", "br-x", "v1", "v2"]
ICMP = ["redirect", "echo-reply", "timestamp-request", "router-advertisement"]
SERVICES = ["http", "https", "ntp", "ipp", "snmp", "smtp", "tftp", "ftp"]


class Drawing:
    """One seed's changes."""

    def __init__(self, seed: int) -> None:
        self.random, self.client = random.Random(seed), FirewallClient()
        self.zones = sorted(self.client.getZones())
        self.worked = {}

    def draw(self) -> dict:
        """Make them; what firewalld refuses, such as a port that is open already, is not counted."""
        kinds = sorted(name for name in dir(self) if name.startswith("add_"))
        for call in range(CALLS):
            # Each kind is there with every seed, the rest is chance.
            kind = kinds[call] if call < len(kinds) else self.random.choice(kinds)
            zone, number = self.random.choice(self.zones), self.random.randrange(1, 60000)
            try:
                getattr(self, kind)(zone, number)
            except Exception as error:  # pylint: disable=broad-except
                # The client raises its own kinds and D-Bus' ones; a mistake of ours is neither.
                if isinstance(error, (AttributeError, TypeError, NameError)):
                    raise
                continue
            self.worked[kind[4:]] = self.worked.get(kind[4:], 0) + 1
        return self.worked

    def add_port(self, zone, number):
        self.client.addPort(zone, str(number), self.random.choice(["tcp", "udp"]))

    def add_source_port(self, zone, number):
        self.client.addSourcePort(zone, str(number), "udp")

    def add_service(self, zone, _number):
        self.client.addService(zone, self.random.choice(SERVICES))

    def add_removal_of_a_service(self, zone, _number):
        zone = next(name for name in [zone] + self.zones if self.client.getServices(name))
        self.client.removeService(zone, self.random.choice(self.client.getServices(zone)))

    def add_protocol(self, zone, _number):
        self.client.addProtocol(zone, self.random.choice(["esp", "ah", "gre", "ospf"]))

    def add_rich_rule(self, zone, number):
        self.client.addRichRule(zone, self.random.choice([
            'rule family="ipv4" source address="192.0.2.%d" reject' % (number % 250),
            'rule priority="%d" family="ipv6" source address="2001:db8::%x" port port="%d" protocol="tcp" accept'
            % (number % 100 - 50, number, number),
            'rule service name="ssh" log prefix="x %d" level="info" limit value="3/m" accept' % number,
            'rule family="ipv4" source ipset="%s" drop' % SET,
            'rule protocol value="esp" drop',
            'rule family="ipv4" forward-port port="%d" protocol="tcp" to-port="80" to-addr="192.0.2.7"' % number,
        ]))

    def add_forward_port(self, zone, number):
        self.client.addForwardPort(zone, str(number), "tcp", str(number % 1000 + 1),
                                   self.random.choice(["", "198.51.100.7"]))

    def add_masquerade(self, zone, _number):
        if self.client.queryMasquerade(zone):
            self.client.removeMasquerade(zone)
        else:
            self.client.addMasquerade(zone)

    def add_icmp_block(self, zone, _number):
        self.client.addIcmpBlock(zone, self.random.choice(ICMP))

    def add_icmp_block_inversion(self, zone, _number):
        if self.client.queryIcmpBlockInversion(zone):
            self.client.removeIcmpBlockInversion(zone)
        else:
            self.client.addIcmpBlockInversion(zone)

    def add_interface(self, zone, number):
        self.client.changeZoneOfInterface(zone, INTERFACES[number % len(INTERFACES)])

    def add_source(self, zone, number):
        self.client.changeZoneOfSource(zone, self.random.choice([
            "198.51.100.%d" % (number % 250), "2001:db8:aa::/48", "203.0.113.0/24", "ipset:" + SET,
            "00:11:22:33:44:%02x" % (number % 200),
        ]))

    def add_entry(self, _zone, number):
        self.client.addEntry(SET, "198.51.100.%d" % (number % 250))

    def add_change_of_a_policy(self, _zone, number):
        rules = self.client.getPolicySettings(POLICY).getRichRules()
        self.client.setPolicySettings(POLICY, FirewallClientPolicySettings({
            "rich_rules": rules + ['rule family="ipv4" source address="192.0.2.%d" drop' % (number % 250)],
            "services": [self.random.choice(SERVICES)], "ports": [(str(number), "tcp")],
            "ingress_zones": [self.random.choice(["work", "home", "dmz"])],
            "icmp_blocks": [self.random.choice(ICMP)], "protocols": ["gre"],
        }))

    def add_direct_rule(self, _zone, number):
        self.client.addRule(self.random.choice(["ipv4", "ipv6"]), "filter", self.random.choice(["INPUT", "OUTPUT"]),
                            number % 3, ["-p", "tcp", "--dport", str(number), "-j", "DROP"])

    def add_direct_chain(self, _zone, number):
        chain = "f2b-%d" % (number % 9)
        self.client.addChain("ipv4", "filter", chain)
        self.client.addRule("ipv4", "filter", chain, 0, ["-s", "192.0.2.%d" % (number % 250), "-j", "REJECT"])

    def add_passthrough(self, _zone, number):
        self.client.addPassthrough("ipv4", ["-A", "INPUT", "-p", "udp", "--dport", str(number), "-j", "DROP"])


def ordered(value):
    """Lists say nothing by their order here."""
    if isinstance(value, dict):
        return {key: ordered(inner) for key, inner in sorted(value.items())}
    return sorted((ordered(inner) for inner in value), key=repr) if isinstance(value, (list, tuple)) else value


def read(client: FirewallClient) -> dict:
    """Everything, by a path."""
    told = {"active": client.getActiveZones(), "default zone": client.getDefaultZone(),
            "log denied": client.getLogDenied(), "panic": bool(client.queryPanicMode())}
    for zone in client.getZones():
        for key, value in client.getZoneSettings(zone).getSettingsDict().items():
            told["zone %s %s" % (zone, key)] = value
    for policy in (name for name in client.getPolicies() if not name.startswith(OURS)):
        for key, value in client.getPolicySettings(policy).getSettingsDict().items():
            told["policy %s %s" % (policy, key)] = value
    for name in (name for name in client.getIPSets() if not name.startswith(OURS)):
        try:
            told["set " + name] = client.getEntries(name)
        except Exception as error:  # pylint: disable=broad-except
            # firewalld 2.3 has no entries of a set that no rule names.
            if "NOT_APPLIED" not in str(error):
                raise
    told.update(chains=client.getAllChains(), rules=client.getAllRules(), passthroughs=client.getAllPassthroughs())
    # A setting that is empty may be left out, and firewalld 1.3 writes rules with the blanks that they came with.
    told = {key: value for key, value in told.items() if value not in ([], (), {}, "", 0)}
    return json.loads(re.sub(r" +", " ", json.dumps(ordered(told))))


def main(argv) -> None:
    print(json.dumps(Drawing(int(argv[1])).draw() if argv[0] == "draw" else read(FirewallClient())))


if __name__ == "__main__":
    main(sys.argv[1:])
