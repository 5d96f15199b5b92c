# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter flows: table data and the user's choices to flows."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

from ansible.errors import AnsibleFilterError
from ansible_collections.printfleet.cups.plugins.module_utils import _choices
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused


def flows(
    tables: Any,
    profiles: Any = _choices.DEFAULT_PROFILES,
    printer_protocols: Any = _choices.DEFAULT_PRINTER_PROTOCOLS,
    sources: Any = (),
    printers: Any = (),
    extra_flows: Any = (),
) -> List[dict]:
    """Turn ``cups_firewall_tables`` and choices into the list that the module takes as ``flows``."""
    choices = _choices.Choices(profiles, printer_protocols, sources, printers, extra_flows)
    try:
        return [flow.as_dict() for flow in _choices.make_flows(tables, choices)]
    except Refused as refused:
        raise AnsibleFilterError(str(refused)) from None


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> Dict[str, Callable]:
        return {"flows": flows}
