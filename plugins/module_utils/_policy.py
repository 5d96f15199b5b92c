# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From flows and wishes to the whole policy of one host: pure, it knows no firewall and touches nothing."""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._flow import PROFILES, QUEUES, Flow, refuse_never_open

DEFAULTS = ("keep", "deny")
_LOOKS_UP = PROFILES[2]  # the profile whose rows are for finding printers
NEVER_ROW = "not in the page: 631/udp (CVE-2024-47176)"
SSH_ROW = "baseline: SSH from where Ansible comes"

# Who answers a question that came to such a port answers from this port to whatever port the
# question came from, and conntrack does not always know the question: one-shot mDNS queries go to
# a multicast address (RFC 6762, section 6.7), NetBIOS name queries to a broadcast address (RFC 1002).
ANSWERED_FROM = (("udp", 137), ("udp", 5353))

# Who looks printers up by mDNS asks a multicast group and is answered by way of the same group, from port to port
# (RFC 6762, sections 6 and 11): conntrack knows nothing of it.  No router forwards these groups.
MDNS = ("udp", 5353)
MDNS_GROUPS = ((4, "224.0.0.251"), (6, "ff02::fb"))

# Who asks a broadcast address is answered by others than it asked, whom conntrack does not know.  The kernel
# has a helper for two of the page's rows that lets such answers in, of the host's own IPv4 networks and for
# seconds only (net/netfilter/nf_conntrack_snmp.c, nf_conntrack_netbios_ns.c).  Names are the kernel's.
HELPED = {"snmp": ("udp", 161), "netbios-ns": ("udp", 137)}


class Ssh(NamedTuple):
    """The connection by which Ansible reached the host."""

    client: str  # address, either family
    port: int  # on the host


class Opening(NamedTuple):
    """What gets through. ``peers`` None is anyone; otherwise only these, of either family."""

    row: str
    direction: str
    protocol: str
    ports: _words.Ports
    peers: Optional[Tuple[str, ...]]
    side: str = "destination"  # which port of the packet ``ports`` speaks of, or "source"

    def networks(self, version: int) -> Tuple[str, ...]:
        """The peers of one IP version (4 or 6); empty for anyone as well, so ask ``peers`` first."""
        return () if self.peers is None else _words.collapse(self.peers, version)


class Closure(NamedTuple):
    """What is refused to everyone whom no opening lets through."""

    row: str
    direction: str
    protocol: str
    ports: _words.Ports


class Helper(NamedTuple):
    """A conntrack helper of the kernel's, to be set on what the host itself sends to a port."""

    name: str  # a key of HELPED
    protocol: str
    port: int
    row: str


class Group(NamedTuple):
    """A multicast group by which answers come in, from this port to this port, whoever sends them."""

    row: str
    version: int
    address: str
    protocol: str
    port: int


class Policy(NamedTuple):
    """The whole wish for one host.

    631/udp is closed ahead of all else; openings come before the other closures, closures before rules of the
    administrator's own.  Under ``deny`` the backend adds the baseline that a host needs: loopback, established and
    related, ICMP errors, ICMPv6 discovery, multicast membership, DHCP client.
    """

    openings: Tuple[Opening, ...]
    closures: Tuple[Closure, ...]
    default_incoming: str
    default_outgoing: str
    log_denied: bool
    helpers: Tuple[Helper, ...] = ()
    groups: Tuple[Group, ...] = ()

    def default(self, direction: str) -> str:
        """``keep`` or ``deny`` for one direction."""
        return self.default_incoming if direction == "in" else self.default_outgoing


class Segment(NamedTuple):
    """A run of ports that all share one fate: for firewalls that look verdicts up in a map."""

    direction: str
    protocol: str
    ports: _words.Ports
    rows: Tuple[str, ...]
    peers: Optional[Tuple[str, ...]]  # None: anyone; empty: nobody
    closed: bool  # refused to everyone else


