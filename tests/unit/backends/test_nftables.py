# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nftables backend on a host that is only played: what it decides, and what it puts back when a step fails."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _findings, _helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Helper, make_policy
from ansible_collections.printfleet.cups.tests.unit import nft_json

POLICY = make_policy((), "deny", "keep", False, (), None)
LISTING = "table inet printfleet_cups {\n\tchain refuse_in {\n\t}\n\n\tchain refuse_out {\n\t}\n}\n"


class PlayedHost:
    """Holds a kernel with or without our table; ``fails`` names the program call that does not work."""

    def __init__(self, fails=""):
        self.table = ""
        self.enabled = False
        self.fails = fails
        self.calls = []

    def program(self, name):
        return "/usr/sbin/" + name

    def run(self, argv, stdin=None):
        said = " ".join(argv)
        self.calls.append(said)
        if self.fails and said.startswith(self.fails):
            self.fails = ""
            return Result(1, "", "no space left\non device")
        if said == "nft -s list ruleset":
            return Result(0, self.table, "")
        if said == "nft -s list table inet printfleet_cups":
            return Result(0 if self.table else 1, self.table, "")
        if said.startswith("unshare"):
            return Result(0, LISTING, "")
        if said == "nft -f -":
            self.table = LISTING if "table inet printfleet_cups {" in stdin or "add table" in stdin else ""
        if said.startswith("systemctl show"):
            enabled = "enabled" if self.enabled else "disabled"
            active = "active" if self.enabled else "inactive"
            return Result(0, "ActiveState=%s\nUnitFileState=%s\nNeedDaemonReload=no\n" % (active, enabled), "")
        if said.startswith(("systemctl enable", "systemctl disable")):
            self.enabled = "enable" in said
        return Result(0, "", "")


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(nftables, "RULES", str(tmp_path / "etc/printfleet-cups/firewall.nft"))
    monkeypatch.setattr(nftables, "HELPERS", str(tmp_path / "etc/printfleet-cups/finding.nft"))
    monkeypatch.setattr(nftables, "UNIT_FILE", str(tmp_path / "etc/systemd/unit.service"))
    monkeypatch.setattr(_helpers, "PATH", str(tmp_path / "etc/modules-load.d/printfleet-cups.conf"))
    # The kernel has the one helper already.
    (tmp_path / "sys/nf_conntrack_snmp").mkdir(parents=True)
    monkeypatch.setattr(_helpers, "_SYSFS", str(tmp_path / "sys"))
    # An unprivileged test keeps its own files.
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    return tmp_path


def plan(host, policy=POLICY):
    backend = nftables.Nftables(host)
    return backend.plan(backend.read({}), policy)


def written(files):
    return sorted(str(p.relative_to(files)) for p in files.rglob("*") if p.is_file())


def test_a_bare_host_changes_once_and_then_no_more(files):
    host = PlayedHost()
    first = plan(host)
    assert first.changed and written(files) == []
    nftables.Nftables(host).commit(first)
    assert written(files) == ["etc/printfleet-cups/firewall.nft", "etc/systemd/unit.service"]
    assert host.enabled and not plan(host).changed


def test_reading_and_planning_touch_neither_kernel_nor_units():
    host = PlayedHost()
    plan(host)
    assert not [c for c in host.calls if c.startswith(("nft -f", "systemctl enable", "systemctl daemon-reload"))]


@pytest.mark.parametrize("drift", ["kernel", "rules", "unit", "enabled"])
def test_every_kind_of_drift_is_seen(files, drift):
    host = PlayedHost()
    nftables.Nftables(host).commit(plan(host))
    if drift == "kernel":
        host.table = LISTING.replace("refuse_in", "altered")
    elif drift == "enabled":
        host.enabled = False
    else:
        path = {"rules": nftables.RULES, "unit": nftables.UNIT_FILE}[drift]
        with open(path, "a", encoding="utf-8") as handle:
            handle.write("# altered\n")
    assert plan(host).changed


def test_the_order_in_which_the_table_was_made_is_no_drift():
    """A change made while it stands leaves another order than the file, loaded at boot."""
    host = PlayedHost()
    nftables.Nftables(host).commit(plan(host))
    first, last = "\tchain refuse_in {\n\t}\n", "\tchain refuse_out {\n\t}\n"
    host.table = "table inet printfleet_cups {\n%s\n%s}\n" % (last, first)
    assert not plan(host).changed


def test_removal_leaves_nothing_and_is_idempotent(files):
    host = PlayedHost()
    nftables.Nftables(host).commit(plan(host))
    removal = plan(host, None)
    assert removal.changed
    nftables.Nftables(host).commit(removal)
    assert written(files) == [] and not host.table and not host.enabled
    assert not (files / "etc/printfleet-cups").exists()
    assert not plan(host, None).changed


