# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lane goes on with a fresh host where the last one is spoiled, and what happened is told."""

from __future__ import annotations

import time

import pytest
from campaign import __main__ as command
from campaign import fleet, strike
from faults.machine import read_answer

LANE = fleet.Lane("ufw", "debian12")


class PlayedTour:
    """A tour whose hosts end as they are told to: True, False, or an error."""

    ends = []

    def __init__(self, _host, _faults, _say):
        self.results, self.begun = [], 0

    def begin(self):
        self.begun += 1

    def go(self, _until, _most):
        self.results.append("tried on host %d" % self.begun)
        end = PlayedTour.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


@pytest.fixture
def renewed(monkeypatch):
    """The lanes whose hosts were made anew."""
    lanes = []
    monkeypatch.setattr(command, "Tour", PlayedTour)
    monkeypatch.setattr(command, "say", lambda _text: None)
    monkeypatch.setattr(command.fleet, "renew", lambda _folder, lane: lanes.append(lane))
    return lanes


def toured(ends, tmp_path, seconds=60):
    PlayedTour.ends = list(ends)
    return command.tour(LANE, tmp_path, 1, time.monotonic() + seconds, 10)


def test_a_good_lane_keeps_its_host(renewed, tmp_path):
    assert toured([True], tmp_path) == (["tried on host 1"], [])
    assert renewed == []


@pytest.mark.parametrize("end, told", [
    (False, "could not be mended"), (AssertionError("it differs"), "beside the faults: AssertionError: it differs"),
])
def test_a_lane_goes_on_with_a_fresh_host(renewed, tmp_path, end, told):
    tried = toured([end, True], tmp_path)
    assert tried.results == ["tried on host 1", "tried on host 2"]
    assert renewed == [LANE]
    assert len(tried.accidents) == 1 and told in tried.accidents[0]


def test_a_lane_whose_hosts_are_always_spoiled_ends(renewed, tmp_path):
    tried = toured([False] * 100, tmp_path)
    assert len(tried.accidents) == command.FRESH + 1 and len(renewed) == command.FRESH


def test_no_fresh_host_once_the_time_is_over(renewed, tmp_path):
    assert len(toured([False, True], tmp_path, -1).accidents) == 1
    assert renewed == []


def test_only_the_hosts_that_are_needed_are_made():
    assert command.needed("nftables,firewalld,ufw", "") == list(fleet.LANES)
    assert command.needed("ufw", "") == [fleet.Lane("ufw", "debian13"), fleet.Lane("ufw", "debian12")]
    assert command.needed("nftables,firewalld,ufw", "ufw:17") == [LANE]
    octets = [host["lab_octet"] for host in fleet.layout(fleet.LANES).values()]
    assert len(set(octets)) == len(fleet.LANES)


def test_an_answer_that_was_cut_off_is_none():
    assert read_answer('{"changed": true}') == {"changed": True}
    assert read_answer('{"changed": tr') is None


def test_the_program_of_somebody_else_does_not_carry_the_mark_of_the_run(monkeypatch):
    ran = []
    monkeypatch.setenv(strike.MARK, "17")
    monkeypatch.setattr(strike.os, "execvp", lambda *_argv: ran.append(strike.MARK in strike.os.environ))
    monkeypatch.setattr(strike.os, "dup2", lambda *_numbers: None)
    strike.command({"after": 0, "command": ["true"]})
    assert ran == [False]
