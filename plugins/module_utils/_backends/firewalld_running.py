# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running firewalld: what it holds of ours, and changes of it."""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError, Host, must
from ansible_collections.printfleet.cups.plugins.module_utils._backends import firewalld_objects, firewalld_runtime
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_bus import call
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_objects import POLICIES, POLICY_IN
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_runtime import Held

# Linux takes 128 KiB for one argument and a quarter of the stack for all (execve(2)): larger sets go by a reload.
LARGEST_SET = 20000
# firewalld checks each rule against the others, and D-Bus waits meanwhile.
MOST_RULES = 1000
_BUS_UNITS = ("dbus.socket", "dbus.service")


class Running(NamedTuple):
    """What the running firewalld holds of ours; see ``firewalld_objects.Objects`` for the same words."""

    rules: Dict[str, Tuple[str, ...]]
    entries: Dict[str, Tuple[str, ...]]
    digest: str
    in_kernel: bool  # False: something else took firewalld's rules out of the kernel


class Service(NamedTuple):
    """The unit firewalld.service."""

    active: bool
    enabled: bool
    masked: bool
    evicts: Tuple[str, ...]  # units in use that systemd stops when firewalld starts
    bus_masked: str = ""  # the unit of D-Bus that is masked, so that firewalld can not start


def service(host: Host) -> Service:
    """Ask systemd."""
    if not host.program("systemctl"):
        return Service(False, False, False, ())
    asked = "--property=Id,ActiveState,UnitFileState,Conflicts"
    shown = must(host, ["systemctl", "show", asked, "firewalld.service", "nftables.service", *_BUS_UNITS])
    units = {}
    for block in shown.strip().split("\n\n"):
        unit = dict(line.partition("=")[::2] for line in block.splitlines())
        units[unit.get("Id", "")] = unit
    own = units.get("firewalld.service", {})
    # firewalld 1.3's unit conflicts with nftables.service, that of 2.3 no longer does.
    evicts = tuple(
        name for name, unit in units.items()
        if name not in _BUS_UNITS and name in own.get("Conflicts", "").split()
        and (unit.get("ActiveState") == "active" or unit.get("UnitFileState") == "enabled")
    )
    return Service(
        own.get("ActiveState") in ("active", "reloading"),
        own.get("UnitFileState") in ("enabled", "static"),
        _masked(own),
        evicts,
        next((name for name in _BUS_UNITS if _masked(units.get(name, {}))), ""),
    )


def _masked(unit: Dict[str, str]) -> bool:
    return unit.get("UnitFileState") in ("masked", "masked-runtime")


def panic(host: Host) -> bool:
    """Whether it drops every packet."""
    return bool(call(host, "", "queryPanicMode"))


def read(host: Host, nftables: bool, sets: Iterable[str]) -> Running:
    """Read from a firewalld that is active; raises BackendError where it does not answer.

    ``sets`` are those to ask for: every question costs a hundredth of a second, and a list of all
    sets would say no more than the digest does.
    """
    present = [name for name in _strings(call(host, "policy", "getPolicies")) if name in POLICIES]
    rules: Dict[str, Tuple[str, ...]] = {}
    digest = ""
    for name in present:
        settings = call(host, "policy", "getPolicySettings", "s", name)
        rules[name] = tuple(sorted(settings.get("rich_rules", {}).get("data", [])))
        if name == POLICY_IN:
            digest = firewalld_objects.digest_in(settings.get("description", {}).get("data"))
    entries = {name: _entries(host, name) for name in sets if present}
    held = {name: known for name, known in entries.items() if known is not None}
    return Running(rules, held, digest, _in_kernel(host) if nftables and POLICY_IN in present else True)


def _entries(host: Host, name: str) -> Optional[Tuple[str, ...]]:
    try:
        return tuple(sorted(_strings(call(host, "ipset", "getEntries", "s", name))))
    except BackendError as error:
        if "INVALID_IPSET" in str(error):
            return None
        raise


def _in_kernel(host: Host) -> bool:
    """Whether the chain that has at least the closure of 631/udp is still there."""
    if not host.program("nft"):
        # Debian's firewalld comes without it (it uses the library), and what is not there took nothing out.
        return True
    chain = "filter_IN_policy_%s_pre" % POLICY_IN
    listed = host.run(["nft", "list", "chain", "inet", "firewalld", chain])
    return listed.status == 0 and " drop" in listed.output


def reload(host: Host, in_kernel: bool, held: Held) -> None:
    """Load all files and give others back what they changed at runtime only.

    firewalld checks the files first, and where one is wrong it changes nothing and says so.
    """
    if not in_kernel:
        # firewalld first deletes its table and fails where there is none.
        must(host, ["nft", "add", "table", "inet", "firewalld"])
    call(host, "", "reload")
    firewalld_runtime.give_back(host, held)


def set_rules(host: Host, policy: str, rules: Sequence[str]) -> None:
    """Give a running policy exactly these rich rules, in one transaction."""
    settings = {"rich_rules": {"type": "as", "data": list(rules)}}
    call(host, "policy", "setPolicySettings", "sa{sv}", policy, settings)


def set_entries(host: Host, name: str, entries: Sequence[str]) -> None:
    """Give a running set exactly these entries."""
    call(host, "ipset", "setEntries", "sas", name, list(entries))


def _strings(value: Optional[Iterable[str]]) -> List[str]:
    return [str(item) for item in value or ()]
