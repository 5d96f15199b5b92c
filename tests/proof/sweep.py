# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every port, one packet each: which ones does a host let through? The kernel itself tells."""

from __future__ import annotations

import json
import time
from typing import AbstractSet, Callable, Dict, FrozenSet, Mapping

from . import lab, observer
from .observer import Stream

ATTEMPTS = 3


class Lost(Exception):
    """Probes did not even reach the first chain, or reached it twice: such a sweep proves nothing."""


def sweep(
    expected: Mapping[Stream, AbstractSet[int]],
    direction: str,
    beside: str,
    sender: str,
    tell: Callable[[str], None] = print,
) -> Dict[Stream, FrozenSet[int]]:
    """Send all streams and give the open ports of each.

    ``expected`` names the streams; how many ports it expects decides only what is quicker to record.
    ``beside`` is a container in the network of the host that is watched, ``sender`` the one that
    sends.  A machine under load can lose a packet on the way: then the whole sweep is told as
    void and done again, and after three such sweeps Lost is raised.
    """
    for attempt in range(ATTEMPTS):
        started = time.monotonic()
        try:
            return _once(expected, direction, beside, sender)
        except Lost as reason:
            tell("sweep void: %s" % reason)
            if attempt == ATTEMPTS - 1:
                raise
        finally:
            tell("%d probes %s: %.1f s" % (65536 * len(expected), direction, time.monotonic() - started))
    raise AssertionError("not reached")


def _once(
    expected: Mapping[Stream, AbstractSet[int]], direction: str, beside: str, sender: str
) -> Dict[Stream, FrozenSet[int]]:
    streams = list(expected)
    words = ["open" if len(expected[stream]) < 32768 else "closed" for stream in streams]
    lab.inside(beside, ["nft", "-f", "-"], observer.ruleset(streams, words, direction))
    try:
        plan = {"sport": observer.PROBE_PORT, "streams": streams, "link": direction == "in"}
        told = json.loads(lab.inside_python(sender, "send.py", json.dumps(plan)))
        table = ["inet", observer.TABLE]
        counts = observer.read_counters(lab.inside(beside, ["nft", "-j", "list", "counters", "table", *table]), streams)
        lost = observer.lost(counts, streams)
        if lost or told["sent"] != 65536 * len(streams):
            raise Lost("; ".join("%s: %d of 65536 probes seen" % item for item in lost.items()))
        result = {}
        for number, (stream, word, count) in enumerate(zip(streams, words, counts)):
            listing = lab.inside(beside, ["nft", "-j", "list", "set", *table, "ports%d" % number])
            result[stream] = observer.read_ports(listing, word, count)
        return result
    finally:
        lab.inside(beside, ["nft", "delete", "table", "inet", observer.TABLE])
