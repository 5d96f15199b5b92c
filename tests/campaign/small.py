# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small form, for ``make test``: the same few faults each time, on hosts that have another campaign behind them."""

from __future__ import annotations

from typing import Dict, List

from .attempt import Result
from .draw import Fault, draw
from .host import Host
from .states import Base, see
from .tour import Say, Tour

SEED, MOST = 900000, 7
STATES = ("absent", "keep", "deny")
# Those that take a boot or a long wait are left to the large form.
QUICK = ("signal", "system call", "disk", "program", "others", "systemd", "limit", "firewalld")


def faults(backend: str) -> List[Fault]:
    """The first of each quick kind between those states, in an order in which each begins where the last one ends."""
    found: Dict[str, Fault] = {}
    at = "absent"
    for seed in range(SEED, SEED + 20000):
        fault = draw(backend, seed)
        if len(found) < MOST and fault.start == at and fault.kind not in found and _fits(fault):
            found[fault.kind] = fault
            at = fault.to
    return list(found.values())


def _fits(fault: Fault) -> bool:
    """Whether it takes seconds."""
    return (
        fault.base == "active" and fault.start in STATES and fault.to in STATES and fault.kind in QUICK
        and fault.recover != "boot"
    )


def run(host: Host, say: Say) -> List[Result]:
    """From a host without ours to a host without ours."""
    tour = Tour(host, iter(()), say)
    try:
        host.bring_code()
        host.bring_to_neighbour()
        host.apply({"state": "absent"}, seconds=0)
        host.cut_power()
        host.power_on()
        base: Base = tour.base
        base.make(STATES)
        for fault in faults(host.backend):
            if not tour.try_one(fault):
                break
        base.go("absent")
        differences = base.differences("absent", see(host))
        assert not differences, "after the removal:\n%s" % "\n".join(differences)
        return tour.results
    finally:
        host.close()
