# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What printing does, step by step: pure, from a site to scripts and what each of them rests upon."""

from __future__ import annotations

import json
from typing import Dict, FrozenSet, List, NamedTuple, Tuple

# What a rule of ours is about: direction, protocol, port as the flow has it.
Row = Tuple[str, str, str]
IPP_TESTS = "/usr/share/cups/ipptool"
# A step that is let through takes a second or two on a quiet machine; a busy one gets more.
PATIENCE = 25
# What is refused or dropped need not be waited for so long, but at least twice the time that it takes where it works.
BRIEFLY = 4


class Site(NamedTuple):
    """One server and who is around it, as the scenario wrote it down.  Addresses come in pairs, IPv4 first."""

    backend: str
    server: str
    addresses: Dict[str, List[str]]
    broadcast: str
    printer: str
    allowed: str
    denied: str
    long_port: int
    flows: List[dict]
    auto_flows: List[dict]  # the same wish, but for the printers: those of the host's own queues


class Step(NamedTuple):
    """One thing that has to work: ends with status 0, and the file $JOB arrives.

    ``proof`` is where it arrives: "server", "printer", or "" where nothing is printed.  ``rows`` are all that let
    it through: without them it must not work.  Steps of one lane must not run at the same time.
    """

    name: str
    where: str  # client, server
    script: str
    proof: str
    rows: FrozenSet[Row]
    lane: str


def rows(direction: str, protocol: str, *ports: str) -> FrozenSet[Row]:
    return frozenset((direction, protocol, port) for port in ports)


# The answers to multicast questions go by the row of the other direction as well.
MDNS = rows("in", "udp", "5353") | rows("out", "udp", "5353")
SMB_IN, SMB_OUT = rows("in", "tcp", "139", "445"), rows("out", "tcp", "139", "445")
IPP_OUT = rows("out", "tcp", "631")
# Clients on the server's own link, see molecule/printing/files/server: Docker's network takes no IPv4 multicast.
ON_LINK = {"allowed": "198.18.240.21", "denied": "198.18.240.22"}
GROUP = "python3 /opt/printing/group.py 198.18.240.1 %s" % ON_LINK["denied"]
# Each of them is left out once; what stands in one round has no step in common.
ROUNDS: List[FrozenSet[Row]] = [
    rows("in", "tcp", "631") | rows("out", "udp", "161"),
    SMB_IN | rows("out", "tcp", "515"),
    rows("in", "udp", "137") | rows("out", "tcp", "443", "8631"),
    IPP_OUT | rows("out", "udp", "137"),
    SMB_OUT | rows("out", "tcp", "9100-9102"),
    MDNS,
]


def literal(address: str) -> str:
    """As URIs want it."""
    return "[%s]" % address if ":" in address else address


def backend(uri: str, environment: str = "") -> str:
    """One of CUPS' own backends, as cupsd calls them (backend(7))."""
    return (
        "DEVICE_URI='%s' CONTENT_TYPE=application/vnd.cups-raw FINAL_CONTENT_TYPE=application/vnd.cups-raw "
        "PRINTER=trial TMPDIR=/tmp %s /usr/lib/cups/backend/%s 1 root title 1 '' \"$JOB\""
        % (uri, environment, uri.split(":")[0])
    )


