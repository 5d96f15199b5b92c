# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One device URI of CUPS, and what its backend needs of the network.  Pure.

A device URI may hold a password, so nothing here ever quotes one: what is given back are the scheme, the host,
the port and whether SNMP is used, and ``Unreadable`` says what is wrong without saying with what.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple, Tuple
from urllib.parse import quote, unquote

from ansible_collections.printfleet.cups.plugins.module_utils import _address_ranges

# HTTP_MAX_URI in cups/http.h.
_LONGEST = 1024
_SCHEME = re.compile(r"([A-Za-z0-9][A-Za-z0-9.+-]{0,30}):")
_HOST = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# What inet_aton(3) takes for an address, and what other programs read as another one (CVE-2021-29921).
_LIKE_AN_ADDRESS = re.compile(r"[0-9.]+|0x[0-9a-f.x]+")
_SERVICE = re.compile(r"(?P<name>.{1,63})\.(?P<type>_[A-Za-z0-9-]{1,15}\._tcp)\.(?P<domain>[A-Za-z0-9.-]{1,200})")

# httpSeparateURI() in cups/http-support.c; smb in smbspool(8), both ports at once where none is named.
_PORTS = {"ipp": 631, "ipps": 631, "http": 80, "https": 443, "lpd": 515, "socket": 9100, "smb": 0}
_WORDS = {"ipp": "IPP", "ipps": "IPPS", "http": "HTTP", "https": "HTTPS", "lpd": "LPD", "socket": "AppSocket"}
# Which backend a DNS-SD service is for: http_resolve_cb() in cups/http-support.c.
_SERVICES = {
    "_ipp._tcp": "ipp", "_fax-ipp._tcp": "ipp", "_ipps._tcp": "ipps", "_ipp-tls._tcp": "ipps",
    "_http._tcp": "http", "_https._tcp": "https", "_printer._tcp": "lpd", "_pdl-datastream._tcp": "socket",
}
# Note 2 of the page, as in _choices: an IPP printer tells its supplies over IPP.
_ASKED_BY_SNMP = ("lpd", "socket")
# HPLIP, io/hpmud/jd.c: port=1 to 3 in the URI are the print ports and the ports that faxes go to.
_HPLIP = {"hp": (9100, 9101, 9102), "hpfax": (9220, 9221, 9222)}

_LOCAL_SCHEMES = frozenset((
    "usb", "parallel", "serial", "scsi", "file", "bluetooth", "hal", "ippusb", "null", "cups-pdf", "cups-brf",
    "canonusb", "epson", "virtual", "implicitclass",
))
# Backends that call another one, whose URI stands behind their own words (beh(1): dont-disable, attempts, delay).
_WRAPPERS = (
    re.compile(r"beh:/[^/]*/[^/]*/[^/]*/(.+)", re.DOTALL),
    re.compile(r"(?:tea4cups|cupspykota):(?://)?(.+)", re.DOTALL),
)
_LOOPBACK_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost")

CHOSEN_LATER = (
    "cups-browsed chooses its printer anew for every job, so the printers that it may choose have to be listed in"
    " cups_firewall_printers"
)


class Unreadable(ValueError):
    """Not a device URI that is understood; the message goes on after "its device URI" and quotes nothing of it."""


class UnknownScheme(Unreadable):
    """A backend of which is not known what it needs."""


class Need(NamedTuple):
    """One destination port; ``word`` is the service as a row's name gives it."""

    protocol: str
    port: int
    word: str


class Device(NamedTuple):
    """``scheme`` as in the URI, but for a DNS-SD service, which has that of its type.

    ``name`` is an address, a host's name, or a service's full name; "" where nothing of the network is needed.
    ``port`` is 0 for a service, whose port DNS-SD tells, and for both ports of SMB.
    """

    scheme: str
    name: str = ""
    service: bool = False
    port: int = 0
    snmp: bool = False
    remark: str = ""


