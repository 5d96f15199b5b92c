# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List all files below some folders: run inside a container, ``python3 - FOLDERS`` (JSON, a list of paths).

Prints JSON: {path: [kind, mode, owner, group, digest or target, text]}.  Folders count as files, so that
one that is left over shows.  Text is there for small files only, so that a difference can be read.

Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys

READABLE = 65536


def entry(path: str) -> list:
    """One file as it is, links not followed."""
    told = os.lstat(path)
    common = [stat.filemode(told.st_mode)[0], "%04o" % stat.S_IMODE(told.st_mode), told.st_uid, told.st_gid]
    if stat.S_ISLNK(told.st_mode):
        return common + [os.readlink(path), ""]
    if not stat.S_ISREG(told.st_mode):
        return common + ["", ""]
    with open(path, "rb") as stream:
        data = stream.read()
    text = data.decode("utf-8", "replace") if len(data) <= READABLE else ""
    return common + [hashlib.sha256(data).hexdigest(), text]


def main() -> None:
    found = {}
    for top in json.loads(sys.argv[1]):
        for folder, folders, names in os.walk(top):
            for name in folders + names:
                path = os.path.join(folder, name)
                try:
                    found[path] = entry(path)
                except FileNotFoundError:
                    continue  # it went away between the two looks
    print(json.dumps(found))


if __name__ == "__main__":
    main()