def client_steps(site: Site, role: str = "allowed") -> List[Step]:
    """What clients do with the server."""
    v4, v6 = site.addresses["server"]
    name, host = site.backend.upper(), site.server + ".local"
    steps = []
    for family, address in (("IPv4", v4), ("IPv6", v6)):
        uri = "ipp://%s:631/printers/kept" % literal(address)
        ipptool = "ipptool -t -T 10 -f \"$JOB\" -d filetype=application/postscript"
        ipptool += " %s %s/print-job.test" % (uri, IPP_TESTS)
        lp = "lp -h %s:631 -d kept \"$JOB\"" % literal(address)
        ipp_in = rows("in", "tcp", "631")
        steps += [
            Step("ipptool, %s" % family, "client", ipptool, "server", ipp_in, "ipptool"),
            Step("lp, %s" % family, "client", lp, "server", ipp_in, "lp"),
        ]
        for port in ("445", "139"):
            script = "smbclient -N -p %s -I %s //%s/kept -c \"print $JOB\"" % (port, address, name)
            steps.append(Step("smbclient, %s, %s" % (port, family), "client", script, "server", SMB_IN, "smb" + port))
    question = ask(host, "ff02::fb", site.addresses[role][1])
    steps.append(Step("one-shot mDNS query, IPv6", "client", question, "", MDNS, "oneshot"))
    question = "ip netns exec link " + ask(host, "224.0.0.251", ON_LINK[role])
    steps.append(Step("one-shot mDNS query, IPv4", "server", question, "", MDNS, "oneshot"))
    found = lookup(site.broadcast, name, v4)
    steps.append(Step("nmblookup", "client", found, "", rows("in", "udp", "137"), "nmb"))
    steps.append(Step("avahi-browse", "client", browse("kept", v4, v6), "", MDNS, "avahi"))
    return steps


def lookup(broadcast: str, name: str, address: str) -> str:
    """Find an SMB server by its NetBIOS name; nmblookup itself gives up after a second and a half."""
    asked = "nmblookup -B %s %s | grep -F '%s %s<00>' && exit 0" % (broadcast, name, address, name)
    return "for i in 1 2 3 4; do %s; done; exit 1" % asked


def ask(name: str, group: str, own: str) -> str:
    """A one-shot query; site.py has put the program there."""
    return "python3 /opt/printing/oneshot.py '%s'" % json.dumps({"name": name, "group": group, "own": own})


def browse(service: str, v4: str, v6: str) -> str:
    """Find a printer with nothing known from before, by IPv6 (see ON_LINK), which tells of either address.

    avahi-browse also waits for those printers whose own firewall lets nobody look them up: so not to its end.
    """
    return (
        "systemctl restart avahi-daemon; for i in 1 2 3 4; do timeout 4 avahi-browse -rpt _ipp._tcp >$JOB.txt; "
        "grep -qE '^=;eth0;IPv6;%s.*;(%s|%s);631;' $JOB.txt && exit 0; sleep 0.3; done; cat $JOB.txt; exit 1"
        % (service, v4, v6)
    )


# How each queue reaches the printer, see uri_of.  IPPS and SMB need a name for IPv6, molecule/printing/files says why.
URIS: List[Tuple[str, str, str, FrozenSet[Row]]] = [
    ("ipp, IPv4", "ipp://{v4}/ipp/print", "631", IPP_OUT),
    ("ipp, IPv6", "ipp://[{v6}]/ipp/print", "631", IPP_OUT),
    ("ipps, IPv4", "ipps://{v4}/ipp/print", "631", IPP_OUT),
    ("ipps, IPv6", "ipps://6printer/ipp/print", "631", IPP_OUT),
    ("ipps on 443, IPv4", "https://{v4}/ipp/print", "443", rows("out", "tcp", "443")),
    ("ipps on 443, IPv6", "https://6printer/ipp/print", "443", rows("out", "tcp", "443")),
    ("ipp on 8631, IPv4", "ipp://{v4}:8631/ipp/print", "8631", rows("out", "tcp", "8631")),
    ("ipp on 8631, IPv6", "ipp://[{v6}]:8631/ipp/print", "8631", rows("out", "tcp", "8631")),
    ("dnssd", "dnssd://Office-631._ipp._tcp.local/", "631", IPP_OUT | MDNS),
    ("dnssd on 8631", "dnssd://Office-8631._ipp._tcp.local/", "8631", rows("out", "tcp", "8631") | MDNS),
    ("lpd, IPv4", "lpd://{v4}/office", "lpd", rows("out", "tcp", "515")),
    ("lpd, IPv6", "lpd://[{v6}]/office", "lpd", rows("out", "tcp", "515")),
    ("socket 9100, IPv4", "socket://{v4}", "socket", rows("out", "tcp", "9100-9102")),
    ("socket 9101, IPv6", "socket://[{v6}]:9101", "socket", rows("out", "tcp", "9100-9102")),
    ("socket 9102, IPv4", "socket://{v4}:9102", "socket", rows("out", "tcp", "9100-9102")),
    ("smb, IPv4", "smb://guest:none@printer4/office", "smb", SMB_OUT),
    ("smb, IPv6", "smb://guest:none@printer6/office", "smb", SMB_OUT),
    ("smb on 139, IPv4", "smb://guest:none@printer4:139/office", "smb", SMB_OUT),
]
QUEUES = ("ipp, IPv4", "ipps, IPv6", "lpd, IPv6", "socket 9100, IPv4", "smb, IPv6", "dnssd on 8631")
# The same printer, by addresses and ports that no queue has.
# Not SMB on 445: table 2 lets that out to anyone, to domain controllers.
IN_NO_QUEUE = ("lpd, IPv4", "socket 9101, IPv6", "smb on 139, IPv4", "ipps on 443, IPv4")
# One print job at a time is all that ippeveprinter takes, and CUPS asks again after ten seconds only.
ONE_AT_A_TIME = ("631", "443", "8631")


