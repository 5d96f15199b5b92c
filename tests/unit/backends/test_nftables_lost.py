# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rule of others that cannot be copied: in the way of a change that would shut it, and else a finding."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_ruleset
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables_foreign import NOWHERE, Lost
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables_lost import obstacle

VPN = ("inet", "vpn", "input")
LOST = Lost("in", VPN, "ip saddr @knocked tcp dport 22 accept", "its set knocked changes by itself", "set it to keep")
COPY = nftables_ruleset.named("kept", VPN)


def table(policy="drop", *copied):
    copy = "\tchain %s {\n%s\t}\n\n" % (COPY, "".join("\t\t%s\n" % rule for rule in copied)) if copied else ""
    return (
        "table inet printfleet_cups {\n%s\tchain incoming {\n\t\ttype filter hook input priority filter; policy %s;\n"
        "\t}\n}\n" % (copy, policy)
    )


@pytest.mark.parametrize("live, wanted, stands", [
    ("", table(), True),
    (table("accept"), table(), True),
    (table(), table(), False),
    (table("drop", "tcp dport 80 accept"), table("drop", "tcp dport 80 accept"), False),
    # What was copied of that chain goes with the change.
    (table("drop", "ip saddr @kept_1 tcp dport 22 accept"), table(), True),
    (table("drop", 'comment "as in table inet vpn, chain input"', "udp dport 1 accept"),
     table("drop", "udp dport 1 accept"), False),
], ids=["first deny", "from keep", "refused already", "others kept", "its copy goes", "an older version's comment"])
def test_it_stands_in_the_way_of_what_would_shut_it(live, wanted, stands):
    told = obstacle([LOST], live, wanted)
    assert bool(told) == stands
    if stands:
        assert told == (
            "nftables table inet vpn, chain input, rule 'ip saddr @knocked tcp dport 22 accept': what it accepts is "
            "refused under cups_firewall_default_incoming: deny, since it cannot be copied: its set knocked changes by "
            "itself; set it to keep"
        )


def test_where_nothing_can_be_read_every_copy_stands_in_the_way():
    unread = Lost("in", NOWHERE, 'comment "', "a text over several lines hides what is a rule", "remove it")
    copied = table("drop", "tcp dport 80 accept")
    assert obstacle([unread], copied, table()).startswith("nftables, the line 'comment \"': what others accept is ")
    assert obstacle([unread], table(), table()) == ""


def test_nothing_lost_is_in_no_way():
    assert obstacle([], "", table()) == ""
