# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the container: a rule of others of every kind is copied exactly, as nft itself reads the copy, or refused."""

from __future__ import annotations

import json
import re
import sys
from typing import Callable, Dict, List, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_foreign, nftables_ruleset

_TELLS = ("counter", "log", "last")
_TABLE = "flush ruleset\ntable %s office {\n%s}\n"
_BASE = "chain base%d {\ntype filter hook %s priority 0; policy accept;\n%s\n}\n"
_Known = Dict[Tuple[str, str], list]


class Kinds:
    """Tries rules with a real nft, and counts what became of them."""

    def __init__(self, nft: Callable, deny) -> None:
        self.nft, self.deny = nft, deny
        self.wrong: List[str] = []

    def all(self, given: dict) -> Dict[str, int]:
        """Every rule in each family, at the first hook that takes it."""
        rules = {word: given[word].splitlines() for word in ("copied", "either", "refused")}
        taken = set()
        for family in ("inet", "ip", "ip6"):
            definitions = self._definitions(given["definitions"], family)
            for word, lines in rules.items():
                chains = self._chains(family, definitions, lines)
                self._judge(family, definitions, word, chains)
                taken.update(rule for rule, _chain in chains.values())
        told = {word: sum(rule in taken for rule in lines) for word, lines in rules.items()}
        return {**told, "not taken by nft itself": sum(map(len, rules.values())) - sum(told.values())}

    def _takes(self, family: str, text: str) -> bool:
        return self.nft("-f", "-", text=_TABLE % (family, text)).returncode == 0

    def _definitions(self, lines: str, family: str) -> str:
        """What this release and kernel know of them: no rule can name the rest."""
        known = ""
        for line in lines.splitlines():
            inner = re.sub(r" \{ (.*)\}$", lambda found: " {\n%s}" % found.group(1).replace("; ", "\n"), line)
            if self._takes(family, "%s%s\n" % (known, inner)):
                known += inner + "\n"
        return known

    def _chains(self, family: str, definitions: str, rules: List[str]) -> Dict[str, Tuple[str, str]]:
        """A base chain for each rule that is taken: the rule and the chain's text by its name."""
        found = {}
        for number, rule in enumerate(rules):
            texts = [_BASE % (number, hook, rule.replace("; ", "\n")) for hook in ("input", "output")]
            text = next((text for text in texts if self._takes(family, definitions + text)), None)
            if text is not None:
                found["base%d" % number] = (rule, text)
        return found

    def _judge(self, family: str, definitions: str, word: str, chains: Dict[str, Tuple[str, str]]) -> None:
        text = definitions + "".join(text for _rule, text in chains.values())
        loaded = self.nft("-f", "-", text=_TABLE % (family, text))
        if loaded.returncode:
            sys.exit("nft does not take together what it takes one by one: %s" % loaded.stderr.decode())
        ruleset = self.nft("-s", "list", "ruleset").stdout.decode()
        statements = self.nft("-j", "-s", "-t", "list", "ruleset").stdout.decode()
        kept, _nothing = nftables_foreign.keep_what_loads(ruleset, ("in", "out"), lambda: statements, self._load)
        lost = {one.chain[2] for one in kept.lost}
        listed = json.loads(self.nft("-j", "-s", "list", "ruleset").stdout)["nftables"]
        known = by_name(next(iter(entry.items())) for entry in listed)
        for name, (rule, _text) in chains.items():
            where = "%s, %s: " % (family, rule)
            if word != "either" and (name in lost) != (word == "refused"):
                told = [one for one in kept.lost if one.chain[2] == name]
                self.wrong.append(where + "it is %s" % (told or "copied"))
            if word == "copied" or name not in lost and word == "either":
                self.wrong += [where + one for one in differences(known, family, name)]

    def _load(self, kept: nftables_foreign.Kept) -> str:
        text = nftables_ruleset.render(self.deny, kept.rules["in"], kept.rules["out"], kept.parts)
        loaded = self.nft("-f", "-", text=text)
        if loaded.returncode:
            raise BackendError(loaded.stderr.decode())
        return ""


