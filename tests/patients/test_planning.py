"""Plans: what is given, what is refused, and what becomes of a patient."""

from __future__ import annotations

import numpy as np
import pytest

from crs.errors import InvalidInput
from crs.guidelines.dosing import siltuximab_dose_mg, tocilizumab_dose_mg
from crs.models.cascade import Dose
from crs.patients.planning import (
    HOURS_A_DAY,
    LAST_DAY,
    OTHER_DRUGS,
    Outcome,
    Plan,
    Planned,
    doses_of,
    grades_of,
    outcome_of,
    weight_of,
)

SEVERE = Planned(None, 5.0)


def test_the_doses_are_those_of_the_tables() -> None:
    plan = Plan(
        tocilizumab_doses=2,
        tocilizumab_h=100,
        dexamethasone_days=1,
        dexamethasone_h=101,
        other="siltuximab",
        other_h=130,
    )
    assert doses_of(plan, 70) == (
        Dose("tocilizumab", 100, tocilizumab_dose_mg(70)),
        Dose("dexamethasone", 101, 10),
        Dose("dexamethasone", 107, 10),
        Dose("tocilizumab", 108, tocilizumab_dose_mg(70)),
        Dose("dexamethasone", 113, 10),
        Dose("dexamethasone", 119, 10),
        Dose("siltuximab", 130, siltuximab_dose_mg(70)),
    )
    assert doses_of(Plan(), 70) == ()


@pytest.mark.parametrize(
    ("other", "count", "first_mg"),
    [("anakinra", 12, 100), ("emapalumab", 6, 420), ("infliximab", 1, 350), ("siltuximab", 1, 770)],
)
def test_a_third_drug_is_written_out(other: str, count: int, first_mg: float) -> None:
    found = doses_of(Plan(other=other, other_h=24), 70)  # type: ignore[arg-type]
    assert [dose.what for dose in found] == [other] * count
    assert found[0].time_h == 24
    assert found[0].amount == pytest.approx(first_mg)


