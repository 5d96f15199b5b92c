# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manager that holds our rules was stopped, switched off, removed or joined by another: what ``auto`` does."""

from __future__ import annotations

import pytest
from found.host import Host, open_to, warnings

PORTS = (("allowed", "631/tcp"), ("denied", "631/tcp"), ("allowed", "22/tcp"))
STARTED = "firewalld: it holds our rules, is enabled and does not run: it is started now"
SWITCHED_OFF = (
    "cups_firewall_backend: auto: our rules are held by %s, which is %s: set cups_firewall_backend to 'nftables' to "
    "move them there, or to '%s'%s"
)


def guarded(host: Host) -> None:
    """Those who may print can, others can't, SSH gets in, and the audit agrees; the allowed are the control."""
    told = host.reached(*PORTS)
    # The opening of SSH is for the address by which Ansible came, which is one of IPv4.
    assert open_to(told, "allowed", "631/tcp") and told["allowed 22/tcp v4"] == "answered", told
    assert not open_to(told, "denied", "631/tcp"), told
    assert host.audit()["in_force"]


def untouched(host: Host, **variables) -> str:
    """The role refuses with ``auto``, in check mode as well, and touches nothing; gives the sentence."""
    before = host.look()
    said = host.refused(check=True, **variables)
    assert host.refused(**variables) == said
    assert not before.differences(host.look()) and not host.waits() and not host.has_alarm()
    return said


def does_as_predicted(host: Host, backend: str, **variables) -> list:
    """The role with ``auto`` changes, says in check mode what it will, and changes nothing after it."""
    predicted = host.role(check=True, **variables)
    told = host.role(**variables)
    assert (predicted["changed"], predicted["backend"]) == (told["changed"], told["backend"]) == (True, backend)
    assert warnings(predicted) == warnings(told)
    assert not host.role(**variables)["changed"]
    return warnings(told)


def test_firewalld_stopped(host):
    """It is started again, as the next boot would do; before that nobody is refused, which is the control."""
    host.setup("systemctl enable --now firewalld")
    wish = {"default_incoming": "deny"}
    host.role(**wish)
    guarded(host)
    host.setup("systemctl stop firewalld")
    assert open_to(host.reached(*PORTS), "denied", "631/tcp")
    assert [cause["id"] for cause in host.audit()["drift"]] == ["firewalld-stopped"]
    assert any(one.startswith(STARTED) for one in does_as_predicted(host, "firewalld", **wish))
    guarded(host)
    host.reboot()
    guarded(host)
    assert not host.role(**wish)["changed"]


def test_a_firewalld_that_was_started_again_and_is_not_confirmed(give):
    """As where it cuts SSH: the host takes it back, and is as before."""
    host = give("debian13")
    host.setup("systemctl enable --now firewalld")
    host.role()
    host.setup("systemctl stop firewalld")
    before = host.look()
    assert not host.try_role(seconds=5).failed
    host.wait_for_alarm(30)
    assert not before.differences(host.look())


def test_firewalld_stopped_by_nftables(give):
    """firewalld 1.3 and nftables.service exclude each other: whichever starts empties the other's rules."""
    host = give("debian12")
    host.setup("systemctl enable --now firewalld")
    host.role()
    host.setup("systemctl start nftables; ! systemctl is-active firewalld")
    said = untouched(host)
    assert said == (
        "cups_firewall_backend: auto: our rules are held by firewalld, which is enabled, but does not run since "
        "nftables.service, which excludes it, is in use: set cups_firewall_backend to 'nftables' to move them there, "
        "or to 'firewalld' to start it all the same")
    told = warnings(host.role(backend="nftables"))
    assert any(one.startswith("firewalld: it is enabled and only stopped: once it is started") for one in told), told
    guarded(host)
    host.reboot()
    # systemd started firewalld, nftables.service was never enabled.
    assert any(one["where"] == "firewalld" for one in host.audit()["findings"])
    does_as_predicted(host, "firewalld")
    guarded(host)
    host.reboot()
    guarded(host)


@pytest.mark.parametrize("host", ["debian13"], indirect=True)
def test_firewalld_disabled_and_masked(host):
    """Nobody but the administrator knows what is meant; both ways that the sentence names work."""
    host.setup("systemctl enable --now firewalld")
    host.role()
    host.setup("systemctl disable --now firewalld")
    assert untouched(host) == SWITCHED_OFF % ("firewalld", "switched off", "firewalld", " to switch it on again")
    host.setup("systemctl mask firewalld")
    assert untouched(host) == SWITCHED_OFF % ("firewalld", "masked", "firewalld", " once it is unmasked")
    host.setup("systemctl unmask firewalld")
    host.role(backend="firewalld")
    guarded(host)
    host.setup("systemctl disable --now firewalld")
    host.role(backend="nftables")
    guarded(host)
    assert not host.role()["changed"]
    host.reboot()
    guarded(host)


@pytest.mark.parametrize("default", ["keep", "deny"])
@pytest.mark.parametrize("order", ["ufw disable", "ufw --force reset"])
def test_ufw_switched_off(give, order, default):
    """Refused with a sentence; both ways that it names work, and hold after a boot."""
    host = give("debian12" if default == "keep" else "debian13")
    host.setup("ufw allow 22/tcp; ufw --force enable")
    wish = {"default_incoming": default}
    host.role(**wish)
    guarded(host)
    host.setup(order)
    assert untouched(host, **wish) == SWITCHED_OFF % ("ufw", "switched off", "ufw", " to switch it on again")
    assert open_to(host.reached(*PORTS), "denied", "631/tcp")
    backend = "nftables" if default == "keep" else "ufw"
    host.role(backend=backend, **wish)
    guarded(host)
    assert not host.role(**wish)["changed"]
    host.reboot()
    guarded(host)


def test_another_manager_came(give):
    """auto goes with the one that is active, and says so; then that one is removed."""
    host = give("debian13")
    host.role()
    host.setup("ufw allow 22/tcp; ufw --force enable")
    told = host.reached(*PORTS)
    assert not open_to(told, "allowed", "631/tcp"), told
    said = does_as_predicted(host, "ufw")
    assert any(one.startswith("nftables: our rules move from it to ufw, which is active on this host") for one in said)
    guarded(host)
    host.setup("ufw disable; systemctl enable --now firewalld")
    said = does_as_predicted(host, "firewalld")
    assert any(one.startswith("ufw: our rules move from it, which is switched off, to firewalld") for one in said)
    guarded(host)
    host.setup("DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 purge firewalld")
    said = does_as_predicted(host, "nftables")
    assert any(one.startswith("firewalld: our rules move from it, which is not installed any more, to") for one in said)
    guarded(host)
    host.reboot()
    guarded(host)
