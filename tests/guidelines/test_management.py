"""The management table: every row, every boundary, and what must never be recommended."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crs.errors import InvalidInput
from crs.guidelines import actions, guideline
from crs.guidelines.dosing import management_facts, recommend

WELL: dict[str, Any] = {
    "product": "axi-cel",
    "crs_grade": 0,
    "icans_grade": 0,
    "fever_days": 0,
    "temp_c": 37.0,
    "anc_10e9_l": 2.0,
    "infection_suspected": False,
    "hypotension": False,
    "fluid_boluses": 0,
    "improving": False,
    "now_h": 100,
    "tocilizumab_given_h": [],
    "steroids_running": False,
}
ORDER = (
    "antibiotics",
    "supportive-care",
    "icans-workup",
    "icu",
    "tocilizumab",
    "dexamethasone-10mg-q12h",
    "dexamethasone-10mg-q6h",
    "methylprednisolone-500mg-q12h",
    "second-line",
)


def recommended(**changes: Any) -> dict[str, str]:
    return dict(recommend(WELL | changes))


def test_a_well_patient_needs_nothing() -> None:
    assert recommend(WELL) == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"anc_10e9_l": 0.49, "temp_c": 38.0}, {"antibiotics": "neutropenic-fever"}),
        ({"anc_10e9_l": 0.5, "temp_c": 38.0}, {}),
        ({"anc_10e9_l": 0.49, "temp_c": 37.9}, {}),
        ({"infection_suspected": True}, {"antibiotics": "suspected-infection"}),
        (
            {"infection_suspected": True, "anc_10e9_l": 0.1, "temp_c": 39.0},
            {"antibiotics": "neutropenic-fever"},
        ),
        ({"crs_grade": 1}, {"supportive-care": "crs"}),
        ({"crs_grade": 1, "fever_days": 3}, {"supportive-care": "crs"}),
        (
            {"crs_grade": 1, "fever_days": 3.1},
            {"supportive-care": "crs", "tocilizumab": "prolonged-fever"},
        ),
        ({"crs_grade": 1, "fever_days": 9, "improving": True}, {"supportive-care": "crs"}),
        (
            {"crs_grade": 2},
            {"supportive-care": "crs", "tocilizumab": "crs-grade-2-or-higher"},
        ),
        ({"crs_grade": 2, "improving": True}, {"supportive-care": "crs"}),
        # neurotoxicity alone: never tocilizumab
        ({"icans_grade": 1}, {"icans-workup": "icans"}),
        (
            {"icans_grade": 2},
            {"icans-workup": "icans", "dexamethasone-10mg-q6h": "icans-without-crs"},
        ),
        (
            {"icans_grade": 3},
            {
                "icans-workup": "icans",
                "icu": "severe-icans",
                "dexamethasone-10mg-q6h": "icans-without-crs",
            },
        ),
        (
            {"icans_grade": 4},
            {
                "icans-workup": "icans",
                "icu": "severe-icans",
                "methylprednisolone-500mg-q12h": "icans-grade-4",
            },
        ),
        # neurotoxicity with CRS: tocilizumab from ICANS 1 on
        (
            {"crs_grade": 1, "icans_grade": 1},
            {"supportive-care": "crs", "icans-workup": "icans", "tocilizumab": "icans-with-crs"},
        ),
        (
            {"crs_grade": 1, "icans_grade": 2},
            {"supportive-care": "crs", "icans-workup": "icans", "tocilizumab": "icans-with-crs"},
        ),
        (
            {"crs_grade": 1, "icans_grade": 2, "tocilizumab_given_h": [96]},
            {
                "supportive-care": "crs",
                "icans-workup": "icans",
                "dexamethasone-10mg-q6h": "icans-with-refractory-crs",
            },
        ),
        (
            {"crs_grade": 1, "icans_grade": 2, "tocilizumab_given_h": [96], "improving": True},
            {"supportive-care": "crs", "icans-workup": "icans"},
        ),
        (
            {"crs_grade": 1, "icans_grade": 1, "tocilizumab_given_h": [96]},
            {"supportive-care": "crs", "icans-workup": "icans"},
        ),
        (
            {"crs_grade": 3},
            {
                "supportive-care": "crs",
                "icu": "severe-crs",
                "tocilizumab": "crs-grade-2-or-higher",
                "dexamethasone-10mg-q6h": "crs-grade-3",
            },
        ),
        # corticosteroids of grade 3 and 4 do not wait for failure
        (
            {"crs_grade": 3, "improving": True},
            {
                "supportive-care": "crs",
                "icu": "severe-crs",
                "dexamethasone-10mg-q6h": "crs-grade-3",
            },
        ),
        (
            {"crs_grade": 4},
            {
                "supportive-care": "crs",
                "icu": "severe-crs",
                "tocilizumab": "crs-grade-2-or-higher",
                "methylprednisolone-500mg-q12h": "crs-grade-4",
            },
        ),
        (
            {"crs_grade": 3, "icans_grade": 4},
            {
                "supportive-care": "crs",
                "icans-workup": "icans",
                "icu": "severe-crs",
                "tocilizumab": "crs-grade-2-or-higher",
                "methylprednisolone-500mg-q12h": "icans-grade-4",
            },
        ),
    ],
)
def test_rows(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert recommended(**changes) == expected


LOW_PRESSURE = {"crs_grade": 2, "hypotension": True, "fluid_boluses": 2}


@pytest.mark.parametrize(
    ("changes", "steroid"),
    [
        ({**LOW_PRESSURE, "tocilizumab_given_h": [96]}, "dexamethasone-10mg-q12h"),
        ({**LOW_PRESSURE, "tocilizumab_given_h": [76.1]}, "dexamethasone-10mg-q12h"),
        ({**LOW_PRESSURE, "tocilizumab_given_h": [76]}, "dexamethasone-10mg-q6h"),
        ({**LOW_PRESSURE, "tocilizumab_given_h": [76], "improving": True}, None),
        ({**LOW_PRESSURE, "tocilizumab_given_h": []}, None),
        ({**LOW_PRESSURE, "tocilizumab_given_h": [96], "fluid_boluses": 1}, None),
        ({**LOW_PRESSURE, "tocilizumab_given_h": [96], "hypotension": False}, None),
        ({**LOW_PRESSURE, "tocilizumab_given_h": [96], "crs_grade": 1}, None),
        # the first dose starts the 24 hours, not the last
        ({**LOW_PRESSURE, "tocilizumab_given_h": [92, 76, 84]}, "dexamethasone-10mg-q6h"),
        ({"crs_grade": 2, "tocilizumab_given_h": [76.1]}, None),
        ({"crs_grade": 2, "tocilizumab_given_h": [76]}, "dexamethasone-10mg-q6h"),
        (
            {**LOW_PRESSURE, "tocilizumab_given_h": [96], "icans_grade": 2},
            "dexamethasone-10mg-q6h",
        ),
    ],
)
def test_steroid_of_grade_2(changes: dict[str, Any], steroid: str | None) -> None:
    steroids = {"dexamethasone-10mg-q12h", "dexamethasone-10mg-q6h"} & set(recommended(**changes))
    assert steroids == ({steroid} if steroid else set())


@pytest.mark.parametrize(
    ("given_h", "due"),
    [
        ([], True),
        ([92.1], False),
        ([92], True),
        ([76, 84, 92], True),
        ([68, 76, 84, 92], False),
    ],
)
def test_tocilizumab_follows_the_clock_and_the_count(given_h: list[float], due: bool) -> None:
    assert ("tocilizumab" in recommended(crs_grade=2, tocilizumab_given_h=given_h)) is due


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, True),
        ({"crs_grade": 4}, True),
        ({"crs_grade": 2}, False),
        ({"improving": True}, False),
        ({"steroids_running": False}, False),
        ({"tocilizumab_given_h": [60, 76, 84]}, False),
        # three within 24 hours, at an interval of six
        ({"tocilizumab_given_h": [77, 84, 92]}, True),
        ({"tocilizumab_given_h": [76, 84, 92]}, False),
    ],
)
def test_second_line(changes: dict[str, Any], due: bool) -> None:
    refractory = {
        "crs_grade": 3,
        "steroids_running": True,
        "tocilizumab_given_h": [60, 68, 76, 84],
    }
    assert ("second-line" in recommended(**{**refractory, **changes})) is due


STATES = st.fixed_dictionaries(
    {
        "product": st.sampled_from(
            ["axi-cel", "brexu-cel", "tisa-cel", "liso-cel", "ide-cel", "cilta-cel"]
        ),
        "crs_grade": st.integers(0, 4),
        "icans_grade": st.integers(0, 4),
        "fever_days": st.sampled_from([0, 3, 3.1, 5]),
        "temp_c": st.sampled_from([37.0, 37.9, 38.0, 39.5]),
        "anc_10e9_l": st.sampled_from([0.0, 0.49, 0.5, 3.0]),
        "infection_suspected": st.booleans(),
        "hypotension": st.booleans(),
        "fluid_boluses": st.integers(0, 3),
        "improving": st.booleans(),
        "now_h": st.just(100),
        "tocilizumab_given_h": st.lists(
            st.sampled_from([52, 60, 68, 76, 77, 84, 90, 92, 93, 100]), max_size=4, unique=True
        ),
        "steroids_running": st.booleans(),
    }
)


def plain_actions(s: dict[str, Any]) -> list[str]:
    """Write the table a second time, as plain code."""
    crs, icans, better = s["crs_grade"], s["icans_grade"], s["improving"]
    given_h = sorted(s["tocilizumab_given_h"])
    recent = [start for start in given_h if 100 - start < 24]
    found = []
    if (s["anc_10e9_l"] < 0.5 and s["temp_c"] >= 38) or s["infection_suspected"]:
        found.append("antibiotics")
    if crs:
        found.append("supportive-care")
    if icans:
        found.append("icans-workup")
    if max(crs, icans) >= 3:
        found.append("icu")
    may = len(given_h) < 4 and len(recent) < 3 and (not given_h or 100 - given_h[-1] >= 8)
    if may and not better and crs and (crs >= 2 or s["fever_days"] > 3 or icans):
        found.append("tocilizumab")
    early = bool(given_h) and 100 - given_h[0] < 24
    late = bool(given_h) and not early
    if crs == 4 or icans == 4:
        found.append("methylprednisolone-500mg-q12h")
    elif (
        crs == 3
        or (crs == 2 and not better and late)
        or (icans >= 2 and (crs == 0 or (given_h and not better)))
    ):
        found.append("dexamethasone-10mg-q6h")
    elif crs == 2 and s["hypotension"] and s["fluid_boluses"] >= 2 and early:
        found.append("dexamethasone-10mg-q12h")
    exhausted = len(given_h) >= 4 or len(recent) >= 3
    if crs >= 3 and not better and exhausted and s["steroids_running"]:
        found.append("second-line")
    return found


@given(state=STATES)
@settings(max_examples=1500, deadline=None)
def test_table_and_plain_code_agree(state: dict[str, Any]) -> None:
    assert [action for action, _ in recommend(state)] == plain_actions(state)


@given(state=STATES)
@settings(max_examples=500, deadline=None)
def test_what_must_never_happen(state: dict[str, Any]) -> None:
    found = [action for action, _ in recommend(state)]
    assert found == [action for action in ORDER if action in found]
    steroids = [name for name in found if name.startswith(("dexa", "methyl"))]
    assert len(steroids) <= 1
    if state["crs_grade"] == 0:
        assert "tocilizumab" not in found
    if len(state["tocilizumab_given_h"]) >= 4:
        assert "tocilizumab" not in found
    if state["anc_10e9_l"] < 0.5 and state["temp_c"] >= 38:
        assert found[0] == "antibiotics"


def test_every_row_can_speak() -> None:
    spoken = set()
    base = {**WELL, "tocilizumab_given_h": [76]}
    states = [
        {**WELL, "anc_10e9_l": 0.1, "temp_c": 39.0},
        {**WELL, "infection_suspected": True},
        {**WELL, "crs_grade": 1, "fever_days": 4},
        {**WELL, "crs_grade": 1, "icans_grade": 1},
        {**WELL, "icans_grade": 3},
        {**WELL, "crs_grade": 3},
        {**WELL, **LOW_PRESSURE, "tocilizumab_given_h": [90]},
        {**base, "crs_grade": 2},
        {**base, "crs_grade": 1, "icans_grade": 2},
        {**WELL, "crs_grade": 4},
        {**WELL, "icans_grade": 4},
        {
            **WELL,
            "crs_grade": 3,
            "steroids_running": True,
            "tocilizumab_given_h": [52, 60, 68, 76],
        },
    ]
    table = guideline("management-asco-2021")
    for state in states:
        spoken |= {match.row.id for match in actions(table, management_facts(state))}
    assert spoken == {row.id for row in table.rows}


@pytest.mark.parametrize("name", sorted(WELL))
def test_nothing_may_be_left_out(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        recommend({key: value for key, value in WELL.items() if key != name})
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("product", "teclistamab"),
        ("crs_grade", 5),
        ("crs_grade", -1),
        ("icans_grade", 2.5),
        ("anc_10e9_l", 500),
        ("temp_c", 101.3),
        ("fever_days", -1),
        ("improving", "no"),
        ("fluid_boluses", -1),
        ("now_h", None),
    ],
)
def test_invalid_input_names_the_entry(name: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        recommended(**{name: value})
    assert (caught.value.field, caught.value.value) == (name, value)


def test_a_dose_after_now_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        recommended(tocilizumab_given_h=[101])
    assert (caught.value.field, caught.value.value) == ("tocilizumab_given_h", 101)
