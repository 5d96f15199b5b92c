# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one table to another: what is looked up is there before it is asked, and goes after. The real nft is asked by
``make parse``."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables_switch import (
    comparable,
    loadable,
    moves,
    whole,
)

HEAD = "table inet printfleet_cups {\n"
REFUSE = "\tchain refuse_in {\n\t\tdrop\n\t}\n"
EMPTYING = "delete table inet printfleet_cups"


def old_set(name="peers_v4_1", more=""):
    return "\tset %s {\n\t\ttype ipv4_addr\n\t\tflags interval\n%s\t}\n\n" % (name, more)


def port_map(name="rows_in_1"):
    lines = ("type inet_proto . inet_service : verdict", "elements = { tcp . 631 : accept }")
    return "\tmap %s {\n\t\t%s\n\t\t%s\n\t}\n\n" % (name, *lines)


def incoming(*rules, policy="drop", priority="filter"):
    return "\tchain incoming {\n\t\ttype filter hook input priority %s; policy %s;\n%s\t}\n" % (
        priority, policy, "".join("\t\t%s\n" % rule for rule in rules))


def table(*blocks, head=HEAD):
    return head + "".join(blocks) + "}\n"


BEFORE = table(old_set(), port_map(), REFUSE, incoming("vmap @rows_in_1", "goto refuse_in"))
AFTER = table(old_set("peers_v4_2"), port_map("rows_in_2"), REFUSE, incoming("vmap @rows_in_2", "goto refuse_in"))


def test_nothing_is_asked_before_it_is_there_and_nothing_goes_while_it_is_asked():
    prepared, switched, cleared = moves(BEFORE, AFTER)
    assert "add set inet printfleet_cups peers_v4_2 {" in prepared
    assert "add map inet printfleet_cups rows_in_2 {" in prepared and "chain" not in prepared
    assert "flush chain inet printfleet_cups incoming\n" in switched and "vmap @rows_in_2" in switched
    assert "printfleet_cups refuse_in" not in switched and "delete" not in prepared + switched
    assert cleared.split("\n") == [
        "delete map inet printfleet_cups rows_in_1", "delete set inet printfleet_cups peers_v4_1", "",
    ]


def test_what_is_as_wanted_is_not_touched():
    assert moves(BEFORE, BEFORE) == ()


def test_what_was_left_when_a_change_was_cut_short_is_cleared_away():
    assert moves(AFTER.replace("\tmap", old_set("peers_v4_9") + "\tmap", 1), AFTER) == (
        "delete set inet printfleet_cups peers_v4_9\n",)


def test_the_first_table_is_made_before_its_chain_is_hooked():
    prepared, switched = moves("", BEFORE)
    assert prepared.startswith("add table inet printfleet_cups\nadd chain inet printfleet_cups refuse_in\nadd set ")
    assert prepared.endswith("}\nadd rule inet printfleet_cups refuse_in drop\n") and "hook" not in prepared
    assert switched == (
        "add chain inet printfleet_cups incoming { type filter hook input priority filter; policy drop; }\n"
        "add rule inet printfleet_cups incoming vmap @rows_in_1\n"
        "add rule inet printfleet_cups incoming goto refuse_in\n"
    )


def test_a_policy_changes_in_place():
    (switched,) = moves(table(incoming("accept")), table(incoming("accept", policy="accept")))
    assert "policy accept;" in switched and "delete" not in switched


def test_a_chain_at_a_hook_that_is_wanted_no_more_goes_before_what_it_asks():
    switched, cleared = moves(BEFORE, table())
    assert switched == "delete chain inet printfleet_cups incoming\n"
    # A chain may be what the map's elements name, and may ask the set.
    assert [line.split()[:2] for line in cleared.splitlines()] == [
        ["flush", "chain"], ["delete", "map"], ["delete", "chain"], ["delete", "set"],
    ]


@pytest.mark.parametrize("live", [
    AFTER.replace("flags interval", "flags interval\n\t\tauto-merge"),
    BEFORE.replace("priority filter", "priority mangle"),
    BEFORE.replace("hook input", "hook output"),
    BEFORE.replace("\tchain refuse_in {\n", '\tchain refuse_in {\n\t\tcomment "by hand"\n'),
    BEFORE.replace(HEAD, HEAD + '\tcomment "of an older version"\n'),
    BEFORE.replace(HEAD, HEAD + "\tflags dormant\n"),
    BEFORE.replace(REFUSE, REFUSE + "\tcounter mine {\n\t\tpackets 0 bytes 0\n\t}\n"),
    BEFORE.replace(REFUSE, REFUSE + '\tchain x {\n\t\tcomment "over\n\t}\n\tchain lines {\n"\n\t}\n'),
    BEFORE.replace("\t\tdrop\n\t}\n", "\t\tdrop\n"),
    BEFORE.replace(REFUSE, REFUSE + "\tchain drop {\n\t}\n"),
    table("\tset rows_in_2 {\n\t\ttype ipv4_addr\n\t}\n"),
    "nothing that nft prints",
])
def test_what_we_have_never_written_is_replaced_as_a_whole(live):
    assert moves(live, AFTER) == (whole(AFTER),)
    assert EMPTYING in whole(AFTER)


def test_a_helper_is_given_as_nft_takes_it():
    """nft 1.0.6 without /etc/protocols: 'unexpected number, expecting udp or tcp'."""
    listed = '\tct helper find_snmp {\n\t\ttype "snmp" protocol %s\n\t\tl3proto ip\n\t}\n'
    assert loadable(table(listed % 17)) == loadable(table(listed % "udp")) == table(listed % "udp")
    assert loadable(table(listed % 6)) == table(listed % "tcp")


def test_the_order_in_which_things_were_made_says_nothing():
    other = table(incoming("vmap @rows_in_1", "goto refuse_in"), port_map(), old_set(), REFUSE)
    assert comparable(other) == comparable(BEFORE) != comparable(AFTER)
    assert comparable("") == ""
    assert moves(other, BEFORE) == ()
