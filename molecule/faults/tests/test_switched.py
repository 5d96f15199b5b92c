# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults while a firewall is switched on or off: the host is as before in that same boot, links and units too."""

from __future__ import annotations

import pytest
from faults import switched


@pytest.mark.parametrize("backend, check", [(b, check) for b in switched.OFF for check in switched.CHECKS])
def test_switching_is_survived(tried, backend, check):
    """"" is what each check says where all is well."""
    assert tried[backend].switched[check] == ""
