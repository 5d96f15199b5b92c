# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With all that is ours gone: what is open is what the host itself has open."""

from __future__ import annotations


def test_swept_ports(server, direction, stream, wanted, judge_stream):
    """All 65,536 ports."""
    judge_stream(server, direction, stream, wanted)


def test_real_connection(server, case, judge_case):
    """The same connections as under our rules."""
    judge_case(server, case)
