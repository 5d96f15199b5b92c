# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies, packets, and what a policy means for a packet: said a second time, without the code under test."""

from __future__ import annotations

import ipaddress
from typing import List, NamedTuple

from ansible_collections.printfleet.cups.plugins.module_utils import _flow, _policy, _words
from hypothesis import strategies as st

# Beside a default of deny every backend lets DHCP through in its own way: tests/unit/backends tell it.
DHCP = {67, 68, 546, 547}
# Ports that are likely to meet one another.
PORTS = st.one_of(st.sampled_from([1, 22, 53, 137, 138, 139, 443, 445, 515, 630, 631, 632, 5353, 9100, 9102, 65535]),
                  st.integers(1, 65535))
# A network that holds one address which somebody can have is nobody's no more: so only the address is chosen with care.
V4 = st.builds(
    lambda base, length: str(ipaddress.ip_network((base, length), strict=False)),
    st.one_of(
        st.integers(0xC6336400, 0xC63364FF), st.integers(0x01000000, 0x7EFFFFFF), st.integers(0x80000000, 0xA9FDFFFF),
        st.integers(0xA9FF0000, 0xDFFFFFFF),
    ), st.integers(0, 32),
)
V6 = st.builds(
    lambda base, length: str(ipaddress.ip_network((base, length), strict=False)),
    st.one_of(st.integers(0, 255).map(lambda n: (0x20010DB8 << 96) + n), st.integers(1 << 64, (0xFF << 120) - 1)),
    st.integers(0, 128),
)
WORDS = st.sampled_from(["@LOCAL", "@IF(eth0)", "@IF(wg0)", "@IF(none)"])
PEERS = st.lists(st.one_of(V4, V6, WORDS), max_size=5)
INTERFACES = (
    _words.Interface("eth0", ("198.51.100.0/24", "2001:db8::/120"), ("198.51.100.255",), True),
    _words.Interface("wg0", ("198.18.7.0/30",), (), False),
)
ROW_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ()/:,.+_-"
ROWS = st.one_of(
    st.sampled_from(["Table 1: 631 (IPP/IPPS) TCP IN", "Table 3: 9100-9102 TCP OUT", "Extra: 1 TCP IN", "a", "A"]),
    st.text(ROW_LETTERS, min_size=1, max_size=80),
)


@st.composite
def flows(draw):
    """One flow, as sound as the filter makes it; 631/udp is not among its ports."""
    protocol = draw(st.sampled_from(_words.PROTOCOLS))
    # The ports with answers of their own meet rows of the other direction more often than by chance.
    first = draw(st.one_of(PORTS, st.sampled_from([137, 161, 5353]) if protocol == "udp" else PORTS))
    last = draw(st.one_of(st.just(first), st.integers(first, min(65535, first + 5)), st.integers(first, 65535)))
    if protocol == "udp" and first <= 631 <= last:
        protocol = "tcp"
    return _flow.read_flow({
        "row": draw(ROWS), "direction": draw(st.sampled_from(_words.DIRECTIONS)), "protocol": protocol,
        "port": "%d-%d" % (first, last) if last > first else first, "peers": draw(PEERS),
        "broadcast": draw(st.booleans()),
    }, "flow")


@st.composite
def policies(draw):
    """A policy of some flows, on a host with two interfaces, with or without a way in for SSH."""
    ssh = draw(st.sampled_from([None, _policy.Ssh("198.51.100.7", 22), _policy.Ssh("2001:db8::7", 631)]))
    word = st.sampled_from(_policy.DEFAULTS)
    had = draw(st.sampled_from([(), ("snmp",), ("snmp", "netbios-ns")]))
    return _policy.make_policy(
        draw(st.lists(flows(), max_size=7)), draw(word), draw(word), draw(st.booleans()), INTERFACES, ssh, had
    )


class Packet(NamedTuple):
    """The first packet of a connection; ``peer`` is the other end."""

    direction: str
    protocol: str
    peer: object
    source_port: int
    destination_port: int


def decide(policy, packet: Packet) -> str:
    """``accept``, ``refuse`` or ``rest``: 631/udp, openings, closures, then the host's own rules or the default."""
    if (packet.direction, packet.protocol, packet.destination_port) == ("in", "udp", 631):
        return "refuse"
    for o in policy.openings:
        if (o.direction, o.protocol) == (packet.direction, packet.protocol):
            port = packet.source_port if o.side == "source" else packet.destination_port
            if o.ports.first <= port <= o.ports.last and (o.peers is None or among(packet.peer, o.peers)):
                return "accept"
    for c in policy.closures:
        if (c.direction, c.protocol) == (packet.direction, packet.protocol):
            if c.ports.first <= packet.destination_port <= c.ports.last:
                return "refuse"
    return "rest" if policy.default(packet.direction) == "keep" else "refuse"


def among(address, networks) -> bool:
    """Whether an address lies in one of them, by its number."""
    for text in networks:
        base, _slash, length = text.partition("/")
        start = ipaddress.ip_address(base)
        bits = 32 if start.version == 4 else 128
        if start.version == address.version and (
            int(start) >> (bits - int(length or bits)) == int(address) >> (bits - int(length or bits))
        ):
            return True
    return False


def packets(policy, random, count: int) -> List[Packet]:
    """Packets at and beside the edges of what the policy speaks of."""
    ports = {1, 631, 65535, 40000}
    hosts = {"198.51.100.7", "203.0.113.1", "2001:db8::7", "3fff::1"}
    for record in policy.openings + policy.closures:
        ports |= {record.ports.first - 1, record.ports.first, record.ports.last, record.ports.last + 1}
        for text in getattr(record, "peers", None) or ():
            network = ipaddress.ip_network(text)
            for number in (int(network[0]) - 1, int(network[0]), int(network[-1]), int(network[-1]) + 1):
                if 0 < number < 1 << network.max_prefixlen:
                    hosts.add(str(type(network[0])(number)))
    known_ports = sorted(port for port in ports if 0 < port < 65536)
    known_hosts = sorted(hosts)
    made = []
    while len(made) < count:
        packet = Packet(
            random.choice(_words.DIRECTIONS), random.choice(_words.PROTOCOLS),
            ipaddress.ip_address(random.choice(known_hosts)), random.choice(known_ports), random.choice(known_ports),
        )
        if packet.protocol == "tcp" or not DHCP & {packet.source_port, packet.destination_port}:
            made.append(packet)
    return made
