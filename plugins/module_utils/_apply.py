# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the module's options to the change of one host: worked out whole first, then carried out."""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import (
    _agreement,
    _alarm,
    _confirm,
    _drift,
    _files,
    _findings,
    _guard,
    _helpers,
    _managers,
    _memory,
    _printers,
    _room,
    _transaction,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Backend, BackendError, Host, Plan
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow, read_flow
from ansible_collections.printfleet.cups.plugins.module_utils._memory import Memory
from ansible_collections.printfleet.cups.plugins.module_utils._policy import (
    HELPED,
    Opening,
    Policy,
    Ssh,
    make_policy,
)
from ansible_collections.printfleet.cups.plugins.module_utils._words import Interface

# The options that make up a wish: they are remembered, so that what is in force can be held against them.
WISH = ("flows", "default_incoming", "default_outgoing", "log_denied")


class Surroundings(NamedTuple):
    """What the policy takes from the host itself."""

    interfaces: Tuple[Interface, ...]
    ssh: Optional[Ssh]
    helpers: Tuple[str, ...] = tuple(HELPED)  # conntrack helpers that can be had, by their kernel names
    unhelped: str = _helpers.NO_MODULE  # why not those that are missing
    look: _agreement.Look = _agreement.look_away  # how the host's print services are looked at, where they are
    printers: _printers.Found = _printers.NONE


class Change(NamedTuple):
    """A whole change of one host. ``plans`` in the order in which they are carried out."""

    backend: str
    packages_missing: Tuple[str, ...]
    plans: Tuple[Tuple[str, Plan], ...]
    memory: Optional[Memory]
    changed: bool
    before: str
    after: str
    warnings: Tuple[str, ...]
    causes: Tuple[_drift.Cause, ...] = ()  # why the rules of the last run are not in force, for ``compare`` alone
    modules: Optional[str] = None  # what _helpers.PATH says in the end


def read_flows(values: Iterable[object]) -> List[Flow]:
    """Read the option ``flows``; raises Refused."""
    return [read_flow(value, "flows[%d]" % index) for index, value in enumerate(values)]


def policy_of(wish: dict, flows: Iterable[Flow], around: Surroundings, woken: bool) -> Policy:
    """The policy that a wish means on a host with such surroundings.

    ``woken``: we switch the firewall manager on, and its own defaults could close the way that Ansible came.
    """
    flows = _printers.narrowed(flows, around.printers.endpoints)
    needs_ssh = woken or "deny" in (wish["default_incoming"], wish["default_outgoing"])
    return make_policy(
        flows, wish["default_incoming"], wish["default_outgoing"], wish["log_denied"], around.interfaces,
        around.ssh if needs_ssh else None, around.helpers,
    )


def seen_by(backend: Backend, around: Surroundings) -> Surroundings:
    """The surroundings as far as that manager can make use of them."""
    reason = backend.unhelped()
    return around._replace(helpers=(), unhelped=reason) if reason else around


def _woken(name: str, known: Dict[str, Backend], memory: Memory) -> bool:
    if memory.backend == name:
        return bool(memory.wish.get("woken", False))
    return name in _managers.GOVERNORS and (bool(known[name].missing()) or not known[name].active())


def remembered_ssh(memory: Memory) -> Optional[Ssh]:
    """The SSH connection for which the last change made its opening."""
    known = memory.wish.get("ssh")
    return Ssh(str(known[0]), int(known[1])) if known else None


def remembered_printers(memory: Memory) -> _printers.Found:
    """The printers that the last change found on the host."""
    return _printers.read_remembered(memory.wish.get("printers"))


