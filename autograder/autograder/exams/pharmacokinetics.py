"""Hidden checks of assignment 07, pharmacokinetics.

The right answers come from the models of the course. A slip changes the model, the units, or the
clock.
"""

import itertools
import math
from collections.abc import Sequence

from autograder.answers import same
from autograder.exam import NO_SLIPS, Concept, Exam, Slip, case
from crs.models import removal
from crs.models.parameters import load_model
from crs.models.simulation import Infusion, simulate

Slips = frozenset[str]
Dose = tuple[float, float, float]

_INVALID_HINT = "The text lists which values raise a `ValueError`."
# Closed formulas: only the rounding of a computer is between two right answers.
_CLOSED_FORM = same(relative=1e-3, absolute=1e-9)
_MINUTES_5 = 5 / 60 / 24

_TOCILIZUMAB = load_model("tocilizumab").parameters
_VOLUME_L = _TOCILIZUMAB["central"].value


# Tocilizumab


def _rates(doses: Sequence[Dose]) -> list[Infusion]:
    """Cut infusions that may overlap, as those of a wrong model do, into ones that do not."""
    bounds = sorted({time for start, _, days in doses for time in (start, start + days)})
    pieces = []
    for begin, end in itertools.pairwise(bounds):
        middle = (begin + end) / 2
        rate = sum(mg / days for start, mg, days in doses if start < middle < start + days)
        if rate:
            pieces.append(Infusion(begin, rate * (end - begin), end - begin))
    return pieces


def _tocilizumab_conc(
    times_d: Sequence[float], doses: Sequence[Dose], *, slips: Slips = NO_SLIPS
) -> list[float]:
    if any(time < 0 for time in times_d):
        raise ValueError("times_d must not hold a negative time")
    if any(amount < 0 for _, amount, _ in doses):
        raise ValueError("doses must not hold a negative amount")
    if any(hours <= 0 for _, _, hours in doses):
        raise ValueError("doses must not hold a duration of 0 or below")
    if "first-dose-only" in slips:
        doses = doses[:1]
    days = [
        (
            0.0 if "starts-ignored" in slips else start,
            amount,
            _MINUTES_5 if "bolus" in slips else hours / (1 if "hours-as-days" in slips else 24),
        )
        for start, amount, hours in doses
    ]
    patient = {}
    if "linear-only" in slips:
        patient["maximal_rate"] = 0.0
    if "one-compartment" in slips:
        patient["exchange"] = 0.0
    if "amount-in-saturation" in slips:
        patient["half_maximum"] = _TOCILIZUMAB["half_maximum"].value / _VOLUME_L
    order = sorted(range(len(times_d)), key=lambda at: times_d[at])
    found = simulate(
        "tocilizumab",
        [times_d[at] for at in order],
        infusions=_rates(days),
        parameters=patient,
        outputs=["concentration"],
    ).values["concentration"]
    level = [0.0] * len(times_d)
    for at, value in zip(order, found, strict=True):
        level[at] = float(value) * (_VOLUME_L if "amount" in slips else 1)
    return level


_ONE_HOUR = 1 / 24

