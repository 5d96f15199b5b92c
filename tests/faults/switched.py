# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults while the role switches a firewall on, or off again: then units come and go as well as rules."""

from __future__ import annotations

import secrets
import time
import traceback
from typing import Callable, Dict, List

from . import survive
from .machine import KILLED, LONG, Machine, Picture

# What the administrator does to switch his firewall off; with nftables none has to be on.
OFF = {
    "nftables": "true",
    "firewalld": "systemctl disable --now firewalld",
    "ufw": "ufw --force disable; systemctl disable ufw",
}
# The unit that loads the rules at boot.
LOADS = {"nftables": "printfleet-cups-firewall.service", "firewalld": "firewalld.service", "ufw": "ufw.service"}
# How the journal knows that a unit begins to start (SD_MESSAGE_UNIT_STARTING, sd-messages.h).
STARTING = "MESSAGE_ID=7d4958e842da4a758f6c1cdc7b36dcc5"
# Once all new files are written, and before it is decided.
WRITTEN = "systemctl daemon-reload"
# The order by which each backend lets a unit start at boot.
ENABLES = {
    "nftables": "run systemctl enable", "firewalld": "run systemctl enable", "ufw": "run systemctl --quiet enable",
}
CHECKS = (
    "power cut while a removal is confirmed", "power cut while a switch-on is confirmed",
    "killed while systemctl enables",
)


def run(machine: Machine, wish: dict, say: Callable[[str], None]) -> Dict[str, str]:
    """By check "", or what was wrong."""
    results = dict.fromkeys(CHECKS, "it was not tried")
    try:
        # Its rules of others need a firewalld that runs.
        machine.shell("systemctl disable foreign.service" if machine.backend == "firewalld" else "true")
        machine.apply({"state": "absent"}, seconds=0)
        machine.shell(OFF[machine.backend])
        _booted(machine)
        # From here on what switches the firewall off is the module, by links of the same kind as the administrator's.
        machine.apply(wish, seconds=0)
        on = _booted(machine, starts=True)
        machine.must_serve(closed=True)
        machine.apply({"state": "absent"}, seconds=0)
        off = _booted(machine)
    except Exception as error:  # the tests of the checks show why none could be tried
        return {check: "%s: %s" % (said, error) for check, said in results.items()}
    for check, strike in zip(CHECKS, (_cut_removal, _cut_switch_on, _killed)):
        try:
            strike(machine, wish, off, on)
            results[check] = ""
        except Exception as error:  # the test of this check shows it
            results[check] = "%s\n%s" % (error, traceback.format_exc())
        say("%s: switched: %s: %s" % (machine.backend, check, results[check][:100] or "survived"))
    return results


def _booted(machine: Machine, starts: bool = False) -> Picture:
    """What a boot makes of the files; ``starts``: the firewall is switched on."""
    machine.cut_power()
    started = _power_on(machine)
    assert (LOADS[machine.backend] in started) == starts, started
    return machine.look()


def _power_on(machine: Machine) -> List[str]:
    """Boot; gives the units that were started."""
    journal = ("journalctl", "--quiet", "--output=cat", "--since=@%.3f" % time.time())
    machine.power_on("services.service" if machine.backend == "firewalld" else "foreign.service")
    cycles = machine.says(*journal, "--grep=ordering cycle")[1]
    assert not cycles, cycles
    return machine.run(*journal, "--output-fields=UNIT", STARTING).split()


def _same(machine: Machine, picture: Picture) -> None:
    differences = machine.look().differences(picture)
    assert not machine.waits(), "a trial is left"
    assert not differences, "\n".join(differences)


def _cut_confirmation(machine: Machine, change: dict) -> List[str]:
    """The change is made, and the power goes when its confirmation has written all files; gives what starts then."""
    outcome = machine.propose(change, LONG)
    assert outcome.cookie, outcome.told()
    running = machine.start({"confirmation": outcome.cookie, "confirm": "anew"}, words=WRITTEN, how="stop")
    survive.stopped(machine, running)
    assert WRITTEN in machine.steps()[-1]
    machine.cut_power()
    machine.ended(running)
    return _power_on(machine)


def _cut_removal(machine: Machine, wish: dict, off: Picture, on: Picture) -> None:
    machine.apply(wish, seconds=0)
    started = _cut_confirmation(machine, {"state": "absent"})
    assert LOADS[machine.backend] in started, started
    _same(machine, on)
    # It is not enough that the next boot would close it.
    machine.must_serve(closed=True)


def _cut_switch_on(machine: Machine, wish: dict, off: Picture, on: Picture) -> None:
    _off(machine, off)
    started = _cut_confirmation(machine, wish)
    # Started and stopped again is not enough: a start that is cut off leaves a unit that failed.
    assert LOADS[machine.backend] not in started, started
    _same(machine, off)


def _killed(machine: Machine, wish: dict, off: Picture, on: Picture) -> None:
    _off(machine, off)
    change = dict(wish, confirm_timeout=survive.SHORT, confirmation=secrets.token_hex(8))
    enables = ENABLES[machine.backend]
    outcome = machine.ended(machine.start(change, words=enables, how="during"))
    assert outcome.status == KILLED and enables in machine.steps()[-1], outcome.told()
    machine.wait_for_alarm(survive.SHORT + 40)
    _same(machine, off)
    machine.apply(wish, seconds=0)
    machine.must_serve(closed=True)


def _off(machine: Machine, off: Picture) -> None:
    machine.apply({"state": "absent"}, seconds=0)
    _booted(machine)
    _same(machine, off)
