# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With the role in force: exactly the page's ports are open, and every row carries real bytes."""

from __future__ import annotations


def test_swept_ports(server, direction, stream, wanted, judge_stream):
    """All 65,536 ports: the open ones are those that the page and the host's own rules name."""
    judge_stream(server, direction, stream, wanted)


def test_real_connection(server, case, judge_case):
    """Real bytes arrive, and come back, just where they should."""
    judge_case(server, case)


def test_outgoing_refusal_is_told_at_once(stage, told):
    """A local program whose connection is not let out need not wait for it.

    Not even until TCP tries for the second time, after one second (RFC 6298).  Under ufw that can be: its default of
    reject sends ICMPv6 errors, of which Linux lets some a second out, and the second try gets its own.
    """
    at_most = 2.0 if stage.firewall == "ufw" else 0.9
    for server in stage.servers:
        waited = {
            str(probe): outcome for probe, outcome in told[server].carried.items()
            if probe.protocol == "tcp" and probe.source in stage.servers[server] and not outcome.arrived
            and (outcome.told != "refused" or outcome.seconds > at_most)
        }
        assert not waited
