# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer of multicast DNS over IPv4, from who may not print here: ``python3 group.py OWN SENDER``, on a server.

OWN is the server's address on its link to the namespace "link", SENDER the one there that sends.  An answer goes
from port 5353 to the group's port 5353 (RFC 6762, section 6).  Ends with status 0 once it is heard.  Standard
library only; Python 3.8 or later.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

GROUP, PORT, PATIENCE = "224.0.0.251", 5353, 3.0
SEND = """
import socket, sys
own, text = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
    door.bind((own, 5353))
    door.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
    door.sendto(text.encode(), ("224.0.0.251", 5353))
"""


def main() -> None:
    own, sender = sys.argv[1:]
    text = os.urandom(8).hex()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        # Avahi listens there as well; what comes to a group comes to each listener.
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            door.setsockopt(socket.SOL_SOCKET, option, 1)
        door.bind((GROUP, PORT))
        door.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton(own)
        )
        subprocess.run(["ip", "netns", "exec", "link", "python3", "-c", SEND, sender, text], check=True)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            door.settimeout(max(0.01, until - time.monotonic()))
            try:
                packet, peer = door.recvfrom(9000)
            except socket.timeout:
                break
            if packet == text.encode() and peer == (sender, PORT):
                print("heard from %s" % sender)
                return
    sys.exit("nothing was heard")


if __name__ == "__main__":
    main()
