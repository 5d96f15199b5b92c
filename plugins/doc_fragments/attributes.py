# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What both modules say of themselves."""

    DOCUMENTATION = r"""
requirements:
  - Debian 12 or 13, or a distribution like them, with systemd.
  - Python 3.8 or later on the managed host.
  - The privileges of root.
attributes:
  check_mode:
    support: full
    description: Check mode changes nothing and says exactly what would change, with no firewall installed as well.
  diff_mode:
    support: full
    description: Shows the rules before and after.
  platform:
    support: full
    platforms: debian
    description: The systems that it is tested on.
"""
