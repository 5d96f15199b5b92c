# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small form, for ``make test``: the same few faults each time, on hosts that have another campaign behind them."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional

from faults.machine import CODE

from .attempt import Result, attempt
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


class Small(NamedTuple):
    """What came of the faults, and of one while the module's own undo was broken."""

    results: List[Result]
    spoiled: Optional[Result]


# Of the files that have to be put back one is left out: the undo of a host that is neither old nor new.
UNDO = "plugins/module_utils/_files.py"
SOUND = "    now = keep(snapshot)\n"
BROKEN = SOUND + (
    "    wrong = [path for path in sorted(snapshot) if snapshot[path] != now[path]]\n"
    "    snapshot = {path: kept for path, kept in snapshot.items() if path not in wrong[:1]}\n"
)


def killed(backend: str) -> Fault:
    """The module is killed half way, and the program of its alarm has to take the change back."""
    details = {"signal": 9, "whom": "module", "after": 0, "stop": 0}
    return Fault(backend, 0, "signal", "active", "keep", "deny", "change", 0.7, False, "again", False, details)


def spoil(host: Host) -> None:
    """Break the undo in the copy of the module that lies on the host, until the code is brought again."""
    path = "%s/ansible_collections/printfleet/cups/%s" % (CODE, UNDO)
    sound = host.run("cat", path)
    before, call, after = sound.partition("def put_back(")
    assert SOUND in after, "%s has no such line in put_back any more" % UNDO
    host.run("sh", "-c", "cat > " + path, stdin=before + call + after.replace(SOUND, BROKEN, 1))
    # What is loaded is the old text.
    host.close()


def run(host: Host, say: Say) -> Small:
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
        base.go("keep")
        spoil(host)
        spoiled = attempt(base, killed(host.backend))
        say("%s: with the undo broken: %s" % (host.name, spoiled.told))
        host.bring_code()
        host.close()
        base.now = "not known"
        base.go("absent")
        differences = base.differences("absent", see(host))
        assert not differences, "after the removal:\n%s" % "\n".join(differences)
        return Small(tour.results, spoiled)
    finally:
        host.close()
