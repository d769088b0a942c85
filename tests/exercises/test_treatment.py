"""Assignment 06: what it states, and its solutions against the library on many inputs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exercises.assignment import ROOT, read, slugs, solved

from autograder.exams import treatment
from crs.guidelines import dosing, guideline

PATH = ROOT / "source" / "06-treatment" / "treatment.ipynb"
EXAMS = {slug: getattr(treatment, slug.replace("-", "_")) for slug in slugs(read(PATH))}
MARKS = {"read": "", "recalled": "†", "convention": "‡"}
STEROIDS = ("dexamethasone", "methylprednisolone", "prednisone", "hydrocortisone")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    return solved(PATH)


def text_of(name: str) -> str:
    return str(next(cell.source for cell in read(PATH).cells if cell.id == name))


def table_after(text: str, heading: str) -> list[list[str]]:
    """Read the first Markdown table whose header starts with this cell."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([part.strip() for part in line.strip("|").split("|")])
    assert rows, f"no table that starts with {heading}"
    return rows


@pytest.mark.parametrize("slug", EXAMS)
def test_the_solution_gets_full_marks(slug: str, names: dict[str, Any]) -> None:
    exam = EXAMS[slug]
    assert exam.result(names[exam.name]).score == exam.points


@pytest.mark.parametrize("slug", EXAMS)
def test_the_cell_states_the_points_of_the_exam(slug: str) -> None:
    cell = next(cell for cell in read(PATH).cells if cell.id == f"{slug}-check")
    assert cell.metadata.nbgrader.points == EXAMS[slug].points
    assert f"({EXAMS[slug].points:g} points)" in cell.source


def test_the_overview_states_all_points() -> None:
    *parts, total = table_after(text_of("title"), "Exercise")
    held = [
        cell.metadata.nbgrader.points
        for cell in read(PATH).cells
        if cell.metadata.get("nbgrader", {}).get("points")
    ]
    assert [int(row[2]) for row in parts] == held
    assert total[2] == f"**{sum(held)}**"
    assert [row[1] for row in parts[:-1]] == [f"`{exam.name}`" for exam in EXAMS.values()]


def test_decision_table_in_the_text_is_the_guideline() -> None:
    rows = table_after(text_of("recommend-text"), "No.")
    shown = [(number, action.strip("`"), reason) for number, action, reason, _ in rows]
    assert shown == [
        (
            str(number),
            row.gives["action"],
            f"`{row.gives['reason']}` {MARKS[row.status]}".strip(),
        )
        for number, row in enumerate(guideline("management-asco-2021").rows, start=1)
    ]


def test_numbers_in_the_decision_table_are_those_of_the_guideline() -> None:
    rows = table_after(text_of("recommend-text"), "No.")
    for (_, _, _, when), row in zip(rows, guideline("management-asco-2021").rows, strict=True):
        inputs = re.findall(r"[a-z_0-9]+ (?:>=|<=|<|>|==) (\d+(?:\.\d+)?)", str(row.when))
        wanted = {float(number) for number in inputs}
        plain = when.replace("10⁹", "")
        found = {float(number) for number in re.findall(r"(?<![\d.])\d+(?:\.\d+)?", plain)}
        assert wanted == found, row.id


def test_state_in_the_text_is_what_the_guideline_asks_for(names: dict[str, Any]) -> None:
    text = text_of("recommend-text")
    keys = [row[0].strip('`"') for row in table_after(text, "Key")]
    derived = set(dosing.management_facts(names["well"])) - set(names["well"])
    inputs = {item.name for item in guideline("management-asco-2021").inputs}
    assert set(keys) == set(names["well"])
    assert inputs - derived == set(keys) - {"now_h", "tocilizumab_given_h"}
    products = next(i for i in guideline("management-asco-2021").inputs if i.name == "product")
    for product in products.choices:
        assert f'`"{product}"`' in text


