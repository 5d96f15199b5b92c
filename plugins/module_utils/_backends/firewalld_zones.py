# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firewalld's zones, as far as they decide what a default is.  Read only: no zone is ever changed."""

from __future__ import annotations

import os
import re
from typing import Dict, List, NamedTuple, Optional, Tuple
from xml.etree import ElementTree

from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._findings import plain

ACCEPT = "ACCEPT"
CONFIGURATION = "/etc/firewalld/firewalld.conf"
# A file of the administrator's replaces the whole one that the package brings (firewalld.zones(5)).
# What firewalld itself takes (firewall/functions.py, checkInterface, check_mac; core/io/zone.py): a file that holds
# anything else it does not load, and names of ours must not lead it there.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,17}")
_SOURCES = {
    "address": re.compile(r"[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?"),
    "mac": re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"),
    "ipset": re.compile(r"[A-Za-z0-9_:.-]{1,31}"),
}
_FOLDERS = ("/usr/lib/firewalld/zones", "/etc/firewalld/zones")


class Zone(NamedTuple):
    """A zone's target and what it is bound to.  ``sources`` are pairs such as ("address", "192.0.2.0/24")."""

    name: str
    target: str
    sources: Tuple[Tuple[str, str], ...]
    interfaces: Tuple[str, ...]


def setting(configuration: Optional[str], key: str, default: str) -> str:
    """One setting of firewalld.conf; the last one written counts."""
    found = re.findall(r"(?m)^[ \t]*%s[ \t]*=[ \t]*(\S+)[ \t]*$" % re.escape(key), configuration or "")
    return found[-1] if found else default


def read_zones() -> Tuple[Zone, ...]:
    """All zones that firewalld would load."""
    texts: Dict[str, Optional[str]] = {}
    for folder in _FOLDERS:
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if name.endswith(".xml"):
                texts[name[:-len(".xml")]] = _files.read(os.path.join(folder, name))
    read = (parse_zone(name, text) for name, text in sorted(texts.items()) if text is not None)
    return tuple(zone for zone in read if zone is not None)


def parse_zone(name: str, text: str) -> Optional[Zone]:
    """Read one zone file; None for one that is broken, which firewalld itself refuses at the next load."""
    try:
        root = ElementTree.fromstring(text.encode("utf-8", "surrogateescape"))
    except (ElementTree.ParseError, ValueError):
        return None
    if not _NAME.fullmatch(name):
        return None
    sources: List[Tuple[str, str]] = []
    for source in root.findall("source"):
        found = ((kind, source.attrib.get(kind, "")) for kind in _SOURCES)
        sources += [(kind, value) for kind, value in found if _SOURCES[kind].fullmatch(value)]
    interfaces = tuple(plain(i.attrib["name"]) for i in root.findall("interface") if "name" in i.attrib)
    return Zone(name, root.attrib.get("target", "default"), tuple(sources), interfaces)
