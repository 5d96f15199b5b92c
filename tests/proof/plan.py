# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a stage of a scenario to the probes that prove it, each with what has to come of it."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple

from . import expected, page
from .observer import ALL_PORTS, Stream
from .traffic import Probe

PAGE = pathlib.Path(__file__).resolve().parents[1] / "firewalls.html"
FAMILIES = ("IPv4", "IPv6")
# Whom the neighbour plays: the two ends of what comes in, and of what goes out.
PLAYED = {"in": ("allowed", "denied"), "out": ("listed", "unlisted")}
# Ports that have to be closed unless something said here or on the host opens them.
CLOSED = {
    "in": [("tcp", 22), ("tcp", 80), ("tcp", 515), ("udp", 631), ("udp", 5354), ("tcp", 8631), ("tcp", 9100)],
    "out": [("tcp", 22), ("tcp", 80), ("udp", 631), ("udp", 5354), ("tcp", 8631), ("tcp", 9103)],
}
MDNS = {"IPv4": "224.0.0.251", "IPv6": "ff02::fb"}
# Rows whose packets go to the IPv4 broadcast address as well (printer discovery).
BROADCAST = [("udp", 137), ("udp", 161)]
# Rows of table 1 and 2 whose questions come to a group or to the broadcast address.
ANSWERED_FROM = (137, 5353)
ANY_PORT = 40001  # an ephemeral port, as those who ask have
ASKED_FROM = 40003  # and one for those who ask a group
# Whether a host without our rules lets mDNS in from its group: firewalld's zone public does not.
MULTICAST_OPEN = {"nftables": True, "firewalld": False, "ufw": True}
# Baseline of ufw: its before.rules and before6.rules let mDNS in from anyone, ahead of all rules that can be
# added, so under ufw the row's sources hold for packets to the host's own addresses only.
MULTICAST_NOT_NARROWED = ("ufw",)


class Stage(NamedTuple):
    """Where the scenario stands.  Addresses come in pairs, IPv4 first."""

    stage: str  # deny, keep, removed, or off: removed and the firewall stopped
    firewall: str
    variables: Mapping[str, Any]
    addresses: Mapping[str, List[str]]  # of those whom the neighbour plays
    broadcast: str
    neighbour: str  # container
    images: Mapping[str, str]
    servers: Mapping[str, List[str]]  # container: addresses
    administrator: bool = True  # whether molecule/shared/administrator.yml opened ports before


class Case(NamedTuple):
    """One attempt, and whether it has to succeed."""

    name: str
    direction: str
    probe: Probe
    open: bool


def read_stage() -> Stage:
    """The stage as molecule/shared/stage wrote it down."""
    path = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "stage.json")
    return Stage(**json.loads(path.read_text(encoding="utf-8")))


def rows(stage: Stage) -> List[expected.Opening]:
    """The rows in force, as the page has them."""
    if stage.stage in ("removed", "off"):
        return []
    return expected.openings(page.read(PAGE.read_text(encoding="utf-8")), stage.variables)


def ports(stage: Stage, direction: str, protocol: str, peer: str) -> FrozenSet[int]:
    """All open ports of one protocol for one peer."""
    if stage.stage == "off":
        return ALL_PORTS
    if stage.stage == "removed":
        return expected.removed_ports(stage.firewall, direction, protocol)
    others = expected.ADMINISTRATOR if stage.administrator else []
    return expected.open_ports(stage.firewall, rows(stage), stage.variables, direction, protocol, peer, others)


def streams(stage: Stage, server: str, direction: str) -> Dict[Stream, FrozenSet[int]]:
    """The sweep of one host in one direction, and the ports that have to be open."""
    result = {}
    for role in PLAYED[direction]:
        for own, peer in zip(stage.servers[server], stage.addresses[role]):
            for protocol in ("tcp", "udp"):
                ends = (peer, own) if direction == "in" else (own, peer)
                result[Stream(*ends, protocol)] = ports(stage, direction, protocol, peer)
    return result


