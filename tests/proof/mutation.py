# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small wrongs done to a host's firewall in the kernel alone, to see that the proof notices them."""

from __future__ import annotations

import contextlib
from typing import Dict, Iterator, List, Sequence, Tuple

from . import lab

TABLE = "printfleet_cups_mutation"
# One more port opened, by the firewall's own means, and closed again; nothing is written to a file.
PORT = 7777
OPEN: Dict[str, Tuple[List[str], List[str]]] = {
    "nftables": (
        ["sh", "-c", "nft insert rule inet printfleet_cups incoming tcp dport %d accept" % PORT],
        ["sh", "-c", "nft -a list chain inet printfleet_cups incoming | sed -n 's/.*tcp dport %d accept # handle //p'"
                     " | xargs nft delete rule inet printfleet_cups incoming handle" % PORT],
    ),
    "firewalld": (
        ["firewall-cmd", "--add-port=%d/tcp" % PORT],
        ["firewall-cmd", "--remove-port=%d/tcp" % PORT],
    ),
    "ufw": (
        ["sh", "-c", "for i in iptables ip6tables; do $i -I INPUT -p tcp --dport %d -j ACCEPT; done" % PORT],
        ["sh", "-c", "for i in iptables ip6tables; do $i -D INPUT -p tcp --dport %d -j ACCEPT; done" % PORT],
    ),
}


@contextlib.contextmanager
def closed(beside: str, rules: Sequence[str]) -> Iterator[None]:
    """Drop what the rules' conditions match, such as ``ip saddr 198.18.8.21 tcp dport 631``, coming in."""
    lines = "".join("    %s drop\n" % rule for rule in rules)
    head = "table inet %s {\n  chain input {\n    type filter hook input priority 0; policy accept;\n" % TABLE
    lab.inside(beside, ["nft", "-f", "-"], head + lines + "  }\n}\n")
    try:
        yield
    finally:
        lab.inside(beside, ["nft", "delete", "table", "inet", TABLE])


@contextlib.contextmanager
def opened(server: str, firewall: str) -> Iterator[None]:
    """Open PORT over TCP to everyone, IPv4 and IPv6."""
    do, undo = OPEN[firewall]
    lab.inside(server, do)
    try:
        yield
    finally:
        lab.inside(server, undo)
