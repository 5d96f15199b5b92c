# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Greet whoever connects to TCP port 8632, over IPv4 and IPv6, and be ready for the next. Standard library only."""

from __future__ import annotations

import socket

with socket.create_server(("::", 8632), family=socket.AF_INET6, backlog=512, dualstack_ipv6=True) as door:
    while True:
        stream, _peer = door.accept()
        try:
            stream.send(b"!")
        except OSError:
            pass  # he has gone already, and counts that himself
        stream.close()
