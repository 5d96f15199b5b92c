# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With all that is ours gone, and after a reboot: open as when it was fresh. So this is the control as well."""

from __future__ import annotations

import json
import os
import pathlib

from proof import ports, snapshot

testinfra_hosts = ["ansible://servers"]


def test_every_probe_arrives(server, sweeps):
    """So a probe that did not arrive before was kept back by the firewall, and by nothing else."""
    wanted, found = sweeps[server]
    told = [ports.difference(wanted[key], found[key]) for key in wanted]
    assert not any(told), told


def test_rules_are_those_of_the_fresh_host(server):
    """Nothing of ours comes back at boot, and no firewall starts with rules."""
    path = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "fresh-%s.json" % server)
    fresh = json.loads(path.read_text(encoding="utf-8"))
    # The package of ufw enables ufw.service, which then runs at boot and does nothing, as ufw.conf says.
    unlike = {"files": {}, "services": {}}
    told = snapshot.compare({**fresh, **unlike}, {**snapshot.take(server), **unlike})
    assert not told, "\n".join(told)


def test_nothing_is_known_of_us(host):
    """Neither to our own eyes nor on the disk."""
    assert host.ansible("printfleet.cups.cups_firewall_info", check=True)["backend"] == ""
    assert not host.file("/var/lib/printfleet-cups").exists
