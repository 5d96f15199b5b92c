# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a policy to firewalld's objects: services, sets and policies as XML, and as firewalld tells them back.  Pure.

What was measured on firewalld 1.3.3 and 2.3.1, and is the ground of this layout:
- a policy of negative priority comes before everything that a zone opens, whatever binds the zone (default,
  interface, source); one of positive priority comes after the zone's rules and before the zone's target;
- a policy for a zone by name does not reach packets that come in by the default zone without a binding
  (1.3.3), one for ANY does;
- a helper in a service is set by a policy with ingress HOST, whatever else the service says, but after that
  policy's rules of negative priority: so it has a policy of its own, ahead of all others;
- established, related and loopback packets are accepted before any policy, in both directions.
"""

from __future__ import annotations

import hashlib
import re
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER
from ansible_collections.printfleet.cups.plugins.module_utils._backends import firewalld_xml
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_plain import plain_rules
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_rules import (
    AT_END,
    BASELINE,
    CLOSURES,
    FAMILIES,
    NEVER,
    OPENINGS,
    RESET,
    Part,
    PolicyObject,
    Rule,
    baseline_in,
    baseline_out,
    groups,
    log_rest,
    protocol,
    reset_rest,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_version import (
    ANSWERS,
    SETS,
    Version,
    before,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import ACCEPT, Zone
from ansible_collections.printfleet.cups.plugins.module_utils._policy import NEVER_ROW, Opening, Policy

FOLDER = "/etc/firewalld"
# A policy's name has at most 18 characters (max_policy_name_len() in firewall/functions.py: what iptables
# leaves of a chain's name), too few for the whole of our name.
POLICY_FIND = "printfleet-find"
POLICY_IN = "printfleet-in"
POLICY_IN_TRUSTED = "printfleet-trusted"
POLICY_IN_END = "printfleet-in-end"
POLICY_OUT = "printfleet-out"
POLICY_OUT_END = "printfleet-out-end"
POLICIES = (POLICY_FIND, POLICY_IN, POLICY_IN_TRUSTED, POLICY_IN_END, POLICY_OUT, POLICY_OUT_END)

# firewalld.policies(5): -32768 to 32767.
FIRST, _LAST = -32768, 32767
_EVERYONE = ("0.0.0.0/0", "::/0")
# A name that differs from a service of the same row, where two such rows are told apart.
_MARK_LENGTH = 8


class Objects(NamedTuple):
    """All that is ours in firewalld.

    ``files`` by full path.  ``rules`` by policy and ``entries`` by set are what can differ between files and
    daemon without a reload; ``digest`` stands for all the rest and is part of the first policy's description: its
    first half for the policies' own frames, its second for services and sets.  ``plain`` are the rules without those.
    """

    files: Dict[str, str]
    rules: Dict[str, Tuple[str, ...]]
    entries: Dict[str, Tuple[str, ...]]
    digest: str
    plain: Dict[str, Tuple[str, ...]]


NOTHING = Objects({}, {}, {}, "", {})


def path(kind: str, name: str) -> str:
    """Where an object lies; ``kind`` is services, ipsets or policies."""
    return "%s/%s/%s.xml" % (FOLDER, kind, name)


def head(text: Optional[str]) -> Optional[str]:
    """A file of ours without what can be changed in a running firewalld: rules, entries and our digest."""
    if text is None:
        return None
    lines = (line for line in text.splitlines() if not line.startswith(("  <rule ", "  <entry>")))
    return re.sub(r" State [0-9a-f]+\.", "", "\n".join(lines))


def sets_among(paths: Iterable[str]) -> Tuple[str, ...]:
    """The names of the sets among our files."""
    found = (re.fullmatch(re.escape(path("ipsets", "")[:-len(".xml")]) + r"(.+)\.xml", p) for p in sorted(paths))
    return tuple(match.group(1) for match in found if match)


def render(policy: Policy, zones: Iterable[Zone], default_zone: str, version: Version = None) -> Objects:
    """Everything of ours for one policy on a host with these zones and this firewalld."""
    services = _service_names(policy)
    finders = {"%s-finds-by-%s" % (OWNER, helper.name): helper for helper in policy.helpers}
    sets = _Sets(not before(version, SETS))
    policies = _find(finders)
    policies += _policies(policy, services, sets, {zone.name: zone for zone in zones}, default_zone)
    if before(version, ANSWERS):
        policies = [_of_new_ones(p) if p.target == "REJECT" else p for p in policies]
    # An opening for nobody has no rule, so it needs no service either.
    parts = [part for p in policies for rule in p.rules for part in rule.parts]
    used = {value for element, pairs in parts if element == "service" for _name, value in pairs}
    ports = {name: firewalld_xml.port_of(key) for key, name in services.items() if name in used}
    heads = {path("services", name): firewalld_xml.service(key) for key, name in services.items() if name in used}
    heads.update({path("ipsets", name): firewalld_xml.ipset(name, ()) for name in sets.entries})
    frame = {path("services", name): firewalld_xml.finder(helper) for name, helper in finders.items()}
    frame.update({path("policies", p.name): firewalld_xml.policy_file(p._replace(rules=()), "") for p in policies})
    digest = _digest(frame) + _digest(heads)
    files = {**heads, **frame}
    files.update({path("ipsets", name): firewalld_xml.ipset(name, entries) for name, entries in sets.entries.items()})
    for p in policies:
        files[path("policies", p.name)] = firewalld_xml.policy_file(p, digest if p.name == POLICY_IN else "")
    modules = _helpers.text(policy.helpers)
    files.update({_helpers.PATH: modules} if modules else {})
    rules = {p.name: tuple(sorted(r.rich() for r in p.rules)) for p in policies}
    entries = {name: tuple(sorted(networks)) for name, networks in sets.entries.items()}
    return Objects(files, rules, entries, digest, plain_rules(policies, ports, entries))


def _digest(files: Dict[str, str]) -> str:
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:_MARK_LENGTH]


def frame_of(digest: str) -> str:
    """The part of a digest that stands for the policies themselves; they come and go by a reload only."""
    return digest[:_MARK_LENGTH]


# --- policies -------------------------------------------------------------------------------------------------


def _policies(
    policy: Policy, services: Dict[tuple, str], sets: "_Sets", zones: Dict[str, Zone], default_zone: str
) -> List[PolicyObject]:
    denied_in, denied_out = (policy.default(direction) == "deny" for direction in ("in", "out"))
    rules = {d: _openings(policy, d, services, sets) + _closures(policy, d, services) for d in ("in", "out")}
    made = [
        PolicyObject(
            POLICY_IN, "Printing, incoming", ("ANY",), ("HOST",), FIRST, "CONTINUE",
            tuple(groups(policy.groups) + rules["in"] + (baseline_in() if denied_in else [])),
        ),
        PolicyObject(
            POLICY_OUT, "Printing, outgoing", ("HOST",), ("ANY",), FIRST + 1, "CONTINUE",
            tuple(rules["out"] + (baseline_out() if denied_out else [])),
        ),
    ]
    open_by_default = default_zone in zones and zones[default_zone].target == ACCEPT
    if denied_in and (open_by_default or policy.log_denied):
        made += _end_of_incoming(policy.log_denied, zones, default_zone, open_by_default)
    if denied_out:
        rest = tuple(reset_rest(policy.log_denied))
        made.append(PolicyObject(POLICY_OUT_END, "All else outgoing", ("HOST",), ("ANY",), _LAST, "REJECT", rest))
    return [p for p in made if p.rules or p.name in (POLICY_IN_TRUSTED, POLICY_IN_END, POLICY_OUT_END)]


def _of_new_ones(p: PolicyObject) -> PolicyObject:
    """The same without its target, which would reject the answers to connections as well.

    A rich rule takes new connections only where it names a protocol (core/nftables.py of 0.9.3).
    """
    others = tuple(Rule(AT_END + 2, "", (protocol(number),), "reject") for number in range(256) if number != 6)
    return p._replace(target="CONTINUE", rules=p.rules + others)


def _find(finders: Iterable[str]) -> List[PolicyObject]:
    """The policy that sets the helpers and decides nothing: their services have no ports."""
    rules = tuple(Rule(OPENINGS, "ipv4", (("service", (("name", name),)),), "accept") for name in finders)
    told = PolicyObject(POLICY_FIND, "Printing, finding", ("HOST",), ("ANY",), FIRST, "CONTINUE", rules)
    return [told] if rules else []


def _end_of_incoming(log: bool, zones: Dict[str, Zone], default_zone: str, close: bool) -> List[PolicyObject]:
    """What happens after the zones' rules and before their targets: only to close a default zone, or to log.

    A zone that accepts everything and is not the default one is bound by the administrator's own hand to
    sources or interfaces: it stands.
    """
    made = []
    trusting = tuple(sorted(z.name for z in zones.values() if z.target == ACCEPT and z.name != default_zone))
    if trusting:
        made.append(
            PolicyObject(POLICY_IN_TRUSTED, "Trusted zones", trusting, ("HOST",), _LAST - 1, ACCEPT, ())
        )
    rules: List[Rule] = []
    if close:
        for kind, value in zones[default_zone].sources:
            family = "" if kind != "address" else "ipv6" if ":" in value else "ipv4"
            rules.append(Rule(BASELINE, family, (("source", ((kind, value),)),), "accept"))
        # The target "default" of a zone accepts ICMP as well (firewalld.zone(5)).
        rules += [Rule(BASELINE, "", (protocol(number),), "accept") for number in (1, 58)]
    rules += log_rest() if log else []
    target = "DROP" if close else "CONTINUE"
    made.append(PolicyObject(POLICY_IN_END, "All else incoming", ("ANY",), ("HOST",), _LAST, target, tuple(rules)))
    return made


def _openings(policy: Policy, direction: str, services: Dict[tuple, str], sets: "_Sets") -> List[Rule]:
    rules: List[Rule] = []
    for opening in (o for o in policy.openings if o.direction == direction):
        service = ("service", (("name", services[_key(opening)]),))
        if opening.peers is None:
            rules.append(Rule(OPENINGS, "", (service,), "accept"))
            continue
        for version, family in FAMILIES:
            networks = sets.networks(opening, version)
            if not networks:
                continue
            side = "source" if direction == "in" else "destination"
            for narrowed in ((),) if networks[0] in _EVERYONE else sets.parts(side, opening, version):
                rules.append(Rule(OPENINGS, family, narrowed + (service,), "accept"))
    return list(dict.fromkeys(rules))


def _closures(policy: Policy, direction: str, services: Dict[tuple, str]) -> List[Rule]:
    rules: List[Rule] = []
    for closure in (c for c in policy.closures if c.direction == direction):
        service = ("service", (("name", services[_key(closure)]),))
        if direction == "out" and closure.protocol == "tcp":
            rules += [Rule(CLOSURES, family, (service,), RESET, policy.log_denied) for _version, family in FAMILIES]
        else:
            action = "drop" if direction == "in" else "reject"
            # An opening by source port reaches all destination ports, but never this one.
            priority = NEVER if closure.row == NEVER_ROW else CLOSURES
            rules.append(Rule(priority, "", (service,), action, policy.log_denied))
    return list(dict.fromkeys(rules))


# --- services and sets ----------------------------------------------------------------------------------------


class _Sets:
    """Gives every group of peers its set, one for each family."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._groups: Dict[Tuple[str, ...], int] = {}
        self._networks: Dict[tuple, Tuple[str, ...]] = {}
        self.entries: Dict[str, Tuple[str, ...]] = {}

    def networks(self, opening: Opening, version: int) -> Tuple[str, ...]:
        """The peers of one family, worked out once: there can be thousands, and the same for many rows."""
        key = (opening.peers, version)
        if key not in self._networks:
            self._networks[key] = opening.networks(version)
        return self._networks[key]

    def parts(self, side: str, opening: Opening, version: int) -> Tuple[Tuple[Part, ...], ...]:
        """How rules name these peers: all of them by their set, or each by its address."""
        if self._wanted:
            return (((side, (("ipset", self.name(opening, version)),)),),)
        return tuple(((side, (("address", network),)),) for network in self.networks(opening, version))

    def name(self, opening: Opening, version: int) -> str:
        """The name of the set, 31 characters at most (IPSET_MAXNAMELEN)."""
        number = self._groups.setdefault(opening.peers or (), len(self._groups) + 1)
        name = "%s-%d-v%d" % (OWNER, number, version)
        self.entries[name] = self.networks(opening, version)
        return name


def _key(record: object) -> tuple:
    side = getattr(record, "side", "destination")
    return (record.row, record.protocol, record.ports, side, record.direction)  # type: ignore


def _service_names(policy: Policy) -> Dict[tuple, str]:
    """A service for every row, named after it; rows whose names would be the same get a mark each."""
    keys = list(dict.fromkeys(_key(r) for r in policy.openings + policy.closures))
    names = {key: "%s-%s" % (OWNER, re.sub(r"[^a-z0-9]+", "-", key[0].lower()).strip("-")) for key in keys}
    taken = list(names.values())
    return {
        key: name if taken.count(name) == 1 else "%s-%s" % (name, hashlib.sha256(repr(key).encode()).hexdigest()[:8])
        for key, name in names.items()
    }


def digest_in(description: Optional[str]) -> str:
    """The digest that a running policy's description carries, "" for none."""
    found = re.search(r"State ([0-9a-f]+)\.", description or "")
    return found.group(1) if found else ""
