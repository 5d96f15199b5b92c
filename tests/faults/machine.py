# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host that faults are tried on: run the module there, look at the host, knock at its ports."""

from __future__ import annotations

import io
import itertools
import json
import pathlib
import re
import secrets
import subprocess
import tarfile
import time
from typing import Dict, List, NamedTuple, Optional, Tuple

import ansible
from proof import lab, snapshot

CODE = "/opt/faults/code"
LOG = "/opt/faults/steps.log"
ALARM = "printfleet-cups-undo"
TRIAL = "/var/lib/printfleet-cups/trial"
STATE = "/var/lib/printfleet-cups/state.json"
ROOT = pathlib.Path(__file__).resolve().parents[2]
# A change keeps its alarm so long that it rings only where a fault wants it to.
LONG = 300
KILLED = 137
STOPPED = 124


class Site(NamedTuple):
    """Who is on the network: addresses by role, each (IPv4, IPv6)."""

    neighbour: str
    addresses: Dict[str, Tuple[str, str]]


class Picture(NamedTuple):
    """A host as it is: files by path (see proof.files), the kernel's rules, and what systemd says of the firewalls."""

    files: Dict[str, list]
    kernel: str
    services: str

    def differences(self, other: "Picture") -> List[str]:
        """One message for each; empty where the two are the same."""
        told = [snapshot.told_file(path, *pair) for path, pair in snapshot.changes(self.files, other.files).items()]
        if self.kernel != other.kernel:
            told.append("the kernel's rules differ:\n" + snapshot.difference(self.kernel, other.kernel))
        if self.services != other.services:
            told.append("services: %s, %s" % (self.services, other.services))
        return told


class Outcome(NamedTuple):
    """How a run of the module ended; ``answer`` is what it told, None where it came to tell nothing."""

    status: int
    answer: Optional[dict]
    errors: str

    @property
    def failed(self) -> bool:
        return self.answer is not None and bool(self.answer.get("failed"))

    @property
    def cookie(self) -> str:
        return (self.answer or {}).get("confirmation", "")

    def told(self) -> str:
        """For a person."""
        return "status %d, %s %s" % (self.status, json.dumps(self.answer)[:900], self.errors[-900:])


