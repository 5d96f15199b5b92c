# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every backend's rules, read back by interpreters of their own, say of every packet what the policy says."""

from __future__ import annotations

from ansible_collections.printfleet.cups.plugins.module_utils import _helpers, _policy, _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_objects,
    nftables_ruleset,
    ufw_helpers,
    ufw_intent,
    ufw_rules,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import Zone
from ansible_collections.printfleet.cups.tests.unit.properties import (
    oracle,
    read_firewalld,
    read_nft,
    read_ufw,
)
from hypothesis import strategies as st

PACKETS = 60
EMPTY = "*filter\n### RULES ###\n\n### END RULES ###\nCOMMIT\n"
# What firewalld's zones say of a packet that nobody names, by the target of the default zone.
ZONES = {"ACCEPT": "accept", "default": "refuse", "DROP": "refuse"}


def nftables(policy, random):
    table = read_nft.Table(nftables_ruleset.render(policy))
    for packet in oracle.packets(policy, random, PACKETS):
        # A table of our own refuses or lets others decide: there accept and rest are one.
        expected = {"rest": "accept"}.get(oracle.decide(policy, packet), oracle.decide(policy, packet))
        assert table.verdict(packet) == expected, packet
    return PACKETS


def ufw(policy, random):
    named = ufw_intent.profiles(policy)
    texts = {v: ufw_rules.with_ours(EMPTY, ufw_intent.rules(policy, v, named)) for v in _words.FAMILIES}
    for packet in oracle.packets(policy, random, PACKETS):
        said = read_ufw.by_tuples(texts[packet.peer.version], packet)
        assert said == read_ufw.by_lines(texts[packet.peer.version], packet), packet
        if said == "rest" and policy.default(packet.direction) == "deny":
            said = "refuse"
        assert said == oracle.decide(policy, packet), packet
    return PACKETS


def firewalld(policy, random):
    target = random.choice(sorted(ZONES))
    zones = (Zone("public", target, (), ()), Zone("trusted", "ACCEPT", (), ()))
    objects = firewalld_objects.render(policy, zones, "public")
    files = read_firewalld.Files(objects.files)
    # What goes into a running firewalld without a reload means the same.
    plain = read_firewalld.Files(objects.files)
    if objects.plain:
        plain.give(objects.plain)
    for packet in oracle.packets(policy, random, PACKETS):
        assert files.verdict(packet, "rest") == plain.verdict(packet, "rest"), packet
        expected = oracle.decide(policy, packet)
        if packet.direction == "out":
            assert files.verdict(packet, "rest") == expected, packet
            continue
        said = files.verdict(packet, "rest")
        # What neither we nor a zone's own rules speak of meets the zone's target in the end.
        said = ZONES[target] if said == "rest" else said
        assert said == (ZONES[target] if expected == "rest" else expected), packet
        if expected in ("accept", "refuse") and oracle.decide(policy._replace(
                default_incoming="keep", default_outgoing="keep"), packet) != "rest":
            # Openings and closures come before the administrator's own rules, the default after them.
            for zone in ("accept", "refuse"):
                assert files.verdict(packet, zone) == expected, packet
    return PACKETS


def helpers(policy, _random):
    """The same in every backend, and in the file that loads the modules at boot."""
    wanted = {(h.name, h.protocol, h.port) for h in policy.helpers}
    assert read_nft.helpers(nftables_ruleset.render_helpers(policy)) == wanted
    objects = firewalld_objects.render(policy, (), "public")
    assert read_firewalld.Files(objects.files).helpers() == wanted
    whole = ufw_helpers.with_ours(EMPTY, policy.helpers)
    assert read_ufw.helpers(whole) == wanted and ufw_helpers.without_ours(whole) == EMPTY
    modules = _helpers.named_in(objects.files.get(_helpers.PATH))
    assert sorted(modules) == sorted("nf_conntrack_" + name.replace("-", "_") for name, _protocol, _port in wanted)
    return 1


def segments(policy, _random):
    """No overlap, in order, and together exactly the ports that the policy speaks of."""
    for direction in _words.DIRECTIONS:
        for protocol in _words.PROTOCOLS:
            for side in ("destination", "source"):
                cut = _policy.segments(policy, direction, protocol, side)
                assert all(a.ports.last < b.ports.first for a, b in zip(cut, cut[1:]))
                spoken = set()
                for record in policy.openings + (policy.closures if side == "destination" else ()):
                    if (record.direction, record.protocol, getattr(record, "side", side)) == (
                            direction, protocol, side):
                        spoken |= set(range(record.ports.first, record.ports.last + 1))
                assert {p for s in cut for p in range(s.ports.first, s.ports.last + 1)} == spoken
    return 1


def again(policy, _random):
    """Rendering has no memory and no order of its own: the same policy gives the same text."""
    twin = policy._replace(openings=tuple(policy.openings), closures=tuple(policy.closures))
    assert nftables_ruleset.render(policy) == nftables_ruleset.render(twin)
    named = ufw_intent.profiles(policy)
    for version in _words.FAMILIES:
        rules = ufw_intent.rules(policy, version, named)
        once = ufw_rules.with_ours(EMPTY, rules)
        assert ufw_rules.with_ours(ufw_rules.without_ours(once), rules) == once
        assert ufw_rules.without_ours(once) == EMPTY
    return 1


CHECKS = {check.__name__: check for check in (nftables, ufw, firewalld, helpers, segments, again)}
RANDOM = st.randoms(use_true_random=False)
