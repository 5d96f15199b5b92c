# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is tried on one server, in this order: what works under deny, what does not without a row, and off."""

from __future__ import annotations

import pathlib
import re
import statistics
from typing import Callable, Dict, List, Tuple

from proof import lab

from . import steadiness, steps
from .site import Outcome, Server, finish, start
from .steps import Step

Say = Callable[[str], None]
HERE = pathlib.Path(__file__).resolve().parent
# Whose own rules let multicast in from anyone, ahead of all rules that can be added: there, what others ask the
# printer is overheard, and a service may be found without a question of one's own.
OVERHEARD = {"ufw": (
    "avahi-browse finds the printer", "backend dnssd", "backend dnssd on 8631", "an answer by mDNS' IPv4 group",
)}
# Stock rules that open 631/udp, by each firewall's own means.
STOCK = {
    "nftables": [],
    "firewalld": [["systemctl", "start", "firewalld"], ["firewall-cmd", "--add-service=ipp"]],
    "ufw": [["ufw", "--force", "enable"], ["ufw", "allow", "CUPS"]],
}
BEFORE_STOCK = {"nftables": 0, "firewalld": 1, "ufw": 1}
TIMES = 3
# It cancels a job that it believes to be printed by then: the speed of the host decides what the answer is.
HASTY = "Cancel-Job Operation (completed job)"
TIMED = (("socket", "socket://{v4}:%d/"), ("lpd", "lpd://{v4}/office"), ("ipp", "ipp://{v4}/ipp/print"))
PPD = """*PPD-Adobe: "4.3"
*FormatVersion: "4.3"
*FileVersion: "1.0"
*LanguageVersion: English
*PCFileName: "TEST.PPD"
*Product: "(Test Printer)"
*Manufacturer: "Printfleet"
*ModelName: "Test Printer"
*NickName: "Printfleet Test Printer"
*cupsVersion: 2.2
*cupsSNMPSupplies: True
"""


class Tried:
    """What came of one server."""

    def __init__(self) -> None:
        self.again: bool = False  # whether the same wish, applied once more, changed something
        self.in_force: Dict[str, Outcome] = {}
        self.denied: Dict[str, Outcome] = {}
        self.unlisted: Dict[str, Outcome] = {}
        self.without: Dict[Tuple[str, int], Outcome] = {}  # by step and number of the round
        self.in_queue: Dict[str, Outcome] = {}  # with "auto" for printers
        self.in_no_queue: Dict[str, Outcome] = {}
        self.off: Dict[str, Outcome] = {}
        self.denied_off: Dict[str, Outcome] = {}
        self.conformance: Dict[str, List[Tuple[str, str, str]]] = {}
        self.heard: Dict[str, List[dict]] = {}
        self.steady: steadiness.Steady
        self.times: Dict[Tuple[str, str], float] = {}  # by protocol and what becomes of SNMP: seconds
        self.asked: Dict[str, int] = {}  # by what becomes of SNMP: questions that the printer got
        self.unmeasured: List[str] = []  # jobs that were to be measured and did not arrive


def denied_steps(site: steps.Site) -> List[Step]:
    """What the denied client tries.  What is told to all by multicast is not for the allowed one only."""
    return [step for step in steps.client_steps(site, "denied") if step.name != "avahi-browse"]


def all_steps(site: steps.Site) -> List[Step]:
    return steps.client_steps(site) + steps.server_steps(site)


def controls(site: steps.Site) -> List[Tuple[Step, int]]:
    """Each step, with every round that leaves out a row it needs."""
    return [
        (step, number) for number, left_out in enumerate(steps.ROUNDS) for step in all_steps(site)
        if step.rows & left_out
        and not (left_out & steps.MDNS and step.name in OVERHEARD.get(site.backend, ()))
    ]


def in_no_queue(site: steps.Site) -> List[Step]:
    """What "auto" does not let out."""
    return steps.by_backend(site, steps.IN_NO_QUEUE) + steps.unlisted_steps(site)


def run(server: Server, say: Say) -> Tried:
    """Try it all; raises where it cannot be tried."""
    site, tried = server.site, Tried()
    server.machine.bring_code()
    for container in (site.server, site.allowed, site.denied):
        for program in ("oneshot.py", "group.py"):
            text = (HERE / program).read_text(encoding="utf-8")
            lab.inside(container, ["sh", "-c", "cat >/opt/printing/%s" % program], text)
    server.machine.run("sh", "-c", "cat >/opt/printing/test.ppd", stdin=PPD)
    # The role came by Docker; from here on it is SSH's way in that is kept open, as on a real host.
    server.at_once(server.wish())
    tried.again = server.at_once(server.wish())["changed"]
    tried.in_force = server.carry_out(all_steps(site))
    tried.in_force.update(server.carry_out(steps.queue_steps(site)))
    say("%s: %d steps tried with the rows in force" % (site.backend, len(tried.in_force)))
    tried.denied = server.carry_out(denied_steps(site), site.denied, hopeless=tried.in_force)
    tried.unlisted = server.carry_out(steps.unlisted_steps(site), hopeless={})
    tried.conformance["in force"] = conformance(server)
    tried.heard["in force"] = hear(server)
    for way in ("answered", "off", "silent"):
        measure(server, tried, way)
    say("%s: refusals, conformance and times" % site.backend)
    tried.steady = steadiness.run(server, say)
    for number, left_out in enumerate(steps.ROUNDS):
        server.at_once(server.wish(without=left_out))
        if left_out & steps.MDNS:
            # Avahi remembers for minutes what it has found.
            server.machine.run("systemctl", "restart", "avahi-daemon")
        mine = [step for step, when in controls(site) if when == number]
        ended = server.carry_out(mine, hopeless=tried.in_force)
        tried.without.update({(name, number): outcome for name, outcome in ended.items()})
        if ("out", "udp", "161") in left_out:
            measure(server, tried, "refused")
    say("%s: %d controls without their rows" % (site.backend, len(tried.without)))
    # The last round took mDNS away, by which the module looks up where the printers of dnssd queues are.
    server.at_once(server.wish())
    server.at_once(server.wish(flows=site.auto_flows, queues=True))
    tried.in_queue = server.carry_out(steps.by_backend(site, steps.QUEUES))
    tried.in_no_queue = server.carry_out(in_no_queue(site), hopeless=tried.in_force)
    say("%s: %d with the printers of the queues" % (site.backend, len(tried.in_queue) + len(tried.in_no_queue)))
    server.off()
    tried.off = server.carry_out(all_steps(site) + steps.unlisted_steps(site))
    tried.denied_off = server.carry_out(denied_steps(site), site.denied)
    tried.conformance["off"] = conformance(server)
    stock(server, tried)
    say("%s: %d steps tried with the firewall off" % (site.backend, len(tried.off) + len(tried.denied_off)))
    return tried


