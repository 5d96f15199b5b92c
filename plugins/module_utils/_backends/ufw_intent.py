# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the policy to ufw's rules: openings, then closures, each with its application profile.  Pure."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import ufw_profiles
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_profiles import Service
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_rules import ANYWHERE, Rule, address
from ansible_collections.printfleet.cups.plugins.module_utils._policy import NEVER_ROW, Closure, Policy

IGMP_ROW = "baseline: IGMP (membership in multicast groups)"
# What a host that gets its addresses by DHCP has to send (RFC 2131, section 4.1; RFC 8415, section 7.2).
# The answers are let in by ufw's before.rules and before6.rules.
_DHCP = {
    4: ("baseline: DHCP client", "67", "68"),
    6: ("baseline: DHCPv6 client", "547", "546"),
}


def profiles(policy: Policy) -> Dict[Service, str]:
    """The services of all rules and the names of their profiles."""
    services = [Service(o.row, o.direction, o.protocol, _port(o.ports), o.side) for o in policy.openings]
    services += [Service(c.row, c.direction, c.protocol, _port(c.ports), "destination") for c in policy.closures]
    if policy.default_outgoing == "deny":
        services += [Service(row, "out", "udp", port, "destination") for row, port, unused in _DHCP.values()]
    return ufw_profiles.names(services)


def rules(policy: Policy, version: int, named: Dict[Service, str]) -> Tuple[Rule, ...]:
    """All rules of ours for one IP version, in the order in which they have to stand."""
    made: List[Rule] = []
    anywhere = ANYWHERE[version]
    # Most openings share one list of peers, and to work it out costs more than all the rest.
    networks: Dict[Optional[Tuple[str, ...]], List[str]] = {None: [anywhere]}
    # An opening by source port reaches all destination ports, but never this one.
    made += [_closed(version, c, named, policy.log_denied) for c in policy.closures if c.row == NEVER_ROW]
    for opening in policy.openings:
        if opening.peers not in networks:
            networks[opening.peers] = [address(network, version) for network in opening.networks(version)]
        service = Service(opening.row, opening.direction, opening.protocol, _port(opening.ports), opening.side)
        made += [_rule(version, "allow", service, named, peer) for peer in networks[opening.peers]]
    made += _baseline(policy, version, named)
    made += [_closed(version, c, named, policy.log_denied) for c in policy.closures if c.row != NEVER_ROW]
    # ufw takes two rules for one that differ only in action, logging and comment (UFWRule.match), and here the
    # first of such two decides.
    unique: Dict[Rule, Rule] = {}
    for rule in made:
        unique.setdefault(rule._replace(action="", log=False, row=""), rule)
    return tuple(unique.values())


def _closed(version: int, closure: Closure, named: Dict[Service, str], log: bool) -> Rule:
    # A local program shall fail at once and not wait; a stranger outside is told nothing.
    action = "deny" if closure.direction == "in" else "reject"
    service = Service(closure.row, closure.direction, closure.protocol, _port(closure.ports), "destination")
    return _rule(version, action, service, named, ANYWHERE[version], log)


def _rule(version: int, action: str, service: Service, named: Dict[Service, str], peer: str, log: bool = False) -> Rule:
    at_source = service.side == "source"
    return Rule(
        version=version,
        action=action,
        direction=service.direction,
        protocol=service.protocol,
        destination=peer if service.direction == "out" else ANYWHERE[version],
        destination_port="any" if at_source else service.port,
        source=peer if service.direction == "in" else ANYWHERE[version],
        source_port=service.port if at_source else "any",
        profile=named[service],
        profile_side=service.side,
        log=log,
        row=service.row,
    )


def _baseline(policy: Policy, version: int, named: Dict[Service, str]) -> List[Rule]:
    """What a default of deny would take away and ufw's own before.rules do not give.

    They give loopback, answers, ICMP errors (which are RELATED), all of ICMPv6 that a host needs and the
    answers to a DHCP client, and mDNS and UPnP multicast in.  IGMP is missing in both directions: without it
    a switch that snoops stops to deliver mDNS.  The requests of a DHCP client are missing going out.
    """
    anywhere = ANYWHERE[version]
    made = []
    if version == 4:
        for direction in _words.DIRECTIONS:
            if policy.default(direction) == "deny":
                made.append(Rule(
                    version, "allow", direction, "igmp", anywhere, "any", anywhere, "any", "", "", False, IGMP_ROW
                ))
    if policy.default_outgoing == "deny":
        row, server_port, client_port = _DHCP[version]
        service = Service(row, "out", "udp", server_port, "destination")
        made.append(_rule(version, "allow", service, named, anywhere)._replace(source_port=client_port))
    return made


def _port(ports: _words.Ports) -> str:
    return str(ports).replace("-", ":")
