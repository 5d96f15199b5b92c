# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for CUPS and sshd: answers on their ports with what it was sent, as a service of the host."""

from __future__ import annotations

import asyncio

PORTS = [22, 631]


async def answer(reader, writer) -> None:
    """Give back whatever comes, then close."""
    writer.write(await reader.read(2048))
    await writer.drain()
    writer.close()


async def main() -> None:
    for port in PORTS:
        for address in ("0.0.0.0", "::"):
            await asyncio.start_server(answer, address, port)
    await asyncio.Event().wait()


asyncio.run(main())
