# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the checkout importable as ansible_collections.printfleet.cups, wherever it lies."""

from __future__ import annotations

import os
import re
import sys
import types
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError

CHECKOUT = Path(__file__).resolve().parents[2]
# Where, what, and what is allowed there instead.
PAGE_SENTENCE = re.compile(r"page(?:, line [0-9]+|\[[0-9]\]\.rows)?: .+ is not allowed: .+\.", re.DOTALL)


def _make_importable() -> None:
    # A package made here and now, not a search: an installed copy of the collection must never
    # be what the tests look at.
    for name, folders in (
        ("ansible_collections", []),
        ("ansible_collections.printfleet", []),
        ("ansible_collections.printfleet.cups", [str(CHECKOUT)]),
    ):
        package = types.ModuleType(name)
        package.__path__ = folders
        sys.modules[name] = package


_make_importable()


@pytest.fixture(autouse=True)
def own_mark(monkeypatch):
    """Programs that a test leaves behind are ended by that test alone, whatever else runs on this machine."""
    from ansible_collections.printfleet.cups.plugins.module_utils import _orphans

    monkeypatch.setattr(_orphans, "MARK", "PRINTFLEET_CUPS_TEST_%d" % os.getpid())


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The top folder of the collection."""
    return CHECKOUT


@pytest.fixture(scope="session")
def page() -> str:
    """The text of CUPS' own page."""
    return (CHECKOUT / "tests" / "firewalls.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def tables(page: str) -> list:
    """The page as table data. Whoever changes it makes a copy."""
    from ansible_collections.printfleet.cups.plugins.filter.port_tables import port_tables

    return port_tables(page)


@pytest.fixture(scope="session")
def change():
    """Replace the first of a text that has to be there."""

    def change_once(page: str, old: str, new: str) -> str:
        assert old in page
        return page.replace(old, new, 1)

    return change_once


@pytest.fixture(scope="session")
def refusal():
    """The one sentence by which the filter refuses a page; fails where it does not."""
    from ansible_collections.printfleet.cups.plugins.filter.port_tables import port_tables

    def refuse(page: object) -> str:
        with pytest.raises(AnsibleFilterError) as refused:
            port_tables(page)
        message = str(refused.value)
        assert PAGE_SENTENCE.fullmatch(message), message
        return message

    return refuse
