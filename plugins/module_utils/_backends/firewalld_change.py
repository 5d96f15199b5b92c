# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the state of a host with firewalld to the change that brings a policy into force.  Pure."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Plan
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_objects,
    firewalld_running,
    firewalld_version,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_objects import NOTHING, Objects
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_running import Running, Service
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_runtime import Held
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_version import Version
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import ACCEPT, Zone
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy

UNIT = "firewalld.service"
WAS_ACTIVE = "firewalld_was_active"
WAS_ENABLED = "firewalld_was_enabled"
PANIC = (
    "firewalld is in panic mode, which drops every packet, so nothing is changed: run again when panic mode is over "
    "('firewall-cmd --panic-off' ends it)"
)


class State(NamedTuple):
    """The host as it is.  ``running`` is None while firewalld is not."""

    files: Dict[str, str]
    service: Service
    running: Optional[Running]
    default_zone: str
    zones: Tuple[Zone, ...]
    lacks_ipset: bool  # its configuration needs that program for sets, and it is not there
    memory: Dict[str, str]
    version: Version = None
    panic: bool = False  # every packet is dropped (firewall-cmd(1), --panic-on)


class Steps(NamedTuple):
    """What commit does: ``files`` to write, None for those that go; then the service; then the load."""

    files: Dict[str, Optional[str]]
    was: Service
    active: bool
    enabled: bool
    load: str  # "", "live", "plain" or "reload"
    wanted: Objects
    running: Optional[Running]
    memory: Dict[str, str]
    held: Optional[Held] = None  # what others have at runtime only, where there is a load to hold it over


def make_plan(state: State, policy: Optional[Policy]) -> Plan:
    """The change from that state to the policy; None is the wish for nothing of ours."""
    if policy is not None and state.service.masked:
        raise BackendError("%s is masked on this host: unmask it first, or name another backend" % UNIT)
    if policy is not None:
        _refuse_version(state, policy)
        if state.service.bus_masked and not state.service.active:
            raise BackendError(
                "firewalld needs D-Bus, and %s is masked on this host: unmask it first, or name another backend"
                % state.service.bus_masked
            )
    wanted = NOTHING if policy is None else firewalld_objects.render(
        policy, state.zones, state.default_zone, state.version
    )
    lacking = lack_of_sets(wanted) if state.lacks_ipset else ""
    if lacking:
        raise BackendError(lacking)
    files = {path: None for path in state.files if path not in wanted.files}  # type: Dict[str, Optional[str]]
    files.update({path: text for path, text in wanted.files.items() if state.files.get(path) != text})
    active, enabled = _wanted_service(state, policy is not None)
    steps = Steps(
        files=files,
        was=state.service,
        active=active,
        enabled=enabled,
        load=load_needed(state.running, wanted, _rewritten(state.files, files)) if active else "",
        wanted=wanted,
        running=state.running,
        memory=_memory(state) if policy is not None else {},
    )
    before, after = _describe(state, steps)
    if state.panic and policy is None and before != after:
        raise BackendError(PANIC)
    if state.panic and policy is not None:
        # Whatever is loaded, it is not in force.
        before = "running firewalld: panic mode, drops every packet\n" + before
    return Plan(before, after, steps, tuple(_warnings(state, policy, steps)), PANIC if state.panic else "")


def _refuse_version(state: State, policy: Policy) -> None:
    """Raise BackendError where that firewalld cannot do what is asked."""
    told = "firewalld %s" % ".".join(map(str, state.version or ()))
    if firewalld_version.before(state.version, firewalld_version.POLICIES):
        raise BackendError(
            "%s on this host has no policies, which come with 0.9: name another backend, or upgrade it" % told
        )
    if policy.default_incoming == "deny" and firewalld_version.before(state.version, firewalld_version.LATE_POLICIES):
        zone = next((zone for zone in state.zones if zone.name == state.default_zone), None)
        if zone is not None and zone.target == ACCEPT:
            raise BackendError(
                "the default zone '%s' of firewalld accepts everything, and %s asks no policy after that, so nothing "
                "can be denied: choose another default zone (firewall-cmd --set-default-zone), or keep the default "
                "of incoming packets" % (zone.name, told)
            )


def lack_of_sets(wanted: Objects) -> str:
    """Why sets that are wanted could not be loaded where the program ipset is missing; "" where none are.

    firewalld's backend iptables needs it for them, and so does 2.3 with the backend nftables where there are direct
    rules.  Without it a reload fails in the middle and leaves the host closed: it is refused before.
    """
    if not wanted.entries:
        return ""
    return (
        "firewalld needs the package ipset on this host, for its direct rules or its backend iptables: install it first"
    )


def _wanted_service(state: State, present: bool) -> Tuple[bool, bool]:
    """Whether the service is to be active, and enabled."""
    if present:
        return True, True
    if state.memory.get(WAS_ACTIVE) == "no":
        return False, False
    if state.memory.get(WAS_ENABLED) == "no":
        return state.service.active, False
    return state.service.active, state.service.enabled