def cases(stage: Stage, server: str, deny_rows: List[expected.Opening]) -> List[Case]:
    """Real connections to one host: every row and every closed port, both families, all peers.

    ``deny_rows`` are those whose ports are tried; they need not be in force.
    """
    result = []
    for direction in ("in", "out"):
        attempts = [(row.name, row.protocol, port) for row in deny_rows if row.direction == direction
                    for port in sorted({min(row.ports), max(row.ports)})]
        attempts += [("closed port %d/%s %s" % (port, protocol, direction), protocol, port)
                     for protocol, port in CLOSED[direction] + [("tcp", 8080)]]
        for name, protocol, port in attempts:
            for role in PLAYED[direction]:
                for family, own, peer in zip(FAMILIES, stage.servers[server], stage.addresses[role]):
                    probe = Probe(protocol, peer, own, port) if direction == "in" else Probe(protocol, own, peer, port)
                    title = "%s, port %d, %s, %s" % (name, port, family, role)
                    result.append(Case(title, direction, probe, port in ports(stage, direction, protocol, peer)))
        result += multicast(stage, server, direction)
    return result + broadcast(stage, server) + answers(stage, server)


def multicast(stage: Stage, server: str, direction: str) -> List[Case]:
    """mDNS as it mostly is: to the group; in, as answers (from its port) and as one-shot questions (from any)."""
    result = []
    for number, family in enumerate(FAMILIES):
        for role in PLAYED["in"] if direction == "in" else ("group",):
            for port, word in ((5353, "an answer"), (ASKED_FROM, "a question")) if direction == "in" else ((0, "all"),):
                source = stage.addresses[role][number] if direction == "in" else stage.servers[server][number]
                is_open = 5353 in ports(stage, direction, "udp", source if direction == "in" else MDNS[family])
                is_open = is_open or (direction == "in" and heard_by_group(stage, port))
                if direction == "in" and (stage.stage == "removed" or stage.firewall in MULTICAST_NOT_NARROWED):
                    is_open = stage.stage == "off" or MULTICAST_OPEN[stage.firewall]
                title = "mDNS to %s %s, %s, from %s" % (
                    MDNS[family], direction, word, role if direction == "in" else "the host"
                )
                result.append(Case(title, direction, Probe("udp", source, MDNS[family], 5353, port), is_open))
    return result


def heard_by_group(stage: Stage, port: int) -> bool:
    """Whether the host hears anyone by mDNS' groups: a host that looks printers up has to hear those that answer.

    A rich rule of firewalld's has no room for the port they answer from.
    """
    looks_up = any(
        row.name.startswith("table 3,") and row.direction == "out" and row.protocol == "udp" and 5353 in row.ports
        for row in rows(stage)
    )
    return looks_up and (port == 5353 or stage.firewall == "firewalld")


def broadcast(stage: Stage, server: str) -> List[Case]:
    """Printer discovery goes to the local broadcast address, whichever printers are listed."""
    rows_out = {(row.protocol, port) for row in rows(stage) if row.direction == "out" for port in row.ports}
    kept = stage.variables.get("cups_firewall_default_outgoing") != "deny"
    return [
        Case("broadcast to %d/%s" % (port, protocol), "out",
             Probe(protocol, stage.servers[server][0], stage.broadcast, port), kept or (protocol, port) in rows_out)
        for protocol, port in BROADCAST
    ]


def answers(stage: Stage, server: str) -> List[Case]:
    """Answers to one-shot queries leave from the row's own port for any port of him who may ask.

    Names are asked for by multicast and broadcast, so conntrack does not know the questions.
    """
    kept = stage.variables.get("cups_firewall_default_outgoing") != "deny"
    result = []
    for port in ANSWERED_FROM:
        asked = [row for row in rows(stage) if row.direction == "in" and row.protocol == "udp" and port in row.ports]
        for role in PLAYED["in"]:
            for family, own, peer in zip(FAMILIES, stage.servers[server], stage.addresses[role]):
                wanted = kept or any(row.covers(peer) for row in asked)
                probe = Probe("udp", own, peer, ANY_PORT, port)
                result.append(Case("answer from %d/udp, %s, to %s" % (port, family, role), "out", probe, wanted))
    return result
