"""Solutions of assignment 06, exercises 6.1 to 6.8."""


def tocilizumab_dose_mg(weight_kg: float) -> float:
    """Return one dose of tocilizumab for CRS, in mg."""
    if weight_kg <= 0:
        raise ValueError("weight_kg must be above 0")
    if weight_kg < 30:
        dose = 12 * weight_kg
    else:
        dose = 8 * weight_kg
    if dose > 800:
        dose = 800
    return dose


def tocilizumab_timing_ok(now_h: float, given_h: list[float], min_interval_h: float = 8) -> bool:
    """Return whether timing allows a dose of tocilizumab now."""
    if min_interval_h <= 0:
        raise ValueError("min_interval_h must be above 0")
    for time in given_h:
        if time > now_h:
            raise ValueError("given_h must not hold a time later than now_h")

    if len(given_h) == 0:
        return True
    # Interval
    if now_h - max(given_h) < min_interval_h:
        return False
    # All doses, with the one that is asked for
    if len(given_h) + 1 > 4:
        return False
    # 24 hours, with the one that is asked for
    recent = 1
    for time in given_h:
        if now_h - time < 24:
            recent = recent + 1
    if recent > 3:
        return False
    return True


def choose_vials(dose_mg: float) -> dict[int, int]:
    """Return how many vials of 80, 200 and 400 mg to open for one dose."""
    if dose_mg <= 0 or dose_mg > 800:
        raise ValueError("dose_mg must be above 0 and at most 800")
    best = None
    best_waste = None
    best_vials = None
    for small in range(11):
        for medium in range(5):
            for large in range(3):
                content = 80 * small + 200 * medium + 400 * large
                if content >= dose_mg:
                    waste = content - dose_mg
                    vials = small + medium + large
                    better = False
                    if best is None:
                        better = True
                    elif waste < best_waste:
                        better = True
                    elif waste == best_waste and vials < best_vials:
                        better = True
                    if better:
                        best = {80: small, 200: medium, 400: large}
                        best_waste = waste
                        best_vials = vials
    return best


def steroid_equivalent_mg(drug: str, dose_mg: float, to: str) -> float:
    """Return the dose of another corticosteroid with the same effect, in mg."""
    table = {
        "dexamethasone": 0.75,
        "methylprednisolone": 4,
        "prednisone": 5,
        "hydrocortisone": 20,
    }
    if drug not in table:
        raise ValueError("drug is not in the table")
    if to not in table:
        raise ValueError("to is not in the table")
    if dose_mg < 0:
        raise ValueError("dose_mg must not be negative")
    return dose_mg / table[drug] * table[to]


def methylprednisolone_day_dose_mg(day: int) -> float:
    """Return the total of methylprednisolone on one day of the schedule, in mg."""
    if day < 1:
        raise ValueError("day must be 1 or more")
    if day <= 3:
        single = 500
    elif day <= 5:
        single = 250
    elif day <= 7:
        single = 125
    else:
        single = 60
    return 2 * single


def blinatumomab_rate_ug_day(
    weight_kg: float, bsa_m2: float, cycle: int, day: int, indication: str
) -> float:
    """Return the infusion rate of blinatumomab, in µg/day."""
    if weight_kg <= 0:
        raise ValueError("weight_kg must be above 0")
    if bsa_m2 <= 0:
        raise ValueError("bsa_m2 must be above 0")
    if cycle < 1:
        raise ValueError("cycle must be 1 or more")
    if day < 1 or day > 42:
        raise ValueError("day must be from 1 to 42")
    if indication != "relapsed/refractory" and indication != "MRD":
        raise ValueError("indication must be 'relapsed/refractory' or 'MRD'")

    if day >= 29:
        return 0
    if indication == "relapsed/refractory" and cycle == 1 and day <= 7:
        if weight_kg >= 45:
            return 9
        return min(5 * bsa_m2, 9)
    if weight_kg >= 45:
        return 28
    return min(15 * bsa_m2, 28)


def blinatumomab_after_crs(
    ctcae_grade: int, weight_kg: float, bsa_m2: float, *, scale: str = "CTCAE"
) -> dict[str, object]:
    """Return what the label asks for after CRS: action, restart rate, one dose of steroid."""
    if ctcae_grade not in [1, 2, 3, 4]:
        raise ValueError("ctcae_grade must be 1, 2, 3 or 4")
    if weight_kg <= 0:
        raise ValueError("weight_kg must be above 0")
    if bsa_m2 <= 0:
        raise ValueError("bsa_m2 must be above 0")
    if scale not in ["CTCAE", "ASTCT", "Lee"]:
        raise ValueError("scale must be 'CTCAE', 'ASTCT' or 'Lee'")

    if scale != "CTCAE":
        return {"action": "regrade", "restart_ug_day": None, "dexamethasone_mg": None}
    if ctcae_grade == 1:
        return {"action": "continue", "restart_ug_day": None, "dexamethasone_mg": None}
    if ctcae_grade == 2:
        return {"action": "may interrupt", "restart_ug_day": None, "dexamethasone_mg": None}

    if weight_kg >= 45:
        rate = 9
        steroid = 8
    else:
        rate = min(5 * bsa_m2, 9)
        steroid = min(5 * bsa_m2, 8)
    if ctcae_grade == 3:
        return {
            "action": "interrupt and restart",
            "restart_ug_day": rate,
            "dexamethasone_mg": steroid,
        }
    return {"action": "stop", "restart_ug_day": None, "dexamethasone_mg": steroid}


