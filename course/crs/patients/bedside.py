"""What is seen at the bedside at one moment, and the facts that grading tables ask for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from crs.errors import InvalidInput
from crs.guidelines.conditions import Value
from crs.guidelines.dosing import is_high_dose_vasopressor
from crs.guidelines.engine import check_value
from crs.guidelines.loader import guideline
from crs.guidelines.schema import Input

VASOPRESSORS = (
    "norepinephrine_ug_min",
    "epinephrine_ug_min",
    "phenylephrine_ug_min",
    "dopamine_ug_kg_min",
)
CANNULAS = ("nasal cannula", "high-flow nasal cannula")
FIO2_OF_ROOM_AIR = 0.21


def _number(
    meaning: str, unit: str, minimum: float, maximum: float, default: float = 0.0
) -> Any:  # a dataclass field, typed by the annotation beside it
    item = Input(
        name="number", meaning=meaning, kind="number", unit=unit, minimum=minimum, maximum=maximum
    )
    return field(default=default, metadata={"input": item})


def _count(meaning: str, maximum: float, unit: str = "") -> Any:  # a dataclass field, as above
    item = Input(
        name="count", meaning=meaning, kind="integer", unit=unit, minimum=0, maximum=maximum
    )
    return field(default=0, metadata={"input": item})


def _yes_no(meaning: str) -> Any:  # a dataclass field, as above
    return field(
        default=False, metadata={"input": Input(name="flag", meaning=meaning, kind="boolean")}
    )


if TYPE_CHECKING:
    OXYGEN_DEVICES: tuple[str, ...]
else:

    def __getattr__(name: str) -> tuple[str, ...]:
        """Read ``OXYGEN_DEVICES`` off the ASTCT scale at first use: importing reads no file."""
        if name != "OXYGEN_DEVICES":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _oxygen_input().choices


def _oxygen_input() -> Input:
    inputs = guideline("astct-2019").inputs
    devices = next(item.choices for item in inputs if item.name == "oxygen")
    return Input(
        name="oxygen", meaning="device that treats hypoxia", kind="choice", choices=devices
    )


@dataclass(frozen=True, kw_only=True)
class BedsideState:
    """One adult patient at one moment, as the bedside shows it.

    Every field is checked: a value outside its range raises `InvalidInput` with the field, the
    value and what is allowed.
    """

    temp_c: float = field(
        metadata={
            "input": Input(
                name="temp_c",
                meaning="body temperature",
                kind="number",
                unit="°C",
                minimum=25,
                maximum=45,
            )
        }
    )
    treated: bool = _yes_no("antipyretic or anticytokine drug given after CRS was established")
    other_cause: bool = _yes_no("the findings have another cause than CRS")
    symptoms: bool = _yes_no("constitutional symptoms such as fatigue, headache or muscle pain")
    hospitalized_for_crs: bool = _yes_no(
        "in hospital for CRS symptoms, including fever with neutropenia, on intravenous treatment"
    )
    hypotension: bool = _yes_no("blood pressure too low for this patient")
    fluid_boluses: int = _count("fluid boluses given for hypotension", 10)
    norepinephrine_ug_min: float = _number("norepinephrine rate", "µg/min", 0, 200)
    epinephrine_ug_min: float = _number("epinephrine rate", "µg/min", 0, 100)
    phenylephrine_ug_min: float = _number("phenylephrine rate", "µg/min", 0, 1000)
    dopamine_ug_kg_min: float = _number("dopamine rate", "µg/kg/min", 0, 50)
    vasopressin_units_min: float = _number("vasopressin rate", "units/min", 0, 0.1)
    vasopressor_hours: float = _number("hours on the present vasopressors", "h", 0, 720)
    refractory_hypotension: bool = _yes_no(
        "hypotension that persists in spite of high-dose vasopressors"
    )
    oxygen: str = field(
        default="room air",
        metadata={"input": _oxygen_input},
    )
    flow_l_min: float = _number("oxygen flow", "L/min", 0, 80)
    fio2: float | None = _number("inspired oxygen fraction", "", 0.21, 1.0, default=None)  # type: ignore[arg-type]  # None: estimated from the device
    creatinine_grade: int = _count("CTCAE grade of creatinine", 4)
    transaminase_grade: int = _count("CTCAE grade of the transaminases", 4)
    other_organ_grade: int = _count("worst CTCAE grade of any other organ", 4)
    coagulopathy_products: bool = _yes_no(
        "coagulopathy treated with plasma, cryoprecipitate or fibrinogen"
    )

    def __post_init__(self) -> None:
        for name, item in bedside_inputs().items():
            value = getattr(self, name)
            if name == "fio2" and value is None:
                continue
            check_value(item, value)
        if self.oxygen in CANNULAS and self.flow_l_min <= 0:
            raise InvalidInput("flow_l_min", self.flow_l_min, f"above 0 L/min with a {self.oxygen}")
        if self.oxygen == "room air" and self.fio2 not in (None, FIO2_OF_ROOM_AIR):
            raise InvalidInput("fio2", self.fio2, "0.21 on room air, or left out")
        if self.refractory_hypotension and not self._vasopressor_is_running:
            raise InvalidInput(
                "refractory_hypotension", True, "False while no vasopressor is running"
            )
        if self.fio2 is None and estimated_fio2(self.oxygen, self.flow_l_min) is None:
            raise InvalidInput("fio2", None, f"a fraction from 0.21 to 1 with {self.oxygen}")

    @property
    def _vasopressor_is_running(self) -> bool:
        return any(getattr(self, name) > 0 for name in (*VASOPRESSORS, "vasopressin_units_min"))

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Build a state from a mapping, such as a row of a table.

        Parameters
        ----------
        values : mapping of str to object
            Field names and values; at least ``temp_c``.

        Returns
        -------
        BedsideState

        Raises
        ------
        InvalidInput
            If a field is unknown, missing or out of range.
        """
        known = bedside_inputs()
        for name in values:
            if name not in known:
                raise InvalidInput(name, values[name], "left out; known are " + ", ".join(known))
        if "temp_c" not in values:
            raise InvalidInput("temp_c", None, known["temp_c"].allowed)
        return cls(**dict(values))  # type: ignore[arg-type]  # checked in __post_init__


