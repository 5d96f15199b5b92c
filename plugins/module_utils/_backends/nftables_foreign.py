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
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_ruleset, nftables_statements
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables_statements import NotExact, Place
from ansible_collections.printfleet.cups.plugins.module_utils._findings import WARNING, Finding, plain

_TABLE = re.compile(r"table (ip|ip6|inet) (\S+) \{")
_BLOCK = re.compile(r"\t(set|map|chain) (\S+) \{")
_BASE = re.compile(r"type filter hook (input|output) priority [^;]+; policy (accept|drop);")
# A text ends where the next word begins: anything else is a name that somebody made with another program than nft.
_TEXT = re.compile(r'(?<![^\s{,])(?:"[0-9: -]+"-"[0-9: -]+"|"[^"]*")(?=[\s},;]|$)')
# What a copied rule may consist of once its texts are taken out, and the texts: names of interfaces, users, groups.
_SOUND_RULE = re.compile(
    r"(?!(?:include|define|redefine|undefine|type|policy|flags|devices)\b)[A-Za-z0-9_ .,:@{}<>=!&|^()/+*-]*"
)
_SOUND_ELEMENTS = re.compile(r"[A-Za-z0-9_ \t.,:@{}=/;*-]*")
_SOUND_TEXT = re.compile(r'"(?:[A-Za-z0-9_.:@*+/-]*|[0-9-]+ [0-9:]+)"')
_COMMENT_TEXT = re.compile(r'\s*(?<![^\s])comment "[^"]*"')
_CALL = re.compile(r"\b(jump|goto) ([^\s,}]+)")
# A set or map; "@th,16,16" is a payload by its place.
_NAMED = re.compile(r"@([A-Za-z_][\w/.\\-]*)(?![\w/.\\,-])")
_QUOTED = re.compile(r'"[^"]*"')
# By index an interface has to be there when the rule is loaded, which it is not at boot, where ours comes first.
_BY_INDEX = re.compile(r'\b([io]if)(?= (?:[!=]= )?(?:vmap )?(?:\{ )?"[^"*]*")')
_FIB = re.compile(r"\bfib \S+(?: \. \S+)*(?: oif| oifname| type)?")
_LEFT_BY_INDEX = re.compile(r'\b[io]if\b(?! (?:[!=]= )?[\d@])')
_KEEP = "set %s to keep"
_ROW = ", or give the opening as a row in cups_firewall_extra_flows and remove the rule"
_GUARD = {"ip": "meta nfproto ipv4 ", "ip6": "meta nfproto ipv6 ", "inet": ""}
_DIRECTION = {"input": "in", "output": "out"}
_VARIABLE = {"in": "cups_firewall_default_incoming", "out": "cups_firewall_default_outgoing"}


class _Block(NamedTuple):
    kind: str
    lines: Tuple[str, ...]


# Where lines are not what they seem, nothing can be copied.
NOWHERE: Place = ("", "", "")


class Lost(NamedTuple):
    """What cannot be copied: ``why`` it cannot, and what to do instead, beginning with a verb."""

    direction: str
    chain: Place
    rule: str  # "" for the whole chain
    why: str
    advice: str

    def finding(self) -> Finding:
        """Under a default of deny it is refused."""
        where, what = "nftables table %s %s, chain %s" % tuple(plain(word) for word in self.chain), "it accepts"
        if self.rule:
            where += ", rule '%s'" % plain(self.rule)
        if self.chain == NOWHERE:
            where, what = "nftables, the line '%s'" % plain(self.rule), "others accept"
        return Finding(
            WARNING,
            "what %s is refused under %s: deny, since it cannot be copied: %s"
            % (what, _VARIABLE[self.direction], self.why),
            where,
            self.advice,
        )


class Kept(NamedTuple):
    """Rules that jump into the copies, by direction, the copies themselves, and what could not be copied."""

    rules: Dict[str, Tuple[str, ...]]
    parts: Tuple[str, ...]
    lost: Tuple[Lost, ...] = ()


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


def _strange_line(ruleset: str) -> str:
    """Where a text goes over lines or a name holds a quote, so that lines are not what they seem; "" for nowhere."""
    return next((line for line in ruleset.split("\n") if '"' in _TEXT.sub("", line)), "")


