"""Which parts of a cell a learner must not see, and what a check cell is called."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

_FIRST_SENTENCE = re.compile(r"(?<=[^\W\d]\w)[.:]\s|(?<=\))[.:]\s")


@dataclass(frozen=True)
class Markers:
    """What marks hidden tests and marking schemes, as nbgrader's own settings have it.

    Attributes
    ----------
    begin_tests, end_tests, begin_scheme, end_scheme : str
        A line that holds one of them begins or ends such a region.
    """

    begin_tests: str = "BEGIN HIDDEN TESTS"
    end_tests: str = "END HIDDEN TESTS"
    begin_scheme: str = "BEGIN MARK SCHEME"
    end_scheme: str = "END MARK SCHEME"

    def has_tests(self, source: str) -> bool:
        """Whether a source holds hidden tests."""
        return self.begin_tests in source

    def without_tests(self, source: str) -> str:
        """Drop regions of hidden tests; one without an end goes to the end of the cell."""
        return _replaced(source, self.begin_tests, self.end_tests, lambda inner: "")

    def with_schemes(self, source: str, write: Callable[[str], str]) -> str:
        """Replace every marking scheme by what ``write`` makes of its text."""
        return _replaced(source, self.begin_scheme, self.end_scheme, write)


def _replaced(source: str, begin: str, end: str, write: Callable[[str], str]) -> str:
    region = re.compile(
        rf"^[^\n]*{re.escape(begin)}[^\n]*\n?(.*?)(?:^[^\n]*{re.escape(end)}[^\n]*|\Z)",
        re.DOTALL | re.MULTILINE,
    )
    return region.sub(lambda found: write(found[1].strip()), source)


def check_title(visible: str, fallback: str) -> str:
    """Name a check by the comment or the docstring that its visible part begins with.

    Parameters
    ----------
    visible : str
        Source of the check without hidden tests.
    fallback : str
        The title where there is neither.

    Returns
    -------
    str
    """
    first = next((line.strip() for line in visible.splitlines() if line.strip()), "")
    text = first.lstrip("#").strip() if first.startswith("#") else _docstring(visible)
    if not text or "YOUR CODE HERE" in text:
        text = fallback
    text = _FIRST_SENTENCE.split(text, maxsplit=1)[0].rstrip(".:")
    return text if len(text) <= 120 else text[:119] + "…"


def _docstring(source: str) -> str:
    try:
        text = ast.get_docstring(ast.parse(source)) or ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return text.partition("\n")[0].strip()
