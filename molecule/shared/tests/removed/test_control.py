# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control: with the host's firewall stopped as well, every one of the same probes arrives."""

from __future__ import annotations

STAGE = {"stage": "off"}


def test_swept_ports(server, direction, stream, wanted, judge_stream):
    """All 65,536 ports."""
    judge_stream(server, direction, stream, wanted)


def test_real_connection(server, case, judge_case):
    """So a probe that did not arrive before was kept back by the firewall, and by nothing else."""
    judge_case(server, case)
