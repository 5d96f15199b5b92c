# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of firewalld and of our policies in it since the last run.  Pure."""

from __future__ import annotations

from typing import List, Optional

from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_change import UNIT, State, Steps
from ansible_collections.printfleet.cups.plugins.module_utils._drift import Cause


def causes(state: State, steps: Optional[Steps]) -> List[Cause]:
    """``steps`` of the plan that would bring the rules back, None where there can be no plan."""
    return _service(state) + _panic(state) + _rules(state, steps)


def _service(state: State) -> List[Cause]:
    service = state.service
    if service.masked:
        command = "systemctl unmask %s && systemctl enable --now %s" % (UNIT, UNIT)
        return [Cause("firewalld-masked", "%s is masked" % UNIT, command)]
    if not service.active and service.bus_masked:
        command = "systemctl unmask dbus.socket dbus.service && systemctl enable --now %s" % UNIT
        return [Cause("dbus-masked", "%s is masked, and firewalld needs D-Bus" % service.bus_masked, command)]
    if not service.active and service.enabled:
        return [Cause("firewalld-stopped", "firewalld is stopped, but enabled", "systemctl start " + UNIT)]
    if not service.active:
        return [Cause("firewalld-disabled", "firewalld is stopped and disabled", "systemctl enable --now " + UNIT)]
    if not service.enabled:
        what = "%s is disabled, so the next boot does not load firewalld's rules" % UNIT
        return [Cause("firewalld-unit-disabled", what, "systemctl enable " + UNIT)]
    return []


def _panic(state: State) -> List[Cause]:
    what = "firewalld is in panic mode, which drops every packet"
    return [Cause("firewalld-panic", what, "firewall-cmd --panic-off")] if state.panic else []


def _rules(state: State, steps: Optional[Steps]) -> List[Cause]:
    if steps is None:
        return []
    if steps.files:
        return [Cause(
            "firewalld-files-differ",
            "%s is not what the role writes now: it was changed, or the host's networks or its printers were"
            % " and ".join(sorted(steps.files)),
        )]
    if state.running is not None and not state.running.in_kernel:
        return [Cause(
            "firewalld-not-in-kernel",
            "firewalld is active, but its rules are gone from the kernel: somebody ran 'nft flush ruleset', or loaded "
            "a file that begins with it",
            "systemctl restart " + UNIT,
        )]
    if steps.load:
        return [Cause(
            "firewalld-runtime-differs", "the running firewalld does not hold what its files say",
            "firewall-cmd --reload",
        )]
    return []
