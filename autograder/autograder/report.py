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
_HEAD = f"color:{_INK};font-weight:600;font-size:15px;padding:0 0 .3em"
_TABLE = (
    f"border-collapse:collapse;border:none;margin:0;width:100%;table-layout:auto;color:{_INK};"
    "background:#fff;font-size:inherit;line-height:inherit"
)
_CELL = (
    "padding:.3em 1em .3em 0;text-align:left;vertical-align:top;white-space:normal;background:#fff;"
    f"border:none;border-top:1px solid {_LINE};color:{_INK}"
)
_LABEL = f"{_CELL};border-top:none;font-weight:400;color:{_QUIET};font-size:12px"
_NOTE = f"color:{_INK};border-radius:3px;padding:.3em .7em;margin:0 0 .4em"
_HINT = f"{_NOTE};background:#fff6e0"
_ALERT = f"{_NOTE};background:#fdeced;border:1px solid {_BAD}"


def number(points: float) -> str:
    """Write points without needless zeros."""
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
        "critical": [
            f"Patient safety: {error.title}. {error.debrief} "
            f"At most {error.cap:.0%} of the points remain."
            for error in result.critical
        ],
        "concepts": [
            {
                "title": item.concept.title,
                "points": item.concept.points,
                "holds": item.holds,
                "hint": "" if item.holds else item.concept.hint,
            }
            for item in result.concepts
            if result.judged
        ],
    }


def as_html(result: Result) -> str:
    """Write the findings as one accessible table; everything is escaped."""
    accent = _GOOD if result.score == result.points else _BAD
    return (
        f'<div class="autograder-result" style="{_BOX.format(accent=accent)}">'
        f'<div style="{_HEAD}">{escape(title(result))}</div>'
        + "".join(map(_alert, result.critical))
        + "".join(f'<div style="{_HINT}">{inline(hint)}</div>' for hint in result.hints)
        + (_table(result) if result.judged else "")
        + "</div>"
    )


def _table(result: Result) -> str:
    heads = ["Concept", "Holds", "Points"]
    if not all(item.holds for item in result.concepts):
        heads.append("Where to look")
    return (
        f'<table style="{_TABLE}" aria-label="Concepts of {escape(result.name)}"><thead><tr>'
        + "".join(f'<th scope="col" style="{_LABEL}">{head}</th>' for head in heads)
        + "</tr></thead><tbody>"
        + "".join(_row(item, "Where to look" in heads) for item in result.concepts)
        + "</tbody></table>"
    )


def _row(item: ConceptResult, look: bool) -> str:
    concept = item.concept
    color, mark = (_GOOD, "✓ yes") if item.holds else (_BAD, "✗ not yet")
    attained = number(concept.points if item.holds else 0)
    hint = "" if item.holds else inline(concept.hint)
    return (
        f'<tr><th scope="row" style="{_CELL};min-width:10em;font-weight:500">'
        f"{inline(concept.title)}</th>"
        f'<td style="{_CELL};white-space:nowrap;color:{color};font-weight:600">{mark}</td>'
        f'<td style="{_CELL};white-space:nowrap">{attained} of {number(concept.points)}</td>'
        + (f'<td style="{_CELL}">{hint}</td>' if look else "")
        + "</tr>"
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
