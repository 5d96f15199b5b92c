# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers, as the proof touches them: run a program inside, look into a network from beside it."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
from typing import Iterator, List, Sequence

HERE = pathlib.Path(__file__).resolve().parent
# Longer than anything here takes on a busy machine, so that a hanging run ends with a message.
PATIENCE = 300


class LabError(Exception):
    """A container could not do what the proof needs; the message holds its own words."""


def run(argv: Sequence[str], stdin: str = "") -> str:
    """Run a program here and give its output; raises LabError when it fails."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode != 0:
        raise LabError("'%s' failed with status %d: %s" % (" ".join(argv)[:300], done.returncode, done.stderr.strip()))
    return done.stdout


def inside(container: str, argv: Sequence[str], stdin: str = "") -> str:
    """Run a program in a container."""
    return run(["docker", "exec", "-i", container, *argv], stdin)


def tool(name: str) -> str:
    """The text of one of the programs that are sent into containers."""
    return (HERE / name).read_text(encoding="utf-8")


def inside_python(container: str, name: str, argument: str) -> str:
    """Run one of our programs in a container without putting a file there."""
    return inside(container, ["python3", "-", argument], tool(name))


def start_python(container: str, name: str, argument: str) -> "subprocess.Popen[str]":
    """The same, but leave it running: the program's text goes as an argument, so that stdin stays ours."""
    argv = ["docker", "exec", "-i", container, "python3", "-c", tool(name), argument]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextlib.contextmanager
def beside(container: str, image: str) -> Iterator[str]:
    """A container that shares the other's network and nothing else; gives its name, and removes it in the end.

    It is made anew for each use: after a restart the other has a new network namespace.
    """
    name = container + "-observer"
    options: List[str] = ["--detach", "--rm", "--name", name, "--network", "container:" + container]
    options += ["--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW"]
    subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
    run(["docker", "run", *options, image, "sleep", "infinity"])
    try:
        yield name
    finally:
        run(["docker", "rm", "--force", name])
