# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in a run's way for as long as a fault lasts: programs, disks, D-Bus, locks."""

from __future__ import annotations

import contextlib
import shlex
from typing import Any, Dict, Iterator

from faults import breakage

from .host import Host

CALLS = "/opt/faults/calls"
# In place of a program: counts its calls, and misbehaves in some of them.
WRAPPER = """#!/bin/sh
echo "$*" >> {calls}
number=$(wc -l < {calls})
if [ "$number" -ge {begin} ] && [ "$number" -lt {end} ]; then
    {does}
fi
exec {real} "$@"
"""
DOES = {
    "fails": "echo broken on purpose >&2; exit {status}",
    "fails when it has done it": '{real} "$@" > /dev/null; echo broken on purpose >&2; exit {status}',
    "is slow": "sleep {seconds}",
    "prints noise": 'printf "\\360\\237 %%s\\n" "{{noise" "# noise"; echo noise >&2',
    "is killed": "kill -KILL $$",
}
READ_ONLY = {"etc read-only": "/etc", "var read-only": "/var/lib"}


def wrapped(host: Host, details: Dict[str, Any]):
    """A program that misbehaves."""
    program = details["program"]
    real = host.says("sh", "-c", "command -v " + program)[1].strip()
    if not real:
        return contextlib.nullcontext()
    # The path of nft goes into a unit of ours: it has to be the same as without a fault.
    instead = program == "nft"
    path = real if instead else breakage.FIRST_ON_PATH + "/" + program
    real += ".real" if instead else ""
    told = dict(details, real=real)
    script = WRAPPER.format(
        calls=CALLS, begin=details["call"], end=details["call"] + details["times"], real=real,
        does=DOES[details["does"]].format(**told),
    )
    put = "rm -f %s; touch %s; printf %%s %s > %s; chmod 755 %s" % (CALLS, CALLS, shlex.quote(script), path, path)
    if instead:
        return breakage.scripts(host, "mv {0} {1}; {2}".format(path, real, put), "mv %s %s" % (real, path))
    return breakage.scripts(host, put, "rm -f " + path)


def disk(host: Host, where: str, left: int):
    """A file system that is full, or cannot be written."""
    if where in READ_ONLY:
        folder = READ_ONLY[where]
        return breakage.scripts(
            host, "mount --bind {0} {0}; mount -o remount,bind,ro {0}".format(folder), "umount --lazy " + folder
        )
    if where == "run":
        # systemd needs it too: the rest is what its own files may take.
        filler = (
            "mount -o remount,size=$(($(df --output=used -k /run | tail -n 1) + {0}))k /run".format(max(left, 4))
        )
        return breakage.scripts(host, filler, "mount -o remount,size=256m /run")
    if where == "firewall":
        return breakage.full_etc(left)(host)
    return trial_disk(host, left)


@contextlib.contextmanager
def trial_disk(host: Host, left: int) -> Iterator[None]:
    """The folder of what we remember is there only while there is something."""
    folder = "/var/lib/printfleet-cups"
    host.shell("mkdir -p -m 755 " + folder)
    with breakage.full(folder, left)(host):
        yield
    host.shell("rmdir --ignore-fail-on-non-empty " + folder)


def bus(host: Host, does: str, seconds: float):
    """D-Bus is not there, or answers nobody for a while."""
    if does == "gone":
        return breakage.gone("/run/dbus/system_bus_socket")(host)
    freeze = "pid=$(pidof -s dbus-daemon); kill -STOP $pid; (sleep %s; kill -CONT $pid) > /dev/null 2>&1 &" % seconds
    return breakage.scripts(host, freeze, "pkill -CONT -x dbus-daemon")


def locked(host: Host, whose: str, seconds: float):
    """Somebody else holds a lock for a while."""
    path, posix = "/run/printfleet-cups.lock", False
    if whose != "ours":
        path, posix = ("/run/ufw.lock", True) if host.backend == "ufw" else ("/run/xtables.lock", False)
    code = "import fcntl, time; f = open(%r, 'w'); fcntl.%s(f, fcntl.LOCK_EX); open(%r, 'w'); time.sleep(%s)" % (
        path, "lockf" if posix else "flock", CALLS, seconds,
    )
    hold = "rm -f %s; setsid python3 -c %s > /dev/null 2>&1 & while [ ! -e %s ]; do sleep 0.02; done" % (
        CALLS, shlex.quote(code), CALLS,
    )
    return breakage.scripts(host, hold, "true")


def stand(host: Host, kind: str, details: Dict[str, Any]):
    """What the fault puts into the run's way, nothing for those that strike in the run itself."""
    if kind in ("program", "orphan"):
        return wrapped(host, details)
    if kind == "disk":
        return disk(host, details["where"], details["left"])
    if kind == "D-Bus":
        return bus(host, details["does"], details["seconds"])
    if kind == "lock":
        return locked(host, details["whose"], details["seconds"])
    return contextlib.nullcontext()


def met(host: Host, kind: str, details: Dict[str, Any]) -> bool:
    """Whether a program that misbehaves was really called so often."""
    if kind not in ("program", "orphan"):
        return True
    return len(host.says("cat", CALLS)[1].splitlines()) >= details["call"]
