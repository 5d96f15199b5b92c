# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of ufw and of our rules in it since the last run.  Pure."""

from __future__ import annotations

from typing import List, Optional

from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    ufw_helpers,
    ufw_hurdles,
    ufw_kernel,
    ufw_plan,
    ufw_rules,
)
from ansible_collections.printfleet.cups.plugins.module_utils._drift import Cause


def causes(state: ufw_plan.State, steps: Optional[ufw_plan.Steps]) -> List[Cause]:
    """``steps`` of the plan that would bring the rules back; None where none can be made."""
    found = []
    hurdles = list(ufw_hurdles.find(state.files, state.versions, state.ipv6))
    before = state.files[ufw_helpers.PATH]
    if steps is None and not hurdles and "\nCOMMIT\n" not in (before or ""):
        hurdles = [(ufw_hurdles.BROKEN, ufw_hurdles.broken(ufw_helpers.PATH, before, "it has no line 'COMMIT'"))]
    if hurdles:
        # ufw cannot load its rules again, whatever else happened to them.
        return [Cause(name, sentence) for name, sentence in hurdles]
    texts = [state.files[path] or "" for path in ufw_plan.RULES.values()]
    holds_ours = any(ufw_rules.without_ours(text) != text for text in texts)
    if not state.enabled and not holds_ours:
        found.append(Cause(
            "ufw-reset", "ufw is switched off and its rule files hold none of our rules, as after 'ufw reset'"
        ))
    elif not state.enabled:
        found.append(Cause(
            "ufw-disabled", "ufw was disabled: %s says ENABLED=no" % ufw_plan.CONF, "ufw --force enable"
        ))
    elif not holds_ours:
        found.append(Cause("ufw-rules-removed", "ufw's rule files hold none of our rules"))
    elif any(ufw_kernel.are_loose(version, kernel.chains) for version, kernel in state.kernel.items()):
        found.append(Cause(
            "ufw-chains-loose",
            "ufw's chains are not called from INPUT or OUTPUT any more, as after 'iptables -F': 'ufw reload' fills "
            "them and does not call them again",
        ))
    elif not state.running:
        found.append(Cause(
            "ufw-not-loaded",
            "ufw is enabled, but its rules are gone from the kernel: ufw.service was stopped, or somebody ran "
            "'nft flush ruleset'",
            "ufw reload",
        ))
    elif steps is not None and steps.files:
        found.append(Cause(
            "ufw-files-differ",
            "%s: not what the role writes now; it was changed, or the host's networks or its printers were"
            % ", ".join(sorted(steps.files)),
        ))
    elif steps is not None and (steps.loads or steps.helpers is not None):
        found.append(Cause(
            "ufw-kernel-differs", "the kernel's rules differ from ufw's files: they were changed by hand", "ufw reload"
        ))
    if state.unit == "disabled":
        found.append(Cause(
            "ufw-unit-disabled", "ufw.service is disabled, so the next boot does not load ufw's rules",
            "systemctl enable ufw.service",
        ))
    return found
