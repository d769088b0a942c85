"""Doses, intervals and schedules, read from the guideline files.

Every number comes from a file beside this one; the functions only look it up, multiply and cap.
A teaching model, not for patient care.
"""

from crs.guidelines.engine import check_value, first_row, matching_rows
from crs.guidelines.loader import guideline


def norepinephrine_equivalent_ug_min(
    norepinephrine_ug_min: float = 0,
    dopamine_ug_kg_min: float = 0,
    epinephrine_ug_min: float = 0,
    phenylephrine_ug_min: float = 0,
) -> float:
    """Convert running vasopressors to a dose of norepinephrine (VASST equivalents).

    Parameters
    ----------
    norepinephrine_ug_min, epinephrine_ug_min, phenylephrine_ug_min : float
        Rates in µg/min.
    dopamine_ug_kg_min : float
        Rate in µg/kg/min.

    Returns
    -------
    float
        µg/min of norepinephrine.

    Raises
    ------
    InvalidInput
        If a rate is negative or not a number.
    """
    rates = {
        "norepinephrine_ug_min": norepinephrine_ug_min,
        "dopamine_ug_kg_min": dopamine_ug_kg_min,
        "epinephrine_ug_min": epinephrine_ug_min,
        "phenylephrine_ug_min": phenylephrine_ug_min,
    }
    inputs = {item.name: item for item in guideline("high-dose-vasopressors").inputs}
    table = guideline("vasopressor-equivalents")
    total = 0.0
    for name, rate in rates.items():
        drug = name.split("_", maxsplit=1)[0]
        divisor = first_row(table, {"drug": drug}).row.gives["divide_by"]
        total += float(check_value(inputs[name], rate)) / float(divisor)
    return total


def is_high_dose_vasopressor(
    hours: float,
    vasopressin: bool = False,
    norepinephrine_ug_min: float = 0,
    dopamine_ug_kg_min: float = 0,
    epinephrine_ug_min: float = 0,
    phenylephrine_ug_min: float = 0,
) -> bool:
    """Tell whether an adult's vasopressors are high-dose, as Lee 2014 and Penn use the word.

    Parameters
    ----------
    hours : float
        How long the vasopressors have run at these rates.
    vasopressin : bool
        Whether vasopressin is running.
    norepinephrine_ug_min, epinephrine_ug_min, phenylephrine_ug_min : float
        Rates in µg/min.
    dopamine_ug_kg_min : float
        Rate in µg/kg/min.

    Returns
    -------
    bool

    Raises
    ------
    InvalidInput
        If a duration or rate is negative or not a number.
    """
    rates = {
        "norepinephrine_ug_min": norepinephrine_ug_min,
        "dopamine_ug_kg_min": dopamine_ug_kg_min,
        "epinephrine_ug_min": epinephrine_ug_min,
        "phenylephrine_ug_min": phenylephrine_ug_min,
    }
    facts = {
        "hours": hours,
        "vasopressin": vasopressin,
        "norepinephrine_equivalent_ug_min": norepinephrine_equivalent_ug_min(**rates),
        **rates,
    }
    return bool(matching_rows(guideline("high-dose-vasopressors"), facts))
