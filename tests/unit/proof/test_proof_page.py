# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof's own reading of the page."""

from __future__ import annotations

import pytest
from proof import page


@pytest.fixture
def rows(checkout):
    """All rows of the page."""
    return page.read((checkout / "tests" / "firewalls.html").read_text(encoding="utf-8"))


def test_sixteen_rows(rows):
    """As a person counts them: tables of 3, 3 and 10 rows."""
    counted = {number: {row.ports for row in rows if row.table == number} for number in (1, 2, 3)}
    assert {number: len(ports) for number, ports in counted.items()} == {1: 3, 2: 3, 3: 10}


def test_rows_by_direction_and_protocol(rows):
    """Each protocol and each direction of a row is one record: 5, 5 and 11."""
    names = [row.name for row in rows]
    assert len(names) == len(set(names)) == 5 + 5 + 11
    assert "table 1, 53/udp out" in names
    assert "table 2, 445/tcp in" in names
    assert "table 3, 9100-9102/tcp out" in names


@pytest.mark.parametrize("protocol, ports", [
    ("ipp", {53, 631, 5353}),
    ("ipps", {53, 443, 631, 5353}),
    ("lpd", {53, 161, 515, 5353}),
    ("socket", {53, 161, 5353, 9100, 9101, 9102}),
    ("smb", {137, 139, 445}),
])
def test_rows_of_a_printing_protocol(rows, protocol, ports):
    """The notes under table 3 as logic."""
    chosen = page.chosen(rows, ["network_printers"], [protocol])
    assert {port for row in chosen for port in row.ports} == ports


@pytest.mark.parametrize("old, new", [
    ("Table 2:", "Table 5:"),
    ("<td>OUT</td>", ""),
    ("631&nbsp;(IPP/IPPS)", "six hundred"),
])
def test_another_page_is_refused(checkout, old, new):
    """Nothing is guessed."""
    text = (checkout / "tests" / "firewalls.html").read_text(encoding="utf-8")
    with pytest.raises((ValueError, AttributeError)):
        page.read(text.replace(old, new))
