# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firewalld's runtime configuration of others, drawn at random: it is the same after all that the role does.

PRINTFLEET_RUNTIME_ROUNDS tries more seeds than one, PRINTFLEET_RUNTIME_SEED begins at another.
"""

from __future__ import annotations

import json
import os
import re

import pytest
from found.host import ROOT, Host
from proof import lab

SEED = int(os.environ.get("PRINTFLEET_RUNTIME_SEED", "631"))
ROUNDS = int(os.environ.get("PRINTFLEET_RUNTIME_ROUNDS", "1"))
# Of 90 calls some are refused, such as a port that is open already; far fewer would prove little.
FEWEST = 60
PROGRAM = (ROOT / "tests/found/firewalld_runtime.py").read_text(encoding="utf-8")


def ask(host: Host, *words: str) -> dict:
    """Run the program on the host."""
    return json.loads(lab.inside(host.name, ["python3", "-", *words], PROGRAM))


def in_kernel(host: Host) -> list:
    """What firewalld's rules and iptables' decide in the kernel, without ours, in no order."""
    objects = json.loads(host.run("nft", "--json", "list", "table", "inet", "firewalld"))["nftables"]
    chains = {item["chain"]["name"]: [] for item in objects if "chain" in item}
    reached = [item["chain"]["name"] for item in objects if "hook" in item.get("chain", ())]
    for rule in (item["rule"] for item in objects if "rule" in item):
        chains[rule["chain"]].append(json.dumps({"chain": rule["chain"], "expr": rule["expr"]}))
    # A zone that was in use once leaves its chains, to which nothing leads any more.
    for name in reached:
        found = re.findall(r'"target": "([^"]+)"', " ".join(chains[name]))
        reached += [target for target in dict.fromkeys(found) if target not in reached]
    lines = [rule for name in reached for rule in chains[name]]
    assert len(lines) > 50, lines
    lines += [line for line in host.shell("iptables-save; ip6tables-save").splitlines() if line.startswith("-A ")]
    return sorted(line for line in lines if "printfleet" not in line)


def look(host: Host) -> dict:
    """Both."""
    return {**ask(host, "read"), "kernel": in_kernel(host)}


def differences(was: dict, now: dict) -> list:
    """What is there on one side only."""
    told = []
    for key in sorted({**was, **now}):
        one, other = was.get(key), now.get(key)
        if isinstance(one, list) and isinstance(other, list):
            told += ["%s: lost %s" % (key, item) for item in one if item not in other]
            told += ["%s: new %s" % (key, item) for item in other if item not in one]
        elif one != other:
            told.append("%s: %s, was %s" % (key, other, one))
    return told


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_what_others_changed_at_runtime_stays(host, seed):
    """Applied, changed to deny, a change taken back, removed: all settings and rules of others are as before.

    The control: what was drawn is not what the files say, so any reload without giving back would be seen.
    """
    host.case("firewalld_objects")
    by_files = look(host)
    worked = ask(host, "draw", str(seed))
    before = look(host)
    print("worked:", worked)
    assert sum(worked.values()) >= FEWEST, worked
    changed = differences(by_files, before)
    assert len(changed) >= FEWEST / 2, changed

    def must_be_as_before(when: str) -> None:
        told = differences(before, look(host))
        assert not told, "%s:\n%s" % (when, "\n".join(told))

    host.role(backend="firewalld")
    must_be_as_before("applied")
    host.role(backend="firewalld", default_incoming="deny", default_outgoing="deny")
    must_be_as_before("changed to deny")
    tried = host.try_role(seconds=5, backend="firewalld")
    assert tried.cookie, tried.told()
    host.wait_for_alarm(60)
    must_be_as_before("taken back")
    host.remove()
    must_be_as_before("removed")
