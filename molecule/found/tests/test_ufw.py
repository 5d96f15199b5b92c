# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with ufw, as hardening roles and administrators leave them."""

from __future__ import annotations

import pytest
from found.host import open_to, warnings

ACTIVE = "ufw allow 22/tcp; ufw default deny incoming; ufw --force enable; "
NO_IPV6 = "sed -i s/^IPV6=.*/IPV6=no/ /etc/default/ufw; "
ASKED = (("allowed", "631/tcp"), ("denied", "631/tcp"))


def in_force_over_ipv4_alone(host):
    """The rows are in force over IPv4, and one warning says why over IPv4 alone."""
    host.setup(NO_IPV6 + ACTIVE)
    assert not open_to(host.reached(*ASKED), "allowed", "631/tcp")
    told = host.role(default_incoming="deny")
    said = [one for one in warnings(told) if "IPv6" in one or "ip6" in one]
    assert len(said) == 1 and "IPV6=no: the rows are in force over IPv4 alone" in said[0], said
    after = host.reached(*ASKED)
    assert open_to(after, "allowed", "631/tcp") and not open_to(after, "denied", "631/tcp"), after
    assert not host.role(default_incoming="deny")["changed"]
    assert host.audit()["in_force"]


def test_ipv6_no_on_a_host_without_ipv6(give):
    """It is switched off by sysctl."""
    in_force_over_ipv4_alone(give("debian13", "--sysctl=net.ipv6.conf.all.disable_ipv6=1", "--no-ipv6"))


def test_ipv6_no_on_a_host_without_an_ipv6_address(give):
    """Once the host gets an address, the audit tells it, and the role refuses."""
    host = give("debian12")
    ipv6, host.ends = host.ends[1], (host.ends[0], "")
    host.setup("ip -6 address flush dev eth0 scope global")
    in_force_over_ipv4_alone(host)
    host.setup("ip -6 address add %s/64 dev eth0 nodad" % ipv6)
    told = host.audit()
    assert not told["in_force"] and [cause["id"] for cause in told["drift"]] == ["ufw-ipv6-no"], told["drift"]
    assert host.refused(default_incoming="deny") == told["drift"][0]["what"]
    host.setup("ip -6 address delete %s/64 dev eth0" % ipv6)
    assert host.audit()["in_force"]


def test_ipv6_no_on_a_host_with_ipv6(give):
    """It is refused before anything is touched, and check mode says the same."""
    host = give("debian13")
    host.setup(NO_IPV6 + ACTIVE)
    before = host.rules()
    for check in (True, False):
        said = host.refused(check=check)
        assert said.startswith("/etc/default/ufw: IPV6=no: ") and host.ends[1] in said, said
    assert host.rules() == before


@pytest.mark.parametrize("host", ["debian13"], indirect=True)
def test_comments_ahead_of_the_rules(host):
    """ufw's start script and iptables-restore take them, and so does the role; the file keeps them.

    (`ufw reload` and `ufw allow` write the files anew, without such lines.)
    """
    files = "/etc/ufw/user.rules /etc/ufw/user6.rules"
    host.setup(ACTIVE + "sed -i '1i # Ansible managed\\n' %s; systemctl restart ufw" % files)
    before = host.run("cat", "/etc/ufw/user.rules")
    host.role()
    text = host.run("cat", "/etc/ufw/user.rules")
    assert text.startswith("# Ansible managed\n\n*filter\n") and "printfleet" in text.lower(), text
    host.run("systemctl", "restart", "ufw")
    after = host.reached(*ASKED)
    assert open_to(after, "allowed", "631/tcp") and not open_to(after, "denied", "631/tcp"), after
    assert host.audit()["in_force"]
    host.remove()
    assert host.run("cat", "/etc/ufw/user.rules") == before


def test_removal_leaves_no_table_that_was_not_there(host):
    """SNMP's helper needs the table raw; iptables makes a whole table for one rule and never takes it away."""
    host.setup(ACTIVE)
    before = host.rules()
    assert "raw" not in before
    host.role(profiles=["ipp_sharing", "network_printers"], default_outgoing="deny")
    assert "*raw" in host.rules()
    host.remove()
    assert host.rules() == before


@pytest.mark.parametrize("host", ["debian13"], indirect=True)
def test_a_table_raw_of_somebody_else_stays(host):
    """Its rule stands while ours come and go."""
    host.setup(ACTIVE + "iptables -t raw -A PREROUTING -p udp --dport 53 -j NOTRACK")
    before = host.rules()
    assert "udp dport 53 counter notrack" in before
    host.role(profiles=["ipp_sharing", "network_printers"], default_outgoing="deny")
    during = host.rules()
    assert "udp dport 53 counter notrack" in during and "--helper snmp" in during
    host.remove()
    assert host.rules() == before


@pytest.mark.parametrize("host", ["debian12"], indirect=True)
def test_ufw_switched_on_by_the_role_leaves_no_table_behind(host):
    """Without a rule in the kernel before, there is none after."""
    before = host.rules()
    host.role(backend="ufw", profiles=["ipp_sharing", "network_printers"], default_outgoing="deny")
    assert host.rules() != before
    host.remove()
    assert host.rules() == before
