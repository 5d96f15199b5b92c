# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small interpreter of our nftables table: knows exactly the words that we write, and fails at any other."""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.printfleet.cups.tests.unit.properties.oracle import among

_TOKEN = re.compile(r'"[^"\n]*"|[{}:;,]|[^\s{}:;,"]+(?::[^\s{}:;,"]*)*')
_HEAD = re.compile(r"(set|map|chain) ([a-z_0-9]+) \{")


def helpers(text: str) -> set:
    """Name, protocol and port of each conntrack helper that the second file sets."""
    if not text:
        return set()
    objects = dict(re.findall(r'\tct helper (\w+) \{\n\t\ttype "([a-z-]+)" protocol udp\n\t\tl3proto ip\n\t\}\n', text))
    chain = re.search(
        r"\tchain conntrack_helpers \{\n"
        r"\t\ttype filter hook output priority filter; policy accept;\n((?:\t\t.*\n)+)\t\}\n\}\n\Z",
        text).group(1)
    rule = r'\t\tct state new (udp) dport (\d+) ct helper set "(\w+)" comment "[^"]{0,127}"\n'
    found = {(objects[name], protocol, int(port)) for protocol, port, name in re.findall(rule, chain)}
    assert len(found) == chain.count("\n") == len(objects) == text.count("ct helper ") / 2, text
    assert "delete" not in text and text.count("\ntable inet printfleet_cups {\n") == 1
    return found


class Table:
    """The blocks of the one table in the text."""

    def __init__(self, text: str) -> None:
        lines = [line for line in text.split("\n") if line and not line.startswith("#")]
        name = "table inet printfleet_cups"
        assert lines[:2] == [name, "delete " + name], lines[:2]
        assert lines[2] == name + " {" and lines[-1] == "}", lines
        self.sets, self.maps, self.chains = {}, {}, {}
        body = "\n".join(lines[3:-1])
        for block in re.findall(r"(?m)^\t[a-z].*\{\n(?:\t\t.*\n)*\t\}", body):
            head, *inner = (line.strip() for line in block.split("\n")[:-1])
            kind, name = _HEAD.fullmatch(head).groups()
            known = {"set": self.sets, "map": self.maps, "chain": self.chains}[kind]
            assert name not in known, "two of the name " + name
            known[name] = getattr(self, "_" + kind)(inner)
            body = body.replace(block, "", 1)
        assert not body.strip(), "what is this: %r" % body

    @staticmethod
    def _elements(inner):
        whole = " ".join(inner)
        return re.fullmatch(r"type [^=]+?(?: flags interval)? elements = \{ (.*) \}", whole).group(1)

    def _set(self, inner):
        networks = self._elements(inner).split(", ")
        # Overlapping intervals would be refused by the kernel.
        numbers = sorted(ipaddress.ip_network(n) for n in networks)
        assert all(not a.overlaps(b) for a, b in zip(numbers, numbers[1:])), networks
        return networks

    def _map(self, inner):
        found = []
        for element in re.findall(r'[^,"]+ comment "[^"]*" : [^,]+', self._elements(inner)):
            key, said = re.fullmatch(r'\s*(.+?) comment "[^"]{0,127}" : (.+?)\s*', element).groups()
            protocol, ports = key.split(" . ")
            first, _dash, last = ports.partition("-")
            found.append((protocol, int(first), int(last or first), said))
        assert len(found) == self._elements(inner).count(" : "), inner
        for one in found:
            assert not any(
                one is not other and one[0] == other[0] and one[1] <= other[2] and other[1] <= one[2] for other in found
            ), "overlap"
        return found

    @staticmethod
    def _chain(inner):
        return [_TOKEN.findall(line) for line in inner]

    def verdict(self, packet):
        """accept or refuse; a table without a chain at the hook accepts."""
        chain = {"in": "incoming", "out": "outgoing"}[packet.direction]
        if chain not in self.chains:
            return "accept"
        head, *rules = self.chains[chain]
        hook = {"in": "input", "out": "output"}[packet.direction]
        assert head[:7] == ["type", "filter", "hook", hook, "priority", "filter", ";"], head
        said = self._run(rules, packet)
        return {"return": {"accept": "accept", "drop": "refuse"}[head[8]]}.get(said, said)

    def _run(self, rules, packet):
        for words in rules:
            said = self._rule(list(words), packet)
            if said != "continue":
                return said
        return "return"

    def _rule(self, words, packet):
        """One rule: matches from the left, then its verdict."""
        while words:
            word = words.pop(0)
            if word in ("iifname", "oifname"):
                assert words[0] == '"lo"'
                return "continue"  # no packet of ours is on loopback
            if word == "ct":
                assert words == ["state", "{", "established", ",", "related", "}", "accept"]
                return "continue"  # every packet of ours is new
            if word in ("icmp", "icmpv6") or word == "meta" and words[:2] == ["l4proto", "2"]:
                assert words[-1] == "accept"
                return "continue"
            if word == "meta" and words[2:] == ["reject", "with", "tcp", "reset"]:
                assert words[:2] == ["l4proto", "6"]
                return "refuse" if packet.protocol == "tcp" else "continue"
            if word == "meta":
                assert words[:3] == ["l4proto", ".", "th"] and words[4] == "vmap", words
                port = {"dport": packet.destination_port, "sport": packet.source_port}[words[3]]
                for protocol, first, last, said in self.maps[words[5][1:]]:
                    if protocol == packet.protocol and first <= port <= last:
                        return self._verdict(said.split(), packet)
                return "continue"
            if word in ("ip", "ip6") and words[:2] in (["daddr", "224.0.0.251"], ["daddr", "ff02::fb"]):
                assert words[2:9] == ["udp", "sport", "5353", "udp", "dport", "5353", "accept"]
                return "continue"  # no packet of ours goes to a group
            if word == "udp":
                port = {"dport": packet.destination_port, "sport": packet.source_port}[words.pop(0)]
                if packet.protocol != "udp" or port != int(words.pop(0)):
                    return "continue"
            elif word in ("ip", "ip6"):
                assert words.pop(0) == {"in": "saddr", "out": "daddr"}[packet.direction]
                where = words.pop(0)
                networks = self.sets[where[1:]] if where.startswith("@") else [where]
                version = 4 if word == "ip" else 6
                assert all(ipaddress.ip_network(n).version == version for n in networks)
                if not among(packet.peer, networks):
                    return "continue"
            elif word == "limit":
                assert words[-3:-1] == ["log", "prefix"], words
                return "continue"
            else:
                return self._verdict([word] + words, packet)
        raise AssertionError("a rule without a verdict")

    def _verdict(self, words, packet):
        if words[1:2] == ["comment"]:
            words = words[:1]
        if words in (["accept"], ["continue"]):
            return words[0]
        if words in (["drop"], ["reject"]):
            return "refuse"
        verb, chain = words
        said = self._run(self.chains[chain], packet)
        if said == "return":
            assert verb == "jump", "a goto that comes back"
            return "continue"
        return said
