"""Treatment plans for a virtual patient, and what becomes of the patient under them.

A teaching model, not for patient care. Doses that the course's guideline files hold come from
there; the others stand here with their status.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from crs.errors import InvalidInput
from crs.guidelines.dosing import siltuximab_dose_mg, tocilizumab_dose_mg, tocilizumab_timing
from crs.guidelines.loader import guideline
from crs.models.cascade import Dose, Snapshot, run_cascade
from crs.models.simulation import Numbers, checked_number
from crs.patients.observation import FEVER_C, astct_grade_of, support_for
from crs.patients.virtual import VirtualPatient, virtual_patient

OtherDrug = Literal["none", "anakinra", "siltuximab", "emapalumab", "infliximab"]
OTHER_DRUGS: tuple[OtherDrug, ...] = get_args(OtherDrug)
Grades = npt.NDArray[np.int64]

SEVERE_GRADE = 3
LAST_DAY = 28
HOURS_A_DAY = 24.0
STEP_H = 2.0
# Read in the pocket card of the ASCO guideline 2021 for grade 3 (doi:10.1200/JCO.21.01992).
DEXAMETHASONE_MG, DEXAMETHASONE_EVERY_H = 10.0, 6.0
# Recalled: 100 to 200 mg every 6 to 12 hours, off-label. Three days are a convention.
ANAKINRA_MG, ANAKINRA_EVERY_H, ANAKINRA_DAYS = 100.0, 6.0, 3.0
# Read in a copy of the label, for hemophagocytic lymphohistiocytosis: 6 mg/kg, then 3 mg/kg every
# three days, five times. Its use here is off-label.
EMAPALUMAB_MG_KG, EMAPALUMAB_LATER_MG_KG = 6.0, 3.0
EMAPALUMAB_EVERY_H, EMAPALUMAB_LATER_DOSES = 72.0, 5
# Recalled, off-label.
INFLIXIMAB_MG_KG = 5.0
TYPICAL_CELLS = 6.15  # copies per µg at the start, as the typical patient of Stein 2019 has

# What of the model a plan is judged by, and what its picture shows.
SHOWN = (
    "tocilizumab_ug_ml",
    "steroid_effect",
    "anakinra_ug_ml",
    "siltuximab_ug_ml",
    "emapalumab_ug_ml",
    "tnf_blocker_ug_ml",
    "il6_total",
    "il6_signal",
    "crp",
    "temp_c",
    "map_mmhg",
    "spo2_room_air",
    "car_t",
)
LEVEL_OF: Mapping[OtherDrug, str] = {
    "anakinra": "anakinra_ug_ml",
    "siltuximab": "siltuximab_ug_ml",
    "emapalumab": "emapalumab_ug_ml",
    "infliximab": "tnf_blocker_ug_ml",
}


@dataclass(frozen=True)
class Plan:
    """What is to be given, and when. Hours count from the CAR T cells.

    Attributes
    ----------
    tocilizumab_doses : int
        How many; each by the label for the weight.
    tocilizumab_h : float
        Start of the first.
    tocilizumab_interval_h : float
        From start to start.
    dexamethasone_days : float
        How long 10 mg are given every 6 hours; 0 for none.
    dexamethasone_h : float
        From when on.
    other : {"none", "anakinra", "siltuximab", "emapalumab", "infliximab"}
        A third drug, in the doses of this module.
    other_h : float
        From when on.
    """

    tocilizumab_doses: int = 0
    tocilizumab_h: float = 0.0
    tocilizumab_interval_h: float = 8.0
    dexamethasone_days: float = 0.0
    dexamethasone_h: float = 0.0
    other: OtherDrug = "none"
    other_h: float = 0.0


@dataclass(frozen=True)
class Planned:
    """Who is treated.

    Attributes
    ----------
    seed : int or None
        Of a virtual patient; None for the typical patient.
    burden : float
        Target cells against the reference, 0.01 to 30.
    weight_kg : float or None
        30 to 200 kg. None for the virtual patient's own; the typical patient then has 70 kg.
    """

    seed: int | None = None
    burden: float = 1.0
    weight_kg: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a patient under a plan.

    Attributes
    ----------
    times_h : ndarray of shape (n,)
    values : mapping of str to ndarray of shape (n,)
        The outputs in `SHOWN`.
    grades : ndarray of int, shape (n,)
        ASTCT 2019, without the noise of a monitor.
    doses : tuple of Dose
        What was given.
    """

    times_h: Numbers
    values: Mapping[str, Numbers]
    grades: Grades
    doses: tuple[Dose, ...]

    @property
    def peak_grade(self) -> int:
        """The highest grade."""
        return int(self.grades.max())

    @property
    def severe_h(self) -> float:
        """Hours at grade 3 or 4."""
        return self._hours(self.grades >= SEVERE_GRADE)

    @property
    def fever_h(self) -> float:
        """Hours with fever."""
        return self._hours(np.round(self.values["temp_c"], 1) >= FEVER_C)

    @property
    def peak_crp_mg_l(self) -> float:
        """The highest C-reactive protein."""
        return float(self.values["crp"].max())

    @property
    def car_t_area(self) -> float:
        """Area under the CAR T cells, copies/µg·day."""
        return float(np.trapezoid(self.values["car_t"], self.times_h)) / HOURS_A_DAY

    def _hours(self, is_so: npt.NDArray[np.bool_]) -> float:
        return float(np.sum(is_so)) * float(self.times_h[1] - self.times_h[0])


