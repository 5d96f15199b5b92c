# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial whose end was cut short by a kill: whoever comes next can go on."""

from __future__ import annotations

import errno
import os
import shutil

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _alarm, _confirm, _files, _transaction, _trial
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result


class PlayedHost:
    """All programs succeed."""

    def program(self, name):
        return "/usr/bin/" + name

    def run(self, argv, stdin=None):
        return Result(0, "active\n" if "is-active" in argv else "", "")


@pytest.fixture
def host(tmp_path, monkeypatch):
    for module, name, value in (
        (_trial, "FOLDER", "lib/trial"), (_trial, "OUTCOME", "run/outcome"),
        (_alarm, "_RECOVERY_FILE", "etc/r.service"), (_alarm, "_RECOVERY_LINK", "etc/s.wants/r.service"),
    ):
        monkeypatch.setattr(module, name, str(tmp_path / value))
    monkeypatch.setattr("os.fchown", lambda *_arguments: None)
    monkeypatch.setattr(_alarm, "has_systemd", lambda: True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "run").mkdir()
    return PlayedHost()


class Killed(BaseException):
    """As little as a kill can be caught."""


def test_a_folder_that_is_removed_is_no_trial_at_any_moment(host, monkeypatch):
    """Killed after the first file has gone, whichever that is."""
    scope = _transaction.Scope((), (), (), False)
    _transaction.begin(scope, 30, host)
    real = shutil.rmtree

    def half(folder, ignore_errors=False):
        if ignore_errors:
            return
        os.unlink(os.path.join(folder, "trial.pickle"))
        raise Killed

    monkeypatch.setattr(_trial.shutil, "rmtree", half)
    with pytest.raises(Killed):
        _transaction.take_back({}, host)
    monkeypatch.setattr(_trial.shutil, "rmtree", real)
    _transaction.clear_leftovers({}, host)
    assert not os.path.exists(os.path.dirname(_trial.FOLDER))


def test_a_removal_that_was_killed_at_its_end_is_finished(host, monkeypatch):
    """The unit for the boot goes with the rest of ours, by the next run."""
    _transaction.begin(_transaction.Scope((), (), (), True), 30, host)
    assert _files.read(_alarm._RECOVERY_FILE) is not None
    real = _alarm.drop_recovery

    def killed(_host):
        raise Killed

    monkeypatch.setattr(_alarm, "drop_recovery", killed)
    with pytest.raises(Killed):
        _confirm.end(host)
    monkeypatch.setattr(_alarm, "drop_recovery", real)
    _transaction.clear_leftovers({}, host)
    assert _files.read(_alarm._RECOVERY_FILE) is None
    assert not os.path.exists(_trial.FOLDER)


def killed_after(number, real):
    """The same function; the call of that number is the last thing that the run does."""
    calls = []

    def cut(*arguments):
        real(*arguments)
        calls.append(arguments)
        if len(calls) == number:
            raise Killed

    return cut


@pytest.mark.parametrize("step", ["replace", "put_back"])
def test_a_trial_is_armed_only_once_a_boot_would_end_it(host, monkeypatch, step):
    """The power goes right after any file is written."""
    real = getattr(_files, step)
    for killed_at in range(1, 9):
        monkeypatch.setattr(_files, step, killed_after(killed_at, real))
        try:
            _transaction.begin(_transaction.Scope((), (), (), False), 30, host)
            whole = True
        except Killed:
            whole = False
        monkeypatch.setattr(_files, step, real)
        assert not _trial.lies_there() or os.path.islink(_alarm._RECOVERY_LINK)
        _trial.forget()
        for path in _alarm.recovery_paths():
            if os.path.lexists(path):
                os.unlink(path)
        if whole:
            break
    assert whole and killed_at > 1


def test_a_change_that_did_not_begin_leaves_no_trial_whatever_else_fails(host, monkeypatch):
    """Each program fails to start: the alarm is neither set nor stopped."""
    def no_memory(_argv, _stdin=None):
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(host, "run", no_memory)
    with pytest.raises(OSError):
        _transaction.begin(_transaction.Scope((), (), (), False), 30, host)
    assert not os.path.exists(_trial.FOLDER)
    assert not any(os.path.lexists(path) for path in _alarm.recovery_paths())
