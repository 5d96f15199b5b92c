# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the role takes: beside a bare ping on an unchanged host, and beside a loop of modules at the first run.

Whole plays are timed from outside, in turns, so that a change in the machine's speed hits both of a
pair alike; what counts is the ratio.  Nothing is asserted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME = "printfleet-cups-bench-%d" % os.getpid()
IMAGE = "printfleet-cups-host:debian13"
TURNS = int(os.environ.get("TURNS", "5"))
PACKAGES = {"nftables": ["nftables"], "firewalld": ["firewalld", "nftables"], "ufw": ["ufw"]}
# What the manager needs to be in charge before either contender begins, and to be as new after it.
WAKE = {
    "nftables": "true",
    "firewalld": "systemctl reload dbus; systemctl start firewalld",
    "ufw": "ufw --force enable",
}
RENEW = {
    "firewalld": "rm -f /etc/firewalld/zones/*; firewall-cmd --reload",
    "ufw": "ufw --force reset; ufw --force enable",
}


def inside(script: str) -> None:
    done = subprocess.run(["docker", "exec", NAME, "sh", "-ec", script], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit("In the container '%s' failed: %s" % (script, (done.stderr or done.stdout).strip()[-500:]))


def play(book: str, **variables: str) -> float:
    """Seconds that one ansible-playbook takes."""
    command = ["ansible-playbook", "-i", NAME + ",", "-c", "community.docker.docker", str(HERE / book)]
    for name, value in dict(variables, ansible_python_interpreter="/usr/bin/python3").items():
        command += ["-e", "%s=%s" % (name, value)]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit("%s failed:\n%s" % (book, done.stdout[-2000:]))
    return time.monotonic() - started


def start() -> None:
    subprocess.run(
        ["docker", "run", "-d", "--name", NAME, "--network", "none", "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW",
         "--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
         "--cgroupns", "host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs", "/run", "--tmpfs", "/tmp", IMAGE],
        check=True, stdout=subprocess.DEVNULL,
    )
    inside("for i in $(seq 100); do systemctl is-system-running --quiet && exit 0; sleep 0.2; done; exit 1")


def stop() -> None:
    subprocess.run(["docker", "rm", "-f", NAME], check=False, stdout=subprocess.DEVNULL)


def row(title: str, ours: list, other: list, other_name: str) -> None:
    ratios = [a / b for a, b in zip(ours, other)]
    print("%-28s role %5.2f s   %s %5.2f s   ratio %.2f (%.2f to %.2f)" % (
        title, statistics.median(ours), other_name, statistics.median(other),
        statistics.median(ratios), min(ratios), max(ratios),
    ), flush=True)


def measure(backend: str) -> None:
    start()
    try:
        packages = " ".join(PACKAGES[backend])
        inside("DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends %s" % packages)
        inside(WAKE[backend])
        first, loop = [], []
        for _turn in range(max(1, TURNS // 2)):
            first.append(play("role.yml", backend=backend))
            play("role.yml", backend=backend, state="absent")
            if backend in RENEW:
                loop.append(play("loop_%s.yml" % backend))
                inside(RENEW[backend])
        if loop:
            row("%s, first run" % backend, first, loop, "loop")
        play("role.yml", backend=backend)
        pairs = [(play("role.yml", backend=backend), play("ping.yml")) for _turn in range(TURNS)]
        row("%s, unchanged host" % backend, [a for a, _b in pairs], [b for _a, b in pairs], "ping")
    finally:
        stop()


def main() -> None:
    print("Medians of %d turns; the ratio is role : other, pair by pair." % TURNS, flush=True)
    for backend in sys.argv[1:] or list(PACKAGES):
        measure(backend)


if __name__ == "__main__":
    main()
