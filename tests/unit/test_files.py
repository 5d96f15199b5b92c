# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are put back whole, and only where they differ."""

from __future__ import annotations

import os

from ansible_collections.printfleet.cups.plugins.module_utils import _files


def test_what_is_right_is_not_written_again(tmp_path, monkeypatch):
    """On a full or read-only disk nothing can be written, and nothing has to be."""
    path, missing, link = (str(tmp_path / name) for name in ("file", "missing", "link"))
    _files.replace(path, "old\n")
    os.symlink(path, link)
    kept = _files.keep([path, missing, link])

    def refuse(*_arguments, **_options):
        raise OSError("No space left on device")

    monkeypatch.setattr(_files, "_write", refuse)
    monkeypatch.setattr(os, "symlink", refuse)
    _files.put_back(kept)
    assert _files.read(path) == "old\n"


def test_files_that_go_make_room_first(tmp_path, monkeypatch):
    """Those that were not there are removed before others are written."""
    changed, new = str(tmp_path / "a"), str(tmp_path / "b")
    _files.replace(changed, "old\n")
    kept = _files.keep([changed, new])
    _files.replace(changed, "new\n")
    _files.replace(new, "new\n")
    seen = []
    monkeypatch.setattr(_files, "_write", lambda path, _kept: seen.append(os.path.exists(new)))
    _files.put_back(kept)
    assert seen == [False]


def test_beginnings_of_a_killed_writer_go(tmp_path):
    """A file that never got its name lies beside the one that it was for."""
    path = tmp_path / "firewall.nft"
    path.write_text("old\n", encoding="utf-8")
    kept = _files.keep([str(path)])
    (tmp_path / ".printfleet-cups-abc123").write_text("half", encoding="utf-8")
    (tmp_path / ".other").write_text("not ours", encoding="utf-8")
    _files.put_back(kept)
    assert sorted(os.listdir(tmp_path)) == [".other", "firewall.nft"]
