# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host uses IPv6, which decides what IPV6=no in /etc/default/ufw means.

With IPV6=no ufw takes no rules for IPv6 and drops all IPv6 packets but loopback's (ufw-init-functions, ufw_start).
That is right on a host without IPv6, and cuts a host with it.
"""

from __future__ import annotations

import ipaddress
import os
from typing import NamedTuple

from ansible_collections.printfleet.cups.plugins.module_utils import _files

# Scopes as the kernel prints them (include/net/ipv6.h, IPV6_ADDR_LOOPBACK and _LINKLOCAL).
_NOT_BEYOND_THE_LINK = ("10", "20")


class Ipv6(NamedTuple):
    """``kernel``: it has IPv6 at all.  ``address``: one that is reached from beyond the link; "" for none."""

    kernel: bool
    address: str = ""


def read(root: str = "") -> Ipv6:
    """Ask the kernel.  With the boot parameter ipv6.disable=1 neither of the two places is there."""
    kernel = os.path.isdir(root + "/proc/sys/net/ipv6")
    return Ipv6(kernel, parse(_files.read(root + "/proc/net/if_inet6") or "") if kernel else "")


def parse(listing: str) -> str:
    """The first address in /proc/net/if_inet6 that is neither loopback nor link-local, with its interface."""
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) == 6 and fields[3] not in _NOT_BEYOND_THE_LINK:
            return "%s on %s" % (ipaddress.IPv6Address(int(fields[0], 16)), fields[5])
    return ""
