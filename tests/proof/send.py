# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send one packet to every port: run inside a container, ``python3 - PLAN`` with this file on stdin.

PLAN is JSON: {"sport": N, "link": BOOL, "streams": [[source, destination, protocol], ...]}.  Each
stream is 65,536 packets, port 0 included, in ascending order.  Without link they go through this
container's own firewall, as anything does that it sends (raw(7)).  With link they are put on its link as
whole frames.  Prints JSON: {"sent": N, "refused": N}, where refused are those that the kernel
told us it did not let out (EPERM from the output hook).

Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import ipaddress
import json
import pathlib
import socket
import struct
import subprocess
import sys
import time

NUMBERS = {"tcp": 6, "udp": 17}
INTERFACE = "eth0"  # the name that Docker gives a container's only network
DISCARD = 9  # where packets go whose only use is that the kernel has to look for the neighbour
BIG_BUFFER = 1 << 22


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071), not yet inverted."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def transport(protocol: str, sport: int) -> bytes:
    """A header with destination port 0 and checksum 0: a lone SYN, or a datagram without content."""
    if protocol == "tcp":
        return struct.pack("!HHIIBBHHH", sport, 0, 1, 0, 5 << 4, 2, 1024, 0, 0)
    return struct.pack("!HHHH", sport, 0, 8, 0)


def network(source: str, destination: str, protocol: str, length: int) -> bytes:
    """The IP header in front."""
    src, dst = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    if len(src) == 16:
        return struct.pack("!IHBB", 6 << 28, length, NUMBERS[protocol], 64) + src + dst
    head = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, 1, 0, 64, NUMBERS[protocol])
    return head + struct.pack("!H", ~checksum(head + src + dst) & 0xFFFF) + src + dst


def packets(source: str, destination: str, protocol: str, sport: int, before: bytes) -> list:
    """All 65,536 packets of one stream, each with a right checksum: conntrack calls others invalid.

    ``before`` is put in front of each.
    """
    body = transport(protocol, sport)
    head = network(source, destination, protocol, len(body))
    pseudo = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    base = checksum(pseudo + struct.pack("!HH", NUMBERS[protocol], len(body)) + body)
    at = 16 if protocol == "tcp" else 6  # where the checksum stands
    front, rest, tail = before + head + body[:2], body[4:at], body[at + 2:]
    made = []
    pack = struct.Struct("!H").pack
    for port in range(65536):
        total = base + port
        total = (total & 0xFFFF) + (total >> 16)
        # UDP writes a sum of zero as all ones (RFC 768), zero would say "no checksum".
        made.append(front + pack(port) + rest + pack((~total & 0xFFFF) or 0xFFFF) + tail)
    return made


def frame_head(source: str, destination: str) -> bytes:
    """The link header to a neighbour, with an 802.1Q tag that names no VLAN (a priority tag).

    The receiver's kernel takes such a tag off and goes on as if it had not been there.  Bridges that
    hand what they carry to the machine's own netfilter (br_netfilter, as Docker sets it up) spare tagged
    frames: else each probe would fill the conntrack table of the machine that all containers share.
    """
    own = pathlib.Path("/sys/class/net", INTERFACE, "address").read_text(encoding="ascii")
    kind = 0x86DD if ":" in destination else 0x0800
    both = link_address(source, destination) + own.strip()
    return bytes.fromhex(both.replace(":", "")) + struct.pack("!HHH", 0x8100, 0, kind)


def link_address(source: str, destination: str) -> str:
    """Have the kernel find the neighbour's link address."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket(family, socket.SOCK_DGRAM) as knock:
            knock.bind((source, 0))
            knock.sendto(b"", (destination, DISCARD))
        command = ["ip", "neigh", "show", "to", destination]
        known = subprocess.run(command, check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout.split()
        if "lladdr" in known:
            return known[known.index("lladdr") + 1]
        time.sleep(0.05)
    sys.exit("%s does not answer ARP or neighbour solicitations from %s" % (destination, source))


def opened(source: str, destination: str, link: bool) -> tuple:
    """A socket to send with, and what has to stand in front of each packet."""
    if link:
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        raw.bind((INTERFACE, 0))
        return raw, frame_head(source, destination)
    raw = socket.socket(socket.AF_INET6 if ":" in destination else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.connect((destination, 0))
    return raw, b""


def send(source: str, destination: str, protocol: str, sport: int, link: bool) -> int:
    """Send one stream; gives how many the kernel refused to let out."""
    refused = 0
    raw, head = opened(source, destination, link)
    with raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BIG_BUFFER)
        out = raw.send
        for packet in packets(source, destination, protocol, sport, head):
            try:
                out(packet)
            except PermissionError:
                refused += 1
    return refused


def main() -> None:
    plan = json.loads(sys.argv[1])
    refused = sum(send(s, d, p, plan["sport"], plan["link"]) for s, d, p in plan["streams"])
    print(json.dumps({"sent": 65536 * len(plan["streams"]), "refused": refused}))


if __name__ == "__main__":
    main()
