"""Doses, intervals and schedules, read from the guideline files.

Every number comes from a file beside this one; the functions only look it up, multiply and cap.
A teaching model, not for patient care.
"""

import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product

from crs.errors import InvalidInput
from crs.guidelines.engine import actions, check_value, first_row, matching_rows
from crs.guidelines.loader import guideline
from crs.guidelines.schema import Input, Scalar


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


def tocilizumab_dose_mg(weight_kg: float) -> float:
    """Calculate one dose of tocilizumab for cytokine release syndrome.

    Parameters
    ----------
    weight_kg : float
        Body weight in kg, above 0 and up to 400.

    Returns
    -------
    float
        mg, capped at the maximum of one infusion.

    Raises
    ------
    InvalidInput
        If the weight is out of range.
    """
    table = guideline("tocilizumab-crs")
    gives = first_row(table, {"weight_kg": weight_kg}).row.gives
    return min(table.constants["max_dose_mg"].value, float(gives["mg_per_kg"]) * float(weight_kg))


@dataclass(frozen=True)
class TimingVerdict:
    """Whether the clock and the count allow a dose of tocilizumab now.

    Attributes
    ----------
    allowed : bool
        Timing only; an indication is another question.
    earliest_next_h : float or None
        The earliest time from now on at which a dose may start, on the clock of ``now_h``.
        None when no dose is left.
    doses_left : int
        How many doses remain, this one included.
    reason : str
        The verdict in words.
    """

    allowed: bool
    earliest_next_h: float | None
    doses_left: int
    reason: str


def tocilizumab_timing(
    now_h: float, given_h: Iterable[float], min_interval_h: float | None = None
) -> TimingVerdict:
    """Check number, interval and 24-hour rule of tocilizumab, from start to start.

    Parameters
    ----------
    now_h : float
        The time now, in hours on any clock.
    given_h : iterable of float
        Start times of the doses given so far, on the same clock, in any order.
    min_interval_h : float, optional
        Hours between starts: 8 by default, as the label has it; CARTOX has 6.

    Returns
    -------
    TimingVerdict

    Raises
    ------
    InvalidInput
        If a time is not a number or lies after now, or if the interval is not positive.
    """
    limits = guideline("tocilizumab-crs").constants
    now = _number("now_h", now_h)
    given = _start_times(now, given_h)
    interval = limits["min_interval_h"].value
    if min_interval_h is not None:
        interval = _number("min_interval_h", min_interval_h)
        if interval <= 0:
            raise InvalidInput("min_interval_h", min_interval_h, "a number above 0 h")
    window = limits["window_h"].value
    most_in_window = int(limits["max_doses_in_24_h"].value)
    most = int(limits["max_doses"].value)

    left = max(0, most - len(given))
    if left == 0:
        count = len(given)
        return TimingVerdict(
            False, None, 0, f"No: {count} doses have been given, and {most} is the maximum."
        )
    if not given:
        return TimingVerdict(True, now, left, f"Yes: no dose has been given, {left} are left.")
    after_interval = given[-1] + interval
    after_window = (
        given[-most_in_window] + window if len(given) >= most_in_window else after_interval
    )
    earliest = max(now, after_interval, after_window)
    since_last = f"the last dose started {now - given[-1]:.4g} h ago"
    if now >= earliest:
        return TimingVerdict(True, now, left, f"Yes: {since_last}, and doses left: {left}.")
    if after_window > after_interval:
        reason = (
            f"Not yet: {most_in_window} doses started within the last {window:g} h, which is the "
            f"maximum; the next may start {earliest - now:.4g} h from now."
        )
    else:
        reason = (
            f"Not yet: {since_last}, but starts must be at least {interval:g} h apart; the next "
            f"may start {earliest - now:.4g} h from now."
        )
    return TimingVerdict(False, earliest, left, reason)


@dataclass(frozen=True)
class VialChoice:
    """The vials for one dose.

    Attributes
    ----------
    counts : dict of int to int
        How many of each size in mg, every size listed, largest first.
    total_mg : float
        What the vials hold.
    waste_mg : float
        What is thrown away.
    """

    counts: dict[int, int]
    total_mg: float
    waste_mg: float

    @property
    def number(self) -> int:
        """How many vials in all."""
        return sum(self.counts.values())


def choose_vials(dose_mg: float) -> VialChoice:
    """Choose vials of tocilizumab with the least waste, and among those the fewest.

    Parameters
    ----------
    dose_mg : float
        The dose in mg, above 0 and up to the maximum of one infusion.

    Returns
    -------
    VialChoice

    Raises
    ------
    InvalidInput
        If the dose is out of range.
    """
    highest = guideline("tocilizumab-crs").constants["max_dose_mg"].value
    dose = _number("dose_mg", dose_mg)
    if not 0 < dose <= highest:
        raise InvalidInput("dose_mg", dose_mg, f"a number above 0 and up to {highest:g} mg")
    rows = guideline("tocilizumab-vials").rows
    sizes = sorted((int(row.gives["content_mg"]) for row in rows), reverse=True)
    combinations = product(*(range(math.ceil(dose / size) + 1) for size in sizes))
    total, _, counts = min(
        (total, sum(counts), counts)
        for counts in combinations
        if (total := sum(map(operator.mul, counts, sizes))) >= dose
    )
    return VialChoice(dict(zip(sizes, counts, strict=True)), total, total - dose)


