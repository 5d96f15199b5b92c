# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of a change: come back over a new connection and confirm it.

An established connection proves nothing, since every firewall lets it go on.  So the connection is
reset first, and only what comes in anew counts.
"""

from __future__ import annotations

import time

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

MODULE = "printfleet.cups.cups_firewall"
# After the host has taken a change back it may need some seconds until it can be reached again.
GRACE = 30.0
_PAUSE = 1.0


class ActionModule(ActionBase):
    """Runs the module; after a change runs it once more, with the confirmation."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self._task_vars = task_vars
        started = time.monotonic()
        arguments = dict(self._task.args)
        arguments.pop("confirmation", None)
        try:
            result.update(self._execute_module(module_name=MODULE, module_args=arguments, task_vars=task_vars))
        except AnsibleConnectionFailure as error:
            return self._lost(result, error, started)
        cookie = result.pop("confirmation", "")
        if not cookie:
            return result
        timeout = int(result["invocation"]["module_args"]["confirm_timeout"])
        return self._confirm(result, cookie, started + timeout, timeout)

    def _confirm(self, result, cookie, deadline, timeout):
        answer, last = self._ask(cookie, deadline + GRACE)
        if answer.get("outcome") == "settled":
            result["confirmed"] = True
            return result
        what = "The change of the firewall (%s) was made, but" % result["backend"]
        if answer.get("outcome") == "taken back":
            text = (
                "%s Ansible could not come back over a new connection within %d seconds to confirm it%s. The host has "
                "taken the change back and is as it was before." % (what, timeout, ": " + last if last else "")
            )
        elif answer:
            text = "%s it was not confirmed: %s. The host takes it back by itself within %d seconds." % (
                what, str(answer.get("msg", answer)).rstrip("."), timeout,
            )
        else:
            text = (
                "%s the host cannot be reached any more: %s. It was to take the change back by itself within %d "
                "seconds; look at it from its console." % (what, last, timeout)
            )
        result.update(failed=True, changed=False, confirmed=False, msg=text)
        return result

    def _lost(self, result, error, started):
        """The connection broke before the host could say what it did."""
        until = started + self._timeout() + GRACE
        answer = {"outcome": "pending"}
        while answer.get("outcome") == "pending" and time.monotonic() < until:
            answer, _last = self._ask("?", until)
            if answer.get("outcome") == "pending":
                time.sleep(_PAUSE)
        if answer.get("outcome") == "taken back":
            text = "The connection broke while the firewall was changed: %s. The host has taken the change back." % error
        elif answer.get("outcome") == "nothing":
            text = "The connection broke before the firewall was changed: %s. The host is as it was before." % error
        else:
            raise error
        result.update(failed=True, changed=False, confirmed=False, msg=text)
        return result

    def _timeout(self):
        try:
            return int(self._task.args.get("confirm_timeout", 30))
        except (TypeError, ValueError):
            return 30

    def _ask(self, cookie, until):
        """Run the module with the cookie over a new connection; gives its answer and the last failure's text."""
        last = ""
        while True:
            try:
                self._renew()
                return self._execute_module(
                    module_name=MODULE, module_args={"confirmation": cookie}, task_vars=self._task_vars
                ), last
            except AnsibleConnectionFailure as error:
                last = " ".join(str(error).split())
            if time.monotonic() > until:
                return {}, last
            time.sleep(_PAUSE)

    def _renew(self):
        reset = getattr(self._connection, "reset", None) or self._connection.close
        reset()
        # The folder for modules was made over the old connection; a new one is made at need.
        self._connection._shell.tmpdir = None
