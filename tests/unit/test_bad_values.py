# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every malformed value of bad_values.yml, and its one sentence, through the filter that the role calls."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.printfleet.cups.plugins.filter.flows import flows

CASES = yaml.safe_load((Path(__file__).parent / "bad_values.yml").read_text(encoding="utf-8"))["filter"]
PREFIX = "cups_firewall_"


def call(tables, values):
    """Call the filter as roles/cups_firewall/tasks/apply.yml does."""
    choices = {name[len(PREFIX):]: value for name, value in values.items()}
    return flows(choices.pop("tables", tables), **choices)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"][:90])
def test_a_malformed_value_gets_its_sentence(case, tables):
    values = {name: value for name, value in case.items() if name != "says"}
    with pytest.raises(AnsibleFilterError) as refused:
        call(tables, values)
    assert str(refused.value) == case["says"]


def test_the_same_call_takes_sound_values(tables):
    values = {
        "cups_firewall_profiles": ["ipp_sharing"],
        "cups_firewall_sources": {"ipp_sharing": ["192.0.2.0/24", "@LOCAL"], "extra_flows": []},
        "cups_firewall_printers": ["2001:db8::1"],
        "cups_firewall_extra_flows": [{"port": 8631, "protocols": ["tcp"], "directions": ["in"]}],
    }
    assert [flow["row"] for flow in call(tables, values)][-1] == "Extra: 8631 TCP IN"


def test_there_are_many_of_each_variable():
    counts = {}
    for case in CASES:
        for name in case:
            counts[name] = counts.get(name, 0) + 1
    assert len(CASES) >= 40
    assert all(counts[PREFIX + name] >= 5 for name in (
        "profiles", "printer_protocols", "sources", "printers", "extra_flows", "tables"))


@pytest.mark.parametrize("value", [b"192.0.2.0/24", object(), {"192.0.2.1"}, 10**5000, float("nan")], ids=type)
def test_what_yaml_cannot_write_is_refused_too(value, tables):
    for variable in ("profiles", "printer_protocols", "sources", "printers", "extra_flows"):
        with pytest.raises(AnsibleFilterError, match="^cups_firewall_%s: .* is not allowed: .*\\.$" % variable):
            call(tables, {PREFIX + variable: value})
        with pytest.raises(AnsibleFilterError, match="^cups_firewall_%s.* is not allowed: .*\\.$" % variable):
            call(tables, {PREFIX + variable: [value]})


def test_a_long_value_is_shown_in_part(tables):
    with pytest.raises(AnsibleFilterError) as refused:
        call(tables, {"cups_firewall_sources": ["a" * 100000]})
    assert len(str(refused.value)) < 400
    assert "(100002 characters)" in str(refused.value)