def make_policy(
    flows: Iterable[Flow],
    default_incoming: str,
    default_outgoing: str,
    log_denied: bool,
    interfaces: Iterable[_words.Interface],
    ssh: Optional[Ssh],
    helpers: Iterable[str] = tuple(HELPED),
) -> Policy:
    """Work out the policy.

    ``interfaces`` resolve @LOCAL, @IF() and the broadcast addresses; ``ssh`` is a way in that has to stay open.
    ``helpers`` are the kernel helpers that can be had; without one, who answers comes in by an opening instead.
    """
    known = tuple(interfaces)
    broadcasts = tuple(b for i in known for b in i.broadcasts) + ("255.255.255.255",)
    had = tuple(helpers)
    helped: Dict[str, Helper] = {}
    groups: List[Group] = []
    openings: List[Opening] = []
    closures: List[Closure] = [Closure(NEVER_ROW, "in", _words.NEVER_OPEN[0], _words.Ports(631, 631))]
    for flow in flows:
        refuse_never_open(flow.protocol, flow.ports, flow.row)
        peers = None
        if flow.peers:
            wanted = _words.resolve_peers(flow.peers, known)
            peers = _words.resolve_peers(wanted + broadcasts, ()) if flow.broadcast else wanted
        openings.append(Opening(flow.row, flow.direction, flow.protocol, flow.ports, peers))
        # What a queue happens to use, such as 80, is others' port as well: it is opened and not closed to the rest.
        if peers is not None and flow.profile != QUEUES and (flow.direction == "in" or default_outgoing == "deny"):
            closures.append(Closure(flow.row, flow.direction, flow.protocol, flow.ports))
        for service in ANSWERED_FROM if flow.direction == "in" else ():
            if _covers(flow, service):
                ports = _words.Ports(service[1], service[1])
                openings.append(Opening(flow.row + " answers", "out", service[0], ports, peers, "source"))
        if flow.profile == _LOOKS_UP and flow.direction == "out" and _covers(flow, MDNS):
            row = flow.row + " answers"
            groups += [Group(row, version, address, *MDNS) for version, address in MDNS_GROUPS]
        for name in helpers_for(flow):
            protocol, port = HELPED[name]
            if name in had:
                helped.setdefault(name, Helper(name, protocol, port, flow.row))
            else:
                ports = _words.Ports(port, port)
                openings.append(Opening(flow.row + " answers", "in", protocol, ports, _answering(known), "source"))
    if ssh is not None:
        way = _words.Ports(ssh.port, ssh.port)
        openings.append(Opening(SSH_ROW, "in", "tcp", way, (ssh.client,)))
        # Conntrack knows only what came after the first rule that asks it.  On a host that had none, what sshd
        # sends next, on the very connection at which Ansible waits, counts as something new that goes out.
        openings.append(Opening(SSH_ROW + " answers", "out", "tcp", way, (ssh.client,), "source"))
    return Policy(
        _unique(openings), _unique(closures), default_incoming, default_outgoing, log_denied, tuple(helped.values()),
        _unique(groups),
    )


def helpers_for(flow: Flow) -> Tuple[str, ...]:
    """The names of the helpers that a flow needs, for its answers to be let in.

    Who asks one host alone is answered by that host, which is established.
    """
    asks_many = flow.direction == "out" and (flow.broadcast or not flow.peers)
    return tuple(name for name, service in HELPED.items() if asks_many and _covers(flow, service))


def _covers(flow: Flow, service: Tuple[str, int]) -> bool:
    protocol, port = service
    return flow.protocol == protocol and flow.ports.first <= port <= flow.ports.last


def _answering(interfaces: Iterable[_words.Interface]) -> Tuple[str, ...]:
    """The networks in which a broadcast of the host's is heard: those of IPv4 on links that have one."""
    return _words.collapse([n for i in interfaces if i.broadcasts for n in i.networks], 4)


def _unique(records: Iterable[NamedTuple]) -> tuple:
    return tuple(dict.fromkeys(records))


def segments(policy: Policy, direction: str, protocol: str, side: str = "destination") -> Tuple[Segment, ...]:
    """Cut all ports that the policy speaks of on one side into runs, in order and without overlap."""
    openings = [
        o for o in policy.openings if (o.direction, o.protocol, o.side) == (direction, protocol, side)
    ]
    # A closure always speaks of destination ports.
    closures = [
        c for c in policy.closures if (c.direction, c.protocol, "destination") == (direction, protocol, side)
    ]
    edges = sorted({e for x in openings + closures for e in (x.ports.first, x.ports.last + 1)})
    cut = []
    for first, after in zip(edges, edges[1:]):
        opened = [o for o in openings if o.ports.first <= first <= o.ports.last]
        closed = [c for c in closures if c.ports.first <= first <= c.ports.last]
        if not opened and not closed:
            continue
        peers: Optional[Tuple[str, ...]] = None
        if all(o.peers is not None for o in opened):
            peers = _words.resolve_peers([p for o in opened for p in o.peers or ()], ())
        rows = tuple(dict.fromkeys([o.row for o in opened] or [c.row for c in closed]))
        cut.append(Segment(direction, protocol, _words.Ports(first, after - 1), rows, peers, bool(closed)))
    return tuple(cut)
