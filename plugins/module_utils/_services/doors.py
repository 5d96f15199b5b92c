# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the firewall's policy means for one port that a service listens on.  Pure."""

from __future__ import annotations

from typing import NamedTuple, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _policy
from ansible_collections.printfleet.cups.plugins.module_utils._services import addresses
from ansible_collections.printfleet.cups.plugins.module_utils._services.addresses import Addresses


class Door(NamedTuple):
    """Who gets in at a port; ``closed``: all others are refused by rules of ours."""

    addresses: Addresses
    rows: Tuple[str, ...]
    closed: bool

    @property
    def open(self) -> bool:
        """Whether anybody gets in by a row of ours."""
        return not self.addresses.empty

    @property
    def named(self) -> str:
        """Its rows, for a sentence."""
        return " and ".join("'%s'" % row for row in self.rows)


def door(policy: _policy.Policy, protocol: str, port: int) -> Door:
    """The door at an incoming port."""
    closed = policy.default_incoming == "deny"
    for segment in _policy.segments(policy, "in", protocol):
        if segment.ports.first <= port <= segment.ports.last:
            who = addresses.EVERYONE if segment.peers is None else addresses.of(segment.peers)
            return Door(who, segment.rows, closed or segment.closed)
    return Door(addresses.NOBODY, (), closed)
