# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that takes a change back, with all its code: it runs when Ansible and its files are gone."""

from __future__ import annotations

import os
import shlex
import sys
import zipfile
from typing import Any, Callable, Dict, Optional

from ansible_collections.printfleet.cups.plugins.module_utils import (
    _alarm,
    _confirm,
    _files,
    _managed_host,
    _managers,
    _trial,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError

# What the program imports beside the transaction; loaded here, so that it is packed.
_NEEDED = (_confirm, _managed_host, _managers)

_UNDO = """\
# Takes back a change of the firewall that was not confirmed; written by the Ansible collection printfleet.cups.
import sys
sys.path.insert(0, %(code)r)
from ansible_collections.printfleet.cups.plugins.module_utils import _managed_host, _managers, _transaction
host = _managed_host.ManagedHost()
_transaction.undo(_managers.backends(host), host, sys.argv[1])
"""

_CONFIRM = """\
# Confirms a change of the firewall; written by the Ansible collection printfleet.cups.
import sys
sys.path.insert(0, %(code)r)
from ansible_collections.printfleet.cups.plugins.module_utils import _confirm
print(_confirm.answer(*sys.argv[1:]))
"""


def write(folder: str) -> str:
    """Put the programs and their code into the folder, and give the alarm's; raises OSError and BackendError.

    That one takes one argument, a trial's name or ``--boot`` (``_transaction.undo``).
    """
    code, program = os.path.join(folder, "code.zip"), os.path.join(folder, "undo.py")
    _pack_code(code)
    _files.replace(program, _UNDO % {"code": code}, 0o600)
    _files.replace(os.path.join(folder, "confirm.py"), _CONFIRM % {"code": code}, 0o600)
    return program


def commands(cookie: str) -> Dict[str, str]:
    """What the action plugin has the host's shell run, as root.

    "heard": Ansible has heard of the change (``_trial.ends``).  "confirm", with one word more: the confirmation
    (``_confirm.answer``).  Neither is found any more once the trial is over, and then the module is asked.
    """
    # Without the search for packages (-S) Python starts in half the time.
    confirm = [_alarm.python(), "-I", "-S", os.path.join(_trial.FOLDER, "confirm.py"), cookie]
    return {
        "heard": "cat /proc/uptime > %s" % shlex.quote(_trial.heard_file(cookie)),
        "confirm": " ".join(map(shlex.quote, confirm)),
    }


def _pack_code(path: str) -> None:
    """Our own code as it runs now, in one file that needs no Ansible: the alarm runs it when all else is gone."""
    prefix = "ansible_collections.printfleet.cups.plugins.module_utils"
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as handle:
        with zipfile.ZipFile(handle, "w") as archive:
            packages = prefix.split(".")
            for depth in range(1, len(packages) + 1):
                archive.writestr("/".join(packages[:depth]) + "/__init__.py", "")
            for name, module in sorted(sys.modules.items()):
                if name.startswith(prefix + "."):
                    _pack(archive, name, module)
        handle.flush()
        # After a power cut it is needed, so it has to be on the disk before anything is changed.
        os.fsync(handle.fileno())


def _pack(archive: zipfile.ZipFile, name: str, module: Any) -> None:
    source: Optional[Callable[[str], Optional[str]]] = getattr(module.__loader__, "get_source", None)
    text = source(name) if source else None
    if text is None:
        raise BackendError("the code of %s cannot be read, and without it no change could be taken back" % name)
    inner = "/__init__.py" if hasattr(module, "__path__") else ".py"
    archive.writestr(name.replace(".", "/") + inner, text)
