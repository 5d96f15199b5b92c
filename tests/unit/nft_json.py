# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nft -j says of the few rules that the unit tests write by hand; real pairs lie in backends/nft_listings."""

from __future__ import annotations

import json
import re

from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_foreign

_KINDS = (
    (r"\bxt\b", {"xt": None}),
    (r" set ", {"mangle": {}}),
    (r"\badd @", {"set": {}}),
    (r"\bquota\b", {"quota": {}}),
    (r"\blimit name\b", {"limit": "often"}),
    (r"\bcounter\b", {"counter": None}),
    (r"\blog\b", {"log": None}),
    (r"\bvmap\b", {"vmap": {}}),
    (r"\baccept\b", {"accept": None}),
    (r"\bdrop\b", {"drop": None}),
    (r"\breturn\b", {"return": None}),
    (r"\b(?:jump|goto)\b", {"jump": {}}),
)


def statements(ruleset: str) -> str:
    """As nft would print the same as JSON, as far as the tests need it."""
    rules = [
        {"rule": {"family": family, "table": table, "chain": name, "expr": _expr(line)}}
        for (family, table), blocks in nftables_foreign.tables(ruleset).items()
        for name, block in blocks.items() if block.kind == "chain"
        for line in block.lines if not line.startswith(("type ", "comment "))
    ]
    return json.dumps({"nftables": [{"metainfo": {}}, *rules]})


def _expr(line: str) -> list:
    bare = re.sub(r'"[^"]*"', '""', line)
    transport = re.findall(r"\b(tcp|udp) ", bare)
    found = [one for pattern, one in _KINDS if re.search(pattern, bare)]
    return [{"match": {"left": {"payload": {"protocol": one}}}} for one in transport] + found
