# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host that was set up by others: run their script, the role's module and the audit's, and knock at its ports."""

from __future__ import annotations

import itertools
import json
import pathlib
import re
import time
from typing import Dict, List, Tuple

import yaml
from ansible_collections.printfleet.cups.plugins.filter.device_uris import device_uris
from ansible_collections.printfleet.cups.plugins.filter.flows import flows
from faults.machine import LONG, Machine, Outcome, Site, in_order
from proof import lab

ROOT = pathlib.Path(__file__).resolve().parents[2]
INFO = "ansible_collections.printfleet.cups.plugins.modules.cups_firewall_info"
TABLES = yaml.safe_load((ROOT / "roles/cups_firewall/defaults/main.yml").read_text(encoding="utf-8"))[
    "cups_firewall_tables"
]
# As in molecule/shared/create.yml.
OPTIONS = (
    "--cap-add=NET_ADMIN", "--cap-add=NET_RAW", "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--cgroupns=host", "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
    "--tmpfs=/run", "--tmpfs=/tmp",
)
NETWORK = "printfleet-cups-found"
_NUMBERS = itertools.count(100)


def params(site: Site, **variables) -> dict:
    """The module's options for the role's variables without their prefix; one source, ``allowed``, unless given."""
    chosen = {"sources": list(site.addresses["allowed"]), "printers": [], "profiles": ["ipp_sharing"], **variables}
    names = ("profiles", "printer_protocols", "sources", "printers", "extra_flows")
    made = flows(TABLES, **{name: chosen.pop(name) for name in names if name in chosen and name != "printers"},
                 printers=chosen["printers"])
    found = device_uris(chosen.pop("printers"), variables.get("profiles", ["ipp_sharing"]))
    return {"flows": made, **found, **chosen}


