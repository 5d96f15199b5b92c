# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom Allow and Deny, hosts allow and hosts deny let in."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._services import access, addresses, cupsd, judge_access
from ansible_collections.printfleet.cups.plugins.module_utils._words import Interface

INTERFACES = (Interface("eth0", ("198.51.100.0/24", "2001:db8:77::/64", "fe80::/64"), (), True),)
CLIENTS = ("198.51.100.3", "2001:db8:77::3")
BOTH, NONE, V4, V6 = (True, True), (False, False), (True, False), (False, True)

# What real cupsd of CUPS 2.4.2 and 2.4.10 answered these two clients on that network: 403 or something else.
MEASURED = [
    ("", BOTH),
    ("Order allow,deny", NONE),
    ("Order deny,allow", BOTH),
    ("Order allow,deny|Allow all", BOTH),
    ("Order deny,allow|Deny all", NONE),
    ("Order deny,allow|Deny all|Allow @LOCAL", BOTH),
    ("Order allow,deny|Allow @local", BOTH),
    ("Order allow,deny|Allow @IF(eth0)", BOTH),
    ("Order allow,deny|Allow @IF(eth7)", NONE),
    ("Order allow,deny|Allow @if(ETH0)", NONE),
    ("Order allow,deny|Allow 198.51.100.0/24", V4),
    ("Order allow,deny|Allow 198.51.100.0/255.255.255.0", V4),
    ("Order allow,deny|Allow from 198.51.100.*", V4),
    ("Order allow,deny|Allow 198.51.", V4),
    ("Order allow,deny|Allow 198", V4),
    ("Order allow,deny|Allow 198.51.100.3/32", V4),
    ("Order allow,deny|Allow 10.0.0.0/8 198.51.100.3", V4),
    ("Order allow,deny|Allow 128.0.0.0/1", V4),
    ("Order allow,deny|Allow [2001:db8:77::]/64", V6),
    ("Order allow,deny|Allow [2001:db8:77::3]", V6),
    ("Order allow,deny|Allow [2001:db8::]/32", V6),
    ("Order allow,deny|Allow [2001:db8:77::]/60", V6),
    ("Order allow,deny|Allow 0.0.0.0/0", NONE),
    ("Order allow,deny|Allow 0.0.0.0/0.0.0.0", BOTH),
    ("Order allow,deny|Allow [::]/0", V4),
    ("Order allow,deny|Allow [::]/1", BOTH),
    ("Order allow,deny|Allow [::]/64", V4),
    ("Order allow,deny|Allow all|Deny 198.51.100.0/24", V6),
    ("Order deny,allow|Deny all|Allow 198.51.100.0/24", V4),
    ("Order deny,allow|Deny [2001:db8:77::]/64", V4),
    ("Order deny,allow|Deny 198.51.100.0/24|Allow 198.51.100.3", BOTH),
    ("Order allow,deny|Allow 198.51.100.3|Allow [2001:db8:77::3]", BOTH),
    ("Deny all", NONE),
    ("Allow 10.0.0.0/8", BOTH),
    ("Order allow,deny|Allow None", NONE),
    ("Order allow,deny|Allow client.example.org", NONE),
    ("Order allow,deny|Allow *", NONE),
]


@pytest.mark.parametrize("body, expected", MEASURED)
def test_cupsd_lets_in_whom_it_was_seen_to_let_in(body, expected):
    conf = cupsd.read_cupsd("<Location /x>\n%s\n</Location>\n" % body.replace("|", "\n"), "cupsd.conf")
    judged = judge_access.admission(conf, conf.location("/x/y"), INTERFACES)
    assert judged.certain
    assert tuple(not (judged.addresses & addresses.of((client,))).empty for client in CLIENTS) == expected


@pytest.mark.parametrize("lookups, certain", [("Off", True), ("On", False), ("Double", False)])
def test_names_count_where_cupsd_looks_them_up(lookups, certain):
    text = "HostNameLookups %s\n<Location />\nOrder allow,deny\nAllow *.example.org\n</Location>\n"
    conf = cupsd.read_cupsd(text % lookups, "cupsd.conf")
    judged = judge_access.admission(conf, conf.location("/"), INTERFACES)
    assert judged.certain is certain and judged.addresses.empty


@pytest.mark.parametrize("allow, deny, inside, outside", [
    ("", "", ("192.0.2.1", "2001:db8::1"), ()),
    ("192.0.2.", "", ("192.0.2.1",), ("198.51.100.1", "2001:db8::1")),
    ("192.0.2.0/255.255.255.0, 2001:db8::/32", "", ("192.0.2.1", "2001:db8::1"), ("198.51.100.1",)),
    ("", "192.0.2.0/24", ("198.51.100.1",), ("192.0.2.1",)),
    ("192.0.2.7", "ALL", ("192.0.2.7",), ("192.0.2.8",)),
    ("192.0.2.7", "192.0.2.0/24", ("192.0.2.7", "198.51.100.1"), ("192.0.2.8",)),
    ("ALL EXCEPT 192.0.2.0/24", "", ("198.51.100.1",), ("192.0.2.7",)),
    ("192.0.2. except 192.0.2.7", "", ("192.0.2.8",), ("192.0.2.7", "198.51.100.1")),
    ("2001:db8::7", "", ("2001:db8::7",), ("2001:db8::8",)),
    ("", "ALL EXCEPT 192.0.2.7", ("192.0.2.7",), ("192.0.2.8", "2001:db8::7")),
    ("192.0.2.", "192.0.2.7", ("192.0.2.7", "198.51.100.1"), ()),
    ("192.0.2.0/24 EXCEPT 192.0.2.0/28 EXCEPT 192.0.2.7", "", ("192.0.2.77",), ("192.0.2.7", "192.0.2.8")),
    ("192.0.2.7 198.51.100.1", "all", ("192.0.2.7", "198.51.100.1"), ("192.0.2.8",)),
])
def test_samba_lets_in_whom_its_own_testparm_says(allow, deny, inside, outside):
    judged = access.samba_admission(
        access.read_samba(allow) if allow else (), access.read_samba(deny) if deny else ())
    assert judged.certain
    for client in inside:
        assert not (judged.addresses & addresses.of((client,))).empty, client
    for client in outside:
        assert (judged.addresses & addresses.of((client,))).empty, client


@pytest.mark.parametrize("allow", ["pc7", "@office", ".example.org", "LOCAL", "192.0.2.0/24 pc7"])
def test_samba_names_are_not_known_here(allow):
    assert not access.samba_admission(access.read_samba(allow), ()).certain
