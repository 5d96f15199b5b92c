# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program on the host that confirms a change, and the word that Ansible has heard of it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _alarm, _confirm, _packed, _transaction, _trial
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result


class PlayedHost:
    """All programs succeed."""

    def run(self, argv, stdin=None):
        return Result(0, "active\n" if "is-active" in argv else "", "")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fchown", lambda *_arguments: None)
    for module, name, value in (
        (_trial, "FOLDER", "var/lib/printfleet-cups/trial"), (_trial, "OUTCOME", "run/outcome"),
        (_alarm, "UNITS", "etc/systemd"), (_alarm, "LOCK", "run/lock"),
        (_alarm, "_RECOVERY_FILE", "etc/systemd/r.service"),
        (_alarm, "_RECOVERY_LINK", "etc/systemd/s.wants/r.service"),
    ):
        monkeypatch.setattr(module, name, str(tmp_path / value))
    monkeypatch.setattr(_alarm, "has_systemd", lambda: True)
    (tmp_path / "run").mkdir()
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/rules").write_text("old", encoding="utf-8")
    return tmp_path


def on_trial(place, seconds=30):
    scope = _transaction.Scope((("nftables", ("steps",)),), (str(place / "etc/rules"),), (), False)
    cookie = _transaction.begin(scope, seconds, PlayedHost())
    (place / "etc/rules").write_text("new", encoding="utf-8")
    _transaction.hide(scope, seconds)
    return cookie


def said_by(command, place):
    """What the program says; the paths that the tests moved are moved there too."""
    argv = shlex.split(command)
    path = argv[3]
    text = open(path, encoding="utf-8").read().replace("print(", (
        "from ansible_collections.printfleet.cups.plugins.module_utils import _alarm, _files, _trial\n"
        "import os; os.fchown = lambda *a: None\n"
        "_trial.FOLDER, _trial.OUTCOME, _alarm.LOCK = %r, %r, %r\n_alarm.has_systemd = lambda: False\nprint("
    ) % (_trial.FOLDER, _trial.OUTCOME, _alarm.LOCK), 1)
    (place / "confirm.py").write_text(text + "print(len(sys.modules), sorted(sys.modules))\n", encoding="utf-8")
    argv[3] = str(place / "confirm.py")
    done = subprocess.run(argv, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_program_confirms_and_loads_no_backend(place):
    cookie = on_trial(place)
    assert (place / "etc/rules").read_text(encoding="utf-8") == "old"
    answer, modules = said_by(_packed.commands(cookie)["confirm"] + " anyhow", place)
    assert json.loads(answer) == {"outcome": "settled"}
    assert (place / "etc/rules").read_text(encoding="utf-8") == "new"
    assert "_backends" not in modules and "zoneinfo" not in modules and "_managers" not in modules
    assert _trial.told(cookie) == ("settled", "")


def test_another_name_and_a_changed_file_confirm_nothing(place):
    cookie = on_trial(place)
    assert json.loads(said_by(_packed.commands("0" * 16)["confirm"] + " anyhow", place)[0])["outcome"] == ""
    (place / "etc/rules").write_text("by hand", encoding="utf-8")
    told = json.loads(said_by(_packed.commands(cookie)["confirm"] + " anyhow", place)[0])
    assert told["outcome"] == "" and "was changed by somebody else" in told["why"]
    assert _trial.pending()


def test_over_the_old_connection_it_says_so(place, monkeypatch):
    monkeypatch.setattr(_confirm._managed_host, "ssh_line", lambda: "198.51.100.4 50022 198.51.100.9 22")
    told = json.loads(_confirm.answer(on_trial(place), "anew"))
    assert told["outcome"] == "" and "old connection" in told["again"]
    assert _trial.pending()


def test_the_time_counts_from_when_ansible_has_heard(place, monkeypatch):
    cookie = on_trial(place)
    trial, uptime = _trial.pending(), float(open("/proc/uptime", encoding="ascii").read().split()[0])
    assert _trial.ends(trial) == trial.ends
    subprocess.run(["sh", "-c", _packed.commands(cookie)["heard"]], check=True)
    later = trial.ends + 25
    monkeypatch.setattr(_trial.time, "monotonic", lambda: later - 30)
    assert later - 1 < _trial.ends(trial) <= later
    for word in ("", "nan 1", "inf 1", "%f 1" % (uptime + 1e6), "x"):
        with open(_trial.heard_file(cookie), "w", encoding="ascii") as handle:
            handle.write(word)
        assert _trial.ends(trial) == trial.ends


def test_the_program_starts_with_the_python_of_the_module(place):
    assert _packed.commands("0" * 16)["confirm"].startswith(shlex.quote(_alarm.python()) + " -I -S /")
    assert _alarm.python().startswith("/") and sys.executable
