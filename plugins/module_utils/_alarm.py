# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What outlives connection, controller and power: the alarm that takes a change back, and the unit at boot."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import Iterator, List, Optional

from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, BackendError, Host, must

ALARM = "%s-undo" % OWNER
LOCK = "/run/%s.lock" % OWNER
RECOVERY = "%s-recovery.service" % OWNER
_FOLDER = "/etc/systemd/system"
_RECOVERY_FILE = "%s/%s" % (_FOLDER, RECOVERY)
_RECOVERY_LINK = "%s/sysinit.target.wants/%s" % (_FOLDER, RECOVERY)
_RECOVERY_TEXT = """\
# Written by the Ansible collection printfleet.cups.
[Unit]
Description=Take back a change of the firewall that the power cut short (printfleet.cups)
DefaultDependencies=no
ConditionPathExists=%(program)s
RequiresMountsFor="%(program)s" "%(python)s"
After=local-fs.target
Before=network-pre.target nftables.service ufw.service firewalld.service %(owner)s-firewall.service shutdown.target
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
    python = _python().replace("\\", "\\\\").replace("%", "%%")
    text = _RECOVERY_TEXT % {"program": program, "owner": OWNER, "python": python}
    if _files.read(_RECOVERY_FILE) == text and os.path.islink(_RECOVERY_LINK):
        return
    _files.replace(_RECOVERY_FILE, text)
    _files.put_back({_RECOVERY_LINK: _files.Link(_RECOVERY_FILE)})


def drop_recovery(host: Host) -> None:
    """The host is without us again."""
    _files.put_back({_RECOVERY_LINK: None, _RECOVERY_FILE: None})
    reload_units(host)


def _python() -> str:
    """The Python itself: a virtual environment that Ansible runs in is one link more, and may go away."""
    return os.path.realpath(sys.executable)


def _unit(name: str) -> str:
    """Each trial has units of its own, so that an alarm that still runs is in no later one's way."""
    return "%s-%s" % (ALARM, name)


def set_alarm(host: Host, name: str, seconds: int, program: str) -> None:
    """Run the program after so many seconds, whatever becomes of this process; raises BackendError.

    The program gets ``name``, which is the trial's.
    """
    command = [_python(), "-I", program, name]
    if not has_systemd():
        _detach(seconds, command)
        return
    # Without AccuracySec it fires up to a minute late (systemd.timer(5)); --on-active counts on the
    # monotonic clock, which no setting of the time moves.
    must(host, [
        "systemd-run", "--quiet", "--collect", "--unit=" + _unit(name), "--on-active=%d" % seconds,
        # Not Type=oneshot: older releases load no such unit that has Restart= (systemd 239 of RHEL 8.6).
        "--timer-property=AccuracySec=100ms",
        # A lock that is held or a full disk may pass.  2 is Python's word for a program that is gone: all is done.
        "--property=Restart=on-failure", "--property=RestartSec=10", "--property=RestartPreventExitStatus=2",
    ] + command)


def _detach(seconds: int, command: List[str]) -> None:
    """Without systemd: a process of its own session, which no end of a connection reaches."""
    code = "import os, sys, time; time.sleep(float(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
    subprocess.Popen(  # pylint: disable=consider-using-with
        [command[0], "-I", "-c", code, str(seconds)] + command, cwd="/", close_fds=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
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
        yield
    finally:
        os.close(descriptor)
