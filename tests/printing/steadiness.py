# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is interrupted and nothing refused while the role is applied again and again."""

from __future__ import annotations

import time
from typing import Callable, Dict, List, NamedTuple

from proof import lab

from . import steps
from .site import KEPT, Server, finish, start

APPLICATIONS = 20
PORT = 8632  # greet.py listens there
RATE = 250
LEAST_RATE = 200
RAIN_PORT = 8641
RAIN_RATE = 5000
LEAST_RAIN = 1000
# The change that has nothing to do with any of those connections.
UNRELATED = {
    "row": "Extra: 8640 TCP IN", "profile": "extra_flows", "direction": "in", "protocol": "tcp", "port": "8640",
    "peers": ["192.0.2.40"],
}
DRAINED = 1.0  # seconds after which what was sent has come


class Steady(NamedTuple):
    """What was counted."""

    changed: List[bool]  # for each application
    seconds: float  # for all of them
    tried: int
    rate: float  # new connections a second
    failed: Dict[str, int]
    late: int  # while the machine stood still
    jobs: Dict[str, dict]  # by way, "in" or "out": as trickle.py tells it, and "arrived"
    rain: Dict[str, float]  # as rain.py tells it at both ends

    @property
    def lost(self) -> float:
        """Datagrams that the firewall did not let in, though their port was open all the time."""
        return self.rain["sent"] - self.rain["got"] - self.rain["spilt"]

    def __str__(self) -> str:
        form = (
            "%d applications in %.0f s, %d new connections (%.0f a second), %d failed%s, %d late; %d of %d datagrams"
            " lost; long jobs: %s"
        )
        return form % (
            len(self.changed), self.seconds, self.tried, self.rate, sum(self.failed.values()),
            " %s" % self.failed if self.failed else "", self.late, self.lost, self.rain["sent"],
            ", ".join("%s %d bytes in %.0f s" % (way, job["bytes"], job["seconds"]) for way, job in self.jobs.items()),
        )


def long_jobs(server: Server) -> Dict[str, tuple]:
    """A job that comes in by IPP, and one that goes out by AppSocket: container, and what trickle.py is told."""
    site = server.site
    uri = "socket://%s:%d" % (steps.literal(site.addresses["listed"][1]), site.long_port)
    outgoing = {
        "argv": ["/usr/lib/cups/backend/socket", "1", "root", "title", "1", ""],
        "environment": {"DEVICE_URI": uri, "CONTENT_TYPE": "application/vnd.cups-raw", "PRINTER": "trial"},
    }
    incoming = {
        "argv": ["lp", "-h", site.addresses["server"][0] + ":631", "-d", "kept", "-"], "environment": {},
    }
    return {"out": (site.server, outgoing), "in": (site.allowed, incoming)}


def run(server: Server, say: Callable[[str], None]) -> Steady:
    """Apply two wishes by turns, and the same one again, while jobs and connections go on."""
    site = server.site
    wet = dict(
        UNRELATED, row="Extra: %d UDP IN" % RAIN_PORT, protocol="udp", port=str(RAIN_PORT),
        peers=site.addresses["allowed"],
    )
    wishes = [server.wish(more=[UNRELATED, wet]), server.wish(more=[wet])]
    plan = {"addresses": site.addresses["server"], "port": PORT, "rate": RATE}
    server.at_once(wishes[1])
    running = {way: start(container, "trickle.py", told) for way, (container, told) in long_jobs(server).items()}
    stream = start(site.allowed, "pour.py", plan)
    bucket = start(site.server, "rain.py", {"port": RAIN_PORT})
    rain = start(site.allowed, "rain.py", dict(plan, port=RAIN_PORT, rate=RAIN_RATE))
    started, changed = time.monotonic(), []
    try:
        for number in range(APPLICATIONS):
            changed.append(bool(server.machine.apply(wishes[number % 2]).answer["changed"]))
        seconds = time.monotonic() - started
        # And once more what is in force already.
        changed.append(bool(server.machine.apply(wishes[1]).answer["changed"]))
    finally:
        poured, rained = finish(stream), finish(rain)
        time.sleep(DRAINED)
        rained.update(finish(bucket))
        jobs = {way: finish(job) for way, job in running.items()}
    where = {"out": site.printer, "in": site.server}
    for way, job in jobs.items():
        job["arrived"] = arrived(where[way], job["sha256"])
    result = Steady(
        changed, seconds, poured["tried"], poured["tried"] / poured["seconds"], poured["failed"],
        poured["late"], jobs, rained,
    )
    say("%s: %s" % (site.backend, result))
    return result


def arrived(container: str, digest: str) -> bool:
    """Whether it is there within some seconds."""
    script = "for i in $(seq 30); do test -e %s/%s && echo yes && exit 0; sleep 0.3; done; echo no" % (KEPT, digest)
    return lab.inside(container, ["sh", "-c", script]).strip() == "yes"
