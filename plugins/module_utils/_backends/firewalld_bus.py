# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions and orders to a running firewalld over D-Bus, by busctl, which systemd brings.

firewall-cmd needs a quarter of a second for every question, most of it to start; busctl needs a hundredth.
"""

from __future__ import annotations

import re
import time
from typing import Any, List

from ansible_collections.printfleet.cups.plugins.module_utils import _busctl
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Host, must

_NAME = "org.fedoraproject.FirewallD1"
_PATH = "/org/fedoraproject/FirewallD1"
# A reload of many zones and sets can take long; busctl's own limit is 25 seconds.
_SECONDS = 110
_PAUSE = 0.05
# firewalld's own errors (firewall/errors.py); all else comes from D-Bus.
_OWN = re.compile("[A-Z][A-Z_]{3,}:")
_BUS, _BUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"


def start(host: Host, unit: str, order: str = "start") -> None:
    """Start or restart firewalld and wait until it takes questions; raises BackendError.

    systemd waits for that with firewalld's unit up to 2.3 (Type=dbus), and no longer with that of 2.5 (Type=simple).
    A firewalld that has its name on the bus but has not loaded all yet answers once it has.
    """
    must(host, ["systemctl", order, unit])
    for _turn in range(int(_SECONDS / _PAUSE)):
        if must(host, ["busctl", "--", "call", _BUS, _BUS_PATH, _BUS, "NameHasOwner", "s", _NAME]).strip() == "b true":
            return
        if host.run(["systemctl", "is-active", "--quiet", unit]).status != 0:
            raise BackendError("firewalld ended while it started, see 'journalctl -u %s'" % unit)
        time.sleep(_PAUSE)
    raise BackendError("firewalld did not start within %d seconds, see 'journalctl -u %s'" % (_SECONDS, unit))


def call(host: Host, interface: str, method: str, signature: str = "", *values: Any) -> Any:
    """Call a method of ``interface`` ("" for the main one); raises BackendError with firewalld's own words.

    ``values`` are Python's own for the D-Bus ``signature``; an ``a{sv}`` is a mapping of names to
    what an answer gives for a variant: ``{"type": "as", "data": [...]}``.
    """
    # Without --auto-start=no a call would start a firewalld that is switched off.
    argv = ["busctl", "--auto-start=no", "--timeout=%d" % _SECONDS]
    # After "--" a value may begin with a minus sign.
    argv += ["--", "call", _NAME, _PATH]
    argv += [_NAME + ("." + interface if interface else ""), method]
    if signature:
        argv += [signature] + _words(signature, values)
    result = host.run(argv)
    if result.status != 0:
        said = (result.errors or result.output).strip().split("\n")[-1].replace("Call failed: ", "")
        raise BackendError(refusal(method, said[:600] or "it said nothing"))
    try:
        answer = _busctl.read_answer(result.output)
        return answer[0] if answer else None
    except ValueError:
        raise BackendError("firewalld's answer to %s is not understood: %s" % (method, result.output[:200])) from None


def refusal(method: str, said: str) -> str:
    """A sentence for a call that failed, from busctl's last line.  Pure."""
    lower = said.lower()
    if said.startswith("ACCESS_DENIED"):
        return "firewalld refused %s: %s (see firewalld.lockdown-whitelist(5))" % (method, said)
    if _OWN.match(said):
        return "firewalld refused %s: %s" % (method, said)
    if "access denied" in lower or "rejected send message" in lower:
        return (
            "the system's D-Bus does not let root ask firewalld (%s: %s): look for a policy in /etc/dbus-1/system.d "
            "that denies %s" % (method, said, _NAME)
        )
    if "notauthorized" in lower or "polkit" in lower:
        return "polkit does not let root call firewalld (%s: %s): look at its rules in /etc/polkit-1/rules.d" % (
            method, said)
    if any(words in lower for words in ("does not exist", "not activatable", "disconnected", "noreply", "no reply",
                                        "was not provided", "has no owner")):
        return "firewalld went from the D-Bus during this run (%s: %s): see 'journalctl -u firewalld'" % (method, said)
    if "failed to connect to bus" in lower or "connect to bus" in lower:
        return "the system's D-Bus does not answer (%s: %s), and firewalld needs it: see 'systemctl status dbus'" % (
            method, said)
    if "timed out" in lower or "timeout" in lower:
        return "firewalld did not answer %s within %d seconds: see 'journalctl -u firewalld'" % (method, _SECONDS)
    return "firewalld refused %s: %s" % (method, said)


def _words(signature: str, values: Any) -> List[str]:
    """Write values as busctl(1) takes them: arrays with their length before, structures flat."""
    written: List[str] = []
    for kind, value in zip(_busctl.complete_types(signature), values):
        if kind == "a{sv}":
            written.append(str(len(value)))
            for name, variant in value.items():
                written += [name, variant["type"]] + _words(variant["type"], [variant["data"]])
        elif kind.startswith("a"):
            written.append(str(len(value)))
            written += [word for item in value for word in _words(kind[1:], [item])]
        elif kind.startswith("("):
            written += _words(kind[1:-1], value)
        elif kind == "b":
            written.append("true" if value else "false")
        else:
            written.append(str(value))
    return written
