"""The trajectory shows what the engine says of every hour."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from tests.explorers.strips import runs_in

from crs.errors import InvalidInput
from crs.explorers import Trajectory
from crs.figures.comparator import SCALES
from crs.figures.grade_strip import runs_of
from crs.figures.trajectory import BANDS, SPAN, track_of, trajectory_picture
from crs.guidelines import grade, guideline
from crs.patients.bedside import facts_of
from crs.patients.cases import LAST_HOUR, case_ids, load_case

HOURS = sorted({0, 1, LAST_HOUR, *range(0, LAST_HOUR + 1, 13)})


def notes_of(explorer: Trajectory) -> list[str]:
    picture = explorer.pictures[0].picture
    assert picture is not None
    return [re.sub(r"</?b>", "", item["text"]) for item in picture.layout["annotations"]]


def overlay(explorer: Trajectory) -> str:
    picture = explorer.pictures[0].picture
    assert picture is not None
    assert explorer.pictures[0]._overlay.value == picture.overlay
    return picture.overlay


def readings(explorer: Trajectory) -> list[str]:
    """Return what is written at the right of the cursor, from top to bottom and then the day."""
    found = re.findall(r'<div class="crs-reading"[^>]*>(.*?)</div>', overlay(explorer))
    return [re.sub(r"<[^>]+>|&ensp;", " ", text).strip() for text in found]


def cursor_hour(explorer: Trajectory) -> float:
    """Return the hour at which the cursor stands, from its place along the axis."""
    match = re.search(r"px\) \* ([0-9.]+)\)", overlay(explorer))
    assert match is not None
    return SPAN[0] + float(match[1]) * (SPAN[1] - SPAN[0])


@pytest.mark.parametrize("case_id", case_ids())
def test_every_hour_says_what_the_engine_says(case_id: str) -> None:
    case = load_case(case_id)
    table = case.table
    explorer = Trajectory(case_id)
    for hour in HOURS:
        explorer.controls["hour"].value = hour
        state = case.state_at(hour)
        grades = [grade(guideline(scale), facts_of(state)).grade for scale in SCALES]
        assert [text.split()[0] for text in readings(explorer)[4:10]] == [str(g) for g in grades]
        assert cursor_hour(explorer) == pytest.approx(hour, abs=0.01)
        assert f"{state.temp_c:.1f} °C" in explorer.sentence
        assert f"pressure {table['systolic_mmhg'][hour]:.0f} mmHg" in explorer.sentence
        assert f"saturation {table['spo2_percent'][hour]:.0f} % on {state.oxygen}" in (
            explorer.sentence
        )
        for scale, found in zip(SCALES, grades, strict=True):
            name = guideline(scale).short_title
            assert f"{name} {found}" in explorer.sentence or (
                f"All six scales say {found}." in explorer.sentence
            )


@pytest.mark.parametrize("case_id", case_ids())
def test_the_colored_runs_cover_every_hour_with_its_grade(case_id: str) -> None:
    track = track_of(case_id)
    picture = trajectory_picture(track, 0)
    painted: dict[tuple[int, int], int] = {}
    for run in runs_in(picture):
        for hour in range(int(run.start), int(run.end)):
            assert (round(run.row), hour) not in painted
            painted[round(run.row), hour] = run.grade
    for moment in track.moments:
        for position, found in enumerate(moment.grades):
            assert painted[len(SCALES) - 1 - position, moment.hour] == found


@pytest.mark.parametrize("case_id", case_ids())
def test_every_value_lies_within_its_axis(case_id: str) -> None:
    picture = trajectory_picture(track_of(case_id), 0)
    for trace in picture.traces:
        axis = picture.layout["yaxis" + trace.get("yaxis", "y").removeprefix("y")]
        low, high = axis["range"]
        for y in trace["y"]:
            assert y is None or low <= y <= high, (trace.get("yaxis"), y)


@pytest.mark.parametrize("case_id", case_ids())
def test_it_is_labeled_synthetic(case_id: str) -> None:
    explorer = Trajectory(case_id)
    assert any("SYNTHETIC" in text and "(fictional)" in text for text in notes_of(explorer))
    assert explorer.pictures[0].alt.startswith("SYNTHETIC. Patient")


@pytest.mark.parametrize("case_id", case_ids())
def test_treatment_is_marked_at_its_hours(case_id: str) -> None:
    case = load_case(case_id)
    picture = trajectory_picture(track_of(case_id), 0)
    marks = [t for t in picture.traces if t.get("marker", {}).get("symbol") == "triangle-down"]
    assert marks[0]["x"] == [e.at for e in case.events if e.kind == "tocilizumab"]


def test_it_opens_where_the_scales_are_furthest_apart() -> None:
    explorer = Trajectory()
    track = track_of(str(explorer.controls["case"].value))
    spread = [max(moment.grades) - min(moment.grades) for moment in track.moments]
    assert spread[round(explorer.controls["hour"].value)] == max(spread)


def test_moving_the_cursor_does_not_draw_the_figure_again() -> None:
    track = track_of(case_ids()[0])
    one, two = trajectory_picture(track, 10), trajectory_picture(track, 200)
    assert one.traces is two.traces
    assert one.layout == two.layout
    assert one.overlay != two.overlay


def test_runs_cover_all_hours_once() -> None:
    assert runs_of([0, 0, 1, 1, 0]) == [(0, 2, 0), (2, 4, 1), (4, 5, 0)]
    assert runs_of([2]) == [(0, 1, 2)]


def test_bands_do_not_overlap() -> None:
    spans = sorted(BANDS.values())
    assert all(below[1] < above[0] for below, above in pairwise(spans))


def test_an_unknown_case_is_refused() -> None:
    with pytest.raises(InvalidInput, match="case is 'nobody', but must be one of"):
        Trajectory("nobody")
