# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken copies of the page: each is refused with one sentence that names the line."""

from __future__ import annotations

import re

import pytest

SMB_ROW = "<tr><td>139&nbsp;(SMB)</td><td>TCP</td><td>IN</td><td>Windows SMB printing.</td></tr>"
IPP_CAPTION = "<caption>Table 1: Ports Used for IPP Printer Sharing</caption>"
SMB_CAPTION = "<caption>Table 2: Ports Used for SMB Printer Sharing</caption>"
COLUMN = "<th>Direction</th>"

# What stands in the page, what stands there instead, and what the refusal says.
ERRORS = [
    # Cells
    ("631&nbsp;(IPP/IPPS)", "x631&nbsp;(IPP/IPPS)", "line 24: 'x631' is not allowed: a port is a number"),
    ("631&nbsp;(IPP/IPPS)", "0&nbsp;(IPP/IPPS)", "line 24: '0' is not allowed: a port is a number"),
    ("631&nbsp;(IPP/IPPS)", "70000&nbsp;(IPP/IPPS)", "line 24: '70000' is not allowed: a port is a number"),
    ("9100-9102", "9102-9100", "line 70: '9102-9100' is not allowed: a port is a number"),
    ("9100-9102", "9100&ndash;9102", "line 70: '9100–9102' is not allowed: a port is a number"),
    ("9100-9102", "9100, 9101, 9102", "line 70: '9100, 9101, 9102' is not allowed: a cell is a port"),
    ("9100-9102", "", "line 70: '' is not allowed: a cell is a port"),
    ("631&nbsp;(IPP/IPPS)", "631&nbsp;IPP", "line 24: '631 IPP' is not allowed: a cell is a port"),
    ("631&nbsp;(IPP/IPPS)", "631&nbsp;(IPP/IPPS", "line 24: '631 (IPP/IPPS' is not allowed: a cell is a port"),
    ("631&nbsp;(IPP/IPPS)", "631&nbsp;(IPP) (IPPS)", "line 24: '631 (IPP) (IPPS)' is not allowed: a cell is a port"),
    ("631&nbsp;(IPP/IPPS)", "631&nbsp;(IPP &amp; IPPS)", "line 24: 'IPP & IPPS' is not allowed: a service is a word"),
    ("<td>TCP</td>", "<td>SCTP</td>", "line 24: 'SCTP' is not allowed: a cell is TCP, UDP or TCP/UDP"),
    ("<td>TCP</td>", "<td>tcp</td>", "line 24: 'tcp' is not allowed: a cell is TCP, UDP or TCP/UDP"),
    ("<td>TCP</td>", "<td></td>", "line 24: '' is not allowed: a cell is TCP, UDP or TCP/UDP"),
    ("<td>TCP</td>", "<td>TCP/TCP</td>", "line 24: 'TCP/TCP' is not allowed: a cell is TCP, UDP or TCP/UDP"),
    ("<td>TCP</td>", "<td>TCP+UDP</td>", "line 24: 'TCP+UDP' is not allowed: a cell is TCP, UDP or TCP/UDP"),
    ("<td>IN</td>", "<td>INOUT</td>", "line 24: 'INOUT' is not allowed: a cell is IN, OUT or IN+OUT"),
    ("<td>IN</td>", "<td>IN/OUT</td>", "line 24: 'IN/OUT' is not allowed: a cell is IN, OUT or IN+OUT"),
    ("<td>IN</td>", "<td>FORWARD</td>", "line 24: 'FORWARD' is not allowed: a cell is IN, OUT or IN+OUT"),
    ("Windows SMB printing.", "", "line 38: '' is not allowed: every row"),
    ("Windows SMB printing.", "x" * 501, "it is one line of up to 500 printable characters"),
    (SMB_ROW, SMB_ROW + SMB_ROW, "'Table 2: 139 (SMB) TCP IN' is not allowed: a table names each port"),
    ("<td>IN</td>", "", "line 24: ['631 (IPP/IPPS)', 'TCP', 'Internet"),
    ("<td>IN</td>", "<td>IN</td><td>IN</td>", "is not allowed: a row of table 1 has 4 cells"),
    (SMB_ROW, "<tr></tr>", "line 38: [] is not allowed: a row of table 2 has 4 cells"),
    ("<li>DNS", "<li>\u202eDNS", "line 55: '\\u202eDNS and mDNS"),
    ("<td>TCP</td>", '<td colspan="2">TCP</td>', "line 24: 'colspan' is not allowed: <td> must not have"),
    ("<td>TCP</td>", '<td hidden>TCP</td>', "line 24: 'hidden' is not allowed: <td> must not have this attribute"),
    ("<td>TCP</td>", "<td><del>TCP</del></td>", "line 24: '<del>' is not allowed: only text may stand in <td> here"),
    ("<td>TCP</td>", "<td>TCP<br>UDP</td>", "line 24: '<br>' is not allowed: only text may stand in <td> here"),
    # Columns
    (COLUMN, "", "line 17: [['(Destination) Port', 'TCP/UDP', 'Description']] is not allowed: the columns of table 1"),
    (COLUMN, COLUMN + "<th>Since</th>", "is not allowed: the columns of table 1 are (Destination) Port(s), TCP/UDP, "),
    (COLUMN, "<th>Way</th>", "is not allowed: the columns of table 1 are (Destination) Port(s), TCP/UDP, Direction"),
    ("<th>TCP/UDP</th><th>Direction</th>", "<th>Direction</th><th>TCP/UDP</th>", "the columns of table 1 are"),
    ("(Destination) Port", "(Source) Port", "line 17: [['(Source) Port', 'TCP/UDP'"),
    ("<th>TCP/UDP</th><th>Description</th>", "<th>TCP/UDP</th>" + COLUMN + "<th>Description</th>",
     "the columns of table 3 are (Destination) Port(s), TCP/UDP, Description."),
    ("</thead>", "<tr><th>more</th></tr></thead>", "the columns of table 1 are"),
    # Captions
    (IPP_CAPTION, "", "line 17: ['thead', 'tbody'] is not allowed: a table has one caption, one thead and one tbody"),
    (IPP_CAPTION, IPP_CAPTION * 2, "line 17: ['caption', 'caption', 'thead', 'tbody'] is not allowed"),
    (IPP_CAPTION, "<caption></caption>", "line 17: '' is not allowed: a caption is a table's number"),
    (IPP_CAPTION, SMB_CAPTION, "page: [2, 2, 3] is not allowed: it has each of the tables 1, 2 and 3 exactly once"),
    (IPP_CAPTION, "<caption>Table 2: Ports Used for IPP Printer Sharing</caption>",
     "line 17: 'Table 2: Ports Used for IPP Printer Sharing' is not allowed: table 2 is titled 'Ports Used for SMB"),
    (IPP_CAPTION, "<caption>Table 4: Ports Used for IPP Printer Sharing</caption>",
     "line 17: 'Table 4: Ports Used for IPP Printer Sharing' is not allowed: a caption is a table's number"),
    (IPP_CAPTION, "<caption>Ports Used for IPP Printer Sharing</caption>", "is not allowed: a caption is a table's"),
    ("Table 1: Ports Used for IPP", "Table 1: Ports Formerly Used for IPP", "table 1 is titled 'Ports Used for IPP"),
    # Parts of tables
    ("<tbody>", "", "line 23: '<tr>' is not allowed: only <caption> and <thead> and <tbody> may stand in <table>"),
    ("</tbody>", "</tbody><tfoot></tfoot>", "line 26: '<tfoot>' is not allowed: only <caption>"),
    ("</tbody>", "</tbody><tbody></tbody>", "line 17: ['caption', 'thead', 'tbody', 'tbody'] is not allowed"),
    ("</tr>", "</tr>stray", "line 20: 'stray' is not allowed: no text may stand here"),
    ("<tr><td>", "<tr>stray<td>", "line 23: 'stray' is not allowed: no text may stand here"),
    ("<tr><td>53&nbsp;(DNS)</td>", "<tr><th>53&nbsp;(DNS)</th>", "line 23: '<th>' is not allowed: <th> stands in"),
    ("<td>TCP</td>", "<td><table></table></td>", "line 24: '<table>' is not allowed: only text may stand in <td>"),
    ("</tbody>", "</tbody><table></table>", "line 26: '<table>' is not allowed: only <caption> and <thead>"),
    ('<div class="table">', '<p>', "line 17: '<table>' is not allowed: it has no place in <p>"),
    ('<div class="table">', '<template>', "line 17: '<template>' is not allowed: this element has no place in <body>"),
    ("<p>Table 2", "<tr><td>x</td></tr><p>Table 2", "line 29: '<tr>' is not allowed: this element has no place in"),
    # Notes
    ("<b>Notes:</b>", "<b>Beware:</b>", "line 48: 'Beware:' is not allowed: a blockquote of this page starts"),
    ("<blockquote>", "<blockquote>stray", "line 48: 'stray' is not allowed: no text may stand here"),
    ("<ol>", "<ol>stray", "line 49: 'stray' is not allowed: no text may stand here"),
    ("<li>DNS", "<li><i>DNS</i>", "line 50: '<i>' is not allowed: only text may stand in <li> here"),
    ("<blockquote>", "<blockquote><ul></ul>", "line 48: '<ul>' is not allowed: only <b> and <ol> may stand in"),
    ("<blockquote>", "<blockquote><b>Notes:</b><ol></ol></blockquote><blockquote>", "line 48: '<blockquote>' is not"),
    ("</body>", "<blockquote><b>Notes:</b><ol><li>x</li></ol></blockquote></body>",
     "line 73: ['x'] is not allowed: notes are followed by the table that they are for"),
    # Markup
    ("</td>", "", "line 23: '<td>' is not allowed: only text may stand in <td> here"),
    ("</tr>", "", "line 21: '</thead>' is not allowed: the element to be closed here is <tr> of line 20"),
    ("</table>", "", "line 27: '</div>' is not allowed: the element to be closed here is <table> of line 17"),
    ("</p>", "", "line 17: '<table>' is not allowed: it has no place in <p>"),
    ("</table></div>", "</div></table>", "line 27: '</div>' is not allowed: the element to be closed here is <table>"),
    ("</html>", "", "line 2: '<html>' is not allowed"),
    ("</html>", "</html><p>", "line 74: '<p>' is not allowed: nothing follows the end of the element html"),
    ("</html>", "</html>more", "line 74: 'more' is not allowed: no text may stand here"),
    ("</html>", "</html></html>", "line 74: '</html>' is not allowed: no element is open here"),
    ("<html>", "", "line 4: '<head>' is not allowed: the first element is html"),
    ("<body>", "<body><html>", "line 8: '<html>' is not allowed: this element has no place in <body>"),
    ("</body>", "</body", "is not allowed"),
    ("<td>TCP</td>", "<td/>", "line 24: '<td/>' is not allowed: HTML has no empty element of this name"),
    ("<td>TCP</td>", "<td>TCP</ td>", "line 24: '</ td><td>IN"),
    ("<td>TCP</td>", "<td>TCP<![CDATA[/UDP]]></td>", "HTML has no marked sections"),
    ("<td>TCP</td>", "<td>TCP<?php echo 1 ?></td>", "HTML has no processing instructions"),
    ("<td>TCP</td>", "<td>TCP<!-- -- --></td>", "a comment stands between <!-- and --> and has no -- in it"),
    ('<div class="table">', '<div class="table>', "an attribute of <div> looks like a tag"),
    ("Getting Started -->", "Getting Started", "a comment"),
    ("<title>", "<!DOCTYPE html><title>", "line 5: '<!DOCTYPE html>' is not allowed: the page has one declaration"),
    # Text
    ("Windows SMB", "Windows\0SMB", "line 38: '\\x00' is not allowed: the page is text in UTF-8"),
    ("Windows SMB", "Windows\ufffdSMB", "line 38: '�' is not allowed: the page is text in UTF-8"),
    ("Windows SMB", "Windows\udce4SMB", "line 38: '\\udce4' is not allowed: the page is text in UTF-8"),
]


