# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which firewall manager gets the rules, by what is wanted, what holds them now, and how the managers stand.  Pure.

============================  ==========================  ===========================================================
The rules are held by         Active on the host          ``auto`` takes
============================  ==========================  ===========================================================
nothing                       one manager                 the active one
nothing                       none                        nftables
a manager that is active      the same one                the same one
nftables                      none                        nftables
nftables                      firewalld or ufw            the active one, with a warning
stopped, but enabled          none                        the same one, which is started, with a warning
stopped, but enabled          the other one               an error: the next boot starts both
disabled or masked            none                        an error: only the administrator knows what is meant
disabled, masked or removed   the other one               the active one, with a warning
removed                       none                        nftables, with a warning
anything                      firewalld and ufw           an error, for a named backend as well
============================  ==========================  ===========================================================
"""

from __future__ import annotations

from typing import Dict, NamedTuple

from ansible_collections.printfleet.cups.plugins.module_utils._backend import (
    ACTIVE,
    DISABLED,
    MASKED,
    MISSING,
    STOPPED,
    BackendError,
)

AUTO, NFTABLES = "auto", "nftables"
_VARIABLE = "cups_firewall_backend"
_STANDS = {
    STOPPED: "is enabled, but does not run",
    DISABLED: "is switched off",
    MASKED: "is masked",
    MISSING: "is not installed any more",
}


class Choice(NamedTuple):
    """``warning`` is "" where there is nothing to say."""

    backend: str
    warning: str = ""


def choose(wanted: str, holder: str, standing: Dict[str, str]) -> Choice:
    """The backend to use; raises BackendError where two managers would undo each other, or nobody can know.

    ``holder`` has our rules, "" for none.  ``standing`` says of firewalld and of ufw how they stand; nftables has no
    such switch, it is what is there without them.
    """
    active = [name for name in sorted(standing) if standing[name] == ACTIVE]
    if len(active) > 1:
        raise BackendError(
            "%s are both active on this host, and a packet has to pass both: switch one of them off"
            % " and ".join(active)
        )
    other = active[0] if active else ""
    if wanted == AUTO:
        return _by_itself(holder, other, standing.get(holder, ACTIVE))
    if other and other != wanted:
        raise BackendError(
            "%s: '%s' is not possible here: %s is active on this host and closes what %s opens; "
            "allowed is %s or auto, or switch %s off first" % (_VARIABLE, wanted, other, wanted, other, other)
        )
    return Choice(wanted)


def _by_itself(holder: str, active: str, stands: str) -> Choice:
    """``active`` is the one active manager; ``stands`` is how the holder stands."""
    in_charge = active or NFTABLES
    if holder in ("", in_charge):
        return Choice(in_charge)
    if holder == NFTABLES:
        return Choice(active, _moved(holder, "", active))
    if active and stands == STOPPED:
        raise BackendError(
            "%s: auto: the rules are held by %s, which %s, and %s is active, so that the next boot starts both: "
            "disable %s and set %s to '%s' to move the rules there, or switch %s off and start %s"
            % (_VARIABLE, holder, _STANDS[stands], active, holder, _VARIABLE, active, active, holder)
        )
    if active or stands == MISSING:
        return Choice(in_charge, _moved(holder, _STANDS[stands], active))
    if stands == STOPPED:
        return Choice(holder, "%s holds the rules and %s: it is started, as the next boot would" % (
            holder, _STANDS[stands]))
    raise BackendError(
        "%s: auto: the rules are held by %s, which %s on this host: set %s to '%s' to move them there, or to '%s'%s"
        % (_VARIABLE, holder, _STANDS[stands], _VARIABLE, NFTABLES, holder,
           " once it is unmasked" if stands == MASKED else " to switch it on again")
    )


def _moved(holder: str, how: str, active: str) -> str:
    return "the rules move from %s%s to %s%s: set %s to the name of a backend to decide that yourself" % (
        holder, ", which %s," % how if how else "", active or NFTABLES,
        ", which is active on this host" if active else "", _VARIABLE,
    )
