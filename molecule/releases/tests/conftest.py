# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every host has a release and a firewall of its own, and is swept once; the tests look at what came of it."""

from __future__ import annotations

import concurrent.futures
import pathlib
import sys
from typing import Callable, Dict, FrozenSet, NamedTuple, Tuple

import pytest

# The proof's own tools lie there, and are no part of the collection.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests"))

from proof import lab, plan, snapshot, sweep
from proof.observer import Stream

# More sweeps at once only lose probes on a machine with two cores.
AT_ONCE = 2
Ports = Dict[Tuple[str, Stream], FrozenSet[int]]


class Swept(NamedTuple):
    """The open ports of one host."""

    wanted: Ports
    found: Ports


def stage_for(stage: plan.Stage, server: str) -> plan.Stage:
    """The scenario's stage, for one host: the name says which firewall it has."""
    firewall = server.split("-")[-2]
    return stage._replace(firewall=firewall, servers={server: stage.servers[server]}, administrator=False)


def swept(stage: plan.Stage, server: str, tell: Callable[[str], None]) -> Swept:
    """Every port of one host, both ways, as wanted and as found."""
    wanted: Ports = {}
    found: Ports = {}
    with lab.beside(server, snapshot.OBSERVER) as beside:
        for direction, sender in (("in", stage.neighbour), ("out", beside)):
            streams = plan.streams(stage, server, direction)
            open_ports = sweep.sweep(streams, direction, beside, sender, lambda text: tell("%s: %s" % (server, text)))
            wanted.update({(direction, stream): ports for stream, ports in streams.items()})
            found.update({(direction, stream): ports for stream, ports in open_ports.items()})
    return Swept(wanted, found)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each host."""
    if "server" in metafunc.fixturenames:
        servers = list(plan.read_stage().servers)
        metafunc.parametrize("server", servers, ids=["-".join(server.split("-")[-2:]) for server in servers])


@pytest.fixture(scope="session")
def stage() -> plan.Stage:
    """Where the scenario stands. Once removed, a fresh host has no firewall at all."""
    found = plan.read_stage()
    return found._replace(stage="off") if found.stage == "removed" else found


@pytest.fixture(scope="session")
def sweeps(stage: plan.Stage, request: pytest.FixtureRequest) -> Dict[str, Swept]:
    """All hosts."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tell(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print("\n" + text, flush=True)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = {
            server: pool.submit(swept, stage_for(stage, server), server, tell) for server in stage.servers
        }
        return {server: future.result() for server, future in running.items()}
