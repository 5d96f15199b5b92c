# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be broken on a host, each as a context that breaks it and mends it again."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from typing import Iterator, Tuple

from .machine import STATE, Machine

# The programs by which each backend reaches its firewall.
PROGRAM = {"nftables": "nft", "firewalld": "firewall-cmd", "ufw": "ufw"}
# Where each backend's files lie; and the program that carries the change out, the words of that call, and which
# of such calls it is (nft is first asked in a network namespace of its own, and then makes what the rules look up).
FOLDER = {"nftables": "/etc/printfleet-cups", "firewalld": "/etc/firewalld", "ufw": "/etc/ufw"}
CARRIES_OUT = {
    "nftables": ("nft", "-f -", 3),
    "firewalld": ("busctl", "FirewallD1 reload", 1),
    "ufw": ("ip6tables-restore", "-n -w", 1),
}
REFUSES = "echo refused on purpose >&2; exit 4"
# The call whose program goes on after its module.  With nft it is the one before: the change itself finds nothing of
# what it looks up, once the change was taken back, and fails as a whole.
GOES_ON = dict(CARRIES_OUT, nftables=("nft", "-f -", 2))
# The first folder on the path that the module gives to what it runs.
FIRST_ON_PATH = "/usr/local/sbin"


@contextlib.contextmanager
def scripts(machine: Machine, breaking: str, mending: str) -> Iterator[None]:
    """Break by a script and mend by another, whatever happens in between."""
    machine.shell(breaking)
    try:
        yield
    finally:
        machine.shell(mending)


def nothing(machine: Machine):
    """The fault lies in how the run itself goes on."""
    return contextlib.nullcontext()


def gone(path: str):
    """A file or program that is not there."""
    def broken(machine: Machine):
        return scripts(machine, "mv -T %s %s.gone" % (path, path), "mv -T %s.gone %s" % (path, path))
    return broken


def program_gone(machine: Machine):
    """The package of the firewall is missing, as far as its program goes."""
    path = machine.run("sh", "-c", "command -v %s" % PROGRAM[machine.backend]).strip()
    return gone(path)(machine)


def instead(machine: Machine, program: str, words: str, does: str):
    """A script in the program's place: the $number-th time it is called with such words it does that, and goes on."""
    path = "%s/%s" % (FIRST_ON_PATH, program)
    real = machine.run("sh", "-c", "command -v %s" % program).strip()
    script = (
        "#!/bin/sh\ncase \"$*\" in *%s*)\necho x >> /opt/faults/calls\nnumber=$(wc -l < /opt/faults/calls)\n%s\n;;\n"
        "esac\nexec %s \"$@\"\n" % (shlex.quote(words), does, real)
    )
    put = "rm -f /opt/faults/calls; printf %%s %s > %s; chmod 755 %s" % (shlex.quote(script), path, path)
    return scripts(machine, put, "rm -f %s" % path)


def refusing(program: str, words: str, at: int = 0):
    """A program that fails when called with such words: the at-th time, 0 for each time."""
    def broken(machine: Machine):
        return instead(machine, program, words, "case %d in 0|$number) %s;; esac" % (at, REFUSES))
    return broken


def delayed(seconds: float):
    """The program that changes the kernel's rules waits before it begins, as for a lock; only in that one call."""
    def broken(machine: Machine):
        program, words, at = GOES_ON[machine.backend]
        return instead(machine, program, words, "[ $number != %d ] || sleep %s" % (at, seconds))
    return broken


# What a run of systemd-run that systemd cut off may leave: files without what makes them whole.
HALF_MADE = """
unit=$(echo "$*" | sed 's/.*--unit=\\([^ ]*\\).*/\\1/')
if [ $number = 1 ]; then
    mkdir -p {folder}
    printf '[Timer]\\n' > {folder}/$unit.timer
    printf '[Service]\\nExecStart=\\n' > {folder}/$unit.service
    systemctl daemon-reexec
    systemctl show --property=Id,LoadState $unit.timer $unit.service > /opt/faults/bad
    echo 'Connection reset by peer' >&2
    exit 1
fi
"""


