# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alarm's dealings with systemd: what its answers mean."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _alarm
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result


class AskedHost:
    """A systemd that gives prepared answers, the last one again and again."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    def run(self, argv, stdin=None):
        self.asked += 1
        return Result(0, self.answers.pop(0) if len(self.answers) > 1 else self.answers[0], "")


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time passes only where somebody sleeps; gives the seconds that were slept."""
    now = [0.0]
    monkeypatch.setattr(_alarm, "has_systemd", lambda: True)
    monkeypatch.setattr(_alarm.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_alarm.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


# As systemctl of systemd 247, 252 and 257 prints it, and as it prints a job number of zero.
@pytest.mark.parametrize("answer", ["Job=\n", "Job=\n\nJob=\n", "Job=0\n", ""])
def test_units_without_a_job_are_not_waited_for(clock, answer):
    host = AskedHost(answer)
    _alarm.wait_for_jobs(host, ["ufw.service", "nftables.service"])
    assert (clock[0], host.asked) == (0.0, 1)


def test_a_job_is_waited_for(clock):
    host = AskedHost("Job=\n\nJob=1148\n", "Job=1148\n", "Job=\n")
    _alarm.wait_for_jobs(host, ["firewalld.service"])
    assert host.asked == 3
    assert clock[0] > 0


def test_a_job_that_never_ends_is_given_up(clock):
    _alarm.wait_for_jobs(AskedHost("Job=12\n"), ["firewalld.service"])
    assert 20 <= clock[0] < 21
