# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewalld backend: files of our own under /etc/firewalld, no file of anyone else's.

Services are the page's rows, sets hold the peers, and policies say who may do what.  A policy comes before or
after all zones, so the administrator's zones stay as they are (see ``firewalld_objects``).

What firewalld cannot say, so that it stays as it is: a ban by a rich rule of a zone (fail2ban's action
firewallcmd-rich-rules) or by the zone drop does not reach the ports of our openings, since these come before all
zones.  Bans by direct rules (firewallcmd-new, -multiport, -allports, -ipset) and by fail2ban's nftables actions,
which Debian's package uses, stand in tables of their own, and a packet has to pass these as well.
"""

from __future__ import annotations

import os
from typing import Dict, Iterable, List, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _files, _helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import (
    ACTIVE,
    DISABLED,
    MASKED,
    MISSING,
    OUSTED,
    OWNER,
    STOPPED,
    BackendError,
    Host,
    Plan,
    must,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_bus,
    firewalld_drift,
    firewalld_findings,
    firewalld_objects,
    firewalld_running,
    firewalld_runtime,
    firewalld_version,
    firewalld_zones,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_change import (
    UNIT,
    State,
    Steps,
    lack_of_sets,
    load_needed,
    make_plan,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_objects import Objects
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_running import Running
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_runtime import Held
from ansible_collections.printfleet.cups.plugins.module_utils._drift import Cause
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy


class Firewalld:
    """Policies, services and sets of our own; see ``_backend.Backend`` for the methods."""

    name = "firewalld"

    def __init__(self, host: Host) -> None:
        self._host = host

    def missing(self) -> List[str]:
        missing = [] if self._host.program("firewall-cmd") else ["firewalld"]
        # firewalld knows protocols by their names there; without it, its own services esp and ah are invalid to
        # it, and so is the whole configuration. Debian's package only recommends netbase.
        return missing if os.path.exists("/etc/protocols") else missing + ["netbase"]

    def active(self) -> bool:
        return self._host.run(["systemctl", "is-active", "--quiet", UNIT]).status == 0

    def standing(self) -> str:
        if not self._host.program("firewall-cmd"):
            return MISSING
        service = firewalld_running.service(self._host)
        if service.active or service.masked:
            return ACTIVE if service.active else MASKED
        if not service.enabled:
            return DISABLED
        return OUSTED if service.evicts else STOPPED

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
            lacks_ipset=self._host.program("ipset") is None and self._needs_ipset(configuration),
            memory=dict(memory),
            version=firewalld_version.read(),
            panic=service.active and firewalld_running.panic(self._host),
        )

    def _needs_ipset(self, configuration: Optional[str]) -> bool:
        by_iptables = firewalld_zones.setting(configuration, "FirewallBackend", "nftables") == "iptables"
        return _has_direct_rules() or by_iptables

    def _running(self, files: Iterable[str]) -> Running:
        return firewalld_running.read(self._host, self._by_nftables(), firewalld_objects.sets_among(files))

    def _by_nftables(self) -> bool:
        configuration = _files.read(firewalld_zones.CONFIGURATION)
        return firewalld_zones.setting(configuration, "FirewallBackend", "nftables") == "nftables"

    def plan(self, state: State, policy: Optional[Policy]) -> Plan:
        made = make_plan(state, policy)
        if not made.steps.load:
            if made.steps.active == state.service.active:
                return made
            # A stop forgets what a reload forgets, and both a start and a stop may empty the tables of iptables.
            held = (firewalld_runtime.hold if state.service.active else firewalld_runtime.hold_tables)(self._host)
            return made._replace(steps=made.steps._replace(held=held))
        # Part of the plan, so that a change that is killed right after its reload can still be taken back whole.
        held = firewalld_runtime.hold(self._host)
        obstacle = made.obstacle or firewalld_runtime.locked_out(self._host, held)
        if not obstacle and any(held.direct.values()) and self._host.program("ipset") is None:
            obstacle = lack_of_sets(made.steps.wanted)
        if obstacle and policy is None:
            raise BackendError(obstacle)
        return made._replace(steps=made.steps._replace(held=held), obstacle=obstacle)

    def commit(self, plan: Plan) -> dict:
        """Files first, so that firewalld never runs without them."""
        steps: Steps = plan.steps
        held = steps.held
        self._write(steps)
        _helpers.load(self._host, steps.wanted.files.get(_helpers.PATH))
        if steps.active and not steps.was.active:
            held = firewalld_runtime.hold_tables(self._host)
            self._start()
        elif steps.load == "reload" and steps.running is not None and held is not None:
            # As it is in this moment: others may have changed something since the plan was made.
            held = firewalld_runtime.hold(self._host)
            firewalld_running.reload(self._host, steps.running.in_kernel, held)
        elif steps.load == "live" and steps.running is not None:
            self._change_live(steps.running, steps.wanted.rules, steps.wanted.entries)
        elif steps.load == "plain" and steps.running is not None:
            self._change_live(steps.running, steps.wanted.plain, {})
        if steps.active:
            self._verify(steps.wanted)
            if steps.load == "reload" and held is not None:
                # NetworkManager binds its interfaces anew when it hears of the reload, which may be after we did.
                firewalld_runtime.give_back_bindings(self._host, held)
            if not steps.was.active and held is not None:
                firewalld_runtime.give_back_tables(self._host, held)
        if steps.was.active and not steps.active:
            now = firewalld_runtime.hold_tables(self._host)
            must(self._host, ["systemctl", "stop", UNIT])
            if held is None or not any(held.direct.values()):
                firewalld_runtime.give_back_tables(self._host, now)
        if steps.was.enabled != steps.enabled:
            must(self._host, ["systemctl", "enable" if steps.enabled else "disable", UNIT])
        return steps.memory

    def unhelped(self) -> str:
        # With its backend iptables firewalld 1.3 and 2.3 refuse their whole configuration for a helper on the way
        # out: "INVALID_POLICY: Can't convert policy to chain name".
        return "" if self._by_nftables() else "firewalld's backend iptables sets no conntrack helper on what goes out"

    def findings(self, known: Ours) -> List[Finding]:
        return firewalld_findings.find(firewalld_findings.read(self._host), known, self._by_nftables())

    def causes(self, state: State, plan: Optional[Plan]) -> List[Cause]:
        return firewalld_drift.causes(state, plan.steps if plan else None)

    def paths(self, plan: Plan) -> List[str]:
        return list(plan.steps.files)

    def units(self) -> List[str]:
        return [UNIT]

    def undo(self, steps: Steps) -> None:
        if not steps.was.active:
            self._stop(steps.held)
        elif not firewalld_running.service(self._host).active:
            now = firewalld_runtime.hold_tables(self._host)
            firewalld_bus.start(self._host, UNIT)
            if steps.held is not None:
                tables = firewalld_runtime.tables_together(steps.held, now).tables
                firewalld_runtime.give_back(self._host, steps.held._replace(tables=tables))
        elif steps.load:
            self._load_again(steps)

    def unlike(self, steps: Steps) -> str:
        service = firewalld_running.service(self._host)
        if (service.active, service.enabled) != (steps.was.active, steps.was.enabled):
            return "%s is %s and %s, other than before" % (
                UNIT, "active" if service.active else "inactive", "enabled" if service.enabled else "disabled")
        if service.active and steps.load and steps.running is not None:
            running = self._running(_own_files())
            if running._replace(in_kernel=True) != steps.running._replace(in_kernel=True) or not running.in_kernel:
                return "firewalld does not hold what it held before"
        return ""

    def _write(self, steps: Steps) -> None:
        for path, text in steps.files.items():
            _files.replace(path, text)

    def _start(self) -> None:
        # A firewalld that starts with a broken file falls back to its stock configuration (1.3) or to
        # none at all, so the files are checked before.  A reload checks them by itself.
        must(self._host, ["firewall-offline-cmd", "--check-config"])
        firewalld_bus.start(self._host, UNIT)

    def _stop(self, before: Optional[Held]) -> None:
        """After a start of ours; ``before`` is what there was before it, direct rules of firewalld not among it."""
        held = firewalld_runtime.hold_tables(self._host)
        if before is not None:
            held = before if _has_direct_rules() else firewalld_runtime.tables_together(before, held)
        must(self._host, ["systemctl", "stop", UNIT])
        # A firewalld that fails or is killed while it starts leaves its rules, and nobody takes them away any more.
        self._host.run(["systemctl", "reset-failed", UNIT])
        for family in ("inet", "ip", "ip6"):
            if self._host.run(["nft", "list", "table", family, "firewalld"]).status == 0:
                must(self._host, ["nft", "delete", "table", family, "firewalld"])
        firewalld_runtime.give_back_tables(self._host, held)

    def _change_live(
        self, running: Running, rules: Dict[str, Tuple[str, ...]], entries: Dict[str, Tuple[str, ...]]
    ) -> None:
        for name, wanted in entries.items():
            if running.entries.get(name) != wanted:
                firewalld_running.set_entries(self._host, name, wanted)
        for name, wanted in rules.items():
            if running.rules.get(name) != wanted:
                firewalld_running.set_rules(self._host, name, wanted)

    def _verify(self, wanted: Objects) -> None:
        """Ask firewalld itself; it answers only once it has loaded everything."""
        if load_needed(self._running(wanted.files), wanted):
            raise BackendError("firewalld does not hold what was loaded, see 'journalctl -u firewalld'")

    def _load_again(self, steps: Steps) -> None:
        held = firewalld_runtime.hold(self._host)
        if steps.held is not None:
            held = firewalld_runtime.together(steps.held, held)
        try:
            running = self._running(_own_files())
            was = steps.running
            if steps.load in ("live", "plain") and was is not None and _alike(running, was):
                self._change_live(running, was.rules, was.entries)
                firewalld_runtime.give_back(self._host, held)
            elif running != was:
                firewalld_running.reload(self._host, running.in_kernel, held)
            else:
                # An earlier taking back may have been killed between its reload and this.
                firewalld_runtime.give_back(self._host, held)
        except BackendError:
            # A reload that fails halfway leaves firewalld in its state FAILED and the host closed.
            firewalld_bus.start(self._host, UNIT, "restart")
            firewalld_runtime.give_back(self._host, held)


def _alike(one: Running, other: Running) -> bool:
    """Whether the two differ in rules and entries only."""
    return one.in_kernel and (one.digest, set(one.rules), set(one.entries)) == (
        other.digest, set(other.rules), set(other.entries)
    )


def _has_direct_rules() -> bool:
    """Whether firewalld is given any at each start (firewalld.direct(5))."""
    direct = _files.read(firewalld_objects.FOLDER + "/direct.xml") or ""
    return any("<%s" % element in direct for element in ("rule", "chain", "passthrough"))


def _own_files() -> List[str]:
    """Paths of all files that carry our names, those included that firewall-cmd leaves as .old."""
    found = [_helpers.PATH] if os.path.exists(_helpers.PATH) else []
    for kind in ("services", "ipsets", "policies"):
        folder = "%s/%s" % (firewalld_objects.FOLDER, kind)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            stem = name.partition(".xml")[0]
            ours = stem in firewalld_objects.POLICIES if kind == "policies" else stem.startswith(OWNER + "-")
            if ours and name in (stem + ".xml", stem + ".xml.old"):
                found.append("%s/%s" % (folder, name))
    return found
