# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask cupsd for its web page: run inside a container, ``python3 - LIST``.

LIST is JSON: [[source, destination], ...]. Prints JSON: ["open", "closed", ...], where open means that an answer
of HTTP came. Standard library only.
"""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import sys

PATIENCE = 2.5


def ask(ends: list) -> str:
    source, destination = ends
    connection = http.client.HTTPConnection(destination, 631, timeout=PATIENCE, source_address=(source, 0))
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return "open" if "CUPS" in (answer.getheader("Server") or "") else "half"
    except OSError:
        return "closed"
    finally:
        connection.close()


with concurrent.futures.ThreadPoolExecutor() as pool:
    print(json.dumps(list(pool.map(ask, json.loads(sys.argv[1])))))
