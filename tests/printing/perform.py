# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out steps in a container: run inside of it, ``python3 - PLAN``.

PLAN is JSON: {lane: [[name, script, seconds]...]}.  Lanes run at the same time, a lane's steps one after the other.
A script finds in $JOB a file that was never there before.  Prints JSON: {name: [status, output's end, seconds,
SHA-256 of the file]}.  Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

# A job fits into what TCP sends at once (RFC 6928, ten segments) and ippeveprinter reads at once: of longer ones it
# kept 16384 bytes now and then, one in some hundred, with no firewall at all. The long jobs are in steadiness.py.
SIZE = 12000
TOLD = 500


def perform(name: str, script: str, seconds: float) -> list:
    # All bytes there are, and a beginning by which cupsd knows what it is.
    data = b"%!PS-Adobe-3.0\n% " + name.encode("utf-8") + b"\n" + os.urandom(SIZE) + bytes(range(256))
    with tempfile.NamedTemporaryFile(prefix="job-") as job:
        job.write(data)
        job.flush()
        os.chmod(job.name, 0o644)
        started = time.monotonic()
        done = subprocess.run(
            ["timeout", "--kill-after=1", str(seconds), "sh", "-c", script], env=dict(os.environ, JOB=job.name),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )
        took = time.monotonic() - started
    told = done.stdout.decode("utf-8", "replace")[-TOLD:]
    return [done.returncode, told, took, hashlib.sha256(data).hexdigest()]


def main() -> None:
    plan = json.loads(sys.argv[1])
    with concurrent.futures.ThreadPoolExecutor(max(1, len(plan))) as pool:
        lanes = [
            pool.submit(lambda steps: {step[0]: perform(*step) for step in steps}, steps) for steps in plan.values()
        ]
    print(json.dumps({name: outcome for lane in lanes for name, outcome in lane.result().items()}))


if __name__ == "__main__":
    main()
