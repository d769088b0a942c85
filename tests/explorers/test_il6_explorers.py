"""The two explorers of IL-6 say what the models say, and the sentence that matters."""

from __future__ import annotations

import pytest

from crs.explorers import ReceptorOccupancy, TocilizumabParadox
from crs.figures.occupancy import il6_picture, percent_words, receptor_picture, signal_picture
from crs.figures.paradox import course_picture
from crs.models.il6 import (
    OccupancyQuestion,
    ParadoxQuestion,
    il6_steady_pg_ml,
    run_occupancy,
    run_paradox,
)
from crs.models.removal import CRP_HALF_LIFE

NO_FAILURE = "no failure of the drug and no reason for another dose"


def test_tocilizumab_frees_il6_and_stops_the_signal() -> None:
    explorer = ReceptorOccupancy()
    result = run_occupancy(OccupancyQuestion(1000, 50, 250, "tocilizumab", 100))
    assert percent_words(result.without.il6_share("il6")) in explorer.sentence
    assert percent_words(result.treated.il6_share("il6")) in explorer.sentence
    assert f"signal is {percent_words(result.signal_left)} of what it was" in explorer.sentence
    assert "More free IL-6, less signal." in explorer.sentence


def test_siltuximab_holds_il6_and_an_assay_may_still_count_it() -> None:
    explorer = ReceptorOccupancy()
    explorer.set(drug="siltuximab")
    assert "the drug holds 100 % of the IL-6" in explorer.sentence
    assert "An assay may still count all of it." in explorer.sentence


def test_the_conflict_with_measurements_is_always_said() -> None:
    explorer = ReceptorOccupancy()
    for drug in ("tocilizumab", "siltuximab"):
        for level in (0, 0.1, 300):
            explorer.set(drug=drug, drug_ug_ml=level)
            assert "measurements in serum found most IL-6 free" in explorer.sentence


def test_without_the_drug_nothing_changes_and_without_receptors_nothing_signals() -> None:
    explorer = ReceptorOccupancy()
    explorer.set(drug_ug_ml=0)
    assert "nothing changes" in explorer.sentence
    explorer.set(membrane_receptor=False)
    assert "0 % classic" in explorer.sentence
    explorer.set(soluble_receptor_ng_ml=0, drug_ug_ml=100)
    assert "nothing can signal" in explorer.sentence


def test_the_bars_are_whole() -> None:
    result = run_occupancy(OccupancyQuestion(3000, 70, 400, "tocilizumab", 0.4))
    for picture in (il6_picture(result), receptor_picture(result)):
        for row in (0, 1):
            assert sum(trace["x"][row] for trace in picture.traces) == pytest.approx(100)
    signal = signal_picture(result)
    assert sum(trace["x"][1] for trace in signal.traces) == pytest.approx(
        100 * result.without.gp130_share
    )
    assert sum(trace["x"][0] for trace in signal.traces) == pytest.approx(
        100 * result.treated.gp130_share
    )


def test_the_paradox_is_said_in_words_and_numbers() -> None:
    explorer = TocilizumabParadox()
    assert "IL-6 goes from 1,010 to 3,340 pg/mL, 3.3 times as much" in explorer.sentence
    assert NO_FAILURE in explorer.sentence
    assert "560 mg of tocilizumab" in explorer.sentence


def test_no_setting_of_tocilizumab_leaves_the_statement_out() -> None:
    explorer = TocilizumabParadox()
    for share in (0, 50, 95):
        for doses in (1, 4):
            for half_life in (0.3, 4):
                explorer.set(receptor_percent=share, doses=doses, half_life_h=half_life)
                assert NO_FAILURE in explorer.sentence
    explorer.set(blockade="siltuximab")
    assert NO_FAILURE not in explorer.sentence


def test_more_doses_add_days_not_depth() -> None:
    explorer = TocilizumabParadox()
    one = explorer.sentence
    explorer.set(doses=4)
    assert explorer.sentence != one
    assert "the last of 4 doses" in explorer.sentence
    assert "the others add days, not depth" in explorer.sentence


def test_where_receptors_clear_nothing_il6_stays() -> None:
    explorer = TocilizumabParadox()
    explorer.set(receptor_percent=0)
    assert "IL-6 stays at 1,010 pg/mL" in explorer.sentence


def test_blocked_by_hand_it_settles_where_the_formula_says() -> None:
    explorer = TocilizumabParadox()
    explorer.set(blockade="by hand", blocked_percent=80, half_life_h=0.5)
    settled = il6_steady_pg_ml(700, 0.5, 0.7, 0.8)
    assert f"to {settled:,.0f} pg/mL" in explorer.sentence
    marks = explorer.pictures[1].picture
    assert marks is not None
    assert marks.traces[1]["x"][0] == pytest.approx(80)
    assert marks.traces[1]["y"][0] == pytest.approx(settled)


def test_only_controls_that_matter_are_shown() -> None:
    explorer = TocilizumabParadox()
    shown = {
        "none": (False, False),
        "by hand": (True, False),
        "tocilizumab": (False, True),
        "siltuximab": (False, False),
    }
    for blockade, (by_hand, doses) in shown.items():
        explorer.set(blockade=blockade)
        assert explorer.controls["blocked_percent"].visible is by_hand
        assert explorer.controls["doses"].visible is doses


def test_siltuximab_shows_free_and_all_il6() -> None:
    explorer = TocilizumabParadox()
    explorer.set(blockade="siltuximab")
    assert "free IL-6 has gone from 1,010 to below 0.01 pg/mL" in explorer.sentence
    assert "and rises on" in explorer.sentence


def test_the_dotted_line_is_the_fastest_fall() -> None:
    result = run_paradox(ParadoxQuestion(700, 1, 0.7, "tocilizumab", 0, 560))
    drawn = course_picture(result).traces
    crp, dotted = drawn[3], drawn[4]
    later = [value for day, value in zip(crp["x"], crp["y"], strict=True) if day >= 1]
    assert dotted["y"][-1] == pytest.approx(
        result.before_crp_mg_l * 0.5 ** (24 * (dotted["x"][-1] - 1) / CRP_HALF_LIFE.value)
    )
    assert all(own >= floor * (1 - 1e-4) for own, floor in zip(later, dotted["y"], strict=True))


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0 %"),
        (5e-5, "less than 0.01 %"),
        (0.00123, "0.12 %"),
        (0.5, "50 %"),
        (0.9951, "99.5 %"),
        (0.99999, "100 %"),
        (1, "100 %"),
    ],
)
def test_shares_in_words(share: float, words: str) -> None:
    assert percent_words(share) == words
