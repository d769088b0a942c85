"""What a cell of a notebook is: read from its mark, which anybody may have changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

Role = Literal["check", "task", "by-hand", "answer", "given", "own"]

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+")
_LONGEST_HEADING = 300
_FENCE = re.compile(r"^ {0,3}(```|~~~)")


def mark_of(cell: NotebookNode) -> Mapping[str, Any]:
    """Give nbgrader's mark of a cell, or nothing."""
    mark = cell.metadata.get("nbgrader")
    is_mark = isinstance(mark, Mapping) and isinstance(mark.get("grade_id"), str)
    return mark if is_mark else {}


def role_of(cell: NotebookNode) -> Role:
    """Say who a cell belongs to, and what it is for."""
    mark = mark_of(cell)
    if mark.get("task"):
        return "task"
    if mark.get("grade"):
        by_hand = bool(mark.get("solution")) or cell.cell_type != "code"
        return "by-hand" if by_hand else "check"
    if mark.get("solution"):
        return "answer"
    return "given" if mark.get("locked") else "own"


def is_unanswered(cell: NotebookNode) -> bool:
    """Whether a cell for an answer is still as it was released."""
    mark = mark_of(cell)
    try:
        return bool(mark.get("checksum")) and mark["checksum"] == compute_checksum(cell)
    except Exception:  # a mark that is not whole
        return False


def count_of(cell: NotebookNode) -> int:
    """Give the execution count of a code cell, or 0."""
    count = cell.get("execution_count")
    return count if type(count) is int and count > 0 else 0


def learners_cells(nb: NotebookNode) -> dict[int, str]:
    """Give the sources of the learner's code cells by execution count."""
    return {
        count_of(cell): cell.source
        for cell in nb.cells
        if cell.cell_type == "code"
        and count_of(cell)
        and role_of(cell) in ("by-hand", "answer", "own")
    }


def headings(source: str) -> list[tuple[int, str, int]]:
    """Find the headings of a Markdown text: level, words, number of the line from 0.

    One without words, or as long as no heading is, stays a part of the text.
    """
    found: list[tuple[int, str, int]] = []
    fence = ""
    for number, line in enumerate(source.splitlines()):
        opening = _FENCE.match(line)
        if opening and fence in ("", opening[1]):
            fence = "" if fence else opening[1]
        elif not fence and len(line) <= _LONGEST_HEADING and (heading := _HEADING.match(line)):
            # Signs at the end close it. Step by step: one pattern for all tries every length.
            words = line[heading.end() :].rstrip(" \t").rstrip("#").rstrip(" \t")
            if words:
                found.append((len(heading[1]), words, number))
    return found


def without_line(source: str, number: int) -> str:
    """Drop one line of a text."""
    return "\n".join(line for at, line in enumerate(source.splitlines()) if at != number)
