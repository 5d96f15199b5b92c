# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the info module found, in lines for a person.  Pure."""

from __future__ import annotations

from typing import List

from ansible_collections.printfleet.cups.plugins.module_utils import _drift

# So many peers of a row are shown, the rest is counted.
_PEERS = 4
# What was compared, and no more: packets may still meet rules of others.
_IN_FORCE = "Our rules are in force as the last run meant them."


def report(told: dict) -> List[str]:
    """Lines of what the info module returns: who holds the rules, the rows, drift, findings."""
    if not told["backend"]:
        active = [m["name"] for m in told["managers"] if m["active"]]
        lines = ["Nothing of printfleet.cups is on this host; active: %s." % (", ".join(active) or "nothing")]
    else:
        lines = [
            "Held by %s; default incoming: %s, outgoing: %s."
            % (told["backend"], told["default_incoming"], told["default_outgoing"])
        ]
        lines += [_row(row) for row in told["rows"]]
        lines += [
            "open in %(protocol)s %(port)d by way of %(address)s from anyone on the link (%(row)s)" % group
            for group in told["groups"]
        ]
        lines += ["finds %s: kernel helper %s (%s)" % (h["finds"], h["name"], h["row"]) for h in told["helpers"]]
        lines += [_IN_FORCE] if told["in_force"] else _drift.sentences(told["drift"])
        lines += told.get("queues_changed", [])
    return lines + ["%s: %s: %s; %s." % (f["level"], f["where"], f["what"], f["advice"]) for f in told["findings"]]


def _row(row: dict) -> str:
    peers = ", ".join(row["peers"][:_PEERS])
    if len(row["peers"]) > _PEERS:
        peers += " and %d more" % (len(row["peers"]) - _PEERS)
    return "open %s %s %s%s %s %s (%s)" % (
        row["direction"], row["protocol"], "source port " if row["side"] == "source" else "", row["port"],
        "from" if row["direction"] == "in" else "to", "anyone" if row["anyone"] else peers or "nobody", row["row"],
    )