tocilizumab_conc = Exam(
    name="tocilizumab_conc",
    answer=_tocilizumab_conc,
    concepts=(
        Concept(
            "One infusion of one hour",
            8,
            "What is the level before, during and just after the infusion? Are the rate, the time "
            "and the amount in units that fit, and is an amount divided by its volume?",
            (
                case([0, 0.5 / 24, _ONE_HOUR], [(0, 560, 1)]),
                case([_ONE_HOUR, 2 / 24], [(0, 240, 1)]),
                case([_ONE_HOUR], [(0, 800, 1)]),
            ),
        ),
        Concept(
            "The days after: two compartments, two ways out",
            9,
            "Which two ways out does the drug have, and which of them is saturable? Does the drug "
            "that went to the second compartment come back?",
            (
                case([1, 3, 7], [(0, 560, 1)]),
                case([14, 21, 28], [(0, 560, 1)]),
                case([14], [(0, 240, 1)]),
                case([10, 24], [(0, 700, 1)]),
            ),
        ),
        Concept(
            "Another length, another start",
            4,
            "Is the length of the infusion the one that was asked for? Does time count from 0, and "
            "not from the infusion?",
            (
                case([2 / 24, 4 / 24, 1], [(0, 480, 4)]),
                case([1, 2 + _ONE_HOUR, 5], [(2, 560, 1)]),
                case([0.25 / 24, 0.5 / 24], [(0, 560, 0.5)]),
            ),
        ),
        Concept(
            "Several doses",
            5,
            "Does a second dose come on top of what is still there? Does the solver see every "
            "infusion, or does it step over a short one?",
            (
                case([7.9 / 24, 9 / 24, 1 + _ONE_HOUR], [(dose / 3, 560, 1) for dose in range(4)]),
                case([14, 14 + _ONE_HOUR, 28], [(0, 560, 1), (14, 560, 1)]),
                case([20 + _ONE_HOUR, 27], [(0, 400, 1), (20, 400, 1)]),
            ),
        ),
        Concept(
            "No dose, and invalid input",
            2,
            _INVALID_HINT + " Without any dose the level is 0.",
            (
                case([0, 3, 9], []),
                case([-1, 3], [(0, 560, 1)]),
                case([1], [(0, -560, 1)]),
                case([1], [(0, 560, 0)]),
            ),
        ),
    ),
    slips=(
        Slip(
            "linear-only",
            "leaves out the saturable elimination, so that low levels fall too slowly",
        ),
        Slip("one-compartment", "leaves out the second compartment"),
        Slip(
            "amount-in-saturation",
            "puts the amount in mg into the saturable term, but KM is a concentration",
        ),
        Slip("amount", "gives back an amount in mg, but the concentration is asked for"),
        Slip("hours-as-days", "takes the length of an infusion for days, but it is in hours"),
        Slip("bolus", "gives the dose at once, but it runs in over its duration"),
        Slip("first-dose-only", "looks at the first dose only"),
        Slip("starts-ignored", "starts every dose at time 0"),
    ),
    compare=same(relative=0.01, absolute=0.01),
    unit_slips={
        0.001: "milligrams became grams",
        1000: "that is ng/mL, and µg/mL are asked for",
        24: "a rate per hour was taken for a rate per day",
    },
)


# Blinatumomab


def _infusion_conc(
    times_h: Sequence[float],
    rate_ug_day: float,
    cl_l_h: float = 2.22,
    v_l: float = 5.98,
    *,
    slips: Slips = NO_SLIPS,
) -> list[float]:
    if any(time < 0 for time in times_h):
        raise ValueError("times_h must not hold a negative time")
    if rate_ug_day < 0:
        raise ValueError("rate_ug_day must not be negative")
    if cl_l_h <= 0:
        raise ValueError("cl_l_h must be above 0")
    if v_l <= 0:
        raise ValueError("v_l must be above 0")
    # 1 µg/L is 1000 pg/mL.
    settled = 1000 * rate_ug_day / (1 if "day-as-hour" in slips else 24) / cl_l_h
    rate = v_l / cl_l_h if "rate-upside-down" in slips else cl_l_h / v_l
    if "half-life-as-rate" in slips:
        rate *= math.log(2)
    if "bolus" in slips:
        return [1000 * rate_ug_day / v_l * math.exp(-rate * time) for time in times_h]
    if "settled-at-once" in slips:
        return [settled for _ in times_h]
    return [settled * (1 - math.exp(-rate * time)) for time in times_h]


