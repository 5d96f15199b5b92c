# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter port_tables: CUPS' page "Firewalls" to table data."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

from ansible.errors import AnsibleFilterError
from ansible_collections.printfleet.cups.plugins.module_utils._page import read_page
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused


def port_tables(page: Any) -> List[dict]:
    """Read the HTML text of the page into the schema of ``cups_firewall_tables``."""
    try:
        return [table.as_dict() for table in read_page(page)]
    except Refused as refused:
        raise AnsibleFilterError(str(refused)) from None


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> Dict[str, Callable]:
        return {"port_tables": port_tables}
