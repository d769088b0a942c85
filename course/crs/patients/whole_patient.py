"""One patient over four weeks with everything that the model holds, and what decides a peak.

A teaching model, not for patient care. A patient with a number is SYNTHETIC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from crs.errors import InvalidInput
from crs.models.cascade import Dose, Snapshot, run_cascade
from crs.models.parameters import load_model
from crs.models.simulation import Numbers
from crs.patients.planning import (
    TYPICAL_CELLS,
    Grades,
    Plan,
    Planned,
    doses_of,
    grades_of,
    patient_of,
    weight_of,
)

Treatment = Literal[
    "none",
    "tocilizumab",
    "siltuximab",
    "dexamethasone",
    "anakinra",
    "infliximab",
    "emapalumab",
    "acetaminophen",
    "plasma exchange",
    "suicide gene",
]
TREATMENTS: tuple[Treatment, ...] = get_args(Treatment)
LAST_DAY = 28
STEP_H = 3.0
_HOURS_A_DAY = 24.0
_TIMES_H = np.arange(0.0, LAST_DAY * _HOURS_A_DAY + STEP_H / 2, STEP_H)

# Conventions: one dose of tocilizumab, two days of dexamethasone, two of acetaminophen.
_DEXAMETHASONE_DAYS = 2.0
_ACETAMINOPHEN_MG, _ACETAMINOPHEN_EVERY_H, _ACETAMINOPHEN_DOSES = 650.0, 6.0, 8
# Convention: one plasma volume, once.
_PLASMA_VOLUMES = 1.0
# Recalled: more than nine tenths of the cells died within half an hour (Di Stasi 2011).
_SHARE_OF_CELLS_KILLED = 0.9
# Neither lowers temperature by itself, so that fever still counts after them.
_NO_ANTICYTOKINE_DRUG = ("plasma exchange", "suicide gene")

# What the picture of a whole patient shows.
SHOWN = (
    "car_t",
    "tumor",
    "ifn_gamma",
    "tnf",
    "il1",
    "il10",
    "mcp1",
    "il6_total",
    "il6_free",
    "il6_signal",
    "crp",
    "ferritin",
    "temp_c",
    "map_mmhg",
    "spo2_room_air",
    "neurotoxicity",
)


@dataclass(frozen=True)
class WholePatient:
    """Who is followed, and what is given.

    Attributes
    ----------
    who : Planned
    treatment : str
        One of `TREATMENTS`.
    day : float
        When it is given, 0 to 28; of no matter for "none".

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """

    who: Planned
    treatment: Treatment = "none"
    day: float = 0.0

    def __post_init__(self) -> None:
        if self.treatment not in TREATMENTS:
            raise InvalidInput("treatment", self.treatment, "one of " + ", ".join(TREATMENTS))
        if not 0 <= self.day <= LAST_DAY:  # NaN is in no range
            raise InvalidInput("day", self.day, f"a number from 0 to {LAST_DAY}")


@dataclass(frozen=True)
class WholeCourse:
    """Four weeks of one patient, beside the same weeks without treatment.

    Attributes
    ----------
    asked : WholePatient
    times_h : ndarray of shape (n,)
    values, untreated : mapping of str to ndarray of shape (n,)
        The outputs in `SHOWN`. The same object twice where nothing is given.
    grades, untreated_grades : ndarray of int, shape (n,)
        ASTCT 2019, without the noise of a monitor.
    doses : tuple of Dose
        What was given.
    """

    asked: WholePatient
    times_h: Numbers
    values: Mapping[str, Numbers]
    untreated: Mapping[str, Numbers]
    grades: Grades
    untreated_grades: Grades
    doses: tuple[Dose, ...]


@dataclass(frozen=True)
class Extreme:
    """A peak or a low of one output.

    Attributes
    ----------
    output : str
        Of the model.
    label, unit : str
        What it is, in words.
    lowest : bool
        Whether the lowest value is meant.
    own_parameter : str
        A parameter that acts on this output alone, or nearly so.
    """

    output: str
    label: str
    unit: str
    lowest: bool
    own_parameter: str

    def of(self, values: Mapping[str, Numbers]) -> tuple[float, float]:
        """Return the value and the day of it.

        Parameters
        ----------
        values : mapping of str to ndarray of shape (n,)
            On the times of a `WholeCourse`.

        Returns
        -------
        value, day : float
        """
        course = values[self.output]
        at = int(np.argmin(course) if self.lowest else np.argmax(course))
        return float(course[at]), float(_TIMES_H[at]) / _HOURS_A_DAY


EXTREMES: Mapping[str, Extreme] = MappingProxyType(
    {
        one.output: one
        for one in (
            Extreme("il6_total", "peak of IL-6", "pg/mL", False, "il1_gain"),
            Extreme("crp", "peak of CRP", "mg/L", False, "liver_gain"),
            Extreme("temp_c", "highest temperature", "°C", False, "il1_gain"),
            Extreme("map_mmhg", "lowest mean arterial pressure", "mmHg", True, "vessel_gain"),
            Extreme("spo2_room_air", "lowest oxygen saturation", "%", True, "lung_gain"),
            Extreme("car_t", "peak of CAR T cells", "copies/µg", False, "contraction"),
        )
    }
)
# What is made half or one and a half times as large, with its name for readers.
CHANGED: Mapping[str, str] = MappingProxyType(
    {
        "tumor": "Target cells at the start",
        "effector": "CAR T cells given",
        "growth_gain": "Growth rate of CAR T cells",
        "ifn_gamma_gain": "IFN-γ per T cell",
        "macrophage_gain": "Answer of macrophages",
        "il6_gain": "IL-6 per macrophage",
        "il6_loss": "Removal rate of IL-6",
        "il1_gain": "IL-1β per macrophage",
        "liver_gain": "CRP per signal",
        "vessel_gain": "Answer of vessels",
        "lung_gain": "Leak in the lungs",
        "contraction": "Decline rate of CAR T cells",
    }
)
_FOR_ALL = tuple(CHANGED)[:7]
SMALLER, LARGER = 0.5, 1.5


@dataclass(frozen=True)
class Bar:
    """What one parameter does to an extreme.

    Attributes
    ----------
    parameter : str
        One of `CHANGED`.
    unchanged, smaller, larger : float
        The extreme with the patient's own value, with half of it, and with one and a half times.
    """

    parameter: str
    unchanged: float
    smaller: float
    larger: float

    @property
    def reach(self) -> float:
        """How far the extreme goes from where it was."""
        return max(abs(self.smaller - self.unchanged), abs(self.larger - self.unchanged))


def doses_for(treatment: Treatment, day: float, weight_kg: float) -> tuple[Dose, ...]:
    """Write out what a treatment gives.

    Parameters
    ----------
    treatment : str
        One of `TREATMENTS`.
    day : float
        When it begins.
    weight_kg : float

    Returns
    -------
    tuple of Dose
    """
    start = day * _HOURS_A_DAY
    if treatment == "tocilizumab":
        return doses_of(Plan(tocilizumab_doses=1, tocilizumab_h=start), weight_kg)
    if treatment == "dexamethasone":
        plan = Plan(dexamethasone_days=_DEXAMETHASONE_DAYS, dexamethasone_h=start)
        return doses_of(plan, weight_kg)
    if treatment in ("siltuximab", "anakinra", "infliximab", "emapalumab"):
        return doses_of(Plan(other=treatment, other_h=start), weight_kg)
    if treatment == "acetaminophen":
        return tuple(
            Dose("acetaminophen", start + number * _ACETAMINOPHEN_EVERY_H, _ACETAMINOPHEN_MG)
            for number in range(_ACETAMINOPHEN_DOSES)
        )
    if treatment == "plasma exchange":
        return (Dose("plasma exchange", start, _PLASMA_VOLUMES),)
    if treatment == "suicide gene":
        return (Dose("suicide gene", start, _SHARE_OF_CELLS_KILLED),)
    return ()


@lru_cache(maxsize=128)
def follow_whole(asked: WholePatient) -> WholeCourse:
    """Follow a patient for four weeks, with and without treatment.

    Parameters
    ----------
    asked : WholePatient

    Returns
    -------
    WholeCourse
        Kept, and given again for the same question: do not change it.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    SimulationFailed
        If the equations could not be solved.
    """
    if asked.treatment == "none":
        values = _run(asked.who, (), "", 1.0, SHOWN)
        grades = grades_of(_TIMES_H, values, [])
        return WholeCourse(asked, _TIMES_H, values, values, grades, grades, ())
    untreated = follow_whole(WholePatient(asked.who))
    doses = doses_for(asked.treatment, asked.day, weight_of(asked.who))
    values = _run(asked.who, doses, "", 1.0, SHOWN)
    counted = [] if asked.treatment in _NO_ANTICYTOKINE_DRUG else [one.time_h for one in doses]
    grades = grades_of(_TIMES_H, values, counted)
    return WholeCourse(asked, _TIMES_H, values, untreated.values, grades, untreated.grades, doses)


def what_decides(asked: WholePatient, output: str) -> tuple[Bar, ...]:
    """Work out how an extreme changes with eight properties of the patient, one at a time.

    Parameters
    ----------
    asked : WholePatient
    output : str
        One of `EXTREMES`.

    Returns
    -------
    tuple of Bar
        Those that change it most first.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    if output not in EXTREMES:
        raise InvalidInput("output", output, "one of " + ", ".join(EXTREMES))
    unchanged = _extremes(asked, "", 1.0)[output]
    bars = [
        Bar(
            parameter,
            unchanged,
            _extremes(asked, parameter, SMALLER)[output],
            _extremes(asked, parameter, LARGER)[output],
        )
        for parameter in dict.fromkeys((*_FOR_ALL, EXTREMES[output].own_parameter))
    ]
    return tuple(sorted(bars, key=lambda bar: -bar.reach))