def recommend(state: dict) -> list[tuple[str, str]]:
    """Return what to order for this patient: pairs (action, reason) in the order of the table."""
    keys = [
        "product",
        "crs_grade",
        "icans_grade",
        "fever_days",
        "temp_c",
        "anc_10e9_l",
        "infection_suspected",
        "hypotension",
        "fluid_boluses",
        "improving",
        "now_h",
        "tocilizumab_given_h",
        "steroids_running",
    ]
    for key in keys:
        if key not in state:
            raise ValueError(key + " is missing")
    products = ["axi-cel", "brexu-cel", "tisa-cel", "liso-cel", "ide-cel", "cilta-cel"]
    if state["product"] not in products:
        raise ValueError("product is not one of the six")
    if state["crs_grade"] not in [0, 1, 2, 3, 4]:
        raise ValueError("crs_grade must be 0, 1, 2, 3 or 4")
    if state["icans_grade"] not in [0, 1, 2, 3, 4]:
        raise ValueError("icans_grade must be 0, 1, 2, 3 or 4")
    for time in state["tocilizumab_given_h"]:
        if time > state["now_h"]:
            raise ValueError("tocilizumab_given_h must not hold a time later than now_h")

    crs = state["crs_grade"]
    icans = state["icans_grade"]
    improving = state["improving"]
    now = state["now_h"]
    given = state["tocilizumab_given_h"]
    doses = len(given)
    if doses > 0:
        since_first = now - min(given)
    else:
        since_first = 0
    timing_allows = tocilizumab_timing_ok(now, given, 8)

    recent = 0
    for time in given:
        if now - time < 24:
            recent = recent + 1
    exhausted = doses >= 4 or recent >= 3

    # All rows that are met, from top to bottom.
    met = []
    if state["anc_10e9_l"] < 0.5 and state["temp_c"] >= 38.0:  # row 1
        met.append(("antibiotics", "neutropenic-fever"))
    if state["infection_suspected"]:  # row 2
        met.append(("antibiotics", "suspected-infection"))
    if crs >= 1:  # row 3
        met.append(("supportive-care", "crs"))
    if icans >= 1:  # row 4
        met.append(("icans-workup", "icans"))
    if crs >= 3:  # row 5
        met.append(("icu", "severe-crs"))
    if icans >= 3:  # row 6
        met.append(("icu", "severe-icans"))
    if crs >= 2 and not improving and timing_allows:  # row 7
        met.append(("tocilizumab", "crs-grade-2-or-higher"))
    if crs == 1 and state["fever_days"] > 3 and not improving and timing_allows:  # row 8
        met.append(("tocilizumab", "prolonged-fever"))
    if crs >= 1 and icans >= 1 and not improving and timing_allows:  # row 9
        met.append(("tocilizumab", "icans-with-crs"))
    if crs == 2 and state["hypotension"] and state["fluid_boluses"] >= 2:  # row 10
        if doses >= 1 and since_first < 24:
            met.append(("dexamethasone-10mg-q12h", "persistent-hypotension"))
    if crs == 3:  # row 11
        met.append(("dexamethasone-10mg-q6h", "crs-grade-3"))
    if crs == 2 and not improving and doses >= 1 and since_first >= 24:  # row 12
        met.append(("dexamethasone-10mg-q6h", "no-improvement-after-24h"))
    if crs == 0 and (icans == 2 or icans == 3):  # row 13
        met.append(("dexamethasone-10mg-q6h", "icans-without-crs"))
    if crs >= 1 and (icans == 2 or icans == 3) and doses >= 1 and not improving:  # row 14
        met.append(("dexamethasone-10mg-q6h", "icans-with-refractory-crs"))
    if crs == 4:  # row 15
        met.append(("methylprednisolone-500mg-q12h", "crs-grade-4"))
    if icans == 4:  # row 16
        met.append(("methylprednisolone-500mg-q12h", "icans-grade-4"))
    if crs >= 3 and not improving and state["steroids_running"] and exhausted:  # row 17
        met.append(("second-line", "refractory-crs"))

    # Each action once: the first row counts.
    actions = []
    once = []
    for action, reason in met:
        if action not in actions:
            actions.append(action)
            once.append((action, reason))

    # The stronger steroid replaces the weaker one.
    orders = []
    for action, reason in once:
        keep = True
        if action == "dexamethasone-10mg-q12h":
            if "dexamethasone-10mg-q6h" in actions:
                keep = False
            if "methylprednisolone-500mg-q12h" in actions:
                keep = False
        if action == "dexamethasone-10mg-q6h":
            if "methylprednisolone-500mg-q12h" in actions:
                keep = False
        if keep:
            orders.append((action, reason))
    return orders
