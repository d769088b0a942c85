"""How deep HTML is nested, told in one pass and never too low.

A browser's parser, and so the sanitizer, takes time by how many elements are open at a time, and
copies of them by how badly they are closed. So before HTML by anyone is parsed, its tags are
counted here: by a grammar so strict that every parser reads the same, in which an end tag closes
the innermost element alone. What goes beyond that grammar may be short, and counts as open.
"""

from __future__ import annotations

import re

_DEEPEST = 200
_MOST_FORMATTING = 10
_MOST_ATTRIBUTES = 60
# What a parser has to mend it may copy, and look for its place among all that went before.
_MOST_TAGS_TO_MEND = 5_000
_MOST_LETTERS_UNREAD = 10_000

_SPACE = r"[ \t\n\f\r]"
_ATTRIBUTE = (
    rf"{_SPACE}++[^ \t\n\f\r\"'<>/=\0]++"
    rf"(?:{_SPACE}*+={_SPACE}*+(?:\"[^\"]*+\"|'[^']*+'|[^ \t\n\f\r\"'<>=`]++))?+"
)
_TOKEN = re.compile(
    rf"<(?P<start>[a-zA-Z][a-zA-Z0-9:_-]*+)(?:{_ATTRIBUTE}){{0,{_MOST_ATTRIBUTES}}}+"
    rf"{_SPACE}*+(?P<closed>/?)>"
    rf"|</(?P<end>[a-zA-Z][a-zA-Z0-9:_-]*+){_SPACE}*+>"
    r"|<!--(?!-?>).*?--!?>"
    r"|<(?:!(?!--|\[CDATA\[)|\?)[^>]*+>"
    r"|<(?![a-zA-Z/!?])",
    re.DOTALL,
)
_START = re.compile(r"<[a-zA-Z]")

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"}
    | {"source", "track", "wbr"}
)
_VOID_EVERYWHERE = frozenset({"br", "embed", "hr", "img", "meta"})
_FOREIGN = frozenset({"svg", "math"})
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong"}
    | {"tt", "u"}
)
_DOCUMENT = frozenset({"html", "head", "body"})
_RAW = frozenset({"script", "style", "textarea", "title"})
# Within these, or after them, other rules hold.
_UNREADABLE = frozenset(
    {"frameset", "iframe", "image", "noembed", "noframes", "noscript", "plaintext", "select"}
    | {"template", "xmp"}
)
_TABLE = frozenset({"table", "thead", "tbody", "tfoot", "tr", "colgroup"})
_IN_TABLE = frozenset(
    {"caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr", "script", "style"}
)
_ROWS = _IN_TABLE - {"script", "style"}
# What may end an open paragraph or item, whatever stands within it.
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "button", "center", "dd", "details", "dialog"}
    | {"dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2"}
    | {"h3", "h4", "h5", "h6", "header", "hgroup", "hr", "li", "listing", "main", "menu", "nav"}
    | {"ol", "p", "pre", "search", "section", "summary", "table", "ul"}
)
_ITEMS = frozenset({"button", "dd", "dt", "li", "p"})
# An element that ends where one of these begins.
_ENDED_BY = {
    "p": frozenset({"p"}),
    "li": frozenset({"li"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
    "td": frozenset({"td", "th", "tr"}),
    "th": frozenset({"td", "th", "tr"}),
    "tr": frozenset({"tr"}),
}


def is_too_deep(html: str) -> bool:
    """Whether HTML is nested so deep, or so badly, that to parse it may take long.

    Parameters
    ----------
    html : str
        By anyone.

    Returns
    -------
    bool
        False for all that libraries write, and for most of what people do.
    """
    return _Scan(html).is_too_deep()


class _Scan:
    """One pass over HTML."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._open: list[str] = []
        self._formatting = 0
        self._to_mend = False
        self._foreign = False

    def is_too_deep(self) -> bool:
        html, at, tags = self._html, 0, 0
        while (found := html.find("<", at)) >= 0:
            tags += 1
            self._text(at, found)
            token = _TOKEN.match(html, found)
            if token is None:
                return self._is_too_much(found)
            at = token.end()
            if token["start"]:
                name = token["start"].lower()
                if name in _RAW:
                    ended = self._end_of_raw(name, at, bool(token["closed"]))
                    self._start(name)
                    if ended is None:
                        return self._is_too_much(found)
                    at = ended
                    self._end(name)
                elif name in _UNREADABLE:
                    return self._is_too_much(found)
                else:
                    self._start(name)
            elif token["end"]:
                self._end(token["end"].lower())
            if len(self._open) > _DEEPEST or self._formatting > _MOST_FORMATTING:
                return True
            if self._to_mend and tags > _MOST_TAGS_TO_MEND:
                return True
        self._text(at, len(html))
        return self._to_mend and tags > _MOST_TAGS_TO_MEND

    def _is_too_much(self, at: int) -> bool:
        """Judge what no grammar tells: each tag of it may stay open."""
        if len(self._html) - at > _MOST_LETTERS_UNREAD or self._html.count("<") > (
            _MOST_TAGS_TO_MEND
        ):
            return True
        return len(self._open) + len(_START.findall(self._html, at)) > _DEEPEST

    def _text(self, start: int, end: int) -> None:
        # Words between the rows of a table are moved before it.
        if self._open and self._open[-1] in _TABLE and not self._to_mend:
            self._to_mend = not self._html[start:end].isspace() and start < end

    def _start(self, name: str) -> None:
        self._foreign = self._foreign or name in _FOREIGN
        opened = self._open
        while opened and name in _ENDED_BY.get(opened[-1], ()):
            opened.pop()
        in_table = bool(opened) and opened[-1] in _TABLE
        if in_table != (name in _ROWS) and name not in ("script", "style"):
            self._to_mend = True
        if self._formatting and name in _BLOCKS and not _ITEMS.isdisjoint(opened):
            self._to_mend = True  # bold words go on in the next paragraph
        if name in (_VOID_EVERYWHERE if self._foreign else _VOID):
            return
        opened.append(name)
        self._formatting += name in _FORMATTING

    def _end(self, name: str) -> None:
        if self._open and self._open[-1] == name and name not in _DOCUMENT:
            self._open.pop()
            self._formatting -= name in _FORMATTING
        elif name not in _DOCUMENT:
            self._to_mend = True

    def _end_of_raw(self, name: str, at: int, closed: bool) -> int | None:
        """Find where the text of a script or a style sheet ends, if that is certain."""
        end = re.compile(rf"</{name}{_SPACE}*>", re.IGNORECASE).search(self._html, at)
        if closed or end is None:
            return None
        text = self._html[at : end.start()]
        if "<" in text and (self._foreign or (name == "script" and "<!--" in text)):
            return None
        # `</style/>` would end it, too.
        return None if f"</{name}" in text.lower() else end.end()
