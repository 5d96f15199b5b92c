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

import glob
import os
import pickle
import secrets
import shutil
import time
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _alarm, _files, _managed_host, _packed
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, Backend, BackendError, Host

FOLDER = "/var/lib/%s/trial" % OWNER
OUTCOME = "/run/%s.outcome" % OWNER
UNITS = "/etc/systemd/system"
# Without a confirmation to wait for the alarm still guards against a kill in the middle.
_GUARD_SECONDS = 120
# Longer than any program that a change starts may take (_managed_host): whoever holds the lock then hangs.
_HANGS_AFTER = 150.0
_ARMED, _SETTLED, _UNDOING = "armed", "settled", "undoing"
# What became of a trial, as it is told to whoever asks.
KEPT, TAKEN_BACK, NOT_KNOWN = "settled", "taken back", "not known"
_BOOT = "--boot"


class SameConnection(BackendError):
    """The confirmation came over the connection by which the change came."""


class Trial(NamedTuple):
    """What the folder keeps.  ``parts`` are the backends' names with the steps of their plans."""

    cookie: str  # its name
    came_by: str  # the SSH connection by which the change was asked for, "" for another way in
    parts: Tuple[Tuple[str, Any], ...]
    old: _files.Snapshot
    new: _files.Snapshot  # empty until the change is made
    ends: float  # on the monotonic clock of ``boot``
    boot: str
    leaves: bool  # nothing of ours is to stay on the host


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
    old = _files.keep(sorted({*scope.paths, *_links(scope.units), *_alarm.recovery_paths()}))
    trial = Trial(
        cookie or new_cookie(), _managed_host.ssh_line(), scope.parts, old, {}, time.monotonic() + wait, _boot(),
        scope.leaves,
    )
    os.makedirs(FOLDER, mode=0o700)
    try:
        program = _packed.write(FOLDER)
        _save(trial)
        _files.replace(os.path.join(FOLDER, _ARMED), "", 0o600)
        # From here on a boot that finds the folder takes the change back, and so does the alarm.
        _alarm.prepare_recovery(host, program)
        _alarm.set_alarm(host, trial.cookie, wait, program)
    except (OSError, BackendError):
        _files.put_back({path: kept for path, kept in old.items() if path in _alarm.recovery_paths()})
        _forget()
        raise
    return trial.cookie


def hide(scope: Scope, seconds: int) -> None:
    """After the change: the kernel keeps it, the disk goes back to what was until the confirmation.

    The time for the confirmation starts anew: what the change itself took is not the controller's.
    """
    trial = _load()
    paths = {*trial.old, *_links(scope.units)}
    trial = trial._replace(
        new=_files.keep(sorted(paths)), old={**dict.fromkeys(paths), **trial.old}, ends=time.monotonic() + seconds
    )
    _save(trial)
    recovery = _alarm.recovery_paths()
    _files.put_back({path: kept for path, kept in trial.old.items() if path not in recovery})


def settle(cookie: str, host: Host, anew: bool = False) -> None:
    """The confirmation: write the new files and end the trial; raises BackendError where that cannot be.

    With ``anew`` a confirmation over the SSH connection by which the change came is none.  Where the host could not
    see that connection (``_guard.refuse_unseen``), the controller's word counts that it made a new one.
    """
    trial = pending()
    if trial is None or trial.cookie != cookie:
        raise BackendError("the change that should be confirmed is not on trial any more")
    if anew and trial.came_by and trial.came_by == _managed_host.ssh_line():
        raise SameConnection("Ansible came back over the old connection, which proves nothing")
    if not trial.new:
        raise BackendError("the module was ended before the change was whole")
    for path in _foreign(trial):
        raise BackendError("%s was changed by somebody else while the change was on trial" % path)
    _files.put_back(trial.new)
    _alarm.reload_units(host)
    end(host)


def end(host: Host) -> None:
    """The one moment in which the change becomes the host's own."""
    trial = _load()
    try:
        os.rename(os.path.join(FOLDER, _ARMED), os.path.join(FOLDER, _SETTLED))
    except FileNotFoundError:
        raise BackendError("the host was just taking the change back") from None
    try:
        _tell(trial, KEPT)
        _alarm.stop_alarm(host, trial.cookie)
        if trial.leaves:
            _alarm.drop_recovery(host)
        _forget()
    except (OSError, BackendError):
        # It is decided, and nothing may say otherwise any more: the next run tidies up.
        pass


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
    trial = pending()
    return trial.ends - time.monotonic() if trial is not None and trial.cookie == cookie else 0.0


