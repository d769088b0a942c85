import numpy as np
import pandas as pd


def norepinephrine_equivalent(
    norepinephrine_ug_min: float = 0,
    dopamine_ug_kg_min: float = 0,
    epinephrine_ug_min: float = 0,
    phenylephrine_ug_min: float = 0,
) -> float:
    """Norepinephrine equivalent of the running vasopressors, in µg/min."""
    rates = dict(locals())  # the four arguments, in the order of the signature
    if below := [name for name, rate in rates.items() if rate < 0]:
        raise ValueError(f"{', '.join(below)} must not be negative")
    return np.divide([*rates.values()], [1, 2, 1, 10]).sum()


def is_high_dose_vasopressor(
    hours: float,
    vasopressin: bool = False,
    norepinephrine_ug_min: float = 0,
    dopamine_ug_kg_min: float = 0,
    epinephrine_ug_min: float = 0,
    phenylephrine_ug_min: float = 0,
    *,
    age_years: float = 40,
) -> bool:
    """Whether an adult's vasopressors are high-dose."""
    lowest = {"hours": (hours, 0), "age_years": (age_years, 18)}
    for name, (value, limit) in lowest.items():
        if value < limit:
            raise ValueError(f"{name} must be at least {limit}")
    rates = {
        "norepinephrine_ug_min": norepinephrine_ug_min,
        "dopamine_ug_kg_min": dopamine_ug_kg_min,
        "epinephrine_ug_min": epinephrine_ug_min,
        "phenylephrine_ug_min": phenylephrine_ug_min,
    }
    total = norepinephrine_equivalent(**rates)  # also refuses negative rates
    running = np.array([*rates.values(), total])
    limits = np.array([20, 10, 10, 200, 10 if vasopressin else 20])
    return np.logical_and(hours >= 3, (running >= limits).any())


def astct_grade(
    temp_c: float,
    treated: bool = False,
    hypotension: bool = False,
    non_vasopressin_pressors: int = 0,
    vasopressin: bool = False,
    oxygen: str = "room air",
    flow_l_min: float = 0,
    other_cause: bool = False,
) -> int:
    """ASTCT grade of cytokine release syndrome, from 0 to 4."""
    cannula = 2 if flow_l_min <= 6 else 3
    devices = (
        {"room air": 0, "blow-by": 2}
        | dict.fromkeys(("nasal cannula", "high-flow nasal cannula"), cannula)
        | dict.fromkeys(("face mask", "non-rebreather", "Venturi mask"), 3)
        | dict.fromkeys(("CPAP", "BiPAP", "ventilator"), 4)
    )
    invalid = {
        "oxygen": oxygen not in devices,
        "flow_l_min": flow_l_min < 0 or ("cannula" in str(oxygen) and flow_l_min == 0),
        "non_vasopressin_pressors": non_vasopressin_pressors < 0,
        "temp_c": not 25 <= temp_c <= 45,
    }
    if any(invalid.values()):
        raise ValueError(f"invalid: {', '.join(name for name, bad in invalid.items() if bad)}")
    pressure = max(
        2 * bool(hypotension),
        3 * bool(vasopressin),
        (0, 3, 4)[min(int(non_vasopressin_pressors), 2)],
    )
    worst = max(pressure, devices[oxygen])
    fever = temp_c >= 38.0
    return next(
        grade
        for fits, grade in (
            (other_cause, 0),
            (fever, max(1, worst)),
            (treated, worst),
            (True, 0),
        )
        if fits
    )


