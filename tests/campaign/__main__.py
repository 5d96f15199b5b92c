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
from typing import List

from . import fleet, report
from .attempt import Result
from .draw import draw, release
from .host import Host
from .tour import Tour, drawn

SPAN = 1000000  # seeds of faults that belong to one seed of a campaign
_ONE_AT_A_TIME = threading.Lock()


def say(text: str) -> None:
    """One fault, one line; the time tells how fast it goes."""
    with _ONE_AT_A_TIME:
        print("%s %s" % (time.strftime("%H:%M:%S"), text), flush=True)


def tour(host: Host, seed: int, until: float, most: int) -> Tour:
    """All faults of one host."""
    debian = host.name.rpartition("-")[2]
    one = Tour(host, drawn(host.backend, debian, seed * SPAN), say)
    try:
        one.begin()
        one.go(until, most)
    except Exception as error:
        say("%s: ends early: %s" % (host.name, error))
        raise
    finally:
        host.close()
    return one


def needed(backends: str, fault: str) -> List[fleet.Lane]:
    """The hosts for a campaign, or for one fault."""
    if fault:
        backend, seed = fault.split(":")
        return [fleet.Lane(backend, release(int(seed)))]
    return [lane for lane in fleet.LANES if lane.backend in backends.split(",")]


def again(hosts: List[Host], word: str) -> List[Result]:
    """One single fault by its name, BACKEND:SEED."""
    backend, seed = word.split(":")
    fault = draw(backend, int(seed))
    say(fault.told())
    host, = hosts
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
    hosts = fleet.hosts(lanes)
    results: List[Result] = []
    broken = False
    try:
        if asked.fault:
            results = again(hosts, asked.fault)
        else:
            say("SEED=%d" % seed)
            with ThreadPoolExecutor(len(hosts)) as pool:
                running = [pool.submit(tour, host, seed, until, (asked.faults + 1) // 2) for host in hosts]
                tours: List[Tour] = []
                for one in running:
                    broken = broken or one.exception() is not None
                    if one.exception() is None:
                        tours.append(one.result())
            results = [result for one in tours for result in one.results]
    finally:
        if not asked.keep:
            fleet.remove(asked.folder)
    report.write(asked.folder / "results.json", results)
    told = report.lost(results)
    print("\n".join(told + ["", report.table(results)]))
    if not asked.fault:
        print("SEED=%d" % seed)
    return 1 if told or broken or not any(result.struck for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
