# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault on one host: strike, let the host end it, and hold what it is then against undisturbed pictures."""

from __future__ import annotations

import re
import secrets
import time
import traceback
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from faults.machine import LONG, Outcome

from . import obstacles
from .draw import Fault
from .states import DOORS, Base, Seen, first, see

SHORT = 5  # the least that the module takes
ENOUGH = 12  # for a confirmation on a busy machine
BEGUN = "/.printfleet-cups-"
DONE = "/opt/faults/done"
# "x is not as it was before" is the opposite of a claim.
CLAIMS = re.compile(r"(?<!not )as it was before|nothing was changed")
MILDER = re.compile(r"nothing of its firewall was changed")
OTHERS = (
    "nft add table inet other; nft add chain inet other early '{ type filter hook input priority -9; }';"
    " nft add rule inet other early ip saddr 192.0.2.123 drop; iptables -w 9 -A DOCKER-USER -s 192.0.2.124 -j DROP"
)


class Result(NamedTuple):
    """What came of a fault.  One that never struck, since the run was over before, is none and is not counted."""

    fault: Fault
    struck: bool
    effect: bool  # the run itself did not just succeed
    survived: bool
    told: str
    seconds: float


class Attempt:
    """See ``run``."""

    def __init__(self, base: Base, fault: Fault) -> None:
        self.base, self.host, self.fault = base, base.host, fault
        self.cookie = secrets.token_hex(8)
        self.obstacle: Dict[str, Any] = dict(fault.details)
        self.plan = self._plan()
        self.told: List[str] = []
        self.effect, self.struck = False, True
        self.booted = self.inert = False
        # Which states may be in force in the end; a run that says what is in force leaves one of them.
        self.ends = {fault.start, fault.to}

    def run(self) -> None:
        """Raises AssertionError where it is not survived."""
        host, fault = self.host, self.fault
        if fault.kind == "controllers":
            self._controllers()
        else:
            if fault.phase in ("confirm", "undo"):
                seconds = LONG if fault.phase == "undo" else ENOUGH
                outcome = host.module(self._change(seconds))
                assert outcome.answer is not None and not outcome.failed, "undisturbed: %s" % outcome.told()
            if "program" in self.obstacle:
                self.told.append("call %(call)d of %(program)s" % self.obstacle)
            with obstacles.stand(host, fault.kind, self.obstacle):
                outcome = self._strike()
                self._must_serve()
                self._weigh(outcome)
                self.struck = self.struck and obstacles.met(host, fault.kind, self.obstacle)
                if self.struck and "command" in self.plan.get("deed", {}):
                    # It may come after the end of a run that was quick.
                    status = host.shell(
                        "for i in $(seq 300); do [ -s {0} ] && break; sleep 0.1; done; cat {0}".format(DONE)
                    ).strip()
                    # Where somebody else's own command fails, nothing of it can be lost.
                    assert fault.kind != "others" or status == "0", "the rules of others could not be set: " + status
                    host.systemd_answers()
            self._claims(outcome)
        if fault.kind == "firewalld" and fault.details["signal"] != "STOP" and not self.booted:
            # A daemon that somebody ended has lost what it held; a boot brings that back.
            self._boot()
        waiting = host.waits()
        recover = self._recover(waiting)
        host.calm()
        if recover == "next" and host.has_alarm():
            # What the dead run had started has set it only now.
            recover = self._recover(host.waits())
        now = None
        if recover != "next":
            self._others()
            now = self._judge(see(host))
        self._next()
        self.told.append("%s, by %s" % (now or "not judged before the next run", recover or "nothing"))

    # --- strike ---------------------------------------------------------------------------------------------------

    def _change(self, seconds: int) -> dict:
        return dict(self.base.wishes[self.fault.to], confirm_timeout=seconds, confirmation=self.cookie)

    def _plan(self) -> Dict[str, Any]:
        """What strike.py is told."""
        fault, details = self.fault, self.fault.details
        if fault.kind == "limit":
            return {"limits": {details["name"]: details["value"]}}
        if fault.kind == "clock":
            return {"clock": details["clock"]}
        deeds: Dict[str, dict] = {
            "signal": details, "system call": details, "power": dict(details, halt=True),
            "orphan": {"signal": 9, "whom": "module", "after": details.get("after", 0)},
        }
        scripts = {
            "others": "(set -e; %s)" % OTHERS, "systemd": "systemctl %s" % details.get("does"),
            "firewalld": "pid=$(systemctl show -P MainPID firewalld); kill -%s $pid%s" % (
                details.get("signal"), "; sleep 2; kill -CONT $pid" if details.get("signal") == "STOP" else ""),
        }
        if fault.kind in scripts:
            self.host.shell("rm -f " + DONE)
            deeds[fault.kind] = dict(details, command=["sh", "-c", "%s; echo $? > %s" % (scripts[fault.kind], DONE)])
        if fault.kind not in (*deeds, "program"):
            return {}
        steps = self.base.steps(fault.start, fault.to, fault.phase)
        least = 1 if fault.early or fault.phase in ("confirm", "undo") else first(steps)
        if fault.kind in ("program", "orphan"):
            at, name, call = _call(steps, least, fault.share)
            self.obstacle.update(program=name, call=call)
            # A program that misbehaves needs no help; an orphan's parent is killed while it waits.
            return {"at": at, "deed": deeds["orphan"]} if fault.kind == "orphan" else {}
        return {"at": least + int(fault.share * (len(steps) - least + 1)), "deed": deeds[fault.kind]}

    def _strike(self) -> Optional[Outcome]:
        """The run that is struck; None where the power went."""
        host, fault = self.host, self.fault
        if fault.kind == "power" and fault.details["waiting"] and fault.phase != "at once":
            # While it waits for its confirmation, and nobody is at work.
            if fault.phase == "change":
                host.module(self._change(LONG))
            self._cut()
            return None
        if fault.phase == "undo":
            going = host.begin(dict(
                self.plan, params={}, program="/var/lib/printfleet-cups/trial/undo.py", arguments=[self.cookie],
                hurry=100000.0,
            ))
        elif fault.phase == "confirm":
            going = host.begin(dict(self.plan, params={"confirmation": self.cookie, "confirm": "anew"}), second=True)
        else:
            going = host.begin(dict(self.plan, params=self._change(SHORT if fault.phase == "change" else 0)))
        outcome = host.stopped(going)
        if fault.kind == "power":
            self._cut()
            return None
        if outcome is None:
            # Stopped for a while, as the fault wants it; how it ends is what counts.
            outcome = host.stopped(going)
        assert outcome is not None, "the run stands still"
        if self.plan.get("at"):
            self.told.append(host.struck()[:120])
            self.struck = bool(self.told[-1])
        return outcome

    def _cut(self) -> None:
        """Power off and on, and perhaps off once more while it boots."""
        self.host.cut_power()
        again = self.fault.details["again"]
        if again:
            self.host.bare_boot(again / 1000.0)
        self.host.power_on()
        self.booted = True

    def _controllers(self) -> None:
        """Several at once; whoever comes first is confirmed, the others are refused or find nothing to do."""
        host, fault = self.host, self.fault
        states = [s for s in self.base.seen if s != fault.start]
        wanted = [(fault.to, *sorted(set(states) - {fault.to}))[n % len(states)] for n in range(fault.details["runs"])]
        self.ends |= set(wanted)
        going = []
        for number, state in enumerate(wanted):
            cookie = secrets.token_hex(8)
            params = dict(self.base.wishes[state], confirm_timeout=LONG, confirmation=cookie)
            going.append((state, cookie, host.begin({"params": params}, second=bool(number % 2))))
        ended = [host.stopped(one) for _state, _cookie, one in going]
        winners = [number for number, outcome in enumerate(ended) if outcome.cookie]
        told = [outcome.told() for outcome in ended]
        assert len(winners) == 1 and sum(outcome.failed for outcome in ended) == len(ended) - 1, told
        state, cookie, _going = going[winners[0]]
        # By the login that the change did not come by.
        outcome = host.do({"params": {"confirmation": cookie, "confirm": "anew"}}, second=not winners[0] % 2)
        assert (outcome.answer or {}).get("outcome") == "settled", outcome.told()
        self.ends, self.effect = {state}, True

    def _must_serve(self) -> None:
        """Whoever gets in before and after gets in now."""
        doors = [self.base.seen[state][0].doors for state in (self.fault.start, self.fault.to)]
        asked = [
            door for door in DOORS
            if all(seen["%s %d v%d" % (*door, v)] == "answered" for seen in doors for v in (4, 6))
        ]
        told = self.host.knock(*asked)
        wrong = {door: end for door, end in told.items() if end != "answered"}
        assert not wrong, "right after the strike: %s" % wrong

    # --- what the run said ------------------------------------------------------------------------------------------

    def _weigh(self, outcome: Optional[Outcome]) -> None:
        """What the run's own end means for the state of the host."""
        fault = self.fault
        if outcome is None or outcome.answer is None:
            self.effect = True
            if outcome is not None:
                self.told.append("ended with status %d" % outcome.status)
                self.effect = outcome.status != 0 or fault.phase != "undo"
                if fault.phase == "undo" and outcome.status == 0:
                    self.ends = {fault.start}
            return
        answer = outcome.answer
        self.told.append(str(answer.get("msg") or answer.get("why") or answer.get("outcome") or "done")[:300])
        self.effect = outcome.failed or bool(answer.get("why"))
        if fault.phase == "at once" and not outcome.failed:
            self.ends = {fault.to}
        elif answer.get("outcome") == "settled":
            self.ends = {fault.to}
        elif answer.get("outcome") == "taken back":
            self.ends = {fault.start}
        elif outcome.cookie and fault.recover == "again":
            settled = self.host.confirm(self.cookie)
            answer = settled.answer or {}
            word = answer.get("outcome")
            self.told.append("confirmed: %s" % (word or answer.get("msg") or settled.told()))
            # What broke the change may break its confirmation as well; then the alarm or whoever comes next decides.
            assert word in ("settled", "taken back", "not taken back") or settled.failed, settled.told()
            if word in ("settled", "taken back"):
                self.ends = {fault.to if word == "settled" else fault.start}

    def _claims(self, outcome: Optional[Outcome]) -> None:
        """A run that says how the host is has to be right."""
        answer = (outcome.answer if outcome is not None else None) or {}
        said = "%s %s" % (answer.get("msg", ""), answer.get("why", ""))
        taken_back = answer.get("outcome") == "taken back" and not answer.get("remark")
        if not (CLAIMS.search(said) or MILDER.search(said) or taken_back):
            return
        self._others()
        self.host.calm()
        # The firewall's own state is what the milder sentence speaks of.
        strict = CLAIMS.search(said) or not MILDER.search(said)
        start = self.fault.start
        now = see(self.host)
        differences = self.base.differences(start, now) if strict else self._differences(start, now)
        assert not differences and not self.host.waits(), "a claim that does not hold: %s\n%s" % (
            said.strip(), "\n".join(differences) or "a trial is left"
        )
        self.told.append("its claim holds")

    # --- what the host does -----------------------------------------------------------------------------------------

    def _recover(self, waiting: bool) -> str:
        """End a trial that is left, as drawn; gives by what, "" where none was left."""
        host, fault = self.host, self.fault
        if not waiting:
            return ""
        assert not self.booted, "a trial is left after a boot"
        self._no_half_files()
        recover = fault.recover
        if recover == "again" and fault.phase == "confirm":
            outcome = host.confirm(self.cookie)
            word = (outcome.answer or {}).get("outcome")
            assert word in ("settled", "taken back"), outcome.told()
            self.ends = {fault.to if word == "settled" else fault.start}
        elif recover == "again" or (recover == "alarm" and fault.phase in ("at once", "undo")) or (
            recover == "next" and host.has_alarm()
        ):
            # The alarm would ring minutes later, or the next run is refused until then: its program is run now, with a
            # clock that is fast.
            outcome = host.undo(self.cookie)
            assert outcome.status in (0, 2), outcome.told()
            recover = "again"
        elif recover == "alarm":
            self._kill_alarm()
            # An orphan may set it still.
            host.calm()
            if not host.has_alarm():
                return "nothing, for no alarm was set yet"
            host.wait_for_alarm(ENOUGH + 40)
        elif recover == "boot":
            self._boot()
        return recover

    def _kill_alarm(self) -> None:
        """End the alarm's program when it has just begun; systemd starts it again."""
        if self.fault.kind != "alarm":
            return
        self.effect = True
        self.struck = self.host.says("timeout", "20", "sh", "-c", (
            "while ! systemctl is-active printfleet-cups-undo-%s.service | grep -qx -e active -e activating;"
            " do sleep 0.02; done; sleep %.3f; systemctl kill --signal=KILL printfleet-cups-undo-%s.service"
        ) % (self.cookie, self.fault.details["after"] / 1000.0, self.cookie))[0] == 0

    def _boot(self) -> None:
        self.host.cut_power()
        self.host.power_on()
        self.booted = True
        assert not self.host.waits(), "a trial is left after the boot"

    def _others(self) -> None:
        """What somebody else did meanwhile is still there; then it goes, so that the pictures can be compared."""
        if self.fault.kind != "others" or self.booted or "others" in self.told:
            return
        self.host.calm()
        held = self.host.shell("nft list table inet other; iptables-save")
        for address in ("192.0.2.123", "192.0.2.124"):
            assert address in held, "the rule that somebody else set meanwhile is lost: %s" % address
        self.host.shell("nft delete table inet other; iptables -w 9 -D DOCKER-USER -s 192.0.2.124 -j DROP")
        self.told.append("others")

    # --- judge ------------------------------------------------------------------------------------------------------

    def _judge(self, now: Seen) -> str:
        """The state that is wholly in force; what a killed writer began has a name that nothing loads."""
        files = {path: entry for path, entry in now.picture.files.items() if BEGUN not in path}
        now = now._replace(picture=now.picture._replace(files=files))
        found = {state: self._differences(state, now) for state in sorted(self.ends)}
        # The nearest one says most.
        nearest = min(found, key=lambda state: len(found[state]))
        same = [state for state, differences in found.items() if not differences]
        assert same, "neither wholly old nor wholly new, allowed was %s. Against %s (%s):\n%s" % (
            " or ".join(found), nearest, ", ".join("%s: %d" % (s, len(told)) for s, told in found.items()),
            "\n".join(found[nearest]),
        )
        word = "new" if same[0] == self.fault.to else "old" if same[0] == self.fault.start else same[0]
        return word + (", with something inert beside it" if self.inert else "")

    def _differences(self, state: str, now: Seen) -> List[str]:
        """Between a state and now, but for what a run was killed too late or too early to take away.

        A run that is killed before its alarm was set, or after its change was settled, leaves an empty folder of ours
        or the unit that would end a trial at boot.  Neither does anything, and the next run takes them away: after it
        nothing is spared.
        """
        wanted = self.base.seen[state][0].picture.files
        files = {path: e for path, e in now.picture.files.items() if path in wanted or not _inert(path)}
        self.inert = self.inert or len(files) < len(now.picture.files)
        return self.base.differences(state, now._replace(picture=now.picture._replace(files=files)))

    def _no_half_files(self) -> None:
        """While a trial waits each file that a firewall or systemd would load is the old one or the new one."""
        states = (self.fault.start, self.fault.to)
        pictures = [one.picture.files for state in states for one in self.base.seen[state]]
        now = self.host.look().files
        wrong = [
            path for path in {*now, *(path for files in pictures for path in files)}
            if now.get(path) not in [files.get(path) for files in pictures]
            and BEGUN not in path and not _inert(path)
        ]
        assert not wrong, "neither old nor new: %s" % ", ".join(sorted(wrong))

    def _next(self) -> None:
        """The next run succeeds, and the one after it changes nothing."""
        host, fault = self.host, self.fault
        host.apply(self.base.wishes[fault.to], seconds=LONG if fault.trial else 0)
        self._others()
        again = host.module(dict(self.base.wishes[fault.to], confirm_timeout=LONG, confirmation=self.cookie))
        assert again.answer is not None and again.answer.get("changed") is False, "not idempotent: %s" % again.told()
        differences = self.base.differences(fault.to, see(host))
        assert not differences, "after the next run:\n%s" % "\n".join(differences)
        self.base.now = fault.to


