"""Assignment 05: what it states, and its solutions against the tables on many inputs."""

from __future__ import annotations

import random
import re
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.exercises.assignment import ROOT, read, slugs, solved

from autograder.exams import grading
from crs.exercises import example_timeline, lee_against_astct
from crs.guidelines import grade, guideline

PATH = ROOT / "source" / "05-grading" / "grading.ipynb"
DEVICES = next(item.choices for item in guideline("astct-2019").inputs if item.name == "oxygen")
EXAMS = {slug: getattr(grading, slug.replace("-", "_")) for slug in slugs(read(PATH))}


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    return solved(PATH)


@pytest.mark.parametrize("slug", EXAMS)
def test_the_solution_gets_full_marks(slug: str, names: dict[str, Any]) -> None:
    exam = EXAMS[slug]
    assert exam.result(names[exam.name]).score == exam.points


@pytest.mark.parametrize("slug", EXAMS)
def test_the_cell_states_the_points_of_the_exam(slug: str) -> None:
    cell = next(cell for cell in read(PATH).cells if cell.id == f"{slug}-check")
    assert cell.metadata.nbgrader.points == EXAMS[slug].points
    assert f"({EXAMS[slug].points:g} points)" in cell.source


def test_astct_agrees_everywhere(names: dict[str, Any]) -> None:
    for temp_c, treated, hypotension, pressors, vasopressin, oxygen, flow, other in product(
        (36.9, 37.9, 38.0, 39.5),
        (False, True),
        (False, True),
        (0, 1, 2, 3),
        (False, True),
        DEVICES,
        (1, 6, 6.1, 40),
        (False, True),
    ):
        facts = {
            "temp_c": temp_c,
            "treated": treated,
            "hypotension": hypotension,
            "non_vasopressin_pressors": pressors,
            "vasopressin": vasopressin,
            "oxygen": oxygen,
            "flow_l_min": flow,
            "other_cause": other,
        }
        assert names["astct_grade"](**facts) == grade(guideline("astct-2019"), facts).grade, facts


def test_lee_agrees_everywhere(names: dict[str, Any]) -> None:
    for fio2, hypotension, pressors, high, organ, liver, ventilator in product(
        (0.21, 0.22, 0.39, 0.40, 1.0),
        (False, True),
        (0, 1, 2, 3),
        (False, True),
        range(5),
        range(5),
        (False, True),
    ):
        facts = {
            "fio2": fio2,
            "hypotension": hypotension,
            "vasopressors": pressors,
            "high_dose": high and pressors > 0,
            "organ_toxicity": organ,
            "transaminitis": liver,
            "ventilator": ventilator,
        }
        assert names["lee_grade"](**facts) == grade(guideline("lee-2014"), facts).grade, facts


def test_penn_agrees_everywhere(names: dict[str, Any]) -> None:
    for (
        hospital,
        creatinine,
        liver,
        hypotension,
        boluses,
        pressors,
        high,
        products,
        oxygen,
    ) in product(
        (False, True),
        range(5),
        range(5),
        (False, True),
        (0, 1, 2),
        (0, 1, 2),
        (False, True),
        (False, True),
        ("room air", "blow-by", "CPAP", "ventilator"),
    ):
        facts = {
            "hospitalized": hospital,
            "creatinine": creatinine,
            "transaminitis": liver,
            "hypotension": hypotension,
            "fluid_boluses": boluses if hypotension else 0,
            "vasopressors": pressors,
            "high_dose": high and pressors > 0,
            "coagulopathy": products,
            "oxygen": oxygen,
        }
        assert names["penn_grade"](**facts) == grade(guideline("penn-2018"), facts).grade, facts


