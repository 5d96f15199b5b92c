# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of others: what the host holds that is not ours, and whether who is banned stays banned."""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Tuple

from proof import snapshot

from .machine import LONG, Machine, in_order

STAGES = ("apply", "change", "remove")
# What carries our name, in every firewall and on disk.
OURS = re.compile(r"printfleet[-_.]")
# The one rule of ours in ufw's chains that has no profile, and so no name in the kernel; iptables of Debian 13 tells
# the protocol by its number where there is no /etc/protocols.
NAMELESS = re.compile(r"-A ufw-user-input -p (igmp|2) -j ACCEPT")
# Tables that iptables made: nft cannot tell all of their rules, so iptables-save is asked for them.
OF_IPTABLES = re.compile(r"table ip6? (filter|nat|raw|mangle|security) ")

# How each backend's host bans the address %s and lets it go again, as fail2ban's actions do it and an administrator.
BANS: Dict[str, Dict[str, Tuple[str, str]]] = {
    "nftables": {
        "a set of fail2ban's table": (
            "nft add table inet f2b-all; nft add set inet f2b-all banned '{ type ipv4_addr; timeout 1d; }';"
            " nft add chain inet f2b-all in '{ type filter hook input priority -1; }';"
            " nft add rule inet f2b-all in meta l4proto tcp ip saddr @banned reject;"
            " nft add element inet f2b-all banned '{ %s }'",
            "nft delete table inet f2b-all",
        ),
        "a chain of fail2ban's in iptables": (
            "iptables -N f2b-all; iptables -A f2b-all -s %s -j REJECT; iptables -A f2b-all -j RETURN;"
            " iptables -I INPUT -p tcp -j f2b-all",
            "iptables -D INPUT -p tcp -j f2b-all; iptables -F f2b-all; iptables -X f2b-all",
        ),
    },
    "ufw": {
        "ufw prepend deny": ("ufw prepend deny from %s", "ufw delete deny from %s"),
        "ufw prepend reject": ("ufw prepend reject from %s to any", "ufw delete reject from %s to any"),
    },
}
BANS["ufw"]["a set of fail2ban's table"] = BANS["nftables"]["a set of fail2ban's table"]
BANS["firewalld"] = dict(BANS["nftables"])
# With its first direct rule firewalld empties all tables of iptables (measured, firewalld 2.3).  They come back right
# after it, and are to outlive each of our reloads beside it, which would empty them again.
BANS["firewalld"]["a direct rule of firewalld"] = (
    "iptables-save > /run/tables; firewall-cmd --direct --add-rule ipv4 filter INPUT_direct 0 -s %s -j REJECT;"
    " iptables-restore --noflush /run/tables",
    "firewall-cmd --direct --remove-rule ipv4 filter INPUT_direct 0 -s %s -j REJECT",
)


def checks(backend: str) -> List[str]:
    """The names of all that is checked."""
    return ["held: " + stage for stage in STAGES] + ["banned: " + ban for ban in BANS[backend]]


def others(machine: Machine) -> Dict[str, str]:
    """All that is not ours, by where it stands."""
    native = machine.shell("nft --stateless list ruleset")
    saved = machine.shell("iptables-save; ip6tables-save")
    found = {
        "tables of nftables": in_order(snapshot.plain("".join(_native(native)))),
        "tables of iptables": snapshot.plain(
            "".join(line + "\n" for line in saved.splitlines() if not (OURS.search(line) or NAMELESS.fullmatch(line)))
        ),
    }
    for path, entry in machine.look().files.items():
        # A folder of systemd's for links comes and goes with the first and the last of them.
        if not OURS.search(path) and entry[0] != "d":
            found[path] = "\n".join(map(str, _without_ours(machine, path, entry)))
    if machine.backend == "ufw":
        status = machine.run("ufw", "status", "verbose")
        # ufw puts an empty line between the sections for incoming, outgoing and forwarded packets.
        kept = [line for line in status.splitlines() if line.strip() and not OURS.search(line)]
        found["ufw status"] = "\n".join(kept)
    if machine.backend == "firewalld":
        for words in ("--list-all-zones", "--permanent --list-all-zones", "--direct --get-all-rules",
                      "--direct --get-all-chains", "--info-ipset=blocked"):
            found["firewall-cmd " + words] = machine.run("firewall-cmd", *words.split())
    return found


