"""Source code with its words told apart, line by line."""

from __future__ import annotations

import re
from collections.abc import Collection

from markupsafe import Markup
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

_MOST_LETTERS = 100_000
# Through these the lexers go again from each line.
_BLANKS = re.compile(r"\s{500}")
# Those whose lexers take time in proportion to the text, but for blanks. A notebook may name any.
_LANGUAGES = {"ipython3": "python", "ipython": "python", "python": "python", "r": "r"}


def highlighted(source: str, language: object = "python", pointed: Collection[int] = ()) -> Markup:
    """Mark the words of source code by classes; each line stands in an element of its own.

    Parameters
    ----------
    source : str
        Anything.
    language : object
        Name of the language, as a notebook's metadata has it.
    pointed : collection of int
        Numbers of the lines that an error came from.

    Returns
    -------
    Markup
        Lines, to stand within ``pre``.
    """
    cut = source[:_MOST_LETTERS]
    known = _LANGUAGES.get(language.lower(), "text") if isinstance(language, str) else "text"
    if _BLANKS.search(cut):
        known = "text"
    # A string or a comment may go over lines, and the formatter closes and opens its marks there.
    html = highlight(
        cut.rstrip("\n"),
        get_lexer_by_name(known, stripnl=False, ensurenl=False),
        HtmlFormatter(nowrap=True, classprefix="k-"),
    )
    lines = enumerate(html.rstrip("\n").split("\n"), 1)
    written = "".join(
        f'<span class="line{" pointed" if number in pointed else ""}">{line}\n</span>'
        for number, line in lines
    )
    end = "" if len(cut) == len(source) else '<span class="line">…\n</span>'
    return Markup(written + end)  # the formatter escapes