def test_undo_goes_on_until_the_unit_starts(files):
    """A unit that failed to start would follow no reload of nftables.service any more."""
    host = PlayedHost()
    backend = nftables.Nftables(host)
    backend.commit(plan(host))
    removal = plan(host, None)
    backend.commit(removal)
    host.fails = "systemctl start"
    with pytest.raises(BackendError, match="systemctl start"):
        backend.undo(removal.steps)
    backend.undo(removal.steps)


@pytest.mark.parametrize("step", ["nft -f -", "systemctl daemon-reload", "systemctl enable --now"])
def test_a_failed_step_is_told_in_the_programs_own_words(step):
    host = PlayedHost()
    change = plan(host)
    host.fails = step
    with pytest.raises(BackendError, match="failed with status 1: no space left on device"):
        nftables.Nftables(host).commit(change)


@pytest.mark.parametrize("had_rules", [False, True])
def test_undo_brings_the_kernel_back(had_rules):
    host = PlayedHost()
    if had_rules:
        nftables.Nftables(host).commit(plan(host))
    old = host.table
    change = plan(host, None if had_rules else POLICY)
    nftables.Nftables(host).commit(change)
    assert host.table != old
    nftables.Nftables(host).undo(change.steps)
    assert host.table == old


FINDING = POLICY._replace(helpers=(Helper("snmp", "udp", 161, "Table 3: 161 (SNMP) UDP OUT"),))


def test_a_helper_has_files_of_its_own_that_go_when_no_row_needs_it(files):
    host = PlayedHost()
    nftables.Nftables(host).commit(plan(host, FINDING))
    assert written(files) == [
        "etc/modules-load.d/printfleet-cups.conf", "etc/printfleet-cups/finding.nft",
        "etc/printfleet-cups/firewall.nft", "etc/systemd/unit.service",
    ]
    unit = (files / "etc/systemd/unit.service").read_text(encoding="utf-8")
    # Where the kernel refuses the helper at boot, the rows stand all the same.
    assert "-f %s\nExecStart=-/usr/sbin/nft -f %s\n" % (nftables.RULES, nftables.HELPERS) in unit
    assert not plan(host, FINDING).changed
    nftables.Nftables(host).commit(plan(host))
    assert written(files) == ["etc/printfleet-cups/firewall.nft", "etc/systemd/unit.service"]
    assert nftables.HELPERS not in (files / "etc/systemd/unit.service").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["HELPERS", "modules"])
def test_a_helpers_file_that_is_gone_is_drift(files, name):
    host = PlayedHost()
    nftables.Nftables(host).commit(plan(host, FINDING))
    pathlib.Path(_helpers.PATH if name == "modules" else nftables.HELPERS).unlink()
    assert plan(host, FINDING).changed


def test_a_module_is_loaded_before_the_rules_that_need_it(files):
    host = PlayedHost()
    (files / "sys/nf_conntrack_snmp").rmdir()
    nftables.Nftables(host).commit(plan(host, FINDING))
    assert host.calls.index("modprobe nf_conntrack_snmp") < host.calls.index("nft -f -")


KNOCKING = (
    "table inet vpn {\n\tset knocked {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\t}\n\n\tchain input {\n"
    "\t\ttype filter hook input priority filter; policy accept;\n\t\tip saddr @knocked tcp dport 22 accept\n\t}\n}\n"
)


class KnockingHost(PlayedHost):
    """Somebody's table beside ours, with a rule that cannot be copied."""

    def run(self, argv, stdin=None):
        said = " ".join(argv)
        done = super().run(argv, stdin)
        if said == "nft -s list ruleset":
            return Result(0, self.table + KNOCKING, "")
        if said == "nft -j -s -t list ruleset":
            return Result(0, nft_json.statements(self.table + KNOCKING), "")
        return done


def test_a_rule_that_cannot_be_copied_is_in_the_way_of_deny_and_not_of_a_host_that_needs_no_change():
    host = KnockingHost()
    first = plan(host)
    assert first.changed and "rule 'ip saddr @knocked tcp dport 22 accept'" in first.obstacle
    nftables.Nftables(host).commit(first)
    assert not plan(host).changed
    assert plan(host, make_policy((), "keep", "keep", False, (), None)).obstacle == ""


def test_it_is_a_finding_while_our_table_refuses_it():
    host = KnockingHost()
    backend, known = nftables.Nftables(host), _findings.ours(POLICY)
    assert backend.findings(known) == []
    backend.commit(plan(host))
    (finding,) = backend.findings(known)
    assert finding.level == "warning" and "since it cannot be copied: its set knocked changes" in finding.what
    assert backend.findings(_findings.ours(None)) == []
