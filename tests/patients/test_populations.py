"""Many patients: who is treated, what the bands are, and what is kept."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from crs.errors import InvalidInput
from crs.patients import populations
from crs.patients.planning import HOURS_A_DAY, LAST_DAY
from crs.patients.populations import (
    FIRST_SEED,
    OUTPUTS,
    TREATMENTS,
    PopulationRun,
    PopulationSetting,
    follow_population,
    hours_of_population,
    keep,
    kept,
    treated_course,
    treated_from_h,
    typical_courses,
    untreated_course,
)

FEW = PopulationSetting("tocilizumab", "first fever", patients=6)
CRP = OUTPUTS.index("crp")


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    populations._KEPT.clear()
    yield
    populations._KEPT.clear()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("aspirin", "first fever"), "treatment"),
        (("tocilizumab", "at once"), "when"),
        (("tocilizumab", "fixed day", -1), "day"),
        (("tocilizumab", "fixed day", 29), "day"),
        (("tocilizumab", "fixed day", math.nan), "day"),
        (("tocilizumab", "first fever", 3), "day"),  # without meaning there
        (("tocilizumab", "first fever", 0, 0), "patients"),
        (("tocilizumab", "first fever", 0, 1001), "patients"),
        (("tocilizumab", "first fever", 0, 10.0), "patients"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    arguments: tuple[object, ...], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        PopulationSetting(*arguments)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_bands_are_quantiles_of_the_patients_one_by_one() -> None:
    result = follow_population(FEW)
    seeds = range(FIRST_SEED, FIRST_SEED + FEW.patients)
    courses = np.array([untreated_course(seed).values[CRP] for seed in seeds], dtype=float)
    band = result.untreated["crp"]
    assert np.allclose(band.median, np.median(courses, axis=0))
    assert np.allclose(band.low, np.quantile(courses, 0.05, axis=0))
    assert np.allclose(band.high, np.quantile(courses, 0.95, axis=0))


def test_each_patient_is_treated_an_hour_after_its_own_turn() -> None:
    run = PopulationRun(FEW)
    given = 0
    for number in range(FEW.patients):
        seed = FIRST_SEED + number
        untreated = untreated_course(seed)
        turn = untreated.turns_h["first fever"]
        run.step()
        if math.isfinite(turn):
            given += 1
            expected = treated_course(seed, "tocilizumab", turn + 1).values
        else:
            expected = untreated.values
        assert np.array_equal(run._treated[number], expected)
    assert run.finished
    assert run.result().given == given
    with pytest.raises(InvalidInput, match="step"):
        run.step()


def test_turns_come_in_the_order_of_their_grades() -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + 40):
        course = untreated_course(seed)
        turns = course.turns_h
        assert turns["first fever"] <= turns["first grade 2"] <= turns["first grade 3"]
        assert (course.peak_grade >= 2) == math.isfinite(turns["first grade 2"])
        assert (course.peak_grade >= 3) == math.isfinite(turns["first grade 3"])


def test_on_a_fixed_day_everybody_is_treated() -> None:
    setting = PopulationSetting("tocilizumab", "fixed day", 3, 4)
    assert treated_from_h(setting, untreated_course(FIRST_SEED)) == 72
    assert follow_population(setting).given == 4


def test_a_part_of_a_population_is_the_beginning_of_the_whole() -> None:
    run = PopulationRun(FEW)
    with pytest.raises(InvalidInput, match="patients"):
        run.result()
    for _ in range(3):
        run.step()
    part = run.result(["crp"])
    assert part.patients == 3
    assert not part.complete
    smaller = follow_population(PopulationSetting("tocilizumab", "first fever", patients=3))
    assert np.array_equal(part.treated["crp"].median, smaller.treated["crp"].median)
    with pytest.raises(InvalidInput, match="patients"):
        keep(part)
    with pytest.raises(InvalidInput, match="outputs"):
        run.result(["happiness"])


def test_finished_results_are_kept_and_the_oldest_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(populations, "_KEPT_RESULTS", 2)
    settings = [PopulationSetting("tocilizumab", "first fever", patients=n) for n in (1, 2, 3)]
    first = follow_population(settings[0])
    follow_population(settings[1])
    assert follow_population(settings[0]) is first  # and so the newest
    follow_population(settings[2])
    assert kept(settings[0]) is first
    assert kept(settings[1]) is None
    assert kept(settings[2]) is not None


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_every_treatment_gives_whole_courses_and_changes_something(treatment: str) -> None:
    setting = PopulationSetting(treatment, "fixed day", 5, 1)  # type: ignore[arg-type]
    untreated, treated = typical_courses(setting)
    assert treated.values.shape == (len(OUTPUTS), len(hours_of_population()))
    assert np.all(np.isfinite(treated.values))
    assert not np.allclose(treated.values, untreated.values)
    before = hours_of_population() <= 5 * HOURS_A_DAY
    assert np.allclose(treated.values[:, before], untreated.values[:, before], rtol=1e-3)


def test_the_population_is_looked_at_for_four_weeks() -> None:
    hours = hours_of_population()
    assert (hours[0], hours[-1]) == (0, LAST_DAY * HOURS_A_DAY)
