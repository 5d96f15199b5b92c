# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ufw backend on a host that is only played: what it decides, what it gives back, what it undoes."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import ufw as ufw_backend
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw import Ufw

RULES = "etc/ufw/user.rules"
DEFAULTS = "etc/default/ufw"
WISHES = [(i, o, log) for i in ("keep", "deny") for o in ("keep", "deny") for log in (False, True)]


def kernel(host):
    return {name: copy.deepcopy(table.chains) for name, table in host.tables.items()}


def settings(host):
    return [line for line in host.text(DEFAULTS).splitlines() if line.startswith("DEFAULT_") and "APP" not in line]


def test_missing_and_active(make_host):
    host = make_host()
    backend = Ufw(host, str(host.root))
    assert (backend.missing(), backend.active()) == ([], True)
    host.has_ufw = False
    assert (backend.missing(), backend.active()) == (["ufw"], False)


def test_a_ufw_that_is_switched_off_is_not_active(make_host):
    host = make_host(enabled=False)
    assert Ufw(host, str(host.root)).active() is False


@pytest.mark.parametrize("incoming, outgoing, log", WISHES)
@pytest.mark.parametrize("enabled, default", [(True, "DROP"), (True, "ACCEPT"), (False, "DROP"), (False, "REJECT")])
def test_once_in_force_nothing_is_left_to_do_and_absent_gives_all_back(
    make_host, make_policy, run, enabled, default, incoming, outgoing, log
):
    host = make_host(enabled, default)
    host.unit = "enabled" if enabled else "disabled"
    files, chains, unit = host.files(), kernel(host), host.unit
    first, memory = run(host, make_policy(incoming, outgoing, log))
    assert first.changed and first.before != first.after
    second, memory = run(host, make_policy(incoming, outgoing, log), memory)
    assert not second.changed and second.before == second.after == first.after
    last, memory = run(host, None, memory)
    assert last.changed and memory == {}
    assert host.files() == files and host.unit == unit
    assert kernel(host) == chains
    assert not run(host, None)[0].changed


def test_wishes_can_change_to_and_fro(make_host, make_policy, run):
    host = make_host(True, "ACCEPT")
    before, memory, seen = host.files(), {}, {}
    for wish in WISHES + WISHES[::-1]:
        memory = run(host, make_policy(*wish), memory)[1]
        assert seen.setdefault(wish, host.files()) == host.files()
    run(host, None, memory)
    assert host.files() == before


def test_an_active_ufw_is_changed_by_one_load_for_each_family(make_host, make_policy, run):
    host = make_host(True, "ACCEPT")
    run(host, make_policy("deny", "deny"))
    reads = ("unshare", "systemctl", "nft list")
    loads = [call for call in host.calls if not call.startswith(reads) and "-save" not in call]
    assert loads == ["iptables-restore -n -w 10", "ip6tables-restore -n -w 10"]
    for table in host.tables.values():
        assert [table.chains[name][0] for name in ("INPUT", "OUTPUT", "FORWARD")] == ["DROP", "DROP", "DROP"]
    assert "-A ufw-reject-output -j REJECT" in host.tables["iptables"].chains["ufw-reject-output"]


def test_keep_on_an_active_ufw_leaves_the_defaults(make_host, make_policy, run):
    host = make_host(True, "REJECT")
    before = host.text(DEFAULTS)
    run(host, make_policy())
    assert host.text(DEFAULTS) == before


def test_keep_gives_back_the_default_that_deny_changed(make_host, make_policy, run):
    host = make_host(True, "ACCEPT")
    before = host.text(DEFAULTS)
    memory = run(host, make_policy("deny", "deny"))[1]
    assert settings(host)[:2] == ['DEFAULT_INPUT_POLICY="DROP"', 'DEFAULT_OUTPUT_POLICY="REJECT"']
    run(host, make_policy(), memory)
    assert host.text(DEFAULTS) == before


