"""Markdown of notebooks as safe HTML, formulas as their source: no script is there to draw them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from markupsafe import Markup
from mistune import HTMLRenderer
from mistune.plugins import import_plugin
from nbconvert.filters.markdown_mistune import MarkdownWithMath

from autograder.feedback.clean import clean

_MOST_LETTERS = 100_000
_PLUGINS = ("strikethrough", "table", "url")
_KINDS = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")

Picture = Callable[[str], str | None]


def no_picture(address: str) -> str | None:
    """Know no picture."""
    return None


class _Renderer(HTMLRenderer):
    """Writes HTML that `clean` still has to make safe."""

    def __init__(self, attachments: object, picture: Picture) -> None:
        super().__init__(escape=False)
        self._attachments = attachments if isinstance(attachments, Mapping) else {}
        self._picture = picture

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Put a picture into the page itself."""
        if url.startswith("attachment:"):
            source = self._attached(url.removeprefix("attachment:"))
        elif url.startswith("data:"):
            source = url
        else:
            source = self._picture(url) or ""
        return f'<img src="{escape(source)}" alt="{escape(text)}">'

    def _attached(self, name: str) -> str:
        bundle = self._attachments.get(name)
        if not isinstance(bundle, Mapping):
            return ""
        kind = next((kind for kind in _KINDS if isinstance(bundle.get(kind), str)), None)
        return f"data:{kind};base64,{bundle[kind]}" if kind else ""

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

    Returns
    -------
    Markup
    """
    try:
        if len(source) > _MOST_LETTERS:
            raise ValueError("too long")
        plugins: Any = [import_plugin(name) for name in _PLUGINS]
        markdown = MarkdownWithMath(_Renderer(attachments, picture), plugins=plugins)
        html = markdown.render(source)
    except Exception:  # whatever the parser could not read is text
        return Markup('<div class="plain">{}</div>').format(source[:_MOST_LETTERS])
    return clean(html, headings_below=headings_below)
