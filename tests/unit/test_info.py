# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the info module tells of a host: drift, and what stands beside our rules, whatever is active."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _apply, _backend, _findings, _managers, _memory
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Plan
from ansible_collections.printfleet.cups.plugins.modules import cups_firewall_info

WISH = {
    "flows": [{"row": "sharing", "direction": "in", "protocol": "tcp", "port": "631", "peers": ["192.0.2.0/24"]}],
    "default_incoming": "deny", "default_outgoing": "keep", "log_denied": False, "woken": False,
    "ssh": ["198.51.100.7", 22],
}


class PlayedBackend:
    """Holds ``holds``; a plan changes nothing where that is a policy's own text."""

    def __init__(self, name, active=False, installed=True):
        self.name, self.is_active, self.installed, self.holds = name, active, installed, None

    def missing(self):
        return [] if self.installed else [self.name]

    def unhelped(self):
        return ""

    def active(self):
        return self.is_active

    def standing(self):
        return _backend.ACTIVE if self.is_active else _backend.DISABLED

    def read(self, memory):
        return dict(memory)

    def plan(self, state, policy):
        return Plan(self.holds or "nothing", repr(policy), None, ("a word of warning",))

    def causes(self, state, plan):
        return []

    def findings(self, known):
        return [_findings.opens_never_open("a rule of " + self.name, "remove it")]


@pytest.fixture(autouse=True)
def state_file(tmp_path, monkeypatch):
    monkeypatch.setattr(_memory, "PATH", str(tmp_path / "printfleet-cups/state.json"))
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    monkeypatch.setattr(cups_firewall_info._interfaces, "interfaces", lambda: ())


def remember(backend):
    _memory.save(_memory.Memory(backend, WISH, {}))


def hosts(**active):
    return {name: PlayedBackend(name, active.get(name, False)) for name in _managers.NAMES}


def where(told):
    return [finding["where"] for finding in told["findings"]]


def test_a_host_without_anything_of_ours():
    told, warnings = cups_firewall_info.tell(hosts(ufw=True))
    assert told["backend"] == "" and told["in_force"] and warnings == ()
    assert where(told) == ["a rule of nftables", "a rule of ufw"]
    assert told["report"][0] == "Nothing of printfleet.cups is on this host; active: ufw."


def test_what_is_in_force_and_what_has_drifted():
    remember("ufw")
    known = hosts(ufw=True)
    told, warnings = cups_firewall_info.tell(known)
    assert not told["in_force"] and told["difference"]["before"] == "nothing"
    assert "NOT in force" in told["report"][-3] and warnings == ("a word of warning",)
    known["ufw"].holds = told["difference"]["after"]
    told, _warnings = cups_firewall_info.tell(known)
    assert told["in_force"] and told["difference"] == {}
    assert [row["row"] for row in told["rows"]] == [
        "sharing", "baseline: SSH from where Ansible comes", "baseline: SSH from where Ansible comes answers"]


def test_two_managers_at_once_are_reported_and_no_obstacle():
    remember("ufw")
    told, warnings = cups_firewall_info.tell(hosts(ufw=True, firewalld=True))
    assert where(told)[0] == "firewalld and ufw" and told["rows"]
    assert "firewalld and ufw: both are active, and a packet has to pass both; switch one of them off." in warnings


def test_a_manager_that_came_after_us_is_reported():
    remember("nftables")
    told, warnings = cups_firewall_info.tell(hosts(ufw=True))
    assert where(told)[0] == "ufw" and "which nftables holds" in told["findings"][0]["what"]
    assert any(warning.startswith("ufw: it is active") for warning in warnings)


def test_a_manager_whose_package_is_gone():
    remember("firewalld")
    known = hosts()
    known["firewalld"].installed = False
    told, _warnings = cups_firewall_info.tell(known)
    assert not told["in_force"] and "open   in  tcp 631 from 192.0.2.0/24" in told["difference"]["after"]


def disagreement(policy, interfaces):
    """Plays the look at print services: one warning, which tells whether there was a policy."""
    what = "with a policy: %s, %r" % (policy is not None, interfaces)
    return [_findings.Finding("warning", what, "cupsd", "mend it")]


def test_what_the_print_services_do_is_looked_at():
    told, warnings = cups_firewall_info.tell(hosts(), look=disagreement)
    assert where(told)[-1] == "cupsd" and "cupsd: with a policy: False, (); mend it." in warnings
    remember("nftables")
    told, warnings = cups_firewall_info.tell(hosts(), look=disagreement)
    assert where(told)[-1] == "cupsd" and "cupsd: with a policy: True, (); mend it." in warnings
    assert told["report"][-1] == "warning: cupsd: with a policy: True, (); mend it."


def test_the_role_looks_at_print_services_when_it_changes_something():
    known = hosts()
    around = _apply.Surroundings((), None, look=disagreement)
    change = _apply.plan_present(WISH, "auto", known, _memory.NOTHING, around)
    assert "cupsd: with a policy: True, (); mend it." in change.warnings
    known["nftables"].holds = change.plans[0][1].after
    again = _apply.plan_present(WISH, "auto", known, change.memory, around)
    assert not again.changed and again.warnings == ("a word of warning",)


def test_the_role_warns_when_it_changes_something_and_is_quiet_after():
    known = hosts()
    known["nftables"].findings = lambda _ours: [_findings.overrules("in", "a table", ("631/tcp",))]
    around = _apply.Surroundings((), None)
    change = _apply.plan_present(WISH, "auto", known, _memory.NOTHING, around)
    assert any(warning.startswith("a table: it refuses packets in") for warning in change.warnings)
    known["nftables"].holds = change.plans[0][1].after
    again = _apply.plan_present(WISH, "auto", known, change.memory, around)
    assert not again.changed and again.warnings == ("a word of warning",)
