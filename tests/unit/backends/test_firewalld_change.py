# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the firewalld backend decides to do on a host in a given state, without any host."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import firewalld_objects, firewalld_plain
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_change import State, make_plan
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_running import Running, Service
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import Zone
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Closure, Opening, Policy
from ansible_collections.printfleet.cups.plugins.module_utils._words import Ports

IPP = Ports(631, 631)
ZONES = (Zone("public", "default", (), ()), Zone("trusted", "ACCEPT", (), ()))
ON, OFF = Service(True, True, False, ()), Service(False, False, False, ())


def policy(peers=("192.0.2.1",), incoming="deny", outgoing="deny"):
    return Policy(
        (Opening("row", "in", "tcp", IPP, peers),), (Closure("row", "in", "tcp", IPP),), incoming, outgoing, False
    )


def state(objects=firewalld_objects.NOTHING, service=ON, **other):
    running = Running(objects.rules, objects.entries, objects.digest, True) if service.active else None
    made = State(dict(objects.files), service, running, "public", ZONES, False, {})
    return made._replace(**other)


def objects_of(wish):
    return firewalld_objects.render(wish, ZONES, "public")


def test_a_fresh_host_gets_files_and_a_running_service():
    plan = make_plan(state(service=OFF), policy())
    assert plan.changed
    assert "firewalld.service: inactive, disabled\n" in plan.before
    assert "firewalld.service: active, enabled\n" in plan.after
    assert "# /etc/firewalld/policies/printfleet-in.xml\n" in plan.after
    assert plan.steps.memory == {"firewalld_was_active": "no", "firewalld_was_enabled": "no"}
    assert plan.steps.load == ""
    assert "default zone 'public'" in plan.warnings[0]


def test_the_same_wish_again_changes_nothing():
    plan = make_plan(state(objects_of(policy())), policy())
    assert (plan.changed, plan.before, plan.after, plan.steps.files, plan.steps.load) == (False, "", "", {}, "")


def test_a_host_without_anything_of_ours_has_nothing_to_remove():
    for service in (ON, OFF):
        assert not make_plan(state(service=service), None).changed


def test_other_peers_need_no_reload():
    plan = make_plan(state(objects_of(policy())), policy(("192.0.2.2",)))
    assert plan.steps.load == "live"
    assert list(plan.steps.files) == ["/etc/firewalld/ipsets/printfleet-cups-1-v4.xml"]
    assert "192.0.2.1" in plan.before and "192.0.2.2" in plan.after


