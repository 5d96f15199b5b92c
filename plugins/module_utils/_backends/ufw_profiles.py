# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ufw's application profiles: one for each row that is used, so that `ufw app info` explains it.

All rules of ours that speak of a port refer to their profile, ranges and source ports too.  Besides reading
well it keeps them apart from the administrator's own: ufw takes two rules for one that differ in nothing but
the comment, and `ufw allow 22/tcp` would then take over a rule of ours.
"""

from __future__ import annotations

import hashlib
import re
from typing import Dict, Iterable, NamedTuple

from ansible_collections.printfleet.cups.plugins.module_utils import _wording

PREFIX = "printfleet-"

# The first word of a row's name, and what stands for it in the profile's.
_ORIGINS = re.compile(r"(Table [0-9]+|Extra|baseline): ")
_HEAD = "# Written by the Ansible collection printfleet.cups, which overwrites changes made here.\n"


class Service(NamedTuple):
    """What one profile stands for: a row, and the port that the row speaks of, as ufw writes it ("9100:9102")."""

    row: str
    direction: str
    protocol: str
    port: str
    side: str


def names(services: Iterable[Service]) -> Dict[Service, str]:
    """A name for each service, the same in every run; two services never share one.

    `ufw status` shows it where it would show the port, so it is as short as can be, such as
    printfleet-t1-631-tcp-in; the row's whole name is in the profile's description and the rule's comment.
    """
    plain: Dict[str, set] = {}
    known = tuple(dict.fromkeys(services))
    for service in known:
        plain.setdefault(_plain_name(service), set()).add(service)
    named = {}
    for service in known:
        name = _plain_name(service)
        if len(plain[name]) > 1:
            name += "-" + hashlib.sha256(repr(tuple(service)).encode("utf-8")).hexdigest()[:6]
        named[service] = name
    return named


def _plain_name(service: Service) -> str:
    found = _ORIGINS.match(service.row)
    origin = found.group(1).lower().replace("table ", "t") if found else ""
    words = (origin, service.port.replace(":", "-"), service.protocol, service.direction)
    return PREFIX + "-".join(word for word in words if word) + ("" if service.side == "destination" else "-source")


def text(named: Dict[Service, str]) -> str:
    """The file for /etc/ufw/applications.d with all the profiles."""
    parts = [_HEAD]
    for service, name in named.items():
        ports = service.port.replace(":", "-")
        words = _wording.explain(service.row, service.direction, service.protocol, ports, service.side)
        parts.append(
            "\n[%s]\ntitle=%s\ndescription=%s\nports=%s/%s\n"
            % (name, words.title, words.told, service.port, service.protocol)
        )
    return "".join(parts)
