# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the collections that the scenarios use into .cache/collections, out of the package "ansible".

That package carries a hundred collections in 40,000 files. Installing them all takes three quarters of
a minute, and ansible-lint and Molecule read all their manifests at every start. These few take seconds.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

WANTED = {
    "community.docker": "Molecule's driver for Docker makes and removes containers with it",
    "community.library_inventory_filtering_v1": "community.docker depends on it",
    "community.general": "its ufw module is what the benchmark compares with",
    "ansible.posix": "its firewalld module is what the benchmark compares with",
}


def main() -> None:
    root = pathlib.Path(__file__).resolve().parent.parent
    target = root / ".cache" / "collections" / "ansible_collections"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps",
             "--only-binary", ":all:", "--dest", folder, "-r", str(root / "requirements" / "collections.txt")],
            check=True,
        )
        (wheel,) = pathlib.Path(folder).glob("ansible-*.whl")
        unpacked = pathlib.Path(folder) / "unpacked"
        unpack(wheel, unpacked)
        for name in WANTED:
            namespace, collection = name.split(".")
            source = unpacked / "ansible_collections" / namespace / collection
            if not source.is_dir():
                sys.exit("%s holds no collection %s." % (wheel.name, name))
            place = target / namespace / collection
            shutil.rmtree(place, ignore_errors=True)
            place.parent.mkdir(exist_ok=True)
            source.rename(place)
            print("%s from %s: %s" % (name, wheel.name, WANTED[name]))


def unpack(wheel: pathlib.Path, target: pathlib.Path) -> None:
    """Unpack the wanted collections, without their own tests and documents."""
    prefixes = tuple("ansible_collections/%s/" % name.replace(".", "/") for name in WANTED)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(prefixes) and name.split("/")[3] not in ("tests", "docs", "changelogs"):
                archive.extract(name, target)


if __name__ == "__main__":
    main()