def test_waking_ufw_under_keep_closes_nothing_else(make_host, make_policy, run):
    host = make_host(enabled=False)
    memory = run(host, make_policy())[1]
    assert [line.split('"')[1] for line in settings(host)] == ["ACCEPT"] * 3
    # Afterwards the administrator closes his host: that is his word, and it stays.
    host.write(DEFAULTS, host.text(DEFAULTS).replace('INPUT_POLICY="ACCEPT"', 'INPUT_POLICY="DROP"'))
    run(host, make_policy(), memory)
    assert settings(host)[0] == 'DEFAULT_INPUT_POLICY="DROP"'


def test_a_ufw_that_we_woke_opens_again_when_deny_becomes_keep(make_host, make_policy, run):
    host = make_host(enabled=False)
    memory = run(host, make_policy("deny", "deny"))[1]
    assert [line.split('"')[1] for line in settings(host)] == ["DROP", "REJECT", "ACCEPT"]
    run(host, make_policy(), memory)
    assert [line.split('"')[1] for line in settings(host)] == ["ACCEPT"] * 3


def test_ufw_is_opened_before_it_is_switched_off(make_host, make_policy, run):
    host = make_host(enabled=False)
    memory = run(host, make_policy("deny", "deny"))[1]
    verdicts, play = [], host.run

    def watch(argv, stdin=None):
        if argv[-1] == "disable" and argv[0] == "ufw":
            verdicts.extend(table.chains[name][0] for table in host.tables.values() for name in ("INPUT", "OUTPUT"))
            verdicts.append(len(host.tables["iptables"].chains["ufw-reject-output"]))
        return play(argv, stdin)

    host.run = watch
    run(host, None, memory)
    assert verdicts == ["ACCEPT"] * 4 + [1]


def test_a_default_reaches_a_family_whose_rules_stay_the_same(make_host, make_policy, run):
    host = make_host(True, "ACCEPT")
    host.write("etc/ufw/ufw.conf", "ENABLED=yes\nLOGLEVEL=off\n")
    memory = run(host, make_policy())[1]
    six = host.text("etc/ufw/user6.rules")
    run(host, make_policy("deny"), memory)
    assert host.text("etc/ufw/user6.rules") == six
    assert host.tables["ip6tables"].chains["INPUT"][0] == "DROP"


def test_rules_that_log_are_not_doubled_where_the_file_names_no_logging_chains(make_host, make_policy, run):
    host = make_host()
    lines = host.text(RULES).splitlines(True)
    host.write(RULES, "".join(line for line in lines if not line.startswith(":ufw-user-logging")))
    memory = run(host, make_policy(log=True))[1]
    once = kernel(host)
    memory = run(host, make_policy(log=True, outgoing="deny"), memory)[1]
    run(host, make_policy(log=True), memory)
    assert kernel(host) == once


def test_waking_ufw_keeps_a_kernel_closed_that_was_closed(make_host, make_policy, run):
    host = make_host(enabled=False)
    host.tables["iptables"].chains["FORWARD"][0] = "DROP"  # as Docker sets it
    memory = run(host, make_policy("deny", "keep"))[1]
    assert [line.split('"')[1] for line in settings(host)] == ["DROP", "ACCEPT", "DROP"]
    run(host, None, memory)
    assert host.tables["iptables"].chains["FORWARD"][0] == "DROP"


def test_a_reload_that_failed_does_not_close_the_host_when_we_go(make_host, make_policy, run):
    host = make_host(True, "ACCEPT")
    memory = run(host, make_policy("deny", "deny"))[1]
    # Where a reload fails ufw forgets that it is on and leaves its rules and verdicts in the kernel.
    host.write("etc/ufw/ufw.conf", host.text("etc/ufw/ufw.conf").replace("ENABLED=yes", "ENABLED=no"))
    assert host.tables["iptables"].chains["INPUT"][0] == "DROP"
    memory = run(host, make_policy("deny", "deny"), memory)[1]
    assert "ENABLED=yes" in host.text("etc/ufw/ufw.conf")
    run(host, None, memory)
    assert "ENABLED=no" in host.text("etc/ufw/ufw.conf")
    for table in host.tables.values():
        assert [table.chains[name][0] for name in ("INPUT", "OUTPUT", "FORWARD")] == ["ACCEPT"] * 3