class Host(Machine):
    """A container that is started for one test and removed after it.

    The packages of all three firewalls are installed, none of them is active or enabled.  ``options`` are those of
    docker run; ``--no-ipv6`` gives it no IPv6 address.
    """

    def __init__(self, release: str, site: Site, *options: str) -> None:
        number = next(_NUMBERS)
        v4, v6 = (site.addresses["allowed"][family] for family in (0, 1))
        ends = ("%s.%d" % (v4.rpartition(".")[0], number), "%s:%d" % (v6.rpartition(":")[0], number))
        if "--no-ipv6" in options:
            ends = (ends[0], "")
        super().__init__("", "%s-%s-%d" % (NETWORK, release, number), ends, site)
        addresses = ["--network=" + NETWORK, "--ip=" + ends[0]]
        addresses += ["--ip6=" + ends[1]] if ends[1] else []
        options = tuple(option for option in options if option != "--no-ipv6")
        lab.run([
            "docker", "run", "--detach", "--name", self.name, "--hostname", self.name, *OPTIONS, *addresses, *options,
            "printfleet-cups-found:" + release,
        ])

    def wait(self) -> None:
        """Until it has booted; a unit that failed is no matter here."""
        until = time.monotonic() + 60
        while self.says("test", "-S", "/run/systemd/private")[0] != 0:
            assert time.monotonic() < until, "%s does not start" % self.name
            time.sleep(0.1)
        self.says("systemctl", "is-system-running", "--wait")

    def close(self) -> None:
        """Remove it."""
        lab.run(["docker", "rm", "--force", "--volumes", self.name])

    def setup(self, script: str) -> str:
        """What somebody else did to the host: a shell script that has to succeed; gives its output."""
        return self.shell(script)

    def case(self, name: str) -> str:
        """The same with a script from ``tests/found/cases``."""
        return self.setup((ROOT / "tests/found/cases" / (name + ".sh")).read_text(encoding="utf-8"))

    def role(self, check: bool = False, **variables) -> dict:
        """What the role does: the change and its confirmation; gives the module's answer and fails where that does.

        ``variables`` are those of the role without their prefix, see ``params``.
        """
        if check:
            outcome = self.try_role(check=True, **variables)
            assert outcome.answer is not None and not outcome.failed, outcome.told()
            return outcome.answer
        outcome = self.apply(params(self.site, **variables))
        assert outcome.answer is not None
        return outcome.answer

    def try_role(self, check: bool = False, seconds: int = LONG, **variables) -> Outcome:
        """The change alone, which may fail, or wait for a confirmation."""
        asked = dict(params(self.site, **variables), _ansible_check_mode=check, _ansible_diff=True)
        return self.propose(asked, seconds)

    def refused(self, check: bool = False, **variables) -> str:
        """The sentence with which the module fails."""
        outcome = self.try_role(check=check, **variables)
        assert outcome.failed, outcome.told()
        return str((outcome.answer or {})["msg"])

    def remove(self) -> dict:
        """The role with ``absent``."""
        outcome = self.apply({"state": "absent"})
        assert outcome.answer is not None
        return outcome.answer

    def audit(self) -> dict:
        """What the info module says; it must never fail."""
        outcome = self.module({}, module=INFO)
        assert outcome.answer is not None and not outcome.failed, outcome.told()
        return outcome.answer

    def reboot(self) -> None:
        """Switch it off and on in order."""
        lab.run(["docker", "restart", "--time", "30", self.name])
        self.wait()

    def reached(self, *asked: Tuple[str, str]) -> Dict[str, str]:
        """Who reaches which port: ``("allowed", "631/tcp")`` gives ``{"allowed 631/tcp v4": "answered", ...}``.

        Something that answers listens on each port meanwhile, on both of the host's addresses; "silent" and
        "refused" are the other outcomes.
        """
        ends = [end for end in self.ends if end]
        doors = sorted({port for _role, port in asked})
        listeners = [[port.split("/")[1], end, int(port.split("/")[0])] for port in doors for end in ends]
        plan = [
            ["%s %s v%d" % (role, port, family), port.split("/")[1], self.site.addresses[role][family == 6], 0,
             end, int(port.split("/")[0])]
            for role, port in asked for family, end in zip((4, 6), ends)
        ]
        with lab.start_python(self.name, "listen.py", json.dumps(listeners)) as listening:
            said = (listening.stdout.readline() if listening.stdout else "").strip()
            assert said == "ready", "%s does not listen: %s" % (self.name, said)
            told = json.loads(lab.inside_python(self.site.neighbour, "connect.py", json.dumps(plan)))
            listening.communicate()
        return {name: outcome for name, (outcome, _seconds) in told.items()}

    def reaches(self, role: str, port: str) -> Dict[str, str]:
        """Whether this host reaches a port of the neighbour's address by role, by family, as in ``reached``."""
        number, protocol = int(port.split("/")[0]), port.split("/")[1]
        far = self.site.addresses[role]
        plan = [
            ["v%d" % family, protocol, end, 0, there, number]
            for family, end, there in zip((4, 6), self.ends, far)
        ]
        with lab.start_python(
            self.site.neighbour, "listen.py", json.dumps([[protocol, there, number] for there in far])
        ) as listening:
            said = (listening.stdout.readline() if listening.stdout else "").strip()
            assert said == "ready", "the neighbour does not listen: %s" % said
            told = json.loads(lab.inside_python(self.name, "connect.py", json.dumps(plan)))
            listening.communicate()
        return {name: outcome for name, (outcome, _seconds) in told.items()}

    def rules(self) -> str:
        """All rules of the kernel as three programs list them, without counters and times, tables by name.

        Empty tables and chains are part of it.
        """
        listed = self.shell("nft --stateless list ruleset; iptables-save; ip6tables-save")
        return in_order(re.sub(r"(?m)^#.*\n| \[\d+:\d+\]$", "", listed))


def warnings(told: dict) -> List[str]:
    """The sentences of a module's answer, as former and present versions of ansible-core return them."""
    return [one if isinstance(one, str) else one["event"]["msg"] for one in told.get("warnings") or ()]


def open_to(told: Dict[str, str], role: str, port: str) -> bool:
    """Whether ``reached`` says that the port answered over each family that was tried."""
    mine = [outcome for name, outcome in told.items() if name.startswith("%s %s v" % (role, port))]
    assert mine, "%s %s was not asked: %s" % (role, port, told)
    assert len(set(mine)) == 1, "the families differ: %s" % told
    return mine[0] == "answered"


class Hosts:
    """Starts hosts, the next one of a kind ahead of time, since a boot takes as long as a test."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ready: Dict[str, Host] = {}
        self._given: List[Host] = []

    def give(self, release: str, *options: str) -> Host:
        """A host that has booted, with our code on it."""
        host = self._ready.pop(release, None) if not options else None
        host = host or Host(release, self._site, *options)
        if not options:
            self._ready[release] = Host(release, self._site)
        self._given.append(host)
        host.wait()
        host.bring_code()
        return host

    def take_back(self) -> None:
        """Remove those that were given."""
        while self._given:
            self._given.pop().close()

    def close(self) -> None:
        """Remove all."""
        for host in self._ready.values():
            host.close()
        self._ready = {}


def site_of(path: pathlib.Path) -> Site:
    """Read what the scenario's preparation wrote."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return Site(told["neighbour"], {role: tuple(ends) for role, ends in told["addresses"].items()})
