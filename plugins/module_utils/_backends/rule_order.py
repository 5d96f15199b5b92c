# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chains of others, read from the first rule to the last: which of our ports they refuse or let in for sure.  Pure.

A packet is decided by the first rule that matches it, so a rule is told only where no earlier rule can have decided
otherwise.  What a rule does with a packet that cannot be told counts as a possible accept: then nothing is said.
"""

from __future__ import annotations

import ipaddress
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _findings, _words
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours
from ansible_collections.printfleet.cups.plugins.module_utils._words import Ports

ACCEPT, REFUSE, RETURN, CALL, GOTO, CONTINUE, UNKNOWN = (
    "accept", "refuse", "return", "call", "goto", "continue", "unknown",
)
# Deeper than anybody nests chains by hand; beyond it nothing is told.
_DEEPEST = 16


class Rule(NamedTuple):
    """A rule that meets new TCP or UDP packets of others; ``protocol`` "" and no ``ports`` mean all.

    ``narrowed``: it does not meet all of them.  ``networks``: it meets those of these networks alone.
    """

    where: str
    verdict: str
    chain: str = ""  # for CALL and GOTO
    protocol: str = ""
    ports: Tuple[Ports, ...] = ()
    narrowed: bool = False
    networks: Tuple[str, ...] = ()

    def meets(self, protocol: str, port: int) -> bool:
        """Whether it can meet a packet to that port."""
        return self.protocol in ("", protocol) and (
            not self.ports or any(own.first <= port <= own.last for own in self.ports)
        )


# It meets no packet of which our rows speak.
NOTHING = Rule("", CONTINUE, narrowed=True)


class Base(NamedTuple):
    """Where packets begin: the first chain, their direction, their IP version (0: both), what becomes of the rest."""

    chain: str
    direction: str
    version: int
    refuses_rest: bool = False


Chains = Dict[str, Sequence[Rule]]
# By place of the rule, "" for the policy: the ports.
_Told = Dict[str, List[str]]


class _Walk:
    """One packet's way, by protocol and port; ``peers``: of whom it may come, None for anyone."""

    def __init__(self, chains: Chains, protocol: str, port: int, peers: Optional[Tuple[str, ...]] = None) -> None:
        self._chains, self._protocol, self._port, self._peers = chains, protocol, port, peers
        self._depth = 0
        self.accepted = False  # one of them may have been let in
        self.refused_by: Optional[str] = None  # a rule that refuses all of them
        self.let_in: List[Tuple[str, bool]] = []  # accepts that were met, and whether they are for some alone

    def through(self, name: str, whole: bool = True) -> bool:
        """Walk through a chain, with all of them or (``whole`` False) with some; whether none comes out of it."""
        if name not in self._chains or self._depth >= _DEEPEST:
            self.accepted = True
            return False
        self._depth += 1
        ended = self._rules(self._chains[name], whole)
        self._depth -= 1
        return ended

    def _rules(self, rules: Sequence[Rule], whole: bool) -> bool:
        left = False  # some have gone back to the chain that called
        for rule in rules:
            if not rule.meets(self._protocol, self._port) or not self._overlap(rule.networks):
                continue
            sure = not rule.narrowed and not rule.networks
            ended = False
            if rule.verdict == ACCEPT:
                self.accepted = ended = True
                self.let_in.append((rule.where, not (sure and whole and not left)))
            elif rule.verdict == REFUSE:
                ended = True
                if sure and whole and not left and not self.accepted and self.refused_by is None:
                    self.refused_by = rule.where
            elif rule.verdict == UNKNOWN:
                self.accepted = True
            elif rule.verdict == RETURN:
                left = True
                if sure:
                    return False
            elif rule.verdict in (CALL, GOTO):
                ended = self.through(rule.chain, whole and sure and not left)
                left = left or rule.verdict == GOTO and not ended
                if rule.verdict == GOTO and sure:
                    return ended
            if ended and sure:
                return not left
        return False

    def _overlap(self, networks: Tuple[str, ...]) -> bool:
        if not networks or self._peers is None:
            return True
        return any(
            one.version == other.version and one.overlaps(other)
            for one in map(ipaddress.ip_network, networks) for other in map(ipaddress.ip_network, self._peers)
        )


def refusals(chains: Chains, base: Base, known: Ours) -> _Told:
    """What is refused to all peers of a row of ours."""
    told: _Told = {}
    if base.chain not in chains:
        return told
    for opening in known.openings:
        if opening.direction != base.direction or opening.side != "destination":
            continue
        peers = opening.peers
        if peers is not None and base.version:
            peers = opening.networks(base.version)
        if peers is not None and not peers:
            continue
        refused: List[Tuple[Ports, str]] = []
        for ports in _parts(chains, opening.protocol, opening.ports):
            walk = _Walk(chains, opening.protocol, ports.first, peers)
            ended = walk.through(base.chain)
            if walk.refused_by is None and not ended and base.refuses_rest and not walk.accepted:
                walk.refused_by = ""
            if walk.refused_by is not None:
                _join(refused, ports, walk.refused_by)
        for ports, where in refused:
            _tell(told, where, ports, opening.protocol)
    return told


def accepts(chains: Chains, base: Base, known: Ours) -> List[Tuple[str, Tuple[str, ...], bool]]:
    """What is let in of the ports that we close: the rule, the ports, and whether it is for some alone."""
    told: Dict[Tuple[str, bool], List[str]] = {}
    for protocol in _words.PROTOCOLS if base.chain in chains else ():
        for closed in known.closed.get((base.direction, protocol), ()):
            found: List[Tuple[Ports, Tuple[str, bool]]] = []
            for ports in _parts(chains, protocol, closed):
                walk = _Walk(chains, protocol, ports.first)
                walk.through(base.chain)
                for place in dict.fromkeys(walk.let_in):
                    _join(found, ports, place)
            for ports, place in found:
                _tell(told, place, ports, protocol)
    return [(where, tuple(ports), some) for (where, some), ports in told.items()]


def find(chains: Chains, base: Base, known: Ours) -> List[Finding]:
    """What is told of rules that are asked before ours; of a rule without a place nothing is."""
    return overruling(chains, base, known) + forestalling(chains, base, known)


def overruling(chains: Chains, base: Base, known: Ours) -> List[Finding]:
    """The refusals among them."""
    told = refusals(chains, base, known)
    return [_findings.overrules(base.direction, where, ports) for where, ports in told.items() if where]


def forestalling(chains: Chains, base: Base, known: Ours) -> List[Finding]:
    """The accepts among them."""
    told = accepts(chains, base, known)
    return [_findings.forestalls(base.direction, where, ports, some) for where, ports, some in told if where]


def _parts(chains: Chains, protocol: str, ports: Ports) -> Iterator[Ports]:
    """Cut into runs of ports that every rule treats alike."""
    cuts = {ports.first}
    for rules in chains.values():
        for own in (own for rule in rules if rule.protocol in ("", protocol) for own in rule.ports):
            cuts.update(cut for cut in (own.first, own.last + 1) if ports.first < cut <= ports.last)
    ends = sorted(cuts) + [ports.last + 1]
    for first, after in zip(ends, ends[1:]):
        yield Ports(first, after - 1)


def _join(found: list, ports: Ports, place: object) -> None:
    for number, (before, where) in enumerate(found):
        if where == place and before.last + 1 == ports.first:
            found[number] = (Ports(before.first, ports.last), place)
            return
    found.append((ports, place))


def _tell(told: dict, place: object, ports: Ports, protocol: str) -> None:
    name = "%s/%s" % (ports, protocol)
    if name not in told.setdefault(place, []):
        told[place].append(name)
