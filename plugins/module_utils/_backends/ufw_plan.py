# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ufw's files shall say and how the kernel comes to hold it: worked out from a state, pure."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _helpers
from ansible_collections.printfleet.cups.plugins.module_utils._backend import OWNER, BackendError, Plan
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    ufw_helpers,
    ufw_hurdles,
    ufw_intent,
    ufw_ipv6,
    ufw_kernel,
    ufw_profiles,
    ufw_rules,
    ufw_settings,
)
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Policy

RULES = ufw_rules.FILES
DEFAULTS = ufw_settings.FILE
CONF = "/etc/ufw/ufw.conf"
PROFILES = "/etc/ufw/applications.d/" + OWNER
FILES = (RULES[4], RULES[6], DEFAULTS, CONF, PROFILES, ufw_helpers.PATH, _helpers.PATH)

_OPEN = ufw_settings.Defaults("ACCEPT", "ACCEPT", "ACCEPT")
_UNIT = "ufw_unit"
_CHAINS = "ufw_chains"
TABLES = "ufw_missing_tables"
_LOADED = "loaded by ufw"

Files = Dict[str, Optional[str]]


class State(NamedTuple):
    """The host as ``read`` found it. ``versions`` are the IP versions that ufw governs, ``unit`` is systemd's word."""

    files: Files
    versions: Tuple[int, ...]
    kernel: Dict[int, ufw_kernel.Kernel]
    raw: ufw_helpers.Raw
    unit: str
    ipv6: ufw_ipv6.Ipv6
    missing_tables: Tuple[str, ...]  # of ufw_tables.TABLES
    memory: Dict[str, str]

    @property
    def enabled(self) -> bool:
        return ufw_settings.is_yes(self.files[CONF] or "", ufw_settings.ENABLED)

    @property
    def running(self) -> bool:
        return all(self.kernel[version].loaded(version) for version in self.versions)


class Steps(NamedTuple):
    """What ``commit`` does, in this order: write, ``command``, write ``last_files``, load, clear, unit.

    The command "disable" comes after the load.
    """

    found: Files
    files: Files
    command: str  # "enable", "reload", "disable" or "": the word for ufw itself
    last_files: Files
    loads: Dict[int, ufw_kernel.Load]  # by IP version
    undo_loads: Dict[int, ufw_kernel.Load]
    helpers: Optional[Tuple[str, ...]]  # the rules of our chain in the table raw, none to have it go; None: as it is
    undo_helpers: Tuple[str, ...]
    unit: str  # "enable", "disable" or "": the word for systemctl
    verdicts: Dict[int, Dict[str, str]]  # what INPUT, OUTPUT and FORWARD shall do once ufw is off
    clear: bool  # whether the empty chains that ufw leaves behind go as well
    gone_tables: Tuple[str, ...]  # were not there before our first change; go where they are empty
    missing_tables: Tuple[str, ...]  # are not there now; for undo()
    memory: Dict[str, str]


class _Wish(NamedTuple):
    files: Files
    memory: Dict[str, str]
    running: bool
    unit: str
    helpers: Tuple[str, ...]


def make(state: State, policy: Optional[Policy]) -> Plan:
    """The whole change; raises BackendError where ufw cannot be brought to the policy."""
    wish = _absent(state) if policy is None else _present(state, policy)
    steps = _steps(state, wish, policy is not None)
    todo = bool(steps.files or steps.command or steps.loads or steps.unit or steps.helpers is not None)
    after = describe(wish.files, state, wish)
    before = describe(state.files, state) if todo else after
    if todo and before == after:
        before += "to be written as ufw itself writes it: %s\n" % ", ".join(steps.files)
    return Plan(before, after, steps, tuple(_warnings(state, policy)))


def _present(state: State, policy: Policy) -> _Wish:
    for _name, sentence in ufw_hurdles.find(state.files, state.versions, state.ipv6):
        raise BackendError(sentence)
    settings = state.files[DEFAULTS] or ""
    files, memory = dict(state.files), dict(state.memory)
    memory.setdefault(TABLES, " ".join(name.replace(" ", ":") for name in state.missing_tables))
    named = ufw_intent.profiles(policy)
    files[PROFILES] = ufw_profiles.text(named)
    files[_helpers.PATH] = _helpers.text(policy.helpers)
    files[ufw_helpers.PATH] = _before(files[ufw_helpers.PATH], policy)
    waking = not state.enabled
    if waking:
        files[CONF], memory = ufw_settings.change(files[CONF] or "", ufw_settings.ENABLED, "yes", memory)
        memory = dict(_found_asleep(state), **memory)
    if state.unit == "disabled":
        memory[_UNIT] = "disabled"
    files[DEFAULTS], memory = _defaults(settings, policy, memory, waking)
    for version in state.versions:
        foreign = ufw_rules.without_ours(files[RULES[version]] or "")
        text = ufw_rules.with_ours(foreign, ufw_intent.rules(policy, version, named))
        files[RULES[version]] = _logging(text, version, state, files)
    unit = "enabled" if state.unit == "disabled" else state.unit
    return _Wish(files, memory, True, unit, ufw_helpers.rules(policy.helpers))