def test_high_dose_agrees_on_many_combinations(names: dict[str, Any]) -> None:
    chance = random.Random(5)
    seen = set()
    for _ in range(3000):
        rates = {
            "norepinephrine_ug_min": chance.choice((0, 5, 9.9, 10, 15, 19.9, 20, 30)),
            "dopamine_ug_kg_min": chance.choice((0, 0, 4, 9.9, 10, 12)),
            "epinephrine_ug_min": chance.choice((0, 0, 2, 5, 9.9, 10)),
            "phenylephrine_ug_min": chance.choice((0, 0, 50, 100, 199, 200)),
        }
        facts = {
            "hours": chance.choice((0, 2.9, 3, 12)),
            "vasopressin": chance.random() < 0.5,
            **rates,
        }
        right = grading.is_high_dose_vasopressor.answer(**facts)
        assert names["is_high_dose_vasopressor"](**facts) is right, facts
        seen.add(right)
    assert seen == {True, False}


def test_the_worst_grade_agrees_on_many_timelines(names: dict[str, Any]) -> None:
    chance = random.Random(6)
    for _ in range(500):
        rows = chance.randint(0, 8)
        table = pd.DataFrame(
            {
                "hour": chance.sample(range(100), rows),
                "temp_c": [chance.choice((36.9, 37.9, 38.0, 39.0)) for _ in range(rows)],
                "drug_given": [
                    chance.choice(("", "", "", "cefepime", "acetaminophen", "tocilizumab"))
                    for _ in range(rows)
                ],
                "hypotension_grade": [chance.choice((0, 0, 2, 3, 4)) for _ in range(rows)],
                "hypoxia_grade": [chance.choice((0, 0, 2, 3, 4)) for _ in range(rows)],
            }
        )
        assert names["worst_grade"](table) == grading.worst_grade.answer(table), table


def test_the_worked_timeline_is_the_fixture() -> None:
    """The text prints the example row by row; the fixture must be the same."""
    text = next(cell.source for cell in read(PATH).cells if cell.id == "worst-grade-text")
    for row in example_timeline("tocilizumab").to_dict("records"):
        cells = " | ".join(str(value) for value in row.values() if value != "")
        shown = re.sub(r"\|\s*\|", "|", text)
        assert f"| {cells} |" in shown


@pytest.mark.parametrize(
    ("weights", "all_patients", "with_crs"), [(None, 0.6633, 0.578), ("quadratic", 0.8710, 0.802)]
)
def test_kappa_is_that_of_the_text(
    names: dict[str, Any], weights: str | None, all_patients: float, with_crs: float
) -> None:
    table = lee_against_astct()
    assert names["weighted_kappa"](table, weights) == pytest.approx(all_patients, abs=0.00005)
    without_zero = table.loc[1:, 1:]
    assert names["weighted_kappa"](without_zero, weights) == pytest.approx(with_crs, abs=0.0005)


def test_the_ten_devices_are_those_of_the_guideline() -> None:
    text = next(cell.source for cell in read(PATH).cells if cell.id == "astct-grade-text")
    assert len(DEVICES) == 10
    assert all(f'`"{device}"`' in text for device in DEVICES)


def test_every_doi_is_in_the_bibliography(root: Path) -> None:
    bibliography = (root / "course" / "references.bib").read_text(encoding="utf-8")
    text = "\n".join(cell.source for cell in read(PATH).cells if cell.cell_type == "markdown")
    dois = set(re.findall(r"doi\.org/([^)\s]+)", text))
    assert dois
    assert all(doi in bibliography for doi in dois)


def test_the_points_are_those_that_the_first_page_states() -> None:
    """The table of the title cell lists each exercise, in order, and the sum."""
    notebook = read(PATH)
    rows = re.findall(r"^\| [^|]*\| [^|]*\| \**(\d+)[^|]*\|$", notebook.cells[0].source, re.M)
    given = [
        cell.metadata.nbgrader.points
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("points")
    ]
    stated = [int(points) for points in rows]
    total = next(at for at in range(1, len(stated)) if at > 1 and stated[at] == sum(stated[:at]))
    assert [*stated[:total], *stated[total + 1 :]] == given


def test_a_failed_visible_check_lets_the_next_cells_run() -> None:
    """JupyterLab stops at an error, unless the cell has this tag."""
    cells: dict[str, Any] = {cell.id: cell for cell in read(PATH).cells}
    for slug in slugs(read(PATH)):
        assert cells[f"{slug}-visible"].metadata.get("tags") == ["raises-exception"]
