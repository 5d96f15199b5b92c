# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of firewalld's objects: service, set and policy as XML.  Pure."""

from __future__ import annotations

from typing import Iterable, Tuple
from xml.sax.saxutils import escape

from ansible_collections.printfleet.cups.plugins.module_utils import _helpers, _wording
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_plain import Port
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_rules import PolicyObject, tag
from ansible_collections.printfleet.cups.plugins.module_utils._policy import Helper


def port_of(key: tuple) -> Port:
    """What a service stands for; its key is (row, protocol, ports, side, direction)."""
    _row, transport, ports, side, _direction = key
    return ("source-port" if side == "source" else "port", transport, str(ports))


def service(key: tuple) -> str:
    """A row's service, see firewalld.service(5)."""
    row, _transport, _ports, side, direction = key
    element, transport, ports = port_of(key)
    words = _wording.explain(row, direction, transport, ports, side)
    line = tag(element, (("protocol", transport), ("port", ports)))
    return _file("service", (), words.title, words.told, [line])


def finder(helper: Helper) -> str:
    """The service that sets a conntrack helper."""
    told = "Lets the answers in when this host looks for %s (port %d); opens nothing else. Row: %s." % (
        _helpers.FINDS[helper.name], helper.port, helper.row
    )
    short = "Finding %s" % _helpers.FINDS[helper.name]
    return _file("service", (), short, told, [tag("helper", (("name", helper.name),))])


def ipset(name: str, entries: Iterable[str]) -> str:
    """A set of peers, see firewalld.ipset(5)."""
    family = "inet" if name.endswith("-v4") else "inet6"
    lines = [tag("option", (("name", "family"), ("value", family)))]
    # The default of ipset(8) is 65536; the backend nftables has no limit and takes no notice.
    lines.append(tag("option", (("name", "maxelem"), ("value", "1048576"))))
    lines += ["<entry>%s</entry>" % escape(entry) for entry in entries]
    told = "Hosts and networks that rows of the page are open to."
    return _file("ipset", (("type", "hash:net"),), "Printing peers", told, lines)


def policy_file(p: PolicyObject, digest: str) -> str:
    """A policy, see firewalld.policies(5); with ``digest`` its description tells the state of all that is ours."""
    told = "Ports of the CUPS page Firewalls, put into force by printfleet.cups."
    if digest:
        told += " State %s." % digest
    lines = [tag("ingress-zone", (("name", zone),)) for zone in p.ingress]
    lines += [tag("egress-zone", (("name", zone),)) for zone in p.egress]
    lines += [rule.xml() for rule in p.rules]
    return _file("policy", (("priority", str(p.priority)), ("target", p.target)), p.short, told, lines)


def _file(kind: str, attributes: Iterable[Tuple[str, str]], short: str, told: str, lines: Iterable[str]) -> str:
    body = ["<short>%s</short>" % escape(short), "<description>%s</description>" % escape(told)] + list(lines)
    return '<?xml version="1.0" encoding="utf-8"?>\n%s\n%s</%s>\n' % (
        tag(kind, attributes, closed=False), "".join("  %s\n" % line for line in body), kind
    )