def test_very_many_peers_go_by_a_reload():
    many = tuple("10.%d.%d.1" % (number // 250, number % 250) for number in range(20001))
    assert make_plan(state(objects_of(policy())), policy(many)).steps.load == "reload"


def test_other_policies_need_a_reload():
    assert make_plan(state(objects_of(policy())), policy(outgoing="keep")).steps.load == "reload"


@pytest.mark.parametrize("wish", [policy(peers=None), policy(peers=())])
def test_other_services_and_sets_need_none(wish):
    plan = make_plan(state(objects_of(policy())), wish)
    assert plan.steps.load == "plain"
    assert not any("ipset" in rule for rule in plan.steps.wanted.plain["printfleet-in"])
    # What firewalld holds then is right, though its digest is still that of the last reload.
    loaded = objects_of(policy())._replace(rules=plan.steps.wanted.plain)
    held = state(loaded, files=plan.steps.wanted.files)
    assert not make_plan(held, wish).changed
    # And something that differs from it is seen.
    less = {**loaded.rules, "printfleet-in": loaded.rules["printfleet-in"][1:]}
    drifted = make_plan(state(loaded._replace(rules=less), files=plan.steps.wanted.files), wish)
    assert drifted.changed and drifted.steps.load == "plain"
    assert drifted.after == "running policy printfleet-in: %s\n" % loaded.rules["printfleet-in"][0]


def test_a_service_that_was_edited_and_loaded_is_not_named_again_before_the_next_load():
    held = objects_of(policy())
    # Rewritten plain, since memory holds the edited service; its digest is the right one.
    mended = state(held._replace(rules=held.plain), files=held.files)
    assert not make_plan(mended, policy()).changed
    other = make_plan(mended, policy(("192.0.2.2",)))
    assert other.steps.load == "plain"
    # After a load the names are to be relied upon again.
    assert make_plan(state(held), policy(("192.0.2.2",))).steps.load == "live"


def test_too_many_plain_rules_go_by_a_reload():
    many = tuple("10.%d.%d.1" % (number // 250, number % 250) for number in range(firewalld_plain.MOST))
    other = policy(many)._replace(openings=(policy(many).openings[0]._replace(row="another"),))
    assert make_plan(state(objects_of(policy(many))), other).steps.load == "reload"


def test_a_stale_file_goes():
    held = objects_of(policy())
    stale = "/etc/firewalld/services/printfleet-cups-gone.xml"
    plan = make_plan(state(held, files={**held.files, stale: "<service/>\n"}), policy())
    assert plan.steps.files == {stale: None}
    assert plan.before == "# %s\n<service/>\n" % stale
    assert plan.after == ""
    assert plan.steps.load == ""


def test_what_firewall_cmd_leaves_behind_goes_without_a_load():
    held = objects_of(policy())
    old = "/etc/firewalld/policies/printfleet-in.xml.old"
    plan = make_plan(state(held, files={**held.files, old: "<policy/>\n"}), policy())
    assert plan.steps.files == {old: None}
    assert plan.steps.load == ""


def test_an_edited_service_is_not_relied_on_since_firewalld_may_hold_the_edit():
    held = objects_of(policy())
    path = "/etc/firewalld/services/printfleet-cups-row.xml"
    edited = {**held.files, path: held.files[path].replace('"631"', '"632"')}
    plan = make_plan(state(held, files=edited), policy())
    assert list(plan.steps.files) == [path]
    assert plan.steps.load == "plain"


def test_an_edited_policy_is_loaded_again_since_firewalld_may_hold_the_edit():
    held = objects_of(policy())
    path = "/etc/firewalld/policies/printfleet-in.xml"
    edited = {**held.files, path: held.files[path].replace("CONTINUE", "ACCEPT")}
    plan = make_plan(state(held, files=edited), policy())
    assert list(plan.steps.files) == [path]
    assert plan.steps.load == "reload"


def test_a_rule_taken_out_at_runtime_comes_back():
    held = objects_of(policy())
    less = {**held.rules, "printfleet-in": held.rules["printfleet-in"][1:]}
    plan = make_plan(state(held, running=Running(less, held.entries, held.digest, True)), policy())
    assert plan.changed
    assert plan.steps.load == "live"
    assert plan.before == ""
    assert plan.after == "running policy printfleet-in: %s\n" % held.rules["printfleet-in"][0]


def test_a_peer_added_at_runtime_goes():
    held = objects_of(policy())
    more = {"printfleet-cups-1-v4": ("192.0.2.1", "192.0.2.66")}
    plan = make_plan(state(held, running=Running(held.rules, more, held.digest, True)), policy())
    assert plan.before == "running ipset printfleet-cups-1-v4: 192.0.2.66\n"
    assert plan.after == ""
    assert plan.steps.load == "live"


def test_files_that_were_never_loaded_are_loaded():
    held = objects_of(policy())
    plan = make_plan(state(held, running=Running({}, {}, "", True)), policy())
    assert plan.changed and plan.steps.load == "reload" and not plan.steps.files
    assert "running firewalld: state unknown, in the kernel\n" in plan.before


def test_rules_that_something_took_out_of_the_kernel_are_loaded_again():
    held = objects_of(policy())
    plan = make_plan(state(held, running=Running(held.rules, held.entries, held.digest, False)), policy())
    assert plan.steps.load == "reload"
    assert "not in the kernel" in plan.before and "in the kernel" in plan.after


def test_a_stopped_service_is_started_again():
    plan = make_plan(state(objects_of(policy()), service=Service(False, True, False, ())), policy())
    assert plan.before == "firewalld.service: inactive, enabled\n"
    assert plan.after == "firewalld.service: active, enabled\n"


def test_what_was_found_first_is_not_forgotten():
    memory = {"firewalld_was_active": "no", "firewalld_was_enabled": "no"}
    assert make_plan(state(memory=memory), policy()).steps.memory == memory


@pytest.mark.parametrize("memory, active, enabled", [
    ({"firewalld_was_active": "no", "firewalld_was_enabled": "yes"}, False, False),
    ({"firewalld_was_active": "yes", "firewalld_was_enabled": "no"}, True, False),
    ({"firewalld_was_active": "yes", "firewalld_was_enabled": "yes"}, True, True),
    ({}, True, True),
])
def test_removal_gives_the_service_back(memory, active, enabled):
    held = objects_of(policy())
    plan = make_plan(state(held, memory=memory), None)
    assert set(plan.steps.files) == set(held.files)
    assert set(plan.steps.files.values()) == {None}
    assert (plan.steps.active, plan.steps.enabled) == (active, enabled)
    assert plan.steps.load == ("reload" if active else "")
    assert plan.steps.memory == {}
    assert "printfleet" not in plan.after


def test_a_masked_service_is_refused_by_name():
    with pytest.raises(BackendError, match="firewalld.service is masked"):
        make_plan(state(service=Service(False, False, True, ())), policy())


def test_a_firewalld_that_could_not_start_without_dbus_is_refused():
    with pytest.raises(BackendError, match="firewalld needs D-Bus, and dbus.socket is masked"):
        make_plan(state(service=Service(False, False, False, (), "dbus.socket")), policy())
    make_plan(state(service=Service(True, True, False, (), "dbus.socket")), policy())


def test_sets_that_firewalld_could_not_load_are_refused():
    with pytest.raises(BackendError, match="package ipset"):
        make_plan(state(lacks_ipset=True), policy())
    # Without peers there are no sets, and removal is always possible.
    make_plan(state(lacks_ipset=True), policy(peers=None))
    make_plan(state(objects_of(policy()), lacks_ipset=True), None)


def test_zones_that_stay_open_are_told_of_under_deny_only():
    zones = (ZONES[0], Zone("trusted", "ACCEPT", (("address", "192.0.2.0/24"),), ("wg0",)))
    told = make_plan(state(zones=zones), policy()).warnings
    assert told == ("zone 'trusted' lets in everything from 192.0.2.0/24, wg0 but to printing ports",)
    assert make_plan(state(zones=zones), policy(incoming="keep")).warnings == ()


def test_a_unit_that_the_start_would_stop_is_told_of():
    told = make_plan(state(service=Service(False, False, False, ("nftables.service",))), policy()).warnings
    assert any("nftables.service" in warning for warning in told)
