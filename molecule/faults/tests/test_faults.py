# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault: the host is wholly old or wholly new, one can print and log in, and the next run succeeds."""

from __future__ import annotations

import pytest
from faults import catalogue

LEAST = 12


@pytest.mark.parametrize(
    "backend, fault", [(backend, fault.name) for backend, faults in catalogue.FAULTS.items() for fault in faults]
)
def test_fault_is_survived(tried, backend, fault):
    """What was seen stands in the failure's text."""
    assert fault in tried[backend].faults, "it was not tried"
    result = tried[backend].faults[fault]
    assert result.survived, result.told


@pytest.mark.parametrize("backend", list(catalogue.FAULTS))
def test_enough_were_tried(tried, backend):
    """Different ones, and every one of the list; in the wide form each single step too."""
    assert len(tried[backend].faults) >= max(LEAST, len(catalogue.FAULTS[backend]))
    lost = [result.fault for result in tried[backend].faults.values() if not result.survived]
    assert not lost
    assert not catalogue.WIDE or len(tried[backend].faults) > 2 * len(catalogue.FAULTS[backend])
