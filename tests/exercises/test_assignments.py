"""What holds for every source notebook: its cells, its texts, and its visible checks."""

from __future__ import annotations

import contextlib
import io
import re
from itertools import pairwise
from pathlib import Path

import pytest
from tests.exercises.assignment import SOURCES, code_of, foundations, read, released, run, slugs
from tests.lessons.style import complaints

from crs.exercises import NotYetError

EXERCISES = [
    pytest.param(path, slug, id=f"{path.parent.name}-{slug}")
    for path in SOURCES
    for slug in slugs(read(path))
]


@pytest.fixture(params=SOURCES, ids=lambda path: path.parent.name)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


def test_there_are_assignments_to_check() -> None:
    assert SOURCES
    assert EXERCISES


def test_an_exercise_has_its_cells_in_order(path: Path) -> None:
    notebook = read(path)
    order = [cell.id for cell in notebook.cells]
    for slug in slugs(notebook):
        cells = [f"{slug}-text", slug, f"{slug}-try", f"{slug}-visible", f"{slug}-check"]
        places = [order.index(cell) for cell in cells]
        assert places == sorted(places)


def test_the_grade_id_is_the_cell_id(path: Path) -> None:
    for cell in read(path).cells:
        if "nbgrader" in cell.metadata:
            assert cell.metadata.nbgrader.grade_id == cell.id


def test_outputs_are_stripped(path: Path) -> None:
    for cell in read(path).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_one_title_and_no_skipped_level(path: Path) -> None:
    levels = []
    for cell in released(path).cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
            levels += [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_the_words_keep_the_house_style(path: Path) -> None:
    found = {}
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            words = re.sub(r"<!--.*?-->", "", cell.source)  # the marks around a mark scheme
            if complaints(words):
                found[cell.id] = complaints(words)
    assert found == {}


def test_a_release_tells_nothing(path: Path) -> None:
    text = "\n".join(cell.source for cell in released(path).cells)
    for word in ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "autograder.exams", "examine("):
        assert word not in text


@pytest.mark.parametrize(("path", "slug"), EXERCISES)
def test_a_visible_check_passes_with_the_instructors_solution(path: Path, slug: str) -> None:
    notebook = read(path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        run([*foundations(notebook), code_of(notebook)[f"{slug}-visible"]])
    assert printed.getvalue(), "the learner is told that the check passes"


@pytest.mark.parametrize(("path", "slug"), EXERCISES)
def test_a_visible_check_of_an_untouched_copy_says_what_to_do(path: Path, slug: str) -> None:
    notebook = released(path)
    code = code_of(notebook)
    assert "# YOUR CODE HERE" in code[slug]
    name = re.findall(r"^def (\w+)", code[slug], re.MULTILINE)[0]
    with pytest.raises(NotYetError, match=f"{name} is not written yet"):
        run([*foundations(notebook), code[f"{slug}-visible"]])


@pytest.mark.parametrize(("path", "slug"), EXERCISES)
@pytest.mark.parametrize("who", ["learner", "instructor"])
def test_trying_works_before_and_after(path: Path, slug: str, who: str) -> None:
    """The cell to try a function must not stop a notebook that is run as a whole."""
    notebook = released(path) if who == "learner" else read(path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        run([*foundations(notebook), code_of(notebook)[f"{slug}-try"]])
    assert ("not written yet" in printed.getvalue()) == (who == "learner")
