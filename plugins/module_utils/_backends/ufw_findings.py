# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ufw asks before our rules, and what else it opens to 631/udp.  Pure."""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _findings, _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    iptables_lines,
    rule_order,
    ufw_kernel,
    ufw_rules,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.rule_order import Rule
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours, plain

# The files that are read ahead of all user rules, and what the package brought (ufw-framework(8)).
BEFORE = {4: "/etc/ufw/before.rules", 6: "/etc/ufw/before6.rules"}
STOCK = {4: "/usr/share/ufw/iptables/before.rules", 6: "/usr/share/ufw/iptables/before6.rules"}
BEFORE_SCRIPT = "/etc/ufw/before.init"
_PUTS = ("-A", "--append", "-I", "--insert")
_WAYS = {"input": "in", "output": "out"}
_PORT = re.compile(r"([0-9]{1,5})(?:[:-]([0-9]{1,5}))?")


def before(version: int, text: Optional[str], stock: Optional[str], known: Ours) -> List[Finding]:
    """Lines of a before.rules that the package did not bring."""
    brought = set((stock or "").split("\n"))
    lines = [
        (number, line, iptables_lines.split(line)) for number, line in enumerate((text or "").split("\n"), 1)
        if line.startswith("-")
    ]
    found: List[Finding] = []
    for way, direction in _WAYS.items():
        chains: Dict[str, List[Rule]] = {}
        for number, line, words in lines:
            if len(words) > 2 and words[0] in _PUTS:
                where = "" if line in brought else "%s, line %d '%s'" % (BEFORE[version], number, plain(line))
                _put(chains.setdefault(words[1], []), words, direction, where)
        base = rule_order.Base("%s-before-%s" % (ufw_rules.CHAINS[version], way), direction, version)
        found += rule_order.find(chains, base, known)
    return found


def _put(rules: List[Rule], words: List[str], direction: str, where: str) -> None:
    at = len(rules)
    numbered = words[0] in _PUTS[2:] and words[2].isdigit()
    if words[0] in _PUTS[2:]:
        at = int(words[2]) - 1 if numbered else 0
    # Also where it meets no packet of others: it counts among the rules of its chain.
    rules.insert(at, iptables_lines.read(words[3 if numbered else 2:], direction, where) or rule_order.NOTHING)


def ahead(version: int, listed: ufw_kernel.Chains, known: Ours) -> List[Finding]:
    """Rules that somebody put into INPUT or OUTPUT ahead of ufw's own chains."""
    found: List[Finding] = []
    program = "iptables" if version == 4 else "ip6tables"
    for way, direction in _WAYS.items():
        chains: Dict[str, List[Rule]] = {}
        for name in listed:
            rules = chains.setdefault(name, [])
            for line in ufw_kernel.rules(listed, name):
                words = iptables_lines.split(line)
                if words[-2:] == ["-j", "%s-before-%s" % (ufw_rules.CHAINS[version], way)]:
                    break
                where = "%s chain %s, rule '%s'" % (program, plain(name), plain(line))
                rules.append(iptables_lines.read(words[2:], direction, where) or rule_order.NOTHING)
        found += rule_order.find(chains, rule_order.Base(way.upper(), direction, version), known)
    return found


def never_open(path: str, text: Optional[str], profiles: Dict[str, str]) -> List[Finding]:
    """The administrator's rules that open 631/udp, by number or by an application profile."""
    found = []
    for number, line in enumerate((text or "").split("\n"), 1):
        comment = ufw_rules.comment_of(line)
        if comment is None or comment.startswith(ufw_rules.COMMENT):
            continue
        fields = re.sub(r" comment=\S*\s*$", "", line).split()[3:]
        # action, protocol, port, to, source port, from, perhaps two profiles, direction and interface
        if len(fields) < 7 or not fields[0].startswith(("allow", "limit")) or fields[-1].partition("_")[0] != "in":
            continue
        profile = fields[6].replace("%20", " ") if len(fields) > 7 else "-"
        ports = profiles.get(profile, "") if profile != "-" else "%s/%s" % (fields[2], fields[1])
        if _opens(ports):
            shown = "profile '%s'" % plain(profile) if profile != "-" else "port %s" % plain(fields[2])
            found.append(_findings.opens_never_open(
                "%s, line %d (%s)" % (path, number, shown), "delete it with 'ufw status numbered' and 'ufw delete'"
            ))
    return found


def _opens(ports: str) -> bool:
    """Whether "631", "631/udp" or "137,631:640/any|..." has 631/udp in it."""
    never = _words.NEVER_OPEN[1]
    for part in ports.split("|"):
        numbers, _slash, protocol = part.partition("/")
        for match in (_PORT.fullmatch(number.strip()) for number in numbers.split(",")):
            if match and int(match.group(1)) <= never <= int(match.group(2) or match.group(1)):
                if protocol in ("", "any", _words.NEVER_OPEN[0]):
                    return True
    return False


def profile_ports(files: Iterable[str]) -> Dict[str, str]:
    """Names and ports of the profiles in files of applications.d."""
    found: Dict[str, str] = {}
    for text in files:
        name = ""
        for line in text.split("\n"):
            head = re.fullmatch(r"\[(.*)\]\s*", line)
            if head:
                name = head.group(1)
            elif name and line.startswith("ports="):
                found[name] = line.partition("=")[2].strip()
    return found


def script(executable: bool) -> List[Finding]:
    """ufw's hook for commands of the administrator's own."""
    return [Finding(
        _findings.NOTE, "it is executable, so ufw runs its commands ahead of all rules, and what they do is not known",
        BEFORE_SCRIPT, "see that it opens no port of the page",
    )] if executable else []


def find(
    rules: Dict[str, Optional[str]], befores: Dict[int, Tuple[Optional[str], Optional[str]]],
    chains: Dict[int, ufw_kernel.Chains], profiles: Dict[str, str], known: Ours,
) -> List[Finding]:
    """All of it."""
    found: List[Finding] = []
    for version, (text, stock) in befores.items():
        found += before(version, text, stock, known)
    for version, listed in chains.items():
        found += ahead(version, listed, known)
    for path, text in rules.items():
        found += never_open(path, text, profiles)
    return found
