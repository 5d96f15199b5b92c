# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a change on trial has come on a host, seen from beside it: by Docker, which no firewall keeps out."""

from __future__ import annotations

import concurrent.futures
import time
from typing import Callable, Dict, Sequence

from . import lab

# What _transaction.py makes of it.
FOLDER = "/var/lib/printfleet-cups/trial"
LOCK = "/run/printfleet-cups.lock"
# Longer than Ansible takes to come so far on a busy machine.
PATIENCE = 120


def on_all(work: Callable, hosts: Sequence[str]) -> Dict[str, object]:
    """Do the same for all hosts at once; gives what came of it, by host."""
    with concurrent.futures.ThreadPoolExecutor(len(hosts)) as pool:
        return dict(zip(hosts, pool.map(work, hosts)))


def begun(host: str) -> None:
    """Wait until the host has begun: from then on it needs nobody; raises LabError."""
    _until(host, "[ -e %s/armed ]" % FOLDER, PATIENCE, 0.02)


def made(host: str) -> None:
    """Wait until the module that began has done its work and ended; raises LabError."""
    lab.inside(host, ["flock", "--exclusive", "--timeout", str(PATIENCE), LOCK, "true"])


def over(host: str, patience: float) -> float:
    """Wait until nothing is on trial any more; gives the seconds that it took; raises LabError."""
    started = time.monotonic()
    _until(host, "[ ! -e %s ]" % FOLDER, patience, 0.1)
    return time.monotonic() - started


def waits(host: str) -> bool:
    """Whether a change waits for its confirmation."""
    return lab.inside(host, ["sh", "-c", "if [ -e %s/armed ]; then echo yes; fi" % FOLDER]).strip() == "yes"


def alarms(host: str) -> str:
    """The units of ours that only live as long as systemd runs, as systemd lists them."""
    return lab.inside(host, ["systemctl", "list-units", "--all", "--plain", "--no-legend", "printfleet-cups-undo*"])


def _until(host: str, condition: str, patience: float, step: float) -> None:
    turns = int(patience / step)
    loop = "for turn in $(seq %d); do %s && exit 0; sleep %s; done; exit 1" % (turns, condition, step)
    lab.inside(host, ["sh", "-c", loop])
