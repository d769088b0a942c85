"""nbgrader's quickstart course and the two submissions of its documentation, sealed and stock.

Everything comes from the installed wheel; none of it is copied into this project.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import nbgrader
import pytest

import compat
import gradebooks

SUBMITTED = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "submitted"
ASSIGNMENT = "ps1"
SCORES = {"bitdiddle": 1.5, "hacker": 3.0}
MAX_SCORE = 13


@dataclass(frozen=True)
class Graded:
    rows: dict[gradebooks.Place, gradebooks.Row]
    outputs: dict[str, dict[str, list[str]]]


def nbgrader_command(folder: Path, env: dict[str, str], *words: str) -> None:
    done = subprocess.run(
        [str(compat.BIN / "nbgrader"), *words],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def grade(folder: Path, mode: str) -> Graded:
    env = compat.environment_for(folder, mode)
    nbgrader_command(folder, env, "quickstart", "course")
    course = folder / "course"
    shutil.copytree(SUBMITTED, course / "submitted")
    nbgrader_command(course, env, "generate_assignment", ASSIGNMENT)
    nbgrader_command(course, env, "autograde", ASSIGNMENT)
    outputs = {
        f"{path.parts[-3]} {path.stem}": gradebooks.outputs(path)
        for path in sorted((course / "autograded").glob(f"*/{ASSIGNMENT}/*.ipynb"))
    }
    return Graded(gradebooks.rows(f"sqlite:///{course / 'gradebook.db'}", ASSIGNMENT), outputs)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return grade(tmp_path_factory.mktemp("stock"), "stock")


@pytest.fixture(scope="module", params=["sealed", "shared"])
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    return grade(tmp_path_factory.mktemp(request.param), request.param)


def totals(graded: Graded, column: str) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for (student, _, _), row in graded.rows.items():
        found[student] += row.get(column) or 0
    return dict(found)


@pytest.mark.slow
def test_stock_scores_as_its_documentation_says(stock: Graded) -> None:
    assert totals(stock, "auto_score") == SCORES
    assert totals(stock, "max_score") == dict.fromkeys(SCORES, MAX_SCORE)


@pytest.mark.slow
def test_every_cell_scores_the_same(stock: Graded, ours: Graded) -> None:
    assert stock.rows.keys() == ours.rows.keys()
    columns = {column for row in stock.rows.values() for column in row} - {"auto_comment"}
    assert {"auto_score", "manual_score", "needs_manual_grade", "late_penalty"} <= columns
    assert gradebooks.differences(stock.rows, ours.rows, columns=columns) == []


@pytest.mark.slow
def test_comments_differ_only_by_what_was_mended(stock: Graded, ours: Graded) -> None:
    found = gradebooks.differences(stock.rows, ours.rows, columns=["auto_comment"])
    # This one submission has changed checks, and cells with tags: stock nbgrader mends the texts
    # without a word.
    (line,) = found
    assert line.startswith("bitdiddle problem1 squares auto_comment: None and ")
    assert "correct_squares and squares_invalid_input" in line
    assert "tags" in line


@pytest.mark.slow
def test_every_cell_shows_the_same(stock: Graded, ours: Graded) -> None:
    assert ours.outputs == stock.outputs
