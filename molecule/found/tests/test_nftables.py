# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of others in nftables, beside ours."""

from __future__ import annotations

import re

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


def test_deny_beside_rules_of_others_and_what_they_open_later(host):
    """ICMP's redirect is a type and no statement; what is opened later waits for the next run, and the audit says so.

    The control: 9999/tcp is opened with ours away, and by the next run.
    """
    host.case("icmp_redirect")
    asked = [(role, port) for role in ("allowed", "denied") for port in ("631/tcp", "8080/tcp", "9999/tcp")]
    host.role(default_incoming="deny")
    told = host.reached(*asked)
    assert open_to(told, "allowed", "631/tcp") and open_to(told, "denied", "8080/tcp"), told
    assert not open_to(told, "denied", "631/tcp") and not open_to(told, "denied", "9999/tcp"), told
    assert host.role(default_incoming="deny")["changed"] is False
    assert host.audit()["in_force"]

    host.setup("sed -i 's/631, 8080 }/631, 8080, 9999 }/' /etc/nftables.conf; systemctl reload nftables")
    assert not open_to(host.reached(*asked), "denied", "9999/tcp")
    drift = host.audit()["drift"]
    assert [(one["id"], one["command"]) for one in drift] == [("nftables-others-changed", "")], drift
    assert "refuses: 'tcp dport { 22, 631, 8080, 9999 } accept'" in drift[0]["what"], drift
    host.setup("nft insert rule inet printfleet_cups incoming tcp dport 9998 accept")
    drift = [one["id"] for one in host.audit()["drift"]]
    assert drift == ["nftables-others-changed", "nftables-table-changed"], drift

    assert host.role(default_incoming="deny")["changed"]
    after = host.reached(*asked)
    assert open_to(after, "denied", "9999/tcp") and not open_to(after, "denied", "631/tcp"), after
    assert host.audit()["in_force"]
    # As wg-quick, libvirt and podman do at any time; and taken back again.
    host.setup("iptables -A INPUT -i wg0 -j ACCEPT")
    drift = host.audit()["drift"]
    assert [one["id"] for one in drift] == ["nftables-others-changed"] and "wg0" in drift[0]["what"], drift
    host.setup("iptables -D INPUT -i wg0 -j ACCEPT")
    assert host.audit()["in_force"]


def test_a_later_rule_that_cannot_be_copied_is_a_finding(host):
    """Neither the audit nor a run that changes nothing of ours fails of it; what it opens was shut before."""
    host.role(default_incoming="deny")
    host.setup("""nft -f - <<'R'
table inet vpn {
  set knocked { type ipv4_addr; flags timeout; }
  chain input { type filter hook input priority filter; policy accept; ip saddr @knocked tcp dport 9999 accept; }
}
R""")
    told = host.audit()
    found = [one for one in told["findings"] if "chain input" in one["where"] and "vpn" in one["where"]]
    assert [one["level"] for one in found] == ["warning"], told["findings"]
    assert "its set knocked changes by itself" in found[0]["what"] and told["in_force"], told
    assert host.role(default_incoming="deny")["changed"] is False
    # A change of ours that shuts nothing of theirs is made.
    assert host.role(default_incoming="deny", log_denied=True)["changed"]
    # On a host where ours is not in force yet, deny would shut it: refused ahead of anything.
    host.remove()
    before = host.rules()
    assert "its set knocked changes by itself" in host.refused(default_incoming="deny")
    assert host.rules() == before


OURS = re.compile(r"(?ms)^table inet printfleet_cups \{$.*?^\}$")
EVENTS = (
    ("nft flush ruleset", "nftables-table-gone", "systemctl reload %s"),
    ("nft -f /etc/nftables.conf", "nftables-table-gone", "systemctl reload %s"),
    ("nft delete table inet printfleet_cups", "nftables-table-gone", "systemctl reload %s"),
    ("systemctl start nftables", "nftables-table-gone", "systemctl reload %s"),  # it was not running
    ("systemctl restart nftables", "", ""),
    ("systemctl reload nftables", "", ""),
    ("apt-get -q install --reinstall -y nftables", "", ""),
    ("systemctl stop nftables", "nftables-unit-stopped", "systemctl restart %s"),
    ("systemctl stop %s", "nftables-unit-stopped", "systemctl restart %s"),
    ("systemctl disable -q %s", "nftables-unit-disabled", "systemctl enable %s"),
    ("! systemctl mask %s", "", ""),
    ("nft insert rule inet printfleet_cups incoming tcp dport 631 accept", "nftables-table-changed",
     "systemctl reload %s"),
    ("nft flush chain inet printfleet_cups incoming", "nftables-table-changed", "systemctl reload %s"),
)


def test_what_becomes_of_our_rules(host):
    """Each event of README's table: the audit names the cause, and the command that it names brings the rules back.

    Where they were away, strangers got in: the control for each command.
    """
    unit = "printfleet-cups-firewall.service"
    host.role(backend="nftables")
    rules = host.rules()
    for event, cause, command in EVENTS:
        host.setup(event.replace("%s", unit))
        drift = host.audit()["drift"]
        wanted = [(cause, command.replace("%s", unit))] if cause else []
        assert [(one["id"], one["command"]) for one in drift] == wanted, (event, drift)
        if cause in ("nftables-table-gone", "nftables-table-changed") or event == "systemctl stop nftables":
            assert open_to(host.reached(("denied", "631/tcp")), "denied", "631/tcp"), event
        for one in drift:
            host.setup(one["command"])
        assert OURS.findall(host.rules()) == OURS.findall(rules), event
        assert not drift or host.audit()["in_force"], event
    told = host.reached(("allowed", "631/tcp"), ("denied", "631/tcp"))
    assert open_to(told, "allowed", "631/tcp") and not open_to(told, "denied", "631/tcp"), told
