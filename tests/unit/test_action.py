# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin: it comes back over a new connection, and says how the host is when that fails."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase
from ansible.plugins.loader import connection_loader
from ansible_collections.printfleet.cups.plugins.action import cups_firewall as action
from ansible_collections.printfleet.cups.plugins.module_utils import _words

CASES = yaml.safe_load((Path(__file__).parent / "bad_values.yml").read_text(encoding="utf-8"))["action"]
REACHED_NO_MORE = AnsibleConnectionFailure("Failed to connect to the host via ssh: ssh: connect to host x: timed out")
BROKEN = AnsibleConnectionFailure("Failed to connect to the host via ssh: client_loop: send disconnect: Broken pipe")
MADE = {"changed": True, "backend": "nftables"}
SETTLED = '{"outcome": "settled"}'


class PlayedConnection:
    """Counts how often it is made anew."""

    def __init__(self, transport="ssh"):
        self.transport, self.resets = transport, 0
        self._shell = SimpleNamespace(tmpdir="/home/deploy/.ansible/tmp/x")

    def reset(self):
        self.resets += 1


class WithoutReset(PlayedConnection):
    """As a plugin that knows no reset: the base class would only warn."""

    reset = ConnectionBase.reset

    def close(self):
        self.resets += 1


class PlayedAction(action.ActionModule):
    """The plugin, with a host that gives one of ``answers`` after the other; the last one stays."""

    def __init__(self, answers, connection=None, **arguments):
        self._connection = connection or PlayedConnection()
        self._task = SimpleNamespace(args=arguments)
        self.answers, self.calls, self.commands = list(answers), [], []
        # What the host's own programs say, in turns; without one they are not there.
        self.quick, self.offered = [], {}

    def _execute_module(self, module_name, module_args, task_vars):
        assert module_name == "printfleet.cups.cups_firewall"
        self.calls.append(dict(module_args, after=self._connection.resets))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if answer is MADE:
            return dict(MADE, confirmation=module_args["confirmation"], commands=self.offered)
        return dict(answer)

    def _low_level_execute_command(self, cmd, sudoable):
        assert sudoable
        self.commands.append((cmd, self._connection.resets))
        said = self.quick.pop(0)
        if callable(said):
            return said()
        if isinstance(said, Exception):
            raise said
        return {"rc": 0, "stdout": said}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time goes on only where somebody sleeps."""
    now = [0.0]
    monkeypatch.setattr(action, "time", SimpleNamespace(
        monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds)))
    monkeypatch.setattr(action.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
    return now


def run(answers, connection=None, **arguments):
    """Run the plugin; gives it, and its result."""
    plugin = PlayedAction(answers, connection, **arguments)
    return plugin, plugin.run(task_vars={})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"][:60])
def test_a_bad_timeout_is_refused_before_the_host_is_touched(case):
    plugin, result = run([MADE], confirm_timeout=case["cups_firewall_confirm_timeout"])
    assert result == {"failed": True, "msg": case["says"]} and plugin.calls == []


@pytest.mark.parametrize("value, seconds", [(0, 0), (5, 5), ("30", 30), (3600, 3600)])
def test_sound_timeouts(value, seconds):
    assert action.read_timeout(value) == seconds


def test_a_number_of_many_digits_is_refused():
    with pytest.raises(_words.Refused):
        action.read_timeout("9" * 5000)


@pytest.mark.parametrize("transport, word", [
    ("ssh", "anew"), ("paramiko", "anew"), ("ansible.netcommon.libssh", "anew"), ("community.docker.docker", "anyhow"),
    ("local", "anyhow"),
])
def test_a_change_is_confirmed_over_a_new_connection(transport, word):
    plugin, result = run([MADE, {"outcome": "settled"}], PlayedConnection(transport))
    made, confirmed = plugin.calls
    assert made["over_ssh"] == (word == "anew")
    assert (made["after"], made["confirm"], confirmed["after"], confirmed["confirm"]) == (0, "", 1, word)
    assert re.fullmatch("[0-9a-f]{16}", made["confirmation"]) and made["confirmation"] == confirmed["confirmation"]
    assert result == dict(MADE, confirmed=True)


def test_a_connection_without_reset_is_closed():
    plugin, result = run([MADE, {"outcome": "settled"}], WithoutReset("docker"))
    assert result["confirmed"] and plugin.calls[1]["after"] == 1


@pytest.mark.parametrize("answer", [{"changed": False}, {"changed": True}, {"failed": True, "msg": "no"}])
def test_where_nothing_waits_the_host_is_called_once(answer):
    # Nothing to change, check mode or a timeout of 0, and a refusal.
    plugin, result = run([answer])
    assert result == answer and len(plugin.calls) == 1


def test_the_caller_cannot_name_or_confirm_a_change_himself():
    plugin, _result = run([{"changed": False}], confirmation="0" * 16, confirm="anyhow")
    assert plugin.calls[0]["confirmation"] != "0" * 16 and plugin.calls[0]["confirm"] == ""


def test_a_host_that_took_the_change_back_is_told_of():
    _plugin, result = run([MADE, REACHED_NO_MORE, REACHED_NO_MORE, {"outcome": "taken back", "why": ""}])
    assert (result["failed"], result["changed"], result["confirmed"]) == (True, False, False)
    assert result["msg"] == (
        "The change of the firewall (nftables) was made, but Ansible could not come back over a new connection within "
        "30 seconds to confirm it: %s. The host has taken it back and is as it was before." % REACHED_NO_MORE)


def test_why_the_host_itself_took_it_back_is_told():
    _plugin, result = run([MADE, {"outcome": "taken back", "why": "/etc/x was changed by somebody else"}])
    assert result["msg"] == (
        "The change of the firewall (nftables) was made, but it could not be confirmed: /etc/x was changed by somebody "
        "else. The host has taken it back and is as it was before.")


def test_what_may_pass_is_tried_again(clock):
    plugin, result = run([
        MADE, {"failed": True, "msg": "another run of this role is changing"}, AnsibleError("sudo timed out"),
        {"failed": True, "msg": "Ansible came back over the old connection"}, {"outcome": "settled"},
    ], confirm_timeout=10)
    assert result["confirmed"] and [call["after"] for call in plugin.calls] == [0, 1, 2, 3, 4]
    assert plugin._connection._shell.tmpdir is None


def test_a_host_that_never_comes_back_is_told_of_in_the_end(clock):
    _plugin, result = run([MADE, REACHED_NO_MORE], confirm_timeout=10)
    assert result["failed"] and 10 + action.GRACE < clock[0] < 10 + action.GRACE + 5
    assert result["msg"].endswith(
        "the host cannot be reached any more: %s. It was to take the change back by itself within 10 seconds; look at "
        "it from its console." % REACHED_NO_MORE)


def test_a_host_that_only_fails_is_told_of_in_the_end(clock):
    _plugin, result = run([MADE, {"failed": True, "msg": "MODULE FAILURE"}], confirm_timeout=10)
    assert result["msg"] == (
        "The change of the firewall (nftables) was made, but it was not confirmed: MODULE FAILURE. The host takes it "
        "back by itself within 10 seconds.")


def test_a_connection_lost_in_the_middle_is_made_anew_and_confirms():
    plugin, result = run([BROKEN, {"outcome": "settled"}, {"changed": False, "backend": "ufw", "packages_missing": []}])
    assert result == {"changed": True, "confirmed": True, "backend": "ufw", "packages_missing": []}
    assert plugin.calls[0]["confirmation"] == plugin.calls[1]["confirmation"] and plugin.calls[1]["after"] == 1


@pytest.mark.parametrize("answer, says", [
    ({"outcome": "taken back", "why": ""}, "The host has taken it back and is as it was before."),
    ({"outcome": "not known", "why": ""}, "The host knows of no change of its firewall by this run."),
    ({"outcome": "taken back", "why": "", "remark": "nftables: x"}, "The host has taken it back, but: nftables: x."),
])
def test_a_connection_lost_in_the_middle_that_changed_nothing(answer, says):
    _plugin, result = run([BROKEN, answer])
    assert result["failed"] and not result["changed"] and result["msg"].endswith(says)
    assert "Broken pipe" in result["msg"]


def test_the_transports_are_those_of_real_plugins():
    names = [connection_loader.get(name, class_only=True).transport for name in ("ssh", "local")]
    assert [action.over_ssh(name) for name in names] == [True, False]
    if connection_loader.find_plugin("ansible.builtin.paramiko_ssh"):
        assert action.over_ssh(connection_loader.get("paramiko_ssh", class_only=True).transport)


def killed(status):
    """What Ansible makes of a module that gave no answer."""
    return {"failed": True, "msg": "MODULE FAILURE", "module_stdout": "", "module_stderr": "", "rc": status}


@pytest.mark.parametrize("status", [137, -9, 139])
def test_a_module_that_was_killed_is_asked_for(status):
    plugin, result = run([killed(status), {"outcome": "taken back", "why": "the module was ended before"}])
    assert plugin.calls[0]["confirmation"] == plugin.calls[1]["confirmation"]
    assert result["failed"] and not result["changed"] and result["msg"] == (
        "The module was killed while the firewall was changed (status %d), and it could not be confirmed: the module "
        "was ended before. The host has taken it back and is as it was before." % status)
    _plugin, result = run([killed(status), {"outcome": "not known", "why": ""}])
    assert result["msg"] == (
        "The module was killed (status %d). The host knows of no change of its firewall by this run." % status)


@pytest.mark.parametrize("status", [1, 127])
def test_a_module_that_could_not_start_is_not(status):
    plugin, result = run([killed(status)])
    assert result == killed(status) and len(plugin.calls) == 1


def test_a_host_that_was_never_there_is_unreachable_at_once(clock):
    with pytest.raises(AnsibleConnectionFailure):
        run([REACHED_NO_MORE])
    assert clock[0] == 0


def quick(said, answers=(MADE,), **arguments):
    """Run the plugin against a host that has the programs; ``said`` is what they say, the word of hearing first."""
    plugin = PlayedAction(answers, **arguments)
    plugin.offered, plugin.quick = {"heard": "mark", "confirm": "settle"}, list(said)
    return plugin, plugin.run(task_vars={})


def test_a_change_is_heard_of_and_confirmed_without_another_call_of_the_module():
    plugin, result = quick(["", "Warning: banner\r\n%s\r\n" % SETTLED])
    assert plugin.commands == [("mark", 0), ("settle anew", 1)] and len(plugin.calls) == 1
    assert result == dict(MADE, confirmed=True)


@pytest.mark.parametrize("said", ["", "python: no such file", '{"outcome": "", "why": "the lock is held"}', "[1]", "7"])
def test_what_the_program_cannot_do_the_module_does(said):
    plugin, result = quick(["", said], [MADE, {"outcome": "settled"}])
    assert result["confirmed"] and [call["after"] for call in plugin.calls] == [0, 1]


def test_over_the_old_connection_nothing_is_confirmed_and_the_module_not_asked(clock):
    again = '{"outcome": "", "again": "Ansible came back over the old connection"}'
    plugin, result = quick(["", again, again, SETTLED])
    assert result["confirmed"] and len(plugin.calls) == 1
    assert plugin.commands[1:] == [("settle anew", turn) for turn in (1, 2, 3)]


def test_an_old_connection_that_is_dead_is_no_hindrance(clock):
    plugin, result = quick([BROKEN, REACHED_NO_MORE, SETTLED])
    assert result["confirmed"] and len(plugin.calls) == 1


def test_an_old_connection_that_hangs_is_left_and_so_is_the_program_that_waits_for_it(monkeypatch):
    monkeypatch.setattr(action, "time", time)
    monkeypatch.setattr(action, "_HEARD", 0.3)
    started = []

    def hangs():
        process = subprocess.Popen(["sleep", "60"])
        started.append(process)
        process.wait()

    before = signal.getsignal(signal.SIGALRM)
    begun = time.monotonic()
    plugin, result = quick([hangs, SETTLED])
    assert result["confirmed"] and time.monotonic() - begun < 5
    assert started[0].wait() == -signal.SIGKILL
    assert signal.getsignal(signal.SIGALRM) is before and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_tasks_own_timeout_goes_on_counting(monkeypatch):
    monkeypatch.setattr(action, "time", time)
    signal.setitimer(signal.ITIMER_REAL, 60)
    try:
        quick(["", SETTLED])
        assert 50 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_a_host_that_cannot_take_the_change_back_is_told_of(clock):
    stuck = {"outcome": "not taken back", "why": "", "remark": "the change could not be taken back whole: x. Mend it."}
    _plugin, result = run([MADE, stuck], confirm_timeout=10)
    assert result["msg"] == (
        "The change of the firewall (nftables) was made, but it is neither confirmed nor taken back: the change could "
        "not be taken back whole: x. Mend it.")
    _plugin, result = run([MADE, stuck, {"outcome": "taken back", "why": "", "remark": ""}], confirm_timeout=10)
    assert result["msg"].endswith("The host has taken it back and is as it was before.")
