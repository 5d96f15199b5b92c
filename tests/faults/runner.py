# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module on the host and end it at a chosen step: sent into a container, ``python3 -B - PLAN``.

PLAN is JSON: {"code": folder, "params": options of the module, "module": another module than the one that changes a
host, "program": a script to run instead of it, "argument": its argument, "at": number of a step or 0,
"words": of the step instead of its number, "how": "kill", "during", "later" or "stop", "log": file, "clock": seconds}.

A step is whatever can change the host: a file opened for writing, renamed, removed, a folder made, a link, a
program started.  Python itself tells them all (PEP 578, audit hooks), so the module needs no hook of its own and
does not know that it is watched.  "kill" is SIGKILL just before the step, "during" some moments after it began and
"later" a second after, "stop" is SIGSTOP just before it, so that the whole host can be switched off there.

Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import time

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.truncate"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
MODULE = "ansible_collections.printfleet.cups.plugins.modules.cups_firewall"
HURRY = 3.0  # seconds
MOMENT = 0.02  # less than any of the firewalls' programs takes
LATER = 1.0  # for a program that waits: it has been told by then what to do


def told(event: str, arguments: tuple) -> str:
    """The step in words, "" where the event changes nothing."""
    if event == "open":
        path, _mode, flags = arguments
        # A number is a pipe, or a file that was opened before.
        return "open %s" % (path,) if flags & WRITES and path != os.devnull and not isinstance(path, int) else ""
    if event == "subprocess.Popen":
        return "run %s" % " ".join(map(str, arguments[1]))[:200]
    if event == "os.mkdir" and os.path.isdir(arguments[0]):
        return ""
    return "%s %s" % (event, " ".join(map(str, arguments[:2]))) if event in CHANGES else ""


def end(how: str) -> None:
    """End this process in the wanted way."""
    if how in ("kill", "stop"):
        os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGSTOP)
    elif os.fork() == 0:
        time.sleep(MOMENT if how == "during" else LATER)
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(0)


def watch(plan: dict) -> None:
    """Count the steps from here on, note each, and end at the wanted one."""
    log = os.open(plan["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    count = [0]

    def hook(event: str, arguments: tuple) -> None:
        step = told(event, arguments)
        if not step or count[0] < 0:
            return
        count[0] += 1
        os.write(log, ("%d %s\n" % (count[0], step)).encode("utf-8", "surrogateescape"))
        if count[0] == plan["at"] or (plan.get("words") and plan["words"] in step):
            count[0] = -1
            end(plan["how"])

    sys.addaudithook(hook)


def jump(seconds: float) -> None:
    """Let the wall clock of this process jump to and fro; the monotonic clock cannot be set by anybody."""
    real, calls = time.time, [0]

    def jumping() -> float:
        calls[0] += 1
        return real() + (seconds if calls[0] % 2 else -seconds)

    time.time = jumping


def hurry(seconds: float) -> None:
    """Let this process believe that it is later, so that the alarm's own program comes second."""
    real = time.monotonic
    time.monotonic = lambda: real() + seconds


def main() -> None:
    plan = json.loads(sys.argv[1])
    if plan["clock"]:
        jump(plan["clock"])
    if plan["program"]:
        hurry(HURRY)
        sys.argv = [plan["program"], plan["argument"]]
        watch(plan)
        runpy.run_path(plan["program"], run_name="__main__")
        return
    sys.path.insert(0, plan["code"])
    from ansible.module_utils import basic

    # This is how Ansible's own wrapper hands the options over.
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": plan["params"]}).encode("utf-8")
    basic._ANSIBLE_PROFILE = "legacy"
    module = plan.get("module") or MODULE
    sys.argv = [module]
    watch(plan)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
