# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print services and policies to play with: a share as an administrator would have it, and ways to break it."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._policy import make_policy
from ansible_collections.printfleet.cups.plugins.module_utils._services import avahi, cupsd, judge, reading, samba
from ansible_collections.printfleet.cups.plugins.module_utils._services.sockets import Socket
from ansible_collections.printfleet.cups.plugins.module_utils._words import Interface, Ports

OFFICE, OFFICE6 = "192.0.2.0/24", "2001:db8:1::/64"
ROWS = {
    ("tcp", 631): ("Table 1: 631 (IPP/IPPS) TCP IN", "ipp_sharing"),
    ("udp", 5353): ("Table 1: 5353 (mDNS) UDP IN", "ipp_sharing"),
    ("udp", 137): ("Table 2: 137 (WINS) UDP IN", "smb_sharing"),
    ("tcp", 139): ("Table 2: 139 (SMB) TCP IN", "smb_sharing"),
    ("tcp", 445): ("Table 2: 445 (SMBDS) TCP IN", "smb_sharing"),
}
IPP = (("tcp", 631), ("udp", 5353))
SMB = (("udp", 137), ("tcp", 139), ("tcp", 445))
INTERFACES = (
    Interface("eth0", (OFFICE, OFFICE6, "fe80::/64"), ("192.0.2.255",), True),
    Interface("eth1", ("198.51.100.0/24",), ("198.51.100.255",), True),
)
SHARED = """\
LogLevel warn
Port 631
Listen /run/cups/cups.sock
Browsing Yes
BrowseLocalProtocols dnssd
<Location />
  Order allow,deny
  Allow 192.0.2.0/24
  Allow [2001:db8:1::]/64
</Location>
<Location /admin>
  AuthType Default
  Require user @SYSTEM
  Order allow,deny
</Location>
"""
SMB_CONF = """\
[global]
   workgroup = OFFICE
[printers]
   printable = yes
"""
AVAHI_CONF = "[server]\nuse-ipv4=yes\nuse-ipv6=yes\n[publish]\npublish-workstation=no\n"


def _policy(*ports, peers=(OFFICE, OFFICE6), incoming="deny"):
    flows = [
        Flow(*ROWS.get(port, ("Extra: %s" % port[1], "extra_flows")), "in", port[0], Ports(port[1], port[1]),
             tuple(peers), False)
        for port in ports
    ]
    return make_policy(flows, incoming, "keep", False, INTERFACES, None)


def _listening(*specs):
    """Of "tcp 0.0.0.0 631 cupsd"."""
    words = [spec.split() for spec in specs]
    return tuple(Socket(w[0], w[1], int(w[2]), n, tuple(w[3:])) for n, w in enumerate(words, 1))


CUPSD_SOCKETS = ("tcp 0.0.0.0 631 cupsd", "tcp :: 631 cupsd")
SMBD_SOCKETS = ("tcp 0.0.0.0 445 smbd", "tcp :: 445 smbd", "udp 0.0.0.0 137 nmbd")


def _services(conf=SHARED, listens=CUPSD_SOCKETS, running=("cupsd", "avahi-daemon"), smb=None, mdns=AVAHI_CONF,
              browsed=None):
    return reading.Services(
        cupsd=None if conf is None else cupsd.read_cupsd(conf, reading.CUPSD),
        browsed=None if browsed is None else cupsd.read_browsed(browsed, reading.BROWSED),
        samba=None if smb is None else samba.read_samba_conf(smb, reading.SAMBA),
        avahi=None if mdns is None else avahi.read_avahi(mdns, reading.AVAHI),
        sockets=_listening(*listens),
        running=frozenset(running),
    )


@pytest.fixture(name="policy")
def policy_():
    """Makes a policy of incoming ports, see _policy."""
    return _policy


@pytest.fixture(name="services")
def services_():
    """Makes a host's services, see _services."""
    return _services


@pytest.fixture
def judged():
    """The findings on a host with INTERFACES."""
    return lambda services, policy: judge.judge(services, policy, INTERFACES)


@pytest.fixture
def shared():
    """The cupsd.conf of a sound share, to be broken."""
    return SHARED


@pytest.fixture
def only(judged):
    """The one finding; fails where there are none or more."""
    def one(services, policy):
        found = judged(services, policy)
        assert len(found) == 1, found
        return found[0]
    return one


@pytest.fixture
def ipp():
    """The ports that ipp_sharing opens."""
    return IPP


@pytest.fixture
def smb():
    """The ports that smb_sharing opens."""
    return SMB
