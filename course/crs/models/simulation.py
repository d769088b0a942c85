"""Run a model: one narrow function in front of the simulation engine, COPASI.

The equations are in ``antimony/``, the same in SBML in ``sbml/``, the numbers with their sources in
``values/``. COPASI (Hoops 2006, doi:10.1093/bioinformatics/btl485) is loaded at the first
simulation, not before.
"""

import contextlib
import locale
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crs.errors import CourseError, InvalidInput
from crs.models.parameters import Model, Parameter, load_model

_FOLDER = Path(__file__).parent / "sbml"

RELATIVE_TOLERANCE = 1e-8
ABSOLUTE_TOLERANCE = 1e-10

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
    settings |= _infusion_settings(description, infusions)
    wanted = _checked_outputs(description, outputs)
    with _ENGINE, _own_locale():
        columns = _engine(model).run(settings, moments, wanted)
    return Simulation(description, moments, dict(zip(wanted, columns, strict=True)))


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


def _number(field: str, value: object, low: float, high: float, unit: str) -> float:
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
        settings[name] = _number(name, value, item.minimum, item.maximum, item.unit)
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
        start = _number("start", infusion.start, 0, model.longest_time, model.time_unit)
        duration = _number("duration", infusion.duration, 1e-4, model.longest_time, model.time_unit)
        amount = _number("amount", infusion.amount, 0, 1e6, model.amount_unit)
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
    return _Engine(_FOLDER / f"{model}.xml")


class _Engine:
    """One model, loaded into COPASI and kept."""

    def __init__(self, sbml: Path) -> None:
        import COPASI  # 0.3 s, and only simulations need it

        self._copasi = COPASI
        self._data = COPASI.CRootContainer.addDatamodel()
        if not self._data.importSBMLFromString(sbml.read_text(encoding="utf-8")):
            raise SimulationFailed(f"{sbml.name}: {COPASI.CCopasiMessage.getAllMessageText()}")
        COPASI.CCopasiMessage.clearDeque()  # hints on units and the like
        self._model = self._data.getModel()
        quantities = [
            *(self._model.getModelValue(at) for at in range(self._model.getNumModelValues())),
            *(self._model.getCompartment(at) for at in range(self._model.getNumCompartments())),
        ]
        self._quantities: dict[str, Any] = {item.getSBMLId(): item for item in quantities}
        self._set: dict[str, float] = {}
        self._task = self._data.getTask("Time-Course")
        problem = self._task.getProblem()
        problem.setTimeSeriesRequested(True)
        problem.setOutputEvent(False)
        problem.setUseValues(True)
        method = self._task.getMethod()
        method.getParameter("Relative Tolerance").setDblValue(RELATIVE_TOLERANCE)
        method.getParameter("Absolute Tolerance").setDblValue(ABSOLUTE_TOLERANCE)

    def run(self, settings: Mapping[str, float], times: Numbers, outputs: list[str]) -> Numbers:
        """Solve, and return one row per output."""
        copasi = self._copasi
        self._apply(settings)
        moments, where = np.unique(times, return_inverse=True)
        first = int(moments[0] > 0)  # the engine's list begins at 0
        listed = [0.0, *moments] if first else moments
        self._task.getProblem().setValues(" ".join(repr(float(moment)) for moment in listed))
        ready = self._task.initializeRaw(copasi.CCopasiTask.OUTPUT_UI)
        if not (ready and self._task.processRaw(True)):
            words = copasi.CCopasiMessage.getAllMessageText()
            copasi.CCopasiMessage.clearDeque()
            raise SimulationFailed(f"The equations could not be solved: {words}")
        series = self._task.getTimeSeries()
        columns = {series.getSBMLId(at, self._data): at for at in range(series.getNumVariables())}
        rows = np.empty((len(outputs), len(moments)))
        for row, name in enumerate(outputs):
            read, column = series.getConcentrationData, columns[name]
            rows[row] = [read(at + first, column) for at in range(len(moments))]
        return rows[:, where]

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
