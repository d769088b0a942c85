"""A synthetic cohort: virtual patients after CAR T cells, as a study would have recorded them.

SYNTHETIC. No row belongs to a person.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crs.guidelines.dosing import tocilizumab_dose_mg
from crs.models.cascade import CascadeCourse, Dose, run_cascade
from crs.patients.observation import (
    ASSAYS,
    SEEN,
    Chart,
    chart_of,
    first_at_least,
    sampled,
)
from crs.patients.virtual import VirtualPatient, virtual_patient

COHORT_FILE = Path(__file__).parent / "cohort_data" / "SYNTHETIC_cohort.csv"
FIRST_SEED = 20_000
PATIENTS = 120
LAST_DAY = 28
STEP_H = 4.0
_HOURS_A_DAY = 24.0
_TIMES_H = np.arange(0.0, LAST_DAY * _HOURS_A_DAY + STEP_H, STEP_H)
# Convention: what the cohort's hospital did. Grade 3 is treated eight hours after it is first seen.
_TREATED_GRADE, _TREATED_AFTER_H = 3, 8.0


@dataclass(frozen=True)
class CohortPatient:
    """What became of one patient of the cohort.

    Attributes
    ----------
    patient : VirtualPatient
    course : CascadeCourse
    chart : Chart
    doses : tuple of Dose
        What was given against the syndrome.
    """

    patient: VirtualPatient
    course: CascadeCourse
    chart: Chart
    doses: tuple[Dose, ...]

    @property
    def peak_grade(self) -> int:
        """The highest ASTCT grade."""
        return int(self.chart.grades.max())

    @property
    def onset_day(self) -> float | None:
        """Days from the cells to the first grade above 0."""
        hour = first_at_least(self.chart, 1)
        return None if hour is None else hour / _HOURS_A_DAY


def follow(seed: int) -> CohortPatient:
    """Follow one patient of the cohort for four weeks.

    Parameters
    ----------
    seed : int

    Returns
    -------
    CohortPatient
    """
    patient = virtual_patient(seed)
    course = _run(patient, ())
    chart = chart_of(_TIMES_H, course.values, _random(seed))
    doses = _treatment(patient, chart)
    if doses:
        course = _run(patient, doses)
        chart = chart_of(
            _TIMES_H, course.values, _random(seed), treated_from_h=min(d.time_h for d in doses)
        )
    return CohortPatient(patient, course, chart, doses)


def _run(patient: VirtualPatient, doses: Sequence[Dose]) -> CascadeCourse:
    return run_cascade(
        _TIMES_H,
        parameters=patient.parameters,
        start=patient.start,
        doses=[*patient.trigger, *doses],
        outputs=SEEN,
    )


def _random(seed: int) -> np.random.RandomState:
    """Return the noise of a patient's thermometer, monitor and laboratory."""
    return np.random.RandomState([seed, 1])


def _treatment(patient: VirtualPatient, chart: Chart) -> tuple[Dose, ...]:
    severe = first_at_least(chart, _TREATED_GRADE)
    if severe is None:
        return ()
    return (Dose("tocilizumab", severe + _TREATED_AFTER_H, tocilizumab_dose_mg(patient.weight_kg)),)


def rows_of(followed: CohortPatient) -> Iterator[dict[str, object]]:
    """Yield one row per day on which anything was sampled.

    Parameters
    ----------
    followed : CohortPatient

    Yields
    ------
    dict
    """
    random = np.random.RandomState([followed.patient.seed, 2])
    reported: dict[str, dict[int, float]] = {}
    for name, assay in ASSAYS.items():
        days, values = sampled(name, _TIMES_H, followed.course.values, random)
        reported[assay.column] = dict(zip(days, map(float, values), strict=True))
    given = min((dose.time_h for dose in followed.doses), default=math.inf)
    chart = followed.chart
    for day in sorted({day for values in reported.values() for day in values}):
        today = (chart.times_h >= day * _HOURS_A_DAY) & (chart.times_h < (day + 1) * _HOURS_A_DAY)
        yield {
            "synthetic_id": f"SYNTHETIC-{followed.patient.seed - FIRST_SEED + 1:03d}",
            "day": day,
            "astct_grade_today": int(chart.grades[today].max()),
            "astct_grade_peak": followed.peak_grade,
            "tocilizumab_given_before": day * _HOURS_A_DAY > given,
            "temp_max_c": float(chart.temp_c[today].max()),
            **{
                column: (_rounded(values[day]) if day in values else None)
                for column, values in reported.items()
            },
        }


def _rounded(value: float) -> float:
    """Round to three significant digits, as a laboratory does; so every platform agrees."""
    return float(f"{value:.3g}")


def make_cohort(seeds: Sequence[int]) -> pd.DataFrame:
    """Make a cohort anew.

    Parameters
    ----------
    seeds : sequence of int

    Returns
    -------
    DataFrame
        One row per patient and day, units in the names of the columns. Empty where nothing was
        sampled.
    """
    rows = [row for seed in seeds for row in rows_of(follow(seed))]
    return pd.DataFrame(rows).sort_values(["synthetic_id", "day"], ignore_index=True)


def load_cohort() -> pd.DataFrame:
    """Read the cohort that the course ships.

    Returns
    -------
    DataFrame
        As `make_cohort` makes it. Every row is SYNTHETIC.
    """
    return pd.read_csv(COHORT_FILE)


def peaks(cohort: pd.DataFrame) -> pd.DataFrame:
    """Return the highest value of every marker for each patient.

    Parameters
    ----------
    cohort : DataFrame
        As `load_cohort` returns it.

    Returns
    -------
    DataFrame
        One row per patient, indexed by ``synthetic_id``; with ``astct_grade_peak``.
    """
    columns = [assay.column for assay in ASSAYS.values()]
    return cohort.groupby("synthetic_id")[["astct_grade_peak", *columns]].max()
