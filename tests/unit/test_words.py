# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that users may write."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _words
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("value, first, last", [
    (1, 1, 1), (65535, 65535, 65535), ("631", 631, 631), ("9100-9102", 9100, 9102), ("7-7", 7, 7),
    ("1-65535", 1, 65535),
])
def test_ports(value, first, last):
    ports = _words.read_ports(value, "p")
    assert ports == (first, last)
    assert _words.read_ports(str(ports), "p") == ports


@pytest.mark.parametrize("value", [
    0, -1, 65536, True, False, None, 6.31, "", " 631", "631 ", "631\n", "+631", "0631", "0", "0-5", "5-4", "1-2-3",
    "-5", "5-", "1–2", "٦٣١", "6_31", "0x277", "631/tcp", "ipp", [631], 10**5000, "9" * 5000,
], ids=range(28))
def test_what_is_no_port(value):
    with pytest.raises(_words.Refused, match=r"^p: .* is not allowed: a port is a number from 1 to 65535, .*\.$"):
        _words.read_ports(value, "p")


@given(st.integers(1, 65535), st.integers(1, 65535))
def test_every_range_is_read_or_is_falling(first, last):
    text = "%d-%d" % (first, last)
    if first <= last:
        assert _words.read_ports(text, "p") == (first, last)
    else:
        with pytest.raises(_words.Refused):
            _words.read_ports(text, "p")


@pytest.mark.parametrize("value, spelling", [
    ("192.0.2.1", "192.0.2.1"), ("192.0.2.1/32", "192.0.2.1"), ("192.0.2.0/24", "192.0.2.0/24"),
    ("192.0.2.0/255.255.255.0", "192.0.2.0/24"), ("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"),
    ("0.0.0.0/0.0.0.0", "0.0.0.0/0"), ("126.0.0.0/7", "126.0.0.0/7"), ("fe00::/7", "fe00::/7"),
    ("169.254.7.9", "169.254.7.9"), ("169.254.0.0/16", "169.254.0.0/16"),
    ("fe80::1", "fe80::1"), ("fe80::/10", "fe80::/10"), ("192.0.2.1/255.255.255.255", "192.0.2.1"),
    ("::2", "::2"),
    ("2001:DB8:0:0::1", "2001:db8::1"), ("2001:db8::1/128", "2001:db8::1"), ("2001:db8::/32", "2001:db8::/32"),
    ("0064:ff9b::/96", "64:ff9b::/96"), ("2001:db8::0010", "2001:db8::10"), ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
    ("@LOCAL", "@LOCAL"), ("@local", "@LOCAL"), ("@IF(eth0)", "@IF(eth0)"), ("@IF(br-lan.5)", "@IF(br-lan.5)"),
])
def test_peers(value, spelling):
    assert _words.read_peer(value, "v") == spelling
    assert _words.read_peer(spelling, "v") == spelling


@pytest.mark.parametrize("value", [
    "", " ", "@", "@LOCAL ", "@LOCALS", "@IF", "@IF(", "@IF()", "@IF(a b)", "@IF(a)b", "@IF(*)", "@IF(eth0\n)",
    "@IF(;)", "@IF(-eth0)", "@if(eth0)", "10.0.0.1/", "/8", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/+8", "10.0.0.0/8/8",
    "10.0.0",
    "10.0.0.1.1", "10.0.0.01", "10.00.0.1", "010.0.0.1", "0x0a.0.0.1", "64:ff9b::192.0.2.01", "1", "::1::", "1:2:3",
    "2001:db8::/129", "[::1]", "fe80::1%eth0", "::ffff:192.0.2.1", "::ffff:0:0/96", "192.0.2.1 ", "192.0.2.1\n",
    "192.0.2.1\0", "１92.0.2.1", "192.0.2.7/24", "2001:db8::1/64", "0.0.0.0", "::", "0.0.0.0/32", "a.example",
    "192.0.2.1,192.0.2.2", "192.0.2.1-192.0.2.2", "!192.0.2.1", None, 5, True, 3.5, b"192.0.2.1", ["192.0.2.1"],
    "127.0.0.1", "127.255.255.255", "127.0.0.0/8", "127.1.0.0/16", "::1", "::1/128", "::ffff:127.0.0.1",
    "::ffff:7f00:1", "0.0.0.1", "0.255.255.255", "0.0.0.0/8", "224.0.0.251", "239.255.255.255", "224.0.0.0/4",
    "224.0.0.0/3", "ff02::fb",
    "ff00::/8", "240.0.0.1", "240.0.0.0/4", "255.255.255.255", "169.254.169.254", "169.254.169.254/32",
    "192.0.2.0/0.0.0.255", "192.0.0.0/255.0.255.0", "0.0.0.0/0.0.0.255", "192.0.2.0/255.255.255.1",
], ids=range(81))
def test_what_is_no_peer(value):
    with pytest.raises(_words.Refused, match=r"^v: .* is not allowed: .*\.$") as caught:
        _words.read_peer(value, "v")
    assert "\n" not in str(caught.value)
    with pytest.raises(_words.Refused, match=r"^v: .* is not allowed: .*\.$"):
        _words.read_network(value, "v")


