# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole change of a host, and which backend it is for."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _apply, _backend, _findings, _managers, _memory
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Plan
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._memory import NOTHING, Memory
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Ssh, make_policy
from ansible_collections.printfleet.cups.plugins.module_utils._words import Interface, Ports, Refused

ROW = {
    "row": "Table 1: 631 (IPP/IPPS) TCP IN", "direction": "in", "protocol": "tcp", "port": "631", "peers": ["@LOCAL"]
}
WISH = {"flows": [ROW], "default_incoming": "deny", "default_outgoing": "keep", "log_denied": False}
AROUND = _apply.Surroundings((Interface("eth0", ("198.18.0.0/24",), (), True),), Ssh("198.18.0.9", 22))


class PlayedBackend:
    """Holds a policy, as a real one holds rules."""

    def __init__(self, name, installed=True, active=False, holds=None):
        self.name, self.installed, self.is_active, self.holds = name, installed, active, holds
        self.stands = _backend.DISABLED
        self.log = []

    def missing(self):
        return [] if self.installed else [self.name]

    def unhelped(self):
        return ""

    def active(self):
        return self.is_active

    def standing(self):
        return _backend.ACTIVE if self.is_active else self.stands

    def causes(self, state, plan):
        return []

    def findings(self, known):
        return [_findings.overrules("in", "a rule of " + self.name, ("631/tcp",))]

    def read(self, memory):
        return dict(memory)

    def plan(self, state, policy):
        return Plan(repr(self.holds), repr(policy), policy, ("a word of warning",) if policy else ())

    def commit(self, plan):
        self.log.append(plan.steps)
        self.holds = plan.steps
        return {"was": "before"}


def hosts(**active):
    return {name: PlayedBackend(name, active=active.get(name, False)) for name in _managers.NAMES}


def carry_out(change, known):
    """The change alone; that it is on trial is the matter of test_transaction.py."""
    _apply._commit(change, known)


@pytest.fixture(autouse=True)
def state_file(tmp_path, monkeypatch):
    monkeypatch.setattr(_memory, "PATH", str(tmp_path / "printfleet-cups/state.json"))
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    return tmp_path / "printfleet-cups/state.json"


@pytest.mark.parametrize("active, wanted, chosen", [
    ({}, "auto", "nftables"),
    ({"ufw": True}, "auto", "ufw"),
    ({"firewalld": True}, "auto", "firewalld"),
    ({}, "ufw", "ufw"),
    ({"ufw": True}, "ufw", "ufw"),
    ({"nftables": True}, "firewalld", "firewalld"),
])
def test_the_backend_is_the_active_manager_or_the_named_one(active, wanted, chosen):
    assert _managers.choose(wanted, hosts(**active)) == (chosen, None)


@pytest.mark.parametrize("wanted", ["auto", "ufw", "firewalld", "nftables"])
def test_two_active_managers_are_refused_by_name(wanted):
    with pytest.raises(BackendError, match="firewalld and ufw are both active"):
        _managers.choose(wanted, hosts(ufw=True, firewalld=True))


def test_a_named_backend_beside_an_active_one_is_refused():
    with pytest.raises(BackendError, match="cups_firewall_backend: 'nftables' is not possible here: ufw is active"):
        _managers.choose("nftables", hosts(ufw=True))


def test_applying_changes_once_and_remembers(state_file):
    known = hosts()
    change = _apply.plan_present(WISH, "auto", known, NOTHING, AROUND)
    assert change.changed and not state_file.exists() and change.warnings[0] == "a word of warning"
    # Of the managers that are not active nobody asks what they hold.
    assert [warning.split(":")[0] for warning in change.warnings[1:]] == ["a rule of nftables"]
    carry_out(change, known)
    assert state_file.stat().st_mode & 0o777 == 0o600
    memory = _memory.load()
    assert memory.backend == "nftables" and memory.found == {"was": "before"}
    assert not _apply.plan_present(WISH, "auto", known, memory, AROUND).changed


def test_missing_packages_predict_a_change_and_plan_nothing():
    known = hosts()
    known["nftables"].installed = False
    change = _apply.plan_present(WISH, "auto", known, NOTHING, AROUND)
    assert change.changed and change.packages_missing == ("nftables",) and change.plans == ()
    assert "open   in  tcp 631 from 198.18.0.0/24  (Table 1: 631 (IPP/IPPS) TCP IN)" in change.after


def test_a_lost_memory_is_mended_even_where_the_rules_are_right():
    known = hosts()
    carry_out(_apply.plan_present(WISH, "auto", known, NOTHING, AROUND), known)
    change = _apply.plan_present(WISH, "auto", known, NOTHING, AROUND)
    assert change.changed and change.plans == ()


def test_another_backend_takes_over_before_the_old_one_lets_go():
    known = hosts()
    carry_out(_apply.plan_present(WISH, "auto", known, NOTHING, AROUND), known)
    change = _apply.plan_present(WISH, "ufw", known, _memory.load(), AROUND)
    assert [name for name, _plan in change.plans] == ["ufw", "nftables"]
    carry_out(change, known)
    assert known["nftables"].holds is None and _memory.load().backend == "ufw"


def held_by(name, **active):
    """A host whose rules are held by one, and on which these are active now."""
    known = hosts()
    carry_out(_apply.plan_present(WISH, name, known, NOTHING, AROUND), known)
    for other, is_active in active.items():
        known[other].is_active = is_active
    return known


