# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All faults on one host, one after the other, each from the state in which the one before has left it."""

from __future__ import annotations

import traceback
from typing import Callable, Dict, List, NamedTuple, Tuple

from . import catalogue, survive
from .machine import LONG, TRIAL, Machine
from .survive import Case, Fault

Say = Callable[[str], None]


class Result(NamedTuple):
    """What came of one fault: sentences, and whether the host survived it."""

    backend: str
    fault: str
    survived: bool
    told: str


def row(port: str, peers: List[str], direction: str = "in", name: str = "") -> dict:
    """A flow as the module takes it."""
    return {
        "row": name or "Extra: %s TCP %s" % (port, direction.upper()), "direction": direction, "protocol": "tcp",
        "port": port, "peers": peers,
    }


def wishes(machine: Machine, helped: bool = False) -> Dict[str, dict]:
    """Two wishes that differ in rules, in peers, in files and in the default; under both one can print and log in.

    ``helped``: the one needs a conntrack helper, which each backend sets in another way, and the other does not.
    """
    peers = [*machine.site.addresses["allowed"], *machine.site.addresses["listed"]]
    printing = row("631", peers, name="Table 1: 631 (IPP/IPPS) TCP IN")
    printers = row("9100-9102", list(machine.site.addresses["unlisted"]), "out")
    finding = dict(row("161", [], "out", "Table 3: 161 (SNMP) UDP OUT"), protocol="udp")
    return {
        "sparing": {"backend": machine.backend, "flows": [printing] + [finding] * helped},
        "strict": {
            "backend": machine.backend, "flows": [printing, row("8631", peers), printers], "default_incoming": "deny",
        },
    }


def begin(machine: Machine) -> Tuple[Dict[str, dict], dict, dict]:
    """Bring both wishes into force and back, undisturbed; gives the wishes, their pictures, and the steps taken."""
    wanted, pictures, steps = wishes(machine, helped=True), {}, {}
    ways = (("sparing", "strict"), ("strict", "sparing"))
    machine.apply(wanted["sparing"])
    # What a reboot gives is what is remembered: the change must not look otherwise.
    machine.cut_power()
    machine.power_on()
    pictures["sparing"] = machine.look()
    for way in ways:
        outcome = machine.propose(wanted[way[1]], survive.SHORT)
        assert outcome.cookie, outcome.told()
        changing = machine.steps()
        machine.module({}, program=TRIAL + "/undo.py", argument=outcome.cookie)
        undoing = machine.steps()
        machine.apply(wanted[way[1]], seconds=0)
        at_once = machine.steps()
        machine.apply(wanted[way[0]], seconds=0)
        outcome = machine.propose(wanted[way[1]], LONG)
        settled = machine.confirm(outcome.cookie)
        assert (settled.answer or {}).get("outcome") == "settled", settled.told()
        steps[way] = {"change": changing, "undo": undoing, "confirm": machine.steps(), "at once": at_once}
        now = machine.look()
        differences = pictures.setdefault(way[1], now).differences(now)
        assert not differences, "undisturbed, there and back:\n" + "\n".join(differences)
    assert pictures["sparing"].differences(pictures["strict"]), "the two wishes are the same, so nothing is proved"
    return wanted, pictures, steps


def run(machine: Machine, say: Say) -> List[Result]:
    """Try them all; a host that did not survive is mended for the next."""
    wanted, pictures, steps = begin(machine)
    faults = list(catalogue.FAULTS[machine.backend])
    results: List[Result] = []
    at, to = "sparing", "strict"
    if catalogue.WIDE:
        faults += catalogue.every_step(Case(machine, wanted, pictures, at, to, steps[(at, to)]))
        faults += catalogue.every_step(Case(machine, wanted, pictures, to, at, steps[(to, at)]))
    for fault in faults:
        if fault.towards == at:
            machine.apply(wanted[to])
            at, to = to, at
        result = attempt(Case(machine, wanted, pictures, at, to, steps[(at, to)]), fault)
        results.append(result)
        say("%s: %s: %s" % (machine.backend, fault.name, result.told.splitlines()[0] if result.told else ""))
        if result.survived:
            at, to = to, at
        elif not mended(machine, wanted["sparing"], say):
            break
        else:
            at, to = "sparing", "strict"
    return results


def attempt(case: Case, fault: Fault) -> Result:
    """One fault; whatever goes wrong in it means that it was not survived."""
    try:
        told, survived = "; ".join(survive.survive(case, fault)), True
    except Exception as error:  # the test that this result is for shows it
        told, survived = "NOT SURVIVED: %s\n%s" % (error, traceback.format_exc()), False
    return Result(case.machine.backend, fault.name, survived, told)


def mended(machine: Machine, wish: dict, say: Say) -> bool:
    """Make the host fit for the next fault."""
    try:
        machine.cut_power()
        machine.power_on()
        machine.apply(wish)
        return True
    except Exception as error:  # no more faults can be tried here, and their tests say so
        say("%s: cannot be mended: %s" % (machine.backend, error))
        return False
