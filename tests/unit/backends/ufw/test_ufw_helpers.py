# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conntrack helpers under ufw: our section of before.rules, and our chain in the kernel's table raw."""

from __future__ import annotations

import os

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import ufw_helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw import Ufw
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Helper

SNMP = Helper("snmp", "udp", 161, "Table 3: 161 (SNMP) UDP OUT")
RULE = "-A printfleet-cups -p udp -m udp --dport 161 -j CT --helper snmp"
JUMP = "-A OUTPUT -j printfleet-cups"
THEIRS = "-A OUTPUT -p udp --dport 9 -j NOTRACK"
MODULES = "etc/modules-load.d/printfleet-cups.conf"


@pytest.fixture(autouse=True)
def own_files(monkeypatch, tmp_path):
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    (tmp_path / "sys/nf_conntrack_snmp").mkdir(parents=True)
    monkeypatch.setattr(_helpers, "_SYSFS", str(tmp_path / "sys"))


def ours(host):
    """The chain and the ways into it."""
    chain = host.raw.chains.get("printfleet-cups")
    return (chain[1:] if chain else None), host.raw.chains["OUTPUT"].count(JUMP)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_run_sets_the_helper_once_and_removal_leaves_all_as_it_was(make_host, make_policy, run, enabled):
    host = make_host(enabled)
    before = host.files()
    _plan, memory = run(host, make_policy(finding=True))
    assert ours(host) == ([RULE], 1)
    assert "\nnf_conntrack_snmp\n" in host.text(MODULES)
    text = host.text("etc/ufw/before.rules")
    assert text.index(THEIRS) < text.index(RULE) < text.index("# the end")
    assert not run(host, make_policy(finding=True), memory)[0].changed
    run(host, None, memory)
    assert ours(host) == (None, 0)
    assert host.files() == before
    assert not run(host, None)[0].changed


def test_a_policy_that_needs_no_helper_touches_nothing_of_it(make_host, make_policy, run):
    host = make_host()
    text = host.text("etc/ufw/before.rules")
    plan, memory = run(host, make_policy())
    assert ours(host) == (None, 0) and host.text("etc/ufw/before.rules") == text
    assert not os.path.exists(str(host.root / MODULES)) and "raw" not in plan.after
    run(host, make_policy(finding=True), memory)
    assert ours(host) == ([RULE], 1)
    run(host, make_policy(), memory)
    assert ours(host) == (None, 0) and host.text("etc/ufw/before.rules") == text


def test_each_reload_of_ufw_adds_a_way_and_that_is_no_drift(make_host, make_policy, run):
    host = make_host()
    _plan, memory = run(host, make_policy(finding=True))
    host.raw.chains["OUTPUT"] += [JUMP, THEIRS]
    assert not run(host, make_policy(finding=True), memory)[0].changed
    run(host, None, memory)
    assert ours(host) == (None, 0) and THEIRS in host.raw.chains["OUTPUT"]


@pytest.mark.parametrize("harm", ["no rule", "another rule", "no way", "no chain", "file", "modules"])
def test_drift_is_seen_and_mended(make_host, make_policy, run, harm):
    host = make_host()
    _plan, memory = run(host, make_policy(finding=True))
    if harm == "no way":
        host.raw.chains["OUTPUT"].remove(JUMP)
    elif harm == "no chain":
        host.raw.chains["OUTPUT"].remove(JUMP)
        del host.raw.chains["printfleet-cups"]
    elif harm == "file":
        host.write("etc/ufw/before.rules", host.text("etc/ufw/before.rules").replace("snmp", "ftp"))
    elif harm == "modules":
        host.write(MODULES, "")
    else:
        host.raw.chains["printfleet-cups"][1:] = [] if harm == "no rule" else [RULE.replace("161", "162")]
    plan, memory = run(host, make_policy(finding=True), memory)
    assert plan.changed and plan.before != plan.after
    assert ours(host) == ([RULE], 1) and "helper snmp" in host.text("etc/ufw/before.rules")
    assert "nf_conntrack_snmp" in host.text(MODULES)


def test_a_failed_change_is_taken_back_with_the_helper(make_host, make_policy, run):
    host = make_host()
    before = host.files()
    host.fails = "iptables-restore"
    with pytest.raises(BackendError):
        run(host, make_policy(finding=True))
    assert ours(host) == (None, 0) and host.files() == before


def test_undo_gives_the_chain_back_that_was_there(make_host, make_policy, run):
    host = make_host()
    _plan, memory = run(host, make_policy(finding=True))
    backend = Ufw(host, str(host.root))
    plan = backend.plan(backend.read(memory), None)
    backend.commit(plan)
    assert ours(host) == (None, 0)
    backend.undo(plan.steps)
    assert ours(host) == ([RULE], 1)


def test_a_file_that_is_none_of_ufws_is_refused(make_host, make_policy, run):
    host = make_host()
    host.write("etc/ufw/before.rules", "nothing\n")
    with pytest.raises(BackendError, match=r"before\.rules: it has no line 'COMMIT', so ufw cannot load it either"):
        run(host, make_policy(finding=True))
    run(host, make_policy())


@pytest.mark.parametrize("text", [
    "*filter\nCOMMIT\n", "*filter\nCOMMIT\n# no end", "*nat\nCOMMIT\n*filter\n\nCOMMIT\n\n",
])
def test_the_section_comes_last_and_goes_without_a_trace(text):
    whole = ufw_helpers.with_ours(text, [SNMP])
    assert whole.rindex("*raw") > whole.rindex("*filter") and whole.count("*raw") == 1
    assert ufw_helpers.without_ours(whole) == text
    # Somebody wrote on behind it.
    assert ufw_helpers.without_ours(whole + "more\n") == text + "more\n"
    assert ufw_helpers.with_ours(text, []) == text


def test_only_our_own_section_counts_as_ours():
    raw = "*raw\n:OUTPUT ACCEPT [0:0]\n%s\nCOMMIT\n"
    assert ufw_helpers.parse(raw % THEIRS) == ufw_helpers.Raw(0, None)
    assert ufw_helpers.parse("*filter\n:printfleet-cups - [0:0]\nCOMMIT\n") == ufw_helpers.Raw(0, None, False)
    assert ufw_helpers.parse("") == ufw_helpers.Raw(0, None, False)


def test_a_module_that_does_not_load_ends_the_change_before_any_rule(make_host, make_policy, run):
    host = make_host()
    before = host.files()
    os.rmdir(str(host.root / "sys/nf_conntrack_snmp"))
    host.fails = "modprobe nf_conntrack_snmp"
    with pytest.raises(BackendError, match="modprobe nf_conntrack_snmp"):
        run(host, make_policy(finding=True))
    assert ours(host) == (None, 0) and host.files() == before


def test_the_modules_file_that_another_backend_took_away_is_nobodys_change(make_host, make_policy, run):
    host = make_host()
    memory = run(host, make_policy(finding=True))[1]
    backend = Ufw(host, str(host.root))
    plan = backend.plan(backend.read(memory), None)
    (host.root / MODULES).unlink()
    backend.commit(plan)
    assert not (host.root / MODULES).exists() and "printfleet" not in host.text("etc/ufw/user.rules")
