# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each release of ansible-core makes of the collection, on a server with nftables and on one with firewalld."""

from __future__ import annotations


def test_it_is_that_release(said, release):
    assert "[core %s]" % release in said, said


def test_check_mode_foretells_a_change_and_shows_it(runs, server):
    result = runs["check"].results[server]
    assert result["status"] == "ok" and result["told"]["changed"], result
    assert "--- before" in runs["check"].output, runs["check"].output
    assert "confirmed" not in result["told"]


def test_a_change_is_confirmed_over_a_new_connection(runs, server):
    result = runs["apply"].results[server]
    assert result["status"] == "ok", result
    assert result["told"] == {"changed": True, "backend": server.rsplit("-", 1)[-1], "confirmed": True}


def test_a_second_run_changes_nothing(runs, server):
    result = runs["again"].results[server]
    assert result["status"] == "ok" and result["told"]["changed"] is False, result


def test_a_bad_value_is_refused_in_one_sentence(runs, server):
    result = runs["bad value"].results[server]
    assert result["status"] == "failed"
    assert "cups_firewall_sources" in result["says"] and "198.18.41.0/33" in result["says"], result["says"]
    assert "\n" not in result["says"].strip()


def test_a_plan_that_cuts_ssh_is_refused(runs, server):
    result = runs["cut"].results[server]
    assert result["status"] == "failed" and "SSH" in result["says"], result["says"]


def test_a_removal_is_confirmed(runs, server):
    result = runs["remove"].results[server]
    assert result["status"] == "ok", result
    assert result["told"]["changed"] and result["told"]["confirmed"]


def test_nothing_is_deprecated_and_nothing_unexpected(runs):
    for name, run in runs.items():
        for word in ("DEPRECATION", "Traceback", "unexpected"):
            assert word not in run.output, "%s: %s" % (name, run.output)
