# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ufw's settings: changed line by line, given back byte for byte, and left to the administrator where he spoke last."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backends import ufw_settings
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_settings import Defaults

KEY = "DEFAULT_INPUT_POLICY"
TEXT = "# DEFAULT_INPUT_POLICY=\"REJECT\"\nDEFAULT_INPUT_POLICY='ACCEPT' # as ever\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\n"


@pytest.mark.parametrize("text, expected", [
    ('K="DROP"\n', "DROP"), ("K=DROP", "DROP"), ("K='DROP'  # why\n", "DROP"), ("K=\n", ""), ("#K=1\n", None),
    ("K=1\nK=2\n", "2"), ("XK=1\n", None), ("", None),
])
def test_a_value_is_read_as_a_shell_reads_it(text, expected):
    assert ufw_settings.value(text, "K") == expected


@pytest.mark.parametrize("text, expected", [
    ("K=1\nL=2\n", "K=9\nL=2\n"), ("L=2\nK=1", "L=2\nK=9"), ("K=1\nK=1\n", "K=1\nK=9\n"), ("L=2", "L=2\nK=9\n"),
    ("", "K=9\n"),
    ("LK=1\n#K=1\nK=1 # x\n", "LK=1\n#K=1\nK=9\n"),
])
def test_one_line_is_replaced(text, expected):
    assert ufw_settings.with_line(text, "K", "K=9") == expected


def test_what_was_comes_back_byte_for_byte():
    changed, memory = ufw_settings.change(TEXT, KEY, "DROP", {})
    assert changed == TEXT.replace("'ACCEPT' # as ever", '"DROP"')
    assert ufw_settings.original(changed, KEY, memory) == "ACCEPT"
    assert ufw_settings.change(changed, KEY, "DROP", memory) == (changed, memory)
    assert ufw_settings.change(changed, KEY, None, memory) == (TEXT, {})
    assert ufw_settings.change(changed, KEY, "ACCEPT", memory) == (TEXT, {})


def test_two_changes_remember_what_stood_first():
    changed, memory = ufw_settings.change(*ufw_settings.change(TEXT, KEY, "DROP", {})[:1], KEY, "REJECT",
                                          ufw_settings.change(TEXT, KEY, "DROP", {})[1])
    assert ufw_settings.value(changed, KEY) == "REJECT"
    assert ufw_settings.change(changed, KEY, None, memory) == (TEXT, {})


def test_what_the_administrator_set_since_is_his():
    changed, memory = ufw_settings.change(TEXT, KEY, "DROP", {})
    his = changed.replace('"DROP"', '"REJECT"')
    assert ufw_settings.original(his, KEY, memory) == "REJECT"
    assert ufw_settings.change(his, KEY, None, memory) == (his, {})


def test_a_pinned_value_is_ours_even_where_it_stood_already():
    text, memory = ufw_settings.change(TEXT, KEY, "ACCEPT", {}, pin=True)
    assert text == TEXT and ufw_settings.is_ours(text, KEY, memory)
    changed, memory = ufw_settings.change(text, KEY, "DROP", memory, pin=True)
    back, memory = ufw_settings.change(changed, KEY, "ACCEPT", memory, pin=True)
    assert back == TEXT and ufw_settings.is_ours(back, KEY, memory)


@pytest.mark.parametrize("chain, wish, before, opens, expected", [
    ("input", "deny", "ACCEPT", False, "DROP"), ("input", "deny", "DROP", False, "DROP"),
    ("input", "deny", "REJECT", False, "REJECT"), ("output", "deny", "ACCEPT", False, "REJECT"),
    ("output", "deny", "DROP", False, "DROP"), ("input", "keep", "DROP", False, "DROP"),
    ("input", "keep", "DROP", True, "ACCEPT"), ("forward", "keep", "DROP", True, "ACCEPT"),
    ("input", "deny", "DROP", True, "DROP"),
])
def test_the_default_verdicts(chain, wish, before, opens, expected):
    assert ufw_settings.wanted_default(chain, wish, before, opens) == expected


def section(prefix, *lines):
    body = "".join("-A %s-after-logging-%s\n" % (prefix, line) for line in lines)
    return "### LOGGING ###\n%s-A %s-logging-allow -j LOG\n### END LOGGING ###\n" % (body, prefix)


ALLOWED = 'input -j LOG --log-prefix "[UFW ALLOW] "'
BLOCKED = 'input -j LOG --log-prefix "[UFW BLOCK] "'
LIMIT = " -m limit --limit 3/min --limit-burst 10"


@pytest.mark.parametrize("level, open_lines, closed_lines", [
    ("off", (), ()),
    ("low", (), (BLOCKED + LIMIT,)),
    ("medium", (ALLOWED + LIMIT,), (BLOCKED + LIMIT,)),
    ("full", (ALLOWED,), (BLOCKED,)),
])
def test_the_logging_section_follows_the_defaults(level, open_lines, closed_lines):
    # Accepted packets are logged from medium on, whichever way they go.
    rest = tuple(way + line[len("input"):] for line in open_lines for way in ("output", "forward"))
    before = section("ufw6", *(open_lines + rest))
    after = section("ufw6", *(closed_lines + rest))
    opened, closed = Defaults("ACCEPT", "ACCEPT", "ACCEPT"), Defaults("DROP", "ACCEPT", "ACCEPT")
    assert ufw_settings.with_logging(before, "ufw6", level, opened, closed) == after
    assert ufw_settings.with_logging(after, "ufw6", level, closed, opened) == before


def test_a_logging_section_written_by_hand_stays():
    text = section("ufw", "input -j LOG")
    old, new = Defaults("DROP", "ACCEPT", "DROP"), Defaults("ACCEPT", "ACCEPT", "DROP")
    assert ufw_settings.with_logging(text, "ufw", "low", old, new) == text
