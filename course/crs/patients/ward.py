"""A ward: one virtual patient after CAR T cells, and orders every four hours for four weeks.

A policy is a function that is called at every visit with an `Observation` and returns orders:
``run_policy(policy, seed)`` tells what became of the patient. What lies beneath is a frozen
record, `Stay`, and three functions: `admit`, `observe` and `advance`. The same seed and the same
orders make the same course, whatever else ran before. `crs.patients.ward_env.Ward` is the same
for Gymnasium.

SYNTHETIC patients, a teaching model, and rules of harm that are conventions of this course.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from crs.errors import CourseError, InvalidInput
from crs.guidelines.dosing import (
    choose_vials,
    steroid_equivalent_mg,
    tocilizumab_dose_mg,
    tocilizumab_timing,
)
from crs.guidelines.loader import guideline
from crs.models.cascade import Dose, Snapshot, run_cascade
from crs.models.simulation import Numbers
from crs.patients.observation import (
    ASSAYS,
    FEVER_C,
    FLUIDS_REACH_MMHG,
    LOW_MAP_MMHG,
    LOW_SPO2,
    Assay,
    Support,
    astct_grade_of,
    ice_of,
    support_for,
)
from crs.patients.virtual import VirtualPatient, virtual_patient
from crs.patients.ward_orders import Order, orders_of
from crs.patients.ward_scoring import Cause, NeverEvent, Outcome
from crs.patients.ward_seen import (
    ChartEntry,
    Consciousness,
    Culture,
    DrugGiven,
    LabResult,
    Location,
    Observation,
)

# Patients to practice on. Others are kept for grading.
PRACTICE_SEEDS = range(30_000, 30_040)

STEP_H = 4.0
LAST_H = 672.0
_STEPS = int(LAST_H / STEP_H)
_MOST_VISITS_AHEAD = 8
_HOURS_A_DAY = 24.0

# ---- Conventions of the ward, none of them from a source

# Noise of a thermometer, a pressure line and an oximeter, as in the charts of the cohort.
_TEMP_NOISE_C, _MAP_NOISE_MMHG, _SPO2_NOISE = 0.1, 1.5, 1.0
BOLUS_L = 0.5
BOLUSES_A_DAY = 2
TRANSFER_H = 2.0
# The most that a floor can make up for: a nasal cannula at 6 L/min, and no vasopressor.
_FLOOR_FLOW_L_MIN = 6.0
_CANNULA_REACH = 7.0
# The most that vasopressors, beyond fluids, and a ventilator can make up for.
_PRESSORS_REACH_MMHG = 35.0
_VENTILATOR_REACHES_SPO2 = 55.0
UNAROUSABLE_FROM = 4.0
INFECTION_START = 0.02
MISSED_INFECTION = 0.5
CULTURE_H = 24.0
_CULTURE_FINDS_FROM = 0.05
_CULTURE_MISSES = 0.1
ANTIBIOTICS_H = 24.0
_GM_CSF_H, _GM_CSF_ON_MACROPHAGES = 24.0, 1.3
NEUTROPENIA_10E9_L = 0.5
_ANC_AT_REST, _ANC_LOWEST, _ANC_EDGE_H, _ANC_RECOVERY_H = 3.0, 0.1, 48.0, 96.0
DISCHARGE_FROM_H, _WELL_FOR_H = 240.0, 48.0
ANSWER_WITHIN_H = 4.0
_OVERDOSE = 1.1
# Harm per hour: for every mmHg and every % that nobody makes up for, at grade 4, at neurotoxicity
# of grade 3 and 4, and for a full infection.
_HARM_PER_MMHG, _HARM_PER_SPO2, _HARM_GRADE_4 = 0.01, 0.01, 0.004
_HARM_ICANS = {3: 0.002, 4: 0.006}
_HARM_INFECTION = 0.02

_ANC = Assay("", "anc_10e9_l", 0.05, 0.0, 50.0, 2.0, ())
PANELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "blood count": ("anc",),
        "inflammation panel": ("crp", "ferritin"),
        "cytokine panel": ("il6", "ifn_gamma"),
    }
)
_MORNING = ("blood count", "inflammation panel")
_LABS: Mapping[str, Assay] = MappingProxyType(
    {"anc": _ANC, **{name: ASSAYS[name] for name in ("crp", "ferritin", "il6", "ifn_gamma")}}
)
LAB_NAMES = tuple(assay.column for assay in _LABS.values())
# What makes a patient "treated" for ASTCT 2019, once the syndrome is established.
_TREATING = (
    "acetaminophen",
    "tocilizumab",
    "siltuximab",
    "anakinra",
    "dexamethasone",
    "methylprednisolone",
)
# What is charted as given.
_CHARTED = (*_TREATING, "antibiotics", "fluids", "gm-csf")
_STEROIDS = ("dexamethasone", "methylprednisolone")
_READ = (
    "temp_c",
    "map_mmhg",
    "spo2_room_air",
    "neurotoxicity",
    "infection",
    "crp",
    "ferritin",
    "il6_total",
    "ifn_gamma",
    "car_t",
)


class PolicyFailed(CourseError):
    """A policy raised an error, or gave back what is no list of orders.

    Parameters
    ----------
    time_h : float
        Of the visit.
    problem : str
        What went wrong.
    """

    def __init__(self, time_h: float, problem: str) -> None:
        self.time_h = time_h
        self.problem = problem
        super().__init__(f"The policy failed at hour {time_h:g}: {problem}")


Policy = Callable[[Observation], Sequence[object]]


# ---- The stay


@dataclass(frozen=True)
class _Tally:
    """What is counted for the outcome."""

    harm: Mapping[Cause, float] = field(default_factory=dict)
    car_t_area: float = 0.0
    icu_h: float = 0.0
    grade_4_h: float = 0.0
    infection_peak: float = 0.0
    antibiotic_h: float = 0.0
    wasted_mg: float = 0.0
    never_events: tuple[NeverEvent, ...] = ()


@dataclass(frozen=True)
class _Ahead:
    """What comes if nothing is given: hour by hour, over some visits."""

    begin_h: float
    visits: int
    parameters: Mapping[str, float]
    values: Mapping[str, Numbers]
    end: Snapshot

    @property
    def until_h(self) -> float:
        return self.begin_h + self.visits * STEP_H


@dataclass(frozen=True)
class Stay:
    """A patient on the ward at one visit, with all that only the model knows.

    Policies see `observe`. The fields below are for inspection and may change.

    Attributes
    ----------
    patient : VirtualPatient
    time_h : float
    """

    patient: VirtualPatient
    time_h: float
    end: Literal["well", "died", "still here", "on the ward"]
    _parameters: Mapping[str, float]
    _noise: Numbers
    _untreated_area: Numbers
    _snapshot: Snapshot
    _true: Mapping[str, float]
    _needs: Support
    _ahead: _Ahead | None = None
    _location: Location = "floor"
    _given: tuple[DrugGiven, ...] = ()
    _boluses: tuple[tuple[float, int], ...] = ()
    _antibiotics_until_h: float = 0.0
    _results: tuple[LabResult, ...] = ()
    _cultures: tuple[Culture, ...] = ()
    _chart: tuple[ChartEntry, ...] = ()
    _established: bool = False
    _treated: bool = False
    _unanswered_since_h: float | None = None
    _unanswered_counted: bool = False
    _tally: _Tally = field(default_factory=_Tally)

    @property
    def over(self) -> bool:
        """Whether there is no further visit."""
        return self.end != "on the ward"


def admit(seed: int) -> Stay:
    """Admit a patient at the hour at which CAR T cells are given.

    Parameters
    ----------
    seed : int
        From 0 to 2³¹ − 1. The same seed gives the same patient.

    Returns
    -------
    Stay

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    patient = virtual_patient(seed)
    parameters = patient.parameters
    times = np.arange(_STEPS + 1, dtype=np.float64) * STEP_H
    untreated = run_cascade(
        times, parameters=parameters, start=patient.start, outputs=["car_t"]
    ).values["car_t"]
    area = np.concatenate([[0.0], np.cumsum((untreated[1:] + untreated[:-1]) / 2 * STEP_H)])
    # One row per visit: noise is the patient's, whatever is ordered.
    random = np.random.RandomState([patient.seed, 3])
    noise = random.standard_normal((_STEPS + 1, 3 + len(_LABS) + 1))
    noise[:, -1] = random.random_sample(_STEPS + 1)
    first = run_cascade([0.0], parameters=parameters, start=patient.start, outputs=_READ)
    stay = Stay(
        patient=patient,
        time_h=0.0,
        end="on the ward",
        _parameters=parameters,
        _noise=noise,
        _untreated_area=area,
        _snapshot=first.end,
        _true={name: float(values[0]) for name, values in first.values.items()},
        _needs=Support(),
    )
    admission = tuple(replace(item, reported_h=0.0) for item in _drawn(stay, _MORNING))
    return _charted(replace(stay, _results=admission))


