"""Run a model: one narrow function in front of the simulation engine, COPASI.

The equations are in ``antimony/``, the same in SBML in ``sbml/``, the numbers with their sources in
``values/``. COPASI (Hoops 2006, doi:10.1093/bioinformatics/btl485) is loaded at the first
simulation, not before.
"""

import contextlib
import itertools
import locale
import math
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crs.errors import CourseError, InvalidInput
from crs.models.parameters import Model, Parameter, load_model

_FOLDER = Path(__file__).parent / "sbml"

# The absolute tolerance, as a share of a model's relative one.
ABSOLUTE_SHARE = 0.01

# The engine keeps a model's state between calls, so that one simulation runs at a time.
_ENGINE = threading.Lock()

# Two moments this close are one, in days or hours.
_SAME_MOMENT = 1e-9

Numbers = npt.NDArray[np.float64]


class SimulationFailed(CourseError):
    """The engine could not solve a model's equations; the message holds its own words."""


@dataclass(frozen=True)
class Infusion:
    """An infusion at a constant rate.

    Attributes
    ----------
    start : float
        When it begins, in the model's time unit.
    amount : float
        How much is given in all, in the model's amount unit.
    duration : float
        How long it runs, in the model's time unit.
    """

    start: float
    amount: float
    duration: float


@dataclass(frozen=True)
class Simulation:
    """What a model did.

    Attributes
    ----------
    model : Model
    times : ndarray of shape (n,)
        In the model's time unit.
    values : dict of str to ndarray of shape (n,)
        One array per output that was asked for, in the units of ``model.outputs``.
    """

    model: Model
    times: Numbers
    values: Mapping[str, Numbers]


@dataclass(frozen=True)
class Change:
    """What somebody changes at one moment, while a model runs.

    Attributes
    ----------
    time : float
        When, in the model's time unit.
    rates : mapping of str to float
        Parameters that have another value from this moment on.
    amounts : mapping of str to float
        What is added to states at this moment.
    """

    time: float
    rates: Mapping[str, float] = field(default_factory=dict)
    amounts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SteppedSimulation(Simulation):
    """What a model did, and where it stands at the end.

    Attributes
    ----------
    end : dict of str to float
        Every state at the last time, to go on from.
    """

    end: Mapping[str, float]


def simulate(
    model: str,
    times: Sequence[float] | Numbers,
    *,
    infusions: Sequence[Infusion] = (),
    parameters: Mapping[str, float] | None = None,
    outputs: Sequence[str] | None = None,
) -> Simulation:
    """Run a model of a typical patient, or of one with other parameters.

    Parameters
    ----------
    model : str
        One of `crs.models.parameters.model_ids`.
    times : sequence of float
        When to look, in the model's time unit: at least one, from 0, none before the one ahead.
    infusions : sequence of Infusion
        In order of time and one after the other.
    parameters : mapping of str to float, optional
        Parameters that differ from the typical patient's.
    outputs : sequence of str, optional
        What to return; all outputs of the model where not given.

    Returns
    -------
    Simulation

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    SimulationFailed
        If the equations could not be solved.
    """
    description = load_model(model)
    moments = _checked_times(description, times)
    settings = _checked_parameters(description, parameters or {})
    corners = _infusion_settings(description, infusions)
    moments = _at_corners(moments, [at for name, at in corners.items() if "rate" not in name])
    settings |= corners
    wanted = _checked_outputs(description, outputs)
    with _ENGINE, _own_locale():
        columns = _engine(model).run(settings, moments, wanted)
    return Simulation(description, moments, dict(zip(wanted, columns, strict=True)))


