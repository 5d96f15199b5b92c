# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of our table, its files and its unit since the last run.  Pure."""

from __future__ import annotations

from typing import List, Optional

from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_copies
from ansible_collections.printfleet.cups.plugins.module_utils._drift import Cause


def causes(
    table: Optional[str], enabled: bool, active: bool, unit: str, gone: List[str], changed: List[str],
    others: Optional[nftables_copies.Changes] = None, by_hand: bool = False,
) -> List[Cause]:
    """``gone`` and ``changed`` are paths of our files; ``active`` is the state of the unit that loads them.

    ``others`` is what they changed, where our rules' file differs in that alone.  ``by_hand``: our own rules in the
    kernel differ as well.
    """
    found = []
    if gone:
        found.append(Cause("nftables-files-gone", "%s was removed" % " and ".join(gone)))
    elif table is None and active:
        found.append(Cause(
            "nftables-table-gone",
            "our table is gone from the kernel: somebody deleted it, ran 'nft flush ruleset', or loaded a file that "
            "begins with it, such as /etc/nftables.conf by starting nftables.service",
            "systemctl reload " + unit,
        ))
    elif table is None:
        found.append(Cause(
            "nftables-unit-stopped",
            "%s is stopped and our table is gone from the kernel: 'systemctl stop nftables' does both" % unit,
            "systemctl restart " + unit,
        ))
    elif changed:
        found.append(Cause(
            "nftables-files-differ",
            "%s is not what the role writes now: it was changed, or others' rules, the host's networks or its "
            "printers were" % " and ".join(changed),
        ))
    elif others:
        found.append(Cause("nftables-others-changed", nftables_copies.told(others)))
        if by_hand:
            found.append(Cause("nftables-table-changed", "our table in the kernel was changed by hand"))
    elif not active:
        found.append(Cause("nftables-unit-stopped", "%s is stopped or was changed" % unit, "systemctl restart " + unit))
    if not enabled and not gone:
        found.append(Cause(
            "nftables-unit-disabled", "%s is not enabled, so the next boot does not load our table" % unit,
            "systemctl enable " + unit,
        ))
    if not found:
        found.append(Cause(
            "nftables-table-changed", "our table in the kernel was changed by hand", "systemctl reload " + unit
        ))
    return found
