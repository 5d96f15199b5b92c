# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with the queues of printers.conf here, and with a DNS and an Avahi that know expected.yml's names."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml
from ansible_collections.printfleet.cups.plugins.module_utils import _queues
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.tests.unit import busctl_prints

HERE = Path(__file__).resolve().parent
EXPECTED = yaml.safe_load((HERE / "expected.yml").read_text(encoding="utf-8"))


class PlayedHost:
    """Runs busctl alone, and answers as Avahi 0.8 does on Debian 12 and 13."""

    def __init__(self):
        self.asked = []

    def run(self, argv, stdin=None):
        del stdin
        assert argv[0] == "busctl" and "--auto-start=no" in argv, argv
        # What follows "--" is no option, whatever a name begins with.
        call = argv[argv.index("--") + 1:]
        assert call[:3] == ("org.freedesktop.Avahi", "/", "org.freedesktop.Avahi.Server"), argv
        self.asked.append(call[3:])
        method, signature, arguments = call[3], call[4], call[5:]
        if method == "ResolveService" and signature == "iisssiu" and arguments[2] in EXPECTED["services"]:
            target, port = EXPECTED["services"][arguments[2]]
            data = [2, 0, arguments[2], arguments[3], arguments[4], target, 0, "192.0.2.250", port, [[112]], 5]
            return Result(0, busctl_prints.answer(*data, signature="iissssisqaayu"), "")
        if method == "ResolveHostName" and signature == "iisiu" and arguments[2] == "avahi-only.local":
            address = {"0": "192.0.2.60", "1": "2001:db8::60"}[arguments[3]]
            data = [2, 0, arguments[2], int(arguments[3]), address, 5]
            return Result(0, busctl_prints.answer(*data, signature="iisisu"), "")
        return Result(1, "", "Call failed: Timeout reached")

    def program(self, name):
        return "/usr/bin/" + name


@pytest.fixture
def host(monkeypatch):
    """The host's names; nothing goes out."""
    def getaddrinfo(name, port, *_args, **_kwargs):
        if name not in EXPECTED["names"]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(0, 0, 0, "", (address, port)) for address in EXPECTED["names"][name]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return PlayedHost()


@pytest.fixture
def queues(tmp_path, monkeypatch):
    """cupsd's files, which lie where its ServerRoot says; gives the function that writes them."""
    root = tmp_path / "spool" / "cups"
    root.mkdir(parents=True)
    conf = tmp_path / "cups-files.conf"
    conf.write_text("#ServerRoot /nowhere\nServerRoot %s\n" % root, encoding="utf-8")
    monkeypatch.setattr(_queues, "FILES_CONF", str(conf))

    def write(printers, classes="", suffix=""):
        (root / ("printers.conf" + suffix)).write_text(printers, encoding="utf-8", errors="surrogateescape")
        (root / "classes.conf").write_text(classes, encoding="utf-8", errors="surrogateescape")

    return write


@pytest.fixture
def fixture_queues(queues):
    """The queues of the fixture."""
    queues(*((HERE / name).read_text(encoding="utf-8") for name in ("printers.conf", "classes.conf")))


def queue(name, uri):
    """A queue as cupsd writes it."""
    return "<Printer %s>\nDeviceURI %s\n</Printer>\n" % (name, uri.replace("\\", "\\\\").replace("#", "\\#"))
