# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How "busctl call" prints an answer: for hosts that are played, and to try the reader."""

from __future__ import annotations

from ansible_collections.printfleet.cups.plugins.module_utils._busctl import complete_types

_ESCAPES = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 92: "\\\\", 34: '\\"', 39: "\\'"}


def answer(*values, signature=""):
    """The line for these values.  Without a signature, what Python's types say; {"type", "data"} is a variant."""
    if not values:
        return ""
    kinds = complete_types(signature) if signature else [_kind(value) for value in values]
    return "%s %s\n" % ("".join(kinds), " ".join(_printed(kind, value) for kind, value in zip(kinds, values)))


def _kind(value):
    if isinstance(value, dict):
        if set(value) == {"type", "data"}:
            return "v"
        return "a{s%s}" % (_kind(next(iter(value.values()))) if value else "v")
    if isinstance(value, (list, tuple)):
        kinds = {_kind(item) for item in value} or {"s"}
        # Unlike items make a structure, and a list of lists is one of structures.
        if len(kinds) > 1:
            return "(%s)" % "".join(_kind(item) for item in value)
        return "a" + kinds.pop()
    return {bool: "b", int: "i", str: "s"}[type(value)]


def _printed(kind, value):
    if kind == "v":
        inner = value["type"]
        if inner == "?":
            inner = _kind(value["data"])
        return "%s %s" % (inner, _printed(inner, value["data"]))
    if kind.startswith("a{"):
        key, inner = complete_types(kind[2:-1])
        words = [_printed(key, k) + " " + _printed(inner, v) for k, v in value.items()]
        return " ".join([str(len(words)), *words])
    if kind.startswith("a"):
        return " ".join([str(len(value)), *(_printed(kind[1:], item) for item in value)])
    if kind.startswith("("):
        return " ".join(_printed(one, item) for one, item in zip(complete_types(kind[1:-1]), value))
    if kind in ("s", "o", "g"):
        return '"%s"' % "".join(
            _ESCAPES.get(byte, chr(byte) if 32 <= byte < 127 else "\\%03o" % byte)
            for byte in value.encode("utf-8", "surrogateescape")
        )
    if kind == "b":
        return "true" if value else "false"
    return "%g" % value if kind == "d" else str(value)
