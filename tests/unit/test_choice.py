# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which manager gets the rules: every combination of what holds them and how the managers stand."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import (
    ACTIVE,
    DISABLED,
    MASKED,
    MISSING,
    OUSTED,
    STOPPED,
    BackendError,
)
from ansible_collections.printfleet.cups.plugins.module_utils._choice import choose
from ansible_collections.printfleet.cups.plugins.module_utils._findings import sentences

NAMES = ("nftables", "firewalld", "ufw")
HOLDERS = ("", *NAMES)
STANDS = (ACTIVE, STOPPED, OUSTED, DISABLED, MASKED, MISSING)
# A line for each way in which firewalld and ufw stand, and for each holder of the rules (nothing, nftables, firewalld,
# ufw) what auto does: n, f, u for the backend, with an exclamation mark where a warning tells of it, "-" for an error.
AUTO = """
firewalld  ufw        nothing  nftables  firewalld  ufw
active     active     -        -         -          -
active     stopped    f        f!        f          -
active     disabled   f        f!        f          f!
active     masked     f        f!        f          f!
active     missing    f        f!        f          f!
stopped    active     u        u!        -          u
stopped    stopped    n        n         f!         u!
stopped    disabled   n        n         f!         -
stopped    masked     n        n         f!         -
stopped    missing    n        n         f!         n!
ousted     active     u        u!        -          u
ousted     stopped    n        n         -          u!
ousted     disabled   n        n         -          -
ousted     masked     n        n         -          -
ousted     missing    n        n         -          n!
disabled   active     u        u!        u!         u
disabled   stopped    n        n         -          u!
disabled   disabled   n        n         -          -
disabled   masked     n        n         -          -
disabled   missing    n        n         -          n!
masked     active     u        u!        u!         u
masked     stopped    n        n         -          u!
masked     disabled   n        n         -          -
masked     masked     n        n         -          -
masked     missing    n        n         -          n!
missing    active     u        u!        u!         u
missing    stopped    n        n         n!         u!
missing    disabled   n        n         n!         -
missing    masked     n        n         n!         -
missing    missing    n        n         n!         n!
"""
LINES = [line.split() for line in AUTO.strip().splitlines()[1:]]
CASES = [
    (holder, line[0], line[1], wish) for line in LINES for holder, wish in zip(HOLDERS, line[2:])
]


def answer(wanted, holder, firewalld, ufw):
    """The name, the warning, and the error; "" for none."""
    try:
        name, finding = choose(wanted, holder, {"firewalld": firewalld, "ufw": ufw})
        return name, " ".join(sentences([finding] if finding else [])), ""
    except BackendError as error:
        return "", "", str(error)


def test_the_table_has_every_combination():
    # ufw is never ousted: its unit excludes no other.
    wanted = [pair for pair in itertools.product(STANDS, STANDS) if pair[1] != OUSTED]
    assert sorted(tuple(line[:2]) for line in LINES) == sorted(wanted)


@pytest.mark.parametrize("holder, firewalld, ufw, wish", CASES)
def test_auto(holder, firewalld, ufw, wish):
    name, warning, error = answer("auto", holder, firewalld, ufw)
    assert (name[:1] or "-") + "!" * bool(warning) == wish
    for said in filter(None, (warning, error)):
        assert ". " not in said and "\n" not in said
    if error and ACTIVE not in (firewalld, ufw):
        # What to set is told, and setting it works.
        for way in ("cups_firewall_backend to 'nftables'", "or to '%s'" % holder):
            assert way in error, error
        assert answer("nftables", holder, firewalld, ufw) == ("nftables", "", "")


@pytest.mark.parametrize("holder, firewalld, ufw", [case[:3] for case in CASES])
def test_auto_moves_rules_only_where_it_says_so(holder, firewalld, ufw):
    name, warning, _error = answer("auto", holder, firewalld, ufw)
    if name and holder and name != holder:
        assert warning.startswith("%s: our rules move from it" % holder) and " to %s" % name in warning
        assert {"firewalld": firewalld, "ufw": ufw}.get(holder) not in (STOPPED, OUSTED)


@pytest.mark.parametrize("wanted", NAMES)
@pytest.mark.parametrize("holder, firewalld, ufw", [case[:3] for case in CASES])
def test_a_named_backend_is_taken_unless_another_manager_is_active(wanted, holder, firewalld, ufw):
    name, warning, error = answer(wanted, holder, firewalld, ufw)
    assert warning == ""
    active = {n for n, how in (("firewalld", firewalld), ("ufw", ufw)) if how == ACTIVE}
    if active - {wanted}:
        assert not name and all(other in error for other in active)
    else:
        assert name == wanted


def test_the_sentences():
    said = answer("auto", "firewalld", STOPPED, ACTIVE)[2]
    assert said == (
        "cups_firewall_backend: auto: our rules are held by firewalld, which is enabled, but does not run, and ufw is "
        "active: disable firewalld and run again to move them to ufw, or start firewalld and disable ufw to leave them "
        "there")
    assert answer("auto", "firewalld", OUSTED, DISABLED)[2] == (
        "cups_firewall_backend: auto: our rules are held by firewalld, which is enabled, but does not run since "
        "nftables.service, which excludes it, is in use: set cups_firewall_backend to 'nftables' to move them there, "
        "or to 'firewalld' to start it all the same")
    assert answer("auto", "firewalld", MASKED, DISABLED)[2] == (
        "cups_firewall_backend: auto: our rules are held by firewalld, which is masked: set cups_firewall_backend to "
        "'nftables' to move them there, or to 'firewalld' once it is unmasked")
    assert answer("auto", "ufw", MISSING, DISABLED)[2] == (
        "cups_firewall_backend: auto: our rules are held by ufw, which is switched off: set cups_firewall_backend to "
        "'nftables' to move them there, or to 'ufw' to switch it on again")
    assert answer("auto", "ufw", ACTIVE, DISABLED)[1] == (
        "ufw: our rules move from it, which is switched off, to firewalld, which is active on this host; set "
        "cups_firewall_backend to the name of a backend to decide that yourself.")
    assert answer("auto", "firewalld", STOPPED, DISABLED)[1] == (
        "firewalld: it holds our rules, is enabled and does not run: it is started now, as the next boot would do; set "
        "cups_firewall_backend to 'nftables' and disable it if it is to stay off.")
