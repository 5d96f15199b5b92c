# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where cupsd listens, held against what the firewall lets in.  Pure."""

from __future__ import annotations

from typing import List, Optional, Sequence, Set, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._findings import NOTE, WARNING, Finding, plain
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy
from ansible_collections.printfleet.cups.plugins.module_utils._services import addresses, cupsd, judge_access
from ansible_collections.printfleet.cups.plugins.module_utils._services.doors import Door, door
from ansible_collections.printfleet.cups.plugins.module_utils._services.reading import CUPSD, Services
from ansible_collections.printfleet.cups.plugins.module_utils._services.sockets import Socket

_SHARE = "run 'cupsctl --share-printers' on the host, or write 'Port 631' there and restart CUPS"
_RESTART = "restart CUPS (systemctl restart cups)"


def judge(services: Services, policy: Policy, interfaces: Sequence[_words.Interface]) -> List[Finding]:
    """All that is to be said of cupsd's ports and its <Location> sections."""
    asked = door(policy, "tcp", cupsd.IPP_PORT)
    live = listening(services)
    served = {s.port for s in live if s.outside and door(policy, "tcp", s.port).open}
    found: List[Finding] = []
    told: Set[int] = set()
    if asked.open and not served:
        finding, told = _not_served(services, policy, asked, live)
        found.append(finding)
    elif served:
        found += _will_change(services, served, live)
        found += _families(services, policy, served, live)
    for port in sorted({s.port for s in live if s.outside} - served - told):
        found += _unopened(services, policy, port, asked, interfaces)
    reached = served or {p for p in _outside(services) if door(policy, "tcp", p).open}
    who = addresses.NOBODY
    for port in reached:
        who |= door(policy, "tcp", port).addresses
    if services.cupsd is not None and not who.empty:
        rows = " and ".join(dict.fromkeys(door(policy, "tcp", port).named for port in sorted(reached)))
        found += judge_access.cups(services.cupsd, who, rows, interfaces)
    return found


def listening(services: Services) -> Tuple[Socket, ...]:
    """The TCP sockets that are cupsd's: its own, and those that systemd opened in its stead (cups.socket)."""
    ports = {cupsd.IPP_PORT} | _outside(services)
    return tuple(
        s for s in services.sockets
        if s.protocol == "tcp" and (
            s.held_by("cupsd") or (s.port in ports and (s.held_by("systemd") or not s.names))
        )
    )


def _outside(services: Services) -> Set[int]:
    return {listen.port for listen in services.cupsd.listens if listen.outside} if services.cupsd else set()


def _line(services: Services, port: int) -> str:
    lines = [listen for listen in services.cupsd.listens if listen.port == port] if services.cupsd else []
    lines.sort(key=lambda listen: not listen.outside)
    return str(lines[0].place) if lines else "cupsd, port %d/tcp" % port


def _not_served(
    services: Services, policy: Policy, asked: Door, live: Sequence[Socket]
) -> Tuple[Finding, Set[int]]:
    """Why nobody can print although the firewall lets people in; and the ports of which all is said by that."""
    conf = services.cupsd
    in_vain = "so %s lets people in for nothing" % asked.named
    stranger = [
        s for s in services.sockets
        if (s.protocol, s.port) == ("tcp", cupsd.IPP_PORT) and s.outside and s.names and s not in live
    ]
    if stranger:
        return Finding(
            WARNING, "it, and not CUPS, has the port that %s opens" % asked.named,
            "%s, which listens on 631/tcp" % plain(" and ".join(stranger[0].names)),
            "stop it and restart CUPS, or leave the row out",
        ), set()
    if conf is None:
        return Finding(
            NOTE, "there is no such file and nothing listens on 631/tcp, %s" % in_vain, CUPSD,
            "install CUPS, or leave ipp_sharing out of cups_firewall_profiles",
        ), set()
    outside = [listen for listen in conf.listens if listen.outside]
    right = [listen for listen in outside if door(policy, "tcp", listen.port).open]
    if right:
        place, text = right[0].place, "CUPS is told to listen on %d/tcp and does not" % right[0].port
        if services.runs("cupsd"):
            return Finding(
                WARNING, "%s: cupsd has not read this file since, or could not use the line; %s" % (text, in_vain),
                str(place), "%s, and look into its error_log if that does not help" % _RESTART,
            ), set()
        return Finding(
            WARNING, "%s: cupsd does not run, %s" % (text, in_vain), str(place),
            "start CUPS (systemctl start cups)",
        ), set()
    if outside:
        ports = _words_of({listen.port for listen in outside})
        return Finding(
            WARNING, "CUPS listens on %s, which no row opens, and %s opens 631" % (ports, asked.named),
            str(outside[0].place),
            "give the port as a row in cups_firewall_extra_flows, or let CUPS listen on 631 (Port 631)",
        ), {listen.port for listen in outside if door(policy, "tcp", listen.port).closed}
    loopback = [listen for listen in conf.listens if listen.kind == cupsd.LOOPBACK]
    if loopback:
        return Finding(
            WARNING, "CUPS listens for this host itself only, %s" % in_vain, str(loopback[0].place), _SHARE,
        ), set()
    sockets = [listen for listen in conf.listens if listen.kind == cupsd.SOCKET]
    return Finding(
        WARNING, "CUPS listens on no port%s, %s" % (", on a local socket only" if sockets else "", in_vain),
        str(sockets[0].place) if sockets else conf.path, _SHARE,
    ), set()


