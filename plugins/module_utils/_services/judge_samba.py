# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Samba listens and whom it answers, held against the firewall.  Pure."""

from __future__ import annotations

from typing import List, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._findings import NOTE, WARNING, Finding
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy
from ansible_collections.printfleet.cups.plugins.module_utils._services import access, addresses
from ansible_collections.printfleet.cups.plugins.module_utils._services.doors import Door, door
from ansible_collections.printfleet.cups.plugins.module_utils._services.reading import SAMBA, Services
from ansible_collections.printfleet.cups.plugins.module_utils._services.sockets import Socket

_SMB = (445, 139)
_NETBIOS = 137


def judge(services: Services, policy: Policy) -> List[Finding]:
    """All that is to be said of smbd and nmbd."""
    doors = [(port, door(policy, "tcp", port)) for port in _SMB]
    opened = [(port, entrance) for port, entrance in doors if entrance.open]
    live = tuple(s for s in services.sockets if s.protocol == "tcp" and s.outside and s.held_by("smbd"))
    if not opened:
        return _not_asked(services, doors, live)
    port, entrance = opened[0]
    if not any(s.port in dict(opened) for s in live):
        return [_not_served(services, port, entrance)]
    return _hosts(services, entrance) + _names(services, policy)


def _not_served(services: Services, port: int, entrance: Door) -> Finding:
    conf = services.samba
    in_vain = "so %s lets people in for nothing" % entrance.named
    if conf is None:
        return Finding(
            NOTE, "there is no such file and smbd listens on no port, %s" % in_vain, SAMBA,
            "install Samba, or leave smb_sharing out of cups_firewall_profiles",
        )
    if conf.loopback_only and conf.interfaces:
        return Finding(
            WARNING, "with 'bind interfaces only' Samba listens for this host itself only, %s" % in_vain,
            str(conf.interfaces.place), "name the interface of those who print there, and restart smbd",
        )
    if conf.ports_place and not set(conf.ports) & set(_SMB):
        return Finding(
            WARNING, "Samba listens on other ports than 445 and 139, %s" % in_vain, str(conf.ports_place),
            "remove the line and restart smbd",
        )
    if not services.runs("smbd"):
        return Finding(
            WARNING, "Samba is there and smbd does not run, %s" % in_vain, conf.path,
            "start it (systemctl enable --now smbd), or leave smb_sharing out of cups_firewall_profiles",
        )
    return Finding(
        WARNING, "smbd runs and does not listen on %d/tcp for others, %s" % (port, in_vain), conf.path,
        "restart smbd, and look into its log if that does not help",
    )


def _hosts(services: Services, entrance: Door) -> List[Finding]:
    conf = services.samba
    if conf is None or conf.access_place is None:
        return []
    judged = access.samba_admission(conf.allow, conf.deny)
    refused = entrance.addresses - judged.addresses - addresses.of(("127.0.0.0/8", "::1"))
    if refused.empty or not judged.certain:
        return []
    if (entrance.addresses & judged.addresses).empty:
        what = "by 'hosts allow' and 'hosts deny' Samba answers none of those whom %s lets in" % entrance.named
    elif entrance.addresses == addresses.EVERYONE:
        return [Finding(
            NOTE, "by 'hosts allow' and 'hosts deny' Samba answers %s only, and %s lets anyone in"
            % (addresses.told(judged.addresses), entrance.named), str(conf.access_place),
            "name the same networks in cups_firewall_sources",
        )]
    else:
        what = "by 'hosts allow' and 'hosts deny' Samba refuses some whom %s lets in: %s" % (
            entrance.named, addresses.told(refused))
    return [Finding(
        WARNING, what, str(conf.access_place), "allow them there, or leave them out of cups_firewall_sources"
    )]


def _names(services: Services, policy: Policy) -> List[Finding]:
    entrance, conf = door(policy, "udp", _NETBIOS), services.samba
    if not entrance.open or conf is None:
        return []
    if any(s.protocol == "udp" and s.port == _NETBIOS and s.outside for s in services.sockets):
        return []
    if conf.no_netbios:
        return [Finding(
            NOTE, "'disable netbios' is set, so %s lets people in for nothing" % entrance.named, str(conf.no_netbios),
            "leave it so if your clients find the host by DNS",
        )]
    return [Finding(
        WARNING, "nmbd does not listen on 137/udp, so nobody finds this host by its NetBIOS name (%s)" % entrance.named,
        conf.path, "start it (systemctl enable --now nmbd), or set 'disable netbios = yes'",
    )]


def _not_asked(services: Services, doors: List[Tuple[int, Door]], live: Tuple[Socket, ...]) -> List[Finding]:
    conf = services.samba
    ports = [port for port, _entrance in doors if any(s.port == port for s in live)]
    if conf is None or conf.printing is None or not ports:
        return []
    closed = all(entrance.closed for port, entrance in doors if port in ports)
    return [Finding(
        NOTE, "Samba shares printers on %s, and no row lets anyone in there: %s" % (
            " and ".join("%d/tcp" % port for port in ports),
            "our rules keep it closed" if closed else "our rules leave it as the host has it",
        ), str(conf.printing), "choose smb_sharing in cups_firewall_profiles if they are to be used",
    )]
