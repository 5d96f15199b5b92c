# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small form of "make campaign": the same faults each time; and that a fault can be lost at all."""

from __future__ import annotations

import pytest
from campaign import small

BACKENDS = ("nftables", "firewalld", "ufw")
DRAWN = [(backend, fault) for backend in BACKENDS for fault in small.faults(backend)]


@pytest.mark.parametrize("backend, fault", DRAWN, ids=["%s-%s-%d" % (b, f.kind, f.seed) for b, f in DRAWN])
def test_random_fault_is_survived(tried, backend, fault):
    """A fault that never struck proves nothing."""
    found = [result for result in tried[backend].random.results if result.fault == fault]
    assert found, "it was not tried"
    assert found[0].survived, found[0].told
    assert found[0].struck, "it never struck"


@pytest.mark.parametrize("backend", BACKENDS)
def test_different_kinds_are_tried(backend):
    """As many as there is time for."""
    kinds = {fault.kind for fault in small.faults(backend)}
    assert len(kinds) == small.MOST and kinds <= set(small.QUICK)


@pytest.mark.parametrize("backend", BACKENDS)
def test_broken_undo_is_reported(tried, backend):
    """The control: one file is not put back, and the same judge says so."""
    spoiled = tried[backend].random.spoiled
    assert spoiled is not None and spoiled.struck and not spoiled.survived, spoiled
    assert "neither wholly old nor wholly new" in spoiled.told, spoiled.told
