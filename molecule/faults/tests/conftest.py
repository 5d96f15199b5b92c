# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults are tried once, on all hosts at the same time; the tests look at what came of them."""

from __future__ import annotations

import json
import os
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, List

import pytest

# The tools lie there, and are no part of the collection.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests"))

from campaign import attempt, report, small
from campaign.host import Host
from faults import campaign, foreign, switched
from faults.machine import Machine, Site

RESULTS: List[campaign.Result] = []
RANDOM: List[attempt.Result] = []


def machines() -> List[Machine]:
    """One for each backend, as the preparation has written them down."""
    path = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "faults.json")
    told = json.loads(path.read_text(encoding="utf-8"))
    site = Site(told["neighbour"], {role: tuple(ends) for role, ends in told["addresses"].items()})
    return [Machine(backend, name, (v4, v6), site) for backend, (name, v4, v6) in told["servers"].items()]


class Tried:
    """What came of one host: the rules of others on the way, and the faults by name."""

    def __init__(self) -> None:
        self.foreign: Dict[str, str] = {}
        self.faults: Dict[str, campaign.Result] = {}
        self.switched: Dict[str, str] = {}
        self.random = small.Small([], None)


def try_host(machine: Machine, say) -> Tried:
    """The rules of others, on a host without ours; faults by name, then at random; the switching on and off."""
    tried = Tried()
    machine.bring_code()
    tried.foreign = foreign.run(machine, campaign.wishes(machine), say)
    results = campaign.run(machine, say)
    RESULTS.extend(results)
    tried.faults = {result.fault: result for result in results}
    host = Host(machine.backend, machine.name, machine.ends, machine.site)
    tried.random = small.run(host, say)
    RANDOM.extend(tried.random.results)
    tried.switched = switched.run(machine, campaign.wishes(machine)["strict"], say)
    return tried


@pytest.fixture(scope="session")
def tried(request: pytest.FixtureRequest) -> Dict[str, Tried]:
    """By backend."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(text[:300], flush=True)

    known = machines()
    with ThreadPoolExecutor(len(known)) as pool:
        running = {machine.backend: pool.submit(try_host, machine, say) for machine in known}
    for backend, one in running.items():
        if one.exception() is not None:
            say("%s: could not be tried: %s" % (backend, one.exception()))
    return {backend: one.result() for backend, one in running.items()}


def pytest_terminal_summary(terminalreporter) -> None:
    """How many there were, from what really came of them."""
    for backend in dict.fromkeys(result.backend for result in RESULTS):
        mine = [result for result in RESULTS if result.backend == backend]
        terminalreporter.write_line(
            "Faults on %s: %d tried, %d survived" % (backend, len(mine), sum(result.survived for result in mine))
        )
    for line in report.table(RANDOM).splitlines():
        terminalreporter.write_line(line)