def _before(text: Optional[str], policy: Policy) -> Optional[str]:
    foreign = ufw_helpers.without_ours(text or "")
    whole = ufw_helpers.with_ours(foreign, policy.helpers) if text is not None else None
    if policy.helpers and whole is None:
        raise BackendError(ufw_hurdles.broken(ufw_helpers.PATH, text, "it has no line 'COMMIT'"))
    return whole


def _found_asleep(state: State) -> Dict[str, str]:
    """What has to be given back if ufw is switched off again: the kernel's verdicts, and files that ufw rewrites."""
    found = {_CHAINS: "none"}
    for version in state.versions:
        chains = state.kernel[version].chains
        left = [chain for name, chain in chains.items() if name.startswith(ufw_rules.CHAINS[version] + "-")]
        if any(chain.rules for chain in left):
            # A reload that failed: ufw says that it is off, and its rules and verdicts stand.
            found[_CHAINS] = _LOADED
        elif left and found[_CHAINS] != _LOADED:
            found[_CHAINS] = "left by ufw"
        found["ufw_kernel_%d" % version] = " ".join(ufw_kernel.verdict(chains, way) for way in ufw_settings.DEFAULTS)
        found["ufw_rules_%d" % version] = ufw_rules.without_ours(state.files[RULES[version]] or "")
    return found


def _defaults(
    text: str, policy: Policy, memory: Dict[str, str], waking: bool
) -> Tuple[str, Dict[str, str]]:
    asleep = [memory[key].split() for key in ("ufw_kernel_4", "ufw_kernel_6") if key in memory]
    for index, (chain, key) in enumerate(ufw_settings.DEFAULTS.items()):
        direction = ufw_settings.direction(chain)
        # What the administrator set after we had switched ufw on is his own.
        woken = bool(asleep) and (waking or ufw_settings.is_ours(text, key, memory))
        wanted = ufw_settings.wanted_default(
            chain,
            policy.default(direction) if direction else "keep",
            ufw_settings.original(text, key, memory) or "",
            woken and all(verdicts[index] == "ACCEPT" for verdicts in asleep),
        )
        text, memory = ufw_settings.change(text, key, wanted, memory, pin=woken)
    return text, memory


def _absent(state: State) -> _Wish:
    for _name, sentence in ufw_hurdles.broken_rules(state.files, state.versions) if state.running else ():
        raise BackendError(sentence)
    files, memory = dict(state.files), dict(state.memory)
    for key in ufw_settings.DEFAULTS.values():
        files[DEFAULTS], memory = ufw_settings.change(files[DEFAULTS] or "", key, None, memory)
    files[CONF], memory = ufw_settings.change(files[CONF] or "", ufw_settings.ENABLED, None, memory)
    files[PROFILES] = files[_helpers.PATH] = None
    if files[ufw_helpers.PATH] is not None:
        files[ufw_helpers.PATH] = ufw_helpers.without_ours(files[ufw_helpers.PATH] or "")
    for version in RULES:
        if files[RULES[version]] is None:
            continue
        text = ufw_rules.without_ours(files[RULES[version]] or "")
        asleep = memory.pop("ufw_rules_%d" % version, None)
        if asleep is not None and ufw_rules.tuples(asleep) == ufw_rules.tuples(text):
            # ufw wrote the file anew when it was switched on, with the same rules in it.
            text = asleep
        else:
            text = _logging(text, version, state, files)
        files[RULES[version]] = text
    for path in (DEFAULTS, CONF):
        files[path] = files[path] if state.files[path] is not None else None
    running = state.running and ufw_settings.is_yes(files[CONF] or "", ufw_settings.ENABLED)
    return _Wish(files, {}, running, memory.get(_UNIT, state.unit), ())


def _logging(text: str, version: int, state: State, files: Files) -> str:
    return ufw_settings.with_logging(
        text,
        ufw_rules.CHAINS[version],
        (ufw_settings.value(state.files[CONF] or "", ufw_settings.LOGLEVEL) or "").lower(),
        ufw_settings.defaults(state.files[DEFAULTS] or ""),
        ufw_settings.defaults(files[DEFAULTS] or ""),
    )


