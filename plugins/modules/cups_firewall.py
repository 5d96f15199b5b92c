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
  - Makes the firewall of one host let through the packets that the page's rows name, and refuse the others.
  - One call carries the whole wish.
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
        type: list
        elements: str
        default: []
      broadcast:
        description: Adds the host's own IPv4 broadcast addresses to O(flows[].peers), for the discovery of printers.
        type: bool
        default: false
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
      - V(fail) fails. V(report) names it in RV(packages_missing) and changes nothing, so that the caller installs it.
    type: str
    choices: [fail, report]
    default: fail
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
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.printfleet.cups.plugins.module_utils import (
    _apply,
    _interfaces,
    _managed_host,
    _managers,
    _memory,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._flow import EXTRA, PROFILES
from ansible_collections.printfleet.cups.plugins.module_utils._policy import DEFAULTS
from ansible_collections.printfleet.cups.plugins.module_utils._words import DIRECTIONS, PROTOCOLS, Refused


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
        "default_incoming": keep_or_deny,
        "default_outgoing": dict(keep_or_deny),
        "log_denied": {"type": "bool", "default": False},
        "missing_packages": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    }


def work_out(params: dict, known: dict) -> _apply.Change:
    memory = _memory.load()
    if params["state"] == "absent":
        return _apply.plan_absent(known, memory)
    around = _apply.Surroundings(_interfaces.interfaces(), _managed_host.ssh_connection())
    return _apply.plan_present(params, params["backend"], known, memory, around)


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    if os.geteuid() != 0:
        module.fail_json(msg="The firewall of a host is changed by root only: set become to true.")
    known = _managers.backends(_managed_host.ManagedHost())
    try:
        change = work_out(module.params, known)
        for warning in change.warnings:
            module.warn(warning)
        changed = change.changed
        if change.packages_missing and not module.check_mode:
            if module.params["missing_packages"] == "fail":
                module.fail_json(msg="%s needs the package %s, which is not installed on this host." % (
                    change.backend, " and ".join(change.packages_missing)))
            changed = False
        elif changed and not module.check_mode:
            _apply.carry_out(change, known)
    except (Refused, BackendError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=changed,
        backend=change.backend,
        packages_missing=list(change.packages_missing),
        diff={
            "before": change.before,
            "after": change.after,
            "before_header": change.backend,
            "after_header": change.backend,
        },
    )


if __name__ == "__main__":
    main()
