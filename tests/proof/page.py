# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof's own reading of CUPS' firewall page: it shares no code with the collection that it judges.

It need not cope with other pages than the one that lies here, and says so when it meets one.
"""

from __future__ import annotations

import html
import re
from typing import FrozenSet, List, NamedTuple, Tuple

# Table 3 has no column for the direction: its caption says "Outgoing".
COLUMNS = {1: 4, 2: 4, 3: 3}
PROFILES = {"ipp_sharing": 1, "smb_sharing": 2, "network_printers": 3}
# The words of the page by which a printing protocol's rows of table 3 are known.  AppSocket has no
# service name there; its row says so in the description.  Note 1 of the page: DNS and mDNS belong to
# all protocols except SMB.  Note 2: SNMP belongs to AppSocket and LPD.
SERVICES = {
    "ipp": {"IPP", "DNS", "mDNS"},
    "ipps": {"IPPS", "DNS", "mDNS"},
    "lpd": {"LPD", "SNMP", "DNS", "mDNS"},
    "socket": {"AppSocket", "SNMP", "DNS", "mDNS"},
    "smb": {"WINS", "SMB", "SMBDS"},
}


class Row(NamedTuple):
    """One row for one protocol and one direction."""

    table: int
    ports: Tuple[int, ...]
    services: FrozenSet[str]
    protocol: str  # "tcp" or "udp"
    direction: str  # "in" or "out"

    @property
    def name(self) -> str:
        """Such as ``table 3, 9100-9102/tcp out``."""
        ports = "%d-%d" % (self.ports[0], self.ports[-1]) if len(self.ports) > 1 else "%d" % self.ports[0]
        return "table %d, %s/%s %s" % (self.table, ports, self.protocol, self.direction)


def read(text: str) -> List[Row]:
    """All rows of the three tables; raises ValueError where the page is not as it was in 2017."""
    rows = []
    tables = re.findall(r"<caption>Table (\d):.*?</caption>(.*?)</table>", text, re.DOTALL)
    if [number for number, unused in tables] != ["1", "2", "3"]:
        raise ValueError("the page does not have tables 1, 2 and 3")
    for number, body in ((int(number), body) for number, body in tables):
        for cells in re.findall(r"<tr>((?:<td>.*?</td>)+)</tr>", body):
            row = [html.unescape(cell).replace("\xa0", " ") for cell in re.findall(r"<td>(.*?)</td>", cells)]
            if len(row) != COLUMNS[number]:
                raise ValueError("table %d has a row of %d cells: %s" % (number, len(row), row))
            rows += _row(number, row)
    return rows


def _row(table: int, cells: List[str]) -> List[Row]:
    port, service = re.fullmatch(r"([0-9-]+)(?: \((\S+)\))?", cells[0]).groups()  # type: ignore[union-attr]
    ends = [int(end) for end in port.split("-")]
    services = set(service.split("/")) if service else set()
    if "AppSocket" in cells[-1]:
        services.add("AppSocket")
    directions = cells[2] if table != 3 else "OUT"
    return [
        Row(table, tuple(range(ends[0], ends[-1] + 1)), frozenset(services), protocol.lower(), direction.lower())
        for protocol in cells[1].split("/")
        for direction in directions.split("+")
    ]


def chosen(rows: List[Row], profiles: List[str], protocols: List[str]) -> List[Row]:
    """The rows of the profiles; of table 3 those that the printing protocols use."""
    numbers = {PROFILES[profile] for profile in profiles}
    wanted = set().union(*(SERVICES[protocol] for protocol in protocols))
    return [row for row in rows if row.table in numbers and (row.table != 3 or row.services & wanted)]
