"""The page through nbgrader's own steps: the command's converter, the API, and its gradebook."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from tests.feedback.notebooks import (
    answer,
    check,
    code,
    error,
    findings,
    hidden,
    marked,
    notebook,
    shows,
    text,
)
from traitlets.config import Config

SECRET = "91.375"
PIXEL = Path(__file__).resolve().parents[2] / "docs" / "images" / "comparator.png"

Feedback = Callable[..., str]


def graded_notebook() -> NotebookNode:
    return notebook(
        text("# A toy\n\n![The scale](scale.png) ![Outside](../../../gradebook.db)"),
        text("## Doubling", **marked("text", locked=True)),
        answer("double", "def double(x):\n    return x", count=1),
        check(
            "double-check",
            hidden(f"examine({SECRET})"),
            shows(text__plain=SECRET),
            findings(hints=["Your function gives back what it got."]),
        ),
        text("## Halving"),
        answer("halve", "def halve(x):\n    return x / 0", count=2),
        check(
            "halve-check",
            hidden(f"assert halve({SECRET}) == 1"),
            error("ZeroDivisionError", SECRET, (9, 2), (2, 2)),
        ),
        text("## In words", **marked("words", task=True, points=2, locked=True)),
        code("print(1)"),
    )


@pytest.fixture
def feedback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Feedback:
    """Give a function that puts a graded notebook into a course and makes its page."""
    # nbgrader starts the command alembic, which lies beside the interpreter.
    monkeypatch.setenv(
        "PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    folder = tmp_path / "autograded" / "learner" / "99-toy"
    folder.mkdir(parents=True)
    address = f"sqlite:///{tmp_path / 'gradebook.db'}"
    with Gradebook(address) as gradebook:
        gradebook.add_assignment("99-toy", duedate="2026-01-01T12:00:00")
        gradebook.add_notebook("toy", "99-toy")
        for name in ("double", "halve"):
            place = {"notebook": "toy", "assignment": "99-toy"}
            gradebook.add_solution_cell(name, **place)
            gradebook.add_grade_cell(f"{name}-check", max_score=4, cell_type="code", **place)
        gradebook.add_task_cell("words", max_score=2, cell_type="markdown", **place)
        gradebook.add_student("learner")
        gradebook.add_submission("99-toy", "learner", timestamp="2026-01-02T14:00:00")

    def make(
        nb: NotebookNode, *, change: Callable[[Any], None] | None = None, **options: Any
    ) -> str:
        nbformat.write(nb, folder / "toy.ipynb")
        if change is not None:
            with Gradebook(address) as gradebook:
                change(gradebook)
                gradebook.db.commit()
        config = Config(options)
        config.CourseDirectory.root = str(tmp_path)
        config.GenerateFeedback.exporter_class = "autograder.feedback.FeedbackExporter"
        config.GenerateFeedback.preprocessors = [
            "autograder.feedback.DropHiddenChecks",
            "autograder.feedback.MakePage",
        ]
        done = NbGraderAPI(config=config).generate_feedback("99-toy", "learner")
        assert done["success"], done
        return (tmp_path / "feedback" / "learner" / "99-toy" / "toy.html").read_text()

    shutil.copy(PIXEL, folder / "scale.png")
    (tmp_path / "secret.png").write_bytes(PIXEL.read_bytes())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    return make


def grade(gradebook: Any) -> None:
    for name, auto in (("double-check", 1.0), ("halve-check", 0.0)):
        found = gradebook.find_grade(name, "toy", "99-toy", "learner")
        found.auto_score, found.needs_manual_grade = auto, False
    comment = gradebook.find_comment("double", "toy", "99-toy", "learner")
    comment.manual_comment = "Nearly <script>there</script>."
    comment = gradebook.find_comment("halve", "toy", "99-toy", "learner")
    comment.auto_comment = "No response."


def test_the_page_is_made_from_the_notebook_and_the_gradebook(feedback: Feedback) -> None:
    page = feedback(graded_notebook(), change=grade)
    assert "<h1>1 of 10 so far; 2 await your instructor</h1>" in page
    assert "Handed in 26 hours late: no points were taken off for it." in page
    assert "Your function gives back what it got." in page
    assert "Your code stopped with a ZeroDivisionError (line 2 of its cell)." in page
    assert "From your instructor" in page
    assert "Nearly" in page
    assert "No response" not in page
    for word in (SECRET, "HIDDEN TESTS", "examine", "<script"):
        assert word not in page


def test_a_grade_by_hand_and_a_penalty_reach_the_page(feedback: Feedback) -> None:
    def by_hand(gradebook: Any) -> None:
        grade(gradebook)
        found = gradebook.find_grade("words", "toy", "99-toy", "learner")
        found.manual_score, found.needs_manual_grade, found.extra_credit = 2.0, False, 0.5
        submitted = gradebook.find_submission_notebook("toy", "99-toy", "learner")
        submitted.late_submission_penalty = 1.0

    page = feedback(graded_notebook(), change=by_hand)
    assert "<h1>2.5 of 10 points</h1>" in page
    assert "1 point was taken off for it." in page
    assert "0.5 of your points are extra credit." in page


def test_pictures_beside_the_notebook_are_put_in_and_no_other_file(feedback: Feedback) -> None:
    nb = graded_notebook()
    nb.cells[0].source += " ![Link](link.png) ![Up](../../../secret.png) ![Abs](/etc/passwd)"
    page = feedback(nb, change=grade)
    assert page.count('<img src="data:image/png;base64,') == 1
    assert page.count('<span class="missing">Picture: ') == 4


def test_a_broken_submission_without_a_row_in_the_gradebook(feedback: Feedback) -> None:
    def forget(gradebook: Any) -> None:
        gradebook.remove_submission("99-toy", "learner")

    nb = notebook(autograder={"broken": "The file is not a notebook."})
    page = feedback(nb, change=forget)
    assert "<h1>This notebook could not be graded</h1>" in page
    assert "The file is not a notebook." in page


def test_the_marking_scheme_is_an_option(feedback: Feedback) -> None:
    nb = graded_notebook()
    nb.cells[-2].source += "\n\n=== BEGIN MARK SCHEME ===\n\nTwo words.\n\n=== END MARK SCHEME ==="
    assert "Two words" not in feedback(nb, change=grade)
    page = feedback(nb, DropHiddenChecks={"show_mark_scheme": True})
    assert "Two words" in page
    assert "MARK SCHEME" not in page


def test_the_courses_own_markers_are_taken_from_nbgraders_settings(feedback: Feedback) -> None:
    nb = graded_notebook()
    for cell in (nb.cells[3], nb.cells[6]):
        cell.source = f"# Check\n# >>> secret\ncheck({SECRET})\n# <<< secret"
    markers = {"begin_test_delimeter": ">>> secret", "end_test_delimeter": "<<< secret"}
    page = feedback(nb, change=grade, ClearHiddenTests=markers)
    assert SECRET not in page
    assert ">Check<" in page


def test_without_the_step_that_hides_there_is_no_page(tmp_path: Path) -> None:
    from jinja2 import UndefinedError

    from autograder.feedback import FeedbackExporter

    exporter = FeedbackExporter()  # type: ignore[no-untyped-call]
    with pytest.raises(UndefinedError):
        exporter.from_notebook_node(graded_notebook())
