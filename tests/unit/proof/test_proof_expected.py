# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the proof expects to be open, for wishes that a person can work out by hand."""

from __future__ import annotations

import pytest
from proof import expected, page
from proof.observer import ALL_PORTS

ALLOWED, DENIED = "198.18.8.21", "2001:db8:8::22"
KEEP = {"cups_firewall_sources": ["198.18.8.20/31"]}
DENY = {
    **KEEP,
    "cups_firewall_printers": [ALLOWED],
    "cups_firewall_default_incoming": "deny",
    "cups_firewall_default_outgoing": "deny",
}


@pytest.fixture
def ports(checkout):
    """A function from wishes to ports."""
    rows = page.read((checkout / "tests" / "firewalls.html").read_text(encoding="utf-8"))

    def work_out(backend, variables, direction, protocol, peer):
        wanted = expected.openings(rows, variables)
        return expected.open_ports(backend, wanted, variables, direction, protocol, peer)

    return work_out


@pytest.mark.parametrize("backend, variables, direction, protocol, peer, result", [
    # keep: the rows are closed to others, 631/udp to everyone, and nothing else changes.
    ("nftables", KEEP, "in", "tcp", ALLOWED, ALL_PORTS),
    ("nftables", KEEP, "in", "tcp", DENIED, ALL_PORTS - {631}),
    ("nftables", KEEP, "in", "udp", ALLOWED, ALL_PORTS - {631}),
    ("nftables", KEEP, "in", "udp", DENIED, ALL_PORTS - {631, 5353}),
    ("nftables", KEEP, "out", "udp", DENIED, ALL_PORTS),
    ("firewalld", KEEP, "in", "tcp", ALLOWED, {22, 631, 8080}),
    ("firewalld", KEEP, "in", "tcp", DENIED, {22, 8080}),
    ("ufw", KEEP, "in", "tcp", ALLOWED, {631, 8080}),
    ("ufw", KEEP, "in", "tcp", DENIED, {8080}),
    ("ufw", KEEP, "in", "udp", ALLOWED, {5353}),
    ("ufw", KEEP, "out", "tcp", DENIED, ALL_PORTS),
    # deny: the rows, and what the administrator opened.
    ("nftables", DENY, "in", "tcp", ALLOWED, {631, 8080}),
    ("nftables", DENY, "in", "tcp", DENIED, {8080}),
    ("nftables", DENY, "out", "tcp", ALLOWED, {53, 443, 515, 631, 9100, 9101, 9102}),
    ("nftables", DENY, "out", "tcp", DENIED, {53}),
    ("firewalld", DENY, "out", "udp", ALLOWED, {53, 67, 161, 5353}),
    ("firewalld", DENY, "out", "udp", DENIED, {53, 547, 5353}),
    ("ufw", DENY, "out", "udp", DENIED, {53, 5353}),
    # No sources: anyone.
    ("ufw", {}, "in", "tcp", DENIED, {631, 8080}),
])
def test_open_ports(ports, backend, variables, direction, protocol, peer, result):
    """The set as worked out by hand from the page."""
    assert ports(backend, variables, direction, protocol, peer) == result


def test_mapping_of_sources(ports):
    """Each profile has its own, and extra rows have theirs."""
    variables = {
        "cups_firewall_profiles": ["ipp_sharing", "smb_sharing"],
        "cups_firewall_sources": {"ipp_sharing": [ALLOWED], "smb_sharing": [DENIED]},
        "cups_firewall_extra_flows": [
            {"port": "8632-8634", "protocols": ["tcp"], "directions": ["in"], "peers": [DENIED]},
        ],
    }
    assert ports("ufw", variables, "in", "tcp", ALLOWED) == {631, 8080}
    assert ports("ufw", variables, "in", "tcp", DENIED) == {139, 445, 8080, 8632, 8633, 8634}


def test_removed():
    """Only the host's own rules remain, the administrator's printing port among them."""
    assert expected.removed_ports("nftables", "in", "udp") == ALL_PORTS
    assert expected.removed_ports("firewalld", "in", "tcp") == {22, 631, 8080}
    assert expected.removed_ports("ufw", "in", "tcp") == {631, 8080}
