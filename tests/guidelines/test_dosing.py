"""Doses, intervals and schedules: every boundary, and what must hold for any input."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crs.errors import InvalidInput
from crs.guidelines import guideline, guideline_ids, matching_rows
from crs.guidelines.dosing import (
    blinatumomab_after_crs,
    blinatumomab_rate_ug_day,
    choose_vials,
    is_high_dose_vasopressor,
    methylprednisolone_day_dose_mg,
    norepinephrine_equivalent_ug_min,
    siltuximab_dose_mg,
    steroid_equivalent_mg,
    tocilizumab_dose_mg,
    tocilizumab_timing,
)

WEIGHTS = st.floats(1, 400)
AREAS = st.floats(0.2, 3.5)
RR, MRD = "relapsed/refractory", "MRD"

# --- vasopressors -------------------------------------------------------------------------------


def test_norepinephrine_equivalents() -> None:
    assert norepinephrine_equivalent_ug_min() == 0
    assert norepinephrine_equivalent_ug_min(norepinephrine_ug_min=7) == 7
    assert norepinephrine_equivalent_ug_min(dopamine_ug_kg_min=10) == 5
    assert norepinephrine_equivalent_ug_min(epinephrine_ug_min=4) == 4
    assert norepinephrine_equivalent_ug_min(phenylephrine_ug_min=130) == 13
    assert norepinephrine_equivalent_ug_min(7, 10, 4, 130) == 29


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({}, False),
        ({"norepinephrine_ug_min": 19.9}, False),
        ({"norepinephrine_ug_min": 20}, True),
        ({"dopamine_ug_kg_min": 9.9}, False),
        ({"dopamine_ug_kg_min": 10}, True),
        ({"phenylephrine_ug_min": 199}, False),
        ({"phenylephrine_ug_min": 200}, True),
        ({"epinephrine_ug_min": 9.9}, False),
        ({"epinephrine_ug_min": 10}, True),
        ({"vasopressin": True}, False),
        ({"vasopressin": True, "norepinephrine_ug_min": 9.9}, False),
        ({"vasopressin": True, "norepinephrine_ug_min": 10}, True),
        ({"vasopressin": True, "norepinephrine_ug_min": 6, "epinephrine_ug_min": 4}, True),
        ({"vasopressin": True, "dopamine_ug_kg_min": 9.8, "norepinephrine_ug_min": 5}, False),
        ({"norepinephrine_ug_min": 10, "epinephrine_ug_min": 9.9}, False),
        ({"norepinephrine_ug_min": 11, "epinephrine_ug_min": 9}, True),
        ({"norepinephrine_ug_min": 15, "phenylephrine_ug_min": 49}, False),
        ({"norepinephrine_ug_min": 15, "phenylephrine_ug_min": 50}, True),
        # a drug that meets its own row counts whatever else runs
        ({"vasopressin": True, "dopamine_ug_kg_min": 10}, True),
        ({"dopamine_ug_kg_min": 10, "norepinephrine_ug_min": 1}, True),
    ],
)
def test_high_dose_after_three_hours(rates: dict[str, Any], expected: bool) -> None:
    assert is_high_dose_vasopressor(3, **rates) is expected
    assert is_high_dose_vasopressor(hours=2.9, **rates) is False


@pytest.mark.parametrize(
    ("drug", "enough", "row"),
    [
        ("norepinephrine_ug_min", 20, "norepinephrine"),
        ("dopamine_ug_kg_min", 10, "dopamine"),
        ("phenylephrine_ug_min", 200, "phenylephrine"),
        ("epinephrine_ug_min", 10, "epinephrine"),
        ("norepinephrine_equivalent_ug_min", 20, "combination"),
    ],
)
def test_each_drug_has_its_own_row(drug: str, enough: float, row: str) -> None:
    table = guideline("high-dose-vasopressors")
    for rate, expected in ((enough, [row]), (enough - 0.1, [])):
        facts = {"hours": 3, "norepinephrine_equivalent_ug_min": 0, drug: rate}
        assert [match.row.id for match in matching_rows(table, facts)] == expected


@given(
    hours=st.floats(0, 100),
    vasopressin=st.booleans(),
    rates=st.tuples(*[st.floats(0, 300)] * 4),
    which=st.integers(0, 3),
    more=st.floats(0, 100),
)
def test_more_vasopressor_never_lowers_the_dose_class(
    hours: float, vasopressin: bool, rates: tuple[float, ...], which: int, more: float
) -> None:
    higher = [rate + more * (place == which) for place, rate in enumerate(rates)]
    before = is_high_dose_vasopressor(hours, vasopressin, *rates)
    assert is_high_dose_vasopressor(hours, vasopressin, *higher) >= before
    assert is_high_dose_vasopressor(hours, True, *rates) >= before
    assert is_high_dose_vasopressor(hours + more, vasopressin, *rates) >= before


# --- tocilizumab --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight_kg", "dose_mg"),
    [(10, 120), (29.9, 358.8), (30, 240), (70, 560), (99.9, 799.2), (100, 800), (120, 800)],
)
def test_tocilizumab_dose(weight_kg: float, dose_mg: float) -> None:
    assert tocilizumab_dose_mg(weight_kg) == pytest.approx(dose_mg, abs=1e-9)


@given(WEIGHTS, WEIGHTS)
def test_tocilizumab_dose_is_capped_and_rises_with_weight_on_either_side_of_30_kg(
    one: float, other: float
) -> None:
    light, heavy = sorted((one, other))
    assert 0 < tocilizumab_dose_mg(heavy) <= 800
    if (light < 30) == (heavy < 30):
        assert tocilizumab_dose_mg(light) <= tocilizumab_dose_mg(heavy)


@pytest.mark.parametrize(
    ("now", "given_h", "interval", "allowed", "earliest", "left"),
    [
        (0, [], 8, True, 0, 4),
        (5, [], 8, True, 5, 4),
        (7.99, [0], 8, False, 8, 3),
        (8, [0], 8, True, 8, 3),
        (0, [0], 8, False, 8, 3),
        (16, [8, 0], 8, True, 16, 2),
        (24, [0, 8, 16], 8, True, 24, 1),
        (100, [0, 8, 16, 24], 8, False, None, 0),
        (100, [0, 8, 16, 24, 32], 8, False, None, 0),
        # three in 24 hours binds at six hours, and lets go exactly 24 hours after the first
        (5.99, [0], 6, False, 6, 3),
        (6, [0], 6, True, 6, 3),
        (18, [0, 6, 12], 6, False, 24, 1),
        (23.99, [0, 6, 12], 6, False, 24, 1),
        (24, [0, 6, 12], 6, True, 24, 1),
        (23, [0, 6, 20], 6, False, 26, 1),
        (25, [0, 6, 20], 6, False, 26, 1),
    ],
)
def test_tocilizumab_timing(
    now: float,
    given_h: list[float],
    interval: float,
    allowed: bool,
    earliest: float | None,
    left: int,
) -> None:
    found = tocilizumab_timing(now, given_h, interval)
    assert (found.allowed, found.earliest_next_h, found.doses_left) == (allowed, earliest, left)
    assert found.reason.startswith(("Yes", "No"))
    assert found.reason.startswith("Yes") is allowed


def test_the_label_sets_the_usual_interval() -> None:
    assert tocilizumab_timing(7, [0]) == tocilizumab_timing(7, [0], 8)
    assert not tocilizumab_timing(7, [0]).allowed


def test_timing_says_which_rule_binds() -> None:
    assert "at least 8 h apart" in tocilizumab_timing(7, [0]).reason
    assert "3 doses started within the last 24 h" in tocilizumab_timing(18, [0, 6, 12], 6).reason
    assert "4 is the maximum" in tocilizumab_timing(99, [0, 8, 16, 24]).reason


def plain_timing(now: float, given_h: list[float], interval: float) -> bool:
    return (
        len(given_h) < 4
        and all(now >= start + interval for start in given_h)
        and sum(now < start + 24 for start in given_h) < 3
    )


@given(
    starts=st.lists(st.integers(0, 400).map(lambda n: n / 4), max_size=5),
    later=st.integers(0, 200).map(lambda n: n / 4),
    interval=st.sampled_from([4.0, 6.0, 8.0, 12.0]),
)
def test_timing_agrees_with_plain_code_and_the_earliest_time_is_the_earliest(
    starts: list[float], later: float, interval: float
) -> None:
    now = max(starts, default=0) + later
    found = tocilizumab_timing(now, starts, interval)
    assert found.allowed == plain_timing(now, starts, interval)
    earliest = found.earliest_next_h
    if earliest is None:
        assert found.doses_left == 0
        return
    assert tocilizumab_timing(earliest, starts, interval).allowed
    if earliest > now:
        assert not tocilizumab_timing(earliest - 0.01, starts, interval).allowed


@given(gaps=st.lists(st.floats(0, 30), min_size=1, max_size=40))
def test_no_course_of_allowed_doses_breaks_a_rule(gaps: list[float]) -> None:
    now, starts = 0.0, list[float]()
    for gap in gaps:
        now += gap
        if tocilizumab_timing(now, starts, 6).allowed:
            starts.append(now)
    assert len(starts) <= 4
    assert all(later >= start + 6 for start, later in pairwise(starts))
    assert all(later >= start + 24 for start, later in zip(starts, starts[3:], strict=False))


# --- vials --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dose_mg", "counts"),
    [
        (1, {400: 0, 200: 0, 80: 1}),
        (80, {400: 0, 200: 0, 80: 1}),
        (81, {400: 0, 200: 0, 80: 2}),
        (240, {400: 0, 200: 0, 80: 3}),
        (320, {400: 0, 200: 0, 80: 4}),
        (358.8, {400: 0, 200: 1, 80: 2}),
        (400, {400: 1, 200: 0, 80: 0}),
        (560, {400: 1, 200: 0, 80: 2}),
        (799.2, {400: 2, 200: 0, 80: 0}),
        (800, {400: 2, 200: 0, 80: 0}),
    ],
)
def test_vials(dose_mg: float, counts: dict[int, int]) -> None:
    assert choose_vials(dose_mg).counts == counts


def test_every_vial_holds_20_mg_in_a_milliliter() -> None:
    for row in guideline("tocilizumab-vials").rows:
        assert float(row.gives["content_mg"]) == 20 * float(row.gives["volume_ml"])


@given(st.floats(0.1, 800))
def test_vials_cover_the_dose_and_nothing_wastes_less_or_takes_fewer(dose_mg: float) -> None:
    chosen = choose_vials(dose_mg)
    assert chosen.total_mg == sum(size * count for size, count in chosen.counts.items())
    assert chosen.total_mg >= dose_mg
    assert chosen.waste_mg == chosen.total_mg - dose_mg
    assert chosen.number == sum(chosen.counts.values())
    for large, medium, small in product(range(4), range(6), range(12)):
        total = 400 * large + 200 * medium + 80 * small
        if total >= dose_mg:
            assert (chosen.total_mg, chosen.number) <= (total, large + medium + small)


# --- siltuximab and steroids --------------------------------------------------------------------


def test_siltuximab() -> None:
    assert siltuximab_dose_mg(70) == 770


@pytest.mark.parametrize(
    ("drug", "dose_mg", "to", "expected"),
    [
        ("dexamethasone", 0.75, "hydrocortisone", 20),
        ("dexamethasone", 40, "methylprednisolone", 213.3333333),
        ("methylprednisolone", 4, "prednisone", 5),
        ("prednisone", 5, "dexamethasone", 0.75),
        ("hydrocortisone", 0, "prednisone", 0),
    ],
)
def test_steroid_equivalents(drug: str, dose_mg: float, to: str, expected: float) -> None:
    assert steroid_equivalent_mg(drug, dose_mg, to) == pytest.approx(expected, rel=1e-8)


STEROIDS = st.sampled_from(["dexamethasone", "methylprednisolone", "prednisone", "hydrocortisone"])


@given(STEROIDS, STEROIDS, st.floats(0, 2000))
def test_steroid_conversion_goes_there_and_back(drug: str, to: str, dose_mg: float) -> None:
    there = steroid_equivalent_mg(drug, dose_mg, to)
    assert steroid_equivalent_mg(to, there, drug) == pytest.approx(dose_mg)


def test_methylprednisolone_day_by_day() -> None:
    days = [methylprednisolone_day_dose_mg(day) for day in range(1, 11)]
    assert days == [1000, 1000, 1000, 500, 500, 250, 250, 120, 120, 120]


# --- blinatumomab -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight_kg", "bsa_m2", "cycle", "day", "indication", "rate"),
    [
        (45, 1.4, 1, 1, RR, 9),
        (45, 1.4, 1, 7, RR, 9),
        (45, 1.4, 1, 8, RR, 28),
        (45, 1.4, 1, 28, RR, 28),
        (45, 1.4, 1, 29, RR, 0),
        (45, 1.4, 1, 42, RR, 0),
        (45, 1.4, 2, 1, RR, 28),
        (45, 1.4, 1, 1, MRD, 28),
        (44.9, 1.4, 1, 7, RR, 7),
        (44.9, 1.4, 1, 8, RR, 21),
        (44.9, 1.4, 2, 7, RR, 21),
        (44.9, 1.4, 1, 7, MRD, 21),
        (44.9, 1.4, 1, 29, MRD, 0),
        (44.9, 1.9, 1, 7, RR, 9),
        (44.9, 1.9, 1, 8, RR, 28),
        (80, 2.2, 1, 8, RR, 28),
        (80, 0.5, 1, 8, RR, 28),
    ],
)
def test_blinatumomab_rate(
    weight_kg: float, bsa_m2: float, cycle: int, day: int, indication: str, rate: float
) -> None:
    found = blinatumomab_rate_ug_day(weight_kg, bsa_m2, cycle, day, indication)
    assert found == pytest.approx(rate, abs=1e-9)


@given(WEIGHTS, AREAS, st.integers(1, 9), st.integers(1, 42), st.sampled_from([RR, MRD]))
def test_blinatumomab_rate_is_never_above_its_limits(
    weight_kg: float, bsa_m2: float, cycle: int, day: int, indication: str
) -> None:
    rate = blinatumomab_rate_ug_day(weight_kg, bsa_m2, cycle, day, indication)
    step = indication == RR and cycle == 1 and day <= 7
    assert 0 <= rate <= (9 if step else 28)
    assert (rate == 0) == (day >= 29)


@pytest.mark.parametrize("weight_kg", [20, 44.9, 45, 80])
def test_blinatumomab_after_mild_crs_goes_on_or_may_pause(weight_kg: float) -> None:
    for ctcae_grade, action in ((1, "continue"), (2, "may interrupt")):
        found = blinatumomab_after_crs(ctcae_grade, weight_kg, 1.2)
        assert (found.action, found.restart_ug_day, found.full_ug_day) == (action, None, None)
        assert found.dexamethasone_mg is None


@pytest.mark.parametrize(
    ("weight_kg", "bsa_m2", "dexamethasone_mg", "restart", "full"),
    [
        (45, 1.4, 8, 9, 28),
        (80, 2.2, 8, 9, 28),
        (44.9, 1.4, 7, 7, 21),
        (44.9, 1.7, 8, 8.5, 25.5),
        (44.9, 1.9, 8, 9, 28),
        (20, 0.8, 4, 4, 12),
    ],
)
def test_blinatumomab_after_severe_crs(
    weight_kg: float, bsa_m2: float, dexamethasone_mg: float, restart: float, full: float
) -> None:
    found = blinatumomab_after_crs(3, weight_kg, bsa_m2)
    assert found.action == "interrupt and restart"
    assert found.dexamethasone_mg == pytest.approx(dexamethasone_mg)
    assert found.restart_ug_day == pytest.approx(restart)
    assert found.full_ug_day == pytest.approx(full)
    last = blinatumomab_after_crs(4, weight_kg, bsa_m2)
    assert (last.action, last.restart_ug_day, last.full_ug_day) == ("stop", None, None)
    assert last.dexamethasone_mg == pytest.approx(dexamethasone_mg)


@given(WEIGHTS, AREAS)
def test_blinatumomab_restarts_at_the_step_of_cycle_1(weight_kg: float, bsa_m2: float) -> None:
    found = blinatumomab_after_crs(3, weight_kg, bsa_m2)
    assert found.restart_ug_day == blinatumomab_rate_ug_day(weight_kg, bsa_m2, 1, 1, RR)
    assert found.full_ug_day == blinatumomab_rate_ug_day(weight_kg, bsa_m2, 1, 8, RR)


# --- invalid input ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "field", "value"),
    [
        (lambda: tocilizumab_dose_mg(0), "weight_kg", 0),
        (lambda: tocilizumab_dose_mg(-5), "weight_kg", -5),
        (lambda: tocilizumab_dose_mg(70000), "weight_kg", 70000),
        (lambda: tocilizumab_dose_mg("70"), "weight_kg", "70"),  # type: ignore[arg-type]
        (lambda: tocilizumab_dose_mg(None), "weight_kg", None),  # type: ignore[arg-type]
        (lambda: tocilizumab_dose_mg(True), "weight_kg", True),
        (lambda: tocilizumab_timing(8, [9]), "given_h", 9),
        (lambda: tocilizumab_timing(8, ["0"]), "given_h", "0"),  # type: ignore[list-item]
        (lambda: tocilizumab_timing(8, 0), "given_h", 0),  # type: ignore[arg-type]
        (lambda: tocilizumab_timing(8, [0], 0), "min_interval_h", 0),
        (lambda: tocilizumab_timing(8, [0], -8), "min_interval_h", -8),
        (lambda: tocilizumab_timing("8", []), "now_h", "8"),  # type: ignore[arg-type]
        (lambda: choose_vials(0), "dose_mg", 0),
        (lambda: choose_vials(800.1), "dose_mg", 800.1),
        (lambda: siltuximab_dose_mg(-1), "weight_kg", -1),
        (lambda: steroid_equivalent_mg("prednison", 5, "prednisone"), "drug", "prednison"),
        (lambda: steroid_equivalent_mg("prednisone", 5, "dexa"), "to", "dexa"),
        (lambda: steroid_equivalent_mg("prednisone", -5, "prednisone"), "dose_mg", -5),
        (lambda: methylprednisolone_day_dose_mg(0), "day", 0),
        (lambda: methylprednisolone_day_dose_mg(1.5), "day", 1.5),  # type: ignore[arg-type]
        (lambda: blinatumomab_rate_ug_day(0, 1, 1, 1, RR), "weight_kg", 0),
        (lambda: blinatumomab_rate_ug_day(50, 0, 1, 1, RR), "bsa_m2", 0),
        (lambda: blinatumomab_rate_ug_day(50, 180, 1, 1, RR), "bsa_m2", 180),
        (lambda: blinatumomab_rate_ug_day(50, 1, 0, 1, RR), "cycle", 0),
        (lambda: blinatumomab_rate_ug_day(50, 1, 1, 43, RR), "day", 43),
        (lambda: blinatumomab_rate_ug_day(50, 1, 1, 1, "ALL"), "indication", "ALL"),
        (lambda: blinatumomab_after_crs(0, 50, 1), "ctcae_grade", 0),
        (lambda: blinatumomab_after_crs(5, 50, 1), "ctcae_grade", 5),
        (lambda: is_high_dose_vasopressor(-1), "hours", -1),
        (
            lambda: is_high_dose_vasopressor(3, norepinephrine_ug_min=-1),
            "norepinephrine_ug_min",
            -1,
        ),
        (
            lambda: norepinephrine_equivalent_ug_min(dopamine_ug_kg_min=-1),
            "dopamine_ug_kg_min",
            -1,
        ),
    ],
)
def test_invalid_input_names_field_value_and_allowed(
    call: Callable[[], object], field: str, value: object
) -> None:
    with pytest.raises(InvalidInput) as caught:
        call()
    assert (caught.value.field, caught.value.value) == (field, value)
    assert caught.value.allowed in str(caught.value)


# --- the files behind the functions -------------------------------------------------------------

CONSTANTS = {
    "tocilizumab-crs": {
        "max_dose_mg": 800,
        "min_interval_h": 8,
        "max_doses": 4,
        "max_doses_in_24_h": 3,
        "window_h": 24,
        "min_interval_cartox_h": 6,
        "infusion_h": 1,
    },
    "siltuximab": {"infusion_h": 1, "max_doses": 1},
    "blinatumomab-start": {
        "infusion_days": 28,
        "cycle_days": 42,
        "premedication_dexamethasone_adult_mg": 20,
    },
    "blinatumomab-after-crs": {
        "dexamethasone_interval_h": 8,
        "dexamethasone_max_days": 3,
        "dexamethasone_taper_days": 4,
        "days_before_full_dose": 7,
        "max_interruption_same_cycle_days": 7,
    },
}


def test_constants_are_what_was_read() -> None:
    tables = [guideline(name) for name in guideline_ids()]
    found = {
        table.id: {name: constant.value for name, constant in table.constants.items()}
        for table in tables
        if table.constants
    }
    assert found == CONSTANTS


@pytest.mark.parametrize(
    ("name", "facts", "rows"),
    [
        ("tocilizumab-crs", {"weight_kg": 29.9}, ["below-30-kg"]),
        ("tocilizumab-crs", {"weight_kg": 30}, ["30-kg-or-more"]),
        *(
            ("methylprednisolone-asco-grade-4", {"day": day}, [row])
            for day, row in [
                (3, "days-1-to-3"),
                (4, "days-4-and-5"),
                (5, "days-4-and-5"),
                (6, "days-6-and-7"),
                (7, "days-6-and-7"),
                (8, "from-day-8"),
            ]
        ),
        *(
            ("blinatumomab-after-crs", {"ctcae_grade": grade, "weight_kg": weight}, [row])
            for grade, weight, row in [
                (1, 45, "grade-1"),
                (2, 45, "grade-2"),
                (3, 44.9, "grade-3-below-45-kg"),
                (3, 45, "grade-3-45-kg-or-more"),
                (4, 44.9, "grade-4-below-45-kg"),
                (4, 45, "grade-4-45-kg-or-more"),
            ]
        ),
        *(
            ("tocilizumab-vials", {"vial_mg": content}, [row])
            for content, row in [(80, "small"), (200, "medium"), (400, "large")]
        ),
        # in this table the first row that is met counts, so "all other days" may be met too
        *(
            (
                "blinatumomab-start",
                {"weight_kg": weight, "cycle": 1, "day": 7, "indication": RR},
                rows,
            )
            for weight, rows in [
                (44.9, ["step-below-45-kg", "full-below-45-kg"]),
                (45, ["step-45-kg-or-more", "full-45-kg-or-more"]),
            ]
        ),
    ],
)
def test_one_side_of_a_threshold_only(name: str, facts: dict[str, object], rows: list[str]) -> None:
    assert [match.row.id for match in matching_rows(guideline(name), facts)] == rows
