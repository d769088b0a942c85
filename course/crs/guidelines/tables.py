"""Guidelines as tables for people: a pandas DataFrame, or an accessible HTML table for a lesson."""

from functools import cache
from html import escape
from importlib import resources

import pandas as pd
from IPython.display import HTML

from crs.guidelines.loader import guideline
from crs.guidelines.schema import Guideline, Row, Scalar, Source, Status

STATUS_WORDS: dict[Status, str] = {
    "read": "read in a source",
    "recalled": "recalled, not read in a source",
    "convention": "convention of this course",
}
_RESULT = {"grading-scale": "Grade", "decision-table": "Action", "lookup-table": "Gives"}


def result_text(row: Row) -> str:
    """Say in words what a row gives.

    Parameters
    ----------
    row : Row
        A row of any table.

    Returns
    -------
    str
        The grade of a scale, action and reason of a decision table, or the named values of a
        lookup table.
    """
    gives = dict(row.gives)
    if "grade" in gives:
        return _plain(gives["grade"])
    if "action" in gives and "reason" in gives:
        replaces = f", replaces {gives['replaces']}" if "replaces" in gives else ""
        return f"{gives['action']} ({gives['reason']}{replaces})"
    return "; ".join(f"{name} = {_plain(value)}" for name, value in gives.items())


def source_lines(table: Guideline) -> list[str]:
    """List the sources of a table, one line each, with where in the source to look.

    Parameters
    ----------
    table : Guideline
        Any table.

    Returns
    -------
    list of str
    """
    sources: tuple[Source, ...] = (table.source, *table.further_sources)
    return [f"{source.citation} ({source.where})" for source in sources]


def table_frame(guideline_id: str) -> pd.DataFrame:
    """Lay out a guideline as a DataFrame, one line per row of the guideline.

    Parameters
    ----------
    guideline_id : str
        For example ``"astct-2019"``.

    Returns
    -------
    DataFrame
        Columns ``row``, ``rule``, ``condition``, ``gives``, ``domain``, ``status``, ``note`` and
        ``edition``.

    Raises
    ------
    InvalidInput
        If there is no guideline of that id.
    """
    table = guideline(guideline_id)
    return pd.DataFrame(
        {
            "row": row.id,
            "rule": row.text,
            "condition": str(row.when),
            "gives": result_text(row),
            "domain": row.domain,
            "status": row.status,
            "note": row.note,
            "edition": table.edition,
        }
        for row in table.rows
    )


def table_html(guideline_id: str) -> str:
    """Write a guideline as an accessible HTML table, with its conventions, notes and sources.

    Parameters
    ----------
    guideline_id : str
        For example ``"astct-2019"``.

    Returns
    -------
    str
        A fragment; its classes begin with ``crs-``.

    Raises
    ------
    InvalidInput
        If there is no guideline of that id.
    """
    table = guideline(guideline_id)
    heading = f"{table.title} ({table.edition})"
    columns = (_RESULT[table.kind], "Rule", "Condition", "Status")
    lines = [
        f'<div class="crs-guideline crs-guideline-{table.kind}" role="region" tabindex="0" '
        f'aria-label="{escape(heading)}">',
        f"<style>{_style()}</style>",
        '<table class="crs-guideline-table">',
        f'<caption class="crs-guideline-caption">{escape(heading)}</caption>',
        "<thead><tr>"
        + "".join(f'<th scope="col">{name}</th>' for name in columns)
        + "</tr></thead>",
        "<tbody>",
    ]
    for row in table.rows:
        lines.append(
            f'<tr><th scope="row">{escape(result_text(row))}</th>'
            f"<td>{escape(row.text)}{_small(row.note)}</td>"
            f"<td><code>{escape(str(row.when))}</code></td>"
            f"<td>{_badge(row.status)}</td></tr>"
        )
    lines += ["</tbody>", "</table>"]
    remarks = []
    if table.gate is not None:
        remarks.append(
            f"Applies only with {escape(table.gate.text)}. {_badge(table.gate.status)}"
            f"{_small(table.gate.note)}"
        )
    remarks += [
        f"{escape(constant.text)}. {_badge(constant.status)}{_small(constant.note)}"
        for constant in table.constants.values()
    ]
    remarks += [escape(note) for note in table.notes]
    if remarks:
        items = "".join(f"<li>{remark}</li>" for remark in remarks)
        lines.append(f'<ul class="crs-guideline-notes">{items}</ul>')
    sources = "<br>".join(escape(line) for line in source_lines(table))
    lines += [f'<p class="crs-guideline-source">Source: {sources}</p>', "</div>"]
    return "\n".join(lines)


def show_table(guideline_id: str) -> HTML:
    """Show a guideline as an accessible table in a notebook.

    Parameters
    ----------
    guideline_id : str
        For example ``"astct-2019"``.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    InvalidInput
        If there is no guideline of that id.
    """
    return HTML(table_html(guideline_id))


@cache
def _style() -> str:
    # In each table, because a notebook has no style sheet of its own.
    return (resources.files("crs.guidelines") / "tables.css").read_text(encoding="utf-8")


def _plain(value: Scalar) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else value


def _badge(status: Status) -> str:
    return f'<span class="crs-status crs-status-{status}">{STATUS_WORDS[status]}</span>'


def _small(note: str) -> str:
    return f'<br><small class="crs-note">{escape(note)}</small>' if note else ""
