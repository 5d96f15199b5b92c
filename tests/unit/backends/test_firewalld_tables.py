# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of iptables, which firewalld empties at a reload, and at a start or a stop, are given back."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Plan, Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld,
    firewalld_runtime,
    firewalld_zones,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_change import Steps
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_objects import NOTHING
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_running import Service

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
    assert over_a_reload(TABLES, EMPTY).tables == TABLES.partition("\n")[2]


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


def held(ports=(), entries=(), rules=(), tables=""):
    zone = {"ports": {"type": "a(ss)", "data": list(ports)}, "masquerade": {"type": "b", "data": bool(ports)}}
    saved = (("iptables", tables),) if tables else ()
    return firewalld_runtime.Held({"public": zone}, {}, {"banned": list(entries)}, {"getAllRules": list(rules)}, saved)


def test_what_was_there_before_a_change_and_what_came_since_are_held_together():
    """The change may have been killed between its reload and the giving back."""
    both = firewalld_runtime.together(
        held([["9443", "tcp"]], ["192.0.2.1"], [["a"]], TABLES), held([["1", "udp"]], ["192.0.2.2"], [], EMPTY)
    )
    assert both.zones["public"]["ports"]["data"] == [["9443", "tcp"], ["1", "udp"]]
    assert both.zones["public"]["masquerade"]["data"] is True
    assert both.sets == {"banned": ["192.0.2.1", "192.0.2.2"]}
    assert both.direct == {"getAllRules": [["a"]]}
    assert both.tables == (("iptables", TABLES),)


def test_tables_that_nobody_emptied_are_held_as_they_are_now():
    now = TABLES.replace("-A FORWARD", "-A INPUT -j DROP\n-A FORWARD")
    assert firewalld_runtime.together(held(tables=TABLES), held(tables=now)).tables == (("iptables", now),)


def test_rules_that_came_where_there_were_none_are_held():
    assert firewalld_runtime.together(held(tables=EMPTY), held(tables=TABLES)).tables == (("iptables", TABLES),)


class Emptying(PlayedHost):
    """firewalld 1.3: it empties the tables whenever it starts and stops, and starts with some direct rules perhaps."""

    def __init__(self, tables, active):
        super().__init__(tables)
        self.active, self.loaded = active, EMPTY

    def run(self, argv, stdin=None):
        if argv[:2] == ["systemctl", "show"]:
            word = "active" if self.active else "inactive"
            return Result(0, "Id=firewalld.service\nActiveState=%s\nUnitFileState=disabled\n" % word, "")
        if argv[0] == "systemctl" and argv[1] in ("start", "stop"):
            self.active = argv[1] == "start"
            self.tables = self.loaded if self.active else EMPTY
        if "NameHasOwner" in argv:
            return Result(0, "b true", "")
        return super().run(argv, stdin)


def switched(host, active, held_before=None):
    """Start or stop it as a change does, or stop it as taking the change back does."""
    backend = firewalld.Firewalld(host)
    was = Service(not active, False, False, ())
    steps = Steps({}, was, active, False, "", NOTHING, None, {}, held_before or firewalld_runtime.hold_tables(host))
    if held_before is None:
        backend.commit(Plan("", "", steps))
    else:
        backend.undo(steps)
    return _rules(host.tables)


def _rules(tables):
    return [line for line in tables.splitlines() if line.startswith("-A ")]


@pytest.mark.parametrize("active", [True, False])
def test_what_a_start_or_a_stop_has_emptied_is_given_back(configuration, monkeypatch, active):
    monkeypatch.setattr(firewalld.Firewalld, "_verify", lambda *_args: None)
    assert switched(Emptying(TABLES, not active), active) == _rules(TABLES)


@pytest.mark.parametrize("emptied", [False, True])
def test_what_the_stop_of_an_undo_has_emptied_is_given_back(configuration, emptied):
    """Also where the change was killed between its start and the giving back."""
    host = Emptying(TABLES, False)
    before = firewalld_runtime.hold_tables(host)
    host.active = True
    host.tables = EMPTY if emptied else TABLES.replace("-A FORWARD", "-A INPUT -j DROP\n-A FORWARD")
    since = [] if emptied else ["-A INPUT -j DROP"]
    assert switched(host, True, before) == since + _rules(TABLES)


@pytest.mark.parametrize("emptied", [False, True])
def test_what_the_start_of_an_undo_has_emptied_is_given_back(configuration, monkeypatch, emptied):
    """A change has stopped it; what others set since stays."""
    host = Emptying(TABLES, True)
    steps = Steps({}, Service(True, True, False, ()), False, False, "", NOTHING, None, {}, firewalld_runtime.hold(host))
    host.active = False
    host.tables = EMPTY if emptied else TABLES.replace("-A FORWARD", "-A INPUT -j DROP\n-A FORWARD")
    firewalld.Firewalld(host).undo(steps)
    assert host.active
    assert _rules(host.tables) == ([] if emptied else ["-A INPUT -j DROP"]) + _rules(TABLES)


def test_direct_rules_of_firewalld_go_when_it_stops(configuration, monkeypatch, tmp_path):
    monkeypatch.setattr(firewalld.firewalld_objects, "FOLDER", str(tmp_path))
    (tmp_path / "direct.xml").write_text("<direct><rule priority='0'>-j DROP</rule></direct>", encoding="utf-8")
    host = Emptying(TABLES, False)
    before = firewalld_runtime.hold_tables(host)
    host.active, host.tables = True, TABLES.replace("-A FORWARD", "-A INPUT -j DROP\n-A FORWARD")
    assert switched(host, True, before) == _rules(TABLES)


def test_a_zone_that_is_there_only_once_is_held():
    alone = held([["9443", "tcp"]])._replace(zones={"branch": {"ports": {"type": "a(ss)", "data": [["9", "tcp"]]}}})
    both = firewalld_runtime.together(alone, held())
    assert sorted(both.zones) == ["branch", "public"]
    assert both.zones["branch"]["ports"]["data"] == [["9", "tcp"]]
