# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All is tried once, on the three servers at the same time; the tests look at what came of it."""

from __future__ import annotations

import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, List

import pytest

# The tools lie there, and are no part of the collection.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests"))

from printing import campaign, steps
from printing.site import Server, read_sites

SITES = {site.backend: site for site in read_sites()}
WAYS = ("answered", "refused", "off", "silent")
# The names of steps with which each kind of test is made; the addresses in them do not matter.
MADE = {
    "allowed": lambda site: [step.name for step in campaign.all_steps(site) + steps.queue_steps(site)],
    "works_off": lambda site: [step.name for step in campaign.all_steps(site) + steps.unlisted_steps(site)],
    "in_queue": lambda site: [step.name for step in steps.by_backend(site, steps.QUEUES)],
    "nowhere": lambda site: [step.name for step in campaign.in_no_queue(site)],
    "denied": lambda site: [step.name for step in campaign.denied_steps(site)],
    "unlisted": lambda site: [step.name for step in steps.unlisted_steps(site)],
    "control": lambda site: [(step.name, number) for step, number in campaign.controls(site)],
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each backend, and for each step of the kind that a test asks for."""
    kinds = [kind for kind in MADE if kind in metafunc.fixturenames]
    if kinds:
        made = [
            pytest.param(backend, name, id="%s: %s" % (backend, name if isinstance(name, str) else "%s, %d" % name))
            for backend, site in SITES.items() for name in MADE[kinds[0]](site)
        ]
        metafunc.parametrize("backend, %s" % kinds[0], made)
    elif "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", list(SITES))


class Results(Dict[str, campaign.Tried]):
    """By backend; one that could not be tried fails each test that asks for it, in one line."""

    def __missing__(self, backend: str) -> campaign.Tried:
        pytest.fail("%s could not be tried, the first lines say why" % backend, pytrace=False)


RESULTS = Results()


@pytest.fixture(scope="session")
def tried(request: pytest.FixtureRequest) -> Dict[str, campaign.Tried]:
    """What came of each server."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    began = time.monotonic()

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print("[%3d s] %s" % (time.monotonic() - began, text[:1000]), flush=True)

    with ThreadPoolExecutor(len(SITES)) as pool:
        running = {backend: pool.submit(campaign.run, Server(site), say) for backend, site in SITES.items()}
    for backend, one in running.items():
        if one.exception() is not None:
            say("%s: could not be tried: %s" % (backend, one.exception()))
        else:
            RESULTS[backend] = one.result()
    return RESULTS


def pytest_terminal_summary(terminalreporter) -> None:
    """What was counted and measured, as it came."""
    say: List[str] = ["%s: %s" % (backend, one.steady) for backend, one in RESULTS.items()]
    if RESULTS:
        say.append("Seconds for a job, by what becomes of its questions over SNMP")
        say.append("%-10s %-8s" % ("", "") + "".join("%10s" % way for way in WAYS))
    for backend, one in RESULTS.items():
        for protocol, _form in campaign.TIMED:
            cells = ["%10.2f" % one.times[(protocol, way)] for way in WAYS]
            say.append("%-10s %-8s" % (backend, protocol) + "".join(cells))
    for line in say:
        terminalreporter.write_line(line)
