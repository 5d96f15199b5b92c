# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as iptables writes them, in rule files and listings: what each of them reaches.  Pure.

Only what can be told for sure is told; a rule with a word that is not known here counts as one for some packets.
"""

from __future__ import annotations

import re
import shlex
from typing import List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _findings, _words
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours

_PROTOCOLS = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "all": "", "0": ""}
_PORTS = ("--dport", "--dports", "--destination-port", "--destination-ports")
_STATES = ("--ctstate", "--state")
# They say nothing about which packets are meant, or are told by the words that follow.
_HARMLESS = ("tcp", "udp", "multiport", "comment", "conntrack", "state")
_PORT = re.compile(r"([0-9]{1,5})(?::([0-9]{1,5}))?")


class Reach(NamedTuple):
    """What a rule does: ``protocol`` "" and no ``ports`` mean all of them; ``narrowed``: not to every packet."""

    verdict: str
    protocol: str
    ports: Tuple[_words.Ports, ...]
    narrowed: bool


def split(line: str) -> List[str]:
    """The words of a line; none where its quotes do not match."""
    try:
        return shlex.split(line)
    except ValueError:
        return []


def read(words: Sequence[str]) -> Optional[Reach]:
    """What the words after the chain's name mean; None where no new TCP or UDP packet from outside is meant."""
    verdict, protocol, ports, narrowed = "", "", (), False  # type: ignore[var-annotated]
    rest = list(words)
    while rest:
        word = rest.pop(0)
        value = rest.pop(0) if word.startswith("-") and rest and not rest[0].startswith("-") else ""
        if word == "!":
            narrowed, rest = True, rest[2:]
        elif word in ("-p", "--protocol"):
            if value not in _PROTOCOLS:
                return None
            protocol = _PROTOCOLS[value]
        elif word in ("-j", "--jump", "-g", "--goto"):
            verdict = value
        elif word in _PORTS:
            ports = _read_ports(value)
        elif word in _STATES:
            if "NEW" not in value.split(","):
                return None
        elif word in ("-i", "-o", "--in-interface", "--out-interface") and value == "lo":
            return None
        elif word in ("--comment", "--reject-with") or word in ("-m", "--match") and value in _HARMLESS:
            continue
        else:
            narrowed = True
    return Reach(verdict, protocol, ports, narrowed)


def _read_ports(value: str) -> Tuple[_words.Ports, ...]:
    found = (_PORT.fullmatch(part) for part in value.split(","))
    return tuple(_words.Ports(int(m.group(1)), int(m.group(2) or m.group(1))) for m in found if m)


def judge(words: Sequence[str], direction: str, where: str, known: Ours, accepts: bool = True) -> List[Finding]:
    """What a rule ahead of ours means for ours; ``accepts`` False: an accept there decides nothing."""
    reach = read(words)
    if reach is None:
        return []
    if reach.verdict == "ACCEPT" and accepts:
        moot = _findings.touched(known.closed, direction, reach.protocol, reach.ports)
        return [_findings.forestalls(direction, where, moot, reach.narrowed)] if moot else []
    if reach.verdict in ("DROP", "REJECT") and not reach.narrowed:
        lost = _findings.touched(known.opened, direction, reach.protocol, reach.ports)
        return [_findings.overrules(direction, where, lost)] if lost else []
    return []
