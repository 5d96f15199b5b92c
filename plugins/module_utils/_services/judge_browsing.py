# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How printers are announced, and the old way of hearing of them on 631/udp.  Pure."""

from __future__ import annotations

from typing import List, Optional, Sequence

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._findings import NOTE, WARNING, Finding, plain
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy
from ansible_collections.printfleet.cups.plugins.module_utils._services import addresses, cupsd, judge_cupsd
from ansible_collections.printfleet.cups.plugins.module_utils._services.avahi import Avahi
from ansible_collections.printfleet.cups.plugins.module_utils._services.doors import door
from ansible_collections.printfleet.cups.plugins.module_utils._services.reading import AVAHI, Services

_MDNS = 5353
_CVE = "CVE-2024-47176"
_NEVER_PROTOCOL, _NEVER_PORT = _words.NEVER_OPEN


def never_open(services: Services, policy: Optional[Policy]) -> List[Finding]:
    """Something listens on 631/udp, or is told to."""
    closed = policy is not None
    fate = (
        "our rules, where in force, let nothing through to it" if closed else "nothing of ours closes that port"
    )
    browsed = services.browsed
    advice = (
        "set 'BrowseRemoteProtocols dnssd' in cups-browsed.conf and restart cups-browsed, update it to 2.1.0 or your "
        "distribution's corrected package, or remove it (systemctl disable --now cups-browsed)"
    )
    for found in services.sockets:
        if (found.protocol, found.port) == (_NEVER_PROTOCOL, _NEVER_PORT) and found.outside:
            who = plain(" and ".join(found.names)) or "something"
            if not found.held_by("cups-browsed"):
                advice = "stop it: printing needs 631/tcp only"
            return [Finding(
                WARNING,
                "%s listens on 631/udp, where cups-browsed up to 2.0.1 took orders from anyone (%s); %s"
                % (who, _CVE, fate),
                str(browsed.place) if browsed and found.held_by("cups-browsed") else "port 631/udp", advice,
            )]
    if browsed is None:
        return []
    return [Finding(
        NOTE if closed or not services.runs("cups-browsed") else WARNING,
        "'BrowseRemoteProtocols %s' makes cups-browsed up to 2.0.1 listen on 631/udp for anyone (%s); %s"
        % (plain(browsed.value), _CVE, fate),
        str(browsed.place), advice,
    )]


def announced(services: Services, policy: Policy, interfaces: Sequence[_words.Interface]) -> List[Finding]:
    """Whether those who may print can find the printers by DNS-SD, where CUPS announces them."""
    conf = services.cupsd
    sharing = door(policy, "tcp", cupsd.IPP_PORT)
    shares = any(s.outside and door(policy, "tcp", s.port).open for s in judge_cupsd.listening(services))
    if conf is None or not sharing.open or not shares or not (conf.browsing_place and conf.browsing and conf.dnssd):
        return []
    where, found = str(conf.browsing_place), []
    mdns = door(policy, "udp", _MDNS)
    if mdns.closed and not mdns.open:
        found.append(Finding(
            WARNING, "CUPS announces its printers by DNS-SD, and the firewall lets no question to 5353/udp in", where,
            "open 5353/udp (row 5353 of ipp_sharing), or set 'Browsing No'",
        ))
    elif mdns.closed and not (sharing.addresses - mdns.addresses).empty:
        found.append(Finding(
            NOTE, "some whom %s lets in cannot find the printers by DNS-SD, since %s lets only %s in"
            % (sharing.named, mdns.named, addresses.told(mdns.addresses)),
            where, "give both rows the same sources",
        ))
    return found + _avahi(services, where, sharing.addresses, interfaces)


def _avahi(
    services: Services, where: str, who: addresses.Addresses, interfaces: Sequence[_words.Interface]
) -> List[Finding]:
    runs = services.runs("avahi-daemon")
    conf = services.avahi
    if conf is None and not runs:
        return [Finding(
            NOTE, "CUPS is to announce its printers by DNS-SD, and there is no Avahi on this host to do it (no %s)"
            % AVAHI, where, "install avahi-daemon, or set 'Browsing No'",
        )]
    if not runs:
        return [Finding(
            WARNING, "CUPS is to announce its printers by DNS-SD, and avahi-daemon, which does it, does not run", where,
            "start it (systemctl enable --now avahi-daemon), or set 'Browsing No'",
        )]
    if conf is None:
        return []
    silenced = conf.silenced()
    if silenced:
        return [Finding(
            WARNING, "by '%s' Avahi announces no printer, and CUPS wants them announced (%s)"
            % (plain(silenced[1]), where), str(silenced[0]), "remove the line and restart avahi-daemon",
        )]
    return _barred(conf, where, who, interfaces)


def _barred(
    conf: Avahi, where: str, who: addresses.Addresses, interfaces: Sequence[_words.Interface]
) -> List[Finding]:
    """Avahi is kept off every interface by which those come who may print."""
    used = [i for i in interfaces if not (addresses.of(i.networks) & who).empty]
    places = [conf.barred(interface.name) for interface in used]
    if not used or not all(places):
        return []
    return [Finding(
        WARNING, "it keeps Avahi off %s, so those who may print there are told of no printer (%s)"
        % (plain(", ".join(i.name for i in used)), where), str(places[0]),
        "name the interface there, or set 'Browsing No' in cupsd.conf",
    )]
