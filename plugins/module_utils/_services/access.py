# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a service's own lists of addresses let in, in CUPS' and in Samba's words.  Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words
from ansible_collections.printfleet.cups.plugins.module_utils._services import addresses
from ansible_collections.printfleet.cups.plugins.module_utils._services.addresses import Addresses

_AS_IPV6 = ipaddress.IPv6Network("::/96")
_DOTTED = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}")


class Entries(NamedTuple):
    """A list of those who are meant.

    ``words`` are @LOCAL and @IF(name), which mean something on a host only; ``names`` are host names and domains.
    """

    everyone: bool = False
    networks: Tuple[str, ...] = ()
    words: Tuple[str, ...] = ()
    names: Tuple[str, ...] = ()

    def addresses(self, interfaces: Iterable[_words.Interface]) -> Addresses:
        """Who they are on a host with such interfaces, the names apart."""
        if self.everyone:
            return addresses.EVERYONE
        known = tuple(interfaces)
        # cupsdCheckAuth() compares the names of interfaces letter by letter.
        names = {"@IF(%s)" % interface.name for interface in known} | {_words.LOCAL}
        return addresses.of(self.networks + _words.resolve_peers([w for w in self.words if w in names], known))


def merged(parts: Iterable[Entries]) -> Entries:
    """One list of many."""
    known = tuple(parts)
    return Entries(
        any(part.everyone for part in known),
        tuple(n for part in known for n in part.networks),
        tuple(w for part in known for w in part.words),
        tuple(n for part in known for n in part.names),
    )


def read_cups(value: str) -> Entries:
    """Read the value of Allow or Deny, by the rules of parse_aaa() in CUPS' scheduler/conf.c."""
    parts = []
    for word in value.split():
        small = word.lower()
        if small in ("from", "none"):
            continue
        if small == "all":
            parts.append(Entries(everyone=True))
        elif small == "@local" or small.startswith("@if("):
            name = _words.LOCAL if small == "@local" else "@IF(%s)" % word[4:].rstrip(")")
            parts.append(Entries(words=(name,)))
        elif word[0].isdigit() or word[0] == "[":
            parts.append(_cups_network(word))
        else:
            parts.append(Entries(names=(word,)))
    return merged(parts)


def _cups_network(word: str) -> Entries:
    """Measured with CUPS 2.4.2 and 2.4.10: an IPv4 client is ::192.0.2.1 there, and "/0" does not mean all."""
    address, _slash, mask = word.partition("/")
    if mask == "0":
        # get_addr_and_mask() shifts 32 bits by 32, which C leaves open and processors do not do at all.
        mask = "32"
    if address.startswith("["):
        # Only [2001:db8::]/64 is read: the bracket closes before the mask.
        network = _network(address[1:-1] + ("/" + mask if mask else "")) if address.endswith("]") else None
        both = network is not None and ipaddress.ip_network(network).supernet_of(_AS_IPV6)  # type: ignore[arg-type]
        return Entries(networks=((network,) if network else ()) + (("0.0.0.0/0",) if both else ()))
    if mask == "0.0.0.0":
        return Entries(everyone=True)
    network = _prefixed(address.rstrip("*").rstrip("."), mask)
    return Entries(networks=(network,) if network else ())


def _prefixed(address: str, mask: str) -> Optional[str]:
    """10, 10.1 and 10.1.2 are networks of 8, 16 and 24 bits."""
    if not _DOTTED.fullmatch(address):
        return None
    # No other reading of leading zeros than the decimal one, which sscanf() has there.
    parts = [str(int(part)) for part in address.split(".")]
    bits = mask or str(8 * len(parts))
    return _network("%s/%s" % (".".join(parts + ["0"] * (4 - len(parts))), bits))


def _network(text: str) -> Optional[str]:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return None


class Admission(NamedTuple):
    """Who gets an answer; ``certain`` is false where host names decide as well, which are not looked up here."""

    addresses: Addresses
    certain: bool


def cups_admission(
    denies_first: bool, allow: Entries, deny: Entries, names_count: bool, interfaces: Sequence[_words.Interface]
) -> Admission:
    """By the rules of cupsdCheckAccess() in CUPS' scheduler/auth.c.  ``denies_first``: "Order deny,allow".

    Without HostNameLookups CUPS knows no client's name, so a name stands for nobody there.
    """
    allowed, denied = allow.addresses(interfaces), deny.addresses(interfaces)
    admitted = addresses.EVERYONE - (denied - allowed) if denies_first else allowed - denied
    return Admission(admitted, not (names_count and (allow.names or deny.names)))


def read_samba(value: str) -> Tuple[Entries, ...]:
    """Read "hosts allow" or "hosts deny" (smb.conf(5)): its list, then the lists that follow an EXCEPT."""
    lists: List[List[Entries]] = [[]]
    for word in re.split(r"[\s,]+", value.strip()):
        if word.upper() == "EXCEPT":
            lists.append([])
        elif word:
            lists[-1].append(_samba_entry(word))
    return tuple(merged(parts) for parts in lists)


def _samba_entry(word: str) -> Entries:
    if word.upper() == "ALL":
        return Entries(everyone=True)
    address, _slash, mask = word.partition("/")
    network = _network(word) if ":" in address else _prefixed(address.rstrip("."), mask)
    if network and (mask or address.endswith(".") or ":" in address or address.count(".") == 3):
        return Entries(networks=(network,))
    return Entries(names=(word,))


def _excepted(lists: Sequence[Entries]) -> Addresses:
    # list_match() takes all that follows the first EXCEPT for exceptions.
    return merged(lists[:1]).addresses(()) - merged(lists[1:]).addresses(())


def samba_admission(allow: Sequence[Entries], deny: Sequence[Entries]) -> Admission:
    """By the rules of allow_access() in Samba's lib/util/access.c; an empty list is one that is not set."""
    allowed, denied = _excepted(allow), _excepted(deny)
    certain = not any(entries.names for entries in tuple(allow) + tuple(deny))
    if allow and not deny:
        return Admission(allowed, certain)
    return Admission(addresses.EVERYONE - (denied - allowed), certain)
