# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and chains of the kernel that were not there before our first change, and how they go again.

iptables makes a whole table, with its empty chains, as soon as one rule is put into it, and no word of iptables takes
a table or a built-in chain away (measured, iptables-nft 1.8.7 to 1.8.11).  nft does.  Where nft is not installed, and
for tables of iptables-legacy, an empty table stays until the next boot.
"""

from __future__ import annotations

import re
from typing import Iterable, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backend import Host

# The tables that ufw's commands and our helpers fill.
TABLES = ("ip raw", "ip filter", "ip6 filter")
RAW_TABLE, RAW_CHAIN = "ip raw", "ip raw OUTPUT"
_CHAIN = r"\tchain [A-Z]+ \{\n\t\ttype [a-z]+ hook [a-z]+ priority [a-z0-9 +-]+; policy accept;\n%s\t\}\n\n?"
# With IPV6=no, ufw lets only loopback through over IPv6, and `ufw disable` leaves these rules (ufw-init-functions).
_LOOPBACK = r'(?:\t\t[io]ifname "lo" (?:counter packets [0-9]+ bytes [0-9]+ )?accept\n)?'
_TABLE = r"(?:#.*\n)*table %s \{\n(?:%s)*\}\n?"
_EMPTY = {
    name: re.compile(_TABLE % (name, _CHAIN % (_LOOPBACK if name == "ip6 filter" else ""))) for name in TABLES
}
_EMPTY[RAW_CHAIN] = re.compile(_TABLE % (RAW_TABLE, _CHAIN % ""))


def missing(host: Host) -> Tuple[str, ...]:
    """The tables that the kernel has not; none where nobody can tell."""
    if not host.program("nft"):
        return ()
    listed = host.run(["nft", "list", "tables"])
    there = listed.output.splitlines()
    return tuple(name for name in TABLES if listed.status == 0 and "table " + name not in there)


def missing_chain(host: Host) -> Tuple[str, ...]:
    """The chain OUTPUT of a table raw that is there: iptables-save lists it even where it is not."""
    listed = host.run(["nft", "list", "table"] + RAW_TABLE.split()) if host.program("nft") else None
    return (RAW_CHAIN,) if listed and listed.status == 0 and "\tchain OUTPUT {" not in listed.output else ()


def drop_empty(host: Host, names: Iterable[str]) -> None:
    """Take away what holds nothing.  A table or chain in which somebody has a rule stays."""
    for name in names if host.program("nft") else ():
        what = [("chain" if name == RAW_CHAIN else "table")] + name.split()
        listed = host.run(["nft", "list"] + what)
        if listed.status == 0 and is_empty(name, listed.output):
            host.run(["nft", "delete"] + what)


def is_empty(name: str, listing: str) -> bool:
    """Whether nft lists nothing in it but chains of iptables' own that let everything through."""
    return bool(_EMPTY[name].fullmatch(listing))
