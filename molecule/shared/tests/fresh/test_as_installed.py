# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role installed its packages on a fresh host, took itself back, and only the packages have stayed."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
from proof import plan, snapshot, twin

SCENARIO = plan.read_stage()


@pytest.fixture(scope="module", params=list(SCENARIO.servers))
def pictures(request):
    """A host's name, and its pictures when it was fresh and now."""
    server = request.param
    path = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "fresh-%s.json" % server)
    return server, json.loads(path.read_text(encoding="utf-8")), snapshot.take(server)


def test_packages_were_installed(pictures):
    """The role did install them: else the next test would prove nothing."""
    server, unused, unused_too = pictures
    assert SCENARIO.firewall in twin.packages(server)


def test_files_are_those_of_a_mere_installation(pictures):
    """What differs from the fresh host is what the same packages change on a twin of it, installed by apt alone."""
    server, fresh, now = pictures
    host = twin.without_books(snapshot.changes(fresh["files"], now["files"]))
    mere = twin.without_books(twin.installation(server, SCENARIO.images[server], SCENARIO.firewall))
    told = [snapshot.told_file(path, mere.get(path, [None, None])[1], host.get(path, [None, None])[1])
            for path in sorted(set(host) | set(mere)) if host.get(path) != mere.get(path)]
    assert not told, "\n".join(told)


def test_rules_and_services_are_as_on_the_fresh_host(pictures):
    """No rule is left in the kernel, and nothing runs that did not run."""
    server, fresh, now = pictures
    told = snapshot.compare({**fresh, "files": {}}, {**now, "files": {}})
    assert not told, "\n".join(told)
