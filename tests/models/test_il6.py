"""Interleukin-6: binding that keeps every molecule, and the laws of its turnover."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import roadrunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import crs.models.simulation as simulation
from crs.errors import InvalidInput
from crs.models.drugs import siltuximab_ug_ml, tocilizumab_ug_ml
from crs.models.il6 import (
    Complexes,
    OccupancyQuestion,
    ParadoxQuestion,
    binding_equilibrium,
    blockade_steps,
    il6_steady_pg_ml,
    run_occupancy,
    run_paradox,
    stat3_steady,
)
from crs.models.parameters import load_model
from crs.models.removal import CRP_HALF_LIFE
from crs.models.simulation import Infusion, Numbers, simulate

SBML = Path(simulation.__file__).parent / "sbml"
BINDING = load_model("il6_binding")
SIGNALING = load_model("il6_signaling")
COMPONENTS = (
    "il6",
    "membrane_receptor",
    "soluble_receptor",
    "gp130",
    "soluble_gp130",
    "tocilizumab",
    "siltuximab",
)
AMOUNTS = (
    "il6_pg_ml",
    "membrane_receptor_pm",
    "soluble_receptor_ng_ml",
    "gp130_pm",
    "soluble_gp130_ng_ml",
    "tocilizumab_ug_ml",
    "siltuximab_ug_ml",
)
HOUR = 1 / 24


def amount(low: float, high: float) -> st.SearchStrategy[float]:
    """None at all, or evenly spread over the orders of magnitude."""
    spread = st.floats(math.log10(low), math.log10(high)).map(lambda power: float(10**power))
    return st.just(0.0) | spread


def present(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(math.log10(low), math.log10(high)).map(lambda power: float(10**power))


MIXTURES = st.fixed_dictionaries(
    {
        "il6_pg_ml": amount(1e-3, 9e5),
        "membrane_receptor_pm": amount(1e-2, 9e4),
        "soluble_receptor_ng_ml": amount(1e-2, 1900),
        "gp130_pm": amount(1e-2, 9e4),
        "soluble_gp130_ng_ml": amount(1e-2, 4900),
        "tocilizumab_ug_ml": amount(1e-4, 1900),
        "siltuximab_ug_ml": amount(1e-6, 1900),
        "ligand_kd_pm": present(11, 9e5),
        "gp130_kd_pm": present(1.1, 9e5),
        "tocilizumab_kd_pm": present(1.1, 9e5),
        "siltuximab_kd_pm": present(0.11, 9e5),
    }
)


def totals(mixture: Mapping[str, float]) -> dict[str, float]:
    """Write once more, by hand, how much of each component goes in, in pmol/L."""
    known = {name: item.value for name, item in BINDING.parameters.items()} | dict(mixture)
    return {
        "il6": known["il6_pg_ml"] / 21,
        "membrane_receptor": known["membrane_receptor_pm"],
        "soluble_receptor": known["soluble_receptor_ng_ml"] * 20,
        "gp130": known["gp130_pm"],
        "soluble_gp130": known["soluble_gp130_ng_ml"] * 10,
        "tocilizumab": known["tocilizumab_ug_ml"] * 2e6 / 148,
        "siltuximab": known["siltuximab_ug_ml"] * 2e6 / 145,
    }


def test_the_record_has_what_the_model_has() -> None:
    assert [item.name for item in fields(Complexes)] == list(BINDING.outputs)


@given(mixture=MIXTURES)
def test_mass_is_conserved_and_nothing_is_negative(mixture: dict[str, float]) -> None:
    found = binding_equilibrium(mixture)
    for item in fields(found):
        value = getattr(found, item.name)
        assert math.isfinite(value)
        assert value >= 0
    for component, total in totals(mixture).items():
        assert found.total(component) == pytest.approx(total, rel=1e-9, abs=1e-11)


@given(mixture=MIXTURES)
def test_mass_action_holds_for_every_complex(mixture: dict[str, float]) -> None:
    it = binding_equilibrium(mixture)
    ligand, gp130 = mixture["ligand_kd_pm"], mixture["gp130_kd_pm"]
    drug = mixture["tocilizumab_kd_pm"]
    for product, constant, complexed in (
        (it.il6 * it.membrane_receptor, ligand, it.il6_membrane),
        (it.il6 * it.soluble_receptor, ligand, it.il6_soluble),
        (it.il6_membrane * it.gp130, gp130, it.classic),
        (it.il6_soluble * it.gp130, gp130, it.trans),
        (it.il6_soluble * it.soluble_gp130, gp130, it.buffered),
        (it.tocilizumab * it.membrane_receptor, drug, it.tocilizumab_membrane),
        (it.tocilizumab * it.soluble_receptor, drug, it.tocilizumab_soluble),
        (it.il6 * it.siltuximab, mixture["siltuximab_kd_pm"], it.il6_siltuximab),
    ):  # fmt: skip
        assert complexed == pytest.approx(product / constant, rel=1e-9, abs=1e-200)


def _falls_or_stays(before: float, after: float) -> bool:
    return after <= before * (1 + 1e-9) + 1e-12


@given(mixture=MIXTURES, factor=st.floats(1.01, 100))
def test_more_tocilizumab_gives_less_signal_and_more_free_il6(
    mixture: dict[str, float], factor: float
) -> None:
    before = binding_equilibrium(mixture)
    level = min(2000.0, (mixture["tocilizumab_ug_ml"] or 0.1) * factor)
    after = binding_equilibrium({**mixture, "tocilizumab_ug_ml": level})
    assert _falls_or_stays(after.il6, before.il6)
    for name in ("classic", "trans", "buffered", "signal"):
        assert _falls_or_stays(getattr(before, name), getattr(after, name)), name


@given(mixture=MIXTURES, factor=st.floats(1.01, 100))
def test_more_siltuximab_gives_less_free_il6_and_less_signal(
    mixture: dict[str, float], factor: float
) -> None:
    before = binding_equilibrium(mixture)
    level = min(2000.0, (mixture["siltuximab_ug_ml"] or 1e-3) * factor)
    after = binding_equilibrium({**mixture, "siltuximab_ug_ml": level})
    for name in ("il6", "classic", "trans", "buffered", "signal"):
        assert _falls_or_stays(getattr(before, name), getattr(after, name)), name


@given(mixture=MIXTURES, factor=st.floats(1.01, 10))
def test_more_il6_gives_more_of_all_that_holds_it(mixture: dict[str, float], factor: float) -> None:
    before = binding_equilibrium(mixture)
    level = min(1e6, (mixture["il6_pg_ml"] or 1) * factor)
    after = binding_equilibrium({**mixture, "il6_pg_ml": level})
    for name in ("il6", "il6_siltuximab", "signal"):
        assert _falls_or_stays(getattr(after, name), getattr(before, name)), name


@given(mixture=MIXTURES, factor=st.floats(1.01, 10))
def test_more_soluble_gp130_buffers_and_gives_less_signal(
    mixture: dict[str, float], factor: float
) -> None:
    before = binding_equilibrium(mixture)
    level = min(5000.0, (mixture["soluble_gp130_ng_ml"] or 1) * factor)
    after = binding_equilibrium({**mixture, "soluble_gp130_ng_ml": level})
    for name in ("il6", "classic", "trans"):
        assert _falls_or_stays(getattr(before, name), getattr(after, name)), name
    assert _falls_or_stays(after.buffered, before.buffered)


@pytest.mark.parametrize("holder", ["membrane_receptor_pm", "soluble_receptor_ng_ml", "gp130_pm"])
@given(mixture=MIXTURES, factor=st.floats(1.01, 10))
def test_more_of_what_holds_il6_leaves_less_of_it_free(
    holder: str, mixture: dict[str, float], factor: float
) -> None:
    before = binding_equilibrium(mixture)
    level = min(BINDING.parameters[holder].maximum, (mixture[holder] or 1) * factor)
    after = binding_equilibrium({**mixture, holder: level})
    assert _falls_or_stays(before.il6, after.il6)


def test_one_ligand_and_one_receptor_are_the_exact_quadratic() -> None:
    alone = dict.fromkeys(AMOUNTS, 0.0)
    for il6, receptor, constant in ((50, 440, 5000), (4000, 4000, 10), (9000, 100, 10)):
        found = binding_equilibrium(
            {
                **alone,
                "il6_pg_ml": 21 * il6,
                "membrane_receptor_pm": receptor,
                "ligand_kd_pm": constant,
            }
        )
        b = il6 + receptor + constant
        expected = 2 * il6 * receptor / (b + math.sqrt(b * b - 4 * il6 * receptor))
        assert found.il6_membrane == pytest.approx(expected, rel=1e-10)


def test_by_the_published_affinities_most_il6_is_held() -> None:
    found = binding_equilibrium()
    assert found.il6_share("il6") < 0.1
    assert found.il6_share("buffered") > 0.7
    # What was measured says otherwise, and the model's own words say so.
    assert "Baran 2018" in BINDING.about


@settings(max_examples=25)
@given(mixture=MIXTURES)
def test_the_kinetic_model_settles_at_the_equilibrium(mixture: dict[str, float]) -> None:
    # Rates that are fast against the time that is waited; tight binding still needs long.
    asked = {
        **mixture,
        "ligand_kd_pm": max(500.0, mixture["ligand_kd_pm"]),
        "gp130_kd_pm": max(50.0, mixture["gp130_kd_pm"]),
        "siltuximab_kd_pm": max(5.0, mixture["siltuximab_kd_pm"]),
        "ligand_off_h": 500.0,
        "gp130_off_h": 500.0,
        "tocilizumab_off_h": 500.0,
        "siltuximab_off_h": 500.0,
    }
    settled = simulate("il6_binding", [1e5], parameters=asked).values
    found = binding_equilibrium(asked)
    largest = max(totals(asked).values())
    for name, values in settled.items():
        assert values[0] == pytest.approx(getattr(found, name), rel=1e-5, abs=1e-9 * largest), name


@pytest.mark.parametrize(
    "mixture",
    [
        {"tocilizumab_ug_ml": 0.1},
        {"tocilizumab_ug_ml": 100},
        {"siltuximab_ug_ml": 0.005},
        {"tocilizumab_ug_ml": 1, "siltuximab_ug_ml": 0.001, "il6_pg_ml": 5000},
    ],
)
def test_with_the_models_own_rates_it_settles_there_too(mixture: dict[str, float]) -> None:
    settled = simulate("il6_binding", [1e5], parameters=mixture).values
    found = binding_equilibrium(mixture)
    for name, values in settled.items():
        assert values[0] == pytest.approx(getattr(found, name), rel=1e-6, abs=1e-9), name


BOTH_DRUGS = {"tocilizumab_ug_ml": 1.5, "siltuximab_ug_ml": 0.004, "il6_pg_ml": 3000.0}


def _binding_by_scipy(times: Numbers) -> dict[str, Numbers]:
    """Write the kinetics once more, by hand, for `BOTH_DRUGS`."""

    def rates(t: float, y: Numbers) -> list[float]:
        i, r, s, g, b, t_free, x, ir, is_, classic, trans, buffered, rt, st_, ix = y
        v1 = 1.92 / 5000 * i * r - 1.92 * ir
        v2 = 1.92 / 5000 * i * s - 1.92 * is_
        v3 = 1.026 / 50 * ir * g - 1.026 * classic
        v4 = 1.026 / 50 * is_ * g - 1.026 * trans
        v5 = 1.026 / 50 * is_ * b - 1.026 * buffered
        v6 = t_free * r / 2500 - rt
        v7 = t_free * s / 2500 - st_
        v8 = 0.01 * i * x - 0.01 * ix
        return [
            -v1 - v2 - v8, -v1 - v6, -v2 - v7, -v3 - v4, -v5, -v6 - v7, -v8,
            v1 - v3, v2 - v4 - v5, v3, v4, v5, v6, v7, v8,
        ]  # fmt: skip

    start = [*totals(BOTH_DRUGS).values(), *[0.0] * 8]
    solved = solve_ivp(
        rates, (0, times[-1]), start, method="LSODA", t_eval=times, rtol=1e-10, atol=1e-11
    )
    return dict(zip(BINDING.outputs, solved.y, strict=True))


def test_scipy_and_libroadrunner_agree_on_the_kinetics() -> None:
    times = np.linspace(0, 200, 81)
    ours = simulate("il6_binding", times, parameters=BOTH_DRUGS).values
    other = roadrunner.RoadRunner((SBML / "il6_binding.xml").read_text())
    other.integrator.relative_tolerance = 1e-10
    other.integrator.absolute_tolerance = 1e-12
    for name, value in BOTH_DRUGS.items():
        other[f"init({name})"] = value
    other.reset()
    names = [f"[{name}]" for name in BINDING.outputs]
    third = other.simulate(0, 200, 81, ["time", *names])
    by_hand = _binding_by_scipy(times)
    for at, (name, course) in enumerate(ours.items(), start=1):
        scale = np.abs(course).max()
        assert scale > 0
        np.testing.assert_allclose(
            course, by_hand[name], rtol=1e-5, atol=1e-7 * scale, err_msg=name
        )
        np.testing.assert_allclose(course, third[:, at], rtol=1e-5, atol=1e-7 * scale, err_msg=name)


def test_without_the_receptor_on_cells_only_trans_signaling_is_left() -> None:
    both = run_occupancy(OccupancyQuestion(1000, 50, 250, "tocilizumab", 0))
    trans = run_occupancy(OccupancyQuestion(1000, 50, 250, "tocilizumab", 0, False))
    neither = run_occupancy(OccupancyQuestion(1000, 0, 250, "tocilizumab", 0, False))
    assert both.without.classic > 0
    assert trans.without.classic == 0
    assert trans.without.trans > 0
    assert neither.without.signal == 0
    assert neither.signal_left == 1


@pytest.mark.parametrize(
    ("mixture", "field"),
    [
        ({"charm": 1}, "parameters"),
        ({"il6_pg_ml": -1}, "il6_pg_ml"),
        ({"il6_pg_ml": float("nan")}, "il6_pg_ml"),
        ({"soluble_receptor_ng_ml": 1e9}, "soluble_receptor_ng_ml"),
        ({"tocilizumab_ug_ml": True}, "tocilizumab_ug_ml"),
        ({"gp130_kd_pm": 0}, "gp130_kd_pm"),
        ({"siltuximab_ug_ml": "much"}, "siltuximab_ug_ml"),
    ],
)
def test_what_the_equilibrium_refuses(mixture: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        binding_equilibrium(mixture)
    assert refused.value.field == field
    assert refused.value.allowed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"drug": "aspirin"}, "drug"),
        ({"drug_ug_ml": -1}, "tocilizumab_ug_ml"),
        ({"soluble_gp130_ng_ml": float("inf")}, "soluble_gp130_ng_ml"),
    ],
)
def test_what_the_mixture_refuses(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        run_occupancy(replace(OccupancyQuestion(1000, 50, 250, "tocilizumab", 100), **change))
    assert refused.value.field == field


def test_an_unknown_component_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one of il6"):
        binding_equilibrium().total("charm")


# What is made and cleared.


def test_numbers_that_stand_in_two_models_are_the_same() -> None:
    for drug in ("tocilizumab", "siltuximab"):
        for name, item in load_model(drug).parameters.items():
            other = SIGNALING.parameters.get(f"{drug}_{name}")
            if other is not None:
                assert (other.value, other.unit, other.status) == (
                    item.value,
                    item.unit,
                    item.status,
                )
    shared = set(BINDING.parameters) & set(SIGNALING.parameters)
    assert len(shared) == 6
    for name in shared:
        assert SIGNALING.parameters[name].value == BINDING.parameters[name].value
    assert SIGNALING.parameters["crp_half_life_h"].value == CRP_HALF_LIFE.value


def test_the_drugs_have_the_levels_of_their_own_models() -> None:
    times = np.linspace(0, 60, 61)
    dose = [Infusion(1, 560, HOUR)]
    found = simulate("il6_signaling", times, infusions=dose).values["tocilizumab_ug_ml"]
    np.testing.assert_allclose(found, tocilizumab_ug_ml(times, dose), rtol=1e-6, atol=1e-7)
    found = simulate(
        "il6_signaling", times, infusions=dose, parameters={"siltuximab_given": 1}
    ).values["siltuximab_ug_ml"]
    np.testing.assert_allclose(found, siltuximab_ug_ml(times, dose), rtol=1e-6, atol=1e-7)


TURNOVERS = st.fixed_dictionaries(
    {
        "production_pg_ml_h": present(1, 9e4),
        "half_life_h": st.floats(0.3, 4),
        "receptor_share": st.floats(0, 0.95),
    }
)


@settings(max_examples=40)
@given(turnover=TURNOVERS, blocked=st.floats(0, 1))
def test_it_begins_settled_and_settles_where_the_formula_says(
    turnover: dict[str, float], blocked: float
) -> None:
    asked = {**turnover, "blocked_by_hand": blocked, "blocked_from_day": 1.0}
    course = simulate("il6_signaling", [0, 0.9, 60], parameters=asked).values
    il6 = course["il6_free_pg_ml"]
    assert il6[0] == pytest.approx(il6_steady_pg_ml(**turnover, blocked=0), rel=1e-9)
    assert il6[1] == pytest.approx(il6[0], rel=1e-6)
    assert il6[2] == pytest.approx(il6_steady_pg_ml(**turnover, blocked=blocked), rel=1e-5)
    assert course["stat3"][0] == pytest.approx(stat3_steady(il6[0], 0), rel=1e-9)
    assert course["stat3"][1] == pytest.approx(course["stat3"][0], rel=1e-5)
    assert course["stat3"][2] == pytest.approx(stat3_steady(il6[2], blocked), rel=1e-4, abs=1e-7)
    assert course["crp_mg_l"][1] == pytest.approx(course["crp_mg_l"][0], rel=1e-5)


@given(turnover=TURNOVERS, low=st.floats(0, 1), high=st.floats(0, 1))
def test_the_more_is_blocked_the_more_il6_and_the_less_signal(
    turnover: dict[str, float], low: float, high: float
) -> None:
    low, high = sorted((low, high))
    before, after = (il6_steady_pg_ml(**turnover, blocked=share) for share in (low, high))
    assert after >= before * (1 - 1e-12)
    assert stat3_steady(after, high) <= stat3_steady(before, low) * (1 + 1e-12) + 1e-15


def _course(turnover: Mapping[str, float], dose_mg: float, siltuximab: bool) -> dict[str, Numbers]:
    times = np.linspace(0, 28, 113)
    found = simulate(
        "il6_signaling",
        times,
        infusions=[Infusion(1, dose_mg, HOUR)],
        parameters={**turnover, "siltuximab_given": float(siltuximab)},
    )
    return dict(found.values)


@settings(max_examples=40)
@given(turnover=TURNOVERS, dose_mg=st.floats(0, 1600), siltuximab=st.booleans())
def test_nothing_is_negative_and_crp_keeps_its_half_life(
    turnover: dict[str, float], dose_mg: float, siltuximab: bool
) -> None:
    course = _course(turnover, dose_mg, siltuximab)
    for name, values in course.items():
        assert np.isfinite(values).all(), name
        assert (values >= -1e-7 * max(1.0, values.max())).all(), name
    for name in ("blocked", "activation", "stat3"):
        assert (course[name] <= 1).all(), name
    crp = course["crp_mg_l"]
    # From any moment to the next, six hours on.
    floor = crp[:-1] * 0.5 ** (6 / CRP_HALF_LIFE.value)
    assert (crp[1:] >= floor * (1 - 1e-6)).all()


@settings(max_examples=40)
@given(turnover=TURNOVERS, low=st.floats(20, 800), factor=st.floats(1.1, 4))
def test_more_tocilizumab_more_il6_less_signal_lower_crp(
    turnover: dict[str, float], low: float, factor: float
) -> None:
    less, more = _course(turnover, low, False), _course(turnover, low * factor, False)
    assert (more["il6_free_pg_ml"] >= less["il6_free_pg_ml"] * (1 - 1e-5)).all()
    assert (more["activation"] <= less["activation"] * (1 + 1e-5) + 1e-9).all()
    assert (more["crp_mg_l"] <= less["crp_mg_l"] * (1 + 1e-5)).all()


@settings(max_examples=40)
@given(turnover=TURNOVERS, dose_mg=st.floats(50, 1600))
def test_siltuximab_lowers_free_il6_and_raises_all_of_it(
    turnover: dict[str, float], dose_mg: float
) -> None:
    course = _course(turnover, dose_mg, True)
    free, total = course["il6_free_pg_ml"], course["il6_total_pg_ml"]
    # When more is made than the antibody can hold, what was bound comes free again as it goes, and
    # for a while there is more than before. That can only be while all IL-6 together falls.
    rises = np.diff(total) >= 0
    rises = np.append(rises, False) & np.insert(rises, 0, True)
    assert (free[rises] <= free[0] * (1 + 1e-6)).all()
    assert (total >= total[0] * (1 - 1e-6)).all()
    assert (free <= total * (1 + 1e-9)).all()
    after = 6  # half a day after the dose
    assert free[after] < 0.9 * free[0]
    assert total[after] > 1.1 * total[0]


def test_tocilizumab_raises_il6_and_lowers_signal_and_crp() -> None:
    result = run_paradox(ParadoxQuestion(700, 1, 0.7, "tocilizumab", 0, 560))
    at = result.day_after
    assert result.days[at] == pytest.approx(2)
    assert result.before_pg_ml == pytest.approx(700 / math.log(2), rel=1e-6)
    assert result.il6_free_pg_ml[at] == pytest.approx(result.before_pg_ml / 0.3, rel=0.02)
    assert result.stat3[at] < 0.1 * result.before_stat3
    assert result.before_crp_mg_l * 0.5 ** (24 / 19) < result.crp_mg_l[at]
    assert result.crp_mg_l[at] < 0.6 * result.before_crp_mg_l


def test_feedback_comes_late_and_takes_some_signal_back() -> None:
    times = np.linspace(0, 2, 1153)  # every 2.5 minutes
    course = simulate(
        "il6_signaling",
        times,
        parameters={"receptor_share": 0, "blocked_by_hand": 0.98, "blocked_from_day": 0.5},
    ).values
    stat3, socs3 = course["stat3"], course["socs3"]
    # IL-6 stays as it is here, so that what comes back is the feedback's.
    assert course["il6_free_pg_ml"] == pytest.approx(course["il6_free_pg_ml"][0], rel=1e-6)
    assert stat3.min() < 0.9 * stat3[-1] < 0.3 * stat3[0]

    def half_way(values: Numbers) -> float:
        middle = (values[0] + values[-1]) / 2
        return float(times[np.argmax(values < middle)] - 0.5) * 24

    assert 0 < half_way(stat3) < 0.5
    assert 1 < half_way(socs3) < 4


def test_crp_follows_with_a_lag() -> None:
    times = np.linspace(0.5, 1.5, 97)
    crp = simulate(
        "il6_signaling", times, parameters={"blocked_by_hand": 1, "blocked_from_day": 0.5}
    ).values["crp_mg_l"]
    start = crp[0]
    two_hours, a_day = crp[8] / start, crp[-1] / start
    assert two_hours > 0.99
    assert a_day == pytest.approx(0.5 ** (19.0 / 19), abs=0.07)  # five hours of the day are lag


@pytest.mark.parametrize(
    ("il6_pg_ml", "low", "high"),
    # Quartiles of peak CRP at the median peak of IL-6, by grade: Lichtenstein 2021, reference §4.2.
    [(43, 23, 117), (301, 42, 210), (880, 96, 216)],
)
def test_crp_settles_within_what_was_reported(il6_pg_ml: float, low: float, high: float) -> None:
    production = il6_pg_ml * math.log(2)
    crp = simulate(
        "il6_signaling", [0], parameters={"production_pg_ml_h": production, "half_life_h": 1}
    ).values["crp_mg_l"][0]
    assert low < crp < high


def _signaling_by_scipy(times: Numbers, siltuximab: bool) -> dict[str, Numbers]:
    """Write the turnover once more, by hand: 400 mg over two days from day 1 on."""
    loss = 24 * math.log(2)

    def free_of(il6: float, x: float) -> float:
        sites = 2e6 * x / 3.66 / 145
        # As what is bound: another form of the same root.
        b = il6 + sites + 1
        bound = 2 * il6 * sites / (b + math.sqrt(max(0.0, b * b - 4 * il6 * sites)))
        return max(0.0, il6 - bound)

    def rates(t: float, y: Numbers, rate: float) -> list[float]:
        t1, t2, x1, x2, il6, stat3, message, socs3, liver, later, crp = y
        c, x = t1 / 3.5, x1 / 3.66
        flow, drift = 0.2 * (c - t2 / 2.9), 0.624 * (x - x2 / 3.13)
        is_open = 2500 / (2500 + 2e6 * c / 148)
        free = free_of(il6, x1)
        seen = is_open * free * 21
        active = seen / (seen + 300)
        return [
            (0 if siltuximab else rate) - 0.3 * c - 7.5 * c / (2.7 + c) - flow,
            flow,
            (rate if siltuximab else 0) - 0.214 * x - drift,
            drift,
            24 * 700 / 21 - loss * (0.3 + 0.7 * is_open) * free - 0.214 / 3.66 * (il6 - free),
            24 * (8 * active * (1 - stat3) / (1 + socs3) - 2 * stat3),
            32 * (stat3 - message),
            32 * (message - socs3),
            9.6 * (stat3 - liver),
            9.6 * (liver - later),
            24 * math.log(2) / 19 * (1 + 220 * later - crp),
        ]

    il6 = 700 / 21 / math.log(2)
    stat3 = stat3_steady(il6 * 21, 0)
    state = [0.0] * 4 + [il6] + [stat3] * 5 + [1 + 220 * stat3]
    names = ("il6_total_pg_ml", "stat3", "socs3", "crp_mg_l")
    rows: dict[str, Numbers] = {name: np.zeros(len(times)) for name in (*names, "il6_free_pg_ml")}
    for low, high, rate in ((0, 1, 0.0), (1, 3, 200.0), (3, 30, 0.0)):
        inside = (times >= low) & (times <= high)
        solved = solve_ivp(
            rates,
            (low, high),
            state,
            args=(rate,),
            method="LSODA",
            t_eval=times[inside],
            rtol=1e-10,
            atol=1e-12,
        )
        y = solved.y
        for name, values in zip(names, (21 * y[4], y[5], y[7], y[10]), strict=True):
            rows[name][inside] = values
        rows["il6_free_pg_ml"][inside] = [
            21 * free_of(float(il6), float(x)) for il6, x in zip(y[4], y[2], strict=True)
        ]
        state = list(y[:, -1])
    return rows


@pytest.mark.parametrize("siltuximab", [False, True])
def test_scipy_agrees_on_the_turnover(siltuximab: bool) -> None:
    times = np.linspace(0, 30, 121)
    ours = simulate(
        "il6_signaling",
        times,
        infusions=[Infusion(1, 400, 2)],
        parameters={"siltuximab_given": float(siltuximab)},
    ).values
    for name, theirs in _signaling_by_scipy(times, siltuximab).items():
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours[name], theirs, rtol=1e-5, atol=1e-6 * scale, err_msg=name)


def test_libroadrunner_agrees_on_siltuximab() -> None:
    times = np.linspace(0, 30, 61)
    ours = simulate(
        "il6_signaling",
        times,
        infusions=[Infusion(1, 400, 2)],
        parameters={"siltuximab_given": 1},
    ).values
    other = roadrunner.RoadRunner((SBML / "il6_signaling.xml").read_text())
    other.integrator.relative_tolerance = 1e-9
    other.integrator.absolute_tolerance = 1e-11
    other["siltuximab_given"] = 1
    other["I_start_1"], other["I_stop_1"], other["I_rate_1"] = 1, 3, 200
    names = list(SIGNALING.outputs)
    theirs = other.simulate(0, 30, 61, ["time", *names])
    for at, name in enumerate(names, start=1):
        scale = np.abs(ours[name]).max()
        np.testing.assert_allclose(
            ours[name], theirs[:, at], rtol=1e-4, atol=1e-6 * scale, err_msg=name
        )


@pytest.mark.parametrize("doses", [1, 2, 3, 4])
@pytest.mark.parametrize("horizon_d", [4, 14, 56, 120])
def test_any_number_of_doses_runs(doses: int, horizon_d: float) -> None:
    asked = ParadoxQuestion(700, 1, 0.7, "tocilizumab", 0, 560, doses, 8, horizon_d)
    result = run_paradox(asked)
    assert len(result.starts_d) == doses
    assert result.days[-1] == horizon_d
    assert set(result.starts_d) <= set(result.days)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"blockade": "hope"}, "blockade"),
        ({"production_pg_ml_h": -1}, "production_pg_ml_h"),
        ({"production_pg_ml_h": float("nan")}, "production_pg_ml_h"),
        ({"half_life_h": 0}, "half_life_h"),
        ({"receptor_share": 1.1}, "receptor_share"),
        ({"blockade": "by hand", "blocked": 2}, "blocked"),
        ({"dose_mg": 8000}, "dose_mg"),
        ({"dose_mg": -1}, "dose_mg"),
        ({"doses": 0}, "doses"),
        ({"doses": 2.5}, "doses"),
        ({"doses": 17}, "doses"),
        ({"interval_h": 0.5}, "interval_h"),
        ({"doses": 12}, "horizon_d"),
        ({"horizon_d": 1e6}, "horizon_d"),
    ],
)
def test_what_the_course_refuses(change: dict[str, Any], field: str) -> None:
    asked = ParadoxQuestion(700, 1, 0.7, "tocilizumab", 0, 560, 1, 8, 4)
    with pytest.raises(InvalidInput) as refused:
        run_paradox(replace(asked, **change))
    assert refused.value.field == field
    assert refused.value.allowed


def test_with_receptors_alone_and_all_blocked_il6_has_no_way_out() -> None:
    assert il6_steady_pg_ml(700, 1, 1, 1) == math.inf
    assert il6_steady_pg_ml(0, 1, 1, 1) == 0
    with pytest.raises(InvalidInput, match="no way out"):
        blockade_steps(700, 1, 1)