def _input_of(described: Input | Callable[[], Input]) -> Input:
    return described() if callable(described) else described


@cache
def bedside_inputs() -> Mapping[str, Input]:
    """Describe the fields of a bedside state, with meaning, unit and range."""
    return MappingProxyType(
        {
            item.name: replace(_input_of(item.metadata["input"]), name=item.name)
            for item in fields(BedsideState)
        }
    )


def estimated_fio2(oxygen: str, flow_l_min: float) -> float | None:
    """Estimate the inspired oxygen fraction, where the device alone tells it.

    Room air is 0.21. For a nasal cannula the rule of thumb is 0.20 + 0.04 per L/min, used from 1 to
    6 L/min (recalled; flows below 1 count as 1 by convention). Any other device needs a measured
    fraction.

    Parameters
    ----------
    oxygen : str
        The device.
    flow_l_min : float
        Oxygen flow in L/min.

    Returns
    -------
    float or None
        None where it cannot be estimated.
    """
    if oxygen == "room air":
        return FIO2_OF_ROOM_AIR
    if oxygen == "nasal cannula" and 0 < flow_l_min <= 6:
        return 0.20 + 0.04 * max(1.0, flow_l_min)
    return None


def facts_of(state: BedsideState) -> dict[str, Value]:
    """List the facts that the grading tables ask for, derived from a bedside state.

    Parameters
    ----------
    state : BedsideState

    Returns
    -------
    dict of str to bool, float or str
        A superset of the inputs of all six scales.
    """
    non_vasopressin = sum(getattr(state, name) > 0 for name in VASOPRESSORS)
    vasopressin = state.vasopressin_units_min > 0
    vasopressors = non_vasopressin + vasopressin
    hypotension = state.hypotension or state.fluid_boluses > 0 or vasopressors > 0
    organ_toxicity = max(state.creatinine_grade, state.other_organ_grade)
    on_oxygen = state.oxygen != "room air"
    fio2 = state.fio2 if state.fio2 is not None else estimated_fio2(state.oxygen, state.flow_l_min)
    assert fio2 is not None  # __post_init__ refuses a state without it
    return {
        "temp_c": state.temp_c,
        "treated": state.treated,
        "other_cause": state.other_cause,
        "hospitalized": state.hospitalized_for_crs,
        "hypotension": hypotension,
        "fluid_boluses": float(state.fluid_boluses),
        "non_vasopressin_pressors": float(non_vasopressin),
        "vasopressin": vasopressin,
        "vasopressors": float(vasopressors),
        "high_dose": is_high_dose_vasopressor(
            hours=state.vasopressor_hours,
            vasopressin=vasopressin,
            norepinephrine_ug_min=state.norepinephrine_ug_min,
            dopamine_ug_kg_min=state.dopamine_ug_kg_min,
            epinephrine_ug_min=state.epinephrine_ug_min,
            phenylephrine_ug_min=state.phenylephrine_ug_min,
        ),
        "vasopressor_hours": state.vasopressor_hours,
        "refractory_hypotension": state.refractory_hypotension,
        "oxygen": state.oxygen,
        "flow_l_min": state.flow_l_min,
        "supplemental_oxygen": on_oxygen,
        "fio2": fio2,
        "ventilator": state.oxygen == "ventilator",
        "creatinine": float(state.creatinine_grade),
        "transaminitis": float(state.transaminase_grade),
        "organ_toxicity": float(organ_toxicity),
        "coagulopathy": state.coagulopathy_products,
        "any_sign": state.temp_c >= 38.0
        or state.symptoms
        or hypotension
        or on_oxygen
        or state.hospitalized_for_crs
        or max(organ_toxicity, state.transaminase_grade) > 0
        or state.coagulopathy_products,
    }
