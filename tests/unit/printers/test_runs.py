# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one after the other on a host whose queues change: what is changed, remembered, told, and what drifts."""

from __future__ import annotations

import json

import pytest
from ansible_collections.printfleet.cups.plugins.filter.device_uris import device_uris
from ansible_collections.printfleet.cups.plugins.filter.flows import flows
from ansible_collections.printfleet.cups.plugins.module_utils import _apply, _managers, _memory, _queues, _resolve
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Plan
from ansible_collections.printfleet.cups.plugins.module_utils._policy import HELPED, Ssh
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused
from ansible_collections.printfleet.cups.plugins.modules import cups_firewall, cups_firewall_info

from .conftest import EXPECTED, queue

OFFICE = queue("office", "ipp://jane:hunter2@192.0.2.1/ipp/print")
PLOTTER = queue("plotter", "socket://printer.example:9107?snmp=off")


class PlayedBackend:
    """Holds a policy, as a real one holds rules."""

    def __init__(self, name):
        self.name, self.holds = name, "None"

    def missing(self):
        return []

    def active(self):
        return False

    def standing(self):
        return "disabled"

    def read(self, memory):
        return memory

    def plan(self, state, policy):
        del state
        return Plan(self.holds, repr(policy), repr(policy))

    def commit(self, plan):
        self.holds = plan.steps
        return {}

    def findings(self, known):
        del known
        return []

    def causes(self, state, plan):
        return []

    def unhelped(self):
        return ""


@pytest.fixture
def known(tmp_path, monkeypatch, host):
    monkeypatch.setattr(_memory, "PATH", str(tmp_path / "printfleet-cups/state.json"))
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    for module in (cups_firewall, cups_firewall_info):
        monkeypatch.setattr(module._interfaces, "interfaces", lambda: ())
        monkeypatch.setattr(module._managed_host, "ManagedHost", lambda: host)
    # What the machine has that runs the tests is none of their business.
    monkeypatch.setattr(cups_firewall._helpers, "had", lambda _host: tuple(HELPED))
    monkeypatch.setattr(cups_firewall._agreement, "look", cups_firewall._agreement.look_away)
    return {name: PlayedBackend(name) for name in _managers.NAMES}


@pytest.fixture
def apply(known, host, tables):
    """One run of the module as the role makes it."""
    def run(printers, **more):
        params = {
            "state": "present", "backend": "auto", "guard": True, "over_ssh": False,
            "flows": flows(tables, printers=printers),
            "default_incoming": "keep", "default_outgoing": "deny", "log_denied": False,
        }
        change = cups_firewall.work_out(dict(params, **device_uris(printers), **more), known, host)
        if change.changed:
            _apply._commit(change, known)
        return change
    return run


def rows(told):
    return {row["row"]: row["peers"] for row in told["rows"] if row["peers"] and row["port"] != "161"}


def test_a_queue_comes_and_goes(apply, known, queues):
    queues(OFFICE)
    assert apply("auto").changed and not apply("auto").changed
    assert not apply(["auto"]).changed
    told, warnings = cups_firewall_info.tell(known)
    assert told["in_force"] and told["queues_changed"] == [] and warnings == ()
    assert rows(told) == {"Table 3: 631 (IPP/IPPS) TCP OUT": ["192.0.2.1"]}
    queues(OFFICE + PLOTTER)
    told, warnings = cups_firewall_info.tell(known)
    assert not told["in_force"] and told["queues_changed"] == [
        "The queue 'plotter' is new or changed since the last run: it prints on 192.0.2.3 9107/tcp,"
        " 2001:db8::3 9107/tcp."]
    assert [cause["id"] for cause in told["drift"]] == ["rules-differ"] and "NOT in force" in told["report"][-2]
    assert told["report"][-1:] == told["queues_changed"]
    assert apply("auto").changed and cups_firewall_info.tell(known)[0]["in_force"]
    queues(PLOTTER)
    told, _warnings = cups_firewall_info.tell(known)
    assert told["queues_changed"] == [
        "The queue 'office' is gone or changed since the last run: it printed on 192.0.2.1 631/tcp."]
    assert rows(told) == {"Printers: 9107 (AppSocket) TCP OUT": ["192.0.2.3", "2001:db8::3"]}


def test_a_second_queue_for_the_same_printer_is_no_change(apply, known, queues):
    queues(OFFICE)
    apply("auto")
    queues(OFFICE + queue("again", "ipps://192.0.2.1/"))
    assert not apply("auto").changed and cups_firewall_info.tell(known)[0]["in_force"]


def test_queues_are_remembered_where_no_rule_depends_on_them(apply, known, queues, monkeypatch):
    plan = PlayedBackend.plan
    monkeypatch.setattr(PlayedBackend, "plan", lambda self, state, policy: plan(self, state, policy and "the same"))
    queues("")
    assert apply([]).changed and not apply([]).changed
    # From no printers at all to those of the queues, though this manager needs no rule for them.
    assert apply("auto").changed and not apply("auto").changed
    queues(OFFICE)
    assert len(cups_firewall_info.tell(known)[0]["queues_changed"]) == 1
    assert apply("auto").changed and not apply("auto").changed
    assert cups_firewall_info.tell(known)[0]["queues_changed"] == []


