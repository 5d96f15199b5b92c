# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the checkout importable as ansible_collections.printfleet.cups, wherever it lies."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


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


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The top folder of the collection."""
    return CHECKOUT


@pytest.fixture(scope="session")
def page() -> str:
    """The text of CUPS' own page."""
    return (CHECKOUT / "tests" / "firewalls.html").read_text(encoding="utf-8")
