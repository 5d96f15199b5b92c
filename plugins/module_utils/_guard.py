# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard: would this policy close the door by which Ansible came?  Pure."""

from __future__ import annotations

import ipaddress
from typing import Optional

from ansible_collections.printfleet.cups.plugins.module_utils._policy import Opening, Policy, Ssh
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused


def judge(policy: Policy, ssh: Ssh) -> None:
    """Raise Refused, naming the row, where a new SSH connection like the present one would be refused."""
    opened = [o for o in policy.openings if o.direction == "in" and o.protocol == "tcp" and o.side == "destination"]
    if any(o.ports.first <= ssh.port <= o.ports.last and _lets_in(o, ssh.client) for o in opened):
        return
    for closure in policy.closures:
        covers = closure.ports.first <= ssh.port <= closure.ports.last
        if (closure.direction, closure.protocol) == ("in", "tcp") and covers:
            raise Refused(
                "The row '%s' would cut the connection by which Ansible reaches this host: it closes port %d to %s. "
                "Add that address to the row's peers or to cups_firewall_sources, or set cups_firewall_guard to false."
                % (closure.row, ssh.port, ssh.client)
            )


def refuse_unseen(ssh: Optional[Ssh]) -> None:
    """Raise Refused where Ansible came by SSH, and the host does not see by which connection.

    systemd-run, which machinectl and run0 are made of, starts programs as children of systemd: no parent of ours has
    SSH_CONNECTION in its environment then.
    """
    if ssh is None:
        raise Refused(
            "Ansible came by SSH, but this host cannot see by which connection, so nothing would keep it open "
            "(become_method machinectl and run0 hide it). Use become_method sudo, or set cups_firewall_guard to false "
            "and open SSH with a row of your own in cups_firewall_extra_flows."
        )


def _lets_in(opening: Opening, client: str) -> bool:
    if opening.peers is None:
        return True
    address = ipaddress.ip_address(client)
    networks = (ipaddress.ip_network(peer) for peer in opening.peers)
    return any(address in network for network in networks if network.version == address.version)
