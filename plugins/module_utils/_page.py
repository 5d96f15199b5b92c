# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUPS' page "Firewalls" (HTML) to table data: whatever is not exactly as expected is refused, nothing is guessed.

Python's html.parser forgives everything.  Here every element has to be closed where it should be,
and the tables may hold nothing but what the page of CUPS 2.x has in them, so that a page that
browsers would mend in their own ways cannot be read in a way that nobody sees.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _tables, _words

_PAGE_LENGTH = 1000000
_CAPTION = re.compile(r"Table ([0-9]+): (.+)")
_PORT_CELL = re.compile(r"([^ ()]+)(?: \(([^()]+)\))?")
_PORT_HEADINGS = ("(Destination) Port", "(Destination) Port(s)")
_HEADINGS = ("TCP/UDP", "Direction", "Description")
_NOTES_HEADING = "Notes:"

# https://html.spec.whatwg.org/multipage/syntax.html#void-elements
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
# What a browser does not read as part of the page, or html.parser reads in one way here and in another there.
_FOREIGN = frozenset(
    "frameset iframe math noembed noframes noscript object plaintext select svg template textarea xmp".split()
)
# Where the page keeps tables and notes, and what may stand directly in what.
_PLACES = frozenset(("html", "body", "div", "main", "section", "article"))
_CHILDREN = {
    "table": ("caption", "thead", "tbody"),
    "thead": ("tr",),
    "tbody": ("tr",),
    "tr": ("th", "td"),
    "blockquote": ("b", "ol"),
}
_TABLE_ONLY = frozenset("caption col colgroup tbody td tfoot th thead tr".split())
# Attributes that make a browser show something else than the markup says.
_SHOWN_OTHERWISE = frozenset(("colspan", "rowspan", "hidden", "style"))


class _Element(NamedTuple):
    tag: str
    line: int


class _TableText(NamedTuple):
    """The texts of one table, cell by cell, as they stand in the page."""

    line: int
    parts: List[str]
    caption: List[str]
    headings: List[List[str]]
    rows: List[Tuple[int, List[str]]]
    notes: List[str]


def read_page(page: object) -> Tuple[_tables.Table, ...]:
    """Read the whole page; raises Refused, naming the line where there is one."""
    if not isinstance(page, str):
        raise _words.refuse("page", page, "it is the text of CUPS' page firewalls.html")
    if len(page) > _PAGE_LENGTH:
        raise _words.refuse("page", page, "it has up to %d characters" % _PAGE_LENGTH)
    # A page in another encoding shows itself by these: NUL, other control characters,
    # halves of surrogate pairs and the sign for what could not be decoded.
    wrong = re.search("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]", page)
    if wrong:
        line = page.count("\n", 0, wrong.start()) + 1
        raise _words.refuse(_at(line), wrong.group(), "the page is text in UTF-8")
    reader = _Reader(page)
    reader.read()
    return _tables.read_tables([_read_table(table) for table in reader.tables], "page")


def _at(line: int) -> str:
    return "page, line %d" % line


def _plain(text: Sequence[str]) -> str:
    """Text as a browser shows it: any white space, no-break spaces too, is one space."""
    return " ".join("".join(text).split())


