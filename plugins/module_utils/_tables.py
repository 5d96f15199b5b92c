# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three port tables of the page as data: read, checked and written in one schema."""

from __future__ import annotations

import re
from typing import Mapping, NamedTuple, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words

# The captions of CUPS' doc/help/firewalls.html (unchanged since December 2017).  A number alone
# would not tell two tables that have changed places.
TITLES = {
    1: "Ports Used for IPP Printer Sharing",
    2: "Ports Used for SMB Printer Sharing",
    3: "Outgoing Ports Used for Network Printers",
}
# Table 3 has no column for the direction, its caption says it.
OUTGOING = 3

TABLE_KEYS = ("table", "title", "rows", "notes")
ROW_KEYS = ("port", "service", "protocols", "directions", "description")

# The page's words are like IPP/IPPS; they end up in rule comments.
_SERVICE = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:/[A-Za-z][A-Za-z0-9-]*)*")
_SERVICE_LENGTH = 40
_TEXT_LENGTH = 500


class Row(NamedTuple):
    """One row: ``service`` is the word in the port's parentheses, "" where the page has none."""

    ports: _words.Ports
    service: str
    protocols: Tuple[str, ...]
    directions: Tuple[str, ...]
    description: str

    def name(self, table: str, protocol: str, direction: str) -> str:
        """The name by which a rule shows this row, such as ``Table 1: 53 (DNS) UDP OUT``."""
        service = " (%s)" % self.service if self.service else ""
        return "%s: %s%s %s %s" % (table, self.ports, service, protocol.upper(), direction.upper())

    def as_dict(self) -> dict:
        """The plain form."""
        return {
            "port": str(self.ports),
            "service": self.service,
            "protocols": list(self.protocols),
            "directions": list(self.directions),
            "description": self.description,
        }


class Table(NamedTuple):
    """One table of the page with the notes that stand above it."""

    number: int
    title: str
    rows: Tuple[Row, ...]
    notes: Tuple[str, ...]

    def as_dict(self) -> dict:
        """The plain form that the filter ``port_tables`` returns and the role ships."""
        return {
            "table": self.number,
            "title": self.title,
            "rows": [row.as_dict() for row in self.rows],
            "notes": list(self.notes),
        }


def read_tables(value: object, variable: str) -> Tuple[Table, ...]:
    """Read all three tables from their plain form, in the order of their numbers; raises Refused."""
    found = [
        read_table(item, "%s[%d]" % (variable, index))
        for index, item in enumerate(_words.read_list(value, variable, "the page's three tables"))
    ]
    numbers = [table.number for table in found]
    if sorted(numbers) != sorted(TITLES):
        raise _words.refuse(variable, numbers, "it has each of the tables 1, 2 and 3 exactly once")
    return tuple(sorted(found))


def read_table(value: object, variable: str) -> Table:
    """Read one table from its plain form; raises Refused."""
    table = read_mapping(value, variable, TABLE_KEYS)
    number = table["table"]
    if isinstance(number, bool) or not isinstance(number, int) or number not in TITLES:
        raise _words.refuse(variable + ".table", number, "it is one of 1, 2, 3")
    if table["title"] != TITLES[number]:
        raise _words.refuse(
            variable + ".title", table["title"], "table %d is titled '%s'" % (number, TITLES[number])
        )
    rows = tuple(
        read_row(read_mapping(item, "%s.rows[%d]" % (variable, index), ROW_KEYS), "%s.rows[%d]" % (variable, index))
        for index, item in enumerate(_words.read_list(table["rows"], variable + ".rows", "rows"))
    )
    if not rows:
        raise _words.refuse(variable + ".rows", [], "a table has at least one row")
    for index, row in enumerate(rows):
        where = "%s.rows[%d]" % (variable, index)
        if number == OUTGOING and row.directions != ("out",):
            raise _words.refuse(
                where + ".directions", list(row.directions), "all rows of table 3 have the one direction out"
            )
        read_description(row.description, where + ".description")
    _refuse_twins(number, rows, variable + ".rows")
    notes = tuple(
        read_text(note, "%s.notes[%d]" % (variable, index))
        for index, note in enumerate(_words.read_list(table["notes"], variable + ".notes", "sentences"))
    )
    return Table(int(number), TITLES[number], rows, notes)


def _refuse_twins(number: int, rows: Sequence[Row], variable: str) -> None:
    # Two rows of one name could not be told apart on a host.
    seen = set()
    for row in rows:
        for protocol in row.protocols:
            for direction in row.directions:
                name = row.name("Table %d" % number, protocol, direction)
                if name in seen:
                    raise _words.refuse(variable, name, "a table names each port, protocol and direction once")
                seen.add(name)


def read_row(row: Mapping, variable: str) -> Row:
    """Read a row whose keys have been checked; ``service`` and ``description`` may be missing; raises Refused."""
    return Row(
        ports=_words.read_ports(row["port"], variable + ".port"),
        service=read_service(row.get("service", ""), variable + ".service"),
        protocols=read_words(row["protocols"], variable + ".protocols", _words.PROTOCOLS),
        directions=read_words(row["directions"], variable + ".directions", _words.DIRECTIONS),
        description=read_text(row.get("description", ""), variable + ".description"),
    )


def read_mapping(value: object, variable: str, keys: Sequence[str], optional: Sequence[str] = ()) -> dict:
    """Read a mapping that has all of ``keys``, perhaps some of ``optional``, and nothing else; raises Refused."""
    known = tuple(keys) + tuple(optional)
    allowed = "the keys are %s" % ", ".join(keys)
    if optional:
        allowed += " and, if wanted, %s" % ", ".join(optional)
    if not isinstance(value, Mapping):
        raise _words.refuse(variable, value, "it is a mapping, " + allowed)
    for key in value:
        if key not in known:
            raise _words.refuse(variable, key, allowed)
    missing = [key for key in keys if key not in value]
    if missing:
        raise _words.refuse(variable, [str(key) for key in value], "the key %s is missing" % missing[0])
    return dict(value)


def read_words(value: object, variable: str, choices: Sequence[str]) -> Tuple[str, ...]:
    """Read a list of at least one of the words, duplicates dropped; raises Refused."""
    allowed = ", ".join(choices)
    words = [_words.read_choice(word, variable, choices) for word in _words.read_list(value, variable, allowed)]
    if not words:
        raise _words.refuse(variable, [], "it is a list of at least one of %s" % allowed)
    return tuple(dict.fromkeys(words))


def read_text(value: object, variable: str) -> str:
    """Read one line of printable text, perhaps empty; raises Refused."""
    if not isinstance(value, str) or not value.isprintable() or len(value) > _TEXT_LENGTH:
        raise _words.refuse(variable, value, "it is one line of up to %d printable characters" % _TEXT_LENGTH)
    return str(value)


def read_description(value: object, variable: str) -> str:
    """Read the description of a row of the page, which is never empty; raises Refused."""
    if not value:
        raise _words.refuse(variable, value, "every row of the page has a description")
    return read_text(value, variable)


def read_service(value: object, variable: str) -> str:
    """Read a service word, "" for none; raises Refused."""
    if not isinstance(value, str) or len(value) > _SERVICE_LENGTH or (value and not _SERVICE.fullmatch(value)):
        raise _words.refuse(
            variable, value, "a service is a word of up to %d letters, digits and -, or several"
            " with / between them, such as IPP/IPPS" % _SERVICE_LENGTH
        )
    return str(value)
