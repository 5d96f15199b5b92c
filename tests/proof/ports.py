# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of ports, shown so that a person can read them."""

from __future__ import annotations

from typing import AbstractSet, List


def ranges(ports: AbstractSet[int]) -> str:
    """``{22, 631, 9100-9102}``."""
    runs: List[List[int]] = []
    for port in sorted(ports):
        if runs and port == runs[-1][1] + 1:
            runs[-1][1] = port
        else:
            runs.append([port, port])
    return "{%s}" % ", ".join(str(a) if a == b else "%d-%d" % (a, b) for a, b in runs)


def difference(expected: AbstractSet[int], got: AbstractSet[int]) -> str:
    """One line on two sets that should be the same; empty when they are."""
    if expected == got:
        return ""
    parts = ["expected %s, got %s" % (ranges(expected), ranges(got))]
    if got - expected:
        parts.append("open but should not be: %s" % ranges(got - expected))
    if expected - got:
        parts.append("closed but should not be: %s" % ranges(expected - got))
    return "; ".join(parts)
