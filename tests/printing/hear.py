# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes to UDP port 631: run inside a container, ``python3 -c THIS PLAN``, until stdin ends.

As cups-browsed did up to 2.0.1, it listens on every address.  Prints "ready", and in the end JSON: a list of what
came, each {"from": address, "text": ...}.  PLAN is not used.  Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import json
import select
import socket
import sys

with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as door:
    door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    door.bind(("::", 631))
    print("ready", flush=True)
    came = []
    while True:
        ready = select.select([door, sys.stdin], [], [])[0]
        if door in ready:
            packet, peer = door.recvfrom(1000)
            came.append({"from": peer[0].replace("::ffff:", ""), "text": packet.decode("utf-8", "replace")})
        elif sys.stdin in ready:
            break
print(json.dumps(came))
