# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real role, run by ansible-playbook: a bad value ends it before anything at all is done on the host.

Each host of the inventory has one bad value. Every command for a host goes through a shell of the
test's own, which writes down for whom it was called and runs nothing, so no firewall is ever touched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parent
CASES = yaml.safe_load((HERE / "bad_values.yml").read_text(encoding="utf-8"))
PLAYBOOK = [{
    "hosts": "all",
    "gather_facts": False,
    "roles": [{"role": "printfleet.cups.cups_firewall"}],
}]
# The outer shell of the local connection is one for all, the inner one is the host's own: "$*" names it.
SHELL = """#!/bin/sh
echo "$*" >> "%s"
exit 1
"""


def bad_hosts():
    """Host name to its variables and to what Ansible has to say."""
    hosts = {}
    for kind in ("filter", "action", "argument_specs"):
        for number, case in enumerate(CASES[kind]):
            values = {name: value for name, value in case.items() if name != "says"}
            name = "%s-%d" % (kind.replace("_", "-"), number)
            hosts[name] = (values, case["says"])
            if number % 6 == 0 and "cups_firewall_state" not in values:
                hosts[name + "-absent"] = (dict(values, cups_firewall_state="absent"), case["says"])
    return hosts


BAD_HOSTS = bad_hosts()
SOUND_HOSTS = {
    "sound": {},
    "sound-absent": {"cups_firewall_state": "absent"},
    "sound-timeout-0": {"cups_firewall_confirm_timeout": 0},
    "sound-timeout-5": {"cups_firewall_confirm_timeout": "5"},
    "sound-timeout-3600": {"cups_firewall_confirm_timeout": 3600, "cups_firewall_guard": "no"},
    "sound-printers": {"cups_firewall_printers": [
        "auto", "198.51.100.0/24", "smb://jane:SECRET@OFFICE/files/laser", "ipps://jane:SECRET@printer.example/"]},
    "sound-auto": {"cups_firewall_printers": "auto"},
    "sound-deny": {
        "cups_firewall_default_incoming": "deny",
        "cups_firewall_sources": {"ipp_sharing": ["192.0.2.0/24", "@IF(eth0)"], "extra_flows": ["2001:db8::/64"]},
        "cups_firewall_extra_flows": [{"port": 8631, "protocols": ["tcp"], "directions": ["in"]}],
    },
}


@pytest.fixture(scope="module")
def run(checkout, tmp_path_factory):
    """Run the role once on all hosts; gives each host's results, and the hosts for which a shell was called."""
    folder = tmp_path_factory.mktemp("role")
    home = folder / "collections" / "ansible_collections" / "printfleet" / "cups"
    home.mkdir(parents=True)
    for name in ("galaxy.yml", "meta", "plugins", "roles", "playbooks"):
        (home / name).symlink_to(checkout / name)
    calls = folder / "calls"
    calls.touch()
    shell = folder / "shell"
    shell.write_text(SHELL % calls, encoding="utf-8")
    shell.chmod(0o755)
    hosts = dict(SOUND_HOSTS, **{name: values for name, (values, _says) in BAD_HOSTS.items()})
    for name in hosts:
        (folder / name).symlink_to(shell)
    inventory = {"all": {
        "hosts": hosts,
        "vars": {
            "ansible_connection": "local",
            "ansible_python_interpreter": "%s/{{ inventory_hostname }}" % folder,
            "ansible_shell_executable": "%s/{{ inventory_hostname }}" % folder,
        },
    }}
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")
    (folder / "play.yml").write_text(yaml.safe_dump(PLAYBOOK), encoding="utf-8")
    environment = dict(
        {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        ANSIBLE_COLLECTIONS_PATH=str(folder / "collections"),
        ANSIBLE_HOME=str(folder / "home"),
        ANSIBLE_LOCAL_TEMP=str(folder / "local"),
        ANSIBLE_EXECUTABLE=str(shell),
        ANSIBLE_CALLBACK_PLUGINS=str(HERE / "callbacks"),
        ANSIBLE_CALLBACKS_ENABLED="record_results",
        ANSIBLE_FORKS="4",
        RECORD_RESULTS=str(folder / "results"),
        LC_ALL="C.UTF-8",
    )
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-vvv", "-i", "inventory.yml", "play.yml"],
        cwd=str(folder), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )
    results = {}
    lines = (folder / "results").read_text(encoding="utf-8").splitlines() if (folder / "results").exists() else []
    for line in lines:
        record = json.loads(line)
        results.setdefault(record["host"], []).append(record)
    said = done.stdout.decode("utf-8", "replace")
    assert results, said
    called = {Path(word).name for line in calls.read_text(encoding="utf-8").splitlines() for word in line.split()
              if word.startswith("%s/" % folder)}
    # The word stands for a password in some of the values; in no place that Ansible writes to it may be seen.
    for text in [said] + lines:
        assert "SECRET" not in text, [line for line in text.splitlines() if "SECRET" in line][:3]
    assert any("SECRET" in str(values) for values in hosts.values())
    return results, called


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_bad_value_ends_the_role_with_its_sentence(run, host):
    results, _called = run
    last = results[host][-1]
    assert last["status"] == "failed"
    if host.startswith(("filter", "action")):
        assert last["says"].endswith(BAD_HOSTS[host][1])
    else:
        assert BAD_HOSTS[host][1] in last["says"]
    # Nothing before it was an action of a kind that goes to the host; which the next test sees for all of them.
    assert {result["action"] for result in results[host][:-1]} <= {
        "ansible.builtin.validate_argument_spec", "ansible.builtin.include_tasks"}


def test_nothing_was_done_for_hosts_with_a_bad_value(run):
    _results, called = run
    assert called & set(BAD_HOSTS) == set()


@pytest.mark.parametrize("host", SOUND_HOSTS)
def test_the_shell_is_called_for_sound_values(run, host):
    # The control: the same role and the same shell, which is asked to start the module and refuses.
    results, called = run
    assert host in called
    last = results[host][-1]
    assert (last["action"], last["status"]) == ("printfleet.cups.cups_firewall", "unreachable")
