# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a rule of others that cannot be copied is in the way of a change of ours.  Pure.

It is in the way where the change would shut what is open now: where our table does not refuse by default yet, or
holds a copy that the new one lacks.  Where our table refuses it already, the change makes nothing worse, and it is
a finding.
"""

from __future__ import annotations

import re
from typing import Iterable

from ansible_collections.printfleet.cups.plugins.module_utils import _findings
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_ruleset
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables_foreign import NOWHERE, Lost

_CHAIN = re.compile(r"(?m)^\tchain (\S+) \{\n((?:\t\t.*\n)*)\t\}$")


def obstacle(lost: Iterable[Lost], live: str, wanted: str) -> str:
    """One sentence about what a change from the one listing to the other would shut; "" where it shuts nothing."""
    now, then = dict(_CHAIN.findall(live)), dict(_CHAIN.findall(wanted))
    told = _findings.sentences([one.finding() for one in lost if _shuts(one, now, then)])
    return "; ".join(sentence.rstrip(".") for sentence in told)


def _shuts(one: Lost, now: dict, then: dict) -> bool:
    hook = nftables_ruleset.HOOKS[one.direction][0]
    copy = nftables_ruleset.named("kept", one.chain)
    if one.chain == NOWHERE and any(name.startswith("kept_") for name in now):
        return True
    return "policy drop;" not in now.get(hook, "") or _rules(now.get(copy, "")) > _rules(then.get(copy, ""))


def _rules(chain: str) -> int:
    # An older version of ours began with a comment.
    return sum(1 for line in chain.split("\n") if line and not line.startswith("\t\tcomment "))
