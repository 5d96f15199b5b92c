# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller with Ansible that reaches the hosts of the scenario lockout by SSH alone, and may be killed."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Dict, NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
MODULE = "printfleet.cups.cups_firewall"
# Longer than any run takes on a busy machine.
PATIENCE = 300

SSH = """#!/bin/sh
case " $* " in *" -O stop "*) exec %s;; esac
exec ssh "$@"
"""


class Result(NamedTuple):
    """What a run of our module came to on one host; ``told`` is what the module gave, as far as it matters."""

    status: str  # "ok", "failed" or "unreachable"
    says: str
    told: dict


class Run(NamedTuple):
    """A run of Ansible that ended by itself."""

    results: Dict[str, Result]  # by host: the last result of our module, or of the task that failed
    output: str


class Running(NamedTuple):
    """A run of Ansible that goes on."""

    process: "subprocess.Popen[bytes]"
    folder: pathlib.Path


class Controller:
    """Starts Ansible with the inventory that the scenario wrote; ``folder`` is the scenario's own."""

    def __init__(self, folder: pathlib.Path, playbook: pathlib.Path) -> None:
        self._playbook = playbook
        self._inventory = folder / "controller.json"
        self._ssh_config = folder / "ssh_config"
        group = json.loads(self._inventory.read_text(encoding="utf-8"))["servers"]
        self.hosts: Dict[str, dict] = group["hosts"]
        self.neighbour: str = group["vars"]["neighbour"]
        # A socket's path must be short (unix(7), 108 bytes), and the scenario's folder may not be.
        self._sockets = tempfile.mkdtemp(prefix="cups-", dir="/tmp")

    def close(self) -> None:
        """End the connections that ControlPersist keeps, and forget them."""
        for host in self.hosts:
            for path in pathlib.Path(self._sockets).iterdir():
                subprocess.run(["ssh", "-F", str(self._ssh_config), "-O", "exit", "-o", "ControlPath=%s" % path, host],
                               capture_output=True, check=False)
        shutil.rmtree(self._sockets)

    def start(self, variables: dict, *arguments: str) -> Running:
        """Begin to bring the wishes into force."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=self._inventory.parent))
        environment = dict(
            {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))},
            ANSIBLE_COLLECTIONS_PATH=os.environ["ANSIBLE_COLLECTIONS_PATH"],
            ANSIBLE_HOME=str(folder / "home"),
            ANSIBLE_SSH_CONTROL_PATH_DIR=self._sockets,
            ANSIBLE_CALLBACK_PLUGINS=str(HERE.parent / "unit" / "callbacks"),
            ANSIBLE_CALLBACKS_ENABLED="record_results",
            ANSIBLE_FORKS=str(len(self.hosts)),
            ANSIBLE_NOCOLOR="1",
            RECORD_RESULTS=str(folder / "results"),
            LC_ALL="C.UTF-8",
        )
        argv = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "-i", str(self._inventory)]
        argv += ["--extra-vars", json.dumps(variables), *arguments, str(self._playbook)]
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
        return Running(process, folder)

    def finish(self, running: Running) -> Run:
        """Wait for the end."""
        running.process.wait(PATIENCE)
        path = running.folder / "results"
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        results = {
            record["host"]: Result(record["status"], record["says"], record["told"])
            for record in records if record["action"] == MODULE or record["status"] != "ok"
        }
        return Run(results, (running.folder / "output").read_text(encoding="utf-8", errors="replace"))

    def run(self, variables: dict, *arguments: str) -> Run:
        """Bring the wishes into force."""
        return self.finish(self.start(variables, *arguments))

    def kill(self, running: Running) -> None:
        """End all its processes by SIGKILL, as the machine's own end would.

        Ansible's workers are in sessions of their own, and so is what ControlPersist leaves behind: they are known
        by the environment that they have from it.
        """
        mark = b"RECORD_RESULTS=%s\0" % str(running.folder / "results").encode()
        running.process.kill()
        while _kill_marked(mark):
            time.sleep(0.02)
        running.process.wait()

    def login(self, host: str) -> str:
        """Log in over a connection of its own and say who came in; raises CalledProcessError."""
        argv = ["ssh", "-F", str(self._ssh_config), "-o", "ControlPath=none", "-o", "ConnectTimeout=10", host, "id -un"]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout.strip()

    def jump(self, host: str) -> str:
        """The container by which Ansible reaches the host, "" for none."""
        return self.hosts[host]["jump"]

    def other(self, host: str) -> str:
        """A container from which Ansible does not come to that host, "" for the controller itself."""
        return "" if self.jump(host) else self.neighbour

    def comes_from(self, host: str) -> str:
        """The address by which the host sees Ansible."""
        return self.hosts[host]["seen_as"]

    def ssh(self, instead: str) -> str:
        """The path of an ssh that runs something else when it is told to end a connection."""
        path = pathlib.Path(self._sockets) / ("ssh-" + instead.replace(" ", "-"))
        path.write_text(SSH % instead, encoding="utf-8")
        path.chmod(0o755)
        return str(path)


def _kill_marked(mark: bytes) -> int:
    """Kill all processes with that word in their environment; gives how many there were."""
    found = 0
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)
                found += 1
        except OSError:
            continue  # it has ended, or is another user's
    return found
