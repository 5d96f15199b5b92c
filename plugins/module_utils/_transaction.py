# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change on trial: what was is kept on disk, and the host itself takes the change back unless it is confirmed.

The trial is a folder.  One file in it says how far things are, and its renaming is the moment at
which they are decided, whoever comes first and wherever the power goes:

    armed ──(confirmed, all files written)──▶ settled
      └────(time is up, or a step failed)───▶ undoing ──▶ the folder goes

While the trial is armed the kernel holds the new rules and the disk the old files, so a reboot
ends in the old state.  It knows no firewall: backends are called by their names.
"""

from __future__ import annotations

import os
import secrets
import time
from typing import Any, Dict, List, NamedTuple, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import (
    _alarm,
    _files,
    _managed_host,
    _orphans,
    _packed,
    _trial,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Backend, BackendError, Host
from ansible_collections.printfleet.cups.plugins.module_utils._trial import Trial

# Without a confirmation to wait for the alarm still guards against a kill in the middle.
_GUARD_SECONDS = 120
# Longer than any program that a change starts may take (_managed_host): whoever holds the lock then hangs.
_HANGS_AFTER = 150.0
_BOOT = "--boot"
_MENDS = "run the role again to mend that"
_RESTARTED = "it was restarted meanwhile, and its firewall starts from the files as they were before"


class NotTakenBack(BackendError):
    """A change could not be taken back whole; the message says what is left, and what mends it."""


class Scope(NamedTuple):
    """What a change may touch: files, units, and the backends' own steps."""

    parts: Tuple[Tuple[str, Any], ...]
    paths: Tuple[str, ...]
    units: Tuple[str, ...]
    leaves: bool


def new_cookie() -> str:
    """A name for a trial."""
    return secrets.token_hex(8)


def begin(scope: Scope, seconds: int, host: Host, cookie: str = "") -> str:
    """Keep what is, and set the alarm; gives the cookie.  Nothing of the firewall is touched yet."""
    wait = seconds or _GUARD_SECONDS
    old = _files.keep(sorted({*scope.paths, *_alarm.links(scope.units), *_alarm.recovery_paths()}))
    trial = Trial(
        cookie or new_cookie(), _managed_host.ssh_line(), _trial.pack(scope.parts), scope.units, old, {},
        time.monotonic() + wait, _trial.boot(), scope.leaves, seconds, _orphans.name_of(os.getpid()),
    )
    os.makedirs(_trial.FOLDER, mode=0o700)
    try:
        program = _packed.write(_trial.FOLDER)
        _trial.save(trial)
        # Before it is armed, so that no power cut leaves a trial that a boot does not end.
        _alarm.prepare_recovery(host, program)
        _files.replace(os.path.join(_trial.FOLDER, _trial.ARMED), "", 0o600)
        # From here on a boot takes the change back, and so does the alarm.
        _alarm.set_alarm(host, trial.cookie, wait, program)
    except (OSError, BackendError):
        _call_off(trial, host)
        raise
    return trial.cookie


def _call_off(trial: Trial, host: Host) -> None:
    """Leave no trial of a change that did not begin, whichever step of this fails as well."""
    recovery = {path: kept for path, kept in trial.old.items() if path in _alarm.recovery_paths()}
    try:
        _trial.forget()
    except OSError:
        # The alarm, the next run or a boot ends it.
        return
    # An alarm that cannot be stopped finds its program gone.
    for step in (lambda: _alarm.stop_alarm(host, trial.cookie), lambda: _files.put_back(recovery)):
        try:
            step()
        except (OSError, BackendError):
            pass


def hide(scope: Scope, seconds: int) -> None:
    """After the change: the kernel keeps it, the disk goes back to what was until the confirmation.

    The time for the confirmation starts anew: what the change itself took is not the controller's.
    """
    trial = _trial.load()
    paths = {*trial.old, *_alarm.links(scope.units)}
    trial = trial._replace(
        new=_files.keep(sorted(paths)), old={**dict.fromkeys(paths), **trial.old}, ends=time.monotonic() + seconds
    )
    _trial.save(trial)
    recovery = _alarm.recovery_paths()
    _files.put_back({path: kept for path, kept in trial.old.items() if path not in recovery})


def undo(known: Dict[str, Backend], host: Host, cookie: str) -> None:
    """The alarm's program: take the change of that name back; does nothing where it is settled.

    At boot (``--boot`` for a name) whatever lies there is taken back.
    """
    at_boot = cookie == _BOOT
    while True:
        with _alarm.lock(patience=None if at_boot else _HANGS_AFTER, whatever=True):
            # An alarm that was late must not end the trial of a later change.
            rest = 0.0 if at_boot else _rest(cookie)
            if rest <= 0:
                take_back(known, host, "" if at_boot else cookie, at_boot)
                return
        time.sleep(rest)


def _rest(cookie: str) -> float:
    """Seconds that a trial still has: more than none where its alarm rang while the change was being made."""
    trial = _trial.pending()
    return _trial.ends(trial) - time.monotonic() if trial is not None and trial.cookie == cookie else 0.0


