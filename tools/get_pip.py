# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands where ansible-test keeps the bootstrap script of pip that it would otherwise download.

Python carries a pip of its own (ensurepip), and that one installs the version which ansible-test asks for
from wherever this machine's pip gets its packages.  So no address beyond that has to be reachable.
ansible-test runs this in a new virtual environment, with options of pip and names of packages.
"""

from __future__ import annotations

import os
import subprocess
import sys

# What the real script has of its own; pip itself does not know these.
OWN_OPTIONS = ("--no-setuptools", "--no-wheel")


def main() -> None:
    # ansible-test has set GET_PIP for the real script; the pip below must not come here again.
    os.environ.pop("GET_PIP", None)
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    arguments = [argument for argument in sys.argv[1:] if argument not in OWN_OPTIONS]
    subprocess.run([sys.executable, "-m", "pip", "install", "--upgrade", *arguments], check=True)


if __name__ == "__main__":
    main()
