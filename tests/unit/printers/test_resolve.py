# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names to addresses: by the host's own ways, by Avahi, and not at all; and nothing that waits for long."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _printers, _resolve
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.plugins.module_utils._printers import NONE
from ansible_collections.printfleet.cups.plugins.module_utils._resolve import Asked, Where

from .conftest import EXPECTED, queue


def ask(host, name, service=False, **more):
    return _resolve.resolve(host, [Asked(name, service)], **more).get(name)


def test_a_name_with_both_families(host):
    assert ask(host, "printer.example") == Where(("192.0.2.3", "2001:db8::3"))
    assert ask(host, "gone.example") is None and host.asked == []


def test_a_zone_is_dropped(host):
    assert ask(host, "office.local") == Where(("192.0.2.22", "fe80::22"))


def test_avahi_is_asked_where_the_host_knows_no_mdns(host):
    assert ask(host, "avahi-only.local") == Where(("192.0.2.60", "2001:db8::60"))
    assert {call[0] for call in host.asked} == {"ResolveHostName"}
    assert ask(host, "nobody.local") is None


def test_a_service(host):
    assert ask(host, "Plotter._pdl-datastream._tcp.local", True) == Where(("192.0.2.23",), 9107)
    assert ask(host, "--help._ipp._tcp.local", True) is None
    assert ask(host, "Nobody._ipp._tcp.local", True) is None


@pytest.mark.parametrize("answers, expected", [
    (["127.0.1.1"], Where(())), (["127.0.0.1", "192.0.2.1"], Where(("192.0.2.1",))), (["224.0.0.1"], None),
    (["0.0.0.0"], None), (["::ffff:192.0.2.1", "192.0.2.1"], Where(("192.0.2.1",))), ([], None), (["nonsense"], None),
    (["192.0.2.%d" % number for number in range(100)], 32),
])
def test_what_a_name_server_may_say(host, monkeypatch, answers, expected):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(0, 0, 0, "", (answer, 0)) for answer in answers])
    where = ask(host, "printer.example")
    assert (len(where.addresses) if isinstance(expected, int) else where) == expected


@pytest.mark.parametrize("output", ["", "[]", "{}", "as 0", "s", 's "x"', "i 5", "(" * 100000,
                                    'iissssisqaayu 1 2 "x" "y" "z" "h" 0 "a" "x" 0 5',
                                    'iissssissaayu 1 2 "x" "y" "z" "h" 0 "a" "x" 0 5',
                                    'iissssisqaayu 1 2 "x" "y" "z" "h.example" 0 "192.0.2.1" 0 0 5',
                                    'iissssisqaayu 1 2 "x" "y" "z" "--h" 0 "192.0.2.1" 70000 0 5'])
def test_what_a_foreign_daemon_may_say(host, output):
    host.run = lambda argv, stdin=None: Result(0, output, "")
    assert ask(host, "X._ipp._tcp.local", True) is None
    assert ask(host, "x.local") is None


def test_a_silent_name_server_holds_nothing_up(host, monkeypatch):
    answer, silent = socket.getaddrinfo, threading.Event()

    def getaddrinfo(name, *args, **kwargs):
        if name.startswith("silent"):
            silent.wait(60)
        return answer(name, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    begun = time.monotonic()
    names = [Asked("silent%d.example" % number, False) for number in range(10)] + [Asked("printer.example", False)]
    assert set(_resolve.resolve(host, names, seconds=0.3)) == {"printer.example"}
    assert time.monotonic() - begun < 3
    silent.set()


def test_no_name_no_thread(host, monkeypatch):
    monkeypatch.setattr(threading, "Thread", None)
    assert _resolve.resolve(host, []) == {}


def test_a_name_that_is_lost_keeps_what_it_had(host, queues):
    queues(queue("a", "ipp://printer.example/") + queue("b", "socket://printer.example/"))
    before = _printers.find(host, True, [], NONE)
    assert before.unresolved == ()
    lost = {"printer.example": Where(("192.0.2.99",))}
    queues(queue("a", "ipp://lost.example/") + queue("b", "socket://lost.example/"))
    found = _printers.find(host, True, [], before._replace(names={"lost.example": lost["printer.example"]}))
    assert {e.address for e in found.endpoints} == {"192.0.2.99"}
    assert found.unresolved == (
        "the queue 'a', the queue 'b': the name 'lost.example' could not be resolved on this host, so what it stood for"
        " at the last change stays open: 192.0.2.99.",)
    assert found.names == {"lost.example": Where(("192.0.2.99",))}
    # What the memory knew of names that nobody uses any more is forgotten.
    assert _printers.find(host, True, [], before).endpoints == ()


def test_a_name_that_mdns_answers_now_with_one_family_and_now_with_two(host, queues, monkeypatch):
    queues(queue("a", "ipp://office.local/"))
    both = _printers.find(host, True, [], NONE)
    assert both.names == {"office.local": Where(("192.0.2.22", "fe80::22"))}
    monkeypatch.setitem(EXPECTED["names"], "office.local", ["192.0.2.23"])
    assert _printers.find(host, True, [], NONE).names == {"office.local": Where(("192.0.2.23",))}
    # The family that answered is as it is now, the other one as it was.
    again = _printers.find(host, True, [], both)
    assert again.names == {"office.local": Where(("192.0.2.23", "fe80::22"))}
    assert _printers.find(host, True, [], again) == again
    # A name server always tells both; and this host itself needs no opening.
    assert _resolve.with_other_family("printer.example", Where(("192.0.2.3",)), Where(("2001:db8::3",))).addresses == (
        "192.0.2.3",)
    assert _resolve.with_other_family("office.local", Where(()), Where(("192.0.2.22",))) == Where(())


def test_many_lost_names_are_a_few_sentences(host, queues):
    queues("".join(queue("q%d" % number, "ipp://lost%d.example/" % number) for number in range(40)))
    found = _printers.find(host, True, [], NONE)
    assert len(found.unresolved) == 6 and found.unresolved[-1] == "There are 35 more such queues."
