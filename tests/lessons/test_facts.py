"""What the lessons say in words and numbers is what the tables of the course say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.lessons import lesson

from crs.exercises.tables import lee_against_astct
from crs.explorers.agreement import KAPPA, both_scales
from crs.guidelines import Verdict, grade, guideline
from crs.guidelines.dosing import (
    blinatumomab_after_crs,
    is_high_dose_vasopressor,
    methylprednisolone_day_dose_mg,
    norepinephrine_equivalent_ug_min,
    recommend,
    steroid_equivalent_mg,
    tocilizumab_dose_mg,
    tocilizumab_timing,
)
from crs.models.washout import (
    blinatumomab_half_life_h,
    cells_against_peak,
    cells_left,
    drug_left,
)
from crs.patients import BedsideState, facts_of
from crs.patients.cases import load_case

SCALES = {
    "ASTCT 2019": "astct-2019",
    "Lee 2014": "lee-2014",
    "Penn": "penn-2018",
    "CARTOX": "cartox-2018",
    "MSKCC": "mskcc-2018",
    "CTCAE 5.0": "ctcae-5",
}
COLUMNS: dict[str, dict[str, Any]] = {
    "Two fluid boluses": {"hypotension": True, "fluid_boluses": 2},
    "Norepinephrine 6 µg/min, 5 h": {"norepinephrine_ug_min": 6, "vasopressor_hours": 5},
    "Cannula 2 L/min": {"oxygen": "nasal cannula", "flow_l_min": 2},
    "CPAP, 50 % oxygen": {"oxygen": "CPAP", "fio2": 0.5},
    "AST grade 4": {"transaminase_grade": 4},
}


def verdict(scale: str, **bedside: Any) -> Verdict:
    return grade(guideline(scale), facts_of(BedsideState(**bedside)))


def text_of(module: str) -> str:
    path = next(path for path in lesson.LESSONS if path.stem == module)
    return "\n".join(lesson.markdown(lesson.read(path)))


# --- lesson 05 ----------------------------------------------------------------------------------


def test_the_table_at_a_glance_is_what_the_engine_says() -> None:
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text_of("05-grading").splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]
    heading, *rows = lines
    assert heading == ["Scale", *COLUMNS]
    assert [row[0] for row in rows] == list(SCALES)
    for name, *grades in rows:
        found = [verdict(SCALES[name], temp_c=38.5, **one).grade for one in COLUMNS.values()]
        assert grades == [str(one) for one in found], name


@pytest.mark.parametrize(
    ("scale", "bedside", "expected"),
    [
        # Section 1: the prediction, and the edges to try.
        ("astct-2019", {"temp_c": 38.2}, 1),
        ("astct-2019", {"temp_c": 38.8, "oxygen": "nasal cannula", "flow_l_min": 6}, 2),
        (
            "astct-2019",
            {"temp_c": 38.8, "oxygen": "nasal cannula", "flow_l_min": 6.5, "fio2": 0.44},
            3,
        ),
        # Section 2: afebrile after tocilizumab, norepinephrine and vasopressin.
        (
            "astct-2019",
            {
                "temp_c": 37.2,
                "treated": True,
                "norepinephrine_ug_min": 4,
                "vasopressin_units_min": 0.03,
            },
            3,
        ),
        # Section 3: 0.3 µg/kg/min × 70 kg for 5 hours.
        (
            "lee-2014",
            {"temp_c": 38.5, "norepinephrine_ug_min": 0.3 * 70, "vasopressor_hours": 5},
            3,
        ),
        # Section 4: the liver alone, and a Venturi mask under a rule for CTCAE grade 3.
        ("astct-2019", {"temp_c": 38.2, "transaminase_grade": 4}, 1),
        ("lee-2014", {"temp_c": 38.2, "transaminase_grade": 4}, 3),
        ("astct-2019", {"temp_c": 38.6, "oxygen": "Venturi mask", "fio2": 0.28}, 3),
        ("ctcae-5", {"temp_c": 38.6, "oxygen": "Venturi mask", "fio2": 0.28}, 2),
        ("penn-2018", {"temp_c": 38.6, "oxygen": "nasal cannula", "flow_l_min": 2}, 3),
    ],
)
def test_predictions_and_answers_hold(scale: str, bedside: dict[str, Any], expected: int) -> None:
    assert verdict(scale, **bedside).grade == expected


def test_high_dose_as_lesson_05_tells_it() -> None:
    assert is_high_dose_vasopressor(5, norepinephrine_ug_min=21)
    assert not is_high_dose_vasopressor(2, norepinephrine_ug_min=25)
    assert norepinephrine_equivalent_ug_min(norepinephrine_ug_min=19, dopamine_ug_kg_min=2) == 20
    assert is_high_dose_vasopressor(5, norepinephrine_ug_min=19, dopamine_ug_kg_min=2)
    assert is_high_dose_vasopressor(5, vasopressin=True, norepinephrine_ug_min=10)


def test_the_fourteen_days_of_section_2() -> None:
    case = load_case("afebrile-not-well")

    def at(hour: int, scale: str = "astct-2019") -> int:
        return grade(guideline(scale), facts_of(case.state_at(hour))).grade

    assert case.state_at(101).temp_c >= 38.0 > case.state_at(102).temp_c
    assert case.tocilizumab_given_h(102)
    assert (at(102), at(103)) == (2, 3)
    assert (at(130), at(130, "penn-2018")) == (0, 2)
    assert case.state_at(130).hospitalized_for_crs


def kappa(counts: list[list[int]], power: int) -> float:
    """Return Cohen's kappa with the disagreement weights |i - j| ** power (0: all alike)."""
    size, total = len(counts), sum(map(sum, counts))
    rows = [sum(row) for row in counts]
    columns = [sum(row[j] for row in counts) for j in range(size)]

    def weight(i: int, j: int) -> float:
        return float(abs(i - j) ** power) if i != j else 0.0

    observed = sum(weight(i, j) * counts[i][j] for i in range(size) for j in range(size))
    expected = sum(
        weight(i, j) * rows[i] * columns[j] / total for i in range(size) for j in range(size)
    )
    return 1 - observed / expected


