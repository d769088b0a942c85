"""Hidden checks of assignment 06, treatment.

The numbers come from the guideline files of the course. A slip changes what is looked up there, or
what is done with it.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from autograder.calling import Outcome
from autograder.exam import NO_SLIPS, Case, Concept, CriticalError, Exam, Slip, case
from crs.guidelines import dosing, first_row, guideline, matching_rows

Slips = frozenset[str]

# An overdose is more than one and a quarter times the right dose: 12 mg/kg for an adult is.
_OVERDOSE = 1.25 * (1 + 1e-6)
_INVALID_HINT = "The text lists which values raise a `ValueError`."


def _gives(table_id: str, **facts: object) -> Mapping[str, Any]:
    """Look up what the first row of a table that applies gives."""
    return first_row(guideline(table_id), facts).row.gives


def _constant(table_id: str, name: str) -> float:
    return guideline(table_id).constants[name].value


def _number(outcome: Outcome) -> float | None:
    """Return the number that a function gave back, if it gave one."""
    value = outcome.value
    if outcome.kind != "value" or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= 1e300 else math.inf


# Tocilizumab: dose


def _tocilizumab_dose_mg(weight_kg: float, *, slips: Slips = NO_SLIPS) -> float:
    mg_per_kg = _gives("tocilizumab-crs", weight_kg=weight_kg)["mg_per_kg"]
    light = _gives("tocilizumab-crs", weight_kg=10)["mg_per_kg"]
    heavy = _gives("tocilizumab-crs", weight_kg=70)["mg_per_kg"]
    most = _constant("tocilizumab-crs", "max_dose_mg")
    if "thirty-is-light" in slips and weight_kg == 30:
        mg_per_kg = light
    if "swapped" in slips:
        mg_per_kg = heavy if mg_per_kg == light else light
    if "one-rate-for-all" in slips:
        mg_per_kg = heavy
    if "twelve-for-all" in slips:
        mg_per_kg = light
    dose = float(mg_per_kg * weight_kg)
    if "cap-as-minimum" in slips:
        dose = max(dose, most)
    elif "no-cap" not in slips:
        dose = min(dose, most)
    return float(round(dose)) if "rounded" in slips else dose


def _is_above_maximum_dose(asked: Case, right: Outcome, given: Outcome) -> bool:
    wanted, number = _number(right), _number(given)
    if wanted is None or number is None:
        return False
    # A mistake about which class exactly 30 kg belongs to costs its own points only.
    on_the_border = asked.args[0] == 30
    return number > 1.001 * _constant("tocilizumab-crs", "max_dose_mg") or (
        number > _OVERDOSE * wanted and not on_the_border
    )


tocilizumab_dose_mg = Exam(
    name="tocilizumab_dose_mg",
    answer=_tocilizumab_dose_mg,
    concepts=(
        Concept(
            "Two weight classes",
            3,
            "Which rate in mg/kg belongs to small children, and which to everybody else?",
            (case(10), case(12.5), case(20), case(45), case(62.5), case(75)),
        ),
        Concept(
            "The border at 30 kg",
            2,
            "To which class does a patient of exactly 30 kg belong? Do not round the dose.",
            (case(29.9), case(30), case(30.1)),
        ),
        Concept(
            "The maximum",
            2,
            "What is the largest amount in one infusion, and from which weight on does it matter?",
            (case(99.9), case(100), case(100.1), case(130), case(180)),
        ),
        Concept("Invalid input", 1, _INVALID_HINT, (case(0), case(-70))),
    ),
    slips=(
        Slip("thirty-is-light", "gives 12 mg/kg at exactly 30 kg, but from 30 kg on it is 8 mg/kg"),
        Slip("swapped", "has the two rates the wrong way round: the lighter class gets 12 mg/kg"),
        Slip("one-rate-for-all", "gives every patient 8 mg/kg, but below 30 kg it is 12 mg/kg"),
        Slip("twelve-for-all", "gives every patient 12 mg/kg, but from 30 kg on it is 8 mg/kg"),
        Slip("no-cap", "has no maximum, but one infusion never holds more than 800 mg"),
        Slip("cap-as-minimum", "takes the maximum for a minimum: `min` and `max` are swapped"),
        Slip("rounded", "rounds the dose, but the exact product is asked for"),
    ),
    critical_errors=(
        CriticalError(
            "Overdose of tocilizumab",
            "One infusion holds at most 800 mg, whatever the weight; below that the dose follows "
            "the weight. The label recommends no more. A function that gives doses needs its upper "
            "limit before anything else.",
            _is_above_maximum_dose,
        ),
    ),
    unit_slips={
        0.001: "milligrams became grams",
        0.05: "that is the volume in mL of the 20 mg/mL concentrate, not the dose in mg",
        2.20462: "kilograms became pounds",
    },
)


# Tocilizumab: timing


def _tocilizumab_timing_ok(
    now_h: float,
    given_h: Sequence[float],
    min_interval_h: float = 8,
    *,
    slips: Slips = NO_SLIPS,
) -> bool:
    if min_interval_h <= 0:
        raise ValueError("min_interval_h must be above 0")
    if any(time > now_h for time in given_h):
        raise ValueError("given_h must not hold a time after now_h")
    if not given_h:
        return True
    interval = (
        _constant("tocilizumab-crs", "min_interval_h")
        if "eight-hours-always" in slips
        else min_interval_h
    )
    latest = given_h[-1] if "last-written" in slips else max(given_h)
    if "from-first-dose" in slips:
        latest = min(given_h)
    elapsed = now_h - latest
    if "from-end-of-infusion" in slips:
        elapsed -= _constant("tocilizumab-crs", "infusion_h")
    if "rounded-hours" in slips:
        elapsed = round(elapsed)
    waited = elapsed > interval if "interval-exclusive" in slips else elapsed >= interval
    most = _constant("tocilizumab-crs", "max_doses")
    if "four-more" in slips:
        most += 1
    elif "three-in-all" in slips:
        most -= 1
    window = _constant("tocilizumab-crs", "window_h")
    recent = [
        time
        for time in given_h
        if now_h - time < window or ("window-inclusive" in slips and now_h - time == window)
    ]
    most_recent = _constant("tocilizumab-crs", "max_doses_in_24_h")
    crowded = len(recent) + 1 > most_recent and "no-window" not in slips
    return bool(waited and len(given_h) + 1 <= most and not crowded)


def _is_fifth_dose(asked: Case, right: Outcome, given: Outcome) -> bool:
    doses = asked.args[1]
    return len(doses) >= _constant("tocilizumab-crs", "max_doses") and given.value is True


tocilizumab_timing_ok = Exam(
    name="tocilizumab_timing_ok",
    answer=_tocilizumab_timing_ok,
    concepts=(
        Concept(
            "Eight hours from start to start",
            2,
            "Is exactly the interval enough? A minute less? Where does the interval begin and end?",
            (
                case(5, []),
                case(7.99, [0]),
                case(7.75, [0]),
                case(8, [0]),
                case(10.5, [2.5]),
                case(13, [4]),
                case(8.25, [0]),
                case(8.75, [0]),
                case(10, [3]),
            ),
        ),
        Concept(
            "The latest dose counts",
            2,
            "Several doses were given, in any order: from which of them is the interval counted?",
            (
                case(35, [0, 30]),
                case(35, [30, 0]),
                case(42, [30, 0]),
                case(55, [50, 25]),
                case(60, [25, 50]),
            ),
        ),
        Concept(
            "Four doses in all",
            2,
            "How many doses may there be in all, the first one included?",
            (
                case(90, [0, 30, 60]),
                case(120, [0, 30, 60, 90]),
                case(500, [0, 30, 60, 90]),
                case(300, [30, 0, 60, 90]),
                case(70, [0, 30]),
            ),
        ),
        Concept(
            "Three doses in any 24 hours",
            2,
            "Count the doses in the 24 hours up to now, with the one asked for. Does a dose "
            "exactly 24 hours ago still count?",
            (
                case(23, [0, 7, 14], min_interval_h=6),
                case(24, [0, 7, 14], min_interval_h=6),
                case(22, [14, 0, 7], min_interval_h=5),
                case(41, [17, 24, 31], min_interval_h=6),
                case(40.5, [17, 24, 31], min_interval_h=6),
                case(25, [0, 7, 14], min_interval_h=6),
            ),
        ),
        Concept(
            "Another interval",
            1,
            "The interval is an argument; 8 hours is only what it is when nobody says otherwise.",
            (
                case(7.25, [0], min_interval_h=6),
                case(7.25, [0]),
                case(5, [0], min_interval_h=6),
                case(10.25, [0], min_interval_h=12),
                case(14, [0], min_interval_h=12),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            _INVALID_HINT,
            (
                case(4, [5]),
                case(20, [0, 30, 8]),
                case(20, [0], min_interval_h=0),
                case(20, [0], min_interval_h=-6),
            ),
        ),
    ),
    slips=(
        Slip(
            "four-more",
            "allows four more doses after the first, but the label allows three more: four in all",
        ),
        Slip("three-in-all", "stops after three doses, but four in all are allowed"),
        Slip(
            "interval-exclusive",
            "asks for more than the interval, but exactly the interval is enough",
        ),
        Slip("rounded-hours", "rounds the hours, so that a dose some minutes too early passes"),
        Slip("window-inclusive", "still counts a dose given exactly 24 hours ago"),
        Slip(
            "no-window",
            "does not apply the limit of three doses in 24 hours, or does not count the dose asked "
            "for",
        ),
        Slip(
            "last-written",
            "takes the last time in the list for the latest, but the list is in any order",
        ),
        Slip("from-first-dose", "counts the interval from the first dose instead of the latest"),
        Slip(
            "from-end-of-infusion",
            "counts from the end of the infusion an hour later, but the rule is start to start",
        ),
        Slip("eight-hours-always", "ignores `min_interval_h` and always waits 8 hours"),
    ),
    critical_errors=(
        CriticalError(
            "A fifth dose of tocilizumab",
            "Four doses in all is the limit: the first, and up to three additional ones. A patient "
            "who has had four and is no better needs something else, not a fifth.",
            _is_fifth_dose,
        ),
    ),
)


# Tocilizumab: vials


def _vial_sizes() -> list[int]:
    return sorted(int(row.gives["content_mg"]) for row in guideline("tocilizumab-vials").rows)


def _choose_vials(dose_mg: float, *, slips: Slips = NO_SLIPS) -> dict[int, int]:
    most = _constant("tocilizumab-crs", "max_dose_mg")
    if not 0 < dose_mg <= most:
        raise ValueError("dose_mg must be above 0 and at most 800")
    wanted = max(1, math.floor(dose_mg)) if "truncated" in slips else dose_mg
    sizes = _vial_sizes()
    if "greedy" in slips:
        return _largest_first(wanted, sizes)
    limits = [range(math.ceil(wanted / size) + 1) for size in sizes]
    sets = [
        counts
        for counts in itertools.product(*limits)
        if any(counts)
        and (_content(counts, sizes) >= wanted or "nearest-total" in slips)
        and ("one-size-only" not in slips or sum(map(bool, counts)) == 1)
    ]

    def cost(counts: tuple[int, ...]) -> tuple[float, ...]:
        waste, vials = abs(_content(counts, sizes) - wanted), sum(counts)
        if "fewest-first" in slips:
            return (vials, waste)
        if "many-small" in slips:
            return (waste, -vials)
        return (waste, vials)

    best = min(sets, key=cost)
    return dict(zip(sizes, best, strict=True))


def _content(counts: Iterable[int], sizes: Iterable[int]) -> int:
    return sum(count * size for count, size in zip(counts, sizes, strict=True))


def _largest_first(dose_mg: float, sizes: Sequence[int]) -> dict[int, int]:
    """Fill up with the largest vial that still fits; the smallest one tops up."""
    counts = dict.fromkeys(sizes, 0)
    left = dose_mg
    for size in sorted(sizes, reverse=True):
        counts[size] = int(left // size)
        left -= counts[size] * size
    counts[min(sizes)] += left > 0
    return counts


choose_vials = Exam(
    name="choose_vials",
    answer=_choose_vials,
    concepts=(
        Concept(
            "Vials that fit exactly",
            2,
            "Which vials hold the dose exactly? All three sizes must be keys of the answer.",
            (case(80), case(160), case(200), case(280), case(360)),
        ),
        Concept(
            "Never less than the dose",
            2,
            "What must the vials hold at least, even when the dose is only a little above them?",
            (case(30), case(80.4), case(100), case(150), case(270), case(358.8)),
        ),
        Concept(
            "Least waste",
            2,
            "Starting with the largest vial is not always best. Compare all combinations that are "
            "enough.",
            (case(210), case(240), case(320), case(430), case(440), case(520)),
        ),
        Concept(
            "Then fewest vials",
            2,
            "Two combinations waste equally little: which of them is opened?",
            (case(400), case(472), case(480), case(800)),
        ),
        Concept(
            "All rules together",
            1,
            "First enough, then least waste, then fewest vials.",
            (case(396), case(560.5), case(590), case(630), case(680), case(720), case(790)),
        ),
        Concept(
            "Invalid input",
            1,
            _INVALID_HINT,
            (case(0), case(-80), case(801), case(1200)),
        ),
    ),
    slips=(
        Slip(
            "greedy",
            "starts with the largest vial that fits, and so wastes drug where smaller vials fit "
            "exactly",
        ),
        Slip(
            "fewest-first",
            "takes the fewest vials and looks at the waste only then; the order is the other way "
            "round",
        ),
        Slip("many-small", "wastes little, but opens more vials than it needs"),
        Slip("nearest-total", "takes the nearest total, even when that is less than the dose"),
        Slip("one-size-only", "uses vials of one size only, but sizes can be mixed"),
        Slip("truncated", "drops the decimals of the dose, so that the vials may hold too little"),
    ),
)


# Corticosteroids


def _steroid_equivalent_mg(drug: str, dose_mg: float, to: str, *, slips: Slips = NO_SLIPS) -> float:
    if dose_mg < 0:
        raise ValueError("dose_mg must not be negative")

    def equivalent(name: str) -> float:
        try:
            number = float(_gives("steroid-equivalence", drug=name)["equivalent_mg"])
        except ValueError:
            raise ValueError(f"drug and to must be known, not {name!r}") from None
        if "hydrocortisone-25" in slips and name == "hydrocortisone":
            return 25.0
        return number

    of, into = equivalent(drug), equivalent(to)
    if "to-prednisone" in slips:
        into = equivalent("prednisone")
    if "methylprednisolone-is-prednisone" in slips:
        prednisone = equivalent("prednisone")
        of = prednisone if drug == "methylprednisolone" else of
        into = prednisone if to == "methylprednisolone" else into
    dose = dose_mg * of / into if "inverse" in slips else dose_mg * into / of
    return float(round(dose)) if "rounded" in slips else dose


steroid_equivalent_mg = Exam(
    name="steroid_equivalent_mg",
    answer=_steroid_equivalent_mg,
    concepts=(
        Concept(
            "There and back",
            2,
            "Does the weaker drug need more milligrams or fewer?",
            (
                case("dexamethasone", 6, "prednisone"),
                case("prednisone", 60, "dexamethasone"),
                case("prednisone", 100, "dexamethasone"),
                case("dexamethasone", 12, "dexamethasone"),
            ),
        ),
        Concept(
            "Methylprednisolone",
            2,
            "Which line of the table belongs to it? Do not round.",
            (
                case("dexamethasone", 10, "methylprednisolone"),
                case("methylprednisolone", 500, "dexamethasone"),
                case("methylprednisolone", 63, "prednisone"),
                case("prednisone", 49, "methylprednisolone"),
            ),
        ),
        Concept(
            "Hydrocortisone",
            1,
            "Which line of the table belongs to it? Do not round.",
            (
                case("hydrocortisone", 50, "dexamethasone"),
                case("prednisone", 30, "hydrocortisone"),
                case("hydrocortisone", 75, "prednisone"),
                case("dexamethasone", 6.5, "hydrocortisone"),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            _INVALID_HINT,
            (
                case("cortisone", 25, "prednisone"),
                case("prednisone", 25, "cortisone"),
                case("prednisone", -5, "dexamethasone"),
            ),
        ),
    ),
    slips=(
        Slip("inverse", "divides where it should multiply: the weaker drug needs more milligrams"),
        Slip("to-prednisone", "always converts to prednisone and ignores `to`"),
        Slip(
            "methylprednisolone-is-prednisone",
            "takes methylprednisolone for as weak as prednisone, but 4 mg of it equal 5 mg "
            "of prednisone",
        ),
        Slip("hydrocortisone-25", "takes 25 mg of hydrocortisone where the table has 20 mg"),
        Slip("rounded", "rounds the dose, but the exact quotient is asked for"),
    ),
    unit_slips={1000.0: "milligrams became micrograms", 0.001: "milligrams became grams"},
)


def _methylprednisolone_day_dose_mg(day: int, *, slips: Slips = NO_SLIPS) -> float:
    _gives("methylprednisolone-asco-grade-4", day=day)  # refuses what is no day

    def total(looked_up: int) -> float:
        row = _gives("methylprednisolone-asco-grade-4", day=looked_up)
        doses = 1 if "per-dose" in slips else row["doses_per_day"]
        return float(row["mg_per_dose"] * doses)

    if "stops-on-day-8" in slips and day >= 8:
        return 0.0
    looked_up = day
    if "stays-at-125" in slips and day >= 8:
        looked_up = 7
    elif "one-day-early" in slips:
        looked_up = day + 1
    elif "one-day-late" in slips:
        looked_up = max(1, day - 1)
    if "cumulative" in slips:
        return sum(total(number) for number in range(1, looked_up + 1))
    return total(looked_up)


methylprednisolone_day_dose_mg = Exam(
    name="methylprednisolone_day_dose_mg",
    answer=_methylprednisolone_day_dose_mg,
    concepts=(
        Concept(
            "The total of a day",
            3,
            "The table gives single doses. How many of them are there in a day?",
            (case(1), case(2), case(9)),
        ),
        Concept(
            "The day of each step",
            3,
            "The first day is day 1. Which days still have the old dose?",
            (case(3), case(4), case(5), case(6), case(7)),
        ),
        Concept(
            "From day 8 on",
            1,
            "What is given while CRS has not improved to grade 1?",
            (case(1), case(8), case(10), case(14)),
        ),
        Concept("Invalid input", 1, _INVALID_HINT, (case(0), case(-1), case(-10))),
    ),
    slips=(
        Slip("per-dose", "gives one dose, but two are given a day and the total is asked for"),
        Slip("one-day-early", "steps down one day early, as if the first day were day 0"),
        Slip("one-day-late", "steps down one day late"),
        Slip(
            "stops-on-day-8",
            "stops on day 8, but 60 mg every 12 hours go on until CRS has improved to grade 1",
        ),
        Slip("stays-at-125", "stays at 125 mg per dose, but from day 8 on it is 60 mg"),
        Slip("cumulative", "adds up all days so far, but the total of one day is asked for"),
    ),
    unit_slips={
        0.001: "milligrams became grams",
        2.0: "that is a dose every 6 hours, but the interval is 12 hours",
    },
)


# Blinatumomab


def _blinatumomab_rate_ug_day(
    weight_kg: float,
    bsa_m2: float,
    cycle: int,
    day: int,
    indication: str,
    *,
    slips: Slips = NO_SLIPS,
) -> float:
    if bsa_m2 <= 0:
        raise ValueError("bsa_m2 must be above 0")
    facts = {"weight_kg": weight_kg, "cycle": cycle, "day": day, "indication": indication}
    _gives("blinatumomab-start", **facts)  # refuses what the table does not cover
    if "surface-for-all" in slips or ("forty-five-is-light" in slips and weight_kg == 45):
        facts["weight_kg"] = min(weight_kg, 44.9)
    elif "fixed-for-all" in slips:
        facts["weight_kg"] = max(weight_kg, 45)
    if "step-in-mrd" in slips:
        facts["indication"] = "relapsed/refractory"
    if "step-in-every-cycle" in slips:
        facts["cycle"] = 1
    if "no-step" in slips:
        facts["cycle"] = 2
    if "step-ends-early" in slips and day == 7:
        facts["day"] = 8
    if "step-too-long" in slips and day == 8:
        facts["day"] = 7
    if "no-break" in slips and day > 28:
        facts["day"] = 28
    if "break-too-early" in slips and day == 28:
        facts["day"] = 29
    row = _gives("blinatumomab-start", **facts)
    if "ug_day" in row:
        return float(row["ug_day"])
    rate = float(row["ug_m2_day"] * bsa_m2)
    return rate if "no-cap" in slips else min(rate, float(row["max_ug_day"]))


def _most_ug_day(step: bool) -> float:
    cycle = 1 if step else 2
    row = _gives(
        "blinatumomab-start", weight_kg=70, cycle=cycle, day=1, indication="relapsed/refractory"
    )
    return float(row["ug_day"])


def _is_rate_too_high(asked: Case, right: Outcome, given: Outcome) -> bool:
    wanted, number = _number(right), _number(given)
    if wanted is None or number is None:
        return False
    step = 0 < wanted <= _most_ug_day(step=True) and number > 1.001 * _most_ug_day(step=True)
    return number > 1.001 * _most_ug_day(step=False) or step or number > _OVERDOSE * wanted


_RR, _MRD = "relapsed/refractory", "MRD"

blinatumomab_rate_ug_day = Exam(
    name="blinatumomab_rate_ug_day",
    answer=_blinatumomab_rate_ug_day,
    concepts=(
        Concept(
            "Where the step belongs",
            3,
            "In which indication, and in which cycle, does the infusion start low?",
            (
                case(70, 1.8, 1, 2, _RR),
                case(70, 1.8, 1, 2, _MRD),
                case(70, 1.8, 2, 2, _RR),
                case(80, 2.0, 3, 5, _RR),
                case(60, 1.6, 1, 12, _RR),
                case(60, 1.6, 2, 4, _MRD),
                case(22, 0.8, 1, 3, _MRD),
                case(22, 0.8, 2, 3, _RR),
                case(22, 0.8, 1, 3, _RR),
            ),
        ),
        Concept(
            "Seven days at the low rate",
            2,
            "Which is the last day at the low rate, and which the first at the full one?",
            (
                case(70, 1.8, 1, 1, _RR),
                case(70, 1.8, 1, 7, _RR),
                case(70, 1.8, 1, 8, _RR),
                case(30, 1.1, 1, 7, _RR),
                case(30, 1.1, 1, 8, _RR),
            ),
        ),
        Concept(
            "Fixed or by body surface",
            2,
            "From 45 kg on, does the body surface matter? And at exactly 45 kg?",
            (
                case(44.9, 1.4, 2, 10, _RR),
                case(45, 1.4, 2, 10, _RR),
                case(45, 1.4, 1, 3, _RR),
                case(44.9, 1.4, 1, 3, _RR),
                case(90, 2.1, 1, 20, _MRD),
                case(55, 1.5, 2, 20, _MRD),
                case(15, 0.64, 1, 20, _MRD),
                case(18, 0.75, 1, 4, _RR),
            ),
        ),
        Concept(
            "The maximum below 45 kg",
            2,
            "A rate by body surface never exceeds the fixed one.",
            (
                case(44, 1.95, 2, 10, _RR),
                case(44, 1.95, 1, 3, _RR),
                case(43, 1.9, 1, 15, _MRD),
                case(43, 1.85, 1, 6, _RR),
                case(43, 1.85, 2, 6, _RR),
            ),
        ),
        Concept(
            "Twenty-eight days on, fourteen off",
            2,
            "Until which day does the infusion run, and what is the rate after that?",
            (
                case(70, 1.8, 1, 28, _RR),
                case(70, 1.8, 1, 29, _RR),
                case(25, 0.9, 2, 28, _MRD),
                case(25, 0.9, 2, 35, _MRD),
                case(70, 1.8, 2, 42, _MRD),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            _INVALID_HINT,
            (
                case(0, 1.8, 1, 1, _RR),
                case(70, 0, 1, 1, _RR),
                case(70, 1.8, 0, 1, _RR),
                case(70, 1.8, 1, 0, _RR),
                case(70, 1.8, 1, 43, _MRD),
                case(70, 1.8, 1, 1, "lymphoma"),
            ),
        ),
    ),
    slips=(
        Slip(
            "forty-five-is-light",
            "treats exactly 45 kg as below 45 kg, but the rate is fixed there",
        ),
        Slip(
            "step-in-mrd", "starts low in MRD too, but the step is for relapsed/refractory disease"
        ),
        Slip("step-in-every-cycle", "starts low in every cycle, but the step belongs to cycle 1"),
        Slip("no-step", "starts at the full rate, but relapsed/refractory cycle 1 starts low"),
        Slip("surface-for-all", "uses body surface from 45 kg on as well, where the rate is fixed"),
        Slip("fixed-for-all", "gives the fixed rate below 45 kg too, where body surface decides"),
        Slip("no-cap", "has no maximum for the rate by body surface"),
        Slip("step-ends-early", "goes up on day 7, but days 1 to 7 are at the low rate"),
        Slip("step-too-long", "goes up on day 9, but from day 8 on the rate is the full one"),
        Slip("no-break", "goes on after day 28, but days 29 to 42 are free of treatment"),
        Slip("break-too-early", "stops on day 28, but day 28 is the last day of infusion"),
    ),
    critical_errors=(
        CriticalError(
            "Overdose of blinatumomab",
            "The first week of a first cycle in relapsed/refractory leukemia runs at 9 µg/day at "
            "most, every other day of infusion at 28 µg/day at most, and below 45 kg at what the "
            "body surface gives. Starting too high brings on the very CRS that the step is there "
            "to prevent.",
            _is_rate_too_high,
        ),
    ),
    unit_slips={1 / 24: "that is the rate per hour, but the rate per day is asked for"},
)


_REGRADE = {"action": "regrade", "restart_ug_day": None, "dexamethasone_mg": None}


def _blinatumomab_after_crs(
    ctcae_grade: int,
    weight_kg: float,
    bsa_m2: float,
    *,
    scale: str = "CTCAE",
    slips: Slips = NO_SLIPS,
) -> dict[str, Any]:
    if bsa_m2 <= 0:
        raise ValueError("bsa_m2 must be above 0")
    if scale not in ("CTCAE", "ASTCT", "Lee"):
        raise ValueError("scale must be CTCAE, ASTCT or Lee")
    facts = {"ctcae_grade": ctcae_grade, "weight_kg": weight_kg}
    _gives("blinatumomab-after-crs", **facts)  # refuses what the table does not cover
    if scale != "CTCAE" and "any-scale" not in slips:
        return dict(_REGRADE)
    if "interrupts-grade-2" in slips and ctcae_grade == 2:
        facts["ctcae_grade"] = 3
    if "restarts-after-4" in slips and ctcae_grade == 4:
        facts["ctcae_grade"] = 3
    if "stops-at-3" in slips and ctcae_grade == 3:
        facts["ctcae_grade"] = 4
    if "surface-for-all" in slips or ("forty-five-is-light" in slips and weight_kg == 45):
        facts["weight_kg"] = min(weight_kg, 44.9)
    elif "fixed-for-all" in slips:
        facts["weight_kg"] = max(weight_kg, 45)
    row = _gives("blinatumomab-after-crs", **facts)
    name = "full" if "full-rate" in slips else "restart"
    restart = _fixed_or_by_surface(row, f"{name}_ug_day", f"{name}_ug_m2_day", bsa_m2, slips)
    steroid = _fixed_or_by_surface(row, "dexamethasone_mg", "dexamethasone_mg_m2", bsa_m2, slips)
    if steroid is not None and "steroid-per-day" in slips:
        steroid *= 24 / _constant("blinatumomab-after-crs", "dexamethasone_interval_h")
    if "no-steroid-at-4" in slips and ctcae_grade == 4:
        steroid = None
    return {"action": row["action"], "restart_ug_day": restart, "dexamethasone_mg": steroid}


def _fixed_or_by_surface(
    row: Mapping[str, Any], fixed: str, by_surface: str, bsa_m2: float, slips: Slips
) -> float | None:
    if fixed in row:
        return float(row[fixed])
    if by_surface not in row:
        return None
    amount = float(row[by_surface] * bsa_m2)
    return amount if "no-cap" in slips else min(amount, float(row[f"max_{fixed}"]))


def _is_restart_too_high(asked: Case, right: Outcome, given: Outcome) -> bool:
    if right.kind != "value" or given.kind != "value" or not isinstance(given.value, dict):
        return False
    rate = given.value.get("restart_ug_day")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not rate > 0:
        return False
    if right.value["action"] == "stop":
        return True
    wanted = right.value["restart_ug_day"]
    return wanted is not None and (
        rate > 1.001 * _most_ug_day(step=True) or rate > _OVERDOSE * wanted
    )


blinatumomab_after_crs = Exam(
    name="blinatumomab_after_crs",
    answer=_blinatumomab_after_crs,
    concepts=(
        Concept(
            "Grades 1 and 2: the infusion may go on",
            2,
            "What do the first two rows of the table say? All three keys belong to every answer.",
            (case(1, 70, 1.8), case(2, 70, 1.8), case(1, 20, 0.8), case(2, 20, 0.8)),
        ),
        Concept(
            "Grade 3: interrupt, and restart low",
            2,
            "At which rate does the infusion restart from 45 kg on, 45 kg included?",
            (case(3, 70, 1.8), case(3, 45, 1.35), case(3, 55, 1.5), case(1, 50, 1.5)),
        ),
        Concept(
            "Grade 3 below 45 kg",
            2,
            "Which numbers are multiplied by the body surface?",
            (case(3, 22, 0.85), case(3, 44.9, 1.4), case(3, 12, 0.54), case(3, 38, 1.25)),
        ),
        Concept(
            "The maximum below 45 kg",
            1,
            "Neither the rate nor the steroid exceeds what a heavier patient gets.",
            (case(3, 44, 1.95), case(3, 42, 1.7), case(3, 43, 1.75)),
        ),
        Concept(
            "Grade 4: stop for good",
            1,
            "Is there a restart after grade 4? And is there a steroid?",
            (case(4, 70, 1.8), case(4, 20, 0.8), case(4, 30, 1.1)),
        ),
        Concept(
            "The grade of another scale",
            1,
            "The rows speak of CTCAE grades. What if the number comes from another scale?",
            (
                case(2, 70, 1.8, scale="ASTCT"),
                case(3, 70, 1.8, scale="ASTCT"),
                case(4, 20, 0.8, scale="Lee"),
                case(1, 70, 1.8, scale="CTCAE"),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            _INVALID_HINT,
            (
                case(0, 70, 1.8),
                case(5, 70, 1.8),
                case(3, 0, 1.8),
                case(3, 70, -1),
                case(3, 70, 1.8, scale="NYHA"),
            ),
        ),
    ),
    slips=(
        Slip("full-rate", "restarts at the full rate, but after grade 3 it restarts low"),
        Slip(
            "any-scale",
            "takes the grade of another scale for a CTCAE grade; the same patient has different "
            "grades on different scales",
        ),
        Slip(
            "interrupts-grade-2", "interrupts at grade 2, where an interruption may be considered"
        ),
        Slip(
            "stops-at-3", "stops for good at grade 3, where the infusion restarts when CRS is over"
        ),
        Slip("restarts-after-4", "restarts after grade 4, where it stops for good"),
        Slip("forty-five-is-light", "treats exactly 45 kg as below 45 kg"),
        Slip("surface-for-all", "uses body surface from 45 kg on as well, where doses are fixed"),
        Slip("fixed-for-all", "gives fixed doses below 45 kg too, where body surface decides"),
        Slip("no-cap", "has no maximum for the doses by body surface"),
        Slip(
            "steroid-per-day", "gives the dexamethasone of a whole day, but one dose is asked for"
        ),
        Slip("no-steroid-at-4", "gives no dexamethasone at grade 4, where it is as at grade 3"),
    ),
    critical_errors=(
        CriticalError(
            "Restart of blinatumomab at too high a rate",
            "After grade 3 the infusion restarts at 9 µg/day at most (below 45 kg at 5 µg/m²/day), "
            "and after grade 4 never. Going straight back to the full rate repeats the reaction.",
            _is_restart_too_high,
        ),
    ),
)


# The decision table

_TABLE = "management-asco-2021"


def _with_slips_in_facts(facts: Mapping[str, Any], slips: Slips) -> dict[str, Any]:
    changed = dict(facts)
    if "neutrophils-inclusive" in slips and facts["anc_10e9_l"] == 0.5:
        changed["anc_10e9_l"] = 0.49
    if "fever-above" in slips and facts["temp_c"] == 38.0:
        changed["temp_c"] = 37.9
    if "three-days-are-enough" in slips and facts["fever_days"] == 3:
        changed["fever_days"] = 3.1
    if "day-not-over" in slips and facts["hours_since_first_tocilizumab"] == 24:
        changed["hours_since_first_tocilizumab"] = 23.9
    if "ignores-timing" in slips:
        changed["tocilizumab_timing_ok"] = True
    if "four-doses-only" in slips:
        most = _constant("tocilizumab-crs", "max_doses")
        changed["tocilizumab_exhausted"] = facts["tocilizumab_doses"] >= most
    if "second-line-without-steroids" in slips:
        changed["steroids_running"] = True
    return changed


@cache
def _ids_met(facts: frozenset[tuple[str, object]]) -> frozenset[str]:
    """Find the rows that apply; many wrong models see the same facts."""
    return frozenset(match.row.id for match in matching_rows(guideline(_TABLE), dict(facts)))


def _rows_met(facts: Mapping[str, Any], slips: Slips) -> list[str]:
    """Find the rows that someone with these slips takes for met, in the order of the table."""
    table = guideline(_TABLE)
    asked = {item.name: facts[item.name] for item in table.inputs if item.name in facts}

    def met_if(**changes: object) -> set[str]:
        return set(_ids_met(frozenset({**asked, **changes}.items())))

    met = met_if()

    def of(action: str) -> set[str]:
        return {row.id for row in table.rows if row.gives["action"] == action}

    if "treats-improving" in slips:
        met |= met_if(improving=False) & of("tocilizumab")
    if "every-grade-1" in slips and facts["crs_grade"] == 1:
        met |= met_if(fever_days=99) & of("tocilizumab")
    if "isolated-icans" in slips and facts["crs_grade"] == 0:
        improving = facts["improving"] and "treats-improving" not in slips
        with_crs = met_if(crs_grade=1, fever_days=0, improving=improving)
        met |= with_crs & {"tocilizumab-icans-with-crs"}
    if "icans-from-2" in slips and facts["icans_grade"] == 1:
        met -= {"tocilizumab-icans-with-crs"}
    if "icans-withholds" in slips and facts["icans_grade"] >= 1:
        met -= of("tocilizumab")
    if "steroid-before-tocilizumab" in slips and facts["tocilizumab_doses"] == 0:
        met |= met_if(tocilizumab_doses=1) & of("dexamethasone-10mg-q12h")
    if "no-antibiotics" in slips:
        met -= {"antibiotics-neutropenic-fever"}
    if "icu-for-crs-only" in slips:
        met -= {"icu-severe-icans"}
    return [row.id for row in table.rows if row.id in met]


def _recommend(state: Mapping[str, Any], *, slips: Slips = NO_SLIPS) -> list[tuple[str, str]]:
    facts = _with_slips_in_facts(dosing.management_facts(state), slips)
    table = guideline(_TABLE)
    rows = [table.row(row_id) for row_id in _rows_met(facts, slips)]
    replaced = {
        name.strip() for row in rows for name in str(row.gives.get("replaces", "")).split(",")
    }
    if "keeps-weaker-steroid" in slips:
        replaced = set()
    pairs: list[tuple[str, str]] = []
    for row in rows:
        action, reason = str(row.gives["action"]), str(row.gives["reason"])
        ordered = any(action == earlier for earlier, _ in pairs)
        if action not in replaced and (not ordered or "every-reason" in slips):
            pairs.append((action, reason))
    if "fluids-without-limit" in slips and facts["hypotension"]:
        pairs.append(("fluid-bolus", "hypotension"))
    if "gm-csf" in slips and facts["anc_10e9_l"] < 0.5:
        pairs.append(("gm-csf", "neutropenia"))
    return pairs


def _orders(given: Outcome, action: str) -> bool:
    """Tell whether an answer holds an action, with or without its reason."""
    if given.kind != "value" or not isinstance(given.value, list | tuple):
        return False
    return any(
        item == action or (isinstance(item, list | tuple) and len(item) > 0 and item[0] == action)
        for item in given.value
    )


def _is_for_isolated_icans(asked: Case, right: Outcome, given: Outcome) -> bool:
    state = asked.args[0]
    isolated = state.get("crs_grade") == 0 and state.get("icans_grade", 0) >= 1
    return isolated and _orders(given, "tocilizumab")


def _is_fifth_order(asked: Case, right: Outcome, given: Outcome) -> bool:
    doses = asked.args[0].get("tocilizumab_given_h", ())
    most = _constant("tocilizumab-crs", "max_doses")
    return right.kind == "value" and len(doses) >= most and _orders(given, "tocilizumab")


def _is_gm_csf(asked: Case, right: Outcome, given: Outcome) -> bool:
    return _orders(given, "gm-csf")


_WELL: dict[str, Any] = {
    "product": "axi-cel",
    "crs_grade": 0,
    "icans_grade": 0,
    "fever_days": 0,
    "temp_c": 37.0,
    "anc_10e9_l": 2.0,
    "infection_suspected": False,
    "hypotension": False,
    "fluid_boluses": 0,
    "improving": False,
    "now_h": 0,
    "tocilizumab_given_h": [],
    "steroids_running": False,
}


def _state(**changes: object) -> Case:
    """Build the case of a patient who is well but for these changes."""
    return case({**_WELL, **changes})


def _without(key: str) -> Case:
    return case({name: value for name, value in _WELL.items() if name != key})


recommend = Exam(
    name="recommend",
    answer=_recommend,
    concepts=(
        Concept(
            "Antibiotics",
            3,
            "Which two things make a neutropenic fever, and are their limits included? What if an "
            "infection is suspected as well?",
            (
                _state(),
                _state(anc_10e9_l=0.49, temp_c=38.0),
                _state(anc_10e9_l=0.1, temp_c=39.2, product="tisa-cel"),
                _state(anc_10e9_l=0.5, temp_c=39.0),
                _state(anc_10e9_l=0.2, temp_c=37.9),
                _state(infection_suspected=True),
                _state(infection_suspected=True, anc_10e9_l=0.3, temp_c=38.6),
            ),
        ),
        Concept(
            "Supportive care, neurological workup, intensive care",
            3,
            "From which grade on, and is it the grade of CRS, of ICANS, or either?",
            (
                _state(crs_grade=1, now_h=3, tocilizumab_given_h=[0], product="liso-cel"),
                _state(icans_grade=1),
                _state(crs_grade=2, now_h=3, tocilizumab_given_h=[0]),
                _state(icans_grade=3),
                _state(crs_grade=3, now_h=3, tocilizumab_given_h=[0], product="ide-cel"),
                _state(crs_grade=3, icans_grade=3, now_h=3, tocilizumab_given_h=[0]),
            ),
        ),
        Concept(
            "Tocilizumab for CRS",
            3,
            "From which grade on; after how many days of fever at grade 1; and if the patient is "
            "improving?",
            (
                _state(crs_grade=2, temp_c=38.9, fever_days=1),
                _state(crs_grade=2, temp_c=38.9, fever_days=5, improving=True),
                _state(crs_grade=1, temp_c=38.9, fever_days=2),
                _state(crs_grade=1, temp_c=38.9, fever_days=3),
                _state(crs_grade=1, temp_c=38.9, fever_days=3.5, product="cilta-cel"),
                _state(crs_grade=1, temp_c=38.9, fever_days=5, improving=True),
                _state(crs_grade=0, temp_c=38.9, fever_days=5),
            ),
        ),
        Concept(
            "Tocilizumab and ICANS",
            4,
            "Separate two patients: one with ICANS and CRS, one with ICANS alone.",
            (
                _state(icans_grade=1, now_h=30),
                _state(icans_grade=2, now_h=30, product="brexu-cel"),
                _state(icans_grade=1, crs_grade=1, temp_c=38.4, fever_days=1),
                _state(icans_grade=2, crs_grade=2),
                _state(icans_grade=1, crs_grade=3),
                _state(icans_grade=1, crs_grade=1, temp_c=38.4, fever_days=1, improving=True),
                _state(icans_grade=1, crs_grade=1, temp_c=38.4, fever_days=4),
            ),
        ),
        Concept(
            "Tocilizumab when timing allows",
            3,
            "The three rules of exercise 6.2 hold here too, with 8 hours.",
            (
                _state(crs_grade=2, now_h=7.5, tocilizumab_given_h=[0]),
                _state(crs_grade=2, now_h=8, tocilizumab_given_h=[0]),
                _state(crs_grade=2, now_h=20, tocilizumab_given_h=[15, 2]),
                _state(crs_grade=1, fever_days=4, now_h=71, tocilizumab_given_h=[0, 20, 40]),
                _state(crs_grade=1, fever_days=4, now_h=71, tocilizumab_given_h=[0, 20, 40, 60]),
                _state(crs_grade=1, fever_days=6, now_h=120, tocilizumab_given_h=[60, 0, 20, 40]),
                _state(crs_grade=1, fever_days=4, now_h=23.5, tocilizumab_given_h=[0, 7, 14]),
            ),
        ),
        Concept(
            "Dexamethasone at grade 2",
            3,
            "How many boluses, how many doses of tocilizumab, and how long since the first one?",
            (
                _state(
                    crs_grade=2,
                    hypotension=True,
                    fluid_boluses=1,
                    now_h=5,
                    tocilizumab_given_h=[0],
                ),
                _state(
                    crs_grade=2,
                    hypotension=True,
                    fluid_boluses=2,
                    now_h=5,
                    tocilizumab_given_h=[0],
                ),
                _state(crs_grade=2, hypotension=True, fluid_boluses=3, now_h=5),
                _state(crs_grade=2, fluid_boluses=2, now_h=5, tocilizumab_given_h=[0]),
                _state(
                    crs_grade=2,
                    hypotension=True,
                    fluid_boluses=2,
                    now_h=23.5,
                    tocilizumab_given_h=[0, 20],
                ),
                _state(
                    crs_grade=2,
                    hypotension=True,
                    fluid_boluses=2,
                    now_h=24,
                    tocilizumab_given_h=[20, 0],
                ),
                _state(crs_grade=2, now_h=24, tocilizumab_given_h=[0, 20]),
                _state(crs_grade=2, now_h=30, tocilizumab_given_h=[6, 25], improving=True),
                _state(crs_grade=2, now_h=48),
            ),
        ),
        Concept(
            "Dexamethasone every 6 hours",
            2,
            "Four rows lead to it. It replaces the dose every 12 hours.",
            (
                _state(crs_grade=3, now_h=3, tocilizumab_given_h=[0], product="liso-cel"),
                _state(icans_grade=3, now_h=3),
                _state(icans_grade=2, crs_grade=2, now_h=5, tocilizumab_given_h=[0]),
                _state(
                    icans_grade=2,
                    crs_grade=1,
                    now_h=5,
                    tocilizumab_given_h=[0],
                    improving=True,
                ),
                _state(icans_grade=1, crs_grade=2, now_h=5, tocilizumab_given_h=[0]),
                _state(
                    icans_grade=3,
                    crs_grade=2,
                    hypotension=True,
                    fluid_boluses=2,
                    now_h=6,
                    tocilizumab_given_h=[0],
                ),
            ),
        ),
        Concept(
            "Methylprednisolone",
            2,
            "It replaces dexamethasone of either interval.",
            (
                _state(crs_grade=4, now_h=3, tocilizumab_given_h=[0]),
                _state(icans_grade=4),
                _state(icans_grade=4, crs_grade=4, now_h=3, tocilizumab_given_h=[0]),
                _state(icans_grade=3, crs_grade=4, now_h=3, tocilizumab_given_h=[0]),
                _state(icans_grade=4, crs_grade=3, now_h=3, tocilizumab_given_h=[0]),
            ),
        ),
        Concept(
            "A second-line drug",
            2,
            "All four conditions must hold. When is tocilizumab exhausted?",
            (
                _state(
                    crs_grade=3,
                    now_h=71,
                    tocilizumab_given_h=[0, 20, 40, 64],
                    steroids_running=True,
                ),
                _state(crs_grade=3, now_h=71, tocilizumab_given_h=[0, 20, 40, 64]),
                _state(
                    crs_grade=3,
                    now_h=71,
                    tocilizumab_given_h=[0, 20, 40, 64],
                    steroids_running=True,
                    improving=True,
                ),
                _state(
                    crs_grade=4,
                    now_h=23,
                    tocilizumab_given_h=[0, 8, 16],
                    steroids_running=True,
                ),
                _state(
                    crs_grade=4,
                    now_h=28,
                    tocilizumab_given_h=[4, 12, 21],
                    steroids_running=True,
                ),
                _state(
                    crs_grade=2,
                    now_h=71,
                    tocilizumab_given_h=[0, 20, 40, 64],
                    steroids_running=True,
                ),
            ),
        ),
        Concept(
            "What no row orders",
            2,
            "Two actions of the order set stand in no row of the table.",
            (
                _state(anc_10e9_l=0.1),
                _state(crs_grade=1, anc_10e9_l=0.3, now_h=3, tocilizumab_given_h=[0]),
                _state(crs_grade=2, hypotension=True, fluid_boluses=4),
                _state(crs_grade=3, hypotension=True, fluid_boluses=1),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            _INVALID_HINT,
            (
                _without("product"),
                _without("icans_grade"),
                _without("tocilizumab_given_h"),
                _state(product="blinatumomab"),
                _state(crs_grade=5),
                _state(crs_grade=-1),
                _state(icans_grade=5),
                _state(now_h=5, tocilizumab_given_h=[6]),
            ),
        ),
    ),
    slips=(
        Slip(
            "isolated-icans",
            "gives tocilizumab for ICANS without CRS, where the guideline gives it no place",
        ),
        Slip(
            "icans-withholds",
            "withholds tocilizumab from CRS because there is ICANS as well; CRS is still treated",
        ),
        Slip(
            "icans-from-2",
            "waits for ICANS of grade 2 before it gives tocilizumab in CRS of grade 1",
        ),
        Slip("no-antibiotics", "gives no antibiotics in neutropenic fever"),
        Slip(
            "gm-csf",
            "orders GM-CSF for neutropenia; it drives the macrophages that feed CRS (G-CSF is "
            "another drug)",
        ),
        Slip(
            "fluids-without-limit",
            "orders a bolus whenever there is hypotension; the capillaries leak, and after two "
            "boluses fluid goes into the lungs",
        ),
        Slip("neutrophils-inclusive", "counts a neutrophil count of exactly 0.5 as below 0.5"),
        Slip("fever-above", "asks for more than 38.0 °C, but 38.0 °C counts"),
        Slip("three-days-are-enough", "takes three days of fever for more than three days"),
        Slip("every-grade-1", "gives tocilizumab for every CRS of grade 1"),
        Slip("treats-improving", "gives tocilizumab to a patient who is improving"),
        Slip("ignores-timing", "gives tocilizumab whatever was given before"),
        Slip("day-not-over", "takes exactly 24 hours for less than 24 hours"),
        Slip(
            "steroid-before-tocilizumab",
            "gives dexamethasone every 12 hours before any tocilizumab",
        ),
        Slip("keeps-weaker-steroid", "orders the weaker steroid beside the one that replaces it"),
        Slip(
            "every-reason", "orders an action once for every row; the first row that is met counts"
        ),
        Slip("icu-for-crs-only", "looks at CRS alone when it decides about intensive care"),
        Slip(
            "four-doses-only",
            "calls tocilizumab exhausted only after four doses, but three in the last 24 hours "
            "exhaust it too",
        ),
        Slip(
            "second-line-without-steroids",
            "goes to a second-line drug although no steroids are running",
        ),
    ),
    critical_errors=(
        CriticalError(
            "Tocilizumab for ICANS without CRS",
            "ICANS without CRS is treated with corticosteroids; the guideline gives tocilizumab no "
            "place there. With CRS of grade 1 or more the case is different: then CRS is treated.",
            _is_for_isolated_icans,
        ),
        CriticalError(
            "A fifth dose of tocilizumab",
            "Four doses in all is the limit. A patient who has had four and is no better needs "
            "something else, not a fifth.",
            _is_fifth_order,
        ),
        CriticalError(
            "GM-CSF",
            "The guideline advises against granulocyte-macrophage colony-stimulating factor "
            "(GM-CSF): it drives the macrophages that feed CRS. It stands in no row of the table. "
            "G-CSF is another drug.",
            _is_gm_csf,
        ),
    ),
    argument_names=("state", *_WELL),
)
