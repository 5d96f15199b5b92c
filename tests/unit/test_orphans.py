# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dead run started is ended, in whichever session it is, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _alarm, _managed_host, _orphans
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError

# A run that starts a program which starts another one in a session of its own, and that dies.
RUN = """
import os, sys
sys.path.insert(0, %r)
import conftest
from ansible_collections.printfleet.cups.plugins.module_utils import _alarm, _managed_host, _orphans
_alarm.LOCK, _orphans.MARK = %r, %r
with _alarm.lock(patience=0.0):
    if os.fork() == 0:
        _managed_host.ManagedHost().run(["setsid", "sh", "-c", "sleep 300 & echo $! > %s; wait"])
    os.kill(os.getpid(), 9)
"""


def wait_for(condition):
    for _turn in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def orphan(tmp_path, monkeypatch):
    """The id of a program that goes on after its run."""
    monkeypatch.setattr(_alarm, "LOCK", str(tmp_path / "lock"))
    told = tmp_path / "pid"
    code = RUN % (os.path.dirname(__file__), _alarm.LOCK, _orphans.MARK, told)
    subprocess.run([sys.executable, "-c", code], check=False)
    assert wait_for(lambda: told.exists() and told.read_text(encoding="ascii").strip())
    pid = int(told.read_text(encoding="ascii"))
    yield pid
    if _orphans.name_of(pid):
        os.kill(pid, 9)


def test_an_orphan_is_ended_and_others_are_not(orphan):
    with subprocess.Popen(["sleep", "300"]) as other:
        assert _orphans.name_of(orphan)
        _orphans.end()
        assert wait_for(lambda: not _orphans.name_of(orphan))
        assert other.poll() is None
        other.kill()


def test_a_run_that_hangs_is_ended_by_its_name_alone():
    with subprocess.Popen(["sleep", "300"]) as hanging:
        _orphans.end("%d:1" % hanging.pid)  # another process had that id before
        assert hanging.poll() is None
        _orphans.end(_orphans.name_of(hanging.pid))
        assert hanging.wait() == -9


def test_what_cannot_be_ended_is_told(orphan, monkeypatch):
    monkeypatch.setattr(_orphans.os, "kill", lambda *_arguments: None)
    monkeypatch.setattr(_orphans, "_PATIENCE", 0.1)
    with pytest.raises(BackendError, match=r"sleep 300.*' \(process [0-9]+\), .* cannot be ended"):
        _orphans.end()
    monkeypatch.undo()


def test_only_a_holder_of_the_lock_marks_its_programs(tmp_path, monkeypatch):
    monkeypatch.setattr(_alarm, "LOCK", str(tmp_path / "lock"))
    host = _managed_host.ManagedHost()
    with _alarm.lock(patience=0.0):
        assert "%s=%d\n" % (_orphans.MARK, os.getpid()) in host.run(["env"]).output
    assert _orphans.MARK not in host.run(["env"]).output
