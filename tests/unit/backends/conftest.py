# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of all backends share."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError


@pytest.fixture
def attempt():
    """Does with a backend what the transaction does: commit, and on failure put back files and undo."""
    def once(backend, plan):
        kept = _files.keep(backend.paths(plan))
        try:
            return backend.commit(plan)
        except BackendError:
            _files.put_back(kept)
            backend.undo(plan.steps)
            raise
    return once
