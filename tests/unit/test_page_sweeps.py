# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every tag and every place of the page, changed one after the other: nothing goes unseen."""

from __future__ import annotations

import re

from ansible.errors import AnsibleFilterError
from ansible_collections.printfleet.cups.plugins.filter.port_tables import port_tables
from hypothesis import given, settings
from hypothesis import strategies as st


def tags_of(page):
    return [match for match in re.finditer(r"</?[a-z][^>]*>", page) if not match.group().startswith("<link")]


def test_every_tag_that_is_left_out_is_missed(page, refusal):
    for tag in tags_of(page):
        refusal(page[:tag.start()] + page[tag.end():])


def test_every_tag_that_stands_twice_is_seen(page, tables):
    for tag in tags_of(page):
        try:
            changed = port_tables(page[:tag.end()] + tag.group() + page[tag.end():])
        except AnsibleFilterError:
            continue
        assert changed != tables


def test_every_page_that_ends_early_is_refused(page, refusal):
    end = page.index("</html>") + len("</html>")
    for length in list(range(0, end, 11)) + list(range(end - 40, end)):
        refusal(page[:length])


def test_every_page_that_starts_late_is_refused(page, refusal):
    for start in range(page.index("<html>") + 1, len(page), 11):
        refusal(page[start:])


def test_no_letter_of_a_table_changes_unseen(page, tables):
    for cell in re.finditer(r"<(?:td|th|caption|li)>(.*?)</", page):
        for place in range(cell.start(1), cell.end(1), 3):
            try:
                changed = port_tables(page[:place] + "7" + page[place + 1:])
            except AnsibleFilterError:
                continue
            # A no-break space may be written in more ways than one, a heading may have its (s).
            assert changed != tables or page[place] == "7", page[cell.start():cell.end()]


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 4033), length=st.integers(0, 60), text=st.text(max_size=8))
def test_whatever_is_done_to_it_ends_in_tables_or_one_sentence(page, refusal, place, length, text):
    changed = page[:place] + text + page[place + length:]
    try:
        found = port_tables(changed)
    except AnsibleFilterError:
        refusal(changed)
    else:
        assert [table["table"] for table in found] == [1, 2, 3]
