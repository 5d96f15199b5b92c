# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the demo plays: one network that leads nowhere, a print server and its neighbour, gone in the end."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import Dict, List, NamedTuple

from proof import lab

LABEL = "printfleet.cups.demo"
PREFIX = "printfleet-cups-demo"
INTERFACE = "eth0"
# Whose a container is: this process on this machine, since several may share one engine.
OWNER = "%s/%d" % (socket.gethostname(), os.getpid())
# What systemd wants of a container; measured with the systemd of both releases.
MACHINE = [
    "--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs", "/run", "--tmpfs", "/tmp",
    "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW", "--cap-add", "SYS_ADMIN",
    "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
]
# The parts that the addresses of the demo's network play, by their last part: the print server, who may
# print, who may not, the printer of its queue, and any other machine.
PARTS = {"server": 2, "neighbour": 33, "stranger": 66, "printer": 129, "elsewhere": 201}
PATIENCE = 60


class Address(NamedTuple):
    """One part's two addresses."""

    v4: str
    v6: str

    def version(self, number: int) -> str:
        return self.v4 if number == 4 else self.v6


class Stage:
    """Used with "with": whatever happens inside, nothing of it is left in the end but the images."""

    def __init__(self, image: str) -> None:
        self.image = image
        self.name = "%s-%d" % (PREFIX, os.getpid())
        self.server = self.name + "-server"
        self.neighbour = self.name + "-neighbour"
        self.addresses: Dict[str, Address] = {}
        self.sources: List[str] = []
        self._folder = tempfile.TemporaryDirectory(prefix=self.name + "-")
        self.folder = pathlib.Path(self._folder.name)

    def __enter__(self) -> "Stage":
        try:
            sweep_leftovers()
            self._build()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *unused: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Containers first: a network that is in use stays. A second Ctrl-C shall not leave a half of it."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for kind in (["rm", "--force", "--volumes", self.server, self.neighbour], ["network", "rm", self.name]):
            subprocess.run(["docker", *kind], capture_output=True, check=False)
        self._folder.cleanup()

    def _build(self) -> None:
        self._network()
        self._start(self.server, "server", "print-server", MACHINE, [])
        # The neighbour adds addresses to itself, and plays all the other parts with them.
        self._start(self.neighbour, "neighbour", "neighbour", ["--cap-add", "NET_ADMIN"], ["sleep", "infinity"])
        for part in ("stranger", "printer", "elsewhere"):
            self._add(self.addresses[part])
        self._wait("systemd in the print server", ["systemctl", "is-active", "--quiet", "multi-user.target"])
        self._wait("cupsd", ["lpstat", "-r"])
        for container in (self.server, self.neighbour):
            # IPv6 addresses are of use once nobody else on the link has claimed them (RFC 4862, section 5.4).
            self._wait("the addresses", ["sh", "-c", "! ip -6 address show tentative | grep -q inet6"], container)

    def _network(self) -> None:
        """198.18.0.0/15 is for tests of networks (RFC 2544), 2001:db8::/32 for examples (RFC 3849)."""
        for step in range(20):
            number = (os.getpid() + step) % 254 + 1
            subnets = ["198.19.%d.0/24" % number, "2001:db8:19:%x::/64" % number]
            options = ["--internal", "--ipv6", "--label", "%s=%s" % (LABEL, OWNER)]
            for subnet in subnets:
                options += ["--subnet", subnet]
            done = subprocess.run(
                ["docker", "network", "create", *options, self.name], capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                self.addresses = {
                    part: Address("198.19.%d.%d" % (number, host), "2001:db8:19:%x::%x" % (number, host))
                    for part, host in PARTS.items()
                }
                self.sources = ["198.19.%d.32/28" % number, "2001:db8:19:%x::20/124" % number]
                return
            if "overlap" not in done.stderr.lower():
                raise lab.LabError("Docker made no network for the demo: %s" % done.stderr.strip())
        raise lab.LabError("Docker found no free network in 198.19.0.0/16 for the demo.")

    def _start(self, container: str, part: str, hostname: str, options: List[str], command: List[str]) -> None:
        address = self.addresses[part]
        lab.run([
            "docker", "run", "--detach", "--name", container, "--hostname", hostname, "--network", self.name,
            "--ip", address.v4, "--ip6", address.v6, "--label", "%s=%s" % (LABEL, OWNER), *options,
            self.image, *command,
        ])

    def _add(self, address: Address) -> None:
        """A further address of the neighbour, and not one that it speaks from unless told to."""
        lab.inside(self.neighbour, ["ip", "address", "add", address.v4 + "/24", "dev", INTERFACE])
        lab.inside(self.neighbour, [
            "ip", "address", "add", address.v6 + "/64", "dev", INTERFACE, "preferred_lft", "0", "nodad",
        ])

    def _wait(self, what: str, command: List[str], container: str = "") -> None:
        until = time.monotonic() + PATIENCE
        argv = ["docker", "exec", container or self.server, *command]
        while True:
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            if time.monotonic() > until:
                raise lab.LabError(
                    "After %d s, %s is still not ready: %s%s" % (PATIENCE, what, done.stdout, done.stderr)
                )
            time.sleep(0.3)


def sweep_leftovers() -> None:
    """Remove what a run left that was killed before it could clean up: its process is no more."""
    for kind, remove in (("ps", ["rm", "--force", "--volumes"]), ("network", ["network", "rm"])):
        listing = ["docker", "ps", "--all"] if kind == "ps" else ["docker", "network", "ls"]
        form = '{{.ID}} {{.Label "%s"}}' % LABEL
        for line in lab.run([*listing, "--filter", "label=" + LABEL, "--format", form]).splitlines():
            identity, owner = line.split()
            host, unused, process = owner.rpartition("/")
            if host == socket.gethostname() and not alive(process):
                subprocess.run(["docker", *remove, identity], capture_output=True, check=False)
    for folder in pathlib.Path(tempfile.gettempdir()).glob(PREFIX + "-*"):
        if not alive(folder.name[len(PREFIX) + 1:].split("-")[0]):
            shutil.rmtree(folder, ignore_errors=True)


def alive(process: str) -> bool:
    return pathlib.Path("/proc", process).exists()
