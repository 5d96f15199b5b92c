# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The story of the demo, from beginning to end: ``python3 -m demo BACKEND DEBIAN``, called by tools/demo.

Exit status 0 where every packet met what the page says, 1 where one did not or something could not be done,
130 where it was interrupted. In each case nothing is left but the images.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Dict, List

from proof import lab

from . import packets, show
from .packets import Answers, Line, Question
from .play import Play, changes
from .printing import print_page, share_queues
from .stage import Stage

BEGIN = """\
A throwaway print server (Debian %(debian)s, a real cupsd) and a neighbour, on a network
that leads nowhere. The neighbour has four addresses and plays four parts:
  neighbour   may print            printer     the print server's queue prints on it
  stranger    may not              elsewhere   any other machine
Each "open" below is an answer to a packet that was sent, each "closed" is none."""
# What one may wonder about port 22.
SSH = {
    "firewalld": "22/tcp is open: firewalld's zone public has the service ssh from the start, so it stays.",
    "nftables": "22/tcp: Ansible came by Docker here. Where it comes by SSH, that way stays open.",
}
SSH["ufw"] = SSH["nftables"]


def remark(found: Answers, wanted: Answers):
    """What stands behind a line that is not as it should be."""
    def of(line: Line, peer: str) -> str:
        asked = [q for version in packets.VERSIONS for q in packets.questions(line, peer, version)]
        wrong = [q for q in asked if found[q] != wanted[q]]
        return show.colour(" <-- should be %s" % wanted[wrong[0]], "wrong") if wrong else ""
    return of


def differences(found: Answers, wanted: Answers) -> List[Question]:
    return [question for question, answer in wanted.items() if found[question] != answer]


def tell_wrong(what: str, wrong: List[Question], found: Answers) -> None:
    for q in wrong:
        show.say(show.colour("WRONG: %s: %d/%s %s, %s, IPv%d is %s." % (
            what, q.port, q.protocol, q.direction, q.peer, q.version, found[q]), "wrong"))


def look_before(where: Stage, shown: List[Line]) -> Answers:
    show.heading("Before: what reaches the print server")
    before = packets.ask(packets.all_questions(shown), where)
    show.table([line for line in shown if line.direction == "in"], {"before": before}, show.no_remark)
    share = sum(answer == "open" for answer in before.values())
    show.say("Both ways, %d of %d questions are answered: no firewall." % (share, len(before)))
    return before


def apply(play: Play) -> bool:
    show.heading("The play")
    show.indented(play.text())
    show.doing("$ ansible-playbook play.yml")
    show.indented(play.run("play.yml"))
    show.doing("and once more")
    again = changes(play.run("play.yml"))
    show.say("A second run changes %s." % ("nothing" if again == 0 else "%d tasks" % again))
    return again == 0


def look_after(where: Stage, shown: List[Line], before: Answers, play: Play, backend: str) -> List[Question]:
    titles: Dict[int, str] = packets.titles()
    chosen = {1: "chosen: ipp_sharing", 2: "not chosen: smb_sharing",
              3: "chosen: network_printers, by ipp, ipps, lpd, socket; not by smb"}
    show.heading("After: the page's tables, row by row")
    show.doing("send %d packets and wait for answers" % len(before))
    after = packets.ask(sorted(before), where)
    wanted = packets.told_by_page(sorted(before), backend, play.variables, where)
    for table in (1, 2, 3, 0):
        show.say("\n%s" % show.colour(titles.get(table, "Beside the page"), "bold"))
        if table:
            show.say("(%s)" % chosen[table])
        lines = [line for line in shown if line.table == table]
        show.table(lines, {"before": before, "after": after}, remark(after, wanted))
    show.say(SSH[backend])
    wrong = differences(after, wanted)
    tell_wrong("after", wrong, after)
    show.say("%d of %d answers are as the page says." % (len(wanted) - len(wrong), len(wanted)))
    return wrong


def print_through(where: Stage) -> bool:
    show.heading("A page printed through the firewall")
    whole = True
    for version in packets.VERSIONS:
        done = print_page(where, version)
        whole = whole and done.whole
        show.say("neighbour$ %s" % done.command)
        show.indented(done.said)
        form = "%-19s %5d bytes, SHA-256 %s..."
        show.indented(form % ("sent by lp", done.sent_bytes, done.sent_sha256[:32]))
        show.indented(form % ("got by the printer", done.arrived["bytes"], done.arrived["sha256"][:32]))
        show.indented("from %s, port 9100: %s" % (
            done.arrived["from"], "the same page" if done.whole else show.colour("WRONG: not the same page", "wrong")))
    return whole


def remove(where: Stage, before: Answers, play: Play) -> bool:
    show.heading("Removed again")
    show.doing("$ ansible-playbook printfleet.cups.remove")
    play.run("printfleet.cups.remove")
    removed = packets.ask(sorted(before), where)
    wrong = differences(removed, before)
    tell_wrong("after removal", wrong, removed)
    show.say("%d of %d answers are as they were before." % (len(before) - len(wrong), len(before)))
    return not wrong


def tell(backend: str, debian: str) -> bool:
    shown = packets.lines()
    show.heading("printfleet.cups on Debian %s with %s" % (debian, backend))
    show.say(BEGIN % {"debian": debian})
    show.doing("start the containers")
    with Stage("printfleet-cups-demo:debian%s" % debian) as where:
        try:
            share_queues(where)
            before = look_before(where, shown)
            shut = [question for question, answer in before.items() if answer != "open"]
            tell_wrong("before any rule of ours", shut, before)
            if shut:
                show.say("Something else filters between the containers: does this machine filter bridged packets?")
                return False
            play = Play(where, backend)
            show.heading("Install the collection")
            show.doing("build it, and install the tarball into an empty folder")
            show.say("Installed %s." % play.install())
            good = [apply(play), not look_after(where, shown, before, play, backend), print_through(where)]
            good.append(remove(where, before, play))
        finally:
            show.heading("Clean up")
            show.doing("remove the containers and the network; the images stay")
    show.doing("done")
    return all(good)


def stop(*unused: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        good = tell(sys.argv[1], sys.argv[2])
    except KeyboardInterrupt:
        show.say("Interrupted; everything that was started is removed.")
        return 130
    except (lab.LabError, subprocess.SubprocessError) as error:
        show.say(show.colour("The demo could not go on: %s" % error, "wrong"))
        return 1
    show.say("\nAll is as the page says." if good else show.colour("\nNot all is as it should be, see above.", "wrong"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
