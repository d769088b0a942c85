"""What sets the cascade off, and in which order its mediators rise and peak.

Three triggers of one and the same typical patient: CAR T cells that multiply, blinatumomab from a
pump, and one infusion of an antibody that activates T cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from crs.errors import InvalidInput
from crs.models.cascade import Dose, Snapshot, run_cascade
from crs.models.parameters import load_model
from crs.models.simulation import Numbers

Kind = Literal["CAR T cells", "blinatumomab", "activating antibody"]

KINDS: tuple[Kind, ...] = get_args(Kind)
MEDIATORS = ("tnf", "ifn_gamma", "il10", "il1", "il6_free", "mcp1")
# Convention: a mediator has risen when it has gone a tenth of the way from rest to its own peak.
RISEN = 0.1
# Convention: what never doubles has not taken part.
_TAKES_PART = 2.0
# So little is none, as the model takes no dose that is hardly there.
_NOTHING = 1e-6
_HOURS_A_DAY = 24.0
STEP_H = 7 * _HOURS_A_DAY
# Fine where things happen, coarse where they do not, and no change of a rate between two points.
_TIMES_H: Mapping[Kind, Numbers] = MappingProxyType(
    {
        "CAR T cells": np.concatenate(
            [np.arange(0, 72, 4), np.arange(72, 384, 2), np.arange(384, 673, 4)]
        ),
        "blinatumomab": np.unique(
            np.concatenate(
                [np.arange(0, 48, 0.5), np.arange(0, 337, 3), STEP_H + np.arange(0, 48, 0.5)]
            )
        ),
        "activating antibody": np.concatenate(
            [np.arange(0, 12, 0.1), np.arange(12, 24, 0.25), np.arange(24, 121, 1)]
        ),
    }
)
_LIMITS = {
    "burden": (0.01, 30.0, "times the reference"),
    "first_ug_day": (0.0, 60.0, "µg/day"),
    "later_ug_day": (0.0, 60.0, "µg/day"),
    "antibody_mg": (0.0, 100.0, "mg"),
}


@dataclass(frozen=True)
class Trigger:
    """What is given to the typical patient.

    Attributes
    ----------
    kind : {"CAR T cells", "blinatumomab", "activating antibody"}
    burden : float
        Target cells against the reference burden.
    first_ug_day, later_ug_day : float
        Rates of blinatumomab before and from day 8 on; of no matter for the other two.
    antibody_mg : float
        Dose of the activating antibody; of no matter for the other two.

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """

    kind: Kind
    burden: float = 1.0
    first_ug_day: float = 9.0
    later_ug_day: float = 28.0
    antibody_mg: float = 8.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidInput("kind", self.kind, "one of " + ", ".join(KINDS))
        for name, (low, high, unit) in _LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:  # NaN is in no range
                raise InvalidInput(name, value, f"a number from {low:g} to {high:g} {unit}")

    @property
    def doses(self) -> tuple[Dose, ...]:
        """What is given as a drug; nothing for CAR T cells, which are there from the start."""
        if self.kind == "blinatumomab":
            return tuple(
                Dose("blinatumomab", at, ug_day * STEP_H / _HOURS_A_DAY, STEP_H)
                for at, ug_day in ((0.0, self.first_ug_day), (STEP_H, self.later_ug_day))
                if ug_day > _NOTHING
            )
        if self.kind == "activating antibody" and self.antibody_mg > _NOTHING:
            return (Dose("activating antibody", 0.0, self.antibody_mg),)
        return ()

    @property
    def start(self) -> Snapshot:
        """The hour at which it is given."""
        states = {"tumor": self.burden}
        if self.kind == "CAR T cells":
            cells = load_model("car_t_cells").parameters
            states["effector"] = cells["peak"].value / cells["fold"].value
        return Snapshot(0.0, states)


@dataclass(frozen=True)
class Rise:
    """How one mediator rises.

    Attributes
    ----------
    mediator : str
        One of `MEDIATORS`.
    rest, peak : float
        pg/mL.
    risen_h : float or None
        When it has gone a tenth of the way to its peak. None where it never doubles.
    peak_h : float
        When it is highest.
    """

    mediator: str
    rest: float
    peak: float
    risen_h: float | None
    peak_h: float

    @property
    def risen_at(self) -> float:
        """The level at which it has risen, pg/mL."""
        return self.rest + RISEN * (self.peak - self.rest)


@dataclass(frozen=True)
class TriggeredCourse:
    """What follows a trigger.

    Attributes
    ----------
    asked : Trigger
    times_h : tuple of float
    levels : mapping of str to tuple of float
        pg/mL, by name as in `MEDIATORS`.
    rises : tuple of Rise
        In the order in which the mediators rise; those that never do at the end.
    il6_peaks : tuple of float or None
        Highest interleukin-6 before and from day 8 on, pg/mL, where there is a step.
    """

    asked: Trigger
    times_h: tuple[float, ...]
    levels: Mapping[str, tuple[float, ...]]
    rises: tuple[Rise, ...]
    il6_peaks: tuple[float, float] | None


@lru_cache(maxsize=256)
def run_trigger(asked: Trigger) -> TriggeredCourse:
    """Follow the mediators of the typical patient after a trigger.

    Parameters
    ----------
    asked : Trigger

    Returns
    -------
    TriggeredCourse
        Over four weeks for CAR T cells, two for blinatumomab, five days for the antibody.

    Raises
    ------
    SimulationFailed
        If the equations could not be solved.
    """
    times_h = _TIMES_H[asked.kind]
    course = run_cascade(times_h, start=asked.start, doses=asked.doses, outputs=MEDIATORS)
    rises = [_rise(name, times_h, course.values[name]) for name in MEDIATORS]
    rises.sort(key=lambda rise: (rise.risen_h is None, rise.risen_h or 0.0))
    il6_peaks = None
    if asked.kind == "blinatumomab":
        before = times_h <= STEP_H
        il6 = course.values["il6_free"]
        il6_peaks = (float(il6[before].max()), float(il6[~before].max()))
    return TriggeredCourse(
        asked,
        tuple(map(float, times_h)),
        MappingProxyType({name: tuple(map(float, course.values[name])) for name in MEDIATORS}),
        tuple(rises),
        il6_peaks,
    )


def _rise(mediator: str, times_h: Numbers, level: Numbers) -> Rise:
    at = int(np.argmax(level))
    rest, peak = float(level[0]), float(level[at])
    rise = Rise(mediator, rest, peak, None, float(times_h[at]))
    if peak < _TAKES_PART * rest:
        return rise
    return replace(rise, risen_h=_crossing(times_h, level, rise.risen_at))


def _crossing(times_h: Numbers, level: Numbers, height: float) -> float:
    """Return when a level first reaches a height, between two points on a straight line."""
    after = int(np.argmax(level >= height))
    if after == 0:
        return float(times_h[0])
    low, high = level[after - 1], level[after]
    share = (height - low) / (high - low)
    return float(times_h[after - 1] + share * (times_h[after] - times_h[after - 1]))
