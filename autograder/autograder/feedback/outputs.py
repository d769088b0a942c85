"""What a cell put out, as the page may show it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from markupsafe import Markup

from autograder.feedback.clean import clean, is_picture, is_too_long
from autograder.feedback.failures import (
    STOPPED_BY_GRADER,
    Frame,
    kind_of_error,
    own_frames,
    own_message,
    plain,
    without_foreign_frames,
)
from autograder.feedback.markdown import Room, render

_MOST_LETTERS = 20_000
_MOST_OUTPUTS = 50
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_INTERACTIVE = ("plotly", "vega", "widget-view", "bokeh", "holoviews", "javascript")

_NEEDS_SCRIPT = "A figure that moves is not shown here. Run the cell in your notebook to see it."


@dataclass(frozen=True)
class Text:
    """Plain text.

    Attributes
    ----------
    text : str
        Without escape codes, shortened.
    is_error : bool
        Whether it was written to stderr.
    """

    text: str
    is_error: bool = False
    shape: ClassVar[str] = "text"


@dataclass(frozen=True)
class Rich:
    """Sanitized HTML."""

    html: Markup
    shape: ClassVar[str] = "rich"


@dataclass(frozen=True)
class Picture:
    """A picture within the page.

    Attributes
    ----------
    source : str
        An address that begins with ``data:``.
    words : str
        What stands in its place for who cannot see it.
    """

    source: str
    words: str
    shape: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Stopped:
    """An error that ended a cell.

    Attributes
    ----------
    kind, message : str
        Of the error. What the grader itself had to stop has no kind.
    own : tuple of Frame
        Lines of this cell, the outermost first.
    other : tuple of Frame
        Lines of other cells of the learner.
    """

    kind: str
    message: str
    own: tuple[Frame, ...] = ()
    other: tuple[Frame, ...] = ()
    shape: ClassVar[str] = "stopped"


@dataclass(frozen=True)
class Note:
    """A sentence about an output."""

    text: str
    shape: ClassVar[str] = "note"


Output = Text | Rich | Picture | Stopped | Note


def shown(
    outputs: Sequence[Any],
    *,
    count: int = 0,
    sources: Mapping[int, str] | None = None,
    room: Room | None = None,
) -> tuple[Output, ...]:
    """Turn the outputs of a learner's cell into what the page shows.

    Parameters
    ----------
    outputs : sequence of mapping
        In the notebook format; what is not as it should be is left out.
    count : int
        Execution count of the cell.
    sources : mapping of int to str, optional
        The learner's cells by execution count, for the lines that an error came from.
    room : Room, optional
        What the page has left for Markdown.

    Returns
    -------
    tuple of Output
    """
    found: list[Output] = []
    for item in outputs[:_MOST_OUTPUTS]:
        if isinstance(item, Mapping):
            output = _one(item, count, sources or {}, room)
            last = found[-1] if found else None
            if (
                isinstance(output, Text)
                and isinstance(last, Text)
                and last.is_error is output.is_error
                and item.get("output_type") == "stream"
                and len(last.text) < _MOST_LETTERS
            ):
                found[-1] = Text(last.text + output.text, output.is_error)
            elif output is not None:
                found.append(output)
    if len(outputs) > _MOST_OUTPUTS:
        found.append(Note(f"{len(outputs) - _MOST_OUTPUTS} more outputs are not shown."))
    return tuple(_without_interrupt(found))


def _without_interrupt(found: Sequence[Output]) -> list[Output]:
    """Tell of a cell that was stopped once: the interrupt by which that was done says where."""
    interrupts = [
        item for item in found if isinstance(item, Stopped) and item.kind == "KeyboardInterrupt"
    ]
    if not interrupts or not any(isinstance(item, Stopped) and not item.kind for item in found):
        return list(found)
    where = interrupts[-1]
    return [
        replace(item, own=where.own, other=where.other)
        if isinstance(item, Stopped) and not item.kind
        else item
        for item in found
        if item not in interrupts
    ]


def _one(
    item: Mapping[str, Any], count: int, sources: Mapping[int, str], room: Room | None
) -> Output | None:
    kind = item.get("output_type")
    if kind == "stream":
        text = without_foreign_frames(_shortened(_joined(item.get("text"))))
        return Text(text, item.get("name") == "stderr") if text.strip() else None
    if kind == "error":
        return _stopped(item, count, sources)
    data = item.get("data")
    if kind in ("execute_result", "display_data") and isinstance(data, Mapping):
        return _bundle({str(name): value for name, value in data.items()}, room)
    return None


def _stopped(item: Mapping[str, Any], count: int, sources: Mapping[int, str]) -> Stopped:
    name = str(item.get("ename", ""))
    traceback = item.get("traceback")
    frames = own_frames(traceback if isinstance(traceback, list) else [], sources, last=10**6)
    kind = "" if name in STOPPED_BY_GRADER else kind_of_error(name)
    if kind and kind != name and name.isidentifier() and name.isascii():
        kind = name[:60]  # in a learner's own cell it is what they called it
    return Stopped(
        kind,
        own_message(name, item.get("evalue")).strip(),
        tuple(frame for frame in frames if frame.cell == count),
        tuple(frame for frame in frames if frame.cell != count),
    )


def _bundle(data: Mapping[str, Any], room: Room | None) -> Output | None:
    """Choose the richest of several ways to show the same, among those that need no script."""
    text = _joined(data.get("text/plain"))
    for kind in _PICTURES:
        source = f"data:{kind};base64,{_packed(data.get(kind))}"
        if kind in data and is_picture(source):
            return Picture(source, _words(text))
    if "image/svg+xml" in data:
        drawn = base64.b64encode(_joined(data["image/svg+xml"]).encode()).decode()
        source = f"data:image/svg+xml;base64,{drawn}"
        # Within an image element, a browser runs and loads nothing that a drawing asks for.
        if is_picture(source):
            return Picture(source, _words(text))
    if any(word in kind for kind in data for word in _INTERACTIVE):
        return Note(_NEEDS_SCRIPT)
    html = _joined(data.get("text/html"))
    if html.strip() and not (text.strip() and is_too_long(html)):
        cleaned = clean(html)
        if cleaned.striptags().strip() or "<img" in cleaned:
            return Rich(cleaned)
        if not text.strip() or "<script" in html.lower():
            return Note(_NEEDS_SCRIPT)
    if "text/markdown" in data:
        return Rich(render(_joined(data["text/markdown"]), room=room))
    if "text/latex" in data:
        return Rich(render(_joined(data["text/latex"]), room=room))
    if "application/json" in data and not text.strip():
        text = json.dumps(data["application/json"], indent=1, default=str)
    return Text(_shortened(text)) if text.strip() else None


def _words(text: str) -> str:
    """Say what a picture is; of an object's address in memory nobody learns anything."""
    text = plain(text).strip()
    is_plain = 0 < len(text) <= 200 and "<" not in text and "\n" not in text
    return f"Output of the cell: {text}" if is_plain else "A picture, the output of the cell"


def _packed(value: object) -> str:
    return "".join(_joined(value).split())


def _joined(value: object) -> str:
    if isinstance(value, str):
        return value
    is_lines = isinstance(value, Iterable) and not isinstance(value, Mapping | bytes)
    return "".join(line for line in value if isinstance(line, str)) if is_lines else ""  # type: ignore[attr-defined]


def _shortened(text: str) -> str:
    if len(text) > _MOST_LETTERS:
        head, tail = text[: _MOST_LETTERS - 2_000], text[-2_000:]
        left_out = len(text) - _MOST_LETTERS
        text = f"{head}\n… {left_out} more characters …\n{tail}"
    return plain(text)