def _steps(state: State, wish: _Wish, present: bool) -> Steps:
    changed = {path: text for path, text in wish.files.items() if text != state.files[path]}
    command = ""
    if wish.running and not state.running:
        command = "reload" if any(state.kernel[v].chains.get(_user_chain(v)) for v in state.versions) else "enable"
    elif state.enabled and not ufw_settings.is_yes(wish.files[CONF] or "", ufw_settings.ENABLED):
        command = "disable"
    first, last = dict(changed), {}
    new = ufw_settings.defaults(wish.files[DEFAULTS] or "")
    loads: Dict[int, ufw_kernel.Load] = {}
    if command in ("enable", "reload"):
        # With REJECT ufw's start script refuses everything from its first step on and lets answers through in a
        # later one.  So it starts with DROP, which it sets last of all; REJECT comes by our own transaction.
        if "REJECT" in new:
            first[DEFAULTS] = ufw_settings.without_reject(wish.files[DEFAULTS] or "")
            last = {DEFAULTS: wish.files[DEFAULTS]}
        for version in state.versions:
            # Chains that ufw finds it does not hang into INPUT and OUTPUT again.
            chains = state.kernel[version].chains
            found = chains if ufw_rules.CHAINS[version] + "-before-logging-input" in chains else None
            loads[version] = ufw_kernel.Load(None, new, found)
    elif command == "disable":
        # ufw empties its chains while its default verdicts still stand, which closes the host for a second.
        for version in state.versions if state.running else ():
            loads[version] = ufw_kernel.Load(wish.files[RULES[version]] or "", _OPEN, None)
    elif wish.running:
        for version in state.versions:
            stale = RULES[version] in changed or DEFAULTS in changed
            if stale or (state.kernel[version].drift if present else _holds_ours(state.kernel[version])):
                text = wish.files[RULES[version]] or ""
                loads[version] = ufw_kernel.Load(text, new, state.kernel[version].chains)
    old = ufw_settings.defaults(state.files[DEFAULTS] or "")
    undo = {
        version: ufw_kernel.Load(state.files[RULES[version]] or "", old, None)
        for version in state.versions if state.running
    }
    unit = {("disabled", "enabled"): "enable", ("enabled", "disabled"): "disable"}.get((state.unit, wish.unit), "")
    asleep = wish.memory or state.memory
    return Steps(
        dict(state.files), first, command, last, loads, undo,
        None if ufw_helpers.in_force(state.raw, wish.helpers) and not command else wish.helpers,
        state.raw.rules or (), unit, _verdicts(asleep), asleep.get(_CHAINS) == "none",
        () if present else tuple(name.replace(":", " ") for name in state.memory.get(TABLES, "").split()),
        state.missing_tables, wish.memory,
    )


def _verdicts(memory: Dict[str, str]) -> Dict[int, Dict[str, str]]:
    """What INPUT, OUTPUT and FORWARD did before we switched ufw on; `ufw disable` leaves them all at ACCEPT.

    So do we where the verdicts that we found were ufw's own: without its rules they would close the host.
    """
    if memory.get(_CHAINS) == _LOADED:
        return {}
    chains = ("INPUT", "OUTPUT", "FORWARD")
    keys = {version: "ufw_kernel_%d" % version for version in RULES}
    return {version: dict(zip(chains, memory[key].split())) for version, key in keys.items() if key in memory}


def _user_chain(version: int) -> str:
    return ufw_rules.CHAINS[version] + "-user-input"


def _holds_ours(kernel: ufw_kernel.Kernel) -> bool:
    return any("app_" + ufw_profiles.PREFIX in rule for chain in kernel.chains.values() for rule in chain.rules)


def _warnings(state: State, policy: Optional[Policy]) -> List[str]:
    if policy is None:
        return []
    said = []
    level = ufw_settings.value(state.files[CONF] or "", ufw_settings.LOGLEVEL) or ""
    if policy.log_denied and level.lower() == "off":
        said.append("LOGLEVEL=off in %s: ufw then logs nothing at all, 'ufw logging low' changes that" % CONF)
    if state.ipv6.kernel and 6 not in state.versions:
        said.append(
            "%s: the rows are in force over IPv4 alone, and ufw drops all IPv6 packets; this host has no IPv6 address"
            " that is reached from beyond its link. Set IPV6=yes there before it gets one"
            % ufw_hurdles.ipv6_setting(state.files[DEFAULTS] or "")
        )
    if state.unit == "masked":
        said.append("ufw.service is masked: the rules are lost at the next boot, 'systemctl unmask ufw' changes that")
    return said


def describe(files: Files, state: State, wish: Optional[_Wish] = None) -> str:
    """ufw as a person reads it; with ``wish`` as it will be, otherwise as it is."""
    defaults = ufw_settings.defaults(files[DEFAULTS] or "")
    enabled = ufw_settings.is_yes(files[CONF] or "", ufw_settings.ENABLED)
    unit = wish.unit if wish else state.unit
    lines = [
        "ufw: %s, ufw.service: %s" % ("active" if enabled else "inactive", unit),
        "default: %s incoming, %s outgoing, %s forwarded" % defaults,
    ]
    for version in state.versions:
        drift = "" if wish else state.kernel[version].drift
        lines.append("IPv%d, first match wins:%s" % (version, " (the kernel: %s)" % drift if drift else ""))
        lines += ufw_rules.readable(files[RULES[version]] or "")
    raw = ufw_helpers.Raw(1, wish.helpers or None) if wish else state.raw
    lines += ufw_helpers.readable(raw, files[ufw_helpers.PATH] or "", files[_helpers.PATH] or "")
    lines.append("%s:" % PROFILES)
    lines += ["  " + line for line in (files[PROFILES] or "").splitlines() if line and not line.startswith("#")]
    return "\n".join(lines) + "\n"
