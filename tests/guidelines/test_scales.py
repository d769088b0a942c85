"""The six scales: boundaries, and agreement with the rules written a second time as plain code."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crs.errors import InvalidInput
from crs.guidelines import grade, guideline, guideline_ids
from crs.guidelines.engine import Verdict

SCALES = ("astct-2019", "lee-2014", "penn-2018", "cartox-2018", "mskcc-2018", "ctcae-5")
DEVICES = (
    "room air",
    "nasal cannula",
    "blow-by",
    "high-flow nasal cannula",
    "face mask",
    "non-rebreather",
    "Venturi mask",
    "CPAP",
    "BiPAP",
    "ventilator",
)


def verdict(scale: str, **facts: object) -> Verdict:
    return grade(guideline(scale), facts)


def number(scale: str, **facts: object) -> int:
    return verdict(scale, **facts).grade


def test_there_are_six_scales() -> None:
    scales = {name for name in guideline_ids() if guideline(name).kind == "grading-scale"}
    assert scales == set(SCALES)


# --- ASTCT 2019 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"temp_c": 37.9}, 0),
        ({"temp_c": 38.0}, 1),
        ({"temp_c": 37.9, "hypotension": True, "non_vasopressin_pressors": 2}, 0),
        ({"temp_c": 37.0, "treated": True}, 0),
        ({"temp_c": 37.0, "treated": True, "hypotension": True}, 2),
        ({"temp_c": 37.0, "treated": True, "non_vasopressin_pressors": 1}, 3),
        ({"temp_c": 37.0, "treated": True, "oxygen": "ventilator"}, 4),
        ({"temp_c": 40.0, "other_cause": True, "oxygen": "ventilator"}, 0),
        ({"temp_c": 37.0, "treated": True, "other_cause": True, "hypotension": True}, 0),
        ({"temp_c": 39.0, "hypotension": True}, 2),
        ({"temp_c": 39.0, "vasopressin": True}, 3),
        ({"temp_c": 39.0, "non_vasopressin_pressors": 1, "vasopressin": True}, 3),
        ({"temp_c": 39.0, "non_vasopressin_pressors": 2}, 4),
        ({"temp_c": 39.0, "oxygen": "nasal cannula", "flow_l_min": 0.1}, 2),
        ({"temp_c": 39.0, "oxygen": "nasal cannula", "flow_l_min": 6.0}, 2),
        ({"temp_c": 39.0, "oxygen": "nasal cannula", "flow_l_min": 6.1}, 3),
        ({"temp_c": 39.0, "oxygen": "high-flow nasal cannula", "flow_l_min": 6.0}, 2),
        ({"temp_c": 39.0, "oxygen": "high-flow nasal cannula", "flow_l_min": 40}, 3),
        ({"temp_c": 39.0, "oxygen": "blow-by", "flow_l_min": 10}, 2),
        ({"temp_c": 39.0, "oxygen": "face mask", "flow_l_min": 5}, 3),
        ({"temp_c": 39.0, "oxygen": "Venturi mask", "flow_l_min": 2}, 3),
        ({"temp_c": 39.0, "oxygen": "non-rebreather", "flow_l_min": 4}, 3),
        ({"temp_c": 39.0, "oxygen": "CPAP"}, 4),
        ({"temp_c": 39.0, "oxygen": "BiPAP"}, 4),
        # the worked example of the paper: 39.5 °C, one vasopressor, low-flow oxygen
        (
            {
                "temp_c": 39.5,
                "hypotension": True,
                "non_vasopressin_pressors": 1,
                "oxygen": "nasal cannula",
                "flow_l_min": 2,
            },
            3,
        ),
        # the worse column decides, not the sum
        (
            {"temp_c": 39.0, "hypotension": True, "oxygen": "nasal cannula", "flow_l_min": 2},
            2,
        ),
    ],
)
def test_astct(facts: dict[str, object], expected: int) -> None:
    assert number("astct-2019", **facts) == expected


@pytest.mark.parametrize("device", ["nasal cannula", "high-flow nasal cannula"])
def test_astct_refuses_a_cannula_without_flow(device: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        verdict("astct-2019", temp_c=39.0, oxygen=device)
    assert (caught.value.field, caught.value.value) == ("flow_l_min", 0.0)
    assert "above 0" in caught.value.allowed


def test_astct_ignores_organ_toxicity() -> None:
    assert number("astct-2019", temp_c=39.0, organ_toxicity=4, transaminitis=4, creatinine=4) == 1


# --- Lee 2014 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, 1),
        ({"fio2": 0.21}, 1),
        ({"fio2": 0.22}, 2),
        ({"fio2": 0.399}, 2),
        ({"fio2": 0.40}, 3),
        ({"hypotension": True}, 2),
        ({"hypotension": True, "vasopressors": 1}, 2),
        ({"vasopressors": 1}, 2),
        ({"vasopressors": 1, "high_dose": True}, 3),
        ({"vasopressors": 2}, 3),
        ({"organ_toxicity": 1}, 1),
        ({"organ_toxicity": 2}, 2),
        ({"organ_toxicity": 3}, 3),
        ({"organ_toxicity": 4}, 4),
        ({"transaminitis": 1}, 1),
        ({"transaminitis": 2}, 2),
        ({"transaminitis": 3}, 3),
        ({"transaminitis": 4}, 3),
        ({"transaminitis": 4, "organ_toxicity": 4}, 4),
        ({"ventilator": True}, 4),
        ({"other_cause": True, "ventilator": True}, 0),
        ({"any_sign": False}, 0),
    ],
)
def test_lee(facts: dict[str, object], expected: int) -> None:
    assert number("lee-2014", **facts) == expected


# --- Penn ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, 1),
        ({"hospitalized": True}, 2),
        ({"creatinine": 1}, 1),
        ({"creatinine": 2}, 2),
        ({"creatinine": 3}, 3),
        ({"creatinine": 4}, 3),
        ({"transaminitis": 2}, 1),
        ({"transaminitis": 3}, 2),
        ({"transaminitis": 4}, 3),
        ({"hypotension": True}, 1),
        ({"hypotension": True, "fluid_boluses": 1}, 1),
        ({"hypotension": True, "fluid_boluses": 1, "hospitalized": True}, 2),
        ({"hypotension": True, "fluid_boluses": 2}, 3),
        ({"vasopressors": 1}, 3),
        ({"vasopressors": 3}, 3),
        ({"vasopressors": 1, "high_dose": True}, 4),
        ({"coagulopathy": True}, 3),
        *(({"oxygen": device}, 3) for device in DEVICES[1:-1]),
        ({"oxygen": "ventilator"}, 4),
        ({"other_cause": True, "oxygen": "ventilator"}, 0),
        ({"any_sign": False}, 0),
    ],
)
def test_penn(facts: dict[str, object], expected: int) -> None:
    assert number("penn-2018", **facts) == expected


# --- CARTOX, MSKCC, CTCAE 5.0 -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"temp_c": 37.9}, 0),
        ({"temp_c": 38.0}, 1),
        ({"temp_c": 37.0, "organ_toxicity": 1}, 1),
        ({"temp_c": 37.0, "transaminitis": 1}, 1),
        ({"temp_c": 37.0, "hypotension": True}, 2),
        ({"temp_c": 37.0, "vasopressors": 1}, 2),
        ({"temp_c": 37.0, "vasopressors": 2}, 3),
        ({"temp_c": 37.0, "vasopressors": 1, "high_dose": True}, 3),
        ({"temp_c": 37.0, "vasopressors": 1, "refractory_hypotension": True}, 4),
        ({"temp_c": 37.0, "fio2": 0.39}, 2),
        ({"temp_c": 37.0, "fio2": 0.40}, 3),
        ({"temp_c": 37.0, "transaminitis": 4}, 3),
        ({"temp_c": 37.0, "organ_toxicity": 4}, 4),
        ({"temp_c": 37.0, "ventilator": True}, 4),
        ({"temp_c": 39.0, "other_cause": True}, 0),
    ],
)
def test_cartox(facts: dict[str, object], expected: int) -> None:
    assert number("cartox-2018", **facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, 1),
        ({"vasopressors": 1, "vasopressor_hours": 23.9}, 2),
        ({"vasopressors": 1, "vasopressor_hours": 24}, 3),
        ({"vasopressors": 3, "vasopressor_hours": 1}, 2),
        ({"vasopressor_hours": 48}, 1),
        ({"fio2": 0.39}, 2),
        ({"fio2": 0.40}, 3),
        ({"vasopressors": 1, "refractory_hypotension": True}, 4),
        ({"ventilator": True}, 4),
        ({"any_sign": False}, 0),
    ],
)
def test_mskcc(facts: dict[str, object], expected: int) -> None:
    assert number("mskcc-2018", **facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"temp_c": 37.9}, 0),
        ({"temp_c": 38.0}, 1),
        ({"temp_c": 37.0, "hypotension": True}, 2),
        ({"temp_c": 37.0, "fio2": 0.39}, 2),
        ({"temp_c": 37.0, "fio2": 0.40}, 3),
        ({"temp_c": 37.0, "vasopressors": 1}, 3),
        ({"temp_c": 37.0, "vasopressors": 2}, 4),
        ({"temp_c": 37.0, "vasopressors": 1, "refractory_hypotension": True}, 4),
        ({"temp_c": 37.0, "ventilator": True}, 4),
        ({"temp_c": 39.0, "other_cause": True}, 0),
    ],
)
def test_ctcae(facts: dict[str, object], expected: int) -> None:
    assert number("ctcae-5", **facts) == expected


# --- the rules a second time, as plain code, over random patients --------------------------------

Patient = dict[str, Any]
PATIENTS = st.fixed_dictionaries(
    {
        "temp_c": st.sampled_from([36.5, 37.9, 38.0, 38.1, 40.2]),
        "treated": st.booleans(),
        "other_cause": st.booleans(),
        "any_sign": st.booleans(),
        "hospitalized": st.booleans(),
        "hypotension": st.booleans(),
        "fluid_boluses": st.integers(0, 3),
        "non_vasopressin_pressors": st.integers(0, 3),
        "vasopressin": st.booleans(),
        "vasopressors": st.integers(0, 4),
        "high_dose": st.booleans(),
        "vasopressor_hours": st.sampled_from([0, 2.9, 3, 23.9, 24, 30]),
        "refractory_hypotension": st.booleans(),
        "oxygen": st.sampled_from(DEVICES),
        "flow_l_min": st.sampled_from([0.5, 5.9, 6.0, 6.1, 40.0]),
        "fio2": st.sampled_from([0.21, 0.28, 0.39, 0.4, 0.41, 1.0]),
        "ventilator": st.booleans(),
        "creatinine": st.integers(0, 4),
        "transaminitis": st.integers(0, 4),
        "organ_toxicity": st.integers(0, 4),
        "coagulopathy": st.booleans(),
    }
)


def plain_astct(p: Patient) -> int:
    fever = p["temp_c"] >= 38.0
    if p["other_cause"] or not (fever or p["treated"]):
        return 0
    pressors = p["non_vasopressin_pressors"]
    pressure = 2 if p["hypotension"] else 0
    if pressors == 1 or p["vasopressin"]:
        pressure = 3
    if pressors >= 2:
        pressure = 4
    oxygen = {"room air": 0, "blow-by": 2, "CPAP": 4, "BiPAP": 4, "ventilator": 4}.get(
        str(p["oxygen"]), 3
    )
    if "cannula" in str(p["oxygen"]) and p["flow_l_min"] <= 6:
        oxygen = 2
    return max(pressure, oxygen, 1 if fever else 0)


def plain_oxygen(p: Patient) -> int:
    fio2 = p["fio2"]
    return 4 if p["ventilator"] else 3 if fio2 >= 0.4 else 2 if fio2 > 0.21 else 0


def plain_organs(p: Patient) -> int:
    return int(max(p["organ_toxicity"], min(3, p["transaminitis"])))


def plain_lee(p: Patient) -> int:
    if p["other_cause"] or not p["any_sign"]:
        return 0
    pressors = p["vasopressors"]
    pressure = 2 if p["hypotension"] or pressors else 0
    if pressors >= 2 or p["high_dose"]:
        pressure = 3
    return max(1, pressure, plain_oxygen(p), plain_organs(p))


def plain_cartox(p: Patient) -> int:
    if p["other_cause"] or not p["any_sign"]:
        return 0
    pressors = p["vasopressors"]
    pressure = 2 if p["hypotension"] or pressors else 0
    if pressors >= 2 or p["high_dose"]:
        pressure = 3
    if p["refractory_hypotension"]:
        pressure = 4
    fever = 1 if p["temp_c"] >= 38.0 else 0
    return max(fever, pressure, plain_oxygen(p), plain_organs(p))


def plain_penn(p: Patient) -> int:
    if p["other_cause"] or not p["any_sign"]:
        return 0
    creatinine, liver = p["creatinine"], p["transaminitis"]
    if p["high_dose"] or p["oxygen"] == "ventilator":
        return 4
    boluses = p["fluid_boluses"]
    if (
        creatinine >= 3
        or liver == 4
        or p["vasopressors"]
        or p["coagulopathy"]
        or p["oxygen"] != "room air"
        or (p["hypotension"] and boluses > 1)
    ):
        return 3
    return 2 if creatinine == 2 or liver == 3 or p["hospitalized"] else 1


def plain_mskcc(p: Patient) -> int:
    if p["other_cause"] or not p["any_sign"]:
        return 0
    pressure = 0
    if p["vasopressors"]:
        pressure = 2 if p["vasopressor_hours"] < 24 else 3
    if p["refractory_hypotension"]:
        pressure = 4
    return max(1, pressure, plain_oxygen(p))


def plain_ctcae(p: Patient) -> int:
    if p["other_cause"] or not p["any_sign"]:
        return 0
    pressors = p["vasopressors"]
    pressure = 4 if pressors >= 2 else 3 if pressors else 2 if p["hypotension"] else 0
    if p["refractory_hypotension"]:
        pressure = 4
    fever = 1 if p["temp_c"] >= 38.0 else 0
    return max(fever, pressure, plain_oxygen(p))


@pytest.mark.parametrize(
    ("scale", "plain"),
    [
        ("astct-2019", plain_astct),
        ("lee-2014", plain_lee),
        ("penn-2018", plain_penn),
        ("cartox-2018", plain_cartox),
        ("mskcc-2018", plain_mskcc),
        ("ctcae-5", plain_ctcae),
    ],
)
@given(patient=PATIENTS)
@settings(max_examples=400, deadline=None)
def test_table_and_plain_code_agree(
    scale: str, plain: Callable[[Patient], int], patient: Patient
) -> None:
    assert verdict(scale, **patient).grade == plain(patient)


FINDINGS: list[tuple[str, object]] = [
    ("temp_c", 38.5),
    ("hospitalized", True),
    ("hypotension", True),
    ("fluid_boluses", 2),
    ("non_vasopressin_pressors", 1),
    ("non_vasopressin_pressors", 2),
    ("vasopressin", True),
    ("vasopressors", 1),
    ("vasopressors", 2),
    ("high_dose", True),
    ("vasopressor_hours", 24),
    ("refractory_hypotension", True),
    ("oxygen", "nasal cannula"),
    ("oxygen", "face mask"),
    ("oxygen", "CPAP"),
    ("oxygen", "ventilator"),
    ("fio2", 0.3),
    ("fio2", 0.5),
    ("ventilator", True),
    *(
        (organ, n)
        for organ in ("creatinine", "transaminitis", "organ_toxicity")
        for n in range(1, 5)
    ),
    ("coagulopathy", True),
]


@pytest.mark.parametrize("scale", SCALES)
def test_every_row_decides_for_some_patient(scale: str) -> None:
    decided = set()
    for one, other in product(FINDINGS, repeat=2):
        found = verdict(
            scale, **{"temp_c": 37.0, "treated": True, "flow_l_min": 2, **dict([one, other])}
        )
        if found.deciding is not None:
            decided.add(found.deciding.row.id)
    assert decided == {row.id for row in guideline(scale).rows}


@pytest.mark.parametrize("scale", SCALES)
@given(patient=PATIENTS)
@settings(max_examples=100, deadline=None)
def test_the_deciding_row_has_the_grade_and_is_met(scale: str, patient: dict[str, object]) -> None:
    found = verdict(scale, **patient)
    if found.deciding is None:
        assert found.grade == 0
        return
    assert found.deciding.row.gives["grade"] == found.grade
    assert found.deciding.row.when.is_met(found.facts)
    assert all(comparison.is_met(found.facts) for comparison in found.deciding.met)
    assert all(int(match.row.gives["grade"]) <= found.grade for match in found.matches)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    "worsening",
    [
        {"vasopressors": 4, "non_vasopressin_pressors": 4},
        {"fio2": 1.0},
        {"transaminitis": 4, "creatinine": 4, "organ_toxicity": 4},
        {"vasopressor_hours": 100},
        {"refractory_hypotension": True},
    ],
)
@given(patient=PATIENTS)
@settings(max_examples=60, deadline=None)
def test_worse_is_never_graded_lower(
    scale: str, worsening: dict[str, object], patient: dict[str, object]
) -> None:
    assert verdict(scale, **{**patient, **worsening}).grade >= verdict(scale, **patient).grade


def test_the_reason_says_why() -> None:
    found = verdict("astct-2019", temp_c=38.5, non_vasopressin_pressors=1)
    assert found.reason == "Hypotension that needs one vasopressor, with or without vasopressin"
    assert [str(comparison) for comparison in found.deciding.met] == [  # type: ignore[union-attr]
        "non_vasopressin_pressors == 1"
    ]
    assert verdict("astct-2019", temp_c=37.0).reason.startswith("Not met: fever")
    assert verdict("cartox-2018", temp_c=37.0).reason == "No row of the table is met."


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({}, "temp_c"),
        ({"temp_c": 101.0}, "temp_c"),
        ({"temp_c": float("nan")}, "temp_c"),
        ({"temp_c": "38"}, "temp_c"),
        ({"temp_c": True}, "temp_c"),
        ({"temp_c": 38.5, "oxygen": "oxygen tent"}, "oxygen"),
        ({"temp_c": 38.5, "non_vasopressin_pressors": -1}, "non_vasopressin_pressors"),
        ({"temp_c": 38.5, "non_vasopressin_pressors": 1.5}, "non_vasopressin_pressors"),
        ({"temp_c": 38.5, "flow_l_min": -2}, "flow_l_min"),
        ({"temp_c": 38.5, "treated": 1}, "treated"),
    ],
)
def test_invalid_input_names_field_value_and_allowed(facts: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        verdict("astct-2019", **facts)
    error = caught.value
    assert error.field == field
    assert error.value is facts.get(field)
    assert error.allowed
    assert all(part in str(error) for part in (field, repr(facts.get(field)), error.allowed))
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("fio2", [0.2, 1.01, 40])
def test_lee_refuses_an_impossible_oxygen_fraction(fio2: float) -> None:
    with pytest.raises(InvalidInput, match=r"fio2 .* from 0\.21 to 1"):
        verdict("lee-2014", fio2=fio2)


@pytest.mark.parametrize(
    ("scale", "facts", "rows"),
    [
        *(
            (scale, {"temp_c": 37.0, "fio2": fio2}, {row})
            for scale in ("lee-2014", "cartox-2018", "mskcc-2018", "ctcae-5")
            for fio2, row in [
                (0.39, "oxygen-below-40-percent"),
                (0.40, "oxygen-40-percent-or-more"),
            ]
        ),
        *(
            (scale, {"temp_c": 37.0, "vasopressors": 1, "high_dose": high}, {row})
            for scale in ("lee-2014", "cartox-2018")
            for high, row in [(False, "low-dose-vasopressor"), (True, "high-dose-vasopressor")]
        ),
        (
            "mskcc-2018",
            {"vasopressors": 1, "vasopressor_hours": 23.9},
            {"vasopressor-under-24-hours"},
        ),
        (
            "mskcc-2018",
            {"vasopressors": 1, "vasopressor_hours": 24},
            {"vasopressor-24-hours-or-more"},
        ),
        ("penn-2018", {"vasopressors": 1}, {"low-dose-vasopressors"}),
        ("penn-2018", {"vasopressors": 1, "high_dose": True}, {"high-dose-vasopressors"}),
        *(
            (
                "astct-2019",
                {
                    "temp_c": 37.0,
                    "treated": True,
                    "oxygen": "nasal cannula",
                    "flow_l_min": flow,
                },
                {row},
            )
            for flow, row in [(6, "low-flow-oxygen"), (6.1, "high-flow-oxygen")]
        ),
        *(
            (
                "astct-2019",
                {
                    "temp_c": 37.0,
                    "treated": True,
                    "hypotension": True,
                    "non_vasopressin_pressors": number,
                    "vasopressin": vasopressin,
                },
                {row},
            )
            for number, vasopressin, row in [
                (0, False, "hypotension-without-vasopressor"),
                (0, True, "vasopressin-alone"),
                (1, False, "one-vasopressor"),
                (1, True, "one-vasopressor"),
                (2, True, "several-vasopressors"),
            ]
        ),
        *(
            (scale, {"temp_c": 37.0, "hypotension": True, "vasopressors": number}, {row})
            for scale, number, row in [
                ("lee-2014", 0, "hypotension-responsive-to-fluids"),
                ("lee-2014", 2, "several-vasopressors"),
                ("cartox-2018", 0, "hypotension-responsive-to-fluids"),
                ("cartox-2018", 2, "several-vasopressors"),
                ("ctcae-5", 0, "hypotension-responsive-to-fluids"),
                ("ctcae-5", 1, "one-vasopressor"),
                ("ctcae-5", 2, "several-vasopressors"),
            ]
        ),
    ],
)
def test_one_side_of_a_threshold_only(scale: str, facts: dict[str, object], rows: set[str]) -> None:
    always = {row.id for row in guideline(scale).rows if str(row.when) == "always"}
    assert {match.row.id for match in verdict(scale, **facts).matches} == rows | always


@pytest.mark.parametrize("scale", ["lee-2014", "cartox-2018"])
@pytest.mark.parametrize("organ", ["organ_toxicity", "transaminitis"])
@pytest.mark.parametrize("toxicity", [1, 2, 3, 4])
def test_each_organ_grade_meets_one_row(scale: str, organ: str, toxicity: int) -> None:
    found = verdict(scale, temp_c=37.0, **{organ: toxicity})
    assert found.grade == (3 if organ == "transaminitis" and toxicity == 4 else toxicity)
    rows = [match.row.id for match in found.matches if match.row.domain == "organ toxicity"]
    if scale == "lee-2014" and toxicity == 1:
        assert rows == []
    elif organ == "transaminitis" and toxicity == 4:
        assert rows == ["transaminitis-grade-4"]
    else:
        assert rows == [f"organ-toxicity-grade-{toxicity}"]
