# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile content of the host's own files: read right or refused in a sentence, and never passed on as syntax."""

from __future__ import annotations

import binascii
import re
from functools import partial
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import (
    _findings,
    _policy,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Result
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_objects,
    firewalld_zones,
    nftables,
    nftables_findings,
    nftables_foreign,
    ufw_findings,
    ufw_intent,
    ufw_rules,
    ufw_settings,
)
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._words import Ports
from ansible_collections.printfleet.cups.tests.unit import nft_json

FLOW = Flow("Table 1: 631 (IPP/IPPS) TCP IN", "ipp_sharing", "in", "tcp", Ports(631, 631), ("192.0.2.0/24",), False)
POLICY = _policy.make_policy([FLOW], "deny", "deny", True, (), None)
NAMED = ufw_intent.profiles(POLICY)
RULES = ufw_intent.rules(POLICY, 4, NAMED)
KNOWN = _findings.ours(POLICY)


def hexed(text):
    return binascii.hexlify(text.encode("utf-8", "surrogateescape")).decode()


def one_line(text):
    return text.isprintable()


# --- ufw --------------------------------------------------------------------------------------------------------

UFW = "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n%s\n### END RULES ###\nCOMMIT\n"
UFW_BODIES = (
    lambda t: "\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=%s\n-A ufw-user-input -j ACCEPT\n"
    % hexed(t),
    lambda t: "\n### tuple ### %s\n-A ufw-user-input -j ACCEPT\n" % t,
    lambda t: "\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -m comment --comment '%s'\n"
    % t,
    lambda t: t,
    lambda t: "-A ufw-user-input %s\r\n\r\n" % t,
)


@pytest.mark.parametrize("body", range(len(UFW_BODIES)))
def test_rule_files_of_ufw_come_back_byte_for_byte(body, texts, tried):
    for text in texts:
        if hexed(ufw_rules.COMMENT) in text or "### RULES ###" in text:
            continue  # a rule with our own comment is ours, whoever wrote it
        tried()
        foreign = UFW % UFW_BODIES[body](text)
        try:
            whole = ufw_rules.with_ours(foreign, RULES)
        except ufw_rules.Unusable:
            # Nor would iptables-restore: the text begins a table within the table.
            assert re.search(r"(?m)^\*", text), text
            continue
        assert ufw_rules.without_ours(whole) == foreign, text
        assert ufw_rules.with_ours(ufw_rules.without_ours(whole), RULES) == whole, text
        # A person reads them, on a terminal.
        assert all(one_line(line) for line in ufw_rules.readable(whole)), text
        ours = "".join(ufw_rules.block(rule) for rule in RULES)
        assert whole.partition("### RULES ###\n")[2].startswith(ours), "ours stand first and whole"


def test_lines_end_where_ufw_says_they_end(tried):
    """ufw cuts its files at newlines only: what other letters seem to begin is no rule of ours."""
    for separator in "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029":
        tried()
        comment = "x%s### tuple ### allow tcp 1 0.0.0.0/0 any 0.0.0.0/0 in comment=%s" % (
            separator, hexed(ufw_rules.COMMENT + "x"))
        foreign = UFW % ("\n-A ufw-user-input -m comment --comment '%s'\n-A ufw-user-input -j DROP\n" % comment)
        assert ufw_rules.without_ours(foreign) == foreign
        assert ufw_rules.tuples(foreign) == ()


def test_settings_of_ufw(texts, tried):
    for text in texts:
        tried()
        for line in ('DEFAULT_INPUT_POLICY="%s"', "DEFAULT_INPUT_POLICY=%s", "%s", "#%s"):
            file = "IPV6=yes\n" + line % text + "\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\n"
            assert set(ufw_settings.defaults(file)) <= {"ACCEPT", "DROP", "REJECT"}
            key = "DEFAULT_INPUT_POLICY"
            wanted = ufw_settings.wanted_default("input", "deny", ufw_settings.original(file, key, {}) or "", False)
            assert wanted in ("DROP", "REJECT"), text
            changed, memory = ufw_settings.change(file, key, wanted, {})
            assert ufw_settings.value(changed, key) == wanted, text
            back, left = ufw_settings.change(changed, key, None, memory)
            assert left == {}
            assert back == file or back.startswith(file), text


def test_what_ufw_has_beside_ours(texts, tried):
    for text in texts:
        tried()
        for file in (text, "-A ufw-before-input -j ACCEPT -m comment --comment '%s'\n" % text,
                     "[%s]\nports=%s\n" % (text, text), "### tuple ### allow any 631 %s any 0.0.0.0/0 in\n" % text):
            found = ufw_findings.before(4, file, None, KNOWN)
            found += ufw_findings.never_open("/etc/ufw/user.rules", file, ufw_findings.profile_ports([file]))
            assert all(one_line(part) for finding in found for part in finding)


# --- nftables ---------------------------------------------------------------------------------------------------