def test_ufw_never_starts_with_reject(make_host, make_policy, run):
    host = make_host(enabled=False)
    seen = []
    start, host.start = host.start, lambda: (seen.append(host.text(DEFAULTS)), start())
    run(host, make_policy("deny", "deny"))
    assert len(seen) == 1 and "REJECT" not in seen[0]
    assert settings(host)[1] == 'DEFAULT_OUTPUT_POLICY="REJECT"'


def test_rules_of_the_administrator_come_after_ours_and_stay(make_host, make_policy, run):
    host = make_host()
    own = host.text(RULES)
    run(host, make_policy())
    text = host.text(RULES)
    assert own.partition("### RULES ###\n")[2] in text
    assert text.index("printfleet") < text.index("--dport 22 ")


# As /proc/net/if_inet6 prints ::1, fe80::1 and 2001:db8::15.
LOOPBACK = "00000000000000000000000000000001 01 80 10 80       lo\n"
LINK_LOCAL = "fe800000000000000000000000000001 02 40 20 80     eth0\n"
GLOBAL = "20010db8000000000000000000000015 02 40 00 80     eth0\n"


def without_ipv6(host, addresses):
    """IPV6=no in ufw's settings, on a host with such addresses."""
    host.write(DEFAULTS, host.text(DEFAULTS).replace("IPV6=yes", "IPV6=no"))
    (host.root / "proc/net").mkdir()
    host.write("proc/net/if_inet6", addresses)


def test_ipv6_switched_off_in_ufw_is_refused_where_the_host_has_ipv6(make_host, make_policy):
    host = make_host()
    without_ipv6(host, LOOPBACK + GLOBAL)
    backend = Ufw(host, str(host.root))
    state = backend.read({})
    with pytest.raises(BackendError, match="^/etc/default/ufw: IPV6=no: .* has the address 2001:db8::15 on eth0; set"):
        backend.plan(state, make_policy())
    assert not backend.plan(state, None).changed


@pytest.mark.parametrize("addresses", ["", LOOPBACK + LINK_LOCAL])
def test_ipv6_switched_off_in_ufw_is_told_where_the_host_has_no_ipv6_address(make_host, make_policy, run, addresses):
    host = make_host()
    without_ipv6(host, addresses)
    six = host.text("etc/ufw/user6.rules")
    plan, memory = run(host, make_policy())
    assert plan.changed and len(plan.warnings) == 1
    assert "IPV6=no: the rows are in force over IPv4 alone" in plan.warnings[0]
    assert host.text("etc/ufw/user6.rules") == six
    assert not run(host, make_policy(), memory)[0].changed


def test_ipv6_switched_off_in_ufw_is_no_matter_on_a_kernel_without_ipv6(make_host, make_policy, run):
    host = make_host()
    host.write(DEFAULTS, host.text(DEFAULTS).replace("IPV6=yes", "IPV6=no"))
    (host.root / "proc/sys/net/ipv6").rmdir()
    six = host.text("etc/ufw/user6.rules")
    plan = run(host, make_policy())[0]
    assert plan.changed and not plan.warnings
    assert host.text("etc/ufw/user6.rules") == six
    assert not [call for call in host.calls if call.startswith("ip6tables")]


def test_a_rule_file_of_another_kind_is_refused(make_host, make_policy):
    host = make_host()
    host.write(RULES, "# nothing\n")
    backend = Ufw(host, str(host.root))
    with pytest.raises(BackendError, match="^/etc/ufw/user.rules: it has no line '.filter', so ufw cannot"):
        backend.plan(backend.read({}), make_policy())


