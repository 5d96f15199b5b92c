# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with ufw that is only played: real files in a folder, and a filter table that knows iptables-restore."""

from __future__ import annotations

import re

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _flow, _policy, _words
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends.ufw import Ufw

CONF = "# switched by hand\nENABLED=%s\nLOGLEVEL=low\n"
DEFAULTS = """\
# Set to yes to apply rules to support IPv6
IPV6=yes
DEFAULT_INPUT_POLICY="%s"
DEFAULT_OUTPUT_POLICY="ACCEPT"
DEFAULT_FORWARD_POLICY="DROP"
DEFAULT_APPLICATION_POLICY="SKIP"
MANAGE_BUILTINS=no
"""
# Without a newline at its end, and with a section of the administrator's own.
BEFORE = """\
*filter
:ufw-before-input - [0:0]
-A ufw-before-input -i lo -j ACCEPT
COMMIT
*raw
-A OUTPUT -p udp --dport 9 -j NOTRACK
COMMIT
# the end"""
# What the package brings.
STOCK = """\
*filter
:%(ufw)s-user-input - [0:0]
:%(ufw)s-user-output - [0:0]
:%(ufw)s-user-forward - [0:0]
### RULES ###
COMMIT
"""
# What ufw makes of it once it is switched on, with two rules of the administrator's.
GROWN = """\
*filter
:%(ufw)s-user-input - [0:0]
:%(ufw)s-user-output - [0:0]
:%(ufw)s-user-forward - [0:0]
:%(ufw)s-user-logging-input - [0:0]
:%(ufw)s-user-logging-output - [0:0]
:%(ufw)s-user-logging-forward - [0:0]
:%(ufw)s-after-logging-input - [0:0]
### RULES ###

### tuple ### allow tcp 22 %(any)s any %(any)s in comment=6d792053534820
-A %(ufw)s-user-input -p tcp --dport 22 -j ACCEPT

### tuple ### allow tcp 9100 %(any)s any %(any)s in
-A %(ufw)s-user-input -p tcp --dport 9100 -j ACCEPT

### END RULES ###

### LOGGING ###
-A %(ufw)s-after-logging-input -j LOG --log-prefix "[UFW BLOCK] " -m limit --limit 3/min --limit-burst 10
### END LOGGING ###
COMMIT
"""
VERSIONS = ({"ufw": "ufw", "any": "0.0.0.0/0"}, {"ufw": "ufw6", "any": "::/0"})
PARTS = ("before-logging", "before", "after", "after-logging", "reject", "track")


class Table:
    """The filter table of one IP version."""

    def __init__(self, prefix=None):
        self.chains = {name: ["ACCEPT"] for name in ("INPUT", "FORWARD", "OUTPUT")}
        if prefix:
            self.hang_in(prefix)

    def hang_in(self, prefix):
        """What ufw's start script does ahead of the rule files."""
        for way in ("input", "output", "forward"):
            for part in PARTS + ("skip-to-policy", "user", "user-logging"):
                self.chains["%s-%s-%s" % (prefix, part, way)] = ["-"]
            self.chains[way.upper()] += ["-A %s -j %s-%s-%s" % (way.upper(), prefix, part, way) for part in PARTS]
            before = "%s-before-%s" % (prefix, way)
            self.chains[before].append("-A %s -j %s-user-%s" % (before, prefix, way))

    def restore(self, text, table="filter"):
        assert text.startswith("*%s\n" % table) and text.endswith("COMMIT\n"), text
        for line in text.splitlines():
            declared = re.match(r":(\S+) (\S+)", line)
            if declared:
                name, verdict = declared.groups()
                self.chains[name] = [verdict] + (self.chains[name][1:] if verdict != "-" else [])
            elif line[:3] in ("-A ", "-I "):
                self.chains[line.split()[1]].append("-A" + line[2:])
            elif line.startswith("-D "):
                self.chains[line.split()[1]].remove("-A" + line[2:])
            elif line.startswith("-X "):
                assert len(self.chains.pop(line.split()[1])) == 1, "only an empty chain can be removed"

    def save(self):
        lines = [":%s %s [3:4]" % (name, chain[0]) for name, chain in self.chains.items()]
        return "\n".join(["*filter"] + lines + [rule for chain in self.chains.values() for rule in chain[1:]]) + "\n"


