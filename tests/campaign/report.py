# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of the faults, for a person and for a program."""

from __future__ import annotations

import json
import pathlib
from typing import Dict, List

from .attempt import Result
from .draw import KINDS


def table(results: List[Result]) -> str:
    """Tried and survived by backend and kind; what never struck does not count."""
    lines = []
    for backend in dict.fromkeys(result.fault.backend for result in results):
        mine = [result for result in results if result.fault.backend == backend and result.struck]
        lines.append("Random faults on %s: %d tried, %d survived" % (
            backend, len(mine), sum(result.survived for result in mine),
        ))
        for kind in KINDS:
            some = [result for result in mine if result.fault.kind == kind]
            if some:
                lines.append("  %-12s %4d tried, %4d survived, %4d of them changed how the run ended" % (
                    kind, len(some), sum(result.survived for result in some), sum(result.effect for result in some),
                ))
    return "\n".join(lines)


def lost(results: List[Result]) -> List[str]:
    """What was not survived, with the command that tries it again."""
    return [
        "make campaign FAULT=%s:%d\n  %s\n  %s" % (
            result.fault.backend, result.fault.seed, result.fault.told(), result.told.replace("\n", "\n  "),
        )
        for result in results if not result.survived
    ]


def write(path: pathlib.Path, results: List[Result]) -> None:
    """All of it as JSON."""
    told: List[Dict[str, object]] = [dict(result._asdict(), fault=result.fault._asdict()) for result in results]
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")
