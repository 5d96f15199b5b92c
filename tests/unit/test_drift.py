# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cause is named for which state of a host, and which command."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_drift,
    nftables_copies,
    nftables_drift,
    ufw_drift,
    ufw_kernel,
    ufw_plan,
    ufw_rules,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_change import State as FirewalldState
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_running import Running, Service
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_ipv6 import Ipv6

UNIT = "printfleet-cups-firewall.service"


@pytest.mark.parametrize("table, enabled, active, gone, changed, named", [
    (None, True, True, [], [], [("nftables-table-gone", "systemctl reload " + UNIT)]),
    (None, True, False, [], [], [("nftables-unit-stopped", "systemctl restart " + UNIT)]),
    ("table", True, False, [], [], [("nftables-unit-stopped", "systemctl restart " + UNIT)]),
    ("table", False, True, [], [], [("nftables-unit-disabled", "systemctl enable " + UNIT)]),
    (None, False, True, [], [],
     [("nftables-table-gone", "systemctl reload " + UNIT), ("nftables-unit-disabled", "systemctl enable " + UNIT)]),
    # The unit could not load it: no command of systemd's helps.
    (None, False, False, ["/etc/x"], [], [("nftables-files-gone", "")]),
    ("table", True, True, [], ["/etc/x"], [("nftables-files-differ", "")]),
    ("table", True, True, [], [], [("nftables-table-changed", "systemctl reload " + UNIT)]),
])
def test_nftables(table, enabled, active, gone, changed, named):
    causes = nftables_drift.causes(table, enabled, active, UNIT, gone, changed)
    assert [(cause.id, cause.command) for cause in causes] == named


COPIED = "\tchain kept_0123abcd {\n%s\t}\n\tchain incoming {\n\t\t%s\n\t\tjump kept_0123abcd\n\t}\n"


@pytest.mark.parametrize("written, wanted, told", [
    (("\t\ttcp dport 80 accept\n", "one"), ("\t\ttcp dport 80 accept\n\t\ttcp dport 81 accept\n", "one"),
     "others let in or out more since the last run, which our table still refuses: 'tcp dport 81 accept'"),
    (("\t\tip saddr @kept_01234567 accept\n", "one"), ("", "one"),
     "others have no longer what our table still holds a copy of: 'ip saddr @... accept'"),
    # Our own part differs: nobody knows who changed what.
    (("\t\ttcp dport 80 accept\n", "one"), ("", "two"), None),
    (("", "one"), ("", "one"), None),
])
def test_what_others_changed(written, wanted, told):
    found = nftables_copies.changes(COPIED % written, COPIED % wanted)
    assert (found and nftables_copies.told(found)) == told
    for by_hand in (False, True):
        causes = nftables_drift.causes("table", True, True, UNIT, [], [], found, by_hand)
        first = ["nftables-others-changed"] * bool(told)
        assert [one.id for one in causes] == first + ["nftables-table-changed"] * (by_hand or not told)


class UfwSteps:
    """Of the steps of a plan, what the causes look at."""

    def __init__(self, files=None, loads=None, helpers=None):
        self.files, self.loads, self.helpers = files or {}, loads or {}, helpers


@pytest.mark.parametrize("conf, ours, loaded, unit, steps, named", [
    ("ENABLED=no", True, False, "enabled", UfwSteps(), [("ufw-disabled", "ufw --force enable")]),
    ("ENABLED=no", False, False, "enabled", UfwSteps(), [("ufw-reset", "")]),
    ("ENABLED=yes", False, True, "enabled", UfwSteps(), [("ufw-rules-removed", "")]),
    ("ENABLED=yes", True, False, "enabled", UfwSteps(), [("ufw-not-loaded", "ufw reload")]),
    ("ENABLED=yes", True, True, "enabled", UfwSteps({"/etc/default/ufw": ""}, {4: None}), [("ufw-files-differ", "")]),
    ("ENABLED=yes", True, True, "enabled", UfwSteps(loads={4: None}), [("ufw-kernel-differs", "ufw reload")]),
    ("ENABLED=yes", True, True, "enabled", UfwSteps(helpers=("rule",)), [("ufw-kernel-differs", "ufw reload")]),
    ("ENABLED=yes", True, True, "disabled", UfwSteps(), [("ufw-unit-disabled", "systemctl enable ufw.service")]),
])
def test_ufw(conf, ours, loaded, unit, steps, named):
    mark = ufw_rules.COMMENT.encode().hex()
    line = "### tuple ### allow tcp 631 0.0.0.0/0 any 0.0.0.0/0 in comment=%s\n" % mark if ours else ""
    rules = "*filter\n### RULES ###\n\n%s\n### END RULES ###\nCOMMIT\n" % line
    files = dict.fromkeys(ufw_plan.FILES, rules)
    files[ufw_plan.CONF] = conf + "\n"
    kernel = ufw_kernel.parse("".join(
        ":ufw-before-{0} - [0:0]\n-A ufw-before-{0} -j ufw-user-{0}\n".format(way) for way in ("input", "output")
    ) if loaded else "")
    state = ufw_state(files, ufw_kernel.Kernel(kernel, ""), unit)
    assert [(cause.id, cause.command) for cause in ufw_drift.causes(state, steps)] == named


