# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each release of ansible-core installs the collection, and takes the servers through all that there is to be done."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
import time
from typing import Dict, NamedTuple

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
# The proof's own tools lie there, and are no part of the collection.
sys.path.insert(0, str(ROOT / "tests"))

from proof import lab, wishes  # noqa: E402

FOLDER = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
SERVERS = json.loads((FOLDER / "inventory.json").read_text(encoding="utf-8"))["servers"]["hosts"]
CONTROLLER = "printfleet-cups-controllers-controller"
WANTED = (ROOT / "requirements" / "controllers.txt").read_text(encoding="utf-8")
RELEASES = re.findall(r"^ansible-core==(\S+)$", WANTED, re.M)
MODULE = "printfleet.cups.cups_firewall"

GOOD = {**wishes.within(120, wishes.GOOD), "cups_firewall_backend": "{{ firewall }}"}
# What is done, in this order: the role's variables, and more arguments.
RUNS = {
    "check": (GOOD, ["--check", "--diff"]),
    "apply": (GOOD, ["--diff"]),
    "again": (GOOD, []),
    "bad value": ({**GOOD, "cups_firewall_sources": ["198.18.41.0/33"]}, []),
    "cut": ({**wishes.CUT, "cups_firewall_backend": "{{ firewall }}"}, []),
    "remove": ({**GOOD, **wishes.REMOVED}, []),
}


class Run(NamedTuple):
    """One run of Ansible: by server the last result of our module or of the task that failed, and what it printed."""

    results: Dict[str, dict]
    output: str


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test for each release, and for each server that it asks for."""
    if "release" in metafunc.fixturenames:
        metafunc.parametrize("release", RELEASES, scope="module")
    if "server" in metafunc.fixturenames:
        metafunc.parametrize("server", list(SERVERS), ids=[told["firewall"] for told in SERVERS.values()])


@pytest.fixture(scope="module")
def said(release: str, request: pytest.FixtureRequest) -> str:
    """What the release says of itself, once the collection is installed for it from the tarball."""
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("\n%s  ansible-core %s" % (time.strftime("%H:%M:%S"), release), flush=True)
    install = "ansible galaxy collection install --offline -p /opt/releases/%s/collections" % release
    _python(release, "-m", *install.split(), "/opt/controller/tarball/" + _tarball())
    return _python(release, "-m", "ansible", "adhoc", "--version")


@pytest.fixture(scope="module")
def runs(release: str, said: str) -> Dict[str, Run]:
    """All that is done with the servers."""
    assert release in said
    return {name: _run(release, variables, arguments) for name, (variables, arguments) in RUNS.items()}


def _tarball() -> str:
    (found,) = (FOLDER / "tarball").glob("printfleet-cups-*.tar.gz")
    return found.name


def _run(release: str, variables: dict, arguments: list) -> Run:
    argv = ["-m", "ansible", "playbook", "-i", "/opt/controller/inventory.json", "--extra-vars", json.dumps(variables)]
    lab.inside(CONTROLLER, ["rm", "-f", "/opt/controller/results"])
    # A run that is to fail ends with a status of its own; what was recorded tells whether it did.
    output = _python(release, *argv, *arguments, "/opt/controller/over_ssh.yml", ends="true")
    records = [json.loads(line) for line in lab.inside(CONTROLLER, ["cat", "/opt/controller/results"]).splitlines()]
    results = {
        record["host"]: record for record in records if record["action"] == MODULE or record["status"] != "ok"
    }
    return Run(results, output)


def _python(release: str, *arguments: str, ends: str = "false") -> str:
    home = "/opt/releases/%s" % release
    environment = {
        "PYTHONPATH": home,
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_COLLECTIONS_PATH": home + "/collections",
        "ANSIBLE_HOME": home + "/home",
        "ANSIBLE_CALLBACK_PLUGINS": "/opt/controller",
        "ANSIBLE_CALLBACKS_ENABLED": "record_results",
        "ANSIBLE_NOCOLOR": "1",
        "RECORD_RESULTS": "/opt/controller/results",
        "LC_ALL": "C.UTF-8",
        "HOME": "/root",
    }
    words = ["%s=%s" % item for item in environment.items()]
    return lab.inside(CONTROLLER, ["sh", "-c", '"$@" 2>&1 || ' + ends, "sh", "env", *words, "python3", *arguments])
