# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the copies of others' rules in our file differ from what others have now.  Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._findings import plain

# The names that nftables_foreign gives, see nftables_ruleset.named.
_COPY = r"kept_[0-9a-f]{8}"
_CHAIN = re.compile(r"(?m)^\tchain %s \{\n((?:\t\t.*\n)*)\t\}\n" % _COPY)
_BLOCK = re.compile(r"(?m)^\t(?:chain|set|map) %s \{\n(?:\t\t.*\n)*\t\}\n" % _COPY)
_JUMP = re.compile(r"(?m)^\t\t.*\bjump %s\n" % _COPY)
_SET = re.compile("@" + _COPY)
_SHOWN = 3


class Changes(NamedTuple):
    """Rules that others accept by since our file was written, and rules that they no longer have."""

    since: Tuple[str, ...]
    gone: Tuple[str, ...]


def changes(written: Optional[str], wanted: Optional[str]) -> Optional[Changes]:
    """None where the two texts differ in more than copies, or in no rule of a copy."""
    if written is None or wanted is None or own(written) != own(wanted):
        return None
    before, after = _rules(written), _rules(wanted)
    found = Changes(tuple((after - before).elements()), tuple((before - after).elements()))
    return found if found.since or found.gone else None


def own(text: str) -> str:
    """The text of a table less the copies and what leads to them."""
    return _JUMP.sub("", _BLOCK.sub("", text))


def told(found: Changes) -> str:
    """One clause that begins with the subject."""
    clauses: List[str] = []
    if found.since:
        clauses.append("others let in or out more since the last run, which our table still refuses: "
                       + _quoted(found.since))
    if found.gone:
        clauses.append("others have no longer what our table still holds a copy of: " + _quoted(found.gone))
    return "; ".join(clauses)


def _rules(text: str) -> "Counter[str]":
    return Counter(line.strip() for rules in _CHAIN.findall(text) for line in rules.splitlines())


def _quoted(rules: Tuple[str, ...]) -> str:
    shown = ", ".join("'%s'" % plain(_SET.sub("@...", rule)) for rule in rules[:_SHOWN])
    return shown + (" and %d more" % (len(rules) - _SHOWN) if len(rules) > _SHOWN else "")
