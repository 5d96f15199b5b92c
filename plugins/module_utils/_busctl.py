# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What "busctl call" prints: the signature of the answer, then its values on one line.  Pure.

busctl prints JSON since systemd 240 only, and RHEL 8 has systemd 239.  This form is the same in all releases:
format_cmdline() in src/busctl/busctl.c and cescape_char() in src/basic/escape.c.
"""

from __future__ import annotations

import re
from typing import Any, List, Tuple

_WORD = re.compile(r"[^ \"\n]+")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_ESCAPE = re.compile(rb"\\(?:([0-3][0-7]{2})|(.))", re.S)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
            b"\\": b"\\", b'"': b'"', b"'": b"'"}
# The D-Bus specification, "Valid Signatures": at most 255 characters, arrays and structures at most 32 deep each.
_LONGEST_SIGNATURE, _DEEPEST = 255, 64


def read_answer(printed: str) -> List[Any]:
    """The values of an answer, [] where it has none; raises ValueError.

    Arrays and structures are lists, and a dictionary is a dict.  A variant is ``{"type": "as", "data": [...]}``, as in
    busctl's own JSON.
    """
    line = printed[:-1] if printed.endswith("\n") else printed
    if not line:
        return []
    signature, _space, values = line.partition(" ")
    words = _Words(values)
    found = [words.value(one, 0) for one in complete_types(signature)]
    words.end()
    return found


def complete_types(signature: str) -> List[str]:
    """Cut a signature into its complete types; raises ValueError."""
    if not 0 < len(signature) <= _LONGEST_SIGNATURE:
        raise ValueError("no D-Bus signature: %r" % signature[:_LONGEST_SIGNATURE])
    found = []
    while signature:
        first, signature = _first_type(signature)
        found.append(first)
    return found


def _first_type(signature: str) -> Tuple[str, str]:
    """The first complete type, and the rest."""
    depth = 0
    for end, letter in enumerate(signature, 1):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(letter, 0)
        if depth < 0:
            break
        if depth == 0 and letter != "a":
            return signature[:end], signature[end:]
    raise ValueError("no D-Bus signature: %r" % signature)


class _Words:
    """The rest of the line, read from its front."""

    def __init__(self, line: str) -> None:
        self._line, self._at = line, 0

    def value(self, kind: str, depth: int) -> Any:
        """One value of a complete type."""
        if depth > _DEEPEST:
            raise ValueError("too many values in one another")
        if kind == "v":
            inner = self._word()
            (only,) = complete_types(inner)
            return {"type": inner, "data": self.value(only, depth + 1)}
        if kind.startswith("a{") and kind.endswith("}"):
            key, value = complete_types(kind[2:-1])
            # Two statements: the key stands before the value.
            entries = {}
            for _number in range(self._count()):
                name = self.value(key, depth + 1)
                entries[str(name)] = self.value(value, depth + 1)
            return entries
        if kind.startswith("a"):
            return [self.value(kind[1:], depth + 1) for _number in range(self._count())]
        if kind.startswith("(") and kind.endswith(")"):
            return [self.value(one, depth + 1) for one in complete_types(kind[1:-1])]
        return self._basic(kind)

    def _basic(self, kind: str) -> Any:
        if kind in ("s", "o", "g"):
            return _unescaped(self._next(_STRING).group(1))
        word = self._word()
        if kind == "b":
            return {"true": True, "false": False}[word] if word in ("true", "false") else _refuse(word)
        if kind == "d":
            return float(word)
        return int(word) if kind in ("y", "n", "q", "i", "u", "x", "t", "h") else _refuse(kind)

    def _count(self) -> int:
        word = self._word()
        return int(word) if word.isdecimal() and len(word) < 10 else _refuse(word)

    def _word(self) -> str:
        return self._next(_WORD).group()

    def _next(self, wanted: "re.Pattern[str]") -> "re.Match[str]":
        if self._at:
            if not self._line.startswith(" ", self._at):
                _refuse(self._line[self._at:])
            self._at += 1
        found = wanted.match(self._line, self._at) or _refuse(self._line[self._at:])
        self._at = found.end()
        return found

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._line):
            _refuse(self._line[self._at:])


def _refuse(rest: str) -> Any:
    raise ValueError("not understood: %r" % rest[:60])


def _unescaped(text: str) -> str:
    def one(found: "re.Match[bytes]") -> bytes:
        number, letter = found.groups()
        if number is not None:
            return bytes((int(number, 8),))
        return _LETTERS[letter] if letter in _LETTERS else _refuse(letter.decode("ascii", "replace"))

    return _ESCAPE.sub(one, text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
