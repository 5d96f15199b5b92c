# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One device URI: what CUPS' backends make of it, and the sentences for what they could not."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _device_uri
from ansible_collections.printfleet.cups.plugins.module_utils._device_uri import Unreadable, needs, read, stripped
from hypothesis import given, settings
from hypothesis import strategies as st


def ports(uri, port=0):
    return " ".join("%d/%s" % (need.port, need.protocol) for need in needs(read(uri), port))


@pytest.mark.parametrize("uri, expected", [
    ("ipp://h/", "631/tcp"), ("ipps://h/", "631/tcp"), ("IPP://H", "631/tcp"), ("http://h", "80/tcp"),
    ("https://h", "443/tcp"), ("ipps://h:443/x", "443/tcp"), ("ipp://h?waitjob=false", "631/tcp"),
    ("ipp://h:8631?x", "8631/tcp"), ("socket://h", "9100/tcp 161/udp"), ("lpd://h/q", "515/tcp 161/udp"),
    ("lpd://h/q?snmp", "515/tcp 161/udp"), ("lpd://h/q?snmp=on", "515/tcp 161/udp"),
    ("lpd://h/q?snmp=0", "515/tcp"), ("socket://h?SNMP=Off", "9100/tcp"), ("socket://h?a=b+snmp=no&c", "9100/tcp"),
    ("socket://h?snmp=off&snmp=yes", "9100/tcp 161/udp"), ("socket://h/snmp=off", "9100/tcp 161/udp"),
    ("ipp://h?snmp=on", "631/tcp"), ("smb://h/p", "137/udp 139/tcp 445/tcp"), ("smb://h:139/p", "137/udp 139/tcp"),
    ("hp:/net/X?ip=h&port=3", "9102/tcp 161/udp"), ("usb://X/Y", ""), ("ipp://localhost:60000/", ""),
    ("ipp://[::1]:60000/", ""), ("ipp://127.0.0.53/", ""), ("ipp://localhost.localdomain/", ""), ("ippusb://X", ""),
])
def test_the_ports(uri, expected):
    assert ports(uri) == expected


@pytest.mark.parametrize("uri, name", [
    ("ipp://Printer.Example./", "printer.example"), ("ipp://[2001:DB8::1]/", "2001:db8::1"),
    ("ipp://[fe80::1%25eth0]/", "fe80::1"), ("ipp://[v1.fe80::1+eth0]/", "fe80::1"),
    ("ipp://[fe80::1%eth0]/", "fe80::1"), ("ipp://[::ffff:192.0.2.1]/", "192.0.2.1"),
    ("ipp://a:b@h/c@d", "h"), ("ipp://h/c@d", "h"), ("smb://u:p@W/s/p", "s"), ("smb://W/s/p", "s"), ("smb://s/p", "s"),
    ("smb://u:a/b@c@s/p", "s"), ("ipp://pr%69nter/", "printer"),
    ("hp:/net/X?zc=NPI1", "npi1.local"), ("hp:/net/X?zc=npi1.local", "npi1.local"), ("hp:/net/X?hostname=a.b", "a.b"),
    ("dnssd://A%20B._ipp._tcp.local/", "A B._ipp._tcp.local"), ("ipps://A._ipps._tcp.local./", "A._ipps._tcp.local"),
    ("mdns://A.B._printer._tcp.Example.org/", "A.B._printer._tcp.example.org"),
])
def test_the_host(uri, name):
    assert read(uri).name == name


@pytest.mark.parametrize("kind, expected", [
    ("_ipp._tcp", "7/tcp"), ("_ipps._tcp", "7/tcp"), ("_printer._tcp", "7/tcp 161/udp"),
    ("_pdl-datastream._tcp", "7/tcp 161/udp"), ("_http._tcp", "7/tcp"),
])
def test_a_service_has_the_port_that_dns_sd_tells(kind, expected):
    assert ports("dnssd://X.%s.local/" % kind, 7) == expected


@pytest.mark.parametrize("uri", [
    "", "x", "ipp", "ipp:", "ipp:/h", "ipp://", "ipp:///p", "ipp://@/", "ipp://h:/", "ipp://h:0", "ipp://h:65536",
    "ipp://h:1x/", "ipp://h:١/", "ipp://[::1", "ipp://[]/", "ipp://[x]/", "ipp://[192.0.2.1]/", "ipp://h h/",
    "ipp://-h/", "ipp://h..h/", "ipp://%00/", "ipp://h%2fx/", "ipp://h%3a/", "ipp://" + "h" * 64 + "/", "ipp://0/",
    "ipp://ü.example/", "ipp://192.0.2/", "ipp://192.0.2.256/", "ipp://192.0.2.010/", "ipp://0xc0000201/",
    "ipp://224.0.0.1/", "ipp://255.255.255.255/", "ipp://0.0.0.0/", "ipp://[ff02::fb]/", "ipp://[::]/",
    "ipp://0.1.2.3/", "ipp://240.0.0.1/", "ipp://169.254.169.254/", "ipp://[::ffff:240.0.0.1]/",
    "ipp://evil.localhost/", "ipp://a.b.LOCALHOST./", "smb://W/x.localhost/p", "hp:/net/x?hostname=x.localhost",
    "dnssd://h/", "dnssd://X._scanner._tcp.local/", "dnssd://._ipp._tcp.local/", "dnssd://X._ipp._tcp./",
    "hp:/net/X", "hp:/net/X?ip=", "hp:/net/X?ip=h&port=4", "smb://", "smb://u@", "lpr://h", "cnijnet:/00-1E", "//h/x",
    "ipp://h/\n", "ipp://h/" + "x" * 1024, "beh:/1/0/5/beh:/1/0/5/socket://h",
])
def test_what_is_no_device_uri(uri):
    with pytest.raises(Unreadable) as error:
        read(uri)
    assert len(uri) < 7 or uri not in str(error.value)


@pytest.mark.parametrize("uri", [
    "ipp://u:p@h:8631/x?y", "ipps://[fe80::1%25eth0]/", "lpd://h/q?snmp=off", "socket://h", "smb://u:p@W/s:445/p",
    "dnssd://A%20%2F%20B%C3%BC._pdl-datastream._tcp.local/?uuid=1", "hp:/net/X?zc=a&port=2",
    "hpfax:/net/X?ip=192.0.2.1",
])
def test_what_is_stripped_is_the_same_device(uri):
    short = stripped(read(uri))
    assert read(short) == read(uri) and stripped(read(short)) == short and "@" not in short


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.text("ipsocketlpdmb:/@[]%?&=.+0123456789abvz _-ÿ\t", max_size=60))
def test_any_text_is_read_or_unreadable(text):
    for uri in (text, "ipp://" + text, "dnssd://%s._ipp._tcp.local/" % text, "smb://" + text, "hp:/net/x?" + text):
        try:
            device = read(uri)
        except Unreadable as error:
            assert "\n" not in str(error) and "\t" not in str(error)
            continue
        assert all(word.isalnum() for _protocol, _port, word in needs(device, 1))
        if device.name:
            assert read(stripped(device)) == device and device.name.isprintable()


def test_the_services_words_are_known():
    assert set(_device_uri._SERVICES.values()) <= set(_device_uri._WORDS)
