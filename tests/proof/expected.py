# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports have to be open, told from the page, the role's variables and what the host had before."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Sequence, Set

from . import page
from .observer import ALL_PORTS, Stream

# The values of roles/cups_firewall/defaults: written again, since a changed default has to show here.
DEFAULTS: Dict[str, Any] = {
    "cups_firewall_profiles": ["ipp_sharing", "network_printers"],
    "cups_firewall_printer_protocols": ["ipp", "ipps", "lpd", "socket"],
    "cups_firewall_sources": [],
    "cups_firewall_printers": [],
    "cups_firewall_default_incoming": "keep",
    "cups_firewall_default_outgoing": "keep",
    "cups_firewall_extra_flows": [],
}
# Never open under our rules, to anyone, in whatever way the host had it.
CVE_2024_47176 = ("udp", 631)
# Rows of table 3 that go to name servers and to the link, not to printers.
NOT_NARROWED = {53, 5353}


class Rule(NamedTuple):
    """Ports that are open on the host for a reason of its own, to anyone."""

    direction: str
    protocol: str
    ports: FrozenSet[int]
    reason: str
    versions: Sequence[int] = (4, 6)


class Opening(NamedTuple):
    """A row as it has to be in force."""

    name: str
    direction: str
    protocol: str
    ports: FrozenSet[int]
    peers: Sequence[str]  # empty: anyone

    def covers(self, address: str) -> bool:
        """Whether this peer is meant."""
        where = ipaddress.ip_address(address)
        return not self.peers or any(where in ipaddress.ip_network(peer) for peer in self.peers)


def one(direction: str, protocol: str, port: int, reason: str, versions: Sequence[int] = (4, 6)) -> Rule:
    """A rule for a single port."""
    return Rule(direction, protocol, frozenset([port]), reason, versions)


def everything(direction: str, reason: str) -> List[Rule]:
    """Rules that leave one direction wholly open."""
    return [Rule(direction, protocol, ALL_PORTS, reason) for protocol in ("tcp", "udp")]


# What each kind of host has open before we come.  A sweep's packets go between two global unicast
# addresses, from one source port: openings for DHCP (source ports 67, 547), for link-local
# destinations (546/udp of firewalld's dhcpv6-client) and for multicast groups (ufw's before.rules: mDNS
# and 1900/udp) are never met by them.
ADMINISTRATOR = [
    one("in", "tcp", 8080, "the administrator's own rule"),
    one("in", "tcp", 631, "the administrator's own rule, which opens a printing port to everyone"),
]
HOST: Dict[str, List[Rule]] = {
    "nftables": everything("in", "a host without rules") + everything("out", "a host without rules"),
    "firewalld": [
        one("in", "tcp", 22, "zone public has the service ssh from the start"),
        *everything("out", "firewalld lets everything out"),
    ],
    "ufw": everything("out", "ufw's default is to allow outgoing"),
}
# What stands under a default of deny: what somebody opened by a rule, not by the lack of one, and what of
# the role's baseline a sweep can meet.
_DHCP = "DHCP client: no rule of firewalld's can ask for source and destination port at once"
HOST_DENY: Dict[str, List[Rule]] = {
    "nftables": [],
    "firewalld": [HOST["firewalld"][0], one("out", "udp", 67, _DHCP, [4]), one("out", "udp", 547, _DHCP, [6])],
    "ufw": [],
}


def openings(rows: List[page.Row], variables: Mapping[str, Any]) -> List[Opening]:
    """All rows in force, the user's own included."""
    values = {**DEFAULTS, **variables}
    profile = {number: name for name, number in page.PROFILES.items()}
    result = []
    for row in page.chosen(rows, values["cups_firewall_profiles"], values["cups_firewall_printer_protocols"]):
        peers: Sequence[str] = []
        if row.direction == "in":
            peers = sources(values, profile[row.table])
        elif row.table == 3 and not NOT_NARROWED & set(row.ports):
            peers = values["cups_firewall_printers"]
        result.append(Opening(row.name, row.direction, row.protocol, frozenset(row.ports), peers))
    for extra in values["cups_firewall_extra_flows"]:
        ends = [int(end) for end in str(extra["port"]).split("-")]
        for protocol in extra["protocols"]:
            for direction in extra["directions"]:
                peers = sources(values, "extra_flows") if direction == "in" else []
                name = "extra, %s/%s %s" % (extra["port"], protocol, direction)
                ports = frozenset(range(ends[0], ends[-1] + 1))
                result.append(Opening(name, direction, protocol, ports, extra.get("peers") or peers))
    return result


def sources(values: Mapping[str, Any], profile: str) -> Sequence[str]:
    """Who may come in for a profile: one list for all, or a mapping."""
    given = values["cups_firewall_sources"]
    return given.get(profile, []) if isinstance(given, Mapping) else given


def host_rules(
    backend: str, direction: str, default: str, others: Sequence[Rule] = tuple(ADMINISTRATOR)
) -> List[Rule]:
    """What the host has open beside our rows; ``default`` is keep or deny, ``others`` what somebody opened there."""
    rules = HOST[backend] if default == "keep" else HOST_DENY[backend]
    return [rule for rule in [*rules, *others] if rule.direction == direction]


def open_ports(
    backend: str, wanted: Sequence[Opening], variables: Mapping[str, Any], direction: str, protocol: str, peer: str,
    others: Sequence[Rule] = tuple(ADMINISTRATOR),
) -> FrozenSet[int]:
    """The ports of one protocol open from (in) or to (out) one peer, our rules being in force."""
    values = {**DEFAULTS, **variables}
    default = values["cups_firewall_default_%sing" % {"in": "incom", "out": "outgo"}[direction]]
    mine = [row for row in wanted if (row.direction, row.protocol) == (direction, protocol)]
    ports: Set[int] = set()
    for rule in host_rules(backend, direction, default, others):
        if rule.protocol == protocol and ipaddress.ip_address(peer).version in rule.versions:
            ports |= rule.ports
    for row in mine:
        # Whoever is not among the peers is closed out, whatever else is open: coming in always, going
        # out only where the user asked for deny.
        if row.peers and (direction == "in" or default == "deny"):
            ports -= row.ports
    if direction == "in":
        ports -= {port for never, port in [CVE_2024_47176] if never == protocol}
    for row in mine:
        if row.covers(peer):
            ports |= row.ports
    return frozenset(ports)


def removed_ports(backend: str, direction: str, protocol: str) -> FrozenSet[int]:
    """The same once all that is ours is gone."""
    rules = [rule for rule in host_rules(backend, direction, "keep") if rule.protocol == protocol]
    return frozenset(port for rule in rules for port in rule.ports)


def peer_of(stream: Stream, direction: str) -> str:
    """The other end of a stream, seen from the host."""
    return stream.source if direction == "in" else stream.destination
