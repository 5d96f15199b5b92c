# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies out of nowhere against every backend: a fixed number of them, and as many as a fixed time allows."""

from __future__ import annotations

import os
import random
import time

import pytest
from ansible_collections.printfleet.cups.tests.unit.properties import checks, oracle
from hypothesis import HealthCheck, given, seed, settings

SECONDS = float(os.environ.get("PRINTFLEET_FUZZ_SECONDS") or "20")
SEED = int(os.environ.get("PRINTFLEET_FUZZ_SEED") or "631")
QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.parametrize("name", sorted(checks.CHECKS))
def test_a_fixed_number_of_policies(name, told):
    @settings(max_examples=60, derandomize=True, **QUIET)
    @given(oracle.policies(), checks.RANDOM)
    def check(policy, chance):
        told["packets"] += checks.CHECKS[name](policy, chance)
        told["policies"] += 1

    check()


def test_as_many_policies_as_the_time_allows(told):
    """Each round has a seed of its own: PRINTFLEET_FUZZ_SEED=<the one that is shown> brings a failure back."""
    number, ends = SEED, time.monotonic() + SECONDS
    names = sorted(checks.CHECKS)
    while time.monotonic() < ends:
        chance = random.Random(number)

        @seed(number)
        @settings(max_examples=15, **QUIET)
        @given(oracle.policies())
        def check(policy):
            for name in names:
                told["packets"] += checks.CHECKS[name](policy, chance)  # noqa: B023
            told["policies"] += 1

        try:
            check()
        except BaseException:
            print("fuzz: failed with PRINTFLEET_FUZZ_SEED=%d" % number)
            raise
        number += 1
    told["rounds"] = "seeds %d to %d, %d seconds" % (SEED, number - 1, SECONDS)
    assert number > SEED
