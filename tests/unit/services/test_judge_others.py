# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Announcements, 631/udp and Samba, held against the firewall; and gaps."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._services.reading import Gap

CVE = "CVE-2024-47176"
CUPSD = ("tcp 0.0.0.0 631 cupsd", "tcp :: 631 cupsd")
SMBD = ("tcp 0.0.0.0 445 smbd", "tcp 0.0.0.0 139 smbd", "tcp :: 445 smbd", "udp 0.0.0.0 137 nmbd")
SMB_CONF = "[global]\n%s\n[printers]\nprintable = yes\n"
SMB_RUNS = ("cupsd", "avahi-daemon", "smbd", "nmbd")


@pytest.mark.parametrize("address, told", [("0.0.0.0", 1), ("::", 1), ("192.0.2.7", 1), ("127.0.0.1", 0), ("::1", 0)])
def test_a_listener_on_631_udp(services, policy, ipp, judged, address, told):
    heard = services(listens=CUPSD + ("udp %s 631 cups-browsed" % address,), browsed="\nBrowseRemoteProtocols cups\n")
    found = [f for f in judged(heard, policy(*ipp)) if CVE in f.what]
    assert [f.level for f in found if "listens on 631/udp" in f.what] == ["warning"] * told
    assert all("let nothing through to it" in f.what or not told for f in found)
    assert found[0].where == "/etc/cups/cups-browsed.conf, line 2" and "BrowseRemoteProtocols dnssd" in found[0].advice


def test_631_udp_without_anything_of_ours(services, judged, shared):
    heard = services(None, ("udp 0.0.0.0 631 python3\x1b[31m",), ())
    found, = judged(heard, None)
    assert found.level == "warning" and "nothing of ours closes that port" in found.what
    assert found.what.startswith("python3\\x1b[31m listens on 631/udp") and found.where == "port 631/udp"
    assert judged(services(None, ("udp 0.0.0.0 632 python3", "tcp 127.0.0.1 631 python3"), ()), None) == []


@pytest.mark.parametrize("running, ours, level", [
    (("cups-browsed",), True, "note"), (("cups-browsed",), False, "warning"), ((), False, "note")])
def test_told_to_browse_the_old_way(services, policy, ipp, judged, running, ours, level):
    conf = services(None, (), running, browsed="BrowseRemoteProtocols dnssd cups\n")
    found = [f for f in judged(conf, policy(*ipp) if ours else None) if CVE in f.what]
    assert [f.level for f in found] == [level] and found[0].where == "/etc/cups/cups-browsed.conf, line 1"


def test_announced_and_not_to_be_asked(services, policy, only, judged):
    found = only(services(), policy(("tcp", 631)))
    assert found.level == "warning" and found.where == "/etc/cups/cupsd.conf, line 4" and "5353/udp" in found.what
    # What is not closed needs no row.
    assert judged(services(), policy(("tcp", 631), incoming="keep")) == []


@pytest.mark.parametrize("old, new", [
    ("Browsing Yes", "Browsing No"), ("Protocols dnssd", "Protocols none"), ("Browsing Yes\n", "")])
def test_not_announced_needs_no_5353(services, policy, ipp, shared, judged, old, new):
    quiet = services(shared.replace(old, new), running=("cupsd",), mdns=None)
    assert judged(quiet, policy(("tcp", 631))) == [] and judged(quiet, policy(*ipp)) == []


@pytest.mark.parametrize("running, mdns, level, words", [
    (("cupsd",), "", "warning", "does not run"), (("cupsd",), None, "note", "no Avahi on this host"),
    (("cupsd", "avahi-daemon"), None, "", ""),
    (("cupsd", "avahi-daemon"), "[publish]\ndisable-publishing=yes", "warning", "'disable-publishing=yes'"),
    (("cupsd", "avahi-daemon"), "[server]\nallow-interfaces=eth1", "warning", "keeps Avahi off eth0"),
    (("cupsd", "avahi-daemon"), "[server]\ndeny-interfaces=eth0", "warning", "keeps Avahi off eth0"),
    (("cupsd", "avahi-daemon"), "[server]\ndeny-interfaces=eth1", "", ""),
])
def test_avahi(services, policy, ipp, judged, running, mdns, level, words):
    found = judged(services(running=running, mdns=mdns), policy(*ipp))
    assert [f.level for f in found] == ([level] if level else [])
    assert all(words in f.what for f in found)


def test_avahi_works_on_one_of_two_interfaces(services, policy, ipp, judged, shared):
    everywhere = shared.replace("Allow 192.0.2.0/24", "Allow @LOCAL")
    held = services(everywhere, mdns="[server]\nallow-interfaces=eth1")
    assert judged(held, policy(*ipp, peers=("192.0.2.0/24", "198.51.100.0/24"))) == []


