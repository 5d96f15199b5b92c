# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""While the role is applied again and again, nothing is interrupted and no new connection is refused."""

from __future__ import annotations

import pytest
from printing import steadiness


def test_applied_again_changes_nothing(tried, backend):
    """Neither the same wish once more, nor the last one of the twenty applications."""
    assert tried[backend].again is False
    assert tried[backend].steady.changed == [True] * steadiness.APPLICATIONS + [False]


def test_no_new_connection_fails(tried, backend):
    """Counted, and often enough."""
    steady = tried[backend].steady
    assert steady.failed == {}, str(steady)
    assert steady.rate >= steadiness.LEAST_RATE, str(steady)
    assert steady.tried > steadiness.LEAST_RATE * steady.seconds


def test_no_datagram_is_lost(tried, backend):
    """A moment in which neither the old rules hold nor the new ones is too short for connections to find."""
    steady = tried[backend].steady
    assert steady.lost == 0, str(steady)
    assert steady.rain["sent"] > steadiness.LEAST_RAIN * steady.rain["seconds"], str(steady)


@pytest.mark.parametrize("way", ["in", "out"])
def test_long_job_is_whole(tried, backend, way):
    """It began before the first application, ended after the last, and arrived byte by byte."""
    job = tried[backend].steady.jobs[way]
    assert job["status"] == 0, job
    assert job["arrived"], job
    assert job["seconds"] > tried[backend].steady.seconds
