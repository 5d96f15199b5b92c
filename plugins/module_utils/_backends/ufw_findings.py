# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ufw asks before our rules, and what else it opens to 631/udp.  Pure."""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _findings, _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import iptables_lines, ufw_kernel, ufw_rules
from ansible_collections.printfleet.cups.plugins.module_utils._findings import Finding, Ours, plain

# The files that are read ahead of all user rules, and what the package brought (ufw-framework(8)).
BEFORE = {4: "/etc/ufw/before.rules", 6: "/etc/ufw/before6.rules"}
STOCK = {4: "/usr/share/ufw/iptables/before.rules", 6: "/usr/share/ufw/iptables/before6.rules"}
BEFORE_SCRIPT = "/etc/ufw/before.init"
_WAYS = {"input": "in", "output": "out"}
_PORT = re.compile(r"([0-9]{1,5})(?:[:-]([0-9]{1,5}))?")


def before(version: int, text: Optional[str], stock: Optional[str], known: Ours) -> List[Finding]:
    """Lines of a before.rules that the package did not bring."""
    brought = set((stock or "").split("\n"))
    found: List[Finding] = []
    for number, line in enumerate((text or "").split("\n"), 1):
        if line in brought or not line.startswith("-"):
            continue
        words = iptables_lines.split(line)
        for way, direction in _WAYS.items():
            if words[1:2] == ["%s-before-%s" % (ufw_rules.CHAINS[version], way)]:
                where = "%s, line %d '%s'" % (BEFORE[version], number, plain(line))
                found += iptables_lines.judge(words[2:], direction, where, known)
    return found


def ahead(version: int, chains: ufw_kernel.Chains, known: Ours) -> List[Finding]:
    """Rules that somebody put into INPUT or OUTPUT ahead of ufw's own chains."""
    found: List[Finding] = []
    for way, direction in _WAYS.items():
        program = "iptables" if version == 4 else "ip6tables"
        for rule in ufw_kernel.rules(chains, way.upper()):
            words = iptables_lines.split(rule)
            if words[-2:] == ["-j", "%s-before-%s" % (ufw_rules.CHAINS[version], way)]:
                break
            found += iptables_lines.judge(
                words[2:], direction, "%s chain %s, rule '%s'" % (program, way.upper(), plain(rule)), known
            )
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
