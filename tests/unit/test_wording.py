# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads of a row in firewalld's services and ufw's application profiles."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _choices, _flow, _policy, _wording


def test_every_row_of_the_page_has_words_of_its_own(tables):
    choices = _choices.Choices(profiles=_flow.PROFILES, printer_protocols=_choices.PRINTER_PROTOCOLS)
    flows = _choices.make_flows(tables, choices)
    assert len(flows) > 20
    for flow in flows:
        words = _wording.explain(flow.row, flow.direction, flow.protocol, str(flow.ports))
        assert "your own" not in words.title and 10 < len(words.title) <= 80, flow.row
        assert "Row: %s." % flow.row in words.told and not set("'\"%\n") & set(words.title + words.told)


@pytest.mark.parametrize("row, direction, ports, side, title, told", [
    ("Table 1: 631 (IPP/IPPS) TCP IN", "in", "631", "destination", "Clients print to this host by IPP",
     "Incoming packets to UDP port 631 of this host."),
    ("Table 3: 9100-9102 TCP OUT", "out", "9100-9102", "destination",
     "This host prints to printers by AppSocket (JetDirect)",
     "Outgoing packets to UDP ports 9100 to 9102 of the other end."),
    ("Table 1: 5353 (mDNS) UDP IN answers", "out", "5353", "source",
     "Answers, where: Neighbours look for printers of this host by mDNS (Bonjour)",
     "Outgoing packets from UDP port 5353 of this host."),
    ("Table 3: 161 (SNMP) UDP OUT answers", "in", "161", "source",
     "Answers, where: This host finds printers and asks for their supplies by SNMP",
     "Incoming packets from UDP port 161 of the other end."),
    ("Extra: 8631 (IPP) TCP IN", "in", "8631", "destination", "Clients print to this host by IPP",
     "Incoming packets to UDP port 8631 of this host."),
    ("Extra: 8080 TCP IN", "in", "8080", "destination", "A row of your own: printing, UDP port 8080",
     "Incoming packets to UDP port 8080 of this host."),
    (_policy.NEVER_ROW, "in", "631", "destination",
     "Kept closed: cups-browsed up to 2.0.1 took printers from anyone here",
     "Incoming packets to UDP port 631 of this host."),
    (_policy.SSH_ROW + " answers", "out", "22", "source", "Ansible reaches this host by SSH",
     "Outgoing packets from UDP port 22 of this host."),
])
def test_in_words(row, direction, ports, side, title, told):
    words = _wording.explain(row, direction, "udp", ports, side)
    assert words.title == title and words.told.startswith(told + " Row: ")
    assert words.told.endswith("Kept by printfleet.cups.")
