"""Doses at equal intervals: the figures of the playground."""

from __future__ import annotations

import pytest

from crs.errors import InvalidInput
from crs.explorers import PKPlayground
from crs.models.regimen import Regimen, run_regimen


def test_one_dose_is_the_published_course() -> None:
    result = run_regimen(Regimen("tocilizumab", 560, 8, 1))
    assert result.peak == pytest.approx(159.4, rel=0.01)
    assert result.peak_day == pytest.approx(1 / 24)
    assert result.four_weeks_later == pytest.approx(2.69, rel=0.01)
    assert result.before_last_dose is None


def test_four_doses_every_eight_hours_add_up() -> None:
    result = run_regimen(Regimen("tocilizumab", 560, 8, 4))
    assert result.peak == pytest.approx(593, rel=0.01)
    assert result.peak_day == pytest.approx(1 + 1 / 24)


def test_every_four_weeks_the_trough_settles() -> None:
    result = run_regimen(Regimen("tocilizumab", 560, 672, 8))
    assert result.before_last_dose == pytest.approx(5.77, rel=0.01)
    assert result.four_weeks_later == pytest.approx(5.77, rel=0.01)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Regimen("tocilizumab", 560, 0.5, 2), "interval_h"),
        (Regimen("tocilizumab", 560, 8, 0), "doses"),
        (Regimen("siltuximab", 560, 8, 99), "doses"),
        (Regimen("siltuximab", -8, 8, 1), "amount"),
    ],
)
def test_what_it_refuses(asked: Regimen, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        run_regimen(asked)
    assert refused.value.field == field


def test_the_playground_says_what_the_label_does_not_allow() -> None:
    playground = PKPlayground()
    assert "label" not in playground.sentence
    playground.set(weight_kg=120, doses=5)
    assert "at most 800 mg in one infusion" in playground.sentence
    assert "at most 4 doses" in playground.sentence
    playground.set(weight_kg=70, interval_h="672")
    assert "at most" not in playground.sentence
    playground.set(weight_kg=45, mg_per_kg=16)
    assert "The label gives 360 mg for 45 kg." in playground.sentence


def test_the_playground_says_how_siltuximab_is_given() -> None:
    playground = PKPlayground()
    playground.set(drug="siltuximab")
    assert "off-label; CARTOX gives 770 mg (11 mg/kg), once." in playground.sentence
    playground.set(mg_per_kg=11)
    assert "CARTOX" not in playground.sentence
    playground.set(doses=2)
    assert "CARTOX" in playground.sentence
    playground.set(interval_h="504")
    assert "CARTOX" not in playground.sentence
