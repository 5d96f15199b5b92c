# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The managed host's own interfaces, asked from the kernel over rtnetlink(7): no program is needed for it."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
import struct
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._words import Interface

_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_RTM_NEWADDR, _RTM_GETADDR = 20, 22
_NLM_F_DUMP_REQUEST = 0x301
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_HEADER = struct.Struct("=IHHII")  # nlmsghdr
_ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, interface index
_ATTRIBUTE = struct.Struct("=HH")  # rtattr: length, type
_SIOCGIFFLAGS = 0x8913  # netdevice(7)
_IFF_LOOPBACK, _IFF_POINTOPOINT = 0x8, 0x10


class Address(NamedTuple):
    """One address of one interface."""

    index: int
    network: str
    broadcast: Optional[str]


def interfaces() -> Tuple[Interface, ...]:
    """All interfaces that have addresses, loopback apart; raises OSError where the kernel does not answer."""
    found: Dict[int, List[Address]] = {}
    for address in parse_addresses(_dump_addresses()):
        found.setdefault(address.index, []).append(address)
    known = []
    for index, addresses in sorted(found.items()):
        name = socket.if_indextoname(index)
        flags = _flags(name)
        if flags & _IFF_LOOPBACK:
            continue
        known.append(Interface(
            name=name,
            networks=tuple(sorted({a.network for a in addresses})),
            broadcasts=tuple(sorted({a.broadcast for a in addresses if a.broadcast})),
            local=not flags & _IFF_POINTOPOINT,
        ))
    return tuple(known)


def _flags(name: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        answer = fcntl.ioctl(probe.fileno(), _SIOCGIFFLAGS, struct.pack("16sH14x", os.fsencode(name), 0))
    return struct.unpack("16sH14x", answer)[1]


def _dump_addresses() -> bytes:
    """The kernel's answer to RTM_GETADDR for all families, whole."""
    request = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    answer = b""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
        link.settimeout(5)
        link.send(_HEADER.pack(_HEADER.size + len(request), _RTM_GETADDR, _NLM_F_DUMP_REQUEST, 1, 0) + request)
        while True:
            part = link.recv(1 << 16)
            answer += part
            if any(kind in (_NLMSG_DONE, _NLMSG_ERROR) for kind, _body in _messages(part)):
                return answer


def _messages(answer: bytes) -> Iterator[Tuple[int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(answer):
        length, kind, _flags_, _sequence, _port = _HEADER.unpack_from(answer, offset)
        if length < _HEADER.size:
            raise OSError("the kernel's answer about its addresses is cut off")
        yield kind, answer[offset + _HEADER.size:offset + length]
        offset += (length + 3) & ~3


def parse_addresses(answer: bytes) -> Iterator[Address]:
    """Read the messages of an RTM_GETADDR dump."""
    for kind, body in _messages(answer):
        if kind == _NLMSG_ERROR:
            raise OSError("the kernel refused to tell its addresses")
        if kind != _RTM_NEWADDR:
            continue
        family, prefix, _flags_, _scope, index = _ADDRESS.unpack_from(body)
        if family not in (socket.AF_INET, socket.AF_INET6):
            continue
        values = dict(_attributes(body[_ADDRESS.size:]))
        # For a point-to-point link IFA_ADDRESS is the far end and IFA_LOCAL our own address.
        raw = values.get(_IFA_ADDRESS, values.get(_IFA_LOCAL))
        if raw is None:
            continue
        network = ipaddress.ip_network("%s/%d" % (socket.inet_ntop(family, raw), prefix), strict=False)
        broadcast = values.get(_IFA_BROADCAST)
        yield Address(
            index,
            str(network),
            socket.inet_ntop(family, broadcast) if broadcast and family == socket.AF_INET else None,
        )


def _attributes(body: bytes) -> Iterator[Tuple[int, bytes]]:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind, body[offset + _ATTRIBUTE.size:offset + length]
        offset += (length + 3) & ~3
