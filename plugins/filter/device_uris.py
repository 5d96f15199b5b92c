# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter device_uris: cups_firewall_printers to what the module finds printers by, without passwords."""

from __future__ import annotations

from typing import Any, Callable, Dict

from ansible.errors import AnsibleFilterError
from ansible_collections.printfleet.cups.plugins.module_utils import _choices
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused


def device_uris(printers: Any, profiles: Any = _choices.DEFAULT_PROFILES) -> Dict[str, Any]:
    """Give the module's options ``queues`` and ``device_uris``; no password leaves the controller."""
    try:
        wanted = _choices.wanted_printers(printers, profiles)
    except Refused as refused:
        raise AnsibleFilterError(str(refused)) from None
    return {"queues": wanted.queues, "device_uris": list(wanted.device_uris)}


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> Dict[str, Callable]:
        return {"device_uris": device_uris}
