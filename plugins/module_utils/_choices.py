# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the page's tables and the user's choices to flows: the place where the page's notes are logic."""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Sequence, Tuple, Union

from ansible_collections.printfleet.cups.plugins.module_utils import _flow, _printer_list, _tables, _words

PRINTER_PROTOCOLS = ("ipp", "ipps", "lpd", "socket", "smb")
DEFAULT_PROFILES = ("ipp_sharing", "network_printers")
DEFAULT_PRINTER_PROTOCOLS = ("ipp", "ipps", "lpd", "socket")

_TABLE_OF = dict(zip(_flow.PROFILES, sorted(_tables.TITLES)))
_NETWORK_PRINTERS = _flow.PROFILES[_tables.OUTGOING - 1]

# The two notes above table 3.  The code below is their meaning, so it holds for these words only.
_NOTES = (
    "DNS and mDNS are used for all printing protocols except SMB.",
    "SNMP is used to provide status and supply level information for AppSocket and LPD printers.",
)
# The row of AppSocket has no service word; its description names the protocol.
_APPSOCKET = "AppSocket"
_NOT_SMB = frozenset(("ipp", "ipps", "lpd", "socket"))
_PROTOCOLS_OF: Dict[str, FrozenSet[str]] = {
    "DNS": _NOT_SMB,  # note 1
    "mDNS": _NOT_SMB,  # note 1
    # Note 2.  CUPS asks an IPP queue with a PPD by SNMP as well, but gets supply levels over IPP too,
    # and a question that the host itself refuses costs a job a tenth of a second.
    "SNMP": frozenset(("lpd", "socket")),
    "IPP": frozenset(("ipp",)),
    "IPPS": frozenset(("ipps",)),
    "LPD": frozenset(("lpd",)),
    _APPSOCKET: frozenset(("socket",)),
    "WINS": frozenset(("smb",)),
    "SMB": frozenset(("smb",)),
    "SMBDS": frozenset(("smb",)),
}
# Names are looked up elsewhere than at the printer.
_LOOKUPS = frozenset(("DNS", "mDNS"))
# Printers and SMB servers are found by asking everyone on the link.
_BROADCASTS = frozenset(("SNMP", "WINS"))

_EXTRA_ROW_OPTIONAL = ("service", "description", "peers")

Sources = Union[Tuple[str, ...], Dict[str, Tuple[str, ...]]]


class Choices(NamedTuple):
    """The user's choices as he wrote them; ``read_choices`` judges them."""

    profiles: object = DEFAULT_PROFILES
    printer_protocols: object = DEFAULT_PRINTER_PROTOCOLS
    sources: object = ()
    printers: object = ()
    extra_flows: object = ()


class _ExtraRow(NamedTuple):
    row: _tables.Row
    peers: Tuple[str, ...]


def make_flows(tables: object, choices: Choices) -> Tuple[_flow.Flow, ...]:
    """Turn table data and choices into flows, in the page's order; raises Refused, naming the role's variable."""
    profiles = _read_selection(choices.profiles, "cups_firewall_profiles", _flow.PROFILES)
    protocols = _read_selection(choices.printer_protocols, "cups_firewall_printer_protocols", PRINTER_PROTOCOLS)
    sources = _read_sources(choices.sources, "cups_firewall_sources")
    printers = _printer_list.read(choices.printers, "cups_firewall_printers").peers
    extra = _read_extra_rows(choices.extra_flows, "cups_firewall_extra_flows")
    known = {table.number: table for table in _tables.read_tables(tables, "cups_firewall_tables")}
    _check_notes(known.values(), "cups_firewall_tables")
    covers = [_printer_protocols_of(row, "cups_firewall_tables") for row in known[_tables.OUTGOING].rows]
    flows: List[_flow.Flow] = []
    for profile in profiles:
        table = known[_TABLE_OF[profile]]
        if profile == _NETWORK_PRINTERS:
            for row, covered in zip(table.rows, covers):
                if covered & set(protocols):
                    words = set(row.service.split("/"))
                    peers = () if words <= _LOOKUPS else printers
                    flows += _flows_of(row, profile, "Table 3", {"out": peers}, bool(words & _BROADCASTS))
        else:
            for row in table.rows:
                # What goes out here goes to name servers and domain controllers, not to printers.
                peers_of = {"in": _sources_of(sources, profile) if "in" in row.directions else (), "out": ()}
                flows += _flows_of(row, profile, "Table %d" % table.number, peers_of)
    for item in extra:
        incoming = item.peers
        if not incoming and "in" in item.row.directions:
            incoming = _sources_of(sources, _flow.EXTRA)
        peers_of = {"in": incoming, "out": item.peers}
        flows += _flows_of(item.row, _flow.EXTRA, "Extra", peers_of)
    for flow in flows:
        variable = "cups_firewall_extra_flows" if flow.profile == _flow.EXTRA else "cups_firewall_tables"
        _flow.refuse_never_open(flow.protocol, flow.ports, variable)
    return tuple(dict.fromkeys(flows))


