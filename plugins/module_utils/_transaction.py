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
import sys
import time
import zipfile
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _alarm, _files, _managed_host, _managers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, Backend, BackendError, Host

FOLDER = "/var/lib/%s/trial" % OWNER
OUTCOME = "/run/%s.outcome" % OWNER
UNITS = "/etc/systemd/system"
# Without a confirmation to wait for the alarm still guards against a kill in the middle.
_GUARD_SECONDS = 120
# What the program that takes a change back imports; loaded here, so that it is packed.
_NEEDED = (_managed_host, _managers)
_ARMED, _SETTLED, _UNDOING = "armed", "settled", "undoing"

_UNDO = """\
# Takes back a change of the firewall that was not confirmed; written by the Ansible collection printfleet.cups.
import sys
sys.path.insert(0, %(code)r)
from ansible_collections.printfleet.cups.plugins.module_utils import _managed_host, _managers, _transaction
host = _managed_host.ManagedHost()
_transaction.undo(_managers.backends(host), host, at_boot="--boot" in sys.argv)
"""


class Trial(NamedTuple):
    """What the folder keeps.  ``parts`` are the backends' names with the steps of their plans."""

    cookie: str
    parts: Tuple[Tuple[str, Any], ...]
    old: _files.Snapshot
    new: _files.Snapshot
    ends: float  # on the monotonic clock of ``boot``
    boot: str
    leaves: bool  # nothing of ours is to stay on the host


class Scope(NamedTuple):
    """What a change may touch: files, units, and the backends' own steps."""

    parts: Tuple[Tuple[str, Any], ...]
    paths: Tuple[str, ...]
    units: Tuple[str, ...]
    leaves: bool


def begin(scope: Scope, seconds: int, host: Host) -> str:
    """Keep what is, and set the alarm; gives the cookie.  Nothing of the firewall is touched yet."""
    wait = seconds or _GUARD_SECONDS
    old = _files.keep(sorted({*scope.paths, *_links(scope.units), *_alarm.recovery_paths()}))
    trial = Trial(secrets.token_hex(8), scope.parts, old, {}, time.monotonic() + wait, _boot(), scope.leaves)
    os.makedirs(FOLDER, mode=0o700)
    try:
        _pack_code(os.path.join(FOLDER, "code.zip"))
        undo = os.path.join(FOLDER, "undo.py")
        _files.replace(undo, _UNDO % {"code": os.path.join(FOLDER, "code.zip")}, 0o600)
        _save(trial)
        _files.replace(os.path.join(FOLDER, _ARMED), "", 0o600)
        # From here on a boot that finds the folder takes the change back, and so does the alarm.
        _alarm.prepare_recovery(host, undo)
        _alarm.set_alarm(host, wait, undo)
    except (OSError, BackendError):
        _files.put_back({path: kept for path, kept in old.items() if path in _alarm.recovery_paths()})
        _forget()
        raise
    return trial.cookie


def hide(scope: Scope) -> None:
    """After the change: the kernel keeps it, the disk goes back to what was until the confirmation."""
    trial = _load()
    paths = {*trial.old, *_links(scope.units)}
    trial = trial._replace(new=_files.keep(sorted(paths)), old={**{p: None for p in paths}, **trial.old})
    _save(trial)
    recovery = _alarm.recovery_paths()
    _files.put_back({path: kept for path, kept in trial.old.items() if path not in recovery})


def settle(cookie: str, host: Host) -> None:
    """The confirmation: write the new files and end the trial; raises BackendError where it is over already."""
    trial = pending()
    if trial is None or trial.cookie != cookie:
        raise BackendError("the change that should be confirmed is not on trial any more")
    for path, kept in _files.keep(trial.old).items():
        if kept != trial.old[path] and path not in _alarm.recovery_paths():
            raise BackendError("%s was changed by somebody else while the change was on trial" % path)
    _files.put_back(trial.new)
    _alarm.reload_units(host)
    end(host)