def _call(steps: List[str], least: int, share: float) -> Tuple[int, str, int]:
    """A step that starts a program, by how far on the way it is: its number, the program, which of its calls it is."""
    found = [
        (number, words[2].rpartition("/")[2]) for number, words in ((n, s.split()) for n, s in enumerate(steps, 1))
        if words[1] == "run" and not words[2].rpartition("/")[2].startswith(("python", "sh"))
    ]
    late = [one for one in found if one[0] >= least] or found
    number, name = late[int(share * len(late))]
    # Some calls are made by a shell that is a step as a whole.
    called = re.compile(r"(?:^|[\s/])%s(?=\s|$)" % re.escape(name))
    return number, name, sum(len(called.findall(step.partition(" run ")[2])) for step in steps[:number])


def _inert(path: str) -> bool:
    return path == "/var/lib/printfleet-cups" or path.startswith("/etc/systemd/system/") and (
        "printfleet-cups-recovery" in path or path.endswith("sysinit.target.wants")
    )


def attempt(base: Base, fault: Fault) -> Result:
    """One fault from wherever the host is; whatever goes wrong in it means that it was not survived."""
    started = time.monotonic()
    one: Optional[Attempt] = None
    try:
        base.go(fault.start)
        one = Attempt(base, fault)
        one.run()
        survived, told = True, "; ".join(one.told)
    except Exception as error:  # the report shows it
        survived = False
        where = " < ".join("%s:%d" % (f.name, f.lineno) for f in reversed(traceback.extract_tb(error.__traceback__)))
        told = "%s: %s\n  %s\n  seen: %s" % (type(error).__name__, error, where, one.told if one else "")
    struck, effect = (one.struck, one.effect) if one else (True, True)
    return Result(fault, struck or not survived, effect, survived, told, time.monotonic() - started)
