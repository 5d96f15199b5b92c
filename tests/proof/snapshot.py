# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of a host, its files and its firewall rules, and what differs between two of them.

    python3 -m proof.snapshot take CONTAINER FILE
    python3 -m proof.snapshot compare CONTAINER FILE

The second ends with status 1 and says what differs from the picture in FILE.
"""

from __future__ import annotations

import difflib
import json
import pathlib
import re
import sys
from typing import Dict, List

from . import lab

OBSERVER = "printfleet-cups-observer:debian13"
FOLDERS = ["/etc", "/root", "/usr/lib/firewalld", "/usr/local", "/usr/share/ufw", "/var/lib"]
# What changes on any host without anybody doing anything to its firewall.
VOLATILE = re.compile(
    r"/root/\.ansible(/.*)?"  # Ansible's folder for the module that is running
    r"|/var/lib/systemd/(random-seed|timers/.*|catalog/.*|timesync/.*)"  # written at shutdown and by timers
    r"|.*/__pycache__(/.*)?"  # Python keeps what it compiled
    # Docker writes these anew at each start of a container.
    r"|/etc/(hostname|hosts|resolv\.conf|mtab)"
)
SERVICES = ["nftables", "firewalld", "ufw"]
# Programs that show rules which nft lists without their parameters (ufw's, see the xt statement in nft(8)).
# A host that has not installed them yet has no such rules.
SAVERS = ["iptables-save", "ip6tables-save"]
# Docker's own rules for its name server 127.0.0.11 have other ports after each start.
DOCKER_PORTS = re.compile(r"(127\.0\.0\.11:|sport |--sport )\d+")
# Packet and byte counters, time stamps.
COUNTERS = re.compile(r"counter packets \d+ bytes \d+|\[\d+:\d+\]|^# (Generated|Completed|Warning).*$", re.MULTILINE)
# The chains that iptables makes in the kernel as soon as it is asked for anything: empty, they decide nothing.
EMPTY_CHAIN = re.compile(r"\tchain [A-Z]+ \{\n\t\ttype [^\n]*policy accept;\n\t\}\n\n?")
EMPTY_TABLE = re.compile(r"table \S+ \S+ \{\n\}\n")
EMPTY_SAVED = re.compile(r"\*[a-z]+\n(:[A-Z]+ ACCEPT \n)*COMMIT\n")
# A table's sets, maps and chains, one behind the other.
BLOCKS = re.compile(r"(?m)(?:^\t[a-z][^\n]*\{\n(?:\t\t[^\n]*\n)*\t\}\n)+")


def take(container: str) -> dict:
    """The picture: {"files": {path: entry}, "kernel": text, SAVERS: texts, "services": {name: state}}."""
    files = json.loads(lab.inside_python(container, "files.py", json.dumps(FOLDERS)))
    return {
        "files": {path: entry for path, entry in files.items() if not VOLATILE.fullmatch(path)},
        "kernel": plain(rules(container)),
        **{name: plain(saved(container, name)) for name in SAVERS},
        "services": {name: state(container, name) for name in SERVICES},
    }


def rules(container: str) -> str:
    """The kernel's whole ruleset, by the newest nft at hand: an older one dies of rules that a newer one wrote."""
    with lab.beside(container, OBSERVER) as beside:
        return lab.inside(beside, ["nft", "--stateless", "list", "ruleset"])


def saved(container: str, program: str) -> str:
    """What one of SAVERS prints; nothing where the host has no such program."""
    return lab.inside(container, ["sh", "-c", "! command -v %s > /dev/null || %s" % (program, program)])


def plain(text: str) -> str:
    """Rules without what counts, and without what says nothing."""
    text = DOCKER_PORTS.sub(r"\1PORT", COUNTERS.sub("", text))
    for empty in (EMPTY_CHAIN, EMPTY_TABLE, EMPTY_SAVED):
        text = empty.sub("", text)
    text = "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"
    # The same holds for tables: their chains are called in the order of their priorities.
    return "".join(sorted(re.split(r"(?m)^(?=table )", BLOCKS.sub(_sorted_blocks, text))))


def _sorted_blocks(found: "re.Match[str]") -> str:
    """They stand in the order in which they were made, which decides nothing: they are called by name."""
    return "".join(sorted(re.split(r"(?m)^(?=\t[a-z])", found.group(0))))


def state(container: str, service: str) -> str:
    """What systemd says of it: active, inactive or failed."""
    return lab.inside(container, ["systemctl", "show", "--property", "ActiveState", "--value", service]).strip()


def changes(before: Dict[str, list], after: Dict[str, list]) -> Dict[str, list]:
    """The files that differ: {path: [entry before or None, entry after or None]}."""
    return {
        path: [before.get(path), after.get(path)]
        for path in sorted(set(before) | set(after)) if before.get(path) != after.get(path)
    }


def compare(before: dict, after: dict) -> List[str]:
    """One message for each difference between two pictures; empty when there is none."""
    told = [told_file(path, *pair) for path, pair in changes(before["files"], after["files"]).items()]
    for name in ["kernel", *SAVERS]:
        if before[name] != after[name] and (before[name].strip() or name not in SAVERS):
            told.append("the kernel's rules differ (%s):\n%s" % (name, difference(before[name], after[name])))
    told += [
        "service %s was %s and is %s" % (name, was, after["services"][name])
        for name, was in before["services"].items() if was != after["services"][name]
    ]
    return told


def told_file(path: str, before, after) -> str:
    """What happened to one file, for a person."""
    if before is None or after is None:
        return "%s %s" % (path, "has appeared" if before is None else "has gone")
    if before[:4] != after[:4]:
        return "%s: %s has become %s (kind, mode, owner, group)" % (path, before[:4], after[:4])
    return "%s has changed:\n%s" % (path, difference(before[5] or before[4] + "\n", after[5] or after[4] + "\n"))


def difference(before: str, after: str) -> str:
    """A unified diff with one line around."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", n=1, lineterm="")
    return "\n".join(list(lines)[:200])


def main() -> None:
    word, container, name = sys.argv[1:]
    if word == "take":
        pathlib.Path(name).write_text(json.dumps(take(container)), encoding="utf-8")
        return
    told = compare(json.loads(pathlib.Path(name).read_text(encoding="utf-8")), take(container))
    print("\n".join(told) or "no difference")
    sys.exit(1 if told else 0)


if __name__ == "__main__":
    main()
