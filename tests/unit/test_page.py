# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page, and changed copies of it that are still sound: what changed is what differs in the data."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.printfleet.cups.plugins.filter.port_tables import port_tables

SMB_ROW = "<tr><td>139&nbsp;(SMB)</td><td>TCP</td><td>IN</td><td>Windows SMB printing.</td></tr>"
SNMP_NOTE = "<li>SNMP is used to provide status and supply level information for AppSocket and LPD printers.</li>"
IPP_TABLE = '<div class="table"><table summary="Ports Used for IPP Printer Sharing">'


@pytest.fixture(scope="module")
def shipped(checkout):
    text = (checkout / "roles" / "cups_firewall" / "defaults" / "main.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["cups_firewall_tables"]


def cells_of(page):
    """The rows of the page by a reader of the test's own: text between tags, no parser."""
    rows = []
    for number, body in enumerate(re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL), 1):
        for row in re.findall(r"<tr>(.*?)</tr>", body):
            cells = [cell.replace("&nbsp;", " ") for cell in re.findall(r"<td>(.*?)</td>", row)]
            rows.append([number] + (cells if number < 3 else cells[:2] + ["OUT"] + cells[2:]))
    return rows


def test_the_shipped_data_is_the_page_row_by_row(page, shipped):
    expected = cells_of(page)
    assert len(expected) == 16
    actual = [
        [
            table["table"],
            row["port"] + (" (%s)" % row["service"] if row["service"] else ""),
            "/".join(row["protocols"]).upper(),
            "+".join(row["directions"]).upper(),
            row["description"],
        ]
        for table in shipped
        for row in table["rows"]
    ]
    for actual_row, expected_row in zip(actual, expected):
        assert actual_row == expected_row
    assert len(actual) == len(expected)
    captions = re.findall(r"<caption>(.*?)</caption>", page)
    assert ["Table %d: %s" % (table["table"], table["title"]) for table in shipped] == captions
    assert [table["notes"] for table in shipped] == [[], [], re.findall(r"<li>(.*?)</li>", page)]


def test_the_filter_reads_the_page_into_the_shipped_data(tables, shipped):
    assert tables == shipped


def test_the_data_is_plain(tables):
    assert yaml.safe_load(yaml.safe_dump(tables)) == tables


@pytest.mark.parametrize("old, new", [
    ("\n", "\r\n"),
    ("\n", "\n\n  "),
    ("&nbsp;", "&#160;"),
    ("&nbsp;", " "),
    ("<td>", '<td class="cell">'),
    ("<td>TCP</td>", "<td>\n  TCP\n</td>"),
    ("<td>TCP</td>", "<TD>TCP</TD>"),
    ("<tbody>", "<tbody><!-- the rows -->"),
    ("(Destination) Port</th>", "(Destination) Port(s)</th>"),
])
def test_what_means_the_same_reads_the_same(page, tables, old, new):
    assert port_tables(page.replace(old, new)) == tables


def test_a_byte_order_mark_is_no_text(page, tables):
    assert port_tables("\ufeff" + page) == tables


# Differences: what changed is what differs, and nothing else.

def test_one_more_row(page, tables, change):
    new = "<tr><td>8631&nbsp;(IPP)</td><td>TCP</td><td>IN</td><td>One more.</td></tr>"
    changed = port_tables(change(page, SMB_ROW, SMB_ROW + new))
    assert changed[1]["rows"].pop(2) == {
        "port": "8631", "service": "IPP", "protocols": ["tcp"], "directions": ["in"], "description": "One more.",
    }
    assert changed == tables


def test_one_row_less(page, tables, change):
    changed = port_tables(change(page, SMB_ROW, ""))
    changed[1]["rows"].insert(1, tables[1]["rows"][1])
    assert changed == tables


def test_a_row_inside_of_a_comment_is_no_row(page, tables, change):
    assert port_tables(change(page, SMB_ROW, "<!-- %s -->" % SMB_ROW)) == port_tables(change(page, SMB_ROW, ""))


@pytest.mark.parametrize("old, new, table, row, key, value", [
    ("631&nbsp;(IPP/IPPS)", "8631&nbsp;(IPP/IPPS)", 0, 1, "port", "8631"),
    ("9100-9102", "9100-9109", 2, 9, "port", "9100-9109"),
    ("9100-9102", "9100", 2, 9, "port", "9100"),
    ("137&nbsp;(WINS)", "137&nbsp;(NBNS)", 1, 0, "service", "NBNS"),
    ("137&nbsp;(WINS)", "137", 1, 0, "service", ""),
    ("<td>UDP</td><td>IN+OUT</td>", "<td>TCP/UDP</td><td>IN+OUT</td>", 0, 2, "protocols", ["tcp", "udp"]),
    ("<td>UDP</td><td>IN+OUT</td>", "<td>UDP</td><td>IN</td>", 0, 2, "directions", ["in"]),
    ("Windows SMB printing.", "Windows &lt;SMB&gt; printing &amp; more.", 1, 1, "description",
     "Windows <SMB> printing & more."),
])
def test_a_changed_cell(page, tables, old, new, table, row, key, value, change):
    changed = port_tables(change(page, old, new))
    assert changed[table]["rows"][row][key] == value
    changed[table]["rows"][row][key] = tables[table]["rows"][row][key]
    assert changed == tables


def test_notes_are_data(page, tables, change):
    changed = port_tables(change(page, SNMP_NOTE, ""))
    assert changed[2]["notes"] == tables[2]["notes"][:1]
    changed = port_tables(change(page, SNMP_NOTE, SNMP_NOTE + "<li>One more.</li>"))
    assert changed[2]["notes"] == tables[2]["notes"] + ["One more."]
    notes = page[page.index("<blockquote>"):page.index("</blockquote>") + len("</blockquote>")]
    changed = port_tables(change(change(page, notes, ""), IPP_TABLE, notes + IPP_TABLE))
    assert [len(table["notes"]) for table in changed] == [2, 0, 0]
