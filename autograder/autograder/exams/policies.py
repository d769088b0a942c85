"""Reference policies of the capstone's ward: what a learner's policy is compared with.

They lie with the exams, so that a learner's package does not hold them.
"""

import itertools
from collections.abc import Collection, Sequence

from crs.guidelines.dosing import recommend, tocilizumab_dose_mg, tocilizumab_timing
from crs.patients.observation import FEVER_C, LOW_MAP_MMHG
from crs.patients.ward import NEUTROPENIA_10E9_L, STEP_H
from crs.patients.ward_orders import Order
from crs.patients.ward_seen import ChartEntry, Observation

_STEROIDS = ("dexamethasone", "methylprednisolone")
_HOURS_A_DAY = 24.0
# The table knows products by name; the cells of the model have the kinetics of this one.
_PRODUCT = "tisa-cel"
# Conventions, where the table leaves a choice.
_ACETAMINOPHEN_MG, _ACETAMINOPHEN_EVERY_H = 650.0, 8.0
_ANAKINRA_MG, _ANAKINRA_EVERY_H = 100.0, 8.0
_CULTURES_EVERY_H = 24.0
_POSITIVE_COUNTS_FOR_H = 168.0
_AFEBRILE_FOR_H = 48.0
_BETTER_FOR_H = 12.0


def no_treatment(seen: Observation) -> list[Order]:
    """Order nothing: the bedside team's fluids and oxygen alone.

    Parameters
    ----------
    seen : Observation

    Returns
    -------
    list of Order
    """
    return []


def naive(seen: Observation) -> list[Order]:
    """Treat every fever as the syndrome, with tocilizumab; steroids late; infection never.

    Parameters
    ----------
    seen : Observation

    Returns
    -------
    list of Order
    """
    orders = []
    timing = tocilizumab_timing(seen.time_h, seen.hours_given("tocilizumab"))
    if seen.temp_c >= FEVER_C and timing.allowed:
        orders.append(Order("tocilizumab", tocilizumab_dose_mg(seen.weight_kg)))
    if seen.crs_grade == 4 and _due(seen, 8.0, "dexamethasone"):
        orders.append(Order("dexamethasone", 10.0))
    return orders + _place(seen, seen.needs_icu)


def guideline(seen: Observation) -> list[Order]:
    """Do what the management table of the course asks for.

    Parameters
    ----------
    seen : Observation

    Returns
    -------
    list of Order
    """
    asked = {action for action, _ in recommend(_state(seen))}
    orders: list[Order] = []
    if ("antibiotics" in asked or _still_needs_antibiotics(seen)) and (
        seen.antibiotics_until_h < seen.time_h + STEP_H
    ):
        orders.append(Order("antibiotics"))
    orders += _cultures(seen)
    if (
        "supportive-care" in asked
        and seen.temp_c >= FEVER_C
        and _due(seen, _ACETAMINOPHEN_EVERY_H, "acetaminophen")
    ):
        orders.append(Order("acetaminophen", _ACETAMINOPHEN_MG))
    if "tocilizumab" in asked:
        orders.append(Order("tocilizumab", tocilizumab_dose_mg(seen.weight_kg)))
    orders += _steroids(seen, asked)
    if "second-line" in asked and _due(seen, _ANAKINRA_EVERY_H, "anakinra"):
        orders.append(Order("anakinra", _ANAKINRA_MG))
    return orders + _place(seen, "icu" in asked)


def _steroids(seen: Observation, asked: Collection[str]) -> list[Order]:
    if "methylprednisolone-500mg-q12h" in asked:
        due, order = _due(seen, 12.0, "methylprednisolone"), Order("methylprednisolone", 500.0)
    elif "dexamethasone-10mg-q6h" in asked:
        due, order = _fewer_than(2, 12.0, seen, "dexamethasone"), Order("dexamethasone", 10.0)
    elif "dexamethasone-10mg-q12h" in asked:
        due, order = _due(seen, 12.0, "dexamethasone"), Order("dexamethasone", 10.0)
    else:
        return []
    return [order] if due else []


