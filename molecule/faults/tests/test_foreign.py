# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of others, held byte for byte and in effect while ours come, change and go."""

from __future__ import annotations

import pytest
from faults import foreign


@pytest.mark.parametrize("backend, check", [(b, check) for b in foreign.BANS for check in foreign.checks(b)])
def test_rules_of_others_are_held(tried, backend, check):
    """"" is what each check says where all is well."""
    assert tried[backend].foreign[check] == ""
