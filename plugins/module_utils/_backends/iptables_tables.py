# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of iptables as iptables-save tells them: what brings back what was lost, and keeps what came since.  Pure."""

from __future__ import annotations

from typing import Dict, List


def to_restore(before: str, now: str) -> str:
    """What iptables-restore has to be given; "" where every rule of ``before`` is still there.

    A table that lost a rule is given whole, with what somebody else added to it since: iptables-restore empties each
    table that it is given.
    """
    was, there = _tables(before), _tables(now)
    given = []
    for name, lines in was.items():
        have = there.get(name, [])
        if all(line in have for line in _rules(lines)):
            continue
        # A chain has to be there before a rule jumps to it.
        chains = [line for line in lines if line.startswith(":")]
        names = [line.split()[0] for line in chains]
        chains += [line for line in have if line.startswith(":") and line.split()[0] not in names]
        since = [line for line in _rules(have) if line not in lines]
        given += ["*" + name, *chains, *_rules(lines), *since, "COMMIT"]
    return "".join(line + "\n" for line in given)


def _tables(saved: str) -> Dict[str, List[str]]:
    """The chains and rules of each table; without remarks, which say when it was listed."""
    found: Dict[str, List[str]] = {}
    name = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            name = line[1:].strip()
            found[name] = []
        elif name and line.startswith((":", "-A ")):
            found[name].append(line)
    return found


def _rules(lines: List[str]) -> List[str]:
    return [line for line in lines if line.startswith("-A ")]