class PlayedHost:
    """``fails`` is the beginning of the one call that does not work; ``calls`` are all that were made."""

    def __init__(self, root, enabled, default):
        self.root, self.calls, self.fails, self.has_namespaces, self.unit = root, [], "", True, "enabled"
        self.has_ufw = True
        for folder in ("etc/ufw/applications.d", "etc/default", "run", "proc/sys/net/ipv6"):
            (root / folder).mkdir(parents=True)
        self.write("etc/ufw/ufw.conf", CONF % ("yes" if enabled else "no"))
        self.write("etc/default/ufw", DEFAULTS % default)
        for name, words in zip(("user.rules", "user6.rules"), VERSIONS):
            self.write("etc/ufw/" + name, (GROWN if enabled else STOCK) % words)
        self.write("etc/ufw/before.rules", BEFORE)
        self.tables = {"iptables": Table(), "ip6tables": Table()}
        self.raw = Table()
        if enabled:
            self.start()

    def write(self, path, text):
        (self.root / path).write_text(text, encoding="utf-8")

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def files(self):
        return {p.relative_to(self.root).as_posix(): p.read_text(encoding="utf-8")
                for p in sorted((self.root / "etc").rglob("*")) if p.is_file()}

    def start(self):
        for program, words, name in zip(self.tables, VERSIONS, ("user.rules", "user6.rules")):
            table = Table(words["ufw"])
            table.restore(self.text("etc/ufw/" + name))
            for way, key in (("input", "INPUT"), ("output", "OUTPUT"), ("forward", "FORWARD")):
                verdict = re.search('DEFAULT_%s_POLICY="(.*)"' % key, self.text("etc/default/ufw")).group(1)
                table.chains[key][0] = "DROP" if verdict == "REJECT" else verdict
                prefix = words["ufw"]
                lines = {"skip-to-policy": ["-j " + verdict]}
                if verdict == "REJECT":
                    lines["reject"] = ["-j REJECT"]
                if verdict == "ACCEPT":
                    lines["track"] = ["-p %s -m conntrack --ctstate NEW -j ACCEPT" % p for p in ("tcp", "udp")]
                for part, rules in lines.items():
                    chain = "%s-%s-%s" % (prefix, part, way)
                    table.chains[chain] += ["-A %s %s" % (chain, rule) for rule in rules]
            self.tables[program] = table
        for section in re.findall(r"(?ms)^\*raw\n.*?^COMMIT\n", self.text("etc/ufw/before.rules")):
            self.raw.restore(section, "raw")

    def nft_tables(self):
        """iptables-nft has made the tables of its filters; raw is there once something was in it."""
        return ("ip filter", "ip6 filter") + (("ip raw",) if len(self.raw.chains) > len(Table().chains) else ())

    def program(self, name):
        return None if name == "ufw" and not self.has_ufw else "/usr/sbin/" + name

    def run(self, argv, stdin=None):
        said = " ".join(argv)
        self.calls.append(said)
        if self.fails and said.startswith(self.fails):
            self.fails = ""
            return Result(4, "", "it does\nnot work")
        if argv[0] == "unshare":
            scratch = Table()
            if not self.has_namespaces:
                return Result(1, "", "unshare: unshare failed: Operation not permitted")
            scratch.restore(stdin)
            return Result(0, scratch.save(), "")
        if argv[0].endswith("-save"):
            raw = "" if "-t" in argv else "COMMIT\n*raw%sCOMMIT\n" % self.raw.save().partition("*filter")[2]
            return Result(0, self.tables[argv[0][:-5]].save() + raw, "")
        if argv[0].endswith("-restore") and stdin.startswith("*raw"):
            self.raw.restore(stdin, "raw")
        elif argv[0].endswith("-restore"):
            self.tables[argv[0][:-8]].restore(stdin)
        elif said in ("ufw --force enable", "ufw --force reload"):
            for name in ("user.rules", "user6.rules"):
                text = self.text("etc/ufw/" + name)
                if "### LOGGING ###" not in text:
                    self.write("etc/ufw/" + name, text.replace(
                        "COMMIT\n", "\n### END RULES ###\n\n### LOGGING ###\n### END LOGGING ###\nCOMMIT\n"))
            self.start()
        elif said == "ufw --force disable":
            for table, words in zip(self.tables.values(), VERSIONS):
                for name in list(table.chains):
                    table.chains[name] = ["-"] if name.startswith(words["ufw"] + "-") else table.chains[name]
                    if table.chains[name][0] != "-":
                        table.chains[name][0] = "ACCEPT"
        elif said == "systemctl is-enabled ufw.service":
            return Result(0, self.unit + "\n", "")
        elif said == "nft list tables":
            return Result(0, "".join("table %s\n" % name for name in self.nft_tables()), "")
        elif argv[:3] == ["nft", "list", "table"]:
            return Result(0, "", "") if " ".join(argv[3:]) in self.nft_tables() else Result(1, "", "No such file")
        elif argv[:2] == ["systemctl", "--quiet"]:
            self.unit = argv[2] + "d"
        else:
            raise AssertionError("no such program here: " + said)
        return Result(0, "", "")


@pytest.fixture
def make_host(tmp_path):
    """A host with ufw: make_host(enabled, default)."""
    return lambda enabled=True, default="DROP": PlayedHost(tmp_path, enabled, default)


@pytest.fixture
def make_policy():
    """A policy over a few rows of the page and one of the user's own."""
    def make(incoming="keep", outgoing="keep", log=False, sources=("198.51.100.0/24", "2001:db8:1::/64"),
             printers=("198.51.100.9",), finding=False):
        flows = [
            _flow.Flow(row, "x", direction, protocol, _words.read_ports(port, "port"), tuple(peers), False)
            for row, direction, protocol, port, peers in (
                ("Table 1: 53 (DNS) UDP OUT", "out", "udp", "53", ()),
                ("Table 1: 631 (IPP/IPPS) TCP IN", "in", "tcp", "631", sources),
                ("Table 1: 5353 (mDNS) UDP IN", "in", "udp", "5353", sources),
                ("Table 3: 53 (DNS) UDP OUT", "out", "udp", "53", ()),
                ("Table 3: 9100-9102 TCP OUT", "out", "tcp", "9100-9102", printers),
            )
        ]
        if finding:
            row = "Table 3: 161 (SNMP) UDP OUT"
            flows.append(_flow.Flow(row, "x", "out", "udp", _words.read_ports(161, "port"), tuple(printers), True))
        ssh = _policy.Ssh("198.51.100.7", 22) if incoming == "deny" else None
        return _policy.make_policy(flows, incoming, outgoing, log, (), ssh)
    return make


@pytest.fixture
def run(attempt):
    """Read, plan and commit once: run(host, policy, memory) gives the plan and the new memory."""
    def once(host, policy, memory=None):
        backend = Ufw(host, str(host.root))
        plan = backend.plan(backend.read(memory or {}), policy)
        return plan, attempt(backend, plan) if plan.changed else dict(memory or {})
    return once
