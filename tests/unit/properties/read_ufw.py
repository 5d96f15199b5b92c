# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two small interpreters of ufw's rule files: one of the tuples that ufw reads, one of the lines for the kernel."""

from __future__ import annotations

import functools
import re
import shlex

from ansible_collections.printfleet.cups.tests.unit.properties.oracle import among

_SAID = {"allow": "accept", "deny": "refuse", "reject": "refuse", "ACCEPT": "accept", "DROP": "refuse",
         "REJECT": "refuse"}


def _has(text, port):
    first, _colon, last = text.partition(":")
    return text == "any" or int(first) <= port <= int(last or first)


def helpers(before):
    """Name, protocol and port of each conntrack helper that a before.rules sets on the way out."""
    sections = re.findall(r"(?ms)^\*(\w+)\n(.*?)^COMMIT$", before)
    lines = [line for name, body in sections if name == "raw" for line in body.splitlines() if line[0] != "#"]
    if not lines:
        return set()
    assert sections[-1][0] == "raw", "a kernel without the helper ends the file there"
    assert lines[:2] == [":printfleet-cups - [0:0]", "-A OUTPUT -j printfleet-cups"], lines
    rule = re.compile(r"-A printfleet-cups -p (udp) -m udp --dport (\d+) -j CT --helper ([a-z-]+)")
    found = [rule.fullmatch(line).groups() for line in lines[2:]]
    return {(name, protocol, int(port)) for protocol, port, name in found}


@functools.lru_cache(maxsize=4)
def _tuples(text):
    found = [line.split()[3:] for line in text.split("\n") if line.startswith("### tuple ### ")]
    assert all(fields[-1].startswith("comment=") and len(fields) in (8, 10) for fields in found), found
    return found


@functools.lru_cache(maxsize=4)
def _chains(text):
    chains = {}
    for line in text.split("\n"):
        if line.startswith("-A "):
            words = shlex.split(line)
            chains.setdefault(words[1], []).append(_options(words[2:]))
    return chains


def by_tuples(text, packet):
    """The first tuple that matches; rest where none does."""
    for fields in _tuples(text):
        action, protocol, port, to, source_port, source = fields[:6]
        peer = source if packet.direction == "in" else to
        assert (to if packet.direction == "in" else source) in ("0.0.0.0/0", "::/0") or fields[-2] != packet.direction
        if (
            fields[-2] == packet.direction and protocol == packet.protocol and among(packet.peer, [peer])
            and _has(port, packet.destination_port) and _has(source_port, packet.source_port)
        ):
            return _SAID[action.replace("_log", "")]
    return "rest"


def by_lines(text, packet):
    """What iptables makes of the -A lines, from ufw's chain for the user's rules on."""
    chains = _chains(text)
    prefix = "ufw" if packet.peer.version == 4 else "ufw6"
    return _run(chains, "%s-user-%s" % (prefix, {"in": "input", "out": "output"}[packet.direction]), packet)


def _run(chains, name, packet):
    for options in chains.get(name, ()):
        if not _matches(options, packet):
            continue
        target = options["-j"]
        if target == "RETURN":
            return "rest"
        if target in _SAID:
            return _SAID[target]
        if target != "LOG":
            said = _run(chains, target, packet)
            if said != "rest":
                return said
    return "rest"


def _options(words):
    options = {}
    while words:
        word = words.pop(0)
        assert word.startswith("-"), words
        value = words.pop(0)
        assert word not in options or word == "-m", "twice " + word
        options[word] = value
    return options


def _matches(options, packet):
    known = {"-p", "-m", "-s", "-d", "--sport", "--dport", "--sports", "--dports", "-j", "--comment", "--ctstate",
             "--limit", "--limit-burst", "--log-prefix", "--reject-with"}
    assert set(options) <= known, options
    if options["-p"] != packet.protocol:
        return False
    for peer in (options.get("-s" if packet.direction == "in" else "-d"),):
        if peer and not among(packet.peer, [peer]):
            return False
    assert ("-d" if packet.direction == "in" else "-s") not in options
    for word, port in (("--sport", packet.source_port), ("--dport", packet.destination_port)):
        for key in (word, word + "s"):
            if key in options and not _has(options[key], port):
                return False
    return options.get("--ctstate", "NEW") == "NEW"
