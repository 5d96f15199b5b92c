# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Table data as a user may write it, and what is refused in it."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _tables
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused


def test_what_is_read_is_written_the_same(tables):
    assert [table.as_dict() for table in _tables.read_tables(tables, "t")] == tables


def test_ports_may_be_numbers_and_words_may_stand_twice(tables):
    changed = copy.deepcopy(tables)
    changed[0]["rows"][1]["port"] = 631
    changed[0]["rows"][1]["protocols"] = ["tcp", "tcp"]
    assert [table.as_dict() for table in _tables.read_tables(changed, "t")] == tables


def set_row(**values):
    return lambda tables: tables[1]["rows"][0].update(values)


def set_table(**values):
    return lambda tables: tables[1].update(values)


BAD = [
    (lambda tables: tables.pop(), "t: [1, 2] is not allowed: it has each of the tables 1, 2 and 3 exactly once."),
    (lambda tables: tables.append(tables[0]), "t: [1, 2, 3, 1] is not allowed: it has each of"),
    (lambda tables: tables.append("x"), "t[3]: 'x' is not allowed: it is a mapping, the keys are table, title, rows"),
    (lambda tables: tables[1].pop("notes"), "t[1]: ['table', 'title', 'rows'] is not allowed: the key notes"),
    (set_table(source="x"), "t[1]: 'source' is not allowed: the keys are table, title, rows, notes."),
    (set_table(table="2"), "t[1].table: '2' is not allowed: it is one of 1, 2, 3."),
    (set_table(table=True), "t[1].table: True is not allowed: it is one of 1, 2, 3."),
    (set_table(table=2.0), "t[1].table: 2.0 is not allowed: it is one of 1, 2, 3."),
    (set_table(table=0), "t[1].table: 0 is not allowed: it is one of 1, 2, 3."),
    (set_table(table=[2]), "t[1].table: [2] is not allowed: it is one of 1, 2, 3."),
    (set_table(table=1), "t[1].title: 'Ports Used for SMB Printer Sharing' is not allowed: table 1 is titled"),
    (set_table(title=None), "t[1].title: None is not allowed: table 2 is titled 'Ports Used for SMB Printer Sharing'."),
    (set_table(rows=[]), "t[1].rows: [] is not allowed: a table has at least one row."),
    (set_table(rows={}), "t[1].rows: {} is not allowed: it is a list of rows."),
    (set_table(rows=["137"]), "t[1].rows[0]: '137' is not allowed: it is a mapping, the keys are port, service"),
    (set_table(notes="x"), "t[1].notes: 'x' is not allowed: it is a list of sentences."),
    (set_table(notes=[5]), "t[1].notes[0]: 5 is not allowed: it is one line of up to 500 printable characters."),
    (set_row(port="137:"), "t[1].rows[0].port: '137:' is not allowed: a port is"),
    (set_row(service=None), "t[1].rows[0].service: None is not allowed: a service is a word"),
    (set_row(service="WINS "), "t[1].rows[0].service: 'WINS ' is not allowed: a service is a word"),
    (set_row(service="WINS/"), "t[1].rows[0].service: 'WINS/' is not allowed: a service is a word"),
    (set_row(service="W" * 41), "is not allowed: a service is a word of up to 40 letters"),
    (set_row(protocols="udp"), "t[1].rows[0].protocols: 'udp' is not allowed: it is a list of tcp, udp."),
    (set_row(protocols=[]), "t[1].rows[0].protocols: [] is not allowed: it is a list of at least one of tcp, udp."),
    (set_row(directions=["both"]), "t[1].rows[0].directions: 'both' is not allowed: it is one of in, out."),
    (set_row(description=""), "t[1].rows[0].description: '' is not allowed: every row of the page has a description."),
    (set_row(description="\x1b[2J"), "t[1].rows[0].description: '\\x1b[2J' is not allowed: it is one line"),
    (set_row(description=None), "t[1].rows[0].description: None is not allowed"),
    (set_row(port="139", service="SMB", protocols=["udp", "tcp"]),
     "t[1].rows: 'Table 2: 139 (SMB) TCP IN' is not allowed: a table names each port, protocol and direction once."),
    (lambda tables: tables[2]["rows"][0].update(directions=["in", "out"]),
     "t[2].rows[0].directions: ['in', 'out'] is not allowed: all rows of table 3 have the one direction out."),
]


@pytest.mark.parametrize("spoil, says", BAD, ids=range(len(BAD)))
def test_bad_data_is_refused(tables, spoil, says):
    changed = copy.deepcopy(tables)
    spoil(changed)
    with pytest.raises(Refused) as caught:
        _tables.read_tables(changed, "t")
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("value", [None, "", "x", {}, 5, b"x"])
def test_what_is_no_list_of_tables(value):
    with pytest.raises(Refused, match="^t: .* is not allowed: it is a list of the page's three tables.$"):
        _tables.read_tables(value, "t")
