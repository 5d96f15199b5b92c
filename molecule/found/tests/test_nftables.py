# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of others in nftables, beside ours."""

from __future__ import annotations

from found.host import open_to


def test_keep_beside_rules_of_others(host):
    """What others opened stays open to strangers, 631/tcp is narrowed; the control is the host before."""
    host.case("icmp_redirect")
    asked = [(role, port) for role in ("allowed", "denied") for port in ("631/tcp", "8080/tcp", "9999/tcp")]
    before = host.reached(*asked)
    assert open_to(before, "denied", "631/tcp") and not open_to(before, "denied", "9999/tcp"), before
    host.role()
    after = host.reached(*asked)
    assert open_to(after, "allowed", "631/tcp") and open_to(after, "denied", "8080/tcp"), after
    assert not open_to(after, "denied", "631/tcp"), after
    assert host.audit()["in_force"]
    host.remove()
    assert host.reached(*asked) == before
