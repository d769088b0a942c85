"""Doses of an antibody at equal intervals: the level that they make in a typical patient."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crs.errors import InvalidInput
from crs.models.parameters import load_model
from crs.models.simulation import Infusion, simulate

Antibody = Literal["tocilizumab", "siltuximab"]

INFUSION_H = 1.0
_HOURS_A_DAY = 24.0
_SHORTEST_VIEW_D = 28.0
_POINTS = 281


@dataclass(frozen=True)
class Regimen:
    """What is given.

    Attributes
    ----------
    drug : {"tocilizumab", "siltuximab"}
    dose_mg : float
        Of each infusion of one hour.
    interval_h : float
        From the start of one dose to the start of the next.
    doses : int
        How many.
    """

    drug: Antibody
    dose_mg: float
    interval_h: float
    doses: int


@dataclass(frozen=True)
class RegimenResult:
    """The level over time.

    Attributes
    ----------
    asked : Regimen
    days, level : tuple of float
        Days since the first dose; µg/mL.
    starts : tuple of float
        Day of each dose.
    peak_day, peak : float
        The highest level, µg/mL, and when.
    before_last_dose : float or None
        Level just before the last of several doses.
    four_weeks_later : float
        Level 28 days after the start of the last dose.
    """

    asked: Regimen
    days: tuple[float, ...]
    level: tuple[float, ...]
    starts: tuple[float, ...]
    peak_day: float
    peak: float
    before_last_dose: float | None
    four_weeks_later: float


def run_regimen(asked: Regimen) -> RegimenResult:
    """Work out the level until four weeks after the last dose.

    Parameters
    ----------
    asked : Regimen

    Returns
    -------
    RegimenResult

    Raises
    ------
    InvalidInput
        If doses would overlap, or do not fit into the model.
    """
    if asked.interval_h <= INFUSION_H:
        raise InvalidInput("interval_h", asked.interval_h, f"above {INFUSION_H:g} hour")
    room = load_model(asked.drug).infusions
    if not 1 <= asked.doses <= room:
        raise InvalidInput("doses", asked.doses, f"from 1 to {room}")
    starts = [dose * asked.interval_h / _HOURS_A_DAY for dose in range(asked.doses)]
    hour = INFUSION_H / _HOURS_A_DAY
    end = starts[-1] + _SHORTEST_VIEW_D
    # The corners of the curve lie where an infusion starts and ends.
    corners = [time for start in starts for time in (start, start + hour)]
    days = np.union1d(np.linspace(0, end, _POINTS), corners)
    level = simulate(
        asked.drug,
        days,
        infusions=[Infusion(start, asked.dose_mg, hour) for start in starts],
        outputs=["concentration"],
    ).values["concentration"]
    highest = int(np.argmax(level))
    before_last = float(level[np.searchsorted(days, starts[-1])]) if asked.doses > 1 else None
    return RegimenResult(
        asked,
        tuple(map(float, days)),
        tuple(max(0.0, float(value)) for value in level),
        tuple(starts),
        float(days[highest]),
        float(level[highest]),
        before_last,
        float(level[-1]),
    )
