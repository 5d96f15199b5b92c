# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three backends by name, and which of them a host's rules belong to."""

from __future__ import annotations

from typing import Dict, List, Optional

from ansible_collections.printfleet.cups.plugins.module_utils import _choice, _findings
from ansible_collections.printfleet.cups.plugins.module_utils._backend import ACTIVE, OUSTED, STOPPED, Backend, Host
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld import Firewalld
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables import Nftables
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw import Ufw
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy

AUTO = _choice.AUTO
NAMES = ("nftables", "firewalld", "ufw")
# These govern the whole host once they are active.  nftables has no such switch: it is what is there without them.
GOVERNORS = ("firewalld", "ufw")


def backends(host: Host) -> Dict[str, Backend]:
    """One of each."""
    return {"nftables": Nftables(host), "firewalld": Firewalld(host), "ufw": Ufw(host)}


def findings(
    known: Dict[str, Backend], policy: Optional[Policy], holder: str = ""
) -> List[_findings.Finding]:
    """What stands beside our rules on this host; without a policy, what will.  ``holder`` has our rules."""
    standing = {name: known[name].standing() for name in GOVERNORS}
    active = [name for name in GOVERNORS if standing[name] == ACTIVE]
    found = [_findings.two_managers(active)] if len(active) > 1 else []
    if holder and len(active) == 1 and holder not in active:
        found.append(_findings.other_manager(active[0], holder))
    found += [
        _findings.stopped_manager(name, holder)
        for name, how in standing.items() if holder not in ("", name) and how in (STOPPED, OUSTED)
    ]
    ours = _findings.ours(policy)
    for name, backend in known.items():
        if not backend.missing() and (name in active or name not in GOVERNORS):
            found += backend.findings(ours)
    return found


def choose(wanted: str, known: Dict[str, Backend], holder: str = "") -> _choice.Choice:
    """The backend to use on this host, see ``_choice``; ``holder`` has our rules now."""
    return _choice.choose(wanted, holder, {name: known[name].standing() for name in GOVERNORS})
