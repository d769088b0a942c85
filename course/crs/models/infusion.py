"""A drug that runs day and night: blinatumomab with a step of its rate, and a pause."""

import math
from dataclasses import dataclass

import numpy as np

from crs.errors import InvalidInput
from crs.models.drugs import RateStep, blinatumomab_pg_ml
from crs.models.parameters import load_model

VIEW_D = 14
_HOURS_A_DAY = 24.0
_END_H = VIEW_D * _HOURS_A_DAY
# The curve bends after each change of the rate, for about six half-lives.
_AFTER_A_CHANGE_H = np.arange(0, 24, 0.5)
_PG_IN_UG_BY_L_IN_ML = 1000.0


@dataclass(frozen=True)
class InfusionPlan:
    """What the pump does.

    Attributes
    ----------
    first_ug_day, later_ug_day : float
        Rates before and from the step on.
    step_day : int
        Day of treatment on which the later rate begins; day 1 is the first.
    pause_day : int
        Day of treatment at whose start the pump is stopped.
    pause_h : float
        For how long; 0 for no pause. Then the pump goes on at the rate of that day.
    body_surface_m2 : float
        Of the patient; it changes clearance.
    """

    first_ug_day: float
    later_ug_day: float
    step_day: int
    pause_day: int
    pause_h: float
    body_surface_m2: float

    @property
    def step_h(self) -> float:
        """Hour of the step."""
        return (self.step_day - 1) * _HOURS_A_DAY

    @property
    def pause_from_h(self) -> float:
        """Hour at which the pump stops."""
        return (self.pause_day - 1) * _HOURS_A_DAY

    @property
    def pause_to_h(self) -> float:
        """Hour at which it goes on."""
        return self.pause_from_h + self.pause_h


@dataclass(frozen=True)
class InfusionResult:
    """The level over two weeks, and what can be read off it.

    Attributes
    ----------
    asked : InfusionPlan
    steps : tuple of RateStep
        What the pump did.
    hours, level : tuple of float
        Hours since the start; pg/mL.
    half_life_h : float
    first_steady, later_steady : float
        Where the level settles at the two rates, pg/mL.
    before_pause, after_pause : float or None
        Level when the pump stops, and when it goes on.
    """

    asked: InfusionPlan
    steps: tuple[RateStep, ...]
    hours: tuple[float, ...]
    level: tuple[float, ...]
    half_life_h: float
    first_steady: float
    later_steady: float
    before_pause: float | None
    after_pause: float | None


def blinatumomab_clearance_l_h(body_surface_m2: float) -> float:
    """Return the clearance of blinatumomab in a patient who is typical but for the size.

    Parameters
    ----------
    body_surface_m2 : float

    Returns
    -------
    float
        L/h.

    Raises
    ------
    InvalidInput
        If the body surface is outside what the model allows.
    """
    known = load_model("blinatumomab").parameters
    surface = known["body_surface_m2"]
    if not surface.minimum <= body_surface_m2 <= surface.maximum:
        raise InvalidInput(
            "body_surface_m2", body_surface_m2, f"from {surface.minimum:g} to {surface.maximum:g}"
        )
    relative = body_surface_m2 / known["reference_surface_m2"].value
    return float(known["clearance"].value * relative ** known["surface_exponent"].value)


def blinatumomab_steady_pg_ml(ug_day: float, body_surface_m2: float) -> float:
    """Return where the level of blinatumomab settles: as much is cleared as runs in.

    Parameters
    ----------
    ug_day : float
        Rate of the pump, 0 or more.
    body_surface_m2 : float

    Returns
    -------
    float
        pg/mL.

    Raises
    ------
    InvalidInput
        If the rate is negative or the body surface outside what the model allows.
    """
    if not ug_day >= 0:
        raise InvalidInput("ug_day", ug_day, "0 or more")
    rate_ug_h = ug_day / _HOURS_A_DAY
    return rate_ug_h / blinatumomab_clearance_l_h(body_surface_m2) * _PG_IN_UG_BY_L_IN_ML


def pump_steps(asked: InfusionPlan) -> tuple[RateStep, ...]:
    """List the rates of the pump, in order of time.

    Parameters
    ----------
    asked : InfusionPlan

    Returns
    -------
    tuple of RateStep
    """
    changes = {0.0, asked.step_h}
    if asked.pause_h > 0:
        changes |= {asked.pause_from_h, asked.pause_to_h}
    return tuple(RateStep(hour, _rate_at(asked, hour)) for hour in sorted(changes))


def run_infusion(asked: InfusionPlan) -> InfusionResult:
    """Work out the level over the first two weeks.

    Parameters
    ----------
    asked : InfusionPlan

    Returns
    -------
    InfusionResult

    Raises
    ------
    InvalidInput
        If a day, a rate, the pause or the body surface is not possible.
    """
    for name, day in (("step_day", asked.step_day), ("pause_day", asked.pause_day)):
        if not 1 <= day <= VIEW_D:
            raise InvalidInput(name, day, f"from 1 to {VIEW_D}")
    if not asked.pause_h >= 0:
        raise InvalidInput("pause_h", asked.pause_h, "0 or more")
    first = blinatumomab_steady_pg_ml(asked.first_ug_day, asked.body_surface_m2)
    later = blinatumomab_steady_pg_ml(asked.later_ug_day, asked.body_surface_m2)
    steps = pump_steps(asked)
    bends = [step.from_h + _AFTER_A_CHANGE_H for step in steps]
    hours = np.unique(np.concatenate([np.arange(0, _END_H + 1, 4.0), *bends]))
    hours = hours[hours <= _END_H]
    level = blinatumomab_pg_ml(hours, steps, body_surface_m2=asked.body_surface_m2)
    before = after = None
    if asked.pause_h > 0:
        ends = [asked.pause_from_h, asked.pause_to_h]
        found = blinatumomab_pg_ml(ends, steps, body_surface_m2=asked.body_surface_m2)
        before, after = (max(0.0, float(value)) for value in found)
    volume = load_model("blinatumomab").parameters["central"].value
    return InfusionResult(
        asked,
        steps,
        tuple(map(float, hours)),
        tuple(max(0.0, float(value)) for value in level),
        math.log(2) * volume / blinatumomab_clearance_l_h(asked.body_surface_m2),
        first,
        later,
        before,
        after,
    )


def _rate_at(asked: InfusionPlan, hour: float) -> float:
    """Return the rate from this hour on, in µg per day."""
    if asked.pause_h > 0 and asked.pause_from_h <= hour < asked.pause_to_h:
        return 0.0
    return asked.later_ug_day if hour >= asked.step_h else asked.first_ug_day
