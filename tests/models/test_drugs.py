"""Published figures, and figures computed from published parameters, within one percent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crs.errors import InvalidInput
from crs.models.drugs import (
    RateStep,
    blinatumomab_pg_ml,
    car_t_copies_ug,
    car_t_doubling_time_d,
    siltuximab_ug_ml,
    tocilizumab_ug_ml,
)
from crs.models.simulation import Infusion, simulate

ONE_PERCENT = 0.01
HOUR = 1 / 24


@pytest.mark.parametrize(
    ("mg", "day", "ug_ml"),
    [
        (560, HOUR, 159.4),
        (560, 1, 137.4),
        (560, 3, 101.4),
        (560, 7, 56.5),
        (560, 14, 21.4),
        (560, 21, 7.95),
        (560, 28, 2.69),
        (240, HOUR, 68.3),
        (240, 14, 3.63),
        (800, HOUR, 227.8),
    ],
)
def test_tocilizumab_after_one_dose(mg: float, day: float, ug_ml: float) -> None:
    level = tocilizumab_ug_ml([day], [Infusion(0, mg, HOUR)])[0]
    assert level == pytest.approx(ug_ml, rel=ONE_PERCENT)


def test_tocilizumab_exposure_over_28_days() -> None:
    days = np.linspace(0, 28, 28 * 48 + 1)
    area = np.trapezoid(tocilizumab_ug_ml(days, [Infusion(0, 560, HOUR)]), days)
    assert area == pytest.approx(1070, rel=ONE_PERCENT)


def test_tocilizumab_four_doses_every_eight_hours() -> None:
    doses = [Infusion(dose / 3, 560, HOUR) for dose in range(4)]
    assert tocilizumab_ug_ml([1 + HOUR], doses)[0] == pytest.approx(593, rel=ONE_PERCENT)
    assert tocilizumab_ug_ml([14], doses)[0] == pytest.approx(130, rel=ONE_PERCENT)


@pytest.mark.parametrize(
    ("female", "peak", "trough", "area_ug_h_ml"),
    [(False, 165.2, 5.77, 29_889), (True, 169.6, 10.05, 34_980)],
)
def test_tocilizumab_every_four_weeks_settles(
    female: bool, peak: float, trough: float, area_ug_h_ml: float
) -> None:
    last = 15 * 28
    doses = [Infusion(cycle * 28, 560, HOUR) for cycle in range(13)]
    start = last - 3 * 28
    days = np.linspace(start, start + 28, 28 * 96 + 1)
    level = tocilizumab_ug_ml(days, doses, female=female)
    assert level.max() == pytest.approx(peak, rel=ONE_PERCENT)
    assert level[-1] == pytest.approx(trough, rel=ONE_PERCENT)
    assert np.trapezoid(level, days) * 24 == pytest.approx(area_ug_h_ml, rel=ONE_PERCENT)


def test_siltuximab_exposure_and_half_lives() -> None:
    dose = 11 * 73
    days = np.linspace(0, 400, 40_001)
    level = siltuximab_ug_ml(days, [Infusion(0, dose, HOUR)])
    assert np.trapezoid(level, days) == pytest.approx(3752, rel=ONE_PERCENT)
    late = siltuximab_ug_ml([100, 123.7], [Infusion(0, dose, HOUR)])
    assert late[1] / late[0] == pytest.approx(0.5, rel=ONE_PERCENT)


@pytest.mark.parametrize(("ug_day", "pg_ml"), [(9, 169), (28, 526)])
def test_blinatumomab_steady_state(ug_day: float, pg_ml: float) -> None:
    level = blinatumomab_pg_ml([72], [RateStep(0, ug_day)])[0]
    assert level == pytest.approx(pg_ml, rel=ONE_PERCENT)


def test_blinatumomab_in_a_small_child() -> None:
    level = blinatumomab_pg_ml([72], [RateStep(0, 15 * 0.5)], body_surface_m2=0.5)[0]
    assert level == pytest.approx(320, rel=ONE_PERCENT)


def test_blinatumomab_falls_by_half_in_its_half_life_when_interrupted() -> None:
    steps = [RateStep(0, 28), RateStep(48, 0), RateStep(60, 9)]
    before, after, again = blinatumomab_pg_ml([48, 48 + 1.87, 120], steps)
    assert after / before == pytest.approx(0.5, rel=ONE_PERCENT)
    assert again == pytest.approx(169, rel=ONE_PERCENT)


@pytest.mark.parametrize(("day", "copies"), [(9.3, 24_000), (14, 11_412), (28, 1_374), (90, 146.5)])
def test_car_t_cells(day: float, copies: float) -> None:
    assert car_t_copies_ug([day])[0] == pytest.approx(copies, rel=ONE_PERCENT)


def test_car_t_cells_double_and_add_up() -> None:
    assert car_t_doubling_time_d() == pytest.approx(0.78, rel=ONE_PERCENT)
    before, after = car_t_copies_ug([3, 3 + car_t_doubling_time_d()])
    assert after / before == pytest.approx(2, rel=1e-5)
    days = np.linspace(0, 28, 28 * 200 + 1)
    assert np.trapezoid(car_t_copies_ug(days), days) == pytest.approx(171_774, rel=ONE_PERCENT)


def test_car_t_cells_follow_the_published_closed_form() -> None:
    days = np.linspace(0, 365, 731)
    after = days - 9.3
    closed = np.where(
        after <= 0,
        24_000 * 3900 ** (after / 9.3),
        24_000 * ((1 - 0.0079) * np.exp(-0.16 * after) + 0.0079 * np.exp(-0.0032 * after)),
    )
    np.testing.assert_allclose(car_t_copies_ug(days), closed, rtol=1e-5)


def test_late_half_life_of_car_t_cells() -> None:
    first, second = car_t_copies_ug([300, 300 + math.log(2) / 0.0032])
    assert second / first == pytest.approx(0.5, rel=ONE_PERCENT)


def test_dexamethasone_goes_before_its_effect_does() -> None:
    given = simulate("dexamethasone", [0.25, 24, 48], infusions=[Infusion(0, 10, 0.25)])
    level, effect = given.values["concentration"], given.values["effect"]
    assert level[1] < 0.02 * level[0]
    assert effect[1] > 0.8
    assert effect[2] > 0.5


@pytest.mark.parametrize("model", ["tocilizumab", "siltuximab", "blinatumomab", "dexamethasone"])
def test_what_is_infused_is_still_there_or_eliminated(model: str) -> None:
    times = np.linspace(0, 20, 81)
    found = simulate(model, times, infusions=[Infusion(1, 100, 2), Infusion(5, 50, 1)]).values
    there = sum(found[name] for name in found if name.endswith("_amount"))
    given = 100 * np.clip((times - 1) / 2, 0, 1) + 50 * np.clip(times - 5, 0, 1)
    np.testing.assert_allclose(there, given, rtol=1e-6, atol=1e-6)


def test_steps_out_of_order_are_refused() -> None:
    with pytest.raises(InvalidInput, match="from_h is 12, but must be later than 24"):
        blinatumomab_pg_ml([1], [RateStep(24, 9), RateStep(12, 28)])
