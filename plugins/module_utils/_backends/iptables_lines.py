# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as iptables writes them, in rule files and listings: what each of them reaches.  Pure.

Only what can be told for sure is told; a rule with a word that is not known here counts as one for some packets.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from typing import List, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import rule_order
from ansible_collections.printfleet.cups.plugins.module_utils._backends.rule_order import Rule

_PROTOCOLS = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "all": "", "0": ""}
_PORTS = ("--dport", "--dports", "--destination-port", "--destination-ports")
_STATES = ("--ctstate", "--state")
# They say nothing about which packets are meant, or are told by the words that follow.
_HARMLESS = ("tcp", "udp", "multiport", "comment", "conntrack", "state")
_ADDRESSES = {"in": ("-s", "--source", "--src"), "out": ("-d", "--destination", "--dst")}
_INTERFACES = ("-i", "-o", "--in-interface", "--out-interface")
_JUMPS = ("-j", "--jump", "-g", "--goto")
# Their value may begin with a dash.
_TEXTS = ("--comment", "--log-prefix", "--nflog-prefix", "--reject-with")
_VERDICTS = {
    "ACCEPT": rule_order.ACCEPT, "DROP": rule_order.REFUSE, "REJECT": rule_order.REFUSE, "RETURN": rule_order.RETURN,
}
# Targets behind which the next rule is asked (iptables-extensions(8)); a rule without a target only counts.
_GO_ON = ("", "LOG", "NFLOG", "ULOG", "AUDIT", "MARK", "CONNMARK", "SECMARK", "CONNSECMARK", "SET", "TCPMSS", "CT",
          "NOTRACK", "CLASSIFY", "DSCP", "TOS", "TTL", "HL", "TRACE", "TEE", "RATEEST", "CHECKSUM", "LED")
_PORT = re.compile(r"([0-9]{1,5})(?::([0-9]{1,5}))?")


def split(line: str) -> List[str]:
    """The words of a line; none where its quotes do not match."""
    try:
        return shlex.split(line)
    except ValueError:
        return []


def read(words: Sequence[str], direction: str, where: str) -> Optional[Rule]:
    """What the words after the chain's name mean; None where no new TCP or UDP packet of others is meant."""
    protocol, target, goto, narrowed = "", "", False, not words
    ports: Tuple[_words.Ports, ...] = ()
    networks: Tuple[str, ...] = ()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        negated = word == "!" and bool(rest)
        word = rest.pop(0) if negated else word
        takes = word.startswith("-") and rest and (word in _TEXTS or not rest[0].startswith("-"))
        value = rest.pop(0) if takes else ""
        if negated:
            # All packets of others come by another interface than loopback.
            narrowed = narrowed or not (word in _INTERFACES and value == "lo")
        elif word in ("-p", "--protocol"):
            if value not in _PROTOCOLS:
                return None
            protocol = _PROTOCOLS[value]
        elif word in _JUMPS:
            target, goto = value, word in _JUMPS[2:]
        elif word in _PORTS:
            ports, told = _read_ports(value)
            narrowed = narrowed or not told
        elif word in _STATES:
            if "NEW" not in value.split(","):
                return None
        elif word in _INTERFACES and value == "lo":
            return None
        elif word in _ADDRESSES.get(direction, ()):
            networks, told = _read_networks(value)
            narrowed = narrowed or not told
        elif word in _TEXTS or word in ("-m", "--match") and value in _HARMLESS:
            continue
        else:
            narrowed = True
    verdict = _VERDICTS.get(target, "")
    if not verdict and target in _GO_ON:
        verdict = rule_order.CONTINUE
    elif not verdict:
        # A chain, or a target of which nothing is known: then there is no chain of that name.
        verdict = rule_order.GOTO if goto else rule_order.CALL
    return Rule(where, verdict, target, protocol, ports, narrowed, networks)


def _read_ports(value: str) -> Tuple[Tuple[_words.Ports, ...], bool]:
    """The ports, and whether they are all told by number."""
    found = [_PORT.fullmatch(part) for part in value.split(",")]
    if not all(found):
        return (), False
    return tuple(_words.Ports(int(m.group(1)), int(m.group(2) or m.group(1))) for m in found if m), True


def _read_networks(value: str) -> Tuple[Tuple[str, ...], bool]:
    """The networks, none for all of them, and whether they could be read."""
    try:
        networks = [ipaddress.ip_network(part, strict=False) for part in value.split(",")]
    except ValueError:
        return (), False
    return () if any(one.prefixlen == 0 for one in networks) else tuple(map(str, networks)), True