def _native(listing: str) -> List[str]:
    """Tables that nft itself made, less what is ours in them."""
    kept = []
    for table in re.split(r"(?m)^(?=table )", listing):
        if OF_IPTABLES.match(table) or OURS.search(table.split("{")[0]):
            continue
        blocks = re.split(r"(?m)^(?=\t(?:chain|set|map) )", table)
        kept += [
            "".join(line for line in block.splitlines(True) if not OURS.search(line) and line != "}\n")
            for block in blocks if not OURS.search(block.split("{")[0]) or block.startswith("table")
        ]
    return kept


def _without_ours(machine: Machine, path: str, entry: list) -> list:
    """A file's entry; of ufw's rule files, which we share, what is left without our blocks."""
    if machine.backend != "ufw" or not path.startswith("/etc/ufw/user"):
        return entry
    comment = "printfleet.cups: ".encode("ascii").hex()
    block = r"(?m)^\n### tuple ### [^\n]* comment=%s[^\n]*\n(?:-A [^\n]*\n)+" % comment
    return entry[:4] + [re.sub(block, "", entry[5])]


def differences(before: Dict[str, str], after: Dict[str, str]) -> str:
    """What others have lost or got, "" for nothing."""
    return "\n".join(
        "%s:\n%s" % (where, snapshot.difference(before.get(where, ""), after.get(where, "")))
        for where in sorted({*before, *after}) if before.get(where) != after.get(where)
    )


def run(machine: Machine, wishes: Dict[str, dict], say: Callable[[str], None]) -> Dict[str, str]:
    """All checks on a host without ours, which is without ours again in the end; gives what was wrong in each."""
    found: Dict[str, str] = {}
    ours = [path for path in machine.look().files if OURS.search(path)]
    assert not ours, "the host is not without ours: %s" % ours
    before = others(machine)
    stages = dict(zip(STAGES, (wishes["sparing"], wishes["strict"], {"state": "absent"})))
    for stage, wish in stages.items():
        if stage == "remove":
            for ban, (banning, letting_go) in BANS[machine.backend].items():
                found["banned: " + ban] = banned(machine, wishes, banning, letting_go)
                say("%s: banned by %s: %s" % (machine.backend, ban, found["banned: " + ban] or "stays banned"))
        outcome = machine.apply(wish)
        assert outcome.answer is not None and outcome.answer["changed"], outcome.told()
        found["held: " + stage] = differences(before, others(machine))
        say("%s: after %s the rules of others are %s" % (machine.backend, stage, found["held: " + stage] or "the same"))
    return found


def banned(machine: Machine, wishes: Dict[str, dict], banning: str, letting_go: str) -> str:
    """Ban one who may print, change our rules to and fro, and let him go again."""
    address = machine.site.addresses["listed"][0]
    told = []

    def must_be(wanted: str, when: str) -> None:
        seen = machine.knock(("listed", 631))
        # The ban is for IPv4, so the same peer over IPv6 is the control.
        if (seen["listed 631 v4"] == "answered") != (wanted == "answered") or seen["listed 631 v6"] != "answered":
            told.append("%s: %s" % (when, seen))

    must_be("answered", "before the ban")
    machine.shell(banning.replace("%s", address))
    must_be("banned", "right after the ban")
    for name in ("sparing", "strict"):
        changed = machine.apply(wishes[name])
        must_be("banned", "after a change of ours to %s" % name)
        again = machine.propose(wishes[name], LONG)
        if again.failed or again.answer is None or again.answer["changed"]:
            told.append("not idempotent beside it: %s" % again.told())
        assert changed.answer is not None
    machine.shell(letting_go.replace("%s", address))
    must_be("answered", "let go again")
    return "; ".join(told)
