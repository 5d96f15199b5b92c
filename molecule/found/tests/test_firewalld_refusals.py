# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A firewalld that cannot be changed now: told in one sentence, in check mode as well, before anything is touched."""

from __future__ import annotations

import contextlib
from typing import Iterator

from found.host import Host

DENIES = """
<busconfig><policy context="mandatory"><deny send_destination="org.fedoraproject.FirewallD1"/></policy></busconfig>
"""
# Somebody stops firewalld just when the module asks it for its default zone, its last questions before a change.
STOPS = """#!/bin/sh
case " $* " in *" getDefaultZone "*) systemctl stop firewalld.service;; esac
exec /usr/bin/busctl "$@"
"""


@contextlib.contextmanager
def while_it_lasts(host: Host, begin: str, end: str) -> Iterator[None]:
    """Between two scripts."""
    host.setup(begin)
    yield
    host.setup(end)


def refused(host: Host) -> str:
    """The sentence, the same in check mode; nothing is touched: files, rules and units are as before."""
    before = host.look()
    told = host.refused(backend="firewalld")
    assert host.refused(check=True, backend="firewalld") == told
    assert not before.differences(host.look())
    assert not host.waits() and not host.has_alarm()
    return told


def test_told_before_anything_is_touched(host):
    """One host for all of them. The control: before the first and after the last of them the role works."""
    host.setup("systemctl start firewalld; firewall-cmd --zone=internal --change-interface=eth0")
    bound = host.run("firewall-cmd", "--get-active-zones")
    host.role(backend="firewalld")
    assert host.audit()["in_force"]

    with while_it_lasts(host, "firewall-cmd --panic-on", "firewall-cmd --panic-off"):
        assert refused(host) == (
            "firewalld is in panic mode, which drops every packet, so nothing is changed: run again when panic mode is "
            "over ('firewall-cmd --panic-off' ends it)")
        removal = host.module({"state": "absent"})
        assert removal.failed and "panic mode" in (removal.answer or {})["msg"], removal.told()
        told = host.audit()
        assert not told["in_force"]
        assert [(cause["id"], cause["command"]) for cause in told["drift"]] == [
            ("firewalld-panic", "firewall-cmd --panic-off")]
        assert host.reached(("allowed", "631/tcp"))["allowed 631/tcp v4"] == "silent"
    # Its command helped.
    assert host.audit()["in_force"]
    assert host.reached(("allowed", "631/tcp"))["allowed 631/tcp v4"] == "answered"

    begin = "cat > /etc/dbus-1/system.d/deny.conf << EOF\n%sEOF\nsystemctl reload dbus" % DENIES
    with while_it_lasts(host, begin, "rm /etc/dbus-1/system.d/deny.conf; systemctl reload dbus"):
        assert refused(host).startswith("the system's D-Bus does not let root ask firewalld (getPolicies: Access")

    host.remove()
    assert host.run("firewall-cmd", "--get-active-zones") == bound

    before = host.look().files
    host.setup("cat > /usr/local/bin/busctl << 'EOF'\n%sEOF\nchmod 755 /usr/local/bin/busctl" % STOPS)
    told = host.refused(backend="firewalld")
    assert told.startswith("firewalld went from the D-Bus during this run (getDefaultZone: "), told
    host.setup("rm /usr/local/bin/busctl")
    assert host.look().files == before
    # Somebody wanted it so.
    assert host.says("systemctl", "is-active", "firewalld")[1].strip() == "inactive"

    begin, end = "systemctl mask --now dbus.socket dbus.service", "systemctl unmask dbus.socket dbus.service"
    with while_it_lasts(host, begin, end):
        assert refused(host).startswith("firewalld needs D-Bus, and dbus.socket is masked on this host: unmask it")
    host.role(backend="firewalld")
    assert host.audit()["in_force"]


def test_lockdown(give):
    """firewalld 1.3 takes a reload from anybody under lockdown, and nothing else: a binding would be lost for good."""
    host = give("debian12")
    host.setup("""
        firewall-offline-cmd --set-default-zone=drop
        systemctl start firewalld
        firewall-cmd --zone=internal --change-interface=eth0
        firewall-cmd --remove-lockdown-whitelist-uid=0
        firewall-cmd --lockdown-on
    """)
    assert "ACCESS_DENIED" in host.says("firewall-cmd", "--add-port=1/tcp")[1]
    bound = host.run("firewall-cmd", "--get-active-zones")
    assert "internal" in bound
    assert refused(host).startswith("firewalld is in lockdown, and its whitelist does not name root")
    assert host.run("firewall-cmd", "--get-active-zones") == bound
