# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sweep's pure parts: packets, the observer's table, what is read out of it, and what is said of it."""

from __future__ import annotations

import json
import struct

import pytest
from proof import observer, ports, send
from proof.observer import ALL_PORTS, Count, Stream

STREAM = Stream("198.18.8.21", "198.18.8.12", "tcp")


@pytest.mark.parametrize("source, destination, offset", [
    ("198.18.8.21", "198.18.8.12", 20),
    ("2001:db8:8::21", "2001:db8:8::12", 40),
])
@pytest.mark.parametrize("protocol, number", [("tcp", 6), ("udp", 17)])
def test_packets_are_whole_and_valid(source, destination, offset, protocol, number):
    """One for each port, and the checksum comes out right as a receiver works it out (RFC 1071)."""
    made = send.packets(source, destination, protocol, 40963, b"")
    assert [struct.unpack("!H", packet[offset + 2:offset + 4])[0] for packet in made] == list(range(65536))
    for port in (0, 1, 631, 9100, 40000, 65535):
        addresses, body = made[port][offset - (8 if offset == 20 else 32):offset], made[port][offset:]
        assert send.checksum(addresses + struct.pack("!HH", number, len(body)) + body) == 0xFFFF
        if offset == 20:
            assert send.checksum(made[port][:20]) == 0xFFFF


def test_table_watches_before_and_after_all_filters():
    """Each stream has its own set and its own two counters; only probes are dropped."""
    text = observer.ruleset([STREAM, STREAM._replace(protocol="udp")], ["open", "closed"], "in")
    assert "hook prerouting priority -500" in text and "hook input priority 500" in text
    drops = [line for line in text.splitlines() if line.endswith("drop")]
    assert len(drops) == 2 and all("th sport 40963" in line and "ip saddr 198.18.8.21" in line for line in drops)
    assert "add @ports0" in drops[0] and "delete @ports1" in drops[1]


def test_outgoing_is_watched_where_packets_leave():
    """From the output hook to the last one before the link."""
    text = observer.ruleset([STREAM], ["open"], "out")
    assert "hook output priority -500" in text and "hook postrouting priority 500" in text


def listing(elements):
    """What nft prints of a set, in the parts that are read."""
    return json.dumps({"nftables": [{"metainfo": {}}, {"set": {"name": "ports0", "elem": elements}}]})


def test_open_and_closed_sets_say_the_same():
    """Whichever of the two was recorded."""
    open_ports = ALL_PORTS - {631, 5353}
    assert observer.read_ports(listing([631, 5353]), "closed", Count(65536, 65534)) == open_ports
    assert observer.read_ports(listing([22, 631]), "open", Count(65536, 2)) == {22, 631}
    assert observer.read_ports(json.dumps({"nftables": [{"set": {"name": "x"}}]}), "open", Count(65536, 0)) == set()


def test_a_port_seen_twice_is_told():
    """Counter and set have to agree."""
    with pytest.raises(ValueError, match="3 probes came through to 2 ports"):
        observer.read_ports(listing([22, 631]), "open", Count(65536, 3))


def test_counters_and_lost_probes():
    """A sweep counts only if each probe was seen once."""
    told = json.dumps({"nftables": [
        {"counter": {"name": "before0", "packets": 65535}}, {"counter": {"name": "after0", "packets": 2}},
    ]})
    counts = observer.read_counters(told, [STREAM])
    assert counts == (Count(65535, 2),)
    assert observer.lost(counts, [STREAM]) == {STREAM: 65535}
    assert observer.lost([Count(65536, 0)], [STREAM]) == {}


@pytest.mark.parametrize("found, shown", [
    (set(), "{}"),
    ({631}, "{631}"),
    ({22, 631, 9100, 9101, 9102}, "{22, 631, 9100-9102}"),
    (set(ALL_PORTS), "{0-65535}"),
])
def test_ranges(found, shown):
    """Ports in words."""
    assert ports.ranges(found) == shown


@pytest.mark.parametrize("got, said", [
    ({631}, ""),
    ({22, 631}, "expected {631}, got {22, 631}; open but should not be: {22}"),
    (set(), "expected {631}, got {}; closed but should not be: {631}"),
    ({632}, "expected {631}, got {632}; open but should not be: {632}; closed but should not be: {631}"),
])
def test_difference(got, said):
    """One port more, one less, one elsewhere: each is told."""
    assert ports.difference({631}, got) == said