def doses_of(plan: Plan, weight_kg: float) -> tuple[Dose, ...]:
    """Write the doses of a plan out.

    Parameters
    ----------
    plan : Plan
    weight_kg : float
        Body weight, above 0 and up to 400 kg.

    Returns
    -------
    tuple of Dose
        In order of time.

    Raises
    ------
    InvalidInput
        If tocilizumab is planned more often or sooner than its label allows, or if a number is out
        of range. Names the field, the value and what is allowed.
    """
    for name, hour in (
        ("tocilizumab_h", plan.tocilizumab_h),
        ("dexamethasone_h", plan.dexamethasone_h),
        ("other_h", plan.other_h),
    ):
        checked_number(name, hour, 0, LAST_DAY * HOURS_A_DAY, "h")
    checked_number("dexamethasone_days", plan.dexamethasone_days, 0, LAST_DAY, "days")
    if plan.other not in OTHER_DRUGS:
        raise InvalidInput("other", plan.other, "one of " + ", ".join(OTHER_DRUGS))
    steroid = round(plan.dexamethasone_days * HOURS_A_DAY / DEXAMETHASONE_EVERY_H)
    found = [
        *_tocilizumab(plan, weight_kg),
        *(
            Dose(
                "dexamethasone", plan.dexamethasone_h + at * DEXAMETHASONE_EVERY_H, DEXAMETHASONE_MG
            )
            for at in range(steroid)
        ),
        *_other(plan, weight_kg),
    ]
    return tuple(sorted(found, key=lambda dose: dose.time_h))


def _tocilizumab(plan: Plan, weight_kg: float) -> list[Dose]:
    count, interval = plan.tocilizumab_doses, plan.tocilizumab_interval_h
    limits = guideline("tocilizumab-crs").constants
    most = int(limits["max_doses"].value)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= most:
        raise InvalidInput("tocilizumab_doses", count, f"a whole number from 0 to {most}")
    if count == 0:
        return []
    checked_number("tocilizumab_interval_h", interval, 0, LAST_DAY * HOURS_A_DAY, "h")
    starts: list[float] = []
    for number in range(count):
        start = plan.tocilizumab_h + number * interval
        if not tocilizumab_timing(start, starts).allowed:
            least, cartox = (limits[f"min_interval_{name}h"].value for name in ("", "cartox_"))
            raise InvalidInput(
                "tocilizumab_interval_h",
                interval,
                f"at least {least:g} h from start to start, as the label says "
                f"(CARTOX allows {cartox:g} h)",
            )
        starts.append(start)
    dose_mg = tocilizumab_dose_mg(weight_kg)
    return [Dose("tocilizumab", start, dose_mg) for start in starts]


def _other(plan: Plan, weight_kg: float) -> list[Dose]:
    start = plan.other_h
    if plan.other == "siltuximab":
        return [Dose("siltuximab", start, siltuximab_dose_mg(weight_kg))]
    if plan.other == "infliximab":
        return [Dose("infliximab", start, INFLIXIMAB_MG_KG * weight_kg)]
    if plan.other == "anakinra":
        count = round(ANAKINRA_DAYS * HOURS_A_DAY / ANAKINRA_EVERY_H)
        return [Dose("anakinra", start + at * ANAKINRA_EVERY_H, ANAKINRA_MG) for at in range(count)]
    if plan.other == "emapalumab":
        later = range(1, EMAPALUMAB_LATER_DOSES + 1)
        return [
            Dose("emapalumab", start, EMAPALUMAB_MG_KG * weight_kg),
            *(
                Dose(
                    "emapalumab",
                    start + at * EMAPALUMAB_EVERY_H,
                    EMAPALUMAB_LATER_MG_KG * weight_kg,
                )
                for at in later
            ),
        ]
    return []


