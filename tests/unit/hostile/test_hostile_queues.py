# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile texts in cupsd's own files: nothing of them gets into a rule, and a warning stays one line."""

from __future__ import annotations

import random
import re
import socket

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _policy, _printers, _queues
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.tests.unit.properties import checks, oracle

FORMS = (
    "<Printer {0}>\nDeviceURI ipp://192.0.2.1/\n</Printer>\n", "<Printer a>\nDeviceURI {0}\n</Printer>\n",
    "<Printer a>\nDeviceURI ipp://{0}/\n</Printer>\n", "<Printer a>\nDeviceURI socket://192.0.2.1:{0}\n</Printer>\n",
    "<Printer a>\nDeviceURI dnssd://{0}._ipp._tcp.local/\n</Printer>\n", "{0}",
    "<Printer a>\nDeviceURI {0}://192.0.2.1/\n</Printer>\n", "<Class {0}>\nPrinter {0}\n</Class>\n",
    "<Printer a>\nDeviceURI smb://{0}/s/p\n</Printer>\n", "<Printer {0}>\nDeviceURI ipp://gone.example/\n",
)


class Host:
    """Knows no name, and is given nothing but whole words behind the two dashes."""

    def run(self, argv, stdin=None):
        del stdin
        assert argv.index("--") == 5 and len(argv) in (16, 18), argv
        return Result(1, "", "")


@pytest.fixture(autouse=True)
def no_names(monkeypatch):
    def getaddrinfo(name, *_args, **_kwargs):
        if re.fullmatch(r"[a-z0-9._-]{1,253}", name):
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        raise AssertionError("%r is asked for" % name)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("form", FORMS)
def test_a_text_in_cupsds_files(form, texts, tried, monkeypatch):
    known_good = set()
    for text in texts:
        tried()
        content = form.format(text)
        monkeypatch.setattr(_queues, "_text", lambda _path, content=content: content)
        found = _printers.find(Host(), True, [], _printers.NONE)
        for sentence in found.told + found.unresolved:
            assert sentence.isprintable() and len(sentence) < 500, sentence
        assert _printers.read_remembered(found.as_dict()).endpoints == found.endpoints
        made = tuple(_printers.narrowed([], found.endpoints))
        for flow in made:
            assert re.fullmatch(r"Printers: [0-9]+ \([A-Za-z]+\) (TCP|UDP) OUT", flow.row), text
        if made not in known_good:
            known_good.add(made)
            policy = _policy.make_policy(made, "deny", "deny", True, oracle.INTERFACES, None)
            for check in checks.CHECKS.values():
                check(policy, random.Random(1))
    assert known_good
