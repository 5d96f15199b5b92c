#!/usr/bin/python
# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cups_firewall_info
short_description: Tell which rows of CUPS' Firewalls page are in force on a print server
version_added: "0.1.0"
description:
  - Reads what the last run of M(printfleet.cups.cups_firewall) put into force, and holds it against the host's own
    files and kernel as they are now.
  - Tells as well what others have on the host that overrules the rules or is asked before them, and where CUPS, Samba
    and Avahi disagree with the rules. For that it reads C(/etc/cups/cupsd.conf), C(/etc/cups/cups-browsed.conf),
    C(/etc/samba/smb.conf), C(/etc/avahi/avahi-daemon.conf) and the sockets that listen.
  - Changes nothing.
author:
  - The printfleet.cups maintainers (@printfleet)
extends_documentation_fragment:
  - printfleet.cups.attributes
seealso:
  - module: printfleet.cups.cups_firewall
"""

EXAMPLES = r"""
- name: Read what is in force
  printfleet.cups.cups_firewall_info:
  register: print_firewall

- name: Show it row by row
  ansible.builtin.debug:
    var: print_firewall.rows
"""

RETURN = r"""
backend:
  description: The firewall manager that holds our rules; empty where nothing of ours is on the host.
  returned: success
  type: str
  sample: firewalld
managers:
  description: What is known of each firewall manager on the host.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: V(nftables), V(firewalld) or V(ufw).
      type: str
      sample: ufw
    installed:
      description: Whether its programs are there.
      type: bool
      sample: true
    active:
      description: Whether it governs the host; for V(nftables), whether our table is in the kernel.
      type: bool
      sample: false
rows:
  description: What is let through, as the rows of the last run mean it on this host now.
  returned: success
  type: list
  elements: dict
  contains:
    row:
      description: The name of the row.
      type: str
      sample: "Table 1: 631 (IPP/IPPS) TCP IN"
    direction:
      description: V(in) or V(out).
      type: str
      sample: in
    protocol:
      description: V(tcp) or V(udp).
      type: str
      sample: tcp
    port:
      description: The port or range.
      type: str
      sample: "631"
    side:
      description: Whether the port is the packet's V(destination) or its V(source).
      type: str
      sample: destination
    anyone:
      description: Whether it is open without regard to the other end.
      type: bool
      sample: false
    peers:
      description: The addresses and networks at the other end.
      type: list
      elements: str
      sample: [198.51.100.0/24]
helpers:
  description:
    - The conntrack helpers of the kernel that the rows need, for answers to what this host asks by broadcast to be let
      in.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name in the kernel.
      type: str
      sample: snmp
    row:
      description: The row whose answers it lets in.
      type: str
      sample: "Table 3: 161 (SNMP) UDP OUT"
    finds:
      description: What is found by it.
      type: str
      sample: printers by SNMP broadcast
groups:
  description: The multicast groups by which printers answer lookups, which are let in from anyone on the link.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The group.
      type: str
      sample: 224.0.0.251
    protocol:
      description: V(udp).
      type: str
      sample: udp
    port:
      description: The port that answers come from and go to.
      type: int
      sample: 5353
    row:
      description: The row that looks up.
      type: str
      sample: "Table 3: 5353 (mDNS) UDP OUT answers"
default_incoming:
  description: V(keep) or V(deny); empty where nothing of ours is on the host.
  returned: success
  type: str
  sample: deny
default_outgoing:
  description: V(keep) or V(deny); empty where nothing of ours is on the host.
  returned: success
  type: str
  sample: keep
in_force:
  description:
    - Whether the host's files and kernel hold exactly what the last run meant. False where a rule was changed by hand,
      or where the host's own networks changed since, or its queues and the names of their printers.
  returned: success
  type: bool
  sample: true
difference:
  description: What the host holds and what it should hold, empty where RV(in_force) is true.
  returned: success
  type: dict
  sample: {"before": "", "after": ""}
drift:
  description:
    - Why RV(in_force) is false, and what brings the rules back. Empty where it is true.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: A word for the cause that stays the same in later releases.
      type: str
      sample: nftables-table-gone
    what:
      description: What was seen on the host.
      type: str
      sample: "firewalld is stopped, but enabled"
    command:
      description:
        - The command that brings the rules back, to be run on the host as root.
          Empty where only another run of the role does that.
      type: str
      sample: systemctl start firewalld.service
queues_changed:
  description:
    - What queues for other printers came or went since the last change, in sentences. Only where the printers are
      found by the host's queues or by device URIs.
  returned: success
  type: list
  elements: str
  sample: ["The queue 'office' is new or changed since the last run: it prints on 192.0.2.7 631/tcp."]
