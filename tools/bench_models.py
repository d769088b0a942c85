"""Measure the simulator beside other ways to solve the same equations. Nothing here is a test.

`bench.py` prints what comes out of here. Every way gets the same work: the states, parameters,
changes and times that `crs.models.cascade.run_cascade` asks its engine for, and all ways use the
same tolerances. How far their answers lie apart is printed beside the times.

- library: what a learner calls.
- engine: `crs.models.simulation.simulate_in_steps`, which checks what it is given.
- COPASI: the engine called directly, without the library.
- libroadrunner: another engine on the same SBML.
- SciPy: LSODA by ``odeint``, on Python code made from the same SBML.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import libsbml
import numpy as np

import crs.models.simulation as simulation
from bench_table import Figure, milliseconds
from crs.models.parameters import load_model
from crs.models.simulation import Change, Numbers

SBML = Path(simulation.__file__).parent / "sbml"

Way = Callable[["Asked"], Numbers]


@dataclass(frozen=True)
class Asked:
    """One simulation, as the engine is asked for it.

    Attributes
    ----------
    model : str
    times : ndarray of shape (n,)
    start, parameters : dict of str to float
        States and parameters that differ from the model's own.
    changes : tuple of Change
        What is changed on the way, in order of time.
    outputs : tuple of str
    """

    model: str
    times: Numbers
    start: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    outputs: tuple[str, ...] = ()

    def steps(self) -> Iterator[tuple[float, float, Change | None]]:
        """Give the beginning and end of each step, and what is changed at its beginning."""
        last = float(self.times[-1])
        due = [change for change in self.changes if change.time < last]
        bounds = [0.0, *(change.time for change in due), last]
        yield from (
            (begin, end, change)
            for (begin, end), change in zip(pairwise(bounds), [None, *due], strict=True)
        )


# ---- The equations as Python


def _python(formula: str) -> str:
    """Turn an infix formula of SBML into Python."""
    for sign, python in (("^", "**"), ("&&", " and "), ("||", " or ")):
        formula = formula.replace(sign, python)
    return re.sub(r"!(?!=)", " not ", formula)


def _piecewise(*parts: float) -> float:
    for value, condition in zip(parts[::2], parts[1::2], strict=False):
        if condition:
            return value
    return parts[-1]


def _piecewise_of_arrays(*parts: Any) -> Any:
    otherwise = parts[-1]
    for value, condition in reversed(list(zip(parts[::2], parts[1::2], strict=False))):
        otherwise = np.where(condition, value, otherwise)
    return otherwise


_NUMBERS = {"ln": math.log, "exp": math.exp, "sqrt": math.sqrt, "pow": pow, "abs": abs}
_ARRAYS = {"ln": np.log, "exp": np.exp, "sqrt": np.sqrt, "pow": np.power, "abs": np.abs}


@dataclass(frozen=True)
class Equations:
    """A model's equations as Python functions.

    Attributes
    ----------
    states : tuple of str
        What moves, in the order of the vectors below.
    start, constants : dict of str to float
        The model's own numbers.
    rates : callable
        Takes the constants, and returns a function of time and state that gives the rates.
    observe : callable
        Takes the constants, and returns a function of times and states (arrays) that gives every
        quantity of the model by name.
    """

    states: tuple[str, ...]
    start: dict[str, float]
    constants: dict[str, float]
    rates: Callable[..., Callable[[float, Any], list[float]]]
    observe: Callable[..., Callable[[Numbers, Numbers], dict[str, Any]]]


def equations_of(sbml: str) -> Equations:
    """Make Python functions of the equations in an SBML text.

    Parameters
    ----------
    sbml : str
        Rate rules, assignment rules and initial assignments; no reactions and no events.

    Returns
    -------
    Equations

    Raises
    ------
    ValueError
        If the model has something else in it.
    """
    model = libsbml.readSBMLFromString(sbml).getModel()
    for count in (model.getNumReactions(), model.getNumEvents(), model.getNumSpecies()):
        if count:
            raise ValueError("only rules are understood: no species, reactions or events")
    known = {item.getId(): item.getValue() for item in model.getListOfParameters()}
    known |= {item.getId(): item.getSize() for item in model.getListOfCompartments()}
    assigned: dict[str, str] = {}
    moved: dict[str, str] = {}
    for rule in model.getListOfRules():
        formula = _python(libsbml.formulaToL3String(rule.getMath()))
        (moved if rule.isRate() else assigned)[rule.getVariable()] = formula
    first = {
        item.getSymbol(): _python(libsbml.formulaToL3String(item.getMath()))
        for item in model.getListOfInitialAssignments()
    }
    numbers = {name: value for name, value in known.items() if name not in {*assigned, *first}}
    scope = {**_NUMBERS, "piecewise": _piecewise, "time": 0.0}
    for name, formula in _in_order({**first, **assigned}, set(numbers)):
        numbers[name] = float(eval(formula, dict(scope), dict(numbers)))
    states = tuple(moved)
    constants = {name: numbers[name] for name in known if name not in {*assigned, *moved}}
    ordered = _in_order(assigned, {*constants, *states})
    lines = [f"            {name} = {formula}" for name, formula in ordered]
    body = "\n".join(
        [
            f"def make({', '.join(constants)}):",
            "    def function(time, state):",
            f"            {', '.join(states)}, = state",
            *lines,
            "            return {result}",
            "    return function",
        ]
    )
    rates = "[" + ", ".join(moved[name] for name in states) + "]"
    values = "{" + ", ".join(f"{name!r}: {name}" for name in (*states, *assigned)) + "}"
    return Equations(
        states,
        {name: numbers[name] for name in states},
        constants,
        _compiled(body.replace("{result}", rates), {**_NUMBERS, "piecewise": _piecewise}),
        _compiled(body.replace("{result}", values), {**_ARRAYS, "piecewise": _piecewise_of_arrays}),
    )


def _in_order(formulas: Mapping[str, str], known: set[str]) -> list[tuple[str, str]]:
    """Sort formulas so that each comes after those it names."""
    needs = {
        name: {word for word in re.findall(r"[A-Za-z_]\w*", formula) if word in formulas}
        for name, formula in formulas.items()
    }
    done: list[tuple[str, str]] = []
    placed = known - set(formulas)
    while len(done) < len(formulas):
        ready = [name for name in formulas if name not in placed and needs[name] <= placed]
        if not ready:
            raise ValueError("the assignments name one another in a circle")
        done += [(name, formulas[name]) for name in ready]
        placed |= set(ready)
    return done


def _compiled(text: str, scope: Mapping[str, Any]) -> Callable[..., Any]:
    space = dict(scope)
    exec(compile(text, "<from SBML>", "exec"), space)
    made: Callable[..., Any] = space["make"]
    return made


# ---- The ways


def tolerances(model: str) -> tuple[float, float]:
    """Return the relative and the absolute tolerance with which the library solves a model."""
    relative = load_model(model).relative_tolerance
    return relative, simulation.ABSOLUTE_SHARE * relative


def library_engine() -> Way:
    """Return the library's own function in front of the engine."""

    def run(asked: Asked) -> Numbers:
        found = simulation.simulate_in_steps(
            asked.model,
            asked.times,
            start=asked.start,
            parameters=asked.parameters,
            changes=asked.changes,
            outputs=asked.outputs,
        )
        return np.array([found.values[name] for name in asked.outputs])

    return run


