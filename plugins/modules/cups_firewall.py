#!/usr/bin/python
# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cups_firewall
short_description: Put the rows of CUPS' Firewalls page into force on a print server
version_added: "0.1.0"
description:
  - Makes the firewall of one host let through the packets that the page's rows name, and refuse the others, in one
    call.
  - The host's own firewall manager holds the rules, be it nftables, firewalld or ufw.
    The whole change is worked out before anything is touched, and carried out in one transaction.
  - Only what carries the name of this collection is ever changed or removed.
    A default policy that was changed is given back when O(state=absent).
  - UDP port 631 is closed to everyone and cannot be opened (CVE-2024-47176).
author:
  - The printfleet.cups maintainers (@printfleet)
options:
  state:
    description:
      - V(present) puts the rows into force, V(absent) removes everything of ours and leaves the host as it was.
    type: str
    choices: [present, absent]
    default: present
  backend:
    description:
      - The firewall manager that holds the rules.
      - V(auto) is the manager that is active, and V(nftables) where none is.
      - Where the manager that holds the rules is enabled and only stopped, V(auto) starts it again, with a warning.
        Where it was disabled or masked, it is an error. V(auto) says so where the rules move to another manager.
      - An inactive ufw or firewalld is switched on only if it is named here.
    type: str
    choices: [auto, nftables, firewalld, ufw]
    default: auto
  flows:
    description:
      - What is let through, as the filter P(printfleet.cups.flows#filter) returns it.
      - Ignored when O(state=absent).
    type: list
    elements: dict
    default: []
    suboptions:
      row:
        description: The name of the row, as rules will show it.
        type: str
        required: true
      profile:
        description: The profile by which the row was chosen.
        type: str
        choices: [ipp_sharing, smb_sharing, network_printers, extra_flows]
        default: extra_flows
      direction:
        description: V(in) towards the host, V(out) away from it.
        type: str
        choices: [in, out]
        required: true
      protocol:
        description: The transport protocol.
        type: str
        choices: [tcp, udp]
        required: true
      port:
        description: The destination port, or a range such as V(9100-9102).
        type: str
        required: true
      peers:
        description:
          - Who may come in, or may be reached. Addresses, networks, V(@LOCAL) and V(@IF(name\)). Empty is anyone.
          - V(@PRINTERS) in a flow that goes out stands for the printers of O(queues) and O(device_uris) that use its
            protocol and port. It is nobody where there are none.
        type: list
        elements: str
        default: []
      broadcast:
        description: Adds the host's own IPv4 broadcast addresses to O(flows[].peers), for the discovery of printers.
        type: bool
        default: false
  queues:
    description:
      - Whether to read CUPS' own queues on the host (C(printers.conf), C(classes.conf)) and let it reach their printers
        by the protocols and ports that their device URIs use.
      - Printers that no flow with V(@PRINTERS) covers get a row of their own, that begins with the word Printers.
      - Names are resolved on the host. One that cannot be is told by a warning, and keeps the addresses that it had at
        the last change.
    type: bool
    default: false
  device_uris:
    description:
      - Device URIs of more printers, as CUPS takes them. The filter P(printfleet.cups.device_uris#filter) gives them
        without passwords.
      - Of each URI the scheme, the host, the port and the option C(snmp) count, and nothing else is kept.
    type: list
    elements: str
    default: []
  default_incoming:
    description:
      - With V(keep), the rows are open to their peers and closed to all others, and all else stays as the host has it.
      - With V(deny), all that is not named is refused in addition, but for what a host needs and what the administrator
        opened by rules of his own.
    type: str
    choices: [keep, deny]
    default: keep
  default_outgoing:
    description:
      - With V(keep), the rows get out even where the host's default is deny, and nothing is closed.
      - With V(deny), all that is not named is refused in addition, and printing protocols reach their peers only.
    type: str
    choices: [keep, deny]
    default: keep
  log_denied:
    description: Log what is refused, at most some packets a minute.
    type: bool
    default: false
  missing_packages:
    description:
      - What to do where a package that the backend needs is not installed.
      - V(fail) fails. V(report) names it in RV(packages_missing) and changes nothing, so that the caller can install
        it.
    type: str
    choices: [fail, report]
    default: fail
  confirm_timeout:
    description:
      - The host takes a change back by itself unless Ansible comes back over a new connection within so many seconds
        and confirms it. Until then nothing permanent is written.
      - The seconds count from the moment when Ansible has heard of the change, which it tells the host over the
        connection that is still there. They count from the change itself where that word does not get through.
      - V(0) settles a change at once.
    type: int
    default: 30
  guard:
    description:
      - Refuse a change that would close the port by which Ansible reaches this host over SSH.
    type: bool
    default: true
  confirmation:
    description:
      - For the action plugin of this module, which gives each change a name. Leave it out.
    type: str
    default: ""
  confirm:
    description:
      - For the action plugin of this module, which comes back to confirm the change named O(confirmation), V(anew)
        over SSH, V(anyhow) over a connection of another kind. Leave it out.
    type: str
    choices: ['', anew, anyhow]
    default: ''
  over_ssh:
    description:
      - For the action plugin of this module, which says whether Ansible came by SSH. Leave it out.
    type: bool
    default: false
extends_documentation_fragment:
  - printfleet.cups.attributes
seealso:
  - module: printfleet.cups.cups_firewall_info
  - plugin: printfleet.cups.flows
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Let one network print to this host, over IPv4 and IPv6
  printfleet.cups.cups_firewall:
    flows:
      - row: "Table 1: 631 (IPP/IPPS) TCP IN"
        profile: ipp_sharing
        direction: in
        protocol: tcp
        port: "631"
        peers:
          - 198.51.100.0/24
          - 2001:db8:100::/64

- name: Remove everything of ours
  printfleet.cups.cups_firewall:
    state: absent
"""

RETURN = r"""
backend:
  description: The firewall manager that holds the rules; empty where nothing of ours is on the host.
  returned: success
  type: str
  sample: nftables
packages_missing:
  description: Packages to install before the module can do its work.
  returned: success
  type: list
  elements: str
  sample: []
confirmed:
  description: Whether the change was confirmed over a new connection.
  returned: when something was changed and O(confirm_timeout) is not 0
  type: bool
  sample: true
"""

import os
import re

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.printfleet.cups.plugins.module_utils import (
    _agreement,
    _alarm,
    _apply,
    _confirm,
    _guard,
    _helpers,
    _interfaces,
    _managed_host,
    _managers,
    _memory,
    _packed,
    _printer_list,
    _printers,
    _transaction,
    _trial,
    _words,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._flow import EXTRA, PROFILES
from ansible_collections.printfleet.cups.plugins.module_utils._policy import DEFAULTS
from ansible_collections.printfleet.cups.plugins.module_utils._words import DIRECTIONS, PROTOCOLS, Refused

# The outcome of a change that is neither kept nor taken back: a step of taking it back fails.
NOT_TAKEN_BACK = "not taken back"


def argument_spec() -> dict:
    keep_or_deny = {"type": "str", "choices": list(DEFAULTS), "default": "keep"}
    return {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "backend": {"type": "str", "choices": [_managers.AUTO] + list(_managers.NAMES), "default": _managers.AUTO},
        "flows": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "row": {"type": "str", "required": True},
                "profile": {"type": "str", "choices": list(PROFILES) + [EXTRA], "default": EXTRA},
                "direction": {"type": "str", "choices": list(DIRECTIONS), "required": True},
                "protocol": {"type": "str", "choices": list(PROTOCOLS), "required": True},
                "port": {"type": "str", "required": True},
                "peers": {"type": "list", "elements": "str", "default": []},
                "broadcast": {"type": "bool", "default": False},
            },
        },
        "queues": {"type": "bool", "default": False},
        "device_uris": {"type": "list", "elements": "str", "default": [], "no_log": True},
        "default_incoming": keep_or_deny,
        "default_outgoing": dict(keep_or_deny),
        "log_denied": {"type": "bool", "default": False},
        "missing_packages": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
        "confirm_timeout": {"type": "int", "default": 30},
        "guard": {"type": "bool", "default": True},
        "confirmation": {"type": "str", "default": ""},
        "confirm": {"type": "str", "choices": ["", "anew", "anyhow"], "default": ""},
        "over_ssh": {"type": "bool", "default": False},
    }


def work_out(params: dict, known: dict, host: _managed_host.ManagedHost) -> _apply.Change:
    memory = _memory.load()
    if params["state"] == "absent":
        return _apply.plan_absent(known, memory)
    ssh = _managed_host.ssh_connection()
    if params["guard"] and params["over_ssh"]:
        _guard.refuse_unseen(ssh)
    # Without passwords from here on, whoever called the module: this is what is remembered on disk.
    wish = dict(params, device_uris=_printer_list.strip(params["device_uris"], "device_uris"))
    printers = _printers.find(host, wish["queues"], wish["device_uris"], _apply.remembered_printers(memory))
    around = _apply.Surroundings(
        _interfaces.interfaces(), ssh, _helpers.had(host), look=_agreement.look, printers=printers,
    )
    return _apply.plan_present(wish, params["backend"], known, memory, around, params["guard"])


def run(module: AnsibleModule, host: _managed_host.ManagedHost, known: dict) -> dict:
    """One run: the change, or its confirmation; gives what the module returns."""
    params = module.params
    if params["confirmation"] and not re.fullmatch("[0-9a-f]{16}", params["confirmation"]):
        raise _words.refuse("confirmation", params["confirmation"], "it is the action plugin's affair, leave it out")
    if params["confirm"]:
        return confirm(params["confirmation"], known, host, params["confirm"] == "anew")
    _words.read_seconds(params["confirm_timeout"], "cups_firewall_confirm_timeout")
    if module.check_mode:
        _transaction.refuse_beside_another(host)
    else:
        _transaction.clear_leftovers(known, host)
    change = work_out(params, known, host)
    for warning in change.warnings:
        module.warn(warning)
    told = {
        "changed": change.changed,
        "backend": change.backend,
        "packages_missing": list(change.packages_missing),
        "diff": {
            "before": change.before,
            "after": change.after,
            "before_header": change.backend,
            "after_header": change.backend,
        },
    }
    _apply.judge_room(change, known)
    if module.check_mode or not change.changed:
        return told
    if change.packages_missing:
        if params["missing_packages"] == "fail":
            raise BackendError(
                "%s needs the package %s, which is not installed on this host"
                % (change.backend, " and ".join(change.packages_missing))
            )
        return dict(told, changed=False)
    waits = _apply.carry_out(change, known, host, params["confirm_timeout"], params["confirmation"])
    return dict(told, confirmation=waits, commands=_packed.commands(waits)) if waits else dict(told, confirmation="")


def confirm(cookie: str, known: dict, host: _managed_host.ManagedHost, anew: bool) -> dict:
    """Settle the change of that name, or tell what became of it."""
    why = ""
    try:
        word, remark = _transaction.outcome(cookie, known, host)
        trial = _trial.pending()
        if word == _trial.NOT_KNOWN and trial is not None and trial.cookie == cookie:
            try:
                _confirm.settle(cookie, host, anew)
                word = _trial.KEPT
            except _confirm.SameConnection:
                raise
            except (OSError, BackendError) as error:
                why = str(error)
                word, remark = _trial.TAKEN_BACK, _transaction.take_back(known, host, cookie)
    except _transaction.NotTakenBack as error:
        word, remark = NOT_TAKEN_BACK, str(error)
    return {"changed": word == _trial.KEPT, "outcome": word, "why": why, "remark": remark}


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    if os.geteuid() != 0:
        module.fail_json(msg="The firewall of a host is changed by root only: set become to true.")
    host = _managed_host.ManagedHost()
    try:
        with _alarm.lock(patience=10.0):
            told = run(module, host, _managers.backends(host))
    except (Refused, BackendError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        left = "the change is still on trial" if module.params["confirm"] else "nothing of its firewall was changed"
        module.fail_json(msg="The host's own files could not be read or written: %s; %s." % (error, left))
    module.exit_json(**told)


if __name__ == "__main__":
    main()
