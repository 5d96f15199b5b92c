# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where cupsd listens and whom it answers, held against the firewall.  The control of each is the sound share."""

from __future__ import annotations

import pytest

IPP_ROW = "Table 1: 631 (IPP/IPPS) TCP IN"
FILE = "/etc/cups/cupsd.conf"
LOCAL_ONLY = ("tcp 127.0.0.1 631 cupsd", "tcp ::1 631 cupsd")


def test_a_sound_share_has_no_findings(services, policy, ipp, judged):
    assert judged(services(), policy(*ipp)) == []
    assert judged(services(), policy(*ipp, incoming="keep")) == []


def test_localhost_only(services, policy, ipp, shared, only):
    found = only(services(shared.replace("Port 631", "Listen localhost:631"), LOCAL_ONLY), policy(*ipp))
    assert found.level == "warning" and found.where == FILE + ", line 2"
    assert found.what == "CUPS listens for this host itself only, so '%s' lets people in for nothing" % IPP_ROW
    assert "cupsctl --share-printers" in found.advice


def test_a_local_socket_only(services, policy, ipp, shared, only):
    found = only(services(shared.replace("Port 631\n", ""), ()), policy(*ipp))
    assert found.where == FILE + ", line 2" and "no port, on a local socket only" in found.what


def test_no_listen_at_all(services, policy, ipp, only):
    found = only(services("LogLevel warn\n", ()), policy(*ipp))
    assert found.where == FILE and "CUPS listens on no port, so" in found.what


@pytest.mark.parametrize("running, words, advice", [
    ((), "cupsd does not run", "start CUPS"), (("cupsd",), "has not read this file since", "restart CUPS")])
def test_told_to_listen_and_does_not(services, policy, ipp, only, running, words, advice):
    found = only(services(listens=LOCAL_ONLY if running else (), running=running), policy(*ipp))
    assert found.level == "warning" and found.where == FILE + ", line 2"
    assert "CUPS is told to listen on 631/tcp and does not" in found.what and words in found.what
    assert found.advice.startswith(advice)


def test_no_cups_at_all_is_a_note(services, policy, ipp, only):
    found = only(services(None, (), ()), policy(*ipp))
    assert found.level == "note" and found.where == FILE and "install CUPS" in found.advice


def test_another_port_than_the_one_that_is_open(services, policy, ipp, shared, only, judged):
    other = services(shared.replace("631", "8631"), ("tcp 0.0.0.0 8631 cupsd", "tcp :: 8631 cupsd"))
    found = only(other, policy(*ipp))
    assert found.level == "warning" and found.where == FILE + ", line 2"
    assert found.what == "CUPS listens on 8631/tcp, which no row opens, and '%s' opens 631" % IPP_ROW
    assert "cups_firewall_extra_flows" in found.advice
    assert judged(other, policy(("tcp", 8631), *ipp)) == []
    # With "keep" it is not closed to anyone either, and that is another thing.
    both = judged(other, policy(*ipp, incoming="keep"))
    assert len(both) == 2 and "nothing of ours closes that port" in both[1].what and both[1].level == "warning"


def test_a_second_port_that_nobody_opened(services, policy, ipp, shared, only):
    more = services(shared + "SSLPort 443\n", ("tcp 0.0.0.0 631 cupsd", "tcp :: 631 cupsd", "tcp 0.0.0.0 443 cupsd"))
    closed = only(more, policy(*ipp))
    assert closed.level == "note" and closed.where == FILE + ", line 16" and "let nobody in there" in closed.what
    left = only(more, policy(*ipp, incoming="keep"))
    assert left.level == "warning" and "nothing of ours closes that port" in left.what


def test_the_file_was_changed_and_cupsd_not_started_again(services, policy, ipp, shared, only):
    found = only(services(shared.replace("Port 631", "Listen localhost:631")), policy(*ipp))
    assert found.level == "warning" and "until it is started again" in found.what and found.where == FILE + ", line 2"


def test_a_port_of_which_the_file_knows_nothing(services, policy, ipp, only):
    found = only(services(listens=("tcp :: 631 cupsd", "tcp :: 8631 cupsd")), policy(*ipp))
    assert found.where == "cupsd, port 8631/tcp" and found.advice.endswith("whose file names no such port")


def test_systemd_holds_the_port_for_cupsd(services, policy, ipp, shared, judged):
    held = services(shared.replace("Port 631\n", ""), ("tcp :: 631 systemd",))
    assert judged(held, policy(*ipp)) == []


def test_another_program_has_the_port(services, policy, ipp, only):
    found = only(services(listens=("tcp 0.0.0.0 631 other\x1b[2J",)), policy(*ipp))
    assert found.where == "other\\x1b[2J, which listens on 631/tcp" and "not CUPS" in found.what


def test_sharing_is_not_asked_for(services, policy, only, shared, judged):
    closed = only(services(), policy())
    assert closed.level == "note" and "let nobody in there" in closed.what
    left = only(services(), policy(incoming="keep"))
    assert left.level == "warning" and left.where == FILE + ", line 2" and "ipp_sharing" in left.advice
    refuses = shared.replace("  Allow 192.0.2.0/24\n  Allow [2001:db8:1::]/64\n", "")
    assert only(services(refuses), policy(incoming="keep")).level == "note"
    assert judged(services(shared.replace("Port 631", "Listen localhost:631"), LOCAL_ONLY), policy()) == []