infusion_conc = Exam(
    name="infusion_conc",
    answer=_infusion_conc,
    concepts=(
        Concept(
            "The steady state",
            7,
            "What does the level settle at when as much runs in as is cleared? Mind day and hour, "
            "µg and pg.",
            (
                case([96], 9),
                case([96, 120], 28),
                case([200], 9, 3.0),
                case([200], 15, 1.1, 4.0),
            ),
        ),
        Concept(
            "The rise",
            7,
            "How fast does the level rise, and what sets the speed: the rate, or clearance and "
            "volume?",
            (
                case([0, 1, 2], 9),
                case([1.87], 28),
                case([3, 6], 28, 2.22, 12.0),
                case([0.5, 4], 5, 1.0, 6.0),
            ),
        ),
        Concept(
            "No infusion",
            1,
            "What is the level when nothing runs?",
            (case([0, 5], 0), case([24], 9)),
        ),
        Concept(
            "Invalid input",
            3,
            _INVALID_HINT,
            (case([-1], 9), case([1], -9), case([1], 9, 0), case([1], 9, 2.22, -5)),
        ),
    ),
    slips=(
        Slip("bolus", "gives the amount of a whole day at once, but it runs in all day"),
        Slip("day-as-hour", "takes the rate per day for a rate per hour"),
        Slip("settled-at-once", "is at the steady state from the start, but the level has to rise"),
        Slip("rate-upside-down", "rises with volume over clearance; it is clearance over volume"),
        Slip(
            "half-life-as-rate",
            "has a ln 2 too many: with e as the base, the rate is clearance over volume alone",
        ),
    ),
    compare=_CLOSED_FORM,
    unit_slips={
        0.001: "that is ng/mL, and pg/mL are asked for",
        1e-6: "that is µg/mL, and pg/mL are asked for",
    },
)


# CAR T cells


def _car_t_level(
    times_d: Sequence[float],
    fold: float = 3900,
    t_max_d: float = 9.3,
    c_max: float = 24000,
    alpha: float = 0.16,
    f_b: float = 0.0079,
    beta: float = 0.0032,
    *,
    slips: Slips = NO_SLIPS,
) -> list[float]:
    if any(time < 0 for time in times_d):
        raise ValueError("times_d must not hold a negative time")
    if fold <= 1:
        raise ValueError("fold must be above 1")
    if t_max_d <= 0:
        raise ValueError("t_max_d must be above 0")
    if f_b < 0 or f_b > 1:
        raise ValueError("f_b must be from 0 to 1")

    def level(time: float) -> float:
        after = time - t_max_d
        if after <= 0:
            if "linear-growth" in slips:
                low = c_max / fold
                return low + (c_max - low) * time / t_max_d
            if "from-one-cell" in slips:
                return float(c_max ** (time / t_max_d))
            return float(c_max * fold ** (after / t_max_d))
        if "clock-from-infusion" in slips:
            after = time
        fast = 1.0 if "jump-at-the-peak" in slips else 1 - f_b
        slow = 0.0 if "no-persistence" in slips else f_b
        return c_max * (fast * math.exp(-alpha * after) + slow * math.exp(-beta * after))

    return [level(time) for time in times_d]


car_t_level = Exam(
    name="car_t_level",
    answer=_car_t_level,
    concepts=(
        Concept(
            "Growth",
            8,
            "At what level do the cells start, at what level do they peak, and what is the shape "
            "between the two?",
            (
                case([0, 3, 9.3]),
                case([5], 100),
                case([2, 6], 3900, 12),
                case([4.5], 1000, 9, 8000),
            ),
        ),
        Concept(
            "The first decline",
            5,
            "From which moment on does the decline count? What is the level right after the peak?",
            (
                case([9.3, 9.31, 14]),
                case([15], 3900, 9.3, 24000, 0.3),
                case([12, 20], 100, 6, 1000),
            ),
        ),
        Concept(
            "Persistence",
            7,
            "Which share of the peak declines slowly? Do both shares together make the peak?",
            (
                case([90, 365]),
                case([60], 3900, 9.3, 24000, 0.16, 0.05),
                case([9.4, 40], 3900, 9.3, 24000, 0.16, 0.3, 0.01),
            ),
        ),
        Concept(
            "Invalid input",
            2,
            _INVALID_HINT,
            (
                case([-2]),
                case([3], 1),
                case([3], 3900, 0),
                case([3], 3900, 9.3, 24000, 0.16, 1.2),
                case([3], 3900, 9.3, 24000, 0.16, -0.1),
            ),
        ),
    ),
    slips=(
        Slip(
            "jump-at-the-peak",
            "jumps at the peak: the fast share is 1 − f_b, so that both shares make 1",
        ),
        Slip("clock-from-infusion", "counts the decline from the infusion, not from the peak"),
        Slip("no-persistence", "forgets the share that declines slowly"),
        Slip("linear-growth", "lets the cells grow along a straight line, but they double"),
        Slip("from-one-cell", "starts at 1, but the start is c_max divided by fold"),
    ),
    compare=_CLOSED_FORM,
)