@pytest.mark.parametrize(
    ("plan", "field", "allowed"),
    [
        (Plan(tocilizumab_doses=2, tocilizumab_interval_h=7.9), "tocilizumab_interval_h", "8 h"),
        (Plan(tocilizumab_doses=5), "tocilizumab_doses", "from 0 to 4"),
        (Plan(tocilizumab_doses=1, tocilizumab_h=-1), "tocilizumab_h", "from 0 to 672 h"),
        (Plan(dexamethasone_days=29), "dexamethasone_days", "from 0 to 28 days"),
        (Plan(dexamethasone_h=float("nan")), "dexamethasone_h", "from 0 to 672 h"),
        (Plan(other="etanercept"), "other", "anakinra"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_given_is_refused_by_name(plan: Plan, field: str, allowed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        doses_of(plan, 70)
    assert refused.value.field == field
    assert allowed in refused.value.allowed


def test_doses_eight_hours_apart_are_allowed_up_to_four() -> None:
    plan = Plan(tocilizumab_doses=4, tocilizumab_interval_h=8)
    assert [dose.time_h for dose in doses_of(plan, 70)] == [0, 8, 16, 24]


@pytest.mark.parametrize(
    "planned", [Planned(-1), Planned(1, 0.0), Planned(1, 1.0, 500.0), Planned(None, 99.0)]
)
def test_nobody_impossible_is_treated(planned: Planned) -> None:
    with pytest.raises(InvalidInput):
        outcome_of(planned)


def test_who_is_treated_has_a_weight() -> None:
    assert weight_of(Planned()) == 70
    assert weight_of(Planned(None, 1.0, 55.0)) == 55
    assert weight_of(Planned(3)) == weight_of(Planned(3, 4.0)) != 70
    assert weight_of(Planned(3, 1.0, 55.0)) == 55


def test_the_same_question_has_the_same_answer() -> None:
    assert outcome_of(Planned(3)) is outcome_of(Planned(3))


def test_sums_are_those_of_the_course() -> None:
    hours = np.array([0.0, 2.0, 4.0, 6.0])
    values = {
        "temp_c": np.array([37.94, 37.96, 39.0, 37.0]),
        "crp": np.array([5.0, 60.0, 90.0, 80.0]),
        "car_t": np.array([0.0, 24.0, 24.0, 0.0]),
    }
    outcome = Outcome(hours, values, np.array([0, 1, 3, 4]), ())
    assert outcome.fever_h == 4  # 37.96 is charted as 38.0
    assert outcome.severe_h == 4
    assert outcome.peak_grade == 4
    assert outcome.peak_crp_mg_l == 90
    assert outcome.car_t_area == pytest.approx((24 * 2 + 24 * 2) / 24)


def _graded(temp: list[float], pressure: list[float], given_h: list[float]) -> list[int]:
    hours = np.arange(len(temp), dtype=float)
    values = {
        "temp_c": np.array(temp),
        "map_mmhg": np.array(pressure),
        "spo2_room_air": np.full(len(temp), 97.0),
    }
    return [int(grade) for grade in grades_of(hours, values, given_h)]


def test_the_syndrome_begins_with_fever_and_lasts_until_all_of_it_is_gone() -> None:
    """Treated or not, as courses could not be compared otherwise."""
    assert _graded([37, 39, 37, 37, 37], [62, 62, 62, 90, 62], []) == [0, 2, 2, 0, 0]
    assert _graded([39, 37, 37], [90, 62, 38], []) == [1, 2, 4]
    assert _graded([39, 37, 39], [90, 90, 90], []) == [1, 0, 1]


def test_after_treatment_of_the_syndrome_fever_is_no_longer_needed() -> None:
    assert _graded([39, 39, 37, 37], [90, 62, 62, 90], [1.0]) == [1, 2, 2, 0]


def test_what_was_given_before_the_first_fever_does_not_count_as_treatment() -> None:
    assert _graded([37, 39, 37, 37], [90, 62, 90, 62], [0.0]) == [0, 2, 0, 0]
    assert _graded([37, 39, 37, 37], [90, 62, 90, 62], [1.0]) == [0, 2, 0, 2]


def test_nobody_without_fever_is_graded() -> None:
    assert _graded([37, 37.9], [50, 50], []) == [0, 0]


def test_tocilizumab_raises_interleukin_6_in_serum_and_lowers_signal_fever_and_crp() -> None:
    untreated = outcome_of(SEVERE)
    onset_h = float(untreated.times_h[untreated.grades > 0][0])
    treated = outcome_of(SEVERE, Plan(tocilizumab_doses=1, tocilizumab_h=onset_h + 12))
    after = untreated.times_h > onset_h + 24
    assert treated.values["il6_total"][after].max() > untreated.values["il6_total"][after].max()
    assert treated.values["il6_signal"][after].max() < untreated.values["il6_signal"][after].max()
    assert treated.peak_crp_mg_l < untreated.peak_crp_mg_l
    assert treated.fever_h < untreated.fever_h
    assert treated.car_t_area == pytest.approx(untreated.car_t_area, rel=0.02)


def test_dexamethasone_costs_car_t_cells_in_this_model() -> None:
    untreated = outcome_of(SEVERE)
    treated = outcome_of(SEVERE, Plan(dexamethasone_days=7, dexamethasone_h=5 * HOURS_A_DAY))
    assert treated.car_t_area < 0.95 * untreated.car_t_area


@pytest.mark.parametrize("other", OTHER_DRUGS)
def test_every_third_drug_gives_a_whole_course(other: str) -> None:
    found = outcome_of(Planned(11), Plan(other=other, other_h=150))  # type: ignore[arg-type]
    assert found.times_h[-1] == LAST_DAY * HOURS_A_DAY
    for name, values in found.values.items():
        assert np.all(np.isfinite(values)), name
    assert set(found.grades) <= {0, 1, 2, 3, 4}
