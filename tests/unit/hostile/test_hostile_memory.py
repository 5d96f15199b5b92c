# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile content of state.json, of the environment that sshd left, and names of interfaces."""

from __future__ import annotations

import json
import os
import re

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import (
    _apply,
    _interfaces,
    _managed_host,
    _memory,
    _policy,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backend import BackendError
from ansible_collections.printfleet.cups.plugins.module_utils._backends import nftables_ruleset
from ansible_collections.printfleet.cups.plugins.module_utils._flow import Flow
from ansible_collections.printfleet.cups.plugins.module_utils._words import Ports, Refused

FLOW = Flow("Table 1: 631 (IPP/IPPS) TCP IN", "ipp_sharing", "in", "tcp", Ports(631, 631), ("192.0.2.0/24",), False)
STATE = {
    "format": 1, "backend": "nftables", "found": {},
    "wish": {"flows": [FLOW.as_dict()], "default_incoming": "deny", "default_outgoing": "keep", "log_denied": False,
             "woken": False, "ssh": ["192.0.2.1", 22]},
}


def remembered(text):
    """The memory with one text in each of its places."""
    for path in (("backend",), ("format",), ("found",), ("wish",), ("found", "ufw_DEFAULT_INPUT_POLICY"),
                 ("found", text), ("wish", "flows"), ("wish", "default_incoming"), ("wish", "woken"), ("wish", "ssh"),
                 ("wish", "ssh", 0), ("wish", "ssh", 1), ("wish", "flows", 0), ("wish", "flows", 0, "row"),
                 ("wish", "flows", 0, "port"), ("wish", "flows", 0, "peers")):
        data = json.loads(json.dumps(STATE))
        inner = data
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = text
        yield json.dumps(data)
    yield text


def test_the_memory(texts, tried, tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    monkeypatch.setattr(_memory, "PATH", str(path))
    for text in list(texts) + ["[" * 100000, "{}", "null", "[]", "1e999", '{"format": 1}']:
        for content in remembered(text):
            tried()
            path.write_bytes(content.encode("utf-8", "surrogateescape"))
            try:
                memory = _memory.load()
                if memory.backend:
                    around = _apply.Surroundings((), _apply.remembered_ssh(memory))
                    _apply.policy_of(memory.wish, _apply.read_flows(memory.wish["flows"]), around, True)
            except (BackendError, Refused) as refused:
                assert "\n" not in str(refused) and len(str(refused)) < 600, text
                continue
            assert memory.backend in ("", "nftables", "firewalld", "ufw"), text
            # ufw's start script reads /etc/default/ufw as a shell does: what is put back there is one setting.
            for key, value in memory.found.items():
                assert "\n" not in key, text
                assert "\n" not in value or key.startswith("ufw_rules_"), text


def test_the_way_that_ansible_came(texts, tried):
    sound = "192.0.2.1 50000 192.0.2.9 22"
    for text in list(texts) + ["9" * 5000, "65536", "0", "-1", "1.2.3", "::ffff:1.2.3.4%x"]:
        for value in [text, sound + text, text + sound] + [
            " ".join(text if place == number else word for place, word in enumerate(sound.split()))
            for number in range(4)
        ]:
            tried()
            found = _managed_host.read_ssh_connection(value)
            if found is not None:
                policy = _policy.make_policy([FLOW], "deny", "keep", False, (), found)
                assert re.fullmatch(r"[0-9a-f.:]+", found.client) and 0 < found.port < 65536, text
                assert re.fullmatch(r'[\w\s{}:;,.#"()/=@\'+-]+', nftables_ruleset.render(policy)), text


@pytest.mark.parametrize("name", [b"eth0", b'e"x;', b"\xff\xfe", "\u00e9th".encode(), b"{{x}}"])
def test_names_of_interfaces_that_no_word_can_say(name, tried, monkeypatch):
    """The kernel takes any bytes but slash and white space for a name (dev_valid_name)."""
    tried()
    asked = []

    def ioctl(_descriptor, _request, block):
        asked.append(block[:16].rstrip(b"\0"))
        return block

    monkeypatch.setattr(_interfaces.fcntl, "ioctl", ioctl)
    assert _interfaces._flags(os.fsdecode(name)) == 0
    assert asked == [name]