@pytest.mark.parametrize("word", ["@LOCAL", "@IF(eth0)"])
def test_a_network_is_no_word(word):
    with pytest.raises(_words.Refused, match="a network such as 198.51.100.0/24, a device URI such as .* or auto.$"):
        _words.read_network(word, "v")


@settings(max_examples=300)
@given(st.text(max_size=24))
def test_any_text_is_a_peer_or_refused(text):
    try:
        peer = _words.read_peer(text, "v")
    except _words.Refused as refused:
        assert str(refused).isprintable()
    else:
        assert peer.startswith("@") or ipaddress.ip_network(peer)
        assert all(letter in "0123456789abcdef.:/@LOCALIF()_-" or letter.isalnum() for letter in peer)


def networks(version, bits):
    return st.tuples(st.ip_addresses(v=version), st.integers(1, bits)).map(
        lambda item: ipaddress.ip_network(item, strict=False))


# Where no client and no printer can be; see _address_ranges.
NOBODY = [ipaddress.ip_network(network) for network in (
    "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "169.254.169.254/32", "::/128", "::1/128", "ff00::/8", "::ffff:0:0/96")]


@settings(max_examples=300)
@given(st.one_of(networks(4, 32), networks(6, 128)))
def test_every_network_has_one_spelling_or_is_nobodys(network):
    nobodys = any(network.version == other.version and network.subnet_of(other) for other in NOBODY)
    try:
        spelling = _words.read_peer(str(network), "v")
    except _words.Refused:
        assert nobodys
        return
    assert not nobodys
    assert ipaddress.ip_network(spelling) == network
    assert _words.read_peer(network.exploded, "v") == spelling


@pytest.mark.parametrize("value", ["224.0.0.251", "239.255.255.250", "ff02::c", "255.255.255.255", "169.254.169.254"])
def test_an_outgoing_row_of_ones_own_may_go_to_a_group(value):
    assert _words.read_peer(value, "v", outgoing=True) == value
    with pytest.raises(_words.Refused):
        _words.read_peer(value, "v")


@pytest.mark.parametrize("value", ["127.0.0.1", "::1", "0.0.0.0", "0.1.2.3", "240.0.0.1", "::", "::ffff:192.0.2.1"])
def test_no_row_goes_to_nobody(value):
    with pytest.raises(_words.Refused):
        _words.read_peer(value, "v", outgoing=True)


@given(st.integers(0, 32))
def test_masks(length):
    network = ipaddress.ip_network("0.0.0.0/%d" % length)
    if 0 < length < 8:
        assert _words.read_peer("0.0.0.0/%s" % network.netmask, "v") == str(network)
    if 0 < length < 32:
        with pytest.raises(_words.Refused, match="wildcard mask, .* write the prefix length: 192.0.2.0/%d.$" % length):
            _words.read_peer("192.0.2.0/%s" % network.hostmask, "v")


def test_choices_are_held_to_the_letter():
    assert _words.read_choice("in", "d", ("in", "out")) == "in"
    for value in ("IN", "", None, 1, ["in"], b"in"):
        with pytest.raises(_words.Refused, match="^d: .* is not allowed: it is one of in, out.$"):
            _words.read_choice(value, "d", ("in", "out"))


def test_a_single_word_is_no_list():
    assert _words.read_list(("a",), "l", "words") == ["a"]
    for value in ("a", b"a", {"a"}, {"a": 1}, None, 5):
        with pytest.raises(_words.Refused, match="is not allowed: it is a list of words.$"):
            _words.read_list(value, "l", "words")


INTERFACES = (
    _words.Interface("lo", ("127.0.0.0/8", "::1/128"), (), False),
    _words.Interface("eth0", ("192.0.2.0/24", "2001:db8::/64"), ("192.0.2.255",), True),
    _words.Interface("eth1", ("198.51.100.0/24",), ("198.51.100.255",), True),
    _words.Interface("wg0", ("10.9.0.0/24",), (), False),
)


@pytest.mark.parametrize("peers, expected", [
    (["@LOCAL"], ("192.0.2.0/24", "198.51.100.0/24", "2001:db8::/64")),
    (["@IF(eth0)"], ("192.0.2.0/24", "2001:db8::/64")),
    (["@IF(ETH1)"], ("198.51.100.0/24",)),
    (["@IF(wg0)"], ("10.9.0.0/24",)),
    (["@IF(gone)"], ()),
    (["192.0.2.9", "@IF(eth0)"], ("192.0.2.0/24", "2001:db8::/64")),
    (["192.0.2.0/25", "192.0.2.128/25"], ("192.0.2.0/24",)),
    ([], ()),
])
def test_words_for_networks(peers, expected):
    assert _words.resolve_peers(peers, INTERFACES) == expected
