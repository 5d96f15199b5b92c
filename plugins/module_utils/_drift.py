# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the rules of the last run are not in force any more, and the command that brings them back.  Pure."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence


class Cause(NamedTuple):
    """One reason for drift.

    ``id`` never changes once it is published.  ``command`` brings the rules back on the host, "" where only another
    run of the role can do that.
    """

    id: str
    what: str
    command: str = ""

    def as_dict(self) -> dict:
        """The form in which the info module returns it."""
        return dict(self._asdict())


def package_missing(names: Sequence[str]) -> Cause:
    """The manager that holds our rules was removed."""
    return Cause("package-missing", "%s is not installed any more" % " and ".join(names))


def unknown() -> Cause:
    """There is a difference, and none of the known causes explains it."""
    return Cause(
        "rules-differ",
        "the host's rules or files are not as the last run left them, or its networks or printers changed since",
    )


def sentences(causes: Sequence[dict]) -> List[str]:
    """Causes as the info module returns them, for a person."""
    lines = []
    for cause in causes:
        mend = "this command brings the rules back: %s" % cause["command"]
        if not cause["command"]:
            mend = "run the role again, with --check --diff it shows what differs"
        lines.append("NOT in force as the last run meant it: %s; %s." % (cause["what"], mend))
    return lines
