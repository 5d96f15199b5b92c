# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults: what breaks, how that shows, and what the host does then."""

from __future__ import annotations

import os
from typing import Dict, List

from . import breakage, survive
from .breakage import nothing
from .machine import Machine
from .survive import Case, Fault, alarm, boot, fails, goes_on, killed, nothing_more

_BACKENDS = ("nftables", "firewalld", "ufw")
DAY = 86400.0
# The wide form takes hours: killed before every single step as well.
WIDE = os.environ.get("PRINTFLEET_FAULTS") == "wide"


def _no_bus(machine: Machine) -> str:
    status, said = machine.says("busctl", "--timeout=5", "list")
    assert status != 0, "D-Bus still answers"
    return said.strip()


def _lock_held(machine: Machine) -> str:
    status, _said = machine.says("flock", "--nonblock", "/run/xtables.lock", "true")
    assert status != 0, "the lock is not held"
    return "flock finds /run/xtables.lock held"


def _clock_jumps(case: Case) -> str:
    """The run is told of another day each time it asks for the wall clock, and the alarm is one that no clock moves.

    The clock itself is the machine's, not the container's (time_namespaces(7)), so nobody sets it here.
    """
    machine = case.machine
    outcome = machine.propose(case.wishes[case.to], survive.SHORT, clock=DAY)
    assert outcome.cookie, outcome.told()
    asked = "--property=TimersMonotonic,TimersCalendar"
    shown = machine.run("systemctl", "show", asked, "printfleet-cups-undo-*.timer")
    assert "OnActiveUSec" in shown and "OnCalendar" not in shown, shown
    return "the wall clock was a day off at each look of the run, and another day each time; the alarm hangs on %s" % (
        shown.split(";")[0])


def _daemon_dies(case: Case) -> str:
    """firewalld itself is killed while it loads what we wrote."""
    machine = case.machine
    running = survive.begun(case, 0, "kill", False)
    machine.run("timeout", "60", "sh", "-c", (
        "sleep 0.3; while ! grep -q ' reload$' /opt/faults/steps.log; do sleep 0.01; done;"
        " sleep 0.1; kill -KILL $(systemctl show -P MainPID firewalld)"
    ))
    outcome = machine.ended(running)
    assert outcome.failed, outcome.told()
    return "the module said: %s" % outcome.answer["msg"]


# Each of these is tried on each backend.
SAME: List[Fault] = [
    Fault("package missing", breakage.program_gone, fails("needs the package"), nothing_more),
    # The other way the first files to go would make room for the rest.
    Fault(
        "disk full where the firewall's files lie", breakage.full_etc(0), fails("No space left"), nothing_more,
        "strict",
    ),
    Fault(
        "disk full where the trial is kept", breakage.full("/var/lib/printfleet-cups", 0), fails("No space left"),
        nothing_more,
    ),
    Fault("/etc is read-only", breakage.read_only_etc, fails("Read-only file system"), nothing_more),
    Fault(
        "the firewall refuses", breakage.refusing_firewall,
        fails("refused on purpose; " + survive.AS_BEFORE), survive.as_before,
    ),
    Fault(
        "the firewall refuses and cannot be taken back", breakage.carried_out(breakage.REFUSES),
        survive.fails_and_claims_less("refused on purpose", "could not be taken back whole"), survive.next_run,
    ),
    Fault(
        "the firewall only pretends to take back", breakage.carried_out("exit 0"),
        survive.fails_and_claims_less("refused on purpose", "the change was taken back, but: "), survive.next_run,
    ),
    Fault("systemd-run fails", breakage.refusing("systemd-run", ""), fails("refused on purpose"), nothing_more),
    Fault("systemd executes itself anew", breakage.systemd_anew, survive.alarm_set_again, nothing_more),
    Fault("another run holds our lock", breakage.own_lock, fails("another run of this role"), nothing_more),
    Fault("what we remember is damaged", breakage.broken_state, fails("state.json cannot be read"), nothing_more),
    Fault(
        "no more open files allowed", nothing, fails("Too many open files", wrap=breakage.limited("-n 7")),
        nothing_more,
    ),
    Fault("killed before the firewall is told", nothing, killed(0.4), alarm),
    Fault("killed at the last step", nothing, killed(1), alarm),
    Fault(
        "killed, and what it started goes on", breakage.delayed(survive.ORPHAN_WAITS), survive.orphaned,
        survive.orphan_ended,
    ),
    Fault("killed before it is settled at once", nothing, killed(0.9, seconds=0), boot),
    Fault("killed while confirming", nothing, killed(0.2, confirming=True), alarm),
    Fault("killed when it was just settled", nothing, killed(0.85, confirming=True), alarm),
    Fault("taking back is killed early", nothing, survive.undo_killed(0.3), alarm),
    Fault("power cut in the middle", nothing, survive.power_cut(0.6), nothing_more),
    Fault("power cut while on trial", nothing, survive.power_cut_on_trial, nothing_more),
    Fault("the clock jumps", nothing, _clock_jumps, alarm),
    Fault("two controllers at once", nothing, survive.two_controllers, nothing_more),
    Fault("the alarm's Python is gone", nothing, survive.python_gone, boot),
]

