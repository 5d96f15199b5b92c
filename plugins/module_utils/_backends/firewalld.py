# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewalld backend: files of our own under /etc/firewalld, no file of anyone else's.

Services are the page's rows, sets hold the peers, and policies say who may do what.  A policy comes before or
after all zones, so the administrator's zones stay as they are (see ``firewalld_objects``).
"""

from __future__ import annotations

import os
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple, Union

from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, BackendError, Host, Plan, must
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_objects, firewalld_running, firewalld_zones,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_objects import NOTHING, Objects
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_running import Running, Service
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import ACCEPT, Zone
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy

UNIT = "firewalld.service"
WAS_ACTIVE = "firewalld_was_active"
WAS_ENABLED = "firewalld_was_enabled"
_HALF = "the files are as before, but firewalld could not be brought back to them"


class State(NamedTuple):
    """The host as it is.  ``running`` is None while firewalld is not."""

    files: Dict[str, str]
    service: Service
    running: Optional[Running]
    default_zone: str
    zones: Tuple[Zone, ...]
    memory: Dict[str, str]


class Steps(NamedTuple):
    """What commit does: ``files`` to write, None for those that go; then the service; then the load."""

    files: Dict[str, Optional[str]]
    was: Service
    active: bool
    enabled: bool
    load: str  # "", "live" or "reload"
    wanted: Objects
    running: Optional[Running]
    memory: Dict[str, str]


class Firewalld:
    """Policies, services and sets of our own; see ``_backend.Backend`` for the methods."""

    name = "firewalld"

    def __init__(self, host: Host) -> None:
        self._host = host

    def missing(self) -> List[str]:
        return [] if self._host.program("firewall-cmd") else ["firewalld"]

    def active(self) -> bool:
        return self._host.run(["systemctl", "is-active", "--quiet", UNIT]).status == 0

    def read(self, memory: dict) -> State:
        configuration = _files.read(firewalld_zones.CONFIGURATION)
        service = firewalld_running.service(self._host)
        files = {path: _files.read(path) or "" for path in _own_files()}
        return State(
            files=files,
            service=service,
            running=self._running(files) if service.active else None,
            default_zone=firewalld_zones.setting(configuration, "DefaultZone", "public"),
            zones=firewalld_zones.read_zones(),
            memory=dict(memory),
        )

    def _running(self, files: Iterable[str]) -> Running:
        configuration = _files.read(firewalld_zones.CONFIGURATION)
        backend = firewalld_zones.setting(configuration, "FirewallBackend", "nftables")
        return firewalld_running.read(self._host, backend == "nftables", firewalld_objects.sets_among(files))

    def plan(self, state: State, policy: Optional[Policy]) -> Plan:
        if policy is not None and state.service.masked:
            raise BackendError("%s is masked on this host: unmask it first, or name another backend" % UNIT)
        wanted = NOTHING if policy is None else firewalld_objects.render(policy, state.zones, state.default_zone)
        files = {path: None for path in state.files if path not in wanted.files}  # type: Dict[str, Optional[str]]
        files.update({path: text for path, text in wanted.files.items() if state.files.get(path) != text})
        active, enabled = _wanted_service(state, policy is not None)
        steps = Steps(
            files=files,
            was=state.service,
            active=active,
            enabled=enabled,
            load=_load(state.running, wanted) if active else "",
            wanted=wanted,
            running=state.running,
            memory=_memory(state) if policy is not None else {},
        )
        before, after = _describe(state, steps)
        return Plan(before, after, steps, tuple(_warnings(state, policy, steps)))

    def commit(self, plan: Plan) -> dict:
        """Files first, so that firewalld never runs without them; put back if the load fails."""
        steps: Steps = plan.steps
        snapshot = _files.keep(steps.files)
        try:
            self._write(steps)
            if steps.active and not steps.was.active:
                self._start()
            elif steps.load == "reload":
                firewalld_running.reload(self._host)
            elif steps.load == "live" and steps.running is not None:
                self._change_live(steps.running, steps.wanted)
            if steps.active:
                self._verify(steps.wanted)
            if steps.was.active and not steps.active:
                must(self._host, ["systemctl", "stop", UNIT])
            if steps.was.enabled != steps.enabled:
                must(self._host, ["systemctl", "enable" if steps.enabled else "disable", UNIT])
        except (BackendError, OSError) as error:
            raise BackendError("%s%s" % (error, self._undo(steps, snapshot))) from error
        return steps.memory

    def _write(self, steps: Steps) -> None:
        for path, text in steps.files.items():
            _files.replace(path, text)

    def _start(self) -> None:
        # A firewalld that starts with a broken file falls back to its stock configuration (1.3) or to
        # none at all, so the files are checked before.  A reload checks them by itself.
        must(self._host, ["firewall-offline-cmd", "--check-config"])
        must(self._host, ["systemctl", "start", UNIT])

    def _change_live(self, running: Running, wanted: Objects) -> None:
        for name, entries in wanted.entries.items():
            if running.entries.get(name) != entries:
                firewalld_running.set_entries(self._host, name, entries)
        for name, rules in wanted.rules.items():
            if running.rules.get(name) != rules:
                firewalld_running.set_rules(self._host, name, rules)

    def _verify(self, wanted: Objects) -> None:
        """Ask firewalld itself; it answers only once it has loaded everything."""
        if _load(self._running(wanted.files), wanted):
            raise BackendError("firewalld does not hold what was loaded, see 'journalctl -u firewalld'")

    def _undo(self, steps: Steps, snapshot: "_files.Snapshot") -> str:
        """Make the host as it was; gives the words that end the message."""
        try:
            return "; everything is as before" if self._put_back(steps, snapshot) else "; %s" % _HALF
        except (BackendError, OSError) as error:
            return "; %s: %s" % (_HALF, error)

    def _put_back(self, steps: Steps, snapshot: "_files.Snapshot") -> bool:
        _files.put_back(snapshot)
        service = firewalld_running.service(self._host)
        trouble = []
        if service.active != steps.was.active:
            trouble.append(self._host.run(["systemctl", "start" if steps.was.active else "stop", UNIT]))
        elif steps.was.active and steps.load and self._running(_own_files()) != steps.running:
            firewalld_running.reload(self._host)
        if service.enabled != steps.was.enabled:
            trouble.append(self._host.run(["systemctl", "enable" if steps.was.enabled else "disable", UNIT]))
        return not any(result.status for result in trouble)


def _own_files() -> List[str]:
    """Paths of all files that carry our names, those included that firewall-cmd leaves as .old."""
    found = []
    for kind in ("services", "ipsets", "policies"):
        folder = "%s/%s" % (firewalld_objects.FOLDER, kind)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            stem = name.partition(".xml")[0]
            ours = stem in firewalld_objects.POLICIES if kind == "policies" else stem.startswith(OWNER + "-")
            if ours and name in (stem + ".xml", stem + ".xml.old"):
                found.append("%s/%s" % (folder, name))
    return found


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


def _load(running: Optional[Running], wanted: Objects) -> str:
    """How a running firewalld comes to hold what is wanted: "" for it does, "live" or "reload"."""
    if running is None:
        return ""
    same = (running.rules, running.entries, running.digest) == (wanted.rules, wanted.entries, wanted.digest)
    if same and running.in_kernel:
        return ""
    small = all(len(entries) <= firewalld_running.LARGEST_SET for entries in wanted.entries.values())
    # The digest stands for all that only a reload can change.
    return "live" if running.digest == wanted.digest and running.in_kernel and wanted.digest and small else "reload"


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
        before += _holding(state.running, state.running.in_kernel)
        after += _holding(steps.wanted, True)
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
