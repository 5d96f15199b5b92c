# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we remember on a managed host between runs: which backend holds our rules, the wish, and what to give back."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import NamedTuple, Optional

from ansible_collections.printfleet.cups.plugins.module_utils import _device_uri, _files, _printers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._findings import plain
from ansible_collections.printfleet.cups.plugins.module_utils._policy import DEFAULTS

PATH = "/var/lib/%s/state.json" % OWNER
_FORMAT = 1
_KEY = re.compile(r"[A-Za-z0-9_]{1,60}")


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
        return _read(data)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise BackendError(
            "%s cannot be read (%s): put it back from a backup, or remove it if nothing of ours is on this host"
            % (PATH, plain(str(error)))
        ) from error


def _read(data: dict) -> Memory:
    """Judge every part of it: what is put back into others' files, or into a rule, comes from here."""
    wish, found = dict(data["wish"]), {str(k): str(v) for k, v in data["found"].items()}
    if data["backend"] not in ("nftables", "firewalld", "ufw"):
        raise ValueError("its backend is %r" % data["backend"])
    for key in ("default_incoming", "default_outgoing"):
        if wish[key] not in DEFAULTS:
            raise ValueError("its %s is %r" % (key, wish[key]))
    if not isinstance(wish["flows"], list) or not isinstance(wish["log_denied"], bool):
        raise ValueError("its wish is none")
    ssh = wish.get("ssh")
    if ssh:
        ipaddress.ip_address(str(ssh[0]))
        if isinstance(ssh[1], bool) or not isinstance(ssh[1], int) or not 0 < ssh[1] < 65536 or len(ssh) != 2:
            raise ValueError("its port of SSH is %r" % ssh[1])
    uris = wish.get("device_uris", [])
    if not isinstance(wish.get("queues", False), bool) or not isinstance(uris, list):
        raise ValueError("its printers are none")
    for uri in uris:
        _device_uri.read(uri)
    _printers.read_remembered(wish.get("printers"))
    for key, value in found.items():
        if not _KEY.fullmatch(key) or (not value.isprintable() and not key.startswith("ufw_rules_")):
            raise ValueError("it has %r for %r" % (value, key))
    return Memory(str(data["backend"]), wish, found)


def save(memory: Optional[Memory]) -> None:
    """Write it, or remove it for None."""
    if memory is None:
        _files.replace(PATH, None)
        _files.remove_folder(PATH)
        return
    data = {"format": _FORMAT, "backend": memory.backend, "wish": memory.wish, "found": memory.found}
    _files.replace(PATH, json.dumps(data, indent=1, sort_keys=True) + "\n", 0o600)
