# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pytest plugin: every run writes its own junit file, RUNNER-1.xml, RUNNER-2.xml and so on.

Molecule starts pytest once for every "verify" of a scenario with the same arguments, so one fixed file
name would keep the last run only.  tools/scenario sets PRINTFLEET_RESULTS (the folder) and
PRINTFLEET_RUNNER (the first part of the names).
"""

from __future__ import annotations

import itertools
import os
import pathlib

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set the file before pytest's own junit plugin reads it; an xdist worker reports to its parent only."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = pathlib.Path(os.environ["PRINTFLEET_RESULTS"])
    runner = os.environ["PRINTFLEET_RUNNER"]
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        path = folder / ("%s-%d.xml" % (runner, number))
        try:
            # Making it now also shows a run that died before it could report: an empty file is no junit file.
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        config.option.xmlpath = str(path)
        return
