# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host itself says of the rules in force, as testinfra asks it."""

from __future__ import annotations

import pytest
from proof import plan

testinfra_hosts = ["ansible://servers"]
STATE = "/var/lib/printfleet-cups"


@pytest.fixture(scope="module")
def info(host):
    """What cups_firewall_info tells; check mode, since it changes nothing anyway."""
    return host.ansible("printfleet.cups.cups_firewall_info", check=True)


def test_in_force(info, stage):
    """The right firewall holds our rules, files and kernel alike."""
    assert info["backend"] == stage.firewall
    assert info["in_force"], info["difference"]


def test_rows_are_the_pages(info, stage):
    """Each row that the page and the wishes name is among those in force."""
    wanted = {
        (row.direction, row.protocol, "%d-%d" % (min(row.ports), max(row.ports)) if len(row.ports) > 1 else
         str(min(row.ports))) for row in plan.rows(stage)
    }
    found = {
        (row["direction"], row["protocol"], row["port"]) for row in info["rows"]
        if row["side"] == "destination" and not row["row"].startswith("baseline")
    }
    assert found == wanted


def test_state_is_roots_own(host):
    """Nobody else writes there, or reads addresses out of it."""
    folder, file = host.file(STATE), host.file(STATE + "/state.json")
    assert (folder.user, folder.mode & 0o022) == ("root", 0)
    assert (file.user, file.mode) == ("root", 0o600)


def test_everything_runs(host):
    """No unit failed, at boot or since."""
    assert host.run("systemctl is-system-running").stdout.strip() == "running"


# How each firewall is asked for what it has names for; the rules of nftables carry the row as comment.
ASK = {
    "firewalld": "for file in $(grep -l printfleet.cups /etc/firewalld/services/*.xml); do"
                 " firewall-cmd --verbose --info-service=$(basename -s .xml $file) || exit 1; done",
    "ufw": "sed -n 's/^\\[\\(.*\\)\\]$/\\1/p' /etc/ufw/applications.d/printfleet-cups |"
           " while read -r name; do ufw app info \"$name\" </dev/null || exit 1; done",
    "nftables": "nft list table inet printfleet_cups",
}


def test_a_person_can_read_what_is_open(host, info, stage):
    """The firewall's own programs tell each row by name, and firewalld and ufw what it is for."""
    said = host.run(ASK[stage.firewall])
    assert said.rc == 0, said.stderr
    # ufw breaks its lines where they are full.
    told = " ".join(said.stdout.split())
    rows = [
        row["row"] for row in info["rows"] if row["side"] == "destination" and "baseline" not in row["row"]
        # Where nothing is refused, nftables needs no rule to let it out.
        and (stage.firewall, stage.stage, row["direction"]) != ("nftables", "keep", "out")
    ]
    assert rows
    for name in rows:
        assert name in told, said.stdout
    if stage.firewall != "nftables":
        assert "Clients print to this host by IPP" in told, said.stdout
        assert "Kept closed: cups-browsed up to 2.0.1 took printers from anyone here" in told, said.stdout
