"""Assignment 07, solved compactly with NumPy by a reader of its text alone."""

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp


def _require(**arguments) -> None:
    """Raise a ValueError that names the first argument that does not hold throughout."""
    for name, holds in arguments.items():
        if not np.all(holds):
            raise ValueError(f"{name} is out of range")


def tocilizumab_conc(times_d: list[float], doses: list[tuple[float, float, float]]) -> list[float]:
    """Tocilizumab in blood, in µg/mL, at each of the times."""
    times = np.asarray(times_d, float)
    start, amount, hours = np.asarray(doses, float).reshape(-1, 3).T
    _require(times_d=times >= 0, doses=(amount >= 0) & (hours > 0))
    end = start + hours / 24
    volumes = np.array([3.5, 2.9])

    def change(_, amounts, rate):
        c1, c2 = amounts / volumes
        exchange = 0.2 * (c1 - c2)
        return [rate - 0.3 * c1 - 7.5 * c1 / (2.7 + c1) - exchange, exchange]

    borders = np.unique(np.concatenate([[0.0], start, end, times]))
    course = [np.zeros(2)]
    for left, right in pairwise(borders):
        runs = (start <= left) & (left < end)
        rate = np.sum(amount[runs] * 24 / hours[runs])
        piece = solve_ivp(
            change, (left, right), course[-1], "DOP853", args=(rate,), rtol=1e-8, atol=1e-9
        )
        course.append(piece.y[:, -1])
    return (np.array(course)[np.searchsorted(borders, times), 0] / volumes[0]).tolist()


def infusion_conc(
    times_h: list[float], rate_ug_day: float, cl_l_h: float = 2.22, v_l: float = 5.98
) -> list[float]:
    """Concentration during a constant infusion, in pg/mL, at each of the times."""
    t = np.asarray(times_h, float)
    _require(times_h=t >= 0, rate_ug_day=rate_ug_day >= 0, cl_l_h=cl_l_h > 0, v_l=v_l > 0)
    return (1000 * rate_ug_day / 24 / cl_l_h * (1 - np.exp(-cl_l_h / v_l * t))).tolist()


def car_t_level(
    times_d: list[float],
    fold: float = 3900,
    t_max_d: float = 9.3,
    c_max: float = 24000,
    alpha: float = 0.16,
    f_b: float = 0.0079,
    beta: float = 0.0032,
) -> list[float]:
    """CAR T cells in blood, in copies per µg of DNA, at each of the times."""
    t = np.asarray(times_d, float)
    _require(times_d=t >= 0, fold=fold > 1, t_max_d=t_max_d > 0, f_b=0 <= f_b <= 1)
    s = t - t_max_d
    growth = float(fold) ** (np.minimum(s, 0) / t_max_d)
    after = np.maximum(s, 0)
    decline = (1 - f_b) * np.exp(-alpha * after) + f_b * np.exp(-beta * after)
    return (c_max * np.where(s <= 0, growth, decline)).tolist()


def crp_after_blockade(
    times_h: list[float], crp0_mg_l: float, baseline_mg_l: float, half_life_h: float = 19
) -> list[float]:
    """CRP after production stopped, in mg/L, at each of the times."""
    t = np.asarray(times_h, float)
    _require(
        times_h=t >= 0,
        crp0_mg_l=crp0_mg_l >= 0,
        baseline_mg_l=baseline_mg_l >= 0,
        half_life_h=half_life_h > 0,
    )
    return (baseline_mg_l + (crp0_mg_l - baseline_mg_l) * np.exp2(-t / half_life_h)).tolist()


def fraction_removed(exchanged_volume_l: float, plasma_volume_l: float) -> float:
    """Share of a substance of plasma that an exchange removes."""
    _require(exchanged_volume_l=exchanged_volume_l >= 0, plasma_volume_l=plasma_volume_l > 0)
    return float(1 - np.exp(-exchanged_volume_l / plasma_volume_l))