findings:
  description:
    - What others have on this host that overrules the rows, is asked before them, or opens UDP port 631 if the rules of
      this collection go. Nothing of it is changed.
    - Where the host's print services and the rows disagree, such as a cupsd that listens on localhost only behind an
      open port, or one that answers 403 to those who are let in. Names of hosts in C(Allow) and C(hosts allow) are
      not looked up, so what they decide is not judged.
    - Those of level V(warning) are given as warnings too.
  returned: success
  type: list
  elements: dict
  contains:
    level:
      description:
        - V(warning) where a row does not do what it says or something should not be as it is, V(note) where the rules
          take care of it or it may well be meant.
      type: str
      sample: note
    what:
      description: What it does.
      type: str
      sample: it opens 631/udp (CVE-2024-47176), which printing does not need and our rules, where in force, keep closed
    where:
      description: The file with its line, or the firewall's object.
      type: str
      sample: firewalld's zone 'public', service 'ipp'
    advice:
      description: What to do about it.
      type: str
      sample: remove the service there, the role opens what is needed
report:
  description: All of it in short lines for a person, as the playbook C(printfleet.cups.audit) shows them.
  returned: success
  type: list
  elements: str
  sample: ["Held by ufw; default incoming: deny, outgoing: keep.", "Our rules are in force as the last run meant them."]
"""

import os
from typing import Iterable, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.printfleet.cups.plugins.module_utils import (
    _agreement,
    _apply,
    _findings,
    _helpers,
    _interfaces,
    _managed_host,
    _managers,
    _memory,
    _printers,
    _report,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._policy import HELPED, Policy
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused


def tell(
    known: dict, helpers: tuple = tuple(HELPED), look: _agreement.Look = _agreement.look_away
) -> tuple:
    """What the module returns, and its warnings."""
    memory = _memory.load()
    told = {
        "backend": memory.backend,
        "managers": [
            {"name": name, "installed": not backend.missing(), "active": not backend.missing() and backend.active()}
            for name, backend in known.items()
        ],
        "rows": [],
        "helpers": [],
        "groups": [],
        "default_incoming": "",
        "default_outgoing": "",
        "in_force": True,
        "difference": {},
        "drift": [],
        "queues_changed": [],
    }
    # The SSH opening was made for the run that changed the host, not for the one that asks now.
    around = _apply.Surroundings(_interfaces.interfaces(), _apply.remembered_ssh(memory), helpers, look=look)
    if not memory.backend:
        return with_findings(told, known, None, (), around)
    before = _apply.remembered_printers(memory)
    printers = _printers.find(
        _managed_host.ManagedHost(), memory.wish.get("queues", False), memory.wish.get("device_uris", []), before
    )
    around = _apply.seen_by(known[memory.backend], around._replace(printers=printers))
    policy = _apply.policy_of(memory.wish, _apply.read_flows(memory.wish["flows"]), around, memory.wish["woken"])
    change = _apply.compare(memory, policy, known, around)
    told.update(
        rows=[
            {
                "row": o.row,
                "direction": o.direction,
                "protocol": o.protocol,
                "port": str(o.ports),
                "side": o.side,
                "anyone": o.peers is None,
                "peers": list(o.peers or ()),
            }
            for o in policy.openings
        ],
        groups=[
            {"address": g.address, "protocol": g.protocol, "port": g.port, "row": g.row} for g in policy.groups
        ],
        helpers=[{"name": h.name, "row": h.row, "finds": _helpers.FINDS[h.name]} for h in policy.helpers],
        default_incoming=policy.default_incoming,
        default_outgoing=policy.default_outgoing,
        in_force=not change.changed,
        queues_changed=_printers.differences(before, printers),
        drift=[cause.as_dict() for cause in change.causes],
        difference={"before": change.before, "after": change.after} if change.changed else {},
    )
    return with_findings(told, known, policy, change.warnings, around)


def with_findings(
    told: dict, known: dict, policy: Optional[Policy], warnings: Iterable[str], around: _apply.Surroundings
) -> tuple:
    """What else stands on the host beside the rules, and whether its print services agree with them."""
    findings = _managers.findings(known, policy, told["backend"]) + around.look(policy, around.interfaces)
    told["findings"] = [finding.as_dict() for finding in findings]
    told["report"] = _report.report(told)
    return told, tuple(dict.fromkeys(tuple(warnings) + tuple(_findings.sentences(findings))))


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    if os.geteuid() != 0:
        module.fail_json(msg="The firewall of a host is read by root only: set become to true.")
    try:
        host = _managed_host.ManagedHost()
        told, warnings = tell(_managers.backends(host), _helpers.had(host), _agreement.look)
    except (Refused, BackendError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg="The host's own files could not be read: %s." % error)
    for warning in warnings:
        module.warn(warning)
    module.exit_json(changed=False, **told)


if __name__ == "__main__":
    main()
