"""The submissions that grading is measured on are what they are said to be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest

import submission_mix
from autograder.exams import grading
from submission_mix import Made

ASSIGNMENT = "05-grading"


@pytest.fixture(scope="module")
def made(root: Path) -> list[Made]:
    return make(root)


def make(root: Path) -> list[Made]:
    (released,) = sorted((root / "release" / ASSIGNMENT).glob("*.ipynb"))
    styles = submission_mix.styles_of(ASSIGNMENT)
    return list(submission_mix.mix(nbformat.read(released, as_version=4), styles, 100))


def answers(item: Made) -> list[str]:
    return [
        cell.source
        for cell in item.notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    ]


def lost(item: Made) -> dict[str, float]:
    """Run a submission's answers here, and return the points that each exercise misses."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for source in answers(item):
        exec(compile(source, "<cell>", "exec"), names)
    missed = {}
    for name in submission_mix.styles_of(ASSIGNMENT)[0]:
        exam = getattr(grading, name)
        missed[name] = exam.points - exam.result(names[name]).score
    return {name: points for name, points in missed.items() if points}


def test_the_shares_are_kept(made: list[Made]) -> None:
    assert Counter(item.kind for item in made) == {"right": 70, "wrong": 20, "crash": 8, "slow": 2}
    assert Counter(submission_mix.kinds(30)) == {"right": 21, "wrong": 6, "crash": 2, "slow": 1}
    assert len({item.student for item in made}) == 100


def test_the_mix_is_the_same_every_time(root: Path, made: list[Made]) -> None:
    again = make(root)
    assert [item.student for item in again] == [item.student for item in made]
    for one, other in zip(made, again, strict=True):
        assert nbformat.writes(one.notebook) == nbformat.writes(other.notebook)


def test_submissions_vary(made: list[Made]) -> None:
    assert len({nbformat.writes(item.notebook) for item in made}) == 100
    assert len({item.how for item in made if item.kind == "crash"}) == 8


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:still learning")
def test_the_right_are_right_and_the_wrong_are_wrong(made: list[Made]) -> None:
    for item in [item for item in made if item.kind in ("right", "wrong")][:45]:
        assert bool(lost(item)) == (item.kind == "wrong"), (item.student, item.how, lost(item))


def test_what_is_no_python_is_none(made: list[Made]) -> None:
    (broken,) = [item for item in made if item.how == "is no Python"]
    text = "\n".join(answers(broken))
    with pytest.raises(SyntaxError):
        compile(text, "<cells>", "exec")
