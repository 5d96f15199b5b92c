# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as a user has it: built, installed from the tarball into an empty folder, and played."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
from typing import Any, Dict, List

from proof import lab

from . import stage

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PATIENCE = 300


class Play:
    """A folder with an inventory, a play and the installed collection."""

    def __init__(self, where: stage.Stage, backend: str) -> None:
        self.folder = where.folder
        self.variables: Dict[str, Any] = {
            "cups_firewall_sources": where.sources,
            "cups_firewall_printers": list(where.addresses["printer"]),
            "cups_firewall_default_incoming": "deny",
            "cups_firewall_default_outgoing": "deny",
        }
        self._write("hosts.yml", {"SERVER": where.server})
        self._write("play.yml", {
            "BACKEND": backend,
            "SOURCES": json.dumps(self.variables["cups_firewall_sources"]),
            "PRINTERS": json.dumps(self.variables["cups_firewall_printers"]),
        })
        # Settings of the user's own shall not change what is shown.
        (self.folder / "ansible.cfg").write_text("[defaults]\ninventory = hosts.yml\n", encoding="utf-8")

    def _write(self, name: str, words: Dict[str, str]) -> None:
        text = (HERE / name).read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(word, value)
        (self.folder / name).write_text(text, encoding="utf-8")

    def text(self) -> str:
        return (self.folder / "play.yml").read_text(encoding="utf-8")

    def install(self) -> str:
        """Build the tarball and install it; gives the tarball's name."""
        lab.run(["ansible-galaxy", "collection", "build", "--output-path", str(self.folder), str(ROOT)])
        (tarball,) = self.folder.glob("printfleet-cups-*.tar.gz")
        self._run(["ansible-galaxy", "collection", "install", "--collections-path", "collections", tarball.name])
        # The connection to a container is borrowed from the checkout, and nothing else of it: what is played
        # is the installed copy.
        installed = self.folder / "collections" / "ansible_collections"
        kept = ROOT / ".cache" / "collections" / "ansible_collections" / "community"
        (installed / "community").symlink_to(kept)
        return tarball.name

    def _environment(self) -> Dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
        }

    def _run(self, argv: List[str]) -> str:
        done = subprocess.run(
            argv, cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False,
        )
        if done.returncode != 0:
            raise lab.LabError("'%s' failed with status %d:\n%s" % (" ".join(argv), done.returncode, done.stdout))
        return done.stdout

    def run(self, *arguments: str) -> str:
        """Run ansible-playbook in the folder; gives its output, without empty lines."""
        said = self._run(["ansible-playbook", *arguments])
        return "\n".join(line for line in said.splitlines() if line.strip())


def changes(said: str) -> int:
    """How many tasks changed the host, from the recap."""
    found = re.search(r"^print-server +: ok=\d+ +changed=(\d+)", said, re.MULTILINE)
    if not found:
        raise lab.LabError("The play did not tell what it changed:\n%s" % said)
    return int(found.group(1))