@lru_cache(maxsize=4096)
def _extremes(asked: WholePatient, parameter: str, factor: float) -> Mapping[str, float]:
    """Return every extreme of a patient with one property changed."""
    doses = doses_for(asked.treatment, asked.day, weight_of(asked.who))
    values = _run(asked.who, doses, parameter, factor, tuple(EXTREMES))
    return MappingProxyType({name: one.of(values)[0] for name, one in EXTREMES.items()})


def _run(
    who: Planned, doses: tuple[Dose, ...], parameter: str, factor: float, outputs: tuple[str, ...]
) -> Mapping[str, Numbers]:
    """Follow a patient, of whom one parameter or start may be a multiple of what it was."""
    patient = patient_of(who)
    if patient is None:
        states = {"tumor": who.burden, "effector": TYPICAL_CELLS}
        parameters: dict[str, float] = {}
        trigger: tuple[Dose, ...] = ()
    else:
        states = dict(patient.start.states)
        parameters = patient.parameters
        trigger = patient.trigger
    if parameter in states:
        states[parameter] *= factor
    elif parameter:
        known = load_model("cascade").parameters[parameter]
        changed = parameters.get(parameter, known.value) * factor
        parameters[parameter] = min(known.maximum, max(known.minimum, changed))
    return run_cascade(
        _TIMES_H,
        parameters=parameters,
        start=Snapshot(0.0, states),
        doses=[*trigger, *doses],
        outputs=outputs,
    ).values
