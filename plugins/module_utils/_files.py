# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the managed host: read whole, replaced whole, put back whole."""

from __future__ import annotations

import os
import tempfile
from typing import Dict, Iterable, NamedTuple, Optional, Union

# The name that everything of ours carries, on disk and in every firewall.
OWNER = "printfleet-cups"
# How a file is called that is just being written: no firewall, nor systemd, loads what begins with a dot.
_BEGUN = ".%s-" % OWNER


class Kept(NamedTuple):
    """A file as it was: its bytes, mode and owner."""

    content: bytes
    mode: int
    uid: int
    gid: int


class Link(NamedTuple):
    """A symbolic link as it was."""

    target: str


Snapshot = Dict[str, Union[Kept, Link, None]]


def read(path: str) -> Optional[str]:
    """The text of a file, None where there is none.  Foreign bytes survive a write back."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as handle:
            return handle.read()
    except FileNotFoundError:
        return None


def replace(path: str, text: Optional[str], mode: int = 0o644) -> None:
    """Make the file say ``text``, or be gone for None.

    Readers see the old file or the new one, never a part, also after a power cut.  An existing
    file keeps its mode and owner.  The new content never lies in the file's own folder under a
    name that a firewall would load: its name starts with a dot.
    """
    if text is None:
        if os.path.lexists(path):
            os.unlink(path)
            _sync_folder(path)
        return
    kept = _keep(path)
    content = text.encode("utf-8", "surrogateescape")
    _write(path, Kept(content, kept.mode, kept.uid, kept.gid) if kept else Kept(content, mode, 0, 0))


def remove_folder(path: str) -> None:
    """Remove the folder of a file of ours, once nothing is left in it; a mount point stays."""
    folder = os.path.dirname(path)
    if os.path.isdir(folder) and not os.path.ismount(folder) and not os.listdir(folder):
        os.rmdir(folder)


def keep(paths: Iterable[str]) -> Snapshot:
    """Remember files and symbolic links, the missing ones too."""
    return {path: Link(os.readlink(path)) if os.path.islink(path) else _keep(path) for path in paths}


def put_back(snapshot: Snapshot) -> None:
    """Make the files as they were remembered; what a writer left behind that was killed goes as well.

    What is right already is not touched, so that a full or read-only disk, on which nothing
    could be changed, is no hindrance to having nothing changed.
    """
    _remove_beginnings({os.path.dirname(os.path.realpath(path)) for path in snapshot})
    now = keep(snapshot)
    # Those that go come first: that makes room for the others.
    for path, kept in sorted(snapshot.items(), key=lambda item: item[1] is not None):
        if kept is not None and kept == now[path]:
            continue
        if kept is None:
            replace(path, None)
            if os.path.basename(os.path.dirname(path)).endswith((".wants", OWNER)):
                remove_folder(path)
        elif isinstance(kept, Link):
            _link(path, kept.target)
        else:
            _write(path, kept)


def _remove_beginnings(folders: Iterable[str]) -> None:
    """Remove files that were begun and never got their names."""
    for folder in folders:
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if name.startswith(_BEGUN):
                os.unlink(os.path.join(folder, name))


def _keep(path: str) -> Optional[Kept]:
    try:
        with open(path, "rb") as handle:
            info = os.fstat(handle.fileno())
            return Kept(handle.read(), info.st_mode & 0o7777, info.st_uid, info.st_gid)
    except FileNotFoundError:
        return None


def _write(path: str, kept: Kept) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    # An administrator may have made the file a link (etckeeper, a shared /etc): write its target.
    target = os.path.realpath(path)
    handle, new = tempfile.mkstemp(prefix=_BEGUN, dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(kept.content)
            stream.flush()
            os.fchmod(stream.fileno(), kept.mode)
            os.fchown(stream.fileno(), kept.uid, kept.gid)
            os.fsync(stream.fileno())
        os.replace(new, target)
    except BaseException:
        os.unlink(new)
        raise
    _sync_folder(target)


def _link(path: str, target: str) -> None:
    if os.path.islink(path) and os.readlink(path) == target:
        return
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    new = os.path.join(os.path.dirname(path), "%s%d" % (_BEGUN, os.getpid()))
    os.symlink(target, new)
    os.replace(new, path)
    _sync_folder(path)


def _sync_folder(path: str) -> None:
    folder = os.open(os.path.dirname(os.path.realpath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
