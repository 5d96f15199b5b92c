# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that the packets tell about the hosts of one stage: sweeps and real connections, all hosts at the same time."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from typing import Callable, Dict, FrozenSet, List, NamedTuple, Tuple

from . import expected, lab, plan, snapshot, sweep, traffic
from .observer import Stream
from .traffic import Outcome, Probe

# How to stop each firewall without changing a file of its own.
STOP = {"nftables": [], "firewalld": ["firewalld"], "ufw": ["ufw"]}


class Told(NamedTuple):
    """What came of the probes to and from one host."""

    swept: Dict[Tuple[str, Stream], FrozenSet[int]]
    carried: Dict[Probe, Outcome]


def watch(stage: plan.Stage, tried: List[expected.Opening], tell: Callable[[str], None]) -> Dict[str, Told]:
    """Watch every host; ``tried`` are the rows whose ports get real connections."""
    # Two hosts cannot send to the same listeners at once: the neighbour has each address but once.
    listening = threading.Lock()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = {server: pool.submit(_watch, stage, server, tried, listening, tell) for server in stage.servers}
        return {server: future.result() for server, future in running.items()}


def _watch(
    stage: plan.Stage,
    server: str,
    tried: List[expected.Opening],
    listening: threading.Lock,
    tell: Callable[[str], None],
) -> Told:
    swept: Dict[Tuple[str, Stream], FrozenSet[int]] = {}
    carried: Dict[Probe, Outcome] = {}
    with lab.beside(server, snapshot.OBSERVER) as beside:
        for direction, sender in (("in", stage.neighbour), ("out", beside)):
            streams = plan.streams(stage, server, direction)
            found = sweep.sweep(streams, direction, beside, sender, lambda text: tell("%s: %s" % (server, text)))
            swept.update({(direction, stream): ports for stream, ports in found.items()})
        probes = {case.probe: case.direction for case in plan.cases(stage, server, tried)}
        coming = [probe for probe, direction in probes.items() if direction == "in"]
        going = [probe for probe, direction in probes.items() if direction == "out"]
        carried.update(traffic.carry(coming, stage.neighbour, beside, neighbour_sends=True))
        with listening:
            carried.update(traffic.carry(going, beside, stage.neighbour, neighbour_sends=False))
    tell("%s: %d real connections tried" % (server, len(carried)))
    return Told(swept, carried)


@contextlib.contextmanager
def stopped(stage: plan.Stage):
    """The hosts' own firewalls stopped, and started again in the end."""
    def all_hosts(word: str) -> None:
        for server in stage.servers:
            for service in STOP[stage.firewall]:
                lab.inside(server, ["systemctl", word, service])

    all_hosts("stop")
    try:
        yield
    finally:
        all_hosts("start")
