from itertools import product
from math import inf

import numpy as np


def tocilizumab_dose_mg(weight_kg: float) -> float:
    """Return one dose of tocilizumab for CRS, in mg."""
    if weight_kg <= 0:
        raise ValueError("weight_kg must be above 0")
    return np.minimum(weight_kg * np.where(weight_kg < 30, 12, 8), 800)


def tocilizumab_timing_ok(now_h: float, given_h: list[float], min_interval_h: float = 8) -> bool:
    """Return whether timing allows a dose of tocilizumab now."""
    if min_interval_h <= 0:
        raise ValueError("min_interval_h must be above 0")
    ages = now_h - np.asarray(given_h, dtype=float)
    if (ages < 0).any():
        raise ValueError("given_h must not hold a time later than now_h")
    rules = (
        ages.min(initial=inf) >= min_interval_h,
        ages.size + 1 <= 4,
        np.count_nonzero(ages < 24) + 1 <= 3,
    )
    return np.all(rules)


def choose_vials(dose_mg: float) -> dict[int, int]:
    """Return how many vials of 80, 200 and 400 mg to open for one dose."""
    if not 0 < dose_mg <= 800:
        raise ValueError("dose_mg must be above 0 and at most 800")
    sizes = (80, 200, 400)
    choices = (
        (sum(size * n for size, n in zip(sizes, counts, strict=True)), sum(counts), counts)
        for counts in product(*(range(800 // size + 1) for size in sizes))
    )
    *_, best = min(choice for choice in choices if choice[0] >= dose_mg)
    return dict(zip(sizes, best, strict=True))


def steroid_equivalent_mg(drug: str, dose_mg: float, to: str) -> float:
    """Return the dose of another corticosteroid with the same effect, in mg."""
    equivalent = {
        "dexamethasone": 0.75,
        "methylprednisolone": 4,
        "prednisone": 5,
        "hydrocortisone": 20,
    }
    for name, value in {"drug": drug, "to": to}.items():
        if value not in equivalent:
            raise ValueError(f"{name} must be one of {', '.join(equivalent)}")
    if dose_mg < 0:
        raise ValueError("dose_mg must not be negative")
    return np.float64(dose_mg) * equivalent[to] / equivalent[drug]


def methylprednisolone_day_dose_mg(day: int) -> float:
    """Return the total of methylprednisolone on one day of the schedule, in mg."""
    if day < 1:
        raise ValueError("day must be at least 1")
    return 2 * np.array([500, 250, 125, 60])[np.searchsorted([3, 5, 7], day)]


def blinatumomab_rate_ug_day(
    weight_kg: float, bsa_m2: float, cycle: int, day: int, indication: str
) -> float:
    """Return the infusion rate of blinatumomab, in µg/day."""
    valid = {
        "weight_kg": weight_kg > 0,
        "bsa_m2": bsa_m2 > 0,
        "cycle": cycle >= 1,
        "day": 1 <= day <= 42,
        "indication": indication in ("relapsed/refractory", "MRD"),
    }
    if not all(valid.values()):
        raise ValueError(f"invalid: {', '.join(name for name, good in valid.items() if not good)}")
    step = indication == "relapsed/refractory" and cycle == 1 and day <= 7
    per_m2, most = {True: (5, 9), False: (15, 28)}[step]
    rate = np.float64(most) if weight_kg >= 45 else np.minimum(per_m2 * bsa_m2, most)
    return rate * (day <= 28)


def blinatumomab_after_crs(
    ctcae_grade: int, weight_kg: float, bsa_m2: float, *, scale: str = "CTCAE"
) -> dict[str, object]:
    """Return what the label asks for after CRS: action, restart rate, one dose of steroid."""
    actions = {1: "continue", 2: "may interrupt", 3: "interrupt and restart", 4: "stop"}
    valid = {
        "ctcae_grade": ctcae_grade in actions,
        "weight_kg": weight_kg > 0,
        "bsa_m2": bsa_m2 > 0,
        "scale": scale in ("CTCAE", "ASTCT", "Lee"),
    }
    if not all(valid.values()):
        raise ValueError(f"invalid: {', '.join(name for name, good in valid.items() if not good)}")
    action = actions[ctcae_grade] if scale == "CTCAE" else "regrade"
    rate, dose = (most if weight_kg >= 45 else np.minimum(5 * bsa_m2, most) for most in (9, 8))
    return {
        "action": action,
        "restart_ug_day": rate if action == "interrupt and restart" else None,
        "dexamethasone_mg": dose if action in ("interrupt and restart", "stop") else None,
    }


def recommend(state: dict) -> list[tuple[str, str]]:
    """Return what to order for this patient: pairs (action, reason) in the order of the table."""
    keys = (
        "product crs_grade icans_grade fever_days temp_c anc_10e9_l infection_suspected hypotension"
        " fluid_boluses improving now_h tocilizumab_given_h steroids_running"
    ).split()
    if missing := [key for key in keys if key not in state]:
        raise ValueError(f"missing: {', '.join(missing)}")
    (
        cell, crs, icans, fever_days, temp, anc, infection, hypotension,
        boluses, improving, now, given, steroids,
    ) = map(state.get, keys)  # fmt: skip
    valid = {
        "product": cell in ("axi-cel", "brexu-cel", "tisa-cel", "liso-cel", "ide-cel", "cilta-cel"),
        "crs_grade": crs in range(5),
        "icans_grade": icans in range(5),
        "tocilizumab_given_h": all(t <= now for t in given),
    }
    if not all(valid.values()):
        raise ValueError(f"invalid: {', '.join(key for key, good in valid.items() if not good)}")

    since_first = max((now - t for t in given), default=None)
    had_dose = since_first is not None
    late = had_dose and since_first >= 24
    stuck = not improving
    may_dose = stuck and tocilizumab_timing_ok(now, given)
    exhausted = len(given) >= 4 or sum(now - t < 24 for t in given) >= 3
    q12, q6, pulse = (
        "dexamethasone-10mg-q12h",
        "dexamethasone-10mg-q6h",
        "methylprednisolone-500mg-q12h",
    )
    table = (
        ("antibiotics", "neutropenic-fever", anc < 0.5 and temp >= 38.0),
        ("antibiotics", "suspected-infection", infection),
        ("supportive-care", "crs", crs >= 1),
        ("icans-workup", "icans", icans >= 1),
        ("icu", "severe-crs", crs >= 3),
        ("icu", "severe-icans", icans >= 3),
        ("tocilizumab", "crs-grade-2-or-higher", crs >= 2 and may_dose),
        ("tocilizumab", "prolonged-fever", crs == 1 and fever_days > 3 and may_dose),
        ("tocilizumab", "icans-with-crs", crs >= 1 and icans >= 1 and may_dose),
        (
            q12,
            "persistent-hypotension",
            crs == 2 and hypotension and boluses >= 2 and had_dose and not late,
        ),
        (q6, "crs-grade-3", crs == 3),
        (q6, "no-improvement-after-24h", crs == 2 and stuck and late),
        (q6, "icans-without-crs", crs == 0 and icans in (2, 3)),
        (q6, "icans-with-refractory-crs", crs >= 1 and icans in (2, 3) and had_dose and stuck),
        (pulse, "crs-grade-4", crs == 4),
        (pulse, "icans-grade-4", icans == 4),
        ("second-line", "refractory-crs", crs >= 3 and stuck and steroids and exhausted),
    )
    # Reversed, so that the first reason of an action is written last and wins.
    reasons = {action: reason for action, reason, met in reversed(table) if met}
    ladder = [steroid for steroid in (q12, q6, pulse) if steroid in reasons]
    return [
        (action, reasons[action])
        for action in dict.fromkeys(action for action, *_ in table)
        if action in reasons and action not in ladder[:-1]
    ]
