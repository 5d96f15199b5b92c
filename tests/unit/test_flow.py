# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow as the module takes it: judged on the host by the same rules as on the controller."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _flow
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused

SOUND = {
    "row": "Table 1: 631 (IPP/IPPS) TCP IN",
    "profile": "ipp_sharing",
    "direction": "in",
    "protocol": "tcp",
    "port": "631",
    "peers": ["192.0.2.0/24", "@LOCAL"],
    "broadcast": False,
}


def test_a_flow_is_read_and_written_the_same():
    assert _flow.read_flow(SOUND, "f").as_dict() == SOUND


def test_what_may_be_left_out():
    short = {key: SOUND[key] for key in ("row", "direction", "protocol", "port")}
    assert _flow.read_flow(short, "f").as_dict() == dict(SOUND, profile="extra_flows", peers=[])


BAD = [
    ({"row": 'x" accept'}, "f.row: 'x\" accept' is not allowed: a row's name is 1 to 80 of"),
    ({"row": "x\ny"}, "f.row: 'x\\ny' is not allowed"),
    ({"row": ""}, "f.row: '' is not allowed"),
    ({"row": "x" * 81}, "is not allowed: a row's name is 1 to 80 of"),
    ({"row": "Zeile für Drucker"}, "f.row: 'Zeile für Drucker' is not allowed"),
    ({"row": None}, "f.row: None is not allowed"),
    ({"profile": "ftp"}, "f.profile: 'ftp' is not allowed: it is one of ipp_sharing, smb_sharing, network_printers"),
    ({"direction": "IN"}, "f.direction: 'IN' is not allowed: it is one of in, out."),
    ({"direction": "forward"}, "f.direction: 'forward' is not allowed: it is one of in, out."),
    ({"protocol": "icmp"}, "f.protocol: 'icmp' is not allowed: it is one of tcp, udp."),
    ({"port": "631; accept"}, "f.port: '631; accept' is not allowed: a port is a number"),
    ({"port": None}, "f.port: None is not allowed"),
    ({"peers": "192.0.2.1"}, "f.peers: '192.0.2.1' is not allowed: it is a list of addresses and networks."),
    ({"peers": None}, "f.peers: None is not allowed: it is a list of addresses and networks."),
    ({"peers": ["nobody"]}, "f.peers: 'nobody' is not allowed: an entry is an IPv4 or IPv6 address"),
    ({"broadcast": "yes"}, "f.broadcast: 'yes' is not allowed: it is true or false."),
    ({"broadcast": 1}, "f.broadcast: 1 is not allowed: it is true or false."),
    ({"table": 1}, "f: 'table' is not allowed: the keys of a flow are row, profile"),
    ({"protocol": "udp"}, "f.port: '631/udp' is not allowed: 631/udp is never opened (CVE-2024-47176), printing needs"),
    ({"protocol": "udp", "port": "1-65535"}, "f.port: '1-65535/udp' is not allowed: 631/udp is never opened"),
    ({"protocol": "udp", "direction": "out"}, "f.port: '631/udp' is not allowed: 631/udp is never opened"),
]


@pytest.mark.parametrize("change, says", BAD, ids=range(len(BAD)))
def test_a_bad_flow_is_refused(change, says):
    with pytest.raises(Refused) as caught:
        _flow.read_flow(dict(SOUND, **change), "f")
    assert says in str(caught.value)


@pytest.mark.parametrize("key", ["row", "direction", "protocol", "port"])
def test_a_missing_key_is_named(key):
    with pytest.raises(Refused, match="is not allowed: the key %s is missing.$" % key):
        _flow.read_flow({name: value for name, value in SOUND.items() if name != key}, "f")


@pytest.mark.parametrize("value", [None, "x", 5, [], [("row", "x")]])
def test_what_is_no_flow(value):
    with pytest.raises(Refused, match="^f: .* is not allowed: a flow is a mapping with the keys row, profile"):
        _flow.read_flow(value, "f")


@pytest.mark.parametrize("port", ["630", "632", "632-700", "1-630"])
def test_the_neighbours_of_631_udp_may_be_opened(port):
    assert str(_flow.read_flow(dict(SOUND, protocol="udp", port=port), "f").ports) == port


def test_a_row_of_ones_own_may_go_to_a_group_and_no_other():
    wanted = dict(SOUND, profile="extra_flows", direction="out", protocol="udp", port="3702", peers=["239.255.255.250"])
    assert _flow.read_flow(wanted, "f").peers == ("239.255.255.250",)
    for change in ({"profile": "network_printers"}, {"direction": "in"}):
        with pytest.raises(Refused, match="f.peers: '239.255.255.250' is not allowed: it is in the multicast range"):
            _flow.read_flow(dict(wanted, **change), "f")
