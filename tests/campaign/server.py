# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module inside of a host again and again, with everything loaded once: ``python3 -B server.py CODE``.

Each line of standard input is a request, each line of standard output its answer, both JSON.  A run is a process of
its own, in a session of its own, forked from this one; it is struck as its plan says (strike.py).

Standard library only; Python 3.8 or later.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # without /usr/local/sbin, where faults lie
MODULE = "ansible_collections.printfleet.cups.plugins.modules.cups_firewall"
RUNS = {}  # process number -> its two output files
SEEN = {}  # path -> how it looked to lstat(2), and its entry
TEXT = {}  # program of ours -> compiled


def run(request):
    """A program, to its end."""
    done = subprocess.run(
        request["argv"], input=request["stdin"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True, check=False, env=dict(os.environ, PATH=PATH), errors="replace",
    )
    return {"status": done.returncode, "output": done.stdout, "errors": done.stderr}


def start(request):
    """Begin a run; gives its process number."""
    files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for number, stream in enumerate(files, 1):
                os.dup2(stream.fileno(), number)
            os.closerange(3, 256)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            code = child(request)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    RUNS[pid] = files
    return {"pid": pid}


def child(request):
    """What the forked process does."""
    if "python" in request:
        sys.argv = ["-", *request["arguments"]]
        exec(compile(request["python"], "<sent>", "exec"), {"__name__": "__main__"})
        return 0
    import strike

    return strike.main(request["plan"])


def wait(request):
    """How a run ended, or that it was stopped."""
    pid, status = os.waitpid(request["pid"], os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"stopped": True}
    texts = []
    for stream in RUNS.pop(pid):
        stream.seek(0)
        texts.append(stream.read().decode("utf-8", "replace"))
        stream.close()
    code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return {"status": code, "output": texts[0], "errors": texts[1]}


def look(request):
    """Files, kernel and services; a file that is as it was for lstat(2), change time and all, is not read again."""
    import files

    found = {}
    for top in request["folders"]:
        for folder, folders, names in os.walk(top):
            for name in folders + names:
                path = os.path.join(folder, name)
                try:
                    told = os.lstat(path)
                    mark = (told.st_dev, told.st_ino, told.st_mode, told.st_size, told.st_mtime_ns, told.st_ctime_ns,
                            told.st_uid, told.st_gid)
                    if SEEN.get(path, [None])[0] != mark:
                        SEEN[path] = (mark, files.entry(path))
                    found[path] = SEEN[path][1]
                except FileNotFoundError:
                    continue
    kernel = run({"argv": ["sh", "-ec", "nft --stateless list ruleset; iptables-save; ip6tables-save"], "stdin": ""})
    asked = "--property=Id,ActiveState,UnitFileState"
    services = run({"argv": ["systemctl", "show", asked, *request["services"]], "stdin": ""})
    return {"files": found, "kernel": kernel, "services": services}


def left(request):
    """The processes that are left of these sessions: what a dead run had started."""
    found = []
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % int(name)) as handle:
                words = handle.read().rpartition(")")[2].split()
            if int(words[3]) in request["sessions"] and words[0] not in "ZX":
                with open("/proc/%s/cmdline" % name) as handle:
                    found.append(handle.read().replace("\0", " "))
        except (OSError, ValueError):
            continue
    return {"left": found}


def main():
    sys.path[:0] = [sys.argv[1], os.path.dirname(os.path.abspath(__file__))]
    if os.path.isdir(sys.argv[1]):
        import importlib

        importlib.import_module("ansible.module_utils.basic")
        importlib.import_module(MODULE)
        del sys.modules[MODULE]
        import files  # noqa: F401
        import strike  # noqa: F401
    deeds = {"run": run, "start": start, "wait": wait, "look": look, "left": left}
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = deeds[request["do"]](request)
        except Exception:
            answer = {"broken": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
