# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conntrack helpers under ufw: a section of the table raw in before.rules, and the chain of ours that it makes.

ufw's own rules know no helper, and only the table raw can set one (iptables-extensions(8), CT).  ufw loads the
section at boot and at each `ufw reload`, as it does an administrator's own sections of that table; it empties none of
them, so each reload adds a way into our chain to those that are there (measured, ufw 0.36.2).  A second one does
nothing, since the first has set the helper; one is left by the next load of ours.
"""

from __future__ import annotations

import re
from typing import Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, Host, must
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Helper

# IPv4 only, as the kernel's two helpers are.
PATH = "/etc/ufw/before.rules"
CHAIN = OWNER
_JUMP = "-A OUTPUT -j %s" % CHAIN
_BEGIN = "# Begin of what the Ansible collection printfleet.cups put here.\n"
_END = "# End of what the Ansible collection printfleet.cups put here.\n"
_COMMIT = "\nCOMMIT\n"
_OURS = re.compile(re.escape(_BEGIN) + r"(?:(?!%s).*\n)*?" % re.escape(_END[:-1]) + re.escape(_END))


class Raw(NamedTuple):
    """What the kernel's table raw holds of ours: ways into our chain, and its rules; None without the chain.

    ``table``: whether there is such a table at all.
    """

    jumps: int
    rules: Optional[Tuple[str, ...]]
    table: bool = True


def rules(helpers: Iterable[Helper]) -> Tuple[str, ...]:
    """The chain, in the words of iptables-save: what the kernel holds is compared with it."""
    return tuple(
        "-A %s -p %s -m %s --dport %d -j CT --helper %s" % (CHAIN, h.protocol, h.protocol, h.port, h.name)
        for h in helpers
    )


def without_ours(text: str) -> str:
    """before.rules less our section, all else byte for byte."""
    return _OURS.sub("", text)


def with_ours(text: str, helpers: Iterable[Helper]) -> Optional[str]:
    """before.rules with our section behind all others; None where it is no such file.

    A kernel that has no such helper any more refuses the section, and iptables-restore ends there: so the others
    are to be in force by then.
    """
    lines = rules(helpers)
    if not lines:
        return text
    end = text.rfind(_COMMIT)
    if end < 0:
        return None
    end += len(_COMMIT)
    section = "*raw\n:%s - [0:0]\n%s\n%s\nCOMMIT\n" % (CHAIN, _JUMP, "\n".join(lines))
    told = "# Printers that answer a broadcast of this host's are let in by these.\n"
    return text[:end] + _BEGIN + told + section + _END + text[end:]


def read(host: Host) -> Raw:
    """Ask the kernel.  All tables are listed: to name one that is not there would make it."""
    return parse(must(host, ["iptables-save"]))


def parse(listing: str) -> Raw:
    """Read what iptables-save prints."""
    section = re.search(r"(?ms)^\*raw\n(.*?)^COMMIT$", listing)
    lines: List[str] = section.group(1).splitlines() if section else []
    if not any(line.startswith(":%s " % CHAIN) for line in lines):
        return Raw(0, None, section is not None)
    return Raw(lines.count(_JUMP), tuple(line for line in lines if line.startswith("-A %s " % CHAIN)))


def in_force(raw: Raw, wanted: Tuple[str, ...]) -> bool:
    """Whether the kernel holds exactly these rules, and comes to them; none are wanted: not even the chain."""
    return raw.rules == wanted and raw.jumps > 0 if wanted else raw.rules is None


def document(raw: Raw, wanted: Tuple[str, ...]) -> str:
    """The input for one `iptables-restore -n`, from whatever the kernel holds; "" where there is nothing to do."""
    if raw.rules is None and not wanted:
        return ""
    lines = [":%s - [0:0]" % CHAIN] + ["-D" + _JUMP[2:]] * raw.jumps
    lines += [_JUMP] + list(wanted) if wanted else ["-X %s" % CHAIN]
    return "*raw\n%s\nCOMMIT\n" % "\n".join(lines)


def readable(raw: Raw, before: str, modules: str) -> List[str]:
    """All of it as a person reads it: the kernel's chain, our section of before.rules, and the modules' file."""
    lines = []
    if raw.rules is not None:
        way = "" if raw.jumps else " (no way from OUTPUT to it)"
        lines += ["table raw, chain %s:%s" % (CHAIN, way)] + ["  " + rule for rule in raw.rules]
    for path, text in ((PATH, "".join(_OURS.findall(before))), (_helpers.PATH, modules)):
        told = ["  " + line for line in text.split("\n") if line and not line.startswith("#")]
        lines += ["%s:" % path] + told if told else []
    return lines
