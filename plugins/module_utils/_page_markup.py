# Copyright (c) 2026 the printfleet.cups maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The markup of CUPS' page "Firewalls": held to strict rules, and the texts of its tables and notes taken out.

Python's html.parser forgives everything.  Here every element has to be closed where it should be,
and the tables may hold nothing but what the page of CUPS 2.x has in them, so that a page that
browsers would mend in their own ways cannot be read in a way that nobody sees.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.printfleet.cups.plugins.module_utils import _words

_NOTES_HEADING = "Notes:"
_END_TAG = re.compile(r"</[A-Za-z][A-Za-z0-9]*[ \t\r]*(?:>|$)")

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


class TableText(NamedTuple):
    """The texts of one table, as a browser shows them, and the lines where the table and its rows start."""

    line: int
    parts: List[str]  # the names of the elements directly in the table
    caption: List[str]  # of each caption
    headings: List[List[str]]  # the cells of each row in thead
    rows: List[Tuple[int, List[str]]]  # line and cells of each row in tbody
    notes: List[str]


def read_markup(page: str) -> List[TableText]:
    """Read the texts of all tables, in the order of the page; raises Refused, naming the line where there is one."""
    reader = _Reader(page)
    reader.read()
    return reader.tables


def at(line: int) -> str:
    """The name that a line of the page has in refusals."""
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
        self.tables: List[TableText] = []
        self.open: List[_Element] = []
        self.table: Optional[TableText] = None
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
            raise _words.refuse(at(last.line), "<%s>" % last.tag, "the page ends before this element is closed")
        if not self.whole:
            raise _words.refuse("page", self.page, "it is a whole HTML page in one element html")
        if self.notes:
            raise _words.refuse(at(self.notes_line), self.notes, "notes are followed by the table that they are for")

    def _refuse(self, value: object, allowed: str) -> _words.Refused:
        return _words.refuse(at(self.getpos()[0]), value, allowed)

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
            self.table = TableText(line, [], [], [], [], self.notes)
            self.notes = []
        elif self.table is not None:
            self._enter_in_table(self.table, tag, line)
        elif self._children() is not None and tag in ("b", "li"):
            self.text = []

    def _enter_in_table(self, table: TableText, tag: str, line: int) -> None:
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
        line, column = self.getpos()
        if not _END_TAG.match(self.lines[line - 1], column):
            # Older Pythons end the element here, browsers do not.
            raise self._refuse(self.lines[line - 1][column:], "an end tag is like %s" % shown)
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
            raise _words.refuse(at(inner.line), "<blockquote>", "it holds a numbered list of notes")
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
            raise self._refuse(_plain([data]), "no text may stand here")

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
