# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What p910nd prints to, in the place of three parallel ports: named pipes whose jobs are kept as files.

A job is what comes between the first byte and the end of the writer's connection. Standard library only.
"""

from __future__ import annotations

import os
import subprocess
import threading

PIPES = ["/run/port-%d" % number for number in range(3)]


def collect(pipe: str) -> None:
    """Keep one job after the other."""
    while True:
        # Waits until p910nd opens the other end.
        with open(pipe, "rb") as stream:
            subprocess.run(["/opt/printing/keep"], stdin=stream, check=True)


for path in PIPES:
    if not os.path.exists(path):
        os.mkfifo(path)
    threading.Thread(target=collect, args=(path,)).start()