class _Reader(HTMLParser):
    """Collects the texts of tables and notes, and holds the markup to its rules on the way."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page[1:] if page.startswith("\ufeff") else page
        self.lines = self.page.split("\n")
        self.tables: List[_TableText] = []
        self.open: List[_Element] = []
        self.table: Optional[_TableText] = None
        self.text: Optional[List[str]] = None  # of the innermost element whose text is wanted
        self.notes: List[str] = []
        self.notes_line = 0
        self.whole = False  # the element html has been closed

    def read(self) -> None:
        """Read all of the page; raises Refused."""
        self.feed(self.page)
        if self.rawdata:
            # feed() keeps what could go on in a next piece, and there is none.
            raise self._refuse(self.rawdata, "the page ends in the middle of a tag, a comment or a character")
        self.close()
        if self.open:
            last = self.open[-1]
            raise _words.refuse(_at(last.line), "<%s>" % last.tag, "the page ends before this element is closed")
        if not self.whole:
            raise _words.refuse("page", self.page, "it is a whole HTML page in one element html")
        if self.notes:
            raise _words.refuse(_at(self.notes_line), self.notes, "notes are followed by the table that they are for")

    def _refuse(self, value: object, allowed: str) -> _words.Refused:
        return _words.refuse(_at(self.getpos()[0]), value, allowed)

    def _parent(self) -> str:
        return self.open[-1].tag if self.open else ""

    def _children(self) -> Optional[Tuple[str, ...]]:
        """What may stand directly in the innermost element; None for anything."""
        parent = self._parent()
        if self.table is not None or parent == "blockquote":
            return _CHILDREN.get(parent, ())
        if "blockquote" in (element.tag for element in self.open):
            return ("li",) if parent == "ol" else ()
        return None

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        shown = "<%s>" % tag
        if self.whole:
            raise self._refuse(shown, "nothing follows the end of the element html")
        if not self.open and tag != "html":
            raise self._refuse(shown, "the first element is html")
        children = self._children()
        if children is not None and tag not in children:
            allowed = "only %s" % " and ".join("<%s>" % child for child in children) if children else "only text"
            raise self._refuse(shown, "%s may stand in <%s> here" % (allowed, self._parent()))
        if (children is None and tag in _TABLE_ONLY) or tag in _FOREIGN or (tag == "html" and self.open):
            raise self._refuse(shown, "this element has no place in <%s>" % self._parent())
        for name, value in attrs:
            if "<" in name or "<" in (value or "") or ">" in (value or ""):
                raise self._refuse("%s=%s" % (name, value), "an attribute of <%s> looks like a tag" % tag)
            if name in _SHOWN_OTHERWISE and (children is not None or tag in ("table", "blockquote")):
                raise self._refuse(name, "<%s> must not have this attribute" % tag)
        if tag in _VOID:
            return
        line = self.getpos()[0]
        self._enter(tag, line)
        self.open.append(_Element(tag, line))

    def _enter(self, tag: str, line: int) -> None:
        if tag in ("table", "blockquote"):
            strange = [element.tag for element in self.open if element.tag not in _PLACES]
            if strange:
                raise self._refuse("<%s>" % tag, "it has no place in <%s>" % strange[-1])
        if tag == "blockquote":
            if self.notes:
                raise self._refuse("<%s>" % tag, "a table has one list of notes")
            self.notes_line = line
        if tag == "table":
            self.table = _TableText(line, [], [], [], [], self.notes)
            self.notes = []
        elif self.table is not None:
            self._enter_in_table(self.table, tag, line)
        elif self._children() is not None and tag in ("b", "li"):
            self.text = []

    def _enter_in_table(self, table: _TableText, tag: str, line: int) -> None:
        body = len(self.open) > 1 and self.open[-2].tag == "tbody"
        if tag in ("th", "td") and (tag == "td") != body:
            raise self._refuse("<%s>" % tag, "<th> stands in <thead>, <td> in <tbody>")
        if tag in ("caption", "thead", "tbody"):
            table.parts.append(tag)
        elif tag == "tr" and self._parent() == "thead":
            table.headings.append([])
        elif tag == "tr":
            table.rows.append((line, []))
        if tag in ("caption", "th", "td"):
            self.text = []

    def handle_endtag(self, tag: str) -> None:
        shown = "</%s>" % tag
        if not self.open:
            raise self._refuse(shown, "no element is open here")
        inner = self.open[-1]
        if tag != inner.tag:
            raise self._refuse(shown, "the element to be closed here is <%s> of line %d" % inner)
        self.open.pop()
        text = None if self.text is None else _plain(self.text)
        self.text = None
        if tag == "html":
            self.whole = True
        elif tag == "table" and self.table is not None:
            self.tables.append(self.table)
            self.table = None
        elif tag == "blockquote" and not self.notes:
            raise _words.refuse(_at(inner.line), "<blockquote>", "it holds a numbered list of notes")
        elif text is not None:
            self._keep(tag, text)

    def _keep(self, tag: str, text: str) -> None:
        if self.table is None:
            if tag == "b" and text != _NOTES_HEADING:
                raise self._refuse(text, "a blockquote of this page starts with %s" % _NOTES_HEADING)
            if tag == "li":
                self.notes.append(text)
        elif tag == "caption":
            self.table.caption.append(text)
        elif tag == "th":
            self.table.headings[-1].append(text)
        else:
            self.table.rows[-1][1].append(text)

    def handle_startendtag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        if tag not in _VOID:
            raise self._refuse("<%s/>" % tag, "HTML has no empty element of this name")
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)
        elif data.strip() and (len(self.open) < 2 or self._children() is not None):
            raise self._refuse(_plain([data]), "no text stands directly in <%s>" % (self._parent() or "the page"))

    def handle_comment(self, data: str) -> None:
        line, column = self.getpos()
        # html.parser also takes for comments what only begins like a tag, and Pythons differ on where some end.
        if not self.lines[line - 1].startswith("<!--", column) or "--" in data or data.startswith((">", "->")):
            raise self._refuse(data, "a comment stands between <!-- and --> and has no -- in it")

    def handle_decl(self, decl: str) -> None:
        if self.open or self.whole or decl.split()[:2] not in (["DOCTYPE", "html"], ["doctype", "html"]):
            raise self._refuse("<!%s>" % decl, "the page has one declaration, DOCTYPE html, and that at its start")

    def handle_pi(self, data: str) -> None:
        raise self._refuse("<?%s>" % data, "HTML has no processing instructions")

    def unknown_decl(self, data: str) -> None:
        raise self._refuse("<![%s" % data, "HTML has no marked sections")


def _read_table(table: _TableText) -> Dict[str, object]:
    """From the texts of a table to its plain data; raises Refused."""
    where = _at(table.line)
    if table.parts != ["caption", "thead", "tbody"]:
        raise _words.refuse(where, table.parts, "a table has one caption, one thead and one tbody, in this order")
    match = _CAPTION.fullmatch(table.caption[0])
    if not match or match.group(1) not in [str(number) for number in _tables.TITLES]:
        raise _words.refuse(
            where, table.caption[0], "a caption is a table's number from 1 to 3 and its title, such as 'Table 1: %s'"
            % _tables.TITLES[1]
        )
    number = int(match.group(1))
    if match.group(2) != _tables.TITLES[number]:
        raise _words.refuse(where, table.caption[0], "table %d is titled '%s'" % (number, _tables.TITLES[number]))
    expected = [name for name in _HEADINGS if number != _tables.OUTGOING or name != "Direction"]
    good = len(table.headings) == 1 and table.headings[0][:1] and table.headings[0][0] in _PORT_HEADINGS
    if not good or table.headings[0][1:] != expected:
        raise _words.refuse(
            where, table.headings, "the columns of table %d are %s" % (number, ", ".join([_PORT_HEADINGS[1]] + expected))
        )
    return {
        "table": number,
        "title": match.group(2),
        "rows": [_read_row(number, cells, _at(line)) for line, cells in table.rows],
        "notes": table.notes,
    }


def _read_row(number: int, cells: Sequence[str], where: str) -> Dict[str, object]:
    wanted = 3 if number == _tables.OUTGOING else 4
    if len(cells) != wanted:
        raise _words.refuse(where, list(cells), "a row of table %d has %d cells" % (number, wanted))
    port = _PORT_CELL.fullmatch(cells[0])
    if not port:
        raise _words.refuse(where, cells[0], "a cell is a port, perhaps with a service, such as 9100-9102 or 53 (DNS)")
    directions = ["out"] if number == _tables.OUTGOING else _split(cells[2], "+", ("IN", "OUT"), where)
    return {
        "port": str(_words.read_ports(port.group(1), where)),
        "service": port.group(2) or "",
        "protocols": _split(cells[1], "/", ("TCP", "UDP"), where),
        "directions": directions,
        "description": cells[-1],
    }


def _split(cell: str, sign: str, words: Sequence[str], where: str) -> List[str]:
    parts = cell.split(sign)
    if any(part not in words for part in parts) or len(set(parts)) != len(parts):
        raise _words.refuse(where, cell, "a cell is %s, %s or %s" % (words[0], words[1], sign.join(words)))
    return [part.lower() for part in parts]
