# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as ``nft -s list ruleset`` prints them: what each of them reaches.  Pure.

Only matches that are known here are read; a rule with any other word counts as one for some packets.  The listing is
read, and not nft's JSON, since the JSON has no iptables matches, which the listing translates.
"""

from __future__ import annotations

import ipaddress
import re
from typing import List, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backends import rule_order
from ansible_collections.printfleet.cups.plugins.module_utils._backends.rule_order import Rule
from ansible_collections.printfleet.cups.plugins.module_utils._words import Ports

# A set in braces is one word, a text in quotes is another.
_WORD = re.compile(r'\{[^{}]*\}|"[^"]*"|\S+')
_PORT = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_PROTOCOLS = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}
# Not TCP and not UDP: no row of ours.
_OTHERS = ("icmp", "icmpv6", "ipv6-icmp", "igmp", "esp", "ah", "gre", "sctp", "dccp", "ospf", "vrrp", "udplite", "comp")
_VERDICTS = {
    "accept": rule_order.ACCEPT, "drop": rule_order.REFUSE, "reject": rule_order.REFUSE, "return": rule_order.RETURN,
    "continue": rule_order.CONTINUE, "jump": rule_order.CALL, "goto": rule_order.GOTO,
}
# What becomes of the packet is not in the rule.  "xt" and "#" are what nft cannot translate.
_UNKNOWN = ("vmap", "queue", "synproxy", "tproxy", "fwd", "xt", "#")
_LOG_OPTIONS = ("prefix", "level", "group", "snaplen", "queue-threshold", "flags")
_PEERS = {"in": "saddr", "out": "daddr"}


class _Line:
    """One rule that is read word by word."""

    def __init__(self, words: List[str], direction: str) -> None:
        self.words, self.direction = words, direction
        self.verdict, self.chain, self.protocol = rule_order.CONTINUE, "", ""
        self.ports: Tuple[Ports, ...] = ()
        self.networks: Tuple[str, ...] = ()
        self.narrowed = self.nothing = False

    def read(self) -> None:
        """All words."""
        while self.words:
            word = self.words.pop(0)
            value = self.words[0] if self.words else ""
            after = self.words[1] if len(self.words) > 1 else ""
            if word in ("comment", "counter", "log"):
                self._told(word)
            elif word in _VERDICTS:
                self._verdict(word)
            elif word in _UNKNOWN:
                self.verdict, self.narrowed = rule_order.UNKNOWN, True
            elif word in ("tcp", "udp", "th") and value == "dport":
                self._ports(word, after)
            elif (word, value) in (("meta", "l4proto"), ("ip", "protocol"), ("ip6", "nexthdr")):
                self._protocols(after)
            elif (word, value) == ("ct", "state"):
                self._states(after)
            elif word in ("ip", "ip6") and value == _PEERS[self.direction]:
                self._peers(after)
            elif word in ("iif", "iifname", "oif", "oifname"):
                self._interface(value)
            elif word in ("icmp", "icmpv6"):
                self.nothing = True
            else:
                self.narrowed = True

    def _drop(self, count: int) -> None:
        del self.words[:count]

    def _told(self, word: str) -> None:
        if word == "comment":
            self._drop(1)
        elif word == "counter":
            self._drop({"packets": 4, "name": 2}.get(self.words[0] if self.words else "", 0))
        while word == "log" and self.words and self.words[0] in _LOG_OPTIONS:
            # "flags tcp sequence,options", "flags ip options", "flags all"
            self._drop(3 if self.words[:2] in (["flags", "tcp"], ["flags", "ip"]) else 2)

    def _verdict(self, word: str) -> None:
        if self.verdict != rule_order.UNKNOWN:
            self.verdict = _VERDICTS[word]
        if word in ("jump", "goto"):
            self.chain = self.words.pop(0) if self.words else ""
        elif word == "reject":
            self.words = []

    def _ports(self, word: str, value: str) -> None:
        found = [_PORT.fullmatch(part) for part in elements(value)]
        if all(found) and found and not self.ports:
            self.ports = tuple(Ports(int(m.group(1)), int(m.group(2) or m.group(1))) for m in found if m)
            self._drop(2)
        else:
            self.narrowed = True
        self.protocol = word if word in ("tcp", "udp") else self.protocol

    def _protocols(self, value: str) -> None:
        found = [part for part in elements(value) if part not in _OTHERS]
        self._drop(2)
        if not found:
            self.nothing = True
        elif set(found) <= set(_PROTOCOLS):
            known = {_PROTOCOLS[part] for part in found}
            self.protocol = known.pop() if len(known) == 1 else self.protocol
        else:
            self.narrowed = True

    def _states(self, value: str) -> None:
        if value == "vmap":
            keys = re.findall(r"([a-z]+) :", self.words[2] if len(self.words) > 2 else "new :")
            self.nothing = self.nothing or not {"new", "untracked"} & set(keys)
        elif value and value != "!=":
            self.nothing = self.nothing or "new" not in elements(value)
            self._drop(2)
        else:
            self.narrowed = True

    def _peers(self, value: str) -> None:
        try:
            networks = tuple(str(ipaddress.ip_network(part)) for part in elements(value))
        except ValueError:
            networks = ()
        if networks and not self.networks:
            self.networks = networks
            self._drop(2)
        else:
            self.narrowed = True

    def _interface(self, value: str) -> None:
        if value in ('"lo"', "lo"):
            self.nothing = True
        elif value == "!=" and self.words[1:2] in (['"lo"'], ["lo"]):
            # All packets of others come by another one.
            self._drop(2)
        else:
            self.narrowed = True


def elements(word: str) -> Sequence[str]:
    """The elements of a set in braces, of a list with commas, or the one word."""
    return [part.strip() for part in word.strip("{}").split(",")]


def read(line: str, direction: str, where: str) -> Optional[Rule]:
    """What it means; None where no new TCP or UDP packet of others is meant."""
    read_line = _Line(_WORD.findall(line), direction)
    read_line.read()
    if read_line.nothing:
        return None
    return Rule(
        where, read_line.verdict, read_line.chain, read_line.protocol, read_line.ports, read_line.narrowed,
        read_line.networks,
    )
