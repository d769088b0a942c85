"""A submitted notebook is put back to what the instructor meant, whatever became of it."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum

from autograder.sealed.cells import (
    Restored,
    TrustedCell,
    broken_notebook,
    is_foreign,
    plan,
    restore,
)

HIDDEN = "### BEGIN HIDDEN TESTS\nassert {0}(91.375) == 182.75\n### END HIDDEN TESTS"


def marks(grade_id: str, **more: object) -> dict[str, object]:
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **flags, **more}}


def source() -> NotebookNode:
    """Make an instructor's notebook: two exercises, an example, a task."""
    cells = [
        new_markdown_cell("# Title", id="title", metadata=marks("title", locked=True)),
        new_code_cell(
            "import math", id="setup", metadata={**marks("setup", locked=True), "tags": ["hide"]}
        ),
    ]
    for name in ("f", "g"):
        cells += [
            new_markdown_cell(f"Write {name}.", id=f"{name}-text"),
            new_code_cell("# YOUR CODE HERE", id=name, metadata=marks(name, solution=True)),
            new_code_cell(f"{name}(1)", id=f"{name}-example"),
            new_code_cell(
                HIDDEN.format(name),
                id=f"{name}-check",
                metadata=marks(f"{name}-check", grade=True, locked=True, points=4),
            ),
        ]
    cells += [
        new_markdown_cell(
            "Your words", id="words", metadata=marks("words", grade=True, solution=True, points=2)
        ),
        new_markdown_cell("A task", id="task", metadata=marks("task", task=True, locked=True)),
    ]
    cells[-1].metadata.nbgrader["points"] = 3
    notebook: NotebookNode = new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    return notebook


KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
SOURCE = source()


def trusted_of(notebook: NotebookNode) -> tuple[TrustedCell, ...]:
    found = []
    for cell in notebook.cells:
        data = cell.metadata.get("nbgrader")
        if data:
            found.append(
                TrustedCell(
                    data["grade_id"],
                    cell.cell_type,
                    cell.source,
                    locked=not data["solution"],
                    checksum=compute_checksum(cell),
                    grade=data["grade"],
                    solution=data["solution"],
                    task=data["task"],
                    points=data.get("points"),
                )
            )
    return tuple(found)


TRUSTED = trusted_of(SOURCE)
IDS = [cell.grade_id for cell in TRUSTED]
ANSWERS = {"f": "def f(x):\n    return 2 * x", "g": "def g(x):\n    return 3 * x", "words": "So."}


def released() -> NotebookNode:
    """Make what a learner gets, answered."""
    notebook = copy.deepcopy(SOURCE)
    for cell in notebook.cells:
        if "HIDDEN" in cell.source:
            cell.source = "# A hidden check"
        cell.source = ANSWERS.get(cell.id, cell.source)
    return notebook


NO_NOTEBOOK = new_notebook()