def _will_change(services: Services, served: Set[int], live: Sequence[Socket]) -> List[Finding]:
    """It listens now, and will not any more once it reads its file."""
    by_systemd = any(s.port in served and s.held_by("systemd") for s in live)
    if services.cupsd is None or by_systemd or _outside(services) & served:
        return []
    lines = [listen.place for listen in services.cupsd.listens]
    return [Finding(
        WARNING,
        "by this file CUPS does not listen on %s for others; it still does, until it is started again"
        % _words_of(served),
        str(lines[0]) if lines else services.cupsd.path, "write 'Port 631' there, if printers are to be shared",
    )]


def _families(services: Services, policy: Policy, served: Set[int], live: Sequence[Socket]) -> List[Finding]:
    """Those who are let in over one IP version, and find nothing there."""
    found = []
    listens = [s for s in live if s.outside and s.port in served]
    for version in (4, 6):
        lost = [
            port for port in sorted(served)
            if door(policy, "tcp", port).addresses.family(version)
            and door(policy, "tcp", port).addresses != addresses.EVERYONE
        ]
        if lost and not any(s.family in (0, version) for s in listens):
            entrance = door(policy, "tcp", lost[0])
            found.append(Finding(
                WARNING,
                "CUPS does not listen on any IPv%d address, and %s lets IPv%d in" % (version, entrance.named, version),
                _line(services, lost[0]), "write 'Port %d' there and restart CUPS" % lost[0],
            ))
    return found


def _unopened(
    services: Services, policy: Policy, port: int, asked: Door, interfaces: Sequence[_words.Interface]
) -> List[Finding]:
    """cupsd listens for others on a port that no row of ours opens."""
    entrance, where = door(policy, "tcp", port), _line(services, port)
    row = "give the port as a row in cups_firewall_extra_flows"
    if port == cupsd.IPP_PORT:
        row = "choose ipp_sharing in cups_firewall_profiles"
    written = services.cupsd is not None and any(listen.port == port for listen in services.cupsd.listens)
    close = "remove the line" if written else "restart CUPS, whose file names no such port"
    if entrance.closed:
        return [Finding(
            NOTE, "CUPS listens on %d/tcp for others too, and our rules let nobody in there" % port, where,
            "%s if it is to be used, or %s" % (row, close),
        )]
    answers = services.cupsd is None or judge_access.answers_somebody(services.cupsd, interfaces)
    return [Finding(
        WARNING if answers else NOTE,
        "CUPS listens on %d/tcp for others too, and nothing of ours closes that port%s"
        % (port, "" if answers else "; CUPS itself refuses all but this host"),
        where, "%s, set cups_firewall_default_incoming to deny, or %s" % (row, close),
    )]


def _words_of(ports: Set[int]) -> str:
    return " and ".join("%d/tcp" % port for port in sorted(ports))


def without_policy(services: Services, interfaces: Sequence[_words.Interface]) -> List[Finding]:
    """Nothing of ours is on the host: whether CUPS is open to whoever reaches it."""
    live: Optional[Socket] = next((s for s in listening(services) if s.outside), None)
    if live is None or services.cupsd is None or not judge_access.answers_somebody(services.cupsd, interfaces):
        return []
    return [Finding(
        NOTE, "CUPS listens on %d/tcp for others too, and nothing of ours closes that port" % live.port,
        _line(services, live.port), "run the role, with cups_firewall_sources naming those who print",
    )]
