# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""printers.conf and classes.conf as cupsd writes them, and as others leave them."""

from __future__ import annotations

import os

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _queues
from ansible_collections.printfleet.cups.plugins.module_utils._queues import Queue, read_listing

from .conftest import queue


def one(text, classes=""):
    listing = read_listing(text, classes)
    return [tuple(q) for q in listing.queues], list(listing.complaints)


def test_a_queue():
    assert one("<DefaultPrinter office>\nInfo x\nDeviceURI ipp://192.0.2.1/\nState Idle\n</DefaultPrinter>\n") == (
        [("office", "ipp://192.0.2.1/")], [])


@pytest.mark.parametrize("line, uri", [
    ("DeviceURI ipp://h/", "ipp://h/"), ("  deviceuri\t ipp://h/  \r", "ipp://h/"), ("DeviceURI ipp://h/#x", "ipp://h/"),
    ("DeviceURI ipp://h/\\#x", "ipp://h/#x"), ("DeviceURI smb://W\\\\u@s/p", "smb://W\\u@s/p"),
    ("DeviceURI smb://W\\u@s/p", "smb://W\\u@s/p"), ("DeviceURI ipp://h/\\n", "ipp://h/\n"),
])
def test_escapes_as_cups_writes_them(line, uri):
    assert one("<Printer a>\n%s\n</Printer>\n" % line) == ([("a", uri.rstrip())], [])


@pytest.mark.parametrize("text, complaint", [
    ("<Printer a>\n</Printer>\n", "the queue 'a' has no device URI"),
    ("<Printer a>\nDeviceURI\n</Printer>\n", "the queue 'a' has no device URI"),
    ("DeviceURI ipp://h:secret/\n", "printers.conf has lines that are not understood: 1"),
    ("</Printer>\n", "printers.conf has lines that are not understood: 1"),
    ("<Printer\nDeviceURI ipp://h/\n", "printers.conf has lines that are not understood: 1, 2"),
    ("</x>\n" * 9, "printers.conf has lines that are not understood: 1, 2, 3 and 6 more"),
    ("<Printer a>\nDeviceURI ipp://h/\n", "printers.conf ends in the middle of the queue 'a'"),
    ("<Printer a\x1b[31m>\n</Printer>", "the queue 'a?[31m' has no device URI"),
])
def test_what_is_not_understood_is_told_and_no_error(text, complaint):
    complaints = one(text)[1]
    assert complaint in complaints and "secret" not in str(complaints)


def test_classes_have_members_and_old_ones_devices():
    classes = "<Class all>\nPrinter a\nPrinter gone\n</Class>\n<Class old>\nDeviceURI ipp://192.0.2.9/classes/x\n</Class>\n"
    assert one(queue("A", "ipp://192.0.2.1/"), classes) == (
        [("A", "ipp://192.0.2.1/"), ("old", "ipp://192.0.2.9/classes/x")],
        ["the class 'all' prints on 'gone', which is no queue of this host"])


def test_the_backup_is_read_where_the_file_is_gone_as_cupsd_does(queues):
    queues(queue("old", "ipp://192.0.2.1/"), suffix=".O")
    assert _queues.read_host().queues == (Queue("old", "ipp://192.0.2.1/"),)
    queues(queue("new", "ipp://192.0.2.2/"))
    assert _queues.read_host().queues == (Queue("new", "ipp://192.0.2.2/"),)


def test_a_host_without_cups(monkeypatch, tmp_path):
    monkeypatch.setattr(_queues, "FILES_CONF", str(tmp_path / "none"))
    monkeypatch.setattr(_queues, "SERVER_ROOT", str(tmp_path))
    assert _queues.read_host() == _queues.Listing()


def test_a_pipe_or_a_folder_in_the_place_of_a_file_is_no_queue(tmp_path):
    os.mkfifo(str(tmp_path / "printers.conf"))
    (tmp_path / "classes.conf").mkdir()
    assert _queues.read_host(str(tmp_path)) == _queues.Listing()


def test_a_huge_file_is_read_in_part(tmp_path, monkeypatch):
    monkeypatch.setattr(_queues, "_MOST_BYTES", 1000)
    text = "".join(queue("q%d" % number, "ipp://192.0.2.1/") for number in range(100))
    (tmp_path / "printers.conf").write_text(text, encoding="utf-8")
    listing = _queues.read_host(str(tmp_path))
    assert 10 < len(listing.queues) < 30 and listing.complaints


@pytest.mark.parametrize("text, root", [
    ("", "/etc/cups"), ("ServerRoot /srv/cups\n", "/srv/cups"), ("serverroot /srv/a b \n", "/srv/a b"),
    ("# ServerRoot /srv/cups\n", "/etc/cups"), ("ServerRoot relative\n", "/etc/cups"), ("ServerRoot\n", "/etc/cups"),
])
def test_where_cupsd_keeps_its_files(text, root):
    assert _queues.read_server_root(text) == root
