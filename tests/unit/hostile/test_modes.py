# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of ours are no more open than they have to be, whatever the umask, and say nothing that is secret."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _files, _memory, _policy
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Ssh


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct, autouse=True)
def umask(request, monkeypatch):
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder):
    """The mode of every file below a folder."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}


def test_the_memory_is_for_root_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(_memory, "PATH", str(tmp_path / "printfleet-cups/state.json"))
    wish = {"flows": [], "default_incoming": "deny", "default_outgoing": "keep", "log_denied": False, "ssh": [],
            "woken": False}
    _memory.save(_memory.Memory("nftables", wish, {}))
    assert modes(tmp_path) == {"state.json": 0o600}
    assert set(json.loads((tmp_path / "printfleet-cups/state.json").read_text())) == {
        "format", "backend", "wish", "found"}


def test_the_ruleset_is_for_root_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(nftables, "RULES", str(tmp_path / "printfleet-cups/firewall.nft"))
    monkeypatch.setattr(nftables, "UNIT_FILE", str(tmp_path / "printfleet-cups-firewall.service"))

    class Host:
        def program(self, name):
            return "/usr/sbin/" + name

        def run(self, argv, stdin=None):
            del argv, stdin
            return Result(0, "", "")

    backend = nftables.Nftables(Host())
    policy = _policy.make_policy([], "deny", "keep", False, (), Ssh("192.0.2.1", 22))
    backend.commit(backend.plan(backend.read({}), policy))
    assert modes(tmp_path) == {"firewall.nft": 0o600, "printfleet-cups-firewall.service": 0o644}


def test_a_file_is_never_open_while_it_is_written(tmp_path, monkeypatch):
    seen = []
    replace = os.replace
    monkeypatch.setattr(os, "fsync", lambda _descriptor: seen.extend(
        stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()))
    monkeypatch.setattr(os, "replace", replace)
    _files.replace(str(tmp_path / "a"), "x", 0o600)
    assert set(seen) == {0o600}
    # What was there keeps its mode, and is not opened for more.
    (tmp_path / "a").chmod(0o400)
    _files.replace(str(tmp_path / "a"), "y", 0o644)
    assert modes(tmp_path) == {"a": 0o400}