def test_small_tables_in_the_text_are_the_guidelines() -> None:
    def numbers(slug: str, heading: str, column: int) -> list[float]:
        rows = table_after(text_of(f"{slug}-text"), heading)
        return [float(re.search(r"\d+(\.\d+)?", row[column])[0]) for row in rows]  # type: ignore[index]  # every row has one

    toci = guideline("tocilizumab-crs")
    rates = [row.gives["mg_per_kg"] for row in toci.rows]
    assert numbers("tocilizumab-dose-mg", "Body weight", 1) == [
        *rates,
        toci.constants["max_dose_mg"].value,
    ]
    sizes = [row.gives["content_mg"] for row in guideline("tocilizumab-vials").rows]
    assert numbers("choose-vials", "Vial", 1) == sizes
    steroids = [row.gives["equivalent_mg"] for row in guideline("steroid-equivalence").rows]
    assert numbers("steroid-equivalent-mg", "Drug", 1) == steroids
    schedule = guideline("methylprednisolone-asco-grade-4").rows
    single = [row.gives["mg_per_dose"] for row in schedule]
    assert numbers("methylprednisolone-day-dose-mg", "Day", 1) == single


def test_blinatumomab_in_the_text_is_the_guideline() -> None:
    start = {row.id: row.gives for row in guideline("blinatumomab-start").rows}
    for row in table_after(text_of("blinatumomab-rate-ug-day-text"), "Days of the cycle"):
        step, free = row[0] == "1 to 7", row[0].startswith("29")
        light = start[f"{'step' if step else 'full'}-below-45-kg"]
        heavy = start[f"{'step' if step else 'full'}-45-kg-or-more"]
        wanted = [
            f"{heavy['ug_day']:g} µg/day",
            f"{light['ug_m2_day']:g} µg per m² per day, at most {light['max_ug_day']:g} µg/day",
        ]
        assert row[2:] == (["0", "0"] if free else wanted)

    after = {row.id: row.gives for row in guideline("blinatumomab-after-crs").rows}
    rows = table_after(text_of("blinatumomab-after-crs-text"), "CTCAE grade")
    for (patient, action, restart, steroid), gives in zip(rows, after.values(), strict=True):
        assert f'`"{gives["action"]}"`' in action
        if "restart_ug_day" in gives:
            assert restart == f"{gives['restart_ug_day']:g} µg/day"
        elif "restart_ug_m2_day" in gives:
            by_surface, most = gives["restart_ug_m2_day"], gives["max_restart_ug_day"]
            assert restart == f"{by_surface:g} µg per m² per day, at most {most:g} µg/day"
        else:
            assert restart.startswith("none"), patient
        if "dexamethasone_mg" in gives:
            assert steroid == f"{gives['dexamethasone_mg']:g} mg"
        elif "dexamethasone_mg_m2" in gives:
            by_surface, most = gives["dexamethasone_mg_m2"], gives["max_dexamethasone_mg"]
            assert steroid == f"{by_surface:g} mg per m², at most {most:g} mg"
        else:
            assert steroid.startswith("none"), patient


def test_timing_in_the_text_is_the_guideline() -> None:
    limits = guideline("tocilizumab-crs").constants
    words = {3: "three", 4: "four"}
    interval, doses, window = table_after(text_of("tocilizumab-timing-ok-text"), "Rule")
    assert interval[2].endswith(f"{limits['min_interval_h'].value:g} hours")
    assert f"At most {words[int(limits['max_doses'].value)]} doses in all" in doses[1]
    most, hours = limits["max_doses_in_24_h"].value, limits["window_h"].value
    assert f"At most {words[int(most)]} doses in any {hours:g} hours" in window[1]


def test_a_rate_for_children_stops_an_adult_but_not_the_border_between_them() -> None:
    exam = treatment.tocilizumab_dose_mg

    def critical(slip: str) -> list[str]:
        result = exam.result(lambda kg: exam.answer(kg, slips=frozenset({slip})))
        return [error.title for error in result.critical]

    assert critical("twelve-for-all") == ["Overdose of tocilizumab"]
    assert critical("thirty-is-light") == []


# The instructor's solutions follow the text; the library follows the guideline files.

weights = st.one_of(
    st.sampled_from([29.9, 30, 44.9, 45, 100]), st.floats(2, 200, allow_subnormal=False)
)
surfaces = st.floats(0.2, 2.4)


@given(weight_kg=weights)
def test_dose_agrees_with_the_library(names: dict[str, Any], weight_kg: float) -> None:
    mine = names["tocilizumab_dose_mg"](weight_kg)
    assert mine == pytest.approx(dosing.tocilizumab_dose_mg(weight_kg))


