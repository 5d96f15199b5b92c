# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try many connections at once and tell how each ended: run inside a container, ``python3 - LIST``.

LIST is JSON: [[name, protocol, source, source port or 0, destination, port], ...].  Each sends its
name and waits for the same bytes.  Prints JSON: {name: [outcome, seconds]}, where the outcome is "answered",
"silent" (no answer in time) or "refused" (an error came: from the other end, or from our own kernel).

What goes to an IPv4 multicast group with "link" for a protocol is put on the link as a whole frame, with an
802.1Q tag that names no VLAN.  The receiver takes such a tag off and goes on as if it had not been
there, and a bridge under Docker spares tagged frames the rules of an internal network, which
drop all that is not for that network's own addresses, groups included.

Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import pathlib
import socket
import struct
import sys
import time

INTERFACE = "eth0"
# A lost first packet is sent again by TCP after one second (RFC 6298), by us for UDP the same.
PATIENCE = 2.5
AGAIN = 0.8


def make(protocol: str, source: str, source_port: int, destination: str) -> socket.socket:
    """A socket that is bound to the source and may send to groups and broadcast addresses."""
    where = ipaddress.ip_address(destination)
    family = socket.AF_INET if where.version == 4 else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if protocol == "udp" and where.version == 4:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, ipaddress.ip_address(source).packed)
    elif protocol == "udp":
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex(INTERFACE))
    sock.bind((source, source_port))
    return sock


def group_frame(source: str, source_port: int, group: str, port: int, data: bytes) -> bytes:
    """A whole frame with a UDP datagram to an IPv4 group (RFC 1112, 6.4: how its link address is made)."""
    own = pathlib.Path("/sys/class/net", INTERFACE, "address").read_text(encoding="ascii").strip().replace(":", "")
    ends = socket.inet_aton(source) + socket.inet_aton(group)
    low = struct.unpack("!I", ends[4:])[0] & 0x7FFFFF
    link = struct.pack("!HI", 0x0100, 0x5E000000 | low) + bytes.fromhex(own) + struct.pack("!HHH", 0x8100, 0, 0x0800)
    head = struct.pack("!BBHHHBB", 0x45, 0, 28 + len(data), 1, 0, 255, 17)
    words = struct.unpack("!10H", head + bytes(2) + ends)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    # A UDP checksum of zero is none (RFC 768); conntrack takes that for good.
    udp = struct.pack("!HHHH", source_port, port, 8 + len(data), 0)
    return link + head + struct.pack("!H", ~total & 0xFFFF) + ends + udp + data


async def probe(name: str, protocol: str, source: str, source_port: int, destination: str, port: int) -> str:
    """One connection from beginning to end."""
    loop = asyncio.get_running_loop()
    if protocol == "link":
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
            wire.bind((INTERFACE, 0))
            wire.send(group_frame(source, source_port or port, destination, port, name.encode("ascii")))
        await asyncio.sleep(PATIENCE)
        return "silent"
    with make(protocol, source, source_port, destination) as sock:
        try:
            if protocol == "tcp":
                await asyncio.wait_for(loop.sock_connect(sock, (destination, port)), PATIENCE)
                await loop.sock_sendall(sock, name.encode("ascii"))
                return await heard(sock, name, PATIENCE)
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                # Not connected, so that an answer from another address would be heard as well.
                sock.sendto(name.encode("ascii"), (destination, port))
                try:
                    return await heard(sock, name, AGAIN)
                except asyncio.TimeoutError:
                    continue
            return "silent"
        except asyncio.TimeoutError:
            return "silent"
        except OSError:
            return "refused"


async def heard(sock: socket.socket, name: str, patience: float) -> str:
    """Wait for the answer; raises TimeoutError."""
    data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 2048), patience)
    return "answered" if data == name.encode("ascii") else "refused"


async def main() -> None:
    async def timed(plan: list) -> tuple:
        started = time.monotonic()
        outcome = await probe(*plan)
        return plan[0], [outcome, round(time.monotonic() - started, 3)]

    print(json.dumps(dict(await asyncio.gather(*(timed(plan) for plan in json.loads(sys.argv[1]))))))


if __name__ == "__main__":
    asyncio.run(main())
