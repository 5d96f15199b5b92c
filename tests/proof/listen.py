# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listen on many ports at once and tell what came: run inside a container, ``python3 -c THIS LIST``.

LIST is JSON: [[protocol, address, port], ...], where an address may be a multicast group or a
broadcast address, and the protocol "link" means UDP datagrams that leave this container for
that IPv4 address, seen on its link after all filters.  Prints "ready" when all listen, answers whatever
comes with the same bytes, and at the end of stdin prints JSON:
[{"protocol", "address", "port", "peer", "data"}, ...].

Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import ipaddress
import json
import selectors
import socket
import sys

INTERFACE = "eth0"  # the name that Docker gives a container's only network
ETH_P_ALL = 3  # only this shows what leaves (packet(7))


def listener(protocol: str, address: str, port: int) -> socket.socket:
    """One socket, bound to just that address so that answers come from it."""
    where = ipaddress.ip_address(address)
    family = socket.AF_INET if where.version == 4 else socket.AF_INET6
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    sock = socket.socket(family, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if where.is_multicast:
        join(sock, where)
    scope = socket.if_nametoindex(INTERFACE) if where.is_link_local or where.is_multicast else 0
    sock.bind((address, port) if where.version == 4 else (address, port, 0, scope))
    if protocol == "tcp":
        sock.listen(64)
    sock.setblocking(False)
    return sock


def link() -> socket.socket:
    """What goes over the container's link, both ways, from the IP header on (packet(7))."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    sock.bind((INTERFACE, ETH_P_ALL))
    sock.setblocking(False)
    return sock


def datagram(packet: bytes) -> tuple:
    """``(destination, port, source, data)`` of an IPv4 UDP packet; of any other, nothing that is waited for."""
    if len(packet) < 28 or packet[0] != 0x45 or packet[9] != 17:
        return "", 0, "", b""
    source, destination = (socket.inet_ntoa(packet[at:at + 4]) for at in (12, 16))
    return destination, int.from_bytes(packet[22:24], "big"), source, packet[28:]


def join(sock: socket.socket, group) -> None:
    """Become a member of the group on the container's network."""
    index = socket.if_nametoindex(INTERFACE).to_bytes(4, sys.byteorder)
    if group.version == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group.packed + bytes(4) + index)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group.packed + index)


def main() -> None:
    chooser = selectors.DefaultSelector()
    came = []
    for protocol, address, port in json.loads(sys.argv[1]):
        try:
            sock = link() if protocol == "link" else listener(protocol, address, port)
        except OSError as reason:
            sys.exit("cannot listen on %s %s %d: %s" % (protocol, address, port, reason))
        chooser.register(sock, selectors.EVENT_READ, [protocol, address, port])
    chooser.register(sys.stdin, selectors.EVENT_READ, None)
    print("ready", flush=True)
    while True:
        for key, _events in chooser.select():
            if key.data is None:
                print(json.dumps(came))
                return
            protocol, address, port = key.data[:3]
            if protocol == "link":
                destination, seen, source, data = datagram(key.fileobj.recv(2048))
                if (destination, seen) != (address, port):
                    continue
                peer = (source,)
            elif protocol == "udp":
                data, peer = key.fileobj.recvfrom(2048)
                answer_datagram(key.fileobj, address, data, peer)
            elif len(key.data) == 3:
                stream, peer = key.fileobj.accept()
                chooser.register(stream, selectors.EVENT_READ, [protocol, address, port, peer])
                continue
            else:
                data, peer = read(key.fileobj), key.data[3]
                if not data:
                    chooser.unregister(key.fileobj)
                    key.fileobj.close()
                    continue
            came.append(
                {"protocol": protocol, "address": address, "port": port, "peer": peer[0], "data": data.decode("ascii")}
            )


def read(stream: socket.socket) -> bytes:
    """What a connection brought, answered with the same; nothing at its end."""
    try:
        data = stream.recv(2048)
        stream.send(data)
    except OSError:  # the other end has gone away: that is an end as well
        return b""
    return data


def answer_datagram(sock: socket.socket, address: str, data: bytes, peer: tuple) -> None:
    """Answer from the address that was asked; a group or a broadcast address cannot be a source."""
    where = ipaddress.ip_address(address)
    if where.is_multicast or address.endswith(".255"):
        return
    try:
        sock.sendto(data, peer)
    except PermissionError:
        pass  # our own firewall keeps the answer in: whoever asked will tell that none came


if __name__ == "__main__":
    main()
