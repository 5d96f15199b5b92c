# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts, one busy controller: how many sound changes are taken back because the confirmation came too late.

The hosts are containers with systemd, SSH and sudo on this machine, so that it carries their load as well, and
processes that only burn time bring it to the wanted load.  The time from a change to its confirmation is what each
host's journal says: from the start of its alarm to the end of it.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List

HERE = Path(__file__).resolve().parent
NAME = "printfleet-cups-load-%d" % os.getpid()
BASE = "printfleet-cups-remote:debian12"
HOSTS = int(os.environ.get("HOSTS", "100"))
BURNERS = int(os.environ.get("BURNERS", "30"))
FORKS = int(os.environ.get("FORKS", "20"))
NETWORK = "198.18.61"
MODULE = "printfleet.cups.cups_firewall"
RUN = (
    "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW", "--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined",
    "--security-opt", "apparmor=unconfined", "--cgroupns", "host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
    "--tmpfs", "/run", "--tmpfs", "/tmp",
)
# What every host is made of: the firewall is installed, SSH starts by itself, and the controller may come in.
PREPARE = """
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nftables
ssh-keygen -A
systemctl enable ssh.service
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer man-db.timer
install -d -o deploy -g deploy -m 700 /home/deploy/.ssh
cat > /home/deploy/.ssh/authorized_keys
chown deploy: /home/deploy/.ssh/authorized_keys
"""


def run(*argv: str, stdin: str = "") -> str:
    """A program that has to succeed."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit("'%s' failed: %s" % (" ".join(argv)[:200], (done.stderr or done.stdout).strip()[-800:]))
    return done.stdout


def name(number: int) -> str:
    return "%s-%d" % (NAME, number)


def address(number: int) -> str:
    return "%s.%d" % (NETWORK, number + 10)


def make_image(key: Path) -> None:
    """One image for all of them."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    public = key.with_suffix(".pub").read_text(encoding="utf-8")
    run("docker", "run", "-i", "--name", NAME, "--network", "none", BASE, "sh", "-ec", PREPARE, stdin=public)
    # The command that the image has, instead of the one above.
    shown = json.loads(run("docker", "image", "inspect", BASE))[0]["Config"]["Cmd"]
    run("docker", "commit", "--change", "CMD %s" % json.dumps(shown), NAME, NAME)
    run("docker", "rm", NAME)


def see_to_limits() -> None:
    """Each systemd watches files by some eight instances of inotify, and all containers share one limit."""
    path = Path("/proc/sys/fs/inotify/max_user_instances")
    needed = 10 * HOSTS + 128
    if int(path.read_text(encoding="ascii")) < needed:
        sys.exit(
            "%d hosts need more instances of inotify than this machine allows: run 'sysctl -w "
            "fs.inotify.max_user_instances=%d' as root, or take fewer with HOSTS." % (HOSTS, needed)
        )


def start(number: int) -> None:
    """One host; it is there when its SSH server answers and systemd has nothing to do any more."""
    run("docker", "run", "-d", "--name", name(number), "--hostname", "host%d" % number, "--network", NAME,
        "--ip", address(number), *RUN, NAME)
    script = "until [ -S /run/systemd/private ]; do sleep 0.3; done; systemctl is-system-running --wait || true"
    run("docker", "exec", name(number), "sh", "-c", script)


def write_inventory(folder: Path) -> None:
    hosts = {"host%d" % number: {"ansible_host": address(number)} for number in range(HOSTS)}
    common = "-i '%s' -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null" % (
        folder / "key")
    told = {
        "ansible_user": "deploy", "ansible_python_interpreter": "/usr/bin/python3", "ansible_ssh_common_args": common,
        "cups_firewall_sources": [NETWORK + ".0/24"],
    }
    (folder / "hosts.json").write_text(json.dumps({"servers": {"hosts": hosts, "vars": told}}), encoding="utf-8")


def play(folder: Path) -> List[dict]:
    """One run of the role on all of them; gives the results of the module by host."""
    records = folder / "results"
    records.unlink(missing_ok=True)
    environment = dict(
        os.environ, ANSIBLE_FORKS=str(FORKS), ANSIBLE_TIMEOUT="30", ANSIBLE_SSH_CONTROL_PATH_DIR=str(folder),
        ANSIBLE_CALLBACK_PLUGINS=str(HERE.parent / "unit" / "callbacks"), ANSIBLE_CALLBACKS_ENABLED="record_results",
        RECORD_RESULTS=str(records),
    )
    command = ["ansible-playbook", "-i", str(folder / "hosts.json"), str(HERE / "play.yml")]
    with (folder / "output").open("w", encoding="utf-8") as output:
        subprocess.run(command, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False)
    lines = records.read_text(encoding="utf-8").splitlines()
    return [one for one in map(json.loads, lines) if one["action"] == MODULE or one["status"] != "ok"]


def lasted(number: int) -> float:
    """Seconds from the alarm's start to its end, by the host's journal; 0 for a host that was not changed."""
    lines = run("docker", "exec", name(number), "journalctl", "-o", "json", "-u", "printfleet-cups-undo-*.timer")
    times = [int(json.loads(line)["__REALTIME_TIMESTAMP"]) for line in lines.splitlines()]
    return (times[-1] - times[0]) / 1e6 if len(times) > 1 else 0.0


def measure(folder: Path) -> bool:
    """Tell the figures; gives whether no change was taken back."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _one in range(BURNERS)]
    loads: List[float] = []
    try:
        # The load is an average over a minute.
        time.sleep(60 if BURNERS else 0)
        loads.append(os.getloadavg()[0])
        started = time.monotonic()
        results = play(folder)
        took = time.monotonic() - started
        loads.append(os.getloadavg()[0])
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    seconds = sorted(one for one in map(lasted, range(HOSTS)) if one)
    confirmed = [one for one in results if one["status"] == "ok" and one["told"].get("confirmed")]
    counted: Dict[str, int] = {}
    for one in results:
        if one not in confirmed:
            print("%s: %s: %s" % (one["host"], one["status"], one["says"][:400]), flush=True)
            word = "taken back" if "taken it back" in one["says"] else one["status"]
            counted[word] = counted.get(word, 0) + 1
    print("%d hosts, %d forks, load %.0f to %.0f, %.0f s: %d changes confirmed, %d taken back, %s" % (
        HOSTS, FORKS, loads[0], loads[1], took, len(confirmed), counted.pop("taken back", 0), counted or "none else"))
    if seconds:
        print("From the alarm's start to its end: median %.1f s, 95 of 100 within %.1f s, longest %.1f s" % (
            statistics.median(seconds), seconds[int(0.95 * (len(seconds) - 1))], seconds[-1]), flush=True)
    return len(confirmed) == HOSTS


def main() -> None:
    see_to_limits()
    # A socket's path must be short (unix(7), 108 bytes).
    folder = Path(tempfile.mkdtemp(prefix="cups-", dir="/tmp"))
    try:
        make_image(folder / "key")
        run("docker", "network", "create", "--internal", "--subnet", NETWORK + ".0/24", NAME)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(start, range(HOSTS)))
        print("%d hosts are up, load %.0f" % (HOSTS, os.getloadavg()[0]), flush=True)
        write_inventory(folder)
        sound = measure(folder)
    finally:
        names = [name(number) for number in range(HOSTS)]
        for command in (["rm", "-f", NAME, *names], ["network", "rm", NAME], ["rmi", NAME]):
            subprocess.run(["docker", *command], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if sound else "A sound change was not confirmed.")


if __name__ == "__main__":
    main()