def systemd_anew(machine: Machine):
    """systemd executes itself anew while it is asked for the alarm, and takes the half of its units for bad."""
    return instead(machine, "systemd-run", "", HALF_MADE.format(folder="/run/systemd/transient"))


def refusing_firewall(machine: Machine):
    """The firewall's own program refuses the change, and takes what was before."""
    return refusing(*CARRIES_OUT[machine.backend])(machine)


def carried_out(then: str):
    """The firewall's own program fails when it has carried the change out, and does that when it is to take it back."""
    @contextlib.contextmanager
    def broken(machine: Machine):
        program, words, at = CARRIES_OUT[machine.backend]
        real = machine.run("sh", "-c", "command -v %s" % program).strip()
        does = "[ $number -le %d ] || { %s; }\n[ $number -lt %d ] || { %s \"$@\"; %s; }" % (at, then, at, real, REFUSES)
        with contextlib.ExitStack() as stack:
            stack.enter_context(instead(machine, program, words, does))
            if then == REFUSES and machine.backend == "firewalld":
                # The other way to its old rules.
                stack.enter_context(refusing("systemctl", "restart firewalld")(machine))
            yield
    return broken


def full(folder: str, kilobytes: int):
    """A file system of its own for the folder, on which so much is left and no more."""
    def broken(machine: Machine):
        # Whole pages, each file at least one; the filler takes what is not to be left.
        breaking = (
            "rm -rf /opt/faults/saved; cp -a {0} /opt/faults/saved; mount -t tmpfs -o size=8m,mode=755 faults {0};"
            " cp -a /opt/faults/saved/. {0}/; head -c {1}k /dev/zero > {0}/.room;"
            " cat /dev/zero > {0}/.filler 2> /dev/null || true; rm {0}/.room"
        )
        # What the run has made of the folder is taken over into the real one.
        mending = (
            "rm {0}/.filler; rm -rf /opt/faults/saved; cp -a {0} /opt/faults/saved; umount {0};"
            " find {0} -mindepth 1 -delete; cp -a /opt/faults/saved/. {0}/"
        )
        return scripts(machine, breaking.format(folder, kilobytes), mending.format(folder))
    return broken


def full_etc(kilobytes: int):
    """The same for the folder of the firewall's files."""
    def broken(machine: Machine):
        return full(FOLDER[machine.backend], kilobytes)(machine)
    return broken


def read_only_etc(machine: Machine):
    """/etc as a medium that cannot be written."""
    return scripts(machine, "mount --bind /etc /etc; mount -o remount,bind,ro /etc", "umount --lazy /etc")


@contextlib.contextmanager
def held(machine: Machine, path: str, posix: bool) -> Iterator[None]:
    """Another process holds a lock, by lockf or by flock."""
    code = (
        "import fcntl, sys; f = open(%r, 'w'); fcntl.%s(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
        % (path, "lockf" if posix else "flock")
    )
    holder = subprocess.Popen(
        ["docker", "exec", "-i", machine.name, "python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.communicate()


def own_lock(machine: Machine):
    """Another run of the role."""
    return held(machine, "/run/printfleet-cups.lock", False)


def others_lock(machine: Machine):
    """A command of the administrator's that takes long: of ufw itself, else of iptables."""
    return held(machine, *(("/run/ufw.lock", True) if machine.backend == "ufw" else ("/run/xtables.lock", False)))


def broken_state(machine: Machine):
    """Half of what we remember, as a disk that fails may leave it; mended from a backup."""
    return scripts(
        machine, "cp -a {0} /opt/faults/state; head -c 40 /opt/faults/state > {0}".format(STATE),
        "cp -a /opt/faults/state {0}".format(STATE),
    )


def limited(words: str) -> Tuple[str, ...]:
    """Run the module with a limit of the shell's."""
    return ("sh", "-c", "ulimit %s; exec \"$@\"" % words, "sh")
