# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each rule of others consists of, by ``nft -j``: a word of the text listing may be a statement, a type of ICMP,
or a name.  Pure.

The JSON names each statement by its kind, on nft 0.9.3 and newer (libnftables-json(5)).  What a rule does by an
iptables match (``xt``) is not in it; the text listing translates such a match where it can.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Sequence, Tuple

# Family, table, chain.
Place = Tuple[str, str, str]
Statement = Any

_VERDICTS = ("accept", "jump", "goto", "return", "vmap")
# They tell and do not decide: a copy does without them.
_NARRATES = ("counter", "log", "last")
# What decides by the packet, and by counts that a copy keeps as well by itself.
_DECIDES = _VERDICTS + ("match", "drop", "reject", "continue", "limit", "ct count")
# In a text that was translated from iptables: what the text has of an xt match that does more than match.
_XT_ACTS = re.compile(r"(?<!\S)(?:xt|quota|meter|add|update|delete|set)(?!\S)|#")
_TOLD = re.compile(
    r'"[^"]*"|(?<!\S)(?:jump|goto) [^\s,}]+|(?P<told>\s*(?<!\S)(?:'
    r'counter(?: name (?:"[^"]*"|\S+)| packets \d+ bytes \d+)?'
    r'|log(?: (?:prefix "[^"]*"|flags (?:tcp \S+|ip options|skuid|ether|all)'
    r"|(?:level|group|snaplen|queue-threshold) \S+))*"
    r"|last(?: used \S+)?"
    r")(?!\S))"
)
_TRANSPORTS = ("tcp", "udp", "th", 6, 17)

SPLIT = "write it as two rules, one that does that and one behind it that only matches and accepts"


class NotExact(Exception):
    """A rule that cannot be copied exactly: why, and what to do about it."""

    def __init__(self, why: str, advice: str = "") -> None:
        super().__init__(why)
        self.why, self.advice = why, advice


def read(listing: str) -> Dict[Place, List[Sequence[Statement]]]:
    """The statements of every rule by chain, in order, of ``nft -j list ruleset``; empty where it is no such thing."""
    found: Dict[Place, List[Sequence[Statement]]] = {}
    try:
        entries = json.loads(listing)["nftables"]
        for rule in [entry["rule"] for entry in entries if "rule" in entry]:
            found.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(rule.get("expr", []))
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return found


def kinds(rule: Sequence[Statement]) -> List[str]:
    """The names of its statements; what has none is told as it stands."""
    return [next(iter(one)) if isinstance(one, dict) and len(one) == 1 else str(one) for one in rule]


def has_verdict(rule: Sequence[Statement]) -> bool:
    """Whether it may let a packet through, or lead it elsewhere."""
    return any(kind in _VERDICTS for kind in kinds(rule))


def for_rows(rule: Sequence[Statement]) -> bool:
    """Whether it is about TCP or UDP, so that a row could say the same."""
    return any(value in _TRANSPORTS for value in _values(rule) if not isinstance(value, bool))


def _values(value: Any) -> List[Any]:
    if isinstance(value, dict):
        return [one for inner in value.values() for one in _values(inner)]
    if isinstance(value, (list, tuple)):
        return [one for inner in value for one in _values(inner)]
    return [value]


def deciding_text(text: str, rule: Sequence[Statement]) -> str:
    """The rule's text less what only tells; raises NotExact where the rule does more than decide."""
    names = kinds(rule)
    for name, statement in zip(names, rule):
        _refuse_acts(name, statement, text)
    _refuse_without_type(rule)
    told = [found for found in _TOLD.finditer(text) if found.group("told")]
    if len(told) != sum(name in _NARRATES for name in names):
        raise NotExact("its counter or log cannot be told from the rest of it", "write it without them")
    return _TOLD.sub(lambda found: "" if found.group("told") else found.group(0), text).strip()


def _refuse_acts(name: str, statement: Statement, text: str) -> None:
    value = statement[name] if isinstance(statement, dict) and name in statement else None
    if name == "xt":
        acts = _XT_ACTS.search(re.sub(r'"[^"]*"', '""', text))
        if acts:
            raise NotExact("nft shows an iptables match in it without its parameters", "write it as a rule of nft")
    elif name == "limit" and not (isinstance(value, dict) and "rate" in value):
        raise NotExact("its limit is shared with other rules", "write the rate into the rule itself")
    elif name == "counter" and isinstance(value, dict) and "map" in value:
        raise NotExact("which of several counters it uses depends on the packet", "write it without them")
    elif name == "quota":
        raise NotExact("its quota is used up once, and a copy would have a whole one")
    elif name not in _DECIDES + _NARRATES:
        raise NotExact("it also does something beside deciding (%s), and a copy would do it twice" % name[:40], SPLIT)
    elif name == "match" and _by_cgroup_path(value):
        raise NotExact("the control group that it names is not there when the rules are loaded at boot")


def _refuse_without_type(rule: Sequence[Statement]) -> None:
    """These stand in requests and replies; nft 0.9.8 lists them alone where the rule is about one of the two."""
    fields = [(value["protocol"], value["field"]) for value in _payloads(rule)]
    for protocol, field in fields:
        if protocol in ("icmp", "icmpv6") and field in ("id", "sequence"):
            if (protocol, "type") not in fields:
                raise NotExact("nft lists it without the type of ICMP that it is for", "write it without icmp " + field)


def _payloads(value: Any) -> List[dict]:
    if isinstance(value, dict):
        one = value.get("payload")
        if isinstance(one, dict) and "protocol" in one and "field" in one:
            return [one]
        value = list(value.values())
    return [one for inner in value for one in _payloads(inner)] if isinstance(value, (list, tuple)) else []


def _by_cgroup_path(match: Any) -> bool:
    left = json.dumps(match.get("left") if isinstance(match, dict) else None)
    return '"cgroupv2"' in left
