"""What a monitor, a laboratory and a bedside team make of a virtual patient.

The model says how a patient is without support. A fixed protocol says which support that needs, and
the guideline engine grades what is then seen at the bedside. Devices, thresholds, noise and times
of this protocol are conventions of the course.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from crs.guidelines.engine import grade
from crs.guidelines.loader import guideline
from crs.models.simulation import Numbers
from crs.patients.bedside import BedsideState, facts_of

# What the cascade must show for an observation.
SEEN = (
    "temp_c",
    "map_mmhg",
    "spo2_room_air",
    "neurotoxicity",
    "crp",
    "ferritin",
    "il6_free",
    "il6_total",
    "ifn_gamma",
    "tnf",
    "il1",
    "il10",
    "mcp1",
    "ang2",
    "car_t",
)

LOW_MAP_MMHG = 65.0
LOW_SPO2 = 92.0
# So much of the state shows in no test (convention).
UNNOTICED_NEUROTOXICITY = 0.3
FEVER_C = 38.0
# Mean arterial pressure that two boluses can make up for; what lacks beyond needs a vasopressor.
FLUIDS_REACH_MMHG = 13.0
NOREPINEPHRINE_UG_MIN_PER_MMHG = 1.0
SECOND_PRESSOR_FROM_MMHG = 26.0
VASOPRESSIN_FROM_MMHG = 20.0
_MOST_NOREPINEPHRINE = 60.0
# Saturation on room air from which each device is taken, with the oxygen that it gives.
_CANNULA_FROM, _HIGH_FLOW_FROM, _PRESSURE_FROM, _VENTILATOR_FROM = 92.0, 85.0, 78.0, 70.0


@dataclass(frozen=True)
class Support:
    """What a bedside team runs at one moment.

    Attributes
    ----------
    hypotension : bool
        Whether pressure is too low without it.
    fluid_boluses : int
        How many boluses this asks for.
    norepinephrine_ug_min, epinephrine_ug_min : float
    vasopressin_units_min : float
    oxygen : str
        A device as `crs.patients.bedside.OXYGEN_DEVICES` names it.
    flow_l_min : float
    fio2 : float
    """

    hypotension: bool = False
    fluid_boluses: int = 0
    norepinephrine_ug_min: float = 0.0
    epinephrine_ug_min: float = 0.0
    vasopressin_units_min: float = 0.0
    oxygen: str = "room air"
    flow_l_min: float = 0.0
    fio2: float = 0.21

    @property
    def vasopressors(self) -> int:
        """How many vasopressors run, vasopressin not counted."""
        return int(self.norepinephrine_ug_min > 0) + int(self.epinephrine_ug_min > 0)


def support_for(map_mmhg: float, spo2_room_air: float) -> Support:
    """Choose the support that a patient needs.

    Parameters
    ----------
    map_mmhg : float
        Mean arterial pressure without vasopressors.
    spo2_room_air : float
        Oxygen saturation on room air, %.

    Returns
    -------
    Support
    """
    lacking = LOW_MAP_MMHG - map_mmhg
    pressors: dict[str, float] = {}
    if lacking > FLUIDS_REACH_MMHG:
        rate = NOREPINEPHRINE_UG_MIN_PER_MMHG * (lacking - FLUIDS_REACH_MMHG) + 2
        pressors["norepinephrine_ug_min"] = min(_MOST_NOREPINEPHRINE, float(round(rate)))
    if lacking > VASOPRESSIN_FROM_MMHG:
        pressors["vasopressin_units_min"] = 0.03
    if lacking > SECOND_PRESSOR_FROM_MMHG:
        pressors["epinephrine_ug_min"] = float(min(20, max(2, round(lacking - 20))))
    boluses = 0 if lacking <= 0 else (1 if lacking <= FLUIDS_REACH_MMHG / 2 else 2)
    device, flow, fio2 = _oxygen_for(spo2_room_air)
    return Support(
        hypotension=lacking > 0,
        fluid_boluses=boluses,
        oxygen=device,
        flow_l_min=flow,
        fio2=fio2,
        **pressors,
    )


def _oxygen_for(spo2: float) -> tuple[str, float, float]:
    if spo2 >= _CANNULA_FROM:
        return "room air", 0.0, 0.21
    if spo2 >= _HIGH_FLOW_FROM:
        flow = float(min(6, 1 + math.floor(_CANNULA_FROM - spo2)))
        return "nasal cannula", flow, 0.20 + 0.04 * flow
    if spo2 >= _PRESSURE_FROM:
        return "high-flow nasal cannula", 40.0, round(0.45 + 0.02 * (_HIGH_FLOW_FROM - spo2), 2)
    if spo2 >= _VENTILATOR_FROM:
        return "BiPAP", 0.0, 0.6
    return "ventilator", 0.0, 0.8


@lru_cache(maxsize=100_000)
def astct_grade_of(temp_c: float, treated: bool, support: Support) -> int:
    """Grade what is seen at the bedside by ASTCT 2019.

    Parameters
    ----------
    temp_c : float
        °C, as charted.
    treated : bool
        Whether an antipyretic or anticytokine drug was given after the first fever.
    support : Support

    Returns
    -------
    int
        0 to 4.
    """
    return grade(guideline("astct-2019"), facts_of(bedside_state(temp_c, treated, support))).grade


def bedside_state(
    temp_c: float, treated: bool, support: Support, *, vasopressor_hours: float = 0.0
) -> BedsideState:
    """Put what is seen into the record that all grading scales take.

    Parameters
    ----------
    temp_c : float
    treated : bool
    support : Support
    vasopressor_hours : float
        How long vasopressors have run.

    Returns
    -------
    BedsideState
    """
    return BedsideState(
        temp_c=temp_c,
        treated=treated,
        symptoms=temp_c >= FEVER_C,
        hospitalized_for_crs=temp_c >= FEVER_C,
        hypotension=support.hypotension,
        fluid_boluses=support.fluid_boluses,
        norepinephrine_ug_min=support.norepinephrine_ug_min,
        epinephrine_ug_min=support.epinephrine_ug_min,
        vasopressin_units_min=support.vasopressin_units_min,
        vasopressor_hours=vasopressor_hours if support.norepinephrine_ug_min else 0.0,
        oxygen=support.oxygen,
        flow_l_min=support.flow_l_min,
        fio2=support.fio2,
    )


def ice_of(neurotoxicity: float) -> int:
    """Return the ICE score of a patient who can be tested.

    Parameters
    ----------
    neurotoxicity : float
        State of the model, from 0.

    Returns
    -------
    int
        10 to 0.
    """
    return max(0, 10 - math.floor(3 * max(0.0, neurotoxicity - UNNOTICED_NEUROTOXICITY)))


def ice_scores(values: Mapping[str, Numbers]) -> list[int | None]:
    """Score a whole course; who is on a ventilator cannot be tested.

    Parameters
    ----------
    values : mapping of str to ndarray of shape (n,)
        At least neurotoxicity and oxygen saturation on room air.

    Returns
    -------
    list of int or None
    """
    return [
        None if _oxygen_for(saturation)[0] == "ventilator" else ice_of(float(state))
        for state, saturation in zip(
            values["neurotoxicity"], np.round(values["spo2_room_air"]).tolist(), strict=True
        )
    ]


def lowest_ice(scores: Sequence[int | None]) -> int:
    """Return the lowest score of a course, at a time when it could be tested.

    Parameters
    ----------
    scores : sequence of int or None
        From `ice_scores`.

    Returns
    -------
    int
        10 where it never could be.
    """
    return min((score for score in scores if score is not None), default=10)


@dataclass(frozen=True)
class Assay:
    """How a laboratory measures one marker.

    Attributes
    ----------
    output : str
        Of the model.
    column : str
        Name with unit.
    error : float
        Standard deviation of the logarithm of a measurement.
    lowest, highest : float
        What it reports at least and at most.
    turnaround_h : float
        From the sample to the result.
    days : tuple of int
        On which a cohort's samples are drawn.
    window_days : int
        How many days earlier or later a sample may be drawn.
    """

    output: str
    column: str
    error: float
    lowest: float
    highest: float
    turnaround_h: float
    days: tuple[int, ...]
    window_days: int = 0


# Days on which the cohort of the published summary gave samples: mediators nearly every day (about
# 21 samples per patient), C-reactive protein and the like in windows around every seventh day. How
# wide these were was not read; two days to either side are a convention.
DAILY = (*range(15), 16, 18, 20, 22, 24, 26, 28)
WEEKLY = (0, 7, 14, 21, 28)
# The highest values of interleukin-6 and interferon-gamma in the summary are so alike that the
# assay ended there: 1500 and 2900 pg/mL (inferred).
ASSAYS: Mapping[str, Assay] = MappingProxyType(
    {
        "il6": Assay("il6_total", "il6_pg_ml", 0.2, 1.0, 1500.0, 24.0, DAILY),
        "ifn_gamma": Assay("ifn_gamma", "ifn_gamma_pg_ml", 0.2, 2.0, 2900.0, 24.0, DAILY),
        "tnf": Assay("tnf", "tnf_pg_ml", 0.2, 0.5, 1000.0, 24.0, DAILY),
        "il1": Assay("il1", "il1_beta_pg_ml", 0.25, 0.1, 1000.0, 24.0, DAILY),
        "il10": Assay("il10", "il10_pg_ml", 0.2, 0.5, 5000.0, 24.0, DAILY),
        "mcp1": Assay("mcp1", "mcp1_pg_ml", 0.2, 5.0, 20000.0, 24.0, DAILY),
        "ang2": Assay("ang2", "ang2_ng_ml", 0.15, 0.1, 100.0, 24.0, DAILY),
        "crp": Assay("crp", "crp_mg_l", 0.06, 0.5, 600.0, 4.0, WEEKLY, 2),
        "ferritin": Assay("ferritin", "ferritin_ug_l", 0.08, 5.0, 500_000.0, 6.0, WEEKLY, 2),
    }
)


def measured(assay: Assay, true_values: Numbers, random: np.random.RandomState) -> Numbers:
    """Return what a laboratory reports.

    Parameters
    ----------
    assay : Assay
    true_values : ndarray of shape (n,)
        In the unit of the assay.
    random : numpy.random.RandomState
        Draws n numbers.

    Returns
    -------
    ndarray of shape (n,)
    """
    noise = np.exp(assay.error * random.standard_normal(len(true_values)))
    reported = np.clip(np.maximum(true_values, 0) * noise, assay.lowest, assay.highest)
    return np.asarray(reported, dtype=float)


@dataclass(frozen=True)
class Chart:
    """What was charted of one patient, one entry per hour of observation.

    Attributes
    ----------
    times_h : ndarray of shape (n,)
    temp_c : ndarray of shape (n,)
        With the noise of a thermometer, in steps of 0.1.
    support : tuple of Support
    grades : ndarray of int, shape (n,)
        ASTCT 2019.
    """

    times_h: Numbers
    temp_c: Numbers
    support: tuple[Support, ...]
    grades: np.ndarray[tuple[int], np.dtype[np.int64]]


def chart_of(
    times_h: Numbers,
    values: Mapping[str, Numbers],
    random: np.random.RandomState,
    *,
    treated_from_h: float = math.inf,
) -> Chart:
    """Chart a course, and grade it hour by hour.

    Parameters
    ----------
    times_h : ndarray of shape (n,)
    values : mapping of str to ndarray of shape (n,)
        Outputs of the cascade; at least temperature, pressure and saturation.
    random : numpy.random.RandomState
        Draws 3 n numbers.
    treated_from_h : float
        First antipyretic or anticytokine drug after CRS was established.

    Returns
    -------
    Chart
    """
    count = len(times_h)
    temp: Numbers = np.asarray(
        np.round(np.clip(values["temp_c"] + 0.1 * random.standard_normal(count), 34, 43), 1),
        dtype=float,
    )
    pressure = np.round(values["map_mmhg"] + 1.5 * random.standard_normal(count))
    saturation = np.round(np.clip(values["spo2_room_air"] + random.standard_normal(count), 40, 100))
    support = tuple(
        support_for(float(now), float(oxygen))
        for now, oxygen in zip(pressure, saturation, strict=True)
    )
    febrile = temp >= FEVER_C
    established = float(times_h[np.argmax(febrile)]) if febrile.any() else math.inf
    grades = np.zeros(count, dtype=np.int64)
    for at in range(count):
        hour = float(times_h[at])
        if hour >= established:  # no CRS before its first fever
            treated = hour >= max(treated_from_h, established)
            grades[at] = astct_grade_of(float(temp[at]), treated, support[at])
    return Chart(np.asarray(times_h), temp, support, grades)


def first_at_least(chart: Chart, lowest: int) -> float | None:
    """Return the first hour with at least this grade, or None.

    Parameters
    ----------
    chart : Chart
    lowest : int

    Returns
    -------
    float or None
    """
    reached = np.flatnonzero(chart.grades >= lowest)
    return float(chart.times_h[reached[0]]) if len(reached) else None


def sampled(
    marker: str,
    times_h: Numbers,
    values: Mapping[str, Numbers],
    random: np.random.RandomState,
    days: Sequence[int] | None = None,
) -> tuple[tuple[int, ...], Numbers]:
    """Draw the samples of one marker on its days.

    Parameters
    ----------
    marker : str
        One of `ASSAYS`.
    times_h : ndarray of shape (n,)
        Hours of the course.
    values : mapping of str to ndarray of shape (n,)
    random : numpy.random.RandomState
    days : sequence of int, optional
        Other days than those of the assay.

    Returns
    -------
    days : tuple of int
    reported : ndarray of shape (number of days,)
    """
    assay = ASSAYS[marker]
    planned = assay.days if days is None else days
    shift = assay.window_days
    moved = random.randint(-shift, shift + 1, len(planned))
    drawn = tuple(
        int(np.clip(day + move, 0, planned[-1])) if day else 0
        for day, move in zip(planned, moved, strict=True)
    )
    at = np.array([24.0 * day for day in drawn])
    true_values = np.interp(at, times_h, values[assay.output])
    return drawn, measured(assay, true_values, random)
