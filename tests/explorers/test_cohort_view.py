"""The cohort view counts the SYNTHETIC cohort rightly, and warns of a good AUROC."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from crs.explorers import CohortView
from crs.explorers.cohort_view import _MARKERS
from crs.patients.cohort import load_cohort, peaks
from crs.patients.observation import ASSAYS
from crs.patients.roc import auroc


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return peaks(load_cohort())


@pytest.fixture
def explorer() -> CohortView:
    return CohortView()


def numbers(explorer: CohortView) -> list[str]:
    """Return the cells of both tables."""
    return re.findall(r"<td>(.*?)</td>", explorer._table.value)


def test_every_marker_of_the_cohort_can_be_chosen() -> None:
    assert set(_MARKERS) == {assay.column for assay in ASSAYS.values()}


@pytest.mark.parametrize("split", [2, 3])
@pytest.mark.parametrize("column", ["il6_pg_ml", "crp_mg_l", "mcp1_pg_ml"])
@pytest.mark.parametrize("only_crs", [True, False])
def test_the_counts_are_those_of_the_table(
    explorer: CohortView, table: pd.DataFrame, split: int, column: str, only_crs: bool
) -> None:
    threshold = float(table[column].median())
    explorer.set(
        marker=column,
        split=str(split),
        only_crs=only_crs,
        prevalence=10,
        **{f"threshold_{column}": threshold},
    )
    if only_crs:
        table = table[table.astct_grade_peak > 0]
    ill = table.astct_grade_peak >= split
    positive = table[column] >= threshold
    found, alarms = int((ill & positive).sum()), int((~ill & positive).sum())
    missed, alone = int((ill & ~positive).sum()), int((~ill & ~positive).sum())
    sensitivity, specificity = found / (found + missed), alone / (alone + alarms)
    elsewhere = 0.1 * sensitivity / (0.1 * sensitivity + 0.9 * (1 - specificity))
    free = 0.9 * specificity / (0.9 * specificity + 0.1 * (1 - sensitivity))
    assert numbers(explorer) == [
        f"{found} found",
        f"{alarms} false alarms",
        f"{missed} missed",
        f"{alone} left alone",
        f"{100 * sensitivity:.0f} % sensitivity",
        f"{100 * specificity:.0f} % specificity",
        f"{100 * found / (found + alarms):.0f} %",
        f"{100 * alone / (alone + missed):.0f} %",
        f"{100 * elsewhere:.0f} %",
        f"{100 * free:.0f} %",
    ]
    assert f"finds {found} of {found + missed} patients" in explorer.sentence
    assert f"alarms for {alarms} of the {alarms + alone} others" in explorer.sentence
    area = auroc(list(table[column][ill]), list(table[column][~ill]))
    assert f"AUROC is {area:.2f}" in explorer.sentence


def test_it_warns_that_a_good_area_is_no_test(explorer: CohortView) -> None:
    assert "a good AUROC by itself makes no useful test" in explorer.sentence


def test_a_rarer_syndrome_makes_more_alarms_false(explorer: CohortView) -> None:
    def right() -> int:
        found = re.search(r"(\d+) % of the alarms would be right", explorer.sentence)
        assert found is not None
        return int(found[1])

    explorer.controls["prevalence"].value = 40
    frequent = right()
    explorer.controls["prevalence"].value = 2
    assert right() < frequent


def test_everything_is_labeled_synthetic(explorer: CohortView) -> None:
    assert "SYNTHETIC" in explorer.title
    assert explorer.sentence.startswith("SYNTHETIC")
    assert "SYNTHETIC" in explorer._table.value
    for view in explorer.pictures:
        assert view.picture is not None
        assert view.alt.startswith("SYNTHETIC")
        assert any("SYNTHETIC" in note["text"] for note in view.picture.layout["annotations"])


def test_every_patient_is_drawn_once_at_its_grade(
    explorer: CohortView, table: pd.DataFrame
) -> None:
    explorer.controls["only_crs"].value = False
    picture = explorer.pictures[0].picture
    assert picture is not None
    drawn = sorted(
        (round(x), y)
        for trace in picture.traces[:2]
        for x, y in zip(trace["x"], trace["y"], strict=True)
    )
    assert drawn == sorted(zip(table.astct_grade_peak, table.il6_pg_ml, strict=True))
    symbols = {trace["marker"]["symbol"] for trace in picture.traces[:2]}
    assert len(symbols) == 2  # not by color alone
    assert all(round(x) >= 3 for x in picture.traces[1]["x"])


def test_only_the_threshold_of_the_marker_is_asked(explorer: CohortView) -> None:
    explorer.controls["marker"].value = "crp_mg_l"
    assert explorer.visible_controls() == (
        "marker",
        "split",
        "threshold_crp_mg_l",
        "prevalence",
        "only_crs",
    )


def test_dragging_the_line_moves_the_threshold_and_the_line_follows_the_slider(
    explorer: CohortView,
) -> None:
    control = explorer.controls["threshold_il6_pg_ml"]
    explorer.handle._handle_custom_msg({"share": 1.0}, [])
    assert control.value == control.maximum
    explorer.handle._handle_custom_msg({"share": 0.6}, [])
    first = float(control.value)
    assert explorer.handle.share == pytest.approx(0.6, abs=0.01)
    explorer.handle._handle_custom_msg({"share": 0.7}, [])
    assert float(control.value) > first
    control.value = 10
    assert explorer.handle.share < 0.6
    picture = explorer.pictures[0].picture
    assert picture is not None
    assert list(picture.traces[2]["y"]) == [10, 10]


@pytest.mark.parametrize(
    "nonsense", [{}, {"share": "high"}, {"share": float("nan")}, "share", None]
)
def test_nonsense_from_the_page_changes_nothing(explorer: CohortView, nonsense: object) -> None:
    before = explorer.values()
    explorer.handle._handle_custom_msg(nonsense, [])
    assert explorer.values() == before


def test_a_cohort_without_any_severe_patient_is_a_sentence() -> None:
    cohort = load_cohort()
    mild = cohort[cohort.astct_grade_peak < 3]
    explorer = CohortView(mild)
    assert explorer.sentence == (
        "To be found is grade 3 or more, but must be a grade that some reach and some do not."
    )
