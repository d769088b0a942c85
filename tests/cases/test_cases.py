"""Cases are checked on load, worked out without chance, and plausible to a clinician."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from crs.errors import InvalidFile, InvalidInput
from crs.guidelines.dosing import (
    methylprednisolone_day_dose_mg,
    tocilizumab_dose_mg,
    tocilizumab_timing,
)
from crs.patients.bedside import BedsideState
from crs.patients.cases import (
    LABS,
    LAST_HOUR,
    VITALS,
    Case,
    case_folder,
    case_ids,
    load_case,
    read_case,
)

CRP_HALF_LIFE_H = 19
CRP_DOUBLING_H = 8
every_case = pytest.mark.parametrize(
    "case", [load_case(name) for name in case_ids()], ids=case_ids()
)


def fever_onset(case: Case) -> int:
    return int((case.table["temp_c"] >= 38.0).to_numpy().argmax())


def test_there_are_the_cases_that_the_lessons_play() -> None:
    assert set(case_ids()) >= {"scales-disagree", "afebrile-not-well", "crs-with-icans"}


def test_an_unknown_case_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="scales-disagree"):
        load_case("nobody")


# What a case is


@every_case
def test_a_case_says_that_it_is_synthetic_and_fictional(case: Case) -> None:
    text = (case_folder() / f"{case.id}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# SYNTHETIC")
    assert case.label == "SYNTHETIC"
    assert (case.table["label"] == "SYNTHETIC").all()
    assert case.title.endswith("(fictional)")


@every_case
def test_the_table_has_a_row_per_hour_and_every_bedside_field(case: Case) -> None:
    table = case.table
    assert list(table.index) == list(range(LAST_HOUR + 1))
    for hour in (0, 61, LAST_HOUR):
        state = case.state_at(hour)
        assert isinstance(state, BedsideState)
        assert state.temp_c == table["temp_c"].iloc[hour]
        assert state.oxygen == table["oxygen"].iloc[hour]


@every_case
def test_two_readings_of_a_file_are_the_same(case: Case) -> None:
    again = read_case(case_folder() / f"{case.id}.yaml")
    pd.testing.assert_frame_equal(again.table, case.table)


def test_changing_a_table_does_not_change_the_case() -> None:
    case = load_case("scales-disagree")
    table = case.table
    table["temp_c"] = 0.0
    assert case.state_at(0).temp_c > 36


@pytest.mark.parametrize("hour", [-1, LAST_HOUR + 1, 2.5, True])
def test_an_hour_outside_the_fourteen_days_is_refused(hour: float) -> None:
    with pytest.raises(InvalidInput, match="hour"):
        load_case("scales-disagree").state_at(hour)  # type: ignore[arg-type]


def test_vitals_run_straight_labs_proportionally_and_devices_hold() -> None:
    case = load_case("scales-disagree")
    table = case.table
    # Heart rate 126 at hour 92 and 118 at hour 98.
    assert table["heart_rate_bpm"].iloc[95] == 122
    # CRP 132 at hour 120 and 62 at hour 144: halfway in time is the geometric mean.
    assert table["crp_mg_l"].iloc[132] == pytest.approx((132 * 62) ** 0.5)
    # Norepinephrine from hour 96 to 118.
    running = table.index[table["norepinephrine_ug_min"] > 0]
    assert (running.min(), running.max()) == (96, 117)
    assert table["vasopressor_hours"].iloc[[96, 100, 118]].tolist() == [0, 4, 0]


def test_premedication_is_not_treatment_and_an_antipyretic_is() -> None:
    case = load_case("scales-disagree")
    antipyretic = next(e.at for e in case.events if e.kind == "antipyretic")
    assert any(e.kind == "premedication" for e in case.events)
    assert fever_onset(case) < antipyretic
    assert not case.state_at(antipyretic - 1).treated
    assert case.state_at(antipyretic).treated
    assert case.state_at(LAST_HOUR).treated


def test_the_latest_laboratory_value_is_the_last_one_drawn() -> None:
    labs = {lab.name: lab for lab in load_case("scales-disagree").labs_at(107)}
    assert (labs["il6_pg_ml"].value, labs["il6_pg_ml"].drawn_h) == (4100, 106)
    assert (labs["crp_mg_l"].value, labs["crp_mg_l"].drawn_h) == (182, 96)


def test_fever_days_count_the_present_fever_only() -> None:
    case = load_case("scales-disagree")
    onset = fever_onset(case)
    assert case.fever_days(onset - 1) == 0
    assert case.fever_days(onset + 48) == 2
    assert case.fever_days(150) == 0


# What is plausible


@every_case
def test_vitals_and_labs_stay_in_the_range_of_the_living(case: Case) -> None:
    table = case.table
    for name, (_, _, low, high) in {**VITALS, **LABS}.items():
        if name in table:
            assert table[name].between(low, high).all(), name
    assert (table["systolic_mmhg"] - table["diastolic_mmhg"]).between(20, 80).all()


@every_case
def test_vitals_change_no_faster_than_a_bedside_does(case: Case) -> None:
    steps = case.table[list(VITALS)].diff().abs().max()
    assert steps["temp_c"] <= 1.0
    assert steps["heart_rate_bpm"] <= 40
    assert steps["systolic_mmhg"] <= 50
    assert steps["spo2_percent"] <= 8


@every_case
def test_the_patient_is_well_at_first_and_at_last(case: Case) -> None:
    for hour in (0, LAST_HOUR):
        row = case.row_at(hour)
        assert 36.0 <= float(row["temp_c"] or 0) < 37.5
        assert float(row["systolic_mmhg"] or 0) >= 110
        assert float(row["heart_rate_bpm"] or 0) <= 90
        assert row["oxygen"] == "room air"


@every_case
def test_crs_begins_on_day_2_to_8(case: Case) -> None:
    assert 2 <= fever_onset(case) / 24 <= 8


@every_case
def test_crp_falls_no_faster_than_its_half_life_and_rises_no_faster_than_it_doubles(
    case: Case,
) -> None:
    draws = list(case.written.labs["crp_mg_l"].items())
    for (earlier, before), (later, after) in itertools.pairwise(draws):
        hours = later - earlier
        assert after >= before * 2 ** (-hours / CRP_HALF_LIFE_H), f"falls too fast by hour {later}"
        assert after <= before * 2 ** (hours / CRP_DOUBLING_H), f"rises too fast by hour {later}"


@every_case
def test_crp_peaks_after_fever_began(case: Case) -> None:
    assert int(case.table["crp_mg_l"].to_numpy().argmax()) >= fever_onset(case) + 24


@every_case
def test_il6_rises_after_tocilizumab_while_crp_falls(case: Case) -> None:
    """Its receptor is blocked; that is the misconception that the cases meet."""
    first = case.tocilizumab_given_h(LAST_HOUR)[0]
    table = case.table
    assert table["il6_pg_ml"].iloc[first + 6] > 3 * table["il6_pg_ml"].iloc[first - 6]
    assert table["crp_mg_l"].iloc[first + 36] < table["crp_mg_l"].iloc[first]


@every_case
def test_tocilizumab_is_given_at_the_right_dose_and_time(case: Case) -> None:
    doses = [event for event in case.events if event.kind == "tocilizumab"]
    assert doses
    for number, event in enumerate(doses):
        assert event.dose_mg == pytest.approx(tocilizumab_dose_mg(case.about.weight_kg))
        assert re.search(rf"\b{event.dose_mg:g} mg", event.text)
        earlier = [dose.at for dose in doses[:number]]
        assert tocilizumab_timing(event.at, earlier).allowed


@every_case
def test_steroids_follow_their_schedules(case: Case) -> None:
    dexamethasone = [event for event in case.events if event.kind == "dexamethasone"]
    assert all(event.dose_mg == 10 and event.until for event in dexamethasone)
    for event in (event for event in case.events if event.kind == "methylprednisolone"):
        steps = {event.at: event.dose_mg or 0.0}
        for later in case.events:
            found = re.match(r"Methylprednisolone (\d+) mg every 12 hours(?:,|$)", later.text)
            if found:
                steps[later.at] = float(found[1])
        assert len(steps) >= 3
        for hour, dose_mg in steps.items():
            day = (hour - event.at) // 24 + 1
            assert 2 * dose_mg == methylprednisolone_day_dose_mg(day)


@every_case
def test_a_low_pressure_is_charted_as_hypotension_within_the_hour(case: Case) -> None:
    table = case.table
    for hour in table.index[table["systolic_mmhg"] < 90]:
        assert table["hypotension"].loc[hour : hour + 1].any(), f"hour {hour}"


@every_case
def test_hypoxia_is_treated_within_two_hours(case: Case) -> None:
    table = case.table
    for hour in table.index[table["spo2_percent"] < 90]:
        later = table.loc[hour : hour + 2]
        assert ((later["oxygen"] != "room air") | (later["support"] != "")).any(), f"hour {hour}"


@every_case
def test_neutropenic_fever_gets_antibiotics_within_three_hours(case: Case) -> None:
    started = [event.at for event in case.events if event.kind == "antibiotic"]
    for hour in range(LAST_HOUR + 1):
        neutrophils = {lab.name: lab.value for lab in case.labs_at(hour)}["anc_10e9_l"]
        if neutrophils < 0.5 and case.state_at(hour).temp_c >= 38.0:
            assert min(started) <= hour + 3, f"hour {hour}"


@every_case
def test_fever_with_hypotension_gets_antibiotics_within_the_hour(case: Case) -> None:
    """It is treated as sepsis, whatever the neutrophils."""
    courses = [(e.at, e.until or e.at) for e in case.events if e.kind == "antibiotic"]
    together = case.table.index[case.table["hypotension"] & (case.table["temp_c"] >= 38.0)]
    assert len(together)
    for hour in together:
        assert any(start <= hour + 1 and hour < end for start, end in courses), f"hour {hour}"


@every_case
def test_charted_organ_grades_fit_the_laboratory(case: Case) -> None:
    """CTCAE: above the upper limit, 3, 5 and 20 times the limit for transaminases."""
    upper_limit = 40
    for hour in range(0, LAST_HOUR + 1, 4):
        labs = {lab.name: lab.value for lab in case.labs_at(hour)}
        ratio = labs["alt_u_l"] / upper_limit
        grade = sum(ratio > limit for limit in (1, 3, 5, 20))
        assert case.state_at(hour).transaminase_grade == grade, f"hour {hour}"
        assert labs["creatinine_mg_dl"] <= 1.2
        assert case.state_at(hour).creatinine_grade == 0


@every_case
def test_ice_and_icans_go_together(case: Case) -> None:
    for hour in range(LAST_HOUR + 1):
        row = case.row_at(hour)
        ice, icans = row["ice_score"], int(float(row["icans_grade"] or 0))
        if ice is None:
            assert icans == 4, "only a seizure, coma or sedation keeps ICE from being scored"
            continue
        score = float(ice)
        least = 0 if score == 10 else 1 if score >= 7 else 2 if score >= 3 else 3
        assert icans >= least


def test_an_infection_declares_itself_without_fever() -> None:
    case = load_case("afebrile-not-well")
    growth = next(e.at for e in case.events if "Gram-negative" in e.text)
    since_recovery = case.table.loc[144:growth]
    assert since_recovery["temp_c"].max() < 38.0
    assert case.labs_at(growth - 1)[0].name == "crp_mg_l"
    assert case.labs_at(growth - 1)[0].value < 20
    assert case.state_at(growth).other_cause
    assert not case.state_at(growth - 1).other_cause


# What is refused, with file and line

GOOD = (case_folder() / "scales-disagree.yaml").read_text(encoding="utf-8")


def line_with(text: str, words: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if words in line)


def without_hour_zero(text: str) -> str:
    return text.replace("spo2_percent: {0: 97, 44", "spo2_percent: {44")


MISTAKES: dict[str, tuple[Callable[[str], str], str, str]] = {
    "not YAML": (lambda t: t.replace("summary: >-", "summary: ["), "", "not valid YAML"),
    "no label": (lambda t: t.replace("label: SYNTHETIC", "label: real"), "label: real", "label"),
    "not fictional": (
        lambda t: t.replace("Patient A (fictional)", "Mrs Smith"),
        "title: Mrs Smith",
        "title",
    ),
    "unknown key": (lambda t: t.replace("chart:\n", "color: red\nchart:\n"), "color: red", "color"),
    "unknown vital": (lambda t: t.replace("spo2_percent:", "spo2:"), "spo2:", "not known"),
    "vital out of range": (lambda t: t.replace("50: 38.3", "50: 83.3"), "temp_c:", "83.3"),
    "hours that go back": (lambda t: t.replace("54: 39.1, 58", "59: 39.1, 58"), "temp_c:", "go up"),
    "one hour twice": (lambda t: t.replace("54: 39.1", "50: 39.1"), "temp_c:", "stands twice"),
    "no first hour": (without_hour_zero, "spo2_percent:", "hour 0"),
    "unknown chart field": (
        lambda t: t.replace("{symptoms: true}", "{mood: true}"),
        "{mood: true}",
        "cannot be charted",
    ),
    "derived field charted": (
        lambda t: t.replace("{symptoms: true}", "{treated: true}"),
        "{treated: true}",
        "cannot be charted",
    ),
    "impossible device": (
        lambda t: t.replace("oxygen: nasal cannula, flow_l_min: 2", "oxygen: snorkel"),
        "oxygen: snorkel",
        "oxygen",
    ),
    "cannula without flow": (
        lambda t: t.replace("oxygen: nasal cannula, flow_l_min: 2", "oxygen: nasal cannula"),
        "oxygen: nasal cannula}",
        "flow_l_min",
    ),
    "unknown event": (lambda t: t.replace("kind: infusion", "kind: party"), "kind: party", "kind"),
    "decisions that go back": (lambda t: t.replace("at: 107", "at: 90"), "at: 90", "follow each"),
    "decision in the hour of a dose": (
        lambda t: t.replace("    at: 98", "    at: 100"),
        "    at: 100",
        "this very hour",
    ),
    "unknown order": (
        lambda t: t.replace("[icu, tocilizumab, steroid]", "[icu, leeches]"),
        "leeches",
        "orders",
    ),
    "wrong id": (lambda t: t.replace("id: scales-disagree", "id: other"), "id: other", "other"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_file_and_line(mistake: str, tmp_path: Path) -> None:
    change, at, words = MISTAKES[mistake]
    text = change(GOOD)
    assert text != GOOD
    path = tmp_path / "scales-disagree.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidFile) as caught:
        read_case(path)
    assert caught.value.file == path
    assert words in str(caught.value)
    if at:
        assert caught.value.line == line_with(text, at)


def test_the_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scales-disagree.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert read_case(path).title == "Patient A (fictional)"
