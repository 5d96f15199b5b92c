# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets that listen, as /proc/net tells them (proc_net_tcp.txt of the kernel's documentation).  Pure."""

from __future__ import annotations

import ipaddress
import struct
from typing import Dict, Iterator, NamedTuple, Tuple

_LISTEN, _UNCONNECTED = "0A", "07"


class Socket(NamedTuple):
    """One that waits for others; ``names`` are the programs that hold it, empty where that is not to be seen."""

    protocol: str  # tcp or udp
    address: str
    port: int
    inode: int
    names: Tuple[str, ...] = ()

    @property
    def outside(self) -> bool:
        """Whether others than this host itself can reach it."""
        return not ipaddress.ip_address(self.address).is_loopback

    @property
    def family(self) -> int:
        """4, 6, or 0 for both: [::] takes IPv4 too unless it is told not to, which cannot be seen here."""
        address = ipaddress.ip_address(self.address)
        return 0 if address.version == 6 and address.is_unspecified else address.version

    def held_by(self, *programs: str) -> bool:
        """Whether one of these programs holds it; "smbd[192.0.2.1]" is an smbd."""
        return any(name == p or name.startswith(p + "[") for name in self.names for p in programs)


def read_sockets(text: str, protocol: str) -> Iterator[Socket]:
    """Read /proc/net/tcp, tcp6, udp or udp6."""
    for line in text.split("\n")[1:]:
        words = line.split()
        if len(words) < 10 or words[3] != (_LISTEN if protocol == "tcp" else _UNCONNECTED):
            continue
        address, _colon, port = words[1].partition(":")
        try:
            number = int(port, 16)
            if 0 < number < 65536:
                yield Socket(protocol, _address(address), number, int(words[9]))
        except (ValueError, struct.error):
            continue


def _address(digits: str) -> str:
    """Words of 32 bits in the host's own byte order, each as eight hexadecimal digits."""
    raw = bytes.fromhex(digits)
    if len(raw) not in (4, 16):
        raise ValueError("no address")
    packed = b"".join(struct.pack("=I", word) for word in struct.unpack(">%dI" % (len(raw) // 4), raw))
    address = ipaddress.ip_address(packed)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def named(sockets: Iterator[Socket], holders: Dict[int, Tuple[str, ...]]) -> Tuple[Socket, ...]:
    """The same with the programs that hold them, by inode."""
    return tuple(found._replace(names=holders.get(found.inode, ())) for found in sockets)


def inode_of(link: str) -> int:
    """The inode in what /proc/PID/fd/N points to, 0 for what is no socket."""
    digits = link[len("socket:["):-1]
    return int(digits) if link.startswith("socket:[") and digits.isdecimal() and len(digits) < 20 else 0
