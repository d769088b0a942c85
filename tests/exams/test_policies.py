"""The reference policies of the ward come out in the order that medicine expects.

200 patients whom no other part of the course uses, the same for every policy.
"""

from __future__ import annotations

import math
import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from statistics import fmean, stdev
from typing import Any

import pytest

from autograder.exams import policies
from crs.patients.cohort import FIRST_SEED, PATIENTS
from crs.patients.ward import PRACTICE_SEEDS, Policy, admit, advance, observe, run_policy
from crs.patients.ward_orders import Order
from crs.patients.ward_scoring import Outcome, score
from crs.patients.ward_seen import Culture, DrugGiven, Observation

SEEDS = range(40_000, 40_200)
NAMES = ("no_treatment", "naive", "guideline")
_AT_A_TIME = 10


def outcomes_of(name: str, seeds: range) -> list[Outcome]:
    """Run one policy; in a process of its own, so everything goes in and out by value."""
    policy: Policy = getattr(policies, name)
    # A mapping that cannot be changed cannot be sent either.
    return [
        replace(outcome, harm=dict(outcome.harm))
        for outcome in (run_policy(policy, seed) for seed in seeds)
    ]


@cache
def outcomes(name: str) -> list[Outcome]:
    """Return what became of the 200 patients, with two workers."""
    parts = [SEEDS[at : at + _AT_A_TIME] for at in range(0, len(SEEDS), _AT_A_TIME)]
    fresh = multiprocessing.get_context("spawn")  # the engine does not live through a fork
    with ProcessPoolExecutor(2, mp_context=fresh) as pool:
        found = pool.map(outcomes_of, [name] * len(parts), parts)
        return [outcome for part in found for outcome in part]


def totals(name: str) -> list[float]:
    return [score(outcome).total for outcome in outcomes(name)]


def test_the_patients_are_no_others() -> None:
    others = {*PRACTICE_SEEDS, *range(FIRST_SEED, FIRST_SEED + PATIENTS)}
    assert not others & set(SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_stay_comes_to_an_end(name: str) -> None:
    found = outcomes(name)
    assert [outcome.seed for outcome in found] == list(SEEDS)
    assert {outcome.end for outcome in found} <= {"well", "died", "still here"}
    assert all(math.isfinite(score(outcome).total) for outcome in found)


@pytest.mark.slow
@pytest.mark.parametrize(("better", "worse"), [("naive", "no_treatment"), ("guideline", "naive")])
def test_the_better_policy_has_more_points_patient_by_patient(better: str, worse: str) -> None:
    gains = [one - other for one, other in zip(totals(better), totals(worse), strict=True)]
    # The same patients: the mean gain lies three standard errors above none.
    assert fmean(gains) > 3 * stdev(gains) / math.sqrt(len(gains))


@pytest.mark.slow
def test_following_the_guideline_saves_lives_and_has_no_never_event() -> None:
    deaths = {name: sum(not o.survived for o in outcomes(name)) for name in NAMES}
    assert deaths["guideline"] < deaths["naive"] < deaths["no_treatment"]
    assert Counter(e.kind for o in outcomes("guideline") for e in o.never_events) == Counter()
    missed = {name: sum(o.infection_missed for o in outcomes(name)) for name in NAMES}
    assert missed["guideline"] < missed["naive"] / 4


@pytest.mark.slow
def test_the_patients_are_sick_enough_to_tell_policies_apart() -> None:
    untreated = outcomes("no_treatment")
    severe = sum(outcome.peak_crs_grade >= 3 for outcome in untreated)
    mild = sum(outcome.peak_crs_grade <= 1 for outcome in untreated)
    assert severe >= 20
    assert mild >= 20
    assert sum(outcome.infected for outcome in untreated) >= 20


# ---- What the guideline policy orders, visit by visit


@pytest.fixture(scope="module")
def seen() -> Observation:
    """Return the second visit of a patient without any finding."""
    found = observe(advance(admit(SEEDS[0]), []))
    assert found.crs_grade == 0
    return found


def ordered(seen: Observation, **changes: Any) -> list[str]:
    """Name what the guideline policy orders, after some findings were changed."""
    chart_names = ("temp_c", "map_mmhg", "spo2_percent", "crs_grade", "icans_grade")
    entry = replace(seen.chart[-1], **{k: v for k, v in changes.items() if k in chart_names})
    changed = replace(seen, **{"chart": (*seen.chart[:-1], entry), **changes})
    return [order.what for order in policies.guideline(changed)]


@pytest.mark.parametrize(
    ("changes", "orders"),
    [
        ({}, []),
        ({"temp_c": 38.0, "crs_grade": 1, "anc_10e9_l": 2.0}, ["blood cultures", "acetaminophen"]),
        (
            {"temp_c": 38.0, "crs_grade": 1, "anc_10e9_l": 0.4},
            ["antibiotics", "blood cultures", "acetaminophen"],
        ),
        ({"temp_c": 37.9, "anc_10e9_l": 0.4}, []),
        ({"crs_grade": 2, "anc_10e9_l": 2.0}, ["tocilizumab"]),
        ({"crs_grade": 3, "needs_icu": True}, ["tocilizumab", "dexamethasone", "icu"]),
        ({"crs_grade": 4, "needs_icu": True}, ["tocilizumab", "methylprednisolone", "icu"]),
        ({"icans_grade": 1}, []),
        ({"icans_grade": 2}, ["dexamethasone"]),
        ({"icans_grade": 4}, ["methylprednisolone", "icu"]),
        ({"icans_grade": 1, "crs_grade": 1}, ["tocilizumab"]),
        ({"location": "intensive care"}, ["floor"]),
        ({"location": "intensive care", "crs_grade": 2, "needs_icu": True}, ["tocilizumab"]),
        ({"cultures": (Culture(0, 24, True),)}, ["antibiotics"]),
        ({"cultures": (Culture(0, 24, False),)}, []),
    ],
)
def test_the_guideline_policy_orders_what_the_table_asks_for(
    seen: Observation, changes: dict[str, Any], orders: list[str]
) -> None:
    assert ordered(seen, **changes) == orders


def test_doses_follow_the_weight_and_the_clock(seen: Observation) -> None:
    sick = replace(seen, crs_grade=2, weight_kg=70.0)
    assert Order("tocilizumab", 560.0) in policies.guideline(sick)
    just = (DrugGiven("tocilizumab", seen.time_h, 560.0),)
    again = policies.guideline(replace(sick, given=just))
    assert "tocilizumab" not in [order.what for order in again]


def test_every_six_hours_is_four_doses_a_day_at_visits_every_four(seen: Observation) -> None:
    given: tuple[DrugGiven, ...] = ()
    for visit in range(12):
        now = 100.0 + 4 * visit
        state = replace(seen, time_h=now, icans_grade=3, given=given)
        state = replace(state, chart=(replace(seen.chart[-1], time_h=now, icans_grade=3),))
        if Order("dexamethasone", 10.0) in policies.guideline(state):
            given = (*given, DrugGiven("dexamethasone", now, 10.0))
    assert len(given) == 8  # in two days


@pytest.mark.parametrize("policy", [policies.no_treatment, policies.naive, policies.guideline])
def test_a_policy_remembers_nothing(
    policy: Callable[[Observation], list[Order]], seen: Observation
) -> None:
    other = replace(seen, crs_grade=4, temp_c=40.0, needs_icu=True)
    first = policy(seen)
    policy(other)
    assert policy(seen) == first
