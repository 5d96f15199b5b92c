# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three backends by name, and which of them a host's rules belong to."""

from __future__ import annotations

from typing import Dict

from ansible_collections.printfleet.cups.plugins.module_utils._backend import Backend, BackendError, Host
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld import Firewalld
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables import Nftables
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw import Ufw

AUTO = "auto"
NAMES = ("nftables", "firewalld", "ufw")
# These govern the whole host once they are active.  nftables has no such switch: it is what is there without them.
_GOVERNORS = ("firewalld", "ufw")


def backends(host: Host) -> Dict[str, Backend]:
    """One of each."""
    return {"nftables": Nftables(host), "firewalld": Firewalld(host), "ufw": Ufw(host)}


def governing(known: Dict[str, Backend]) -> list:
    """The names of the managers that are active on the host."""
    return [name for name in _GOVERNORS if not known[name].missing() and known[name].active()]


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