def copasi_alone(model: str) -> Way:
    """Return COPASI called directly, as somebody would who has no library."""
    relative, absolute = tolerances(model)
    import COPASI

    data = COPASI.CRootContainer.addDatamodel()
    assert data.importSBMLFromString((SBML / f"{model}.xml").read_text(encoding="utf-8"))
    held = data.getModel()
    values = [held.getModelValue(at) for at in range(held.getNumModelValues())]
    named = {item.getSBMLId(): item for item in values}
    own = {
        name: float(item.getInitialValue())
        for name, item in named.items()
        if item.getStatus() != COPASI.CModelEntity.Status_ASSIGNMENT
    }
    states = [
        name for name, item in named.items() if item.getStatus() == COPASI.CModelEntity.Status_ODE
    ]
    task = data.getTask("Time-Course")
    problem = task.getProblem()
    problem.setTimeSeriesRequested(True)
    problem.setUseValues(True)
    method = task.getMethod()
    method.getParameter("Relative Tolerance").setDblValue(relative)
    method.getParameter("Absolute Tolerance").setDblValue(absolute)
    shown: dict[str, float] = dict(own)
    columns: dict[str, int] = {}

    def run(asked: Asked) -> Numbers:
        now = {**own, **asked.parameters, **asked.start}
        rows = np.empty((len(asked.outputs), len(asked.times)))
        done = 0
        for begin, end, change in asked.steps():
            if change is not None:
                now |= change.rates
                now |= {name: now[name] + more for name, more in change.amounts.items()}
            if end == begin and end != asked.times[-1]:
                continue
            moved = COPASI.ObjectStdVector()
            for name, value in now.items():
                if shown[name] != value:
                    named[name].setInitialValue(value)
                    moved.append(named[name].getInitialValueReference())
                    shown[name] = value
            held.updateInitialValues(moved)
            upto = int(np.searchsorted(asked.times, end, side="right"))
            moments = np.unique([begin, *asked.times[done:upto], end])
            problem.setValues(" ".join(repr(float(moment - begin)) for moment in moments))
            assert task.initializeRaw(COPASI.CCopasiTask.OUTPUT_UI)
            assert task.processRaw(True)
            series = task.getTimeSeries()
            shift = int(upto > done and asked.times[done] > begin)
            if not columns:
                for at in range(series.getNumVariables()):
                    columns[series.getSBMLId(at, data)] = at
            for row, name in enumerate(asked.outputs):
                at = columns[name]
                rows[row, done:upto] = [
                    series.getConcentrationData(step + shift, at) for step in range(upto - done)
                ]
            done = upto
            now |= {name: float(named[name].getValue()) for name in states}
        return rows

    return run


