# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate rulesets on this machine and load them in a container without a network: python -m real IMAGE COUNT SEED."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import types
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, seed, settings

CHECKOUT = Path(__file__).resolve().parents[2]
# As the role does, from the packages that lie in the image; without what is only recommended, /etc/protocols too.
INSTALL = "apt-get -qq update && apt-get -qq install --no-install-recommends nftables >/dev/null 2>&1"


def _make_importable() -> None:
    for name, folders in (("ansible_collections", []), ("ansible_collections.printfleet", []),
                          ("ansible_collections.printfleet.cups", [str(CHECKOUT)])):
        package = types.ModuleType(name)
        package.__path__ = folders
        sys.modules[name] = package


def rulesets(count: int, number: int) -> list:
    """Rulesets of policies out of nowhere."""
    from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_ruleset
    from ansible_collections.printfleet.cups.tests.unit.properties import oracle

    made = []

    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(oracle.policies())
    def collect(policy):
        made.append(nftables_ruleset.render(policy) + nftables_ruleset.render_helpers(policy))

    collect()
    return made


def foreign() -> list:
    """Tables of others with a hostile text in every place that nft lets a text stand in."""
    values = yaml.safe_load((CHECKOUT / "tests/unit/hostile/values.yml").read_text(encoding="utf-8"))
    places = (
        'tcp dport 80 accept comment "%s"', 'iifname "%s" accept', 'tcp dport 81 log prefix "%s" accept',
        'tcp dport 82 drop comment "%s"\n\t\ttcp dport 83 accept',
    )
    base = "type filter hook input priority 0; policy accept;"
    table = "table inet office {\n\tchain base {\n\t\t" + base + "\n\t\t%s\n\t}\n}\n"
    named = 'table inet office {\n\tcomment "%s"\n\tchain base {\n\t\tcomment "%s"\n\t\t' + base
    named += "\n\t\ttcp dport 80 accept\n\t}\n}\n"
    texts = [text.replace('"', "'") for text in values["texts"] if "\0" not in text]
    return [table % (place % text) for text in texts for place in places] + [named % (text, text) for text in texts]


def pack(files: dict) -> bytes:
    """A tar archive of the code under test, the program for the container, and the rulesets."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted((CHECKOUT / "plugins/module_utils").rglob("*.py")):
            archive.add(path, "ansible_collections/printfleet/cups/%s" % path.relative_to(CHECKOUT))
        for name in ("inside.py", "kinds.py"):
            archive.add(CHECKOUT / "tests/real" / name, name)
        content = json.dumps(files).encode()
        entry = tarfile.TarInfo("rulesets.json")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def main() -> int:
    image, count, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    _make_importable()
    kinds = yaml.safe_load((CHECKOUT / "tests/real/kinds.yml").read_text(encoding="utf-8"))
    packed = pack({"ours": rulesets(count, number), "foreign": foreign(), "kinds": kinds})
    return subprocess.run(
        ["docker", "run", "--rm", "--interactive", "--network", "none", "--cap-add", "NET_ADMIN", "--entrypoint", "sh",
         image, "-c", INSTALL + " && mkdir /tmp/x && cd /tmp/x && tar xf - && exec python3 inside.py"],
        input=packed, check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
