# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a thing stands in a file, and the lines of a file as CUPS' own reader sees them.  Pure."""

from __future__ import annotations

from typing import Iterator, NamedTuple

# HTTP_MAX_BUFFER of cups/http.h: no line of CUPS' files is longer.
_LONGEST_LINE = 2048


class Place(NamedTuple):
    """A line of a file, counted from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return "%s, line %d" % (self.path, self.line)


class Line(NamedTuple):
    """A directive: its name in small letters, such as "listen" or "<location", and its value."""

    name: str
    value: str
    place: Place


def cups_lines(text: str, path: str) -> Iterator[Line]:
    """The directives of one of CUPS' files, by the rules of cupsFileGetConf() in cups/file.c.

    A "#" begins a comment anywhere, unless a backslash stands before it.  A line that begins
    with "<" ends with ">", or has no value.
    """
    # Only these end a line there; str.splitlines() knows more.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, raw in enumerate(lines, 1):
        raw = raw[:_LONGEST_LINE]
        hash_at = raw.find("#")
        if hash_at > 0 and raw[hash_at - 1] == "\\":
            raw = raw[:hash_at - 1] + raw[hash_at:]
        elif hash_at >= 0:
            raw = raw[:hash_at]
        words = raw.strip(" \t\v\f").split(None, 1)
        if not words:
            continue
        name, value = words[0].lower(), words[1].strip() if len(words) > 1 else ""
        if name.startswith("<") and value:
            value = value[:-1].strip() if value.endswith(">") else ""
        yield Line(name, value, Place(path, number))