def simulate_in_steps(
    model: str,
    times: Sequence[float] | Numbers,
    *,
    start: Mapping[str, float] | None = None,
    parameters: Mapping[str, float] | None = None,
    changes: Sequence[Change] = (),
    outputs: Sequence[str] | None = None,
) -> SteppedSimulation:
    """Run a model from any state, and change what is given to it on the way.

    Parameters
    ----------
    model : str
        One of `crs.models.parameters.model_ids`, whose equations do not name the time.
    times : sequence of float, shape (n,)
        As for `simulate`. Time 0 is where ``start`` is.
    start : mapping of str to float, optional
        States that differ from the model's own start, such as the ``end`` of a run before.
    parameters : mapping of str to float, optional
        Parameters that differ from the typical patient's, from the start on.
    changes : sequence of Change
        In order of time. What is due at the last time or later is left out.
    outputs : sequence of str, optional
        What to return; all outputs of the model where not given.

    Returns
    -------
    SteppedSimulation

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    SimulationFailed
        If the equations could not be solved.
    """
    description = load_model(model)
    moments = _checked_times(description, times)
    settings = _checked_parameters(description, parameters or {})
    wanted = _checked_outputs(description, outputs)
    for before, change in itertools.pairwise([Change(0.0), *changes]):
        if not before.time <= change.time < math.inf:  # NaN is in no order
            raise InvalidInput("changes", change.time, "in order of time, from 0")
        _checked_parameters(description, change.rates)
    with _ENGINE, _own_locale():
        engine = _engine(model)
        for given in (start or {}, *(change.amounts for change in changes)):
            for name, value in given.items():
                if name not in engine.states:
                    raise InvalidInput("state", name, "one of " + ", ".join(engine.states))
                if not math.isfinite(value):
                    raise InvalidInput(name, value, "a finite number")
        columns, end = engine.run_in_steps(settings, start or {}, changes, moments, wanted)
    values = dict(zip(wanted, columns, strict=True))
    return SteppedSimulation(description, moments, values, end)


def _checked_times(model: Model, times: Sequence[float] | Numbers) -> Numbers:
    allowed = f"numbers from 0 to {model.longest_time:g} {model.time_unit}s, in order of time"
    try:
        moments = np.asarray(times, dtype=float)
    except (TypeError, ValueError):
        raise InvalidInput("times", times, allowed) from None
    if moments.ndim != 1 or moments.size == 0:
        raise InvalidInput("times", times, f"one or more {allowed}")
    for before, moment in zip([0.0, *moments[:-1]], moments, strict=True):
        if not before <= moment <= model.longest_time:  # NaN is no number in any order
            raise InvalidInput("times", float(moment), allowed)
    return moments


def _at_corners(moments: Numbers, corners: Sequence[float]) -> Numbers:
    """Move what differs from a corner in its last digits alone to that corner."""
    known = np.unique(corners or [0.0])
    after = np.clip(np.searchsorted(known, moments), 1, len(known) - 1) if len(known) > 1 else 0
    for near in (known[after - 1], known[after]) if len(known) > 1 else (known[0],):
        moments = np.where(np.abs(moments - near) < _SAME_MOMENT, near, moments)
    return moments


def _distinct(times: Numbers) -> tuple[Numbers, npt.NDArray[np.intp]]:
    """List the moments that differ, and which of them each time is."""
    moments, where = np.unique(times, return_inverse=True)
    new = np.append(True, np.diff(moments) >= _SAME_MOMENT)
    return moments[new], (np.cumsum(new) - 1)[where]


def checked_number(field: str, value: object, low: float, high: float, unit: str) -> float:
    """Return a number that must lie in a range; both ends are in it.

    Parameters
    ----------
    field : str
        How an error names it.
    value : object
    low, high : float
    unit : str

    Returns
    -------
    float

    Raises
    ------
    InvalidInput
        If it is no finite number, or outside.
    """
    allowed = f"a number from {low:g} to {high:g} {unit}".rstrip(" 1")
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InvalidInput(field, value, allowed)
    number = float(value)
    if not (math.isfinite(number) and low <= number <= high):
        raise InvalidInput(field, value, allowed)
    return number


def _checked_parameters(model: Model, given: Mapping[str, float]) -> dict[str, float]:
    settings = {name: item.value for name, item in model.parameters.items()}
    for name, value in given.items():
        item: Parameter | None = model.parameters.get(name)
        if item is None:
            raise InvalidInput("parameters", name, "one of " + ", ".join(model.parameters))
        settings[name] = checked_number(name, value, item.minimum, item.maximum, item.unit)
    return settings


