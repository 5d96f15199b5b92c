# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the host's print services and the firewall's policy agree: looks at the host, changes nothing."""

from __future__ import annotations

from typing import Callable, List, Optional, Sequence

from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy
from ansible_collections.printfleet.cups.plugins.module_utils._services import judge, reading
from ansible_collections.printfleet.cups.plugins.module_utils._words import Interface

Look = Callable[[Optional[Policy], Sequence[Interface]], List[Finding]]


def look(policy: Optional[Policy], interfaces: Sequence[Interface]) -> List[Finding]:
    """Where they disagree; ``policy`` is None where nothing of ours is on the host."""
    return judge.judge(reading.read(), policy, interfaces)


def look_away(_policy: Optional[Policy], _interfaces: Sequence[Interface]) -> List[Finding]:
    """For those who do not ask."""
    return []
