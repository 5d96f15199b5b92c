# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow: one kind of packet that a row of the page lets through, the record that all other rooms speak."""

from __future__ import annotations

import re
from typing import Mapping, NamedTuple, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words

EXTRA = "extra_flows"
# Flows that are made on the host, for printers that no row of the page covers.
QUEUES = "queues"
PROFILES = ("ipp_sharing", "smb_sharing", "network_printers")
KEYS = ("row", "profile", "direction", "protocol", "port", "peers", "broadcast")

# A row's name ends up in comments of rules, so it is held to what every firewall's parser
# takes as plain text between quotes.  nft limits a comment to 128 bytes (NFTNL_UDATA_COMMENT_MAXLEN).
_ROW = re.compile(r"[A-Za-z0-9 ()/:,.+_-]{1,80}")


class Flow(NamedTuple):
    """One direction and one protocol of one row.

    ``peers`` are those who may come in (direction ``in``) or may be reached (``out``), as the
    user wrote them; empty means anyone.  @PRINTERS among them stands for printers that are found on the host and
    is for ``out`` alone.  ``broadcast`` adds the host's own IPv4 broadcast
    addresses to the peers: printers are discovered there (page, table 3, row 161).
    """

    row: str
    profile: str
    direction: str
    protocol: str
    ports: _words.Ports
    peers: Tuple[str, ...]
    broadcast: bool

    def as_dict(self) -> dict:
        """The plain form that filters return and the module takes."""
        return {
            "row": self.row,
            "profile": self.profile,
            "direction": self.direction,
            "protocol": self.protocol,
            "port": str(self.ports),
            "peers": list(self.peers),
            "broadcast": self.broadcast,
        }


def read_row_name(value: object, variable: str) -> str:
    """Read the name by which rules will show the row; raises Refused."""
    if not isinstance(value, str) or not _ROW.fullmatch(value):
        raise _words.refuse(
            variable, value, "a row's name is 1 to 80 of the letters A-Z, digits, spaces and ()/:,.+_-"
        )
    return str(value)


def read_flow(value: object, variable: str) -> Flow:
    """Read one flow from its plain form; raises Refused, naming the key that is wrong."""
    if not isinstance(value, Mapping):
        raise _words.refuse(variable, value, "a flow is a mapping with the keys %s" % ", ".join(KEYS))
    unknown = sorted(str(key) for key in value if key not in KEYS)
    if unknown:
        raise _words.refuse(variable, unknown[0], "the keys of a flow are %s" % ", ".join(KEYS))
    for key in ("row", "direction", "protocol", "port"):
        if key not in value:
            raise _words.refuse(variable, sorted(str(k) for k in value), "the key %s is missing" % key)
    broadcast = value.get("broadcast", False)
    if not isinstance(broadcast, bool):
        raise _words.refuse(variable + ".broadcast", broadcast, "it is true or false")
    peers = _words.read_list(value.get("peers", []), variable + ".peers", "addresses and networks")
    direction = _words.read_choice(value["direction"], variable + ".direction", _words.DIRECTIONS)
    profile = _words.read_choice(value.get("profile", EXTRA), variable + ".profile", PROFILES + (EXTRA,))
    words = (_words.PRINTERS,) if direction == "out" else ()
    own_outgoing = profile == EXTRA and direction == "out"
    flow = Flow(
        row=read_row_name(value["row"], variable + ".row"),
        profile=profile,
        direction=direction,
        protocol=_words.read_choice(value["protocol"], variable + ".protocol", _words.PROTOCOLS),
        ports=_words.read_ports(value["port"], variable + ".port"),
        peers=tuple(
            _words.PRINTERS if peer in words else _words.read_peer(peer, variable + ".peers", own_outgoing)
            for peer in peers
        ),
        broadcast=broadcast,
    )
    refuse_never_open(flow.protocol, flow.ports, variable + ".port")
    return flow


def refuse_never_open(protocol: str, ports: _words.Ports, variable: str) -> None:
    """Raise Refused where the ports include 631/udp."""
    never_protocol, never_port = _words.NEVER_OPEN
    if protocol == never_protocol and ports.first <= never_port <= ports.last:
        raise _words.refuse(
            variable, "%s/%s" % (ports, protocol), "631/udp is never opened (CVE-2024-47176), printing needs 631/tcp"
        )