def line_of(page, text):
    return page.count("\n", 0, page.index(text)) + 1


@pytest.mark.parametrize("old, new, says", ERRORS, ids=range(len(ERRORS)))
def test_a_broken_page_is_refused(page, old, new, says, change, refusal):
    assert says in refusal(change(page, old, new))


def test_the_line_is_the_one_that_is_wrong(page, change, refusal):
    for port in ("53&nbsp;(DNS)", "445&nbsp;(SMBDS)", "9100-9102"):
        message = refusal(change(page, port, "x"))
        assert message.startswith("page, line %d: 'x' is not allowed" % line_of(page, port))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_missing_table(page, number, refusal):
    start = [match.start() for match in re.finditer("<table", page)][number]
    table = page[start:page.index("</table>", start) + len("</table>")]
    left = [1, 2, 3]
    del left[number]
    if number == 2:
        assert "notes are followed by the table" in refusal(page.replace(table, ""))
        notes = page[page.index("<blockquote>"):page.index("</blockquote>") + len("</blockquote>")]
        page = page.replace(notes, "")
    assert refusal(page.replace(table, "")) == (
        "page: %s is not allowed: it has each of the tables 1, 2 and 3 exactly once." % left)
    assert refusal(page.replace(table, table + table)).startswith("page: %s" % sorted([1, 2, 3] + [number + 1]))


@pytest.mark.parametrize("value, says", [
    ("", "page: '' is not allowed: it is a whole HTML page"),
    ("   \n", "it is a whole HTML page in one element html"),
    ("<!DOCTYPE html>", "it is a whole HTML page in one element html"),
    ("<html></html>", "page: [] is not allowed: it has each of the tables"),
    ("404 Not Found", "no text may stand here"),
    ("x" * 1000001, "(1000003 characters) is not allowed: it has up to 1000000 characters"),
    (b"<html></html>", "page: b'<html></html>' is not allowed: it is the text of CUPS' page"),
    (None, "page: None is not allowed: it is the text of CUPS' page"),
    (["<html></html>"], "is not allowed: it is the text of CUPS' page"),
    (5, "page: 5 is not allowed"),
])
def test_what_is_no_page(value, says, refusal):
    assert says in refusal(value)


def test_a_page_in_another_encoding(page, refusal):
    assert "the page is text in UTF-8" in refusal(page.encode("utf-16").decode("latin-1"))
