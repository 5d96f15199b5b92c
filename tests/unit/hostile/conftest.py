# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the hostile inputs that were tried, and says so at the end of the run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

_TRIED = {"count": 0}
VALUES = yaml.safe_load((Path(__file__).parent / "values.yml").read_text(encoding="utf-8"))


@pytest.fixture
def tried():
    """Call it once for each input: tried()."""
    def one(number=1):
        _TRIED["count"] += number
    return one


@pytest.fixture
def texts():
    """Every text of values.yml."""
    return VALUES["texts"]


@pytest.fixture
def peers():
    """Every text that is nearly a peer."""
    return VALUES["peers"]


@pytest.fixture
def ports():
    """Every value that is nearly a port."""
    return VALUES["ports"]


def pytest_terminal_summary(terminalreporter):
    """One line, however the run ended."""
    if _TRIED["count"]:
        terminalreporter.write_line("hostile inputs tried: %d" % _TRIED["count"])
