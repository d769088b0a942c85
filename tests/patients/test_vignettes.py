"""The twelve vignettes, on all six scales."""

from __future__ import annotations

import pytest

from crs.errors import InvalidInput
from crs.guidelines import grade, guideline
from crs.patients import facts_of, vignette, vignettes

SCALES = ("astct-2019", "lee-2014", "penn-2018", "cartox-2018", "mskcc-2018", "ctcae-5")
# Worked out by hand from the published tables, apart from the data file.
GRADES = {
    "A": (2, 2, 3, 2, 1, 2),
    "B": (3, 2, 3, 2, 3, 3),
    "C": (3, 3, 4, 3, 2, 3),
    "D": (1, 3, 3, 3, 1, 1),
    "E": (4, 3, 3, 3, 3, 3),
    "F": (1, 1, 2, 1, 1, 1),
    "G": (3, 3, 3, 3, 2, 4),
    "H": (2, 3, 3, 3, 3, 3),
    "I": (3, 2, 3, 2, 2, 2),
    "J": (4, 3, 3, 3, 2, 4),
    "K": (1, 3, 3, 3, 1, 1),
    "L": (0, 2, 3, 2, 2, 3),
}
DECIDING = {
    ("A", "penn-2018"): "multiple-fluid-boluses",
    ("C", "penn-2018"): "high-dose-vasopressors",
    ("D", "lee-2014"): "transaminitis-grade-4",
    ("E", "astct-2019"): "positive-pressure",
    ("F", "penn-2018"): "hospitalized",
    ("G", "astct-2019"): "one-vasopressor",
    ("G", "lee-2014"): "several-vasopressors",
    ("H", "astct-2019"): "low-flow-oxygen",
    ("H", "lee-2014"): "oxygen-40-percent-or-more",
    ("I", "astct-2019"): "high-flow-oxygen",
    ("J", "astct-2019"): "several-vasopressors",
    ("K", "penn-2018"): "creatinine-grade-3",
}


def test_there_are_twelve() -> None:
    assert [one.id for one in vignettes()] == list(GRADES)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", GRADES)
def test_grade(name: str, scale: str) -> None:
    expected = GRADES[name][SCALES.index(scale)]
    assert grade(guideline(scale), facts_of(vignette(name).state)).grade == expected
    assert vignette(name).grades[scale] == expected


@pytest.mark.parametrize(("name", "scale"), DECIDING)
def test_deciding_row(name: str, scale: str) -> None:
    deciding = grade(guideline(scale), facts_of(vignette(name).state)).deciding
    assert deciding is not None
    assert deciding.row.id == DECIDING[name, scale]


def test_each_says_that_it_is_fictional_and_what_it_teaches() -> None:
    for one in vignettes():
        assert one.story.startswith(f"Patient {one.id} (fictional) ")
        assert one.teaches
        assert set(one.grades) == set(SCALES)


def test_an_unknown_vignette_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"vignette_id is 'M', but must be one of A, B"):
        vignette("M")
