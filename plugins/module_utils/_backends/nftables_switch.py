# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one listing of our table to another without a moment in which a packet is judged by neither.  Pure.

One transaction that replaces the table is atomic for its rules, and not for what they look up: a set or map that
holds ranges is there a moment after the rules that ask it, and the elements of a deleted verdict map are gone a moment
before those rules (nf_tables_commit() and nft_map_deactivate(), net/netfilter/nf_tables_api.c).  What looks then finds
nothing and is refused.  Measured on Linux 6.18 with 40,000 packets a second: one or two lost with each change.

So first what the new rules look up is made, then the rules change, then what the old ones looked up goes: none lost
in 530 changes.  A set or a map never changes, since its name tells its contents (see nftables_ruleset).
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backends.nftables_ruleset import OURS, REMOVAL

# Names that we have given, now or in an older version: what nft takes as a name depends on where it comes from.
_NAMES = r"(?:peers|rows|answers|kept|refuse|find)_\w+|incoming|outgoing|helpers|conntrack_helpers"
_HEAD = re.compile(r"\t(chain|set|map|ct helper) (%s) \{" % _NAMES)
_BASE = re.compile(r"\t\t(type [^;]+; )policy \w+;")
_HELPERS_PROTOCOL = re.compile(r'(?m)^(\t\ttype "[^"\n]*" protocol )(6|17)$')
_PROTOCOLS = {"6": "tcp", "17": "udp"}
_Key = Tuple[str, str]


class _Table(NamedTuple):
    """A listing, cut up: lines of the table itself, and the lines of each block by kind and name."""

    own: Tuple[str, ...]
    blocks: Dict[_Key, Tuple[str, ...]]


class _Chain(NamedTuple):
    """What cannot change while a chain stays, and whether it stands at a hook."""

    fixed: Tuple[str, ...]
    base: bool


def loadable(listing: str) -> str:
    """What nft 1.0.6 lists of a conntrack helper where there is no /etc/protocols, and does not take itself."""
    return _HELPERS_PROTOCOL.sub(lambda found: found.group(1) + _PROTOCOLS[found.group(2)], listing)


def whole(listing: str) -> str:
    """From any state, in one transaction; the listing may be empty."""
    return REMOVAL + listing


def comparable(listing: str) -> str:
    """The same text for the same table: in which order its blocks were made has no meaning."""
    table = _read(listing)
    return listing if table is None else "".join(
        "%s\n" % line for line in ["table %s {" % OURS, *table.own, *_lines(dict(sorted(
            table.blocks.items(), key=lambda block: (block[0][0] == "chain", block[0])))), "}"]
    )


def moves(live: str, wanted: str) -> Tuple[str, ...]:
    """What ``nft -f`` has to be given, one after the other; ``live`` is empty where there is no table."""
    new, old = _read(wanted), _read(live) if live else _Table((), {})
    if new is None or old is None or not _alike(old, new):
        return (whole(wanted),)
    made = {key: lines for key, lines in new.blocks.items() if key not in old.blocks}
    gone = {key: lines for key, lines in old.blocks.items() if key not in new.blocks}
    changed = {key: lines for key, lines in new.blocks.items() if lines != old.blocks.get(key, lines)}
    prepared = {key: lines for key, lines in made.items() if not _chain(lines).base}
    switched = {**changed, **{key: lines for key, lines in made.items() if key not in prepared}}
    texts = (
        ("" if live else "add table %s\n" % OURS) + _made(prepared),
        _commands("flush chain", changed) + _made(switched)
        + _commands("delete chain", [key for key, lines in gone.items() if _chain(lines).base]),
        _cleared({key: lines for key, lines in gone.items() if not _chain(lines).base}),
    )
    return tuple(text for text in texts if text)


def _read(listing: str) -> Optional[_Table]:
    """None for what we have never written: another kind of thing, or a text that goes over lines."""
    lines = listing.split("\n")
    if lines[0] != "table %s {" % OURS or lines[-2:] != ["}", ""]:
        return None
    own: List[str] = []
    blocks: Dict[_Key, Tuple[str, ...]] = {}
    inner: Optional[List[str]] = None
    for line in lines[1:-2]:
        head = _HEAD.fullmatch(line)
        if line.count('"') % 2 or (inner is not None and head):
            return None
        if head:
            key, inner = (head.group(1), head.group(2)), []
        elif inner is not None and line == "\t}":
            blocks[key], inner = tuple(inner), None
        elif inner is not None:
            inner.append(line)
        elif line.endswith("{"):
            return None
        elif line:
            own.append(line)
    return None if inner is not None else _Table(tuple(own), blocks)


def _chain(lines: Tuple[str, ...]) -> _Chain:
    """Look at a block's first lines."""
    head = [line for line in lines[:2] if line.startswith(("\t\ttype ", "\t\tcomment "))]
    fixed = tuple(_BASE.sub(r"\1", line) for line in head)
    return _Chain(fixed, any(_BASE.fullmatch(line) for line in head))


def _alike(old: _Table, new: _Table) -> bool:
    """Whether the one can become the other bit by bit: nothing differs but chains, and those in their rules."""
    if old.own != new.own or any(line.startswith("\t\tcomment ") for lines in new.blocks.values() for line in lines):
        return False
    # Sets and maps share their names.
    names = [name for kind, name in {**old.blocks, **new.blocks} if kind in ("set", "map")]
    if len(set(names)) < len(names):
        return False
    for key in set(old.blocks) & set(new.blocks):
        before, after = old.blocks[key], new.blocks[key]
        if before != after and (key[0] != "chain" or _chain(before).fixed != _chain(after).fixed):
            return False
    return True


def _lines(blocks: Dict[_Key, Tuple[str, ...]]) -> List[str]:
    return [
        line for (kind, name), inner in blocks.items() for line in ["\t%s %s {" % (kind, name), *inner, "\t}"]
    ]


def _made(blocks: Dict[_Key, Tuple[str, ...]]) -> str:
    """Chains first, since maps name them, and their rules last.

    One command for each: within the braces of a table, nft 0.9.8 knows no set that is not made there, and dies of a
    map that names a chain from outside.
    """
    chains, others, rules = [], [], []
    for (kind, name), lines in blocks.items():
        head = "add %s %s %s" % (kind, OURS, name)
        if kind != "chain":
            others.append("%s {\n%s}\n" % (head, "".join("%s\n" % line for line in lines)))
            continue
        base = next((line for line in lines if _BASE.fullmatch(line)), None)
        chains.append("%s { %s }\n" % (head, base.strip()) if base else head + "\n")
        rules += ["add rule %s %s %s\n" % (OURS, name, line.strip()) for line in lines if line != base]
    return "".join(chains + others + rules)


def _commands(command: str, keys: Iterable[_Key]) -> str:
    return "".join("%s %s %s\n" % (command, OURS, name) for _kind, name in keys)


def _cleared(gone: Iterable[_Key]) -> str:
    """Nothing that is left asks any of it; each goes before what it names itself."""
    kinds: Dict[str, List[_Key]] = {kind: [] for kind in ("chain", "map", "set", "ct helper")}
    for key in gone:
        kinds[key[0]].append(key)
    return _commands("flush chain", kinds["chain"]) + "".join(
        _commands("delete " + kind, kinds[kind]) for kind in ("map", "chain", "set", "ct helper")
    )