def keep(
    ruleset: str, directions: Tuple[str, ...], statements: Callable[[], str], only: Optional[Tuple[Place, ...]] = None
) -> Kept:
    """Copy what the chains at these hooks accept, as far as that can be done exactly; ``only`` some of them.

    ``ruleset`` is what ``nft list ruleset`` prints, and ``statements`` asks for the same as JSON, which is done only
    where there is anything to copy.
    """
    rules: Dict[str, Tuple[str, ...]] = {"in": (), "out": ()}
    copies = _Copies(tables(ruleset))
    bases = [
        base for base in base_chains(ruleset)
        if base[3] in directions and (only is None or base[:3] in only) and copies.accepts(*base[:3])
    ]
    strange = _strange_line(ruleset) if directions else ""
    if strange:
        why = "a text over several lines or a name with a quote hides what is a rule"
        return Kept(rules, (), tuple(
            Lost(way, NOWHERE, strange.strip(), why, "remove it, or " + _KEEP % _VARIABLE[way]) for way in directions
        ))
    if bases:
        copies.statements = nftables_statements.read(statements())
    for family, table, chain, direction, _policy in bases:
        name = copies.base(family, table, chain, direction)
        if name:
            rules[direction] += ("%sjump %s" % (_GUARD[family], name),)
    return Kept(rules, tuple(copies.parts), tuple(dict.fromkeys(copies.lost)))


def keep_what_loads(
    ruleset: str, directions: Tuple[str, ...], statements: Callable[[], str], load: Callable[[Kept], str]
) -> Tuple[Kept, str]:
    """The same, less what nft does not take itself though it lists it, as older releases do; and what ``load`` gives.

    ``load`` raises BackendError where nft refuses the copies.
    """
    kept = keep(ruleset, directions, statements)
    try:
        return kept, load(kept)
    except BackendError:
        if not kept.parts:
            raise
    lost: List[Lost] = []
    for base in base_chains(ruleset):
        try:
            load(keep(ruleset, directions, statements, (base[:3],)))
        except BackendError as error:
            lost.append(Lost(base[3], base[:3], "", "nft does not take what it lists of it: %s" % plain(str(error)),
                             _KEEP % _VARIABLE[base[3]]))
    refused = [one.chain for one in lost]
    kept = keep(ruleset, directions, statements, tuple(b[:3] for b in base_chains(ruleset) if b[:3] not in refused))
    return kept._replace(lost=kept.lost + tuple(lost)), load(kept)


