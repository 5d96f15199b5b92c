# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A printer that speaks AppSocket: run inside a container, ``python3 -c THIS ADDRESS``.

It takes one job on port 9100 of the address: what a connection brings until its end. Prints "ready", and after
the job a line of JSON: {"bytes", "sha256", "from"}. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import socket
import sys

with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_STREAM) as door:
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind((sys.argv[1], 9100))
    door.listen(1)
    print("ready", flush=True)
    stream, peer = door.accept()

digest, size = hashlib.sha256(), 0
with stream:
    while True:
        data = stream.recv(65536)
        if not data:
            break
        digest.update(data)
        size += len(data)
print(json.dumps({"bytes": size, "sha256": digest.hexdigest(), "from": peer[0]}), flush=True)
