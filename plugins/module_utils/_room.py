# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a change can be written: asked before anything is touched, and in check mode, where nothing is written.

Only what is sure is told: a read-only file system, and a full one.  Where some room is left, the change is tried, and
is taken back where that was too little.
"""

from __future__ import annotations

import os
from typing import Iterable

from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError


def judge(paths: Iterable[str]) -> None:
    """Raise BackendError where a file could not be made: a read-only or full file system."""
    for folder in sorted({_folder(path) for path in paths}):
        # Root may write anywhere but on a read-only file system, or in a folder that cannot change (access(2)).
        if not os.access(folder, os.W_OK):
            raise BackendError(
                "%s: Read-only file system, so that nothing can be changed: make it writable and run again" % folder
            )
        room = os.statvfs(folder)
        # Some file systems, such as btrfs, do not count files: they say 0 of 0.
        if not room.f_bfree or (room.f_files and not room.f_ffree):
            raise BackendError(
                "%s: No space left%s, so that nothing can be changed: make room and run again"
                % (folder, " for files (inodes)" if room.f_bfree else "")
            )


def _folder(path: str) -> str:
    """The folder in which the file comes to stand, or the nearest that there is."""
    folder = os.path.dirname(os.path.realpath(path))
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder
