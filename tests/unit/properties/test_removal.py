# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in a host's files: what is put in can be taken out again, and the second run finds nothing to do."""

from __future__ import annotations

import binascii

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._backends import (
    firewalld_change,
    firewalld_objects,
    ufw_intent,
    ufw_rules,
    ufw_settings,
)
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_running import Running, Service
from ansible_collections.printfleet.cups.plugins.module_utils._backends.firewalld_zones import Zone
from ansible_collections.printfleet.cups.tests.unit.properties import oracle
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

QUIET = settings(
    max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
# Any letter that can stand in a file read as we read them: foreign bytes are lone surrogates there.
LETTERS = st.one_of(
    st.sampled_from("\n\n\n #-AC:*\"'\\$;\t\r\x0b\x0c\x1c\x85\u2028\udcff"), st.characters(),
    st.integers(0xDC80, 0xDCFF).map(chr),
)
NOISE = st.text(LETTERS, max_size=30)
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789./:%_-", min_size=1, max_size=12)


@st.composite
def ufw_blocks(draw):
    """A rule of somebody else's as ufw writes it, with any comment, or lines that ufw would not write."""
    comment = draw(NOISE).encode("utf-8", "surrogatepass")
    assume(not comment.startswith(ufw_rules.COMMENT.encode()))
    fields = [draw(st.sampled_from(["allow", "deny_log", "limit", "reject", "route:allow"]))]
    fields += draw(st.lists(WORD, min_size=5, max_size=8)) + ["in"]
    head = "### tuple ### %s" % " ".join(fields)
    head += draw(st.sampled_from(["", " comment=" + binascii.hexlify(comment).decode()]))
    lines = "".join("-A %s\n" % draw(WORD) for _line in range(draw(st.integers(0, 5))))
    return draw(st.sampled_from(["\n", "", "\n\n"])) + head + "\n" + lines + draw(st.sampled_from(["", "\n", "# x\n"]))


@st.composite
def ufw_files(draw):
    """A rule file with rules of others around the place of ours."""
    before = draw(st.lists(st.one_of(NOISE.map(lambda text: text + "\n"), ufw_blocks()), max_size=2))
    after = draw(st.lists(st.one_of(NOISE, ufw_blocks()), max_size=4))
    text = "*filter\n" + "".join(before) + "### RULES ###\n" + "".join(after) + "\nCOMMIT\n"
    assume(not any((ufw_rules.comment_of(line) or "").startswith(ufw_rules.COMMENT) for line in text.split("\n")))
    assume(text.index("### RULES ###\n") == len("*filter\n" + "".join(before)))
    return text


@QUIET
@given(oracle.policies(), ufw_files())
def test_rules_of_others_are_as_before_once_ours_are_gone(policy, foreign):
    named = ufw_intent.profiles(policy)
    for version in _words.FAMILIES:
        rules = ufw_intent.rules(policy, version, named)
        whole = ufw_rules.with_ours(foreign, rules)
        assert ufw_rules.without_ours(whole) == foreign
        assert ufw_rules.with_ours(ufw_rules.without_ours(whole), rules) == whole
        theirs = ufw_rules.tuples(foreign)
        assert [line for line in ufw_rules.tuples(whole) if line in theirs] == list(theirs)


@QUIET
@given(oracle.policies(), oracle.policies(), ufw_files())
def test_a_change_leaves_nothing_of_the_wish_before(first, second, foreign):
    whole = [
        ufw_rules.with_ours(foreign, ufw_intent.rules(policy, 4, ufw_intent.profiles(policy)))
        for policy in (first, second)
    ]
    again = ufw_rules.with_ours(
        ufw_rules.without_ours(whole[0]), ufw_intent.rules(second, 4, ufw_intent.profiles(second)))
    assert again == whole[1]


KEY = "DEFAULT_INPUT_POLICY"
LINES = st.lists(st.one_of(
    NOISE.map(lambda text: text.replace("\n", "")), WORD.map(lambda word: KEY + "=" + word),
    st.sampled_from([KEY + '="DROP"', KEY + "=accept # mine", "#" + KEY + "=DROP", KEY + '="REJECT"\r', ""]),
), max_size=6)


@QUIET
@given(LINES, st.sampled_from(["DROP", "REJECT", "ACCEPT"]), st.booleans(), st.booleans())
def test_a_setting_of_ufw_is_given_back_as_it_was(lines, wanted, pin, newline):
    text = "\n".join(lines) + ("\n" if newline else "")
    assume(ufw_settings.value(text, KEY) is not None)
    changed, memory = ufw_settings.change(text, KEY, wanted, {}, pin)
    assert ufw_settings.value(changed, KEY) == wanted
    assert ufw_settings.change(changed, KEY, wanted, memory, pin) == (changed, memory)
    assert ufw_settings.change(changed, KEY, None, memory) == (text, {})


@QUIET
@given(oracle.policies(), st.sampled_from(["default", "ACCEPT", "DROP"]))
def test_firewalld_that_holds_what_is_wanted_is_left_alone(policy, target):
    zones = (Zone("public", target, (("address", "192.0.2.0/24"),), ("eth0",)), Zone("trusted", "ACCEPT", (), ()))
    made = firewalld_objects.render(policy, zones, "public")
    running = Running(made.rules, made.entries, made.digest, True)
    state = firewalld_change.State(
        dict(made.files), Service(True, True, False, ()), running, "public", zones, False, {})
    plan = firewalld_change.make_plan(state, policy)
    assert not plan.changed and plan.steps.load == ""
    gone = firewalld_change.make_plan(state, None)
    assert gone.changed and set(gone.steps.files.values()) == {None} and set(gone.steps.files) == set(made.files)
    # One rule less in the daemon, and it is seen.
    for name, rules in made.rules.items():
        if rules:
            drifted = running._replace(rules={**made.rules, name: rules[1:]})
            assert firewalld_change.make_plan(state._replace(running=drifted), policy).changed
