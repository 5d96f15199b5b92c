# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mere installation of packages does to a host's files: found on a twin of the host, by apt alone.

A role that installs packages and then takes all its own back has to leave just that.
"""

from __future__ import annotations

import contextlib
import json
from typing import Dict, Iterator, List

from . import lab, snapshot

LIST = ["dpkg-query", "--show", "--showformat", "${Package}\n"]
# The same way in which the role installs: nothing is started (invoke-rc.d(8)), no recommendations.
INSTALL = """
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d && apt-get update -q &&
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends -- "$@" && rm /usr/sbin/policy-rc.d
"""
# A service that its package enables would be in charge after the next reboot; on the fresh host nothing was.
# So the role leaves it installed and disabled.  ufw asks its own configuration whether to do anything.
DISABLE = {"nftables": [], "firewalld": ["firewalld.service"], "ufw": []}
# The packages' own books, in which the order of installation and the time show.
BOOKS = ("/var/lib/apt/", "/var/lib/dpkg/")


@contextlib.contextmanager
def twin(host: str, image: str) -> Iterator[str]:
    """A container of the same image in which nothing runs."""
    name = host + "-twin"
    lab.run(["docker", "run", "--detach", "--name", name, "--network", "none", image, "sleep", "infinity"])
    try:
        yield name
    finally:
        lab.run(["docker", "rm", "--force", name])


def packages(container: str) -> List[str]:
    """The names of all installed packages."""
    return lab.inside(container, LIST).split()


def installation(host: str, image: str, firewall: str) -> Dict[str, list]:
    """The changes of files, as snapshot.changes tells them, that come from the host's added packages."""
    with twin(host, image) as name:
        added = sorted(set(packages(host)) - set(packages(name)))
        before = files(name)
        lab.inside(name, ["sh", "-c", INSTALL, "sh", *added])
        for service in DISABLE[firewall]:
            lab.inside(name, ["systemctl", "disable", service])
        return snapshot.changes(before, files(name))


def files(container: str) -> Dict[str, list]:
    """All files that the snapshot looks at."""
    found = json.loads(lab.inside_python(container, "files.py", json.dumps(snapshot.FOLDERS)))
    return {path: entry for path, entry in found.items() if not snapshot.VOLATILE.fullmatch(path)}


def without_books(changes: Dict[str, list]) -> Dict[str, list]:
    """The changes less those in the packages' own books."""
    return {path: pair for path, pair in changes.items() if not path.startswith(BOOKS)}
