"""Axes hold still while a slider moves, and never cut a curve off."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crs.figures.theme import held_power, held_top

LEVELS = st.floats(1e-6, 1e9)


@given(LEVELS)
def test_there_is_room_above_the_highest_value_and_not_too_much(highest: float) -> None:
    assert 1.05 * highest <= held_top(highest) <= 1.4 * highest * (1 + 1e-9)
    assert 0.05 <= held_power(highest) - math.log10(highest) <= 0.3 + 1e-9


@given(LEVELS)
def test_there_are_ten_ends_per_power_of_ten_and_four_on_a_logarithmic_axis(
    highest: float,
) -> None:
    lowest = math.log10(held_top(highest))
    ends = {held_top(highest * 10 ** (at / 500)) for at in range(500)}
    assert 10 <= len({round(math.log10(end) - lowest, 9) for end in ends}) <= 11
    assert 4 <= len({held_power(highest * 10 ** (at / 500)) for at in range(500)}) <= 5


@pytest.mark.parametrize(
    ("highest", "top"),
    [(1.0, 1.25), (0.95, 1.0), (47.0, 50.0), (48.0, 60.0), (0.009, 0.01), (0.0096, 0.0125)],
)
def test_ends_are_round_numbers(highest: float, top: float) -> None:
    assert held_top(highest) == pytest.approx(top)
