# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all cases have in common: the controller, pictures of the hosts, and who gets an answer from SSH."""

from __future__ import annotations

import json
import os
import pathlib
import sys
import time
from typing import Dict, Sequence

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
# The proof's own tools lie there, and are no part of the collection.
sys.path.insert(0, str(ROOT / "tests"))

from proof import greeting, lab, snapshot, trial  # noqa: E402
from proof.controller import Controller  # noqa: E402

FOLDER = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
HOSTS = tuple(json.loads((FOLDER / "controller.json").read_text(encoding="utf-8"))["servers"]["hosts"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes a server is made for each of them."""
    if "server" in metafunc.fixturenames:
        metafunc.parametrize("server", HOSTS, ids=firewall)


def firewall(host: str) -> str:
    """The end of a host's name: which firewall it has."""
    return host.rsplit("-", 1)[-1]


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest):
    """Say something while one waits."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print("\n%s  %s" % (time.strftime("%H:%M:%S"), text), flush=True)

    return say


@pytest.fixture(scope="session")
def controller():
    """Ansible, over SSH."""
    made = Controller(FOLDER, ROOT / "molecule" / "shared" / "over_ssh.yml")
    yield made
    made.close()


@pytest.fixture(scope="session")
def pictures():
    """Take pictures of all hosts."""
    return lambda: trial.on_all(snapshot.take, HOSTS)


@pytest.fixture(scope="session")
def answers(controller):
    """Ask which hosts' SSH servers answer a new connection, by the way that Ansible comes or from somewhere else."""
    def ask(host: str, who: str) -> bool:
        address, port = controller.hosts[host]["address"], controller.hosts[host]["ssh_port"]
        if who:
            told = lab.inside(who, ["python3", "-", address, str(port)], lab.tool("greeting.py"))
        else:
            told = greeting.greeting(address, port)
        return told.strip().startswith("SSH-2.0-")

    def asked(by_others: bool = False, hosts: Sequence[str] = HOSTS) -> Dict[str, bool]:
        who = controller.other if by_others else controller.jump
        return trial.on_all(lambda host: ask(host, who(host)), hosts)

    return asked


@pytest.fixture(scope="session")
def cut_off(controller):
    """Bring wishes into force, and kill each host's controller when the change is made and before it comes back."""
    def one(host: str, variables: dict) -> None:
        hanging = {"ansible_ssh_executable": controller.ssh("sleep 600")}
        running = controller.start({**variables, **hanging}, "--limit", host)
        try:
            trial.begun(host)
            trial.made(host)
        finally:
            controller.kill(running)

    return lambda variables, hosts=HOSTS: trial.on_all(lambda host: one(host, variables), hosts)


@pytest.fixture(scope="session")
def before():
    """How the hosts were when the administrator had set up their firewalls."""
    return {host: json.loads((FOLDER / ("before-%s.json" % host)).read_text(encoding="utf-8")) for host in HOSTS}


@pytest.fixture
def same():
    """Compare two pictures."""
    def compare(was: dict, now: dict) -> None:
        told = snapshot.compare(was, now)
        assert not told, "\n".join(told)

    return compare


@pytest.fixture(scope="session")
def restart():
    """Cut the power of all hosts, or switch them off in order, and on again."""
    def all_of_them(how: str) -> None:
        lab.run(["docker", how, *HOSTS])
        lab.run(["docker", "start", *HOSTS])
        trial.on_all(lambda host: lab.inside(host, ["sh", "-c", STARTED]), HOSTS)

    return all_of_them


# systemctl can ask only once systemd listens.
STARTED = "until [ -S /run/systemd/private ]; do sleep 0.1; done; systemctl is-system-running --wait"