def read(uri: str, inner: bool = False) -> Device:
    """Read one device URI; raises Unreadable."""
    if len(uri) > _LONGEST:
        raise Unreadable("is longer than %d characters" % _LONGEST)
    if not uri.isprintable():
        raise Unreadable("has characters in it that no URI has")
    if uri.startswith("/") and (not uri.startswith("//") or uri.startswith("///")):
        return Device("file")
    for wrapper in () if inner else _WRAPPERS:
        wrapped = wrapper.fullmatch(uri)
        if wrapped:
            return read(wrapped.group(1), inner=True)
    found = _SCHEME.match(uri)
    if not found:
        raise Unreadable("does not begin with a scheme such as ipp:")
    scheme, rest = found.group(1).lower(), uri[found.end():]
    if scheme in _LOCAL_SCHEMES or scheme.endswith("+usb"):
        return Device(scheme, remark=CHOSEN_LATER if scheme == "implicitclass" else "")
    if scheme in _HPLIP:
        return _read_hplip(scheme, rest)
    if scheme not in _PORTS and scheme not in ("dnssd", "mdns"):
        # Without a slash it may as well be somebody's name before his password.
        named = " (%s:)" % scheme if rest.startswith("/") else ""
        raise UnknownScheme("is for a backend%s of which is not known what it needs" % named)
    if not rest.startswith("//"):
        raise Unreadable("has no // after its scheme")
    return _read_smb(rest[2:]) if scheme == "smb" else _read_network(scheme, rest[2:])


def needs(device: Device, port: int = 0) -> Tuple[Need, ...]:
    """The ports at the device's host; ``port`` is what DNS-SD told for a service."""
    if not device.name:
        return ()
    if device.scheme == "smb":
        # smbspool tries 445 and 139 side by side; the page has 137 for the lookup of names (table 3).
        names = (Need("udp", 137, "WINS"),)
        both = (Need("tcp", 139, "SMB"), Need("tcp", 445, "SMBDS"))
        return names + ((Need("tcp", device.port, "SMB"),) if device.port else both)
    word = "HPLIP" if device.scheme == "hpfax" else "AppSocket" if device.scheme == "hp" else _WORDS[device.scheme]
    wanted = (Need("tcp", port or device.port, word),)
    return wanted + ((Need("udp", 161, "SNMP"),) if device.snmp else ())


def stripped(device: Device) -> str:
    """A URI that is read as the same device and has neither user, password, path nor other options; "" for none."""
    if not device.name:
        return ""
    if device.scheme in _HPLIP:
        number = _HPLIP[device.scheme].index(device.port) + 1
        return "%s:/net/printer?hostname=%s&port=%d" % (device.scheme, quote(device.name, safe=":."), number)
    host = quote(device.name, safe="") if device.service else device.name
    host = "[%s]" % host if ":" in host else host
    port = ":%d" % device.port if device.port else ""
    off = device.scheme in _ASKED_BY_SNMP and not device.snmp
    return "%s://%s%s/%s" % (
        "dnssd" if device.service else device.scheme, host, port, "?snmp=off" if off else ""
    )


