# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change on trial: confirmed it stays, otherwise the host is as it was, wherever things were cut short."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import (
    _alarm,
    _apply,
    _confirm,
    _files,
    _managed_host,
    _managers,
    _memory,
    _transaction,
    _trial,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Plan, Result
from ansible_collections.printfleet.cups.plugins.modules import cups_firewall


class PlayedHost:
    """A systemd that only remembers what it was told."""

    def __init__(self):
        self.calls = []
        self.alarm = False

    def program(self, name):
        return "/usr/bin/" + name

    def run(self, argv, stdin=None):
        said = " ".join(argv)
        self.calls.append(said)
        if said.startswith("systemd-run"):
            self.alarm = True
        if said.startswith("systemctl stop"):
            self.alarm = False
        if said.startswith("systemctl is-active"):
            return Result(0 if self.alarm else 3, "active\n" if self.alarm else "inactive\n", "")
        return Result(0, "", "")


class PlayedBackend:
    """One file on disk, one word in the kernel; ``fails`` after that many actions."""

    def __init__(self, name, file):
        self.name, self.file, self.kernel, self.fails = name, str(file), "old", ""

    def missing(self):
        return []

    def active(self):
        return False

    def standing(self):
        return "disabled"

    def paths(self, plan):
        return [self.file]

    def units(self):
        return ["x.service"]

    def commit(self, plan):
        self.kernel = plan.after
        if self.fails == "commit":
            raise BackendError("the disk is full")
        _files.replace(self.file, plan.after)
        return {}

    def undo(self, steps):
        if self.fails == "undo":
            raise BackendError("nft is gone")
        self.kernel = steps

    def unlike(self, steps):
        return "" if self.kernel == steps else "the kernel says %s" % self.kernel


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    for module, name, value in (
        (_trial, "FOLDER", "var/lib/printfleet-cups/trial"), (_trial, "OUTCOME", "run/outcome"),
        (_alarm, "UNITS", "etc/systemd"), (_alarm, "LOCK", "run/lock"),
        (_alarm, "_RECOVERY_FILE", "etc/systemd/r.service"),
        (_alarm, "_RECOVERY_LINK", "etc/systemd/s.wants/r.service"),
        (_memory, "PATH", "var/lib/printfleet-cups/state.json"),
    ):
        monkeypatch.setattr(module, name, str(tmp_path / value))
    monkeypatch.setattr(_alarm, "has_systemd", lambda: True)
    (tmp_path / "run").mkdir()
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/rules").write_text("old", encoding="utf-8")
    return tmp_path


@pytest.fixture
def known(world):
    return {name: PlayedBackend(name, world / "etc/rules") for name in _managers.NAMES}


def change(after="new", memory=True):
    plan = Plan("old", after, "old")
    wish = {"flows": [], "default_incoming": "keep", "default_outgoing": "keep", "log_denied": False}
    kept = _memory.Memory("nftables", wish, {}) if memory else None
    return _apply.Change("nftables", (), (("nftables", plan),), kept, True, "old", after, ())


def ring(known, host, cookie):
    """The alarm, when the time for the confirmation is over."""
    with pytest.MonkeyPatch.context() as later:
        later.setattr(_transaction, "_rest", lambda _cookie: 0.0)
        _transaction.undo(known, host, cookie)


def on_disk(world):
    return (world / "etc/rules").read_text(encoding="utf-8")


def everything(world):
    return {str(p.relative_to(world)) for p in world.rglob("*") if not p.is_dir()} - {"run/lock", "run/outcome"}


def test_on_trial_the_kernel_is_new_and_the_disk_is_old(world, known):
    host = PlayedHost()
    cookie = _apply.carry_out(change(), known, host, 30)
    assert cookie and known["nftables"].kernel == "new" and on_disk(world) == "old"
    assert not os.path.exists(_memory.PATH) and host.alarm
    assert os.stat(_trial.FOLDER).st_mode & 0o777 == 0o700


