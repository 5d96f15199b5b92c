# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in the files of a host: nothing raises, and what is told of it is plain text of some length."""

from __future__ import annotations

import time

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _findings
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._policy import make_policy
from ansible_collections.printfleet.cups.plugins.module_utils._services import (
    avahi,
    cupsd,
    judge,
    reading,
    samba,
    sockets,
)
from ansible_collections.printfleet.cups.plugins.module_utils._words import Interface, Ports
from hypothesis import given, settings
from hypothesis import strategies as st

INTERFACES = (Interface("eth0", ("192.0.2.0/24", "2001:db8:1::/64"), (), True),)
POLICIES = {
    word: make_policy(
        [
            Flow("row %d" % port, "extra_flows", "in", protocol, Ports(port, port), ("192.0.2.0/24",), False)
            for protocol, port in (("tcp", 631), ("udp", 5353), ("tcp", 445), ("udp", 137))
        ],
        word, "keep", False, INTERFACES, None,
    )
    for word in ("keep", "deny")
}
POLICIES[None] = None
NAMES = (
    "Listen", "Port", "SSLListen", "Order", "Allow", "Deny", "Browsing", "BrowseLocalProtocols", "HostNameLookups",
    "<Location", "</Location>", "<Limit", "</Limit>", "<Policy", "</Policy>", "Require", "BrowseRemoteProtocols",
    "[server]", "[publish]", "[global]", "[printers]", "interfaces =", "bind interfaces only =", "hosts allow =",
    "hosts deny =", "smb ports =", "include =", "disable netbios =", "printable =", "allow-interfaces=",
    "deny-interfaces=", "disable-publishing=", "use-ipv4=", "use-ipv6=", "enable-dbus=",
)
VALUES = (
    "", "631", "*:631", "localhost:631", "[::1]:631", "[", "]", "[]:", "[::]/0", "[::1", ":", "::", "/", "//", "/>",
    "/x>",
    "99999999999999999999", "-1", "0x277", "1.2.3.4.5", "256.1.1.1", "1.2.3.4/33", "1.2.3.4/-1", "10.*", "*", "*.", ".",
    "@", "@LOCAL", "@IF(", "@IF()", "@IF(eth0)", "@IF(\x1b[2J)", "all", "none", "from", "from all", "allow,deny",
    "deny,allow", "yes", "no", "dnssd cups", "EXCEPT", "ALL EXCEPT EXCEPT", "192.0.2.", "2001:db8::/32", "lo", "eth0",
    "\0", "\x1b]0;x\x07", "\u202e", "\udcff", "\u0661\u0662", "\u00b2", "\r", "\\", "#", "\\#", ";", "=", "x" * 5000,
)
LINES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.one_of(st.sampled_from(VALUES), st.text(max_size=20))).map(" ".join),
    max_size=25,
)
FILES = st.one_of(LINES.map("\n".join), st.text(max_size=300), st.binary(max_size=300).map(
    lambda raw: raw.decode("utf-8", "surrogateescape")))
PROGRAMS = st.one_of(st.sampled_from(("cupsd", "smbd", "nmbd", "cups-browsed", "avahi-daemon", "systemd")),
                     st.text(min_size=1, max_size=15))
SOCKETS = st.lists(st.builds(
    sockets.Socket, st.sampled_from(("tcp", "udp")),
    st.sampled_from(("0.0.0.0", "::", "127.0.0.1", "192.0.2.7", "::1")),
    st.sampled_from((631, 8631, 443, 445, 139, 137, 5353)), st.integers(1, 99),
    st.lists(PROGRAMS, max_size=2).map(tuple),
), max_size=6).map(tuple)


@settings(max_examples=150, deadline=None)
@given(FILES, FILES, FILES, FILES, SOCKETS, st.frozensets(PROGRAMS), st.sampled_from((None, "keep", "deny")))
def test_nothing_raises_and_all_is_plain(cups, browsed, smb, mdns, listening, running, incoming):
    services = reading.Services(
        cupsd.read_cupsd(cups, "c"), cupsd.read_browsed(browsed, "b"), samba.read_samba_conf(smb, "s"),
        avahi.read_avahi(mdns, "a"), listening, running,
    )
    found = judge.judge(services, POLICIES[incoming], INTERFACES)
    for finding in found:
        for text in finding:
            assert text.isprintable() and 0 < len(text) < 900, text
    assert len(_findings.sentences(found)) <= 6


def test_no_password_is_shown(services, policy, ipp, shared, judged):
    conf = shared.replace("Port 631", "Listen user:secret@localhost:631\n# secret\nServerName secret\nSecret secret")
    assert "secret" not in repr([f.as_dict() for f in judged(services(conf, ()), policy(*ipp))])


@pytest.mark.parametrize("line", [
    "Allow 192.0.2.0/24 198.51.100.7\n", "<Limit POST>\nAllow all\n", "<Location /%d>\n</Location>\n",
    "Listen [::]:631\n", "hosts allow = 192.0.2. \\\n", "\\\n", "[%d]\nprintable=yes\n", "EXCEPT 192.0.2.7 ", "\n",
])
def test_the_longest_file_does_not_take_minutes(line):
    many = line * (reading._MOST // len(line))
    started = time.process_time()
    conf = cupsd.read_cupsd("Port 631\n<Location />\nOrder allow,deny\n" + many, "c")
    smb = samba.read_samba_conf("[global]\nhosts allow = " + many, "s")
    services = reading.Services(cupsd=conf, samba=smb, avahi=avahi.read_avahi(many, "a"))
    judge.judge(services, POLICIES["deny"], INTERFACES)
    assert time.process_time() - started < 10