def roadrunner_alone(model: str) -> Way:
    """Return libroadrunner on the same SBML."""
    relative, absolute = tolerances(model)
    # Its solver warns of every short first step after a change, hundreds of lines.
    os.environ.setdefault("SUNLOGGER_WARNING_FILENAME", os.devnull)
    import roadrunner

    runner = roadrunner.RoadRunner((SBML / f"{model}.xml").read_text(encoding="utf-8"))
    runner.integrator.relative_tolerance = relative
    runner.integrator.absolute_tolerance = absolute

    def run(asked: Asked) -> Numbers:
        runner.resetToOrigin()
        runner.timeCourseSelections = list(asked.outputs)
        for name, value in {**asked.parameters, **asked.start}.items():
            runner[name] = value
        rows = np.empty((len(asked.outputs), len(asked.times)))
        done = 0
        for begin, end, change in asked.steps():
            if change is not None:
                for name, value in change.rates.items():
                    runner[name] = value
                for name, more in change.amounts.items():
                    runner[name] = runner[name] + more
            if end == begin and end != asked.times[-1]:
                continue
            upto = int(np.searchsorted(asked.times, end, side="right"))
            moments = np.unique([begin, *asked.times[done:upto], end])
            found = runner.simulate(times=moments.tolist())
            shift = int(upto > done and asked.times[done] > begin)
            rows[:, done:upto] = np.asarray(found)[shift : shift + upto - done].T
            done = upto
        return rows

    return run


