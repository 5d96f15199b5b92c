# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firewalld's rich rules and policies as records, and the rules that every host needs.  Pure."""

from __future__ import annotations

from typing import Iterable, List, NamedTuple, Tuple
from xml.sax.saxutils import quoteattr

from ansible_collections.printfleet.cups.plugins.module_utils._policy import Group

# Priorities within a policy (firewalld.richlanguage(5)): lower ones come first.
NEVER, OPENINGS, CLOSURES, BASELINE, AT_END = -400, -300, -200, -100, 100
_LOG_PREFIX, _LOG_LIMIT = "printfleet.cups ", "10/m"

# An ICMPv6 error makes a connect() of the host's own fail after a second only, on the second SYN (measured,
# Linux 6.18), a reset at once in both families.  firewalld wants a family for it (firewalld.richlanguage(5)).
RESET = "tcp-reset"
FAMILIES = ((4, "ipv4"), (6, "ipv6"))

Part = Tuple[str, Tuple[Tuple[str, str], ...]]


class Rule(NamedTuple):
    """One rich rule. ``parts`` are source or destination and the element, each a tag with attributes."""

    priority: int
    family: str  # ipv4, ipv6 or "" for both
    parts: Tuple[Part, ...]
    action: str  # accept, drop, reject, RESET or "" for none
    log: bool = False

    def xml(self) -> str:
        """The rule in one line of a policy file (firewalld.policy(5))."""
        attributes = [("family", self.family)] if self.family else []
        text = tag("rule", attributes + [("priority", str(self.priority))], closed=False)
        text += "".join(tag(name, values) for name, values in self.parts)
        if self.log:
            text += tag("log", (("prefix", _LOG_PREFIX), ("level", "info")), closed=False)
            text += tag("limit", (("value", _LOG_LIMIT),)) + "</log>"
        if self.action == RESET:
            return text + tag("reject", (("type", RESET),)) + "</rule>"
        return text + (tag(self.action) if self.action else "") + "</rule>"

    def rich(self) -> str:
        """The rule as a running firewalld prints it (firewalld.richlanguage(5))."""
        words = ['rule priority="%d"' % self.priority]
        words += ['family="%s"' % self.family] if self.family else []
        words += [" ".join([name] + ['%s="%s"' % pair for pair in values]) for name, values in self.parts]
        if self.log:
            words.append('log prefix="%s" level="info" limit value="%s"' % (_LOG_PREFIX, _LOG_LIMIT))
        if self.action == RESET:
            words.append('reject type="%s"' % RESET)
        return " ".join(words + ([self.action] if self.action not in ("", RESET) else []))


class PolicyObject(NamedTuple):
    """One policy of firewalld's."""

    name: str
    short: str
    ingress: Tuple[str, ...]
    egress: Tuple[str, ...]
    priority: int
    target: str
    rules: Tuple[Rule, ...]


def baseline_in() -> List[Rule]:
    """What a host needs to hear.  ICMP errors are related to a connection or worth nothing, firewalld sees to it."""
    return [
        _baseline("", protocol(2)),  # IGMP queries
        _baseline("ipv6", _address("ff00::/8"), protocol(58)),  # MLD queries, discovery
        # A client that has an address gets its answers as established packets, one that has none listens below
        # the firewall.  What is left are broadcast answers, and for IPv6 link-local ones.
        _baseline("ipv4", _address("255.255.255.255"), _port(68)),
        _baseline("ipv6", _address("fe80::/10"), _port(546)),
    ] + [
        _baseline("ipv6", _icmp(name))
        for name in ("neighbour-solicitation", "neighbour-advertisement", "router-advertisement")
    ]


def groups(known: Iterable[Group]) -> List[Rule]:
    """Answers that come by way of a multicast group; a rich rule has no room for the port they come from as well."""
    families = dict(FAMILIES)
    return [
        Rule(OPENINGS, families[g.version], (_address(g.address), _port(g.port, g.protocol)), "accept") for g in known
    ]


def baseline_out() -> List[Rule]:
    return [
        _baseline("", protocol(2)),  # IGMP reports
        _baseline("ipv6", _address("ff00::/8"), protocol(58)),  # MLD reports, discovery
        _baseline("ipv4", _port(67)),
        _baseline("ipv6", _port(547)),
        _baseline("ipv6", _icmp("packet-too-big")),
    ] + [
        _baseline("ipv6", _icmp(name))
        for name in ("neighbour-solicitation", "neighbour-advertisement", "router-solicitation")
    ] + [_baseline("", _icmp(name)) for name in ("destination-unreachable", "time-exceeded", "parameter-problem")]


def reset_rest(log: bool) -> List[Rule]:
    """Refuse all outgoing connections that nothing let through."""
    resets = [Rule(AT_END + 1, family, (protocol(6),), RESET) for _version, family in FAMILIES]
    return resets + (log_rest() if log else [])


def log_rest() -> List[Rule]:
    """Tell of what is about to be refused."""
    return [Rule(AT_END, "", (protocol(number),), "", True) for number in (6, 17)]


def _baseline(family: str, *parts: Part) -> Rule:
    return Rule(BASELINE, family, parts, "accept")


def protocol(number: int) -> Part:
    # By number: names would need /etc/protocols, which a small system lacks.
    return ("protocol", (("value", str(number)),))


def _address(network: str) -> Part:
    return ("destination", (("address", network),))


def _port(number: int, transport: str = "udp") -> Part:
    return ("port", (("port", str(number)), ("protocol", transport)))


def _icmp(name: str) -> Part:
    return ("icmp-type", (("name", name),))


def tag(name: str, attributes: Iterable[Tuple[str, str]] = (), closed: bool = True) -> str:
    inside = "".join(" %s=%s" % (key, quoteattr(value)) for key, value in attributes)
    return "<%s%s%s>" % (name, inside, "/" if closed else "")
