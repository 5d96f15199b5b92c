# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of a change: come back over a new connection and confirm it.

An established connection proves nothing, since every firewall lets it go on.  So the connection is
reset first, and only what comes in anew counts; over SSH the host looks at that itself.

What is said to the host after a change is said by the smallest commands that do it: with many hosts on a busy
controller a call of the module may take longer than the time for the confirmation.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import subprocess
import time

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase
from ansible_collections.printfleet.cups.plugins.module_utils import _words

MODULE = "printfleet.cups.cups_firewall"
DEFAULT_TIMEOUT = 30
# After the host has taken a change back it may need some seconds until it can be reached again.
GRACE = 30.0
_PAUSE = 1.0
# So long the old connection may take to tell the host that we have heard of the change: it may be dead.
_HEARD = 5.0
# What ssh says where no connection came about (sshconnect.c and clientloop.c of OpenSSH), and Ansible where it could
# not even make its folder: nothing was started then.
_NEVER_THERE = (
    "ssh: connect to host", "Could not resolve hostname", "Permission denied", "Host key verification failed",
    "banner exchange", "stdio forwarding failed", "Failed to create temporary directory",
)

# A host that fails to take a change back tries again by itself, and may succeed while there is time.
_NOT_YET, _NOT_FINAL = "", ("", "not taken back")


class ActionModule(ActionBase):
    """Runs the module; after a change runs it once more, with the confirmation."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self._task_vars = task_vars
        by_ssh = over_ssh(self._connection.transport)
        arguments = dict(self._task.args, confirmation=secrets.token_hex(8), confirm="", over_ssh=by_ssh)
        try:
            seconds = read_timeout(arguments.get("confirm_timeout", DEFAULT_TIMEOUT))
        except _words.Refused as refused:
            result.update(failed=True, msg=str(refused))
            return result
        try:
            result.update(self._module(arguments))
        except AnsibleConnectionFailure as error:
            if any(words in str(error) for words in _NEVER_THERE):
                raise
            return self._lost(result, arguments, seconds, "The connection broke", _one_line(error))
        if _was_killed(result):
            return self._lost({}, arguments, seconds, "The module was killed", "status %s" % result["rc"])
        commands = result.pop("commands", {})
        if not result.pop("confirmation", ""):
            return result
        self._tell_heard(commands.get("heard", ""), seconds)
        answer, last = self._ask(arguments["confirmation"], seconds, commands.get("confirm", ""))
        if answer.get("outcome") == "settled":
            result["confirmed"] = True
            return result
        told = "The change of the firewall (%s) was made, but %s" % (result["backend"], _trouble(answer, last, seconds))
        result.update(failed=True, changed=False, confirmed=False, msg=told)
        return result

    def _lost(self, result, arguments, seconds, event, error):
        """Something broke before the host could say what it did."""
        answer, last = self._ask(arguments["confirmation"], seconds)
        told = "%s while the firewall was changed (%s), and " % (event, error)
        if answer.get("outcome") == "settled":
            # What the change was is lost with the connection; how the host is now is not.
            result.update(self._module(arguments), changed=True, confirmed=True)
            result.pop("confirmation", None)
            result.pop("commands", None)
            return result
        if answer.get("outcome") == "not known":
            told = "%s (%s). The host knows of no change of its firewall by this run." % (event, error)
        else:
            told += _trouble(answer, last, seconds)
        result.update(failed=True, changed=False, confirmed=False, msg=told)
        return result

    def _tell_heard(self, command, seconds):
        """Over the connection that is still there: the time for the confirmation counts from now.

        Where that word does not come through the time counts from the change, which the host knows itself.
        """
        if not command:
            return
        try:
            with _at_most(min(_HEARD, seconds / 3)):
                self._low_level_execute_command(command, sudoable=True)
        except (AnsibleError, _TimeIsUp):
            pass

    def _ask(self, cookie, seconds, command=""):
        """Confirm over a new connection; gives the answer, {} for none, and what hindered it last.

        ``command`` confirms as well and costs less than the module; what it cannot do or tell, the module can.
        An answer without an outcome does not count as long as there is time: a lock that is held,
        a login that hangs, a connection that was not new.
        """
        until = time.monotonic() + seconds + GRACE
        word = "anew" if over_ssh(self._connection.transport) else "anyhow"
        arguments = {"confirmation": cookie, "confirm": word}
        answer, last = {}, ""
        while True:
            try:
                self._renew()
                answer = self._confirm("%s %s" % (command, word)) if command else {}
                if not answer.get("outcome") and "again" not in answer:
                    answer = self._module(arguments)
                if answer.get("outcome", _NOT_YET) not in _NOT_FINAL:
                    return answer, answer.get("why") or last
                last = _one_line(answer.get("again") or answer.get("remark") or answer.get("msg", answer))
            except AnsibleError as error:
                answer, last = {}, _one_line(error)
                # The folder for modules may have gone with a reboot; a new one is made at need.
                self._connection._shell.tmpdir = None
            if time.monotonic() > until:
                return answer, last
            time.sleep(_PAUSE)

    def _confirm(self, command):
        """What the host's own program says, {} where it is not there or says nothing."""
        said = self._low_level_execute_command(command, sudoable=True).get("stdout", "")
        for line in said.splitlines():
            try:
                answer = json.loads(line)
            except ValueError:
                continue
            if isinstance(answer, dict) and "outcome" in answer:
                return answer
        return {}

    def _module(self, arguments):
        return self._execute_module(module_name=MODULE, module_args=arguments, task_vars=self._task_vars)

    def _renew(self):
        connection = self._connection
        # The base class only warns that it has no reset.
        has_reset = getattr(type(connection), "reset", ConnectionBase.reset) is not ConnectionBase.reset
        (connection.reset if has_reset else connection.close)()


