# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break and mend a real print server, ask the info module, and try it from next door: python -m agreement DEBIAN.

Every finding is held against the world: where it says that nobody can print, the neighbour, who is let in by the
firewall, really gets no page; and once it is mended, the finding is gone and the neighbour gets one.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Iterator, List

from demo import play, stage
from proof import lab

from . import access

INFO = """\
- hosts: print_servers
  gather_facts: false
  tasks:
    - printfleet.cups.cups_firewall_info:
      register: told
    - ansible.builtin.copy:
        dest: "{{ playbook_dir }}/findings.json"
        content: "{{ told.findings | to_json }}"
        mode: "0600"
      delegate_to: localhost
      vars: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""
STOCK = "/usr/share/cups/cupsd.conf.default"
CONF = "/etc/cups/cupsd.conf"
LOCAL, REFUSED, OTHER = "for this host itself only", "403 Forbidden", "8631/tcp, which no row opens"
DEAF, STOPPED, CVE = "has not read this file since", "cupsd does not run", "CVE-2024-47176"
WORLD = "the firewall's doing alone"
KNOWN = (LOCAL, REFUSED, OTHER, DEAF, STOPPED, CVE, WORLD)
OPEN_WORLD = "s/^Listen localhost:631/Port 631/; 0,/Order allow,deny/s//Order allow,deny\\n  Allow all/"
UDP = "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 631)); time.sleep(600)"


class Trial:
    """A print server, its neighbour, and what is said of it."""

    def __init__(self, where: stage.Stage, played: play.Play) -> None:
        self.where, self.played = where, played
        (played.folder / "info.yml").write_text(INFO, encoding="utf-8")

    def shell(self, script: str) -> None:
        lab.inside(self.where.server, ["sh", "-ec", script])

    def restart(self) -> None:
        self.shell("systemctl restart cups.service")

    def answers(self, port: int = 631) -> List[str]:
        """What the neighbour gets over IPv4 and IPv6: a status of HTTP, or the error's name."""
        server = self.where.addresses["server"]
        argument = json.dumps([[host, port, "/printers/"] for host in (server.v4, server.v6)])
        return json.loads(lab.inside(self.where.neighbour, ["python3", "-", argument], access.ASK))

    def expect(self, step: str, said: List[str], got: List[str], port: int = 631) -> None:
        """The findings say these of all the KNOWN words, and the neighbour gets that."""
        self.played.run("info.yml")
        findings = json.loads((self.played.folder / "findings.json").read_text(encoding="utf-8"))
        told = [word for word in KNOWN if any(word in finding["what"] for finding in findings)]
        answers = self.answers(port)
        print("%-50s %s %s" % (step, told, answers))
        assert told == said, (told, said, findings)
        assert answers == got, (answers, got)

    @contextlib.contextmanager
    def listener(self) -> Iterator[None]:
        """Something on 631/udp."""
        self.shell("systemd-run --quiet --unit=listener python3 -c \"%s\"; sleep 1" % UDP)
        try:
            yield
        finally:
            self.shell("systemctl stop listener.service")


PAGE, NO_PAGE, SILENT = ["200"] * 2, ["ConnectionRefusedError"] * 2, ["TimeoutError"] * 2


def findings(trial: Trial) -> None:
    """The steps."""
    trial.shell("cp %s %s" % (STOCK, CONF))
    trial.restart()
    first = trial.played.run("play.yml")
    assert LOCAL in first and CONF + ", line " in first, first
    again = trial.played.run("play.yml")
    assert LOCAL not in again and play.changes(again) == 0, again
    trial.expect("Debian's own file", [LOCAL], NO_PAGE)
    trial.shell("cupsctl --share-printers; sleep 1")
    trial.expect("cupsctl --share-printers", [], PAGE)
    trial.shell("sed '%s' %s > %s" % (OPEN_WORLD, STOCK, CONF))
    trial.restart()
    trial.expect("open to the world", [WORLD], PAGE)
    with trial.listener():
        trial.expect("a listener on 631/udp", [CVE, WORLD], PAGE)
    trial.expect("it has ended", [WORLD], PAGE)
    trial.shell("sed -i '/Allow all/d' %s" % CONF)
    trial.restart()
    trial.expect("nobody is allowed", [REFUSED], ["403"] * 2)
    trial.shell("sed -i 's/^Port 631/Port 8631/; 0,/Order allow,deny/s//Order deny,allow/' %s" % CONF)
    trial.restart()
    trial.expect("Port 8631", [OTHER], NO_PAGE)
    assert trial.answers(8631) == SILENT
    trial.shell("sed -i 's/^Port 8631/Port 631/' %s" % CONF)
    trial.expect("Port 631, and not restarted", [DEAF, WORLD], NO_PAGE)
    trial.restart()
    trial.expect("restarted", [WORLD], PAGE)
    trial.shell("systemctl stop cups.service cups.socket cups.path")
    trial.expect("stopped", [STOPPED, WORLD], NO_PAGE)
    trial.shell("systemctl start cups.socket cups.path cups.service")
    trial.expect("started", [WORLD], PAGE)


def main() -> int:
    stage.PREFIX = "printfleet-cups-agreement"
    with stage.Stage("printfleet-cups-demo:debian" + sys.argv[1]) as where:
        played = play.Play(where, "nftables")
        played.install()
        trial = Trial(where, played)
        findings(trial)
        compared = access.compare(where)
    print("Who gets 403: %d answers of a real cupsd are what was foretold." % compared)
    return 0


if __name__ == "__main__":
    sys.exit(main())
