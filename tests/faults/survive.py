# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try one fault on one host: break, run, mend, and judge at each point what the host is."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import time
from typing import Callable, Dict, List, NamedTuple

from . import breakage
from .machine import KILLED, LONG, TRIAL, Machine, Picture

SHORT = 5  # the least that the module takes
ENOUGH = 12  # for a confirmation to come in time on a busy machine, and not long to wait for where it does not
ORPHAN_WAITS = SHORT + 9.5  # until the alarm has taken the change back
BEGUN = "/.printfleet-cups-"
# What the module says when it has failed.
AS_BEFORE, MENDS = "the host is as it was before", "run the role again"


class Case(NamedTuple):
    """Where a fault is tried: the change from what is in force to the other one of two wishes."""

    machine: Machine
    wishes: Dict[str, dict]
    pictures: Dict[str, Picture]
    at: str
    to: str
    # Of an undisturbed "change" that way, of its "confirm", of its "undo", and of one that settles "at once".
    steps: Dict[str, List[str]]


class Fault(NamedTuple):
    """One way in which a change can go wrong.

    ``broken`` breaks the host as long as it lasts, ``strike`` makes the change meanwhile and gives the proof in
    words that the fault did happen (it asserts that), ``after`` is what the host does by itself once all is mended.
    ``towards`` is the wish that the change has to lead to, "" for either.
    """

    name: str
    broken: Callable[[Machine], "contextlib.AbstractContextManager[None]"]
    strike: Callable[[Case], str]
    after: Callable[[Case], None]
    towards: str = ""


def judge(case: Case, strict: bool = True) -> str:
    """The name of the wish that is wholly in force, in the kernel and on disk.

    What a killed writer began has a name that nothing loads; only ``strict`` judges that it has gone.
    """
    now = case.machine.look()
    if not strict:
        now = now._replace(files={path: entry for path, entry in now.files.items() if BEGUN not in path})
    differences = {name: picture.differences(now) for name, picture in case.pictures.items()}
    same = [name for name, found in differences.items() if not found]
    assert same, "neither wholly old nor wholly new.\n\n" + "\n\n".join(
        "Against %s:\n%s" % (name, "\n".join(found)) for name, found in differences.items()
    )
    return same[0]


def no_half_files(case: Case) -> None:
    """Each single file that a firewall or systemd would load is the old one or the new one."""
    now = case.machine.look().files
    pictures = [picture.files for picture in case.pictures.values()]
    known = {path: [files.get(path) for files in pictures] for path in {*now, *pictures[0], *pictures[1]}}
    wrong = [p for p in known if now.get(p) not in known[p] and BEGUN not in p]
    # A folder's own entry says nothing, and the unit that ends a trial at boot comes with each trial.
    wrong = [p for p in wrong if not p.startswith("/etc/systemd/system/printfleet-cups-recovery")]
    assert not wrong, "neither old nor new: %s" % ", ".join(wrong)


def survive(case: Case, fault: Fault) -> List[str]:
    """Try it; gives what was seen, raises AssertionError where the host did not survive."""
    machine, started = case.machine, time.monotonic()
    with fault.broken(machine):
        proof = fault.strike(case)
        machine.must_serve()
    if fault.after is not nothing_more:
        no_half_files(case)
    fault.after(case)
    ended = judge(case, strict=False)
    machine.must_serve(closed=True)
    # The next run is one that settles at once, since the change before was one that waits.
    machine.apply(case.wishes[case.to], seconds=0)
    again = machine.apply(case.wishes[case.to])
    assert again.answer is not None and not again.answer["changed"], "not idempotent: %s" % again.told()
    assert judge(case) == case.to
    machine.must_serve()
    word = "new" if ended == case.to else "old"
    return [proof, "the host was wholly in the %s state" % word, "%.0f s" % (time.monotonic() - started)]


# --- how a run can go: each gives the proof that the fault struck ---------------------------------------------------


def fails(words: str, seconds: int = LONG, **options) -> Callable[[Case], str]:
    """The module says itself that it failed, and why; the host is as it was at once."""
    def strike(case: Case) -> str:
        outcome = case.machine.propose(case.wishes[case.to], seconds, **options)
        assert outcome.failed and words in outcome.answer["msg"], outcome.told()
        return "the module said: %s" % outcome.answer["msg"]
    return strike


def fails_and_claims_less(words: str, how: str) -> Callable[[Case], str]:
    """The host is not as it was before, and the module says what is left, and what mends it."""
    fail = fails(words, SHORT)

    def strike(case: Case) -> str:
        said = fail(case)
        assert AS_BEFORE not in said and how in said and MENDS in said, said
        left = case.pictures[case.at].differences(case.machine.look())
        assert case.machine.waits() or any("kernel" in one for one in left), "nothing is left, but: " + said
        return said
    return strike


