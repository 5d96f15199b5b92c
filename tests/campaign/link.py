# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line to server.py in a container: requests go in, answers come out, one after the other."""

from __future__ import annotations

import json
import select
import subprocess
import time
from typing import Optional

PATIENCE = 200  # seconds; longer than the module gives any program, and than any program here takes


class Cut(Exception):
    """There is nobody at the other end any more."""


class Link:
    """Connected at the first request, and anew after a power cut."""

    def __init__(self, container: str, connection: str = "") -> None:
        self._argv = ["docker", "exec", "-i"]
        if connection:
            self._argv += ["-e", "SSH_CONNECTION=" + connection]
        self._argv += [container, "python3", "-B", "/opt/faults/server.py", "/opt/faults/code"]
        self._process: Optional["subprocess.Popen[bytes]"] = None
        self._rest = b""

    def ask(self, **request) -> dict:
        """Raises Cut, and RuntimeError where the server itself could not do it."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            self._rest = b""
            self._line()
        try:
            self._process.stdin.write((json.dumps(request) + "\n").encode())
            self._process.stdin.flush()
        except OSError:
            self.close()
            raise Cut("the line was cut") from None
        answer = json.loads(self._line())
        if "broken" in answer:
            raise RuntimeError(answer["broken"])
        return answer

    def _line(self) -> bytes:
        until = time.monotonic() + PATIENCE
        output = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            if not select.select([output], [], [], max(0.0, until - time.monotonic()))[0]:
                self.close()
                raise Cut("no answer within %d seconds" % PATIENCE)
            data = self._process.stdout.read1(1 << 20)
            if not data:
                self.close()
                raise Cut("the line was cut")
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def close(self) -> None:
        """Hang up."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