# C-reactive protein


def _crp_after_blockade(
    times_h: Sequence[float],
    crp0_mg_l: float,
    baseline_mg_l: float,
    half_life_h: float = 19,
    *,
    slips: Slips = NO_SLIPS,
) -> list[float]:
    right = removal.crp_after_blockade_mg_l(times_h, crp0_mg_l, baseline_mg_l, half_life_h)
    if not slips:
        return [float(level) for level in right]
    rest = 0.0 if "to-zero" in slips else baseline_mg_l
    if "linear" in slips:
        lost_an_hour = (crp0_mg_l - rest) / 2 / half_life_h
        return [max(rest, crp0_mg_l - lost_an_hour * time) for time in times_h]
    above = crp0_mg_l if "baseline-on-top" in slips else crp0_mg_l - rest
    base = math.e if "e-as-base" in slips else 2.0
    return [rest + above * base ** (-time / half_life_h) for time in times_h]


crp_after_blockade = Exam(
    name="crp_after_blockade",
    answer=_crp_after_blockade,
    concepts=(
        Concept(
            "Halves with every half-life",
            7,
            "What is left after one half-life, and after two?",
            (
                case([0, 19, 38], 160, 0),
                case([9.5, 57], 200, 0),
                case([10, 20], 80, 0, 10),
                case([24], 120, 0, 30),
            ),
        ),
        Concept(
            "Returns to its baseline",
            5,
            "To which level does it return, and what is it then that halves?",
            (
                case([0, 19], 100, 5),
                case([38, 200], 62, 4),
                case([12], 90, 30),
                case([30], 45, 20, 15),
            ),
        ),
        Concept(
            "Invalid input",
            2,
            _INVALID_HINT,
            (case([-1], 100, 5), case([1], -100, 5), case([1], 100, -5), case([1], 100, 5, 0)),
        ),
    ),
    slips=(
        Slip("to-zero", "falls to 0, but it returns to the baseline"),
        Slip("linear", "falls along a straight line, but it halves again and again"),
        Slip("e-as-base", "divides by e in a half-life, but a half-life halves"),
        Slip(
            "baseline-on-top",
            "adds the baseline on top: what halves is the difference from the baseline",
        ),
    ),
    compare=_CLOSED_FORM,
)


# Plasma exchange


def _fraction_removed(
    exchanged_volume_l: float, plasma_volume_l: float, *, slips: Slips = NO_SLIPS
) -> float:
    removed = removal.fraction_removed(exchanged_volume_l, plasma_volume_l)
    if "volumes-swapped" in slips:
        if exchanged_volume_l == 0:
            return 1.0
        removed = 1 - math.exp(-plasma_volume_l / exchanged_volume_l)
    if "linear" in slips:
        removed = min(1.0, exchanged_volume_l / plasma_volume_l)
    return 1 - removed if "what-is-left" in slips else removed


fraction_removed = Exam(
    name="fraction_removed",
    answer=_fraction_removed,
    concepts=(
        Concept(
            "Each exchanged liter removes less than the one before",
            8,
            "How much is gone after one plasma volume, and after two? Can everything ever be gone?",
            (case(3, 3), case(1.5, 3), case(6, 3), case(2.8, 3.5), case(4.5, 2.5), case(0, 3)),
        ),
        Concept("Invalid input", 2, _INVALID_HINT, (case(-1, 3), case(3, 0), case(3, -2))),
    ),
    slips=(
        Slip(
            "linear",
            "removes everything with one plasma volume, but fresh plasma mixes with the old",
        ),
        Slip("what-is-left", "gives the share that is left, but the share removed is asked for"),
        Slip("volumes-swapped", "has the two volumes the wrong way round"),
    ),
    compare=_CLOSED_FORM,
    unit_slips={100: "that is a percentage, and a share from 0 to 1 is asked for"},
)