def goes_on(proof: Callable[[Machine], str], **options) -> Callable[[Case], str]:
    """The change is made all the same, and confirmed."""
    def strike(case: Case) -> str:
        seen = proof(case.machine)
        outcome = case.machine.propose(case.wishes[case.to], LONG, **options)
        assert outcome.cookie, outcome.told()
        settled = case.machine.confirm(outcome.cookie, **options)
        assert (settled.answer or {}).get("outcome") == "settled", settled.told()
        return seen
    return strike


def alarm_set_again(case: Case) -> str:
    """systemd calls the alarm's units bad, and a run gets its alarm all the same; none of them is left."""
    machine = case.machine
    outcome = machine.propose(case.wishes[case.to], LONG)
    assert outcome.cookie and machine.has_alarm(), outcome.told()
    bad = machine.run("cat", "/opt/faults/bad")
    assert bad.count("LoadState=bad-setting") == 2, bad
    settled = machine.confirm(outcome.cookie)
    assert (settled.answer or {}).get("outcome") == "settled", settled.told()
    units = [line.partition("=")[2] for line in bad.splitlines() if line.startswith("Id=")]
    left = machine.run("systemctl", "show", "--property=LoadState", *units).split()
    assert left == ["LoadState=not-found"] * 2, left
    return "systemd called %s bad" % " and ".join(units)


def killed(share: float, confirming: bool = False, seconds: int = SHORT) -> Callable[[Case], str]:
    """The module is killed at a step, so far on its way (0 is its first change of anything, 1 its last)."""
    def strike(case: Case) -> str:
        known = case.steps["confirm" if confirming else "change" if seconds else "at once"]
        first = 1 if confirming else begins(known)
        return strike_at(case, first + round(share * (len(known) - first)), "kill", confirming, seconds)
    return strike


def killed_at(at: int, confirming: bool, seconds: int = SHORT) -> Callable[[Case], str]:
    """The module is killed at that step."""
    return lambda case: strike_at(case, at, "kill", confirming, seconds)


def begins(steps: List[str]) -> int:
    """The first step of a change that changes anything: it makes the trial's folder."""
    return next(number for number, step in enumerate(steps, 1) if TRIAL in step)


def killed_in(words: str) -> Callable[[Case], str]:
    """The module is killed some moments after it started the last program with such words."""
    def strike(case: Case) -> str:
        numbers = [number for number, step in enumerate(case.steps["change"], 1) if words in step]
        return strike_at(case, numbers[-1], "during", False)
    return strike


def orphaned(case: Case) -> str:
    """The module is killed while the program that changes the kernel's rules still waits, and that one goes on."""
    program, words, at = breakage.GOES_ON[case.machine.backend]
    numbers = [n for n, step in enumerate(case.steps["change"], 1) if "run %s " % program in step and words in step]
    if case.machine.backend == "nftables":
        at -= 1  # the first was in a namespace of its own, by a shell
    seen = strike_at(case, numbers[at - 1], "later", False)
    left = case.machine.run("pgrep", "-f", "^sleep %s" % ORPHAN_WAITS)
    return "%s; process %s goes on" % (seen, left.split()[0])


def orphan_ended(case: Case) -> None:
    """After the alarm, and until the orphan would have carried the change out."""
    started = time.monotonic()
    alarm(case)
    time.sleep(max(0.0, ORPHAN_WAITS + 1 - (time.monotonic() - started)))


def strike_at(case: Case, at: int, how: str, confirming: bool, seconds: int = SHORT) -> str:
    """Kill the run at that step, and see that it died there."""
    outcome = case.machine.ended(begun(case, at, how, confirming, seconds))
    assert outcome.status == KILLED and outcome.answer is None, outcome.told()
    return "killed %s step %d: %s" % ("before" if how == "kill" else "in", at, case.machine.steps()[-1][:100])


def begun(case: Case, at: int, how: str, confirming: bool, seconds: int = SHORT) -> "subprocess.Popen[str]":
    """Start the change, or its confirmation, that is to end at that step."""
    machine = case.machine
    cookie = secrets.token_hex(8)
    seconds = ENOUGH if confirming else seconds
    change = dict(case.wishes[case.to], confirm_timeout=seconds, confirmation=cookie)
    if not confirming:
        return machine.start(change, at=at, how=how)
    outcome = machine.module(change)
    assert outcome.cookie, outcome.told()
    return machine.start({"confirmation": cookie, "confirm": "anew"}, at=at, how=how)


