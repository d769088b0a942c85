"""Washout and management: what they say is what the model and the table say."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from crs.errors import InvalidInput
from crs.explorers.management import ManagementDesk
from crs.explorers.washout import WashoutView
from crs.guidelines.dosing import recommend
from crs.models.washout import Washout, cells_left, drug_left, washout


def test_the_desk_shows_what_recommend_says() -> None:
    desk = ManagementDesk()
    for crs, icans, doses in itertools.product("01234", "0234", range(5)):
        desk.set(crs_grade=crs, icans_grade=icans, tocilizumab_doses=doses)
        expected = recommend(desk.state())
        assert desk._list.value.count('<th scope="row">') == len(expected)
        named = "Tocilizumab is among them" in desk.sentence
        assert named == ("tocilizumab" in [action for action, _ in expected])


def test_the_desk_starts_and_resets_where_it_is_told_to() -> None:
    desk = ManagementDesk(crs_grade=0, icans_grade=2, temp_c=36.8)
    assert desk.values()["icans_grade"] == "2"
    assert "it would need CRS grade at least 1" in desk.sentence
    desk.set(crs_grade="3")
    desk.reset()
    assert desk.values()["crs_grade"] == "0"


def test_the_desk_says_why_tocilizumab_waits() -> None:
    desk = ManagementDesk()
    desk.set(tocilizumab_doses=1, hours_since_last=5)
    assert "the next may start 3 h from now" in desk.sentence
    desk.set(hours_since_last=9, improving=True)
    assert "not while" in desk.sentence


def test_an_hour_beyond_the_view_widens_it() -> None:
    view = WashoutView()
    view.set(hours=100)
    assert view.pictures[0].picture is not None
    assert view.pictures[0].picture.layout["xaxis"]["range"][1] >= 100 / 24


def test_cells_still_grow_before_the_peak() -> None:
    view = WashoutView()
    view.set(decision_day=3, hours=48)
    assert "have grown to 6 times" in view.sentence


@pytest.mark.parametrize("left", [lambda h: drug_left(h, 2), lambda h: cells_left(h, 9.3)])
def test_what_is_left_only_falls_after_the_peak(left: Callable[[float], float]) -> None:
    shares = [left(hour) for hour in range(0, 400, 7)]
    assert shares[0] == pytest.approx(1)
    assert all(later < before for before, later in itertools.pairwise(shares))


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: drug_left(-1, 2), "hours"),
        (lambda: drug_left(1, 0), "half_life_h"),
        (lambda: drug_left(float("nan"), 2), "hours"),
        (lambda: cells_left(1, -1), "decision_day"),
        (lambda: washout(Washout(2, 9, 50, 48)), "hours"),
    ],
)
def test_impossible_numbers_are_named(call: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        call()
    assert caught.value.field == field
