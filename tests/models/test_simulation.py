"""The narrow function: what it refuses, that it repeats itself, and that others agree."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import roadrunner
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import crs.models.simulation as simulation
from crs.errors import InvalidInput
from crs.models.parameters import load_model, model_ids
from crs.models.simulation import Change, Infusion, simulate, simulate_in_steps

SBML = Path(simulation.__file__).parent / "sbml"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": "aspirin"}, "model"),
        ({"times": []}, "times"),
        ({"times": [3, 1]}, "times"),
        ({"times": [-1, 1]}, "times"),
        ({"times": [float("nan")]}, "times"),
        ({"times": [1e9]}, "times"),
        ({"times": "soon"}, "times"),
        ({"times": [[1, 2]]}, "times"),
        ({"infusions": [Infusion(-1, 8, 1)]}, "start"),
        ({"infusions": [Infusion(0, -8, 1)]}, "amount"),
        ({"infusions": [Infusion(0, float("nan"), 1)]}, "amount"),
        ({"infusions": [Infusion(0, 8, 0)]}, "duration"),
        ({"infusions": [Infusion(0, 8, 2), Infusion(1, 8, 2)]}, "start"),
        ({"infusions": [Infusion(0, 8, 1)] * 17}, "infusions"),
        ({"parameters": {"charm": 1}}, "parameters"),
        ({"parameters": {"clearance": -1}}, "clearance"),
        ({"parameters": {"clearance": True}}, "clearance"),
        ({"parameters": {"body_surface_m2": float("inf")}}, "body_surface_m2"),
        ({"parameters": {"surface_exponent": 0.9}}, "surface_exponent"),
        ({"outputs": ["charm"]}, "outputs"),
    ],
)
def test_what_it_refuses(change: dict[str, Any], field: str) -> None:
    asked: dict[str, Any] = {"model": "tocilizumab", "times": [0, 1], **change}
    with pytest.raises(InvalidInput) as refused:
        simulate(asked.pop("model"), asked.pop("times"), **asked)
    assert refused.value.field == field


def test_the_same_question_has_the_same_answer_whatever_was_asked_in_between() -> None:
    asked: dict[str, Any] = {"infusions": [Infusion(0, 560, 1 / 24)]}
    first = simulate("tocilizumab", [0, 1, 7], **asked).values["concentration"]
    simulate("tocilizumab", [0, 3], parameters={"clearance": 1.0}, infusions=[Infusion(1, 9, 1)])
    second = simulate("tocilizumab", [0, 1, 7], **asked).values["concentration"]
    np.testing.assert_array_equal(first, second)


def test_files_are_read_as_before() -> None:
    code = (
        "import locale; from crs.models.simulation import Infusion, simulate\n"
        "before = locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(False)\n"
        "simulate('tocilizumab', [0, 1], infusions=[Infusion(0, 8, 1)])\n"
        "assert before == (locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(False))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_times_may_repeat_and_need_not_begin_at_zero() -> None:
    dose = [Infusion(0, 560, 1 / 24)]
    level = simulate("tocilizumab", [7, 7, 14], infusions=dose).values["concentration"]
    alone = simulate("tocilizumab", [7], infusions=dose).values["concentration"]
    assert level.shape == (3,)
    np.testing.assert_allclose(level[:2], [alone[0]] * 2, rtol=1e-6)


def test_times_that_differ_in_their_last_digits_are_one() -> None:
    dose = [Infusion(0.3, 100, 0.1 + 0.2)]
    near = [0.0, 0.1 + 0.2, 0.3 + 1e-13, 0.6 - 1e-13, 0.3 + (0.1 + 0.2), 0.6 + 1e-12, 7.0]
    found = simulate("tocilizumab", sorted(near), infusions=dose).values["concentration"]
    exact = simulate("tocilizumab", [0, 0.3, 0.3, 0.6, 0.6, 0.6, 7], infusions=dose)
    np.testing.assert_allclose(found, exact.values["concentration"], rtol=1e-6, atol=1e-6)


def test_threads_do_not_disturb_one_another() -> None:
    def level(mg: float) -> float:
        return float(
            simulate("tocilizumab", [1], infusions=[Infusion(0, mg, 0.1)]).values["concentration"][
                0
            ]
        )

    doses = [float(mg) for mg in range(100, 900, 50)]
    alone = [level(mg) for mg in doses]
    together: dict[float, float] = {}
    threads = [
        threading.Thread(target=lambda mg=mg: together.__setitem__(mg, level(mg))) for mg in doses
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[mg] for mg in doses] == alone


def test_one_infusion_may_follow_upon_another() -> None:
    times = np.linspace(0, 30, 31)
    halves = [Infusion(0, 50, 0.1 + 0.2), Infusion(0.3, 50, 0.3)]
    whole = simulate("tocilizumab", times, infusions=[Infusion(0, 100, 0.6)])
    parts = simulate("tocilizumab", times, infusions=halves)
    np.testing.assert_allclose(
        parts.values["concentration"], whole.values["concentration"], rtol=1e-6, atol=1e-9
    )


@given(
    doses=st.lists(
        st.tuples(st.floats(0, 800), st.floats(0.01, 2), st.floats(0, 5)), min_size=0, max_size=6
    ),
    female=st.booleans(),
    surface=st.floats(0.3, 3.0),
)
def test_levels_are_finite_never_negative_and_rise_with_the_dose(
    doses: list[tuple[float, float, float]], female: bool, surface: float
) -> None:
    infusions, free = [], 0.0
    for amount, duration, gap in doses:
        infusions.append(Infusion(free + gap, amount, duration))
        free += gap + duration
    times = np.linspace(0, 60, 61)
    patient = {"female": float(female), "body_surface_m2": surface}
    level = simulate("tocilizumab", times, infusions=infusions, parameters=patient)
    assert np.isfinite(level.values["concentration"]).all()
    assert (level.values["concentration"] >= -1e-6).all()
    more = [Infusion(item.start, 2 * item.amount, item.duration) for item in infusions]
    higher = simulate("tocilizumab", times, infusions=more, parameters=patient)
    assert (
        higher.values["concentration"] >= level.values["concentration"] * (1 - 1e-6) - 1e-6
    ).all()


def _rates(model: str) -> Callable[[float, list[float], Any], list[float]]:
    """Write the equations once more, by hand."""

    def tocilizumab(t: float, y: list[float], rate: Any) -> list[float]:
        c1, c2 = y[0] / 3.5, y[1] / 2.9
        out = 0.3 * c1 + 7.5 * c1 / (2.7 + c1)
        return [rate(t) - out - 0.2 * (c1 - c2), 0.2 * (c1 - c2)]

    def siltuximab(t: float, y: list[float], rate: Any) -> list[float]:
        c1, c2 = y[0] / 3.66, y[1] / 3.13
        return [rate(t) - 0.214 * c1 - 0.624 * (c1 - c2), 0.624 * (c1 - c2)]

    def blinatumomab(t: float, y: list[float], rate: Any) -> list[float]:
        return [rate(t) - 2.22 * y[0] / 5.98]

    def dexamethasone(t: float, y: list[float], rate: Any) -> list[float]:
        level = 1000 * y[0] / 86.6
        on = 0.5 * level / (5 + level) * (1 - y[1])
        return [rate(t) - 15 * y[0] / 86.6, on - np.log(2) / 45 * y[1]]

    return locals()[model]  # type: ignore[no-any-return]  # one of the four


@pytest.mark.parametrize(
    ("model", "states", "output", "scale"),
    [
        ("tocilizumab", 2, "concentration", 1 / 3.5),
        ("siltuximab", 2, "concentration", 1 / 3.66),
        ("blinatumomab", 1, "concentration", 1000 / 5.98),
        ("dexamethasone", 2, "concentration", 1000 / 86.6),
    ],
)
def test_scipy_agrees(model: str, states: int, output: str, scale: float) -> None:
    infusion = Infusion(1, 300, 2)
    times = np.linspace(0, 30, 61)
    ours = simulate(model, times, infusions=[infusion]).values[output]
    rates = _rates(model)
    state, theirs = [0.0] * states, [0.0] * 61
    # In pieces, as a solver may step over an infusion.
    for low, high, rate in ((0, 1, 0.0), (1, 3, 150.0), (3, 30, 0.0)):
        inside = times[(times >= low) & (times <= high)]
        solved = solve_ivp(
            lambda t, y, rate=rate: rates(t, y, lambda _: rate),
            (low, high),
            state,
            method="LSODA",
            t_eval=inside,
            rtol=1e-10,
            atol=1e-12,
        )
        for time, value in zip(inside, solved.y[0], strict=True):
            theirs[round(time * 2)] = value * scale
        state = list(solved.y[:, -1])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model", model_ids())
def test_libroadrunner_agrees(model: str) -> None:
    description = load_model(model)
    infusions = [Infusion(1, 300, 2), Infusion(5, 100, 1)] if description.infusions else []
    times = np.linspace(0, 30, 61)
    ours = simulate(model, times, infusions=infusions)
    other = roadrunner.RoadRunner((SBML / f"{model}.xml").read_text())
    other.integrator.relative_tolerance = 1e-9
    other.integrator.absolute_tolerance = 1e-11
    for slot, item in enumerate(infusions, start=1):
        other[f"I_start_{slot}"] = item.start
        other[f"I_stop_{slot}"] = item.start + item.duration
        other[f"I_rate_{slot}"] = item.amount / item.duration
    names = list(description.outputs)
    theirs = other.simulate(0, 30, 61, ["time", *names])
    for at, name in enumerate(names, start=1):
        # What is 0 throughout is 0 to rounding errors of either solver.
        scale = np.abs(ours.values[name]).max()
        np.testing.assert_allclose(
            ours.values[name], theirs[:, at], rtol=1e-4, atol=1e-6 * scale + 1e-18, err_msg=name
        )


def one_infusion(number: int) -> None:
    simulate("blinatumomab", [0, 24], infusions=[Infusion(0, 9 + number % 7, 24)])


def many_changes(number: int) -> None:
    changes = [Change(hour, {}, {"steroid": 1 + number % 7}) for hour in range(1, 12)]
    simulate_in_steps("cascade", [0, 24], changes=changes, outputs=["crp"])


@pytest.mark.parametrize(("run", "count"), [(one_infusion, 3000), (many_changes, 600)])
def test_memory_does_not_grow(run: Callable[[int], None], count: int) -> None:
    for number in range(200):
        run(number)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        run(number)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # The engine kept 140 bytes of each run until it was told to forget them.
    assert grown_kib < 256, f"{grown_kib} KiB over {count} simulations"
