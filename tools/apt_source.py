# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell from where this machine's own apt gets Debian: prints the address and the keyring (or "-").

The entry is the first one whose suites hold the machine's own codename and whose components hold main:
third parties' entries have other suites or components.  Both forms of sources.list(5) are read, and the
lists of mirrors that apt-transport-mirror(1) tells of.
"""

from __future__ import annotations

import pathlib
import re
import sys
from typing import Iterator, List, NamedTuple


class Entry(NamedTuple):
    """One source of packages."""

    kinds: List[str]
    addresses: List[str]
    suites: List[str]
    components: List[str]
    keyring: str


def read_lines(text: str) -> Iterator[Entry]:
    """The one-line form: deb [option=value ...] address suite component..."""
    for line in text.splitlines():
        match = re.match(r"\s*(deb)\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]*)", line)
        if match:
            kind, options, address, suite, components = match.groups()
            signed = re.search(r"signed-by=(\S+)", options or "")
            yield Entry([kind], [address], [suite], components.split(), signed.group(1) if signed else "")


def read_stanzas(text: str) -> Iterator[Entry]:
    """The deb822 form: stanzas of fields, parted by empty lines."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and name:
                fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        words = {key: value.split() for key, value in fields.items()}
        # Signed-By may also hold the key itself: then only a path is of use here.
        keyring = next((word for word in words.get("signed-by", []) if word.startswith("/")), "")
        yield Entry(
            words.get("types", []), words.get("uris", []), words.get("suites", []), words.get("components", []), keyring
        )


def read_all(folder: pathlib.Path) -> Iterator[Entry]:
    """All entries in the order in which apt reads them."""
    if (folder / "sources.list").is_file():
        yield from read_lines((folder / "sources.list").read_text(encoding="utf-8"))
    for path in sorted((folder / "sources.list.d").glob("*")):
        if path.suffix == ".list":
            yield from read_lines(path.read_text(encoding="utf-8"))
        elif path.suffix == ".sources":
            yield from read_stanzas(path.read_text(encoding="utf-8"))


def codename(path: pathlib.Path) -> str:
    """The machine's release, such as bookworm; empty for anything but Debian."""
    fields = dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
    if fields.get("ID", "").strip('"') != "debian":
        return ""
    return fields.get("VERSION_CODENAME", "").strip('"')


def address_of(entry: Entry) -> str:
    """The first address that debootstrap can fetch from; empty if there is none."""
    for address in entry.addresses:
        if address.startswith("mirror+file:"):
            listed = pathlib.Path("/" + address[len("mirror+file:"):].lstrip("/"))
            address = next(iter(listed.read_text(encoding="utf-8").split()), "") if listed.is_file() else ""
        if address.startswith(("http://", "https://")):
            return address
    return ""


def find(root: pathlib.Path = pathlib.Path("/")) -> Entry:
    """The machine's own Debian archive; raises LookupError with a sentence for the user."""
    release = codename(root / "etc/os-release")
    if not release:
        raise LookupError("This machine does not run Debian, so its package sources do not tell of a Debian mirror.")
    for entry in read_all(root / "etc/apt"):
        if "deb" in entry.kinds and release in entry.suites and "main" in entry.components and address_of(entry):
            return entry
    raise LookupError("No entry of this machine's package sources holds the suite %s with main." % release)


if __name__ == "__main__":
    try:
        found = find()
    except LookupError as error:
        sys.exit(str(error))
    print(address_of(found), found.keyring or "-")
