# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that "busctl call" prints, read back."""

from __future__ import annotations

import pytest
from ansible_collections.printfleet.cups.plugins.module_utils import _busctl
from ansible_collections.printfleet.cups.tests.unit import busctl_prints
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("line, values", [
    ("", []),
    ('s "public"\n', ["public"]),
    ('as 0\n', [[]]),
    ('as 2 "a b" "\\"\\\\\\\'"\n', [["a b", "\"\\'"]]),
    ('a(ss) 2 "1" "tcp" "2-3" "udp"\n', [[["1", "tcp"], ["2-3", "udp"]]]),
    # Copied from busctl of systemd 252, firewalld 1.3: getPolicySettings and getActiveZones.
    ('a{sv} 3 "target" s "CONTINUE" "priority" i -15000 "masquerade" b false\n', [{
        "target": {"type": "s", "data": "CONTINUE"}, "priority": {"type": "i", "data": -15000},
        "masquerade": {"type": "b", "data": False}}]),
    ('a{sa{sas}} 1 "public" 1 "interfaces" 1 "eth0"\n', [{"public": {"interfaces": ["eth0"]}}]),
    ('s "Dr\\303\\274cker\\n\\t\\033"\n', ["Drücker\n\t\033"]),
    ('iissssisqaayu 2 0 "n" "_ipp._tcp" "local" "h.local" 0 "192.0.2.9" 631 2 1 112 0 5\n',
     [2, 0, "n", "_ipp._tcp", "local", "h.local", 0, "192.0.2.9", 631, [[112], []], 5]),
    ('vd v s "x" 0.5\n', [{"type": "v", "data": {"type": "s", "data": "x"}}, 0.5]),
])
def test_what_busctl_prints_is_read(line, values):
    assert _busctl.read_answer(line) == values


@pytest.mark.parametrize("line", [
    "nonsense", "s", 's "', 's "a', 's "a" "b"', 's "a"b', "s a", 's  "a"', 's "\\x"', 's "\\9"', 's "a\nb"', "b 1",
    "b yes", "i x", "y", "d x", 'as 2 "a"', "as -1", "as 4294967295", "as 99999999999999999999", 'a{sv} 1 "a"',
    'a{sv} 1 "a" sx "b" 1', "() ", "a ", '(s "a"', 's) "a"', "r 1", "{sv} 1", 'a{s} 1 "a"', "x" * 300 + " 1",
    "v " + "v " * 100 + 's "x"', '{"type":"s","data":["a"]}', "(" * 255, "\n\n",
])
def test_what_busctl_never_prints_is_refused(line):
    with pytest.raises(ValueError):
        _busctl.read_answer(line)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
BASIC = {"s": TEXT, "o": TEXT, "b": st.booleans(), "i": st.integers(-2**31, 2**31 - 1), "y": st.integers(0, 255),
         "t": st.integers(0, 2**64 - 1), "d": st.integers(-1000, 1000).map(float)}


def typed(depth):
    """Pairs of a signature and a value of it."""
    basic = st.sampled_from(sorted(BASIC)).flatmap(lambda kind: st.tuples(st.just(kind), BASIC[kind]))
    if not depth:
        return basic
    inner = typed(depth - 1)
    return st.one_of(
        basic,
        inner.map(lambda pair: ("v", {"type": pair[0], "data": pair[1]})),
        inner.flatmap(lambda pair: st.sampled_from([("a" + pair[0], []), ("a" + pair[0], [pair[1]] * 3)])),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda pairs: ("(%s)" % "".join(p[0] for p in pairs), [p[1] for p in pairs])),
        inner.flatmap(lambda pair: st.sets(TEXT, max_size=3).map(
            lambda keys: ("a{s%s}" % pair[0], dict.fromkeys(keys, pair[1])))),
    )


@given(st.lists(typed(3), min_size=1, max_size=3))
def test_every_answer_is_read_as_it_was_meant(pairs):
    values = [value for _kind, value in pairs]
    printed = busctl_prints.answer(*values, signature="".join(kind for kind, _value in pairs))
    assert _busctl.read_answer(printed) == values


@given(st.text(alphabet='as(){}vbi "\\01x\n', max_size=30))
def test_nothing_but_a_value_error_comes_of_any_text(text):
    try:
        _busctl.read_answer(text)
    except ValueError:
        pass
