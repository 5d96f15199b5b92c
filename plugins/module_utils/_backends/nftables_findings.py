# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Foreign nftables chains that overrule ours, or open what ours close.  Pure."""

from __future__ import annotations

import re
from typing import Iterator, List, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _findings, _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_foreign
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours, plain

# What a firewall manager put into the kernel is told by that manager's own backend.
_GOVERNED_TABLES = ("firewalld", "firewalld_policy_drop")
_GOVERNED_CHAINS = ("ufw-before-input", "ufw6-before-input")
# With IPV6=no ufw makes no chains for IPv6, lets loopback through and drops the rest (ufw-init-functions, ufw_start).
_LOOPBACK = re.compile(r'[io]ifname "lo" (?:counter (?:packets \d+ bytes \d+ )?)?accept')
_TOLD = re.compile(
    r'\b(?:counter(?: packets \d+ bytes \d+)?|log(?: (?:prefix|level|flags|group) (?:"[^"]*"|\S+))*|comment "[^"]*")'
)
_REFUSAL = re.compile(r"(?:(tcp|udp) dport (\{[^}]*\}|[0-9-]+) )?(?:drop|reject(?: with .*)?)")
_ACCEPT = re.compile(r"udp dport (\{[^}]*\}|[0-9-]+) .*\baccept\b")
_PORT = re.compile(r"(?<![0-9])([0-9]{1,5})(?:-([0-9]{1,5}))?(?![0-9])")


def find(ruleset: str, known: Ours) -> List[Finding]:
    """Judge ``nft list ruleset``."""
    found: List[Finding] = []
    for family, table, chain, direction, policy, rules in _chains(ruleset):
        where = plain("nftables table %s %s, chain %s" % (family, table, chain))
        lost = _findings.touched(known.opened, direction, "", ())
        if policy == "drop" and lost:
            found.append(Finding(
                _findings.WARNING,
                "what it does not accept itself it drops, and no other table can undo that: packets of the page's "
                "rows get %s only where it accepts them too" % direction,
                where, "let the rows' ports pass there too, or set its policy to accept",
            ))
        for rule in rules:
            found += _judge(rule, direction, where, known)
    return found


def _chains(ruleset: str) -> Iterator[Tuple[str, str, str, str, str, Tuple[str, ...]]]:
    known = nftables_foreign.tables(ruleset)
    has_ufw = _GOVERNED_CHAINS[0] in known.get(("ip", "filter"), {})
    for family, table, chain, direction, policy in nftables_foreign.base_chains(ruleset):
        blocks = known[(family, table)]
        if table in _GOVERNED_TABLES or any(name in blocks for name in _GOVERNED_CHAINS):
            continue
        lines = blocks[chain].lines
        if has_ufw and (family, table) == ("ip6", "filter") and all(map(_LOOPBACK.fullmatch, lines[1:])):
            continue
        yield family, table, chain, direction, policy, lines


def _judge(rule: str, direction: str, where: str, known: Ours) -> List[Finding]:
    bare = " ".join(_TOLD.sub("", rule).split())
    place = "%s, rule '%s'" % (where, plain(rule))
    refusal = _REFUSAL.fullmatch(bare)
    if refusal:
        lost = _findings.touched(known.opened, direction, refusal.group(1) or "", _ports(refusal.group(2) or ""))
        return [_findings.overrules(direction, place, lost)] if lost else []
    accept = _ACCEPT.match(bare + " ")
    never = _words.NEVER_OPEN[1]
    if direction == "in" and accept and any(p.first <= never <= p.last for p in _ports(accept.group(1))):
        return [_findings.opens_never_open(place, "remove the port from that rule")]
    return []


def _ports(text: str) -> Tuple[_words.Ports, ...]:
    return tuple(_words.Ports(int(first), int(last or first)) for first, last in _PORT.findall(text))