LOOSE = ":INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:ufw-before-logging-input - [0:0]\n"


@pytest.mark.parametrize("listing, named", [
    (LOOSE, [("ufw-chains-loose", "")]),
    # Without any chain of ufw's, ufw makes and calls them all.
    (":INPUT DROP [0:0]\n", [("ufw-not-loaded", "ufw reload")]),
])
def test_ufw_whose_chains_nobody_calls(listing, named):
    files = dict(dict.fromkeys(ufw_plan.FILES, "*filter\n### tuple ### x comment=%s\nCOMMIT\n"
                               % ufw_rules.COMMENT.encode().hex()), **{ufw_plan.CONF: "ENABLED=yes\n"})
    state = ufw_state(files, ufw_kernel.Kernel(ufw_kernel.parse(listing), ""))
    assert [(cause.id, cause.command) for cause in ufw_drift.causes(state, UfwSteps())] == named


def ufw_state(files, kernel=None, unit="enabled", ipv6=None):
    return ufw_plan.State(files, (4,), {4: kernel or ufw_kernel.Kernel({}, "")}, None, unit, ipv6 or Ipv6(True), (), {})


@pytest.mark.parametrize("changed, ipv6, named, said", [
    ({"/etc/default/ufw": "IPV6=no\n"}, Ipv6(True, "2001:db8::1 on eth0"), "ufw-ipv6-no", "2001:db8::1 on eth0"),
    ({"/etc/ufw/user.rules": None}, Ipv6(False), "ufw-file-broken", "/etc/ufw/user.rules: there is no such file"),
    ({"/etc/ufw/user.rules": "*filter\n"}, Ipv6(False), "ufw-file-broken", "no line 'COMMIT'"),
    ({"/etc/ufw/before.rules": None}, Ipv6(False), "ufw-file-broken", "/etc/ufw/before.rules: there is no such file"),
    ({"/etc/ufw/before.rules": "*filter\n"}, Ipv6(False), "ufw-file-broken", "no line 'COMMIT'"),
])
def test_ufw_that_cannot_take_the_rules(changed, ipv6, named, said):
    files = dict(dict.fromkeys(ufw_plan.FILES, "*filter\nCOMMIT\n"), **changed)
    causes = ufw_drift.causes(ufw_state(files, ipv6=ipv6), None)
    assert [(cause.id, cause.command) for cause in causes] == [(named, "")]
    assert said in causes[0].what


class FirewalldSteps:
    """Of the steps of a plan, what the causes look at."""

    def __init__(self, files=None, load=""):
        self.files, self.load = files or {}, load


START, ENABLE = "systemctl start firewalld.service", "systemctl enable --now firewalld.service"


@pytest.mark.parametrize("active, enabled, masked, in_kernel, steps, named", [
    (False, True, False, True, FirewalldSteps(), [("firewalld-stopped", START)]),
    (False, False, False, True, FirewalldSteps(), [("firewalld-disabled", ENABLE)]),
    (False, False, True, True, None,
     [("firewalld-masked", "systemctl unmask firewalld.service && " + ENABLE)]),
    (True, False, False, True, FirewalldSteps(), [("firewalld-unit-disabled", "systemctl enable firewalld.service")]),
    (True, True, False, False, FirewalldSteps(load="reload"),
     [("firewalld-not-in-kernel", "systemctl restart firewalld.service")]),
    (True, True, False, True, FirewalldSteps(load="live"), [("firewalld-runtime-differs", "firewall-cmd --reload")]),
    (True, True, False, True, FirewalldSteps({"/etc/x": "text"}, "reload"), [("firewalld-files-differ", "")]),
])
def test_firewalld(active, enabled, masked, in_kernel, steps, named):
    running = Running({}, {}, "", in_kernel) if active else None
    state = FirewalldState({}, Service(active, enabled, masked, ()), running, "public", (), False, {})
    assert [(cause.id, cause.command) for cause in firewalld_drift.causes(state, steps)] == named


def test_firewalld_in_panic_mode():
    state = FirewalldState({}, Service(True, True, False, ()), None, "public", (), False, {}, panic=True)
    (cause,) = firewalld_drift.causes(state, FirewalldSteps())
    assert (cause.id, cause.command) == ("firewalld-panic", "firewall-cmd --panic-off")


def test_firewalld_without_dbus():
    state = FirewalldState({}, Service(False, True, False, (), "dbus.socket"), None, "public", (), False, {})
    (cause,) = firewalld_drift.causes(state, None)
    assert cause.command == "systemctl unmask dbus.socket dbus.service && systemctl enable --now firewalld.service"