@given(
    now_h=st.integers(0, 60),
    given_h=st.lists(st.integers(0, 60), max_size=6),
    min_interval_h=st.sampled_from([6, 8, 12]),
)
def test_timing_agrees_with_the_library(
    names: dict[str, Any], now_h: int, given_h: list[int], min_interval_h: int
) -> None:
    past = [time_h for time_h in given_h if time_h <= now_h]
    mine = names["tocilizumab_timing_ok"](now_h, past, min_interval_h)
    assert mine is dosing.tocilizumab_timing(now_h, past, min_interval_h).allowed


@pytest.mark.parametrize("dose_mg", [*range(1, 801, 7), 0.5, 358.8, 80.4, 480.4, 800])
def test_vials_agree_with_the_library(names: dict[str, Any], dose_mg: float) -> None:
    assert names["choose_vials"](dose_mg) == dosing.choose_vials(dose_mg).counts


@given(
    drug=st.sampled_from(STEROIDS),
    dose_mg=st.floats(0, 1000),
    to=st.sampled_from(STEROIDS),
)
def test_steroids_agree_with_the_library(
    names: dict[str, Any], drug: str, dose_mg: float, to: str
) -> None:
    mine = names["steroid_equivalent_mg"](drug, dose_mg, to)
    assert mine == pytest.approx(dosing.steroid_equivalent_mg(drug, dose_mg, to))


@pytest.mark.parametrize("day", range(1, 40))
def test_schedule_agrees_with_the_library(names: dict[str, Any], day: int) -> None:
    mine = names["methylprednisolone_day_dose_mg"](day)
    assert mine == dosing.methylprednisolone_day_dose_mg(day)


@given(
    weight_kg=weights,
    bsa_m2=surfaces,
    cycle=st.integers(1, 4),
    day=st.integers(1, 42),
    indication=st.sampled_from(["relapsed/refractory", "MRD"]),
)
def test_rate_agrees_with_the_library(
    names: dict[str, Any],
    weight_kg: float,
    bsa_m2: float,
    cycle: int,
    day: int,
    indication: str,
) -> None:
    asked = (weight_kg, bsa_m2, cycle, day, indication)
    mine = names["blinatumomab_rate_ug_day"](*asked)
    assert mine == pytest.approx(dosing.blinatumomab_rate_ug_day(*asked))


@given(ctcae_grade=st.integers(1, 4), weight_kg=weights, bsa_m2=surfaces)
def test_advice_after_crs_agrees_with_the_library(
    names: dict[str, Any], ctcae_grade: int, weight_kg: float, bsa_m2: float
) -> None:
    mine = names["blinatumomab_after_crs"](ctcae_grade, weight_kg, bsa_m2)
    book = dosing.blinatumomab_after_crs(ctcae_grade, weight_kg, bsa_m2)
    assert mine["action"] == book.action
    assert mine["restart_ug_day"] == pytest.approx(book.restart_ug_day)
    assert mine["dexamethasone_mg"] == pytest.approx(book.dexamethasone_mg)


@st.composite
def states(draw: st.DrawFn) -> dict[str, object]:
    now_h = draw(st.integers(0, 60))
    return {
        "product": draw(st.sampled_from(["axi-cel", "liso-cel"])),
        "crs_grade": draw(st.integers(0, 4)),
        "icans_grade": draw(st.integers(0, 4)),
        "fever_days": draw(st.sampled_from([0, 2, 3, 3.5, 6])),
        "temp_c": draw(st.sampled_from([36.8, 37.9, 38.0, 39.5])),
        "anc_10e9_l": draw(st.sampled_from([0.0, 0.49, 0.5, 3.0])),
        "infection_suspected": draw(st.booleans()),
        "hypotension": draw(st.booleans()),
        "fluid_boluses": draw(st.integers(0, 4)),
        "improving": draw(st.booleans()),
        "now_h": now_h,
        "tocilizumab_given_h": draw(st.lists(st.integers(0, now_h), max_size=5)),
        "steroids_running": draw(st.booleans()),
    }


@settings(max_examples=500)
@given(state=states())
def test_recommendation_agrees_with_the_library(
    names: dict[str, Any], state: dict[str, object]
) -> None:
    assert tuple(names["recommend"](state)) == dosing.recommend(state)
    assert treatment.recommend.answer(state) == list(dosing.recommend(state))
