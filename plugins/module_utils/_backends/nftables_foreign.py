# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the administrator's own nftables chains let in and out, so that it can stand beside a default deny.  Pure.

Base chains combine: a packet has to pass every one of them, so our default deny would undo what
another table accepts.  Therefore our table evaluates a copy of those chains before it refuses.
Only an explicit accept counts there; what another chain drops never comes to be seen as open,
since its own hook drops it still.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_ruleset
from ansible_collections.printfleet.cups.plugins.module_utils._findings import plain

_TABLE = re.compile(r"table (ip|ip6|inet) (\S+) \{")
_BLOCK = re.compile(r"\t(set|map|chain) (\S+) \{")
_BASE = re.compile(r"type filter hook (input|output) priority [^;]+; policy (accept|drop);")
# A text ends where the next word begins: anything else is a name that somebody made with another program than nft.
_TEXT = re.compile(r'(?<![^\s{,])"[^"]*"(?=[\s},;]|$)')
_SOUND_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_/.\\-]{0,60}")
# What a copied rule may consist of once its texts are taken out, and the texts: names of interfaces, users, groups.
_SOUND_RULE = re.compile(
    r"(?!(?:include|define|redefine|undefine|type|policy|flags|devices)\b)[A-Za-z0-9_ .,:@{}<>=!&|^()/+*-]*"
)
_SOUND_ELEMENTS = re.compile(r"[A-Za-z0-9_ \t.,:@{}=/;*-]*")
_SOUND_TEXT = re.compile(r'"[A-Za-z0-9_.:@*+/-]*"')
_COMMENT_TEXT = re.compile(r'\s*(?<![^\s])comment "[^"]*"')
_CALL = re.compile(r"\b(jump|goto) ([^\s,}]+)")
_NAMED = re.compile(r"@([A-Za-z_][\w/.\\-]*)")
_QUOTED = re.compile(r'"[^"]*"')
_ACCEPTS = re.compile(r"\baccept\b|\bjump\b|\bgoto\b|\breturn\b|\bvmap\b")
# Statements that do something beside deciding: evaluating them twice would do it twice.
_ACTS = re.compile(
    r"\bxt\b|\bset\b|\b(?:add|update|delete) @|\bqueue\b|\bdup\b|\bfwd\b|\bnotrack\b|\bquota\b|\bct helper\b"
    r"|\bsynproxy\b|\btproxy\b|\bredirect\b|\bflow\b|\bmeter\b|\blimit name\b"
)
_NARRATES = re.compile(
    r'\s*\b(?:counter(?: packets \d+ bytes \d+| name (?:"[^"]*"|\S+))?'
    r'|log(?: (?:prefix|level|flags|group|snaplen) (?:"[^"]*"|\S+))*)'
)
# By index an interface has to be there when the rule is loaded, which it is not at boot, where ours comes first.
_BY_INDEX = re.compile(r'\b([io]if)(?= (?:[!=]= )?(?:vmap )?(?:\{ )?")')
_GUARD = {"ip": "meta nfproto ipv4 ", "ip6": "meta nfproto ipv6 ", "inet": ""}
_DIRECTION = {"input": "in", "output": "out"}


class _Block(NamedTuple):
    kind: str
    lines: Tuple[str, ...]


class Kept(NamedTuple):
    """Rules that jump into the copies, by direction, and the copies themselves."""

    rules: Dict[str, Tuple[str, ...]]
    parts: Tuple[str, ...]


def tables(ruleset: str) -> Dict[Tuple[str, str], Dict[str, _Block]]:
    """All tables but ours of the families that see IP at the input and output hooks, cut into their blocks."""
    found: Dict[Tuple[str, str], Dict[str, _Block]] = {}
    table: Dict[str, _Block] = {}
    name, kind, lines = "", "", []  # type: ignore[var-annotated]
    for line in ruleset.split("\n"):
        head = _TABLE.fullmatch(line)
        if head:
            table = {}
            if head.groups() != (nftables_ruleset.FAMILY, nftables_ruleset.TABLE):
                found[(head.group(1), head.group(2))] = table
        elif line.startswith("table "):
            table = {}
        elif _BLOCK.fullmatch(line):
            kind, name = _BLOCK.fullmatch(line).groups()  # type: ignore[union-attr]
            lines = []
        elif line == "\t}":
            if name:
                table[("@" if kind != "chain" else "") + name] = _Block(kind, tuple(lines))
            name = ""
        elif name:
            lines.append(line[2:])
    return found


def base_chains(ruleset: str) -> List[Tuple[str, str, str, str, str]]:
    """``(family, table, chain, direction, policy)`` of every foreign filter chain at input and output."""
    return [
        (family, table, name, _DIRECTION[base.group(1)], base.group(2))
        for (family, table), blocks in tables(ruleset).items()
        for name, block in blocks.items()
        for base in [_declared(block)]
        if block.kind == "chain" and base
    ]


def _declared(block: _Block) -> Optional["re.Match[str]"]:
    """Where a base chain says which hook it is at: first of all, or after its comment."""
    found = (_BASE.fullmatch(line) for line in block.lines[:3])
    return next((match for match in found if match), None)


def _refuse_strange_texts(ruleset: str) -> None:
    """Raise BackendError where a text goes over lines or a name holds a quote: lines then are not what they seem."""
    for line in ruleset.split("\n"):
        if '"' in _TEXT.sub("", line):
            raise BackendError(
                "nftables on this host has a text over several lines or a name with a quote, in the line '%s', so what "
                "others opened cannot be read: remove it, or set cups_firewall_default_incoming and "
                "cups_firewall_default_outgoing to keep" % plain(line.strip())
            )


