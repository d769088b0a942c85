"""The SYNTHETIC cohort and the page of calibration: fresh, labeled, and what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crs.patients.cohort import (
    COHORT_FILE,
    FIRST_SEED,
    PATIENTS,
    follow,
    load_cohort,
    make_cohort,
    peaks,
)
from crs.patients.observation import (
    ASSAYS,
    Support,
    astct_grade_of,
    chart_of,
    ice_of,
    support_for,
)


@pytest.mark.parametrize("tool", ["build_cohort", "calibration"])
def test_what_is_generated_is_fresh(root: Path, tool: str) -> None:
    done = subprocess.run(
        [sys.executable, f"tools/{tool}.py", "--check"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_calibration_page_hides_nothing(root: Path) -> None:
    page = (root / "docs" / "calibration.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| .*(in range|out of range)", line)]
    outside = [row for row in rows if "**out of range**" in row]
    inside, total = map(int, re.findall(r"(\d+) of (\d+) figures are in range", page)[0])
    assert len(rows) == total >= 40
    assert len(outside) == total - inside
    for row in outside:
        assert "**out of range**. " in row, "a row out of range is explained"


def test_every_row_is_called_synthetic() -> None:
    cohort = load_cohort()
    assert "SYNTHETIC" in COHORT_FILE.name
    assert cohort["synthetic_id"].str.startswith("SYNTHETIC-").all()
    assert cohort["synthetic_id"].nunique() == PATIENTS
    assert "SYNTHETIC" in COHORT_FILE.with_name("README.md").read_text(encoding="utf-8")


def test_assays_end_where_they_end() -> None:
    cohort = load_cohort()
    for assay in ASSAYS.values():
        values = cohort[assay.column].dropna()
        assert values.between(assay.lowest * 0.99, assay.highest).all(), assay.column
        days = cohort.loc[values.index, "day"]
        assert days.groupby(cohort["synthetic_id"]).count().max() <= len(assay.days)
    assert (cohort["il6_pg_ml"] == 1500).any()


def test_one_seed_more_changes_no_other_patient() -> None:
    few = make_cohort([FIRST_SEED, FIRST_SEED + 1])
    one = make_cohort([FIRST_SEED + 1])
    same = few[few["synthetic_id"] == "SYNTHETIC-002"].reset_index(drop=True)
    assert same.equals(one)


def test_peaks_are_the_highest_of_each_patient() -> None:
    cohort = load_cohort()
    top = peaks(cohort)
    someone = cohort[cohort["synthetic_id"] == "SYNTHETIC-007"]
    assert top.loc["SYNTHETIC-007", "il6_pg_ml"] == someone["il6_pg_ml"].max()
    assert len(top) == PATIENTS


def test_severe_patients_are_treated_after_grade_3_and_no_others_are() -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + 12):
        followed = follow(seed)
        assert bool(followed.doses) == (followed.peak_grade >= 3)


# The bedside


@pytest.mark.parametrize(
    ("map_mmhg", "spo2", "grade"),
    [
        (80, 97, 1),
        (65, 92, 1),
        (64, 97, 2),
        (52, 97, 2),
        (51, 97, 3),
        (44, 97, 3),
        (38, 97, 4),
        (80, 91, 2),
        (80, 85, 2),
        (80, 84, 3),
        (80, 78, 3),
        (80, 77, 4),
        (80, 60, 4),
        (64, 77, 4),
    ],
)
def test_the_protocol_asks_for_support_and_the_guideline_grades_it(
    map_mmhg: float, spo2: float, grade: int
) -> None:
    assert astct_grade_of(38.5, False, support_for(map_mmhg, spo2)) == grade


def test_fever_counts_until_treated_and_not_after() -> None:
    low = support_for(60, 97)
    assert astct_grade_of(37.5, False, low) == 0
    assert astct_grade_of(37.5, True, low) == 2
    assert astct_grade_of(38.0, False, Support()) == 1
    assert astct_grade_of(37.9, False, Support()) == 0


def test_worse_numbers_never_ask_for_less() -> None:
    def burden(support: Support) -> tuple[float, ...]:
        return (
            support.fluid_boluses,
            support.norepinephrine_ug_min,
            support.epinephrine_ug_min,
            support.vasopressin_units_min,
            support.fio2,
        )

    before = burden(support_for(100, 100))
    for step in range(1, 61):
        now = burden(support_for(100 - step, 100 - step * 0.6))
        assert all(a <= b for a, b in zip(before, now, strict=True)), step
        before = now


def test_ice_goes_from_ten_to_nothing() -> None:
    assert [ice_of(x) for x in (-1, 0, 0.6, 0.64, 1.3, 3.5, 99)] == [10, 10, 10, 9, 7, 1, 0]


def test_no_grade_before_the_first_fever() -> None:
    hours = np.arange(0.0, 48, 4.0)
    values = {
        "temp_c": np.where(hours < 24, 37.0, 39.0),
        "map_mmhg": np.full(len(hours), 55.0),
        "spo2_room_air": np.full(len(hours), 97.0),
    }
    chart = chart_of(hours, values, np.random.RandomState(1))
    assert (chart.grades[hours < 24] == 0).all()
    assert (chart.grades[hours >= 24] == 2).all()
