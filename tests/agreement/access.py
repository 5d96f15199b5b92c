# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order, Allow and Deny in all their forms: whom a real cupsd refuses, beside whom we say that it will."""

from __future__ import annotations

import json
import pathlib
import sys
import types
from typing import List

from demo import stage
from proof import lab

# Sent into the neighbour: asks for pages, gives each one's status or the error's name.
ASK = """\
import http.client, json, sys
told = []
for host, port, path in json.loads(sys.argv[1]):
    page = http.client.HTTPConnection(host, port, timeout=4)
    try:
        page.request("GET", path)
        told.append(str(page.getresponse().status))
    except OSError as error:
        told.append(type(error).__name__)
print(json.dumps(told))
"""
# V4 and V6 stand for the neighbour's own addresses, N4 for its /24 without the last number, N6 for its /64.
BODIES = (
    "", "Order allow,deny", "Order deny,allow", "Order allow,deny|Allow all", "Order deny,allow|Deny all",
    "Order deny,allow|Deny all|Allow @LOCAL", "Order allow,deny|Allow @local", "Order allow,deny|Allow @IF(eth0)",
    "Order allow,deny|Allow @if(ETH0)", "Order allow,deny|Allow @IF(eth7)", "Order allow,deny|Allow N4.0/24",
    "Order allow,deny|Allow N4.0/255.255.255.0", "Order allow,deny|Allow from N4.*", "Order allow,deny|Allow N4.",
    "Order allow,deny|Allow 198.19.", "Order allow,deny|Allow 198", "Order allow,deny|Allow V4/32",
    "Order allow,deny|Allow 10.0.0.0/8 V4", "Order allow,deny|Allow 128.0.0.0/1", "Order allow,deny|Allow [N6::]/64",
    "Order allow,deny|Allow [V6]", "Order allow,deny|Allow [2001:db8::]/32", "Order allow,deny|Allow 0.0.0.0/0",
    "Order allow,deny|Allow 0.0.0.0/0.0.0.0", "Order allow,deny|Allow [::]/0", "Order allow,deny|Allow [::]/1",
    "Order allow,deny|Allow [::]/64", "Order allow,deny|Allow all|Deny N4.0/24", "Order deny,allow|Deny [N6::]/64",
    "Order deny,allow|Deny all|Allow N4.0/24", "Order deny,allow|Deny N4.0/24|Allow V4", "Deny all", "Allow 10.0.0.0/8",
    "Order allow,deny|Allow V4|Allow [V6]", "Order allow,deny|Allow None", "Order allow,deny|Allow a.example.org",
)


def _make_importable() -> None:
    checkout = pathlib.Path(__file__).resolve().parents[2]
    for name, folders in (("ansible_collections", []), ("ansible_collections.printfleet", []),
                          ("ansible_collections.printfleet.cups", [str(checkout)])):
        package = types.ModuleType(name)
        package.__path__ = folders
        sys.modules[name] = package


def compare(where: stage.Stage) -> int:
    """Fails where a real answer is not the foretold one; gives how many there were."""
    _make_importable()
    from ansible_collections.printfleet.cups.plugins.module_utils._services import addresses, cupsd, judge_access
    from ansible_collections.printfleet.cups.plugins.module_utils._words import Interface

    me, server = where.addresses["neighbour"], where.addresses["server"]
    words = {"V4": me.v4, "V6": me.v6, "N4": me.v4.rpartition(".")[0], "N6": me.v6.rpartition("::")[0]}
    text = "Port 631\nListen /run/cups/cups.sock\nServerAlias *\n<Location />\n  Order deny,allow\n</Location>\n"
    for number, body in enumerate(BODIES):
        for word, value in words.items():
            body = body.replace(word, value)
        text += "<Location /case%02d>\n%s\n</Location>\n" % (number, body.replace("|", "\n"))
    lab.inside(where.server, ["sh", "-ec", "cat > /etc/cups/cupsd.conf; systemctl restart cups.service"], text)
    conf = cupsd.read_cupsd(text, "cupsd.conf")
    here = Interface(stage.INTERFACE, (words["N4"] + ".0/24", words["N6"] + "::/64", "fe80::/64"), (), True)
    paths = ["/case%02d/x" % number for number in range(len(BODIES))]
    wrong: List[str] = []
    for client, host in ((me.v4, server.v4), (me.v6, server.v6)):
        argument = json.dumps([[host, 631, path] for path in paths])
        real = json.loads(lab.inside(where.neighbour, ["python3", "-", argument], ASK))
        for path, body, status in zip(paths, BODIES, real):
            admitted = judge_access.admission(conf, conf.location(path), (here,)).addresses
            foretold = "403" if (admitted & addresses.of((client,))).empty else "404"
            if status != foretold:
                wrong.append("%s: %s gets %s, foretold was %s" % (body, client, status, foretold))
    assert not wrong, "\n".join(wrong)
    return 2 * len(BODIES)
