# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row is for, in words for whoever meets it in `firewall-cmd --info-service` or `ufw app info`.  Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.printfleet.cups.plugins.module_utils._policy import NEVER_ROW, SSH_ROW

# Names of rows as _tables.Row.name() and _choices give them.
_ROW = re.compile(r"(Table [0-9]|Extra|Printers): \S+(?: \(([^ )]+)\))? (?:TCP|UDP) (IN|OUT)( answers)?")
# By the page's service word and the row's direction; the row of AppSocket has no word.
_PURPOSES = {
    ("IPP/IPPS", "IN"): "Clients print to this host by IPP",
    ("IPP", "IN"): "Clients print to this host by IPP",
    ("IPPS", "IN"): "Clients print to this host by IPP, encrypted",
    ("mDNS", "IN"): "Neighbours look for printers of this host by mDNS (Bonjour)",
    ("WINS", "IN"): "Windows clients look up the name of this host by NetBIOS",
    ("SMB", "IN"): "Windows clients print to this host by SMB over NetBIOS",
    ("SMBDS", "IN"): "Windows clients print to this host by SMB",
    ("DNS", "OUT"): "This host looks up names by DNS",
    ("mDNS", "OUT"): "This host announces its printers and looks for others by mDNS (Bonjour)",
    ("WINS", "OUT"): "This host looks up names of SMB servers and printers by NetBIOS",
    ("SMB", "OUT"): "This host reaches SMB servers and printers over NetBIOS",
    ("SMBDS", "OUT"): "This host reaches SMB servers and printers",
    ("SNMP", "OUT"): "This host finds printers and asks for their supplies by SNMP",
    ("IPP/IPPS", "OUT"): "This host prints to printers by IPP",
    ("IPP", "OUT"): "This host prints to printers by IPP",
    ("IPPS", "OUT"): "This host prints to printers by IPP, encrypted",
    ("LPD", "OUT"): "This host prints to printers by LPD",
    ("Table 3", "OUT"): "This host prints to printers by AppSocket (JetDirect)",
}
_NEVER = "Kept closed: cups-browsed up to 2.0.1 took printers from anyone here"


class Wording(NamedTuple):
    """``title`` is a few words, ``told`` whole sentences; plain letters without quotes, percent signs and newlines."""

    title: str
    told: str


def explain(row: str, direction: str, protocol: str, ports: str, side: str = "destination") -> Wording:
    """Words for the packets of a row; ``ports`` as 631 or 9100-9102, ``side`` says which end of a packet has them."""
    what = "%s port%s %s" % (protocol.upper(), "s" if "-" in ports else "", ports.replace("-", " to "))
    whose = "of this host" if (direction == "in") == (side == "destination") else "of the other end"
    way = "Incoming" if direction == "in" else "Outgoing"
    packets = "%s packets %s %s %s." % (way, "to" if side == "destination" else "from", what, whose)
    return Wording(_title(row, what), "%s Row: %s. Kept by printfleet.cups." % (packets, row))


def _title(row: str, what: str) -> str:
    if row == NEVER_ROW:
        return _NEVER
    if row.startswith(SSH_ROW):
        return "Ansible reaches this host by SSH"
    if row.startswith("baseline: "):
        return "What a host in a network needs: %s" % row[len("baseline: "):]
    found = _ROW.fullmatch(row)
    if not found:
        return "A row of your own, %s" % what
    origin, service, direction, answers = found.groups()
    purpose = _PURPOSES.get((service or origin, direction))
    if purpose is None:
        purpose = "A row of your own: %s, %s" % (service or "printing", what)
    return "Answers, where: %s" % purpose if answers else purpose
