"""Solutions of assignment 05, exercises 5.1 to 5.6 and 5.8."""

import pandas as pd


def norepinephrine_equivalent(
    norepinephrine_ug_min: float = 0,
    dopamine_ug_kg_min: float = 0,
    epinephrine_ug_min: float = 0,
    phenylephrine_ug_min: float = 0,
) -> float:
    """Norepinephrine equivalent of the running vasopressors, in µg/min."""
    if norepinephrine_ug_min < 0:
        raise ValueError("norepinephrine_ug_min must not be negative")
    if dopamine_ug_kg_min < 0:
        raise ValueError("dopamine_ug_kg_min must not be negative")
    if epinephrine_ug_min < 0:
        raise ValueError("epinephrine_ug_min must not be negative")
    if phenylephrine_ug_min < 0:
        raise ValueError("phenylephrine_ug_min must not be negative")
    total = norepinephrine_ug_min
    total = total + dopamine_ug_kg_min / 2
    total = total + epinephrine_ug_min
    total = total + phenylephrine_ug_min / 10
    return total


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
    if hours < 0:
        raise ValueError("hours must not be negative")
    if age_years < 18:
        raise ValueError("age_years must be 18 or more")
    # This call also refuses rates below 0.
    equivalent = norepinephrine_equivalent(
        norepinephrine_ug_min,
        dopamine_ug_kg_min,
        epinephrine_ug_min,
        phenylephrine_ug_min,
    )
    if hours < 3:
        return False
    if norepinephrine_ug_min >= 20:
        return True
    if dopamine_ug_kg_min >= 10:
        return True
    if phenylephrine_ug_min >= 200:
        return True
    if epinephrine_ug_min >= 10:
        return True
    if vasopressin:
        limit = 10
    else:
        limit = 20
    if equivalent >= limit:
        return True
    return False


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
    devices = [
        "room air",
        "nasal cannula",
        "blow-by",
        "high-flow nasal cannula",
        "face mask",
        "non-rebreather",
        "Venturi mask",
        "CPAP",
        "BiPAP",
        "ventilator",
    ]
    if oxygen not in devices:
        raise ValueError("oxygen is not one of the ten devices")
    if flow_l_min < 0:
        raise ValueError("flow_l_min must not be negative")
    if oxygen == "nasal cannula" or oxygen == "high-flow nasal cannula":
        if flow_l_min == 0:
            raise ValueError("flow_l_min must be above 0 with a cannula")
    if non_vasopressin_pressors < 0:
        raise ValueError("non_vasopressin_pressors must not be negative")
    if temp_c < 25 or temp_c > 45:
        raise ValueError("temp_c must be in degrees Celsius, from 25 to 45")

    # The hypotension column.
    if non_vasopressin_pressors >= 2:
        pressure = 4
    elif non_vasopressin_pressors == 1:
        pressure = 3
    elif vasopressin:
        pressure = 3
    elif hypotension:
        pressure = 2
    else:
        pressure = 0

    # The hypoxia column.
    if oxygen == "room air":
        hypoxia = 0
    elif oxygen == "blow-by":
        hypoxia = 2
    elif oxygen == "nasal cannula" or oxygen == "high-flow nasal cannula":
        if flow_l_min <= 6:
            hypoxia = 2
        else:
            hypoxia = 3
    elif oxygen == "face mask" or oxygen == "non-rebreather" or oxygen == "Venturi mask":
        hypoxia = 3
    else:
        hypoxia = 4

    # The grade: the first row that fits.
    if other_cause:
        return 0
    if temp_c >= 38.0:
        return max(1, pressure, hypoxia)
    if treated:
        return max(pressure, hypoxia)
    return 0


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
    if fio2 < 0.21 or fio2 > 1:
        raise ValueError("fio2 must be a fraction from 0.21 to 1")
    if vasopressors < 0:
        raise ValueError("vasopressors must not be negative")
    if organ_toxicity < 0 or organ_toxicity > 4:
        raise ValueError("organ_toxicity must be from 0 to 4")
    if transaminitis < 0 or transaminitis > 4:
        raise ValueError("transaminitis must be from 0 to 4")

    # Grade 4
    if ventilator:
        return 4
    if organ_toxicity == 4:
        return 4
    # Grade 3
    if fio2 >= 0.40:
        return 3
    if vasopressors >= 2:
        return 3
    if vasopressors == 1 and high_dose:
        return 3
    if organ_toxicity == 3:
        return 3
    if transaminitis >= 3:
        return 3
    # Grade 2
    if fio2 > 0.21:
        return 2
    if hypotension or vasopressors == 1:
        return 2
    if organ_toxicity == 2 or transaminitis == 2:
        return 2
    return 1


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
    devices = [
        "room air",
        "nasal cannula",
        "blow-by",
        "high-flow nasal cannula",
        "face mask",
        "non-rebreather",
        "Venturi mask",
        "CPAP",
        "BiPAP",
        "ventilator",
    ]
    if oxygen not in devices:
        raise ValueError("oxygen is not one of the ten devices")
    if creatinine < 0 or creatinine > 4:
        raise ValueError("creatinine must be from 0 to 4")
    if transaminitis < 0 or transaminitis > 4:
        raise ValueError("transaminitis must be from 0 to 4")
    if fluid_boluses < 0:
        raise ValueError("fluid_boluses must not be negative")
    if vasopressors < 0:
        raise ValueError("vasopressors must not be negative")

    # Grade 4
    if oxygen == "ventilator":
        return 4
    if vasopressors >= 1 and high_dose:
        return 4
    # Grade 3
    if oxygen != "room air":
        return 3
    if vasopressors >= 1:
        return 3
    if hypotension and fluid_boluses >= 2:
        return 3
    if creatinine >= 3:
        return 3
    if transaminitis == 4:
        return 3
    if coagulopathy:
        return 3
    # Grade 2
    if hospitalized:
        return 2
    if creatinine == 2:
        return 2
    if transaminitis == 3:
        return 2
    return 1