def siltuximab_dose_mg(weight_kg: float) -> float:
    """Calculate the dose of siltuximab, given once.

    Parameters
    ----------
    weight_kg : float
        Body weight in kg, above 0 and up to 400.

    Returns
    -------
    float
        mg.

    Raises
    ------
    InvalidInput
        If the weight is out of range.
    """
    gives = first_row(guideline("siltuximab"), {"weight_kg": weight_kg}).row.gives
    return float(gives["mg_per_kg"]) * float(weight_kg)


def steroid_equivalent_mg(drug: str, dose_mg: float, to: str) -> float:
    """Convert a dose of one corticosteroid to the equivalent dose of another.

    Parameters
    ----------
    drug : str
        dexamethasone, methylprednisolone, prednisone or hydrocortisone.
    dose_mg : float
        Its dose in mg, 0 or more.
    to : str
        The drug to convert to, one of the same four.

    Returns
    -------
    float
        mg of ``to``.

    Raises
    ------
    InvalidInput
        If a drug is unknown or the dose is negative or not a number.
    """
    table = guideline("steroid-equivalence")
    names = table.inputs[0]
    for field, name in (("drug", drug), ("to", to)):
        check_value(replace(names, name=field), name)
    dose = _number("dose_mg", dose_mg)
    if dose < 0:
        raise InvalidInput("dose_mg", dose_mg, "a number of at least 0 mg")
    equivalent = {
        name: float(first_row(table, {"drug": name}).row.gives["equivalent_mg"])
        for name in (drug, to)
    }
    return dose * equivalent[to] / equivalent[drug]


def methylprednisolone_day_dose_mg(day: int) -> float:
    """Look up the total of one day in the high-dose methylprednisolone schedule.

    From day 8 on the dose stays the same until cytokine release syndrome has improved to grade 1;
    the schedule is not open-ended.

    Parameters
    ----------
    day : int
        Day of the schedule; the first is 1.

    Returns
    -------
    float
        mg per day.

    Raises
    ------
    InvalidInput
        If the day is not a whole number of at least 1.
    """
    gives = first_row(guideline("methylprednisolone-asco-grade-4"), {"day": day}).row.gives
    return float(gives["mg_per_dose"]) * float(gives["doses_per_day"])


def blinatumomab_rate_ug_day(
    weight_kg: float, bsa_m2: float, cycle: int, day: int, indication: str
) -> float:
    """Look up the infusion rate of blinatumomab.

    Parameters
    ----------
    weight_kg : float
        Body weight in kg; from 45 kg on the rate is fixed.
    bsa_m2 : float
        Body surface area in m²; used below 45 kg.
    cycle, day : int
        Cycle (1 to 9) and day of the cycle (1 to 42).
    indication : str
        ``"relapsed/refractory"`` or ``"MRD"``.

    Returns
    -------
    float
        µg/day; 0 on days free of treatment.

    Raises
    ------
    InvalidInput
        If an argument is out of range.
    """
    bsa = _body_surface_area(bsa_m2)
    facts = {"weight_kg": weight_kg, "cycle": cycle, "day": day, "indication": indication}
    gives = first_row(guideline("blinatumomab-start"), facts).row.gives
    rate = _fixed_or_by_area(gives, "ug_day", "ug_m2_day", "max_ug_day", bsa)
    assert rate is not None  # every row of the table gives a rate
    return rate


@dataclass(frozen=True)
class BlinatumomabAfterCrs:
    """What to do with blinatumomab after cytokine release syndrome.

    Attributes
    ----------
    action : str
        ``"continue"``, ``"may interrupt"``, ``"interrupt and restart"`` or ``"stop"``.
    dexamethasone_mg : float or None
        mg per dose, every 8 hours for up to 3 days and then tapered over 4; None where the label
        asks for none.
    restart_ug_day : float or None
        The rate at which to restart.
    full_ug_day : float or None
        The rate after 7 days, if the reaction does not recur.
    text : str
        The rule in words.
    """

    action: str
    dexamethasone_mg: float | None
    restart_ug_day: float | None
    full_ug_day: float | None
    text: str


