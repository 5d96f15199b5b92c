# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults one after the other on one host, each from the state in which the one before has left it where that fits."""

from __future__ import annotations

import time
from typing import Callable, Iterator, List, Optional

from proof import lab

from .attempt import Result, attempt
from .draw import STATES, Fault, draw, release
from .host import Host
from .obstacles import CALLS
from .states import Base, see, switch

Say = Callable[[str], None]
# How many faults are drawn ahead, so that one can be found that begins where the host is.
AHEAD = 40
LEFT = (
    # The wrappers only: the command by which the container starts lies there as well.
    "grep -ls %s /usr/local/sbin/* | xargs -r rm -f;"
    " ! [ -e /usr/sbin/nft.real ] || mv /usr/sbin/nft.real /usr/sbin/nft;"
    " ! [ -e /run/dbus/system_bus_socket.gone ] || mv /run/dbus/system_bus_socket.gone /run/dbus/system_bus_socket;"
    " cat /opt/faults/inactive 2> /dev/null || true"
) % CALLS
BATCH = {"active": 24, "inactive": 12}


def drawn(backend: str, debian: str, begin: int) -> Iterator[Fault]:
    """The faults for hosts of that release, from that seed on."""
    seed = begin
    while True:
        if release(seed) == debian:
            yield draw(backend, seed)
        seed += 1


class Tour:
    """All batches of one host."""

    def __init__(self, host: Host, faults: Iterator[Fault], say: Say) -> None:
        self.host, self.say, self._faults = host, say, faults
        self._ahead: List[Fault] = []
        self._set_out()
        self.results: List[Result] = []

    def _set_out(self) -> None:
        self.bases = {name: Base(self.host, name) for name in STATES}
        self.base = self.bases["active"]

    def begin(self) -> None:
        """Bring what is needed, and a first boot: what comes after later ones is held against it."""
        host = self.host
        # Pictures of another host of that name are worth nothing.
        self._set_out()
        # What a campaign that was ended in the middle has left.
        host_is_off = lab.run(["docker", "exec", host.name, "sh", "-c", LEFT]).strip()
        host.bring_code()
        host.bring_to_neighbour()
        host.cut_power()
        host.power_on()
        host.apply({"state": "absent"}, seconds=0)
        switch(host, "active" if host_is_off else "")
        self.base.make(STATES["active"])

    def next(self) -> Optional[Fault]:
        """One for the present base, if it can be from the present state."""
        while len(self._ahead) < AHEAD:
            self._ahead.append(next(self._faults))
        fitting = [fault for fault in self._ahead if fault.base == self.base.name]
        here = [fault for fault in fitting if fault.start == self.base.now] or fitting
        if not here:
            return None
        self._ahead.remove(here[0])
        return here[0]

    def change_base(self, name: str) -> None:
        """From one batch to the next."""
        if name == self.base.name:
            return
        self.take_leave()
        switch(self.host, name)
        self.base = self.bases[name]
        if not self.base.seen:
            self.base.make(STATES[name])

    def take_leave(self) -> None:
        """The removal at the end of a batch gives the first picture."""
        self.base.go("absent")
        differences = self.base.differences("absent", see(self.host))
        assert not differences, "after the removal:\n%s" % "\n".join(differences)

    def try_one(self, fault: Fault) -> bool:
        """Gives whether the host can go on."""
        result = attempt(self.base, fault)
        self.results.append(result)
        word = "survived" if result.survived else "NOT SURVIVED"
        self.say("%-12s %4.1f s  %s | %s" % (
            word if result.struck else "never struck", result.seconds, fault.told(), result.told,
        ))
        return result.survived or self.mend()

    def mend(self) -> bool:
        """After one that was not survived: make the host fit for the next, by force."""
        host = self.host
        try:
            host.close()
            host.cut_power()
            host.power_on()
            self.base.now = "not known"
            self.base.go("absent")
            before, now = self.base.seen["absent"][0].picture.files, host.look().files
            for path in sorted(set(now) - set(before), reverse=True):
                self.say("%s: cleared away by force: %s" % (host.name, path))
                host.run("rm", "-rf", path)
            # What a boot gives is what was: a kernel that was spoiled by hand or by halves is gone.
            host.cut_power()
            host.power_on()
            self.take_leave()
            return True
        except Exception as error:
            self.say("%s cannot be mended and is given up: %s" % (host.name, error))
            return False

    def go(self, until: float, most: int) -> bool:
        """Batch after batch until the time is over, or until so many have struck; False where the host is spoiled."""
        while True:
            for name, size in BATCH.items():
                self.change_base(name)
                for _turn in range(size):
                    if time.monotonic() > until or sum(result.struck for result in self.results) >= most:
                        self.take_leave()
                        return True
                    fault = self.next()
                    if fault is None:
                        break
                    if not self.try_one(fault):
                        return False
