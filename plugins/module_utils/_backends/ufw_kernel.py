# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel holds of ufw's chains, and the one transaction that makes it hold what the files say.

`ufw reload` opens the host for about two seconds: it empties all chains and then fills them one by one.
A rule file begins with the names of its chains, which makes iptables-restore empty and fill them in one commit.
The chains that carry the default verdicts go into the same commit.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backend import Host, must
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_rules import (
    CHAINS,
    FILES,
    Unusable,
    filter_section,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_settings import Defaults

RESTORE = {4: "iptables-restore", 6: "ip6tables-restore"}
SAVE = {4: "iptables-save", 6: "ip6tables-save"}
_BUILTIN = {"input": "INPUT", "output": "OUTPUT", "forward": "FORWARD"}
# In this order ufw hangs its chains into INPUT, OUTPUT and FORWARD (ufw-init-functions, ufw_start).
_PARTS = ("before-logging", "before", "after", "after-logging", "reject", "track")
_CHAIN = re.compile(r":(\S+) (\S+)")
_ADD = re.compile(r"-[AI] (\S+) (.*)")


class Chain(NamedTuple):
    """A chain of the kernel's filter table: its verdict ("-" for all but the built-in ones) and its rules."""

    verdict: str
    rules: Tuple[str, ...]


Chains = Dict[str, Chain]


class Load(NamedTuple):
    """One transaction to come. ``user_rules`` None: what the rule file says at that time."""

    user_rules: Optional[str]
    defaults: Defaults
    chains: Optional[Chains]


class Kernel(NamedTuple):
    """One IP version: the chains of its filter table, and in which way they differ from the files ("": in none)."""

    chains: Chains
    drift: str

    def loaded(self, version: int) -> bool:
        """Whether ufw's chains are there and the user's rules are reached."""
        prefix = CHAINS[version]
        return all(
            "-A %s-before-%s -j %s-user-%s" % (prefix, way, prefix, way)
            in rules(self.chains, "%s-before-%s" % (prefix, way))
            for way in ("input", "output")
        )


def rules(chains: Chains, name: str) -> Tuple[str, ...]:
    """The rules of a chain; none where there is no such chain."""
    return chains[name].rules if name in chains else ()


def parse(listing: str) -> Chains:
    """Read what iptables-save prints, counters left out."""
    verdicts: Dict[str, str] = {}
    found: Dict[str, List[str]] = {}
    for line in listing.splitlines():
        declared = _CHAIN.match(line)
        if declared:
            verdicts[declared.group(1)] = declared.group(2)
            found[declared.group(1)] = []
        elif line.startswith("-A "):
            found[line.split()[1]].append(line)
    return {name: Chain(verdicts.get(name, "-"), tuple(found[name])) for name in found}


def verdict(chains: Chains, way: str) -> str:
    """The verdict of INPUT, OUTPUT or FORWARD by ufw's word for it; an empty kernel accepts."""
    name = _BUILTIN[way]
    return chains[name].verdict if name in chains else "ACCEPT"


def defaults_lines(version: int, defaults: Defaults, ways: Tuple[str, ...] = ("input", "output")) -> Tuple[str, str]:
    """Declarations and rules that put the default verdicts into force, as ufw's start script does it."""
    prefix = CHAINS[version]
    heads, lines = "", ""
    for way in ways:
        word = getattr(defaults, way)
        heads += ":%s %s [0:0]\n" % (_BUILTIN[way], "ACCEPT" if word == "ACCEPT" else "DROP")
        heads += "".join(":%s-%s-%s - [0:0]\n" % (prefix, part, way) for part in ("reject", "track", "skip-to-policy"))
        lines += "-A %s-skip-to-policy-%s -j %s\n" % (prefix, way, word)
        if word == "REJECT":
            lines += "-A %s-reject-%s -j REJECT\n" % (prefix, way)
        if word == "ACCEPT":
            for protocol in ("tcp", "udp"):
                lines += "-A %s-track-%s -p %s -m conntrack --ctstate NEW -j ACCEPT\n" % (prefix, way, protocol)
    return heads, lines


def document(version: int, user_rules: str, defaults: Defaults, chains: Optional[Chains] = None) -> str:
    """The input for one `iptables-restore -n`; raises Unusable.

    It holds the rule file, the default verdicts and the missing ways into them.

    ``chains`` is what the kernel holds; where ufw's chains have come loose from INPUT or OUTPUT they are hung in.
    """
    heads, lines = defaults_lines(version, defaults)
    hooks = "" if chains is None else _hooks(version, chains)
    body = filter_section(user_rules)[1] if user_rules else ""
    # Chains that are named are emptied as well.  The package's file does not name those of rules that log, and in a
    # file that somebody edited others may be missing.
    for part in ("user", "user-logging"):
        for way in _BUILTIN:
            name = ":%s-%s-%s " % (CHAINS[version], part, way)
            if "\n" + name not in "\n" + body:
                heads += name + "- [0:0]\n"
    return "*filter\n%s%s%s%sCOMMIT\n" % (heads, hooks, body, lines)


def are_loose(version: int, chains: Chains) -> bool:
    """Whether ufw's chains are there and are not called from INPUT or OUTPUT; `ufw reload` leaves them so."""
    return "%s-before-logging-input" % CHAINS[version] in chains and _hooks(version, chains) != ""


def _hooks(version: int, chains: Chains) -> str:
    lines = ""
    for way in ("input", "output"):
        jumps = ["%s -j %s-%s-%s" % (_BUILTIN[way], CHAINS[version], part, way) for part in _PARTS]
        there = rules(chains, _BUILTIN[way])
        if any("-A " + jump not in there for jump in jumps):
            lines += "".join("-D %s\n" % jump for jump in jumps if "-A " + jump in there)
            lines += "".join("-A %s\n" % jump for jump in jumps)
    return lines


def clearance(version: int, chains: Chains, verdicts: Dict[str, str], clear: bool) -> str:
    """The input for `iptables-restore -n` after `ufw disable`: the verdicts, and its empty chains gone if ``clear``."""
    prefix = CHAINS[version] + "-"
    gone = [name for name in chains if clear and name.startswith(prefix)]
    heads = "".join(":%s %s [0:0]\n" % item for item in verdicts.items())
    lines = "".join(
        "-D%s\n" % rule[2:] for chain in chains.values() for rule in chain.rules if rule.split()[-1] in gone
    )
    return "*filter\n%s%s%sCOMMIT\n" % (heads, lines, "".join("-X %s\n" % name for name in gone))


def list_chains(host: Host, version: int) -> Chains:
    """The chains that the kernel holds now."""
    return parse(must(host, [SAVE[version], "-t", "filter"]))


def read(host: Host, version: int, user_rules: Optional[str], defaults: Defaults) -> Kernel:
    """Ask the kernel; ``user_rules`` None only lists it, otherwise it is compared with that file and defaults."""
    chains = list_chains(host, version)
    kernel = Kernel(chains, "")
    if user_rules is None:
        return kernel
    if not kernel.loaded(version):
        return Kernel(chains, "ufw is not loaded")
    try:
        wanted = document(version, user_rules, defaults)
    except Unusable as error:
        return Kernel(chains, "%s: %s" % (FILES[version], error))
    declared = set(re.findall(r"(?m)^:(\S+) ", wanted))
    intended, exact = _listing(host, version, wanted, chains)
    different = [name for name in sorted(declared) if not _same(chains.get(name), intended.get(name), exact)]
    if _hooks(version, chains):
        different.append("the way from INPUT or OUTPUT to them")
    return Kernel(chains, "" if not different else "other than the files say: " + ", ".join(different))


def _same(left: Optional[Chain], right: Optional[Chain], exact: bool) -> bool:
    if left is None or right is None or left.verdict != right.verdict:
        return False
    if left.verdict != "-":
        # INPUT and OUTPUT have rules of others as well; their ways into ufw's chains are looked at by _hooks().
        return True
    return left.rules == right.rules if exact else len(left.rules) == len(right.rules)


def _listing(host: Host, version: int, wanted: str, chains: Chains) -> Tuple[Chains, bool]:
    """How the kernel lists the document: loaded into a network namespace of its own, which ends with the process.

    The second answer says whether the rules themselves can be compared.  Where no namespace may be made (some
    containers), or sets are used that it lacks, only the number of rules in each chain can be.
    """
    # Rules of the administrator's may lead to chains of others, which then have to be there.
    own = "".join(
        ":%s - [0:0]\n" % name for name, chain in chains.items()
        if chain.verdict == "-" and "\n:%s " % name not in wanted
    )
    script = "%s && exec %s -t filter" % (RESTORE[version], SAVE[version])
    result = host.run(["unshare", "-n", "sh", "-c", script], stdin=wanted.replace("*filter\n", "*filter\n" + own, 1))
    if result.status == 0:
        return parse(result.output), True
    counted = {name: Chain(word, ()) for name, word in re.findall(r"(?m)^:(\S+) (\S+)", wanted)}
    for line in wanted.splitlines():
        added = _ADD.match(line)
        if added and added.group(1) in counted:
            before = counted[added.group(1)]
            counted[added.group(1)] = before._replace(rules=before.rules + (added.group(2),))
    return counted, False
