"""Many virtual patients at once: the middle of their courses, and the band that holds most.

SYNTHETIC. The work is cut into patients, so that whoever asks can show progress, and can stop.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from crs.errors import InvalidInput
from crs.models.cascade import Snapshot, run_cascade
from crs.models.simulation import Numbers
from crs.patients.observation import FEVER_C
from crs.patients.planning import (
    HOURS_A_DAY,
    LAST_DAY,
    SEVERE_GRADE,
    TYPICAL_CELLS,
    Plan,
    doses_of,
    grades_of,
)
from crs.patients.virtual import population, virtual_patient

Treatment = Literal[
    "tocilizumab",
    "dexamethasone",
    "tocilizumab and dexamethasone",
    "anakinra",
    "siltuximab",
    "emapalumab",
    "infliximab",
]
TREATMENTS: tuple[Treatment, ...] = get_args(Treatment)
When = Literal["first fever", "first grade 2", "first grade 3", "fixed day"]
WHENS: tuple[When, ...] = get_args(When)

# Conventions of this module: an order is carried out an hour later, dexamethasone runs three days,
# the population is the one with these seeds, and 90 of 100 courses lie inside the band.
DELAY_H = 1.0
DEXAMETHASONE_DAYS = 3.0
FIRST_SEED = 40_000
MOST_PATIENTS = 1000
QUANTILES = (0.05, 0.5, 0.95)
STEP_H = 6.0
OUTPUTS = (
    "il6_total",
    "il6_signal",
    "ifn_gamma",
    "crp",
    "ferritin",
    "temp_c",
    "map_mmhg",
    "spo2_room_air",
    "car_t",
    "neurotoxicity",
)
_KEPT_RESULTS = 24
_TIMES_H = np.arange(0.0, LAST_DAY * HOURS_A_DAY + STEP_H / 2, STEP_H)
_TIMES_H.flags.writeable = False

_PLANS: Mapping[Treatment, Plan] = MappingProxyType(
    {
        "tocilizumab": Plan(tocilizumab_doses=1),
        "dexamethasone": Plan(dexamethasone_days=DEXAMETHASONE_DAYS),
        "tocilizumab and dexamethasone": Plan(
            tocilizumab_doses=1, dexamethasone_days=DEXAMETHASONE_DAYS
        ),
        "anakinra": Plan(other="anakinra"),
        "siltuximab": Plan(other="siltuximab"),
        "emapalumab": Plan(other="emapalumab"),
        "infliximab": Plan(other="infliximab"),
    }
)


@dataclass(frozen=True)
class PopulationSetting:
    """What is asked of a population.

    Attributes
    ----------
    treatment : str
        One of `TREATMENTS`.
    when : {"first fever", "first grade 2", "first grade 3", "fixed day"}
        What decides that a patient is treated. Who never comes to it is not treated.
    day : float
        For a fixed day: which one, from 0 to 28. Without meaning otherwise, and then 0.
    patients : int
        1 to 1000.
    """

    treatment: Treatment
    when: When
    day: float = 0.0
    patients: int = 500

    def __post_init__(self) -> None:
        if self.treatment not in TREATMENTS:
            raise InvalidInput("treatment", self.treatment, "one of " + ", ".join(TREATMENTS))
        if self.when not in WHENS:
            raise InvalidInput("when", self.when, "one of " + ", ".join(WHENS))
        day, latest = self.day, LAST_DAY if self.when == "fixed day" else 0
        if isinstance(day, bool) or not isinstance(day, int | float) or not 0 <= day <= latest:
            raise InvalidInput("day", day, f"a number from 0 to {latest:g}")
        count = self.patients
        good = isinstance(count, int) and not isinstance(count, bool)
        if not (good and 1 <= count <= MOST_PATIENTS):
            raise InvalidInput("patients", count, f"a whole number from 1 to {MOST_PATIENTS}")


@dataclass(frozen=True)
class Course:
    """One patient's four weeks.

    Attributes
    ----------
    values : ndarray of shape (number of outputs, n)
        In the order of `OUTPUTS`.
    peak_grade : int
        The highest ASTCT grade.
    turns_h : mapping of str to float
        First hour of fever, of grade 2 and of grade 3; infinite for what never came.
    """

    values: npt.NDArray[np.float32]
    peak_grade: int
    turns_h: Mapping[When, float]


@dataclass(frozen=True)
class Band:
    """Where the courses of a population lie.

    Attributes
    ----------
    low, median, high : ndarray of shape (n,)
        At every time: 5 of 100 lie below, half lie below, 5 of 100 lie above. No patient need
        follow any of the three.
    """

    low: Numbers
    median: Numbers
    high: Numbers


@dataclass(frozen=True)
class PopulationResult:
    """What became of a population, without treatment and with it.

    Attributes
    ----------
    setting : PopulationSetting
    patients : int
        How many were followed: fewer than asked for where somebody stopped.
    untreated, treated : mapping of str to Band
        By output. Those who are never treated are in both.
    given : int
        How many were treated.
    severe_untreated, severe_treated : int
        How many come to grade 3 or 4.
    """

    setting: PopulationSetting
    patients: int
    untreated: Mapping[str, Band]
    treated: Mapping[str, Band]
    given: int
    severe_untreated: int
    severe_treated: int

    @property
    def complete(self) -> bool:
        """Whether all were followed."""
        return self.patients == self.setting.patients


class PopulationRun:
    """Follows a population patient by patient.

    Parameters
    ----------
    setting : PopulationSetting

    Attributes
    ----------
    done : int
        How many patients have been followed.
    """

    def __init__(self, setting: PopulationSetting) -> None:
        self.setting = setting
        self.done = 0
        shape = (setting.patients, len(OUTPUTS), len(_TIMES_H))
        self._untreated = np.empty(shape, dtype=np.float32)
        self._treated = np.empty(shape, dtype=np.float32)
        self._given = 0
        self._severe = [0, 0]

    @property
    def finished(self) -> bool:
        """Whether all patients have been followed."""
        return self.done == self.setting.patients

    def step(self) -> None:
        """Follow one more patient, without treatment and with it.

        Raises
        ------
        InvalidInput
            If all have been followed.
        SimulationFailed
            If the equations could not be solved.
        """
        if self.finished:
            raise InvalidInput("step", self.done + 1, f"at most {self.setting.patients} steps")
        seed = FIRST_SEED + self.done
        untreated = untreated_course(seed)
        start_h = treated_from_h(self.setting, untreated)
        treated = untreated
        if start_h < LAST_DAY * HOURS_A_DAY:
            treated = treated_course(seed, self.setting.treatment, start_h)
            self._given += 1
        for place, (kept, course) in enumerate(
            ((self._untreated, untreated), (self._treated, treated))
        ):
            kept[self.done] = course.values
            self._severe[place] += course.peak_grade >= SEVERE_GRADE
        self.done += 1

    def result(self, outputs: Sequence[str] = OUTPUTS) -> PopulationResult:
        """Summarize those who have been followed so far.

        Parameters
        ----------
        outputs : sequence of str
            Which of `OUTPUTS` are wanted.

        Returns
        -------
        PopulationResult

        Raises
        ------
        InvalidInput
            If nobody has been followed yet, or an output is unknown.
        """
        if not self.done:
            raise InvalidInput("patients", 0, "at least 1")
        for name in outputs:
            if name not in OUTPUTS:
                raise InvalidInput("outputs", name, "one of " + ", ".join(OUTPUTS))
        return PopulationResult(
            self.setting,
            self.done,
            {name: _band(self._untreated[: self.done], name) for name in outputs},
            {name: _band(self._treated[: self.done], name) for name in outputs},
            self._given,
            self._severe[0],
            self._severe[1],
        )


def follow_population(setting: PopulationSetting) -> PopulationResult:
    """Follow a whole population, or return what was found before.

    Parameters
    ----------
    setting : PopulationSetting

    Returns
    -------
    PopulationResult
    """
    found = kept(setting)
    if found is not None:
        return found
    run = PopulationRun(setting)
    while not run.finished:
        run.step()
    found = run.result()
    keep(found)
    return found


_KEPT: OrderedDict[PopulationSetting, PopulationResult] = OrderedDict()


def kept(setting: PopulationSetting) -> PopulationResult | None:
    """Return the result of a setting that was followed to its end not long ago.

    Parameters
    ----------
    setting : PopulationSetting

    Returns
    -------
    PopulationResult or None
    """
    found = _KEPT.get(setting)
    if found is not None:
        _KEPT.move_to_end(setting)
    return found


def keep(result: PopulationResult) -> None:
    """Keep a complete result; the one that was not asked for the longest makes room.

    Parameters
    ----------
    result : PopulationResult

    Raises
    ------
    InvalidInput
        If the result is of a part of the population, or of a part of the outputs.
    """
    if not result.complete:
        raise InvalidInput("patients", result.patients, f"all {result.setting.patients}")
    if set(result.untreated) != set(OUTPUTS):
        raise InvalidInput("outputs", ", ".join(result.untreated), "all of " + ", ".join(OUTPUTS))
    _KEPT[result.setting] = result
    _KEPT.move_to_end(result.setting)
    while len(_KEPT) > _KEPT_RESULTS:
        _KEPT.popitem(last=False)


@lru_cache(maxsize=MOST_PATIENTS)
def untreated_course(seed: int) -> Course:
    """Follow one virtual patient without treatment; kept, as every setting needs it.

    Parameters
    ----------
    seed : int

    Returns
    -------
    Course
    """
    patient = virtual_patient(seed)
    return _follow(patient.parameters, patient.start, Plan(), patient.weight_kg)


def treated_course(seed: int, treatment: Treatment, start_h: float) -> Course:
    """Follow one virtual patient under a treatment.

    Parameters
    ----------
    seed : int
    treatment : str
        One of `TREATMENTS`.
    start_h : float
        When it begins.

    Returns
    -------
    Course
    """
    patient = virtual_patient(seed)
    return _follow(patient.parameters, patient.start, _from(treatment, start_h), patient.weight_kg)


@lru_cache(maxsize=64)
def typical_courses(setting: PopulationSetting) -> tuple[Course, Course]:
    """Follow the patient in the middle of the population without treatment and with it.

    Parameters
    ----------
    setting : PopulationSetting
        The number of patients has no meaning here.

    Returns
    -------
    untreated, treated : Course
    """
    burden = population().effects["burden"].middle
    start = Snapshot(0.0, {"tumor": burden, "effector": TYPICAL_CELLS})
    untreated = _follow({}, start, Plan(), 70.0)
    start_h = treated_from_h(setting, untreated)
    if start_h >= LAST_DAY * HOURS_A_DAY:
        return untreated, untreated
    return untreated, _follow({}, start, _from(setting.treatment, start_h), 70.0)


def treated_from_h(setting: PopulationSetting, untreated: Course) -> float:
    """Return when a patient is treated.

    Parameters
    ----------
    setting : PopulationSetting
    untreated : Course
        Of this patient.

    Returns
    -------
    float
        Hours; infinite for who is never treated.
    """
    if setting.when == "fixed day":
        return setting.day * HOURS_A_DAY
    return untreated.turns_h[setting.when] + DELAY_H


def hours_of_population() -> Numbers:
    """Return the hours at which a population is looked at.

    Returns
    -------
    ndarray of shape (n,)
    """
    return _TIMES_H


def _from(treatment: Treatment, start_h: float) -> Plan:
    return replace(
        _PLANS[treatment], tocilizumab_h=start_h, dexamethasone_h=start_h, other_h=start_h
    )


def _follow(
    parameters: Mapping[str, float], start: Snapshot, plan: Plan, weight_kg: float
) -> Course:
    doses = doses_of(plan, weight_kg)
    course = run_cascade(_TIMES_H, parameters=parameters, start=start, doses=doses, outputs=OUTPUTS)
    grades = grades_of(_TIMES_H, course.values, [dose.time_h for dose in doses])
    values = np.stack([course.values[name] for name in OUTPUTS]).astype(np.float32)
    values.flags.writeable = False
    turns: dict[When, float] = {
        "first fever": _first(np.round(course.values["temp_c"], 1) >= FEVER_C),
        "first grade 2": _first(grades >= 2),
        "first grade 3": _first(grades >= SEVERE_GRADE),
    }
    return Course(values, int(grades.max()), MappingProxyType(turns))


def _first(is_so: npt.NDArray[np.bool_]) -> float:
    return float(_TIMES_H[int(np.argmax(is_so))]) if is_so.any() else math.inf


def _band(values: npt.NDArray[np.float32], output: str) -> Band:
    column = values[:, OUTPUTS.index(output)].astype(float)
    low, median, high = np.quantile(column, QUANTILES, axis=0)
    return Band(low, median, high)
