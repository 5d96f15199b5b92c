# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nft table that watches a sweep: what it is made of, and what it tells afterwards. Pure text in, text out.

A chain before all filters counts the probes of each stream, a chain after all filters counts them again
and drops them, so that nothing answers and conntrack never confirms an entry.  Which ports came through
is kept in one set for each stream.  nft takes far longer to list a large set than the kernel to
fill it, so there are two ways, and the caller says for each stream which set he believes to be small:

"open": the last chain puts each port in.
"closed": the first chain puts each port in and the last one takes it out again.

A wrong belief costs time and changes no result.
"""

from __future__ import annotations

import json
from typing import Dict, FrozenSet, Iterable, NamedTuple, Sequence, Tuple

TABLE = "printfleet_cups_observer"
# Not the source port of anything that a firewall treats specially, such as 53, 67, 137, 161, 547 or 5353.
PROBE_PORT = 40963
ALL_PORTS = frozenset(range(65536))
# Where a packet is first and last seen.  Priorities: all filters lie between; conntrack starts at
# -200 and confirms at the end (linux/netfilter_ipv4.h, NF_IP_PRI_*).
HOOKS = {"in": ("prerouting", "input"), "out": ("output", "postrouting")}


class Stream(NamedTuple):
    """All ports of one protocol ("tcp" or "udp") from one address to another."""

    source: str
    destination: str
    protocol: str

    def __str__(self) -> str:
        return "%s from %s to %s" % (self.protocol, self.source, self.destination)


class Count(NamedTuple):
    """How many probes of one stream were seen before and after the filters."""

    before: int
    after: int


def match(stream: Stream) -> str:
    """The rule's part that only probes of this stream fulfil."""
    family = "ip6" if ":" in stream.source else "ip"
    # th, not tcp or udp: one word for both, and no /etc/protocols is needed for a number.
    return "%s saddr %s %s daddr %s meta l4proto %s th sport %d" % (
        family, stream.source, family, stream.destination, stream.protocol, PROBE_PORT)


def ruleset(streams: Sequence[Stream], words: Sequence[str], direction: str) -> str:
    """The table as nft reads it.

    ``words`` holds "open" or "closed" for each stream; ``direction`` is "in" or "out", seen from the
    host that is watched.
    """
    first, last = HOOKS[direction]
    before = ["type filter hook %s priority -500; policy accept;" % first]
    after = ["type filter hook %s priority 500; policy accept;" % last]
    lines = []
    for number, (stream, word) in enumerate(zip(streams, words)):
        lines.append("set ports%d { type inet_service; size 65536; flags dynamic; }" % number)
        lines.append("counter before%d { }" % number)
        lines.append("counter after%d { }" % number)
        came, went = {"open": ("", "add"), "closed": ("add", "delete")}[word]
        keep = "%%s @ports%d { th dport } " % number
        before.append("%s %scounter name before%d accept" % (match(stream), keep % came if came else "", number))
        after.append("%s %scounter name after%d drop" % (match(stream), keep % went, number))
    lines += ["chain before {", *before, "}", "chain after {", *after, "}"]
    return "table inet %s {\n%s\n}\n" % (TABLE, "\n".join(lines))


def read_counters(listing: str, streams: Sequence[Stream]) -> Tuple[Count, ...]:
    """Read ``nft -j list counters table inet ...``, in the order of the streams."""
    packets = {
        item["counter"]["name"]: item["counter"]["packets"]
        for item in json.loads(listing)["nftables"] if "counter" in item
    }
    return tuple(Count(packets["before%d" % n], packets["after%d" % n]) for n in range(len(streams)))


def read_ports(listing: str, word: str, count: Count) -> FrozenSet[int]:
    """Read ``nft -j list set ...``, a set of "open" or of "closed" ports; gives the open ones.

    Raises ValueError where set and counter contradict each other: a port was seen twice.
    """
    found = [item["set"] for item in json.loads(listing)["nftables"] if "set" in item]
    ports = frozenset(found[0].get("elem", ()))
    open_ports = ports if word == "open" else ALL_PORTS - ports
    if len(open_ports) != count.after:
        raise ValueError("%d probes came through to %d ports" % (count.after, len(open_ports)))
    return open_ports


def lost(counts: Iterable[Count], streams: Iterable[Stream]) -> Dict[Stream, int]:
    """The streams of which not exactly each probe was seen before the filters, and how many were."""
    return {s: c.before for s, c in zip(streams, counts) if c.before != len(ALL_PORTS)}