class _TimeIsUp(BaseException):
    """Not an Exception: connection plugins catch these, and try again."""


@contextlib.contextmanager
def _at_most(seconds):
    """Leave what is done inside after so many seconds by _TimeIsUp; a task's own timeout goes on counting."""
    def ring(_signal, frame):
        # The program by which a connection plugin waits (ssh, docker) would stay behind.
        while frame is not None:
            for value in list(frame.f_locals.values()):
                if isinstance(value, subprocess.Popen) and value.poll() is None:
                    value.kill()
            frame = frame.f_back
        raise _TimeIsUp

    started = time.monotonic()
    try:
        handler = signal.signal(signal.SIGALRM, ring)
    except ValueError:
        # Not in the main thread, where nothing could end it: it is left out, and nothing is lost but time.
        raise _TimeIsUp from None
    rest, _interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if rest:
            signal.setitimer(signal.ITIMER_REAL, max(0.01, rest - (time.monotonic() - started)))


def over_ssh(transport):
    """Whether a connection plugin of that name comes by SSH: ssh, paramiko, libssh."""
    return any(word in str(transport) for word in ("ssh", "paramiko"))


def _was_killed(result):
    """Whether a signal ended the module before it could answer: shells tell 128 and its number, Python less than 0.

    Our module's own failures have no status, and what keeps Python from starting, such as sudo, has a small one.
    """
    status = result.get("rc", 0)
    return bool(result.get("failed")) and isinstance(status, int) and (status > 128 or status < 0)


def read_timeout(value):
    """Seconds, also as the text that "-e" and inventories give; raises Refused before the host is touched."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 6:
        value = int(value)
    return _words.read_seconds(value, "cups_firewall_confirm_timeout")


def _trouble(answer, last, seconds):
    """Why a change was not confirmed, and how the host is therefore."""
    if answer.get("outcome") == "taken back":
        why = answer.get("why")
        reason = "it could not be confirmed: %s" % why if why else (
            "Ansible could not come back over a new connection within %d seconds to confirm it%s"
            % (seconds, ": " + last if last else "")
        )
        remark = answer.get("remark")
        how = "The host has taken it back, but: %s." % remark if remark else (
            "The host has taken it back and is as it was before.")
        return "%s. %s" % (reason.rstrip("."), how)
    if answer.get("outcome") == "not taken back":
        return "it is neither confirmed nor taken back: %s." % last.rstrip(".")
    if answer.get("outcome") == "not known":
        return "it was not confirmed, and the host does not know any more what became of it. Run the role again."
    if answer:
        told = "it was not confirmed: %s. The host takes it back by itself within %d seconds."
        return told % (last.rstrip("."), seconds)
    return (
        "the host cannot be reached any more: %s. It was to take the change back by itself within %d seconds; look at "
        "it from its console." % (last.rstrip("."), seconds)
    )


def _one_line(said):
    return " ".join(str(said).split())[:600]
