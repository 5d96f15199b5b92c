# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A printer's SNMP agent, as far as CUPS asks one: GET and GETNEXT, version 1, also when asked by broadcast.

Debian's snmpd does not answer broadcasts. Who asks is written down in ASKED, a line for each question; whose address is
the name of a file in SILENT gets no answer, as from a network that drops what goes to 161/udp. Form of the packets:
RFC 1157 and X.690; objects: RFC 2790 (Host Resources MIB), PWG 5107.2 (Port Monitor MIB). Standard library only.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import List, Tuple

INTEGER, TEXT, NULL, OBJECT, SEQUENCE, GET, NEXT, RESPONSE = 2, 4, 5, 6, 0x30, 0xA0, 0xA1, 0xA2
NO_SUCH_NAME = 2
ASKED, SILENT = "/var/spool/asked", "/run/silent"
DEVICE = (1, 3, 6, 1, 2, 1, 25, 3)
PORT_MONITOR = (1, 3, 6, 1, 4, 1, 2699, 1, 2, 1, 2, 1, 1)
PRINTER = DEVICE + (1, 5)  # hrDevicePrinter
ID = b"MFG:Printfleet;MDL:Test Printer;CMD:POSTSCRIPT;CLS:PRINTER;DES:Printfleet Test Printer;"


def length(data: bytes) -> bytes:
    if len(data) < 128:
        return bytes([len(data)])
    size = len(data).to_bytes(2, "big")
    return bytes([0x80 + len(size)]) + size


def wrap(tag: int, data: bytes) -> bytes:
    return bytes([tag]) + length(data) + data


def name(parts: Tuple[int, ...]) -> bytes:
    """An object identifier: seven bits in each byte, the first two parts in one."""
    packed = bytearray([parts[0] * 40 + parts[1]])
    for part in parts[2:]:
        septets = [part & 0x7F]
        while part > 0x7F:
            part >>= 7
            septets.insert(0, 0x80 | (part & 0x7F))
        packed += bytes(septets)
    return wrap(OBJECT, bytes(packed))


# Each object: its name and its value, packed. In the order of their names, as GETNEXT walks them.
OBJECTS: List[Tuple[Tuple[int, ...], bytes]] = sorted([
    ((1, 3, 6, 1, 2, 1, 1, 1, 0), wrap(TEXT, b"Printfleet Test Printer")),  # sysDescr
    ((1, 3, 6, 1, 2, 1, 1, 5, 0), wrap(TEXT, b"printer")),  # sysName
    ((1, 3, 6, 1, 2, 1, 1, 6, 0), wrap(TEXT, b"laboratory")),  # sysLocation
    (DEVICE + (2, 1, 2, 1), name(PRINTER)),  # hrDeviceType
    (DEVICE + (2, 1, 3, 1), wrap(TEXT, b"Printfleet Test Printer")),  # hrDeviceDescr
    (DEVICE + (5, 1, 1, 1), wrap(INTEGER, b"\x03")),  # hrPrinterStatus: idle
    (DEVICE + (5, 1, 2, 1), wrap(TEXT, b"\0\0")),  # hrPrinterDetectedErrorState: none
    (PORT_MONITOR + (2, 1), wrap(TEXT, b"Printfleet Test Printer")),  # ppmPrinterName
    (PORT_MONITOR + (3, 1), wrap(TEXT, ID)),  # ppmPrinterIEEE1284DeviceId
])


def take(data: bytes) -> Tuple[int, bytes, bytes]:
    """Split off the first value: its tag, its content, and the rest."""
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    return data[0], data[start:start + size], data[start + size:]


def parts_of(data: bytes) -> Tuple[int, ...]:
    parts, value = list(divmod(data[0], 40)), 0
    for byte in data[1:]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            parts.append(value)
            value = 0
    return tuple(parts)


def answer(packet: bytes) -> bytes:
    """The response to a request; b"" where it is none that we know. Raises IndexError on what is cut short."""
    _sequence, message, _rest = take(packet)
    _tag, version, message = take(message)
    _tag, community, message = take(message)
    kind, request, _rest = take(message)
    if kind not in (GET, NEXT) or community != b"public":
        return b""
    _tag, number, request = take(request)
    _tag, _error, request = take(request)
    _tag, _index, request = take(request)
    _tag, bindings, _rest = take(request)
    _tag, binding, _rest = take(bindings)
    _tag, packed, _rest = take(binding)
    wanted = parts_of(packed)
    found = [entry for entry in OBJECTS if (entry[0] == wanted if kind == GET else entry[0] > wanted)]
    parts, value = found[0] if found else (wanted, wrap(NULL, b""))
    status = bytes([0 if found else NO_SUCH_NAME])
    body = wrap(INTEGER, number) + wrap(INTEGER, status) + wrap(INTEGER, b"\0" if found else b"\x01")
    body += wrap(SEQUENCE, wrap(SEQUENCE, name(parts) + value))
    return wrap(SEQUENCE, wrap(INTEGER, version) + wrap(TEXT, community) + wrap(RESPONSE, body))


def serve(family: int, address: str) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as door:
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        door.bind((address, 161))
        while True:
            packet, peer = door.recvfrom(65535)
            try:
                response = answer(packet)
            except IndexError:
                continue
            with open(ASKED, "a", encoding="ascii") as stream:
                stream.write(peer[0] + "\n")
            if response and not os.path.exists(os.path.join(SILENT, peer[0])):
                door.sendto(response, peer)


if __name__ == "__main__":
    threading.Thread(target=serve, args=(socket.AF_INET6, "::")).start()
    serve(socket.AF_INET, "0.0.0.0")
