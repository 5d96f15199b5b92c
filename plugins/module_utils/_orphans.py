# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that a dead run started and that still run: they end before anything is taken back.

A module that is killed leaves its programs alone: an iptables-restore goes on to wait for the lock of xtables and loads
the new rules later, over the old ones.  Each program inherits a mark in its environment, and whatever it starts
inherits it too (environ(7)), so that all of them are found in /proc, in whichever session they are.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Iterator, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError

MARK = "PRINTFLEET_CUPS_RUN"
_PROC = "/proc"
# A killed program ends within milliseconds, unless the kernel itself holds it up.
_PATIENCE = 10.0


def name_of(pid: int) -> str:
    """A process as nobody else is called until the next boot: its id and its start time; "" for none."""
    try:
        with open("%s/%d/stat" % (_PROC, pid), "rb") as handle:
            # The second field, the program's name, may hold spaces and brackets; the 22nd is the start (proc(5)).
            fields = handle.read().rpartition(b")")[2].split()
        return "" if fields[0] in (b"Z", b"X") else "%d:%d" % (pid, int(fields[19]))
    except (OSError, ValueError, IndexError):
        return ""


def end(run: str = "") -> None:
    """Kill every program of a run of ours but this process; ``run`` is the name of another process to end.

    For the holder of our lock only: what carries the mark then belongs to nobody any more.  Raises BackendError.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        left = list(_left(run))
        if not left:
            return
        if time.monotonic() > deadline:
            pid, program = left[0]
            raise BackendError("'%s' (process %d), started by an earlier run, cannot be ended" % (program, pid))
        for pid, _program in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)


def _left(run: str) -> Iterator[Tuple[int, str]]:
    mark = ("\0%s=" % MARK).encode()
    # A container on this host is a host of its own (pid_namespaces(7)).
    here = os.readlink("%s/self/ns/pid" % _PROC)
    for entry in os.listdir(_PROC):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open("%s/%s/environ" % (_PROC, entry), "rb") as handle:
                marked = mark in b"\0" + handle.read()
            if not marked and not (run.startswith(entry + ":") and run == name_of(int(entry))):
                continue
            if os.readlink("%s/%s/ns/pid" % (_PROC, entry)) == here:
                with open("%s/%s/cmdline" % (_PROC, entry), "rb") as handle:
                    yield int(entry), handle.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()[:200]
        except OSError:
            continue  # it has ended just now
