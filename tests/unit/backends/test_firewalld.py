# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewalld backend with a firewalld that is only played: what it asks, orders, and puts back."""

from __future__ import annotations

import os

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld,
    firewalld_bus,
    firewalld_objects,
    firewalld_zones,
)
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Closure, Helper, Opening, Policy
from ansible_collections.printfleet.cups.plugins.module_utils._words import Ports
from ansible_collections.printfleet.cups.tests.unit import busctl_prints


def policy(peers=("192.0.2.1",), row="row", outgoing="keep"):
    ports = Ports(631, 631)
    opening, closure = Opening(row, "in", "tcp", ports, peers), Closure(row, "in", "tcp", ports)
    return Policy((opening,), (closure,), "deny", outgoing, False)


class PlayedFirewalld:
    """A host whose firewalld loads ``next_load`` at a start or reload; ``fails`` names a method that fails once."""

    def __init__(self):
        self.active = self.enabled = False
        self.rules, self.entries, self.digest = {}, {}, ""
        self.next_load = firewalld_objects.NOTHING
        self.ports = []  # of the zone public, at runtime only
        self.direct = []
        self.bound = {}  # interfaces and sources by zone, at runtime only
        self.fails = ""
        self.calls = []
        self.panic = False
        self.whitelisted = None  # whether lockdown lets us in; None for a firewalld without lockdown
        self.silent = 0  # so many questions come before firewalld has its name on the bus

    def program(self, name):
        return None if name == "ipset" else "/usr/bin/" + name

    def run(self, argv, stdin=None):
        del stdin
        said = " ".join(argv[argv.index("call") + 4:] if "call" in argv else argv)
        self.calls.append(said)
        if self.fails and said.startswith(self.fails):
            self.fails = ""
            return Result(1, "", "Call failed: INVALID_ZONE: someone else's file is broken\n")
        if argv[0] == "busctl":
            assert self.active, "nobody answers on the bus"
            return self._answer(*argv[argv.index("call") + 4:])
        if argv[:2] == ["systemctl", "show"]:
            words = ("active" if self.active else "inactive", "enabled" if self.enabled else "disabled")
            shown = "Id=firewalld.service\nActiveState=%s\nUnitFileState=%s\nConflicts=nftables.service\n\n" % words
            return Result(0, shown + "Id=nftables.service\nActiveState=inactive\nUnitFileState=disabled\n", "")
        if argv[0] == "systemctl":
            return self._systemctl(argv[1])
        if argv[:2] == ["nft", "list"]:
            return Result(0, "udp dport 631 drop\n" if self.rules else "", "")
        return Result(0, "", "")

    def _systemctl(self, word):
        if word in ("start", "restart"):
            self.active = True
            self._load()
        elif word == "stop":
            self.active = False
        elif word in ("enable", "disable"):
            self.enabled = word == "enable"
        elif word == "is-active":
            return Result(0 if self.active else 3, "", "")
        return Result(0, "", "")

    def _load(self):
        loaded = self.next_load
        self.rules, self.entries, self.digest = dict(loaded.rules), dict(loaded.entries), loaded.digest
        self.ports = []
        self.bound = {}

    def _answer(self, method, signature="", *values):
        data = None
        if method == "NameHasOwner":
            data = not self.silent
            self.silent = max(0, self.silent - 1)
        elif self.silent:
            return Result(1, "", "Call failed: Name does not exist\n")
        elif method == "reload":
            self._load()
        elif method == "getPolicies":
            data = ["allow-host-ipv6"] + sorted(self.rules)
        elif method == "getPolicySettings":
            data = {
                "description": {"type": "s", "data": "x State %s. y" % self.digest},
                "rich_rules": {"type": "as", "data": list(self.rules.get(values[0], ()))},
            }
        elif method == "setPolicySettings":
            assert signature == "sa{sv}" and values[1:4] == ("1", "rich_rules", "as")
            self.rules[values[0]] = tuple(sorted(values[5:]))
        elif method == "getIPSets":
            data = sorted(self.entries)
        elif method == "getEntries":
            if values[0] not in self.entries:
                return Result(1, "", "Call failed: INVALID_IPSET: %s\n" % values[0])
            data = list(self.entries[values[0]])
        elif method == "setEntries":
            self.entries[values[0]] = tuple(values[2:])
        elif method == "getDefaultZone":
            data = "public"
        elif method == "getZones":
            data = ["public"]
        elif method == "getActiveZones":
            data = self.bound
        elif method == "changeZoneOfInterface":
            self.bound.setdefault(values[0], {}).setdefault("interfaces", []).append(values[1])
        elif method == "queryPanicMode":
            data = self.panic
        elif method == "queryLockdown":
            if self.whitelisted is None:
                return Result(1, "", "Call failed: Unknown method queryLockdown or interface.\n")
            data = True
        elif method.startswith("getLockdownWhitelist"):
            data = []
        elif method == "removeInterface":
            said = "UNKNOWN_INTERFACE: x" if self.whitelisted else "ACCESS_DENIED: lockdown is enabled"
            return Result(1, "", "Call failed: %s\n" % said)
        elif method == "getZoneSettings2":
            data = {"ports": {"type": "a(ss)", "data": self.ports}} if self.ports else {}
        elif method == "setZoneSettings2":
            assert values[:4] == ("public", "1", "ports", "a(ss)")
            words = values[5:]
            self.ports = [list(pair) for pair in zip(words[::2], words[1::2])]
        elif method == "getAllRules":
            data = self.direct
        elif method in ("getAllChains", "getAllPassthroughs"):
            data = []
        else:
            raise AssertionError("%s is not played" % method)
        return Result(0, busctl_prints.answer(data) if data is not None else "", "")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A /etc/firewalld of the test's own."""
    monkeypatch.setattr(firewalld_objects, "FOLDER", str(tmp_path))
    monkeypatch.setattr(firewalld_zones, "CONFIGURATION", str(tmp_path / "firewalld.conf"))
    monkeypatch.setattr(firewalld_zones, "_FOLDERS", (str(tmp_path / "zones"),))
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    (tmp_path / "firewalld.conf").write_text("DefaultZone=public\n")
    for kind in ("services", "ipsets", "policies", "zones"):
        (tmp_path / kind).mkdir()
    (tmp_path / "zones" / "public.xml").write_text("<zone><service name='ssh'/></zone>")
    (tmp_path / "services" / "mine.xml").write_text("<service/>")
    return tmp_path


