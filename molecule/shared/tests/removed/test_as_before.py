# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With all that is ours gone, the host is as the administrator had it."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
from proof import plan, snapshot

SERVERS = list(plan.read_stage().servers)


@pytest.mark.parametrize("server", SERVERS)
def test_files_and_rules_are_as_before(server):
    """Byte for byte, as remembered before our role came."""
    path = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "before-%s.json" % server)
    told = snapshot.compare(json.loads(path.read_text(encoding="utf-8")), snapshot.take(server))
    assert not told, "\n".join(told)
