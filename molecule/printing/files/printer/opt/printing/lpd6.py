# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An LPD server for IPv6, beside LPRng's for IPv4: Debian's LPRng 3.8 does not start with its IPv6 switched on.

It takes jobs for any queue (RFC 1179, sections 5 and 6) from ports below 1024 only. Standard library only.
"""

from __future__ import annotations

import socketserver
import subprocess

RECEIVE_JOB, DATA_FILE = 2, 3
RESERVED = 1024
DONE, REFUSED = b"\0", b"\1"


class Server(socketserver.ThreadingTCPServer):
    address_family = socketserver.socket.AF_INET6
    allow_reuse_address = True

    def server_bind(self) -> None:
        self.socket.setsockopt(socketserver.socket.IPPROTO_IPV6, socketserver.socket.IPV6_V6ONLY, 1)
        super().server_bind()


class Job(socketserver.StreamRequestHandler):
    def say(self, word: bytes) -> None:
        self.wfile.write(word)
        self.wfile.flush()

    def handle(self) -> None:
        if self.rfile.readline(1000)[:1] != bytes([RECEIVE_JOB]) or self.client_address[1] >= RESERVED:
            self.say(REFUSED)
            return
        self.say(DONE)
        while True:
            line = self.rfile.readline(1000)
            if not line:
                return
            self.say(DONE)
            data = self.rfile.read(int(line[1:].split()[0]))
            if self.rfile.read(1) != DONE:
                return
            if line[0] == DATA_FILE:
                subprocess.run(["/opt/printing/keep"], input=data, check=True)
            self.say(DONE)


if __name__ == "__main__":
    Server(("::", 515), Job).serve_forever()