def lee_grade(
    fio2: float = 0.21,
    hypotension: bool = False,
    vasopressors: int = 0,
    high_dose: bool = False,
    organ_toxicity: int = 0,
    transaminitis: int = 0,
    ventilator: bool = False,
) -> int:
    """Lee 2014 grade of a patient with cytokine release syndrome, from 1 to 4."""
    ranges = {
        "fio2": (fio2, 0.21, 1),
        "vasopressors": (vasopressors, 0, np.inf),
        "organ_toxicity": (organ_toxicity, 0, 4),
        "transaminitis": (transaminitis, 0, 4),
    }
    for name, (value, low, high) in ranges.items():
        if not low <= value <= high:
            raise ValueError(f"{name} must be between {low} and {high}")
    return max(
        1 + (fio2 > 0.21) + (fio2 >= 0.40),
        2 * bool(hypotension or vasopressors),
        3 * bool(high_dose or vasopressors >= 2),
        organ_toxicity,
        min(transaminitis, 3),
        4 * bool(ventilator),
    )


def penn_grade(
    hospitalized: bool = False,
    creatinine: int = 0,
    transaminitis: int = 0,
    hypotension: bool = False,
    fluid_boluses: int = 0,
    vasopressors: int = 0,
    high_dose: bool = False,
    coagulopathy: bool = False,
    oxygen: str = "room air",
) -> int:
    """Penn grade of a patient with cytokine release syndrome, from 1 to 4."""
    devices = dict.fromkeys(
        (
            "nasal cannula",
            "blow-by",
            "high-flow nasal cannula",
            "face mask",
            "non-rebreather",
            "Venturi mask",
            "CPAP",
            "BiPAP",
        ),
        3,
    ) | {"room air": 1, "ventilator": 4}
    valid = {
        "oxygen": oxygen in devices,
        "creatinine": 0 <= creatinine <= 4,
        "transaminitis": 0 <= transaminitis <= 4,
        "fluid_boluses": fluid_boluses >= 0,
        "vasopressors": vasopressors >= 0,
    }
    if not all(valid.values()):
        raise ValueError(f"invalid: {', '.join(name for name, good in valid.items() if not good)}")
    return np.max(
        [
            devices[oxygen],
            np.array([1, 1, 2, 3, 3])[creatinine],
            np.array([1, 1, 1, 2, 3])[transaminitis],
            1 + hospitalized,
            1 + 2 * coagulopathy,
            1 + 2 * bool(vasopressors or (hypotension and fluid_boluses >= 2)),
            1 + 3 * high_dose,
        ]
    )


def worst_grade(timeline: pd.DataFrame) -> tuple[int, float | None]:
    """Worst ASTCT grade of a course, and the first hour at which it was reached."""
    if timeline.empty:
        return 0, None
    columns = ["hypotension_grade", "hypoxia_grade"]
    if bad := [name for name in columns if not timeline[name].isin([0, 2, 3, 4]).all()]:
        raise ValueError(f"{', '.join(bad)} must hold only 0, 2, 3 or 4")
    course = timeline.sort_values("hour", ignore_index=True)
    fever = course["temp_c"].ge(38.0)
    drug = course["drug_given"].isin({"acetaminophen", "tocilizumab", "dexamethasone"})
    treated = (drug & fever.cummax()).cummax()
    worst = course[columns].max(axis="columns")
    grades = worst.clip(lower=1).where(fever, worst.where(treated, 0))
    first = grades.idxmax()  # of equal maxima, the first
    return (grades[first], course.at[first, "hour"]) if grades[first] > 0 else (0, None)


def weighted_kappa(table: pd.DataFrame, weights: str | None = None) -> float:
    """Cohen's kappa of a square table of counts, unweighted or quadratic."""
    schemes = {None: lambda d: d != 0, "quadratic": np.square}
    if weights not in schemes:
        raise ValueError("weights must be None or 'quadratic'")
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError("table must have as many rows as columns")
    if not (total := counts.sum()):
        raise ValueError("table must count at least one patient")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    weight = schemes[weights](np.subtract.outer(*[np.arange(len(counts))] * 2))
    if not (chance := (weight * expected).sum()):
        raise ValueError("table must not have all patients in one place on the diagonal")
    return 1 - (weight * counts).sum() / chance
