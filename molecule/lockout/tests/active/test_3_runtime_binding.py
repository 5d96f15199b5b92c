# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firewalld lets SSH in only by a binding that exists at runtime, as hooks of ifupdown and wg-quick make it."""

from __future__ import annotations

import pytest
from proof import lab, trial, wishes

BIND = ["firewall-cmd", "--zone=public", "--change-interface=eth0"]
UNBIND = ["firewall-cmd", "--zone=public", "--remove-interface=eth0"]
UNDOING = 30


@pytest.fixture(scope="module")
def host(controller):
    """The one with firewalld."""
    return next(name for name in controller.hosts if name.endswith("firewalld"))


@pytest.fixture(scope="module")
def looks(host, answers):
    """Whether SSH answers Ansible and others, and where eth0 is bound."""
    def look():
        told = lab.inside(host, ["firewall-cmd", "--get-zone-of-interface=eth0"]).strip()
        return answers(hosts=[host])[host], answers(by_others=True, hosts=[host])[host], told

    return look


@pytest.fixture(scope="module")
def bound(host, answers, looks, tell):
    """The control: without the binding nobody gets an answer, with it everybody does."""
    tell("firewalld's default zone is drop, eth0 is bound to zone public at runtime only")
    lab.inside(host, ["firewall-cmd", "--set-default-zone=drop"])
    lab.inside(host, BIND)
    lab.inside(host, UNBIND)
    cut = answers(hosts=[host])[host]
    lab.inside(host, BIND)
    return cut, looks()


@pytest.fixture(scope="module")
def applied(controller, host, bound, looks, tell):
    """keep, confirmed."""
    tell("keep")
    wish = {**wishes.within(120, wishes.GOOD), "cups_firewall_default_incoming": "keep"}
    return controller.run(wish, "--limit", host).results[host], looks()


@pytest.fixture(scope="module")
def taken_back(host, applied, cut_off, looks, tell):
    """A change to other defaults, which needs a reload, whose controller is killed."""
    tell("A change that is not confirmed")
    cut_off({**wishes.within(5, wishes.GOOD), "cups_firewall_default_outgoing": "keep"}, [host])
    while_it_lasts = looks() if trial.waits(host) else None
    trial.over(host, 5 + UNDOING)
    return while_it_lasts, looks()


@pytest.fixture(scope="module")
def removed(controller, host, taken_back, looks, tell):
    """Everything of ours goes."""
    tell("Removal")
    return controller.run(wishes.within(120, wishes.REMOVED), "--limit", host).results[host], looks()


def test_ssh_hangs_on_the_binding(bound):
    assert bound == (False, (True, True, "public"))


def test_ssh_stays_when_the_role_is_applied(applied):
    result, seen = applied
    assert result.status == "ok" and result.told["changed"] and result.told["confirmed"], result.says
    assert seen == (True, True, "public")


def test_ssh_stays_while_a_change_waits_and_when_it_is_taken_back(taken_back):
    assert taken_back == ((True, True, "public"), (True, True, "public"))


def test_ssh_stays_after_the_removal(removed):
    result, seen = removed
    assert result.status == "ok" and result.told["changed"], result.says
    assert seen == (True, True, "public")