class Machine:
    """A container with a firewall, and the neighbour who prints on it."""

    def __init__(self, backend: str, name: str, ends: Tuple[str, str], site: Site) -> None:
        self.backend, self.name, self.ends, self.site = backend, name, ends, site
        self._ports = itertools.count(50000)

    # --- run --------------------------------------------------------------------------------------------------

    def run(self, *argv: str, stdin: str = "") -> str:
        """A program that has to succeed."""
        return lab.inside(self.name, argv, stdin)

    def shell(self, script: str) -> str:
        """A script that has to succeed."""
        return self.run("sh", "-ec", script)

    def says(self, *argv: str) -> Tuple[int, str]:
        """Status and output of a program that may fail."""
        done = subprocess.run(["docker", "exec", self.name, *argv], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def start(
        self, params: dict, at: int = 0, how: str = "kill", clock: float = 0, program: str = "",
        argument: str = "", wrap: Tuple[str, ...] = (), module: str = "", words: str = "",
    ) -> "subprocess.Popen[str]":
        """Start a run of the module (or of ``program``), see runner.py."""
        plan = {
            "code": CODE, "params": params, "program": program, "argument": argument, "at": at, "how": how, "log": LOG,
            "clock": clock, "module": module, "words": words,
        }
        # This is what sshd puts there: by it the module knows whom it must not lock out, and which connection is new.
        connection = "%s %d %s 22" % (self.site.addresses["allowed"][0], next(self._ports), self.ends[0])
        argv = ["docker", "exec", "-e", "SSH_CONNECTION=" + connection, self.name, *wrap]
        argv += ["/usr/bin/python3", "-B", "/opt/faults/runner.py", json.dumps(plan)]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def ended(running: "subprocess.Popen[str]") -> Outcome:
        """Wait for it."""
        output, errors = running.communicate(timeout=lab.PATIENCE)
        return Outcome(running.returncode, read_answer(output), errors)

    def module(self, params: dict, **options) -> Outcome:
        """Run the module to its end."""
        return self.ended(self.start(params, **options))

    def apply(self, params: dict, seconds: int = LONG) -> Outcome:
        """A plain run, as a play makes it: the change, then its confirmation by another run where one is due."""
        outcome = self.propose(params, seconds)
        assert outcome.answer is not None and not outcome.failed, outcome.told()
        if outcome.cookie:
            settled = self.confirm(outcome.cookie)
            assert (settled.answer or {}).get("outcome") == "settled", settled.told()
        return outcome

    def propose(self, params: dict, seconds: int, **options) -> Outcome:
        """The change, on trial for so many seconds."""
        return self.module(dict(params, confirm_timeout=seconds, confirmation=secrets.token_hex(8)), **options)

    def confirm(self, cookie: str, **options) -> Outcome:
        """Its confirmation over a new connection."""
        return self.module({"confirmation": cookie, "confirm": "anew"}, **options)

    def steps(self) -> List[str]:
        """What the last run did, step by step."""
        return self.run("cat", LOG).splitlines()

    def bring_code(self) -> None:
        """Put the module there, with what of Ansible it needs."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            utils = pathlib.Path(ansible.__file__).parent / "module_utils"
            names = {"ansible/module_utils": utils}
            for part in ("module_utils", "modules"):
                names["ansible_collections/printfleet/cups/plugins/" + part] = ROOT / "plugins" / part
            for name, folder in names.items():
                archive.add(folder, name, filter=lambda i: None if "__pycache__" in i.name else i)
            # As in Ansible's own wrapper, whose "ansible" is an empty package.
            archive.addfile(tarfile.TarInfo("ansible/__init__.py"))
            archive.add(pathlib.Path(__file__).parent / "runner.py", "../runner.py")
        lab.run(["docker", "exec", self.name, "mkdir", "-p", CODE])
        subprocess.run(
            ["docker", "exec", "-i", self.name, "tar", "-x", "-P", "-C", CODE], input=packed.getvalue(), check=True
        )

    # --- look -------------------------------------------------------------------------------------------------

    def look(self) -> Picture:
        """The host as it is now.  A trial that waits is no part of it: that belongs to the run."""
        listed = json.loads(lab.inside_python(self.name, "files.py", json.dumps(snapshot.FOLDERS)))
        files = {
            path: entry for path, entry in listed.items()
            if not snapshot.VOLATILE.fullmatch(path) and not path.startswith(TRIAL)
        }
        kernel = self.shell("nft --stateless list ruleset; iptables-save; ip6tables-save")
        shown = self.run("systemctl", "show", "--property=Id,ActiveState,UnitFileState", *(s + ".service" for s in (
            "nftables", "firewalld", "ufw", "printfleet-cups-firewall"
        )))
        return Picture(files, in_order(snapshot.plain(kernel)), " ".join(shown.split()))

    def knock(self, *asked: Tuple[str, int]) -> Dict[str, str]:
        """Connect from the neighbour's addresses by role to ports, over both families; gives each one's outcome."""
        told = json.loads(lab.inside_python(self.site.neighbour, "connect.py", self.doors(*asked)))
        return {name: outcome for name, (outcome, _seconds) in told.items()}

    def doors(self, *asked: Tuple[str, int]) -> str:
        """The same as connect.py wants to be told."""
        return json.dumps([
            ["%s %d v%d" % (role, port, 4 if family == 0 else 6), "tcp", self.site.addresses[role][family], 0,
             self.ends[family], port]
            for role, port in asked for family in (0, 1)
        ])

    def must_serve(self, closed: bool = False) -> None:
        """Printing and the way in work now, each by a new connection that really gets its answer.

        With ``closed``, also: who is not among the sources cannot print.  The others are the control for that.
        """
        told = self.knock(("allowed", 631), ("allowed", 22), *((("denied", 631),) if closed else ()))
        wrong = {name: end for name, end in told.items() if end != ("silent" if "denied" in name else "answered")}
        assert not wrong, wrong

    # --- power and alarm --------------------------------------------------------------------------------------

    def cut_power(self) -> None:
        """Every process gone at once, and what was in memory; the kernel's rules go with the network namespace."""
        lab.run(["docker", "kill", "--signal", "KILL", self.name])

    def power_on(self, until_active: str = "foreign.service") -> None:
        """Boot, and wait for the end of it."""
        lab.run(["docker", "start", self.name])
        until = time.monotonic() + 60
        while self.says("systemctl", "is-active", "--quiet", until_active)[0] != 0:
            assert time.monotonic() < until, self.says("systemctl", "list-units", "--failed")[1]
            time.sleep(0.5)
        self.says("systemctl", "is-system-running", "--wait")
        self.run("ip", "-6", "neigh", "flush", "all")

    def waits(self) -> bool:
        """Whether a change is on trial, or is just being taken back."""
        return self.says("test", "-e", TRIAL + "/armed", "-o", "-e", TRIAL + "/undoing")[0] == 0

    def has_alarm(self) -> bool:
        """Whether an alarm is set or rings."""
        shown = self.run("systemctl", "list-units", "--plain", "--no-legend", ALARM + "-*")
        return ALARM in shown

    def wait_for_alarm(self, seconds: float) -> None:
        """Until the trial is over by itself."""
        until = time.monotonic() + seconds
        while self.waits():
            assert time.monotonic() < until, self.says("journalctl", "-n", "20", "--no-pager", "-u", ALARM + "-*")[1]
            time.sleep(0.3)


def read_answer(output: str) -> Optional[dict]:
    """The module's answer, None where there is none, or where it was cut off."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    try:
        return json.loads(lines[-1]) if lines else None
    except ValueError:
        return None


def in_order(kernel: str) -> str:
    """Tables stand in the order in which they were made, which says nothing: what decides is their hooks' priority."""
    parts = re.split(r"(?m)^(?=table |\*)", kernel)
    return "".join(sorted(part if part.endswith("\n") else part + "\n" for part in parts))
