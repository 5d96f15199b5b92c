# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend gets the rules, by what is wanted, what holds them now, and how the managers stand.  Pure.

============================  ==========================  ===========================================================
Our rules are held by         Active on the host          ``auto`` takes
============================  ==========================  ===========================================================
nothing                       one manager                 the active one
nothing                       none                        nftables
a manager that is active      the same one                the same one
nftables                      none                        nftables
nftables                      firewalld or ufw            the active one, with a warning
stopped, but enabled          none                        the same one, which is started, with a warning
stopped, but enabled          the other one               an error
ousted                        any                         an error
disabled or masked            none                        an error
disabled, masked or removed   the other one               the active one, with a warning
removed                       none                        nftables, with a warning
anything                      firewalld and ufw           an error, for a named backend as well
============================  ==========================  ===========================================================

Why so:

- *Stopped, but enabled*: the next boot starts it with our rules.  To start it now is the same, but on trial: where it
  cuts SSH, the host takes it back.  To move the rules would leave two firewalls after that boot.
- *Ousted*: firewalld 1.3 and nftables.service exclude each other, and systemd stopped firewalld for it.  To start
  firewalld would empty the ruleset of the other, and nobody could take that back.
- *Disabled or masked*: somebody did that on purpose, and nobody else knows whether for an hour or for good.  Our rules
  are still in its files, and are back once it is enabled.  To move them would close, under a default of deny, what its
  own rules open, and the printing ports as well once it is back.  To switch it on could close what was opened on
  purpose.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional

from ansible_collections.printfleet.cups.plugins.module_utils._backend import (
    ACTIVE,
    DISABLED,
    MASKED,
    MISSING,
    OUSTED,
    STOPPED,
    BackendError,
)
from ansible_collections.printfleet.cups.plugins.module_utils._findings import (
    VARIABLE,
    Finding,
    moved,
    started_again,
)

AUTO, NFTABLES = "auto", "nftables"
_STANDS = {
    STOPPED: "is enabled, but does not run",
    OUSTED: "is enabled, but does not run since nftables.service, which excludes it, is in use",
    DISABLED: "is switched off",
    MASKED: "is masked",
    MISSING: "is not installed any more",
}


class Choice(NamedTuple):
    """The backend, and what has to be said about it."""

    backend: str
    finding: Optional[Finding] = None


def choose(wanted: str, holder: str, standing: Dict[str, str]) -> Choice:
    """The backend to use; raises BackendError where two managers would undo each other, or nobody can know.

    ``holder`` has our rules, "" for none.  ``standing`` says of firewalld and of ufw how they stand.
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
            "allowed is %s or auto, or switch %s off first" % (VARIABLE, wanted, other, wanted, other, other)
        )
    return Choice(wanted)


def _by_itself(holder: str, active: str, stands: str) -> Choice:
    """``active`` is the one active manager; ``stands`` is how the holder stands."""
    to = active or NFTABLES
    if holder in ("", to):
        return Choice(to)
    if holder == NFTABLES:
        return Choice(active, moved(holder, "", active, True))
    if active and stands in (STOPPED, OUSTED):
        raise _refuse(holder, stands, ", and %s is active: disable %s and run again to move them to %s, or start %s "
                      "and disable %s to leave them there" % (active, holder, active, holder, active))
    if active or stands == MISSING:
        return Choice(to, moved(holder, _STANDS[stands], to, bool(active)))
    if stands == STOPPED:
        return Choice(holder, started_again(holder))
    way = {MASKED: " once it is unmasked", OUSTED: " to start it all the same"}.get(stands, " to switch it on again")
    raise _refuse(holder, stands, ": set %s to '%s' to move them there, or to '%s'%s" % (
        VARIABLE, NFTABLES, holder, way))


def _refuse(holder: str, stands: str, advice: str) -> BackendError:
    return BackendError(
        "%s: auto: our rules are held by %s, which %s%s" % (VARIABLE, holder, _STANDS[stands], advice)
    )
