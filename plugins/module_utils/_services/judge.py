# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that print services and firewall disagree on, put together.  Pure."""

from __future__ import annotations

from typing import List, Optional, Sequence

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._findings import NOTE, Finding
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy
from ansible_collections.printfleet.cups.plugins.module_utils._services import (
    judge_browsing,
    judge_cupsd,
    judge_samba,
)
from ansible_collections.printfleet.cups.plugins.module_utils._services.reading import Services


def judge(
    services: Services, policy: Optional[Policy], interfaces: Sequence[_words.Interface]
) -> List[Finding]:
    """``policy`` is what our rules are to do; None where nothing of ours is on the host."""
    found = judge_browsing.never_open(services, policy)
    if policy is None:
        return found + judge_cupsd.without_policy(services, interfaces)
    found += judge_cupsd.judge(services, policy, interfaces)
    found += judge_browsing.announced(services, policy, interfaces)
    found += judge_samba.judge(services, policy)
    found += [
        Finding(NOTE, "%s, so what is said of it here may be wrong" % gap.why, gap.path, "look at it yourself")
        for gap in services.gaps
    ]
    if services.samba:
        found += [
            Finding(NOTE, "it takes in another file, which is not read here", str(place), "look at it yourself")
            for place in services.samba.pieces[:1]
        ]
    return found