def _state(seen: Observation) -> dict[str, object]:
    """Say what is seen in the words of the management table."""
    return {
        "product": _PRODUCT,
        "crs_grade": seen.crs_grade,
        "icans_grade": _icans(seen.chart),
        "fever_days": _fever_h(seen.chart) / _HOURS_A_DAY,
        "temp_c": seen.temp_c,
        # Before the first count nobody knows; after lymphodepletion one expects the worst.
        "anc_10e9_l": 0.0 if seen.anc_10e9_l is None else seen.anc_10e9_l,
        "infection_suspected": _culture_is_positive(seen),
        "hypotension": seen.hypotension or seen.map_mmhg < LOW_MAP_MMHG,
        "fluid_boluses": min(10, seen.fluid_boluses_24h),
        "improving": _improving(seen),
        "steroids_running": not _due(seen, _HOURS_A_DAY, *_STEROIDS),
        "now_h": seen.time_h,
        "tocilizumab_given_h": seen.hours_given("tocilizumab"),
    }


def _due(seen: Observation, every_h: float, *drugs: str) -> bool:
    given = seen.hours_given(*drugs)
    return not given or seen.time_h - given[-1] >= every_h


def _fewer_than(count: int, within_h: float, seen: Observation, drug: str) -> bool:
    """Say whether a dose is due where the visits do not fit the interval: every 6 h at visits."""
    return sum(hour > seen.time_h - within_h for hour in seen.hours_given(drug)) < count


def _icans(chart: Sequence[ChartEntry]) -> int:
    """Return the last grade of neurotoxicity that could be told; under sedation it is kept."""
    return next((e.icans_grade for e in reversed(chart) if e.icans_grade is not None), 0)


def _fever_h(chart: Sequence[ChartEntry]) -> float:
    """Return how long the fever has lasted; a day without ends it."""
    hot = [entry.time_h for entry in chart if entry.temp_c >= FEVER_C]
    if not hot or chart[-1].time_h - hot[-1] > _HOURS_A_DAY:
        return 0.0
    begin = hot[-1]
    for later, earlier in itertools.pairwise(reversed(hot)):
        if later - earlier > _HOURS_A_DAY:
            break
        begin = earlier
    return chart[-1].time_h - begin


def _improving(seen: Observation) -> bool:
    """Say whether the patient is better than at the last dose, or than half a day ago."""
    doses = seen.hours_given("tocilizumab")
    reference_h = doses[-1] if doses else seen.time_h - _BETTER_FOR_H
    earlier = [entry for entry in seen.chart[:-1] if entry.time_h >= reference_h]
    if not earlier:
        return False
    icans_then = _icans([e for e in seen.chart if e.time_h <= earlier[0].time_h])
    icans_now = _icans(seen.chart)
    better = seen.crs_grade < earlier[0].crs_grade or (
        seen.crs_grade == earlier[0].crs_grade == 0 and icans_now < icans_then
    )
    return better and icans_now <= icans_then


def _culture_is_positive(seen: Observation) -> bool:
    since = seen.time_h - _POSITIVE_COUNTS_FOR_H
    return any(item.positive and item.taken_h >= since for item in seen.cultures)


def _is_neutropenic(seen: Observation) -> bool:
    return seen.anc_10e9_l is not None and seen.anc_10e9_l < NEUTROPENIA_10E9_L


def _still_needs_antibiotics(seen: Observation) -> bool:
    """Go on until neutrophils are back and the fever has been gone for two days."""
    if not seen.antibiotics_running:
        return False
    lately = [e for e in seen.chart if e.time_h > seen.time_h - _AFEBRILE_FOR_H]
    return _is_neutropenic(seen) or any(entry.temp_c >= FEVER_C for entry in lately)


def _cultures(seen: Observation) -> list[Order]:
    """Draw cultures once a day in fever, and where a drug could hide one."""
    suspicious = seen.temp_c >= FEVER_C or (
        _is_neutropenic(seen) and bool(seen.hours_given("tocilizumab", *_STEROIDS))
    )
    latest = max((item.taken_h for item in seen.cultures), default=-_CULTURES_EVERY_H)
    waiting = seen.cultures_pending > 0
    due = suspicious and not waiting and seen.time_h - latest >= _CULTURES_EVERY_H
    return [Order("blood cultures")] if due else []


def _place(seen: Observation, icu: bool) -> list[Order]:
    """Go to intensive care where it is asked for, and back where nothing there is needed."""
    if icu and seen.location == "floor":
        return [Order("icu")]
    if not icu and not seen.needs_icu and seen.location == "intensive care":
        return [Order("floor")]
    return []
