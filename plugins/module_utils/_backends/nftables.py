# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nftables backend: one table of our own, its files, one unit that loads it at boot.

Whether the kernel holds what we want is told by nft itself: the wanted file is loaded in a
network namespace that exists for that moment only, and the two listings of the one program are
compared.  So no release of nft can print the same rules in two ways, and a file that the kernel
would refuse is refused before the host is touched.
"""

from __future__ import annotations

from typing import Callable, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _files, _helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import (
    OWNER,
    BackendError,
    Host,
    Plan,
    must,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    nftables_copies,
    nftables_drift,
    nftables_findings,
    nftables_foreign,
    nftables_lost,
    nftables_ruleset,
    nftables_switch,
)
from ansible_collections.printfleet.cups.plugins.module_utils._drift import Cause
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy
from ansible_collections.printfleet.cups.plugins.module_utils._words import DIRECTIONS

RULES = "/etc/%s/firewall.nft" % OWNER
# What sets conntrack helpers.  At boot it is loaded after the rules, and may fail where they must not: on a
# kernel that has no such helper any more.
HELPERS = "/etc/%s/finding.nft" % OWNER
UNIT = "%s-firewall.service" % OWNER
UNIT_FILE = "/etc/systemd/system/%s" % UNIT

# Debian's nftables.service flushes all rules when it is restarted or reloaded: ours is loaded
# again after it.  There is no ExecStop: at shutdown the rules stay until the network is down.
_UNIT_TEXT = """\
# Written by the Ansible collection printfleet.cups.
[Unit]
Description=Firewall of the print server (printfleet.cups)
Documentation=man:nft(8)
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
StandardInput=null
ProtectSystem=full
ProtectHome=true
ExecStart=%(nft)s -f %(rules)s
%(start)sExecReload=%(nft)s -f %(rules)s
%(reload)s
[Install]
WantedBy=sysinit.target nftables.service
"""


class State(NamedTuple):
    """The host as it is.  ``listing_of`` tells how nft would print a ruleset file."""

    nft: str
    ruleset: str
    table: Optional[str]
    rules: Optional[str]
    helpers: Optional[str]
    unit: Optional[str]
    modules: Optional[str]
    enabled: bool
    active: bool
    listing_of: Callable[[str], str]
    statements: Callable[[], str]  # the whole ruleset as JSON


class Steps(NamedTuple):
    """What the files will say, None for being gone, what was there before, and what nft is told to change it."""

    rules: Optional[str]
    helpers: Optional[str]
    unit: Optional[str]
    modules: Optional[str]
    old_table: Optional[str]
    was_active: bool
    moves: Tuple[str, ...] = ()


class Nftables:
    """One table of our own; see ``_backend.Backend`` for the methods."""

    name = "nftables"

    def __init__(self, host: Host) -> None:
        self._host = host

    def missing(self) -> List[str]:
        return [] if self._host.program("nft") else ["nftables"]

    def active(self) -> bool:
        """True while our table is in the kernel: nftables itself has no manager that could be active."""
        return bool(self._host.program("nft")) and self._table() is not None

    def read(self, memory: dict) -> State:
        return State(
            nft=self._host.program("nft") or "nft",
            ruleset=must(self._host, ["nft", "-s", "list", "ruleset"]),
            table=self._table(),
            rules=_files.read(RULES),
            helpers=_files.read(HELPERS),
            unit=_files.read(UNIT_FILE),
            modules=_files.read(_helpers.PATH),
            listing_of=self._listing_of,
            statements=self._statements,
            **self._unit_state(),
        )

    def _table(self) -> Optional[str]:
        """Our own table alone: cut out of the whole list, a comment of somebody else's could pass for it."""
        listed = self._host.run(["nft", "-s", "list", "table"] + nftables_ruleset.OURS.split())
        return nftables_switch.loadable(listed.output) if listed.status == 0 else None

    def _statements(self) -> str:
        # Without the elements of sets: a million of them take minutes.
        return must(self._host, ["nft", "-j", "-s", "-t", "list", "ruleset"])

    def _unit_state(self) -> dict:
        asked = self._host.run(["systemctl", "show", "--property=ActiveState,UnitFileState,NeedDaemonReload", UNIT])
        if asked.status != 0:
            raise BackendError(
                "systemd does not answer on this host, and nftables' rules are loaded at boot by a unit of its: run "
                "the role where systemd runs (%s)" % " ".join(asked.errors.split())[:200]
            )
        lines = asked.output.split()
        return {
            "enabled": "UnitFileState=enabled" in lines,
            "active": "ActiveState=active" in lines and "NeedDaemonReload=no" in lines,
        }

    def _listing_of(self, rules: str) -> str:
        """Load the rules in a namespace of their own and list them; raises BackendError where nft refuses them."""
        script = "nft -f - && nft -s list table %s" % nftables_ruleset.OURS
        try:
            return nftables_switch.loadable(must(self._host, ["unshare", "--net", "sh", "-c", script], rules))
        except BackendError as error:
            if ": unshare: unshare failed" not in str(error):
                raise
            raise BackendError(
                "root may make no network namespace on this host, in which nftables' rules are tried before they are "
                "loaded: allow it (a container needs CAP_SYS_ADMIN for it) and run again"
            ) from error

    def plan(self, state: State, policy: Optional[Policy]) -> Plan:
        steps, listing, obstacle = Steps(None, None, None, None, state.table, state.active), "", ""
        if policy is not None:
            kept, rules, helpers, listing = _with_copies(state, policy)
            steps = Steps(
                rules,
                helpers or None,
                _unit_text(state.nft, bool(policy.helpers)),
                _helpers.text(policy.helpers),
                state.table,
                state.active,
                nftables_switch.moves(state.table or "", listing),
            )
            obstacle = nftables_lost.obstacle(kept.lost, state.table or "", listing)
        files = (state.rules, state.helpers, state.unit, state.modules)
        before = _describe(state.table or "", files, state.enabled, state.active, steps)
        wanted = policy is not None
        after = _describe(listing, steps[:4], wanted, wanted, steps)
        return Plan(before, after, steps, obstacle=obstacle)

    def commit(self, plan: Plan) -> dict:
        """Load first, write then."""
        steps: Steps = plan.steps
        if steps.rules is None:
            self._remove()
        else:
            self._put(steps)
        return {}

    def unhelped(self) -> str:
        return ""

    def findings(self, known: Ours) -> List[Finding]:
        ruleset = must(self._host, ["nft", "-s", "list", "ruleset"])
        found = nftables_findings.find(ruleset, known)
        if known.denied and self.active():
            found += [one.finding() for one in nftables_foreign.keep(ruleset, known.denied, self._statements).lost]
        return found

    def causes(self, state: State, plan: Optional[Plan]) -> List[Cause]:
        files = (state.rules, state.helpers, state.unit, state.modules)
        wanted = plan.steps[:4] if plan else files
        pairs = [(path, text, wish) for path, text, wish in zip(_paths(), files, wanted) if text != wish]
        others = nftables_copies.changes(state.rules, wanted[0])
        return nftables_drift.causes(
            state.table, state.enabled, state.active, UNIT,
            [path for path, text, _wish in pairs if text is None],
            [path for path, text, _wish in pairs if text is not None and not (others and path == RULES)],
            others,
            bool(plan) and nftables_copies.own(_listing(plan.before)) != nftables_copies.own(_listing(plan.after)),
        )

    def paths(self, plan: Plan) -> List[str]:
        return list(_paths())

    def units(self) -> List[str]:
        return [UNIT]

    def undo(self, steps: Steps) -> None:
        if not steps.was_active:
            # Before the rules: it may still be starting, which loads them.  It has no stop command, so nothing else
            # happens.  Where it was never loaded there is nothing to stop.
            self._host.run(["systemctl", "stop", "--quiet", UNIT])
        must(self._host, ["nft", "-f", "-"], nftables_switch.whole(steps.old_table or ""))
        if steps.was_active:
            # A unit that failed follows no reload of nftables.service: the alarm tries until it starts.
            must(self._host, ["systemctl", "start", "--quiet", UNIT])

    def unlike(self, steps: Steps) -> str:
        if nftables_switch.comparable(self._table() or "") != nftables_switch.comparable(steps.old_table or ""):
            return "the table %s is not what it was before" % nftables_ruleset.OURS
        return "%s does not start" % UNIT if steps.was_active and not self._unit_state()["active"] else ""

    def _put(self, steps: Steps) -> None:
        _helpers.load(self._host, steps.modules)
        for text in steps.moves:
            must(self._host, ["nft", "-f", "-"], text)
        _files.replace(RULES, steps.rules, 0o600)
        _files.replace(HELPERS, steps.helpers, 0o600)
        _files.replace(UNIT_FILE, steps.unit)
        _files.replace(_helpers.PATH, steps.modules)
        must(self._host, ["systemctl", "daemon-reload"])
        must(self._host, ["systemctl", "enable", "--now", "--quiet", UNIT])

    def _remove(self) -> None:
        must(self._host, ["nft", "-f", "-"], nftables_ruleset.REMOVAL)
        if self._unit_state()["enabled"]:
            must(self._host, ["systemctl", "disable", "--now", "--quiet", UNIT])
        _files.replace(RULES, None)
        _files.replace(HELPERS, None)
        _files.remove_folder(RULES)
        _files.replace(UNIT_FILE, None)
        _files.replace(_helpers.PATH, None)
        must(self._host, ["systemctl", "daemon-reload"])