def wanted_printers(printers: object, profiles: object) -> _printer_list.Printers:
    """What @PRINTERS in the flows stands for: nothing where table 3 is not asked for; raises Refused."""
    wanted = _printer_list.read(printers, "cups_firewall_printers")
    chosen = _read_selection(profiles, "cups_firewall_profiles", _flow.PROFILES)
    return wanted if _NETWORK_PRINTERS in chosen else _printer_list.Printers((), False, ())


def _flows_of(
    row: _tables.Row, profile: str, table: str, peers_of: Mapping[str, Tuple[str, ...]], broadcast: bool = False
) -> List[_flow.Flow]:
    return [
        _flow.Flow(
            row=_flow.read_row_name(row.name(table, protocol, direction), "cups_firewall_tables"),
            profile=profile,
            direction=direction,
            protocol=protocol,
            ports=row.ports,
            peers=peers_of[direction],
            broadcast=broadcast,
        )
        for protocol in row.protocols
        for direction in row.directions
    ]


def _read_selection(value: object, variable: str, choices: Sequence[str]) -> Tuple[str, ...]:
    """The chosen words in the order of ``choices``, each once."""
    chosen = [
        _words.read_choice(word, variable, choices)
        for word in _words.read_list(value, variable, ", ".join(choices))
    ]
    return tuple(word for word in choices if word in chosen)


def _read_peers(value: object, variable: str, outgoing: bool = False) -> Tuple[str, ...]:
    peers = _words.read_list(value, variable, "addresses, networks, @LOCAL and @IF(name)")
    return tuple(dict.fromkeys(_words.read_peer(peer, variable, outgoing) for peer in peers))


def _read_sources(value: object, variable: str) -> Sources:
    if not isinstance(value, Mapping):
        if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple)):
            allowed = "it is a list, or a mapping from profile to list, of sources"
            raise _words.refuse(variable, _words.shown(value) if isinstance(value, str) else value, allowed)
        return _read_peers(value, variable)
    keys = _flow.PROFILES + (_flow.EXTRA,)
    return {
        _words.read_choice(key, variable, keys): _read_peers(peers, "%s.%s" % (variable, key))
        for key, peers in value.items()
    }


def _sources_of(sources: Sources, profile: str) -> Tuple[str, ...]:
    if isinstance(sources, tuple):
        return sources
    if profile not in sources:
        # An empty list is anyone, so a list that was forgotten must not be taken for an empty one.
        raise _words.refuse(
            "cups_firewall_sources", sorted(sources), "%s lets somebody in, so the mapping has it as a key,"
            " with an empty list for anyone" % profile
        )
    return sources[profile]


def _read_extra_rows(value: object, variable: str) -> List[_ExtraRow]:
    rows = []
    for index, item in enumerate(_words.read_list(value, variable, "rows")):
        where = "%s[%d]" % (variable, index)
        keys = ("port", "protocols", "directions")
        mapping = _tables.read_mapping(item, where, keys, _EXTRA_ROW_OPTIONAL)
        row = _tables.read_row(mapping, where)
        for protocol in row.protocols:
            _flow.refuse_never_open(protocol, row.ports, where + ".port")
        peers = _read_peers(mapping.get("peers", []), where + ".peers", outgoing=row.directions == ("out",))
        rows.append(_ExtraRow(row, peers))
    return rows


def _check_notes(tables: Iterable[_tables.Table], variable: str) -> None:
    for table in tables:
        expected = _NOTES if table.number == _tables.OUTGOING else ()
        if table.notes != expected:
            raise _words.refuse(
                "%s, notes of table %d" % (variable, table.number), list(table.notes),
                "which rows belong to which protocol is known only for the notes %s" % list(expected)
            )


def _printer_protocols_of(row: _tables.Row, variable: str) -> FrozenSet[str]:
    """The printer protocols that need a row of table 3; raises Refused for a service that none is known for."""
    words = row.service.split("/") if row.service else [_APPSOCKET] if _APPSOCKET in row.description else [""]
    unknown = [word for word in words if word not in _PROTOCOLS_OF]
    if unknown:
        shown = "%s (%s)" % (row.ports, row.service) if row.service else "%s %s" % (row.ports, row.description)
        raise _words.refuse(
            "%s, table 3" % variable, shown, "no printer protocol is known for this row, the services known are %s"
            % ", ".join(_PROTOCOLS_OF)
        )
    return frozenset().union(*(_PROTOCOLS_OF[word] for word in words))
