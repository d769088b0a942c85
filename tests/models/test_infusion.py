"""A drug that runs day and night: what the view shows is what the model says."""

from __future__ import annotations

import numpy as np
import pytest

from crs.errors import InvalidInput
from crs.explorers import InfusionView
from crs.models.drugs import RateStep, blinatumomab_pg_ml
from crs.models.infusion import (
    InfusionPlan,
    blinatumomab_clearance_l_h,
    blinatumomab_steady_pg_ml,
    pump_steps,
    run_infusion,
)
from crs.models.washout import blinatumomab_half_life_h

ADULT_M2 = 1.876


def plan(
    first: float = 9,
    later: float = 28,
    step_day: int = 8,
    pause_day: int = 11,
    pause_h: float = 0,
    m2: float = ADULT_M2,
) -> InfusionPlan:
    return InfusionPlan(first, later, step_day, pause_day, pause_h, m2)


def test_the_two_steady_states_of_the_typical_adult() -> None:
    result = run_infusion(plan())
    assert result.first_steady == pytest.approx(169, rel=0.01)
    assert result.later_steady == pytest.approx(526, rel=0.01)
    assert result.half_life_h == pytest.approx(blinatumomab_half_life_h())
    assert result.before_pause is None
    assert max(result.level) == pytest.approx(result.later_steady, rel=1e-4)


@pytest.mark.parametrize("m2", [0.4, 0.5, ADULT_M2, 2.5])
def test_the_formula_of_the_steady_state_is_where_the_simulation_settles(m2: float) -> None:
    settled = blinatumomab_pg_ml([200], [RateStep(0, 15)], body_surface_m2=m2)[0]
    assert blinatumomab_steady_pg_ml(15, m2) == pytest.approx(settled, rel=1e-4)


def test_nine_tenths_of_a_change_are_done_after_the_hours_it_says() -> None:
    result = run_infusion(plan())
    after = result.half_life_h * np.log2(10)
    level = blinatumomab_pg_ml([168 + after], result.steps)[0]
    share = (level - result.first_steady) / (result.later_steady - result.first_steady)
    assert share == pytest.approx(0.9, rel=1e-3)


def test_a_pause_stops_the_pump_and_the_rate_of_that_day_comes_back() -> None:
    steps = [(step.from_h, step.ug_day) for step in pump_steps(plan(pause_h=12))]
    assert steps == [(0, 9), (168, 28), (240, 0), (252, 28)]
    steps = [(step.from_h, step.ug_day) for step in pump_steps(plan(pause_day=7, pause_h=48))]
    assert steps == [(0, 9), (144, 0), (168, 0), (192, 28)]
    result = run_infusion(plan(pause_h=12))
    assert result.before_pause == pytest.approx(526, rel=0.01)
    assert result.after_pause is not None
    assert result.after_pause / result.later_steady == pytest.approx(
        0.5 ** (12 / result.half_life_h), rel=1e-3
    )
    assert min(value for hour, value in zip(result.hours, result.level, strict=True) if hour > 24)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (plan(first=-1), "ug_day"),
        (plan(step_day=0), "step_day"),
        (plan(pause_day=15), "pause_day"),
        (plan(pause_h=-1), "pause_h"),
        (plan(m2=9), "body_surface_m2"),
    ],
)
def test_what_it_refuses(asked: InfusionPlan, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        run_infusion(asked)
    assert refused.value.field == field


def test_a_smaller_patient_clears_less() -> None:
    assert blinatumomab_clearance_l_h(0.5) < blinatumomab_clearance_l_h(ADULT_M2)
    assert blinatumomab_steady_pg_ml(7.5, 0.5) == pytest.approx(320, rel=0.01)


def test_the_view_says_what_the_model_says() -> None:
    view = InfusionView()
    assert "9 µg/day settle at 169 pg/mL" in view.sentence
    assert "28 µg/day settle at 526 pg/mL" in view.sentence
    view.set(pause_h=12)
    assert "After 12 h the level is 6.1 pg/mL" in view.sentence
    view.set(show="The pause")
    picture = view.pictures[0].picture
    assert picture is not None
    assert picture.layout["xaxis"]["range"] == [-6, 42]
    assert "the pump stops" in picture.layout["xaxis"]["title"]["text"]
    view.set(step_day=1, show="Two weeks")
    assert "9 µg/day" not in view.sentence


def test_a_rate_above_the_label_is_said() -> None:
    view = InfusionView()
    assert "highest rate" not in view.sentence
    view.set(later_ug_day=28.5)
    assert "The label's highest rate is 28 µg/day." in view.sentence
