"""Assignment 07, solved step by step by a reader of its text alone."""

import math

from scipy.integrate import solve_ivp


def solve_piece(begin, end, start, rate):
    """Follow the two amounts from begin to end, while the infusion runs at a constant rate."""

    def change(t, y):
        c1 = y[0] / 3.5
        c2 = y[1] / 2.9
        linear = 0.3 * c1
        saturable = 7.5 * c1 / (2.7 + c1)
        exchange = 0.2 * (c1 - c2)
        return [rate - linear - saturable - exchange, exchange]

    result = solve_ivp(change, (begin, end), start, t_eval=[end], rtol=1e-8)
    return result.y[:, -1]


def tocilizumab_conc(times_d: list[float], doses: list[tuple[float, float, float]]) -> list[float]:
    """Tocilizumab in blood, in µg/mL, at each of the times."""
    # Step 1: check the input.
    for time in times_d:
        if time < 0:
            raise ValueError("times_d must not be negative")
    for start_d, amount_mg, duration_h in doses:
        if amount_mg < 0:
            raise ValueError("doses must not have a negative amount")
        if duration_h <= 0:
            raise ValueError("doses must have a duration above 0")

    # Step 2: all moments at which something starts, ends or is asked for, each one once.
    moments = [0]
    for start_d, amount_mg, duration_h in doses:
        moments.append(start_d)
        moments.append(start_d + duration_h / 24)
    for time in times_d:
        moments.append(time)
    moments = sorted(set(moments))

    # Step 3: go from each moment to the next one, and write down C1 at every moment.
    amounts = [0.0, 0.0]
    conc_at = {moments[0]: 0.0}
    for i in range(len(moments) - 1):
        begin = moments[i]
        end = moments[i + 1]
        middle = (begin + end) / 2
        rate = 0
        for start_d, amount_mg, duration_h in doses:
            duration_d = duration_h / 24
            if start_d < middle and middle < start_d + duration_d:
                rate = amount_mg / duration_d
        amounts = solve_piece(begin, end, amounts, rate)
        conc_at[end] = amounts[0] / 3.5

    # Step 4: pick the times that were asked for.
    answer = []
    for time in times_d:
        answer.append(conc_at[time])
    return answer


def infusion_conc(
    times_h: list[float], rate_ug_day: float, cl_l_h: float = 2.22, v_l: float = 5.98
) -> list[float]:
    """Concentration during a constant infusion, in pg/mL, at each of the times."""
    for time in times_h:
        if time < 0:
            raise ValueError("times_h must not be negative")
    if rate_ug_day < 0:
        raise ValueError("rate_ug_day must not be negative")
    if cl_l_h <= 0:
        raise ValueError("cl_l_h must be above 0")
    if v_l <= 0:
        raise ValueError("v_l must be above 0")

    rate_ug_h = rate_ug_day / 24
    steady_ug_l = rate_ug_h / cl_l_h
    answer = []
    for time in times_h:
        conc_ug_l = steady_ug_l * (1 - math.exp(-cl_l_h / v_l * time))
        conc_pg_ml = conc_ug_l * 1000
        answer.append(conc_pg_ml)
    return answer


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
    for time in times_d:
        if time < 0:
            raise ValueError("times_d must not be negative")
    if fold <= 1:
        raise ValueError("fold must be above 1")
    if t_max_d <= 0:
        raise ValueError("t_max_d must be above 0")
    if f_b < 0 or f_b > 1:
        raise ValueError("f_b must be from 0 to 1")

    answer = []
    for time in times_d:
        if time <= t_max_d:
            level = c_max * fold ** ((time - t_max_d) / t_max_d)
        else:
            s = time - t_max_d
            most = (1 - f_b) * math.exp(-alpha * s)
            rest = f_b * math.exp(-beta * s)
            level = c_max * (most + rest)
        answer.append(level)
    return answer


def crp_after_blockade(
    times_h: list[float], crp0_mg_l: float, baseline_mg_l: float, half_life_h: float = 19
) -> list[float]:
    """CRP after production stopped, in mg/L, at each of the times."""
    for time in times_h:
        if time < 0:
            raise ValueError("times_h must not be negative")
    if crp0_mg_l < 0:
        raise ValueError("crp0_mg_l must not be negative")
    if baseline_mg_l < 0:
        raise ValueError("baseline_mg_l must not be negative")
    if half_life_h <= 0:
        raise ValueError("half_life_h must be above 0")

    difference = crp0_mg_l - baseline_mg_l
    answer = []
    for time in times_h:
        half_lives = time / half_life_h
        crp = baseline_mg_l + difference * 0.5**half_lives
        answer.append(crp)
    return answer


def fraction_removed(exchanged_volume_l: float, plasma_volume_l: float) -> float:
    """Share of a substance of plasma that an exchange removes."""
    if exchanged_volume_l < 0:
        raise ValueError("exchanged_volume_l must not be negative")
    if plasma_volume_l <= 0:
        raise ValueError("plasma_volume_l must be above 0")

    return 1 - math.exp(-exchanged_volume_l / plasma_volume_l)
