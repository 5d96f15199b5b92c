# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running firewalld asks before our policies, and what else it opens to 631/udp."""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _findings, _words
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Host
from ansible_collections.printfleet.cups.plugins.module_utils._backends import iptables_lines, rule_order
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_bus import call
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_objects import FIRST, POLICIES
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours, plain

_FAMILIES = {"ipv4": 4, "ipv6": 6}
_CHAINS = {"INPUT": "in", "OUTPUT": "out"}


class Holding(NamedTuple):
    """A zone or a policy that is not ours, as far as it matters here."""

    kind: str  # zone or policy
    name: str
    services: Tuple[str, ...]
    ports: Tuple[Tuple[str, str], ...]  # port or range, protocol
    rich_rules: Tuple[str, ...]
    priority: int
    host: bool  # a policy that has to do with the host itself


class Direct(NamedTuple):
    """A rule of iptables that firewalld passes on; ``words`` are what stands behind the chain."""

    family: str
    chain: str
    words: Tuple[str, ...]


class Running(NamedTuple):
    """What the running firewalld tells. ``services`` by name, their ports."""

    holdings: Tuple[Holding, ...]
    services: Dict[str, Tuple[Tuple[str, str], ...]]
    direct: Tuple[Direct, ...]
    panic: bool = False


def read(host: Host) -> Running:
    """Ask it; raises BackendError where it does not answer."""
    zones = dict.fromkeys([call(host, "", "getDefaultZone")] + sorted(call(host, "zone", "getActiveZones") or {}))
    holdings = [_holding("zone", name, call(host, "zone", "getZoneSettings2", "s", name) or {}) for name in zones]
    for name in call(host, "policy", "getPolicies") or ():
        if name not in POLICIES:
            holdings.append(_holding("policy", name, call(host, "policy", "getPolicySettings", "s", name) or {}))
    named = sorted({service for holding in holdings for service in holding.services})
    services = {name: _pairs(call(host, "", "getServiceSettings2", "s", name) or {}) for name in named}
    direct = [
        Direct(str(rule[0]), str(rule[2]), tuple(map(str, rule[4])))
        for rule in call(host, "direct", "getAllRules") or () if rule[1] == "filter"
    ]
    direct += [
        Direct(str(family), str(words[1]), tuple(map(str, words[2:])))
        for family, words in call(host, "direct", "getAllPassthroughs") or ()
        if len(words) > 2 and words[0] in ("-A", "-I", "--append", "--insert")
    ]
    return Running(tuple(holdings), services, tuple(direct), bool(call(host, "", "queryPanicMode")))


def _holding(kind: str, name: str, settings: Dict[str, Any]) -> Holding:
    def data(key: str) -> Any:
        return settings.get(key, {}).get("data", ())

    ends = tuple(data("ingress_zones")) + tuple(data("egress_zones"))
    return Holding(
        kind, name, tuple(map(str, data("services"))), _pairs(settings),
        tuple(map(str, tuple(data("rich_rules")) + tuple(data("rules_str")))),
        int(data("priority") or 0), "HOST" in ends,
    )


def _pairs(settings: Dict[str, Any]) -> Tuple[Tuple[str, str], ...]:
    return tuple((str(port), str(protocol)) for port, protocol in settings.get("ports", {}).get("data", ()))


def find(running: Running, known: Ours, nftables: bool) -> List[Finding]:
    """Judge it.  ``nftables``: firewalld's own backend, beside which a direct accept decides nothing."""
    found: List[Finding] = []
    if running.panic:
        found.append(Finding(
            _findings.WARNING, "it drops every packet, those of the rows as well", "firewalld's panic mode",
            "'firewall-cmd --panic-off' ends it, once its reason is gone",
        ))
    for family, version in _FAMILIES.items():
        for chain, direction in _CHAINS.items():
            found += _direct(running, family, version, chain, direction, known, nftables)
    for holding in running.holdings:
        found += _judge(holding, running)
    return found


def _direct(
    running: Running, family: str, version: int, chain: str, direction: str, known: Ours, nftables: bool
) -> List[Finding]:
    rules = []
    for words in (rule.words for rule in running.direct if (rule.family, rule.chain) == (family, chain)):
        where = "firewalld's direct rule '%s %s'" % (chain, plain(" ".join(words)))
        rules.append(iptables_lines.read(words, direction, where) or rule_order.NOTHING)
    # Priorities and positions of these rules are not known here: nothing is refused that one of them may accept, and
    # nothing is let in that one of them refuses.
    base = rule_order.Base(chain, direction, version)
    last = sorted(rules, key=lambda rule: rule.verdict == rule_order.REFUSE)
    found = rule_order.overruling({chain: last}, base, known)
    # firewalld.direct(5), "Caveats".
    return found if nftables else found + rule_order.forestalling({chain: last[::-1]}, base, known)


def _judge(holding: Holding, running: Running) -> List[Finding]:
    found = []
    place = "firewalld's %s '%s'" % (holding.kind, plain(holding.name))
    if holding.kind == "policy" and holding.host and holding.priority <= FIRST:
        found.append(Finding(
            _findings.WARNING, "it has the priority of our own policies, so either may be asked first", place,
            "give it a priority above %d" % FIRST,
        ))
    for service in holding.services:
        if _opens(running.services.get(service, ())):
            found.append(_findings.opens_never_open(
                "%s, service '%s'" % (place, plain(service)), "remove the service there, the role opens what is needed"
            ))
    if _opens(holding.ports) or any(_rich_opens(rule, running) for rule in holding.rich_rules):
        found.append(_findings.opens_never_open("%s, a port or rich rule" % place, "remove it there"))
    return found


def _opens(pairs: Sequence[Tuple[str, str]]) -> bool:
    never, number = _words.NEVER_OPEN
    for port, protocol in pairs:
        first, _dash, last = port.partition("-")
        if protocol == never and first.isdigit() and int(first) <= number <= int(last if last.isdigit() else first):
            return True
    return False


def _rich_opens(rule: str, running: Running) -> bool:
    if not re.search(r"\baccept\b", rule):
        return False
    service = re.search(r'service name="([^"]*)"', rule)
    port = re.search(r'(?<!-)port port="([^"]*)" protocol="([^"]*)"', rule)
    return _opens(running.services.get(service.group(1), ()) if service else [port.groups()] if port else ())
