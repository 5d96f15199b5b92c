# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a reboot, exactly the page's ports are open, and the host says so itself."""

from __future__ import annotations

from proof import ports

testinfra_hosts = ["ansible://servers"]


def test_swept_ports(server, sweeps):
    """All 65,536 ports of TCP and UDP, both families, both directions, a peer that may and one that may not."""
    wanted, found = sweeps[server]
    # A sweep that expects nothing open or nothing closed could not tell a difference.
    assert any(wanted.values()) and not all(wanted.values())
    told = ["%s %s: %s" % (*key, ports.difference(wanted[key], found[key])) for key in wanted
            if ports.difference(wanted[key], found[key])]
    assert not told, "\n".join(told)


def test_in_force(host):
    """The right firewall holds our rules, files and kernel alike."""
    info = host.ansible("printfleet.cups.cups_firewall_info", check=True)
    assert info["backend"] == host.ansible.get_variables()["firewall"]
    assert info["in_force"], info["difference"]


def test_everything_runs(host):
    """No unit failed, at boot or since."""
    assert host.run("systemctl is-system-running").stdout.strip() == "running"
