# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Firewalls that are installed and off: none is switched on unasked, one that is asked for shuts nobody out."""

from __future__ import annotations

import pytest
from proof import trial, wishes

NAMED = {**wishes.GOOD, "cups_firewall_backend": "{{ firewall }}"}
BY_SYSTEMD = "sudo -n systemd-run --pipe --quiet --wait --collect sudo"


@pytest.fixture(scope="module")
def fresh(pictures, answers, tell):
    """How the hosts were, and who was answered."""
    tell("A picture of the hosts")
    return pictures(), answers(), answers(by_others=True)


@pytest.fixture(scope="module")
def hidden(controller, fresh, tell):
    """The module as a child of systemd, as become_method machinectl and run0 start it; see ansible_become_exe."""
    tell("A connection that the hosts cannot see")
    return controller.run({**NAMED, "ansible_become_exe": BY_SYSTEMD})


@pytest.fixture(scope="module")
def foretold(controller, fresh, pictures, tell):
    """Check mode, with the same wishes as later; and how the hosts are after it."""
    tell("Check mode")
    return controller.run(NAMED, "--check", "--diff"), pictures()


@pytest.fixture(scope="module")
def automatic(controller, foretold, tell):
    """Nothing is named."""
    tell("Backend auto")
    return controller.run(wishes.within(120, {}))


@pytest.fixture(scope="module")
def named(controller, automatic, answers, tell):
    """The firewall is named, and all is denied that is not asked for; and who is answered then."""
    tell("The firewall's own name")
    return controller.run(wishes.within(120, NAMED)), answers(), answers(by_others=True)


@pytest.fixture(scope="module")
def removed(controller, named, pictures, tell):
    """All is taken away; how the hosts are after it."""
    tell("Removal")
    return controller.run(wishes.within(120, wishes.REMOVED)), pictures()


def test_ssh_answers_everybody_at_first(fresh, server):
    assert fresh[1][server] and fresh[2][server]


def test_a_connection_that_the_host_cannot_see_is_refused(hidden, server):
    result = hidden.results[server]
    assert result.status == "failed"
    assert result.says.startswith("Ansible came by SSH, but this host cannot see by which connection"), result.says


def test_check_mode_foretells_a_change(foretold, server):
    result = foretold[0].results[server]
    assert result.status == "ok" and result.told["changed"], result.says
    assert "confirmed" not in result.told


def test_check_mode_leaves_nothing_behind_and_starts_nothing(foretold, fresh, same, server):
    same(fresh[0][server], foretold[1][server])
    assert not trial.alarms(server)


def test_auto_takes_nftables_and_is_confirmed(automatic, server):
    result = automatic.results[server]
    assert result.status == "ok", result.says
    assert result.told == {"changed": True, "backend": "nftables", "confirmed": True}


def test_a_named_firewall_is_switched_on_and_confirmed(named, server):
    result, wanted = named[0].results[server], server.rsplit("-", 1)[-1]
    assert result.status == "ok", result.says
    assert result.told == {"changed": True, "backend": wanted, "confirmed": True}


def test_switching_it_on_leaves_the_way_in_open(named, controller, server):
    assert named[1][server]
    assert controller.login(server) == "deploy"


def test_and_to_nobody_but_ansible(named, server):
    # The control is the first test: the others were answered as well.
    assert not named[2][server]


def test_removed_it_is_as_it_was(removed, fresh, same, server):
    assert removed[0].results[server].status == "ok", removed[0].results[server].says
    same(fresh[0][server], removed[1][server])