def scipy_alone(model: str) -> Way:
    """Return SciPy's LSODA on Python code made from the same SBML."""
    relative, absolute = tolerances(model)
    from scipy.integrate import odeint

    equations = equations_of((SBML / f"{model}.xml").read_text(encoding="utf-8"))

    def run(asked: Asked) -> Numbers:
        constants = {**equations.constants, **asked.parameters}
        now = {**equations.start, **asked.start}
        state = np.array([now[name] for name in equations.states])
        rows = np.empty((len(asked.outputs), len(asked.times)))
        done = 0
        for begin, end, change in asked.steps():
            if change is not None:
                constants |= change.rates
                for name, more in change.amounts.items():
                    state[equations.states.index(name)] += more
            if end == begin and end != asked.times[-1]:
                continue
            upto = int(np.searchsorted(asked.times, end, side="right"))
            moments = np.unique([begin, *asked.times[done:upto], end])
            found = odeint(
                equations.rates(**constants),
                state,
                moments,
                tfirst=True,
                rtol=relative,
                atol=absolute,
                mxstep=100_000,
            )
            shift = int(upto > done and asked.times[done] > begin)
            inside = slice(shift, shift + upto - done)
            seen = equations.observe(**constants)(moments[inside], found[inside].T)
            for row, name in enumerate(asked.outputs):
                rows[row, done:upto] = seen.get(name, constants.get(name))
            done, state = upto, found[-1]
        return rows

    return run


# ---- The work


# Four hours apart, as the ward looks; the pictures of the course have 3 to 6 hours between points.
HOURS = np.linspace(0, 28 * 24, 28 * 6 + 1)
EVERY_HOUR = np.linspace(0, 28 * 24, 28 * 24 + 1)


def patient(seed: int, hours: Numbers = HOURS) -> dict[str, Any]:
    """Return what `run_cascade` takes: 28 days of one virtual patient, with treatment.

    Parameters
    ----------
    seed : int
    hours : ndarray of shape (n,)
        When to look.

    Returns
    -------
    dict
        Who it is, what is given (two doses of tocilizumab, four of dexamethasone, a bolus, at hours
        of the patient's own), and what an observer needs to see.
    """
    from crs.models.cascade import Dose
    from crs.patients.observation import SEEN
    from crs.patients.virtual import virtual_patient

    who = virtual_patient(seed)
    first = float(np.random.default_rng(seed).uniform(72, 144))
    doses = [Dose("tocilizumab", first + 8 * number, 560) for number in range(2)]
    doses += [Dose("dexamethasone", first + 10 + 6 * number, 10) for number in range(4)]
    doses.append(Dose("fluids", first + 2, 1))
    return {
        "times_h": hours,
        "parameters": who.parameters,
        "start": who.start,
        "doses": doses,
        "outputs": SEEN,
    }


def run_patient(seed: int) -> Any:
    """Run one patient as a learner would."""
    from crs.models.cascade import run_cascade

    return run_cascade(**patient(seed))


def asked_by_library(seed: int) -> Asked:
    """Return what the library asks its engine for, so that all ways do the same work."""
    from crs.models import cascade

    seen: list[Asked] = []
    original = simulation.simulate_in_steps

    def note(model: str, times: Sequence[float], **rest: Any) -> Any:
        found = original(model, times, **rest)
        seen.append(
            Asked(
                model,
                found.times,
                dict(rest["start"] or {}),
                dict(rest["parameters"] or {}),
                tuple(rest["changes"]),
                tuple(found.values),
            )
        )
        return found

    with patch.object(cascade, "simulate_in_steps", note):
        run_patient(seed)
    return seen[0]


