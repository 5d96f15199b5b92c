# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The confirmation of a change on trial.

The action plugin asks for it over a new connection, by a program that lies on the host since the change (``_packed``):
a call of the module costs so much that on a busy controller it came too late.  So this imports no backend, and no more
than it needs.
"""

from __future__ import annotations

import json

from ansible_collections.printfleet.cups.plugins.module_utils import _alarm, _files, _managed_host, _trial
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Host

ANEW, ANYHOW = "anew", "anyhow"


class SameConnection(BackendError):
    """The confirmation came over the connection by which the change came."""


def settle(cookie: str, host: Host, anew: bool = False) -> None:
    """Write the new files and end the trial; raises BackendError where that cannot be.

    With ``anew`` a confirmation over the SSH connection by which the change came is none.  Where the host could not
    see that connection (``_guard.refuse_unseen``), the controller's word counts that it made a new one.
    """
    trial = _trial.pending()
    if trial is None or trial.cookie != cookie:
        raise BackendError("the change that should be confirmed is not on trial any more")
    if anew and trial.came_by and trial.came_by == _managed_host.ssh_line():
        raise SameConnection("Ansible came back over the old connection, which proves nothing")
    if not trial.new:
        raise BackendError("the module was ended before the change was whole")
    for path in _trial.foreign(trial):
        raise BackendError("%s was changed by somebody else while the change was on trial" % path)
    _files.put_back(trial.new)
    _alarm.reload_units(host)
    end(host)


def end(host: Host) -> None:
    """The one moment in which the change becomes the host's own."""
    trial = _trial.load()
    if not _trial.move(_trial.ARMED, _trial.SETTLED):
        raise BackendError("the host was just taking the change back")
    try:
        _trial.tell(trial, _trial.KEPT)
        _alarm.stop_alarm(host, trial.cookie)
        if trial.leaves:
            _alarm.drop_recovery(host)
        _trial.forget()
    except (OSError, BackendError):
        # It is decided, and nothing may say otherwise any more: the next run tidies up.
        pass


def answer(cookie: str, word: str) -> str:
    """What the program says, in one line of JSON: "settled", or why not, and the module knows more then."""
    try:
        with _alarm.lock(patience=10.0):
            settle(cookie, _managed_host.ManagedHost(), word == ANEW)
        told = {"outcome": _trial.KEPT}
    except SameConnection as error:
        told = {"outcome": "", "again": str(error)}
    except (OSError, BackendError) as error:
        told = {"outcome": "", "why": str(error)}
    return json.dumps(told)