def by_name(entries) -> _Known:
    """Chains' rules, and sets with "@" before their names, by table and name."""
    known: _Known = {}
    for kind, entry in entries:
        if kind == "rule":
            known.setdefault((entry["table"], entry["chain"]), []).append(entry["expr"])
        elif kind in ("set", "map"):
            known[(entry["table"], "@" + entry["name"])] = [
                sorted(json.dumps(bare(element)) for element in entry.get("elem", [])), entry["type"], entry.get("map"),
                entry.get("flags"),
            ]
    return known


def differences(known: _Known, family: str, chain: str) -> List[str]:
    """What differs between a chain and its copy, and what both name; each copy is followed from its own name."""
    told, seen, due = [], set(), [(chain, nftables_ruleset.named("kept", (family, "office", chain)))]
    while due:
        theirs, own = due.pop()
        if (theirs, own) in seen:
            continue
        seen.add((theirs, own))
        original, copy = known.get(("office", theirs)), known.get((nftables_ruleset.TABLE, own))
        if original is None or copy is None:
            told.append("there is no copy of %s" % theirs)
            continue
        if not theirs.startswith("@"):
            original = [rule for rule in original if any(
                key in ("accept", "jump", "goto", "return", "vmap") for one in rule for key in one)]
        original, copy = plain(original, family), plain(copy, family)
        pairs = list(zip(_names(original), _names(copy)))
        for one, other in pairs:
            copy = json.loads(json.dumps(copy).replace('"%s"' % other, '"%s"' % one))
        if original != copy:
            told.append("the copy of %s is %s, not %s" % (theirs, json.dumps(copy), json.dumps(original)))
        due += pairs
    return told


def _names(value) -> List[str]:
    """The chains and sets that it names, in order; elements of sets are texts of JSON here."""
    if isinstance(value, str):
        inner = json.loads(value) if value.startswith(("{", "[")) else None
        return _names(inner) if inner is not None else [value] if value.startswith("@") else []
    if isinstance(value, dict):
        calls = [call["target"] for key, call in value.items() if key in ("jump", "goto")]
        return calls + [name for key, one in value.items() if key not in ("jump", "goto") for name in _names(one)]
    return [name for one in value for name in _names(one)] if isinstance(value, list) else []


def bare(element):
    """An element of a set without its comment and counter, which decide nothing."""
    if isinstance(element, dict) and "elem" in element:
        rest = {key: value for key, value in element["elem"].items() if key not in ("comment", "counter")}
        return rest["val"] if list(rest) == ["val"] else rest
    return [bare(one) for one in element] if isinstance(element, list) else element


def plain(value, family: str):
    """What decides: no counters and logs, interfaces by name, and no family that the copy is asked for anyway."""
    if isinstance(value, list):
        return [plain(one, family) for one in value if not (isinstance(one, dict) and _says_nothing(one, family))]
    if isinstance(value, dict):
        return {key: plain(one, family) for key, one in value.items()}
    return {"iif": "iifname", "oif": "oifname"}.get(value, value) if isinstance(value, str) else value


def _says_nothing(statement: dict, family: str) -> bool:
    if any(key in _TELLS for key in statement):
        return True
    match = statement.get("match", {})
    left = match.get("left") if isinstance(match, dict) else None
    return family != "inet" and isinstance(left, dict) and left.get("meta", {}).get("key") in ("nfproto", "protocol")


def try_all(nft: Callable, deny, given: dict) -> str:
    """Ends the program where one is wrong, or too little was tried."""
    kinds = Kinds(nft, deny)
    told = kinds.all(given)
    if kinds.wrong:
        sys.exit("rules of others:\n%s" % "\n".join(kinds.wrong))
    if told["copied"] < 150 or told["refused"] < 25:
        sys.exit("nft took too few of the rules for this to prove anything: %s" % told)
    return "rules of others by kind: " + ", ".join("%d %s" % (count, word) for word, count in told.items())
