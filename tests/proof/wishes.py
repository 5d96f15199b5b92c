# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wishes of the scenario lockout, as --extra-vars for molecule/shared/over_ssh.yml."""

from __future__ import annotations

# It lets in an address of nobody's, and closes the port by which Ansible comes.
CUT = {
    "cups_firewall_extra_flows": [{
        "port": "{{ ssh_port }}",
        "service": "SSH",
        "protocols": ["tcp"],
        "directions": ["in"],
        "peers": ["{{ lab_v4 }}99"],
    }],
}
UNGUARDED = {**CUT, "cups_firewall_guard": False}
# Everything refused that is not asked for; nobody speaks of SSH.
GOOD = {
    "cups_firewall_sources": ["{{ lab_v4 }}0/24", "{{ lab_v6 }}/64"],
    "cups_firewall_default_incoming": "deny",
    "cups_firewall_default_outgoing": "deny",
}
REMOVED = {"cups_firewall_state": "absent"}


def within(seconds: int, wishes: dict) -> dict:
    """The same with so much time for the confirmation.

    A change that is to be confirmed costs no more with more of it, and a busy machine may need it.
    """
    return {**wishes, "cups_firewall_confirm_timeout": seconds}
