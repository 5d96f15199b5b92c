# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that takes its time: run inside a container, ``python3 -c THIS PLAN``, until stdin ends.

PLAN is JSON: {"argv": a program that reads the job from stdin, "environment": {...}}.  Prints "ready" when the
program has taken some of it, and in the end JSON: {"sha256", "bytes", "seconds", "status", "told"}.
Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time

PAUSE = 0.1
PIECE = 700
BEFORE = 10


CHANNELS = (3, 4)


def main() -> None:
    plan = json.loads(sys.argv[1])
    digest, size, pieces = hashlib.sha256(), 0, 0
    # A backend that reads from stdin waits for its back and side channel as well (backend(7)): nobody speaks there.
    ends = [socket.socketpair() for _number in CHANNELS]
    with tempfile.TemporaryFile() as told:
        program = subprocess.Popen(
            plan["argv"], env=dict(os.environ, **plan["environment"]), stdin=subprocess.PIPE, stdout=told, stderr=told,
            pass_fds=CHANNELS, preexec_fn=lambda: [os.dup2(end[0].fileno(), to) for end, to in zip(ends, CHANNELS)],
        )
        data, started, over = b"%!PS-Adobe-3.0\n", time.monotonic(), False
        while not over:
            program.stdin.write(data)
            program.stdin.flush()
            digest.update(data)
            size += len(data)
            pieces += 1
            if pieces == BEFORE:
                print("ready", flush=True)
            data = os.urandom(PIECE)
            over = bool(select.select([sys.stdin], [], [], PAUSE)[0])
        program.stdin.close()
        status = program.wait(60)
        told.seek(0)
        words = told.read().decode("utf-8", "replace")[-500:]
    print(json.dumps({
        "sha256": digest.hexdigest(), "bytes": size, "seconds": time.monotonic() - started, "status": status,
        "told": words,
    }))


if __name__ == "__main__":
    main()
