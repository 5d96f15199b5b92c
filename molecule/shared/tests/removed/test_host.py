# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host itself says once all that is ours is gone, as testinfra asks it."""

from __future__ import annotations

testinfra_hosts = ["ansible://servers"]


def test_nothing_is_known_of_us(host):
    """Neither to our own eyes nor on the disk."""
    assert host.ansible("printfleet.cups.cups_firewall_info", check=True)["backend"] == ""
    assert not host.file("/var/lib/printfleet-cups").exists


def test_everything_runs(host):
    """No unit failed."""
    assert host.run("systemctl is-system-running").stdout.strip() == "running"
