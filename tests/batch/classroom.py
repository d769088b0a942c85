"""A small course of two notebooks, and a class that hands in all kinds of things."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.batch.lean import import_lean

PS = "ps1"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "toy"
"""
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "why": "Because two of them are twice one.",
    "area": "def area(a, b):\n    return a * b",
}
WRONG = {"double": "def double(x):\n    return x", "area": "def area(a, b):\n    return a + b"}
PARTLY = {"double": "def double(x):\n    return 2 * x if x < 3 else 0", "area": RIGHT["area"]}


def marked(grade_id: str, **more: object) -> dict[str, object]:
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **flags, **more}}


def _notebook(*cells: NotebookNode) -> NotebookNode:
    language = {"name": "python", "version": "3.99.1"}
    notebook: NotebookNode = new_notebook(
        cells=list(cells), metadata={"kernelspec": KERNEL, "language_info": language}
    )
    return notebook


def _answer(name: str, solution: str) -> NotebookNode:
    source = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    cell: NotebookNode = new_code_cell(source, id=name, metadata=marked(name, solution=True))
    return cell


def _check(name: str, source: str, points: float) -> NotebookNode:
    metadata = marked(name, grade=True, locked=True, points=points)
    cell: NotebookNode = new_code_cell(source, id=name, metadata=metadata)
    return cell


def source_notebooks() -> dict[str, NotebookNode]:
    first = _notebook(
        new_markdown_cell("# Numbers", id="title"),
        new_code_cell("import math", id="setup", metadata=marked("setup", locked=True)),
        _answer("double", RIGHT["double"]),
        _check("double-visible", "assert double(1) == 2", 1),
        _check(
            "double-hidden",
            "### BEGIN HIDDEN TESTS\n"
            "sum(double(x) == 2 * x for x in (2, 3, 4))\n"
            "### END HIDDEN TESTS",
            3,
        ),
        new_markdown_cell(
            "### BEGIN SOLUTION\nIt is.\n### END SOLUTION",
            id="why",
            metadata=marked("why", grade=True, solution=True, points=2),
        ),
        new_markdown_cell(
            "Draw it.", id="task", metadata=marked("task", task=True, locked=True, points=2)
        ),
    )
    second = _notebook(
        _answer("area", RIGHT["area"]),
        _check(
            "area-check", "### BEGIN HIDDEN TESTS\nassert area(2, 3) == 6\n### END HIDDEN TESTS", 2
        ),
    )
    return {"numbers": first, "shapes": second}


def make_course(folder: Path, config: str = CONFIG) -> Path:
    """Make a course whose assignment is in the gradebook."""
    source = folder / "source" / PS
    source.mkdir(parents=True)
    for name, notebook in source_notebooks().items():
        nbformat.write(notebook, source / f"{name}.ipynb")
    (source / "table.csv").write_text("a,b\n1,2\n")
    (folder / "nbgrader_config.py").write_text(config)
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", PS],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def hand_in(
    course: Path,
    student: str,
    answers: Mapping[str, str] | None = None,
    *,
    timestamp: str = "",
    notebooks: tuple[str, ...] = ("numbers", "shapes"),
    files: Mapping[str, str] | None = None,
) -> Path:
    """Hand in an answer to each exercise; what is not answered stays as released."""
    folder = course / "submitted" / student / PS
    folder.mkdir(parents=True, exist_ok=True)
    for name in notebooks:
        notebook = nbformat.read(course / "release" / PS / f"{name}.ipynb", 4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id in (answers or {}):
                cell.source = (answers or {})[grade_id]
        nbformat.write(notebook, folder / f"{name}.ipynb")
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)
    for name, content in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def mixed_class(course: Path) -> None:
    """Hand in right, wrong, crashing, late, broken and incomplete work, and extra files."""
    hand_in(course, "ada", RIGHT)
    hand_in(course, "bob", WRONG)
    hand_in(course, "cay", PARTLY, timestamp="2026-01-02 00:00:00 UTC")
    hand_in(course, "dan", {"double": "raise ValueError('no')", "area": RIGHT["area"]})
    hand_in(course, "eve", {"double": "def double(x", "area": "1 / 0"})
    hand_in(course, "fay", RIGHT, notebooks=("numbers",))
    hand_in(course, "gus", RIGHT, files={"data/own.txt": "mine", "table.csv": "not theirs"})
    hand_in(course, "hal")
    folder = hand_in(course, "ivy", RIGHT)
    (folder / "numbers.ipynb").write_text('{"cells": [')


def copy_of(course: Path, folder: Path) -> Path:
    """Copy a course, gradebook and all."""
    return Path(shutil.copytree(course, folder, symlinks=True))


def dump(course: Path) -> list[tuple[Any, ...]]:
    """Say all that the gradebook holds of submissions, without its random ids."""
    return dump_of(sqlite3.connect(course / "gradebook.db").execute)


def dump_of(execute: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    submitted = (
        " FROM submitted_assignment sa JOIN submitted_notebook sn ON sn.assignment_id = sa.id"
        " JOIN notebook n ON n.id = sn.notebook_id JOIN assignment a ON a.id = sa.assignment_id"
    )
    cells = " JOIN base_cell c ON c.id = x.cell_id"
    queries = {
        "notebook": "SELECT sa.student_id, a.name, n.name, sn.late_submission_penalty, sn.flagged"
        + submitted,
        "grade": "SELECT sa.student_id, a.name, n.name, c.name, c.type, x.auto_score,"
        " x.manual_score, x.extra_credit, x.needs_manual_grade"
        + submitted
        + " JOIN grade x ON x.notebook_id = sn.id"
        + cells,
        "comment": "SELECT sa.student_id, a.name, n.name, c.name, c.type, x.auto_comment,"
        " x.manual_comment" + submitted + " JOIN comment x ON x.notebook_id = sn.id" + cells,
        "submission": "SELECT sa.student_id, a.name, sa.timestamp, sa.extension"
        " FROM submitted_assignment sa JOIN assignment a ON a.id = sa.assignment_id",
        "student": "SELECT id, first_name, last_name, email FROM student",
    }
    for kind, query in queries.items():
        rows += sorted(((kind, *row) for row in execute(query)), key=repr)
    return rows


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Say what lies in a folder: modes and contents."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode & 0o777, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def grade_by_hand(course: Path, student: str) -> None:
    """Leave what a person leaves: scores, extra credit, a comment."""
    import_lean()
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "toy") as book:
        grade = book.find_grade("why", "numbers", PS, student)
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 1.5, 0.5, False
        book.find_grade("double-hidden", "numbers", PS, student).manual_score = 2.5
        book.find_comment("why", "numbers", PS, student).manual_comment = "Well said."
        book.db.commit()
