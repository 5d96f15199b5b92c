# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cupsd.conf, cups-browsed.conf, smb.conf and avahi-daemon.conf, read."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._services import avahi, cupsd, samba
from ansible_collections.printfleet.cups.plugins.module_utils._services.places import Place, cups_lines

# What of Debian 12's and 13's own file matters here; /admin is where they differ.
STOCK = """\
#
# Configuration file for the CUPS scheduler.

LogLevel warn
MaxLogSize 0
Listen localhost:631
Listen /run/cups/cups.sock
Browsing Yes
BrowseLocalProtocols dnssd
<Location />
  Order allow,deny
</Location>
<Location /admin>
%s  Order allow,deny
</Location>
<Policy default>
  <Limit Create-Job Print-Job Print-URI Validate-Job>
    Order deny,allow
  </Limit>
  <Limit All>
    Order deny,allow
    Allow all
  </Limit>
</Policy>
"""


@pytest.mark.parametrize("release, admin", [(12, ""), (13, "  AuthType Default\n  Require user @SYSTEM\n")])
def test_the_stock_file_of_debian(release, admin):
    conf = cupsd.read_cupsd(STOCK % admin, "cupsd.conf")
    assert [(listen.kind, listen.port, listen.place.line) for listen in conf.listens] == [
        ("loopback", 631, 6), ("socket", 0, 7)]
    assert conf.browsing and conf.dnssd and conf.browsing_place == Place("cupsd.conf", 8) and not conf.names_count
    root = conf.location("/printers/x")
    assert root.path == "/" and not root.denies_first and not root.allow.everyone and root.place.line == 11
    assert conf.location("/admin").authenticates is (release == 13)


@pytest.mark.parametrize("value, kind, host, port", [
    ("631", "any", "", 631), ("*:631", "any", "*", 631), ("*", "any", "*", 631), ("0.0.0.0:80", "any", "0.0.0.0", 80),
    ("[::]:631", "any", "[::]", 631), ("[::]", "any", "[::]", 631), ("localhost", "loopback", "localhost", 631),
    ("localhost:631", "loopback", "localhost", 631), ("127.0.0.53:8631", "loopback", "127.0.0.53", 8631),
    ("[::1]:631", "loopback", "[::1]", 631), ("192.0.2.7", "address", "192.0.2.7", 631),
    ("[2001:db8::7]:443", "address", "[2001:db8::7]", 443), ("print1.example:ipp", "name", "print1.example", 631),
    ("*:https", "any", "*", 443), ("/run/cups/cups.sock", "socket", "/run/cups/cups.sock", 0),
])
def test_listen(value, kind, host, port):
    place = Place("cupsd.conf", 1)
    assert cupsd.read_listen(value, place) == cupsd.Listen(kind, host, port, place)


@pytest.mark.parametrize("value", ["*:0", "*:65536", "*:99999999999", "*:nothing", "0"])
def test_listen_that_cups_cannot_use(value):
    assert cupsd.read_listen(value, Place("cupsd.conf", 1)) is None


@pytest.mark.parametrize("line, kind", [
    ("Port 8631", "any"), ("SSLPort 443", "any"), ("SSLListen 192.0.2.7", "address"),
    ("  lIsTeN\t192.0.2.7:9 # here", "address"),
])
def test_all_four_words_for_listening(line, kind):
    assert [listen.kind for listen in cupsd.read_cupsd(line, "c").listens] == [kind]


def test_lines_as_cups_reads_them():
    text = "A  b c # d\r\n\n# no\n  E\\#f\n<Location /x >\n<Location /y\nG\n"
    assert [(line.name, line.value, line.place.line) for line in cups_lines(text, "f")] == [
        ("a", "b c", 1), ("e#f", "", 4), ("<location", "/x", 5), ("<location", "", 6), ("g", "", 7)]


@pytest.mark.parametrize("text, path, denies_first", [
    ("<Location /printers>\nOrder deny,allow\n</Location>\n<Location />\nOrder allow,deny\n</Location>", "/printers/x",
     True),
    ("<Location /Printers>\nOrder deny,allow\n</Location>", "/printers/x", True),
    ("<Location />\nOrder allow,deny\n<Limit GET>\nOrder deny,allow\n</Limit>\n</Location>", "/", False),
    ("<Location />\nOrder allow,deny\n<Limit POST>\nOrder deny,allow\n</Limit>\n</Location>", "/", True),
    ("<Location />\nOrder allow,deny\n<LimitExcept GET>\nOrder deny,allow\n</LimitExcept>\n</Location>", "/", True),
    ("<Location />\nOrder allow,deny\n<LimitExcept POST>\nOrder deny,allow\n</LimitExcept>\n</Location>", "/", False),
])
def test_the_location_that_decides_on_printing(text, path, denies_first):
    assert cupsd.read_cupsd(text, "c").location(path).denies_first is denies_first


