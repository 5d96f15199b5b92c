# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we remember on a managed host between runs: which backend holds our rules, the wish, and what to give back."""

from __future__ import annotations

import json
from typing import NamedTuple, Optional

from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, BackendError

PATH = "/var/lib/%s/state.json" % OWNER
_FORMAT = 1


class Memory(NamedTuple):
    """``backend`` is "" where nothing of ours is on the host; ``wish`` are the module's options of the last change."""

    backend: str
    wish: dict
    found: dict  # a backend's own notes of what it has to give back


NOTHING = Memory("", {}, {})


def load() -> Memory:
    """Read it; raises BackendError where the file is not what we wrote."""
    text = _files.read(PATH)
    if text is None:
        return NOTHING
    try:
        data = json.loads(text)
        if data["format"] != _FORMAT:
            raise ValueError("its format is %r" % data["format"])
        return Memory(str(data["backend"]), dict(data["wish"]), {str(k): str(v) for k, v in data["found"].items()})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BackendError(
            "%s cannot be read (%s): put it back from a backup, or remove it if nothing of ours is on this host"
            % (PATH, error)
        ) from error


def save(memory: Optional[Memory]) -> None:
    """Write it, or remove it for None."""
    if memory is None:
        _files.replace(PATH, None)
        _files.remove_folder(PATH)
        return
    data = {"format": _FORMAT, "backend": memory.backend, "wish": memory.wish, "found": memory.found}
    _files.replace(PATH, json.dumps(data, indent=1, sort_keys=True) + "\n", 0o600)
