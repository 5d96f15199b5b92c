# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's print services are told and do: their files and the sockets that listen.

Nothing here raises for what it finds: a file that is not there, not to be read, not a file or far
too long is told as such.  No more is read than what is named here, and never more than so much of it.
"""

from __future__ import annotations

import os
import stat
from typing import Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._services import avahi, cupsd, samba, sockets

CUPSD = "/etc/cups/cupsd.conf"
BROWSED = "/etc/cups/cups-browsed.conf"
SAMBA = "/etc/samba/smb.conf"
AVAHI = "/etc/avahi/avahi-daemon.conf"

_MOST = 1 << 18  # bytes of a file; those of Debian have 2 to 9 thousand
_MOST_SOCKETS = 1 << 24  # the kernel's tables have a line of 150 bytes for each socket
_MOST_LINKS = 1 << 18  # open files of all processes together


class Gap(NamedTuple):
    """A file that says more than was read."""

    path: str
    why: str


class Services(NamedTuple):
    """All of it; None where there is no such file."""

    cupsd: Optional[cupsd.Cupsd] = None
    browsed: Optional[cupsd.Browsed] = None
    samba: Optional[samba.Samba] = None
    avahi: Optional[avahi.Avahi] = None
    sockets: Tuple[sockets.Socket, ...] = ()
    running: FrozenSet[str] = frozenset()
    gaps: Tuple[Gap, ...] = ()

    def runs(self, program: str) -> bool:
        """Whether a program of that name runs."""
        return any(name == program or name.startswith(program + "[") for name in self.running)


def read(root: str = "/") -> Services:
    """Look at the host whose files lie below ``root``."""
    gaps: List[Gap] = []

    def text(path: str) -> Optional[str]:
        return _text(root, path, gaps)

    cups, browsed, smb, mdns = text(CUPSD), text(BROWSED), text(SAMBA), text(AVAHI)
    running, holders = _processes(os.path.join(root, "proc"))
    listening = [
        found
        for table in ("tcp", "tcp6", "udp", "udp6")
        for found in sockets.read_sockets(_table(os.path.join(root, "proc/net", table)), table[:3])
    ]
    return Services(
        cupsd=None if cups is None else cupsd.read_cupsd(cups, CUPSD),
        browsed=None if browsed is None else cupsd.read_browsed(browsed, BROWSED),
        samba=None if smb is None else samba.read_samba_conf(smb, SAMBA),
        avahi=None if mdns is None else avahi.read_avahi(mdns, AVAHI),
        sockets=sockets.named(iter(listening), holders),
        running=running,
        gaps=tuple(gaps),
    )


def _text(root: str, path: str, gaps: List[Gap]) -> Optional[str]:
    try:
        # A pipe in its place must not make us wait.
        handle = os.open(os.path.join(root, path.lstrip("/")), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        gaps.append(Gap(path, "it cannot be read: %s" % (error.strerror or "error %s" % error.errno)))
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            gaps.append(Gap(path, "it is not a file"))
            return None
        content = _bytes(handle, _MOST + 1)
    except OSError as error:
        gaps.append(Gap(path, "it cannot be read: %s" % (error.strerror or "error %s" % error.errno)))
        return None
    finally:
        os.close(handle)
    if len(content) > _MOST:
        gaps.append(Gap(path, "it is longer than 256 KiB, and only that much was read"))
    return content[:_MOST].decode("utf-8", "surrogateescape")


def _bytes(handle: int, most: int) -> bytes:
    parts, left = [], most
    while left > 0:
        part = os.read(handle, min(left, 1 << 16))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _table(path: str) -> str:
    try:
        with open(path, "rb") as handle:
            return handle.read(_MOST_SOCKETS).decode("ascii", "replace")
    except OSError:
        # A kernel without IPv6 has no such table.
        return ""


def _processes(proc: str) -> Tuple[FrozenSet[str], Dict[int, Tuple[str, ...]]]:
    """The names of all programs that run, and by inode of those that hold a socket."""
    running: Set[str] = set()
    holders: Dict[int, Tuple[str, ...]] = {}
    left = _MOST_LINKS
    for pid in _names(proc):
        if not pid.isdecimal():
            continue
        name = _program(os.path.join(proc, pid, "comm"))
        if not name:
            continue
        running.add(name)
        folder = os.path.join(proc, pid, "fd")
        for number in _names(folder):
            left -= 1
            if left < 0:
                break
            inode = sockets.inode_of(_link(os.path.join(folder, number)))
            if inode and name not in holders.get(inode, ()):
                holders[inode] = holders.get(inode, ()) + (name,)
    return frozenset(running), holders


def _names(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder), key=lambda name: (len(name), name))
    except OSError:
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _program(path: str) -> str:
    try:
        with open(path, "rb") as handle:
            return handle.read(64).decode("utf-8", "replace").rstrip("\n")
    except OSError:
        # The process has ended since.
        return ""
