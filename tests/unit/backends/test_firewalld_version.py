# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which firewalld is there, and what older ones get instead of what they lack."""

from __future__ import annotations

import re

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import firewalld_objects, firewalld_version
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_change import State, make_plan
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_running import Service
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import Zone
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Closure, Opening, Policy
from ansible_collections.printfleet.cups.plugins.module_utils._words import Ports

ROW, IPP = "row", Ports(631, 631)
PEERS = ("192.0.2.1", "198.51.100.0/24", "2001:db8::/32")
ZONES = (Zone("public", "default", (), ()), Zone("trusted", "ACCEPT", (), ()))
DEBIAN_11, DEBIAN_12, RHEL_8 = (0, 9, 3), (1, 3, 3), (0, 9, 11)


def policy(direction="in", incoming="keep", outgoing="keep"):
    return Policy(
        (Opening(ROW, direction, "tcp", IPP, PEERS),), (Closure(ROW, direction, "tcp", IPP),), incoming, outgoing, False
    )


def state(version, default_zone="public"):
    return State({}, Service(True, True, False, ()), None, default_zone, ZONES, False, {}, version)


@pytest.mark.parametrize(("folder", "text", "version"), [
    ("python3/dist-packages", "VERSION = '0.9.3'\n", (0, 9, 3)),
    ("python3.6/site-packages", "DAEMON_NAME = 'firewalld'\nVERSION = '0.9.11'\n", (0, 9, 11)),
    ("python3.13/site-packages", 'VERSION = "2.4.4"\n', (2, 4, 4)),
    ("python3/dist-packages", "VERSION = unknown\n", None),
    ("elsewhere/dist-packages", "VERSION = '0.9.3'\n", None),
])
def test_the_version_is_read_from_its_own_files(tmp_path, monkeypatch, folder, text, version):
    place = tmp_path / folder / "firewall/config"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text(text)
    pattern = firewalld_version._PLACES.replace("/usr/lib", str(tmp_path))
    monkeypatch.setattr(firewalld_version, "_PLACES", pattern)
    assert firewalld_version.read() == version


def test_an_unknown_version_counts_as_a_new_one():
    assert not firewalld_version.before(None, firewalld_version.POLICIES)
    assert firewalld_version.before((0, 9, 3), firewalld_version.SETS)
    assert not firewalld_version.before((1, 0), firewalld_version.SETS)


@pytest.mark.parametrize("version", [DEBIAN_11, RHEL_8])
@pytest.mark.parametrize(("direction", "side"), [("in", "source"), ("out", "destination")])
def test_before_1_0_rules_name_addresses_and_no_sets(version, direction, side):
    objects = firewalld_objects.render(policy(direction), ZONES, "public", version)
    assert objects.entries == {} and not any("/ipsets/" in path for path in objects.files)
    rules = [rule for rule in objects.rules["printfleet-" + direction] if rule.endswith("accept")]
    assert sorted(re.findall(r'family="(\w+)" %s address="([^"]+)"' % side, "\n".join(rules))) == [
        ("ipv4", "192.0.2.1"), ("ipv4", "198.51.100.0/24"), ("ipv6", "2001:db8::/32")]
    assert firewalld_objects.render(policy(direction), ZONES, "public", DEBIAN_12).entries


def test_0_9_3_rejects_new_connections_by_rules_since_a_target_would_reject_answers():
    """All protocols but TCP, which the rules before reset."""
    wish = policy("out", outgoing="deny")
    old = firewalld_objects.render(wish, ZONES, "public", DEBIAN_11)
    path = firewalld_objects.path("policies", "printfleet-out-end")
    assert 'target="CONTINUE"' in old.files[path]
    rejected = re.findall(r'protocol value="(\d+)" reject(?! type)', "\n".join(old.rules["printfleet-out-end"]))
    assert sorted(map(int, rejected)) == [number for number in range(256) if number != 6]
    for version in (RHEL_8, DEBIAN_12, None):
        assert 'target="REJECT"' in firewalld_objects.render(wish, ZONES, "public", version).files[path], version


def test_a_firewalld_without_policies_is_refused():
    with pytest.raises(BackendError, match=r"firewalld 0\.8\.2 on this host has no policies"):
        make_plan(state((0, 8, 2)), policy())
    assert make_plan(state(DEBIAN_11), policy()).changed


def test_a_default_zone_that_accepts_all_cannot_be_closed_before_1_1():
    denied = policy(incoming="deny")
    with pytest.raises(BackendError, match="default zone 'trusted' of firewalld accepts everything"):
        make_plan(state(DEBIAN_11, "trusted"), denied)
    assert make_plan(state(DEBIAN_11, "trusted"), policy()).changed
    assert make_plan(state(DEBIAN_11), denied).changed
    assert make_plan(state(DEBIAN_12, "trusted"), denied).changed


def test_nothing_is_refused_when_all_is_to_go():
    assert not make_plan(state((0, 8, 2), "trusted"), None).changed


@pytest.mark.parametrize("said", [
    "\x1b[91mError: INVALID_IPSET: x\x1b[00m",
    "\x1b]0;title\x07Error: INVALID_IPSET: x",
    "Error: INVALID_IPSET: x\x1b[0;1m\x00",
])
def test_words_for_terminals_are_not_in_errors(said):
    assert str(BackendError(said)) == "Error: INVALID_IPSET: x"
    assert str(BackendError("Größe: ≥ 3\n\tsecond")) == "Größe: ≥ 3\n\tsecond"
