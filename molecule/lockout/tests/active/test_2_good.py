# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A good change: confirmed it stays, and whatever cuts it off before that leaves the host as it was."""

from __future__ import annotations

import re

import pytest
from proof import snapshot, trial, wishes

UNDOING = 30


def opened(server: str) -> bool:
    """Whether the administrator opened SSH to everybody by a rule of his own, which stands (administrator.yml)."""
    return not server.endswith("nftables")


@pytest.fixture(scope="module")
def unconfirmed(controller, cut_off, tell):
    """The controller is killed before it can confirm; and another one comes."""
    tell("A good change whose controller is killed, and a second run")
    cut_off(wishes.within(600, wishes.GOOD))
    rules = trial.on_all(lambda host: snapshot.plain(snapshot.rules(host)), list(controller.hosts))
    return rules, controller.run(wishes.GOOD)


@pytest.fixture(scope="module")
def power_cut(controller, unconfirmed, restart, answers, pictures, tell):
    """And the power goes while the change still waits."""
    waited = trial.on_all(trial.waits, list(controller.hosts))
    tell("The power is cut")
    restart("kill")
    return waited, answers(), pictures()


@pytest.fixture(scope="module")
def old_connection(controller, power_cut, tell):
    """An ssh that never lets go of a connection, so that Ansible's reset does nothing."""
    tell("A connection that cannot be reset")
    return controller.run({**wishes.within(20, wishes.GOOD), "ansible_ssh_executable": controller.ssh("true")})


@pytest.fixture(scope="module")
def good(controller, old_connection, answers, pictures, tell):
    """At last, one host after the other."""
    tell("A good change, confirmed")
    told = controller.run({**wishes.within(120, wishes.GOOD), "at_once": 1})
    return told, answers(), answers(by_others=True), pictures()


@pytest.fixture(scope="module")
def restarted(controller, good, restart, answers, pictures, tell):
    """And after a reboot; there the role has nothing to do."""
    tell("A reboot, and the same once more")
    restart("stop")
    return answers(), answers(by_others=True), controller.run(wishes.GOOD), pictures()


@pytest.fixture(scope="module")
def kept(controller, restarted, cut_off, answers, pictures, tell):
    """A removal that is never confirmed."""
    tell("A removal whose controller is killed")
    cut_off(wishes.within(10, wishes.REMOVED))
    trial.on_all(lambda host: trial.over(host, 10 + UNDOING), list(controller.hosts))
    return answers(by_others=True), pictures()


@pytest.fixture(scope="module")
def removed(controller, kept, answers, pictures, tell):
    """A removal that is."""
    tell("Removal")
    return controller.run(wishes.within(120, wishes.REMOVED)), answers(by_others=True), pictures()


def test_a_second_run_beside_a_trial_is_refused(unconfirmed, before, server):
    assert unconfirmed[0][server] not in before[server]["kernel"], "nothing was changed"
    result = unconfirmed[1].results[server]
    assert result.status == "failed"
    assert re.fullmatch(r"another change of this host waits for its confirmation, for \d+ seconds more: run again then",
                        result.says), result.says


def test_a_power_cut_ends_in_the_old_state(power_cut, before, same, server):
    assert power_cut[0][server], "the trial was over before the power went"
    assert power_cut[1][server]
    same(before[server], power_cut[2][server])
    assert not trial.alarms(server)


def test_an_old_connection_confirms_nothing(old_connection, server):
    result = old_connection.results[server]
    assert result.status == "failed"
    assert "Ansible came back over the old connection, which proves nothing" in result.says
    assert result.says.endswith("The host has taken it back and is as it was before.")


def test_a_good_change_is_confirmed(good, server):
    result = good[0].results[server]
    assert result.status == "ok", result.says
    assert result.told == {"changed": True, "backend": server.rsplit("-", 1)[-1], "confirmed": True}
    assert not trial.alarms(server)


def test_ssh_is_open_from_where_ansible_comes(good, server):
    assert good[1][server]


def test_and_to_others_only_where_the_administrator_opened_it(good, server):
    # The controls: test_1_cut.py saw the others answered before, and the last test sees it again.
    assert good[2][server] == opened(server)


def test_it_stays_so_through_a_reboot(restarted, good, same, server):
    assert restarted[0][server] and restarted[1][server] == opened(server)
    same(good[3][server], restarted[3][server])


def test_then_there_is_nothing_left_to_do(restarted, server):
    result = restarted[2].results[server]
    assert result.status == "ok" and not result.told["changed"], result.says
    assert "confirmed" not in result.told


def test_a_removal_without_confirmation_leaves_it_in_force(kept, restarted, same, server):
    assert kept[0][server] == opened(server)
    same(restarted[3][server], kept[1][server])


def test_removed_the_hosts_are_as_before(removed, before, same, server):
    assert removed[0].results[server].status == "ok", removed[0].results[server].says
    assert removed[1][server]
    same(before[server], removed[2][server])