def bench_patient(count: int = 100, warm: int = 5) -> list[Figure]:
    """Measure one patient in every way, in turn, so that a busy moment strikes all alike."""
    from crs.models.cascade import run_cascade

    all_asked = {seed: asked_by_library(seed) for seed in range(count + warm)}
    model = all_asked[0].model
    ways: dict[str, Way] = {
        "simulate_in_steps": library_engine(),
        "COPASI directly": copasi_alone(model),
        "libroadrunner": roadrunner_alone(model),
        "SciPy LSODA": scipy_alone(model),
    }
    hourly = "run_cascade, every hour"
    taken: dict[str, list[float]] = {name: [] for name in ("run_cascade", *ways, hourly)}
    apart = dict.fromkeys(ways, 0.0)
    for seed, asked in all_asked.items():
        ready = patient(seed)
        begin = time.perf_counter()
        course = run_cascade(**ready)
        taken["run_cascade"].append(time.perf_counter() - begin)
        ours = np.array([course.values[name] for name in asked.outputs])
        scale = np.abs(ours).max(axis=1, keepdims=True) + 1e-12
        for name, way in ways.items():
            begin = time.perf_counter()
            found = way(asked)
            taken[name].append(time.perf_counter() - begin)
            apart[name] = max(apart[name], float(np.abs((found - ours) / scale).max()))
        often = patient(seed, EVERY_HOUR)
        begin = time.perf_counter()
        run_cascade(**often)
        taken[hourly].append(time.perf_counter() - begin)
    steady = {name: [1000 * one for one in times[warm:]] for name, times in taken.items()}
    directly = statistics.median(steady["COPASI directly"])
    rows = []
    for name, times in steady.items():
        notes = [f"{statistics.median(times) / directly:.2f} × COPASI directly"]
        if name in apart:
            notes.append(f"at most {apart[name]:.0e} of the peak from run_cascade")
        rows.append(
            Figure(f"a patient of 28 days, {name}", milliseconds(times, 1), "; ".join(notes))
        )
    what = f"{len(all_asked[0].outputs)} outputs, {len(HOURS)} times, {count} patients"
    return [*rows, Figure("", "", f"{what}; aim: at most 10 ms and 1.3 × the engine directly")]


def run_seeds(seeds: Sequence[int]) -> int:
    """Run some patients; return how many."""
    for seed in seeds:
        run_patient(seed)
    return len(seeds)


def cohort_seconds(size: int, processes: int) -> float:
    """Run many patients in new processes, and return what that took, their start included."""
    parts = [range(start, size, processes * 10) for start in range(processes * 10)]
    begin = time.perf_counter()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        done = sum(pool.map(run_seeds, parts))
    assert done == size
    return time.perf_counter() - begin


def bench_cohorts(sizes: Sequence[int] = (500, 5000)) -> list[Figure]:
    """Measure many patients in one process and in two, the start of processes included."""
    rows = []
    for size in sizes:
        for processes in (1, 2):
            # From a process that holds little: a new one imports what its parent's script does.
            (taken,) = _in_a_new_process("--cohort", size, processes)
            noun = "one process" if processes == 1 else "two processes"
            aim = "; aim: under 3 s" if (size, processes) == (500, 2) else ""
            rows.append(
                Figure(
                    f"{size} patients in {noun}",
                    f"{taken:.1f} s",
                    f"{1000 * taken / size:.1f} ms each, start of processes included{aim}",
                )
            )
    return rows


def _in_a_new_process(*words: object) -> list[float]:
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)], capture_output=True, check=True, text=True
    )
    found: list[float] = json.loads(done.stdout)
    return found


def resident_mib() -> float:
    """Return the memory that this process holds now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux: the most it ever held
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20


def bench_memory(count: int = 10_000) -> list[Figure]:
    """Measure what a fresh process holds before and after many simulations."""
    before, after = _in_a_new_process("--memory", count)
    return [
        Figure(
            f"memory over {count} patients",
            f"{after - before:+.1f} MiB",
            f"from {before:.0f} to {after:.0f} MiB, after 200 to warm up",
        )
    ]


def measure() -> list[Figure]:
    """Take all measurements of the simulator."""
    return [*bench_patient(), *bench_cohorts(), *bench_memory()]


def main() -> int:
    """Do what `bench_memory` or `bench_cohorts` wants done in a new process; print what it took."""
    parser = argparse.ArgumentParser(description="What bench.py starts.")
    parser.add_argument("--memory", type=int)
    parser.add_argument("--cohort", type=int, nargs=2)
    options = parser.parse_args()
    if options.cohort:
        print(json.dumps([cohort_seconds(*options.cohort)]))
        return 0
    run_seeds(range(200))
    gc.collect()
    before = resident_mib()
    run_seeds(range(options.memory))
    gc.collect()
    print(json.dumps([before, resident_mib()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
