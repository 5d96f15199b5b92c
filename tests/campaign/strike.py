# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the module, or of the program that takes a change back, that is struck at a step; see server.py.

The plan is {"params": the module's options, "program": a script instead, "arguments": its own, "hurry": seconds by
which its clock is fast, "clock": seconds that it jumps, "limits": {name: value}, "log": file, "at": number of the
step, 0 for none, and "deed": what happens there}.  Steps are what faults/runner.py takes for steps, and fsync(2),
fchmod(2) and fchown(2) of a file as well.

    {"signal": number, "whom": "module", "child" or "tree", "after": milliseconds, "stop": milliseconds}
    {"errno": number, "times": how many steps from here on}
    {"command": [argument...], "after": milliseconds}
    {"halt": true, "after": milliseconds}   stop here until the power goes

Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import runpy
import signal
import sys
import time

import runner

MARK = "PRINTFLEET_CUPS_RUN"  # see plugins/module_utils/_orphans.py
SYNCED = ("fsync", "fchmod", "fchown")
AUDITED = "campaign.step"


def apart(work):
    """Do it in a process of its own session, which no signal to this one's reaches."""
    if os.fork():
        return
    try:
        os.setsid()
        os.closerange(3, 256)
        work()
    finally:
        os._exit(0)


def tree(top):
    """All processes below one, itself first."""
    below = {}
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%d/stat" % int(name)) as handle:
                parent = int(handle.read().rpartition(")")[2].split()[1])
            below.setdefault(parent, []).append(int(name))
        except (OSError, ValueError):
            continue
    found = [top]
    for pid in found:
        found += below.get(pid, [])
    return [pid for pid in found if pid != os.getpid()]


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def shoot(deed, module):
    """Send the signal to whom it is meant for."""
    time.sleep(deed["after"] / 1000.0)
    found = tree(module)
    whom = {"module": found[:1], "child": found[1:], "tree": found}[deed["whom"]]
    if deed.get("stop"):
        send(whom, signal.SIGSTOP)
        time.sleep(deed["stop"] / 1000.0)
    send(whom, deed["signal"])


def command(deed):
    time.sleep(deed["after"] / 1000.0)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    # Somebody else's program: with the run's mark it would be ended with the run's own.
    os.environ.pop(MARK, None)
    os.execvp(deed["command"][0], deed["command"])


def do(deed, event):
    """What happens at the step; an error is raised, so that the step itself does not happen."""
    module = os.getpid()
    if "errno" in deed:
        raise OSError(deed["errno"], os.strerror(deed["errno"]), event)
    if "command" in deed:
        apart(lambda: command(deed))
    elif "halt" in deed and not deed["after"]:
        os.kill(module, signal.SIGSTOP)
    elif "halt" in deed:
        apart(lambda: (time.sleep(deed["after"] / 1000.0), send(tree(module), signal.SIGSTOP)))
    elif not deed["after"] and deed["whom"] == "module" and not deed.get("stop"):
        os.kill(module, deed["signal"])
    else:
        apart(lambda: shoot(deed, module))


def watch(plan):
    """Count the steps, note each, and strike at the wanted one."""
    log = os.open(plan["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    deed, at = plan.get("deed") or {}, plan.get("at", 0)
    times = deed.get("times", 1)
    count = [0]

    def hook(event, arguments):
        if event == AUDITED:
            step = " ".join(map(str, arguments))
        else:
            step = runner.told(event, arguments)
        if not step or count[0] < 0:
            return
        count[0] += 1
        number = count[0]
        struck = at and at <= number < at + times
        os.write(log, ("%d %s%s\n" % (number, "STRUCK " if struck else "", step)).encode("utf-8", "surrogateescape"))
        if struck:
            count[0] = -1
            try:
                do(deed, step)
            finally:
                count[0] = number

    for name in SYNCED:
        setattr(os, name, synced(name, getattr(os, name)))
    sys.addaudithook(hook)


def synced(name, real):
    """A call of os that is a step as well."""
    def call(descriptor, *arguments):
        sys.audit(AUDITED, name, *arguments)
        return real(descriptor, *arguments)
    return call


def main(plan):
    """Run it; gives the exit status, or SystemExit comes."""
    ctypes.CDLL(None).prctl(15, b"struck", 0, 0, 0)  # PR_SET_NAME, for who looks at the list of processes
    if plan.get("clock"):
        runner.jump(plan["clock"])
    if plan.get("hurry"):
        runner.hurry(plan["hurry"])
    for name, value in plan.get("limits", {}).items():
        number = getattr(resource, name)
        resource.setrlimit(number, (value, resource.getrlimit(number)[1]))
    if plan.get("program"):
        sys.argv = [plan["program"], *plan["arguments"]]
        # The packed code is to be used, not what this process has loaded.
        for name in [name for name in sys.modules if name.startswith("ansible_collections")]:
            del sys.modules[name]
        sys.path[:] = [path for path in sys.path if not path.startswith("/opt/faults")]
        watch(plan)
        runpy.run_path(plan["program"], run_name="__main__")
        return 0
    from ansible.module_utils import basic

    # This is how Ansible's own wrapper hands the options over.
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": plan["params"]}).encode("utf-8")
    basic._ANSIBLE_PROFILE = "legacy"
    sys.argv = [runner.MODULE]
    watch(plan)
    runpy.run_module(runner.MODULE, run_name="__main__", alter_sys=True)
    return 0