def plan_present(
    wish: dict, wanted_backend: str, known: Dict[str, Backend], memory: Memory, around: Surroundings,
    guarded: bool = True,
) -> Change:
    """Work out how the host comes to hold the wish; raises Refused and BackendError."""
    flows = read_flows(wish["flows"])
    # A run from the console or by another way than SSH must not close the door that SSH came by.
    around = around._replace(ssh=around.ssh or remembered_ssh(memory))
    choice = _managers.choose(wanted_backend, known, memory.backend)
    name = choice.backend
    woken = _woken(name, known, memory)
    around = seen_by(known[name], around)
    policy = policy_of(wish, flows, around, woken)
    if guarded and around.ssh is not None:
        _guard.judge(policy, around.ssh)
    warnings = (_findings.sentences([choice.finding]) if choice.finding else []) + _warnings(flows, around)
    missing = tuple(known[name].missing())
    if missing:
        return Change(
            name, missing, (), None, True, "", "".join(describe(policy)), tuple(warnings) + around.printers.told,
        )
    found = memory.found if memory.backend == name else {}
    plans = [(name, _plan(known[name], policy, found))]
    if memory.backend not in ("", name) and not known[memory.backend].missing():
        # The new rules come first: at no moment is a port open that both close.
        plans.append((memory.backend, _plan(known[memory.backend], None, memory.found)))
    remembered = {key: wish[key] for key in WISH}
    remembered["woken"] = woken
    remembered["ssh"] = list(around.ssh) if around.ssh else []
    if wish.get("queues") or wish.get("device_uris"):
        remembered.update(
            queues=wish["queues"], device_uris=list(wish["device_uris"]), printers=around.printers.as_dict()
        )
    new_memory = Memory(name, remembered, found)
    # What is remembered of printers is told as drift, so it has to be right where no rule depends on it as well.
    forgotten = memory.backend != name or _printers_of(memory.wish) != _printers_of(remembered)
    change = _change(name, plans, new_memory, forgotten, warnings)
    change = change._replace(modules=_helpers.text(policy.helpers))
    if not change.changed:
        # A run that changes nothing would only repeat what the administrator knows and perhaps wants.
        return change
    for _owner, plan in change.plans:
        if plan.obstacle:
            raise BackendError(plan.obstacle)
    told = _findings.sentences(_managers.findings(known, policy, name) + around.look(policy, around.interfaces))
    return change._replace(warnings=change.warnings + around.printers.told + tuple(told))


def _printers_of(wish: dict) -> tuple:
    """What a wish remembers of printers, as far as it means something."""
    endpoints = _printers.read_remembered(wish.get("printers")).endpoints
    return wish.get("queues", False), {(e.address, e.protocol, e.port) for e in endpoints}


def compare(memory: Memory, policy: Policy, known: Dict[str, Backend], around: Surroundings) -> Change:
    """What a host lacks of what the last run meant, by whichever manager held it, whatever is active now."""
    backend = known[memory.backend]
    warnings = _warnings(read_flows(memory.wish["flows"]), around)
    missing = tuple(backend.missing())
    if missing:
        return Change(
            memory.backend, missing, (), memory, True, "", "".join(describe(policy)), tuple(warnings),
            causes=(_drift.package_missing(missing),),
        )
    state = backend.read(memory.found)
    try:
        plan = backend.plan(state, policy)
    except BackendError as error:
        # Such as a unit that is masked: no plan can be made, but the audit can say why.
        causes = tuple(backend.causes(state, None))
        if not causes:
            raise
        told = tuple(warnings) + (str(error),)
        return Change(memory.backend, (), (), memory, True, "", "".join(describe(policy)), told, causes=causes)
    change = _change(memory.backend, [(memory.backend, plan)], memory, False, warnings)
    if not change.changed:
        return change
    return change._replace(causes=tuple(backend.causes(state, plan)) or (_drift.unknown(),))


def plan_absent(known: Dict[str, Backend], memory: Memory) -> Change:
    """Work out how everything of ours goes: asked of every backend, so that it works without the memory too."""
    plans = [
        (name, _plan(backend, None, memory.found if memory.backend == name else {}))
        for name, backend in known.items()
        if not backend.missing()
    ]
    return _change(memory.backend, plans, None, memory.backend != "", [])


def _plan(backend: Backend, policy: Optional[Policy], found: dict) -> Plan:
    return backend.plan(backend.read(found), policy)


def _change(
    name: str, plans: List[Tuple[str, Plan]], memory: Optional[Memory], forgotten: bool, warnings: List[str]
) -> Change:
    due = tuple((owner, plan) for owner, plan in plans if plan.changed)
    return Change(
        backend=name,
        packages_missing=(),
        plans=due,
        memory=memory,
        changed=bool(due) or forgotten,
        before=_findings.readable("".join(plan.before for _owner, plan in due)),
        after=_findings.readable("".join(plan.after for _owner, plan in due)),
        warnings=tuple(warnings) + tuple(w for _owner, plan in plans for w in plan.warnings),
    )


