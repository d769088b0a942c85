"""HTML that anybody may have written, made safe and fit for the page.

The sanitizer nh3 has the last word: whatever went before, only tags and attributes that are listed
here come out of it. No style, class or id of others survives, so that nothing on the page can be
covered, imitated or hidden.
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

import nh3
from markupsafe import Markup

from autograder.nesting import is_too_deep

_TAGS = frozenset(
    {"a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "del"}
    | {"details", "dfn", "div", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small"}
    | {"span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead"}
    | {"tr", "u", "ul", "var", "wbr"}
)
_GONE_WITH_CONTENT = frozenset(
    {"script", "style", "svg", "math", "iframe", "object", "embed", "noscript", "template", "title"}
    | {"textarea", "select", "video", "audio", "canvas", "noembed", "noframes", "xmp", "frameset"}
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "div": {"aria-label"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "details": {"open"},
}
_FIXED = {
    "div": {"tabindex": {"0"}, "role": {"group"}},
    "th": {"scope": {"col", "row"}},
}
_CLASSES = {"div": {"scroll"}, "code": {"math", "block-math"}, "span": {"missing"}}
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+\Z")
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_SIZE = re.compile(r"\d{1,4}")
_MOST_LETTERS = 6_000_000  # pictures within it count
_MOST_TAGS = 15_000
MOST_PICTURE = 4_000_000
_HEADING = re.compile(r"h[1-6]")
_LISTS = ("ul", "ol")
_EMPTY = frozenset({"br", "col", "hr", "img", "wbr"})


def clean(html: str, *, headings_below: int = 3) -> Markup:
    """Make HTML safe to show, whoever wrote it.

    Wide tables and code get a box that scrolls and takes the focus, pictures an alternative text,
    headings their place below those of the page.

    Parameters
    ----------
    html : str
        Anything.
    headings_below : int
        Level of the page's own heading that this stands under.

    Returns
    -------
    Markup
    """
    if is_too_long(html):
        return Markup("<p>{}</p>").format("This is too long to be shown here.")
    fitted = _Fitted(headings_below)
    fitted.feed(_sanitized(html))
    fitted.close()
    return Markup(_sanitized(fitted.text))  # sanitized in this very line


def is_too_long(html: str) -> bool:
    """Whether HTML is left out; to read what is nested too deep would take too long."""
    return len(html) > _MOST_LETTERS or html.count("<") > _MOST_TAGS or is_too_deep(html)


def is_picture(source: str) -> bool:
    """Whether an address is a picture that the page may hold: inline, of a known kind, not huge."""
    return len(source) <= MOST_PICTURE and _PICTURE.match(source) is not None


def _sanitized(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=set(_GONE_WITH_CONTENT),
        attributes=_ATTRIBUTES,
        tag_attribute_values=_FIXED,
        allowed_classes=_CLASSES,
        attribute_filter=_allowed,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


def _allowed(tag: str, attribute: str, value: str) -> str | None:
    """Keep an attribute's value, or None to drop it."""
    if attribute == "href":
        return value if _LINK.match(value) else None
    if attribute == "src":
        return value if is_picture(value) else None
    if attribute in ("width", "height", "colspan", "rowspan", "start"):
        return value if _SIZE.fullmatch(value) else None
    return value


class _Fitted(HTMLParser):
    """Rewrites sanitized HTML, piece by piece."""

    def __init__(self, headings_below: int) -> None:
        super().__init__(convert_charrefs=False)
        self._below = headings_below
        self._lists = 0
        self._tables = 0
        self._boxed: list[bool] = []
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img" and not given.get("src"):
            missing = f"Picture: {given['alt']}" if given.get("alt") else "A picture is not shown."
            self._parts.append(f'<span class="missing">{escape(missing)}</span>')
            return
        if tag == "li" and not self._lists:
            return  # outside of any list it is no item
        if tag in _LISTS:
            self._lists += 1
        if tag in ("table", "pre"):
            label = "Table" if tag == "table" else "Code"
            box = self._tables == 0
            self._boxed.append(box)
            if box:
                opening = f'<div class="scroll" tabindex="0" role="group" aria-label="{label}">'
                self._parts.append(opening)
            self._tables += tag == "table"
        if tag == "img":
            given.setdefault("alt", "")
        written = "".join(f' {name}="{escape(value)}"' for name, value in given.items())
        self._parts.append(f"<{self._shifted(tag)}{written}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _EMPTY or (tag == "li" and not self._lists):
            return
        self._parts.append(f"</{self._shifted(tag)}>")
        if tag in _LISTS:
            self._lists -= 1
        if tag in ("table", "pre"):
            self._tables -= tag == "table"
            if self._boxed and self._boxed.pop():
                self._parts.append("</div>")

    def handle_data(self, data: str) -> None:
        self._parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self._parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._parts.append(f"&#{name};")

    def _shifted(self, tag: str) -> str:
        return f"h{min(int(tag[1]) + self._below, 6)}" if _HEADING.fullmatch(tag) else tag
