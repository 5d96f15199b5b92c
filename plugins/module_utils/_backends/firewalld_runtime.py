# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others changed in the running firewalld only: held over a reload, which would forget it.

fail2ban's bans, rules tried without --permanent and bindings to zones live there.  So a reload of ours changes
nothing that is not ours.  What was added for a time only (--timeout) still ends in time: firewalld keeps its timers
over a reload (server/firewalld.py of 0.9, 1.3 and 2.3; measured).

A reload may also empty all tables of iptables, Docker's and everybody's, and so may a start or a stop (see
``hold_tables``): firewalld takes them for its own.  So they are held as well, beside its backend nftables.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, BackendError, Host, must
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_bindings,
    firewalld_zones,
    iptables_tables,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_bindings import Bindings
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_bus import call
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_objects import POLICIES

# D-Bus name of the kind, its methods to read and to add, and the signature of one (firewalld.dbus(5)).
_DIRECT = (
    ("getAllChains", "addChain", "sss"),
    ("getAllRules", "addRule", "sssias"),
    ("getAllPassthroughs", "addPassthrough", "sas"),
)
# Who may change firewalld while lockdown is on: methods to read and to add, and the signature of one.
_WHITELIST = (
    ("getLockdownWhitelistCommands", "addLockdownWhitelistCommand", "s"),
    ("getLockdownWhitelistContexts", "addLockdownWhitelistContext", "s"),
    ("getLockdownWhitelistUsers", "addLockdownWhitelistUser", "s"),
    ("getLockdownWhitelistUids", "addLockdownWhitelistUid", "i"),
)
_LOCKDOWN = "queryLockdown"
# An interface that no zone has.
_NOBODY = "printfleet-none"
# What no running firewalld lets one set, and the bindings, which are held by themselves.
_FIXED = (
    "short", "description", "version", "target", "priority", "ingress_priority", "egress_priority", "interfaces",
    "sources",
)
_IPTABLES = ("iptables", "ip6tables")


class Held(NamedTuple):
    """Settings of zones and policies that are not ours, entries of sets, and direct rules, as firewalld tells them.

    ``tables`` are all tables of iptables, by its name.  ``lockdown`` are the answers to questions about it, by method.
    """

    zones: Dict[str, dict]
    policies: Dict[str, dict]
    sets: Dict[str, list]
    direct: Dict[str, list]
    tables: Tuple[Tuple[str, str], ...] = ()
    bindings: Bindings = {}
    lockdown: Dict[str, Any] = {}


def hold(host: Host) -> Held:
    """Read it all.  The zones that have to do with packets now come first, so that they are given back first."""
    bindings = firewalld_bindings.read(host)
    zones = [call(host, "", "getDefaultZone"), *bindings.values(), *(call(host, "zone", "getZones") or ())]
    policies = [name for name in call(host, "policy", "getPolicies") or () if name not in POLICIES]
    sets = [name for name in call(host, "ipset", "getIPSets") or () if not name.startswith(OWNER + "-")]
    held = Held(
        {name: _zone(host, name) for name in dict.fromkeys(zones)},
        {name: _policy(host, name) for name in policies},
        {name: entries for name, entries in ((name, _entries(host, name)) for name in sets) if entries is not None},
        {read: list(call(host, "direct", read) or ()) for read, _add, _signature in _DIRECT},
        bindings=bindings,
        lockdown=_lockdown(host),
    )
    return held._replace(tables=hold_tables(host).tables)


def hold_tables(host: Host) -> Held:
    """The tables of iptables alone, for a firewalld that does not run before or afterwards.

    firewalld 1.3 empties them at each start, stop and reload (measured on Debian 12), 2.3 where it has direct rules.
    """
    nothing = Held({}, {}, {}, {read: [] for read, _add, _signature in _DIRECT})
    configuration = _files.read(firewalld_zones.CONFIGURATION)
    if firewalld_zones.setting(configuration, "FirewallBackend", "nftables") != "nftables":
        # Then firewalld's own rules are in there, ours among them.
        return nothing
    return nothing._replace(tables=tuple((name, _saved(host, name)) for name in _IPTABLES if _has(host, name)))


def tables_together(before: Held, now: Held) -> Held:
    """The tables as they are now, or as they were where they have been emptied since."""
    kept = [line for _name, tables in before.tables for line in tables.splitlines() if line.startswith("-A ")]
    lost = bool(kept) and not any(line in tables for line in kept for _name, tables in now.tables)
    return now._replace(tables=before.tables if lost else now.tables)


def locked_out(host: Host, held: Held) -> str:
    """Why nothing could be given back after a reload; "" where it can be.

    Lockdown refuses all changes by programs and users that its whitelist does not name, and takes a reload by anybody
    (measured, firewalld 1.3).  So it is asked before, by a call that can change nothing.
    """
    if not held.lockdown.get(_LOCKDOWN):
        return ""
    try:
        call(host, "zone", "removeInterface", "ss", "", _NOBODY)
    except BackendError as error:
        if "ACCESS_DENIED" in str(error):
            return (
                "firewalld is in lockdown, and its whitelist does not name root, so that runtime changes of others "
                "would be lost by a reload: add <user id=\"0\"/> to /etc/firewalld/lockdown-whitelist.xml first, which "
                "counts once firewalld has loaded it"
            )
        if "UNKNOWN_INTERFACE" not in str(error):
            raise
    return ""


