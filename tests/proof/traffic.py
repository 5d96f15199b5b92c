# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real connections between two containers: who sends, who listens, and what really arrived."""

from __future__ import annotations

import concurrent.futures
import json
from typing import Dict, NamedTuple, Sequence

from . import lab


class Probe(NamedTuple):
    """One attempt. ``source_port`` 0 is any."""

    protocol: str
    source: str
    destination: str
    port: int
    source_port: int = 0

    def __str__(self) -> str:
        shown = "%s %s -> %s %d" % (self.protocol, self.source, self.destination, self.port)
        return shown if not self.source_port else "%s from %d" % (shown, self.source_port)


class Outcome(NamedTuple):
    """``arrived``: the listener has the very bytes, from the right source. ``answered``: and the sender its answer."""

    arrived: bool
    told: str  # "answered", "silent" or "refused": what the sender saw
    seconds: float


def carry(probes: Sequence[Probe], sender: str, receiver: str, neighbour_sends: bool) -> Dict[Probe, Outcome]:
    """Listen in one container, send from the other, all at once.

    IPv4 multicast is the exception, since no internal Docker network carries it: what the neighbour
    sends goes out as frames that Docker's rules do not hold, and what the host sends is looked for on
    its own link, behind its filters.
    """
    groups = [probe for probe in probes if is_group(probe)]
    if neighbour_sends:
        return _carry(probes, sender, receiver, "link", "udp")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        on_link = pool.submit(_carry, groups, sender, sender, "udp", "link")
        found = _carry([probe for probe in probes if not is_group(probe)], sender, receiver, "udp", "udp")
        return {**found, **on_link.result()}


def is_group(probe: Probe) -> bool:
    """Whether it goes to an IPv4 multicast group."""
    return probe.destination.startswith("224.")


def _carry(probes: Sequence[Probe], sender: str, receiver: str, sent_as: str, seen_as: str) -> Dict[Probe, Outcome]:
    """``sent_as`` and ``seen_as``: how the two programs name the protocol of IPv4 multicast."""
    def protocol(probe: Probe, word: str) -> str:
        return word if is_group(probe) else probe.protocol

    wanted = sorted({(protocol(probe, seen_as), probe.destination, probe.port) for probe in probes})
    names = {str(probe): probe for probe in probes}
    plan = [[name, protocol(p, sent_as), p.source, p.source_port, p.destination, p.port] for name, p in names.items()]
    listening = lab.start_python(receiver, "listen.py", json.dumps(wanted))
    try:
        said = listening.stdout.readline().strip()  # type: ignore[union-attr]
        if said != "ready":
            raise lab.LabError("the listener in %s did not start: %s" % (receiver, said))
        outcomes = json.loads(lab.inside_python(sender, "connect.py", json.dumps(plan)))
        came = json.loads(listening.communicate("", timeout=lab.PATIENCE)[0])
    finally:
        listening.kill()
        listening.wait()
    arrived = {(item["data"], item["peer"]) for item in came}
    return {p: Outcome((name, p.source) in arrived, *outcomes[name]) for name, p in names.items()}
