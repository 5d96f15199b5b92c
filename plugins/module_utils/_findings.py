# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a host beside our rules and has to do with them: records, and the sentences made of them.  Pure.

A *warning* is a thing by which a row of ours does not do what it says.  A *note* is a thing that our rules
take care of, and that would be in force again without them.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Opening, Policy

WARNING, NOTE = "warning", "note"
# Warnings of one run; whoever wants to see the rest asks the info module.
_MOST = 5
_LONGEST = 160
VARIABLE = "cups_firewall_backend"


class Finding(NamedTuple):
    """``where`` is a file with its line or an object of the firewall's; ``advice`` begins with a verb."""

    level: str
    what: str
    where: str
    advice: str

    def as_dict(self) -> dict:
        """The form in which the info module returns it."""
        return dict(self._asdict())


class Ours(NamedTuple):
    """What the judges need to know of our policy; ``closed`` are ports by direction and protocol."""

    openings: Tuple[Opening, ...]
    closed: Dict[Tuple[str, str], Tuple[_words.Ports, ...]]
    denied: Tuple[str, ...] = ()  # directions in which all else is refused


def ours(policy: Optional[Policy]) -> Ours:
    """Without a policy it is 631/udp alone that nobody should reach."""
    protocol, port = _words.NEVER_OPEN
    closed = {("in", protocol): (_words.Ports(port, port),)}
    for closure in policy.closures if policy else ():
        _add(closed, (closure.direction, closure.protocol), closure.ports)
    denied = tuple(way for way in _words.DIRECTIONS if policy and policy.default(way) == "deny")
    return Ours(policy.openings if policy else (), closed, denied)


def _add(to: Dict[Tuple[str, str], Tuple[_words.Ports, ...]], key: Tuple[str, str], ports: _words.Ports) -> None:
    if ports not in to.get(key, ()):
        to[key] = to.get(key, ()) + (ports,)


def overrules(direction: str, where: str, ports: Sequence[str]) -> Finding:
    """A refusal that no opening of ours can undo."""
    return Finding(
        WARNING,
        "it refuses packets %s, whatever the page's rows say: %s" % (_way(direction), _some(ports)),
        where,
        "accept the rows' ports there, ahead of it",
    )


def policy_overrules(direction: str, where: str, ports: Sequence[str]) -> Finding:
    """A chain that drops what none of its rules accepts."""
    return Finding(
        WARNING,
        "its policy drops packets %s that none of its rules accepts, whatever the page's rows say: %s"
        % (_way(direction), _some(ports)),
        where,
        "accept the rows' ports there too",
    )


def forestalls(direction: str, where: str, ports: Sequence[str], narrowed: bool) -> Finding:
    """An accept that comes before our closures are asked."""
    return Finding(
        NOTE if narrowed else WARNING,
        "it lets packets %s before our rules are asked%s: %s"
        % (_way(direction), ", for some" if narrowed else "", _some(ports)),
        where,
        "remove it, or give it as a row in cups_firewall_extra_flows",
    )


def opens_never_open(where: str, advice: str) -> Finding:
    """Something that opens 631/udp, which our rules close ahead of it."""
    return Finding(
        NOTE,
        "it opens 631/udp (CVE-2024-47176), which printing does not need and our rules, where in force, keep closed",
        where, advice,
    )


def two_managers(names: Sequence[str]) -> Finding:
    """More than one program thinks that the firewall is its own."""
    return Finding(
        WARNING, "both are active, and a packet has to pass both", " and ".join(names), "switch one of them off"
    )


def other_manager(active: str, holder: str) -> Finding:
    """Our rules are with one manager, and another has taken the host over since."""
    return Finding(
        WARNING, "it is active, and it closes what our rules open, which %s holds" % holder, active,
        "run the role again for it to hold them",
    )


def stopped_manager(name: str, holder: str) -> Finding:
    """A manager that does not hold our rules, and that comes back."""
    return Finding(
        WARNING,
        "it is enabled and only stopped: once it is started, as a boot may do, it closes what our rules open, which %s "
        "holds" % holder,
        name, "disable it, or start it and run the role again for it to hold them",
    )


def started_again(name: str) -> Finding:
    """Our rules are with a manager that is enabled and does not run."""
    return Finding(
        WARNING, "it holds our rules, is enabled and does not run: it is started now, as the next boot would do", name,
        "set %s to 'nftables' and disable it if it is to stay off" % VARIABLE,
    )


def moved(holder: str, stands: str, to: str, active: bool) -> Finding:
    """``auto`` takes another backend than the one that has our rules; ``stands`` is "" or a clause."""
    return Finding(
        WARNING,
        "our rules move from it%s to %s%s"
        % (", which %s," % stands if stands else "", to, ", which is active on this host" if active else ""),
        holder, "set %s to the name of a backend to decide that yourself" % VARIABLE,
    )


def sentences(findings: Iterable[Finding]) -> List[str]:
    """The warnings among them as sentences, each once, and only some where there are many."""
    said = list(dict.fromkeys(
        "%s: %s; %s." % (f.where, f.what, f.advice) for f in findings if f.level == WARNING
    ))
    if len(said) > _MOST:
        more = len(said) - _MOST
        said[_MOST:] = ["%d more such things are told by the module printfleet.cups.cups_firewall_info." % more]
    return said


def plain(text: str) -> str:
    """Foreign text for a person to read: one line, no control characters, not too long."""
    shown = "".join(c if c.isprintable() else _escaped(c) for c in text)
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "..."


def readable(text: str) -> str:
    """The same for a text of many lines, uncut: a terminal must take nothing of it for an order."""
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def _escaped(letter: str) -> str:
    return ("\\x%02x" if ord(letter) < 256 else "\\u%04x") % ord(letter)


def _way(direction: str) -> str:
    return "in" if direction == "in" else "out"


def _some(ports: Sequence[str]) -> str:
    return ", ".join(ports[:6]) + (" and more" if len(ports) > 6 else "")
