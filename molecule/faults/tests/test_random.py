# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some of the faults that "make campaign" draws, always the same ones: the host ends wholly old or wholly new."""

from __future__ import annotations

import pytest
from campaign import small


@pytest.mark.parametrize(
    "backend, seed", [(backend, fault.seed) for backend in ("nftables", "firewalld", "ufw")
                      for fault in small.faults(backend)]
)
def test_drawn_fault_is_survived(tried, backend, seed):
    """What was seen stands in the failure's text."""
    results = {result.fault.seed: result for result in tried[backend].drawn}
    assert seed in results, "it was not tried"
    assert results[seed].survived, "%s\n%s" % (results[seed].fault.told(), results[seed].told)
    assert results[seed].struck, "the run was over before the fault struck: %s" % results[seed].told