@pytest.fixture(name="host")
def played_host():
    return PlayedFirewalld()


def plan_for(host, wish, memory=None):
    backend = firewalld.Firewalld(host)
    plan = backend.plan(backend.read(memory or {}), wish)
    host.next_load = plan.steps.wanted
    return backend, plan


def bring(host, wish, memory=None):
    backend, plan = plan_for(host, wish, memory)
    return backend.commit(plan)


def files_in(folder):
    return {
        str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_files_come_before_the_start_and_are_checked(host, folder):
    memory = bring(host, policy())
    assert memory == {"firewalld_was_active": "no", "firewalld_was_enabled": "no"}
    assert host.active and host.enabled
    check, start = host.calls.index("firewall-offline-cmd --check-config"), host.calls.index(
        "systemctl start firewalld.service")
    assert check < start
    assert (folder / "policies" / "printfleet-in.xml").stat().st_mode & 0o777 == 0o644
    assert not plan_for(host, policy(), memory)[1].changed


def test_a_firewalld_that_is_started_but_not_yet_on_the_bus_is_waited_for(host):
    """As with the unit of firewalld 2.5, which is of Type=simple."""
    host.silent = 3
    bring(host, policy())
    assert host.calls.count("NameHasOwner s org.fedoraproject.FirewallD1") == 4
    assert host.active and not plan_for(host, policy(), {})[1].changed


def test_a_firewalld_that_ends_while_it_starts_is_told(host, monkeypatch):
    host.silent = 10000
    monkeypatch.setattr(host, "_systemctl", lambda word: Result(3 if word == "is-active" else 0, "", ""))
    host.active = True
    with pytest.raises(BackendError, match="firewalld ended while it started"):
        firewalld_bus.start(host, "firewalld.service")


def test_other_peers_reach_the_running_set_without_a_reload(host):
    bring(host, policy())
    host.calls.clear()
    bring(host, policy(("192.0.2.2", "192.0.2.3")))
    assert host.entries == {"printfleet-cups-1-v4": ("192.0.2.2/31",)}
    assert "reload" not in host.calls
    assert not plan_for(host, policy(("192.0.2.2", "192.0.2.3")))[1].changed


def test_another_row_reaches_the_running_policy_without_a_reload(host):
    bring(host, policy())
    host.calls.clear()
    bring(host, policy(("192.0.2.1", "192.0.2.9"), row="another row"))
    assert "reload" not in host.calls
    assert [rule for rule in host.rules["printfleet-in"] if "631" in rule] == [
        'rule priority="-200" port port="631" protocol="tcp" drop',
        'rule priority="-300" family="ipv4" source address="192.0.2.1" port port="631" protocol="tcp" accept',
        'rule priority="-300" family="ipv4" source address="192.0.2.9" port port="631" protocol="tcp" accept',
    ]
    assert not plan_for(host, policy(("192.0.2.1", "192.0.2.9"), row="another row"))[1].changed


def test_what_went_in_without_a_reload_is_taken_back_without_one(host, folder):
    bring(host, policy())
    before, rules = files_in(folder), dict(host.rules)
    backend, plan = plan_for(host, policy(row="another row"))
    backend.commit(plan)
    assert host.rules != rules
    host.calls.clear()
    backend.undo(plan.steps)
    assert host.rules == rules and "reload" not in host.calls
    assert files_in(folder) != before  # which is the transaction's affair


def test_a_rule_changed_at_runtime_is_mended_without_a_reload(host):
    bring(host, policy())
    host.rules["printfleet-in"] = host.rules["printfleet-in"][:1]
    host.calls.clear()
    bring(host, policy())
    assert "reload" not in host.calls
    assert not plan_for(host, policy())[1].changed


def test_a_reload_gives_others_back_what_they_have_at_runtime_only(host):
    bring(host, policy())
    host.ports = [["1234", "tcp"], ["-5", "udp"]]
    bring(host, policy(outgoing="deny"))
    assert "reload" in host.calls
    assert host.ports == [["1234", "tcp"], ["-5", "udp"]]


@pytest.mark.parametrize("killed", [False, True])
def test_a_binding_at_runtime_only_is_given_back_first(host, killed):
    """After a reload an interface is in the default zone, which may be closed to SSH."""
    bring(host, policy())
    host.bound, host.ports = {"public": {"interfaces": ["eth0"]}}, [["22", "tcp"]]
    backend, plan = plan_for(host, policy(outgoing="deny"))
    host.calls.clear()
    if killed:
        # Right after its reload: the taking back gives back what the plan has held.
        host._load()
        host.next_load = plan_for(host, policy())[1].steps.wanted
        host.calls.clear()
        backend.undo(plan.steps)
    else:
        backend.commit(plan)
    after = host.calls[host.calls.index("reload") + 1:]
    assert after[:2] == ["getActiveZones", "changeZoneOfInterface ss public eth0"]
    assert host.bound == {"public": {"interfaces": ["eth0"]}} and host.ports == [["22", "tcp"]]


def test_removal_leaves_the_files_of_others_and_stops_what_we_started(host, folder):
    before = files_in(folder)
    memory = bring(host, policy())
    assert bring(host, None, memory) == {}
    assert files_in(folder) == before
    assert (host.active, host.enabled) == (False, False)


def test_removal_leaves_a_firewalld_that_was_there(host, folder):
    host.active = host.enabled = True
    before = files_in(folder)
    memory = bring(host, policy())
    bring(host, None, memory)
    assert files_in(folder) == before
    assert host.active and host.enabled and host.rules == {}


@pytest.mark.parametrize("fails", ["firewall-offline-cmd", "systemctl start", "systemctl enable"])
def test_a_failed_start_puts_everything_back(host, folder, fails, attempt):
    before = files_in(folder)
    backend, plan = plan_for(host, policy())
    host.fails = fails
    with pytest.raises(BackendError, match="someone else's file is broken$"):
        attempt(backend, plan)
    assert files_in(folder) == before
    assert (host.active, host.enabled) == (False, False)


def test_a_refused_reload_puts_the_files_back_and_touches_no_rule(host, folder, attempt):
    bring(host, policy())
    before, rules = files_in(folder), dict(host.rules)
    backend, plan = plan_for(host, policy(outgoing="deny"))
    host.fails = "reload"
    with pytest.raises(BackendError, match="^firewalld refused reload: INVALID_ZONE"):
        attempt(backend, plan)
    assert files_in(folder) == before
    assert host.rules == rules
    assert "systemctl restart firewalld.service" not in host.calls


def test_a_firewalld_that_does_not_hold_what_it_loaded_is_an_error(host, folder, attempt):
    bring(host, policy())
    before, held = files_in(folder), host.next_load
    backend, plan = plan_for(host, policy(outgoing="deny"))
    host.next_load = held
    with pytest.raises(BackendError, match="does not hold what was loaded"):
        attempt(backend, plan)
    assert files_in(folder) == before


def test_direct_rules_of_the_running_firewalld_are_seen_before_anything_is_touched(host, folder):
    host.active = host.enabled = True
    host.direct = [["ipv4", "filter", "INPUT", 0, ["-j", "ACCEPT"]]]
    before = files_in(folder)
    backend, plan = plan_for(host, policy())
    assert "package ipset" in plan.obstacle
    assert files_in(folder) == before
    assert "reload" not in host.calls


def test_a_change_in_panic_mode_is_refused(host):
    bring(host, policy())
    assert plan_for(host, policy())[1].obstacle == ""
    host.panic = True
    plan = plan_for(host, policy())[1]
    assert plan.changed and plan.obstacle.startswith("firewalld is in panic mode, which drops every packet")
    assert plan.before == "running firewalld: panic mode, drops every packet\n" and plan.after == ""
    with pytest.raises(BackendError, match="panic mode"):
        plan_for(host, None)


def test_nothing_of_ours_to_remove_is_no_matter_of_panic_mode(host):
    host.active = host.enabled = host.panic = True
    assert not plan_for(host, None)[1].changed


@pytest.mark.parametrize("whitelisted, told", [(None, ""), (True, ""), (False, "firewalld is in lockdown")])
def test_a_lockdown_that_lets_nothing_be_given_back_is_refused(host, whitelisted, told):
    host.active = host.enabled = True
    host.whitelisted = whitelisted
    plan = plan_for(host, policy())[1]
    assert plan.steps.load == "reload" and plan.obstacle.startswith(told) and bool(plan.obstacle) == bool(told)


def test_a_removal_under_such_a_lockdown_is_refused(host):
    bring(host, policy())
    host.whitelisted = False
    with pytest.raises(BackendError, match="whitelist does not name root"):
        plan_for(host, None)


def test_direct_rules_in_a_file_are_seen_while_planning(host, folder):
    (folder / "direct.xml").write_text("<direct><rule ipv='ipv4'>-j ACCEPT</rule></direct>")
    with pytest.raises(BackendError, match="package ipset"):
        plan_for(host, policy())
    (folder / "direct.xml").write_text("<direct></direct>")
    plan_for(host, policy())


def test_reading_and_planning_change_nothing(host, folder):
    before = files_in(folder)
    plan_for(host, policy())
    assert files_in(folder) == before
    assert [call for call in host.calls if "-save" not in call][1:] == []
    assert host.calls[0].startswith("systemctl show")


def test_a_host_without_firewalld_can_be_planned_for(host, folder):
    host.program = lambda name: None
    for path in sorted(folder.rglob("*"), reverse=True):
        os.rmdir(path) if path.is_dir() else path.unlink()
    backend, plan = plan_for(host, policy())
    assert "firewalld" in backend.missing()
    assert "firewalld.service: inactive, disabled" in plan.before
    assert host.calls == []


def test_an_inactive_firewalld_is_not_called_by_the_bus(host):
    plan_for(host, policy())
    assert not any("getPolicies" in call for call in host.calls)


def test_a_module_is_loaded_before_the_policy_that_needs_it(host, folder, monkeypatch):
    monkeypatch.setattr(_helpers, "PATH", str(folder / "modules.conf"))
    monkeypatch.setattr(_helpers, "_SYSFS", str(folder / "sys"))
    play = host.run
    host.run = lambda argv, stdin=None: (
        host.calls.append(" ".join(argv)) or Result(0, "", "") if argv[0] == "modprobe" else play(argv, stdin))
    bring(host, policy()._replace(helpers=(Helper("snmp", "udp", 161, "row"),)))
    assert host.calls.index("modprobe nf_conntrack_snmp") < host.calls.index("systemctl start firewalld.service")
    assert (folder / "modules.conf").read_text().endswith("\nnf_conntrack_snmp\n")


@pytest.mark.parametrize("backend, sets", [("nftables", True), ("iptables", False)])
def test_the_backend_iptables_sets_no_helper(host, folder, backend, sets):
    (folder / "firewalld.conf").write_text("FirewallBackend=%s\n" % backend)
    assert (firewalld.Firewalld(host).unhelped() == "") is sets
