# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which firewalld is installed, read from its own files: a program would cost a quarter of a second at each run."""

from __future__ import annotations

import glob
import re
from typing import Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _files

# Debian keeps it in python3/dist-packages, others in python3.N/site-packages.
_PLACES = "/usr/lib/python3*/*-packages/firewall/config/__init__.py"
Version = Optional[Tuple[int, ...]]
# The first one with policies (firewalld.policies(5)).
POLICIES = (0, 9)
# From here on answers to the host's connections pass before any policy on the way out (core/nftables.py).
ANSWERS = (0, 9, 5)
# From here on a rich rule can name a set as its destination, and sets of the backend nftables do without the program
# ipset.  0.9.3 refuses the rule, and loads no set where that program is missing (core/rich.py, core/fw_ipset.py).
SETS = (1, 0)
# From here on a policy of positive priority is asked before the target of a zone (core/nftables.py).
LATE_POLICIES = (1, 1)


def read() -> Version:
    """Its numbers; None where it is not installed, or not in a known place."""
    for path in sorted(glob.glob(_PLACES)):
        found = re.search(r"(?m)^VERSION = ['\"](\d+(?:\.\d+)+)", _files.read(path) or "")
        if found:
            return tuple(map(int, found.group(1).split(".")))
    return None


def before(version: Version, first: Tuple[int, ...]) -> bool:
    """Whether it is older than ``first``; one that is not known is taken for a newer one."""
    return version is not None and version < first