@pytest.mark.parametrize("namespaces", [True, False])
@pytest.mark.parametrize("harm", [
    lambda chains: chains["ufw-user-input"].pop(1),
    lambda chains: chains["ufw-user-output"].append("-A ufw-user-output -j ACCEPT"),
    lambda chains: chains.__setitem__("INPUT", ["ACCEPT"] + chains["INPUT"][1:]),
    lambda chains: chains["INPUT"].remove("-A INPUT -j ufw-before-input"),
    lambda chains: chains["ufw-track-output"].clear() or chains["ufw-track-output"].append("-"),
])
def test_a_kernel_that_drifted_is_seen_and_mended(make_host, make_policy, run, harm, namespaces):
    host = make_host()
    host.has_namespaces = namespaces
    memory = run(host, make_policy("deny", "keep"))[1]
    good, files = kernel(host), host.files()
    harm(host.tables["iptables"].chains)
    plan, memory = run(host, make_policy("deny", "keep"), memory)
    assert plan.changed and "the kernel: other than the files say" in plan.before
    assert kernel(host) == good and host.files() == files


def test_a_rule_of_the_same_place_but_other_meaning_is_seen(make_host, make_policy, run):
    host = make_host()
    memory = run(host, make_policy())[1]
    host.tables["iptables"].chains["ufw-user-input"][1] = "-A ufw-user-input -j ACCEPT"
    assert run(host, make_policy(), memory)[0].changed


def test_rules_of_others_in_input_are_no_drift(make_host, make_policy, run):
    host = make_host()
    memory = run(host, make_policy())[1]
    host.tables["iptables"].chains["INPUT"].insert(1, "-A INPUT -j f2b-sshd")
    host.tables["iptables"].chains["f2b-sshd"] = ["-"]
    assert not run(host, make_policy(), memory)[0].changed


@pytest.mark.parametrize("enabled, step", [
    (True, "iptables-restore"), (True, "ip6tables-restore"), (False, "ufw --force enable"),
    (False, "ip6tables-restore"), (False, "systemctl --quiet enable"),
])
def test_a_step_that_fails_puts_everything_back(make_host, make_policy, run, enabled, step):
    host = make_host(enabled, "ACCEPT")
    host.unit = "enabled" if enabled else "disabled"
    files, chains = host.files(), kernel(host)
    host.fails = step
    with pytest.raises(BackendError, match=r"failed with status 4: it does not work$"):
        run(host, make_policy("deny", "deny"))
    assert host.files() == files and kernel(host) == chains


def test_files_that_somebody_changed_meanwhile_are_not_overwritten(make_host, make_policy):
    host = make_host()
    backend = Ufw(host, str(host.root))
    plan = backend.plan(backend.read({}), make_policy())
    host.write(RULES, host.text(RULES) + "# new\n")
    files, calls = host.files(), len(host.calls)
    with pytest.raises(BackendError, match="^/etc/ufw/user.rules was changed by somebody else"):
        backend.commit(plan)
    assert host.files() == files and len(host.calls) == calls


def test_it_waits_for_ufw_and_tells_whom_it_waited_for(make_host, make_policy, monkeypatch):
    host = make_host()
    backend = Ufw(host, str(host.root))
    plan = backend.plan(backend.read({}), make_policy())

    def held(*_args):
        raise OSError("held")

    monkeypatch.setattr(ufw_backend.fcntl, "lockf", held)
    monkeypatch.setattr(ufw_backend, "_PATIENCE", 0.2)
    with pytest.raises(BackendError, match="another ufw command holds /run/ufw.lock"):
        backend.commit(plan)


def test_logging_that_ufw_will_not_do_is_told(make_host, make_policy, run):
    host = make_host()
    host.write("etc/ufw/ufw.conf", "ENABLED=yes\nLOGLEVEL=off\n")
    assert run(host, make_policy(log=True))[0].warnings[0].startswith("LOGLEVEL=off in /etc/ufw/ufw.conf")
    assert run(host, make_policy())[0].warnings == ()


def test_the_difference_reads_like_a_status(make_host, make_policy, run):
    plan = run(make_host(), make_policy("deny", "keep"))[0]
    assert "  ALLOW IN tcp from anywhere to anywhere port 22  # my SSH " in plan.before
    assert "  DENY IN tcp from anywhere to anywhere port 631  # printfleet.cups: Table 1: 631 (IPP/IPPS) TCP IN\n" \
        in plan.after
    assert "default: DROP incoming, ACCEPT outgoing, DROP forwarded\n" in plan.after
    assert "ufw: active, ufw.service: enabled\n" in plan.after
