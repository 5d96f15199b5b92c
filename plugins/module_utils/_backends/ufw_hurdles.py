# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why ufw, as it is set up on a host, cannot take our rules: the name of each cause and its sentence.  Pure."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backends import ufw_rules, ufw_settings
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw_ipv6 import Ipv6

BROKEN = "ufw-file-broken"
Hurdle = Tuple[str, str]


def find(files: Dict[str, Optional[str]], versions: Sequence[int], ipv6: Ipv6) -> Iterator[Hurdle]:
    """All of them; ``versions`` are the IP versions that ufw governs."""
    settings = files[ufw_settings.FILE] or ""
    if ipv6.address and not ufw_settings.is_yes(settings, ufw_settings.IPV6):
        yield "ufw-ipv6-no", (
            "%s: ufw drops all IPv6 packets and takes no rules for them, but this host has the address %s; set IPV6=yes"
            " there and run again, or switch IPv6 off on this host" % (ipv6_setting(settings), ipv6.address)
        )
    yield from broken_rules(files, versions)


def broken_rules(files: Dict[str, Optional[str]], versions: Sequence[int]) -> Iterator[Hurdle]:
    """The rule files that ufw itself cannot load."""
    for version in versions:
        path = ufw_rules.FILES[version]
        try:
            ufw_rules.filter_section(files[path] or "")
        except ufw_rules.Unusable as error:
            yield BROKEN, broken(path, files[path], str(error))


def broken(path: str, text: Optional[str], said: str) -> str:
    """The sentence about a file that is missing or cannot be loaded."""
    said = "there is no such file" if text is None else said
    return "%s: %s, so ufw cannot load it either; mend it, or put it back from a backup, and run again" % (path, said)


def ipv6_setting(settings: str) -> str:
    """What stands in the file, as a place to look at."""
    value = ufw_settings.value(settings, ufw_settings.IPV6)
    return "%s: %s" % (ufw_settings.FILE, "IPV6 is not set" if value is None else "IPV6=%s" % value)