def test_the_alarm_is_set_before_anything_is_touched(world, known):
    host = PlayedHost()
    known["nftables"].fails = "commit"
    with pytest.raises(BackendError):
        _apply.carry_out(change(), known, host, 30)
    assert any(call.startswith("systemd-run --quiet") and "--on-active=30" in call for call in host.calls)


def test_confirmed_it_is_on_disk_and_nothing_waits_any_more(world, known):
    host = PlayedHost()
    _confirm.settle(_apply.carry_out(change(), known, host, 30), host)
    assert on_disk(world) == "new" and known["nftables"].kernel == "new" and not host.alarm
    assert _memory.load().backend == "nftables" and not os.path.exists(_trial.FOLDER)


def test_the_alarm_takes_it_back_and_says_so(world, known):
    host, before = PlayedHost(), everything(world)
    cookie = _apply.carry_out(change(), known, host, 30)
    ring(known, host, cookie)
    assert on_disk(world) == "old" and known["nftables"].kernel == "old" and everything(world) == before
    assert _transaction.outcome(cookie, known, host) == (_trial.TAKEN_BACK, "")
    assert _transaction.outcome("another", known, host) == (_trial.NOT_KNOWN, "")


def test_too_late_a_confirmation_is_refused_and_changes_nothing(world, known):
    host = PlayedHost()
    cookie = _apply.carry_out(change(), known, host, 30)
    ring(known, host, cookie)
    with pytest.raises(BackendError, match="not on trial any more"):
        _confirm.settle(cookie, host)
    assert on_disk(world) == "old"


def test_the_cookie_of_another_change_confirms_nothing(world, known):
    host = PlayedHost()
    _apply.carry_out(change(), known, host, 30)
    with pytest.raises(BackendError, match="not on trial"):
        _confirm.settle("0" * 16, host)
    assert on_disk(world) == "old" and _trial.pending()


def test_without_confirmation_it_is_settled_at_once(world, known):
    host = PlayedHost()
    assert _apply.carry_out(change(), known, host, 0) == ""
    assert on_disk(world) == "new" and not host.alarm and not os.path.exists(_trial.FOLDER)


def test_a_failed_step_puts_everything_back(world, known):
    before = everything(world)
    known["nftables"].fails = "commit"
    with pytest.raises(BackendError, match="the disk is full; the host is as it was before"):
        _apply.carry_out(change(), known, PlayedHost(), 30)
    assert known["nftables"].kernel == "old" and everything(world) == before


def test_a_kernel_that_cannot_be_brought_back_is_told_and_tried_again(world, known):
    host = PlayedHost()
    cookie = _apply.carry_out(change(), known, host, 30)
    known["nftables"].fails = "undo"
    for again in (lambda: ring(known, host, cookie), lambda: _transaction.outcome(cookie, known, host)):
        with pytest.raises(BackendError, match="the kernel could not be brought back: nftables: nft is gone"):
            again()
    known["nftables"].fails = ""
    assert _transaction.outcome(cookie, known, host) == (_trial.TAKEN_BACK, "")
    assert known["nftables"].kernel == "old" and not os.path.exists(_trial.FOLDER)


def test_a_file_that_somebody_changed_meanwhile_stops_the_confirmation(world, known):
    host = PlayedHost()
    cookie = _apply.carry_out(change(), known, host, 30)
    (world / "etc/rules").write_text("by hand", encoding="utf-8")
    with pytest.raises(BackendError, match="was changed by somebody else"):
        _confirm.settle(cookie, host)
    ring(known, host, cookie)
    assert on_disk(world) == "by hand" and known["nftables"].kernel == "old"


def test_a_second_run_beside_a_trial_is_refused(world, known):
    host = PlayedHost()
    _apply.carry_out(change(), known, host, 30)
    says = "another change of this host waits for its confirmation, for (29|30) seconds"
    with pytest.raises(BackendError, match=says):
        _transaction.clear_leftovers(known, host)