def observe(stay: Stay) -> Observation:
    """Show what a clinician sees now.

    Parameters
    ----------
    stay : Stay

    Returns
    -------
    Observation
    """
    now = stay.time_h
    seen = stay._chart[-1]
    runs = _running(stay)
    results = tuple(item for item in stay._results if item.reported_h <= now)
    latest = {item.name: item.value for item in sorted(results, key=lambda item: item.taken_h)}
    cultures = tuple(item for item in stay._cultures if item.reported_h <= now)
    consciousness = _consciousness(stay)
    return Observation(
        time_h=now,
        day=int(now // _HOURS_A_DAY),
        product=stay.patient.product,
        weight_kg=stay.patient.weight_kg,
        age_years=stay.patient.age_years,
        location=stay._location,
        temp_c=seen.temp_c,
        map_mmhg=seen.map_mmhg,
        spo2_percent=seen.spo2_percent,
        norepinephrine_ug_min=runs.norepinephrine_ug_min,
        epinephrine_ug_min=runs.epinephrine_ug_min,
        vasopressin_units_min=runs.vasopressin_units_min,
        oxygen=runs.oxygen,
        flow_l_min=runs.flow_l_min,
        fio2=runs.fio2,
        hypotension=stay._needs.hypotension,
        needs_icu=_beyond_the_floor(stay._needs),
        fluid_boluses_24h=_boluses_since(stay, now - _HOURS_A_DAY),
        crs_grade=seen.crs_grade,
        ice=ice_of(stay._true["neurotoxicity"]) if consciousness == "awake" else None,
        consciousness=consciousness,
        icans_grade=seen.icans_grade,
        treated=stay._treated,
        anc_10e9_l=latest.get("anc_10e9_l"),
        crp_mg_l=latest.get("crp_mg_l"),
        ferritin_ug_l=latest.get("ferritin_ug_l"),
        il6_pg_ml=latest.get("il6_pg_ml"),
        ifn_gamma_pg_ml=latest.get("ifn_gamma_pg_ml"),
        results=results,
        cultures=cultures,
        cultures_pending=len(stay._cultures) - len(cultures),
        antibiotics_running=stay._antibiotics_until_h > now,
        antibiotics_until_h=stay._antibiotics_until_h,
        given=stay._given,
        chart=stay._chart,
    )


def advance(stay: Stay, orders: Sequence[object]) -> Stay:
    """Carry orders out, and let four hours pass.

    Parameters
    ----------
    stay : Stay
    orders : sequence
        As `crs.patients.ward_orders.orders_of` reads them.

    Returns
    -------
    Stay
        At the next visit; at the hour of death where the patient died before it.

    Raises
    ------
    InvalidInput
        If an order is unknown, an amount impossible, or the stay over.
    """
    asked = orders_of(orders)
    if stay.over:
        raise InvalidInput("stay", stay.end, "on the ward: there is no further visit")
    stay = _judged(stay, asked)
    before = stay._location
    stay = _carried_out(stay, asked)
    liters, stay = _fluids(stay, asked)
    course = _model(stay, _doses(stay, asked, liters))
    return _lived(stay, before, course)


def outcome_of(stay: Stay) -> Outcome:
    """Tell what became of a patient, so far or in the end.

    Parameters
    ----------
    stay : Stay

    Returns
    -------
    Outcome
    """
    tally, patient = stay._tally, stay.patient
    tocilizumab = [item.amount or 0.0 for item in stay._given if item.what == "tocilizumab"]
    steps = int(stay.time_h // STEP_H)
    untreated = float(stay._untreated_area[steps])
    infected = patient.infection_h is not None and patient.infection_h <= stay.time_h
    harm = dict(tally.harm)
    worst: Cause = max(harm, key=harm.__getitem__) if harm else "hypotension"
    return Outcome(
        seed=patient.seed,
        end=stay.end,
        hours=stay.time_h,
        cause_of_death=worst if stay.end == "died" else None,
        peak_crs_grade=max(entry.crs_grade for entry in stay._chart),
        peak_icans_grade=max(entry.icans_grade or 0 for entry in stay._chart),
        icu_h=tally.icu_h,
        grade_4_h=tally.grade_4_h,
        harm=MappingProxyType(harm),
        infected=infected,
        infection_missed=infected and tally.infection_peak >= MISSED_INFECTION,
        antibiotic_h=tally.antibiotic_h,
        tocilizumab_doses=len(tocilizumab),
        tocilizumab_mg=sum(tocilizumab),
        tocilizumab_wasted_mg=tally.wasted_mg,
        dexamethasone_mg=sum(
            steroid_equivalent_mg(item.what, item.amount or 0.0, "dexamethasone")
            for item in stay._given
            if item.what in _STEROIDS
        ),
        car_t_kept=tally.car_t_area / untreated if untreated > 0 else 1.0,
        never_events=tally.never_events,
    )


def run_policy(policy: Policy, seed: int) -> Outcome:
    """Let a policy treat one patient from the cells to the end.

    Parameters
    ----------
    policy : callable
        Takes an `Observation`, returns a list of orders: records, or plain data as
        `crs.patients.ward_orders.order_of` reads it.
    seed : int
        Of the patient.

    Returns
    -------
    Outcome

    Raises
    ------
    InvalidInput
        If the seed is none.
    PolicyFailed
        If the policy raises, or gives back what is no list of orders. It names the hour.
    """
    stay = admit(seed)
    while not stay.over:
        try:
            orders = orders_of(policy(observe(stay)))
        except Exception as error:
            kind = "" if isinstance(error, CourseError) else f"{type(error).__name__}: "
            raise PolicyFailed(stay.time_h, f"{kind}{error}") from error
        stay = advance(stay, orders)
    return outcome_of(stay)


# ---- What happens between two visits


def _judged(stay: Stay, orders: Sequence[Order]) -> Stay:
    """Count the never events and the waste in what is ordered, by what is seen."""
    now, seen, weight_kg = stay.time_h, stay._chart[-1], stay.patient.weight_kg
    events: list[NeverEvent] = []
    wasted = 0.0
    for order in orders:
        if order.what == "gm-csf":
            events.append(NeverEvent("gm-csf", now, "GM-CSF was given."))
        if order.what != "tocilizumab" or order.amount is None:
            continue
        right = tocilizumab_dose_mg(weight_kg)
        most = guideline("tocilizumab-crs").constants["max_dose_mg"].value
        if order.amount > most or order.amount > _OVERDOSE * right:
            detail = f"{order.amount:g} mg at {weight_kg:g} kg, where {right:g} mg are the dose."
            events.append(NeverEvent("overdose", now, detail))
        given = [item.time_h for item in stay._given if item.what == "tocilizumab"]
        timing = tocilizumab_timing(now, given)
        if not timing.allowed:
            kind = "too-early" if timing.doses_left else "fifth-dose"
            events.append(NeverEvent(kind, now, timing.reason))
        if seen.crs_grade == 0 and (seen.icans_grade or 0) >= 1:
            detail = f"ICANS of grade {seen.icans_grade}, no cytokine release syndrome."
            events.append(NeverEvent("isolated-icans", now, detail))
        if seen.crs_grade == 0:
            wasted += order.amount + _left_in_vials(order.amount)
        else:
            wasted += max(0.0, order.amount - right) + _left_in_vials(order.amount)
    tally = stay._tally
    return replace(
        stay,
        _tally=replace(
            tally,
            wasted_mg=tally.wasted_mg + wasted,
            never_events=(*tally.never_events, *events),
        ),
    )


def _left_in_vials(amount_mg: float) -> float:
    """Return what is thrown away of the vials; an overdose takes full doses and a rest."""
    most = guideline("tocilizumab-crs").constants["max_dose_mg"].value
    rest = math.fmod(amount_mg, most)
    return choose_vials(rest).waste_mg if rest > 0 else 0.0


def _carried_out(stay: Stay, orders: Sequence[Order]) -> Stay:
    """Note what is given, draw what is asked for, and call for a transfer."""
    now = stay.time_h
    names = {order.what for order in orders}
    due = [panel for panel in PANELS if panel in names]
    if now > 0 and now % _HOURS_A_DAY == 0:  # at admission they were drawn before the cells
        due += [panel for panel in _MORNING if panel not in due]
    cultures = stay._cultures
    if "blood cultures" in names:
        luck = float(stay._noise[_visit(stay), -1])
        grows = stay._true["infection"] >= _CULTURE_FINDS_FROM and luck >= _CULTURE_MISSES
        cultures = (*cultures, Culture(now, now + CULTURE_H, grows))
    location = stay._location
    if "icu" in names:
        location = "intensive care"
    elif "floor" in names:
        location = "floor"
    given = tuple(
        DrugGiven(order.what, now, order.amount) for order in orders if order.what in _CHARTED
    )
    until = now + ANTIBIOTICS_H if "antibiotics" in names else stay._antibiotics_until_h
    return replace(
        stay,
        _location=location,
        _given=(*stay._given, *given),
        _antibiotics_until_h=until,
        _results=(*stay._results, *_drawn(stay, due)),
        _cultures=cultures,
        _treated=stay._treated or (stay._established and any(n in _TREATING for n in names)),
    )


def _fluids(stay: Stay, orders: Sequence[Order]) -> tuple[float, Stay]:
    """Return the liters that run in: the team's boluses within its limits, and what is ordered."""
    now = stay.time_h
    left = max(0, BOLUSES_A_DAY - _boluses_since(stay, now - _HOURS_A_DAY))
    if _running(stay).norepinephrine_ug_min > 0:
        left = 0  # no more fluids where a vasopressor runs
    boluses = min(left, stay._needs.fluid_boluses)
    ordered = sum(order.amount or 0.0 for order in orders if order.what == "fluids")
    counted = boluses + math.ceil(ordered / BOLUS_L)
    if counted:
        stay = replace(stay, _boluses=(*stay._boluses, (now, counted)))
    return boluses * BOLUS_L + ordered, stay


def _boluses_since(stay: Stay, hour: float) -> int:
    return sum(count for time_h, count in stay._boluses if time_h > hour)


def _doses(stay: Stay, orders: Sequence[Order], liters: float) -> list[Dose]:
    """Turn orders into doses of the model. None runs beyond the next visit."""
    now = stay.time_h
    doses = [
        Dose(order.what, now, float(order.amount))
        for order in orders
        if order.what in _TREATING and order.amount is not None
    ]
    if liters > 0:
        doses.append(Dose("fluids", now, liters, liters))  # 1 L/h
    if stay._antibiotics_until_h > now:
        doses.append(Dose("antibiotics", now, 1, min(STEP_H, stay._antibiotics_until_h - now)))
    return doses


@dataclass(frozen=True)
class _Course:
    """Four hours of the model, hour by hour; the last whole state, and what is known ahead."""

    values: Mapping[str, Numbers]
    snapshot: Snapshot
    ahead: _Ahead | None = None


def _model(stay: Stay, doses: Sequence[Dose]) -> _Course:
    """Let four hours pass in the model.

    To start the solver takes longer than to go on. So where nothing is given, it goes on beyond the
    next visit, twice as far every time, and the visits after are read from that.
    """
    now, ahead = stay.time_h, stay._ahead
    parameters = _parameters_at(stay, now)
    hours = now + np.arange(1.0, STEP_H + 1)
    if doses or _infection_begins(stay, now):
        start = _state_now(stay)
        return _with_infection(stay, hours, parameters, start, doses)
    snapshot = stay._snapshot
    if ahead is None or now >= ahead.until_h:
        snapshot = _state_now(stay)
        most = 1 if ahead is None else min(_MOST_VISITS_AHEAD, 2 * ahead.visits)
        visits = 1
        while visits < most and _goes_on(stay, now + visits * STEP_H, parameters):
            visits += 1
        course = run_cascade(
            now + np.arange(1.0, visits * STEP_H + 1),
            parameters=parameters,
            start=snapshot,
            outputs=_READ,
        )
        ahead = _Ahead(now, visits, parameters, course.values, course.end)
    first = int(now - ahead.begin_h)
    values = {name: found[first : first + int(STEP_H)] for name, found in ahead.values.items()}
    return _Course(values, snapshot, ahead)


def _parameters_at(stay: Stay, time_h: float) -> dict[str, float]:
    middle = time_h + STEP_H / 2
    without = stay.patient.neutropenia_from_h <= middle < stay.patient.neutropenia_to_h
    parameters = {**stay._parameters, "neutropenia": 1.0 if without else 0.0}
    if any(i.what == "gm-csf" and time_h < i.time_h + _GM_CSF_H for i in stay._given):
        parameters["macrophage_gain"] *= _GM_CSF_ON_MACROPHAGES
    return parameters


def _infection_begins(stay: Stay, time_h: float) -> bool:
    begins = stay.patient.infection_h
    return begins is not None and time_h <= begins < time_h + STEP_H


def _goes_on(stay: Stay, time_h: float, parameters: Mapping[str, float]) -> bool:
    same = _parameters_at(stay, time_h) == parameters
    return same and time_h < LAST_H and not _infection_begins(stay, time_h)


def _state_now(stay: Stay) -> Snapshot:
    """Return the whole state at this visit."""
    ahead = stay._ahead
    if ahead is None:
        return stay._snapshot
    if stay.time_h == ahead.until_h:
        return ahead.end
    return run_cascade(
        [stay.time_h], parameters=ahead.parameters, start=stay._snapshot, outputs=()
    ).end


def _with_infection(
    stay: Stay,
    hours: Numbers,
    parameters: Mapping[str, float],
    start: Snapshot,
    doses: Sequence[Dose],
) -> _Course:
    """Run four hours with what is given; split where bacteria come in, if they do."""
    begins = stay.patient.infection_h
    if begins is None or not _infection_begins(stay, stay.time_h):
        course = run_cascade(hours, parameters=parameters, start=start, doses=doses, outputs=_READ)
        return _Course(course.values, course.end)
    # Each part sees the doses that begin in it, and those that run on.
    early = [float(hour) for hour in hours if hour < begins]
    first = run_cascade(
        [*early, begins], parameters=parameters, start=start, doses=doses, outputs=_READ
    )
    seeded = first.end.states["infection"] + INFECTION_START
    then = Snapshot(begins, {**first.end.states, "infection": seeded})
    second = run_cascade(
        hours[len(early) :], parameters=parameters, start=then, doses=doses, outputs=_READ
    )
    values = {
        name: np.concatenate([first.values[name][: len(early)], second.values[name]])
        for name in _READ
    }
    return _Course(values, second.end)


def _lived(stay: Stay, before: Location, course: _Course) -> Stay:
    """Count what the hours did to the patient, and chart the next visit, if there is one."""
    harm: dict[Cause, float] = dict(stay._tally.harm)
    grade_4_h, antibiotic_h, dead = 0, 0, False
    for at in range(int(STEP_H)):
        true = {name: float(values[at]) for name, values in course.values.items()}
        passed = at + 1.0
        # Whoever is on the way is still treated with what the floor has.
        arrived = stay._location == "intensive care" and (
            before == "intensive care" or passed > TRANSFER_H
        )
        needs = support_for(true["map_mmhg"], true["spo2_room_air"])
        grade = _grade(stay, round(true["temp_c"], 1), needs)
        for cause, amount in _harm_of(true, grade, arrived).items():
            harm[cause] = harm.get(cause, 0.0) + amount
        grade_4_h += grade == 4
        antibiotic_h += stay._antibiotics_until_h >= stay.time_h + passed
        dead = sum(harm.values()) > stay.patient.frailty
        if dead:
            break
    tally = stay._tally
    # The area counts whole visits, as that of the patient without treatment does.
    whole = STEP_H * (stay._true["car_t"] + true["car_t"]) / 2 if passed == STEP_H else 0.0
    stay = replace(
        stay,
        time_h=stay.time_h + passed,
        end="died" if dead else stay.end,
        _snapshot=course.snapshot,
        _ahead=course.ahead,
        _true=true,
        _tally=replace(
            tally,
            harm=harm,
            car_t_area=tally.car_t_area + whole,
            icu_h=tally.icu_h + (passed if stay._location == "intensive care" else 0.0),
            grade_4_h=tally.grade_4_h + grade_4_h,
            infection_peak=max(tally.infection_peak, true["infection"]),
            antibiotic_h=tally.antibiotic_h + antibiotic_h,
        ),
    )
    if dead:
        return stay
    stay = _unanswered(_charted(stay))
    if _is_well(stay):
        return replace(stay, end="well")
    return replace(stay, end="still here") if stay.time_h >= LAST_H else stay


def _grade(stay: Stay, temp_c: float, needs: Support) -> int:
    if not stay._established and temp_c < FEVER_C:
        return 0  # no syndrome before its first fever
    return astct_grade_of(temp_c, stay._treated, needs)


def _harm_of(true: Mapping[str, float], grade: int, in_intensive_care: bool) -> dict[Cause, float]:
    """Return what one hour does to a patient."""
    mmhg = LOW_MAP_MMHG - FLUIDS_REACH_MMHG - true["map_mmhg"]
    spo2 = LOW_SPO2 - _CANNULA_REACH - true["spo2_room_air"]
    if in_intensive_care:
        mmhg -= _PRESSORS_REACH_MMHG
        spo2 = _VENTILATOR_REACHES_SPO2 - true["spo2_room_air"]
    icans = icans_of(true["neurotoxicity"])
    return {
        "hypotension": _HARM_PER_MMHG * max(0.0, mmhg),
        "hypoxia": _HARM_PER_SPO2 * max(0.0, spo2),
        "grade 4": _HARM_GRADE_4 if grade == 4 else 0.0,
        "neurotoxicity": _HARM_ICANS.get(icans, 0.0),
        "infection": _HARM_INFECTION * max(0.0, true["infection"]),
    }


def icans_of(neurotoxicity: float) -> int:
    """Grade neurotoxicity by ASTCT 2019 from what the ward tests: ICE, and whether one wakes.

    ICE 7 to 9 is grade 1, 3 to 6 grade 2, 0 to 2 grade 3, unarousable grade 4. Seizures, motor
    weakness and edema are not in the model.

    Parameters
    ----------
    neurotoxicity : float
        State of the model, from 0.

    Returns
    -------
    int
        0 to 4.
    """
    if neurotoxicity >= UNAROUSABLE_FROM:
        return 4
    ice = ice_of(neurotoxicity)
    return sum(ice <= highest for highest in (9, 6, 2))


def neutrophils_10e9_l(patient: VirtualPatient, time_h: float) -> float:
    """Return the neutrophil count: down after lymphodepletion, and back. A convention.

    Parameters
    ----------
    patient : VirtualPatient
    time_h : float

    Returns
    -------
    float
        ×10⁹/L.
    """
    falls, rises = patient.neutropenia_from_h, patient.neutropenia_to_h
    hours = (0.0, falls, falls + _ANC_EDGE_H, rises - _ANC_EDGE_H, rises, rises + _ANC_RECOVERY_H)
    edge = NEUTROPENIA_10E9_L
    counts = (_ANC_AT_REST, edge, _ANC_LOWEST, _ANC_LOWEST, edge, _ANC_AT_REST)
    return math.exp(float(np.interp(time_h, hours, np.log(counts))))


def _visit(stay: Stay) -> int:
    return int(stay.time_h // STEP_H)


def _charted(stay: Stay) -> Stay:
    """Measure, choose support, and write the next line of the chart."""
    noise, true = stay._noise[_visit(stay)], stay._true
    temp = round(min(43.0, max(34.0, true["temp_c"] + _TEMP_NOISE_C * float(noise[0]))), 1)
    pressure = float(max(0, round(true["map_mmhg"] + _MAP_NOISE_MMHG * float(noise[1]))))
    saturation = true["spo2_room_air"] + _SPO2_NOISE * float(noise[2])
    oxygen = float(min(100, max(40, round(saturation))))
    needs = support_for(pressure, oxygen)
    grade = _grade(stay, temp, needs)
    stay = replace(stay, _needs=needs, _established=stay._established or temp >= FEVER_C)
    shown = (pressure, oxygen)
    if stay._location == "intensive care":
        reach = FLUIDS_REACH_MMHG + _PRESSORS_REACH_MMHG
        shown = (max(pressure, min(LOW_MAP_MMHG, pressure + reach)), max(oxygen, LOW_SPO2))
    elif needs.oxygen != "room air":
        shown = (pressure, max(oxygen, min(LOW_SPO2, oxygen + _CANNULA_REACH)))
    sedated = _consciousness(stay) == "sedated"
    icans = None if sedated else icans_of(true["neurotoxicity"])
    entry = ChartEntry(stay.time_h, temp, *shown, grade, icans)
    return replace(stay, _chart=(*stay._chart, entry))


def _beyond_the_floor(needs: Support) -> bool:
    pressors = needs.vasopressors > 0 or needs.vasopressin_units_min > 0
    return pressors or needs.oxygen not in ("room air", "nasal cannula")


def _running(stay: Stay) -> Support:
    """Return the support that runs where the patient lies."""
    needs = stay._needs
    if stay._location == "intensive care" or not _beyond_the_floor(needs):
        return needs
    if needs.oxygen in ("room air", "nasal cannula"):
        oxygen, flow, fio2 = needs.oxygen, needs.flow_l_min, needs.fio2
    else:
        oxygen, flow, fio2 = "nasal cannula", _FLOOR_FLOW_L_MIN, 0.44
    return Support(
        hypotension=needs.hypotension,
        fluid_boluses=needs.fluid_boluses,
        oxygen=oxygen,
        flow_l_min=flow,
        fio2=fio2,
    )


def _consciousness(stay: Stay) -> Consciousness:
    if _running(stay).oxygen == "ventilator":
        return "sedated"
    return "unarousable" if stay._true["neurotoxicity"] >= UNAROUSABLE_FROM else "awake"


def _drawn(stay: Stay, panels: Sequence[str]) -> tuple[LabResult, ...]:
    """Draw samples now; their results come later."""
    names = list(_LABS)
    results = []
    for name in (name for panel in panels for name in PANELS[panel]):
        assay = _LABS[name]
        true = (
            neutrophils_10e9_l(stay.patient, stay.time_h)
            if name == "anc"
            else max(0.0, stay._true[assay.output])
        )
        z = float(stay._noise[_visit(stay), 3 + names.index(name)])
        value = min(assay.highest, max(assay.lowest, true * math.exp(assay.error * z)))
        reported = stay.time_h + assay.turnaround_h
        results.append(LabResult(assay.column, float(f"{value:.3g}"), stay.time_h, reported))
    return tuple(results)


def _known(stay: Stay, name: str, time_h: float) -> float | None:
    """Return the latest result that was reported by then."""
    known = [item for item in stay._results if item.name == name and item.reported_h <= time_h]
    return max(known, key=lambda item: item.taken_h).value if known else None


def _unanswered(stay: Stay) -> Stay:
    """Watch how long a neutropenic fever that everybody could see goes without antibiotics."""
    asked_h, seen = stay.time_h - STEP_H, stay._chart[-2]
    if stay._antibiotics_until_h > asked_h:
        return replace(stay, _unanswered_since_h=None, _unanswered_counted=False)
    since = stay._unanswered_since_h
    if since is None and seen.temp_c >= FEVER_C:
        count = _known(stay, "anc_10e9_l", asked_h)
        if count is not None and count < NEUTROPENIA_10E9_L:
            since = asked_h
    if since is None or stay._unanswered_counted or stay.time_h - since <= ANSWER_WITHIN_H:
        return replace(stay, _unanswered_since_h=since)
    event = NeverEvent(
        "neutropenic-fever", stay.time_h, f"No antibiotics since the fever of hour {since:g}."
    )
    tally = replace(stay._tally, never_events=(*stay._tally.never_events, event))
    return replace(stay, _unanswered_since_h=since, _unanswered_counted=True, _tally=tally)


def _is_well(stay: Stay) -> bool:
    """Say whether a patient can go home: two days without anything, and neutrophils back."""
    if stay.time_h < DISCHARGE_FROM_H or stay._location != "floor":
        return False
    lately = [entry for entry in stay._chart if entry.time_h > stay.time_h - _WELL_FOR_H]
    count = _known(stay, "anc_10e9_l", stay.time_h)
    return (
        count is not None
        and count >= NEUTROPENIA_10E9_L
        and stay._needs.oxygen == "room air"
        and not stay._needs.hypotension
        and all(
            entry.crs_grade == 0 and entry.temp_c < FEVER_C and entry.icans_grade == 0
            for entry in lately
        )
    )
