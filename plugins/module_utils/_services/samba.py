# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smb.conf: where Samba listens, whom it answers, and whether it shares printers (smb.conf(5)).  Pure."""

from __future__ import annotations

from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._services import cupsd
from ansible_collections.printfleet.cups.plugins.module_utils._services.access import Entries, read_samba
from ansible_collections.printfleet.cups.plugins.module_utils._services.places import Place

_TRUE = ("yes", "true", "1", "on")
# Other spellings of the parameters that matter here, without their blanks.
_SYNONYMS = {"allowhosts": "hostsallow", "denyhosts": "hostsdeny", "printok": "printable"}


class Setting(NamedTuple):
    """The value of a parameter, and where it stands."""

    value: str
    place: Place


class Samba(NamedTuple):
    """What smb.conf says, as far as a firewall has to do with it; None where nothing is said."""

    path: str
    interfaces: Optional[Setting]
    bound: bool  # "bind interfaces only"
    ports: Tuple[int, ...]
    ports_place: Optional[Place]
    allow: Tuple[Entries, ...]
    deny: Tuple[Entries, ...]
    access_place: Optional[Place]
    no_netbios: Optional[Place]
    printing: Optional[Place]  # the section of a printer share
    pieces: Tuple[Place, ...]  # lines that take in other files, which are not read here

    @property
    def loopback_only(self) -> bool:
        """Whether it is told to listen for this host itself only."""
        words = self.interfaces.value.replace(",", " ").split() if self.interfaces and self.bound else []
        return bool(words) and all(
            word == "lo" or cupsd.kind_of(word.split("/")[0]) == cupsd.LOOPBACK for word in words
        )


def read_samba_conf(text: str, path: str) -> Samba:
    """Read it; what it does not know, it passes over."""
    parts: Dict[str, Dict[str, Setting]] = {"global": {}}
    places: Dict[str, Place] = {}
    pieces: List[Place] = []
    section = "global"
    for number, line in _joined(text):
        place = Place(path, number)
        if line.startswith("["):
            section = line[1:].partition("]")[0].strip().lower()
            places.setdefault(section, place)
            parts.setdefault(section, {})
            continue
        name, equals, value = line.partition("=")
        key = "".join(name.lower().split())
        if not equals:
            continue
        if key in ("include", "configfile"):
            pieces.append(place)
        parts[section][_SYNONYMS.get(key, key)] = Setting(value.strip(), place)
    return _samba(path, parts, places, tuple(pieces))


def _samba(path: str, parts: Dict[str, Dict[str, Setting]], places: Dict[str, Place], pieces) -> Samba:
    own = parts["global"]
    ports = own.get("smbports")
    lists = {key: read_samba(own[key].value) if key in own and own[key].value else () for key in _ACCESS}
    access = [own[key].place for key in _ACCESS if key in own]
    netbios = own.get("disablenetbios")
    shares = [
        places[name] for name, settings in parts.items() if name in places and _prints(name, settings, own)
    ]
    return Samba(
        path=path,
        interfaces=own.get("interfaces"),
        bound=_true(own.get("bindinterfacesonly")),
        ports=tuple(
            int(word) for word in (ports.value.replace(",", " ").split() if ports else ("445", "139"))
            if word.isdecimal() and len(word) < 6
        ),
        ports_place=ports.place if ports else None,
        allow=lists["hostsallow"],
        deny=lists["hostsdeny"],
        access_place=access[0] if access else None,
        no_netbios=netbios.place if netbios and _true(netbios) else None,
        printing=shares[0] if shares else None,
        pieces=pieces,
    )


_ACCESS = ("hostsallow", "hostsdeny")


def _prints(name: str, settings: Dict[str, Setting], own: Dict[str, Setting]) -> bool:
    if name == "global":
        return False
    available = settings.get("available")
    if available and not _true(available):
        return False
    # [printers] prints whatever else it says, unless no printers are loaded.
    loads = own.get("loadprinters")
    return _true(settings.get("printable")) or (name == "printers" and (loads is None or _true(loads)))


def _true(setting: Optional[Setting]) -> bool:
    return setting is not None and setting.value.lower() in _TRUE


def _joined(text: str) -> Iterator[Tuple[int, str]]:
    """Lines with what a backslash at their end adds to them, comments and empty ones apart."""
    begun: List[str] = []
    first = 0
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        line = raw.strip()
        if not begun:
            first = number
            if line.startswith(("#", ";")):
                continue
        if line.endswith("\\"):
            begun.append(line[:-1])
            continue
        whole, begun = " ".join(begun + [line]).strip(), []
        if whole:
            yield first, whole
    if "".join(begun).strip():
        yield first, " ".join(begun).strip()
