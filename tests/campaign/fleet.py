# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The campaign's own hosts: made and prepared by the playbooks of the scenario ``faults``, under other names."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import Dict, List, NamedTuple, Sequence, Tuple

from faults.machine import ROOT, Site

from .host import Host

FIREWALL, LAB_NUMBER = "campaign", 42
PREFIX = "printfleet-cups-%s-" % FIREWALL
PACKAGES = {
    "nftables": ["nftables", "iptables"], "firewalld": ["firewalld", "iptables", "nftables"], "ufw": ["ufw"],
}
# Two hosts for each backend, one of each release, so that one works while the other waits for an alarm or a boot.
RELEASES = ("debian13", "debian12")


class Lane(NamedTuple):
    """One host, on which one fault is tried after the other."""

    backend: str
    release: str


LANES = tuple(Lane(backend, release) for backend in PACKAGES for release in RELEASES)


def layout(lanes: Sequence[Lane]) -> Dict[str, dict]:
    """Name -> the inventory's variables of each host."""
    return {
        "%s%s-%s" % (PREFIX, lane.backend, lane.release): {
            "image": "printfleet-cups-host:" + lane.release, "lab_octet": 50 + LANES.index(lane),
            "backend": lane.backend, "packages": PACKAGES[lane.backend],
        }
        for lane in lanes
    }


def _play(folder: pathlib.Path, playbook: str) -> None:
    """Run a playbook of the scenarios; raises CalledProcessError, and the output stands in the folder."""
    environment = dict(os.environ, ANSIBLE_GATHERING="explicit", ANSIBLE_PIPELINING="1", ANSIBLE_FORKS="8")
    argv = ["ansible-playbook", "-i", str(folder / "inventory.json"), "-e", "@%s" % (folder / "variables.json")]
    argv.append(str(ROOT / "molecule" / playbook))
    with (folder / "plays.log").open("ab") as log:
        subprocess.run(argv, check=True, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def write(folder: pathlib.Path, lanes: Sequence[Lane]) -> None:
    """What the playbooks want to know."""
    folder.mkdir(parents=True, exist_ok=True)
    hosts = layout(lanes)
    neighbour = {"image": "printfleet-cups-observer:debian13", "lab_octet": 2}
    remote = {"ansible_connection": "community.docker.docker", "ansible_python_interpreter": "/usr/bin/python3"}
    inventory = {
        "servers": {"hosts": hosts, "vars": remote},
        "neighbours": {"hosts": {PREFIX + "neighbour": neighbour}, "vars": remote},
    }
    platforms = [{"name": n, "image": v["image"]} for n, v in {**hosts, PREFIX + "neighbour": neighbour}.items()]
    variables = {
        "firewall": FIREWALL, "lab_number": LAB_NUMBER, "molecule_yml": {"platforms": platforms},
        "molecule_ephemeral_directory": str(folder),
    }
    (folder / "inventory.json").write_text(json.dumps(inventory, indent=1), encoding="utf-8")
    (folder / "variables.json").write_text(json.dumps(variables, indent=1), encoding="utf-8")


def make(folder: pathlib.Path, lanes: Sequence[Lane]) -> None:
    """Make them anew."""
    write(folder, lanes)
    for playbook in ("shared/destroy.yml", "shared/create.yml", "faults/prepare.yml"):
        _play(folder, playbook)


def renew(folder: pathlib.Path, lane: Lane) -> None:
    """One host anew, beside the others."""
    own = folder / ("%s-%s" % lane)
    write(own, [lane])
    for name in layout([lane]):
        subprocess.run(["docker", "rm", "--force", "--volumes", name], check=True, stdout=subprocess.DEVNULL)
    for playbook in ("shared/create.yml", "faults/prepare.yml"):
        _play(own, playbook)


def hosts(lanes: Sequence[Lane]) -> List[Host]:
    """The hosts that ``make`` made."""
    v4, v6 = "198.18.%d." % LAB_NUMBER, "2001:db8:%d::" % LAB_NUMBER
    roles: Dict[str, Tuple[str, str]] = {
        role: (v4 + str(octet), v6 + str(octet))
        for role, octet in (("allowed", 21), ("denied", 22), ("listed", 31), ("unlisted", 32))
    }
    site = Site(PREFIX + "neighbour", roles)
    return [
        Host(told["backend"], name, (v4 + str(told["lab_octet"]), v6 + str(told["lab_octet"])), site)
        for name, told in layout(lanes).items()
    ]


def remove(folder: pathlib.Path) -> None:
    """And away."""
    _play(folder, "shared/destroy.yml")
