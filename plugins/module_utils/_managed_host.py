# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real host under a module: its programs, and the SSH connection by which Ansible came."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import subprocess
import time
from typing import Iterator, Optional, Sequence

from ansible_collections.printfleet.cups.plugins.module_utils import _orphans
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Ssh

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SECONDS = 120
# What systemctl says while systemd executes itself anew (daemon-reexec, an upgrade of its package) and hangs up on
# whoever asks (measured, systemd 252 and 257).  Every order that is given here may be given twice.
_CUT_OFF = re.compile(
    "Connection reset by peer|Transport endpoint is not connected|Connection refused|Remote peer disconnected"
)
_TRIES, _PAUSE = 5, 0.5
_PORT = re.compile(r"[0-9]{1,5}")


class ManagedHost:
    """Runs programs; see ``_backend.Host``."""

    def run(self, argv: Sequence[str], stdin: Optional[str] = None) -> Result:
        result = self._run(argv, stdin)
        for _turn in range(_TRIES if argv[0] == "systemctl" else 0):
            if result.status == 0 or not _CUT_OFF.search(result.errors):
                break
            time.sleep(_PAUSE)
            result = self._run(argv, stdin)
        return result

    def _run(self, argv: Sequence[str], stdin: Optional[str]) -> Result:
        environment = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "HOME": "/root"}
        if _orphans.MARK in os.environ:
            environment[_orphans.MARK] = os.environ[_orphans.MARK]
        try:
            done = subprocess.run(
                list(argv),
                input=(stdin or "").encode("utf-8", "surrogateescape"),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            return Result(127, "", "there is no program %s" % argv[0])
        except subprocess.TimeoutExpired:
            return Result(124, "", "it did not end within %d seconds" % _SECONDS)
        return Result(
            done.returncode,
            done.stdout.decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"),
        )

    def program(self, name: str) -> Optional[str]:
        return shutil.which(name, path=_PATH)


def ssh_connection() -> Optional[Ssh]:
    """The live SSH connection that this process descends from, None for other ways in."""
    return read_ssh_connection(ssh_line())


def ssh_line(pid: Optional[int] = None) -> str:
    """That connection as sshd writes it, ports and all, so that no two connections have the same; "" for none.

    sshd puts SSH_CONNECTION into the environment of what it starts (sshd(8)); sudo takes it out
    again, so the parents' environments in /proc are asked as well.
    """
    for environment in _environments(os.getpid() if pid is None else pid):
        for entry in environment.split(b"\0"):
            if entry.startswith(b"SSH_CONNECTION="):
                return entry.partition(b"=")[2].decode("ascii", "replace")
    return ""


def read_ssh_connection(value: str) -> Optional[Ssh]:
    """Read ``client-address client-port server-address server-port``; None where it is something else."""
    words = value.split()
    if len(words) != 4 or not _PORT.fullmatch(words[3]) or not 0 < int(words[3]) < 65536:
        return None
    try:
        # A link-local client is written with its zone, which no rule could take.
        client = ipaddress.ip_address(words[0].split("%")[0])
    except ValueError:
        return None
    mapped = getattr(client, "ipv4_mapped", None)
    return Ssh(str(mapped or client), int(words[3]))


def _environments(pid: int) -> Iterator[bytes]:
    for _step in range(64):
        if pid <= 1:
            return
        try:
            with open("/proc/%d/environ" % pid, "rb") as handle:
                yield handle.read()
            with open("/proc/%d/stat" % pid, "rb") as handle:
                # The second field, the program's name, may hold spaces and brackets (proc(5)).
                pid = int(handle.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return
