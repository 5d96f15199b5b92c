# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the trial's folder keeps, and the marks in it that say how far things are (see ``_transaction``)."""

from __future__ import annotations

import os
import pickle
import shutil
import time
from typing import Any, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, BackendError

FOLDER = "/var/lib/%s/trial" % OWNER
OUTCOME = "/run/%s.outcome" % OWNER
ARMED, SETTLED, UNDOING = "armed", "settled", "undoing"
# What became of a trial, as it is told to whoever asks.
KEPT, TAKEN_BACK, NOT_KNOWN = "settled", "taken back", "not known"


class Trial(NamedTuple):
    """What the folder keeps."""

    cookie: str  # its name
    came_by: str  # the SSH connection by which the change was asked for, "" for another way in
    parts: bytes  # pickled: the backends' names with the steps of their plans; a confirmation needs no backend
    units: Tuple[str, ...]
    old: _files.Snapshot
    new: _files.Snapshot  # empty until the change is made
    ends: float  # on the monotonic clock of ``boot``
    boot: str
    leaves: bool  # nothing of ours is to stay on the host
    seconds: int  # for the confirmation
    run: str  # the process that makes the change (see _orphans)


def pack(parts: Tuple[Tuple[str, Any], ...]) -> bytes:
    """For ``Trial.parts``."""
    return pickle.dumps(parts)


def unpack(parts: bytes) -> Tuple[Tuple[str, Any], ...]:
    """The reverse; raises BackendError."""
    try:
        return tuple(pickle.loads(parts))
    except (pickle.UnpicklingError, EOFError, TypeError, AttributeError, ImportError) as error:
        raise BackendError("%s cannot be read: %s" % (FOLDER, error)) from error


def ends(trial: Trial) -> float:
    """When its time is over, on the monotonic clock: counted from when the controller had heard of the change."""
    try:
        texts = [_files.read(path) or "" for path in ("/proc/uptime", heard_file(trial.cookie))]
        now, heard = (float(text.split()[0]) for text in texts)
    except (ValueError, IndexError):
        return trial.ends
    return max(trial.ends, time.monotonic() - (now - heard) + trial.seconds) if now >= heard else trial.ends


def heard_file(cookie: str) -> str:
    """Where the controller leaves word that it has heard of the change: what /proc/uptime said then."""
    return os.path.join(FOLDER, "heard-" + cookie)


def is_there(mark: str) -> bool:
    """Whether the trial has come so far."""
    return os.path.exists(os.path.join(FOLDER, mark))


def move(mark: str, to: str) -> bool:
    """The one moment in which it is decided, whoever comes first; False where somebody else came first."""
    try:
        os.rename(os.path.join(FOLDER, mark), os.path.join(FOLDER, to))
        return True
    except FileNotFoundError:
        return False


def pending() -> Optional[Trial]:
    """The trial that is armed now, None where there is none."""
    return load() if is_there(ARMED) else None


def lies_there() -> bool:
    """Whether there is a trial that is not settled."""
    return is_there(ARMED) or is_there(UNDOING)


def save(trial: Trial) -> None:
    path = os.path.join(FOLDER, "trial.pickle")
    with open(path + ".new", "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as handle:
        pickle.dump(tuple(trial), handle)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(path + ".new", path)


def load() -> Trial:
    try:
        with open(os.path.join(FOLDER, "trial.pickle"), "rb") as handle:
            return Trial(*pickle.load(handle))
    except (OSError, pickle.UnpicklingError, EOFError, TypeError, AttributeError, ImportError) as error:
        raise BackendError("%s cannot be read: %s" % (FOLDER, error)) from error


def forget() -> None:
    """In one moment: a folder that is half gone would be a trial that nobody can read and nobody can end."""
    gone = FOLDER + ".gone"
    shutil.rmtree(gone, ignore_errors=True)
    if os.path.isdir(FOLDER):
        os.rename(FOLDER, gone)
        shutil.rmtree(gone)
    _files.remove_folder(FOLDER)


def tell(trial: Trial, word: str, remark: str = "") -> None:
    """Leave word of what became of it; ``remark`` is how the host is not as it was, where it was taken back."""
    _files.replace(OUTCOME, "%s\n%s\n%s" % (trial.cookie, word, remark), 0o600)


def told(cookie: str) -> Tuple[str, str]:
    """What became of the trial of that name since the host was started, and the remark."""
    lines = (_files.read(OUTCOME) or "").split("\n", 2)
    return (lines[1], lines[2]) if len(lines) == 3 and lines[0] == cookie else (NOT_KNOWN, "")


def foreign(trial: Trial) -> List[str]:
    """The files that are neither as they were nor as the change made them."""
    now = _files.keep(trial.old)
    return [path for path, kept in now.items() if kept not in (trial.old[path], trial.new.get(path))]


def boot() -> str:
    """The name of this boot."""
    return (_files.read("/proc/sys/kernel/random/boot_id") or "").strip()
