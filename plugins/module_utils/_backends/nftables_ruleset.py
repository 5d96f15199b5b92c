# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of our nftables table: policy in, nft's own syntax out.  Pure.

The table looks a packet's protocol and port up in one verdict map, and its peer in one set, so
that the cost of a packet grows neither with the number of rows nor with that of sources and printers.
"""

from __future__ import annotations

import hashlib
from typing import List, Sequence, Set, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Group, Policy, Segment, segments

FAMILY = "inet"
TABLE = "printfleet_cups"
OURS = "%s %s" % (FAMILY, TABLE)
# Whether it is there or not.
REMOVAL = "table %s\ndelete table %s\n" % (OURS, OURS)
_HEAD = "# Written by the Ansible collection printfleet.cups; changes by hand are undone by its next run.\n"

# A packet that no chain of ours refuses still passes through the chains of others: base chains
# combine, so the priority decides nothing but who logs first (nft(8), "verdict statement").
HOOKS = {"in": ("incoming", "input"), "out": ("outgoing", "output")}
# A reset ends a connect() at once; an ICMPv6 error does so after a second only, and many at once are limited in
# their rate as well (measured, Linux 6.18; RFC 4443, 2.4 f).  By number, see _MEMBERSHIP.
_REFUSALS = {"in": ("drop",), "out": ("meta l4proto 6 reject with tcp reset", "reject")}
_LIMIT = "limit rate 10/minute burst 20 packets"
_COMMENT_LENGTH = 120  # nft takes 128 bytes with its closing zero (NFTNL_UDATA_COMMENT_MAXLEN)

# ICMP errors (RFC 1812, 4.3.2; RFC 4890, 4.3.1), neighbour and router discovery (RFC 4861),
# multicast membership (RFC 2710, 3810).  Types by number: their names changed between releases of nft.
_ICMP_ERRORS = "icmp type { 3, 11, 12 } accept"
_ICMPV6_NEEDED = "icmpv6 type { 1, 2, 3, 4, 130, 131, 132, 133, 134, 135, 136, 137, 143 } accept"
# Protocols by number: a minimal Debian has no /etc/protocols.
_MEMBERSHIP = "meta l4proto 2 accept"

_BASELINE = {
    "in": (
        _ICMP_ERRORS,
        _ICMPV6_NEEDED,
        _MEMBERSHIP,
        'udp sport 67 udp dport 68 accept comment "baseline: DHCP client"',
        'ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept comment "baseline: DHCPv6 client"',
    ),
    "out": (
        _ICMP_ERRORS,
        _ICMPV6_NEEDED,
        _MEMBERSHIP,
        'udp sport 68 udp dport 67 accept comment "baseline: DHCP client"',
        'udp sport 546 udp dport 547 accept comment "baseline: DHCPv6 client"',
    ),
}


def named(prefix: str, lines: Sequence[str]) -> str:
    """A name that tells the contents: what is looked up never changes, it is only made and cleared away."""
    return "%s_%s" % (prefix, hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()[:8])


def block(head: str, lines: Sequence[str]) -> str:
    """A set, map, chain or helper of a table."""
    return "\t%s {\n%s\t}\n" % (head, "".join("\t\t%s\n" % line for line in lines))


class _Table:
    """Collects the parts of the table, each group of peers and each set once."""

    def __init__(self, log_denied: bool) -> None:
        self.log_denied = log_denied
        self.parts: List[str] = []
        self._groups: dict = {}
        self._sets: Set[str] = set()

    def block(self, head: str, lines: Sequence[str]) -> None:
        self.parts.append(block(head, lines))

    def verdict(self, segment: Segment) -> str:
        """What the map says of a segment: accept, go and ask who it is, or refuse."""
        refuse = "goto refuse_%s" % segment.direction
        if segment.peers is None:
            return "accept"
        if not segment.peers:
            return refuse if segment.closed else "continue"
        return "jump %s" % self._group(segment.direction, segment.peers, segment.closed)

    def _group(self, direction: str, peers: Tuple[str, ...], closed: bool) -> str:
        key = (direction, peers, closed)
        if key not in self._groups:
            name = "peers_%s_%d" % (direction, len(self._groups) + 1)
            self._groups[key] = name
            lines = []
            for version, family, kind in ((4, "ip", "ipv4_addr"), (6, "ip6", "ipv6_addr")):
                networks = _words.collapse(peers, version)
                if networks:
                    elements = [
                        "type %s" % kind, "flags interval", "elements = { %s }" % ", ".join(networks)
                    ]
                    set_name = named("peers_v%d" % version, elements)
                    if set_name not in self._sets:
                        self._sets.add(set_name)
                        self.block("set %s" % set_name, elements)
                    lines.append("%s %s @%s accept" % (family, "saddr" if direction == "in" else "daddr", set_name))
            if closed:
                lines.append("goto refuse_%s" % direction)
            self.block("chain %s" % name, lines)
        return self._groups[key]

    def port_map(self, prefix: str, cut: Sequence[Segment]) -> str:
        """Its name."""
        ranges = any(s.ports.first < s.ports.last for s in cut)
        elements = [
            '%s . %s comment "%s" : %s' % (s.protocol, s.ports, "; ".join(s.rows)[:_COMMENT_LENGTH], self.verdict(s))
            for s in cut
        ]
        lines = ["type inet_proto . inet_service : verdict"] + ["flags interval"] * ranges + [
            "elements = { %s }" % ",\n\t\t\t     ".join(elements),
        ]
        name = named(prefix, lines)
        self.block("map %s" % name, lines)
        return name

    def refusals(self) -> None:
        for direction, verdicts in _REFUSALS.items():
            lines = list(verdicts)
            if self.log_denied:
                lines.insert(0, '%s log prefix "printfleet.cups denied %s: "' % (_LIMIT, direction))
            self.block("chain refuse_%s" % direction, lines)


def render(policy: Policy, kept_incoming: Sequence[str] = (), kept_outgoing: Sequence[str] = (),
           kept_parts: Sequence[str] = ()) -> str:
    """The file for ``nft -f``: it makes the table what it should be in one transaction, from any state.

    ``kept_*`` are the administrator's own openings that have to stand under deny: rules that jump,
    and the chains and sets (``kept_parts``) that they need.
    """
    table = _Table(policy.log_denied)
    table.refusals()
    table.parts += kept_parts
    for direction, kept in (("in", kept_incoming), ("out", kept_outgoing)):
        _direction(table, policy, direction, kept)
    return (
        "%s%stable %s {\n%s}\n"
        % (_HEAD, REMOVAL, OURS, "".join(table.parts))
    )


def render_helpers(policy: Policy) -> str:
    """What is added to that table to set conntrack helpers; "" where none is needed.

    A file of its own: a kernel without the helper refuses a file whole, and at boot the rows must not go with it.
    """
    table, rules = _Table(False), []
    for helper in policy.helpers:
        name = "find_%s" % helper.name.replace("-", "_")
        table.block("ct helper %s" % name, ['type "%s" protocol %s' % (helper.name, helper.protocol), "l3proto ip"])
        # The helper has to be there when the connection's first packet leaves (nft(8), "ct helper").
        rules.append(
            'ct state new %s dport %d ct helper set "%s" comment "%s"'
            % (helper.protocol, helper.port, name, helper.row[:_COMMENT_LENGTH])
        )
    if not rules:
        return ""
    # nft 0.9.8 has "helpers" for a word of its own.
    table.block("chain conntrack_helpers", ["type filter hook output priority filter; policy accept;"] + rules)
    return "%stable %s {\n%s}\n" % (_HEAD, OURS, "".join(table.parts))


def _direction(table: _Table, policy: Policy, direction: str, kept: Sequence[str]) -> None:
    chain, hook = HOOKS[direction]
    deny = policy.default(direction) == "deny"
    cut = {
        side: [s for protocol in _words.PROTOCOLS for s in segments(policy, direction, protocol, side)]
        for side in ("destination", "source")
    }
    rules: List[str] = []
    if direction == "in" and cut["source"]:
        # Who may answer from any port of his may not do so to the one port that nobody may reach.
        rules.append("%s dport %d goto refuse_in" % _words.NEVER_OPEN)
    # Answers first: the rows' map also says who is refused, and one nmbd answers another from port 137 to port 137.
    for side, prefix in (("source", "answers_%s" % direction), ("destination", "rows_%s" % direction)):
        # Where nothing is refused, letting through is what happens anyway.
        if cut[side] and (deny or any(s.closed for s in cut[side])):
            name = table.port_map(prefix, cut[side])
            rules.append("meta l4proto . th %s vmap @%s" % ("dport" if side == "destination" else "sport", name))
    if not rules and not deny:
        return
    rules[:0] = [_group(group) for group in policy.groups] if direction == "in" else []
    rules[:0] = ['%s "lo" accept' % ("iifname" if direction == "in" else "oifname"),
                 "ct state { established, related } accept"]
    if deny:
        rules += list(_BASELINE[direction]) + list(kept) + ["goto refuse_%s" % direction]
    head = "type filter hook %s priority filter; policy %s;" % (hook, "drop" if deny else "accept")
    table.block("chain %s" % chain, [head] + rules)


def _group(group: Group) -> str:
    family = "ip" if group.version == 4 else "ip6"
    return '%s daddr %s %s sport %d %s dport %d accept comment "%s"' % (
        family, group.address, group.protocol, group.port, group.protocol, group.port, group.row[:_COMMENT_LENGTH]
    )