def uri_of(site: Site, form: str, role: str = "listed") -> str:
    v4, v6 = site.addresses[role]
    return form.format(v4=v4, v6=v6)


def server_steps(site: Site) -> List[Step]:
    """What the server does with the printer."""
    v4, v6 = site.addresses["listed"]
    steps = [
        Step("backend %s" % name, "server", backend(uri_of(site, form)), "printer", needed, lane)
        for name, form, lane, needed in URIS
    ]
    snmp = "/usr/lib/cups/backend/snmp | grep -F 'socket://%s'" % v4
    name = "OFFICEPRINTER"
    found = lookup(site.broadcast, name, v4)
    steps += [
        Step("backend snmp finds the printer", "server", snmp, "", rows("out", "udp", "161"), "snmp"),
        Step("nmblookup finds the printer", "server", found, "", rows("out", "udp", "137"), "nmb"),
        Step("avahi-browse finds the printer", "server", browse("Office-631", v4, v6), "", MDNS, "avahi"),
        Step("an answer by mDNS' IPv4 group", "server", GROUP, "", rows("out", "udp", "5353"), "group"),
    ]
    return steps


def queue_steps(site: Site) -> List[Step]:
    """One queue of each kind, printed to by lp on the server: cupsd itself calls the backend."""
    wait = "; for i in $(seq 80); do lpstat -o {0} | grep -q . || exit 0; sleep 0.3; done; lpstat -p {0}; exit 1"
    steps = []
    for name, form, lane, needed in URIS:
        if name not in QUEUES:
            continue
        queue = "to-" + name.split(",", maxsplit=1)[0].replace(" ", "-")
        make = "lpadmin -p %s -E -v '%s' -m raw -o printer-error-policy=retry-job && " % (queue, uri_of(site, form))
        script = make + "lp -d %s \"$JOB\"" % queue + wait.format(queue)
        steps.append(Step("queue by " + name, "server", script, "printer", needed, lane))
    return steps


def by_backend(site: Site, names: Tuple[str, ...]) -> List[Step]:
    """Some of the server's steps, in the order in which they stand there."""
    return [step for step in server_steps(site) if step.name in ["backend " + name for name in names]]


def unlisted_steps(site: Site) -> List[Step]:
    """What no row lets out: the second printer, which is the same one under other addresses."""
    forms = [("ipp", "ipp://{v4}/ipp/print", "631"), ("ipp on 8631", "ipp://[{v6}]:8631/ipp/print", "8631"),
             ("socket", "socket://[{v6}]", "socket"), ("lpd", "lpd://{v4}/office", "lpd")]
    return [
        Step("unlisted printer, %s" % name, "server", backend(uri_of(site, form, "unlisted")), "printer",
             frozenset(), lane)
        for name, form, lane in forms
    ]
