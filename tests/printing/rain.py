# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams without end, each of which the firewall has to judge anew: ``python3 -c THIS PLAN``, until stdin ends.

PLAN is JSON.  {"addresses": [...], "port": number, "rate": datagrams a second} sends them to the addresses by turns;
{"port": number} counts those that come.  Nobody answers, so none of them belongs to what is known already, and what
is dropped is not sent again: a connection hides a moment of some microseconds, this does not.  Prints "ready", and in
the end JSON: {"sent", "seconds"} or {"got", "spilt"}, where spilt is what came and did not fit into the socket.
Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time

AT_ONCE = 100
DATAGRAM = b"printfleet"
SO_RXQ_OVFL = 40  # linux/socket.h: with each datagram comes how many were dropped for want of room, see socket(7)
ROOM = 8 << 20


def over(seconds: float) -> bool:
    """Wait so long at most, and say whether stdin has ended."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def send(addresses: list, port: int, rate: float) -> dict:
    outlets = []
    for address in addresses:
        outlet = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        outlet.connect((address, port))
        outlets.append(outlet)
    sent, started = 0, time.monotonic()
    while not over(0.002):
        for _number in range(min(AT_ONCE, int((time.monotonic() - started) * rate) - sent)):
            outlets[sent % len(outlets)].send(DATAGRAM)
            sent += 1
    return {"sent": sent, "seconds": time.monotonic() - started}


def count(inlet: socket.socket) -> dict:
    got, spilt, last = 0, 0, False
    while not last:
        # What has come when stdin ends is counted still.
        last = sys.stdin in select.select([inlet, sys.stdin], [], [])[0]
        while True:
            try:
                datagram, told, _flags, _sender = inlet.recvmsg(64, 64)
            except BlockingIOError:
                break
            got += datagram == DATAGRAM
            spilt = max([spilt] + [struct.unpack("I", data)[0] for _level, kind, data in told if kind == SO_RXQ_OVFL])
    return {"got": got, "spilt": spilt}


def bucket(port: int) -> socket.socket:
    inlet = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    inlet.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    inlet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
    inlet.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
    inlet.bind(("::", port))
    inlet.setblocking(False)
    return inlet


if __name__ == "__main__":
    plan = json.loads(sys.argv[1])
    held = None if "addresses" in plan else bucket(plan["port"])
    print("ready", flush=True)
    print(json.dumps(count(held) if held else send(plan["addresses"], plan["port"], plan["rate"])))