@lru_cache(maxsize=256)
def patient_of(planned: Planned) -> VirtualPatient | None:
    """Return the virtual patient who is meant, or None for the typical one.

    Parameters
    ----------
    planned : Planned

    Returns
    -------
    VirtualPatient or None

    Raises
    ------
    InvalidInput
        If the seed, the burden or the weight is out of range.
    """
    if planned.seed is None:
        return None
    return virtual_patient(planned.seed, weight_kg=planned.weight_kg, burden=planned.burden)


def weight_of(planned: Planned) -> float:
    """Return the body weight of who is treated.

    Parameters
    ----------
    planned : Planned

    Returns
    -------
    float
        kg.
    """
    patient = patient_of(planned)
    if patient is not None:
        return patient.weight_kg
    return 70.0 if planned.weight_kg is None else planned.weight_kg


@lru_cache(maxsize=256)
def outcome_of(planned: Planned, plan: Plan = Plan()) -> Outcome:  # frozen
    """Follow a patient under a plan for four weeks.

    Parameters
    ----------
    planned : Planned
    plan : Plan
        Nothing is given where it is left out.

    Returns
    -------
    Outcome
        Kept, and given again for the same question: do not change it.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    doses = doses_of(plan, weight_of(planned))
    patient = patient_of(planned)
    if patient is None:
        checked_number("burden", planned.burden, 0.01, 30, "times the reference")
        start = Snapshot(0.0, {"tumor": planned.burden, "effector": TYPICAL_CELLS})
        parameters: Mapping[str, float] = {}
        trigger: Sequence[Dose] = ()
    else:
        start, parameters, trigger = patient.start, patient.parameters, patient.trigger
    times_h = np.arange(0.0, LAST_DAY * HOURS_A_DAY + STEP_H / 2, STEP_H)
    course = run_cascade(
        times_h, parameters=parameters, start=start, doses=[*trigger, *doses], outputs=SHOWN
    )
    grades = grades_of(times_h, course.values, [dose.time_h for dose in doses])
    return Outcome(times_h, course.values, grades, doses)


def grades_of(times_h: Numbers, values: Mapping[str, Numbers], given_h: Sequence[float]) -> Grades:
    """Grade a course by ASTCT 2019, as a monitor without noise would show it.

    ASTCT does without fever only after treatment. Word by word, an untreated patient whose fever
    has ended would be of grade 0 on a ventilator, and would look better than a treated one. So
    that courses can be compared, a syndrome lasts here, treated or not, until fever, low pressure
    and low oxygen have all gone (convention of this course).

    Parameters
    ----------
    times_h : ndarray of shape (n,)
    values : mapping of str to ndarray of shape (n,)
        At least temperature, mean arterial pressure and oxygen saturation on room air.
    given_h : sequence of float
        Starts of anticytokine drugs. Only those after the first fever count as treatment of the
        syndrome: what was given before it is no reason to do without fever.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    temp = np.round(values["temp_c"], 1)
    febrile = temp >= FEVER_C
    grades = np.zeros(len(times_h), dtype=np.int64)
    if not febrile.any():
        return grades
    first = int(np.argmax(febrile))
    established = float(times_h[first])
    treated_from = min((hour for hour in given_h if hour >= established), default=math.inf)
    pressure = np.round(values["map_mmhg"])
    saturation = np.round(values["spo2_room_air"])
    for at in range(first, len(times_h)):
        lasts = bool(times_h[at] >= treated_from or grades[at - 1] > 0)
        if febrile[at] or lasts:  # neither: no syndrome that could be graded
            grades[at] = _grade(float(temp[at]), lasts, float(pressure[at]), float(saturation[at]))
    return grades


@lru_cache(maxsize=100_000)
def _grade(temp_c: float, without_fever: bool, map_mmhg: float, spo2: float) -> int:
    return astct_grade_of(temp_c, without_fever, support_for(map_mmhg, spo2))
