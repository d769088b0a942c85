"""What a gradebook and its graded notebooks say, as plain rows that can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook

# Where in a graded cell: student, notebook, grade id.
Place = tuple[str, str, str]
Row = Mapping[str, Any]

# What differs from run to run, or from one interpreter to the other, and says nothing of a grade.
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def rows(db_url: str, assignment: str) -> dict[Place, Row]:
    """Read every grade and comment of an assignment.

    Parameters
    ----------
    db_url : str
        The gradebook.
    assignment : str
        Name of the assignment.

    Returns
    -------
    dict
        By student, notebook and grade id: the automatic and the manual score, extra credit, whether
        a person is needed, the automatic comment, and the late penalty of the notebook.
    """
    found: dict[Place, dict[str, Any]] = {}
    with Gradebook(db_url) as gradebook:
        for submission in gradebook.find_assignment(assignment).submissions:
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    place = (submission.student.id, notebook.name, grade.name)
                    found.setdefault(place, {}).update(
                        auto_score=grade.auto_score,
                        manual_score=grade.manual_score,
                        extra_credit=grade.extra_credit,
                        needs_manual_grade=grade.needs_manual_grade,
                        max_score=grade.max_score,
                        late_penalty=notebook.late_submission_penalty,
                    )
                for comment in notebook.comments:
                    place = (submission.student.id, notebook.name, comment.name)
                    found.setdefault(place, {})["auto_comment"] = comment.auto_comment
    return dict(found)


def differences(
    one: Mapping[Place, Row],
    other: Mapping[Place, Row],
    *,
    columns: Iterable[str] | None = None,
) -> list[str]:
    """Say where two gradebooks differ.

    Parameters
    ----------
    one, other : mapping
        As `rows` returns them.
    columns : iterable of str or None
        Only these; by default all.

    Returns
    -------
    list of str
        A line per difference, such as ``ann p1 check auto_score: 1.0 and 2.0``.
    """
    wanted = None if columns is None else set(columns)
    lines = []
    for place in sorted(one.keys() | other.keys()):
        here, there = one.get(place, {}), other.get(place, {})
        for column in sorted(here.keys() | there.keys()):
            if wanted is not None and column not in wanted:
                continue
            if here.get(column) != there.get(column):
                lines.append(
                    f"{' '.join(place)} {column}: {here.get(column)!r} and {there.get(column)!r}"
                )
    return lines


def outputs(notebook: Path) -> dict[str, list[str]]:
    """Read the outputs of a notebook's code cells, without what varies by chance.

    Parameters
    ----------
    notebook : Path
        A graded notebook.

    Returns
    -------
    dict
        By grade id, or by position where a cell has none. Text of one stream is joined; of an
        error, its name and value count and not the traceback.
    """
    found: dict[str, list[str]] = {}
    for at, cell in enumerate(nbformat.read(notebook, as_version=4).cells):
        if cell.cell_type != "code":
            continue
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or f"cell {at}"
        found[name] = _plain(cell.outputs)
    return found


def _plain(items: Iterable[Any]) -> list[str]:
    streams: dict[str, str] = {}
    others = []
    for item in items:
        if item.output_type == "stream":
            streams[item.name] = streams.get(item.name, "") + item.text
        elif item.output_type == "error":
            others.append(f"error {item.ename}: {item.evalue}")
        else:
            kinds = " ".join(sorted(item.data))
            others.append(f"{item.output_type} {kinds}: {item.data.get('text/plain', '')}")
    found = [f"{name}: {text}" for name, text in sorted(streams.items())] + others
    return [_ADDRESS.sub("0x…", _ANSI.sub("", text)).strip() for text in found]