def test_what_stands_in_a_policy_is_no_line_of_its_own():
    conf = cupsd.read_cupsd("<Policy x>\nListen *:8631\n</Policy>\nPort 631\n", "c")
    assert [listen.port for listen in conf.listens] == [631]


def test_no_location_decides():
    conf = cupsd.read_cupsd("<Location /admin>\nAllow all\n</Location>\n<Location x>\n</Location>", "c")
    assert conf.location("/printers/x") is None and conf.location("/admin/conf").allow.everyone


@pytest.mark.parametrize("text, expected", [
    ("BrowseRemoteProtocols dnssd cups\n", "dnssd cups"), ("browseremoteprotocols CUPS", "CUPS"),
    ("# BrowseRemoteProtocols cups\n", None), ("BrowseRemoteProtocols dnssd\n", None), ("", None),
    ("BrowseRemoteProtocols cups\nBrowseRemoteProtocols dnssd\n", None),
])
def test_cups_browsed(text, expected):
    found = cupsd.read_browsed(text, "b")
    assert (found.value if found else None) == expected


def test_samba():
    conf = samba.read_samba_conf(
        "[Global]\n; no\n bind  interfaces only = Yes\nInterfaces = lo \\\n  127.0.0.1/8\nallow hosts = 192.0.2.\n"
        "smb ports = 445\ninclude = /etc/samba/%m.conf\n[Office Printer]\npath = /x\nprint ok = yes\n", "smb.conf")
    assert conf.loopback_only and conf.interfaces.place.line == 4 and conf.ports == (445,)
    assert conf.access_place.line == 6 and conf.allow and not conf.deny
    assert conf.printing.line == 9 and conf.pieces == (Place("smb.conf", 8),)


@pytest.mark.parametrize("text, prints", [
    ("[printers]\npath = /x\n", True), ("[global]\nload printers = no\n[printers]\n", False),
    ("[printers]\navailable = no\n", False), ("[homes]\n", False), ("[x]\nprintable = no\n", False), ("", False),
])
def test_samba_shares_printers(text, prints):
    assert bool(samba.read_samba_conf(text, "s").printing) is prints


@pytest.mark.parametrize("interfaces, loopback", [
    ("lo", True), ("127.0.0.0/8 ::1", True), ("lo eth0", False), ("192.0.2.7/24", False), ("", False)])
def test_samba_on_loopback(interfaces, loopback):
    text = "[global]\ninterfaces = %s\nbind interfaces only = %s\n"
    assert samba.read_samba_conf(text % (interfaces, "yes"), "s").loopback_only is loopback
    assert not samba.read_samba_conf(text % (interfaces, "no"), "s").loopback_only


@pytest.mark.parametrize("text, silenced", [
    ("[publish]\ndisable-publishing=yes\n", 2), ("[publish]\ndisable-publishing=no\n", None),
    ("[publish]\ndisable-user-service-publishing=yes", 2), ("[server]\nenable-dbus=no\n", 2),
    ("[server]\nuse-ipv4=no\nuse-ipv6=no\n", 2), ("[server]\nuse-ipv4=no\nuse-ipv6=yes\n", None),
    ("[publish]\n#disable-publishing=yes\n", None), ("disable-publishing=yes\n", None),
])
def test_avahi_silenced(text, silenced):
    found = avahi.read_avahi(text, "a").silenced()
    assert (found[0].line if found else None) == silenced


@pytest.mark.parametrize("text, barred", [
    ("[server]\ndeny-interfaces=eth1, eth0\n", 2), ("[server]\nallow-interfaces=eth1\n", 2),
    ("[server]\nallow-interfaces=eth1,eth0\n", None), ("[server]\nallow-interfaces=\n", None), ("", None),
    ("[server]\nallow-interfaces=eth0\ndeny-interfaces=eth0\n", 3),
])
def test_avahi_kept_off_an_interface(text, barred):
    found = avahi.read_avahi(text, "a").barred("eth0")
    assert (found.line if found else None) == barred
