# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of iptables, which a reload of firewalld empties where there are direct rules, are given back."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends import firewalld_runtime, firewalld_zones

TABLES = "# Made on some day\n*filter\n:INPUT ACCEPT [3:4]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\nCOMMIT\n"
EMPTY = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"


class PlayedHost:
    """A firewalld that has nothing to tell, beside tables of iptables."""

    def __init__(self, tables):
        self.tables = tables
        self.restored = []

    def program(self, name):
        return None if name.startswith("ip6") else "/usr/sbin/" + name

    def run(self, argv, stdin=None):
        if argv[0] == "iptables-save":
            return Result(0, self.tables, "")
        if argv[0] == "iptables-restore":
            self.tables = stdin
            self.restored.append(argv)
        return Result(0, "", "")


@pytest.fixture
def configuration(tmp_path, monkeypatch):
    path = tmp_path / "firewalld.conf"
    monkeypatch.setattr(firewalld_zones, "CONFIGURATION", str(path))
    return path


def over_a_reload(before, after):
    host = PlayedHost(before)
    held = firewalld_runtime.hold(host)
    host.tables = after
    firewalld_runtime.give_back(host, held)
    return host


def test_what_a_reload_has_emptied_is_given_back(configuration):
    assert over_a_reload(TABLES, EMPTY).tables == TABLES


@pytest.mark.parametrize("before, after", [
    (TABLES, TABLES.replace("3:4", "5:6").replace("some", "another")),
    (EMPTY, ""),
    ("", EMPTY),
])
def test_what_nobody_has_changed_is_not_touched(configuration, before, after):
    assert over_a_reload(before, after).restored == []


def test_where_firewalld_keeps_its_rules_there_they_are_its_own_affair(configuration):
    configuration.write_text("FirewallBackend=iptables\n", encoding="utf-8")
    assert over_a_reload(TABLES, EMPTY).tables == EMPTY
