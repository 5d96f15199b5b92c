# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conntrack helpers: for which rows, what stands in where there is none, and their modules on the host."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _apply, _helpers, _policy, _words
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Result
from ansible_collections.printfleet.cups.plugins.module_utils._flow import read_flow

LINK = _words.Interface("eth0", ("192.0.2.0/24", "2001:db8::/64"), ("192.0.2.255",), True)
TUNNEL = _words.Interface("wg0", ("198.51.100.0/24",), (), False)
SNMP = _policy.Helper("snmp", "udp", 161, "Table 3: 161 (SNMP) UDP OUT")


def flow(port, direction="out", protocol="udp", row="Table 3: 161 (SNMP) UDP OUT"):
    return read_flow({"row": row, "direction": direction, "protocol": protocol, "port": port,
                      "peers": ["198.51.100.9"], "broadcast": True}, "flow")


def make(*flows, helpers=("snmp", "netbios-ns"), default="keep"):
    return _policy.make_policy(flows, default, default, False, (LINK, TUNNEL), None, helpers)


@pytest.mark.parametrize("default", ["keep", "deny"])
@pytest.mark.parametrize("item, names", [
    (flow(161), ["snmp"]), (flow(137), ["netbios-ns"]), (flow("100-200"), ["snmp", "netbios-ns"]),
    (flow(162), []), (flow(161, "in"), []), (flow(161, protocol="tcp"), []),
])
def test_a_helper_for_what_goes_out_to_its_port(item, names, default):
    policy = make(item, default=default)
    assert [helper.name for helper in policy.helpers] == names
    assert not [o for o in policy.openings if (o.direction, o.side) == ("in", "source")]


def test_who_asks_one_printer_alone_needs_no_helper_and_opens_nothing_without():
    alone = flow(161)._replace(broadcast=False)
    for helpers in ((), ("snmp",)):
        policy = make(alone, helpers=helpers)
        assert policy.helpers == () and not [o for o in policy.openings if o.direction == "in"]
    assert make(alone._replace(peers=())).helpers == (SNMP,)


def test_two_rows_with_one_port_need_one_helper():
    assert make(flow(161), flow("160-165", row="Extra: 160-165 UDP OUT")).helpers == (SNMP,)


def test_without_the_helper_the_own_ipv4_networks_are_let_in_by_source_port():
    policy = make(flow("100-200"), helpers=("netbios-ns",))
    assert [helper.name for helper in policy.helpers] == ["netbios-ns"]
    came = [o for o in policy.openings if o.direction == "in"]
    # The tunnel has no broadcast, and the kernel's helper would know IPv4 only as well.
    assert [(o.protocol, str(o.ports), o.side, o.peers) for o in came] == [("udp", "161", "source", ("192.0.2.0/24",))]


def test_what_stands_in_for_a_helper_is_told_with_its_reason():
    around = _apply.Surroundings((LINK,), None, ("netbios-ns",))
    told = _apply._warnings([flow("137-161")], around)
    assert told == [
        "Table 3: 161 (SNMP) UDP OUT: the kernel has no conntrack helper for it, so that this host finds printers by "
        "SNMP broadcast every packet over UDP from port 161 of its own IPv4 networks is let in"
    ]
    assert _apply._warnings([flow(161)], around._replace(helpers=("snmp",))) == []


class Manager:
    """One that sets no helpers, or does."""

    def __init__(self, reason):
        self.reason = reason

    def causes(self, state, plan):
        return []

    def unhelped(self):
        return self.reason


def test_a_manager_that_sets_none_counts_as_a_kernel_that_has_none():
    around = _apply.Surroundings((LINK,), None)
    assert _apply.seen_by(Manager(""), around) == around
    seen = _apply.seen_by(Manager("it cannot"), around)
    assert seen.helpers == () and "it cannot" in _apply._warnings([flow(161)], seen)[0]
    wish = {"default_incoming": "keep", "default_outgoing": "keep", "log_denied": False}
    assert _apply.policy_of(wish, [flow(161)], seen, False).helpers == ()
    assert _apply.policy_of(wish, [flow(161)], around, False).helpers == (SNMP,)


