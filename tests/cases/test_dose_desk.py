"""The dose desk shows what the dosing functions say, and says why."""

from __future__ import annotations

import itertools

import pytest

from crs.errors import InvalidInput
from crs.explorers.dose_desk import DoseDesk, advise_tocilizumab
from crs.figures.dose import HEAVIEST_KG, LIGHTEST_KG, STEROIDS, dose_clock, dose_curve
from crs.guidelines.dosing import (
    choose_vials,
    siltuximab_dose_mg,
    steroid_equivalent_mg,
    tocilizumab_dose_mg,
    tocilizumab_timing,
)


@pytest.mark.parametrize(
    ("weight_kg", "dose", "capped"),
    [
        (29.9, "358.8 mg", False),
        (30, "240 mg", False),
        (100, "800 mg", False),
        (120, "800 mg", True),
    ],
)
def test_the_dose_at_its_boundaries(weight_kg: float, dose: str, capped: bool) -> None:
    desk = DoseDesk()
    desk.controls["weight_kg"].value = weight_kg
    assert float(dose.split()[0]) == pytest.approx(tocilizumab_dose_mg(weight_kg))
    assert f"one dose of tocilizumab is {dose}" in desk.sentence
    assert f'<span class="crs-tile-value">{dose}</span>' in desk.card.value
    assert ("the maximum" in desk.sentence) == capped
    assert ("At most 800 mg" in desk.rules.value) == capped
    assert f"{weight_kg:g} kg and {dose}" in desk.weight_view.alt


@pytest.mark.parametrize("weight_kg", [29.9, 30, 47.3, 70, 82, 100, 120])
def test_the_vials_are_those_of_the_dosing_function(weight_kg: float) -> None:
    desk = DoseDesk(weight_kg)
    vials = choose_vials(tocilizumab_dose_mg(weight_kg))
    words = " + ".join(f"{count} × {size}" for size, count in vials.counts.items() if count)
    assert f'<span class="crs-tile-value">{words}</span>' in desk.card.value


@pytest.mark.parametrize("interval", ["label", "cartox"])
@pytest.mark.parametrize("doses", ["0", "1", "2", "3", "4"])
@pytest.mark.parametrize(
    ("since_last_h", "gap_h"), [(0, 0), (5, 8), (7.5, 6), (8, 8), (12, 6), (48, 24)]
)
def test_the_clock_is_that_of_the_dosing_function(
    interval: str, doses: str, since_last_h: float, gap_h: float
) -> None:
    desk = DoseDesk()
    desk.set(interval=interval, doses=doses, since_last_h=since_last_h, gap_h=gap_h)
    hours = {"label": 8, "cartox": 6}[interval]
    given = [-since_last_h - gap_h * number for number in range(int(doses))]
    verdict = tocilizumab_timing(0, given, hours)
    assert list(desk.given_h()) == sorted(given)
    assert verdict.reason in desk.sentence
    assert f'<span class="crs-tile-value">{verdict.doses_left}</span>' in desk.card.value
    if verdict.earliest_next_h is None:
        assert "no dose is left" in desk.clock_view.alt.lower()
    elif verdict.earliest_next_h > 0:
        assert f"in {verdict.earliest_next_h:.4g} h" in desk.card.value
        assert f"in {verdict.earliest_next_h:.4g} h" in desk.clock_view.alt


def test_doses_that_came_too_early_are_marked() -> None:
    clock = dose_clock([-20, -14, -7], min_interval_h=8)
    assert clock.too_early == (False, True, True)
    desk = DoseDesk()
    desk.set(doses="3", since_last_h=7, gap_h=6)
    assert "2 of the doses came too early." in desk.sentence
    assert "Given too early: dose 2 and 3." in desk.clock_view.alt


def test_three_doses_in_a_day_bind_at_six_hours_and_not_at_eight() -> None:
    desk = DoseDesk()
    desk.set(doses="3", gap_h=6, since_last_h=7, interval="cartox")
    assert "3 doses started within the last 24 h" in desk.sentence
    desk.set(doses="3", gap_h=8, since_last_h=8, interval="label")
    assert "May a dose start now? Yes" in desk.sentence


def test_a_dose_exactly_a_day_ago_no_longer_counts() -> None:
    assert dose_clock([-24, -16, -8], 8).in_window == 2


@pytest.mark.parametrize("drug", ["tocilizumab", "siltuximab"])
def test_the_curve_is_the_dosing_function_with_its_steps(drug: str) -> None:
    function = {"tocilizumab": tocilizumab_dose_mg, "siltuximab": siltuximab_dose_mg}[drug]
    curve = dose_curve(drug)
    for weights, doses in curve.pieces:
        assert list(doses) == [function(weight) for weight in weights]
    assert curve.pieces[0][0][0] == LIGHTEST_KG
    assert curve.pieces[-1][0][-1] == HEAVIEST_KG
    for (before, _), (after, _) in itertools.pairwise(curve.pieces):
        assert before[-1] < after[0]
        assert after[0] - before[-1] < 1e-9


def test_the_step_at_30_kg_is_in_the_curve() -> None:
    light, heavy = dose_curve("tocilizumab").pieces
    assert light[1][-1] == pytest.approx(360)
    assert heavy[0][0] == 30
    assert heavy[1][0] == 240
    assert dose_curve("tocilizumab").rates == pytest.approx((12, 8))


def test_siltuximab_is_given_once_and_has_no_clock() -> None:
    desk = DoseDesk(drug="siltuximab")
    assert f"{siltuximab_dose_mg(70):g} mg" in desk.sentence
    assert "once" in desk.sentence
    assert desk.clock_view.layout.display == "none"
    assert desk.visible_controls() == ("drug", "weight_kg")


@pytest.mark.parametrize("steroid", STEROIDS)
def test_equivalent_doses_are_those_of_the_dosing_function(steroid: str) -> None:
    desk = DoseDesk(drug="corticosteroids")
    desk.set(steroid=steroid, steroid_mg=40)
    for other in STEROIDS:
        words = f"{steroid_equivalent_mg(steroid, 40, other):,.4g} mg of {other}"
        assert words in desk.steroid_view.alt
        if other != steroid:
            assert words in desk.sentence


def test_every_rule_that_is_used_is_listed_with_status_and_source() -> None:
    advice = advise_tocilizumab(120, [-5], 8)
    texts = [text for text, _, _ in advice.because]
    assert "From 30 kg on, 8 mg/kg intravenously" in texts
    assert any("800 mg" in text for text in texts)
    assert any("8 hours" in text for text in texts)
    cartox = advise_tocilizumab(70, [-5], 6).because
    assert any("6 hours" in text and "Neelapu" in source for text, _, source in cartox)
    assert any("three doses" in text and "Santomasso" in source for text, _, source in cartox)
    assert all(status in ("read", "recalled", "convention") for _, status, _ in cartox)


def test_a_weight_that_nobody_has_is_refused() -> None:
    with pytest.raises(InvalidInput, match="weight_kg"):
        advise_tocilizumab(0, [], 8)
