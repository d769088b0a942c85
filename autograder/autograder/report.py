"""Show a learner what an examination found: one compact table, and sentences."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from IPython.display import display

if TYPE_CHECKING:
    from autograder.exam import ConceptResult, CriticalError, Result

# The findings as data, beside the picture of them. What has this type came from an examination,
# and is all that a feedback page shows of a hidden check.
FINDINGS = "application/vnd.crs-autograder.findings+json"

_INK, _QUIET, _LINE = "#1b2733", "#52606d", "#d5dce3"
_GOOD, _BAD = "#0b6b3a", "#a4262c"

# Written into each element: notebooks and nbgrader's page bring style sheets of their own.
_BOX = (
    f"color:{_INK};background:#fff;border:1px solid {_LINE};border-left:4px solid {{accent}};"
    "border-radius:4px;padding:.7em 1em .8em;margin:.4em 0;max-width:52em;"
    "font-size:14px;line-height:1.45"
)
_HEAD = f"color:{_INK};font-weight:600;text-align:left;padding:0 0 .3em;caption-side:top"
_TABLE = (
    f"border-collapse:collapse;border:none;margin:0;width:100%;table-layout:auto;color:{_INK};"
    "background:#fff;font-size:inherit;line-height:inherit"
)
_CELL = (
    "padding:.3em 1em .3em 0;text-align:left;vertical-align:top;white-space:normal;background:#fff;"
    f"border:none;border-top:1px solid {_LINE};color:{_INK}"
)
_LABEL = f"{_CELL};border-top:none;font-weight:400;color:{_QUIET};font-size:12px"
_HINTS = "margin:.2em 0 .5em;padding:0 0 0 1.2em"
_ALERT = f"border-left:4px solid {_BAD};background:#fdf3f3;padding:.4em .8em;margin:.4em 0"


def number(points: float) -> str:
    """Points without needless zeros."""
    return f"{round(points, 2):g}"


def title(result: Result) -> str:
    """Give the function's name and its score."""
    return f"{result.name}: {number(result.score)} of {number(result.points)} points"


def as_text(result: Result) -> str:
    """Write the findings as plain text."""
    lines = [title(result)]
    lines += [f"  ! {error.title}. {error.debrief}" for error in result.critical]
    lines += [f"  > {hint}" for hint in result.hints]
    if result.judged:
        for item in result.concepts:
            mark = "holds  " if item.holds else "not yet"
            lines.append(f"  {mark}  {item.concept.title}")
            if not item.holds:
                lines.append(f"           {item.concept.hint}")
    return "\n".join(lines)


def as_data(result: Result) -> dict[str, Any]:
    """Give the findings as plain data: nothing but what the learner may read."""
    return {
        "name": result.name,
        "points": result.points,
        "score": result.score,
        "hints": list(result.hints),
        "critical": [error.title for error in result.critical],
        "concepts": [
            {
                "title": item.concept.title,
                "points": item.concept.points,
                "holds": item.holds,
            }
            for item in result.concepts
            if result.judged
        ],
    }


def as_html(result: Result) -> str:
    """Write the findings as one accessible table; everything is escaped."""
    accent = _GOOD if result.score == result.points else _BAD
    hints = "".join(f"<li>{inline(hint)}</li>" for hint in result.hints)
    return (
        f'<div class="autograder-result" style="{_BOX.format(accent=accent)}">'
        + "".join(map(_alert, result.critical))
        + ("" if result.judged else f'<div style="{_HEAD}">{escape(title(result))}</div>')
        + (f'<ul style="{_HINTS}">{hints}</ul>' if hints and not result.judged else "")
        + (_table(result, hints) if result.judged else "")
        + "</div>"
    )


def _table(result: Result, hints: str) -> str:
    advice = f'<ul style="{_HINTS};font-weight:400">{hints}</ul>' if hints else ""
    rows = "".join(map(_row, result.concepts))
    return (
        f'<table style="{_TABLE}">'
        f'<caption style="{_HEAD}">{escape(title(result))}{advice}</caption>'
        f'<thead><tr><th scope="col" style="{_LABEL}">Concept</th>'
        f'<th scope="col" style="{_LABEL}">Holds</th><th scope="col" style="{_LABEL}">Points</th>'
        f'<th scope="col" style="{_LABEL}">Where to look</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(item: ConceptResult) -> str:
    concept = item.concept
    color, mark = (_GOOD, "✓ yes") if item.holds else (_BAD, "✗ not yet")
    attained = concept.points if item.holds else 0
    return (
        f'<tr><th scope="row" style="{_CELL};font-weight:500">{inline(concept.title)}</th>'
        f'<td style="{_CELL};white-space:nowrap;color:{color};font-weight:600">{mark}</td>'
        f'<td style="{_CELL};white-space:nowrap">'
        f"{number(attained)} of {number(concept.points)}</td>"
        f'<td style="{_CELL}">{"" if item.holds else inline(concept.hint)}</td></tr>'
    )


def _alert(error: CriticalError) -> str:
    return (
        f'<div style="{_ALERT}"><strong>Patient safety: {inline(error.title)}.</strong> '
        f"{inline(error.debrief)} At most {error.cap:.0%} of the points remain.</div>"
    )


def inline(text: str) -> str:
    """Escape text, and set `code` between backticks as code."""
    parts = escape(text).split("`")
    return "".join(
        f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts)
    )


def show(result: Result) -> None:
    """Display the findings in the notebook.

    Parameters
    ----------
    result : Result
        Of one examination.
    """
    display(
        {
            "text/html": as_html(result),
            "text/plain": as_text(result),
            FINDINGS: as_data(result),
        },
        raw=True,
    )
