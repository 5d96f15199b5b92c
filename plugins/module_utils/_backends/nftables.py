# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nftables backend: one table of our own, one file, one unit that loads it at boot.

Whether the kernel holds what we want is told by nft itself: the wanted file is loaded in a
network namespace that exists for that moment only, and the two listings of the one program are
compared.  So no release of nft can print the same rules in two ways, and a file that the kernel
would refuse is refused before the host is touched.
"""

from __future__ import annotations

from typing import Callable, List, NamedTuple, Optional

from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._backend import (
    OWNER,
    BackendError,
    Host,
    Plan,
    must,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_foreign, nftables_ruleset
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy

RULES = "/etc/%s/firewall.nft" % OWNER
UNIT = "%s-firewall.service" % OWNER
UNIT_FILE = "/etc/systemd/system/%s" % UNIT
_TABLE = "%s %s" % (nftables_ruleset.FAMILY, nftables_ruleset.TABLE)

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
ExecReload=%(nft)s -f %(rules)s

[Install]
WantedBy=sysinit.target nftables.service
"""


class State(NamedTuple):
    """The host as it is.  ``listing_of`` tells how nft would print a ruleset file."""

    nft: str
    ruleset: str
    rules: Optional[str]
    unit: Optional[str]
    enabled: bool
    active: bool
    listing_of: Callable[[str], str]


class Steps(NamedTuple):
    """What the two files will say; None is for being gone."""

    rules: Optional[str]
    unit: Optional[str]


class Nftables:
    """One table of our own; see ``_backend.Backend`` for the methods."""

    name = "nftables"

    def __init__(self, host: Host) -> None:
        self._host = host

    def missing(self) -> List[str]:
        return [] if self._host.program("nft") else ["nftables"]

    def active(self) -> bool:
        """True while our table is in the kernel: nftables itself has no manager that could be active."""
        return bool(self._host.program("nft")) and self._host.run(["nft", "list", "table"] + _TABLE.split()).status == 0

    def read(self, memory: dict) -> State:
        return State(
            nft=self._host.program("nft") or "nft",
            ruleset=must(self._host, ["nft", "-s", "list", "ruleset"]),
            rules=_files.read(RULES),
            unit=_files.read(UNIT_FILE),
            listing_of=self._listing_of,
            **self._unit_state(),
        )

    def _unit_state(self) -> dict:
        shown = must(self._host, ["systemctl", "show", "--property=ActiveState,UnitFileState,NeedDaemonReload", UNIT])
        lines = shown.split()
        return {
            "enabled": "UnitFileState=enabled" in lines,
            "active": "ActiveState=active" in lines and "NeedDaemonReload=no" in lines,
        }

    def _listing_of(self, rules: str) -> str:
        """Load the rules in a namespace of their own and list them; raises BackendError where nft refuses them."""
        script = "nft -f - && nft -s list table %s" % _TABLE
        return must(self._host, ["unshare", "--net", "sh", "-c", script], rules)

    def plan(self, state: State, policy: Optional[Policy]) -> Plan:
        steps, listing, warnings = Steps(None, None), "", ()
        if policy is not None:
            denied = tuple(d for d in ("in", "out") if policy.default(d) == "deny")
            kept = nftables_foreign.keep(state.ruleset, denied)
            steps = Steps(
                nftables_ruleset.render(policy, kept.rules["in"], kept.rules["out"], kept.parts),
                _UNIT_TEXT % {"nft": state.nft, "rules": RULES},
            )
            listing = state.listing_of(steps.rules or "")
            warnings = tuple(_overruled(state.ruleset, policy))
        before = _describe(
            nftables_ruleset.own_table(state.ruleset) or "", state.rules, state.unit, state.enabled, state.active, steps
        )
        wanted = policy is not None
        after = _describe(listing, steps.rules, steps.unit, wanted, wanted, steps)
        return Plan(before, after, steps, warnings)

    def commit(self, plan: Plan) -> dict:
        """Load first, write then: nft takes the whole file or nothing, and a failed write is undone in the kernel."""
        snapshot = _files.keep([RULES, UNIT_FILE])
        ruleset = must(self._host, ["nft", "-s", "list", "ruleset"])
        steps: Steps = plan.steps
        try:
            if steps.rules is None:
                self._remove()
            else:
                self._put(steps)
        except (OSError, BackendError) as error:
            self._undo(snapshot, nftables_ruleset.own_table(ruleset))
            raise BackendError("%s; the nftables rules are as they were before" % error) from error
        return {}

    def _put(self, steps: Steps) -> None:
        must(self._host, ["nft", "-f", "-"], steps.rules)
        _files.replace(RULES, steps.rules, 0o600)
        _files.replace(UNIT_FILE, steps.unit)
        must(self._host, ["systemctl", "daemon-reload"])
        must(self._host, ["systemctl", "enable", "--now", "--quiet", UNIT])

    def _remove(self) -> None:
        must(self._host, ["nft", "-f", "-"], "table %s\ndelete table %s\n" % (_TABLE, _TABLE))
        if self._unit_state()["enabled"]:
            must(self._host, ["systemctl", "disable", "--now", "--quiet", UNIT])
        _files.replace(RULES, None)
        _files.remove_folder(RULES)
        _files.replace(UNIT_FILE, None)
        must(self._host, ["systemctl", "daemon-reload"])

    def _undo(self, snapshot: _files.Snapshot, table: Optional[str]) -> None:
        must(self._host, ["nft", "-f", "-"], "table %s\ndelete table %s\n%s" % (_TABLE, _TABLE, table or ""))
        _files.put_back(snapshot)
        must(self._host, ["systemctl", "daemon-reload"])
        if snapshot[UNIT_FILE] is not None:
            must(self._host, ["systemctl", "enable", "--quiet", UNIT])


def _describe(table: str, rules: Optional[str], unit: Optional[str], enabled: bool, active: bool, wanted: Steps) -> str:
    """One text that differs exactly when something has to be done, and reads well where it differs."""
    lines = [table]
    for path, text, wish in ((RULES, rules, wanted.rules), (UNIT_FILE, unit, wanted.unit)):
        lines.append("%s: %s\n" % (path, "missing" if text is None else "current" if text == wish else "outdated"))
    lines.append("%s: %s\n" % (UNIT, "loads the rules at boot" if enabled and active else "not in force"))
    return "".join(lines)


def _overruled(ruleset: str, policy: Policy) -> List[str]:
    """Chains of others that drop by default: an accept of ours cannot undo that (nft(8), base chains combine)."""
    return [
        "table %s %s, chain %s drops what it does not accept itself, and no other table can undo that: packets of the "
        "page's rows get %s only where that chain accepts them too" % (family, table, chain, direction)
        for family, table, chain, direction, default in nftables_foreign.base_chains(ruleset)
        if default == "drop" and any(o.direction == direction for o in policy.openings)
    ]
