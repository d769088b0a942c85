"""Show a learner what an examination found: one compact table, and sentences."""

from html import escape

from IPython.display import display

from autograder.exam import Result

_STYLE = (
    "border-collapse:collapse;margin:.4em 0;font-size:.95em;line-height:1.45;"
    "color:#1b2733;background:#fff"
)
_CELL = "padding:.25em .8em .25em 0;text-align:left;vertical-align:top;border-top:1px solid #d5dce3"


def number(points: float) -> str:
    """Points without needless zeros."""
    return f"{points:g}"


def as_text(result: Result) -> str:
    """The findings as plain text."""
    lines = [f"{result.name}: {number(result.score)} of {number(result.points)} points"]
    for item in result.concepts:
        mark = "holds" if item.holds else "not yet"
        lines.append(f"  {mark:8} {item.concept.title}")
        if not item.holds:
            lines.append(f"           {item.concept.hint}")
    lines += [f"  ! {error.title}. {error.debrief}" for error in result.critical]
    lines += [f"  > {hint}" for hint in result.hints]
    return "\n".join(lines)


def as_html(result: Result) -> str:
    """The findings as one accessible table; everything that is not ours is escaped."""
    rows = "".join(
        f'<tr><th scope="row" style="{_CELL};font-weight:500">{escape(item.concept.title)}</th>'
        f'<td style="{_CELL}">{_mark(item.holds)}</td>'
        f'<td style="{_CELL};white-space:nowrap">'
        f"{number(item.concept.points if item.holds else 0)} of {number(item.concept.points)}</td>"
        f'<td style="{_CELL}">{"" if item.holds else _inline(item.concept.hint)}</td></tr>'
        for item in result.concepts
    )
    critical = "".join(
        '<p style="border-left:4px solid #a4262c;padding:.2em .8em;margin:.4em 0">'
        f"<strong>Patient safety: {escape(error.title)}.</strong> {_inline(error.debrief)} "
        f"At most {error.cap:.0%} of the points remain.</p>"
        for error in result.critical
    )
    hints = "".join(f"<li>{_inline(hint)}</li>" for hint in result.hints)
    return (
        '<div class="autograder-result" style="color:#1b2733;background:#fff">'
        f"{critical}"
        f'<table style="{_STYLE}"><caption style="text-align:left;font-weight:600;color:#1b2733">'
        f"{escape(result.name)}: {number(result.score)} of {number(result.points)} points</caption>"
        f'<thead><tr><th scope="col" style="{_CELL}">Concept</th>'
        f'<th scope="col" style="{_CELL}">Holds?</th><th scope="col" style="{_CELL}">Points</th>'
        f'<th scope="col" style="{_CELL}">Where to look</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        + (f'<ul style="margin:.2em 0 .6em 1.2em">{hints}</ul>' if hints else "")
        + "</div>"
    )


def _mark(holds: bool) -> str:
    if holds:
        return '<span style="color:#0b6b3a;font-weight:600">✓ yes</span>'
    return '<span style="color:#a4262c;font-weight:600">✗ not yet</span>'


def _inline(text: str) -> str:
    """Escaped text in which `code` between backticks is set as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def show(result: Result) -> None:
    """Display the findings in the notebook.

    Parameters
    ----------
    result : Result
        Of one examination.
    """
    display({"text/html": as_html(result), "text/plain": as_text(result)}, raw=True)  # type: ignore[no-untyped-call]  # IPython is untyped