@pytest.mark.parametrize("without_zero", [False, True])
def test_the_kappas_that_are_shown_are_those_of_the_counts(without_zero: bool) -> None:
    counts = lee_against_astct().to_numpy().tolist()
    if without_zero:
        counts[0][0] = 0
    plain, quadratic = KAPPA[without_zero]
    assert kappa(counts, 0) == pytest.approx(plain, abs=0.0005)
    assert kappa(counts, 2) == pytest.approx(quadratic, abs=0.0005)


def test_the_numbers_of_section_5() -> None:
    counts = both_scales()
    assert (counts.patients, counts.same) == (59, 45)
    assert (counts.columns_higher, counts.rows_higher) == (13, 1)
    assert counts.patients - counts.without_zero().patients == 7
    answer = "**B**: 45 of 59, or 76 %. Kappa is 0.66, and 0.58 without the\nseven patients"
    assert answer in text_of("05-grading")
    assert round(100 * 45 / 59) == 76
    assert (round(KAPPA[False][0], 2), round(KAPPA[True][0], 2)) == (0.66, 0.58)


# --- lesson 06 ----------------------------------------------------------------------------------

FIRST_HOUR = {
    "product": "tisa-cel",
    "crs_grade": 2,
    "icans_grade": 0,
    "fever_days": 1,
    "temp_c": 38.9,
    "anc_10e9_l": 0.1,
    "infection_suspected": False,
    "hypotension": True,
    "fluid_boluses": 2,
    "improving": False,
    "now_h": 96,
    "tocilizumab_given_h": [],
    "steroids_running": False,
}


def actions_of(**changes: Any) -> list[str]:
    return [action for action, _ in recommend(FIRST_HOUR | changes)]


