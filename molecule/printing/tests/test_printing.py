# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Printing works under deny, both ways, just for those for whom it should; each step has its controls."""

from __future__ import annotations

from printing import campaign

# Seconds by which a job may not be slower because of our policy.
CLEAR_WAIT = 2.0


def test_backends_are_all_there(tried):
    """One server for each."""
    assert sorted(tried) == ["firewalld", "nftables", "ufw"]


def test_allowed(tried, backend, allowed):
    """With the rows in force, and nothing else."""
    assert tried[backend].in_force[allowed].worked, str(tried[backend].in_force[allowed])


def test_denied_client(tried, backend, denied):
    """The same step by a client who is not among the sources."""
    outcome = tried[backend].denied[denied]
    assert outcome.blocked, str(outcome)
    assert tried[backend].denied_off[denied].worked, "control: %s" % tried[backend].denied_off[denied]


def test_unlisted_printer(tried, backend, unlisted):
    """A printer that is not among the printers."""
    outcome = tried[backend].unlisted[unlisted]
    assert outcome.blocked, str(outcome)


def test_printer_of_a_queue(tried, backend, in_queue):
    """With "auto", what the host's own queues name can be reached, by the protocols and ports that they use."""
    assert tried[backend].in_queue[in_queue].worked, str(tried[backend].in_queue[in_queue])


def test_printer_of_no_queue(tried, backend, nowhere):
    """And nothing else; that each of these steps works with the firewall off is tested below."""
    assert tried[backend].in_no_queue[nowhere].blocked, str(tried[backend].in_no_queue[nowhere])


def test_control_without_the_row(tried, backend, control):
    """Without a row that the step needs, it fails."""
    outcome = tried[backend].without[control]
    assert outcome.blocked, str(outcome)


def test_every_step_has_a_control(tried, backend):
    """No step of the list was forgotten."""
    steps = {name for name in tried[backend].in_force if not name.startswith("queue by")}
    without = {name for name, _number in tried[backend].without}
    # ufw lets multicast in by rules of its own, so what is found by that alone cannot be closed (OVERHEARD).
    assert steps - without <= (
        {"avahi-browse finds the printer", "an answer by mDNS' IPv4 group"} if backend == "ufw" else set()
    )


def test_control_firewall_off(tried, backend, works_off):
    """With the firewall off, it succeeds."""
    assert tried[backend].off[works_off].worked, str(tried[backend].off[works_off])


def test_conformance_is_the_same(tried, backend):
    """CUPS' own test suite tells the same through the firewall as without it."""
    through, without = tried[backend].conformance["in force"], tried[backend].conformance["off"]
    assert through == without
    # For each IP version by itself, of 36 that are compared; seven of them are for what cupsd does not do, and skipped.
    half = len(through) // 2
    for words in (through[:half], through[half:]):
        assert [word for _test, word, _why in words].count("PASS") >= 25, words


def test_631_udp_is_silent(tried, backend):
    """A listener gets nothing behind our rules, and does behind those that the distribution brings."""
    heard = tried[backend].heard
    assert heard["in force"] == []
    assert heard["before"] == []
    assert len({packet["from"] for packet in heard["stock"]}) == 4, heard["stock"]


def test_no_job_waits(tried, backend):
    """Questions for supplies that the policy refuses cost no clear wait."""
    assert not tried[backend].unmeasured
    assert waits(tried[backend], "refused") == [], tried[backend].times


def test_a_wait_would_be_seen(tried, backend):
    """Where the same questions get to the printer and no answer comes, these programs do wait."""
    assert waits(tried[backend], "silent") == [protocol for protocol, _form in campaign.TIMED], tried[backend].times


def test_questions_are_asked_and_refused(tried, backend):
    """By all three kinds of jobs where nothing keeps them from it, and none gets through where something does."""
    asked = tried[backend].asked
    assert asked["answered"] >= campaign.TIMES * len(campaign.TIMED), asked
    assert asked["silent"] >= len(campaign.TIMED), asked
    assert asked["off"] == asked["refused"] == 0, asked


def waits(tried, way):
    """The protocols whose jobs take clearly longer that way than with no question at all."""
    return [
        protocol for protocol, _form in campaign.TIMED
        if tried.times[(protocol, way)] > tried.times[(protocol, "off")] + CLEAR_WAIT
    ]
