# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conntrack helpers of the managed host's kernel: which there are, and their modules, now and at the next boot."""

from __future__ import annotations

import os
import re
from typing import Iterable, List, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _files
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, Host, must
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._policy import HELPED, Helper, helpers_for

# What systemd-modules-load.service loads before any firewall starts (modules-load.d(5)).
PATH = "/etc/modules-load.d/%s.conf" % OWNER
MODULES = {"snmp": "nf_conntrack_snmp", "netbios-ns": "nf_conntrack_netbios_ns"}
# Whom the helper lets the host find.
FINDS = {"snmp": "printers by SNMP broadcast", "netbios-ns": "SMB servers by NetBIOS broadcast"}
NO_MODULE = "the kernel has no conntrack helper for it"
# A module with a parameter, as both of these have, is listed there when it is loaded, and when it is built in.
_SYSFS = "/sys/module"
_LOCKED, _STATUS = "/proc/sys/kernel/modules_disabled", "/proc/self/status"
_CAP_SYS_MODULE = 16  # capabilities(7)


def had(host: Host) -> Tuple[str, ...]:
    """The helpers that this kernel has, those included that are still to be loaded."""
    return tuple(name for name in HELPED if _is_in(MODULES[name]) or _can_be_loaded(host, MODULES[name]))


def _is_in(module: str) -> bool:
    return os.path.isdir("%s/%s" % (_SYSFS, module))


def _can_be_loaded(host: Host, module: str) -> bool:
    """Whether modprobe would really load it: not where root may not, nor where a line "install" does something else."""
    if host.program("modprobe") is None or not _modules_are_allowed():
        return False
    said = host.run(["modprobe", "-n", "-v", module])
    return said.status == 0 and not re.search(r"(?m)^install ", said.output)


def _modules_are_allowed() -> bool:
    """Modules may be locked for good (kernel.modules_disabled), or be none of a container's business."""
    status, locked = _files.read(_STATUS) or "", _files.read(_LOCKED) or ""
    held = re.search(r"(?m)^CapEff:\s*([0-9a-f]+)$", status)
    return locked.strip() != "1" and (held is None or bool(int(held.group(1), 16) >> _CAP_SYS_MODULE & 1))


def load(host: Host, modules: Optional[str]) -> None:
    """Load what a text of ours for PATH names and is not in the kernel; raises BackendError with modprobe's words."""
    for module in named_in(modules):
        if not _is_in(module):
            must(host, ["modprobe", module])


def text(helpers: Iterable[Helper]) -> Optional[str]:
    """What PATH shall say; None where no helper is needed."""
    names = [MODULES[helper.name] for helper in helpers]
    if not names:
        return None
    head = "# Written by the Ansible collection printfleet.cups, for answers to broadcasts to be let in.\n"
    return head + "".join("%s\n" % name for name in names)


def named_in(modules: Optional[str]) -> List[str]:
    """The modules that such a text names."""
    return [line for line in (modules or "").splitlines() if line and not line.startswith("#")]


def warnings(flows: Iterable[Flow], helpers: Iterable[str], reason: str) -> List[str]:
    """What is told where a helper is wanted and cannot be had; ``reason`` says why."""
    known = tuple(helpers)
    missing = {name: flow.row for flow in flows for name in helpers_for(flow) if name not in known}
    return [
        "%s: %s, so that this host finds %s every packet over UDP from port %d of its own IPv4 networks is let in"
        % (row, reason, FINDS[name], HELPED[name][1])
        for name, row in missing.items()
    ]
