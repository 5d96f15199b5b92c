# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from a host: its sockets, and files of every kind that one may find there."""

from __future__ import annotations

import os
import socket
import sys

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._services import reading, sockets

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LINE = "   0: %s:%04X 00000000:0000 %s 00000000:00000000 00:00000000 00000000     0        0 %d 1 0 100 0 0 10 0\n"


def native(digits):
    """The digits as this machine's kernel writes them; given as one whose bytes are in little-endian order does."""
    words = [digits[at:at + 8] for at in range(0, len(digits), 8)]
    return digits if sys.byteorder == "little" else "".join(bytes.fromhex(w)[::-1].hex() for w in words)


@pytest.mark.parametrize("digits, address, outside, family", [
    ("00000000", "0.0.0.0", True, 4), ("0100007F", "127.0.0.1", False, 4), ("070200C0", "192.0.2.7", True, 4),
    ("00000000000000000000000000000000", "::", True, 0), ("00000000000000000000000001000000", "::1", False, 6),
    ("B80D0120000000000000000007000000", "2001:db8::7", True, 6),
    ("0000000000000000FFFF0000070200C0", "192.0.2.7", True, 4),
])
def test_an_address(digits, address, outside, family):
    found, = sockets.read_sockets(HEADER + LINE % (native(digits), 631, "0A", 77), "tcp")
    assert found == sockets.Socket("tcp", address, 631, 77)
    assert found.outside is outside and found.family == family


@pytest.mark.parametrize("line", [
    LINE % ("00000000", 631, "01", 1), LINE % ("00000000", 0, "0A", 1), LINE % ("0000", 631, "0A", 1),
    LINE % ("zz", 631, "0A", 1), "nothing", "", "\0\x1b[2J " * 12,
])
def test_what_is_no_listener(line):
    assert not list(sockets.read_sockets(HEADER + line, "tcp"))


@pytest.mark.parametrize("name, program, held", [
    ("cupsd", "cupsd", True), ("smbd[192.0.2.1]", "smbd", True), ("cupsd-x", "cupsd", False), ("", "cupsd", False)])
def test_who_holds_it(name, program, held):
    assert sockets.Socket("tcp", "::", 631, 1, (name,)).held_by(program) is held


@pytest.mark.parametrize("protocol, state, waits", [
    ("tcp", "0A", 1), ("tcp", "07", 0), ("udp", "07", 1), ("udp", "01", 0), ("udp", "0A", 0)])
def test_tcp_listens_and_udp_is_not_connected(protocol, state, waits):
    assert len(list(sockets.read_sockets(HEADER + LINE % ("00000000", 631, state, 7), protocol))) == waits


def test_this_very_machine():
    with socket.socket() as listener, socket.socket() as idle:
        listener.bind(("127.0.0.1", 0))
        idle.bind(("127.0.0.1", 0))
        listener.listen()
        found = {s.port: s for s in reading.read().sockets if s.protocol == "tcp"}
        mine = found[listener.getsockname()[1]]
        with open("/proc/self/comm", encoding="utf-8") as comm:
            assert mine.names == (comm.read().strip(),) and mine.address == "127.0.0.1" and not mine.outside
        assert idle.getsockname()[1] not in found
    assert mine.inode not in [s.inode for s in reading.read().sockets]


@pytest.fixture
def host(tmp_path):
    """A host with a process of its own; gives its root, and a writer of files."""
    def write(path, content):
        target = tmp_path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target
    write("/proc/7/comm", b"cupsd\n")
    (tmp_path / "proc/7/fd").mkdir()
    os.symlink("socket:[77]", tmp_path / "proc/7/fd/6")
    os.symlink("/dev/null", tmp_path / "proc/7/fd/7")
    write("/proc/net/tcp", (HEADER + LINE % ("00000000", 631, "0A", 77)).encode())
    return tmp_path, write


def test_a_host_with_everything(host):
    root, write = host
    write(reading.CUPSD, b"Port 631\n")
    write(reading.BROWSED, b"BrowseRemoteProtocols cups\n")
    write(reading.SAMBA, b"[printers]\n")
    write(reading.AVAHI, b"[server]\n")
    found = reading.read(str(root))
    assert found.cupsd.listens[0].port == 631 and found.browsed and found.samba.printing and found.avahi
    assert found.sockets == (sockets.Socket("tcp", "0.0.0.0", 631, 77, ("cupsd",)),)
    assert found.runs("cupsd") and not found.runs("smbd") and found.gaps == ()


def test_a_host_with_nothing(tmp_path):
    assert reading.read(str(tmp_path)) == reading.Services()


def test_a_file_that_is_far_too_long(host):
    root, write = host
    write(reading.CUPSD, b"Port 631\n" + b"#" * (2 << 20) + b"\nPort 8631\n")
    found = reading.read(str(root))
    assert [listen.port for listen in found.cupsd.listens] == [631]
    assert [gap.path for gap in found.gaps] == [reading.CUPSD]


def test_a_pipe_in_place_of_a_file_does_not_make_it_wait(host):
    root, write = host
    os.mkfifo(write(reading.CUPSD, b"").parent / "pipe")
    os.replace(root / "etc/cups/pipe", root / "etc/cups/cupsd.conf")
    found = reading.read(str(root))
    assert found.cupsd is None and found.gaps == (reading.Gap(reading.CUPSD, "it is not a file"),)


def test_a_folder_and_a_loop_in_place_of_a_file(host):
    root, _write = host
    (root / "etc/cups/cupsd.conf").mkdir(parents=True)
    (root / "etc/samba").mkdir()
    os.symlink("smb.conf", root / "etc/samba/smb.conf")
    found = reading.read(str(root))
    assert found.cupsd is None and {gap.path for gap in found.gaps} == {reading.CUPSD, reading.SAMBA}


@pytest.mark.parametrize("content", [b"\0" * 4096, b"\xff\xfe" * 999, b"\x1b[2J\n", b"[" * 9999, b"\\\n" * 9999,
                                     b"Listen \xff:631\n<Location \x1b>\nAllow \0\n"])
def test_odd_bytes_everywhere(host, content):
    root, write = host
    for path in (reading.CUPSD, reading.BROWSED, reading.SAMBA, reading.AVAHI, "/proc/net/tcp", "/proc/7/comm"):
        write(path, content)
    assert reading.read(str(root)).cupsd is not None


def test_no_more_links_are_read_than_is_sensible(host, monkeypatch):
    root, _write = host
    monkeypatch.setattr(reading, "_MOST_LINKS", 0)
    found = reading.read(str(root))
    assert found.sockets[0].names == () and found.runs("cupsd")
