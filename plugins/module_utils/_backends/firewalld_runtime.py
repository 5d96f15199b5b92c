# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others changed in the running firewalld only: held over a reload, which would forget it.

fail2ban's bans and rules tried without --permanent live there.  So a reload of ours changes nothing that is
not ours.  Bindings of interfaces are left out: firewalld itself holds them over a reload.

Where there are direct rules, a reload also empties all tables of iptables, Docker's and everybody's (measured,
firewalld 2.3): firewalld takes them for its own.  So they are held as well, beside its backend nftables.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, BackendError, Host, must
from ansible_collections.printfleet.cups.plugins.module_utils._backends import firewalld_zones
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_bus import call
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_objects import POLICIES

# D-Bus name of the kind, its methods to read and to add, and the signature of one (firewalld.dbus(5)).
_DIRECT = (
    ("getAllChains", "addChain", "sss"),
    ("getAllRules", "addRule", "sssias"),
    ("getAllPassthroughs", "addPassthrough", "sas"),
)
# What no running firewalld lets one set, and the interfaces.
_FIXED = (
    "short", "description", "version", "target", "priority", "ingress_priority", "egress_priority", "interfaces",
)
_IPTABLES = ("iptables", "ip6tables")
# Packet counters and the remarks of iptables-save, which differ at each look.
_VOLATILE = re.compile(r"(?m)^#.*\n|\[\d+:\d+\]")


class Held(NamedTuple):
    """Settings of zones and policies that are not ours, entries of sets, and direct rules, as firewalld tells them.

    ``tables`` are all tables of iptables, by its name.
    """

    zones: Dict[str, dict]
    policies: Dict[str, dict]
    sets: Dict[str, list]
    direct: Dict[str, list]
    tables: Tuple[Tuple[str, str], ...] = ()


def hold(host: Host) -> Held:
    """Read it all, of the zones those that have to do with packets now."""
    held = _hold(host, [call(host, "", "getDefaultZone")] + list(call(host, "zone", "getActiveZones") or {}))
    configuration = _files.read(firewalld_zones.CONFIGURATION)
    if firewalld_zones.setting(configuration, "FirewallBackend", "nftables") != "nftables":
        # Then firewalld's own rules are in there, ours among them.
        return held
    return held._replace(tables=tuple((name, _saved(host, name)) for name in _IPTABLES if _has(host, name)))


def together(before: Held, now: Held) -> Held:
    """What there was before a change, which may have been killed right after its reload, and what came since."""
    kept = [line for _name, tables in before.tables for line in tables.splitlines() if line.startswith("-A ")]
    lost = not any(line in tables for line in kept for _name, tables in now.tables)
    return Held(
        {name: _joined(before.zones.get(name, {}), now.zones.get(name, {})) for name in {**before.zones, **now.zones}},
        {
            name: _joined(before.policies.get(name, {}), now.policies.get(name, {}))
            for name in {**before.policies, **now.policies}
        },
        {name: _union(before.sets.get(name, []), now.sets.get(name, [])) for name in {**before.sets, **now.sets}},
        {read: _union(before.direct.get(read, []), rules) for read, rules in now.direct.items()},
        before.tables if lost else now.tables,
    )


def _joined(before: dict, now: dict) -> dict:
    """Two settings of one zone in one: lists together, of all else the later."""
    return {
        key: {"type": now[key]["type"], "data": _union(before[key]["data"], now[key]["data"])}
        if key in before and key in now and isinstance(now[key]["data"], list) else now.get(key, before.get(key))
        for key in {**before, **now}
    }


def _union(before: list, now: list) -> list:
    return list(before) + [item for item in now if item not in before]


def _has(host: Host, name: str) -> bool:
    return bool(host.program(name + "-save")) and bool(host.program(name + "-restore"))


def _saved(host: Host, name: str) -> str:
    return must(host, [name + "-save"])


def _hold(host: Host, zones: Iterable[str]) -> Held:
    known = call(host, "zone", "getZones") or ()
    names = [name for name in dict.fromkeys(zones) if name in known]
    policies = [name for name in call(host, "policy", "getPolicies") or () if name not in POLICIES]
    sets = [name for name in call(host, "ipset", "getIPSets") or () if not name.startswith(OWNER + "-")]
    return Held(
        {name: _settings(call(host, "zone", "getZoneSettings2", "s", name)) for name in names},
        {name: _settings(call(host, "policy", "getPolicySettings", "s", name)) for name in policies},
        {name: entries for name, entries in ((name, _entries(host, name)) for name in sets) if entries is not None},
        {read: list(call(host, "direct", read) or ()) for read, _add, _signature in _DIRECT},
    )


def give_back(host: Host, held: Held) -> None:
    """Make what others have as it was; what no longer exists in any file cannot come back and is passed over."""
    now = _hold(host, held.zones)
    for name in held.zones:
        changed = _changed(held.zones[name], now.zones.get(name))
        if changed:
            call(host, "zone", "setZoneSettings2", "sa{sv}", name, changed)
    for name in held.policies:
        changed = _changed(held.policies[name], now.policies.get(name))
        if changed:
            call(host, "policy", "setPolicySettings", "sa{sv}", name, changed)
    for name, entries in held.sets.items():
        if sorted(entries) != sorted(now.sets.get(name, entries)):
            call(host, "ipset", "setEntries", "sas", name, entries)
    for read, add, signature in _DIRECT:
        for lost in (entry for entry in held.direct[read] if entry not in now.direct[read]):
            call(host, "direct", add, signature, *lost)
    for name, tables in held.tables:
        if "\n-A " in tables and _VOLATILE.sub("", _saved(host, name)) != _VOLATILE.sub("", tables):
            # Each table in one transaction.
            must(host, [name + "-restore", "-w", "10"], tables)


def _entries(host: Host, name: str) -> Optional[List[str]]:
    """The entries of a set, None where firewalld has none to tell: it has a timeout, or no rule uses it (2.3)."""
    try:
        return list(call(host, "ipset", "getEntries", "s", name) or ())
    except BackendError as error:
        if "IPSET_WITH_TIMEOUT" in str(error) or "NOT_APPLIED" in str(error):
            return None
        raise


def _settings(settings: dict) -> dict:
    """What can be set while firewalld runs."""
    return {key: value for key, value in settings.items() if key not in _FIXED}


def _changed(was: dict, now: Optional[dict]) -> dict:
    """The settings to give back; firewalld leaves empty ones out, so what is new now has to be emptied."""
    if now is None:
        return {}
    changed = {key: value for key, value in was.items() if not _same(value, now.get(key))}
    new = {key: value["type"] for key, value in now.items() if key not in was and value["type"].startswith("a")}
    changed.update({key: {"type": kind, "data": []} for key, kind in new.items()})
    return changed


def _same(one: dict, other: Optional[dict]) -> bool:
    if other is None or not isinstance(one["data"], list):
        return one == other
    return sorted(map(repr, one["data"])) == sorted(map(repr, other["data"]))
