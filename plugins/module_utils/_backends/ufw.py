# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ufw backend: rules tagged by comment ahead of all others but bans, application profiles, one write and one load.

What ufw cannot say, so that it stays as ufw's before.rules have it: mDNS (5353/udp) and UPnP (1900/udp) multicast
comes in from anyone, since those rules stand ahead of all user rules; a default of deny for outgoing packets
refuses ICMP echo requests over IPv4, since user rules know no ICMP.  Nor can they set a conntrack helper: for
these there is a section of ours in before.rules (see ``ufw_helpers``).
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import Dict, Iterator, List, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _files, _helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import (
    ACTIVE,
    DISABLED,
    MISSING,
    BackendError,
    Host,
    Plan,
    must,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    ufw_drift,
    ufw_findings,
    ufw_helpers,
    ufw_ipv6,
    ufw_kernel,
    ufw_plan,
    ufw_settings,
    ufw_tables,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_plan import State, Steps
from ansible_collections.printfleet.cups.plugins.module_utils._drift import Cause
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy

UNIT = "ufw.service"
# ufw's own lock (ufw/util.py, create_lock): its commands wait for us and we wait for them.
LOCK = "/run/ufw.lock"
_PATIENCE = 30.0  # seconds; somebody may have left a question of ufw's unanswered


class Ufw:
    """Rules and profiles of ufw; see ``_backend.Backend`` for the methods.

    ``root`` is put before every path, so that tests can work in a folder.
    """

    name = "ufw"

    def __init__(self, host: Host, root: str = "") -> None:
        self._host = host
        self._root = root

    def missing(self) -> List[str]:
        return [] if self._host.program("ufw") else ["ufw"]

    def active(self) -> bool:
        """Switched on in ufw's own settings: a ufw that is stopped just now is in charge again after the next boot."""
        conf = _files.read(self._root + ufw_plan.CONF) or ""
        return not self.missing() and ufw_settings.is_yes(conf, ufw_settings.ENABLED)

    def standing(self) -> str:
        if self.missing():
            return MISSING
        return ACTIVE if self.active() else DISABLED

    def read(self, memory: dict) -> State:
        files = {path: _files.read(self._root + path) for path in ufw_plan.FILES}
        settings = files[ufw_plan.DEFAULTS] or ""
        ipv6 = ufw_ipv6.read(self._root)
        versions = self._versions(settings)
        enabled = ufw_settings.is_yes(files[ufw_plan.CONF] or "", ufw_settings.ENABLED)
        defaults = ufw_settings.defaults(settings)
        kernel = {
            version: ufw_kernel.read(
                self._host, version, (files[ufw_plan.RULES[version]] or "") if enabled else None, defaults
            )
            for version in versions
        }
        unit = "not known"
        if self._host.program("systemctl"):
            unit = self._host.run(["systemctl", "is-enabled", UNIT]).output.strip() or unit
        raw = ufw_helpers.read(self._host)
        missing: Tuple[str, ...] = ()
        if not enabled:
            missing = ufw_tables.missing(self._host)
        elif not raw.table:
            # Once ufw is on, its own tables are there.
            missing = (ufw_tables.RAW_TABLE,)
        if raw.table and ufw_plan.TABLES not in memory:
            missing += ufw_tables.missing_chain(self._host)
        return State(files, versions, kernel, raw, unit, ipv6, missing, dict(memory))

    def _versions(self, settings: str) -> Tuple[int, ...]:
        """The IP versions that ufw governs; without IPv6 in the kernel ip6tables may fail at all."""
        governed = ufw_ipv6.read(self._root).kernel and ufw_settings.is_yes(settings, ufw_settings.IPV6)
        return (4, 6) if governed else (4,)

    def plan(self, state: State, policy: Optional[Policy]) -> Plan:
        return ufw_plan.make(state, policy)

    def commit(self, plan: Plan) -> dict:
        steps: Steps = plan.steps
        with self._locked():
            self._check_unchanged(steps)
            self._write(steps.files)
            # Before anybody loads rules that need them.
            _helpers.load(self._host, steps.files.get(_helpers.PATH))
            if steps.command in ("", "disable"):
                self._load(steps.loads)
        if steps.command:
            # ufw takes the lock itself.  The word --force answers its question about SSH.
            must(self._host, ["ufw", "--force", steps.command])
            with self._locked():
                if steps.command == "disable":
                    self._clear(steps)
                else:
                    self._write(steps.last_files)
                    self._load(steps.loads)
        if steps.helpers is not None:
            self._help(steps.helpers)
        if steps.unit:
            must(self._host, ["systemctl", "--quiet", steps.unit, UNIT])
        ufw_tables.drop_empty(self._host, steps.gone_tables)
        return dict(steps.memory)

    def unhelped(self) -> str:
        return ""

    def findings(self, known: Ours) -> List[Finding]:
        rules = {path: _files.read(self._root + path) for path in ufw_plan.RULES.values()}
        befores = {
            version: (_files.read(self._root + path), _files.read(self._root + ufw_findings.STOCK[version]))
            for version, path in ufw_findings.BEFORE.items()
        }
        settings = _files.read(self._root + ufw_plan.DEFAULTS) or ""
        chains = {version: ufw_kernel.list_chains(self._host, version) for version in self._versions(settings)}
        folder = self._root + os.path.dirname(ufw_plan.PROFILES)
        texts = [_files.read(os.path.join(folder, name)) for name in _names(folder)]
        profiles = ufw_findings.profile_ports(text for text in texts if text is not None)
        script = ufw_findings.script(os.access(self._root + ufw_findings.BEFORE_SCRIPT, os.X_OK))
        return ufw_findings.find(rules, befores, chains, profiles, known) + script

    def causes(self, state: State, plan: Optional[Plan]) -> List[Cause]:
        return ufw_drift.causes(state, plan.steps if plan else None)

    def paths(self, plan: Plan) -> List[str]:
        return [self._root + path for path in ufw_plan.FILES]

    def units(self) -> List[str]:
        return [UNIT]

    def undo(self, steps: Steps) -> None:
        if steps.command in ("enable", "disable"):
            # ufw's files say again whether it is on; either word makes the kernel follow.
            was_on = ufw_settings.is_yes(steps.found[ufw_plan.CONF] or "", ufw_settings.ENABLED)
            must(self._host, ["ufw", "--force", "enable" if was_on else "disable"])
            with self._locked():
                # It writes them anew on its way.
                self._write(steps.found)
                if not was_on:
                    self._clear(steps)
        with self._locked():
            self._load(steps.undo_loads)
        self._help(steps.undo_helpers)
        ufw_tables.drop_empty(self._host, steps.missing_tables)

    def unlike(self, steps: Steps) -> str:
        was_on = ufw_settings.is_yes(steps.found[ufw_plan.CONF] or "", ufw_settings.ENABLED)
        for version, load in steps.undo_loads.items() if was_on else ():
            drift = ufw_kernel.read(self._host, version, load.user_rules, load.defaults).drift
            if drift:
                return "the kernel's rules (IPv%d) are %s" % (version, drift)
        for version in steps.verdicts if steps.command == "enable" and not was_on else ():
            if ufw_kernel.Kernel(ufw_kernel.list_chains(self._host, version), "").loaded(version):
                return "ufw's rules (IPv%d) are still loaded" % version
        return ""

    def _help(self, rules: Tuple[str, ...]) -> None:
        with self._locked():
            document = ufw_helpers.document(ufw_helpers.read(self._host), rules)
            if document:
                self._restore(4, document)

    def _clear(self, steps: Steps) -> None:
        for version, verdicts in steps.verdicts.items():
            chains = ufw_kernel.list_chains(self._host, version)
            self._restore(version, ufw_kernel.clearance(version, chains, verdicts, steps.clear))

    def _write(self, files: Dict[str, Optional[str]]) -> None:
        for path, text in files.items():
            _files.replace(self._root + path, text)

    def _load(self, loads: Dict[int, ufw_kernel.Load]) -> None:
        for version, load in loads.items():
            text = load.user_rules
            if text is None:
                text = _files.read(self._root + ufw_plan.RULES[version]) or ""
            self._restore(version, ufw_kernel.document(version, text, load.defaults, load.chains))

    def _restore(self, version: int, document: str) -> None:
        must(self._host, [ufw_kernel.RESTORE[version], "-n", "-w", "10"], stdin=document)

    def _check_unchanged(self, steps: Steps) -> None:
        for path, text in steps.found.items():
            # That file is one of all backends: when all of ours goes, another may just have taken it away.
            if path != _helpers.PATH and _files.read(self._root + path) != text:
                raise BackendError("%s was changed by somebody else at this very moment: run again" % path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        os.makedirs(os.path.dirname(self._root + LOCK), exist_ok=True)
        with open(self._root + LOCK, "w", encoding="utf-8") as lock:
            deadline = time.monotonic() + _PATIENCE
            while True:
                try:
                    fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise BackendError("another ufw command holds %s for %d seconds" % (LOCK, _PATIENCE)) from None
                    time.sleep(0.1)
            yield


def _names(folder: str) -> List[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
