# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How firewalld and ufw stand on a host, by the words of systemd and by ufw's own settings."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import (
    ACTIVE,
    DISABLED,
    MASKED,
    MISSING,
    OUSTED,
    STOPPED,
    Result,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld import Firewalld
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw import Ufw


class Host:
    """Has these programs; systemd says ``shown`` of the units."""

    def __init__(self, *programs, shown=""):
        self.programs, self.shown, self.calls = programs, shown, []

    def program(self, name):
        return "/usr/sbin/" + name if name in self.programs else None

    def run(self, argv, stdin=None):
        del stdin
        self.calls.append(argv)
        return Result(0, self.shown, "")


def shown(state, file_state, nftables="inactive", conflicts="shutdown.target nftables.service"):
    return (
        "Id=firewalld.service\nActiveState=%s\nUnitFileState=%s\nConflicts=%s\n\n"
        "Id=nftables.service\nActiveState=%s\nUnitFileState=disabled\n" % (state, file_state, conflicts, nftables)
    )


@pytest.mark.parametrize("told, stands", [
    (shown("active", "enabled"), ACTIVE),
    (shown("active", "disabled"), ACTIVE),
    (shown("reloading", "enabled"), ACTIVE),
    (shown("inactive", "enabled"), STOPPED),
    (shown("failed", "enabled"), STOPPED),
    (shown("inactive", "enabled", nftables="active"), OUSTED),
    (shown("inactive", "enabled", nftables="active", conflicts="shutdown.target"), STOPPED),
    (shown("inactive", "disabled", nftables="active"), DISABLED),
    (shown("failed", "disabled"), DISABLED),
    (shown("inactive", "masked"), MASKED),
    (shown("inactive", "masked-runtime"), MASKED),
    (shown("inactive", ""), DISABLED),
])
def test_firewalld_in_one_call(told, stands):
    host = Host("systemctl", "firewall-cmd", shown=told)
    assert Firewalld(host).standing() == stands
    assert len(host.calls) == 1


def test_firewalld_that_is_not_installed_costs_no_call():
    host = Host("systemctl")
    assert Firewalld(host).standing() == MISSING and not host.calls


@pytest.mark.parametrize("programs, conf, stands", [
    (("ufw",), "ENABLED=yes\n", ACTIVE),
    (("ufw",), "ENABLED=no\n", DISABLED),
    (("ufw",), None, DISABLED),
    ((), "ENABLED=yes\n", MISSING),
])
def test_ufw_by_its_own_settings(tmp_path, programs, conf, stands):
    if conf is not None:
        (tmp_path / "etc/ufw").mkdir(parents=True)
        (tmp_path / "etc/ufw/ufw.conf").write_text(conf, encoding="utf-8")
    host = Host(*programs)
    assert Ufw(host, str(tmp_path)).standing() == stands and not host.calls
