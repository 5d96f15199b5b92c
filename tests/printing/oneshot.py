# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask for a name by multicast DNS as simple programs do: ``python3 - PLAN``, run inside a container.

PLAN is JSON: {"name": "x.local", "group": "224.0.0.251" or "ff02::fb", "own": this host's address}.
The question leaves from an ephemeral port, so the answer comes to that port alone (RFC 6762, section 6.7).
Ends with status 0 once it has come. Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import time

PATIENCE = 3.0
AGAIN = 0.5
TYPES = {socket.AF_INET: 1, socket.AF_INET6: 28}  # A, AAAA


def main() -> None:
    plan = json.loads(sys.argv[1])
    family = socket.AF_INET6 if ":" in plan["group"] else socket.AF_INET
    packed = b"".join(bytes([len(part)]) + part.encode() for part in plan["name"].split(".")) + b"\0"
    identity = os.urandom(2)
    question = identity + struct.pack(">5H", 0, 1, 0, 0, 0) + packed + struct.pack(">HH", TYPES[family], 1)
    interface = socket.if_nametoindex("eth0")
    with socket.socket(family, socket.SOCK_DGRAM) as door:
        door.settimeout(AGAIN)
        door.bind((plan["own"], 0))
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if family == socket.AF_INET6:
                door.sendto(question, (plan["group"], 5353, 0, interface))
            else:
                door.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(plan["own"]))
                door.sendto(question, (plan["group"], 5353))
            try:
                answer, peer = door.recvfrom(9000)
            except socket.timeout:
                continue
            if answer[:2] == identity and peer[1] == 5353:
                print("answered by %s" % peer[0])
                return
    sys.exit("nobody answered")


if __name__ == "__main__":
    main()