def conformance(server: Server) -> List[Tuple[str, str, str]]:
    """CUPS' own IPP/1.1 test suite, asked by the allowed client: each test, what came of it, and why it failed."""
    site = server.site
    told = []
    for address in site.addresses["server"]:
        uri = "ipp://%s:631/printers/kept" % steps.literal(address)
        # It ends with another status than 0 if one of its tests does not pass, with a firewall or without; -I: go on.
        script = "ipptool -t -I -T 20 -f /opt/printing/oneshot.py %s %s/ipp-1.1.test || true" % (uri, steps.IPP_TESTS)
        said = lab.inside(site.allowed, ["sh", "-c", script])
        # What follows a test that did not pass says why.
        found = re.findall(r"^    (\S.*?) *\[(PASS|FAIL|SKIP)\]\n((?:^        .*\n)*)", said, re.M)
        told += [(test, word, why if word == "FAIL" else "") for test, word, why in found if HASTY not in test]
    return told


def hear(server: Server) -> List[dict]:
    """What a listener on 631/udp hears when both clients send to it, by unicast and by broadcast."""
    site = server.site
    listener = start(site.server, "hear.py", {})
    script = (
        "import socket, sys\n"
        "for to in sys.argv[1:]:\n"
        "    s = socket.socket(socket.AF_INET6 if ':' in to else socket.AF_INET, socket.SOCK_DGRAM)\n"
        "    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n"
        "    for number in range(3):\n"
        "        s.sendto(b'0 3 ipp://198.51.100.1/printers/x', (to, 631))\n"
    )
    for client in (site.allowed, site.denied):
        lab.inside(client, ["python3", "-c", script, *site.addresses["server"], site.broadcast])
    lab.inside(site.server, ["sleep", "0.5"])
    return finish(listener)


def stock(server: Server, tried: Tried) -> None:
    """The same listener behind the rules that the distribution brings."""
    commands = STOCK[server.site.backend]
    for command in commands[:BEFORE_STOCK[server.site.backend]]:
        server.machine.run(*command)
    tried.heard["before"] = hear(server) if commands else []
    for command in commands[BEFORE_STOCK[server.site.backend]:]:
        server.machine.run(*command)
    tried.heard["stock"] = hear(server)


def measure(server: Server, tried: Tried, way: str) -> None:
    """How long a job takes, the median of some, and how often the printer is asked by SNMP meanwhile.

    ``way`` is what becomes of the questions: "answered", "off" (the URI says so), "refused" (by the policy that is in
    force), "silent" (they get there, and no answer comes).
    """
    site, wanted = server.site, []
    for protocol, form in TIMED:
        uri = steps.uri_of(site, form % site.long_port if "%d" in form else form)
        script = steps.backend(uri + ("?snmp=off" if way == "off" else ""), "PPD=/opt/printing/test.ppd")
        lane = "631" if protocol == "ipp" else protocol
        wanted += [
            Step("%s %s %d" % (protocol, way, number), "server", script, "printer", frozenset(), lane)
            for number in range(1 if way == "silent" else TIMES)
        ]
    own = site.addresses["server"][0]
    quiet = ["mkdir -p /run/silent; touch /run/silent/%s" % own, "rm /run/silent/%s" % own]
    before = questions(site)
    if way == "silent":
        lab.inside(site.printer, ["sh", "-c", quiet[0]])
    ended = server.carry_out(wanted)
    if way == "silent":
        lab.inside(site.printer, ["sh", "-c", quiet[1]])
    tried.asked[way] = questions(site) - before
    tried.unmeasured += ["%s: %s" % (name, one) for name, one in ended.items() if not one.worked]
    for protocol, _form in TIMED:
        mine = [one.seconds for name, one in ended.items() if name.startswith(protocol + " ")]
        tried.times[(protocol, way)] = statistics.median(mine)


def questions(site: steps.Site) -> int:
    """How many questions by SNMP the printer got from the server so far."""
    script = "touch /var/spool/asked; grep -cFx %s /var/spool/asked || true" % site.addresses["server"][0]
    return int(lab.inside(site.printer, ["sh", "-c", script]))