def _with_copies(state: State, policy: Policy) -> Tuple[nftables_foreign.Kept, str, str, str]:
    """What is kept of others' openings, our two files with it, and how nft lists them."""
    denied = tuple(way for way in DIRECTIONS if policy.default(way) == "deny")
    helpers = nftables_ruleset.render_helpers(policy)

    def rules(kept: nftables_foreign.Kept) -> str:
        return nftables_ruleset.render(policy, kept.rules["in"], kept.rules["out"], kept.parts)

    kept, listing = nftables_foreign.keep_what_loads(
        state.ruleset, denied, state.statements, lambda kept: state.listing_of(rules(kept) + helpers)
    )
    return kept, rules(kept), helpers, listing


def _paths() -> Tuple[str, ...]:
    """In the order of the first fields of Steps."""
    return RULES, HELPERS, UNIT_FILE, _helpers.PATH


def _unit_text(nft: str, helped: bool) -> str:
    start, again = ("Exec%s=-%s -f %s\n" % (word, nft, HELPERS) if helped else "" for word in ("Start", "Reload"))
    return _UNIT_TEXT % {"nft": nft, "rules": RULES, "start": start, "reload": again}


def _listing(described: str) -> str:
    """The table's part of what _describe tells."""
    return described[:described.find("\n}\n") + 3]


def _describe(table: str, files: Tuple[Optional[str], ...], enabled: bool, active: bool, wanted: Steps) -> str:
    """One text that differs exactly when something has to be done, and reads well where it differs."""
    lines = [nftables_switch.comparable(table)]
    for path, text, wish in zip(_paths(), files, wanted[:4]):
        word = "not there" if text is None else "current" if text == wish else "outdated"
        lines.append("%s: %s\n" % (path, word))
    lines.append("%s: %s\n" % (UNIT, "loads the rules at boot" if enabled and active else "not in force"))
    return "".join(lines)
