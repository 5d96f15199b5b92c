# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same rules without services and sets, for a firewalld that runs.  Pure.

A reload is the only way to a new service or set, and while it lasts firewalld drops all new connections.  A running
policy takes rules with ports and addresses at once.  So a change of rows or peers goes in like that, and the files,
which name services and sets, come into force with the next start or reload, which then means the same.
"""

from __future__ import annotations

import itertools
import math
from typing import Dict, List, Mapping, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_rules import Part, PolicyObject, Rule

# firewalld checks a rule against each other one: 200 take half a second, and what has more goes by a reload.
MOST = 200

Port = Tuple[str, str, str]  # element of firewalld.service(5), protocol, port or range


def plain_rules(
    policies: Sequence[PolicyObject], services: Mapping[str, Port], sets: Mapping[str, Sequence[str]]
) -> Dict[str, Tuple[str, ...]]:
    """The rules by policy, as a running firewalld prints them, with what services and sets stand for.

    Nothing at all where they are more than ``MOST``.
    """
    choices = [
        [_meant(part, services, sets) for part in rule.parts] for policy in policies for rule in policy.rules
    ]
    if sum(math.prod(map(len, parts)) for parts in choices) > MOST:
        return {}
    return {
        p.name: tuple(sorted({rule.rich() for whole in p.rules for rule in _without_names(whole, services, sets)}))
        for p in policies
    }


def _without_names(rule: Rule, services: Mapping[str, Port], sets: Mapping[str, Sequence[str]]) -> List[Rule]:
    choices = [_meant(part, services, sets) for part in rule.parts]
    return [rule._replace(parts=parts) for parts in itertools.product(*choices)]


def _meant(part: Part, services: Mapping[str, Port], sets: Mapping[str, Sequence[str]]) -> List[Part]:
    """What one part of a rule stands for: one part for each member of a set."""
    element, values = part
    (kind, name), = values[:1]
    if element == "service" and name in services:
        what, protocol, port = services[name]
        return [(what, (("port", port), ("protocol", protocol)))]
    if kind == "ipset" and name in sets:
        return [(element, (("address", network),)) for network in sets[name]]
    return [part]
