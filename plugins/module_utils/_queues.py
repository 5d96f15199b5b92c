# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cupsd's own list of queues: printers.conf and classes.conf, and where they lie.

They are cupsd's files and may hold passwords: a line that is not understood is told by its number, never by its
text.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Dict, Iterator, List, NamedTuple, Tuple

# Compiled into cupsd (cups-files.conf(5)); ServerRoot in it says where the rest lies.
FILES_CONF = "/etc/cups/cups-files.conf"
SERVER_ROOT = "/etc/cups"
# About a thousand bytes a queue: no print server comes near it.
_MOST_BYTES = 32 * 1024 * 1024
# cupsFileGetConf(): what a backslash stands before is the letter itself, but for n and r.
_ESCAPED = re.compile(r"\\([\\#nr])|(#.*)")
_LETTERS = {"n": "\n", "r": "\r"}


class Queue(NamedTuple):
    """``device_uri`` as the backend gets it, password and all: for _device_uri.read alone."""

    name: str
    device_uri: str


class Listing(NamedTuple):
    """What the two files say; ``complaints`` are sentences without anything of their text but names of queues."""

    queues: Tuple[Queue, ...] = ()
    complaints: Tuple[str, ...] = ()


class _Section(NamedTuple):
    kind: str  # printer or class
    name: str
    values: Dict[str, List[str]]


def read_host(server_root: str = "") -> Listing:
    """The host's own queues; raises OSError where a file is there and cannot be read."""
    root = server_root or read_server_root(_text(FILES_CONF))
    return read_listing(
        *(_text(os.path.join(root, name)) or _text(os.path.join(root, name + ".O")) for name in (
            "printers.conf", "classes.conf"))  # cupsdOpenConfFile() takes the backup where the file is gone
    )


def read_server_root(text: str) -> str:
    """ServerRoot out of cups-files.conf."""
    root = SERVER_ROOT
    for _number, name, value in _lines(text):
        if name.lower() == "serverroot" and value.startswith("/") and "\0" not in value:
            root = value
    return root


def read_listing(printers: str, classes: str) -> Listing:
    """Read the texts of both files; nothing in them is an error."""
    complaints: List[str] = []
    sections = list(_sections(printers, "printers.conf", complaints))
    groups = list(_sections(classes, "classes.conf", complaints))
    queues = []
    for section in sections + groups:
        # A class has members and no device; old cupsds wrote remote ones with a device.
        uris = section.values.get("deviceuri", [])
        if section.kind == "printer" and not uris:
            complaints.append("the queue %s has no device URI" % shown(section.name))
        # cupsd takes the last.
        queues += [Queue(section.name, uri) for uri in uris[-1:]]
    known = {section.name.lower() for section in sections + groups}
    for group in groups:
        complaints += [
            "the class %s prints on %s, which is no queue of this host" % (shown(group.name), shown(member))
            for member in group.values.get("printer", []) if member.lower() not in known
        ]
    return Listing(tuple(queues), tuple(complaints))


def shown(name: str) -> str:
    """A foreign name for a person to read, in one line and not too long."""
    text = "".join(c if c.isprintable() else "?" for c in name)
    return "'%s'" % (text if len(text) <= 60 else text[:60] + "...")


def _sections(text: str, file: str, complaints: List[str]) -> Iterator[_Section]:
    wrong: List[int] = []
    section = None
    for number, name, value in _lines(text):
        word = name.lower()
        if word in ("<printer", "<defaultprinter", "<class", "<defaultclass"):
            if section is not None or not value:
                wrong.append(number)
            section = _Section("class" if "class" in word else "printer", value, {}) if value else None
        elif word.startswith("</"):
            if section is None:
                wrong.append(number)
            else:
                yield section
            section = None
        elif section is None:
            # What stands before all sections, such as NextPrinterId, is nothing to us.
            if word == "deviceuri":
                wrong.append(number)
        elif value:
            section.values.setdefault(word, []).append(value)
        elif word == "deviceuri":
            wrong.append(number)
    if section is not None:
        # A file that is cut off: what was read of the last queue counts.
        complaints.append("%s ends in the middle of the queue %s" % (file, shown(section.name)))
        yield section
    if wrong:
        more = " and %d more" % (len(wrong) - 3) if len(wrong) > 3 else ""
        complaints.append("%s has lines that are not understood: %s%s" % (
            file, ", ".join(str(number) for number in wrong[:3]), more))


def _lines(text: str) -> Iterator[Tuple[int, str, str]]:
    """Number, first word and the rest of each line that says something, as cupsFileGetConf() parts them."""
    for number, line in enumerate(text.split("\n"), 1):
        line = _ESCAPED.sub(lambda m: _LETTERS.get(m.group(1), m.group(1)) if m.group(1) else "", line)
        words = line.strip().split(None, 1)
        if not words:
            continue
        value = words[1].rstrip() if len(words) > 1 else ""
        if words[0].startswith("<") and not words[0].startswith("</"):
            value = value[:-1].rstrip() if value.endswith(">") else ""
        yield number, words[0].rstrip(">") if words[0].startswith("<") else words[0], value


def _text(path: str) -> str:
    """A file's text, "" where there is none."""
    try:
        # Never wait for a pipe that somebody put there.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return ""
    with os.fdopen(handle, "rb") as stream:
        return stream.read(_MOST_BYTES).decode("utf-8", "surrogateescape")
