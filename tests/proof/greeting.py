# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does an SSH server answer?  Here, or inside a container: ``python3 - ADDRESS PORT`` prints its greeting, or nothing.

Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import socket
import sys

# A first packet that was lost is sent again after one and after three seconds (RFC 6298).
PATIENCE = 4.0


def greeting(address: str, port: int) -> str:
    """The first words of the server (RFC 4253, 4.2), "" where there is no connection."""
    try:
        with socket.create_connection((address, port), PATIENCE) as stream:
            return stream.recv(255).decode("ascii", "replace").strip()
    except OSError:
        return ""


if __name__ == "__main__":
    print(greeting(sys.argv[1], int(sys.argv[2])))
