# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUPS' page "Firewalls" (HTML) to table data: whatever is not exactly as expected is refused, nothing is guessed."""

from __future__ import annotations

import re
from typing import Dict, List, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _tables, _words
from ansible_collections.printfleet.cups.plugins.module_utils._page_markup import TableText, at, read_markup

_PAGE_LENGTH = 1000000
_CAPTION = re.compile(r"Table ([0-9]+): (.+)")
_PORT_CELL = re.compile(r"([^ ()]+)(?: \(([^()]+)\))?")
_PORT_HEADINGS = ("(Destination) Port", "(Destination) Port(s)")
_HEADINGS = ("TCP/UDP", "Direction", "Description")


def read_page(page: object) -> Tuple[_tables.Table, ...]:
    """Read the whole page; raises Refused, naming the line where there is one."""
    if not isinstance(page, str):
        raise _words.refuse("page", page, "it is the text of CUPS' page firewalls.html")
    if len(page) > _PAGE_LENGTH:
        raise _words.refuse("page", page, "it has up to %d characters" % _PAGE_LENGTH)
    # A page in another encoding shows itself by these: NUL, other control characters,
    # halves of surrogate pairs and the sign for what could not be decoded.
    wrong = re.search("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]", page)
    if wrong:
        line = page.count("\n", 0, wrong.start()) + 1
        raise _words.refuse(at(line), wrong.group(), "the page is text in UTF-8")
    return _tables.read_tables([_read_table(table) for table in read_markup(page)], "page")


def _read_table(table: TableText) -> Dict[str, object]:
    """From the texts of a table to its plain data; raises Refused."""
    where = at(table.line)
    if table.parts != ["caption", "thead", "tbody"]:
        raise _words.refuse(where, table.parts, "a table has one caption, one thead and one tbody, in this order")
    match = _CAPTION.fullmatch(table.caption[0])
    if not match or match.group(1) not in [str(number) for number in _tables.TITLES]:
        raise _words.refuse(
            where, table.caption[0], "a caption is a table's number from 1 to 3 and its title, such as 'Table 1: %s'"
            % _tables.TITLES[1]
        )
    number = int(match.group(1))
    if match.group(2) != _tables.TITLES[number]:
        raise _words.refuse(where, table.caption[0], "table %d is titled '%s'" % (number, _tables.TITLES[number]))
    expected = [name for name in _HEADINGS if number != _tables.OUTGOING or name != "Direction"]
    good = len(table.headings) == 1 and table.headings[0][:1] and table.headings[0][0] in _PORT_HEADINGS
    if not good or table.headings[0][1:] != expected:
        raise _words.refuse(
            where, table.headings,
            "the columns of table %d are %s" % (number, ", ".join([_PORT_HEADINGS[1]] + expected))
        )
    return {
        "table": number,
        "title": match.group(2),
        "rows": [_read_row(number, cells, at(line)) for line, cells in table.rows],
        "notes": [_tables.read_text(note, where) for note in table.notes],
    }


def _read_row(number: int, cells: Sequence[str], where: str) -> Dict[str, object]:
    wanted = 3 if number == _tables.OUTGOING else 4
    if len(cells) != wanted:
        raise _words.refuse(where, list(cells), "a row of table %d has %d cells" % (number, wanted))
    port = _PORT_CELL.fullmatch(cells[0])
    if not port:
        raise _words.refuse(where, cells[0], "a cell is a port, perhaps with a service, such as 9100-9102 or 53 (DNS)")
    directions = ["out"] if number == _tables.OUTGOING else _split(cells[2], "+", ("IN", "OUT"), where)
    return {
        "port": str(_words.read_ports(port.group(1), where)),
        "service": _tables.read_service(port.group(2) or "", where),
        "protocols": _split(cells[1], "/", ("TCP", "UDP"), where),
        "directions": directions,
        "description": _tables.read_description(cells[-1], where),
    }


def _split(cell: str, sign: str, words: Sequence[str], where: str) -> List[str]:
    parts = cell.split(sign)
    if any(part not in words for part in parts) or len(set(parts)) != len(parts):
        raise _words.refuse(where, cell, "a cell is %s, %s or %s" % (words[0], words[1], sign.join(words)))
    return [part.lower() for part in parts]
