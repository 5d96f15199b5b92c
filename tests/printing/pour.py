# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect again and again, and count what fails: run inside a container, ``python3 -c THIS PLAN``, until stdin ends.

PLAN is JSON: {"addresses": [...], "port": number, "rate": connections a second}.  A connection has succeeded when
the other end's greeting has come, and nothing had to be sent twice for it: a SYN that was dropped is sent again by
the kernel after a second, and would hide the loss.  It is sent again as well when the machine stands still for that
second, so such a connection does not count as failed where this program was kept waiting itself meanwhile, but as
late.  Prints "ready", and in the end JSON: {"tried", "seconds", "failed": {reason: number}, "late": number}.
Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import collections
import errno
import json
import os
import selectors
import socket
import struct
import sys
import time

PATIENCE = 5.0
AT_ONCE = 50
# No more than fit into the queue of who accepts them: what does not is dropped there, by no firewall.
WAITING = 200
ROUND = 0.004
STANDSTILL = 0.5
# struct tcp_info: eight bytes, then numbers of 32 bits, of which tcpi_total_retrans is the 24th (linux/tcp.h).
TOTAL_RETRANS = 8 + 23 * 4
RESET = struct.pack("ii", 1, 0)  # no TIME_WAIT: some ten thousand ports would be used up


def begin(address: str, port: int) -> socket.socket:
    stream = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    stream.setblocking(False)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    stream.connect_ex((address, port))
    return stream


def outcome(stream: socket.socket) -> str:
    """Nothing for success, "early" where it cannot be said yet, and a word for anything else."""
    error = stream.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        return errno.errorcode[error]
    try:
        greeting = stream.recv(1)
    except BlockingIOError:
        return "early"
    except OSError as problem:
        return errno.errorcode[problem.errno]
    if not greeting:
        return "closed"
    info = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return "sent twice" if struct.unpack_from("I", info, TOTAL_RETRANS)[0] else ""


def pour(addresses: list, port: int, rate: float) -> dict:
    failed, waiting, tried, late = collections.Counter(), {}, 0, 0
    chooser = selectors.DefaultSelector()
    chooser.register(sys.stdin, selectors.EVENT_READ)
    started, over = time.monotonic(), 0.0
    looked, stood_still = started, 0.0  # when each was last
    while not over or waiting:
        now = time.monotonic()
        due = 0 if over else min(AT_ONCE, WAITING - len(waiting), int((now - started) * rate) - tried)
        for _number in range(due):
            stream = begin(addresses[tried % len(addresses)], port)
            tried += 1
            waiting[stream] = now
            chooser.register(stream, selectors.EVENT_READ)
        ended = {}
        for key, _events in chooser.select(ROUND):
            if key.fileobj is sys.stdin:
                if not os.read(0, 100):
                    over = time.monotonic()
                    chooser.unregister(sys.stdin)
                continue
            ended[key.fileobj] = outcome(key.fileobj)
        for stream, since in waiting.items():
            if now - since > PATIENCE:
                ended.setdefault(stream, "silence")
        before, looked = looked, time.monotonic()
        if looked - before > STANDSTILL:
            stood_still = looked
        for stream, word in ended.items():
            if word == "early":
                continue
            chooser.unregister(stream)
            since = waiting.pop(stream)
            stream.close()
            if word == "sent twice" and since < stood_still:
                late += 1
            elif word:
                failed[word] += 1
    return {"tried": tried, "seconds": over - started, "failed": dict(failed), "late": late}


if __name__ == "__main__":
    print("ready", flush=True)
    plan = json.loads(sys.argv[1])
    print(json.dumps(pour(plan["addresses"], plan["port"], plan["rate"])))
