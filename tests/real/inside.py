# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the container: every ruleset has to be taken by the kernel, after any other and beside whatever others
have there."""

from __future__ import annotations

import json
import subprocess
import sys

import kinds
from ansible_collections.printfleet.cups.plugins.module_utils import _policy
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    nftables_findings,
    nftables_foreign,
    nftables_ruleset,
    nftables_switch,
)
from ansible_collections.printfleet.cups.plugins.module_utils._findings import ours

DENY = _policy.make_policy([], "deny", "deny", True, (), None)


def nft(*arguments: str, text: str = "") -> "subprocess.CompletedProcess":
    """Run the real one."""
    return subprocess.run(["nft", *arguments], input=text.encode("utf-8", "surrogateescape"), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def load(text: str) -> None:
    """Load a ruleset; ends the program where nft refuses it."""
    result = nft("-f", "-", text=text)
    if result.returncode:
        sys.exit("nft refused what we rendered: %s\n%s" % (result.stderr.decode(), text))


def listed() -> str:
    return nftables_switch.loadable(nft("-s", "list", "table", "inet", "printfleet_cups").stdout.decode())


def moved(live: str, text: str) -> str:
    """Move the kernel from one table to another in steps, and give its listing; it is that of the whole text."""
    load(text)
    wanted = listed()
    load(nftables_switch.whole(live))
    texts = nftables_switch.moves(live, wanted)
    if any("delete table" in one for one in texts):
        sys.exit("two of our own tables are no more alike than that:\n%s\n%s" % (live, wanted))
    for one in texts:
        load(one)
    now = listed()
    if nftables_switch.comparable(now) != nftables_switch.comparable(wanted):
        sys.exit("wanted:\n%s\nbut there is:\n%s" % (wanted, now))
    if nftables_switch.moves(now, wanted):
        sys.exit("what is there would be moved again:\n%s" % now)
    return now


def statements() -> str:
    return nft("-j", "-s", "-t", "list", "ruleset").stdout.decode("utf-8", "surrogateescape")


def beside(text: str) -> str:
    """Load somebody's table, and ours with what it opens beside it; tells what became of it."""
    nft("flush", "ruleset")
    if nft("-f", "-", text=text).returncode:
        return "not taken by nft itself"
    before = nft("-s", "list", "table", "inet", "office").stdout
    ruleset = nft("-s", "list", "ruleset").stdout.decode("utf-8", "surrogateescape")
    nftables_findings.find(ruleset, ours(DENY))
    kept = nftables_foreign.keep(ruleset, ("in", "out"), statements)
    if kept.lost:
        return "refused in a sentence"
    load(nftables_ruleset.render(DENY, kept.rules["in"], kept.rules["out"], kept.parts))
    # One jump to the one copy with the one or two rules that were there.
    accepts = listed().partition("\tchain kept_")[2].partition("\n\t}")[0].count(" accept")
    if accepts != 1:
        sys.exit("%d rules instead of 1 were kept of\n%s" % (accepts, text))
    if nft("-s", "list", "table", "inet", "office").stdout != before:
        sys.exit("somebody's table changed:\n%s" % text)
    return "kept beside ours"


def main() -> None:
    with open("rulesets.json", encoding="utf-8") as handle:
        given = json.load(handle)
    live = ""
    for text in given["ours"]:
        live = moved(live, text)
    told: dict = {}
    for text in given["foreign"]:
        outcome = beside(text)
        told[outcome] = told.get(outcome, 0) + 1
    if not given["ours"] or not told.get("kept beside ours") or not told.get("refused in a sentence"):
        sys.exit("nothing was tried: %s" % told)
    print("%s: %d rulesets taken; tables of others with hostile texts: %s; %s" % (
        nft("--version").stdout.decode().strip(), len(given["ours"]),
        ", ".join("%d %s" % (count, outcome) for outcome, count in sorted(told.items())),
        kinds.try_all(nft, DENY, given["kinds"])))


main()