@pytest.mark.parametrize("cut", ["alarm lost", "rebooted"])
def test_what_a_dead_run_left_is_taken_back_by_the_next_one(world, known, monkeypatch, cut):
    host = PlayedHost()
    _apply.carry_out(change(), known, host, 30)
    if cut == "alarm lost":
        host.alarm = False
    else:
        monkeypatch.setattr(_trial, "boot", lambda: "another boot")
    _transaction.clear_leftovers(known, host)
    assert known["nftables"].kernel == "old" and not os.path.exists(_trial.FOLDER)


def test_a_power_cut_while_files_are_written_ends_in_the_old_files(world, known):
    host, before = PlayedHost(), everything(world)
    _apply.carry_out(change(), known, host, 30)
    _files.put_back(_trial.load().new)  # settle() got so far and no further
    assert on_disk(world) == "new"
    _transaction.undo(known, host, "--boot")
    assert on_disk(world) == "old" and everything(world) == before


def test_once_settled_neither_alarm_nor_boot_take_it_back(world, known):
    host = PlayedHost()
    cookie = _apply.carry_out(change(), known, host, 30)
    with pytest.MonkeyPatch.context() as cut:
        # The power goes right after the decisive moment, before the folder is tidied away.
        cut.setattr(_trial, "forget", lambda: None)
        _confirm.settle(cookie, host)
    for argument in (cookie, "--boot"):
        _transaction.undo(known, host, argument)
        assert on_disk(world) == "new" and known["nftables"].kernel == "new"
    assert not os.path.exists(_trial.FOLDER)


def test_the_last_removal_takes_the_unit_at_boot_along(world, known):
    host = PlayedHost()
    _apply.carry_out(change(), known, host, 0)
    assert os.path.exists(_alarm._RECOVERY_FILE) and os.path.islink(_alarm._RECOVERY_LINK)
    _apply.carry_out(change("old", memory=False), known, host, 0)
    assert everything(world) == {"etc/rules"}


