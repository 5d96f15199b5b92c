# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof proved: a port more, a port less, a port in one family only, a probe lost. Each has to show."""

from __future__ import annotations

import pytest
from proof import lab, mutation, plan, ports, snapshot, sweep

SCENARIO = plan.read_stage()


@pytest.fixture(scope="module", params=list(SCENARIO.servers))
def host(request):
    """A host, an eye in its network, and a sweep of what comes in over TCP from the allowed neighbour."""
    server = request.param
    wanted = {
        stream: found for stream, found in plan.streams(SCENARIO, server, "in").items()
        if stream.protocol == "tcp" and stream.source in SCENARIO.addresses["allowed"]
    }
    with lab.beside(server, snapshot.OBSERVER) as beside:
        yield server, beside, wanted


def differences(host, tell):
    """One text for each family."""
    unused, beside, wanted = host
    found = sweep.sweep(wanted, "in", beside, SCENARIO.neighbour, tell)
    return [ports.difference(expected, found[stream]) for stream, expected in wanted.items()]


def test_nothing_wrong_shows_nothing(host, tell):
    """The control of the following."""
    assert differences(host, tell) == ["", ""]


def test_a_port_more_shows(host, tell):
    """Opened behind the role's back."""
    with mutation.opened(host[0], SCENARIO.firewall):
        assert all(text.endswith("open but should not be: {%d}" % mutation.PORT) for text in differences(host, tell))


def test_a_port_less_shows_in_the_family_that_lacks_it(host, tell):
    """Closed for IPv6 alone."""
    with mutation.closed(host[1], ["meta nfproto ipv6 tcp dport 631"]):
        four, six = differences(host, tell)
    assert four == "" and six.endswith("closed but should not be: {631}")


def test_a_lost_probe_voids_the_sweep(host, tell, monkeypatch):
    """One of the 65,536 is missing on the way: no result is better than a wrong one."""
    short = lab.tool("send.py").replace("for port in range(65536):", "for port in range(65535):")
    tool = lab.tool
    monkeypatch.setattr(lab, "tool", lambda name: short if name == "send.py" else tool(name))
    with pytest.raises(sweep.Lost, match="65535 of 65536"):
        differences(host, tell)
