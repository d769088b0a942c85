"""Scores are nbgrader's, but no partial credit leaves its range; comments say what was unusual."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import compute_checksum, determine_grade

from autograder.sealed.scoring import save, score_of, verdict_of


def graded(*outputs: NotebookNode, name: str = "check", **more: Any) -> NotebookNode:
    flags = {"grade": True, "solution": False, "locked": True, "task": False, "points": 4, **more}
    cell: NotebookNode = new_code_cell(
        "x", outputs=list(outputs), metadata={"nbgrader": {"grade_id": name, **flags}}
    )
    return cell


def result(text: Any) -> NotebookNode:
    output: NotebookNode = new_output(
        "execute_result", data={"text/plain": text}, execution_count=1
    )
    return output


ERROR = new_output("error", ename="E", evalue="", traceback=[])
STDERR = new_output("stream", name="stderr", text="careful")
STDOUT = new_output("stream", name="stdout", text="3")


@pytest.mark.parametrize(
    "outputs",
    [
        (),
        (STDOUT,),
        (STDERR,),
        (ERROR,),
        (result("3"),),
        (result("0"),),
        (result("4.0"),),
        (result("2.5"), ERROR),
        (ERROR, result("3")),
        (STDERR, result("3")),
        (STDOUT, result("3")),
        (result("'yes'"),),
        (result("True"),),
        (result("np.float64(3.0)"),),
        (new_output("display_data", data={"text/plain": "1"}), result("2")),
    ],
)
def test_ordinary_scores_are_nbgraders(outputs: tuple[NotebookNode, ...]) -> None:
    cell = graded(*outputs)
    scored = score_of(cell)
    assert (scored.score, scored.points) == determine_grade(cell)
    assert scored.diagnosis == ""


@pytest.mark.parametrize(
    ("text", "score", "said"),
    [
        ("nan", 0, "no number of points"),
        ("inf", 0, "no number of points"),
        ("-inf", 0, "no number of points"),
        ("-3", 0, "counts as 0"),
        ("5", 4, "more than 4 points, and counts as 4"),
        ("1e308", 4, "counts as 4"),
        ("4.0000000001", 4, ""),
    ],
)
def test_partial_credit_stays_in_its_range(text: str, score: float, said: str) -> None:
    scored = score_of(graded(result(text)))
    assert scored.score == score
    assert said in scored.diagnosis
    assert bool(said) is bool(scored.diagnosis)


def test_only_graded_cells_have_scores() -> None:
    with pytest.raises(ValueError, match="not a graded cell"):
        score_of(graded(grade=False))


def answered(name: str, *, blank: bool = False) -> NotebookNode:
    cell: NotebookNode = graded(name=name, grade=False, solution=True, locked=False)
    cell.metadata.nbgrader["checksum"] = compute_checksum(cell) if blank else "0" * 32
    return cell


def test_comments_stand_where_they_belong() -> None:
    first, second = answered("a"), answered("b", blank=True)
    first.metadata["autograder"] = {"status": "timeout", "diagnosis": "Too long."}
    check = graded(result("9"), name="a-check")
    check.metadata["autograder"] = {"status": "limit", "diagnosis": "Too much."}
    own = new_code_cell("y", metadata={"autograder": {"diagnosis": "It died."}})
    nb = new_notebook(
        cells=[first, own, check, second, graded(result("1"), name="b-check")],
        metadata={"autograder": {"mode": "sealed", "remarks": ["A cell was mended."]}},
    )
    verdict = verdict_of(nb)
    assert {name: scored.score for name, scored in verdict.scores.items()} == {
        "a-check": 4,
        "b-check": 1,
    }
    assert verdict.comments == {
        "a": "Too long. It died. Too much. "
        "The check ended with more than 4 points, and counts as 4. A cell was mended.",
        "b": "No response.",
    }


def test_a_task_gets_no_response_only_by_a_person() -> None:
    flags = {"grade_id": "t", "grade": False, "solution": False, "locked": True, "task": True}
    cell = new_markdown_cell("x", metadata={"nbgrader": {**flags, "points": 1}})
    cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    verdict = verdict_of(new_notebook(cells=[cell]))
    assert verdict.comments == {"t": None}
    assert verdict.scores == {}


def row(name: str, **more: Any) -> SimpleNamespace:
    values = {"auto_score": 3.0, "manual_score": None, "needs_manual_grade": True}
    return SimpleNamespace(name=name, **{**values, **more})


def test_what_is_saved() -> None:
    notebook = SimpleNamespace(
        grades=[row("check"), row("task"), row("words", manual_score=1.0)],
        comments=[
            SimpleNamespace(name="b", auto_comment="old"),
            SimpleNamespace(name="a", auto_comment="old"),
        ],
    )
    words = graded(name="words", solution=True, locked=False)
    nb = new_notebook(cells=[answered("a"), graded(result("2")), words])
    save(notebook, verdict_of(nb))
    check, task, by_hand = notebook.grades
    assert (check.auto_score, check.needs_manual_grade) == (2, False)
    assert (task.auto_score, task.needs_manual_grade) == (3, True)  # untouched
    assert (by_hand.auto_score, by_hand.manual_score, by_hand.needs_manual_grade) == (None, 1, True)
    assert [comment.auto_comment for comment in notebook.comments] == ["old", None]

    broken = new_notebook(metadata={"autograder": {"broken": "No notebook."}})
    save(notebook, verdict_of(broken))
    assert [grade.auto_score for grade in notebook.grades] == [None, None, None]
    assert all(grade.needs_manual_grade for grade in notebook.grades)
    assert [comment.auto_comment for comment in notebook.comments] == [None, "No notebook."]
