# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems that cannot take a change; the scenario found has real ones."""

from __future__ import annotations

import os
import types

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _room
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError

ROOMY = {"f_bfree": 1000, "f_frsize": 4096, "f_files": 1000, "f_ffree": 500}


@pytest.mark.parametrize("numbers, sentence", [
    ({}, ""),
    ({"f_files": 0, "f_ffree": 0}, ""),
    ({"f_bfree": 0}, "%s: No space left, so that nothing can be changed: make room and run again"),
    ({"f_ffree": 0}, "%s: No space left for files (inodes), so that nothing can be changed: make room and run again"),
])
def test_room(tmp_path, monkeypatch, numbers, sentence):
    monkeypatch.setattr(os, "statvfs", lambda _path: types.SimpleNamespace(**{**ROOMY, **numbers}))
    path = str(tmp_path / "not/there/yet")
    if not sentence:
        _room.judge([path])
        return
    with pytest.raises(BackendError) as caught:
        _room.judge([path])
    assert str(caught.value) == sentence % tmp_path


def test_read_only(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append((path, mode)))
    with pytest.raises(BackendError, match="^%s: Read-only file system, so that nothing" % tmp_path):
        _room.judge([str(tmp_path / "file")])
    assert asked == [(str(tmp_path), os.W_OK)]
