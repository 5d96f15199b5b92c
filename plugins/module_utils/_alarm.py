# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What outlives connection, controller and power: the alarm that takes a change back, and the unit at boot."""

from __future__ import annotations

import fcntl
import glob
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import Iterable, Iterator, List, Optional, Sequence, Set

from ansible_collections.printfleet.cups.plugins.module_utils import _files, _orphans
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, BackendError, Host, must

ALARM = "%s-undo" % OWNER
LOCK = "/run/%s.lock" % OWNER
RECOVERY = "%s-recovery.service" % OWNER
UNITS = "/etc/systemd/system"
TRANSIENT = "/run/systemd/transient"
RUN_LEVELS = "/etc/rc?.d/[SK]??*"
_RECOVERY_FILE = "%s/%s" % (UNITS, RECOVERY)
_RECOVERY_LINK = "%s/sysinit.target.wants/%s" % (UNITS, RECOVERY)
_JOBS = 20.0  # seconds
# A unit without a job says "Job=" or, by the release, "Job=0" (measured, systemd 247, 252 and 257).
_JOB = re.compile(r"(?m)^Job=[1-9]")
_TRIES, _PAUSE = 3, 1.0
_RECOVERY_TEXT = """\
# Written by the Ansible collection printfleet.cups.
[Unit]
Description=Take back a change of the firewall that the power cut short (printfleet.cups)
DefaultDependencies=no
ConditionPathExists=%(program)s
RequiresMountsFor="%(program)s" "%(python)s"
After=local-fs.target
Before=network-pre.target sysinit.target shutdown.target
Before=nftables.service ufw.service firewalld.service %(owner)s-firewall.service
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart="%(python)s" -I "%(program)s" --boot

[Install]
WantedBy=sysinit.target
"""


def has_systemd() -> bool:
    """As systemd itself tells programs (sd_booted(3))."""
    return os.path.isdir("/run/systemd/system")


def recovery_paths() -> List[str]:
    """The two files of the unit that ends a cut-off change at boot."""
    return [_RECOVERY_FILE, _RECOVERY_LINK]


def prepare_recovery(host: Host, program: str) -> None:
    """See that a boot in the middle of a change ends it, before any firewall is loaded."""
    if not has_systemd():
        return
    # A percent sign and a backslash mean something in unit files (systemd.unit(5)).
    own = python().replace("\\", "\\\\").replace("%", "%%")
    text = _RECOVERY_TEXT % {"program": program, "owner": OWNER, "python": own}
    if _files.read(_RECOVERY_FILE) == text and os.path.islink(_RECOVERY_LINK):
        return
    _files.replace(_RECOVERY_FILE, text)
    _files.put_back({_RECOVERY_LINK: _files.Link(_RECOVERY_FILE)})


def drop_recovery(host: Host) -> None:
    """The host is without us again."""
    _files.put_back({_RECOVERY_LINK: None, _RECOVERY_FILE: None})
    reload_units(host)


def python() -> str:
    """The Python itself: a virtual environment that Ansible runs in is one link more, and may go away."""
    return os.path.realpath(sys.executable)


def _unit(name: str) -> str:
    """Each trial has units of its own, so that an alarm that still runs is in no later one's way."""
    return "%s-%s" % (ALARM, name)


def set_alarm(host: Host, name: str, seconds: int, program: str) -> None:
    """Run the program after so many seconds, whatever becomes of this process; raises BackendError.

    The program gets ``name``, which is the trial's.
    """
    command = [python(), "-I", program, name]
    if not has_systemd():
        _detach(seconds, command)
        return
    # Without AccuracySec it fires up to a minute late (systemd.timer(5)); --on-active counts on the
    # monotonic clock, which no setting of the time moves.
    order = [
        "systemd-run", "--quiet", "--collect", "--unit=" + _unit(name), "--on-active=%d" % seconds,
        # Not Type=oneshot: older releases load no such unit that has Restart= (systemd 239 of RHEL 8.6).
        "--timer-property=AccuracySec=100ms",
        # A lock that is held or a full disk may pass.  2 is Python's word for a program that is gone: all is done.
        "--property=Restart=on-failure", "--property=RestartSec=10", "--property=RestartPreventExitStatus=2",
    ] + command
    # While systemd executes itself anew (daemon-reexec, an upgrade of its package) it hangs up on whoever asks, and may
    # leave a timer that is loaded and does not run (measured, systemd 252).
    for _turn in range(_TRIES - 1):
        if host.run(order).status == 0 and is_set(host, name):
            return
        _clear_alarm(host, name)
        time.sleep(_PAUSE)
    try:
        must(host, order)
        if not is_set(host, name):
            raise BackendError("systemd does not start the timer %s, which would take the change back" % _unit(name))
    except BackendError:
        _clear_alarm(host, name)
        raise