def test_auto_starts_the_stopped_holder_and_says_so():
    known = held_by("firewalld")
    known["firewalld"].stands = _backend.STOPPED
    known["firewalld"].holds = None
    change = _apply.plan_present(WISH, "auto", known, _memory.load(), AROUND)
    assert [name for name, _plan in change.plans] == ["firewalld"]
    assert change.warnings[0].startswith("firewalld: it holds our rules, is enabled and does not run: it is started")


def test_auto_leaves_a_holder_that_is_switched_off():
    with pytest.raises(BackendError, match="our rules are held by ufw, which is switched off: set cups_firewall_back"):
        _apply.plan_present(WISH, "auto", held_by("ufw"), _memory.load(), AROUND)


def test_auto_follows_the_manager_that_came_and_says_so():
    known = held_by("nftables", firewalld=True)
    change = _apply.plan_present(WISH, "auto", known, _memory.load(), AROUND)
    assert [name for name, _plan in change.plans] == ["firewalld", "nftables"]
    assert change.warnings[0].startswith("nftables: our rules move from it to firewalld, which is active on this host")


@pytest.mark.parametrize("stands, warned", [("stopped", True), ("ousted", True), ("masked", False)])
def test_a_stopped_manager_that_a_boot_starts_is_warned_of(stands, warned):
    known = hosts()
    known["firewalld"].stands = stands
    for wanted in ("auto", "nftables"):
        told = _apply.plan_present(WISH, wanted, known, NOTHING, AROUND).warnings
        said = [one for one in told if one.startswith("firewalld: it is enabled and only stopped: once it is started")]
        assert len(said) == warned
        assert all(one.endswith("which nftables holds; disable it, or start it and run the role again for it to hold "
                                "them.") for one in said)


def test_the_file_that_backends_share_outlives_the_one_that_goes(tmp_path, monkeypatch):
    shared = tmp_path / "modules.conf"
    monkeypatch.setattr(_apply._helpers, "PATH", str(shared))
    flow = {"row": "Table 3: 161 (SNMP) UDP OUT", "direction": "out", "protocol": "udp", "port": "161", "peers": []}
    known = hosts()
    carry_out(_apply.plan_present(dict(WISH, flows=[flow]), "auto", known, NOTHING, AROUND), known)
    shared.write_text("as the first one wrote it")
    change = _apply.plan_present(dict(WISH, flows=[flow]), "ufw", known, _memory.load(), AROUND)
    leave = known["nftables"].commit
    monkeypatch.setattr(known["nftables"], "commit", lambda plan: shared.unlink() or leave(plan))
    carry_out(change, known)
    assert shared.read_text().endswith("\nnf_conntrack_snmp\n")


def test_absent_asks_every_installed_backend_even_without_memory(state_file):
    known = hosts()
    known["ufw"].holds = "something of ours"
    change = _apply.plan_absent(known, NOTHING)
    assert [name for name, _plan in change.plans] == ["ufw"]
    carry_out(change, known)
    assert not state_file.exists() and not state_file.parent.exists()
    assert not _apply.plan_absent(known, NOTHING).changed


def test_the_ssh_opening_outlives_a_run_from_the_console():
    known = hosts()
    carry_out(_apply.plan_present(WISH, "auto", known, NOTHING, AROUND), known)
    change = _apply.plan_present(WISH, "auto", known, _memory.load(), AROUND._replace(ssh=None))
    assert not change.changed


def test_a_bad_flow_is_named_by_its_place():
    with pytest.raises(Refused, match=r"flows\[1\].port: '0' is not allowed"):
        _apply.plan_present(dict(WISH, flows=[ROW, dict(ROW, port="0")]), "auto", hosts(), NOTHING, AROUND)


def test_an_interface_that_is_not_there_is_warned_of():
    wish = dict(WISH, flows=[dict(ROW, peers=["@IF(wlan9)"])])
    assert "@IF(wlan9)" in _apply.plan_present(wish, "auto", hosts(), NOTHING, AROUND).warnings[0]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 9}', '{"format": 1, "backend": "x", "wish": 3, "found": {}}']
)
def test_an_unreadable_memory_is_told_and_not_guessed(state_file, text):
    state_file.parent.mkdir()
    state_file.write_text(text, encoding="utf-8")
    with pytest.raises(BackendError, match="state.json cannot be read"):
        _memory.load()


def test_memory_survives_its_way_over_the_disk():
    memory = Memory("ufw", WISH, {"a": "b"})
    _memory.save(memory)
    assert _memory.load() == memory


def test_the_diff_holds_no_orders_for_a_terminal():
    known = hosts()
    known["nftables"].plan = lambda _state, _policy: Plan("\x1b[2Jtable\n\tcaf\udce9\u202e\r\n", "x\n", None)
    change = _apply.plan_present(WISH, "auto", known, NOTHING, AROUND)
    assert change.before == "\\x1b[2Jtable\n\tcaf\\udce9\\u202e\\x0d\n"


def test_a_row_that_lets_nobody_in_is_closed_to_everyone():
    flow = Flow("Table 1: 631 (IPP/IPPS) TCP IN", "ipp_sharing", "in", "tcp", Ports(631, 631), ("192.0.2.0/24",), False)
    lines = _apply.describe(make_policy((flow,), "keep", "keep", False, (), None))
    assert lines[-4:-2] == [
        "closed in  udp 631 to everyone  (not in the page: 631/udp (CVE-2024-47176))\n",
        "closed in  tcp 631 to everyone else  (Table 1: 631 (IPP/IPPS) TCP IN)\n",
    ], lines