def _infusion_settings(model: Model, infusions: Sequence[Infusion]) -> dict[str, float]:
    if len(infusions) > model.infusions:
        allowed = f"at most {model.infusions} of them for {model.id}"
        raise InvalidInput("infusions", len(infusions), allowed)
    never = 1e9
    settings: dict[str, float] = {}
    for slot in range(1, model.infusions + 1):
        settings |= {f"I_start_{slot}": never, f"I_stop_{slot}": never, f"I_rate_{slot}": 0.0}
    free_from = 0.0
    for slot, infusion in enumerate(infusions, start=1):
        start = checked_number("start", infusion.start, 0, model.longest_time, model.time_unit)
        duration = checked_number(
            "duration", infusion.duration, 1e-4, model.longest_time, model.time_unit
        )
        amount = checked_number("amount", infusion.amount, 0, 1e6, model.amount_unit)
        if abs(start - free_from) < _SAME_MOMENT:  # sums of hours and minutes are rarely exact
            start = free_from
        if start < free_from:
            allowed = f"{free_from:g} or later: one infusion ends before the next begins"
            raise InvalidInput("start", infusion.start, allowed)
        free_from = start + duration
        settings |= {
            f"I_start_{slot}": start,
            f"I_stop_{slot}": free_from,
            f"I_rate_{slot}": amount / duration,
        }
    return settings


def _checked_outputs(model: Model, outputs: Sequence[str] | None) -> list[str]:
    wanted = list(model.outputs) if outputs is None else list(outputs)
    for name in wanted:
        if name not in model.outputs:
            raise InvalidInput("outputs", name, "one of " + ", ".join(model.outputs))
    return wanted


@contextlib.contextmanager
def _own_locale() -> Iterator[None]:
    """Keep COPASI, which sets the locale, from changing how the process reads files."""
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C")  # decimal points, whatever the user's language
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


@cache
def _engine(model: str) -> "_Engine":
    return _Engine(_FOLDER / f"{model}.xml", load_model(model).relative_tolerance)


