# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every backend promises, and the few things that all of them need."""

from __future__ import annotations

import re
from typing import Any, List, NamedTuple, Optional, Protocol, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._drift import Cause
from ansible_collections.printfleet.cups.plugins.module_utils._files import OWNER
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy

# How a manager stands on a host.
ACTIVE = "active"
STOPPED = "stopped"  # enabled, so that the next boot starts it
OUSTED = "ousted"  # the same, but a unit that excludes it is in use
DISABLED = "disabled"
MASKED = "masked"
MISSING = "missing"

__all__ = ["OWNER", "Backend", "BackendError", "Host", "Plan", "Result", "must"]


# What a program writes for a terminal: colours (ECMA-48, CSI), titles (OSC), and any other control character.
_FOR_TERMINALS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


class BackendError(Exception):
    """The firewall cannot do what is asked or failed to do it; the message is one sentence for the user.

    A program's own words in it are without what is meant for a terminal: firewalld 0.9 writes its errors in colours.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_FOR_TERMINALS.sub("", message))


class Plan(NamedTuple):
    """A whole change, worked out before anything is touched.

    ``before`` and ``after`` are what a person reads under ``--diff``; they are equal exactly
    when nothing has to be done.  ``steps`` is the backend's own affair.  ``obstacle`` is why a change
    must not be made, though nothing is wrong with a host that needs none; "" for nothing.
    """

    before: str
    after: str
    steps: Any
    warnings: Tuple[str, ...] = ()
    obstacle: str = ""

    @property
    def changed(self) -> bool:
        return self.before != self.after


class Result(NamedTuple):
    """What a program said."""

    status: int
    output: str
    errors: str


class Host(Protocol):
    """The managed host, as far as a backend may touch it other than by files."""

    def run(self, argv: Sequence[str], stdin: Optional[str] = None) -> Result:
        """Run a program in the C locale and wait for it; never raises for its exit status."""

    def program(self, name: str) -> Optional[str]:
        """The full path of a program, sbin directories included, or None."""


class Backend(Protocol):
    """One firewall manager.

    The order of calls is ``missing``, ``read``, ``plan``, ``commit``.  ``read`` changes nothing,
    ``plan`` is pure, ``commit`` reaches the whole plan or raises BackendError half way: then, and when a
    change is not confirmed, the transaction puts the files back and calls ``undo``.  ``memory`` is a flat
    dict of strings in which a backend keeps what it found at its first change and has to give back on
    removal; the module stores it.
    """

    name: str

    def missing(self) -> List[str]:
        """Debian packages that have to be installed first."""

    def active(self) -> bool:
        """Whether this manager is in charge of the host now, whoever set it up."""

    def standing(self) -> str:
        """How it stands as a manager of the whole host: one of the words at the top; asked of GOVERNORS alone."""

    def read(self, memory: dict) -> Any:
        """Everything that ``plan`` needs to know of the host, its ``files`` and its kernel."""

    def plan(self, state: Any, policy: Optional[Policy]) -> Plan:
        """The change from that state to the policy; None is the wish for nothing of ours."""

    def commit(self, plan: Plan) -> dict:
        """Carry the plan out, on disk and in the kernel; gives the new memory back."""

    def causes(self, state: Any, plan: Optional[Plan]) -> List[Cause]:
        """Why the rules are not in force, from a state and the plan that mends it; None where there can be no plan."""

    def paths(self, plan: Plan) -> List[str]:
        """Every file that ``commit`` may write or remove, the links in ``units`` apart."""

    def units(self) -> List[str]:
        """The systemd units that ``commit`` may enable or disable."""

    def findings(self, known: Ours) -> List[Finding]:
        """What others have on this host that overrules our rules, comes before them, or opens what they close."""

    def unhelped(self) -> str:
        """Why this manager, as it is set up here, can set no conntrack helper; "" where it can."""

    def unlike(self, steps: Any) -> str:
        """After ``undo``: how kernel and units are not as they were before ``commit``; "" where they are."""

    def undo(self, steps: Any) -> None:
        """Make the kernel and the units follow the files, which are as they were before ``commit`` again.

        ``steps`` are those of the plan, perhaps read back from disk by another process.  Works from
        any state that an interrupted ``commit`` can leave; raises BackendError.
        """


def must(host: Host, argv: Sequence[str], stdin: Optional[str] = None) -> str:
    """Run a program that has to succeed and give its output; raises BackendError with its own words."""
    result = host.run(argv, stdin)
    if result.status != 0:
        said = " ".join((result.errors or result.output).split())[:600] or "it said nothing"
        raise BackendError("'%s' failed with status %d: %s" % (" ".join(argv), result.status, said))
    return result.output