def keep(ruleset: str, directions: Tuple[str, ...]) -> Kept:
    """Copy what the chains at these hooks accept; raises BackendError for what cannot be read exactly."""
    if directions:
        _refuse_strange_texts(ruleset)
    copies = _Copies(tables(ruleset))
    rules: Dict[str, Tuple[str, ...]] = {"in": (), "out": ()}
    for family, table, chain, direction, _policy in base_chains(ruleset):
        if direction not in directions:
            continue
        if copies.accepts(family, table, chain):
            name = copies.chain(family, table, chain)
            rules[direction] += ("%sjump %s" % (_GUARD[family], name),)
    return Kept(rules, tuple(copies.parts))


class _Copies:
    """Makes each copy once, under a name of our own table."""

    def __init__(self, found: Dict[Tuple[str, str], Dict[str, _Block]]) -> None:
        self.found = found
        self.names: Dict[Tuple[str, str, str], str] = {}
        self.parts: List[str] = []  # each once

    def accepts(self, family: str, table: str, chain: str, seen: Tuple[str, ...] = ()) -> bool:
        """Whether any rule of the chain, or of one that it calls, accepts."""
        if chain in seen:
            return False
        for line in self._rules(family, table, chain):
            bare = _QUOTED.sub('""', line)
            if re.search(r"\baccept\b|\bvmap @", bare):
                return True
            if any(self.accepts(family, table, called, seen + (chain,)) for _verb, called in _CALL.findall(bare)):
                return True
        return False

    def _rules(self, family: str, table: str, chain: str) -> List[str]:
        block = self.found[(family, table)].get(chain)
        lines = list(block.lines) if block else []
        return [line for line in lines if not _BASE.fullmatch(line) and not line.startswith(("comment ", "type "))]

    def _add(self, head: str, lines: List[str]) -> None:
        part = nftables_ruleset.block(head, lines)
        if part not in self.parts:
            self.parts.append(part)

    def chain(self, family: str, table: str, chain: str) -> str:
        if (family, table, chain) in self.names:
            return self.names[(family, table, chain)]
        if chain not in self.found[(family, table)] or not all(map(_SOUND_NAME.fullmatch, (table, chain))):
            raise _unreadable(family, table, chain, "jump %s" % chain)
        # By where it comes from, so that it can be changed while it stands.
        lines = ['comment "%s"' % ("as in table %s %s, chain %s" % (family, table, chain))[:120]]
        name = self.names[(family, table, chain)] = nftables_ruleset.named("kept", (family, table, chain))
        lines += [self._rule(family, table, chain, r) for r in self._rules(family, table, chain) if self._decides(r)]
        self._add("chain %s" % name, lines)
        return name

    @staticmethod
    def _decides(rule: str) -> bool:
        return bool(_ACCEPTS.search(_QUOTED.sub('""', rule)))

    def _rule(self, family: str, table: str, chain: str, rule: str) -> str:
        bare = _QUOTED.sub('""', rule)
        if _ACTS.search(bare) or "#" in bare:
            raise _unreadable(family, table, chain, rule)
        rule = _BY_INDEX.sub(r"\1name", _COMMENT_TEXT.sub("", _NARRATES.sub("", rule)).strip())
        texts = _QUOTED.findall(rule)
        if not _SOUND_RULE.fullmatch(_QUOTED.sub("", rule)) or not all(map(_SOUND_TEXT.fullmatch, texts)):
            raise _unreadable(family, table, chain, rule)
        rule = _CALL.sub(lambda m: "%s %s" % (m.group(1), self.chain(family, table, m.group(2))), rule)
        return _NAMED.sub(lambda m: "@" + self._set(family, table, m.group(1), rule), rule)

    def _set(self, family: str, table: str, name: str, rule: str) -> str:
        block = self.found[(family, table)].get("@" + name)
        if block and any("iface_index" in line for line in block.lines):
            raise _unreadable(family, table, "set " + name, rule)
        if block is None or any(re.search(r"\b(?:dynamic|timeout)\b", line) for line in block.lines):
            raise BackendError(
                "table %s %s has the rule '%s', whose set %s changes by itself and so cannot be kept beside a "
                "default of deny" % (family, plain(table), plain(rule), plain(name))
            )
        if (family, table, "@" + name) not in self.names:
            lines = [_COMMENT_TEXT.sub("", line) for line in block.lines]
            for line in lines:
                texts = _QUOTED.findall(line)
                if not _SOUND_ELEMENTS.fullmatch(_QUOTED.sub("", line)) or not all(map(_SOUND_TEXT.fullmatch, texts)):
                    raise _unreadable(family, table, "set " + name, line)
            lines = [
                _CALL.sub(lambda m: "%s %s" % (m.group(1), self.chain(family, table, m.group(2))), line)
                for line in lines
            ]
            own = self.names[(family, table, "@" + name)] = nftables_ruleset.named("kept", [block.kind, *lines])
            self._add("%s %s" % (block.kind, own), lines)
        return self.names[(family, table, "@" + name)]


def _unreadable(family: str, table: str, chain: str, rule: str) -> BackendError:
    return BackendError(
        "table %s %s, chain %s has the rule '%s', which cannot be kept open beside a default of deny: "
        "set cups_firewall_default_incoming and cups_firewall_default_outgoing to keep, or give the "
        "opening as a row in cups_firewall_extra_flows and remove the rule"
        % (family, plain(table), plain(chain), plain(rule))
    )
