# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard lets no policy pass that would cut the way by which Ansible came."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _guard, _words
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Ssh, make_policy

LAN = _words.Interface("eth0", ("198.18.0.0/24", "2001:db8::/64"), (), True)


def policy(port, peers, incoming="keep", ssh=None):
    flow = Flow("Extra: a row", "extra_flows", "in", "tcp", _words.read_ports(port, "port"), tuple(peers), False)
    return make_policy((flow,), incoming, "keep", False, (LAN,), ssh)


@pytest.mark.parametrize("ssh, port", [
    (Ssh("198.51.100.7", 22), 22),
    (Ssh("198.51.100.7", 2222), "2000-3000"),
    (Ssh("2001:db8:9::7", 22), 22),
    (Ssh("fe80::1", 22), 22),
])
def test_a_row_that_closes_the_port_to_the_client_is_refused_by_name(ssh, port):
    says = "The row 'Extra: a row' would cut .* closes port %d to %s" % (ssh.port, ssh.client)
    with pytest.raises(_words.Refused, match=says):
        _guard.judge(policy(port, ["@LOCAL"]), ssh)


@pytest.mark.parametrize("ssh, port, peers", [
    (Ssh("198.18.0.7", 22), 22, ["@LOCAL"]),
    (Ssh("2001:db8::7", 22), 22, ["@LOCAL"]),
    (Ssh("198.51.100.7", 22), 22, []),
    (Ssh("198.51.100.7", 22), 23, ["@LOCAL"]),
])
def test_what_leaves_the_way_open_passes(ssh, port, peers):
    _guard.judge(policy(port, peers), ssh)


def test_under_deny_the_policy_carries_its_own_opening():
    ssh = Ssh("198.51.100.7", 22)
    _guard.judge(policy(22, ["@LOCAL"], "deny", ssh), ssh)


def test_a_connection_that_the_host_cannot_see_is_refused():
    _guard.refuse_unseen(Ssh("198.51.100.7", 22))
    with pytest.raises(_words.Refused, match="^Ansible came by SSH, but this host cannot see by which connection"):
        _guard.refuse_unseen(None)
