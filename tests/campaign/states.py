# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states that a host goes between, each brought about undisturbed and looked at."""

from __future__ import annotations

import secrets
from typing import Dict, Iterable, List, NamedTuple, Tuple

from faults import campaign
from faults.machine import LONG, TRIAL, Picture

from .host import Host

DOORS = (("allowed", 22), ("allowed", 631), ("denied", 22), ("denied", 631))
# In every state of ours; SSH is open where it comes from now, which is over IPv4.
CONTROL = dict.fromkeys(("allowed 22 v4", "allowed 631 v4", "allowed 631 v6"), "answered")
LINES = 12
# The administrator's firewall switched off, as its own documentation says; rules by firewall-cmd need the daemon.
SWITCHED_OFF = {
    "nftables": "systemctl disable --quiet nftables.service",
    "firewalld": "systemctl disable --quiet firewalld.service; sed -i.whole '/^firewall-cmd/d' /opt/faults/foreign.sh",
    "ufw": "ufw --force disable",
}
SWITCHED_ON = {
    "nftables": "systemctl enable --quiet nftables.service",
    "firewalld": "systemctl enable --quiet firewalld.service; mv /opt/faults/foreign.sh.whole /opt/faults/foreign.sh",
    "ufw": "ufw --force enable",
}


class Seen(NamedTuple):
    """A host in one state: what it holds, and who gets in."""

    picture: Picture
    doors: Dict[str, str]

    def differences(self, other: "Seen") -> List[str]:
        """One message for each."""
        told = self.picture.differences(other.picture)
        told += [
            "%s was %s and is %s" % (door, end, other.doors.get(door))
            for door, end in self.doors.items() if end != other.doors.get(door)
        ]
        return [_short(one) for one in told]


def _short(text: str) -> str:
    """The beginning of a difference tells what kind it is."""
    lines = text.splitlines()
    return "\n".join(lines[:LINES] + ["... %d more lines" % (len(lines) - LINES)] * (len(lines) > LINES))


def see(host: Host) -> Seen:
    """Look and knock at the same time."""
    knocking = host.knocking(*DOORS)
    try:
        picture = host.look()
    finally:
        doors = host.knocked(knocking)
    return Seen(picture, doors)


def wishes(host: Host) -> Dict[str, dict]:
    """By state: what the module is asked for."""
    known = campaign.wishes(host)
    helped = campaign.wishes(host, helped=True)["sparing"]
    listed = list(host.site.addresses["listed"])
    sources = [*host.site.addresses["allowed"], *listed, "198.51.100.0/24", "2001:db8:100::/64"]
    flows = [
        campaign.row("631", sources, name="Table 1: 631 (IPP/IPPS) TCP IN"), campaign.row("8000-8010", listed),
        dict(campaign.row("5353", [], "in", "Table 3: 5353 (mDNS) UDP IN"), protocol="udp"),
        campaign.row("9100", listed, "out"), campaign.row("515", listed, "out"),
    ]
    return {
        "absent": {"state": "absent"}, "keep": known["sparing"], "helped": helped, "deny": known["strict"],
        "other": {
            "backend": host.backend, "flows": flows, "default_incoming": "deny", "default_outgoing": "deny",
            "log_denied": True,
        },
    }


class Base:
    """One way a host was before us, with its states; every picture is held against a second one of the same state.

    Where the firewall is switched off a state may have two pictures that mean the same: after a boot ufw's jumps stand
    ahead of those of others, and firewalld is given sets or addresses, as it was running or not.  Both are taken, from
    runs that nothing disturbed, and the doors have to be the same.
    """

    def __init__(self, host: Host, name: str) -> None:
        self.host, self.name = host, name
        self.wishes = wishes(host)
        self.seen: Dict[str, List[Seen]] = {}
        self.now = "absent"
        self._steps: Dict[Tuple[str, str, str], List[str]] = {}

    def make(self, states: Iterable[str]) -> None:
        """Bring each state about, twice and from different ones; ends where it began."""
        order = [state for state in states if state != "absent"]
        for state in ["absent", *order, *reversed(order), "absent"]:
            self.go(state)
            self._take(state)
        if self.name == "inactive":
            for state in order:
                self.go(state)
                self._take(state)
                self.host.cut_power()
                self.host.power_on()
                self._take(state)
                # From here the others are reached without a boot.
                for other in order:
                    self.go(other)
                    self._take(other)
                self.go("absent")
                self._take("absent")

    def _take(self, state: str) -> None:
        now = see(self.host)
        known = self.seen.setdefault(state, [])
        differences = self.differences(state, now) if known else ["the first"]
        if not differences:
            return
        another = self.name == "inactive" and state != "absent"
        assert not known or (another and known[0].doors == now.doors), "undisturbed, %s %s:\n%s" % (
            self.name, state, "\n".join(differences)
        )
        if state != "absent":
            wanted = dict(CONTROL, **{"denied 631 v4": "silent", "denied 631 v6": "silent"})
            wrong = {door: end for door, end in now.doors.items() if wanted.get(door, end) != end}
            assert not wrong, "undisturbed, %s %s: %s" % (self.name, state, wrong)
        known.append(now)

    def differences(self, state: str, now: Seen) -> List[str]:
        """From the nearest picture of that state."""
        return min((known.differences(now) for known in self.seen[state]), key=lambda told: len("".join(told)))

    def go(self, state: str) -> None:
        """Settled at once, undisturbed."""
        if state != self.now:
            self.host.apply(self.wishes[state], seconds=0)
            self.now = state

    def steps(self, start: str, to: str, phase: str) -> List[str]:
        """The steps of an undisturbed run from ``start``, where the host is and is left."""
        key = (start, to, phase)
        if key in self._steps:
            return self._steps[key]
        host, cookie = self.host, secrets.token_hex(8)
        at_once = phase == "at once"
        change = dict(self.wishes[to], confirm_timeout=0 if at_once else LONG, confirmation=cookie)
        outcome = host.module(change)
        assert outcome.answer is not None and not outcome.failed, outcome.told()
        self._steps[(start, to, "at once" if at_once else "change")] = host.steps()
        if phase == "confirm":
            settled = host.confirm(cookie)
            assert (settled.answer or {}).get("outcome") == "settled", settled.told()
            self._steps[key] = host.steps()
        elif not at_once:
            outcome = host.undo(cookie)
            assert outcome.status == 0, outcome.told()
            self._steps[(start, to, "undo")] = host.steps()
        if phase in ("confirm", "at once"):
            host.apply(self.wishes[start], seconds=0)
        return self._steps[key]


def first(steps: List[str]) -> int:
    """The number of the first step that changes anything."""
    return next((number for number, step in enumerate(steps, 1) if TRIAL in step), 1)


def switch(host: Host, name: str) -> None:
    """Bring a host without ours to that base: the administrator's commands, and a boot that forgets the rest."""
    if name == "active":
        host.shell(SWITCHED_ON[host.backend] + "; rm -f /opt/faults/inactive")
    elif name == "inactive":
        host.shell(SWITCHED_OFF[host.backend] + "; echo inactive > /opt/faults/inactive")
    host.cut_power()
    host.power_on()
