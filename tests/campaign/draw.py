# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried: all of it follows from the backend and one number, the fault's seed.  Pure."""

from __future__ import annotations

import errno
import random
import signal
from typing import Any, Dict, List, NamedTuple

# The states of a host, by what it was before us: its own firewall active, or installed and switched off.
STATES: Dict[str, List[str]] = {
    "active": ["absent", "keep", "helped", "deny", "other"],
    "inactive": ["absent", "keep", "deny", "other"],
}
# When a fault strikes: while a change on trial is made, or one that is settled at once; while it is confirmed; while
# the alarm's program takes it back.
PHASES = ["change", "at once", "confirm", "undo"]
KINDS: Dict[str, int] = {
    "signal": 22, "system call": 18, "limit": 6, "disk": 10, "program": 14, "orphan": 6, "D-Bus": 3, "firewalld": 6,
    "systemd": 6, "power": 9, "controllers": 3, "others": 4, "alarm": 2, "lock": 2, "clock": 1,
}
ERRORS = [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE, errno.EACCES, errno.ENOMEM]
SIGNALS = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
BEHAVIOURS = ["fails", "fails", "fails when it has done it", "is slow", "prints noise", "is killed"]


class Fault(NamedTuple):
    """One fault; ``share`` is how far on the way it strikes, of the steps that an undisturbed run takes."""

    backend: str
    seed: int
    kind: str
    base: str
    start: str
    to: str
    phase: str
    share: float
    early: bool  # anywhere, also ahead of the first step that changes anything
    recover: str  # what ends a trial that is left: the real alarm, a boot, the next run, or the same call again
    trial: bool  # whether the next run puts its change on trial
    details: Dict[str, Any]

    def told(self) -> str:
        """In words."""
        details = " ".join("%s=%s" % pair for pair in sorted(self.details.items()))
        return "%s:%d %s, %s %s -> %s, %s at %.2f, then %s%s" % (
            self.backend, self.seed, self.kind, self.base, self.start, self.to, self.phase, self.share, self.recover,
            ": " + details if details else "",
        )


def release(seed: int) -> str:
    """The Debian on which a fault is tried."""
    return "debian12" if seed % 2 else "debian13"


def draw(backend: str, seed: int) -> Fault:
    """The fault of that number."""
    chance = random.Random("%s %d" % (backend, seed))
    kinds = {kind: weight for kind, weight in KINDS.items() if kind != "firewalld" or backend == "firewalld"}
    kind = chance.choices(list(kinds), list(kinds.values()))[0]
    base = chance.choices(list(STATES), [7, 3])[0]
    start, to = chance.sample(STATES[base], 2)
    phase = chance.choices(PHASES, [5, 2, 3, 2])[0]
    if kind in ("firewalld", "clock", "controllers"):
        phase = "change"
    recover = chance.choices(["alarm", "boot", "next", "again"], [4, 1, 3, 2])[0]
    if kind == "alarm":
        phase, recover = "change", "alarm"
    return Fault(
        backend, seed, kind, base, start, to, phase, chance.random(), chance.random() < 0.15, recover,
        chance.random() < 0.3, _details(kind, chance),
    )


def _details(kind: str, chance: random.Random) -> Dict[str, Any]:
    """What a kind has to say beside what all have."""
    after = chance.choice([0, 0, chance.randint(1, 60), chance.randint(1, 600)])
    if kind == "signal":
        stop = chance.choice([0, 0, 0, chance.randint(50, 1500)])
        number = chance.choice([signal.SIGKILL, signal.SIGCONT]) if stop else chance.choice(SIGNALS)
        return {"signal": int(number), "whom": chance.choice(["module", "tree", "child"]), "after": after, "stop": stop}
    if kind == "system call":
        return {"errno": chance.choice(ERRORS), "times": chance.choice([1, 1, 2, 5, 10000])}
    if kind == "limit":
        name = chance.choice(["RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_AS", "RLIMIT_CPU"])
        values = {
            "RLIMIT_NOFILE": range(4, 17), "RLIMIT_FSIZE": [0, 100, 1000, 4096, 20000, 200000],
            "RLIMIT_AS": [n << 20 for n in range(20, 130, 5)], "RLIMIT_CPU": [1],
        }
        return {"name": name, "value": chance.choice(list(values[name]))}
    if kind == "disk":
        where = chance.choice(["firewall", "firewall", "trial", "trial", "run", "etc read-only", "var read-only"])
        return {"where": where, "left": chance.choice([0, 0, 4, 8, 16, 40, 120, 208, 300])}
    if kind == "program":
        # Which program, and in which of its calls, follows from how far on the way it is.
        return {
            "does": chance.choice(BEHAVIOURS), "times": chance.choice([1, 1, 1, 2, 1000]),
            "seconds": round(chance.uniform(0.2, 2.5), 1), "status": chance.choice([1, 2, 4, 100]),
        }
    if kind == "orphan":
        # The program waits, and dies hard: what started it is killed meanwhile.
        return {
            "does": "is slow", "times": 1, "seconds": round(chance.uniform(1.0, 9.0), 1), "status": 1,
            "after": chance.randint(50, 700),
        }
    if kind == "D-Bus":
        return {"does": chance.choice(["gone", "frozen", "frozen"]), "seconds": round(chance.uniform(0.3, 4.0), 1)}
    if kind == "firewalld":
        return {"signal": chance.choice(["KILL", "KILL", "TERM", "STOP"]), "after": after}
    if kind == "systemd":
        return {"does": chance.choice(["daemon-reload", "daemon-reexec"]), "after": after}
    if kind == "power":
        twice = chance.choice([0, 0, chance.randint(100, 2500)])
        return {"after": after, "again": twice, "waiting": chance.random() < 0.25}
    if kind == "controllers":
        return {"runs": chance.randint(2, 4)}
    if kind == "others":
        return {"after": after}
    if kind == "alarm":
        return {"after": chance.randint(1, 900)}
    if kind == "lock":
        return {"whose": chance.choice(["ours", "others"]), "seconds": round(chance.uniform(0.5, 4.0), 1)}
    return {"clock": chance.choice([86400, 3, 1e7])}
