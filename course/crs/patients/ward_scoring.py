"""What became of a patient on the ward, and how many points that is worth.

All weights are conventions of the course. They say what matters in which order, and no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Cause = Literal["hypotension", "hypoxia", "grade 4", "neurotoxicity", "infection"]

# Points of a patient who comes through without any loss: 100 in all.
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "survival": 60.0,
        "peak_grade": 10.0,
        "icu_hours": 10.0,
        "car_t": 10.0,
        "infection": 5.0,
        "drug_waste": 5.0,
    }
)
# What a never event takes away, and how much all of them take at most: a patient who lives through
# many is still worth more than one who dies.
NEVER_EVENT_POINTS = 10.0
MOST_NEVER_EVENT_POINTS = 40.0
# Hours of intensive care, and mg of tocilizumab, at which no point is left.
NO_POINT_ICU_H = 168.0
NO_POINT_WASTE_MG = 800.0


@dataclass(frozen=True)
class NeverEvent:
    """Something that must never happen.

    Attributes
    ----------
    kind : str
        One of `NEVER_EVENTS`.
    time_h : float
        When.
    detail : str
        What happened, in words.
    """

    kind: str
    time_h: float
    detail: str


NEVER_EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "overdose": "tocilizumab above 800 mg, or a tenth above the dose for the weight",
        "too-early": "tocilizumab again before the interval is over, or too often in 24 hours",
        "fifth-dose": "tocilizumab after four doses",
        "isolated-icans": "tocilizumab for neurotoxicity without cytokine release syndrome",
        "neutropenic-fever": "no antibiotics within 4 hours of a fever known to be neutropenic",
        "gm-csf": "granulocyte-macrophage colony-stimulating factor",
    }
)


@dataclass(frozen=True)
class Outcome:
    """What became of one patient.

    Attributes
    ----------
    seed : int
        Of the patient.
    end : {"well", "died", "still here", "on the ward"}
        Sent home, dead, not home after 28 days, or not at the end yet.
    hours : float
        From the cells to the end.
    cause_of_death : str or None
        What did the most harm.
    peak_crs_grade : int
        Highest ASTCT 2019 grade that was charted.
    peak_icans_grade : int
        Highest grade of neurotoxicity that was charted.
    icu_h, grade_4_h : float
        Hours in intensive care, and hours at grade 4.
    harm : mapping of str to float
        By cause. A patient dies when the sum exceeds the patient's frailty, 1 in the middle.
    infected, infection_missed : bool
        Whether there was an infection, and whether it grew to half of its most.
    antibiotic_h : float
        Hours on antibiotics.
    tocilizumab_doses : int
    tocilizumab_mg, tocilizumab_wasted_mg : float
        What was given. What was left in vials, given without the syndrome, or given beyond the
        dose for the weight.
    dexamethasone_mg : float
        All corticosteroids, as dexamethasone.
    car_t_kept : float
        Area under the CAR T cells against that of the same patient without any treatment.
    never_events : tuple of NeverEvent
    """

    seed: int
    end: Literal["well", "died", "still here", "on the ward"]
    hours: float
    cause_of_death: Cause | None
    peak_crs_grade: int
    peak_icans_grade: int
    icu_h: float
    grade_4_h: float
    harm: Mapping[Cause, float]
    infected: bool
    infection_missed: bool
    antibiotic_h: float
    tocilizumab_doses: int
    tocilizumab_mg: float
    tocilizumab_wasted_mg: float
    dexamethasone_mg: float
    car_t_kept: float
    never_events: tuple[NeverEvent, ...]

    @property
    def survived(self) -> bool:
        """Whether the patient lives."""
        return self.end != "died"


@dataclass(frozen=True)
class Score:
    """Points of one patient.

    Attributes
    ----------
    parts : mapping of str to float
        Points by item of `WEIGHTS`, and what never events took away, as a negative number.
    total : float
        Their sum, from 0 to 100. 0 for a patient who died.
    """

    parts: Mapping[str, float]
    total: float


def score(outcome: Outcome) -> Score:
    """Turn an outcome into points.

    Parameters
    ----------
    outcome : Outcome

    Returns
    -------
    Score
    """
    shares = {
        "survival": 1.0,
        "peak_grade": (4 - max(1, outcome.peak_crs_grade)) / 3,
        "icu_hours": 1 - outcome.icu_h / NO_POINT_ICU_H,
        "car_t": outcome.car_t_kept,
        "infection": 0.0 if outcome.infection_missed else 1.0,
        "drug_waste": 1 - outcome.tocilizumab_wasted_mg / NO_POINT_WASTE_MG,
    }
    alive = 1.0 if outcome.survived else 0.0
    parts = {
        name: alive * weight * min(1.0, max(0.0, shares[name])) for name, weight in WEIGHTS.items()
    }
    lost = min(MOST_NEVER_EVENT_POINTS, NEVER_EVENT_POINTS * len(outcome.never_events))
    parts["never_events"] = -alive * lost
    return Score(MappingProxyType(parts), sum(parts.values()))
