"""Graded notebooks for tests of the feedback page, made without nbgrader and without a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.feedback.exporter import FeedbackExporter
from autograder.feedback.hidden import Markers
from autograder.feedback.marks import Comment, Mark, Marks
from autograder.feedback.page import page_of
from autograder.feedback.records import Names, Page
from autograder.feedback.redact import redact
from autograder.feedback.steps import PAGE
from autograder.report import FINDINGS

NAMES = Names("toy", "99-toy", "learner")


def marked(grade_id: str, **more: object) -> dict[str, Any]:
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **flags, **more}}


def code(source: str, *outputs: NotebookNode, count: int = 1, **metadata: Any) -> NotebookNode:
    cell: NotebookNode = from_dict(
        new_code_cell(
            source.strip("\n"), outputs=list(outputs), execution_count=count, metadata=metadata
        )
    )
    return cell


def answer(grade_id: str, source: str, *outputs: NotebookNode, count: int = 1) -> NotebookNode:
    return code(source, *outputs, count=count, **marked(grade_id, solution=True))


def check(
    grade_id: str, source: str, *outputs: NotebookNode, points: float = 4, count: int = 9
) -> NotebookNode:
    mark = marked(grade_id, grade=True, locked=True, points=points)
    return code(source, *outputs, count=count, **mark)


def hidden(body: str) -> str:
    return f"# Hidden check (4 points).\n### BEGIN HIDDEN TESTS\n{body}\n### END HIDDEN TESTS"


def text(source: str, **metadata: Any) -> NotebookNode:
    cell: NotebookNode = from_dict(new_markdown_cell(source, metadata=metadata))
    return cell


def stream(words: str, name: str = "stdout") -> NotebookNode:
    output: NotebookNode = new_output("stream", name=name, text=words)
    return output


def shows(**data: object) -> NotebookNode:
    bundle = {name.replace("__", "/"): value for name, value in data.items()}
    output: NotebookNode = new_output("display_data", data=bundle)
    return output


def error(name: str, value: str = "", *frames: tuple[int, int]) -> NotebookNode:
    """Make an error as IPython writes it, with frames as (execution count, line)."""
    traceback = [
        "\x1b[0;31m---------\x1b[0m",
        f"\x1b[0;31m{name}\x1b[0m      Traceback (most recent call last)",
        *(
            f"Cell \x1b[0;32mIn[{count}], line {line}\x1b[0m\n\x1b[0;32m----> {line} f(91.375)"
            for count, line in frames
        ),
        "File \x1b[0;32m/opt/grader/autograder/exam.py:12\x1b[0m, in examine(91.375)",
        f"\x1b[0;31m{name}\x1b[0m: {value}",
    ]
    output: NotebookNode = new_output("error", ename=name, evalue=value, traceback=traceback)
    return output


def findings(**more: object) -> NotebookNode:
    data: dict[str, object] = {"hints": [], "critical": [], "concepts": [], **more}
    output: NotebookNode = new_output(
        "display_data", data={FINDINGS: data, "text/html": "<p>found</p>", "text/plain": "found"}
    )
    return output


def notebook(*cells: NotebookNode, **metadata: Any) -> NotebookNode:
    made: NotebookNode = new_notebook(cells=list(cells), metadata=metadata)
    return made


def marks(
    cells: Mapping[str, Mark] | None = None,
    comments: Mapping[str, str | Comment] | None = None,
    **more: float,
) -> Marks:
    written = {
        name: Comment(item) if isinstance(item, str) else item
        for name, item in (comments or {}).items()
    }
    return Marks(cells or {}, written, **more)


def page(nb: NotebookNode, of: Marks | None = None, names: Names = NAMES) -> Page:
    return page_of(redact(nb, Markers()), of or marks(), names)


def html(nb: NotebookNode, of: Marks | None = None, names: Names = NAMES) -> str:
    exporter = FeedbackExporter()  # type: ignore[no-untyped-call]
    written, _ = exporter.from_notebook_node(nb, {PAGE: page(nb, of, names)})
    return str(written)