def _memory(state: State) -> Dict[str, str]:
    found = {
        WAS_ACTIVE: "yes" if state.service.active else "no",
        WAS_ENABLED: "yes" if state.service.enabled else "no",
    }
    return {**found, **state.memory}


def _rewritten(old: Dict[str, str], files: Dict[str, Optional[str]]) -> Tuple[bool, bool]:
    """Whether a policy's file changes in more than its rules, and whether a service's or a set's does.

    firewalld may have loaded what they said till now, whatever the digest says.
    """
    heads = [
        "/policies/" in path for path, text in files.items()
        if path.endswith(".xml") and firewalld_objects.head(old.get(path)) != firewalld_objects.head(text)
        # A service or a set that goes may stay in memory: no rule names it.
        and (text is not None or "/policies/" in path)
    ]
    return True in heads, False in heads


def load_needed(running: Optional[Running], wanted: Objects, rewritten: Tuple[bool, bool] = (False, False)) -> str:
    """How a running firewalld comes to hold what is wanted.

    "" for it does; "live" for new rules and entries where services and sets stay; "plain" for rules without
    services and sets (see ``firewalld_plain``); "reload" for all else.
    """
    if running is None:
        return ""
    frame, named = rewritten
    if frame or not running.in_kernel or (not wanted.digest and running.digest):
        return "reload"
    plain = bool(wanted.plain) and _frame(running.digest) == _frame(wanted.digest)
    if plain and running.rules == wanted.plain:
        return ""
    if not named and running.digest == wanted.digest:
        if (running.rules, running.entries) == (wanted.rules, wanted.entries):
            return ""
        small = all(len(entries) <= firewalld_running.LARGEST_SET for entries in wanted.entries.values())
        small = small and all(len(rules) <= firewalld_running.MOST_RULES for rules in wanted.rules.values())
        if wanted.digest and small and _names_services(running):
            return "live"
    return "plain" if plain else "reload"


def _names_services(running: Running) -> bool:
    """Whether it holds the rules as they were loaded.

    Once they went in plain, perhaps since a service was edited by hand, memory may hold that service still.
    """
    return any(
        " service name=" in rule
        for name, rules in running.rules.items() if name != firewalld_objects.POLICY_FIND for rule in rules
    )


def _frame(digest: str) -> str:
    return firewalld_objects.frame_of(digest)


def _describe(state: State, steps: Steps) -> Tuple[str, str]:
    """Only what changes, as it is and as it will be."""
    before, after = [], []
    was = (state.service.active, state.service.enabled)
    if was != (steps.active, steps.enabled):
        for lines, (active, enabled) in ((before, was), (after, (steps.active, steps.enabled))):
            lines.append(
                "%s: %s, %s\n" % (UNIT, "active" if active else "inactive", "enabled" if enabled else "disabled")
            )
    for path in sorted(steps.files):
        for lines, text in ((before, state.files.get(path)), (after, steps.files[path])):
            lines += ["# %s\n%s" % (path, text)] if text is not None else []
    if not steps.files and steps.load and state.running is not None:
        # The files are right and firewalld holds something else.
        aim = steps.wanted
        if steps.load == "plain":
            # Services and sets stay as they are loaded, and are not used.
            aim = aim._replace(rules=aim.plain, entries=state.running.entries, digest=state.running.digest)
        held, wanted = _holding(state.running, state.running.in_kernel), _holding(aim, True)
        before += [line for line in held if line not in wanted]
        after += [line for line in wanted if line not in held]
    return "".join(before), "".join(after)


def _holding(held: Union[Running, Objects], in_kernel: bool) -> List[str]:
    """What a running firewalld holds of ours, or is to hold."""
    where = "in the kernel" if in_kernel else "not in the kernel"
    lines = ["running firewalld: state %s, %s\n" % (held.digest or "unknown", where)]
    for name, rules in sorted(held.rules.items()):
        lines += ["running policy %s: %s\n" % (name, rule) for rule in rules]
    for name, entries in sorted(held.entries.items()):
        lines += ["running ipset %s: %s\n" % (name, entry) for entry in entries]
    return lines


def _warnings(state: State, policy: Optional[Policy], steps: Steps) -> List[str]:
    told = []
    if policy is None:
        return told
    if not state.service.active:
        target = next((zone.target for zone in state.zones if zone.name == state.default_zone), "default")
        if target != ACCEPT:
            told.append(
                "firewalld is switched on: its default zone '%s' refuses what neither this role nor a zone opens"
                % state.default_zone
            )
        told += [
            "starting %s stops %s, whose rules then are gone: the two exclude one another" % (UNIT, name)
            for name in state.service.evicts
        ]
    if policy.default_incoming == "deny":
        for zone in state.zones:
            if zone.target == ACCEPT and zone.name != state.default_zone and (zone.sources or zone.interfaces):
                bound = ", ".join([value for _kind, value in zone.sources] + list(zone.interfaces))
                told.append("zone '%s' lets in everything from %s but to printing ports" % (zone.name, bound))
    return told