def find(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    found: list[NotebookNode] = [
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    ]
    assert len(found) == 1
    return found[0]


def index(notebook: NotebookNode, cell_id: str) -> int:
    return [cell.id for cell in notebook.cells].index(cell_id)


def done(submitted: NotebookNode, template: NotebookNode | None = SOURCE) -> Restored:
    before = copy.deepcopy(submitted)
    restored = restore(submitted, TRUSTED, template)
    assert submitted == before
    notebook = restored.notebook
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    found = [
        cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata
    ]
    assert sorted(found) == sorted(IDS)
    for mark in TRUSTED:
        cell = find(notebook, mark.grade_id)
        assert cell.cell_type == mark.cell_type
        assert cell.metadata.nbgrader.grade is mark.grade
        assert cell.metadata.nbgrader.get("points") == mark.points
        assert set(cell.metadata) <= {"nbgrader", "editable", "deletable", "tags"}
        given = [c.metadata.get("tags") for c in (template or NO_NOTEBOOK).cells if c.id == cell.id]
        tags = given[0] if given else None
        assert cell.metadata.get("tags") == tags
        if mark.locked:
            assert cell.source == mark.source
            assert compute_checksum(cell) == mark.checksum
    assert restore(submitted, TRUSTED, template).notebook == notebook
    return restored


def answers(restored: Restored) -> dict[str, str]:
    return {name: find(restored.notebook, name).source for name in ANSWERS}


def test_an_untouched_order_needs_no_remark() -> None:
    restored = done(released())
    assert restored.remarks == ()
    assert answers(restored) == ANSWERS
    assert [cell.id for cell in restored.notebook.cells] == [cell.id for cell in SOURCE.cells]


def deleted(*names: str) -> Callable[[NotebookNode], None]:
    def accident(notebook: NotebookNode) -> None:
        notebook.cells = [cell for cell in notebook.cells if cell.id not in names]

    return accident


def copied(name: str, text: str | None = None) -> Callable[[NotebookNode], None]:
    def accident(notebook: NotebookNode) -> None:
        at = index(notebook, name)
        twin = copy.deepcopy(notebook.cells[at])
        twin.id = f"{name}-again"
        twin.source = twin.source if text is None else text
        notebook.cells.insert(at + 1, twin)

    return accident


def retyped(name: str, cell_type: str) -> Callable[[NotebookNode], None]:
    def accident(notebook: NotebookNode) -> None:
        cell = notebook.cells[index(notebook, name)]
        cell.cell_type = cell_type
        for key in ("outputs", "execution_count"):
            cell.pop(key, None)

    return accident


def remarked(name: str, **flags: object) -> Callable[[NotebookNode], None]:
    def accident(notebook: NotebookNode) -> None:
        notebook.cells[index(notebook, name)].metadata.nbgrader.update(flags)

    return accident


def tagged(name: str) -> Callable[[NotebookNode], None]:
    def accident(notebook: NotebookNode) -> None:
        metadata = notebook.cells[index(notebook, name)].metadata
        metadata["tags"] = ["skip-execution", "raises-exception"]
        metadata["anything"] = {"deep": [1, 2]}

    return accident


def moved(name: str, to: int) -> Callable[[NotebookNode], None]:
    def accident(notebook: NotebookNode) -> None:
        cell = notebook.cells.pop(index(notebook, name))
        notebook.cells.insert(to, cell)

    return accident


def stripped(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata = NotebookNode()


def renamed(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.id = f"x{random.Random(cell.id).getrandbits(32)}"


def worthless(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.update(points=100, checksum="0" * 32, schema_version=99, x=1)


def junk(notebook: NotebookNode) -> None:
    for at, cell in enumerate(notebook.cells):
        cell.metadata["tags"] = "no list"
        cell["attachments"] = {"a.svg": {"image/svg+xml": "<svg onload=x>"}}
        if at % 3 == 0 and "nbgrader" not in cell.metadata:
            cell.metadata["nbgrader"] = ["no", "mark"]


@pytest.mark.parametrize(
    ("accident", "remark"),
    [
        (deleted("f-check"), "The cell f-check was missing and is put back."),
        (deleted("title", "g-check"), "The cells title and g-check were missing and are put back."),
        (copied("f-check"), "The cell f-check was there more than once and counts once."),
        (copied("f-check", "pass"), "The cell f-check was there more than once and counts once."),
        (copied("title"), "The cell title was there more than once and counts once."),
        (copied("f"), "The cell f was there more than once; the last copy that differs"),
        (retyped("f-check", "markdown"), "The cell f-check had another cell type"),
        (retyped("f-check", "raw"), "The cell f-check had another cell type"),
        (retyped("f", "markdown"), "The cell f had another cell type"),
        (remarked("f-check", grade=False), "The marks of the cell f-check were changed"),
        (remarked("f-check", solution=True), "The marks of the cell f-check were changed"),
        (remarked("f", grade=True, points=9), "The marks of the cell f were changed"),
        (remarked("task", task=False), "The marks of the cell task were changed"),
        (tagged("f-check"), "The cell f-check had tags of the learner's, which are dropped."),
        (moved("f-check", 0), "The cell f-check stood in another place and is put back in order."),
        (moved("g", 1), "The cell g stood in another place"),
        (stripped, "had lost their marks and are recognized by their ids."),
        (junk, ""),
        (renamed, ""),
        (worthless, ""),
    ],
)
def test_an_accident_is_undone_and_told(
    accident: Callable[[NotebookNode], None], remark: str
) -> None:
    submitted = released()
    accident(submitted)
    restored = done(submitted)
    assert remark in " ".join(restored.remarks)
    assert answers(restored) == ANSWERS
    order = [
        cell.metadata.nbgrader.grade_id
        for cell in restored.notebook.cells
        if "nbgrader" in cell.metadata
    ]
    assert order == IDS


def test_a_changed_text_of_the_instructors_is_told_where_it_can_be_seen() -> None:
    submitted = released()
    find(submitted, "setup").source = "import cmath as math"
    restored = done(submitted)
    assert restored.remarks == ("The text of the cell setup was changed; the original counts.",)


@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        (("# YOUR CODE HERE", "right"), "right"),
        (("right", "# YOUR CODE HERE"), "right"),
        (("first", "second"), "second"),
        (("same", "same"), "same"),
        (("# YOUR CODE HERE", "# YOUR CODE HERE"), "# YOUR CODE HERE"),
        (("first", "second", "# YOUR CODE HERE"), "second"),
    ],
)
def test_of_copied_answers_the_last_that_was_worked_on_counts(
    texts: tuple[str, ...], answer: str
) -> None:
    submitted = released()
    at = index(submitted, "f")
    twins = []
    for number, text in enumerate(texts):
        twin = copy.deepcopy(submitted.cells[at])
        twin.update(id=f"f{number}", source=text)
        twins.append(twin)
    submitted.cells[at : at + 1] = twins
    restored = done(submitted)
    assert find(restored.notebook, "f").source == answer
    # The other copies still run, as cells of the learner's own.
    sources = [cell.source for cell in restored.notebook.cells]
    assert sorted(s for s in sources if s in texts) == sorted(texts)


def test_the_learners_own_cells_stay_where_they_are() -> None:
    submitted = released()
    submitted.cells.insert(0, new_code_cell("before = 1", id="before"))
    submitted.cells.insert(index(submitted, "f"), new_code_cell("def helper(): ...", id="helper"))
    submitted.cells.append(new_markdown_cell("after", id="after"))
    deleted("f-check")(submitted)
    ids = [cell.id for cell in done(submitted).notebook.cells]
    assert ids[0] == "before"
    assert ids[-1] == "after"
    assert ids.index("f-text") < ids.index("helper") < ids.index("f")
    assert ids.index("f-example") + 1 == ids.index("f-check")


def test_foreign_marks_are_dropped() -> None:
    submitted = released()
    foreign = new_code_cell("x = 1", metadata=marks("other-check", grade=True, points=50))
    submitted.cells.append(foreign)
    restored = done(submitted)
    assert restored.remarks == (
        "A cell bore the mark of another assignment and counts as one of the learner's own.",
    )
    assert not is_foreign(submitted, TRUSTED)
    assert is_foreign(new_notebook(cells=[foreign]), TRUSTED)
    assert not is_foreign(new_notebook(), TRUSTED)


def test_a_learners_cell_cannot_take_a_checks_id() -> None:
    submitted = released()
    deleted("f-check")(submitted)
    submitted.cells.append(new_code_cell("4.0", id="f-check", metadata=marks("nothing")))
    restored = done(submitted)
    assert find(restored.notebook, "f-check").id == "f-check"
    assert restored.notebook.cells[-1].id != "f-check"


def test_pictures_stay_attached_and_scripts_do_not() -> None:
    submitted = released()
    find(submitted, "words")["attachments"] = {
        "a.png": {"image/png": "iVBORw0KGgo="},
        "b.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"},
    }
    cell = find(done(submitted).notebook, "words")
    assert cell.attachments == {"a.png": {"image/png": "iVBORw0KGgo="}}


def test_outputs_go_unless_they_are_asked_for() -> None:
    submitted = released()
    find(submitted, "f-check").outputs = [new_output("stream", text="4")]
    assert find(done(submitted).notebook, "f-check").outputs == []
    kept = restore(submitted, TRUSTED, SOURCE, keep_outputs=True).notebook
    assert find(kept, "f-check").outputs == find(submitted, "f-check").outputs


def test_the_kernel_is_the_instructors() -> None:
    submitted = released()
    submitted.metadata = NotebookNode(
        kernelspec={"name": "blarg", "display_name": "b", "language": "blarg"}, widgets={"x": 1}
    )
    assert done(submitted).notebook.metadata == {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
    }
    without = copy.deepcopy(SOURCE)
    del without.metadata["kernelspec"]
    assert done(submitted, without).notebook.metadata.kernelspec == KERNEL
    kept = restore(submitted, TRUSTED, without, keep_kernel=True).notebook
    assert kept.metadata.kernelspec.name == "blarg"


def test_without_the_instructors_notebook_the_gradebook_gives_the_order() -> None:
    submitted = released()
    moved("f-check", 0)(submitted)
    deleted("g-check", "title")(submitted)
    restored = done(submitted, None)
    order = [
        cell.metadata.nbgrader.grade_id
        for cell in restored.notebook.cells
        if "nbgrader" in cell.metadata
    ]
    assert order == IDS


def test_a_cell_that_the_instructors_notebook_lacks_keeps_its_place() -> None:
    template = copy.deepcopy(SOURCE)
    deleted("setup", "g")(template)
    order = [
        cell.metadata.nbgrader.grade_id
        for cell in done(released(), template).notebook.cells
        if "nbgrader" in cell.metadata
    ]
    assert order == IDS


def test_an_empty_submission_is_the_assignment_unanswered() -> None:
    restored = done(new_notebook())
    assert answers(restored) == {
        "f": "# YOUR CODE HERE",
        "g": "# YOUR CODE HERE",
        "words": "Your words",
    }
    assert "and 5 more were missing" in restored.remarks[0]


def test_any_disorder_ends_in_the_same_notebook() -> None:
    dice = random.Random(7)
    wanted = done(released()).notebook
    marked = [cell for cell in wanted.cells if "nbgrader" in cell.metadata]
    for _ in range(40):
        submitted = released()
        dice.shuffle(submitted.cells)
        for cell in dice.sample(submitted.cells, 3):
            twin = copy.deepcopy(cell)
            twin.id = f"twin{dice.getrandbits(20)}"
            submitted.cells.insert(dice.randrange(len(submitted.cells)), twin)
        restored = done(submitted).notebook
        assert [cell for cell in restored.cells if "nbgrader" in cell.metadata] == marked


def test_a_broken_submission_is_the_assignment_with_the_reason() -> None:
    notebook = broken_notebook(TRUSTED, SOURCE, "It is not a notebook.")
    nbformat.validate(notebook)
    assert notebook.metadata.autograder == {"mode": "sealed", "broken": "It is not a notebook."}
    assert len(notebook.cells) == len(TRUSTED)


def test_the_plan_says_what_runs_where() -> None:
    submitted = released()
    find(submitted, "f").source = ""
    submitted.cells.append(new_code_cell("own()", id="own"))
    submitted.cells[index(submitted, "g-example")].source = "g(2)"
    planned = plan(done(submitted).notebook, SOURCE)
    roles = {cell.source if cell.grade_id is None else cell.grade_id: cell.role for cell in planned}
    assert roles["setup"] == "instructor"
    assert roles["f"] == "text"  # nothing to run
    assert roles["f(1)"] == "instructor"  # as the instructor wrote it
    assert roles["g(2)"] == "learner"
    assert roles["own()"] == "learner"
    assert roles["g"] == "learner"
    assert roles["f-check"] == roles["g-check"] == "check"
    assert roles["words"] == roles["task"] == roles["title"] == "text"
    numbers = [cell.number for cell in planned if cell.role != "text"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [cell.index for cell in planned] == list(range(len(planned)))


def test_without_the_instructors_notebook_no_unmarked_cell_is_trusted() -> None:
    planned = plan(done(released()).notebook)
    assert {cell.role for cell in planned if cell.grade_id is None} == {"learner", "text"}


def test_a_graded_answer_runs_as_the_learners() -> None:
    cell = new_code_cell("x = 1", metadata=marks("x", grade=True, solution=True, points=1))
    assert [planned.role for planned in plan(new_notebook(cells=[cell]))] == ["learner"]