def power_cut(share: float, confirming: bool = False) -> Callable[[Case], str]:
    """The whole host is switched off at a step, and on again."""
    def strike(case: Case) -> str:
        machine = case.machine
        known = case.steps["confirm" if confirming else "change"]
        first = 1 if confirming else begins(known)
        at = first + round(share * (len(known) - first))
        running = begun(case, at, "stop", confirming)
        stopped(machine, running)
        seen = machine.steps()[-1][:100]
        machine.cut_power()
        assert machine.ended(running).answer is None
        machine.power_on()
        return "switched off before step %d: %s" % (at, seen)
    return strike


def stopped(machine: Machine, running: "subprocess.Popen[str]") -> None:
    """Wait until a run has stopped itself, so that the power goes exactly there."""
    until = time.monotonic() + 60
    while "T (stopped)" not in machine.says("sh", "-c", "grep -h State /proc/$(pgrep -f [r]unner.py)/status")[1]:
        assert running.poll() is None and time.monotonic() < until, machine.ended(running).told()


def waits_for_nobody(case: Case) -> str:
    """The change is made and nobody comes to confirm it."""
    outcome = case.machine.propose(case.wishes[case.to], SHORT)
    assert outcome.cookie and case.machine.waits(), outcome.told()
    return "the change waited for its confirmation"


def power_cut_on_trial(case: Case) -> str:
    """The host is switched off while a change waits for its confirmation."""
    outcome = case.machine.propose(case.wishes[case.to], LONG)
    assert outcome.cookie and case.machine.waits(), outcome.told()
    boot(case)
    return "switched off while the change was on trial"


def python_gone(case: Case) -> str:
    """The alarm finds no Python: it cannot take back anything, and the next boot does."""
    machine = case.machine
    waits_for_nobody(case)
    path = machine.run("readlink", "-f", "/usr/bin/python3").strip()
    machine.shell("cp -a %s /opt/faults/python; rm %s" % (path, path))
    try:
        time.sleep(SHORT + 1.5)
        assert machine.waits(), "the alarm has rung all the same"
        machine.must_serve()
    finally:
        machine.run("cp", "-a", "/opt/faults/python", path)
    return "after the alarm the change was still on trial"


def undo_killed(share: float) -> Callable[[Case], str]:
    """The program that takes the change back is killed, so far on its way."""
    return lambda case: undo_killed_at(round(share * len(case.steps["undo"])))(case)


def undo_killed_at(at: int) -> Callable[[Case], str]:
    """The same at that step; the alarm itself has still to ring, and goes on from there."""
    def strike(case: Case) -> str:
        machine = case.machine
        cookie = machine.propose(case.wishes[case.to], ENOUGH).cookie
        # Started by hand: it waits for the trial's end by itself, and has the lock first since its clock is fast.
        outcome = machine.module({}, program=TRIAL + "/undo.py", at=at, argument=cookie)
        assert outcome.status == KILLED, outcome.told()
        return "killed before step %d of taking back: %s" % (at, machine.steps()[-1][:100])
    return strike


def two_controllers(case: Case) -> str:
    """Two runs with different wishes at the same moment, and a third while the winner waits."""
    machine = case.machine
    wishes = [dict(w, confirm_timeout=LONG, confirmation=secrets.token_hex(8)) for w in case.wishes.values()]
    running = [machine.start(wish) for wish in wishes]
    ended = [machine.ended(one) for one in running]
    winners = [outcome for outcome in ended if outcome.cookie]
    # Who wishes for what is in force already has nothing to do and says so, if he comes first; else he is refused.
    others = [outcome for outcome in ended if not outcome.cookie]
    assert len(winners) == 1 and all(o.failed or not (o.answer or {"changed": 1})["changed"] for o in others), [
        outcome.told() for outcome in ended
    ]
    third = machine.propose(wishes[0], LONG)
    assert third.failed, third.told()
    settled = machine.confirm(winners[0].cookie)
    assert (settled.answer or {}).get("outcome") == "settled", settled.told()
    return "refused beside the other: %s" % third.answer["msg"]


# --- what the host does by itself -------------------------------------------------------------------------------


def nothing_more(case: Case) -> None:
    """The module has said how the host is, so it is so now."""
    assert not case.machine.waits(), "a trial is left"


def alarm(case: Case) -> None:
    """Wait until the alarm has rung.  Where it was not even set nothing is touched yet, and the next run tidies up."""
    if case.machine.has_alarm():
        case.machine.wait_for_alarm(SHORT + 40)


def as_before(case: Case) -> None:
    """The module has claimed so."""
    nothing_more(case)
    assert judge(case) == case.at, "the host is not as it was before"


def next_run(case: Case) -> None:
    """What the message names."""
    case.machine.apply(case.wishes[case.at], seconds=0)
    nothing_more(case)


def boot(case: Case) -> None:
    """Switch off and on."""
    case.machine.cut_power()
    case.machine.power_on()
    assert not case.machine.waits(), "a trial is left after the boot"
