"""The cytokine cascade of one patient: a trigger, mediators, what they do, and what drugs change.

A teaching model. Its numbers are calibrated so that a population resembles published summaries; it
predicts nothing for anybody. Its equations are in ``antimony/cascade.ant``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from crs.errors import InvalidInput
from crs.guidelines.dosing import steroid_equivalent_mg
from crs.models.parameters import load_model
from crs.models.simulation import Change, Numbers, checked_number, simulate_in_steps

_MODEL = "cascade"


@dataclass(frozen=True)
class Given:
    """Something that can be given, and how it enters the model.

    Attributes
    ----------
    unit : str
        Of the amount.
    most : float
        The largest amount of one dose that is accepted: far beyond any label, so that an overdose
        can be shown, and below what is plainly a slip of the pen.
    state : str
        What a dose that is given at once adds to; empty for what runs as a rate.
    rate : str
        The parameter that an infusion sets; empty for what is given at once.
    hours : float
        How long an infusion runs, unless the dose says otherwise.
    """

    unit: str
    most: float
    state: str = ""
    rate: str = ""
    hours: float = 0.0


# Infusion times: tocilizumab and siltuximab as labeled; the others are conventions of this course.
GIVEN: Mapping[str, Given] = MappingProxyType(
    {
        "tocilizumab": Given("mg", 2000, rate="tocilizumab_mg_per_h", hours=1),
        "siltuximab": Given("mg", 3000, rate="siltuximab_mg_per_h", hours=1),
        "dexamethasone": Given("mg", 200, state="steroid"),
        "methylprednisolone": Given("mg", 2500, state="steroid"),
        "anakinra": Given("mg", 1000, state="anakinra"),
        "etanercept": Given("mg", 200, state="etanercept"),
        "infliximab": Given("mg", 2000, rate="infliximab_mg_per_h", hours=2),
        "emapalumab": Given("mg", 2000, rate="emapalumab_mg_per_h", hours=1),
        "acetaminophen": Given("mg", 4000, state="antipyretic"),
        "fluids": Given("L", 5, rate="fluids_l_per_h", hours=0.5),
        "antibiotics": Given("courses", 1, rate="antibiotics_on", hours=24),
        "plasma exchange": Given("plasma volumes", 4, rate="exchanged_share_per_h", hours=2),
        "suicide gene": Given("share of cells", 0.999, rate="suicide_gene_per_h", hours=1),
        "blinatumomab": Given("µg", 20_000, rate="bispecific_ug_per_h", hours=24),
        "activating antibody": Given("mg", 100, rate="antibody_mg_per_h", hours=0.1),
    }
)
_SHORTEST_H = 0.01
_LEAST = 1e-6
_SAME_MOMENT_H = 1e-9


@dataclass(frozen=True)
class Dose:
    """One thing that is given to a patient.

    Attributes
    ----------
    what : str
        One of `GIVEN`.
    time_h : float
        When it starts.
    amount : float
        In the unit of `GIVEN`. Of antibiotics 1. Of a suicide gene the share of cells that die.
    hours : float or None
        How long it runs. None for the time in `GIVEN`; without meaning for what is given at once.
    """

    what: str
    time_h: float
    amount: float
    hours: float | None = None

    def __post_init__(self) -> None:
        if self.what not in GIVEN:
            raise InvalidInput("what", self.what, "one of " + ", ".join(GIVEN))
        rule = GIVEN[self.what]
        longest = load_model(_MODEL).longest_time
        checked_number("time_h", self.time_h, 0, longest, "h")
        checked_number("amount", self.amount, 0, rule.most, rule.unit)
        if 0 < self.amount < _LEAST:
            raise InvalidInput("amount", self.amount, f"0, or at least {_LEAST:g} {rule.unit}")
        if self.hours is not None:
            checked_number("hours", self.hours, _SHORTEST_H, longest, "h")

    @property
    def end_h(self) -> float:
        """When it has run in."""
        rule = GIVEN[self.what]
        if not rule.rate:
            return self.time_h
        return self.time_h + (rule.hours if self.hours is None else self.hours)

    @property
    def per_hour(self) -> float:
        """The rate that it sets while it runs; 0 for what is given at once."""
        if not GIVEN[self.what].rate:
            return 0.0
        if self.what == "antibiotics":
            return self.amount
        hours = self.end_h - self.time_h
        if self.what == "suicide gene":
            return -math.log(1 - self.amount) / hours
        return self.amount / hours

    @property
    def at_once(self) -> float:
        """What it adds to its state; 0 for what runs as a rate."""
        if not GIVEN[self.what].state:
            return 0.0
        if GIVEN[self.what].state == "steroid":
            return steroid_equivalent_mg(self.what, self.amount, "dexamethasone")
        return self.amount


@dataclass(frozen=True)
class Snapshot:
    """Where a patient stands at one hour, to go on from.

    Attributes
    ----------
    time_h : float
    states : mapping of str to float
        Every state of the model.
    """

    time_h: float
    states: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CascadeCourse:
    """What became of a patient.

    Attributes
    ----------
    times_h : ndarray of shape (n,)
    values : dict of str to ndarray of shape (n,)
        The outputs that were asked for. Their units are in ``values/cascade.yaml``.
    end : Snapshot
        Where the patient stands at the last time.
    """

    times_h: Numbers
    values: Mapping[str, Numbers]
    end: Snapshot


def run_cascade(
    times_h: Sequence[float] | Numbers,
    *,
    parameters: Mapping[str, float] | None = None,
    start: Snapshot | None = None,
    doses: Sequence[Dose] = (),
    outputs: Sequence[str] | None = None,
) -> CascadeCourse:
    """Follow one patient, from any moment on.

    Parameters
    ----------
    times_h : sequence of float, shape (n,)
        Hours, in order; none before the start.
    parameters : mapping of str to float, optional
        What differs from the typical patient.
    start : Snapshot, optional
        Hour 0 of the typical patient where not given. States that it does not name are at rest.
    doses : sequence of Dose
        In any order. What was given at once before the start is taken as part of it; what still
        runs then, runs on. A dose at the very last time is not given yet.
    outputs : sequence of str, optional
        What to return; everything where not given.

    Returns
    -------
    CascadeCourse

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    SimulationFailed
        If the equations could not be solved.
    """
    begin = start or Snapshot(0.0)
    hours = [float(hour) for hour in times_h]
    if not hours or not hours[0] >= begin.time_h:
        shown = hours[0] if hours else "empty"
        raise InvalidInput("times_h", shown, f"one or more hours from {begin.time_h:g} on")
    settings = dict(parameters or {})
    running, changes = _changes(doses, begin.time_h)
    found = simulate_in_steps(
        _MODEL,
        [hour - begin.time_h for hour in hours],
        start=begin.states,
        parameters={**settings, **running},
        changes=changes,
        outputs=outputs,
    )
    return CascadeCourse(
        found.times + begin.time_h, found.values, Snapshot(hours[-1], dict(found.end))
    )


def _changes(doses: Sequence[Dose], begin_h: float) -> tuple[dict[str, float], list[Change]]:
    """Turn doses into what runs at the beginning and what changes later, counted from there."""
    running: dict[str, float] = {}
    rates: dict[float, dict[str, float]] = {}
    amounts: dict[float, dict[str, float]] = {}
    free_from: dict[str, float] = {}
    for dose in sorted(doses, key=lambda dose: dose.time_h):
        rule = GIVEN[dose.what]
        if not rule.rate:
            if dose.time_h >= begin_h:
                added = amounts.setdefault(dose.time_h, {})
                added[rule.state] = added.get(rule.state, 0.0) + dose.at_once
            continue
        busy_until = free_from.get(rule.rate, -math.inf)
        if dose.time_h < busy_until - _SAME_MOMENT_H:
            allowed = f"{busy_until:g} h or later: one ends before the next begins"
            raise InvalidInput(f"time_h of {dose.what}", dose.time_h, allowed)
        starts = busy_until if abs(dose.time_h - busy_until) <= _SAME_MOMENT_H else dose.time_h
        free_from[rule.rate] = dose.end_h
        if dose.end_h <= begin_h:
            continue
        if starts < begin_h:
            running[rule.rate] = dose.per_hour
        else:
            rates.setdefault(starts, {})[rule.rate] = dose.per_hour
        rates.setdefault(dose.end_h, {}).setdefault(rule.rate, 0.0)
    moments = sorted({*rates, *amounts})
    return running, [
        Change(moment - begin_h, rates.get(moment, {}), amounts.get(moment, {}))
        for moment in moments
    ]
