"""The view of removal says what the functions say."""

from __future__ import annotations

from crs.explorers import RemovalView


def test_it_says_what_is_left_and_what_is_taken() -> None:
    view = RemovalView()
    assert "from 180 to 134 mg/L" in view.sentence
    assert "removes 63 %" in view.sentence
    view.set(hours=19, baseline_mg_l=10)
    assert "from 180 to 95 mg/L" in view.sentence


def test_a_baseline_above_the_start_stays_at_the_start() -> None:
    view = RemovalView()
    view.set(crp0_mg_l=10, baseline_mg_l=20, hours=72)
    assert "from 10 to 10 mg/L" in view.sentence
