# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alarm's dealings with systemd: what its answers mean."""

from __future__ import annotations

import os

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _alarm
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Result


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


def test_what_systemd_calls_bad_is_not_in_the_next_alarms_way(monkeypatch, tmp_path):
    """While it executes itself anew systemd may leave files that it does not know as its own any more."""
    monkeypatch.setattr(_alarm, "TRANSIENT", str(tmp_path))
    ours = [tmp_path / ("printfleet-cups-undo-1." + kind) for kind in ("timer", "service")]
    others = [tmp_path / "printfleet-cups-undo-2.timer", tmp_path / "run-u7.service"]
    for path in ours + others:
        path.write_text("[Timer]\n", encoding="ascii")

    class Refuses(AskedHost):
        """The first time as long as they lie there, or each time."""

        always = False

        def run(self, argv, stdin=None):
            if argv[0] == "systemd-run":
                return Result(int(self.always or any(map(os.path.exists, ours))), "", "has a fragment file")
            return super().run(argv, stdin)

    _alarm.set_alarm(Refuses("active\n"), "1", 30, "/undo.py")
    assert sorted(tmp_path.iterdir()) == sorted(others)
    Refuses.always = True
    with pytest.raises(BackendError, match="has a fragment file"):
        _alarm.set_alarm(Refuses("active\n"), "2", 30, "/undo.py")
    assert sorted(tmp_path.iterdir()) == others[1:]


def test_the_links_of_a_units_script_are_its_links(monkeypatch, tmp_path):
    """systemctl enables the script in /etc/init.d as well (ufw on Debian)."""
    (tmp_path / "units").mkdir()
    monkeypatch.setattr(_alarm, "UNITS", str(tmp_path / "units"))
    monkeypatch.setattr(_alarm, "RUN_LEVELS", str(tmp_path / "rc?.d/[SK]??*"))
    made = []
    for level, name, target in (("2", "S01ufw", "ufw"), ("0", "K01ufw", "ufw"), ("2", "S01ufwx", "ufwx")):
        folder = tmp_path / ("rc%s.d" % level)
        folder.mkdir(exist_ok=True)
        (folder / name).symlink_to("../init.d/" + target)
        made.append(str(folder / name))
    assert _alarm.links(["ufw.service"]) == sorted(made[:2])
    assert _alarm.started_at_boot(made) == set()