TABLE = "table inet %s {\n\tchain %s {\n\t\ttype filter hook input priority filter; policy accept;\n%s\t}\n}\n"
LISTINGS = (
    lambda t: TABLE % ("office", "base", '\t\ttcp dport 80 accept comment "%s"\n' % t),
    lambda t: TABLE % ("office", "base", "\t\tiifname \"%s\" accept\n" % t),
    lambda t: TABLE % ("office", "base", "\t\t%s accept\n" % t),
    lambda t: TABLE % ("office", "base", "\t\ttcp dport 80 jump %s\n\t}\n\tchain %s {\n\t\taccept\n" % (t, t)),
    lambda t: TABLE % ("office", t, "\t\ttcp dport 80 accept\n"),
    lambda t: TABLE % (t, "base", "\t\ttcp dport 80 accept\n"),
    lambda t: TABLE % ("office", "base", "\t\tip saddr @%s accept\n" % t) + t,
)
_STRING = re.compile(r'"[^"\n]*"')
# Nothing in a copied rule ends it, starts a comment, a variable or a text of its own.
_COPIED = re.compile(r'(?!\t\tinclude)[A-Za-z0-9_ \t.,:@{}<>=!&|^()/+*"-]*')


@pytest.mark.parametrize("listing", range(len(LISTINGS)))
def test_foreign_chains_of_nftables(listing, texts, tried):
    for text in texts:
        tried()
        ruleset = LISTINGS[listing](text)
        kept = nftables_foreign.keep(ruleset, ("in",), partial(nft_json.statements, ruleset))
        found = nftables_findings.find(ruleset, KNOWN) + [one.finding() for one in kept.lost]
        assert all(len(part) < 900 for finding in found for part in finding), text
        assert all(one_line(part) for finding in found for part in finding), text
        for rule in kept.rules["in"]:
            assert re.fullmatch(r"(meta nfproto ipv[46] )?jump kept_[0-9a-f]{8}", rule), text
        for part in kept.parts:
            head, *inner, end = part.rstrip("\n").split("\n")
            assert re.fullmatch(r"\t(chain|set|map) kept_[0-9a-f]{8} \{", head) and end == "\t}", text
            for line in inner:
                assert one_line(line.strip("\t")), text
                assert len(_STRING.sub('""', line)) < 300 and line.count('"') % 2 == 0, text
                assert _COPIED.fullmatch(_STRING.sub('""', line)), (text, line)
                for string in _STRING.findall(line):
                    assert len(string.encode()) <= 129, text


def test_a_text_over_several_lines_is_no_rule(tried):
    """Seen on nft 1.0.6: a comment may hold newlines and is listed with them, a name of iptables may hold a quote."""
    for rule in ('tcp dport 80 drop comment "a\n\t\ttcp dport 631 accept\n"',
                 'iifname "e"x" drop comment "\n\t\ttcp dport 631 accept\n"',
                 'counter jump a"b;c'):
        tried()
        ruleset = TABLE % ("office", "base", "\t\t%s\n" % rule)
        kept = nftables_foreign.keep(ruleset, ("in",), partial(nft_json.statements, ruleset))
        assert "a text over several lines or a name with a quote" in kept.lost[0].why
        assert kept.parts == () and kept.rules == {"in": (), "out": ()}


def test_our_own_table_is_asked_for_alone(tried):
    """Cut out of the whole list, somebody's comment could pass for it, and undo gives it to nft as rules."""
    tried()
    ours = "table inet printfleet_cups {\n\tchain incoming {\n\t\taccept\n\t}\n}\n"
    forged = 'table inet office {\n\tchain x {\n\t\taccept comment "\n%s"\n\t}\n}\n' % ours.replace("accept", "drop")

    class Host:
        table = ""

        def program(self, name):
            return "/usr/sbin/" + name

        def run(self, argv, stdin=None):
            if argv[-1] == "ruleset":
                return Result(0, forged + self.table, "")
            if argv[-1] == "printfleet_cups":
                return Result(0 if self.table else 1, self.table, "")
            return Result(0, "", "")

    host = Host()
    backend = nftables.Nftables(host)
    assert backend.read({}).table is None
    host.table = ours
    assert backend.plan(backend.read({}), None).steps.old_table == ours


# --- firewalld --------------------------------------------------------------------------------------------------


def zone(text):
    return (
        '<zone target="ACCEPT"><short>%s</short><interface name=%s/><source address=%s/><source ipset=%s/>'
        "<source mac=%s/></zone>" % ((escape(text),) + (quoteattr(text),) * 4)
    )


def test_zones_of_firewalld(texts, tried):
    for text in texts:
        tried(3)
        read = [firewalld_zones.parse_zone("public", zone(text)), firewalld_zones.parse_zone("public", text),
                firewalld_zones.parse_zone(text, "<zone target='ACCEPT'/>")]
        zones = tuple(z for z in read if z is not None) + (firewalld_zones.Zone("trusted", "ACCEPT", (), ()),)
        made = firewalld_objects.render(POLICY, zones, "public")
        for file in made.files.values():
            ElementTree.fromstring(file.encode())
        for rules in made.rules.values():
            for rule in rules:
                assert one_line(rule), text
                assert re.fullmatch(r'rule priority="-?\d+"( [\w-]+(="[\w:./ -]*")?)+', rule), (text, rule)


def test_settings_of_firewalld(texts, tried):
    for text in texts:
        tried()
        for file in ("DefaultZone=%s\n" % text, text, "FirewallBackend=%s\n" % text):
            said = firewalld_zones.setting(file, "DefaultZone", "public")
            assert re.fullmatch(r"\S+", said), text
            made = firewalld_objects.render(POLICY, (firewalld_zones.Zone("a", "default", (), ()),), said)
            assert all(ElementTree.fromstring(x.encode()) is not None for x in made.files.values())