def test_5353_is_open_to_nobody(services, policy, judged):
    """With "keep" too a row is closed to all whom it does not name."""
    narrowed = policy(("tcp", 631), ("udp", 5353), incoming="keep")
    nobody = narrowed._replace(openings=tuple(o for o in narrowed.openings if o.protocol == "tcp"))
    assert [f.level for f in judged(services(), nobody)] == ["warning"] and judged(services(), narrowed) == []


def samba(services, conf="", listens=SMBD, running=SMB_RUNS):
    return services(smb=SMB_CONF % conf, listens=CUPSD + tuple(listens), running=running)


def test_a_sound_smb_share(services, policy, ipp, smb, judged):
    assert judged(samba(services), policy(*ipp, *smb)) == []


@pytest.mark.parametrize("conf, listens, running, where, words", [
    ("interfaces = lo\nbind interfaces only = yes", ("tcp 127.0.0.1 445 smbd",), SMB_RUNS, ", line 2", "host itself"),
    ("", (), ("cupsd", "avahi-daemon"), "", "does not run"),
    ("", ("tcp 127.0.0.1 445 smbd",), SMB_RUNS, "", "does not listen on 445/tcp for others"),
    ("smb ports = 1445", ("tcp 0.0.0.0 1445 smbd",), SMB_RUNS, ", line 2", "other ports than 445 and 139"),
])
def test_table_2_is_open_for_nothing(services, policy, ipp, smb, only, conf, listens, running, where, words):
    found = only(samba(services, conf, listens, running), policy(*ipp, *smb))
    assert found.level == "warning" and found.where == "/etc/samba/smb.conf" + where and words in found.what
    assert "Table 2: 445 (SMBDS) TCP IN" in found.what


def test_no_samba_at_all_is_a_note(services, policy, ipp, smb, only):
    found = only(services(), policy(*ipp, *smb))
    assert found.level == "note" and "install Samba" in found.advice


@pytest.mark.parametrize("conf, level, words", [
    ("hosts allow = 198.51.100.", "warning", "answers none of those"),
    ("hosts allow = 192.0.2. EXCEPT 192.0.2.7, 2001:db8::/32", "warning", "lets in: 192.0.2.7"),
    ("hosts deny = 192.0.2.7", "warning", "lets in: 192.0.2.7"),
    ("hosts allow = 192.0.2. 2001:db8::/32", "", ""), ("hosts allow = pc7", "", ""),
    ("hosts deny = 198.51.100.", "", ""),
])
def test_hosts_allow(services, policy, ipp, smb, judged, conf, level, words):
    found = judged(samba(services, conf), policy(*ipp, *smb))
    assert [f.level for f in found] == ([level] if level else [])
    assert all(words in f.what and f.where == "/etc/samba/smb.conf, line 2" for f in found)


def test_nmbd_is_missing(services, policy, ipp, smb, only):
    found = only(samba(services, listens=SMBD[:3]), policy(*ipp, *smb))
    assert found.level == "warning" and "nmbd" in found.what and "Table 2: 137 (WINS) UDP IN" in found.what
    meant = only(samba(services, "disable netbios = yes", SMBD[:3]), policy(*ipp, *smb))
    assert meant.level == "note" and meant.where == "/etc/samba/smb.conf, line 2"


@pytest.mark.parametrize("incoming, words", [("deny", "keep it closed"), ("keep", "as the host has it")])
def test_samba_shares_printers_and_table_2_was_not_chosen(services, policy, ipp, judged, only, incoming, words):
    found = only(samba(services), policy(*ipp, incoming=incoming))
    assert found.level == "note" and words in found.what and found.where == "/etc/samba/smb.conf, line 3"
    assert "445/tcp and 139/tcp" in found.what
    files = services(smb="[files]\npath = /srv\n", listens=CUPSD + SMBD, running=SMB_RUNS)
    assert judged(files, policy(*ipp, incoming=incoming)) == []


def test_what_was_not_read_is_told(services, policy, ipp, judged):
    missing = services(smb="include = /etc/samba/more.conf\n")._replace(gaps=(Gap("/etc/cups/x", "it is not a file"),))
    assert [(f.level, f.where) for f in judged(missing, policy(*ipp))] == [
        ("note", "/etc/cups/x"), ("note", "/etc/samba/smb.conf, line 1")]


def test_other_ports_are_none_of_our_business(services, policy, ipp, judged):
    busy = services(listens=CUPSD + ("tcp 0.0.0.0 22 sshd", "tcp 0.0.0.0 80 nginx", "udp 0.0.0.0 161 snmpd"))
    assert judged(busy, policy(*ipp)) == judged(busy, policy(*ipp, incoming="keep")) == []
