# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page printed by CUPS' own client on the print server, and followed to the printer behind it."""

from __future__ import annotations

import hashlib
import json
import pathlib
import selectors
import subprocess
import time
from typing import NamedTuple

from proof import lab

from . import stage

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 30


class Printed(NamedTuple):
    """What became of one page."""

    command: str
    said: str
    sent_bytes: int
    sent_sha256: str
    arrived: dict  # as printer.py tells it

    @property
    def whole(self) -> bool:
        return (self.arrived["bytes"], self.arrived["sha256"]) == (self.sent_bytes, self.sent_sha256)


def share_queues(where: stage.Stage) -> None:
    """One queue for each IP version, whose printer is the neighbour's part "printer"; raw: bytes go as they come."""
    for version in (4, 6):
        printer = where.addresses["printer"].version(version)
        uri = "socket://%s:9100" % (printer if version == 4 else "[%s]" % printer)
        lab.inside(where.server, [
            "lpadmin", "-p", queue(version), "-E", "-v", uri, "-m", "raw", "-o", "printer-is-shared=true",
        ])


def queue(version: int) -> str:
    return "office-ipv%d" % version


def page(version: int) -> str:
    """One page of PostScript, never twice the same."""
    return (
        "%%!PS-Adobe-3.0\n/Helvetica findfont 24 scalefont setfont\n72 720 moveto\n"
        "(Printed through the firewall over IPv%d, %d) show\nshowpage\n" % (version, time.time_ns())
    )


def print_page(where: stage.Stage, version: int) -> Printed:
    """Print with lp from the neighbour, and wait until the printer has the job; raises LabError."""
    text = page(version)
    server = where.addresses["server"].version(version)
    host = "%s:631" % (server if version == 4 else "[%s]" % server)
    command = ["lp", "-h", host, "-d", queue(version), "-t", "demo", "-"]
    printer = _start_printer(where, version)
    try:
        _line(printer, "the printer does not listen")
        said = lab.inside(where.neighbour, ["timeout", str(PATIENCE), *command], text).strip()
        arrived = json.loads(_line(printer, "cupsd took the page but the printer did not get it"))
    finally:
        printer.kill()
        printer.wait()
    data = text.encode("ascii")
    return Printed(" ".join(command), said, len(data), hashlib.sha256(data).hexdigest(), arrived)


def _start_printer(where: stage.Stage, version: int) -> "subprocess.Popen[str]":
    program = (HERE / "printer.py").read_text(encoding="utf-8")
    address = where.addresses["printer"].version(version)
    argv = ["docker", "exec", "--interactive", where.neighbour, "python3", "-c", program, address]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def _line(program: "subprocess.Popen[str]", otherwise: str) -> str:
    """The next line that a program prints; raises LabError when none comes in time."""
    with selectors.DefaultSelector() as chooser:
        chooser.register(program.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
        line = program.stdout.readline() if chooser.select(PATIENCE) else ""  # type: ignore[union-attr]
    if not line:
        raise lab.LabError("%s within %d s" % (otherwise, PATIENCE))
    return line
