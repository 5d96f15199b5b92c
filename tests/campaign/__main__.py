# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python3 -m campaign: see "make campaign" in the Makefile."""

from __future__ import annotations

import argparse
import pathlib
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import List, NamedTuple

from . import fleet, report
from .attempt import Result
from .draw import draw, release
from .tour import Tour, drawn

SPAN = 1000000  # seeds of faults that belong to one seed of a campaign
FRESH = 4  # so many fresh hosts a lane is given
_ONE_AT_A_TIME = threading.Lock()


def say(text: str) -> None:
    """One fault, one line; the time tells how fast it goes."""
    with _ONE_AT_A_TIME:
        print("%s %s" % (time.strftime("%H:%M:%S"), text), flush=True)


class Tried(NamedTuple):
    """What came of one lane; ``accidents`` are what went wrong beside the faults, as sentences."""

    results: List[Result]
    accidents: List[str]


def tour(lane: fleet.Lane, folder: pathlib.Path, seed: int, until: float, most: int) -> Tried:
    """All faults of one lane, on a fresh host whenever the last one is spoiled."""
    host, = fleet.hosts([lane])
    one, accidents = Tour(host, drawn(lane.backend, lane.release, seed * SPAN), say), []  # type: Tour, List[str]
    for fresh in range(FRESH + 1):
        try:
            if fresh:
                say("%s is made anew" % host.name)
                fleet.renew(folder, lane)
            one.begin()
            if one.go(until, most):
                return Tried(one.results, accidents)
            accidents.append("%s could not be mended" % host.name)
        except Exception as error:
            accidents.append("%s, beside the faults: %s: %s" % (host.name, type(error).__name__, error))
        finally:
            host.close()
        say(accidents[-1])
        if time.monotonic() > until:
            break
    else:
        say("%s is given up" % host.name)
    return Tried(one.results, accidents)


def needed(backends: str, fault: str) -> List[fleet.Lane]:
    """The hosts for a campaign, or for one fault."""
    if fault:
        backend, seed = fault.split(":")
        return [fleet.Lane(backend, release(int(seed)))]
    return [lane for lane in fleet.LANES if lane.backend in backends.split(",")]


def again(word: str, lanes: List[fleet.Lane]) -> List[Result]:
    """One single fault by its name, BACKEND:SEED."""
    backend, seed = word.split(":")
    fault = draw(backend, int(seed))
    say(fault.told())
    host, = fleet.hosts(lanes)
    one = Tour(host, iter(()), say)
    try:
        one.begin()
        one.change_base(fault.base)
        one.try_one(fault)
    finally:
        host.close()
    return one.results


def main() -> int:
    parser = argparse.ArgumentParser(prog="make campaign")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--faults", type=int, default=10 ** 9, help="so many on each backend are enough")
    parser.add_argument("--fault", default="", help="BACKEND:SEED, that one only")
    parser.add_argument("--backends", default="nftables,firewalld,ufw")
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--keep", action="store_true", help="take the hosts that are there, and leave them")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(1000, 100000) if asked.seed is None else asked.seed
    until = time.monotonic() + asked.minutes * 60
    lanes = needed(asked.backends, asked.fault)
    if not asked.keep:
        say("making the hosts")
        fleet.make(asked.folder, lanes)
    results: List[Result] = []
    accidents: List[str] = []
    try:
        if asked.fault:
            results = again(asked.fault, lanes)
        else:
            say("SEED=%d" % seed)
            with ThreadPoolExecutor(len(lanes)) as pool:
                most = -(-asked.faults // len(fleet.RELEASES))
                running = [pool.submit(tour, lane, asked.folder, seed, until, most) for lane in lanes]
                for one in running:
                    results += one.result().results
                    accidents += one.result().accidents
    finally:
        if not asked.keep:
            fleet.remove(asked.folder)
    report.write(asked.folder / "results.json", results)
    told = report.lost(results) + accidents
    print("\n".join(told + ["", report.table(results)]))
    if not asked.fault:
        print("SEED=%d" % seed)
    return 1 if told or not any(result.struck for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