class _Cut(Exception):
    """Without a rule that leads elsewhere, those behind it would let through more than they do."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place


class _Copies:
    """Makes each copy once, under a name of our own table."""

    def __init__(self, found: Dict[Tuple[str, str], Dict[str, _Block]]) -> None:
        self.found = found
        self.names: Dict[Place, str] = {}
        self.parts: List[str] = []  # each once
        self.lost: List[Lost] = []
        self.statements: Dict[Place, list] = {}
        self.direction = ""

    def accepts(self, family: str, table: str, chain: str, seen: Tuple[str, ...] = ()) -> bool:
        """Whether any rule of the chain, or of one that it calls, accepts."""
        if chain in seen:
            return False
        for line in self._rules((family, table, chain)):
            bare = _QUOTED.sub('""', line)
            if re.search(r"\baccept\b|\bvmap @", bare):
                return True
            if any(self.accepts(family, table, called, seen + (chain,)) for _verb, called in _CALL.findall(bare)):
                return True
        return False

    def _rules(self, place: Place) -> List[str]:
        block = self.found[place[:2]].get(place[2])
        lines = list(block.lines) if block else []
        return [line for line in lines if not _BASE.fullmatch(line) and not line.startswith(("comment ", "type "))]

    def _add(self, head: str, lines: List[str]) -> None:
        part = nftables_ruleset.block(head, lines)
        if part not in self.parts:
            self.parts.append(part)

    def base(self, family: str, table: str, chain: str, direction: str) -> str:
        """The name of the copy of a base chain; "" where nothing of it can be kept."""
        if direction != self.direction:
            # What is lost is told for each direction.
            self.names, self.direction = {}, direction
        names, parts = dict(self.names), list(self.parts)
        try:
            name = self.chain((family, table, chain))
            if nftables_ruleset.block("chain %s" % name, []) not in self.parts:
                return name
            # An empty copy would be a change of ours for nothing.
            self.names, self.parts = names, parts
            return ""
        except _Cut as cut:
            self.names, self.parts = names, parts
            if cut.place != (family, table, chain):
                self._lose((family, table, chain), "", NotExact("it calls chain %s, see there" % plain(cut.place[2])))
            return ""

    def chain(self, place: Place) -> str:
        """The name of the copy of a chain."""
        if place in self.names:
            return self.names[place]
        # By where it comes from, so that it can be changed while it stands.
        name = self.names[place] = nftables_ruleset.named("kept", place)
        rules, statements = self._rules(place), self.statements.get(place, [])
        if len(rules) != len(statements):
            self._lose(place, "", NotExact("nft lists it as text and as JSON with other rules"))
            raise _Cut(place)
        lines = []
        for rule, parts in zip(rules, statements):
            if not nftables_statements.has_verdict(parts):
                continue
            before = dict(self.names), list(self.parts)
            try:
                lines.append(self._rule(place, rule, parts))
            except NotExact as error:
                self.names, self.parts = before
                self._lose(place, rule, error, nftables_statements.for_rows(parts))
                if re.search(r"\b(?:goto|return)\b|\bvmap @", _QUOTED.sub('""', rule)):
                    raise _Cut(place) from None
        self._add("chain %s" % name, lines)
        return name

    def _lose(self, place: Place, rule: str, error: NotExact, for_rows: bool = False) -> None:
        advice = [error.advice] if error.advice else []
        advice.append(_KEEP % _VARIABLE[self.direction] + (_ROW if for_rows else ""))
        self.lost.append(Lost(self.direction, place, rule, error.why, ", or ".join(advice)))

    def _rule(self, place: Place, rule: str, statements: list) -> str:
        rule = nftables_statements.deciding_text(rule, statements)
        rule = _by_name(_COMMENT_TEXT.sub("", rule).strip())
        texts = _QUOTED.findall(rule)
        if not _SOUND_RULE.fullmatch(_QUOTED.sub("", rule)) or not all(map(_SOUND_TEXT.fullmatch, texts)):
            raise NotExact("a name or a sign in it may mean something else where it is loaded again")
        rule = self._calls(place, rule)
        return _NAMED.sub(lambda found: "@" + self._set(place[0], place[1], found.group(1)), rule)

    def _calls(self, place: Place, text: str) -> str:
        """The text with its calls led to copies."""
        for _verb, called in _CALL.findall(text):
            if called not in self.found[place[:2]]:
                raise NotExact("it calls a chain whose name nft does not take")
        return _CALL.sub(lambda found: "%s %s" % (found.group(1), self.chain((*place[:2], found.group(2)))), text)

    def _set(self, family: str, table: str, name: str) -> str:
        block = self.found[(family, table)].get("@" + name)
        if block and any("iface_index" in line for line in block.lines):
            raise NotExact(
                "its set %s holds interfaces by index" % plain(name), "use a set of type ifname and iifname in the rule"
            )
        if block is None or any(re.search(r"\b(?:dynamic|timeout)\b", line) for line in block.lines):
            raise NotExact("its set %s changes by itself" % plain(name))
        place = (family, table, "@" + name)
        if place not in self.names:
            lines = [_COMMENT_TEXT.sub("", line) for line in block.lines]
            for line in lines:
                texts = _QUOTED.findall(line)
                if not _SOUND_ELEMENTS.fullmatch(_QUOTED.sub("", line)) or not all(map(_SOUND_TEXT.fullmatch, texts)):
                    raise NotExact("a name or a sign in its set %s may mean something else" % plain(name))
            lines = [self._calls(place, line) for line in lines]
            own = self.names[place] = nftables_ruleset.named("kept", [block.kind, *lines])
            self._add("%s %s" % (block.kind, own), lines)
        return self.names[place]


def _by_name(rule: str) -> str:
    """The rule with its interfaces by name; raises NotExact where one is left that has to be there at boot."""
    rule = _BY_INDEX.sub(r"\1name", rule)
    if _LEFT_BY_INDEX.search(_FIB.sub("fib", _QUOTED.sub('""', rule))):
        raise NotExact("it names an interface by its index", "use iifname or oifname in the rule")
    return rule