def take_back(known: Dict[str, Backend], host: Host, cookie: str = "", at_boot: bool = False) -> str:
    """``undo`` for who holds the lock already; raises NotTakenBack where a step of it fails.

    ``cookie`` names the trial, "" is whichever is there.  Gives how the host is not as it was before, though it was
    taken back; "" where it was looked at and is.
    """
    if not _trial.lies_there():
        if at_boot:
            _trial.forget()
        return ""
    trial = _trial.load()
    if cookie not in ("", trial.cookie):
        return ""
    if not _trial.move(_trial.ARMED, _trial.UNDOING) and not _trial.is_there(_trial.UNDOING):
        return ""
    try:
        remark = _undo(trial, known, host, at_boot)
    except (OSError, BackendError) as error:
        # The folder stays: the alarm, the next run and the next boot find it and go on.
        told = "the change could not be taken back whole: %s. %s"
        raise NotTakenBack(told % (str(error).rstrip("."), _mend())) from error
    _trial.tell(trial, _trial.TAKEN_BACK, remark)
    _alarm.stop_alarm(host, trial.cookie)
    _trial.forget()
    return remark


def _mend() -> str:
    """The command that mends it."""
    told = "Mend that and run the role again: before all else it takes the change back"
    if _alarm.has_systemd():
        told += "; the host tries that by itself as well, every 10 seconds once the time for the confirmation is over"
    return told


def _undo(trial: Trial, known: Dict[str, Backend], host: Host, at_boot: bool) -> str:
    """Gives a remark on how the host is not as it was before, "" where it is."""
    old = dict(trial.old)
    if not at_boot:
        _orphans.end("" if trial.run == _orphans.name_of(os.getpid()) else trial.run)
        if not trial.new:
            _alarm.wait_for_jobs(host, trial.units)
    links = _alarm.links(trial.units)
    if not trial.new:
        # Cut short in the middle: links that came since are the change's own.
        old = {**dict.fromkeys(links), **old}
    # What somebody else wrote in the meantime is his.
    foreign = _trial.foreign(trial) if trial.new else []
    mine = {path: kept for path, kept in old.items() if path not in foreign}
    recovery = {path: mine.pop(path) for path in _alarm.recovery_paths() if path in mine}
    _files.put_back(mine)
    _alarm.reload_units(host)
    if at_boot:
        # No rule is loaded yet: the firewall starts from the files that were just put back.
        _alarm.follow_links(host, trial.units, links)
        _put_back_recovery(recovery, host)
        return _RESTARTED
    remarks = _undo_parts(trial, known)
    _put_back_recovery(recovery, host)
    now = _files.keep(mine)
    remarks += ["%s is not as it was before" % path for path, kept in mine.items() if kept != now[path]]
    remarks += [_MENDS] if remarks else []
    return "; ".join(["%s stays as somebody else changed it meanwhile" % path for path in foreign] + remarks)


def _put_back_recovery(recovery: _files.Snapshot, host: Host) -> None:
    """Last of all: the power may be cut again before.

    And once systemd reads that the unit is gone, the firewalls do not wait for it at boot any more: one that the change
    had switched on was started, and was killed while it started.
    """
    if recovery != _files.keep(recovery):
        _files.put_back(recovery)
        _alarm.reload_units(host)


def _undo_parts(trial: Trial, known: Dict[str, Backend]) -> List[str]:
    """Gives what is not as it was before, though every step succeeded."""
    troubles, remarks = [], []
    for name, steps in reversed(_trial.unpack(trial.parts)):
        try:
            known[name].undo(steps)
            remarks.append(known[name].unlike(steps))
        except (OSError, BackendError) as error:
            troubles.append("%s: %s" % (name, error))
    if troubles:
        told = "; ".join(troubles)
        raise BackendError("the files are as before, but the kernel could not be brought back: %s" % told)
    return [remark for remark in remarks if remark]


def refuse_beside_another(host: Host) -> None:
    """Raise BackendError where another change is on trial: what the host is like then is not settled."""
    trial = _trial.pending()
    if trial is not None and trial.boot == _trial.boot() and _alarm.is_set(host, trial.cookie):
        rest = _trial.ends(trial) - time.monotonic()
        # Later than that its alarm has been stopped by force, or waits for the lock that is held here.
        if rest > 0:
            raise BackendError(
                "another change of this host waits for its confirmation, for %d seconds more: run again then"
                % max(1, round(rest))
            )


def clear_leftovers(known: Dict[str, Backend], host: Host) -> None:
    """Before a new change: finish what a dead run left behind; raises BackendError where a trial still runs."""
    refuse_beside_another(host)
    take_back(known, host)
    if _trial.is_there(_trial.SETTLED) and _trial.load().leaves:
        _alarm.drop_recovery(host)
    _trial.forget()


def outcome(cookie: str, known: Dict[str, Backend], host: Host) -> Tuple[str, str]:
    """What became of the trial of that name since the host was started, and a remark (see ``_trial.tell``).

    Ends a taking back that was cut short.
    """
    if _trial.lies_there() and not _trial.is_there(_trial.ARMED):
        take_back(known, host, cookie)
    return _trial.told(cookie)