def test_what_is_remembered(apply, queues):
    queues(OFFICE + PLOTTER)
    apply(["auto", "smb://jane:hunter2@OFFICE/192.0.2.18/laser", "198.51.100.0/24"])
    with open(_memory.PATH, encoding="utf-8") as state:
        text = state.read()
    wish = json.loads(text)["wish"]
    assert "hunter2" not in text and "jane" not in text
    assert wish["queues"] is True and wish["device_uris"] == ["smb://192.0.2.18/"]
    assert wish["printers"]["names"] == {"printer.example": [["192.0.2.3", "2001:db8::3"], 0]}
    # The next wish forgets it.
    apply(["198.51.100.0/24"])
    with open(_memory.PATH, encoding="utf-8") as state:
        assert not {"queues", "device_uris", "printers"} & set(json.load(state)["wish"])


def test_the_module_strips_what_others_give_it(known, host, queues):
    queues("")
    params = {"state": "present", "backend": "auto", "guard": True, "over_ssh": False, "flows": [],
              "default_incoming": "keep",
              "default_outgoing": "deny", "log_denied": False, "queues": False,
              "device_uris": ["ipp://jane:hunter2@192.0.2.1:8631/x?token=hunter2"]}
    change = cups_firewall.work_out(params, known, host)
    assert change.memory.wish["device_uris"] == ["ipp://192.0.2.1:8631/"] and "hunter2" not in repr(change)
    assert "Printers: 8631 (IPP) TCP OUT" in change.after


def test_a_name_that_is_lost_stays_open_and_is_told_at_every_run(apply, known, queues, monkeypatch):
    queues(OFFICE + PLOTTER)
    apply("auto")
    monkeypatch.delitem(EXPECTED["names"], "printer.example")
    again = apply("auto")
    assert not again.changed and len(again.warnings) == 1
    assert "'printer.example' could not be resolved" in again.warnings[0] and "192.0.2.3" in again.warnings[0]
    told, warnings = cups_firewall_info.tell(known)
    assert told["in_force"] and warnings == again.warnings


def test_what_queues_are_not_understood_is_told_when_something_changes(apply, queues):
    queues(OFFICE + queue("odd", "cnijnet:/00-11"))
    assert any("cnijnet" in warning for warning in apply("auto").warnings)
    assert apply("auto").warnings == ()


def test_networks_alone_ask_nothing_of_the_host(apply, monkeypatch):
    monkeypatch.setattr(_queues, "_text", None)
    monkeypatch.setattr(_resolve.threading, "Thread", None)
    change = apply(["198.51.100.0/24"])
    assert change.changed and change.warnings == ()
    with pytest.raises(TypeError):
        apply(["auto"])


@pytest.mark.parametrize("key, value", [
    ("queues", "yes"), ("device_uris", "ipp://h/"), ("device_uris", [5]), ("device_uris", ["ipp://h:0/"]),
    ("printers", []), ("printers", 5), ("printers", {"names": {}}), ("printers", {"names": 5, "endpoints": []}),
    ("printers", {"names": {"a": [["x"], 0]}, "endpoints": []}),
    ("printers", {"names": {"a": [[], -1]}, "endpoints": []}),
    ("printers", {"names": {"a": ["1::", 0]}, "endpoints": []}),
    ("printers", {"names": {"a": [["::1"], 0]}, "endpoints": []}),
    ("printers", {"names": {}, "endpoints": [["q", "192.0.2.1", "tcp", 0]]}),
    ("printers", {"names": {}, "endpoints": [["q", "192.0.2.1", "icmp", 1, "IPP"]]}),
    ("printers", {"names": {}, "endpoints": [["q\n", "192.0.2.1", "tcp", 1, "IPP"]]}),
    ("printers", {"names": {}, "endpoints": [["q", "127.0.0.1", "tcp", 1, "IPP"]]}),
    ("printers", {"names": {}, "endpoints": [["q", "192.0.2.1", "tcp", True, "IPP"]]}),
    ("printers", {"names": {}, "endpoints": [["q", "192.0.2.1", "tcp", 1, "\" accept"]]}),
])
def test_a_memory_that_others_wrote(apply, queues, key, value):
    queues(OFFICE)
    apply("auto")
    with open(_memory.PATH, encoding="utf-8") as state:
        data = json.load(state)
    assert _memory.load().wish == data["wish"]
    data["wish"][key] = value
    with open(_memory.PATH, "w", encoding="utf-8") as state:
        json.dump(data, state)
    if (key, value) == ("printers", []):
        assert _apply.remembered_printers(_memory.load()).endpoints == ()
        return
    with pytest.raises(BackendError, match="state.json cannot be read"):
        _memory.load()


def test_by_ssh_the_connection_has_to_be_seen(apply, queues, monkeypatch):
    queues("")
    monkeypatch.setattr(cups_firewall._managed_host, "ssh_connection", lambda: None)
    with pytest.raises(Refused, match="cannot see by which connection"):
        apply([], over_ssh=True)
    assert apply([], over_ssh=True, guard=False).changed
    monkeypatch.setattr(cups_firewall._managed_host, "ssh_connection", lambda: Ssh("198.51.100.7", 22))
    assert apply([], over_ssh=True).changed and not apply([], over_ssh=True).changed
