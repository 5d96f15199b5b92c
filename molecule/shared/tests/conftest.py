# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of all stages have in common: the packets are sent once, the tests look at what came of them."""

from __future__ import annotations

import pathlib
import sys
from typing import Dict, List

import pytest

# The proof's own tools lie there, and are no part of the collection.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests"))

from proof import plan, ports, watch


def release(server: str) -> str:
    """The end of a host's name, for the names of tests."""
    return server.rsplit("-", 1)[-1]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take a stream or a case are made for each of them; ``off`` in a test's module is another stage."""
    stage = stage_of(metafunc.module)
    if "stream" in metafunc.fixturenames:
        made = [
            pytest.param(server, direction, stream, wanted, id="%s: %s: %s" % (release(server), direction, stream))
            for server in stage.servers for direction in ("in", "out")
            for stream, wanted in plan.streams(stage, server, direction).items()
        ]
        metafunc.parametrize("server, direction, stream, wanted", made)
    if "case" in metafunc.fixturenames:
        made = [
            pytest.param(server, case, id="%s: %s: %s" % (release(server), case.name, ("closed", "open")[case.open]))
            for server in stage.servers for case in plan.cases(stage, server, tried(stage))
        ]
        metafunc.parametrize("server, case", made)


def stage_of(module) -> plan.Stage:
    """The stage that the scenario is in, or what the module makes of it."""
    return plan.read_stage()._replace(**getattr(module, "STAGE", {}))


def tried(stage: plan.Stage) -> List:
    """The rows that are tried by real connections: those in force, and all of them where none is."""
    everything = {"cups_firewall_profiles": list(plan.page.PROFILES),
                  "cups_firewall_printer_protocols": list(plan.page.SERVICES)}
    return plan.rows(stage) or plan.rows(stage._replace(stage="keep", variables=everything))


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest) -> plan.Stage:
    """Where the scenario stands."""
    return stage_of(request.module)


@pytest.fixture(scope="module")
def told(stage: plan.Stage, tell) -> Dict[str, watch.Told]:
    """What came of all packets, for each host."""
    if stage.stage != "off":
        return watch.watch(stage, tried(stage), tell)
    with watch.stopped(stage):
        return watch.watch(stage, tried(stage), tell)


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest):
    """Say something while one waits."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print("\n" + text, flush=True)

    return say


@pytest.fixture
def judge_stream(told):
    """Compare one stream of a sweep with what is wanted."""
    def judge(server: str, direction: str, stream, wanted) -> None:
        difference = ports.difference(wanted, told[server].swept[(direction, stream)])
        assert not difference, difference

    return judge


@pytest.fixture
def judge_case(told):
    """Compare one real connection with what is wanted."""
    def judge(server: str, case: plan.Case) -> None:
        outcome = told[server].carried[case.probe]
        assert outcome.arrived == case.open, "%s: %s" % (case.probe, outcome)
        # Nobody answers a group, a broadcast, or an answer.
        if case.open and not case.name.startswith(("mDNS to", "broadcast", "answer")):
            assert outcome.told == "answered", "%s: %s" % (case.probe, outcome)

    return judge