def test_the_first_hour() -> None:
    predicted = verdict("astct-2019", temp_c=38.9, hypotension=True, fluid_boluses=2)
    assert predicted.grade == 2
    assert actions_of() == ["antibiotics", "supportive-care", "tocilizumab"]
    # The three things to try.
    assert actions_of(crs_grade=1)[0] == "antibiotics"
    assert "tocilizumab" not in actions_of(crs_grade=1)
    assert "tocilizumab" in actions_of(crs_grade=1, fever_days=4)
    assert "icu" not in actions_of(crs_grade=2)
    assert "icu" in actions_of(crs_grade=3)


def test_tocilizumab_as_lesson_06_tells_it() -> None:
    assert tocilizumab_dose_mg(29.9) == pytest.approx(358.8)
    assert tocilizumab_dose_mg(30.0) == pytest.approx(240.0)
    assert tocilizumab_dose_mg(115) == 800 < 8 * 115 == 920
    now = tocilizumab_timing(22, [0, 8, 16])
    assert (now.allowed, now.earliest_next_h, now.doses_left) == (False, 24, 1)
    text = text_of("06-treatment")
    assert "358.8 mg at 29.9 kg, 240 mg at 30.0 kg" in text
    assert "31 (69 %)" in text
    assert round(100 * 31 / 45) == 69


def test_corticosteroids_as_lesson_06_tells_it() -> None:
    converted = steroid_equivalent_mg("dexamethasone", 40, "methylprednisolone")
    assert converted == pytest.approx(213, abs=0.5)
    assert [methylprednisolone_day_dose_mg(day) for day in (1, 5, 9)] == [1000, 500, 120]
    first = steroid_equivalent_mg("methylprednisolone", 1000, "dexamethasone")
    assert first / 40 == pytest.approx(4.7, abs=0.05)
    assert "4.7 times" in text_of("06-treatment")


def test_stopping_as_lesson_06_tells_it() -> None:
    assert blinatumomab_half_life_h() == pytest.approx(2, abs=0.15)
    assert 0.01 < drug_left(12, blinatumomab_half_life_h()) < 0.02
    assert cells_left(12, 9.3) > 0.9
    restart = blinatumomab_after_crs(3, 62, 1.7)
    assert (restart.restart_ug_day, restart.full_ug_day) == (9, 28)
    assert blinatumomab_after_crs(4, 62, 1.7).restart_ug_day is None


def test_cells_follow_the_published_model() -> None:
    """Hold the course of CAR T cells to the values that its parameters were published with."""
    peak = 24_000
    for day, copies in ((14, 11_412), (28, 1_374), (90, 146.5)):
        assert peak * cells_against_peak(day) == pytest.approx(copies, rel=0.001)
    assert cells_against_peak(9.3) == 1
    assert cells_against_peak(9.3 - 0.78) == pytest.approx(0.5, rel=0.01)


def test_neurotoxicity_as_lesson_06_tells_it() -> None:
    alone = {"crs_grade": 0, "icans_grade": 2, "temp_c": 36.8, "fever_days": 0}
    assert actions_of(**alone) == ["icans-workup", "dexamethasone-10mg-q6h"]
    with_crs = actions_of(**alone | {"crs_grade": 1})
    assert "tocilizumab" in with_crs
    exhausted = actions_of(
        crs_grade=3, steroids_running=True, now_h=120, tocilizumab_given_h=[0, 8, 16, 24]
    )
    assert exhausted[-1] == "second-line"


def test_every_misconception_of_the_two_lessons_is_met() -> None:
    both = text_of("05-grading") + text_of("06-treatment")
    both = re.sub(r"\s+", " ", both)
    for words in (
        "It does not mean: no infection",  # afebrile after tocilizumab
        "no reason to repeat",  # interleukin-6 rises
        "A normal value does not mean that it is over",  # C-reactive protein
        "protect the airway",  # intubation
        "at home before",  # oxygen at home
        "for **comfort**",  # oxygen for comfort
        "Neurotoxicity is no reason to withhold it",  # tocilizumab in CRS with ICANS
        "A rule is applied with the scale that it was written for",
        "Fluids have a limit",
        "A ferritin above 10 000 µg/L alone does not make it",
    ):
        assert words in both, words