@pytest.mark.parametrize("listens, version", [
    (("tcp 0.0.0.0 631 cupsd",), 6), (("tcp 2001:db8:1::7 631 cupsd",), 4), (("tcp :: 631 cupsd",), 0)])
def test_one_ip_version_only(services, policy, ipp, judged, listens, version):
    found = judged(services(listens=listens), policy(*ipp))
    assert [("IPv%d" % version) in f.what for f in found] == ([True] if version else [])
    # Nobody who was named comes over the other one.
    assert judged(services(listens=listens[:1]), policy(*ipp, peers=("192.0.2.0/24",) if version == 6 else (
        "2001:db8:1::/64",))) == []


def access(shared, lines):
    before, _allow, after = shared.partition("  Allow 192.0.2.0/24\n  Allow [2001:db8:1::]/64\n")
    return before + "".join("  %s\n" % line for line in lines) + after


@pytest.mark.parametrize("lines, words", [
    ((), "since nobody is allowed there"),
    (("Allow 198.51.100.0/24",), "(let in: 192.0.2.0/24, 2001:db8:1::/64; allowed: 198.51.100.0/24)"),
    (("Allow 0.0.0.0/0",), "allowed: 0.0.0.0"),
    (("Allow @IF(eth1)",), "allowed: 198.51.100.0/24"),
    (("Allow client.example.org",), "since nobody is allowed there"),
    (("Allow all", "Deny 192.0.2.0/255.255.255.0", "Deny [2001:db8:1::]/64"), "answers none of those"),
])
def test_cupsd_answers_none_of_those_who_are_let_in(services, policy, ipp, shared, only, lines, words):
    found = only(services(access(shared, lines)), policy(*ipp))
    assert found.level == "warning" and "403 Forbidden" in found.what and words in found.what
    assert found.where.startswith(FILE + ", line ") and "'%s'" % IPP_ROW in found.what


@pytest.mark.parametrize("lines, refused", [
    (("Allow 192.0.2.0/25", "Allow [2001:db8:1::]/64"), "192.0.2.128/25"),
    (("Allow 192.0.2.0/24",), "2001:db8:1::/64"),
    (("Allow @LOCAL", "Deny 192.0.2.66"), "192.0.2.66"),
])
def test_cupsd_refuses_some_of_them(services, policy, ipp, shared, only, lines, refused):
    found = only(services(access(shared, lines)), policy(*ipp))
    assert found.level == "warning" and found.what.endswith("lets in: " + refused), found.what


@pytest.mark.parametrize("lines", [
    ("Allow @LOCAL",), ("Allow @IF(eth0)",), ("Allow 192.0.2.*", "Allow [2001:db8::]/32"),
    ("Deny 198.51.100.0/24", "Allow @LOCAL"),
])
def test_cupsd_answers_them_all(services, policy, ipp, shared, judged, lines):
    assert judged(services(access(shared, lines)), policy(*ipp)) == []


def test_names_that_cupsd_looks_up_are_not_judged(services, policy, ipp, shared, judged):
    conf = "HostNameLookups On\n" + access(shared, ("Allow *.example.org",))
    assert judged(services(conf), policy(*ipp)) == []


@pytest.mark.parametrize("lines", [("Allow all",), ("Order deny,allow",)])
def test_cupsd_open_to_the_world_is_a_note(services, policy, ipp, shared, only, judged, lines):
    world = services(access(shared, lines))
    found = only(world, policy(*ipp))
    assert found.level == "note" and "the firewall's doing alone" in found.what and "192.0.2.0/24" in found.what
    assert judged(world, policy(*ipp, peers=())) == []


def test_a_firewall_open_to_anyone_and_a_cupsd_that_is_not(services, policy, ipp, only):
    found = only(services(), policy(*ipp, peers=()))
    assert found.level == "note" and "cups_firewall_sources" in found.advice
    assert "CUPS answers 192.0.2.0/24, 2001:db8:1::/64 only" in found.what


def test_printers_has_a_section_of_its_own(services, policy, ipp, shared, only):
    conf = shared + "<Location /printers>\n  Order allow,deny\n</Location>\n"
    found = only(services(conf), policy(*ipp))
    assert found.where == FILE + ", line 17" and "<Location /printers>" in found.what


def test_a_section_of_one_queue_is_not_that_of_all(services, policy, ipp, shared, judged):
    conf = shared + "<Location /printers/secret>\n  Order allow,deny\n</Location>\n"
    assert judged(services(conf), policy(*ipp)) == []


def test_no_section_for_printing(services, policy, ipp, only):
    found = only(services("Port 631\n"), policy(*ipp))
    assert found.level == "warning" and "no <Location /> section" in found.what and found.where == FILE


@pytest.mark.parametrize("line, who", [("", ""), ("Require user @SYSTEM", None)])
def test_administration(services, policy, ipp, shared, only, line, who):
    conf = shared.partition("<Location /admin>")[0] + "<Location /admin>\n%s\nOrder allow,deny\nAllow @LOCAL\n" % line
    found = only(services(conf + "</Location>\n"), policy(*ipp))
    assert found.level == "note" and "administration (/admin) answers 192.0.2.0/24" in found.what
    assert ("no Require" in found.what) is (who == "")


def test_without_anything_of_ours(services, judged, shared):
    found, = judged(services(), None)
    assert found.level == "note" and "nothing of ours closes that port" in found.what
    assert judged(services(shared.replace("Port 631", "Listen localhost:631"), LOCAL_ONLY), None) == []
