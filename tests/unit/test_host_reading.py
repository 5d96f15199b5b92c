# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from the managed host itself: addresses, the way Ansible came, and files."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _files, _interfaces, _managed_host
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Ssh


def attribute(kind, value):
    raw = struct.pack("=HH", 4 + len(value), kind) + value
    return raw + b"\0" * (-len(raw) % 4)


def address(family, prefix, index, *attributes):
    body = struct.pack("=BBBBI", family, prefix, 0, 0, index) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), 20, 2, 1, 0) + body


V4 = address(socket.AF_INET, 24, 2, attribute(1, b"\xc6\x12\x01\x07"), attribute(2, b"\xc6\x12\x01\x07"),
             attribute(4, b"\xc6\x12\x01\xff"), attribute(3, b"eth0\0"))
V6 = address(socket.AF_INET6, 64, 2, attribute(1, socket.inet_pton(socket.AF_INET6, "2001:db8:1::7")))
FAR_END = address(socket.AF_INET, 32, 3, attribute(1, b"\xc6\x12\x09\x01"), attribute(2, b"\xc6\x12\x09\x02"))
DONE = struct.pack("=IHHII", 20, 3, 2, 1, 0) + b"\0\0\0\0"


def test_addresses_are_read_from_the_kernels_answer():
    assert list(_interfaces.parse_addresses(V4 + V6 + FAR_END + DONE)) == [
        (2, "198.18.1.0/24", "198.18.1.255"), (2, "2001:db8:1::/64", None), (3, "198.18.9.1/32", None)
    ]


def test_an_error_of_the_kernel_is_not_taken_for_no_address():
    with pytest.raises(OSError, match="refused"):
        list(_interfaces.parse_addresses(struct.pack("=IHHII", 20, 2, 0, 1, 0) + b"\xff\xff\xff\xff"))


def test_the_kernel_of_this_machine_answers_and_loopback_is_left_out():
    assert all(i.name != "lo" and i.networks for i in _interfaces.interfaces())


@pytest.mark.parametrize("value, expected", [
    ("198.51.100.4 50022 198.51.100.9 22", Ssh("198.51.100.4", 22)),
    ("2001:db8::4 50022 2001:db8::9 2222", Ssh("2001:db8::4", 2222)),
    ("fe80::1%eth0 50022 fe80::2%eth0 22", Ssh("fe80::1", 22)),
    ("::ffff:198.51.100.4 50022 ::ffff:198.51.100.9 22", Ssh("198.51.100.4", 22)),
    ("UNKNOWN 65535 UNKNOWN 65535", None),
    ("198.51.100.4 1 198.51.100.9 0", None),
    ("", None),
])
def test_the_ssh_connection_is_read_from_what_sshd_says(value, expected):
    assert _managed_host.read_ssh_connection(value) == expected


def test_the_ssh_connection_is_found_where_sudo_took_it_from_the_environment():
    inner = "import os, sys; sys.stdout.write(str(os.getpid())); sys.stdout.flush(); sys.stdin.read()"
    outer = "import subprocess, sys; subprocess.run([sys.executable, '-c', %r], env={})" % inner
    environment = dict(os.environ, SSH_CONNECTION="198.51.100.4 50022 198.51.100.9 2222")
    with subprocess.Popen(
        [sys.executable, "-c", outer], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        pid = int(os.read(process.stdout.fileno(), 20))
        found = _managed_host.ssh_line(pid)
        process.stdin.close()
    assert found == environment["SSH_CONNECTION"]
    assert _managed_host.read_ssh_connection(found) == Ssh("198.51.100.4", 2222)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    return tmp_path


def test_a_file_is_replaced_whole_and_keeps_its_mode_and_its_foreign_bytes(folder):
    path = folder / "a"
    path.write_bytes(b"caf\xe9\r\n")
    path.chmod(0o640)
    _files.replace(str(path), _files.read(str(path)) + "more\n")
    assert path.read_bytes() == b"caf\xe9\r\nmore\n" and path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in folder.iterdir()] == ["a"]


def test_a_snapshot_brings_back_what_was_and_what_was_not(folder):
    (folder / "was").write_text("old", encoding="utf-8")
    snapshot = _files.keep([str(folder / "was"), str(folder / "deep/was-not")])
    _files.replace(str(folder / "was"), None)
    _files.replace(str(folder / "deep/was-not"), "new")
    _files.put_back(snapshot)
    assert (folder / "was").read_text(encoding="utf-8") == "old" and not (folder / "deep/was-not").exists()


def test_a_failed_write_leaves_the_old_file_and_no_other(folder, monkeypatch):
    path = folder / "a"
    path.write_text("old", encoding="utf-8")

    def full(_handle):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        _files.replace(str(path), "new")
    assert path.read_text(encoding="utf-8") == "old" and [p.name for p in folder.iterdir()] == ["a"]


def test_a_program_that_is_missing_is_a_result_and_no_surprise():
    result = _managed_host.ManagedHost().run(["there-is-no-such-program"])
    assert result.status == 127 and "there-is-no-such-program" in result.errors


@pytest.mark.parametrize("program, said, calls", [
    ("systemctl", "Reload daemon failed: Transport endpoint is not connected", 3),
    ("systemctl", "Reload daemon failed: Connection reset by peer", 3),
    ("systemctl", "Failed to start nftables.service: Unit nftables.service is masked.", 1),
    ("busctl", "Connection reset by peer", 1),
])
def test_systemd_that_executes_itself_anew_is_asked_again(tmp_path, monkeypatch, program, said, calls):
    """It hangs up twice, and answers the third call."""
    script = '#!/bin/sh\necho x >> "$0.calls"; [ $(wc -l < "$0.calls") -gt 2 ] && exit 0; echo "%s" >&2; exit 1\n'
    (tmp_path / program).write_text(script % said)
    (tmp_path / program).chmod(0o755)
    monkeypatch.setattr(_managed_host, "_PAUSE", 0)
    monkeypatch.setenv("PATH", "%s:%s" % (tmp_path, os.environ["PATH"]))
    monkeypatch.setattr(_managed_host, "_PATH", os.environ["PATH"])
    status = _managed_host.ManagedHost().run([program, "daemon-reload"]).status
    assert len((tmp_path / (program + ".calls")).read_text().splitlines()) == calls
    assert status == (0 if calls == 3 else 1)
