# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ufw's settings, /etc/default/ufw and /etc/ufw/ufw.conf: read, changed line by line, and given back.

``memory`` keeps for each changed setting the line that stood there and the value that we put in its place.
A line is given back only while our value still stands: what the administrator set since is his.
"""

from __future__ import annotations

import re
from typing import Dict, NamedTuple, Optional, Tuple

FILE = "/etc/default/ufw"

ENABLED = "ENABLED"
IPV6 = "IPV6"
LOGLEVEL = "LOGLEVEL"
DEFAULTS = {
    "input": "DEFAULT_INPUT_POLICY",
    "output": "DEFAULT_OUTPUT_POLICY",
    "forward": "DEFAULT_FORWARD_POLICY",
}
_DIRECTIONS = {"input": "in", "output": "out"}
# ufw reads its rate for logging into every level below high (ufw/backend_iptables.py, _get_logging_rules).
_LEVELS = ("off", "low", "medium", "high", "full")
_LIMIT = " -m limit --limit 3/min --limit-burst 10"


class Defaults(NamedTuple):
    """The default verdicts, each ACCEPT, DROP or REJECT."""

    input: str
    output: str
    forward: str


def _lines(text: str, key: str) -> list:
    return re.findall(r"(?m)^%s=.*$" % re.escape(key), text)


def value(text: str, key: str) -> Optional[str]:
    """The value of a setting without its quotes; the last line counts, as in a shell.  None: not set."""
    lines = _lines(text, key)
    return lines[-1].partition("=")[2].split("#")[0].strip().strip("\"'") if lines else None


def is_yes(text: str, key: str) -> bool:
    """As ufw and its start script both understand it."""
    return (value(text, key) or "").lower() == "yes"


def with_line(text: str, key: str, line: str) -> str:
    """The file with the last line that sets ``key`` replaced; a new line at the end where there is none."""
    lines = _lines(text, key)
    if not lines:
        return text + ("" if text.endswith("\n") or not text else "\n") + line + "\n"
    start = text.rindex("\n" + lines[-1]) + 1 if "\n" + lines[-1] in text else 0
    return text[:start] + line + text[start + len(lines[-1]):]


def change(
    text: str, key: str, wanted: Optional[str], memory: Dict[str, str], pin: bool = False
) -> Tuple[str, Dict[str, str]]:
    """The file and the memory with the setting at ``wanted``, or for None at what it was before our first change.

    ``pin`` remembers the value as ours even where it already stood there.
    """
    before, memory = original(text, key, memory), dict(memory)
    if not is_ours(text, key, memory):
        memory.pop("ufw_" + key, None)
        memory.pop("ufw_%s_ours" % key, None)
    if wanted is None or (wanted == before and not pin):
        memory.pop("ufw_%s_ours" % key, None)
        line = memory.pop("ufw_" + key, None)
        return text if line is None else with_line(text, key, line), memory
    line = memory.setdefault("ufw_" + key, (_lines(text, key) or ["%s=" % key])[-1])
    memory["ufw_%s_ours" % key] = wanted
    if wanted == value(text, key):
        return text, memory
    if wanted != before:
        line = key + ("=\"%s\"" if key in DEFAULTS.values() else "=%s") % wanted
    return with_line(text, key, line), memory


def is_ours(text: str, key: str, memory: Dict[str, str]) -> bool:
    """Whether the setting still has the value that we gave it."""
    return "ufw_" + key in memory and memory.get("ufw_%s_ours" % key) == value(text, key)


def original(text: str, key: str, memory: Dict[str, str]) -> Optional[str]:
    """The value that the setting had before our first change, or has if we never changed it."""
    return value(memory["ufw_" + key] if is_ours(text, key, memory) else text, key)


def defaults(text: str) -> Defaults:
    """The default verdicts of the file; what is missing or odd is DROP, as ufw's start script leaves it."""
    found = [(value(text, key) or "").upper() for key in DEFAULTS.values()]
    return Defaults(*(word if word in ("ACCEPT", "DROP", "REJECT") else "DROP" for word in found))


def without_reject(text: str) -> str:
    """The defaults file with DROP wherever a default verdict is REJECT."""
    for key in DEFAULTS.values():
        if value(text, key) == "REJECT":
            text = with_line(text, key, '%s="DROP"' % key)
    return text


def wanted_default(chain: str, wish: str, before: str, opens: bool) -> str:
    """The default verdict for one chain.

    ``before`` is the setting before our first change.  ``opens``: ufw slept until we came and the kernel let
    everything through, so under ``keep`` the sleeping setting must not close what was open.
    """
    if wish == "keep":
        return "ACCEPT" if opens else before
    if before in ("DROP", "REJECT"):
        return before
    # A program on the host whose packet is dropped waits for minutes (TCP), one that is refused fails at once.
    return "DROP" if chain == "input" else "REJECT"


def direction(chain: str) -> Optional[str]:
    """The policy's word for a chain; None for forwarding, of which no policy of ours speaks."""
    return _DIRECTIONS.get(chain)


def with_logging(text: str, prefix: str, level: str, old: Defaults, new: Defaults) -> str:
    """A rule file whose logging section follows new default verdicts, as ufw writes it; prefix is ufw or ufw6."""
    mark = "### LOGGING ###\n"
    return text.replace(mark + _policy_logging(prefix, level, old), mark + _policy_logging(prefix, level, new), 1)


def _policy_logging(prefix: str, level: str, verdicts: Defaults) -> str:
    rank = _LEVELS.index(level) if level in _LEVELS else 0
    lines = ""
    for chain, verdict in zip(DEFAULTS, verdicts):
        said = "ALLOW" if verdict == "ACCEPT" else "BLOCK"
        if rank >= (2 if said == "ALLOW" else 1):
            lines += '-A %s-after-logging-%s -j LOG --log-prefix "[UFW %s] "%s\n' % (
                prefix, chain, said, _LIMIT if rank < 3 else ""
            )
    return lines
