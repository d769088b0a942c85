"""From the bedside to the facts that the scales ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crs.errors import InvalidInput
from crs.guidelines import grade, guideline
from crs.patients import BedsideState, facts_of
from crs.patients.bedside import OXYGEN_DEVICES, bedside_inputs, estimated_fio2

SCALES = ("astct-2019", "lee-2014", "penn-2018", "cartox-2018", "mskcc-2018", "ctcae-5")


def facts(**fields: Any) -> dict[str, Any]:
    return dict(facts_of(BedsideState(**{"temp_c": 37.0, **fields})))


def test_a_well_person_has_no_sign_and_no_grade() -> None:
    found = facts()
    assert found["any_sign"] is False
    assert [grade(guideline(scale), found).grade for scale in SCALES] == [0] * 6


@pytest.mark.parametrize(
    "fields",
    [
        {"temp_c": 38.0},
        {"symptoms": True},
        {"hypotension": True},
        {"fluid_boluses": 1},
        {"vasopressin_units_min": 0.03},
        {"oxygen": "nasal cannula", "flow_l_min": 1},
        {"oxygen": "CPAP", "fio2": 0.21},
        {"hospitalized_for_crs": True},
        {"creatinine_grade": 1},
        {"transaminase_grade": 1},
        {"other_organ_grade": 1},
        {"coagulopathy_products": True},
    ],
)
def test_any_sign(fields: dict[str, Any]) -> None:
    assert facts(**fields)["any_sign"] is True


@pytest.mark.parametrize(
    "fields",
    [
        {"hypotension": True},
        {"fluid_boluses": 1},
        {"norepinephrine_ug_min": 1},
        {"vasopressin_units_min": 0.01},
    ],
)
def test_what_holds_the_pressure_up_counts_as_hypotension(fields: dict[str, Any]) -> None:
    assert facts(**fields)["hypotension"] is True


def test_vasopressors_are_counted_with_and_without_vasopressin() -> None:
    found = facts(norepinephrine_ug_min=5, epinephrine_ug_min=1, vasopressin_units_min=0.03)
    assert (found["non_vasopressin_pressors"], found["vasopressors"]) == (2, 3)
    assert found["vasopressin"] is True


def test_the_worst_organ_leaves_the_transaminases_out() -> None:
    found = facts(creatinine_grade=2, transaminase_grade=4, other_organ_grade=1)
    assert (found["organ_toxicity"], found["transaminitis"], found["creatinine"]) == (2, 4, 2)


@pytest.mark.parametrize(
    ("hours", "rate", "high"), [(2.9, 25, False), (3, 25, True), (3, 19.9, False), (3, 20, True)]
)
def test_high_dose_needs_rate_and_time(hours: float, rate: float, high: bool) -> None:
    assert facts(norepinephrine_ug_min=rate, vasopressor_hours=hours)["high_dose"] is high


@pytest.mark.parametrize(
    ("device", "flow", "fio2"),
    [
        ("room air", 0, 0.21),
        ("nasal cannula", 0.5, 0.24),
        ("nasal cannula", 1, 0.24),
        ("nasal cannula", 5, 0.40),
        ("nasal cannula", 6, 0.44),
        ("nasal cannula", 6.1, None),
        ("face mask", 5, None),
        ("high-flow nasal cannula", 4, None),
    ],
)
def test_estimated_fio2(device: str, flow: float, fio2: float | None) -> None:
    assert estimated_fio2(device, flow) == (None if fio2 is None else pytest.approx(fio2))


def test_five_liters_reach_forty_percent_on_the_scale_of_lee() -> None:
    found = facts(temp_c=38.5, oxygen="nasal cannula", flow_l_min=5)
    assert grade(guideline("lee-2014"), found).grade == 3
    found = facts(temp_c=38.5, oxygen="nasal cannula", flow_l_min=4.9)
    assert grade(guideline("lee-2014"), found).grade == 2


def test_a_measured_fraction_wins_over_the_estimate() -> None:
    assert facts(oxygen="nasal cannula", flow_l_min=6, fio2=0.35)["fio2"] == 0.35


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"temp_c": 101.3}, "temp_c"),
        ({"temp_c": None}, "temp_c"),
        ({"oxygen": "oxygen tent"}, "oxygen"),
        ({"oxygen": "nasal cannula"}, "flow_l_min"),
        ({"oxygen": "high-flow nasal cannula", "fio2": 0.5}, "flow_l_min"),
        ({"oxygen": "nasal cannula", "flow_l_min": 8}, "fio2"),
        ({"oxygen": "face mask"}, "fio2"),
        ({"oxygen": "CPAP", "fio2": 50}, "fio2"),
        ({"oxygen": "CPAP", "fio2": 0.2}, "fio2"),
        ({"fio2": 0.4}, "fio2"),
        ({"norepinephrine_ug_min": -1}, "norepinephrine_ug_min"),
        ({"vasopressin_units_min": 3}, "vasopressin_units_min"),
        ({"vasopressor_hours": -1}, "vasopressor_hours"),
        ({"creatinine_grade": 5}, "creatinine_grade"),
        ({"fluid_boluses": 0.5}, "fluid_boluses"),
        ({"treated": "yes"}, "treated"),
        ({"refractory_hypotension": True}, "refractory_hypotension"),
    ],
)
def test_a_malformed_state_names_field_value_and_allowed(
    fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        facts(**fields)
    assert caught.value.field == field
    assert caught.value.value == fields.get(field, 0 if field == "flow_l_min" else None)
    assert caught.value.allowed in str(caught.value)


def test_from_mapping_names_what_is_missing_or_unknown() -> None:
    with pytest.raises(InvalidInput) as caught:
        BedsideState.from_mapping({"symptoms": True})
    assert (caught.value.field, caught.value.value) == ("temp_c", None)
    with pytest.raises(InvalidInput) as caught:
        BedsideState.from_mapping({"temp_c": 38.0, "temperature": 38.0})
    assert caught.value.field == "temperature"


def test_a_row_of_a_table_will_do() -> None:
    state = BedsideState.from_mapping(
        {"temp_c": np.float64(38.5), "hypotension": np.True_, "fluid_boluses": np.int64(2)}
    )
    assert grade(guideline("penn-2018"), facts_of(state)).grade == 3


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    device = draw(st.sampled_from(OXYGEN_DEVICES))
    vasopressor = draw(st.floats(0, 100))
    return {
        "temp_c": draw(st.floats(25, 45)),
        "treated": draw(st.booleans()),
        "symptoms": draw(st.booleans()),
        "hypotension": draw(st.booleans()),
        "fluid_boluses": draw(st.integers(0, 10)),
        "norepinephrine_ug_min": vasopressor,
        "vasopressin_units_min": draw(st.floats(0, 0.1)),
        "vasopressor_hours": draw(st.floats(0, 720)),
        "refractory_hypotension": draw(st.booleans()) and vasopressor > 0,
        "oxygen": device,
        "flow_l_min": draw(st.floats(0.1, 80)),
        "fio2": None if device == "room air" else draw(st.floats(0.21, 1)),
        "creatinine_grade": draw(st.integers(0, 4)),
        "transaminase_grade": draw(st.integers(0, 4)),
    }


@given(states())
@settings(max_examples=200, deadline=None)
def test_every_allowed_state_gets_a_grade_on_every_scale(fields: dict[str, Any]) -> None:
    found = facts_of(BedsideState(**fields))
    for scale in SCALES:
        assert {item.name for item in guideline(scale).inputs} <= set(found)
        assert grade(guideline(scale), found).grade in range(5)


def test_the_fields_describe_themselves() -> None:
    described = bedside_inputs()
    assert list(described) == list(BedsideState.__dataclass_fields__)
    assert all(item.meaning and item.name == name for name, item in described.items())
