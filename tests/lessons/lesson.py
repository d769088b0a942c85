"""A lesson as tests read it: its cells, headings, sections and references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

COURSE = Path(__file__).resolve().parents[2] / "course"
LESSONS = sorted(COURSE.glob("[0-9][0-9]-*.ipynb"))
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*$", re.MULTILINE)
_DOI = re.compile(r"10\.\d{4,9}/[^\s\])>\"]+")
_REFERENCE = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)
_CITATION = re.compile(r"\[(\d+(?:, \d+)*)\](?!\()")


@dataclass(frozen=True)
class Part:
    """What stands under one heading, up to the next heading of the same or a higher level."""

    heading: str
    text: str
    code: tuple[str, ...]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def markdown(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def prose(text: str) -> str:
    """Markdown without fenced code, inline code, and addresses."""
    text = _FENCE.sub("", text)
    text = re.sub(r"`[^`]*`", "", text)
    return re.sub(r"\]\(https?://[^)]*\)", "]", text)


def headings(notebook: Any) -> list[tuple[int, str]]:
    """Level and words of every heading, in order."""
    return [
        (len(match[1]), match[2])
        for text in markdown(notebook)
        for match in _HEADING.finditer(_FENCE.sub("", text))
    ]


def parts(notebook: Any, level: int) -> Iterator[Part]:
    """Cut a notebook at the headings of one level; what comes before the first is left out."""
    heading = ""
    lines: list[str] = []
    code: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            code.append(cell.source)
            continue
        for line in cell.source.splitlines():
            match = _HEADING.match(line)
            if match and len(match[1]) <= level:
                if heading:
                    yield Part(heading, "\n".join(lines), tuple(code))
                heading, lines, code = "", [], []
                if len(match[1]) == level:
                    heading = match[2]
                continue
            lines.append(line)
    if heading:
        yield Part(heading, "\n".join(lines), tuple(code))


def section(notebook: Any, heading: str) -> Part:
    return next(part for part in parts(notebook, 2) if part.heading == heading)


def numbered_sections(notebook: Any) -> list[Part]:
    return [part for part in parts(notebook, 2) if re.match(r"\d+\. ", part.heading)]


def subsections(part: Part) -> dict[str, str]:
    """Return the text under each heading of level 3."""
    found: dict[str, str] = {}
    name = ""
    for line in part.text.splitlines():
        match = _HEADING.match(line)
        if match and len(match[1]) == 3:
            name = match[2]
            found[name] = ""
        elif name:
            found[name] += line + "\n"
    return found


def words(text: str) -> int:
    return len(text.split())


def dois(text: str) -> set[str]:
    return {doi.rstrip(".,;") for doi in _DOI.findall(text)}


def references(notebook: Any) -> dict[int, str]:
    return {
        int(number): line
        for number, line in _REFERENCE.findall(section(notebook, "References").text)
    }


def cited(notebook: Any) -> list[int]:
    """Numbers of the references that the text points to, in order of appearance."""
    found: list[int] = []
    for text in markdown(notebook):
        if text.startswith("## References"):
            continue
        for group in _CITATION.findall(prose(text)):
            found += [int(number) for number in group.split(", ")]
    return found
