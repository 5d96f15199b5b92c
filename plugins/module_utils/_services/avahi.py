# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""avahi-daemon.conf(5): whether services are announced, and on which interfaces.  Pure."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._services.places import Place

_NO = ("no", "false", "0", "off")


class Setting(NamedTuple):
    """A value and where it stands."""

    value: str
    place: Place


class Avahi(NamedTuple):
    """What the file says, by (section, key) in small letters."""

    path: str
    settings: Dict[Tuple[str, str], Setting]

    def silenced(self) -> Optional[Tuple[Place, str]]:
        """The line by which nothing that CUPS offers is announced anywhere, and what it says."""
        for section, key, silent in (
            ("publish", "disable-publishing", True),
            ("publish", "disable-user-service-publishing", True),
            ("server", "enable-dbus", False),  # that is how CUPS asks it
        ):
            setting = self.settings.get((section, key))
            if setting and (setting.value.lower() not in _NO) is silent:
                return setting.place, "%s=%s" % (key, setting.value)
        families = [self.settings.get(("server", "use-ipv%d" % version)) for version in (4, 6)]
        if all(setting and setting.value.lower() in _NO for setting in families):
            return families[0].place, "use-ipv4=%s, use-ipv6=%s" % tuple(s.value for s in families)  # type: ignore
        return None

    def barred(self, interface: str) -> Optional[Place]:
        """The line that keeps it off an interface; None where it works there."""
        denied = self.settings.get(("server", "deny-interfaces"))
        if denied and interface in _words(denied.value):
            return denied.place
        allowed = self.settings.get(("server", "allow-interfaces"))
        if allowed and _words(allowed.value) and interface not in _words(allowed.value):
            return allowed.place
        return None


def _words(value: str) -> Tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def read_avahi(text: str, path: str) -> Avahi:
    """Read it; the last of two lines for one key counts."""
    settings: Dict[Tuple[str, str], Setting] = {}
    section = ""
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        line = raw.partition("#")[0].strip()
        if line.startswith("["):
            section = line[1:].partition("]")[0].strip().lower()
            continue
        key, equals, value = line.partition("=")
        if equals:
            settings[(section, key.strip().lower())] = Setting(value.strip(), Place(path, number))
    return Avahi(path, settings)