class _Engine:
    """One model, loaded into COPASI and kept."""

    def __init__(self, sbml: Path, relative_tolerance: float) -> None:
        import COPASI  # 0.3 s, and only simulations need it

        self._copasi = COPASI
        self._data = COPASI.CRootContainer.addDatamodel()
        if not self._data.importSBMLFromString(sbml.read_text(encoding="utf-8")):
            raise SimulationFailed(f"{sbml.name}: {COPASI.CCopasiMessage.getAllMessageText()}")
        COPASI.CCopasiMessage.clearDeque()  # hints on units and the like
        self._model = self._data.getModel()
        self._container = self._model.getMathContainer()
        quantities = [
            *(self._model.getModelValue(at) for at in range(self._model.getNumModelValues())),
            *(self._model.getCompartment(at) for at in range(self._model.getNumCompartments())),
        ]
        self._quantities: dict[str, Any] = {item.getSBMLId(): item for item in quantities}
        ode = COPASI.CModelEntity.Status_ODE
        self._rests = {
            name: float(item.getInitialValue())
            for name, item in self._quantities.items()
            if item.getStatus() == ode
        }
        self._moved = False  # whether states were set to something else than their own start
        self._set: dict[str, float] = {}
        self._columns: dict[str, int] = {}
        self._task = self._data.getTask("Time-Course")
        problem = self._task.getProblem()
        problem.setTimeSeriesRequested(True)
        problem.setOutputEvent(False)
        problem.setUseValues(True)
        method = self._task.getMethod()
        method.getParameter("Relative Tolerance").setDblValue(relative_tolerance)
        absolute = ABSOLUTE_SHARE * relative_tolerance
        method.getParameter("Absolute Tolerance").setDblValue(absolute)

    @property
    def states(self) -> Collection[str]:
        """Names of what the equations move."""
        return self._rests.keys()

    def run(self, settings: Mapping[str, float], times: Numbers, outputs: list[str]) -> Numbers:
        """Solve, and return one row per output."""
        self._apply({**self._rests, **settings} if self._moved else settings)
        self._moved = False
        moments, where = _distinct(times)
        return self._solve(0.0, moments, outputs)[:, where]

    def run_in_steps(
        self,
        settings: Mapping[str, float],
        start: Mapping[str, float],
        changes: Sequence[Change],
        times: Numbers,
        outputs: list[str],
    ) -> tuple[Numbers, dict[str, float]]:
        """Solve from one change to the next; return one row per output, and the last state."""
        now = {**self._rests, **settings, **start}
        changed: dict[str, float] = {}
        self._moved = True
        moments, where = _distinct(times)
        last = float(moments[-1])
        rows = np.empty((len(outputs), len(moments)))
        due = [change for change in changes if change.time < last]
        bounds = [0.0, *(change.time for change in due), last]
        done = 0
        for (begin, until), change in zip(itertools.pairwise(bounds), [None, *due], strict=True):
            if change is not None:
                moved = {name: now[name] + more for name, more in change.amounts.items()}
                changed |= {**change.rates, **moved}
                now |= changed
            if until - begin > _SAME_MOMENT or until == last:
                if done:
                    self._go_on(changed)
                else:
                    self._apply(now)
                # A moment of change shows what was before it, but for the very first one.
                upto = int(np.searchsorted(moments, until, side="right"))
                inside = moments[done:upto]
                extra = [] if len(inside) and inside[-1] == until else [until]
                found = self._solve(begin, np.append(inside, extra), outputs)
                rows[:, done:upto] = found[:, : len(inside)]
                done = upto
                changed = {name: float(self._quantities[name].getValue()) for name in self._rests}
                now |= changed
        return rows[:, where], {name: now[name] for name in self._rests}

    def _solve(self, begin: float, moments: Numbers, outputs: list[str]) -> Numbers:
        """Solve from what is set; times count from the beginning of this step."""
        copasi = self._copasi
        first = int(moments[0] > begin + _SAME_MOMENT)  # the engine's list begins where it starts
        listed = [begin, *moments] if first else [begin, *moments[1:]]
        self._task.getProblem().setValues(" ".join(repr(float(at - begin)) for at in listed))
        ready = self._task.initializeRaw(copasi.CCopasiTask.OUTPUT_UI)
        solved = ready and self._task.processRaw(True)
        words = "" if solved else copasi.CCopasiMessage.getAllMessageText()
        copasi.CCopasiMessage.clearDeque()  # it is told something at every run, and keeps it
        if not solved:
            raise SimulationFailed(f"The equations could not be solved: {words}")
        series = self._task.getTimeSeries()
        if not self._columns:
            variables = range(series.getNumVariables())
            self._columns = {series.getSBMLId(at, self._data): at for at in variables}
        rows = np.empty((len(outputs), len(moments)))
        for row, name in enumerate(outputs):
            read, column = series.getConcentrationData, self._columns[name]
            rows[row] = [read(at, column) for at in range(first, first + len(moments))]
        return rows

    def _apply(self, settings: Mapping[str, float]) -> None:
        """Set what differs from the last run."""
        changed = self._copasi.ObjectStdVector()
        for name, value in settings.items():
            if self._set.get(name) != value:
                self._quantities[name].setInitialValue(value)
                changed.append(self._quantities[name].getInitialValueReference())
        self._set = dict(settings)
        if len(changed):
            self._model.updateInitialValues(changed)

    def _go_on(self, changed: Mapping[str, float]) -> None:
        """Set what differs from the step before.

        The engine does not work out what this first moment looks like: nobody sees it, as it is the
        last moment of the step before, and it takes longer than all the rest.
        """
        for name, value in changed.items():
            self._quantities[name].setInitialValue(value)
        self._set |= changed
        self._container.fetchInitialState()