class Kernel:
    """``has`` are modules loaded or built in, ``loadable`` those that modprobe finds; loading them makes a folder."""

    def __init__(self, sysfs, has=(), loadable=(), modprobe=True, broken=False):
        self.sysfs, self.loadable, self.modprobe, self.broken, self.calls = sysfs, loadable, modprobe, broken, []
        for name in has:
            (sysfs / name).mkdir()

    says = ""

    def program(self, name):
        return "/sbin/" + name if self.modprobe else None

    def run(self, argv, stdin=None):
        self.calls.append(argv)
        if argv[-1] not in self.loadable or (self.broken and "-n" not in argv):
            return Result(1, "", "modprobe: FATAL: Module %s not found" % argv[-1])
        if "-n" not in argv:
            (self.sysfs / argv[-1]).mkdir()
        return Result(0, self.says, "")


@pytest.fixture(autouse=True)
def sysfs(tmp_path, monkeypatch):
    monkeypatch.setattr(_helpers, "_SYSFS", str(tmp_path))
    # The tests' own machine may be one where nobody loads modules.
    monkeypatch.setattr(_helpers, "_LOCKED", str(tmp_path / "locked"))
    monkeypatch.setattr(_helpers, "_STATUS", str(tmp_path / "status"))
    return tmp_path


@pytest.mark.parametrize("kernel, had", [
    ({"has": ["nf_conntrack_snmp", "nf_conntrack_netbios_ns"]}, ("snmp", "netbios-ns")),
    ({"has": ["nf_conntrack_snmp"], "loadable": ["nf_conntrack_netbios_ns"]}, ("snmp", "netbios-ns")),
    ({"loadable": ["nf_conntrack_snmp"]}, ("snmp",)),
    ({"loadable": ["nf_conntrack_snmp"], "modprobe": False}, ()),
    ({}, ()),
])
def test_a_helper_is_had_that_is_in_the_kernel_or_can_be_loaded(sysfs, kernel, had):
    host = Kernel(sysfs, **kernel)
    assert _helpers.had(host) == had
    assert all("-n" in argv for argv in host.calls), "asking loads nothing"


@pytest.mark.parametrize("locked, status, says, had", [
    ("1\n", "CapEff:\t000001ffffffffff\n", "insmod x.ko", False),  # sysctl kernel.modules_disabled
    ("0\n", "CapEff:\t00000000a80425fb\n", "insmod x.ko", False),  # a container that was given /lib/modules
    ("0\n", "CapEff:\t000001ffffffffff\n", "install /bin/false", False),  # modprobe.d(5)
    ("0\n", "CapEff:\t000001ffffffffff\n", "insmod x.ko", True),
    (None, None, "insmod x.ko", True),
])
def test_a_module_that_root_may_not_load_is_none(sysfs, locked, status, says, had, monkeypatch):
    texts = {_helpers._LOCKED: locked, _helpers._STATUS: status}
    monkeypatch.setattr(_helpers._files, "read", texts.get)
    host = Kernel(sysfs, loadable=["nf_conntrack_snmp"])
    host.says = says + "\n"
    assert _helpers.had(host) == (("snmp",) if had else ())


def test_what_is_only_loadable_is_loaded_and_what_is_there_is_not(sysfs):
    host = Kernel(sysfs, has=["nf_conntrack_netbios_ns"], loadable=["nf_conntrack_snmp"])
    text = _helpers.text([SNMP, SNMP._replace(name="netbios-ns")])
    assert _helpers.named_in(text) == ["nf_conntrack_snmp", "nf_conntrack_netbios_ns"]
    _helpers.load(host, text)
    assert host.calls == [["modprobe", "nf_conntrack_snmp"]]
    _helpers.load(host, text)
    _helpers.load(host, None)
    assert len(host.calls) == 1


def test_a_module_that_does_not_load_ends_the_change(sysfs):
    host = Kernel(sysfs, loadable=["nf_conntrack_snmp"], broken=True)
    with pytest.raises(BackendError, match="modprobe nf_conntrack_snmp.*FATAL"):
        _helpers.load(host, _helpers.text([SNMP]))


def test_without_a_helper_there_is_no_file():
    assert _helpers.text([]) is None
