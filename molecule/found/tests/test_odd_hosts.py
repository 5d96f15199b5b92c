# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts on which a change cannot be made: one sentence, the same in check mode, and nothing is half applied."""

from __future__ import annotations

import pytest
from found.host import Host, open_to

BACKENDS = {
    "nftables": "true", "firewalld": "systemctl enable --now firewalld", "ufw": "ufw allow 22/tcp; ufw --force enable",
}
STATE = "/var/lib/printfleet-cups"
# What is done to the host, what ends it, and the sentence.
READ_ONLY = "%s: Read-only file system, so that nothing can be changed: make it writable and run again"
FULL = "%s: No space left, so that nothing can be changed: make room and run again"
FILL = "dd if=/dev/zero of=%s/fill bs=4k 2> /dev/null || true"
KINDS = (
    ("mount --bind /etc /etc; mount -o remount,bind,ro /etc", "umount /etc", READ_ONLY % "/etc"),
    ("mkdir %s; mount -t tmpfs -o ro none %s" % (STATE, STATE), "umount %s; rmdir %s" % (STATE, STATE),
     READ_ONLY % STATE),
    ("mkdir %s; mount -t tmpfs -o size=1m none %s; %s" % (STATE, STATE, FILL % STATE),
     "umount %s; rmdir %s" % (STATE, STATE), FULL % STATE),
    (FILL % "/run", "rm /run/fill", FULL % "/run"),
)


def refused(host: Host, begin: str, end: str, sentence: str) -> None:
    """While it lasts, both modes say so and touch nothing."""
    before = host.look()
    host.setup(begin)
    said = [host.refused(check=check) for check in (True, False)]
    waits = host.waits() or host.has_alarm()
    host.setup(end)
    assert not waits and not before.differences(host.look())
    for one in said:
        # Of /etc a folder in it may be named, whichever the firewall needs first.
        assert one[:4] == sentence[:4] and one.partition(" ")[2] == sentence.partition(" ")[2], (one, sentence)


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_no_room_for_a_change(give, backend):
    """The control: once it is over, the role does its work. An unchanged run needs no room."""
    host = give("debian13")
    host.setup(BACKENDS[backend])
    for kind in KINDS:
        refused(host, *kind)
    assert host.role()["backend"] == backend
    told = host.reached(("allowed", "631/tcp"), ("denied", "631/tcp"))
    assert open_to(told, "allowed", "631/tcp") and not open_to(told, "denied", "631/tcp"), told
    host.setup(KINDS[0][0])
    assert not host.role()["changed"]


def test_no_network_namespace(give):
    """As in a container without CAP_SYS_ADMIN, where unshare(1) says the same."""
    host = give("debian12")
    words = "unshare: unshare failed: Operation not permitted"
    begin = "printf '#!/bin/sh\\necho %s >&2; exit 1\\n' > /usr/local/bin/unshare; chmod 755 /usr/local/bin/unshare"
    refused(host, begin % ("'%s'" % words).replace("'", ""), "rm /usr/local/bin/unshare", (
        "root may make no network namespace on this host, in which nftables' rules are tried before they are loaded: "
        "allow it (a container needs CAP_SYS_ADMIN for it) and run again"))
    host.role()
    assert host.audit()["in_force"]
