"""The three triggers: who rises first, what a step does, and what a larger burden does."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crs.errors import InvalidInput
from crs.models.cascade import run_cascade
from crs.models.triggers import (
    KINDS,
    MEDIATORS,
    RISEN,
    STEP_H,
    Kind,
    Rise,
    Trigger,
    TriggeredCourse,
    run_trigger,
)


def rise_of(course: TriggeredCourse, mediator: str) -> Rise:
    return next(rise for rise in course.rises if rise.mediator == mediator)


def risen_h(course: TriggeredCourse, mediator: str) -> float:
    hour = rise_of(course, mediator).risen_h
    assert hour is not None
    return hour


def test_after_an_antibody_tnf_and_interferon_come_first_within_two_hours() -> None:
    course = run_trigger(Trigger("activating antibody"))
    first = {rise.mediator for rise in course.rises[:2]}
    assert first == {"tnf", "ifn_gamma"}
    assert all(risen_h(course, mediator) < 2 for mediator in first)
    assert risen_h(course, "il6_free") > max(risen_h(course, mediator) for mediator in first)


def test_cells_take_days_where_an_antibody_takes_hours() -> None:
    cells = run_trigger(Trigger("CAR T cells"))
    antibody = run_trigger(Trigger("activating antibody"))
    assert risen_h(cells, "il6_free") > 48
    assert risen_h(antibody, "il6_free") < 12
    assert rise_of(cells, "il6_free").peak_h > 120
    assert rise_of(antibody, "il6_free").peak_h < 48


@pytest.mark.parametrize("kind", KINDS)
def test_il1_rises_before_il6(kind: Kind) -> None:
    course = run_trigger(Trigger(kind))
    assert risen_h(course, "il1") < risen_h(course, "il6_free")


def test_more_target_cells_give_an_earlier_and_higher_peak_after_cells() -> None:
    few, many = (run_trigger(Trigger("CAR T cells", burden=burden)) for burden in (0.3, 3.0))
    for mediator in MEDIATORS:
        assert rise_of(many, mediator).peak > rise_of(few, mediator).peak
        assert rise_of(many, mediator).peak_h < rise_of(few, mediator).peak_h


def test_a_step_lowers_the_first_peak_and_the_second_is_lower_still() -> None:
    step = run_trigger(Trigger("blinatumomab", first_ug_day=9, later_ug_day=28)).il6_peaks
    flat = run_trigger(Trigger("blinatumomab", first_ug_day=28, later_ug_day=28)).il6_peaks
    assert step is not None
    assert flat is not None
    assert step[0] < flat[0]
    assert step[1] < step[0]
    assert run_trigger(Trigger("CAR T cells")).il6_peaks is None


def test_without_a_drug_nothing_rises() -> None:
    for nothing in (
        Trigger("activating antibody", antibody_mg=0),
        Trigger("blinatumomab", first_ug_day=0, later_ug_day=0),
        Trigger("blinatumomab", first_ug_day=1e-158, later_ug_day=1e-300),
    ):
        course = run_trigger(nothing)
        assert [rise.risen_h for rise in course.rises] == [None] * len(MEDIATORS)


def test_rises_and_peaks_are_where_a_finer_grid_has_them() -> None:
    asked = Trigger("activating antibody")
    times_h = np.arange(0, 24.001, 0.01)
    fine = run_cascade(times_h, start=asked.start, doses=asked.doses, outputs=MEDIATORS)
    for rise in run_trigger(asked).rises:
        level = fine.values[rise.mediator]
        assert rise.peak == pytest.approx(level.max(), rel=1e-3)
        height = level[0] + RISEN * (level.max() - level[0])
        assert rise.risen_h == pytest.approx(times_h[np.argmax(level >= height)], abs=0.03)
        assert rise.peak_h == pytest.approx(times_h[np.argmax(level)], abs=0.26)


def test_the_step_of_the_pump_is_a_point_of_the_course() -> None:
    course = run_trigger(Trigger("blinatumomab"))
    assert STEP_H in course.times_h
    assert list(course.times_h) == sorted(set(course.times_h))


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    asked=st.builds(
        Trigger,
        kind=st.sampled_from(KINDS),
        burden=st.floats(0.05, 10),
        first_ug_day=st.floats(0, 60),
        later_ug_day=st.floats(0, 60),
        antibody_mg=st.floats(0, 20),
    )
)
def test_whatever_is_asked_levels_are_finite_and_in_order(asked: Trigger) -> None:
    course = run_trigger(asked)
    for level in course.levels.values():
        assert all(math.isfinite(value) and value > 0 for value in level)
    hours = [rise.risen_h for rise in course.rises if rise.risen_h is not None]
    assert hours == sorted(hours)
    for before, after in itertools.pairwise(course.rises):
        assert before.risen_h is not None or after.risen_h is None
    for rise in course.rises:
        assert rise.risen_h is None or rise.risen_h <= rise.peak_h


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("burden", 0.0),
        ("burden", float("nan")),
        ("first_ug_day", -1.0),
        ("later_ug_day", 61.0),
        ("antibody_mg", float("inf")),
    ],
)
def test_impossible_numbers_are_named(field: str, value: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        Trigger("CAR T cells", **{field: value})
    assert caught.value.field == field


def test_an_unknown_trigger_is_named() -> None:
    with pytest.raises(InvalidInput, match="blinatumomab"):
        Trigger("bad luck")  # type: ignore[arg-type]
