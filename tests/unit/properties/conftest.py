# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts what the property tests tried, and says so at the end of the run."""

from __future__ import annotations

import pytest

TOLD = {"policies": 0, "packets": 0, "rounds": ""}


@pytest.fixture
def told():
    """Numbers to add to."""
    return TOLD


def pytest_terminal_summary(terminalreporter):
    """One line, however the run ended."""
    if TOLD["policies"]:
        terminalreporter.write_line(
            "fuzz: %(policies)d policies, %(packets)d packets held against all backends (%(rounds)s)" % TOLD)
