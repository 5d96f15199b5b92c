# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three backends by name, and which of them a host's rules belong to."""

from __future__ import annotations

from typing import Dict, List, Optional

from ansible_collections.printfleet.cups.plugins.module_utils import _findings
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Backend, BackendError, Host
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld import Firewalld
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables import Nftables
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw import Ufw
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy

AUTO = "auto"
NAMES = ("nftables", "firewalld", "ufw")
# These govern the whole host once they are active.  nftables has no such switch: it is what is there without them.
GOVERNORS = ("firewalld", "ufw")


def backends(host: Host) -> Dict[str, Backend]:
    """One of each."""
    return {"nftables": Nftables(host), "firewalld": Firewalld(host), "ufw": Ufw(host)}


def governing(known: Dict[str, Backend]) -> list:
    """The names of the managers that are active on the host."""
    return [name for name in GOVERNORS if known[name].active()]


def findings(
    known: Dict[str, Backend], policy: Optional[Policy], holder: str = ""
) -> List[_findings.Finding]:
    """What stands beside our rules on this host; without a policy, what will.  ``holder`` has our rules now."""
    active = governing(known)
    found = [_findings.two_managers(active)] if len(active) > 1 else []
    if holder and len(active) == 1 and holder not in active:
        found.append(_findings.other_manager(active[0], holder))
    ours = _findings.ours(policy)
    for name, backend in known.items():
        if not backend.missing() and (name in active or name not in GOVERNORS):
            found += backend.findings(ours)
    return found


def choose(wanted: str, known: Dict[str, Backend]) -> str:
    """The backend to use; raises BackendError where two managers would undo each other."""
    active = governing(known)
    if len(active) > 1:
        raise BackendError(
            "%s are both active on this host, and a packet has to pass both: switch one of them off"
            % " and ".join(active)
        )
    if wanted == AUTO:
        return active[0] if active else "nftables"
    if active and active[0] != wanted:
        raise BackendError(
            "cups_firewall_backend: '%s' is not possible here: %s is active on this host and closes what %s opens; "
            "allowed is %s or auto, or switch %s off first" % (wanted, active[0], wanted, active[0], active[0])
        )
    return wanted
