# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Foreign nftables chains that overrule ours, or open what ours close.  Pure."""

from __future__ import annotations

import re
from typing import Iterable, Iterator, List, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _findings, _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    nftables_foreign,
    nftables_lines,
    rule_order,
)
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours, plain

# What a firewall manager put into the kernel is told by that manager's own backend.
_GOVERNED_TABLES = ("firewalld", "firewalld_policy_drop")
_GOVERNED_CHAINS = ("ufw-before-input", "ufw6-before-input")
# With IPV6=no ufw makes no chains for IPv6, lets loopback through and drops the rest (ufw-init-functions, ufw_start).
_LOOPBACK = re.compile(r'[io]ifname "lo" (?:counter (?:packets \d+ bytes \d+ )?)?accept')
_VERSIONS = {"ip": 4, "ip6": 6}


def find(ruleset: str, known: Ours) -> List[Finding]:
    """Judge ``nft list ruleset``."""
    found: List[Finding] = []
    never, port = _words.NEVER_OPEN
    for family, table, blocks, chain, direction, policy in _chains(ruleset):
        place = "nftables table %s %s, chain " % (family, table)
        chains = {
            name: _rules(block.lines, direction, place + name) for name, block in blocks.items()
            if block.kind == "chain"
        }
        base = rule_order.Base(chain, direction, _VERSIONS.get(family, 0), policy == "drop")
        for where, ports in rule_order.refusals(chains, base, known).items():
            if where:
                found.append(_findings.overrules(direction, where, ports))
            else:
                found.append(_findings.policy_overrules(direction, plain(place + chain), ports))
        for rule in chains[chain] if direction == "in" else ():
            if (rule.verdict, rule.protocol) == (rule_order.ACCEPT, never) and rule.ports and rule.meets(never, port):
                found.append(_findings.opens_never_open(rule.where, "remove the port from that rule"))
    return found


def _rules(lines: Iterable[str], direction: str, place: str) -> List[rule_order.Rule]:
    read = (nftables_lines.read(line, direction, "%s, rule '%s'" % (plain(place), plain(line))) for line in lines)
    return [rule or rule_order.NOTHING for rule in read]


def _chains(ruleset: str) -> Iterator[Tuple[str, str, dict, str, str, str]]:
    known = nftables_foreign.tables(ruleset)
    has_ufw = _GOVERNED_CHAINS[0] in known.get(("ip", "filter"), {})
    for family, table, chain, direction, policy in nftables_foreign.base_chains(ruleset):
        blocks = known[(family, table)]
        if table in _GOVERNED_TABLES or any(name in blocks for name in _GOVERNED_CHAINS):
            continue
        # The first line is the chain's type, hook and policy.
        if has_ufw and (family, table) == ("ip6", "filter") and all(map(_LOOPBACK.fullmatch, blocks[chain].lines[1:])):
            continue
        yield family, table, blocks, chain, direction, policy