def worst_grade(timeline: pd.DataFrame) -> tuple[int, float | None]:
    """Worst ASTCT grade of a course, and the first hour at which it was reached."""
    allowed = [0, 2, 3, 4]
    for _, row in timeline.iterrows():
        if row["hypotension_grade"] not in allowed:
            raise ValueError("hypotension_grade must be 0, 2, 3 or 4")
        if row["hypoxia_grade"] not in allowed:
            raise ValueError("hypoxia_grade must be 0, 2, 3 or 4")

    treatments = ["acetaminophen", "tocilizumab", "dexamethasone"]
    established = False
    treated = False
    worst = 0
    worst_hour = None
    for _, row in timeline.sort_values("hour").iterrows():
        fever = row["temp_c"] >= 38.0
        if fever:
            established = True
        if established and row["drug_given"] in treatments:
            treated = True
        if fever:
            grade = max(1, row["hypotension_grade"], row["hypoxia_grade"])
        elif treated:
            grade = max(row["hypotension_grade"], row["hypoxia_grade"])
        else:
            grade = 0
        if grade > worst:
            worst = grade
            worst_hour = row["hour"]
    return worst, worst_hour


def weighted_kappa(table: pd.DataFrame, weights: str | None = None) -> float:
    """Cohen's kappa of a square table of counts, unweighted or quadratic."""
    if weights is not None and weights != "quadratic":
        raise ValueError("weights must be None or 'quadratic'")
    n_rows = len(table)
    n_columns = len(table.columns)
    if n_rows != n_columns:
        raise ValueError("table must have as many rows as columns")

    # Totals of each row, of each column, and of the whole table.
    row_totals = []
    column_totals = []
    for i in range(n_rows):
        row_totals.append(0)
        column_totals.append(0)
    total = 0
    for i in range(n_rows):
        for j in range(n_rows):
            count = table.iloc[i, j]
            row_totals[i] = row_totals[i] + count
            column_totals[j] = column_totals[j] + count
            total = total + count
    if total == 0:
        raise ValueError("table must count at least one patient")

    sum_observed = 0
    sum_expected = 0
    for i in range(n_rows):
        for j in range(n_rows):
            if weights == "quadratic":
                w = (i - j) ** 2
            elif i == j:
                w = 0
            else:
                w = 1
            expected = row_totals[i] * column_totals[j] / total
            sum_observed = sum_observed + w * table.iloc[i, j]
            sum_expected = sum_expected + w * expected
    if sum_expected == 0:
        raise ValueError("table has all patients in one place, so kappa cannot be found")
    return 1 - sum_observed / sum_expected