def carry_out(change: Change, known: Dict[str, Backend], host: Host, seconds: int, cookie: str = "") -> str:
    """Do what was worked out; raises BackendError, which says how the host is then.

    With ``seconds`` the change is left on trial, and the cookie that confirms it is given back: ``cookie``, or
    one of its own; with 0 it is settled at once, and "" is given back.
    """
    scope = _transaction.Scope(
        parts=tuple((name, plan.steps) for name, plan in change.plans),
        paths=_paths(change, known),
        units=tuple(unit for name, _plan in change.plans for unit in known[name].units()),
        leaves=change.memory is None,
    )
    cookie = _transaction.begin(scope, seconds, host, cookie)
    try:
        _commit(change, known)
        if seconds:
            _transaction.hide(scope, seconds)
            return cookie
        _confirm.end(host)
        return ""
    except (OSError, BackendError) as error:
        try:
            remark = _transaction.take_back(known, host)
        except (OSError, BackendError) as again:
            raise BackendError("%s; and %s" % (error, again)) from error
        told = "the change was taken back, but: %s" % remark if remark else "the host is as it was before"
        raise BackendError("%s; %s" % (error, told)) from error


def judge_room(change: Change, known: Dict[str, Backend]) -> None:
    """Raise BackendError where the host's file systems cannot take the change; nothing is touched."""
    if change.changed and not change.packages_missing:
        _room.judge((*_paths(change, known), *_alarm.recovery_paths(), _alarm.LOCK))


def _paths(change: Change, known: Dict[str, Backend]) -> Tuple[str, ...]:
    return (_memory.PATH,) + tuple(p for name, plan in change.plans for p in known[name].paths(plan))


def _commit(change: Change, known: Dict[str, Backend]) -> None:
    memory = change.memory
    for name, plan in change.plans:
        found = known[name].commit(plan)
        if memory is not None and name == memory.backend:
            memory = memory._replace(found=found)
    if len(change.plans) > 1 and change.modules is not None:
        # The manager that goes takes this file with it, and the one that comes has found it there.
        _files.replace(_helpers.PATH, change.modules)
    _memory.save(memory)


def describe(policy: Policy) -> List[str]:
    """One line a row, as a person would say it."""
    lines = ["%s\n" % _opening(o) for o in policy.openings]
    opened = {(o.direction, o.protocol, o.ports) for o in policy.openings if o.side == "destination"}
    lines += [
        "closed %-3s %s %s to everyone%s  (%s)\n" % (
            c.direction, c.protocol, c.ports, " else" if (c.direction, c.protocol, c.ports) in opened else "", c.row)
        for c in policy.closures
    ]
    lines += [
        "open   in  %s %d from port %d by way of %s  (%s)\n" % (g.protocol, g.port, g.port, g.address, g.row)
        for g in policy.groups
    ]
    lines += [
        "helped out %s %d by the kernel's conntrack helper %s  (%s)\n" % (h.protocol, h.port, h.name, h.row)
        for h in policy.helpers
    ]
    lines += [
        "default %s: %s\n" % (word, "as the host has it" if value == "keep" else "deny")
        for word, value in (("incoming", policy.default_incoming), ("outgoing", policy.default_outgoing))
    ]
    return lines


def _opening(opening: Opening) -> str:
    who = "anyone" if opening.peers is None else ", ".join(opening.peers) or "nobody"
    return "open   %-3s %s %s%s %s %s  (%s)" % (
        opening.direction, opening.protocol, "source port " if opening.side == "source" else "", opening.ports,
        "from" if opening.direction == "in" else "to", who, opening.row,
    )


def _warnings(flows: Sequence[Flow], around: Surroundings) -> List[str]:
    told = _helpers.warnings(flows, around.helpers, around.unhelped)
    return _absent_interfaces(flows, around.interfaces) + list(around.printers.unresolved) + told


def _absent_interfaces(flows: Iterable[Flow], interfaces: Iterable[Interface]) -> List[str]:
    names = {i.name.lower() for i in interfaces}
    asked = {peer for flow in flows for peer in flow.peers if peer.startswith("@IF(")}
    return [
        "%s: this host has no interface of that name with an address, so nobody comes in by it" % peer
        for peer in sorted(asked) if peer[len("@IF("):-1].lower() not in names
    ]
