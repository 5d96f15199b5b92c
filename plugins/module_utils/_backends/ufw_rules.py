# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ufw's rule files, /etc/ufw/user.rules and user6.rules: our rules as ufw writes them, put in and taken out.

The format is ufw's own (ufw/backend_iptables.py, _read_rules and _write_rules of ufw 0.36.2).  Each rule is a
block: an empty line, a line "### tuple ###" that ufw reads back, and the lines for iptables-restore that ufw
derives from it.  What is written here in any other way than ufw's would change at the next `ufw allow`.
"""

from __future__ import annotations

import binascii
import re
import socket
from typing import List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._findings import plain

# Every rule of ours has a comment that begins so; ufw keeps comments in hexadecimal.
COMMENT = "printfleet.cups: "

FILES = {4: "/etc/ufw/user.rules", 6: "/etc/ufw/user6.rules"}
CHAINS = {4: "ufw", 6: "ufw6"}
ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}

_RULES = "### RULES ###\n"
_COMMIT = "COMMIT\n"
_TUPLE = "### tuple ### "
_COMMENT = re.compile(r" comment=([0-9a-fA-F]*)\s*$")
_TARGETS = {"allow": "ACCEPT", "deny": "DROP", "reject": "REJECT"}
# The rate that ufw gives to every rule that logs.
_LOG = '-m conntrack --ctstate NEW -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW %s] "'


class Rule(NamedTuple):
    """One rule of ufw, for one IP version.

    ``action`` is allow, deny or reject.  Ports are "any", "631" or "9100:9102".  ``profile`` names the
    application profile from which the port of ``profile_side`` ("destination" or "source") comes; "" is none.
    """

    version: int
    action: str
    direction: str
    protocol: str
    destination: str
    destination_port: str
    source: str
    source_port: str
    profile: str
    profile_side: str
    log: bool
    row: str


def address(network: str, version: int) -> str:
    """An address or network in the spelling to which ufw normalises it (ufw/util.py, normalize_address)."""
    # The C library writes ::102:304 as ::1.2.3.4, Python's ipaddress does not.
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    base, slash, length = network.partition("/")
    return socket.inet_ntop(family, socket.inet_pton(family, base)) + slash + length


def block(rule: Rule) -> str:
    """The rule as ufw writes it into its file."""
    fields = [
        rule.action + ("_log" if rule.log else ""), rule.protocol, rule.destination_port, rule.destination,
        rule.source_port, rule.source,
    ]
    if rule.profile:
        fields += [rule.profile, "-"] if rule.profile_side == "destination" else ["-", rule.profile]
    comment = binascii.hexlify((COMMENT + rule.row).encode("utf-8")).decode("ascii")
    head = "\n%s%s %s comment=%s\n" % (_TUPLE, " ".join(fields), rule.direction, comment)
    return head + "".join("-A %s\n" % line for line in _restore_lines(rule))


def _restore_lines(rule: Rule) -> List[str]:
    suffix = "input" if rule.direction == "in" else "output"
    chain = "%s-user-%s" % (CHAINS[rule.version], suffix)
    match = _match(rule)
    target = _TARGETS[rule.action]
    if rule.action == "reject" and rule.protocol == "tcp":
        target += " --reject-with tcp-reset"
    comment = ""
    if rule.profile:
        side = "dapp" if rule.profile_side == "destination" else "sapp"
        comment = " -m comment --comment '%s_%s'" % (side, rule.profile)
    verdict = "%s %s -j %s%s" % (chain, match, target, comment)
    if not rule.log:
        return [verdict]
    logging = "%s-user-logging-%s" % (CHAINS[rule.version], suffix)
    return [
        "%s %s %s" % (logging, match, _LOG % ("ALLOW" if rule.action == "allow" else "BLOCK")),
        "%s %s -j RETURN" % (logging, match),
        "%s %s -j %s" % (chain, match, logging),
        verdict,
    ]


def _match(rule: Rule) -> str:
    """The order of the options is that of UFWRule.format_rule in ufw/common.py."""
    multiport = ":" in rule.destination_port or ":" in rule.source_port
    words = ["-p", rule.protocol]
    if multiport:
        for option, port in (("--dports", rule.destination_port), ("--sports", rule.source_port)):
            if port != "any":
                words += ["-m", "multiport", option, port]
    for option, network, port_option, port in (
        ("-d", rule.destination, "--dport", rule.destination_port),
        ("-s", rule.source, "--sport", rule.source_port),
    ):
        if network != ANYWHERE[rule.version]:
            words += [option, network]
        if not multiport and port != "any":
            words += [port_option, port]
    return " ".join(words)


def comment_of(line: str) -> Optional[str]:
    """The comment of a tuple line in plain text; None where the line is no tuple, "" where it has no comment."""
    if not line.startswith(_TUPLE):
        return None
    match = _COMMENT.search(line)
    if not match:
        return ""
    digits = match.group(1)
    return binascii.unhexlify(digits[: len(digits) // 2 * 2]).decode("utf-8", "backslashreplace")


def tuples(text: str) -> Tuple[str, ...]:
    """The tuple lines of a rule file in order: all that ufw itself reads from it."""
    return tuple(line for line in text.split("\n") if line.startswith(_TUPLE))


def without_ours(text: str) -> str:
    """The rule file less every block of ours, all else byte for byte."""
    kept: List[str] = []
    to_drop = 0
    # At newlines only, as ufw does: other letters at which Python would cut may stand in anybody's comment.
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        if to_drop and line.startswith("-A "):
            to_drop -= 1
            continue
        to_drop = 0
        if (comment_of(line) or "").startswith(COMMENT):
            # As many lines follow as the rule has: one, or four where it logs.
            to_drop = 4 if line.split()[3].endswith("_log") else 1
            if kept and kept[-1] == "\n":
                kept.pop()
            continue
        kept.append(line)
    return "".join(kept)


class Unusable(ValueError):
    """A rule file that cannot be edited; the message says what stands where."""


def filter_section(text: str) -> Tuple[str, str, str]:
    """What stands ahead of the rules of the table filter, these rules, and what stands behind them.

    Comments and empty lines may stand anywhere, as iptables-restore and ufw take them.  Raises Unusable for a file
    that iptables-restore does not take, or takes in another way than ufw does.
    """
    start = end = at = 0
    table = ""
    for number, line in enumerate(re.findall(r"[^\n]*\n|[^\n]+", text), 1):
        at += len(line)
        if line.startswith("#") or line == "\n":
            continue
        if table:
            if line == _COMMIT:
                end = at - len(line) if table == "filter" else end
                table = ""
            elif line.startswith("*"):
                raise Unusable("line %d begins another table, and '*%s' has no line 'COMMIT' yet" % (number, table))
        elif line.startswith("*"):
            table = (line[1:].split() or [""])[0]
            if table == "filter" and start:
                raise Unusable("line %d begins the table filter a second time" % number)
            start = at if table == "filter" else start
        else:
            raise Unusable("line %d stands outside of a table: '%s'" % (number, plain(line.rstrip("\n"))))
    if not text.strip():
        raise Unusable("it is empty")
    if table or not start:
        raise Unusable("it has no line 'COMMIT' at the end of '*%s'" % table if table else "it has no line '*filter'")
    return text[:start], text[start:end], text[end:]


def with_ours(foreign: str, rules: Tuple[Rule, ...]) -> str:
    """The rule file with our blocks behind the bans and ahead of all else; raises Unusable.

    Bans are the rules at the very top that deny or reject one address: so fail2ban sets them (`ufw prepend deny
    from`), and who is banned shall not print either.
    """
    if not rules:
        return foreign
    head, body, tail = filter_section(foreign)
    before, mark, after = body.partition(_RULES)
    if not mark:
        # ufw writes that line and does not need it: the rules begin where the chains have been named.
        first = re.search(r"(?m)^(?:%s|-)" % re.escape(_TUPLE), body)
        at = first.start() if first else len(body)
        before, after = body[:at], body[at:]
    at = _end_of_bans(after)
    return head + before + mark + after[:at] + "".join(block(rule) for rule in rules) + after[at:] + tail


def _end_of_bans(text: str) -> int:
    """Where the first block begins that is no ban."""
    end = at = 0
    banning = False
    for line in text.splitlines(True):
        at += len(line)
        if comment_of(line) is not None:
            if not _bans(line):
                return end
            banning = True
        elif banning and line.startswith("-A "):
            end = at
        elif line != "\n":
            return end
    return end


def _bans(line: str) -> bool:
    """Whether a tuple line denies or rejects one address or network of others."""
    fields = _COMMENT.sub("", line)[len(_TUPLE):].split()
    if not 6 <= len(fields) <= 9:
        return False
    direction = fields[-1] if len(fields) in (7, 9) else "in"
    stranger = fields[5] if direction.split("_")[0] == "in" else fields[3]
    return fields[0].split("_")[0] in ("deny", "reject") and stranger not in ANYWHERE.values()


def readable(text: str) -> List[str]:
    """The rules of a file as a person reads them, one line each."""
    return ["  " + _readable(line) for line in tuples(text)]


def _readable(line: str) -> str:
    fields = _COMMENT.sub("", line)[len(_TUPLE):].split()
    if not 6 <= len(fields) <= 9:
        return plain(line)
    action, protocol, port, destination, source_port, source = fields[:6]
    where = fields[-1] if len(fields) in (7, 9) else "in"
    said = "%s %s %s" % (action.upper().replace("_", " "), where.upper(), protocol)
    for word, network, number in (("from", source, source_port), ("to", destination, port)):
        name = "anywhere" if network in ANYWHERE.values() else network
        said += " %s %s" % (word, name) + ("" if number == "any" else " port %s" % number)
    comment = comment_of(line)
    return plain(said + ("  # %s" % comment if comment else ""))
