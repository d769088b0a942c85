"""The cascade simulator draws and says what the model says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crs.explorers import CascadeSimulator
from crs.figures.cascade import NAMES, cascade_picture, level_words
from crs.figures.end_labels import spread
from crs.models.triggers import KINDS, MEDIATORS, Trigger, run_trigger


def test_the_sentence_names_the_first_and_every_peak() -> None:
    view = CascadeSimulator()
    for kind in KINDS:
        view.set(kind=kind)
        course = run_trigger(Trigger(kind))
        assert f"{NAMES[course.rises[0].mediator]} (" in view.sentence.split(" rises first")[0]
        for rise in course.rises:
            assert f"{NAMES[rise.mediator]} {level_words(rise.peak)} pg/mL" in view.sentence


def test_hours_for_drugs_and_days_for_cells() -> None:
    view = CascadeSimulator()
    for kind, start, title in (
        ("CAR T cells", 10, "Days"),
        ("blinatumomab", 48, "Hours"),
        ("activating antibody", 24, "Hours"),
    ):
        view.set(kind=kind, window="The start")
        picture = view.pictures[0].picture
        assert picture is not None
        assert picture.layout["xaxis"]["range"][1] == start
        assert picture.layout["xaxis"]["title"]["text"].startswith(title)


def test_only_controls_that_matter_are_shown() -> None:
    view = CascadeSimulator()
    assert {"first_ug_day", "antibody_mg"}.isdisjoint(view.visible_controls())
    view.set(kind="blinatumomab")
    assert "later_ug_day" in view.visible_controls()
    assert "antibody_mg" not in view.visible_controls()
    view.set(kind="activating antibody")
    assert "antibody_mg" in view.visible_controls()


def test_the_two_peaks_around_a_step_are_said() -> None:
    view = CascadeSimulator()
    view.set(kind="blinatumomab", first_ug_day=9, later_ug_day=28)
    peaks = run_trigger(Trigger("blinatumomab")).il6_peaks
    assert peaks is not None
    before, after = map(level_words, peaks)
    assert f"{before} pg/mL before the rate changes on day 8, and {after} pg/mL" in view.sentence


def test_what_is_not_chosen_is_neither_drawn_nor_said() -> None:
    view = CascadeSimulator()
    view.set(**{name: name == "tnf" for name in MEDIATORS})
    assert "TNF" in view.sentence
    assert "IL-6" not in view.sentence
    picture = view.pictures[0].picture
    assert picture is not None
    drawn = [bool(trace["x"]) for trace in picture.traces[: len(MEDIATORS)]]
    assert drawn == [name == "tnf" for name in MEDIATORS]
    view.set(tnf=False)
    assert view.sentence.startswith("No mediator is chosen.")


def test_nothing_given_is_said_as_nothing_that_rises() -> None:
    view = CascadeSimulator()
    view.set(kind="activating antibody", antibody_mg=0)
    assert "never double." in view.sentence
    assert "rises first" not in view.sentence


def test_against_its_own_peak_each_curve_ends_at_one_hundred() -> None:
    course = run_trigger(Trigger("CAR T cells"))
    picture = cascade_picture(course, MEDIATORS, 28 * 24, share=True)
    for trace in picture.traces[: len(MEDIATORS)]:
        assert max(trace["y"]) == pytest.approx(100, abs=0.1)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6))
def test_labels_are_moved_apart_and_stay_in_the_picture(heights: list[float]) -> None:
    placed = spread(sorted(heights), -5, 5, 1.0)
    assert all(b - a >= 1 - 1e-9 for a, b in itertools.pairwise(placed))
    assert placed[0] >= -5
    assert placed[-1] <= 5


@pytest.mark.parametrize(
    ("level", "words"), [(1843.2, "1,840"), (99.96, "100"), (16.42, "16.4"), (0.2, "0.2")]
)
def test_levels_have_three_digits(level: float, words: str) -> None:
    assert level_words(level) == words
