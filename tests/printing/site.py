# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of the scenario printing: one server with its printer and its clients, and steps carried out there."""

from __future__ import annotations

import json
import os
import pathlib
import threading
import time
from typing import Dict, Iterable, List, NamedTuple, Optional

from faults.machine import Machine
from faults.machine import Site as Around
from proof import lab

from .steps import BRIEFLY, ONE_AT_A_TIME, PATIENCE, Site, Step

HERE = pathlib.Path(__file__).resolve().parent
KEPT = "/var/spool/kept"
# How to stop each firewall without changing a file of its own.
STOP = {"nftables": [], "firewalld": ["firewalld"], "ufw": ["ufw"]}
# What the three servers have in common: the printer's ippeveprinter, and Avahi on the client.
SHARED = {"printer": threading.Lock(), "avahi": threading.Lock()}
ARRIVES = 8.0


class Outcome(NamedTuple):
    """How a step ended."""

    status: int
    told: str
    seconds: float
    arrived: Optional[bool]  # None where nothing was to be printed

    @property
    def worked(self) -> bool:
        """By its own words and in fact."""
        return self.status == 0 and self.arrived is not False

    @property
    def blocked(self) -> bool:
        """Not the same as not having worked: nothing has got through, and the program knows it."""
        return self.status != 0 and not self.arrived

    def __str__(self) -> str:
        return "status %d, arrived: %s, after %.1f s: %s" % (self.status, self.arrived, self.seconds, self.told)


def read_sites() -> List[Site]:
    """As the scenario has written them down."""
    folder = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
    return [Site(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("printing-*.json"))]


class Server:
    """One print server under test."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.machine = Machine(
            site.backend, site.server, tuple(site.addresses["server"]),
            Around(site.allowed, {role: tuple(ends) for role, ends in site.addresses.items()}),
        )

    def wish(self, without: Iterable = (), more: Iterable[dict] = (), **other) -> dict:
        """The module's options: the scenario's wish, without some rows, with others."""
        left_out = set(without)
        flows = [f for f in self.site.flows if (f["direction"], f["protocol"], f["port"]) not in left_out]
        wish = {
            "backend": self.site.backend, "flows": flows + list(more),
            "default_incoming": "deny", "default_outgoing": "deny",
        }
        return dict(wish, **other)

    def at_once(self, params: dict) -> dict:
        """Bring a wish into force without a confirmation, and say what the module told."""
        outcome = self.machine.module(dict(params, confirm_timeout=0))
        assert outcome.answer is not None and not outcome.failed, outcome.told()
        return outcome.answer

    def off(self) -> None:
        """Nothing of ours, and the firewall stopped."""
        self.at_once({"state": "absent", "backend": self.site.backend})
        for service in STOP[self.site.backend]:
            self.machine.run("systemctl", "stop", service)

    def container(self, step: Step, client: str) -> str:
        return self.site.server if step.where == "server" else client

    def carry_out(
        self, steps: Iterable[Step], client: str = "", hopeless: Optional[Dict[str, Outcome]] = None
    ) -> Dict[str, Outcome]:
        """All steps, those of different lanes at the same time.

        ``hopeless`` are those that are going to fail, as they ended where they work: each gets twice that time.
        """
        wanted = list(steps)
        groups: Dict[str, List[Step]] = {}
        for step in wanted:
            shared = "printer" if step.lane in ONE_AT_A_TIME else "avahi" if step.lane == "avahi" else ""
            groups.setdefault("" if hopeless is not None and shared == "printer" else shared, []).append(step)
        told: Dict[str, list] = {}
        workers = [
            threading.Thread(target=self._group, args=(shared, group, client, hopeless, told))
            for shared, group in groups.items()
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        # A call that failed has said why; without it this is a campaign that cannot go on.
        missing = [step.name for step in wanted if step.name not in told]
        assert not missing, "could not be tried: %s" % missing
        kept = self._wait([told[step.name][3] for step in wanted if step.proof and told[step.name][0] == 0])
        return {
            step.name: Outcome(*told[step.name][:3], told[step.name][3] in kept[step.proof] if step.proof else None)
            for step in wanted
        }

    def _group(
        self, shared: str, steps: List[Step], client: str, hopeless: Optional[Dict[str, Outcome]], told: Dict[str, list]
    ) -> None:
        """One call for each container."""
        plans: Dict[str, Dict[str, list]] = {}
        for step in steps:
            lanes = plans.setdefault(self.container(step, client or self.site.allowed), {})
            # What fails has nothing to wait for in its lane.
            lane = step.name if hopeless is not None and step.lane != "avahi" else step.lane
            seconds = PATIENCE
            if hopeless is not None:
                worked = hopeless.get(step.name)
                seconds = max(BRIEFLY, 2 * worked.seconds if worked else 0)
            lanes.setdefault(lane, []).append([step.name, step.script, seconds])
        for container, plan in plans.items():
            with SHARED[shared] if shared else threading.Lock():
                told.update(json.loads(_perform(container, plan)))

    def _wait(self, sums: List[str]) -> Dict[str, set]:
        """The jobs that are there, once all that were sent have come or will come no more."""
        until = time.monotonic() + ARRIVES
        while True:
            kept = {
                "printer": set(lab.inside(self.site.printer, ["ls", KEPT]).split()),
                "server": set(self.machine.run("ls", KEPT).split()),
            }
            if all(one in kept["printer"] | kept["server"] for one in sums) or time.monotonic() > until:
                return kept
            time.sleep(0.3)


def _perform(container: str, plan: Dict[str, list]) -> str:
    program = (HERE / "perform.py").read_text(encoding="utf-8")
    return lab.inside(container, ["python3", "-", json.dumps(plan)], program)


def start(container: str, name: str, plan: dict):
    """Leave one of our programs running until its stdin is closed; it has said that it is ready."""
    program = (HERE / name).read_text(encoding="utf-8")
    running = lab.subprocess.Popen(
        ["docker", "exec", "-i", container, "python3", "-c", program, json.dumps(plan)],
        stdin=lab.subprocess.PIPE, stdout=lab.subprocess.PIPE, text=True,
    )
    said = running.stdout.readline().strip()
    assert said == "ready", "%s in %s said '%s'" % (name, container, said)
    return running


def finish(running) -> dict:
    """End such a program and give what it told."""
    output, _errors = running.communicate(timeout=lab.PATIENCE)
    return json.loads(output)