def _clear_alarm(host: Host, name: str) -> None:
    """Leave nothing of an alarm that could not be set: it need not be there, so no answer counts."""
    units = [_unit(name) + ".timer", _unit(name) + ".service"]
    for word in ("stop", "reset-failed"):
        host.run(["systemctl", word, *units])
    # A file that systemd does not know as its own any more bars the name (measured, systemd 252 and 257).
    for unit in units:
        try:
            os.unlink(os.path.join(TRANSIENT, unit))
        except OSError:
            pass
    host.run(["systemctl", "daemon-reload"])


def _detach(seconds: int, command: List[str]) -> None:
    """Without systemd: a process of its own session, which no end of a connection reaches."""
    code = "import os, sys, time; time.sleep(float(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
    subprocess.Popen(  # pylint: disable=consider-using-with
        [command[0], "-I", "-c", code, str(seconds)] + command, cwd="/", close_fds=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        # It outlives the run.
        env={name: value for name, value in os.environ.items() if name != _orphans.MARK},
    )


def is_set(host: Host, name: str) -> bool:
    """Whether an alarm still runs or rings; without systemd that is not known, and taken for so."""
    if not has_systemd():
        return True
    shown = host.run(["systemctl", "is-active", _unit(name) + ".timer", _unit(name) + ".service"]).output.split()
    return "active" in shown or "activating" in shown


def stop_alarm(host: Host, name: str) -> None:
    """The trial is over: the alarm would find nothing to do any more."""
    if has_systemd():
        host.run(["systemctl", "stop", _unit(name) + ".timer"])


def wait_for_jobs(host: Host, units: Sequence[str]) -> None:
    """Let systemd finish what it does with these units: a job goes on when the systemctl that asked for it is killed.

    It is not waited for longer than a unit needs to start; what hangs then is for the backend's undo to stop.
    """
    deadline = time.monotonic() + _JOBS
    while has_systemd() and units and time.monotonic() < deadline:
        if not _JOB.search(host.run(["systemctl", "show", "--property=Job", *units]).output):
            return
        time.sleep(0.2)


def follow_links(host: Host, units: Sequence[str], before: Iterable[str]) -> None:
    """At boot: start what is to start at boot now, and stop what is not any more; ``before`` are the links till now.

    systemd has worked out already what this boot starts.  It only takes the orders here: the units start after this
    one (the order of _RECOVERY_TEXT), and to wait for them would be to wait for ourselves.
    """
    if not has_systemd():
        return
    now = started_at_boot(links(units))
    wanted = [unit for unit in units if unit in now]
    if wanted:
        must(host, ["systemctl", "start", "--no-block", *wanted])
    for unit in sorted(started_at_boot(before) - now):
        # Its file may have gone as well, and then there may be nothing to stop.
        host.run(["systemctl", "stop", "--no-block", unit])


def links(units: Iterable[str]) -> List[str]:
    """The links by which systemd starts these units, or knows them by another name (systemctl(1), enable).

    Where a unit has a script in /etc/init.d as well, as ufw on Debian, systemctl changes the script's links too.
    """
    names = set(units)
    scripts = {"../init.d/" + unit.partition(".")[0] for unit in names}
    found = [
        path for pattern in ("*", "*.wants/*", "*.requires/*")
        for path in glob.glob(os.path.join(UNITS, pattern))
        if os.path.islink(path) and {os.path.basename(path), os.path.basename(os.readlink(path))} & names
    ]
    found += [path for path in glob.glob(RUN_LEVELS) if os.path.islink(path) and os.readlink(path) in scripts]
    return sorted(found)


def started_at_boot(paths: Iterable[str]) -> Set[str]:
    """The units that such links start."""
    return {os.path.basename(path) for path in paths if os.path.dirname(path).endswith((".wants", ".requires"))}


def reload_units(host: Host) -> None:
    """Let systemd see unit files that came or went."""
    if has_systemd():
        must(host, ["systemctl", "daemon-reload"])


@contextmanager
def lock(patience: Optional[float], whatever: bool = False) -> Iterator[None]:
    """Hold the one lock of this collection on the host.

    ``patience`` in seconds, None for no waiting at all; then BackendError, or with ``whatever`` going
    on without it: taking back a change must not wait for a program that hangs.
    """
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + (patience or 0)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    if whatever:
                        break
                    raise BackendError(
                        "another run of this role is changing the firewall of this host: run again when it is done"
                    ) from None
                time.sleep(0.1)
        os.environ[_orphans.MARK] = str(os.getpid())
        yield
    finally:
        os.environ.pop(_orphans.MARK, None)
        os.close(descriptor)
