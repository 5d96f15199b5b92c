# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo asks of the network, what the page says to it, and what the packets say."""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

from proof import expected, lab, page, traffic

from . import stage

PAGE = pathlib.Path(__file__).resolve().parent.parent / "firewalls.html"
HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = (4, 6)
# Who stands at the other end: first the one that is listed, then one that is not.
PEERS = {"in": ("neighbour", "stranger"), "out": ("printer", "elsewhere")}
# The print server's own cupsd listens there, nothing of ours.
CUPSD = ("in", "tcp", 631)


class Line(NamedTuple):
    """One line of what is shown: a row of the page for one protocol and direction, or a port beside the page."""

    table: int  # 0: not in the page
    port: str
    service: str
    protocol: str
    direction: str
    ports: Tuple[int, ...]


class Question(NamedTuple):
    """Does this port answer this peer (in), or this peer's port the print server (out)?"""

    direction: str
    protocol: str
    port: int
    peer: str
    version: int


Answers = Dict[Question, str]  # "open", "closed", or "half": the packet arrived and no answer came back


def _beside(port: int, protocol: str, direction: str, service: str) -> Line:
    return Line(0, str(port), service, protocol, direction, (port,))


BESIDE = [
    _beside(22, "tcp", "in", "SSH"),
    _beside(80, "tcp", "in", "HTTP"),
    _beside(515, "tcp", "in", "LPD"),
    _beside(631, "udp", "in", "browsing"),
    _beside(8631, "tcp", "in", ""),
    _beside(9100, "tcp", "in", "AppSocket"),
    _beside(25, "tcp", "out", "SMTP"),
    _beside(80, "tcp", "out", "HTTP"),
    _beside(123, "udp", "out", "NTP"),
    _beside(9103, "tcp", "out", ""),
]


def titles() -> Dict[int, str]:
    """The captions of the page's tables."""
    found = re.findall(r"<caption>(Table (\d):.*?)</caption>", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return {int(number): " ".join(title.split()) for title, number in found}


def rows() -> List[page.Row]:
    return page.read(PAGE.read_text(encoding="utf-8"))


def lines() -> List[Line]:
    """All of the page, and then the ports beside it."""
    return [
        Line(
            row.table, "-".join(str(port) for port in sorted({row.ports[0], row.ports[-1]})),
            "/".join(sorted(row.services)), row.protocol, row.direction, row.ports,
        )
        for row in rows()
    ] + BESIDE


def questions(line: Line, peer: str, version: int) -> List[Question]:
    return [Question(line.direction, line.protocol, port, peer, version) for port in line.ports]


def all_questions(shown: List[Line]) -> List[Question]:
    return sorted({
        question for line in shown for peer in PEERS[line.direction] for version in VERSIONS
        for question in questions(line, peer, version)
    })


def told_by_page(asked: List[Question], backend: str, variables: Mapping[str, Any], where: stage.Stage) -> Answers:
    """What must be found under deny in both directions: the chosen rows are open to their peers, nothing else.

    What the backend's own distribution opens by a rule stands, which the proof's list of them names.
    """
    wanted = expected.openings(rows(), variables)
    stands = expected.HOST_DENY[backend]

    def is_open(question: Question) -> bool:
        address = where.addresses[question.peer].version(question.version)
        return any(
            (rule.direction, rule.protocol) == (question.direction, question.protocol) and question.port in rule.ports
            and (rule.covers(address) if isinstance(rule, expected.Opening) else question.version in rule.versions)
            for rule in [*wanted, *stands]
        )

    return {question: "open" if is_open(question) else "closed" for question in asked}


def ask(asked: List[Question], where: stage.Stage) -> Answers:
    """Send all the packets. Listeners live on the other side for as long as this takes."""
    mine = [question for question in asked if question[:3] != CUPSD]
    incoming = [question for question in mine if question.direction == "in"]
    outgoing = [question for question in mine if question.direction == "out"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        parts = [
            pool.submit(_carry, incoming, where, where.neighbour, where.server),
            pool.submit(_carry, outgoing, where, where.server, where.neighbour),
            pool.submit(_ask_cupsd, [question for question in asked if question[:3] == CUPSD], where),
        ]
        return {question: answer for part in parts for question, answer in part.result().items()}


def _carry(asked: List[Question], where: stage.Stage, sender: str, receiver: str) -> Answers:
    probes = {}
    for question in asked:
        server = where.addresses["server"].version(question.version)
        peer = where.addresses[question.peer].version(question.version)
        ends = (peer, server) if question.direction == "in" else (server, peer)
        probes[question] = traffic.Probe(question.protocol, ends[0], ends[1], question.port)
    outcomes = traffic.carry(list(probes.values()), sender, receiver, neighbour_sends=sender == where.neighbour)
    return {question: _word(outcomes[probe]) for question, probe in probes.items()}


def _word(outcome: traffic.Outcome) -> str:
    if outcome.arrived:
        return "open" if outcome.told == "answered" else "half"
    return "closed" if outcome.told != "answered" else "half"


def _ask_cupsd(asked: List[Question], where: stage.Stage) -> Answers:
    """The same of port 631, where an answer in HTTP is asked of cupsd itself."""
    plan = [
        [where.addresses[question.peer].version(question.version), where.addresses["server"].version(question.version)]
        for question in asked
    ]
    program = (HERE / "ask_cupsd.py").read_text(encoding="utf-8")
    said = json.loads(lab.inside(where.neighbour, ["python3", "-", json.dumps(plan)], program))
    return dict(zip(asked, said))
