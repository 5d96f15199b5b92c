# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of iptables that were not there before: what counts as empty, and what is taken away."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends import ufw_tables

# As nft 1.0.6 and 1.1.3 list a table that iptables-nft 1.8.9 and 1.8.11 made and emptied.
RAW = """\
# Warning: table ip raw is managed by iptables-nft, do not touch!
table ip raw {
\tchain PREROUTING {
\t\ttype filter hook prerouting priority raw; policy accept;
\t}

\tchain OUTPUT {
\t\ttype filter hook output priority raw; policy accept;
\t}
}
"""
RULE = RAW.replace("raw; policy accept;\n\t}\n}", "raw; policy accept;\n\t\tcounter packets 0 bytes 0 notrack\n\t}\n}")


@pytest.mark.parametrize("listing, empty", [
    (RAW, True),
    (RAW.partition("\n")[2], True),
    ("table ip raw {\n}\n", True),
    (RULE, False),
    (RAW.replace("policy accept", "policy drop", 1), False),
    (RAW.replace("\tchain OUTPUT", "\tchain mine {\n\t}\n\n\tchain OUTPUT"), False),
    (RAW.replace("\tchain OUTPUT", "\tset mine {\n\t\ttype ipv4_addr\n\t}\n\n\tchain OUTPUT"), False),
    ("", False),
])
def test_only_a_table_that_decides_nothing_is_empty(listing, empty):
    assert ufw_tables.is_empty("ip raw", listing) is empty


class PlayedNft:
    """The tables by name, with their listings."""

    def __init__(self, tables, installed=True):
        self.tables, self.installed = dict(tables), installed

    def program(self, name):
        return "/usr/sbin/nft" if self.installed else None

    def run(self, argv, stdin=None):
        name = " ".join(argv[3:])
        if argv[1:3] == ["list", "tables"]:
            return Result(0, "".join("table %s\n" % table for table in self.tables), "")
        if name not in self.tables:
            return Result(1, "", "Error: No such file or directory")
        return Result(0, self.tables[name] if argv[1] == "list" else str(self.tables.pop(name) and ""), "")


def test_the_table_of_somebodys_rule_stays_and_the_empty_one_goes():
    for listing, left in ((RAW, []), (RULE, ["ip raw"])):
        host = PlayedNft({"ip raw": listing})
        ufw_tables.drop_empty(host, ("ip raw", "ip filter"))
        assert list(host.tables) == left


def test_what_is_missing_is_told_by_nft_alone():
    assert ufw_tables.missing(PlayedNft({"ip filter": "", "inet mine": ""})) == ("ip raw", "ip6 filter")
    assert ufw_tables.missing(PlayedNft({}, installed=False)) == ()


def test_the_chain_that_we_need_in_a_table_of_somebody_else():
    """It is listed as a table with that chain alone."""
    there = PlayedNft({"ip raw": RULE})
    assert ufw_tables.missing_chain(there) == ()
    before = PlayedNft({"ip raw": "table ip raw {\n\tchain PREROUTING {\n\t}\n}\n"})
    assert ufw_tables.missing_chain(before) == ("ip raw OUTPUT",)
    assert ufw_tables.missing_chain(PlayedNft({})) == ()
    head = "table ip raw {\n\tchain OUTPUT {\n\t\ttype filter hook output priority raw; policy accept;\n"
    assert ufw_tables.is_empty("ip raw OUTPUT", head + "\t}\n}\n")
    assert not ufw_tables.is_empty("ip raw OUTPUT", head + "\t\tnotrack\n\t}\n}\n")
