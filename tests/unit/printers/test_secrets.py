# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No password out of a device URI survives: not in what the filters give, not in a sentence, not in the memory."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.printfleet.cups.plugins.filter.device_uris import device_uris
from ansible_collections.printfleet.cups.plugins.filter.flows import flows
from ansible_collections.printfleet.cups.plugins.module_utils import (
    _apply,
    _device_uri,
    _managers,
    _memory,
    _printer_list,
    _printers,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import Plan
from ansible_collections.printfleet.cups.plugins.module_utils._words import Refused
from ansible_collections.printfleet.cups.plugins.modules import cups_firewall, cups_firewall_info
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .conftest import EXPECTED, PlayedHost, queue

CALM = settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# What nothing else in these texts has, so that finding it is finding the password.
SECRETS = st.text("QXZ%!$&'()*+,;=~#:", min_size=1, max_size=12).map(lambda text: "QZX" + text)
SOUND = st.sampled_from([
    "ipp://jane:{}@192.0.2.1/ipp/print", "ipps://{}@printer.example:8631/", "https://:{}@print.example/p?key=1",
    "lpd://jane:{}@192.0.2.9/q?snmp=off", "socket://{}:{}@[2001:db8::14]:9100", "http://192.0.2.6/{}",
    "ipp://192.0.2.1/printers/x?token={}", "dnssd://jane:{}@Plotter._pdl-datastream._tcp.local/{}",
    "smb://jane:{}@OFFICE/192.0.2.18/laser", "smb://{}@192.0.2.19/{}", "beh:/1/0/5/ipp://jane:{}@192.0.2.1/",
    "hp:/net/Model?ip=192.0.2.27&key={}", "tea4cups:lpd://jane:{}@192.0.2.9/q", "ipp://jane:{}@gone.example/",
    "usb://{}/x", "hp:/usb/{}", "file:///{}",
])
BROKEN = st.sampled_from([
    "ipp://jane:{}@192.0.2.1:0/", "ipp://jane:{}@192.0.2.1:{}/", "ipps://jane:{}@{}@host/", "socket://jane:{}@/",
    "ipp:jane:{}@host", "jane:{}@host", "//jane:{}@host/", "smb://jane:{}@/", "smb:/jane:{}@x/y", "lpd://jane:{}@[::1/",
    "nosuch://jane:{}@host/", "nosuch:{}", "{}", "{}:/x", "dnssd://jane:{}@host/", "ipp://192.0.2.1:{}/",
    "ipp://jane:{}@host{}/", "hp:/net/X?port={}", "ipp://jane:{}@224.0.0.1", "beh:/{}", "ipp://{}\t@host/",
])


class PlayedBackend:
    """Plans a text that says all of the policy."""

    def __init__(self, name):
        self.name = name

    def missing(self):
        return []

    def active(self):
        return False

    def standing(self):
        return "disabled"

    def read(self, memory):
        return memory

    def plan(self, state, policy):
        del state
        return Plan("", repr(policy) + "".join(_apply.describe(policy)), None)

    def findings(self, known):
        del known
        return []

    def causes(self, state, plan):
        return []

    def unhelped(self):
        return ""


def filled(template, secret):
    raw = secret if template.startswith("smb:") else quote(secret, safe="!$&'()*+,;=~:")
    return template.replace("{}", raw)


def assert_hidden(secret, *things):
    for thing in things:
        text = thing if isinstance(thing, str) else repr(thing)
        assert secret not in text and quote(secret, safe="") not in text and "QZX" not in text, text


@pytest.fixture
def one_run(host, queues, tables, tmp_path, monkeypatch):
    """A run of the module with these device URIs, and one of the info module; gives all that comes out of them."""
    monkeypatch.setattr(_memory, "PATH", str(tmp_path / "printfleet-cups/state.json"))
    monkeypatch.setattr("os.fchown", lambda *_args: None)
    monkeypatch.setattr(cups_firewall._interfaces, "interfaces", lambda: ())
    monkeypatch.setattr(cups_firewall_info._managed_host, "ManagedHost", PlayedHost)
    monkeypatch.setattr(cups_firewall._helpers, "had", lambda _host: ())
    monkeypatch.setattr(cups_firewall._agreement, "look", cups_firewall._agreement.look_away)
    known = {name: PlayedBackend(name) for name in _managers.NAMES}

    def run(listed, queued):
        queues(queue("q", queued))
        _memory.save(None)
        params = {
            "state": "present", "backend": "nftables", "guard": True, "over_ssh": False, "queues": True,
            "device_uris": listed,
            "flows": flows(tables, printers=["auto"]), "default_incoming": "keep", "default_outgoing": "deny",
            "log_denied": False,
        }
        change = cups_firewall.work_out(params, known, host)
        _apply._commit(change._replace(plans=()), known)
        told, warnings = cups_firewall_info.tell(known)
        with open(_memory.PATH, encoding="utf-8") as state:
            return change, json.dumps(told), warnings, state.read()

    return run


@CALM
@given(SOUND, SECRETS)
def test_what_goes_to_the_host_has_no_password(tables, template, secret):
    uri = filled(template, secret)
    given_over = device_uris(["192.0.2.0/24", uri, "auto"])
    assert_hidden(secret, given_over, yaml.safe_dump(given_over), flows(tables, printers=[uri]))
    # It is the same printer nonetheless, and stripping a second time changes nothing.
    device = _device_uri.read(uri)
    assert [_device_uri.read(stripped) for stripped in given_over["device_uris"]] == [
        device._replace(scheme=device.scheme)] * bool(device.name)
    assert _printer_list.strip(given_over["device_uris"], "device_uris") == given_over["device_uris"]


@CALM
@given(SOUND, SOUND, SECRETS)
def test_nothing_that_a_run_leaves_or_says_has_a_password(one_run, template, other, secret):
    change, told, warnings, state = one_run([filled(template, secret)], filled(other, secret))
    assert_hidden(secret, change, told, warnings, state, *change.warnings)


@CALM
@given(BROKEN, SECRETS)
@example("ipp://jane:{}@192.0.2.1:0/", "QZX")
def test_no_refusal_and_no_warning_quotes_a_password(one_run, tables, template, secret):
    uri = filled(template, secret)
    refused = 0
    for call in (lambda: device_uris([uri]), lambda: device_uris(uri), lambda: flows(tables, printers=[uri]),
                 lambda: _printer_list.strip([uri], "device_uris"), lambda: device_uris([{uri: uri}, [uri]])):
        try:
            assert_hidden(secret, call())
        except (AnsibleFilterError, Refused) as error:
            refused += 1
            # An entry that looks like nothing but a word is shown: it could be anything.
            if template != "{}" and not template.startswith(("nosuch:{", "{}:")):
                assert_hidden(secret, str(error))
    assert refused
    change, told, warnings, state = one_run([], uri)
    if not template.startswith("{}"):
        assert_hidden(secret, change, told, warnings, state)


def test_the_control_a_password_would_be_seen():
    with pytest.raises(AssertionError):
        assert_hidden("QZX1", {"device_uris": ["ipp://jane:QZX1@host/"]})


def test_the_fixture_has_passwords_and_nothing_of_them_comes_out(host, fixture_queues):
    found = _printers.find(host, True, [], _printers.NONE)
    assert "hunter2" not in repr(found) and "jane" not in repr(found)
    assert EXPECTED["allowed"] and found.told


def test_the_module_hides_its_option():
    spec = cups_firewall.argument_spec()
    assert spec["device_uris"]["no_log"] is True
    assert not any(spec[name].get("no_log") for name in spec if name != "device_uris")