def take_back(known: Dict[str, Backend], host: Host, cookie: str = "", at_boot: bool = False) -> None:
    """``undo`` for who holds the lock already; raises BackendError where the kernel could not be brought back.

    ``cookie`` names the trial, "" is whichever is there.
    """
    if not _lies_there():
        if at_boot:
            _forget()
        return
    trial = _load()
    if cookie not in ("", trial.cookie):
        return
    try:
        os.rename(os.path.join(FOLDER, _ARMED), os.path.join(FOLDER, _UNDOING))
    except FileNotFoundError:
        if not os.path.exists(os.path.join(FOLDER, _UNDOING)):
            return
    # What somebody else wrote in the meantime is his.
    foreign = _foreign(trial) if trial.new else []
    _files.put_back({path: kept for path, kept in trial.old.items() if path not in foreign})
    _alarm.reload_units(host)
    if not at_boot:
        # At boot no rule is loaded yet: the firewall starts from the files that were just put back.
        _undo_parts(trial, known)
    _tell(trial, TAKEN_BACK)
    _alarm.stop_alarm(host, trial.cookie)
    _forget()


def _foreign(trial: Trial) -> List[str]:
    """The files that are neither as they were nor as the change made them."""
    now = _files.keep(trial.old)
    return [path for path, kept in now.items() if kept not in (trial.old[path], trial.new.get(path))]


def _undo_parts(trial: Trial, known: Dict[str, Backend]) -> None:
    troubles = []
    for name, steps in reversed(trial.parts):
        try:
            known[name].undo(steps)
        except (OSError, BackendError) as error:
            troubles.append("%s: %s" % (name, error))
    if troubles:
        # The folder stays: the next boot or the next run finds it and goes on.
        told = "; ".join(troubles)
        raise BackendError("the files are as before, but the kernel could not be brought back: %s" % told)


def pending() -> Optional[Trial]:
    """The trial that is armed now, None where there is none."""
    if not os.path.exists(os.path.join(FOLDER, _ARMED)):
        return None
    return _load()


def refuse_beside_another(host: Host) -> None:
    """Raise BackendError where another change is on trial: what the host is like then is not settled."""
    trial = pending()
    if trial is not None and trial.boot == _boot() and _alarm.is_set(host, trial.cookie):
        rest = trial.ends - time.monotonic()
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
    if os.path.exists(os.path.join(FOLDER, _SETTLED)) and _load().leaves:
        _alarm.drop_recovery(host)
    _forget()


def outcome(cookie: str, known: Dict[str, Backend], host: Host) -> str:
    """What became of the trial of that name since the host was started; ends a taking back that was cut short."""
    if _lies_there() and not os.path.exists(os.path.join(FOLDER, _ARMED)):
        take_back(known, host, cookie)
    word, _space, name = (_files.read(OUTCOME) or "").rpartition(" ")
    return word if name == cookie else NOT_KNOWN


def _tell(trial: Trial, word: str) -> None:
    _files.replace(OUTCOME, "%s %s" % (word, trial.cookie), 0o600)


def _lies_there() -> bool:
    """Whether there is a trial that is not settled."""
    return any(os.path.exists(os.path.join(FOLDER, name)) for name in (_ARMED, _UNDOING))


def _save(trial: Trial) -> None:
    path = os.path.join(FOLDER, "trial.pickle")
    with open(path + ".new", "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as handle:
        pickle.dump(tuple(trial), handle)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(path + ".new", path)


def _load() -> Trial:
    try:
        with open(os.path.join(FOLDER, "trial.pickle"), "rb") as handle:
            return Trial(*pickle.load(handle))
    except (OSError, pickle.UnpicklingError, EOFError, TypeError, AttributeError) as error:
        raise BackendError("%s cannot be read: %s" % (FOLDER, error)) from error


def _forget() -> None:
    """In one moment: a folder that is half gone would be a trial that nobody can read and nobody can end."""
    gone = FOLDER + ".gone"
    shutil.rmtree(gone, ignore_errors=True)
    if os.path.isdir(FOLDER):
        os.rename(FOLDER, gone)
        shutil.rmtree(gone)
    _files.remove_folder(FOLDER)


def _boot() -> str:
    return (_files.read("/proc/sys/kernel/random/boot_id") or "").strip()


def _links(units: Iterable[str]) -> List[str]:
    """The links by which systemd starts these units (systemctl(1), enable)."""
    names = set(units)
    found = [
        path for pattern in ("*", "*.wants/*", "*.requires/*")
        for path in glob.glob(os.path.join(UNITS, pattern))
        if os.path.islink(path) and {os.path.basename(path), os.path.basename(os.readlink(path))} & names
    ]
    return sorted(found)
