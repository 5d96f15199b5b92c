# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the demo looks on a terminal and in a file: headings, tables, colours where somebody watches."""

from __future__ import annotations

import os
import sys
import time
from typing import Callable, Dict, List, Sequence

from .packets import PEERS, VERSIONS, Answers, Line, questions

COLOURS = {"open": "32", "closed": "33", "half": "35", "mixed": "35", "bold": "1", "dim": "2", "wrong": "1;31"}
# So that a table with two columns of answers fits into 80 characters.
HEAD = ("port", "service", "direction")
WIDTHS = (13, 9, 14)
STARTED = time.monotonic()


def colour(text: str, name: str) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return text
    return "\033[%sm%s\033[0m" % (COLOURS[name], text)


def heading(text: str) -> None:
    print("\n" + colour("--- %s " % text, "bold") + "-" * max(3, 76 - len(text)), flush=True)


def say(text: str) -> None:
    print(text, flush=True)


def doing(text: str) -> None:
    """What one waits for, with the seconds since the demo began."""
    print("[%3d s] %s" % (time.monotonic() - STARTED, text), flush=True)


def answer(line: Line, peer: str, version: int, answers: Answers) -> str:
    """One word for all ports of a line; a range that is half open is told as such."""
    words = {answers[question] for question in questions(line, peer, version)}
    return words.pop() if len(words) == 1 else "mixed"


def rule(columns: int) -> str:
    cells = ["-" * (width + 2) for width in WIDTHS] + ["-" * 15] * columns
    return "+" + "+".join(cells) + "+"


def cells(line: Line, peer: str, answers: Answers) -> str:
    words = [answer(line, peer, version, answers) for version in VERSIONS]
    return " ".join(colour("%6s" % word, word) for word in words)


def table(shown: Sequence[Line], columns: Dict[str, Answers], remark: Callable[[Line, str], str]) -> None:
    """One line for each port and other end; a column for each set of answers, IPv4 and IPv6 beside each other."""
    say(rule(len(columns)))
    head = ["%-*s" % pair for pair in zip(WIDTHS, HEAD)] + ["%-13s" % name for name in columns]
    say("| " + " | ".join(head) + " |")
    under = [" " * width for width in WIDTHS] + ["%6s %6s" % ("v4", "v6")] * len(columns)
    say("| " + " | ".join(under) + " |")
    say(rule(len(columns)))
    for line in shown:
        for place, peer in enumerate(PEERS[line.direction]):
            name = ("%s/%s" % (line.port, line.protocol), line.service) if place == 0 else ("", "")
            parts = ["%-*s" % pair for pair in zip(WIDTHS, (*name, "%s, %s" % (line.direction, peer)))]
            parts += [cells(line, peer, answers) for answers in columns.values()]
            say("| " + " | ".join(parts) + " |" + remark(line, peer))
    say(rule(len(columns)))


def no_remark(line: Line, peer: str) -> str:
    return ""


def indented(text: str) -> None:
    lines: List[str] = text.rstrip("\n").splitlines()
    say("\n".join("    " + line for line in lines))
