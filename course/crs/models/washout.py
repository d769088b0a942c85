"""What is left after a decision to stop: of a drug with one half-life, and of CAR T cells.

Both are typical patients of published population models, not predictions for anybody.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from crs.errors import InvalidInput
from crs.guidelines.engine import check_value
from crs.guidelines.schema import Input
from crs.models.parameters import Parameter, load_model

_HOURS_A_DAY = 24.0
_INPUTS = {
    "half_life_h": Input(
        name="half_life_h", meaning="half-life", kind="number", unit="h", above=0, maximum=10_000
    ),
    "hours": Input(
        name="hours", meaning="hours since stopping", kind="number", unit="h", minimum=0
    ),
    "decision_day": Input(
        name="decision_day",
        meaning="day after the infusion on which it is decided",
        kind="number",
        unit="days",
        minimum=0,
        maximum=365,
    ),
}


def _checked(name: str, value: object) -> float:
    return float(check_value(_INPUTS[name], value))


def cell_parameters() -> Mapping[str, Parameter]:
    """Return the numbers behind CAR T cells in blood.

    Returns
    -------
    dict of str to Parameter
        ``fold``: how many times the cells of day 0 are there on the ``peak_day``, a doubling every
        0.78 days. ``first_decline`` and ``last_decline``: half-lives of 4.3 and about 220 days.
        ``persistent_share``: what of the peak belongs to the slow decline.
    """
    return load_model("car_t_cells").parameters


def blinatumomab_half_life_h() -> float:
    """Return the half-life of blinatumomab in a typical patient, in hours."""
    drug = load_model("blinatumomab").parameters
    return math.log(2) * drug["central"].value / drug["clearance"].value


def drug_left(hours: float, half_life_h: float) -> float:
    """Return the share of a drug that is left some time after it was stopped.

    Parameters
    ----------
    hours : float
        Since it was stopped.
    half_life_h : float
        In hours; one half-life for the whole decline.

    Returns
    -------
    float
        1 at the moment of stopping.

    Raises
    ------
    InvalidInput
        If a number is negative, not finite, or a half-life of zero.
    """
    hours = _checked("hours", hours)
    half_life_h = _checked("half_life_h", half_life_h)
    return float(2.0 ** (-hours / half_life_h))


def cells_against_peak(day: float) -> float:
    """Return CAR T cells in blood on one day, as a share of their peak.

    Parameters
    ----------
    day : float
        After the infusion. The early fall of the infused cells is left out.

    Returns
    -------
    float
    """
    cells = cell_parameters()
    peak_day = cells["peak_day"].value
    after = day - peak_day
    if after <= 0:
        return float(cells["fold"].value ** (after / peak_day))
    slow = cells["persistent_share"].value
    fast_part = (1 - slow) * math.exp(-cells["first_decline"].value * after)
    return fast_part + slow * math.exp(-cells["last_decline"].value * after)


def cells_left(hours: float, decision_day: float) -> float:
    """Return CAR T cells some time after a decision, as a share of those at the decision.

    Nothing is given against the cells: a decision alone does not stop them.

    Parameters
    ----------
    hours : float
        Since the decision.
    decision_day : float
        Days from the infusion to the decision.

    Returns
    -------
    float
        1 at the decision; above 1 while the cells still grow.

    Raises
    ------
    InvalidInput
        If a number is negative, not finite, or a decision later than a year.
    """
    hours = _checked("hours", hours)
    decision_day = _checked("decision_day", decision_day)
    later = cells_against_peak(decision_day + hours / _HOURS_A_DAY)
    return later / cells_against_peak(decision_day)


@dataclass(frozen=True)
class Washout:
    """What is asked: which drug is stopped, when, and how long ago.

    Attributes
    ----------
    half_life_h : float
        Of the drug, in hours.
    decision_day : float
        Day after the infusion of CAR T cells on which one would like to stop them.
    hours : float
        Since the decision.
    horizon_h : float
        How far the picture goes, in hours.
    """

    half_life_h: float
    decision_day: float
    hours: float
    horizon_h: float


@dataclass(frozen=True)
class WashoutResult:
    """Two courses after a decision, and what is left at one moment.

    Attributes
    ----------
    asked : Washout
    hours : tuple of float
        From 0 to the horizon.
    drug, cells : tuple of float
        Shares of what was there at the decision.
    drug_now, cells_now : float
        At the hour that was asked for.
    """

    asked: Washout
    hours: tuple[float, ...]
    drug: tuple[float, ...]
    cells: tuple[float, ...]
    drug_now: float
    cells_now: float


def washout(asked: Washout, points: int = 121) -> WashoutResult:
    """Work out both courses.

    Parameters
    ----------
    asked : Washout
    points : int
        How many points each course has.

    Returns
    -------
    WashoutResult

    Raises
    ------
    InvalidInput
        If the hour lies beyond the horizon, or as `drug_left` and `cells_left` say.
    """
    if asked.hours > asked.horizon_h:
        raise InvalidInput("hours", asked.hours, f"at most {asked.horizon_h:g} h in this view")
    hours = tuple(asked.horizon_h * step / (points - 1) for step in range(points))
    return WashoutResult(
        asked,
        hours,
        tuple(drug_left(hour, asked.half_life_h) for hour in hours),
        tuple(cells_left(hour, asked.decision_day) for hour in hours),
        drug_left(asked.hours, asked.half_life_h),
        cells_left(asked.hours, asked.decision_day),
    )
