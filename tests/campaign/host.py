# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of the campaign: the same as in the scenario ``faults``, but reached by lines that stay open."""

from __future__ import annotations

import io
import pathlib
import subprocess
import tarfile
import time
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from faults.machine import LOG, TRIAL, Machine, Outcome, Picture, Site, in_order, read_answer
from proof import lab, snapshot

from .link import Cut, Link

HERE = pathlib.Path(__file__).parent
SERVICES = ["nftables.service", "firewalld.service", "ufw.service", "printfleet-cups-firewall.service"]
FAR = 100000.0  # seconds by which a clock is fast, so that every trial is over


def accepts_in_order(kernel: str) -> str:
    """Rules that accept, one right behind the other, may stand in any order: firewalld itself has none in its sets."""
    lines, accepts = [], []  # type: List[str], List[str]
    for line in [*kernel.splitlines(), ""]:
        if line.endswith(" accept"):
            accepts.append(line)
        else:
            lines += [*sorted(accepts), line]
            accepts = []
    return "\n".join(lines)


class Going(NamedTuple):
    """A run that goes on, and the line that it was started by."""

    link: Link
    pid: int


class Host(Machine):
    """Everything goes through three lines: two logins by SSH that the module tells apart, and one to the neighbour."""

    def __init__(self, backend: str, name: str, ends: Tuple[str, str], site: Site) -> None:
        super().__init__(backend, name, ends, site)
        client = site.addresses["allowed"][0]
        self._change = Link(name, "%s 50001 %s 22" % (client, ends[0]))
        self._confirm = Link(name, "%s 50002 %s 22" % (client, ends[0]))
        self._neighbour = Link(site.neighbour)
        self.sessions: List[int] = []

    def bring_code(self) -> None:
        """The module, and our own programs beside it."""
        super().bring_code()
        self._bring(self.name, [HERE / "server.py", HERE / "strike.py", pathlib.Path(lab.__file__).parent / "files.py"])

    def bring_to_neighbour(self) -> None:
        """He needs the server only."""
        self._bring(self.site.neighbour, [HERE / "server.py"])

    @staticmethod
    def _bring(container: str, paths: Sequence[pathlib.Path]) -> None:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path in paths:
                archive.add(path, path.name)
        lab.run(["docker", "exec", container, "mkdir", "-p", "/opt/faults"])
        argv = ["docker", "exec", "-i", container, "tar", "-x", "-C", "/opt/faults"]
        subprocess.run(argv, input=packed.getvalue(), check=True)

    def close(self) -> None:
        """Hang up everywhere."""
        for link in (self._change, self._confirm, self._neighbour):
            link.close()

    # --- run --------------------------------------------------------------------------------------------------

    def says(self, *argv: str) -> Tuple[int, str]:
        """Status and output of a program that may fail."""
        told = self._change.ask(do="run", argv=list(argv), stdin="")
        return told["status"], told["output"] + told["errors"]

    def run(self, *argv: str, stdin: str = "") -> str:
        """A program that has to succeed."""
        told = self._change.ask(do="run", argv=list(argv), stdin=stdin)
        if told["status"] != 0:
            words = " ".join(argv)[:300]
            raise lab.LabError("'%s' failed with status %d: %s" % (words, told["status"], told["errors"]))
        return told["output"]

    def begin(self, plan: dict, second: bool = False) -> Going:
        """Start a run, see strike.py; ``second`` is the login by which a change is confirmed."""
        link = self._confirm if second else self._change
        pid = link.ask(do="start", plan=dict(plan, log=LOG))["pid"]
        self.sessions.append(pid)
        return Going(link, pid)

    def stopped(self, going: Going) -> Optional[Outcome]:
        """Wait for it: its outcome, or None where it stands still."""
        told = going.link.ask(do="wait", pid=going.pid)
        if told.get("stopped"):
            return None
        return Outcome(told["status"], read_answer(told["output"]), told["errors"])

    def do(self, plan: dict, second: bool = False) -> Outcome:
        """A run to its end."""
        outcome = self.stopped(self.begin(plan, second))
        assert outcome is not None, "a run that should go on stands still"
        return outcome

    def module(self, params: dict, **options) -> Outcome:
        """As the machine's; the confirmation is the one that comes by the second login."""
        return self.do(dict(options, params=params), second=bool(params.get("confirm")))

    def undo(self, cookie: str, **options) -> Outcome:
        """The alarm's own program, with a clock that is fast."""
        return self.do(dict(options, params={}, program=TRIAL + "/undo.py", arguments=[cookie], hurry=FAR))

    def struck(self) -> str:
        """The step that the last run was struck at, "" where it never came there."""
        return next((step for step in self.steps() if " STRUCK " in step), "")

    def calm(self, seconds: float = 40) -> None:
        """Wait for what dead runs have started and left behind."""
        until = time.monotonic() + seconds
        while True:
            left = self._change.ask(do="left", sessions=self.sessions)["left"]
            if not left:
                self.sessions = []
                return
            assert time.monotonic() < until, "still running: %s" % left
            time.sleep(0.1)

    def systemd_answers(self, seconds: float = 30) -> None:
        """Wait for a systemd that is told to load itself anew, and meanwhile answers nobody."""
        until = time.monotonic() + seconds
        while self.says("systemctl", "list-jobs")[0] != 0:
            assert time.monotonic() < until, self.says("systemctl", "list-jobs")[1]
            time.sleep(0.1)

    # --- look -------------------------------------------------------------------------------------------------

    def look(self) -> Picture:
        """As the machine's."""
        told = self._change.ask(do="look", folders=snapshot.FOLDERS, services=SERVICES)
        for part in ("kernel", "services"):
            assert told[part]["status"] == 0, told[part]["errors"]
        files = {
            path: entry for path, entry in told["files"].items()
            if not snapshot.VOLATILE.fullmatch(path) and not path.startswith(TRIAL)
        }
        kernel = accepts_in_order(in_order(snapshot.plain(told["kernel"]["output"])))
        return Picture(files, kernel, " ".join(told["services"]["output"].split()))

    def knock(self, *asked: Tuple[str, int]) -> Dict[str, str]:
        """As the machine's."""
        told = self.knocking(*asked)
        return self.knocked(told)

    def knocking(self, *asked: Tuple[str, int]) -> int:
        """Begin to knock, so that something else can be done meanwhile."""
        plan = self.doors(*asked)
        return self._neighbour.ask(do="start", python=lab.tool("connect.py"), arguments=[plan])["pid"]

    def knocked(self, pid: int) -> Dict[str, str]:
        """What came of it."""
        told = self._neighbour.ask(do="wait", pid=pid)
        answer = read_answer(told["output"])
        assert answer is not None, told
        return {name: outcome for name, (outcome, _seconds) in answer.items()}

    # --- power ------------------------------------------------------------------------------------------------

    def cut_power(self) -> None:
        """Every process gone at once."""
        super().cut_power()
        self._change.close()
        self._confirm.close()
        self.sessions = []

    def bare_boot(self, seconds: float) -> None:
        """Boot, and lose the power again after so long."""
        lab.run(["docker", "start", self.name])
        time.sleep(seconds)
        self.cut_power()

    def power_on(self) -> None:
        """Boot, and wait for the end of it."""
        lab.run(["docker", "start", self.name])
        until = time.monotonic() + 90
        while True:
            try:
                told = self.says("systemctl", "is-active", "foreign.service", "services.service")[1]
                if told.split() == ["active", "active"]:
                    break
            except Cut:
                pass
            assert time.monotonic() < until, self.says("systemctl", "list-units", "--failed")[1]
            time.sleep(0.3)
        self.says("systemctl", "is-system-running", "--wait")
        self.run("ip", "-6", "neigh", "flush", "all")
