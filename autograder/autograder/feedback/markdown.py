"""Markdown of notebooks as safe HTML, formulas as their source: no script is there to draw them.

A parser of Markdown looks for the end of whatever begins, so a text in which much begins and
nothing ends takes it long. Such texts are told apart before, and a page has room for so much.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from markupsafe import Markup
from mistune import BlockParser, BlockState, HTMLRenderer, InlineParser
from mistune.plugins import import_plugin
from mistune.plugins.table import NP_TABLE_PATTERN, parse_nptable
from nbconvert.filters.markdown_mistune import MarkdownWithMath

from autograder.feedback.clean import MOST_PICTURE, clean

_MOST_LETTERS = 20_000
_MOST_LETTERS_ON_PAGE = 300_000
_MOST_CODE_ON_PAGE = 400_000
_MOST_SHOWN_PLAIN = 100_000
_MOST_IN_PICTURES = 5_000_000
_MOST_IN_PICTURES_ON_PAGE = 20_000_000
# How far the parser may look for the ends of formulas: that of one is rarely a line away.
_MOST_LETTERS_IN_FORMULAS = 1_000_000
_PLUGINS = ("strikethrough", "table", "url")
_KINDS = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")

_FORMULA = re.compile(r"\\\\[\[(]|\\begin\{([a-z]*\*?)\}")
_ENDS = {"[": re.compile(r"(?<!\\)\\\\\]"), "(": re.compile(r"(?<!\\)\\\\\)")}
_LONG_RUN = re.compile(r"([^\w\n])\1{999}")
_PIPE = re.compile(r"\\.|(\|)")
_ROWS = "rows that are no table"
_WRITTEN_OUT = re.compile(r"data:image/[a-z+]{1,20};base64,[A-Za-z0-9+/]{200,}+=*")
_NAME = re.compile(r"data:picture/\d+;")
_TOO_MANY_PICTURES = (
    '<span class="missing">A picture is not shown: together they are too large.</span>'
)

Picture = Callable[[str], str | None]


def no_picture(address: str) -> str | None:
    """Know no picture."""
    return None


@dataclass
class Room:
    """What one page has room for.

    Attributes
    ----------
    letters : int
        Of Markdown that is read as such; the rest is shown as it was written.
    in_pictures : int
        Letters of addresses that begin with ``data:``.
    code : int
        Letters of source code.
    """

    letters: int = _MOST_LETTERS_ON_PAGE
    in_pictures: int = _MOST_IN_PICTURES_ON_PAGE
    code: int = _MOST_CODE_ON_PAGE

    def has_for_code(self, letters: int) -> bool:
        """Take room for so much source code, if there is."""
        if letters > self.code:
            return False
        self.code -= letters
        return True


class _Renderer(HTMLRenderer):
    """Writes HTML that `clean` still has to make safe."""

    def __init__(self, attachments: object, picture: Picture, room: Room) -> None:
        super().__init__(escape=False)
        self._attachments = attachments if isinstance(attachments, Mapping) else {}
        self._picture = picture
        self._room = room
        self._left = _MOST_IN_PICTURES
        self._written: dict[str, str] = {}

    def without_pictures(self, source: str) -> str:
        """Put short names in the place of pictures that are written out within the text."""

        def name(found: re.Match[str]) -> str:
            short = f"data:picture/{len(self._written)};"
            self._written[short] = found[0]
            return short

        return _WRITTEN_OUT.sub(name, source)

    def with_pictures(self, html: str) -> str:
        """Write those out that stand elsewhere than in pictures, as in HTML or in code."""

        def written(found: re.Match[str]) -> str:
            picture = self._written.get(found[0], found[0])
            return picture if self._takes(len(picture)) else ""

        return _NAME.sub(written, html) if self._written else html

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Put a picture into the page itself."""
        if self._left <= 0:
            return _TOO_MANY_PICTURES
        if url.startswith("attachment:"):
            source = self._attached(url.removeprefix("attachment:"))
        elif url.startswith("data:"):
            source = self._written.get(url, url)
        else:
            source = self._picture(url) or ""
        if len(source) > MOST_PICTURE:
            source = ""  # it is too large by itself
        if not self._takes(len(source)):
            return _TOO_MANY_PICTURES
        return f'<img src="{escape(source)}" alt="{escape(text)}">'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Write a link, unless addresses that are long are written again and again."""
        if not self._takes(len(url) + len(title or "")):
            return text
        return super().link(text, url, title)

    def _takes(self, letters: int) -> bool:
        """Take so much of the room for addresses. The first that does not fit is the last."""
        if letters > min(self._left, self._room.in_pictures):
            self._left = 0
            return False
        self._left -= letters
        self._room.in_pictures -= letters
        return True

    def _attached(self, name: str) -> str:
        bundle = self._attachments.get(name)
        if not isinstance(bundle, Mapping):
            return ""
        kind = next((kind for kind in _KINDS if isinstance(bundle.get(kind), str)), None)
        fits = kind is not None and len(bundle[kind]) <= MOST_PICTURE
        return f"data:{kind};base64,{bundle[kind]}" if fits else ""

    def block_math(self, body: str) -> str:
        """Show a formula on a line of its own."""
        return f'<p><code class="block-math">{escape(body.strip())}</code></p>\n'

    def inline_math(self, body: str) -> str:
        """Show a formula."""
        return f'<code class="math">{escape(body.strip())}</code>'

    def latex_environment(self, name: str, body: str) -> str:
        """Show formulas that LaTeX aligns."""
        return self.block_math(body)


def render(
    source: str,
    attachments: object = None,
    *,
    picture: Picture = no_picture,
    headings_below: int = 3,
    room: Room | None = None,
) -> Markup:
    """Turn Markdown into HTML that is safe, whoever wrote it.

    Parameters
    ----------
    source : str
        Markdown, with raw HTML and LaTeX as Jupyter has them.
    attachments : mapping or None
        Of the cell.
    picture : callable
        Gives the content of a file beside the notebook as an address that begins with ``data:``,
        or None.
    headings_below : int
        Level of the heading that the text stands under.
    room : Room, optional
        What the page has left, made less here; by default, that of a page of its own.

    Returns
    -------
    Markup
        What is too long to be read as Markdown is shown as it was written.
    """
    room = room or Room()
    try:
        renderer = _Renderer(attachments, picture, room)
        text = renderer.without_pictures(source)
        if len(text) > min(_MOST_LETTERS, room.letters) or _LONG_RUN.search(text):
            raise ValueError("too long")
        room.letters -= len(text)
        html = renderer.with_pictures(_parser(text, renderer).render(text))
    except Exception:  # whatever the parser could not read is text
        return _plain(source)
    return clean(html, headings_below=headings_below)


def _plain(source: str) -> Markup:
    cut = source[:_MOST_SHOWN_PLAIN]
    end = "" if len(cut) == len(source) else "\n…"
    return Markup('<pre class="plain">{}{}</pre>').format(cut, end)


def _parser(source: str, renderer: HTMLRenderer) -> MarkdownWithMath:
    plugins: Any = [*map(import_plugin, _PLUGINS), _with_quick_tables]
    if _ends_are_near(source):
        return MarkdownWithMath(renderer, plugins=plugins)
    return MarkdownWithMath(renderer, BlockParser(), InlineParser(), plugins)


def _ends_are_near(source: str) -> bool:
    """Whether formulas are soon read: the parser looks for the end of each from its beginning."""
    left = _MOST_LETTERS_IN_FORMULAS
    for opening in _FORMULA.finditer(source):
        start = opening.end()
        if opening[1] is None:
            closing = _ENDS[opening[0][-1]].search(source, start)
            end = closing.start() if closing else -1
        else:
            end = source.find(f"\\end{{{opening[1]}}}", start)
        left -= (len(source) if end < 0 else end) - start
        if left < 0:
            return False
    return True


def _with_quick_tables(markdown: Any) -> None:
    """Read rows of a table that is none once, not once for each of them."""
    markdown.block.register("nptable", NP_TABLE_PATTERN, _parse_table, before="paragraph")


def _parse_table(block: BlockParser, m: re.Match[str], state: BlockState) -> int | None:
    """Parse a table whose rows begin with no bar, or give None where there is none.

    It is one if its head, the line below and all rows have the same number of columns. So rows
    alike before one that differs are no table, whichever of them is taken for its head.
    """
    source, until, is_table = state.env.get(_ROWS, (None, 0, True))
    if source is not state.src or m.end() > until:
        until, is_table = _rows_alike(state.src, m.start(), m.end())
        state.env[_ROWS] = (state.src, until, is_table)
    # Of the last row the parser itself finds out soon.
    return parse_nptable(block, m, state) if is_table or m.end() >= until else None


def _rows_alike(source: str, start: int, end: int) -> tuple[int, bool]:
    """Find where rows with as many columns end, and whether it is with the table itself."""
    columns = _columns(source[start:end])
    while end < len(source):
        newline = source.find("\n", end)
        after = len(source) if newline < 0 else newline + 1
        row = source[end:after]
        if "|" not in row:
            break
        if _columns(row) != columns:
            return end, False
        end = after
    return end, True


def _columns(row: str) -> int:
    return 1 + sum(1 for bar in _PIPE.finditer(row) if bar[1])
