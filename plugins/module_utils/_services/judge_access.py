# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom cupsd answers, held against whom the firewall lets in.  Pure."""

from __future__ import annotations

from typing import List, Sequence

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._findings import NOTE, WARNING, Finding, plain
from ansible_collections.printfleet.cups.plugins.module_utils._services import access, addresses
from ansible_collections.printfleet.cups.plugins.module_utils._services.addresses import Addresses
from ansible_collections.printfleet.cups.plugins.module_utils._services.cupsd import Cupsd, Location

# A request to print goes to a queue's own path; to be shown the queues, to "/".  No queue has this name, so
# that no section for one queue is taken for that of all (a section holds for all paths that begin like it).
_PATHS = ("/printers/\0", "/")
# cupsd answers itself whatever its file says (cupsdCheckAccess).
_SELF = addresses.of(("127.0.0.0/8", "::1"))


def admission(conf: Cupsd, location: Location, interfaces: Sequence[_words.Interface]) -> access.Admission:
    """Whom a <Location> lets in."""
    return access.cups_admission(
        location.denies_first, location.allow, location.deny, conf.names_count, interfaces
    )


def answers_somebody(conf: Cupsd, interfaces: Sequence[_words.Interface]) -> bool:
    """Whether anyone but this host itself gets an answer."""
    for path in _PATHS:
        location = conf.location(path)
        if location is not None:
            judged = admission(conf, location, interfaces)
            if not judged.certain or not (judged.addresses - _SELF).empty:
                return True
    return False


def cups(conf: Cupsd, who: Addresses, rows: str, interfaces: Sequence[_words.Interface]) -> List[Finding]:
    """``who`` gets through the firewall, by ``rows``."""
    found: List[Finding] = []
    locations = list(dict.fromkeys(conf.location(path) for path in _PATHS))
    for location in locations:
        if location is None:
            found.append(Finding(
                WARNING,
                "it has no <Location /> section, so CUPS answers this host only; whom %s lets in gets 403 Forbidden"
                % rows, conf.path,
                "add one with 'Order allow,deny' and 'Allow @LOCAL', or run 'cupsctl --share-printers'",
            ))
        else:
            found += _location(conf, location, who, rows, interfaces)
    found += _administration(conf, who, rows, interfaces)
    return found


def _location(
    conf: Cupsd, location: Location, who: Addresses, rows: str, interfaces: Sequence[_words.Interface]
) -> List[Finding]:
    judged = admission(conf, location, interfaces)
    refused = who - judged.addresses - _SELF
    name = "<Location %s>" % plain(location.path)
    if judged.certain and not refused.empty:
        return [_refused(location, name, who, judged.addresses, refused, rows)]
    if judged.addresses == addresses.EVERYONE and who != addresses.EVERYONE:
        return [Finding(
            NOTE,
            "by %s CUPS answers anyone; that only %s get there is the firewall's doing alone (%s)"
            % (name, addresses.told(who), rows),
            str(location.place), "name the same networks with 'Allow' there, if CUPS is to hold without the firewall",
        )]
    return []


def _refused(
    location: Location, name: str, who: Addresses, answered: Addresses, refused: Addresses, rows: str
) -> Finding:
    if (who & answered).empty:
        what = "by %s CUPS answers none of those whom %s lets in: they get 403 Forbidden" % (name, rows)
        if answered.empty:
            what += ", since nobody is allowed there"
        else:
            what += " (let in: %s; allowed: %s)" % (addresses.told(who), addresses.told(answered))
        return Finding(WARNING, what, str(location.place), "allow them there ('Allow @LOCAL', 'Allow 192.0.2.0/24')")
    if who == addresses.EVERYONE:
        # Nobody named the sources, so CUPS is the one that tells who may print: that is a way to do it.
        return Finding(
            NOTE,
            "by %s CUPS answers %s only; %s lets anyone in, and the others get 403 Forbidden"
            % (name, addresses.told(answered), rows),
            str(location.place), "name the same networks in cups_firewall_sources, so that others do not get so far",
        )
    return Finding(
        WARNING,
        "by %s CUPS answers some with 403 Forbidden whom %s lets in: %s" % (name, rows, addresses.told(refused)),
        str(location.place), "allow them there, or leave them out of cups_firewall_sources",
    )


def _administration(
    conf: Cupsd, who: Addresses, rows: str, interfaces: Sequence[_words.Interface]
) -> List[Finding]:
    """A firewall cannot tell a page of CUPS from another: whoever may print gets to /admin as far as CUPS allows."""
    location = conf.location("/admin")
    if location is None:
        return []
    let_in = (admission(conf, location, interfaces).addresses & who) - _SELF
    if let_in.empty:
        return []
    return [Finding(
        NOTE,
        "CUPS' administration (/admin) answers %s, since no firewall can tell it from printing (%s)%s"
        % (addresses.told(let_in), rows, "" if location.authenticates else "; no Require asks there who it is"),
        str(location.place), "run 'cupsctl --no-remote-admin' if it is not to be done from elsewhere",
    )]