def test_the_packed_code_runs_without_ansible_and_without_the_collection(world, known):
    _transaction.begin(_transaction.Scope((), (), (), False), 30, PlayedHost())
    code = os.path.join(_trial.FOLDER, "code.zip")
    script = (
        "import sys; sys.path.insert(0, %r)\n"
        "from ansible_collections.printfleet.cups.plugins.module_utils import _managers, _managed_host, _transaction\n"
        "print(sorted(_managers.backends(_managed_host.ManagedHost())), 'ansible.module_utils' in sys.modules)" % code
    )
    command = [sys.executable, "-I", "-S", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    assert done.stdout == "['firewalld', 'nftables', 'ufw'] False\n", done.stderr
    assert zipfile.ZipFile(code).testzip() is None


def test_two_runs_at_once_wait_for_one_another_and_then_say_so(world):
    with _alarm.lock(patience=0.0):
        with pytest.raises(BackendError, match="another run of this role is changing the firewall"):
            with _alarm.lock(patience=0.2):
                pass
    with _alarm.lock(patience=0.0):
        pass


def test_without_systemd_a_detached_process_is_the_alarm(world, monkeypatch, tmp_path):
    monkeypatch.setattr(_alarm, "has_systemd", lambda: False)
    rang = tmp_path / "rang"
    (tmp_path / "program.py").write_text("import sys; open(%r + sys.argv[1], 'x')" % str(rang), encoding="utf-8")
    _alarm.set_alarm(PlayedHost(), "-name", 0, str(tmp_path / "program.py"))
    for _turn in range(100):
        if (tmp_path / "rang-name").exists():
            break
        subprocess.run(["sleep", "0.1"], check=True)
    assert (tmp_path / "rang-name").exists()


def test_an_alarm_that_was_late_leaves_a_later_trial_alone(world, known):
    host = PlayedHost()
    first = _apply.carry_out(change("first"), known, host, 30)
    _confirm.settle(first, host)
    second = _apply.carry_out(change("second"), known, host, 30)
    ring(known, host, first)
    assert known["nftables"].kernel == "second"
    assert _trial.pending().cookie == second


def test_the_time_counts_from_the_end_of_the_change(world, known, monkeypatch):
    host, clock, slept = PlayedHost(), [1000.0], []
    monkeypatch.setattr(_transaction.time, "monotonic", lambda: clock[0])
    commit = known["nftables"].commit

    def slow(plan):
        clock[0] += 40  # longer than the time for the confirmation
        return commit(plan)

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += seconds
        assert known["nftables"].kernel == "new"

    monkeypatch.setattr(known["nftables"], "commit", slow)
    monkeypatch.setattr(_transaction.time, "sleep", sleep)
    cookie = _apply.carry_out(change(), known, host, 30)
    _transaction.undo(known, host, cookie)  # it rang while the change was made, and waited for the lock
    assert slept == [30.0] and known["nftables"].kernel == "old"


def test_over_ssh_only_another_connection_confirms(world, known, monkeypatch):
    host, line = PlayedHost(), ["198.51.100.4 50022 198.51.100.9 22"]
    monkeypatch.setattr(_managed_host, "ssh_line", lambda: line[0])
    cookie = _apply.carry_out(change(), known, host, 30)
    with pytest.raises(_confirm.SameConnection, match="came back over the old connection, which proves nothing"):
        _confirm.settle(cookie, host, anew=True)
    assert on_disk(world) == "old" and _trial.pending()
    line[0] = "198.51.100.4 50024 198.51.100.9 22"
    _confirm.settle(cookie, host, anew=True)
    assert on_disk(world) == "new"


def test_where_the_connection_is_hidden_the_controllers_word_counts(world, known, monkeypatch):
    host = PlayedHost()
    monkeypatch.setattr(_managed_host, "ssh_line", lambda: "")
    _confirm.settle(_apply.carry_out(change(), known, host, 30), host, anew=True)
    assert on_disk(world) == "new"


def test_a_change_that_was_cut_short_cannot_be_confirmed(world, known, monkeypatch):
    host, before = PlayedHost(), everything(world)
    monkeypatch.setattr(_transaction, "hide", lambda *_arguments: sys.exit(9))
    with pytest.raises(SystemExit):
        _apply.carry_out(change(), known, host, 30, "0123456789abcdef")
    assert known["nftables"].kernel == "new" and _trial.pending()
    told = cups_firewall.confirm("0123456789abcdef", known, host, anew=False)
    assert told == {
        "changed": False, "outcome": "taken back", "why": "the module was ended before the change was whole",
        "remark": ""}
    assert known["nftables"].kernel == "old" and everything(world) == before


def test_who_lost_the_answer_can_ask_again(world, known):
    host = PlayedHost()
    cookie = _apply.carry_out(change(), known, host, 30, "0123456789abcdef")
    assert cookie == "0123456789abcdef"
    _confirm.settle(cookie, host)
    assert _transaction.outcome(cookie, known, host) == (_trial.KEPT, "")


def test_once_it_is_settled_no_trouble_with_tidying_says_otherwise(world, known, monkeypatch):
    def full(*_arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(_trial, "tell", full)
    assert _apply.carry_out(change(), known, PlayedHost(), 0) == ""
    assert on_disk(world) == "new" and known["nftables"].kernel == "new"
    _transaction.clear_leftovers(known, PlayedHost())
    assert on_disk(world) == "new" and not os.path.exists(_trial.FOLDER)


@pytest.mark.parametrize("systemd", [True, False])
def test_a_trial_whose_time_is_over_is_nobodys_hindrance(world, known, monkeypatch, systemd):
    host = PlayedHost()
    _apply.carry_out(change(), known, host, 30)
    monkeypatch.setattr(_alarm, "has_systemd", lambda: systemd)
    ends = _trial.pending().ends
    monkeypatch.setattr(_transaction.time, "monotonic", lambda: ends + 1)
    _transaction.clear_leftovers(known, host)
    assert known["nftables"].kernel == "old" and not os.path.exists(_trial.FOLDER)


def test_the_alarm_needs_no_virtual_environment(world, monkeypatch, tmp_path):
    environment = tmp_path / "a venv/bin/python"
    environment.parent.mkdir(parents=True)
    environment.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(environment))
    host = PlayedHost()
    _transaction.begin(_transaction.Scope((), (), (), False), 30, host)
    assert not any("venv" in call for call in host.calls) and "venv" not in _files.read(_alarm._RECOVERY_FILE)


def link(world, name, kind="multi-user.target.wants"):
    path = world / "etc/systemd" / kind / name
    path.parent.mkdir(exist_ok=True)
    path.symlink_to("/lib/systemd/system/x.service")
    return path


@pytest.mark.parametrize("kind, name", [
    ("multi-user.target.wants", "x.service"), ("a.requires", "x.service"), (".", "alias.service")])
def test_a_link_that_was_made_by_a_killed_run_goes(world, known, monkeypatch, kind, name):
    """systemctl enable was under way: what it made was not there when the trial was kept."""
    host, before = PlayedHost(), everything(world)
    other = link(world, "y.service")
    other.unlink()
    other.symlink_to("/lib/systemd/system/y.service")
    monkeypatch.setattr(known["nftables"], "commit", lambda plan: sys.exit(9))
    with pytest.raises(SystemExit):
        _apply.carry_out(change(), known, host, 30)
    made = link(world, name, kind)
    _transaction.take_back(known, host)
    assert not os.path.lexists(made) and os.path.lexists(other)
    assert everything(world) - before == {str(other.relative_to(world))}


def test_a_link_that_others_make_while_the_change_waits_is_theirs(world, known):
    host = PlayedHost()
    cookie = _apply.carry_out(change(), known, host, 30)
    made = link(world, "x.service")
    ring(known, host, cookie)
    assert os.path.lexists(made)


@pytest.mark.parametrize("enabled", [True, False])
def test_recovery_starts_what_the_files_say_and_no_more(world, known, enabled):
    """The power went when the new files were written: what this boot starts is worked out from them."""
    host, was = PlayedHost(), None
    if enabled:
        was = link(world, "x.service")
    cookie = _apply.carry_out(change(), known, host, 30)
    trial = _trial.load()
    if enabled:
        was.unlink()
        _trial.save(trial._replace(new={**trial.new, str(was): None}))
    else:
        was = link(world, "x.service")
        _trial.save(trial._replace(old={**trial.old, str(was): None}, new={**trial.new, str(was): _files.keep(
            [str(was)])[str(was)]}))
    host.calls.clear()
    _transaction.undo(known, host, "--boot")
    word = "start" if enabled else "stop"
    assert os.path.lexists(was) == enabled
    # Between the two our unit still holds the firewalls back.
    reload = "systemctl daemon-reload"
    assert host.calls == [reload, "systemctl %s --no-block x.service" % word, reload] + host.calls[3:]
    assert reload not in host.calls[3:]
    word, remark = _transaction.outcome(cookie, known, host)
    assert word == _trial.TAKEN_BACK and "restarted meanwhile" in remark


class PowerCut(BaseException):
    """It can be caught as little as that."""


@pytest.mark.parametrize("at, argument", [
    ("_files._write", "--boot"), ("_alarm.follow_links", "--boot"), ("_files._write", "alarm"),
    ("_transaction._undo_parts", "alarm"),
])
def test_the_power_may_be_cut_again_while_the_change_is_taken_back(world, known, monkeypatch, at, argument):
    """The unit at boot is the last that goes, so the next boot goes on."""
    host, before = PlayedHost(), everything(world)
    cookie = _apply.carry_out(change(), known, host, 30)
    _files.put_back(_trial.load().new)  # settle() got so far and no further

    def cut(*_arguments):
        raise PowerCut

    module, name = at.split(".")
    with monkeypatch.context() as power:
        power.setattr(globals()[module], name, cut)
        with pytest.raises(PowerCut):
            if argument == "--boot":
                _transaction.undo(known, host, argument)
            else:
                ring(known, host, cookie)
    assert os.path.exists(_alarm._RECOVERY_FILE) and os.path.islink(_alarm._RECOVERY_LINK)
    _transaction.undo(known, host, "--boot")
    assert on_disk(world) == "old" and everything(world) == before


def test_what_is_not_as_it_was_is_said(world, known, monkeypatch):
    host = PlayedHost()
    monkeypatch.setattr(known["nftables"], "undo", lambda steps: None)
    cookie = _apply.carry_out(change(), known, host, 30)
    ring(known, host, cookie)
    told = "the kernel says new; run the role again to mend that"
    assert _transaction.outcome(cookie, known, host) == (_trial.TAKEN_BACK, told)
    known["nftables"].fails = "commit"
    with pytest.raises(BackendError, match="the disk is full; the change was taken back, but: " + told):
        _apply.carry_out(change(), known, host, 30)


def test_no_message_says_that_all_is_as_before_when_taking_back_fails(world, known, monkeypatch):
    def both(plan):
        known["nftables"].fails = "undo"
        raise BackendError("the disk is full")

    monkeypatch.setattr(known["nftables"], "commit", both)
    with pytest.raises(BackendError) as raised:
        _apply.carry_out(change(), known, PlayedHost(), 30)
    said = str(raised.value)
    assert "as it was before" not in said and "run the role again" in said and "nft is gone" in said


@pytest.mark.parametrize("error", [OSError("no space left on device"), BackendError("nft is gone")])
def test_the_confirmation_that_fails_and_cannot_be_taken_back_says_both(world, known, monkeypatch, error):
    host = PlayedHost()
    cookie = _apply.carry_out(change(), known, host, 30)
    (world / "etc/rules").write_text("by hand", encoding="utf-8")

    def fails(_steps):
        raise error

    monkeypatch.setattr(known["nftables"], "undo", fails)
    told = cups_firewall.confirm(cookie, known, host, anew=False)
    assert told["outcome"] == "not taken back" and not told["changed"]
    assert "changed by somebody else" in told["why"] and str(error) in told["remark"]


def test_programs_of_the_dead_run_end_before_anything_is_undone(world, known, monkeypatch):
    host, seen = PlayedHost(), []
    cookie = _apply.carry_out(change(), known, host, 30)
    monkeypatch.setattr(_transaction._orphans, "end", lambda run: seen.append((run, known["nftables"].kernel)))
    ring(known, host, cookie)
    assert seen == [("", "new")]


@pytest.mark.parametrize("answers, set_in_the_end", [
    ([1, 0], True), ([0, 0], True), ([1, 1, 0], True), ([1, 1, 1], False), ([0, 0, 0], False)])
def test_an_alarm_that_systemd_lost_is_set_again(world, monkeypatch, answers, set_in_the_end):
    """While it executes itself anew it hangs up, or answers and has not started the timer."""
    host, turns = PlayedHost(), list(answers)
    monkeypatch.setattr(_alarm.time, "sleep", lambda seconds: None)
    real = host.run

    def run(argv, stdin=None):
        if argv[0] != "systemd-run":
            return real(argv, stdin)
        host.calls.append(" ".join(argv))
        status = turns.pop(0)
        host.alarm = status == 0 and not turns and set_in_the_end
        return Result(status, "", "Connection reset by peer" if status else "")

    host.run = run
    scope = _transaction.Scope((), (), (), False)
    if set_in_the_end:
        name = _transaction.begin(scope, 30, host)
        assert host.alarm and turns == []
        stop = "systemctl stop printfleet-cups-undo-%s.timer printfleet-cups-undo-%s.service" % (name, name)
        assert host.calls.count(stop) == host.calls.count("systemctl daemon-reload") == len(answers) - 1
    else:
        with pytest.raises(BackendError, match="Connection reset by peer|systemd does not start the timer"):
            _transaction.begin(scope, 30, host)
        assert not os.path.exists(_trial.FOLDER) and not os.path.exists(_alarm._RECOVERY_FILE)