def give_back_bindings(host: Host, held: Held) -> None:
    """Only those."""
    firewalld_bindings.give_back(host, held.bindings, firewalld_zones.read_zones())


def together(before: Held, now: Held) -> Held:
    """What there was before a change, which may have been killed right after its reload, and what came since."""
    return Held(
        {name: _joined(before.zones.get(name, {}), now.zones.get(name, {})) for name in {**before.zones, **now.zones}},
        {
            name: _joined(before.policies.get(name, {}), now.policies.get(name, {}))
            for name in {**before.policies, **now.policies}
        },
        {name: _union(before.sets.get(name, []), now.sets.get(name, [])) for name in {**before.sets, **now.sets}},
        {read: _union(before.direct.get(read, []), rules) for read, rules in now.direct.items()},
        tables_together(before, now).tables,
        firewalld_bindings.together(before.bindings, now.bindings),
        {key: _both(before.lockdown.get(key), now.lockdown.get(key)) for key in {**before.lockdown, **now.lockdown}},
    )


def _both(before: Any, now: Any) -> Any:
    return _union(before or [], now or []) if isinstance(before or now, list) else bool(before or now)


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


def give_back(host: Host, held: Held) -> None:
    """Make what others have as it was; raises BackendError once all has been tried.

    The way in comes first: until an interface is back in its zone, new connections meet the default zone.  What no
    longer exists in any file cannot come back.
    """
    troubles: List[str] = []
    parts = (
        give_back_bindings, _give_zones, _give_policies, _give_sets, _give_direct, give_back_tables, _give_lockdown,
    )
    for part in parts:
        try:
            part(host, held)
        except BackendError as error:
            troubles.append(str(error))
    if troubles:
        raise BackendError("; ".join(troubles))


def _give_zones(host: Host, held: Held) -> None:
    known = call(host, "zone", "getZones") or ()
    for name in (name for name in held.zones if name in known):
        changed = _changed(held.zones[name], _zone(host, name))
        if changed:
            call(host, "zone", "setZoneSettings2", "sa{sv}", name, changed)


def _give_policies(host: Host, held: Held) -> None:
    known = call(host, "policy", "getPolicies") or ()
    for name in (name for name in held.policies if name in known):
        changed = _changed(held.policies[name], _policy(host, name))
        if changed:
            call(host, "policy", "setPolicySettings", "sa{sv}", name, changed)


def _give_sets(host: Host, held: Held) -> None:
    known = call(host, "ipset", "getIPSets") or ()
    for name in (name for name in held.sets if name in known):
        now = _entries(host, name)
        if now is not None and sorted(held.sets[name]) != sorted(now):
            call(host, "ipset", "setEntries", "sas", name, held.sets[name])


def _give_direct(host: Host, held: Held) -> None:
    for read, add, signature in _DIRECT:
        now = call(host, "direct", read) or ()
        for lost in (entry for entry in held.direct[read] if entry not in now):
            call(host, "direct", add, signature, *lost)


def give_back_tables(host: Host, held: Held) -> None:
    """Only those of iptables."""
    for name, tables in held.tables:
        # Only what lost a rule: somebody else may have changed another table since it was read.
        lost = iptables_tables.to_restore(tables, _saved(host, name)) if "\n-A " in tables else ""
        if lost:
            # Each table in one transaction.
            must(host, [name + "-restore", "-w", "10"], lost)


def _give_lockdown(host: Host, held: Held) -> None:
    """Lockdown itself at last, since it may shut us out as well."""
    for read, add, signature in _WHITELIST:
        wanted = held.lockdown.get(read) or ()
        now = call(host, "policies", read) or () if wanted else ()
        for lost in (entry for entry in wanted if entry not in now):
            call(host, "policies", add, signature, lost)
    if held.lockdown.get(_LOCKDOWN) and not call(host, "policies", _LOCKDOWN):
        call(host, "policies", "enableLockdown")


def _lockdown(host: Host) -> Dict[str, Any]:
    """Nothing for a firewalld that has none: it went with 2.0."""
    try:
        on = bool(call(host, "policies", _LOCKDOWN))
        return {_LOCKDOWN: on, **{read: list(call(host, "policies", read) or ()) for read, _add, _kind in _WHITELIST}}
    except BackendError as error:
        if re.search("[Uu]nknown ?(method|interface|object)|No such (method|interface)", str(error), re.I):
            return {}
        raise


def _zone(host: Host, name: str) -> dict:
    return _settings(call(host, "zone", "getZoneSettings2", "s", name) or {})


def _policy(host: Host, name: str) -> dict:
    return _settings(call(host, "policy", "getPolicySettings", "s", name) or {})


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


def _changed(was: dict, now: dict) -> dict:
    """The settings to give back; firewalld leaves empty ones out, so what is new now has to be emptied."""
    changed = {key: value for key, value in was.items() if not _same(value, now.get(key))}
    new = {key: value["type"] for key, value in now.items() if key not in was and value["type"].startswith("a")}
    changed.update({key: {"type": kind, "data": []} for key, kind in new.items()})
    return changed


def _same(one: dict, other: Optional[dict]) -> bool:
    if other is None or not isinstance(one["data"], list):
        return one == other
    return sorted(map(repr, one["data"])) == sorted(map(repr, other["data"]))
