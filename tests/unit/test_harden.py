# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook harden asks who may print, before it goes to a host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parent
HOSTS = {
    "unset": {},
    "anyone": {"cups_firewall_sources": []},
    "office": {"cups_firewall_sources": ["192.0.2.0/24"]},
    "mapping": {"cups_firewall_sources": {"ipp_sharing": ["192.0.2.0/24"]}},
}


@pytest.fixture(scope="module")
def last(tmp_path_factory):
    """The last result of each host. No host has a Python, so that nothing is done on any of them."""
    folder = tmp_path_factory.mktemp("harden")
    inventory = {"print_servers": {"hosts": HOSTS, "vars": {
        "ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": str(folder / "none"),
    }}}
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    environment = dict(
        os.environ, ANSIBLE_HOME=str(folder / "home"), ANSIBLE_CALLBACK_PLUGINS=str(HERE / "callbacks"),
        ANSIBLE_CALLBACKS_ENABLED="record_results", RECORD_RESULTS=str(folder / "results"), LC_ALL="C.UTF-8",
    )
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.yml", "printfleet.cups.harden"],
        cwd=str(folder), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )
    assert (folder / "results").exists(), done.stdout.decode("utf-8", "replace")
    records = [json.loads(line) for line in (folder / "results").read_text(encoding="utf-8").splitlines()]
    return {record["host"]: record for record in records}


def test_without_sources_it_asks_for_them(last):
    assert (last["unset"]["action"], last["unset"]["status"]) == ("ansible.builtin.assert", "failed")
    assert last["unset"]["says"].startswith("cups_firewall_sources is not set in the inventory")


@pytest.mark.parametrize("host", ["anyone", "office", "mapping"])
def test_with_them_it_goes_on(last, host):
    # The control: it comes as far as the module, for which there is no Python.
    assert (last[host]["action"], last[host]["status"]) == ("printfleet.cups.cups_firewall", "failed")
