# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that cuts SSH: refused by the guard, and without the guard taken back by the host itself."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from proof import snapshot, trial, wishes

SECONDS = 20
# What taking back may last on a busy machine; ufw alone loads its rules twice.
UNDOING = 30


class Seen(NamedTuple):
    """What was seen on one host while the change was on trial."""

    answered: bool
    rules: str
    waited: bool  # all of it was seen in time
    took: float  # seconds until it was over


@pytest.fixture(scope="module")
def open_to_all(answers, tell):
    """The control: before anything is done, SSH answers Ansible and others."""
    tell("Who gets an answer from SSH")
    return answers(), answers(by_others=True)


@pytest.fixture(scope="module")
def refused(controller, open_to_all, pictures, tell):
    """With the guard, as by default."""
    tell("A plan that cuts SSH, with the guard")
    return controller.run(wishes.CUT), pictures()


@pytest.fixture(scope="module")
def taken_back(controller, answers, refused, pictures, tell):
    """Without the guard."""
    tell("The same plan without the guard, %d seconds for the confirmation" % SECONDS)
    running = controller.start(wishes.within(SECONDS, wishes.UNGUARDED))

    def look(host: str) -> Seen:
        trial.begun(host)
        trial.made(host)
        answered = answers(hosts=[host])[host]
        rules = snapshot.plain(snapshot.rules(host))
        return Seen(answered, rules, trial.waits(host), trial.over(host, SECONDS + UNDOING))

    seen = trial.on_all(look, list(controller.hosts))
    run = controller.finish(running)
    return run, seen, answers(), pictures()


@pytest.fixture(scope="module")
def killed(controller, cut_off, taken_back, answers, pictures, tell):
    """Without the guard, and the controller is killed with SIGKILL right after the change."""
    tell("The same plan, and the controller is killed")
    cut_off(wishes.within(SECONDS, wishes.UNGUARDED))
    cut = answers()
    waited = trial.on_all(trial.waits, list(controller.hosts))
    took = trial.on_all(lambda host: trial.over(host, SECONDS + UNDOING), list(controller.hosts))
    return cut, waited, took, answers(), pictures()


def test_ssh_answers_everybody_at_first(open_to_all, server):
    assert open_to_all[0][server] and open_to_all[1][server]


def test_the_guard_refuses_it_and_names_the_row(refused, controller, server):
    result, port = refused[0].results[server], controller.hosts[server]["ssh_port"]
    assert result.status == "failed"
    assert re.fullmatch(
        r"The row 'Extra: %d \(SSH\) TCP IN' would cut the connection by which Ansible reaches this host: it closes "
        r"port %d to %s\. Add that address .* or set cups_firewall_guard to false\."
        % (port, port, re.escape(controller.comes_from(server))), result.says), result.says


def test_and_nothing_is_touched(refused, before, same, server):
    same(before[server], refused[1][server])
    assert not trial.alarms(server)


def test_without_the_guard_ssh_is_cut(taken_back, before, server):
    # The controls stand before and after it: the same question was answered, and will be again.
    seen = taken_back[1][server]
    assert seen.waited, "the trial was over before it was looked at"
    assert not seen.answered
    assert seen.rules not in before[server]["kernel"]


def test_the_host_takes_itself_back_in_time(taken_back, server):
    assert taken_back[1][server].took <= SECONDS + UNDOING


def test_ssh_answers_again(taken_back, controller, server):
    assert taken_back[2][server]
    assert controller.login(server) == "deploy"


def test_files_and_rules_are_as_before(taken_back, before, same, server):
    same(before[server], taken_back[3][server])
    assert not trial.alarms(server)


def test_ansible_says_what_happened(taken_back, server):
    run = taken_back[0]
    result = run.results[server]
    assert result.status == "failed" and not result.told["changed"] and not result.told["confirmed"]
    # What ssh said is there, unless its first call was the one that came through in the end.
    assert re.fullmatch(
        r"The change of the firewall \(%s\) was made, but Ansible could not come back over a new connection within %d "
        r"seconds to confirm it(: .+)?\. The host has taken it back and is as it was before\."
        % (server.rsplit("-", 1)[-1], SECONDS), result.says), result.says
    assert "fatal: [%s]: FAILED!" % server in run.output
    assert "The host has taken it back and is as it was before." in run.output


def test_with_a_killed_controller_ssh_is_cut_as_well(killed, server):
    assert killed[1][server], "the trial was over before it was looked at"
    assert not killed[0][server]


def test_and_the_end_is_the_same(killed, controller, before, same, server):
    assert killed[3][server]
    assert controller.login(server) == "deploy"
    same(before[server], killed[4][server])
    assert not trial.alarms(server)