# And these in the wide form only: in the short one another fault has the same moment, or the same end.
RARE: List[Fault] = [
    Fault(
        "disk full when the trial has begun", breakage.full("/var/lib/printfleet-cups", 208), fails("No space left"),
        nothing_more,
    ),
    Fault("killed when the trial begins", nothing, killed(0.1), alarm),
    Fault("killed in the middle", nothing, killed(0.6), alarm),
    Fault("killed late", nothing, killed(0.8), alarm),
    Fault("nobody confirms", nothing, survive.waits_for_nobody, alarm),
    Fault("taking back is killed at its end", nothing, survive.undo_killed(0.95), alarm),
    Fault("power cut while confirming", nothing, survive.power_cut(0.4, confirming=True), nothing_more),
]

FAULTS: Dict[str, List[Fault]] = {backend: SAME + (RARE if WIDE else []) for backend in _BACKENDS}
_BUS_SOCKET = "/run/dbus/system_bus_socket"
for _backend in ("nftables", "ufw"):
    # systemctl reaches systemd without D-Bus, so these two can go on.
    FAULTS[_backend].append(Fault("D-Bus is gone", breakage.gone(_BUS_SOCKET), goes_on(_no_bus), nothing_more))
FAULTS["firewalld"] += [
    Fault("disk full after the first files", breakage.full_etc(8), fails("No space left"), nothing_more, "strict"),
    Fault("D-Bus is gone", breakage.gone(_BUS_SOCKET), fails("firewalld"), nothing_more),
    Fault("firewalld dies while it loads", nothing, _daemon_dies, nothing_more),
]
for _backend in ("nftables", "firewalld"):
    FAULTS[_backend].append(
        Fault("another holds iptables' lock", breakage.others_lock, goes_on(_lock_held), nothing_more)
    )
FAULTS["ufw"] += [
    Fault("another holds ufw's lock", breakage.others_lock, fails("/run/ufw.lock", survive.SHORT), alarm),
    Fault("killed while iptables-restore runs", nothing, survive.killed_in("iptables-restore -n"), alarm),
]
FAULTS["nftables"].append(Fault("killed while nft runs", nothing, survive.killed_in("nft -f"), alarm))
FAULTS["firewalld"].append(Fault("killed while firewalld loads", nothing, survive.killed_in(" reload"), alarm))


def every_step(case: Case) -> List[Fault]:
    """For the wide form: killed before each single step of a change, of its confirmation and of its taking back."""
    made = []
    for word, steps in sorted(case.steps.items()):
        for at in range(1, len(steps) + 1):
            if word == "undo":
                made.append(Fault("undo %d" % at, nothing, survive.undo_killed_at(at), alarm))
            elif word == "at once" and at >= survive.begins(steps):
                made.append(Fault("%s %d" % (word, at), nothing, survive.killed_at(at, False, seconds=0), boot))
            elif word == "confirm" or (word == "change" and at >= survive.begins(steps)):
                made.append(Fault("%s %d" % (word, at), nothing, survive.killed_at(at, word == "confirm"), alarm))
    return made
