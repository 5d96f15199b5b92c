# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test gets a host of its own, as somebody else has set it up."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Callable, Iterator

import pytest

# The tools lie there, and are no part of the collection.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests"))

from found.host import Host, Hosts, site_of

# "make matrix" names its releases so as well.
RELEASES = (os.environ.get("PRINTFLEET_OLDER", "debian12"), os.environ.get("PRINTFLEET_NEWER", "debian13"))


@pytest.fixture(scope="session")
def hosts() -> Iterator[Hosts]:
    """All of them; they go with the session."""
    known = Hosts(site_of(pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "found.json")))
    yield known
    known.close()


@pytest.fixture
def give(hosts: Hosts) -> Iterator[Callable[..., Host]]:
    """``give("debian13", "--sysctl=...")``: a fresh host of that release, with options of docker run."""
    yield hosts.give
    hosts.take_back()


@pytest.fixture(params=RELEASES)
def host(request: pytest.FixtureRequest, give: Callable[..., Host]) -> Host:
    """A fresh host, on each release; ``@pytest.mark.parametrize("host", ["debian13"], indirect=True)`` takes one."""
    return give(request.param)
