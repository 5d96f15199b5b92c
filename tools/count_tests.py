# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add up what the junit files say: count_tests.py FOLDER RUNNER [RUNNER...]

A runner is "unit" or "molecule-SCENARIO"; its files are RUNNER.xml and RUNNER-NUMBER.xml.  Prints a line
for each file, the names of what failed and why, and, last and alone, "N passed, N failed".  Ends with
status 1 if a test failed, if a test was skipped, or if a runner has no file, a broken file, or a file
that counts no test.
"""

from __future__ import annotations

import pathlib
import re
import sys
from typing import List, NamedTuple, Tuple
from xml.etree import ElementTree

# Enough to see what broke; a scenario whose hosts did not start fails everywhere, and the logs tell the rest.
MOST_NAMED = 12
LONGEST = 200  # characters of one reason


class Count(NamedTuple):
    """Tests of one junit file. An error in a fixture counts as a failure."""

    passed: int
    failed: int
    skipped: int
    failures: Tuple[str, ...] = ()  # "name: reason", a line each

    @property
    def all(self) -> int:
        return self.passed + self.failed + self.skipped


def read_file(path: pathlib.Path) -> Count:
    """Count the test cases themselves, not the totals that the file claims; raises ParseError."""
    passed = skipped = 0
    failures = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        reasons = [*case.iter("failure"), *case.iter("error")]
        if reasons:
            reason = " ".join(reasons[0].get("message", "").split())
            failures.append("%s: %s" % (case.get("name"), reason[:LONGEST]))
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return Count(passed, len(failures), skipped, tuple(failures))


def files_of(folder: pathlib.Path, runner: str) -> List[pathlib.Path]:
    """The junit files of one runner, in order."""
    name = re.compile(re.escape(runner) + r"(?:-([0-9]+))?\.xml")
    found = [(int(match.group(1) or 0), path) for path in folder.glob("*.xml") if (match := name.fullmatch(path.name))]
    return [path for number, path in sorted(found)]


def main(arguments: List[str]) -> int:
    folder, runners = pathlib.Path(arguments[0]), arguments[1:]
    if not runners:
        sys.exit("count_tests.py: name the folder and at least one runner.")
    totals = Count(0, 0, 0)
    failures = []
    sound = True
    for runner in runners:
        paths = files_of(folder, runner)
        if not paths:
            print("%s: no test ran" % runner)
            sound = False
        for path in paths:
            try:
                count = read_file(path)
            except ElementTree.ParseError:
                print("%s: the run ended without a report" % path.stem)
                sound = False
                continue
            print("%s: %d passed, %d failed, %d skipped" % (path.stem, count.passed, count.failed, count.skipped))
            failures += ["FAILED %s: %s" % (path.stem, failure) for failure in count.failures]
            if count.all == 0:
                print("%s: no test ran" % path.stem)
                sound = False
            totals = Count(*(a + b for a, b in zip(totals[:3], count[:3])))
    for line in failures[:MOST_NAMED]:
        print(line)
    if len(failures) > MOST_NAMED:
        print("... and %d more" % (len(failures) - MOST_NAMED))
    if totals.skipped:
        print("%d skipped: a test that does not run proves nothing" % totals.skipped)
        sound = False
    print("%d passed, %d failed" % (totals.passed, totals.failed), flush=True)
    return 0 if sound and not totals.failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