def end(host: Host) -> None:
    """The one moment in which the change becomes the host's own."""
    leaves = _load().leaves
    try:
        os.rename(os.path.join(FOLDER, _ARMED), os.path.join(FOLDER, _SETTLED))
    except FileNotFoundError:
        raise BackendError("the host was just taking the change back") from None
    _alarm.stop_alarm(host)
    _forget()
    if leaves:
        _alarm.drop_recovery(host)


def undo(known: Dict[str, Backend], host: Host, at_boot: bool = False) -> None:
    """Take the change back; does nothing where it is settled.  Runs in the module, by the alarm, or at boot."""
    with _alarm.lock(patience=None if at_boot else 150.0, whatever=True):
        take_back(known, host, at_boot)


def take_back(known: Dict[str, Backend], host: Host, at_boot: bool = False) -> None:
    """``undo`` for who holds the lock already; raises BackendError where the kernel could not be brought back."""
    try:
        os.rename(os.path.join(FOLDER, _ARMED), os.path.join(FOLDER, _UNDOING))
    except FileNotFoundError:
        if not os.path.exists(os.path.join(FOLDER, _UNDOING)):
            if at_boot:
                _forget()
            return
    trial = _load()
    _files.put_back(trial.old)
    _alarm.reload_units(host)
    if not at_boot:
        # At boot no rule is loaded yet: the firewall starts from the files that were just put back.
        _undo_parts(trial, known)
    _files.replace(OUTCOME, trial.cookie, 0o600)
    _alarm.stop_alarm(host)
    _forget()


def _undo_parts(trial: Trial, known: Dict[str, Backend]) -> None:
    troubles = []
    for name, steps in reversed(trial.parts):
        try:
            known[name].undo(steps)
        except (OSError, BackendError) as error:
            troubles.append("%s: %s" % (name, error))
    if troubles:
        # The folder stays: the next boot or the next run finds it and goes on.
        raise BackendError("the files are as before, but the kernel could not be brought back: %s" % "; ".join(troubles))


def pending() -> Optional[Trial]:
    """The trial that is armed now, None where there is none."""
    if not os.path.exists(os.path.join(FOLDER, _ARMED)):
        return None
    return _load()


def clear_leftovers(known: Dict[str, Backend], host: Host) -> None:
    """Before a new change: refuse beside a trial that still runs, and finish what a dead run left behind."""
    trial = pending()
    if trial is not None and trial.boot == _boot() and _alarm.is_set(host):
        raise BackendError(
            "another change of this host waits for its confirmation, for %d seconds more: run again then"
            % max(1, round(trial.ends - time.monotonic()))
        )
    if os.path.exists(os.path.join(FOLDER, _ARMED)) or os.path.exists(os.path.join(FOLDER, _UNDOING)):
        take_back(known, host)
    _forget()


def was_undone(cookie: str) -> bool:
    """Whether the host has taken back that change (any change, for an empty cookie) since it was started."""
    found = _files.read(OUTCOME)
    return found is not None and cookie in ("", found)


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
    shutil.rmtree(FOLDER, ignore_errors=False) if os.path.isdir(FOLDER) else None
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


def _pack_code(path: str) -> None:
    """Our own code as it runs now, in one file that needs no Ansible: the alarm runs it when all else is gone."""
    prefix = "ansible_collections.printfleet.cups.plugins.module_utils"
    with zipfile.ZipFile(path, "w") as archive:
        packages = prefix.split(".")
        for depth in range(1, len(packages) + 1):
            archive.writestr("/".join(packages[:depth]) + "/__init__.py", "")
        for name, module in sorted(sys.modules.items()):
            if name.startswith(prefix + "."):
                _pack(archive, name, module)
    os.chmod(path, 0o600)


def _pack(archive: zipfile.ZipFile, name: str, module: Any) -> None:
    source: Optional[Callable[[str], Optional[str]]] = getattr(module.__loader__, "get_source", None)
    text = source(name) if source else None
    if text is None:
        raise BackendError("the code of %s cannot be read, and without it no change could be taken back" % name)
    inner = "/__init__.py" if hasattr(module, "__path__") else ".py"
    archive.writestr(name.replace(".", "/") + inner, text)
