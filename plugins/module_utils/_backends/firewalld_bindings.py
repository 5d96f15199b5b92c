# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which interfaces and sources are bound to which zone of a running firewalld, and how a binding is given back.

Hooks of wg-quick and ifupdown, and administrators, bind at runtime only.  A reload forgets such a binding, since
FlushAllOnReload is on by default from firewalld 0.7 on (firewalld.conf(5)).  The interface then is in the default
zone, which may be closed to SSH.  NetworkManager's own bindings come back by themselves.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Set, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backend import Host
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_bus import call
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import Zone

# Kind, and its methods to move (or add) and to remove one (firewalld.dbus(5)).
_KINDS = {
    "interfaces": ("changeZoneOfInterface", "removeInterface"),
    "sources": ("changeZoneOfSource", "removeSource"),
}

Bindings = Dict[Tuple[str, str], str]  # zone by kind and name of what is bound


class Order(NamedTuple):
    """One call of firewalld's."""

    method: str
    zone: str
    bound: str


def read(host: Host) -> Bindings:
    """All bindings, by one question."""
    active = call(host, "zone", "getActiveZones") or {}
    return {
        (kind, str(name)): str(zone)
        for zone, bound in active.items() for kind in _KINDS for name in bound.get(kind, ())
    }


def together(before: Bindings, now: Bindings) -> Bindings:
    """What was bound before a change, and what came since; the change itself may have moved the former."""
    return {**now, **before}


def give_back(host: Host, held: Bindings, zones: Iterable[Zone]) -> None:
    """Bind all as it was; raises BackendError.  ``zones`` are the permanent ones."""
    for order in orders(held, read(host), permanent(zones)):
        call(host, "zone", order.method, "ss", order.zone, order.bound)


def permanent(zones: Iterable[Zone]) -> Set[Tuple[str, str]]:
    """What the zones' files bind."""
    bound: Set[Tuple[str, str]] = set()
    for zone in zones:
        bound |= {("interfaces", name) for name in zone.interfaces}
        bound |= {("sources", "ipset:" + value if kind == "ipset" else value) for kind, value in zone.sources}
    return bound


def orders(held: Bindings, now: Bindings, files: Set[Tuple[str, str]]) -> List[Order]:
    """The calls that make ``now`` what was ``held``.  Pure.

    What is bound now and was not before is taken away only where a file binds it: the load has brought it.
    All else somebody has bound in the meantime.
    """
    made = [
        Order(_KINDS[kind][0], zone, name) for (kind, name), zone in held.items() if now.get((kind, name)) != zone
    ]
    made += [
        Order(_KINDS[kind][1], zone, name) for (kind, name), zone in now.items()
        if (kind, name) not in held and (kind, name) in files
    ]
    return made