def blinatumomab_after_crs(
    ctcae_grade: int, weight_kg: float, bsa_m2: float
) -> BlinatumomabAfterCrs:
    """Look up what the label asks for after cytokine release syndrome under blinatumomab.

    Parameters
    ----------
    ctcae_grade : int
        Grade 1 to 4 by CTCAE. The grade of another scale does not fit this table.
    weight_kg : float
        Body weight in kg; from 45 kg on doses are fixed.
    bsa_m2 : float
        Body surface area in m²; used below 45 kg.

    Returns
    -------
    BlinatumomabAfterCrs

    Raises
    ------
    InvalidInput
        If an argument is out of range.
    """
    bsa = _body_surface_area(bsa_m2)
    facts = {"ctcae_grade": ctcae_grade, "weight_kg": weight_kg}
    row = first_row(guideline("blinatumomab-after-crs"), facts).row
    return BlinatumomabAfterCrs(
        action=str(row.gives["action"]),
        dexamethasone_mg=_fixed_or_by_area(
            row.gives, "dexamethasone_mg", "dexamethasone_mg_m2", "max_dexamethasone_mg", bsa
        ),
        restart_ug_day=_fixed_or_by_area(
            row.gives, "restart_ug_day", "restart_ug_m2_day", "max_restart_ug_day", bsa
        ),
        full_ug_day=_fixed_or_by_area(
            row.gives, "full_ug_day", "full_ug_m2_day", "max_full_ug_day", bsa
        ),
        text=row.text,
    )


def management_facts(state: Mapping[str, object]) -> dict[str, object]:
    """Add to a patient's state what the management table asks for about tocilizumab.

    Parameters
    ----------
    state : mapping of str to object
        As for `recommend`.

    Returns
    -------
    dict of str to object
        The state, with the number of doses, the hours since the first, whether timing allows
        another, and whether tocilizumab is exhausted.

    Raises
    ------
    InvalidInput
        If ``now_h`` or ``tocilizumab_given_h`` is missing or not allowed.
    """
    for name in ("now_h", "tocilizumab_given_h"):
        if name not in state:
            raise InvalidInput(name, None, _ALLOWED_TIMES[name])
    now = _number("now_h", state["now_h"])
    given = _start_times(now, state["tocilizumab_given_h"], "tocilizumab_given_h")
    limits = guideline("tocilizumab-crs").constants
    recent = sum(now < start + limits["window_h"].value for start in given)
    return {
        **state,
        "tocilizumab_doses": len(given),
        "hours_since_first_tocilizumab": now - given[0] if given else 0.0,
        "tocilizumab_timing_ok": tocilizumab_timing(now, given).allowed,
        "tocilizumab_exhausted": len(given) >= limits["max_doses"].value
        or recent >= limits["max_doses_in_24_h"].value,
    }


def recommend(state: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """List what the management table asks for, in order. A teaching model, not for patient care.

    Parameters
    ----------
    state : mapping of str to object
        ``product``, ``crs_grade``, ``icans_grade``, ``fever_days``, ``temp_c``, ``anc_10e9_l``,
        ``infection_suspected``, ``hypotension``, ``fluid_boluses``, ``improving`` and
        ``steroids_running`` as the table describes them; ``now_h``, the time in hours; and
        ``tocilizumab_given_h``, the start times of the doses given so far. All are needed; further
        entries are ignored.

    Returns
    -------
    tuple of (action, reason)

    Raises
    ------
    InvalidInput
        If an entry is missing or not allowed.
    """
    matches = actions(guideline("management-asco-2021"), management_facts(state))
    return tuple((str(m.row.gives["action"]), str(m.row.gives["reason"])) for m in matches)


_ALLOWED_TIMES = {
    "now_h": "a number of hours",
    "tocilizumab_given_h": "a list of start times in hours, none after now_h",
}


def _number(name: str, value: object) -> float:
    item = Input(name=name, meaning=name, kind="number")
    return float(check_value(item, value))


def _start_times(now_h: float, given_h: object, name: str = "given_h") -> list[float]:
    allowed = f"a list of start times in hours, none after {now_h:g}"
    if isinstance(given_h, str | bytes | Mapping) or not isinstance(given_h, Iterable):
        raise InvalidInput(name, given_h, allowed)
    starts = []
    for value in given_h:
        try:
            start = _number(name, value)
        except InvalidInput as error:
            raise InvalidInput(name, value, allowed) from error
        if start > now_h:
            raise InvalidInput(name, value, allowed)
        starts.append(start)
    return sorted(starts)


def _body_surface_area(bsa_m2: float) -> float:
    item = Input(
        name="bsa_m2", meaning="body surface area", kind="number", unit="m²", above=0, maximum=4
    )
    return float(check_value(item, bsa_m2))


def _fixed_or_by_area(
    gives: Mapping[str, Scalar], fixed: str, by_area: str, limit: str, bsa_m2: float
) -> float | None:
    """Return a fixed dose, or one by body surface area up to its limit, or None."""
    if fixed in gives:
        return float(gives[fixed])
    if by_area in gives:
        return min(float(gives[by_area]) * bsa_m2, float(gives[limit]))
    return None