def read_address(text: str) -> str:
    """An address that a printer can have, in its one spelling, "" for this host's own loopback; raises ValueError.

    A zone (%eth0, CUPS' own +eth0) says by which link a host is reached and is dropped: rules go by addresses.
    """
    address = ipaddress.ip_address(re.split(r"[%+]", text, maxsplit=1)[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return ""
    if not _address_ranges.is_hosts(address):
        raise ValueError("no host's address")
    return str(address)


def read_service(name: str) -> Tuple[str, str, str]:
    """A DNS-SD service's own name, its type and its domain; raises Unreadable."""
    found = _SERVICE.fullmatch(name.rstrip("."))
    if not found or not name.isprintable():
        raise Unreadable("names a DNS-SD service that is none")
    return found.group("name"), found.group("type"), found.group("domain").lower()


def _read_network(scheme: str, rest: str) -> Device:
    """What follows "//", as httpSeparateURI() takes it apart: whatever is before an @ is user and password."""
    before = re.split("[@/]", rest, maxsplit=1)[0]
    if rest[len(before):].startswith("@"):
        rest = rest[len(before) + 1:]
    host, port, rest = _split_host(rest)
    on = _wants_snmp(rest)
    if "._tcp" in host:
        name, kind, domain = read_service(host)
        if kind not in _SERVICES:
            raise UnknownScheme("names a DNS-SD service of a type of which is not known what it needs")
        scheme = _SERVICES[kind]
        full = "%s.%s.%s" % (name, kind, domain)
        return Device(scheme, full, True, 0, on and scheme in _ASKED_BY_SNMP)
    if scheme not in _PORTS:
        raise Unreadable("names no DNS-SD service")
    snmp = on and scheme in _ASKED_BY_SNMP
    return _over_the_network(Device(scheme, _read_host(host), False, port or _PORTS[scheme], snmp))


def _read_smb(rest: str) -> Device:
    """[user[:password]@][workgroup/]server[:port]/printer, as smbspool(8) takes it apart: from the last @."""
    parts = [part for part in rest.rpartition("@")[2].split("/") if part]
    if not parts:
        raise Unreadable("names no host")
    server = parts[1] if len(parts) > 2 else parts[0]
    host, port, _rest = _split_host(server)
    return _over_the_network(Device("smb", _read_host(host), False, port))


def _read_hplip(scheme: str, rest: str) -> Device:
    """hp:/net/Model?ip=, ?hostname= or ?zc= (a name in .local), perhaps with port=1 to 3; hp:/usb and hp:/par."""
    path, _mark, query = rest.partition("?")
    if not path.startswith("/net/"):
        return Device(scheme)
    options = {k.lower(): unquote(v) for k, _sign, v in (word.partition("=") for word in query.split("&"))}
    host = options.get("ip") or options.get("hostname") or ""
    if not host and options.get("zc"):
        host = options["zc"] + ("" if options["zc"].lower().endswith(".local") else ".local")
    number = options.get("port", "1")
    if number not in ("1", "2", "3"):
        raise Unreadable("has a port that HPLIP does not know")
    return _over_the_network(Device(scheme, _read_host(host), False, _HPLIP[scheme][int(number) - 1], True))


def _over_the_network(device: Device) -> Device:
    """The host itself, such as ipp-usb's loopback ports, is no matter of a firewall's."""
    return device if device.name else Device(device.scheme)


def _split_host(rest: str) -> Tuple[str, int, str]:
    """Host, port (0 for none) and what follows them."""
    if rest.startswith("["):
        host, closed, rest = rest[1:].partition("]")
        if not closed:
            raise Unreadable("has an IPv6 address without its end")
        host = unquote(re.sub(r"^v[0-9A-Fa-f]+\.", "", host))  # RFC 3986 IPvFuture, by which CUPS writes a zone
        if ":" not in host:
            raise Unreadable("has an address that is none")
    else:
        host = re.split("[:?/]", rest, maxsplit=1)[0]
        rest = rest[len(host):]
        host = unquote(host)
        if ":" in host:
            raise Unreadable("has an address that is none")
    if not rest.startswith(":"):
        return host, 0, rest
    digits = re.split("[/?]", rest[1:], maxsplit=1)[0]
    if not re.fullmatch("[0-9]{1,5}", digits) or not 0 < int(digits) < 65536:
        raise Unreadable("has a port that is none")
    return host, int(digits), rest[1 + len(digits):]


def _read_host(host: str) -> str:
    """An address, or a name in lower case; "" for this host itself; raises Unreadable."""
    name = host.lower().rstrip(".")
    if not name:
        raise Unreadable("names no host")
    if ":" in name or _LIKE_AN_ADDRESS.fullmatch(name):
        if ":" not in name and not re.fullmatch(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})", name):
            raise Unreadable("has an address that is none")
        try:
            return read_address(name)
        except ValueError:
            raise Unreadable("has an address that no printer can have") from None
    if name in _LOOPBACK_NAMES:
        return ""
    if name.endswith(".localhost"):
        # RFC 6761, section 6.3.  Some resolvers ask a name server all the same, and get any address.
        raise Unreadable("has a name below localhost, which is no printer's; this host itself is localhost")
    if not name.isascii() or not _HOST.fullmatch(name):
        raise Unreadable("has a host's name that is none")
    return name


def _wants_snmp(rest: str) -> bool:
    """Whether the options leave SNMP on, as backend/socket.c and lpd.c read them: options are parted by & or +."""
    wanted = True
    for word in re.split("[&+]", rest.partition("?")[2]):
        name, _sign, value = word.partition("=")
        if name.lower() == "snmp":
            wanted = value.lower() in ("", "on", "yes", "true")
    return wanted
