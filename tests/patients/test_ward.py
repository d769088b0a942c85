"""The ward: orders are carried out, never events counted, and the same seed is the same course."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from crs.errors import InvalidInput
from crs.guidelines.dosing import tocilizumab_dose_mg
from crs.models.cascade import run_cascade
from crs.patients import ward
from crs.patients.observation import FLUIDS_REACH_MMHG, LOW_MAP_MMHG, ice_of, support_for
from crs.patients.virtual import VirtualPatient, virtual_patient
from crs.patients.ward import (
    LAST_H,
    NEUTROPENIA_10E9_L,
    PRACTICE_SEEDS,
    STEP_H,
    UNAROUSABLE_FROM,
    PolicyFailed,
    Stay,
    _harm_of,
    admit,
    advance,
    icans_of,
    neutrophils_10e9_l,
    observe,
    outcome_of,
    run_policy,
)
from crs.patients.ward_env import (
    ACTION,
    GIVEN_SO_FAR,
    LABS,
    VITALS,
    Ward,
    arrays_of,
    orders_from,
)
from crs.patients.ward_orders import ORDERS, Order, order_of, orders_of
from crs.patients.ward_scoring import NEVER_EVENTS, WEIGHTS, NeverEvent, Outcome, score
from crs.patients.ward_seen import Observation

SEEDS = range(60_000, 60_400)
WITH_AN_EVENT = Outcome(
    seed=0,
    end="well",
    hours=300,
    cause_of_death=None,
    peak_crs_grade=1,
    peak_icans_grade=0,
    icu_h=0,
    grade_4_h=0,
    harm={},
    infected=False,
    infection_missed=False,
    antibiotic_h=0,
    tocilizumab_doses=0,
    tocilizumab_mg=0,
    tocilizumab_wasted_mg=0,
    dexamethasone_mg=0,
    car_t_kept=1,
    never_events=(NeverEvent("gm-csf", 0, "GM-CSF was given."),),
)
Orders = Callable[[Observation], Sequence[object]]


def nothing(seen: Observation) -> Sequence[object]:
    return []


def follow(seed: int, policy: Orders, visits: int = 10_000) -> list[Stay]:
    """Return the stay at every visit."""
    stays = [admit(seed)]
    while not stays[-1].over and len(stays) <= visits:
        stays.append(advance(stays[-1], policy(observe(stays[-1]))))
    return stays


def until(seed: int, policy: Orders, when: Callable[[Observation], bool]) -> Stay:
    """Go on until something is seen."""
    stay = admit(seed)
    while not when(observe(stay)):
        stay = advance(stay, policy(observe(stay)))
        assert not stay.over, "never seen"
    return stay


def kinds(stay: Stay) -> list[str]:
    return [event.kind for event in outcome_of(stay).never_events]


def lowest(patient: VirtualPatient) -> tuple[float, float]:
    """Return the lowest pressure and saturation that an untreated patient comes to."""
    course = run_cascade(
        np.arange(0.0, LAST_H, 8.0),
        parameters=patient.parameters,
        start=patient.start,
        outputs=["map_mmhg", "spo2_room_air"],
    )
    return float(course.values["map_mmhg"].min()), float(course.values["spo2_room_air"].min())


def first_with(what: Callable[[VirtualPatient], bool]) -> int:
    return next(seed for seed in SEEDS if what(virtual_patient(seed)))


@pytest.fixture(scope="module")
def in_shock() -> int:
    """Seed of a patient who needs two vasopressors if nobody treats, and has no infection."""
    return first_with(
        lambda patient: (
            patient.infection_h is None
            and support_for(lowest(patient)[0] + 5, 97).vasopressors == 2
        )
    )


@pytest.fixture(scope="module")
def infected() -> int:
    """Seed of a patient with an early infection in a long neutropenia."""
    return first_with(
        lambda patient: (
            patient.infection_h is not None
            and patient.infection_h < 130
            and patient.neutropenia_to_h > 240
        )
    )


# ---- Orders


@pytest.mark.parametrize(
    ("value", "order"),
    [
        (Order("icu"), Order("icu")),
        ("icu", Order("icu")),
        (("tocilizumab", 560), Order("tocilizumab", 560)),
        (["antibiotics"], Order("antibiotics")),
        ({"what": "fluids", "amount": 0.5}, Order("fluids", 0.5)),
        (("tocilizumab", 1200), Order("tocilizumab", 1200)),
    ],
)
def test_orders_are_read_from_records_and_plain_data(value: object, order: Order) -> None:
    assert order_of(value) == order


@pytest.mark.parametrize(
    ("value", "field", "word"),
    [
        ("aspirin", "order", "one of tocilizumab"),
        (("icu", 1), "amount of icu", "left out"),
        ("tocilizumab", "amount of tocilizumab", "2000 mg"),
        (("tocilizumab", 8000), "amount of tocilizumab", "2000 mg"),
        (("tocilizumab", 0), "amount of tocilizumab", "from 0.1"),
        (("tocilizumab", -560), "amount of tocilizumab", "from 0.1"),
        (("tocilizumab", math.nan), "amount of tocilizumab", "a number"),
        (("tocilizumab", math.inf), "amount of tocilizumab", "a number"),
        (("tocilizumab", "560"), "amount of tocilizumab", "a number"),
        (("tocilizumab", True), "amount of tocilizumab", "a number"),
        (("fluids", 1e-300), "amount of fluids", "from 0.1"),
        (("fluids", 3.1), "amount of fluids", "3 L"),
        (7, "order", "a pair"),
        ((["icu"],), "order", "one of"),
        (("a", 1, 2), "order", "a pair"),
        ({"what": "icu", "when": 3}, "order", "a pair"),
    ],
)
def test_an_impossible_order_names_field_value_and_range(
    value: object, field: str, word: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        order_of(value)
    assert caught.value.field == field
    assert word in caught.value.allowed


@pytest.mark.parametrize(
    "value", [None, 3, "icu", {"what": "icu"}, ["icu", "icu"], ["icu", "floor"], [None]]
)
def test_what_is_no_list_of_orders_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        orders_of(value)


def test_every_order_can_be_carried_out() -> None:
    stay = admit(SEEDS[0])
    for name, rule in ORDERS.items():
        orders = [(name, rule.most) if rule.unit else name]
        after = advance(stay, orders)
        assert after.time_h == STEP_H
        assert all(map(math.isfinite, arrays_of(observe(after))["vitals"]))


# ---- The same seed is the same course


def test_the_same_seed_and_orders_are_the_same_course(in_shock: int) -> None:
    def policy(seen: Observation) -> Sequence[object]:
        orders: list[object] = ["icu"] if seen.needs_icu and seen.location == "floor" else []
        if seen.crs_grade >= 2 and not seen.given:
            orders += [("tocilizumab", 400), ("fluids", 0.5)]
        return orders

    alone = [observe(stay) for stay in follow(in_shock, policy, 60)]
    other = admit(in_shock + 1)
    stay = admit(in_shock)
    seen = [observe(stay)]
    while not stay.over and len(seen) < len(alone):
        other = advance(other, [("dexamethasone", 10)])  # another patient, in between
        stay = advance(stay, policy(observe(stay)))
        seen.append(observe(stay))
    assert seen == alone


def test_a_stay_can_be_gone_on_from_twice() -> None:
    stay = follow(SEEDS[1], nothing, 40)[-1]
    once = advance(stay, [("tocilizumab", 500)])
    twice = advance(stay, [])
    assert observe(stay).given == ()
    assert observe(once).given
    assert observe(twice).given == ()
    assert advance(stay, [("tocilizumab", 500)]) is not once
    assert observe(advance(stay, [("tocilizumab", 500)])) == observe(once)


def test_what_is_worked_out_ahead_changes_no_course(
    monkeypatch: pytest.MonkeyPatch, in_shock: int, infected: int
) -> None:
    def now_and_then(seen: Observation) -> Sequence[object]:
        return [("dexamethasone", 10), "antibiotics"] if seen.time_h in (100, 104, 180) else []

    for seed in (in_shock, infected):
        ahead = follow(seed, now_and_then)
        assert max(stay._ahead.visits for stay in ahead if stay._ahead is not None) == 8
        with monkeypatch.context() as patch:
            patch.setattr(ward, "_MOST_VISITS_AHEAD", 1)
            step_by_step = follow(seed, now_and_then)
        assert len(ahead) == len(step_by_step)
        for one, other in zip(ahead, step_by_step, strict=True):
            assert one._true == pytest.approx(other._true, rel=1e-4, abs=1e-4)
        assert outcome_of(ahead[-1]).harm == pytest.approx(
            outcome_of(step_by_step[-1]).harm, rel=1e-3
        )


def test_wards_share_nothing() -> None:
    one, two = Ward(), Ward()
    one.reset(seed=60_001)
    two.reset(seed=60_002)
    alone = Ward()
    alone.reset(seed=60_001)
    for _ in range(10):
        first, *_ = one.step([("dexamethasone", 10)])
        two.step([("tocilizumab", 400)])
        expected, *_ = alone.step([("dexamethasone", 10)])
        for name, value in expected.items():
            np.testing.assert_array_equal(first[name], value)


# ---- What is seen


def test_results_come_after_their_turnaround() -> None:
    stay = advance(admit(SEEDS[2]), ["cytokine panel", "blood cultures"])
    seen = observe(stay)
    assert seen.il6_pg_ml is None
    assert seen.cultures_pending == 1
    while stay.time_h < 24:
        assert observe(stay).il6_pg_ml is None
        assert observe(stay).cultures == ()
        stay = advance(stay, [])
    seen = observe(stay)
    assert seen.il6_pg_ml is not None
    assert [item.taken_h for item in seen.results if item.name == "il6_pg_ml"] == [0]
    assert [item.taken_h for item in seen.cultures] == [0]
    assert seen.cultures_pending == 0


def test_the_team_draws_blood_every_morning_and_before_the_cells() -> None:
    stays = follow(SEEDS[3], nothing, 20)
    assert observe(stays[0]).anc_10e9_l is not None
    seen = observe(stays[-1])
    taken = [item.taken_h for item in seen.results if item.name == "crp_mg_l"]
    assert taken == [0, 24, 48, 72]
    assert all(item.reported_h - item.taken_h == 4 for item in seen.results[4::4]) or taken


@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=50)
def test_neutrophils_are_low_exactly_in_the_neutropenia_of_the_record(seed: int) -> None:
    patient = virtual_patient(seed)
    for time_h in np.linspace(0, LAST_H, 200):
        low = neutrophils_10e9_l(patient, float(time_h)) < NEUTROPENIA_10E9_L - 1e-12
        inside = patient.neutropenia_from_h < time_h < patient.neutropenia_to_h
        assert low == inside


def test_what_is_seen_can_be_had_as_plain_data() -> None:
    stays = follow(SEEDS[4], lambda seen: ["blood cultures", ("acetaminophen", 650)], 30)
    seen = observe(stays[-1])
    plain = seen.plain()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["temp_c"] == seen.temp_c
    assert isinstance(plain["chart"], list)
    assert plain["chart"][-1]["crs_grade"] == seen.crs_grade


def test_neurotoxicity_is_graded_by_ice_and_waking() -> None:
    by_ice = {10: 0, 9: 1, 8: 1, 7: 1, 6: 2, 5: 2, 4: 2, 3: 2, 2: 3, 1: 3, 0: 3}
    met = set()
    for neurotoxicity in np.linspace(0, UNAROUSABLE_FROM, 400, endpoint=False):
        ice = ice_of(float(neurotoxicity))
        met.add(ice)
        assert icans_of(float(neurotoxicity)) == by_ice[ice]
    assert met == set(by_ice)  # a patient who wakes can have any score
    assert icans_of(UNAROUSABLE_FROM) == 4


# ---- What is done


def test_doing_nothing_keeps_the_cells_and_leaves_the_patient_on_the_floor(in_shock: int) -> None:
    outcome = run_policy(nothing, in_shock)
    assert outcome.car_t_kept == pytest.approx(1, abs=2e-4)
    assert outcome.icu_h == 0
    assert outcome.end == "died"
    # The team's boluses, all that a floor has against shock, flood the lungs as well.
    assert outcome.cause_of_death in ("hypotension", "hypoxia")
    assert outcome.harm["hypotension"] > 0


def test_vasopressors_need_intensive_care_and_take_time_to_come(in_shock: int) -> None:
    stay = until(in_shock, nothing, lambda seen: seen.needs_icu and seen.crs_grade >= 3)
    seen = observe(stay)
    assert seen.location == "floor"
    assert seen.norepinephrine_ug_min == 0
    left, moved = stay, stay
    for _ in range(8):
        left = left if left.over else advance(left, [])
        moved = advance(moved, ["icu"])
    seen = observe(moved)
    assert seen.location == "intensive care"
    assert seen.norepinephrine_ug_min > 0
    assert outcome_of(moved).icu_h == 32
    there, stayed = outcome_of(moved).harm, outcome_of(left).harm
    assert there["hypotension"] < stayed["hypotension"]
    # Whoever lies there is given the same, two hours earlier.
    already = advance(advance(until(in_shock, nothing, lambda s: s.needs_icu), ["icu"]), [])
    assert observe(already).location == "intensive care"


def test_fluids_flood_leaky_lungs() -> None:
    def leaky(patient: VirtualPatient) -> bool:
        saturation = lowest(patient)[1]
        return patient.infection_h is None and 80 < saturation < 90 and patient.frailty > 1

    seed = first_with(leaky)

    def wet(seen: Observation) -> Sequence[object]:
        return [("fluids", 1)] if seen.crs_grade >= 1 else []

    dry_stays, wet_stays = follow(seed, nothing, 70), follow(seed, wet, 70)
    shared = min(len(dry_stays), len(wet_stays))
    dry = min(stay._true["spo2_room_air"] for stay in dry_stays[:shared])
    flooded = min(stay._true["spo2_room_air"] for stay in wet_stays[:shared])
    assert flooded < dry - 2


def test_an_infection_is_found_and_treated(infected: int) -> None:
    def answer(seen: Observation) -> Sequence[object]:
        known = any(culture.positive for culture in seen.cultures)
        orders: list[object] = ["blood cultures"] if seen.time_h % 24 == 0 else []
        running_out = seen.antibiotics_until_h <= seen.time_h
        return [*orders, "antibiotics"] if known and running_out else orders

    begins = virtual_patient(infected).infection_h
    assert begins is not None
    treated = follow(infected, answer)
    assert any(culture.positive for culture in observe(treated[-1]).cultures)
    assert not outcome_of(treated[-1]).infection_missed
    assert all(stay._true["infection"] == 0 for stay in treated if stay.time_h < begins)
    missed = run_policy(nothing, infected)
    assert missed.infected
    assert missed.infection_missed
    assert missed.harm["infection"] > outcome_of(treated[-1]).harm["infection"]


def test_antibiotics_from_the_start_keep_an_infection_from_growing(infected: int) -> None:
    outcome = run_policy(lambda seen: ["antibiotics"], infected)
    assert outcome.infected
    assert not outcome.infection_missed
    assert outcome.harm["infection"] < 0.05
    assert outcome.antibiotic_h == outcome.hours


def test_steroids_cost_cells_and_tocilizumab_does_not() -> None:
    seed = SEEDS[5]
    tocilizumab = run_policy(lambda s: [] if s.given else [("tocilizumab", 400)], seed)
    steroids = run_policy(lambda s: [("dexamethasone", 10)], seed)
    assert tocilizumab.car_t_kept == pytest.approx(1, abs=0.05)
    assert steroids.car_t_kept < 0.8
    assert steroids.dexamethasone_mg == 10 * steroids.hours / STEP_H


# ---- Never events


def test_each_never_event_is_counted() -> None:
    stay = admit(SEEDS[6])
    right = tocilizumab_dose_mg(stay.patient.weight_kg)
    assert kinds(advance(stay, [("tocilizumab", right)])) == []
    assert kinds(advance(stay, [("tocilizumab", 1.05 * right)])) == []
    assert kinds(advance(stay, [("tocilizumab", 1.2 * right)])) == ["overdose"]
    assert kinds(advance(stay, [("tocilizumab", 1200)])) == ["overdose"]
    assert kinds(advance(stay, ["gm-csf"])) == ["gm-csf"]
    again = advance(advance(stay, [("tocilizumab", right)]), [("tocilizumab", right)])
    assert kinds(again) == ["too-early"]
    for _ in range(4):
        stay = advance(advance(stay, [("tocilizumab", right)]), [])
    assert kinds(stay) == []
    assert kinds(advance(stay, [("tocilizumab", right)])) == ["fifth-dose"]


def test_above_100_kg_the_maximum_is_the_limit() -> None:
    heavy = first_with(lambda patient: patient.weight_kg > 105)
    assert kinds(advance(admit(heavy), [("tocilizumab", 800)])) == []
    assert kinds(advance(admit(heavy), [("tocilizumab", 801)])) == ["overdose"]


def test_tocilizumab_for_isolated_icans_is_a_never_event(in_shock: int) -> None:
    stay = admit(in_shock)
    chart = stay._chart[-1]
    for crs, icans, counted in ((0, 1, True), (1, 1, False), (0, 0, False), (0, None, False)):
        entry = replace(chart, crs_grade=crs, icans_grade=icans)
        after = advance(replace(stay, _chart=(entry,)), [("tocilizumab", 300)])
        assert ("isolated-icans" in kinds(after)) == counted


def test_neutropenic_fever_wants_antibiotics_within_four_hours() -> None:
    def febrile(seen: Observation) -> bool:
        low = seen.anc_10e9_l is not None and seen.anc_10e9_l < NEUTROPENIA_10E9_L
        return low and seen.temp_c >= 38

    for seed in SEEDS:
        stays = follow(seed, nothing, 90)
        hot = [stay for stay in stays if febrile(observe(stay))]
        if hot:
            break
    stay = hot[0]
    assert kinds(advance(stay, [])) == []  # exactly four hours
    assert kinds(advance(advance(stay, []), ["antibiotics"])) == []
    late = advance(advance(stay, []), [])
    assert kinds(late) == ["neutropenic-fever"]
    assert kinds(advance(late, [])) == ["neutropenic-fever"]  # once
    assert kinds(advance(advance(stay, ["antibiotics"]), [])) == []


# ---- Points


def test_points_are_100_without_any_loss_and_0_in_death() -> None:
    assert sum(WEIGHTS.values()) == 100
    best = outcome_of(admit(SEEDS[7]))
    assert score(best).total == 100
    assert score(replace(best, end="died")).total == 0
    assert set(score(best).parts) == {*WEIGHTS, "never_events"}


@given(
    grade=st.integers(0, 4),
    icu_h=st.floats(0, 700),
    kept=st.floats(0, 1.5),
    missed=st.booleans(),
    wasted=st.floats(0, 20_000),
    events=st.integers(0, 30),
    died=st.booleans(),
)
def test_no_loss_ever_brings_points(
    grade: int, icu_h: float, kept: float, missed: bool, wasted: float, events: int, died: bool
) -> None:
    event = WITH_AN_EVENT.never_events[0]
    outcome = replace(
        WITH_AN_EVENT,
        end="died" if died else "well",
        peak_crs_grade=grade,
        icu_h=icu_h,
        car_t_kept=kept,
        infection_missed=missed,
        tocilizumab_wasted_mg=wasted,
        never_events=(event,) * events,
    )
    total = score(outcome).total
    assert 0 <= total <= 100
    assert total == pytest.approx(sum(score(outcome).parts.values()))
    if not died:
        assert total > 0  # worth more than a death, whatever else
    worse = (
        replace(outcome, peak_crs_grade=min(4, grade + 1)),
        replace(outcome, icu_h=icu_h + 10),
        replace(outcome, car_t_kept=kept / 2),
        replace(outcome, infection_missed=True),
        replace(outcome, tocilizumab_wasted_mg=wasted + 100),
        replace(outcome, never_events=(event,) * (events + 1)),
    )
    assert all(score(other).total <= total + 1e-9 for other in worse)


def test_waste_is_what_is_left_in_vials_beyond_the_dose_or_without_the_syndrome() -> None:
    stay = admit(SEEDS[9])
    syndrome = replace(stay, _chart=(replace(stay._chart[-1], crs_grade=2),))
    dose = tocilizumab_dose_mg(stay.patient.weight_kg)
    left = -dose % 40  # vials make up every multiple of 40 mg from 80 mg on, except 120
    needed = outcome_of(advance(syndrome, [("tocilizumab", dose)]))
    assert needed.tocilizumab_wasted_mg == pytest.approx(left)
    without = outcome_of(advance(stay, [("tocilizumab", dose)]))
    assert without.tocilizumab_wasted_mg == pytest.approx(dose + left)
    over = outcome_of(advance(syndrome, [("tocilizumab", 1600)]))
    assert over.tocilizumab_wasted_mg == pytest.approx(1600 - dose)


def test_never_events_that_can_be_counted_are_described() -> None:
    assert all(NEVER_EVENTS.values())
    assert WITH_AN_EVENT.never_events[0].kind in NEVER_EVENTS


# ---- Policies


def test_a_policy_that_raises_is_named_with_its_hour() -> None:
    def breaks(seen: Observation) -> Sequence[object]:
        if seen.time_h >= 8:
            raise KeyError("crp")
        return []

    with pytest.raises(PolicyFailed, match="at hour 8: KeyError: 'crp'") as caught:
        run_policy(breaks, PRACTICE_SEEDS[0])
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    "answer",
    [None, 3, "icu", [None], [("tocilizumab", -1)], [("aspirin", 1)], {"icu": 1}, [object]],
)
def test_a_policy_that_answers_nonsense_gives_the_same_exception(answer: object) -> None:
    with pytest.raises(PolicyFailed, match="at hour 0: ") as caught:
        run_policy(lambda seen: answer, PRACTICE_SEEDS[0])  # type: ignore[arg-type, return-value]
    assert isinstance(caught.value.__cause__, InvalidInput)


def test_a_policy_may_be_called_with_plain_data_and_answer_with_it() -> None:
    def policy(seen: dict[str, object]) -> list[object]:
        hot = seen["temp_c"] >= 38  # type: ignore[operator]
        return [("acetaminophen", 650)] if hot else []

    def records(seen: Observation) -> list[Order]:
        return [Order("acetaminophen", 650)] if seen.temp_c >= 38 else []

    seed = PRACTICE_SEEDS[1]
    assert run_policy(lambda seen: policy(seen.plain()), seed) == run_policy(records, seed)


def test_a_stay_that_is_over_takes_no_orders() -> None:
    stay = replace(admit(SEEDS[0]), end="well")
    with pytest.raises(InvalidInput, match="no further visit"):
        advance(stay, [])


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, None, "7", True])
def test_a_seed_that_is_none_is_refused(seed: object) -> None:
    with pytest.raises(InvalidInput, match="seed"):
        admit(seed)  # type: ignore[arg-type]


_ORDER = st.sampled_from(sorted(ORDERS)).flatmap(
    lambda name: (
        st.builds(
            Order,
            st.just(name),
            st.floats(ORDERS[name].least, ORDERS[name].most),
        )
        if ORDERS[name].unit
        else st.just(Order(name))
    )
)
_VISIT = st.lists(_ORDER, max_size=6, unique_by=lambda order: order.what).filter(
    lambda orders: {"icu", "floor"} - {order.what for order in orders} != set()
)


@given(
    seed=st.integers(0, 2**31 - 1),
    plan=st.lists(_VISIT, min_size=1, max_size=12),
    quiet=st.integers(0, 40),
)
@settings(max_examples=25)
def test_whatever_is_ordered_what_is_seen_stays_in_its_space(
    seed: int, plan: list[list[Order]], quiet: int
) -> None:
    unit = Ward()
    observation, info = unit.reset(seed=seed)
    rewards = 0.0
    nothing_for_now: list[list[Order]] = [[]] * quiet
    for orders in [*nothing_for_now, *plan, *plan]:
        assert unit.observation_space.contains(observation)
        for value in observation.values():
            assert np.isfinite(value).all()
        observation, reward, terminated, truncated, info = unit.step(orders)
        rewards += reward
        if terminated or truncated:
            break
    assert unit.observation_space.contains(observation)
    assert rewards == pytest.approx(info["points"] / 100 - 1)
    json.dumps(info["observation"].plain(), allow_nan=False)


# ---- Gymnasium


@pytest.mark.parametrize("render_mode", [None, "ansi"])
def test_gymnasiums_own_checker_has_nothing_to_say(render_mode: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make("crs/Ward-v0", render_mode=render_mode).unwrapped)


def test_rewards_add_up_to_the_score_of_the_outcome() -> None:
    unit = Ward()
    unit.reset(seed=PRACTICE_SEEDS[2])
    unit.action_space.seed(3)
    rewards, ended = 0.0, False
    while not ended:
        _, reward, terminated, truncated, info = unit.step(unit.action_space.sample())
        rewards, ended = rewards + reward, terminated or truncated
    assert info["score"] == score(info["outcome"])
    assert rewards == pytest.approx(info["score"].total / 100 - 1)
    assert truncated == (info["outcome"].hours == LAST_H and info["outcome"].end == "still here")


def test_an_action_is_the_orders_that_it_names() -> None:
    sizes = [len(choice.options) for choice in ACTION]
    names = [choice.name for choice in ACTION]
    assert orders_from(np.zeros(len(ACTION), dtype=np.int64), 70) == ()
    every = dict.fromkeys(names, 1)
    orders = orders_from(np.array([every[name] for name in names]), 70)
    assert Order("tocilizumab", 560) in orders
    assert Order("icu") in orders
    assert {order.what for order in orders} == set(ORDERS) - {"floor"}
    last = orders_from(np.array(sizes) - 1, 70)
    assert Order("floor") in last
    assert Order("tocilizumab", 800) in last
    for wrong in (np.array(sizes), -np.ones(len(ACTION), dtype=np.int64), np.zeros(3, dtype=int)):
        with pytest.raises(InvalidInput, match="action"):
            orders_from(wrong, 70)
    with pytest.raises(InvalidInput, match="action"):
        orders_from(np.zeros(len(ACTION)), 70)  # type: ignore[arg-type]


def test_a_vector_of_the_observation_has_the_columns_that_it_says() -> None:
    stay = advance(admit(SEEDS[0]), [("tocilizumab", 400), "antibiotics"])
    seen = observe(stay)
    arrays = arrays_of(seen)
    vitals = {column.name: at for at, column in enumerate(VITALS)}
    given_so_far = {column.name: at for at, column in enumerate(GIVEN_SO_FAR)}
    labs = {column.name: at for at, column in enumerate(LABS)}
    assert arrays["vitals"][vitals["temp_c"]] == pytest.approx(seen.temp_c)
    assert arrays["given"][given_so_far["tocilizumab_doses"]] == 1
    assert arrays["given"][given_so_far["hours_since_tocilizumab"]] == 4
    assert arrays["given"][given_so_far["hours_of_antibiotics_left"]] == 20
    assert arrays["labs_known"][labs["crp_mg_l"]] == 1
    assert arrays["labs_known"][labs["il6_pg_ml"]] == 0


def test_resetting_without_a_seed_goes_on_to_other_patients() -> None:
    unit = Ward()
    weights = []
    for again in range(2):
        unit.reset(seed=5)
        weights.append([unit.reset()[0]["patient"][1] for _ in range(3)])
        assert len(set(weights[again])) > 1
    assert weights[0] == weights[1]


def test_a_ward_without_a_patient_says_so() -> None:
    with pytest.raises(InvalidInput, match="reset"):
        Ward().step([])
    with pytest.raises(InvalidInput, match="options"):
        Ward().reset(seed=1, options={"patient": 3})


def test_learners_do_not_load_gymnasium() -> None:
    code = "import sys; import crs.patients.ward; print('gymnasium' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# ---- The page that explains it


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "ward.md").read_text(encoding="utf-8")


def test_the_page_names_every_field_order_never_event_and_weight(page: str) -> None:
    for item in fields(Observation):
        assert f"`{item.name}`" in page, item.name
    for kind in NEVER_EVENTS:
        assert f"| `{kind}` |" in page, kind
    for name, rule in ORDERS.items():
        lines = [line for line in page.splitlines() if f"`{name}`" in line and "|" in line]
        amount = f"{rule.least:g} to {rule.most:g} {rule.unit}" if rule.unit else "| |"
        assert any(amount in line for line in lines), name
    for name, points in WEIGHTS.items():
        words = {"icu_hours": "hours in intensive care", "car_t": "CAR T cells"}
        assert f"| {words.get(name, name.replace('_', ' '))} | {points:g} |" in page, name


def test_the_harm_of_the_page_is_that_of_the_ward(page: str) -> None:
    edge = LOW_MAP_MMHG - FLUIDS_REACH_MMHG
    true = {"map_mmhg": edge - 10, "spo2_room_air": 75.0, "neurotoxicity": 6.0, "infection": 1.0}
    harm = {
        "hypotension": 0.1,
        "hypoxia": 0.1,
        "grade 4": 0.004,
        "neurotoxicity": 0.006,
        "infection": 0.02,
    }
    assert _harm_of(true, 4, False) == pytest.approx(harm)
    assert _harm_of(true, 4, True) == pytest.approx({**harm, "hypotension": 0, "hypoxia": 0})
    assert _harm_of({**true, "neurotoxicity": 3.0}, 3, True)["neurotoxicity"] == 0.002
    low = {**true, "map_mmhg": edge - 36, "spo2_room_air": 54.0}
    assert _harm_of(low, 4, True) == pytest.approx({**harm, "hypotension": 0.01, "hypoxia": 0.01})
    for words in ("which is 35 mmHg more", "below 85 % without", "below 55 % with"):
        assert words in page


def test_what_harms_on_the_floor_is_what_the_protocol_asks_intensive_care_for() -> None:
    rest = {"neurotoxicity": 0.0, "infection": 0.0}
    for pressure in range(30, 90):
        harm = _harm_of({**rest, "map_mmhg": pressure, "spo2_room_air": 97}, 1, False)
        assert (harm["hypotension"] > 0) == (support_for(pressure, 97).vasopressors > 0)
    for saturation in range(50, 100):
        harm = _harm_of({**rest, "map_mmhg": 88, "spo2_room_air": saturation}, 1, False)
        device = support_for(88, saturation).oxygen
        assert (harm["hypoxia"] > 0) == (device not in ("room air", "nasal cannula"))


def test_the_examples_of_the_page_run(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "ward.md", "exec"), {})
    assert capsys.readouterr().out.startswith(("well", "died", "still here"))
