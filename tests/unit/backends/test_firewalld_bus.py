# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How questions to firewalld are written for busctl, and its answers read."""

from __future__ import annotations

import shlex

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends import firewalld_bus


class Bus:
    """Keeps the words of the one program that is run, and answers as it is told to."""

    def __init__(self, answer):
        self.answer = answer
        self.argv = []

    def run(self, argv, stdin=None):
        del stdin
        self.argv = list(argv)
        return self.answer


@pytest.mark.parametrize("signature, values, words", [
    ("s", ["-x"], "-x"),
    ("sas", ["n", ["a", "b"]], "n 2 a b"),
    ("sas", ["n", []], "n 0"),
    ("a(ss)", [[["1", "tcp"], ["2", "udp"]]], "2 1 tcp 2 udp"),
    ("sssias", ["ipv4", "filter", "INPUT", -1, ["-j", "DROP"]], "ipv4 filter INPUT -1 2 -j DROP"),
    ("sa{sv}", ["n", {"masquerade": {"type": "b", "data": True}, "l": {"type": "as", "data": ["a b"]}}],
     "n 2 masquerade b true l as 1 'a b'"),
])
def test_values_are_written_as_busctl_takes_them(signature, values, words):
    host = Bus(Result(0, "", ""))
    firewalld_bus.call(host, "zone", "method", signature, *values)
    assert host.argv[host.argv.index("method") + 1:] == [signature] + shlex.split(words)
    assert "--auto-start=no" in host.argv and host.argv.index("--") < host.argv.index("call")


def test_an_answer_that_is_none_is_an_error():
    host = Bus(Result(0, "{no json", ""))
    with pytest.raises(BackendError, match="is not understood"):
        firewalld_bus.call(host, "zone", "method")


def test_an_answer_is_given_without_its_envelope():
    assert firewalld_bus.call(Bus(Result(0, 'as 2 "a" "b"\n', "")), "zone", "method") == ["a", "b"]
    assert firewalld_bus.call(Bus(Result(0, "", "")), "", "reload") is None


def test_a_refusal_is_told_in_firewallds_words():
    host = Bus(Result(1, "", "Traceback:\nCall failed: INVALID_POLICY: x\n"))
    with pytest.raises(BackendError, match="^firewalld refused method: INVALID_POLICY: x$"):
        firewalld_bus.call(host, "policy", "method")


@pytest.mark.parametrize("said, told", [
    # As busctl of systemd 252 and 257 says it.
    ("Access denied", "the system's D-Bus does not let root ask firewalld (method: Access denied): look for a policy"),
    ('The name is not activatable', "firewalld went from the D-Bus during this run (method: The name is not activ"),
    ('Name "org.fedoraproject.FirewallD1" does not exist', "firewalld went from the D-Bus during this run (method: Na"),
    ("Remote peer disconnected", "firewalld went from the D-Bus during this run (method: Remote peer disconnected)"),
    ("Failed to connect to bus: No such file or directory", "the system's D-Bus does not answer (method: Failed to co"),
    ("Connection timed out", "firewalld did not answer method within 110 seconds"),
    ("ACCESS_DENIED: lockdown is enabled", "firewalld refused method: ACCESS_DENIED: lockdown is enabled (see"),
    ("org.fedoraproject.slip.dbus.service.PolKit.NotAuthorizedException.x: ", "polkit does not let root call"),
    ("INVALID_ZONE: timeout", "firewalld refused method: INVALID_ZONE: timeout"),
])
def test_a_call_that_firewalld_did_not_answer_is_told_for_what_it_is(said, told):
    with pytest.raises(BackendError) as raised:
        firewalld_bus.call(Bus(Result(1, "", "Call failed: %s\n" % said)), "policy", "method")
    assert str(raised.value).startswith(told)
