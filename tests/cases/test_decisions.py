"""Decisions: what the engine says, held against grades and orders worked out by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from crs.errors import InvalidInput
from crs.guidelines import grade, guideline
from crs.guidelines.dosing import recommend
from crs.patients.bedside import facts_of
from crs.patients.cases import Decision, case_ids, load_case
from crs.patients.judging import (
    MANAGEMENT,
    ORDER_WORDS,
    STEROID_WORDS,
    LearnerAnswer,
    answer_of_tables,
    compare,
    debrief,
)


@dataclass(frozen=True)
class Expected:
    astct: int
    orders: tuple[str, ...]
    lee: int | None = None


DEXA = "dexamethasone-10mg-q6h"
SUPPORT = "supportive-care"
# Worked out from the tables by hand, not by the engine.
EXPECTED = {
    ("scales-disagree", "first-fever"): Expected(1, (SUPPORT,), lee=1),
    ("scales-disagree", "low-dose-vasopressor"): Expected(
        3, ("antibiotics", SUPPORT, "icu", "tocilizumab", DEXA), lee=2
    ),
    ("scales-disagree", "seven-hours-later"): Expected(
        3, ("antibiotics", SUPPORT, "icu", DEXA), lee=2
    ),
    ("scales-disagree", "liver"): Expected(0, ("antibiotics",), lee=3),
    ("afebrile-not-well", "neutropenic-fever"): Expected(1, ("antibiotics", SUPPORT)),
    ("afebrile-not-well", "afebrile-on-vasopressor"): Expected(
        3, ("antibiotics", SUPPORT, "icu", "tocilizumab", DEXA)
    ),
    ("afebrile-not-well", "chills"): Expected(0, ("antibiotics",)),
    ("afebrile-not-well", "gram-negative"): Expected(0, ("antibiotics",)),
    ("crs-with-icans", "words"): Expected(
        1, ("antibiotics", SUPPORT, "icans-workup", "tocilizumab")
    ),
    ("crs-with-icans", "both-worse"): Expected(
        2, ("antibiotics", SUPPORT, "icans-workup", "tocilizumab", DEXA)
    ),
    ("crs-with-icans", "brain-alone"): Expected(0, ("antibiotics", "icans-workup", "icu", DEXA)),
    ("crs-with-icans", "airway"): Expected(
        0, ("antibiotics", "icans-workup", "icu", "methylprednisolone-500mg-q12h")
    ),
}
ALL = [(name, decision) for name in case_ids() for decision in load_case(name).decisions]
every_decision = pytest.mark.parametrize(
    ("case_id", "decision"), ALL, ids=[f"{name}/{decision.id}" for name, decision in ALL]
)


def test_every_decision_has_been_worked_out_by_hand() -> None:
    assert set(EXPECTED) == {(name, decision.id) for name, decision in ALL}


@every_decision
def test_the_engine_agrees_with_the_hand(case_id: str, decision: Decision) -> None:
    expected = EXPECTED[case_id, decision.id]
    tables = answer_of_tables(load_case(case_id), decision)
    assert tables.grades["astct-2019"].grade == expected.astct
    assert ("lee-2014" in decision.grades) == (expected.lee is not None)
    if expected.lee is not None:
        assert tables.grades["lee-2014"].grade == expected.lee
    assert tuple(tables.asked_for) == expected.orders


@every_decision
def test_the_answer_is_the_engine_s(case_id: str, decision: Decision) -> None:
    case = load_case(case_id)
    tables = answer_of_tables(case, decision)
    facts = facts_of(case.state_at(decision.at))
    for scale, verdict in tables.grades.items():
        assert verdict == grade(guideline(scale), facts)
    asked = recommend(case.management_facts(decision.at, tables.grades["astct-2019"].grade))
    given = [
        (str(m.row.gives["action"]), str(m.row.gives["reason"])) for m in tables.asked_for.values()
    ]
    assert given == list(asked)


@every_decision
def test_the_learner_is_asked_for_all_that_the_table_orders(
    case_id: str, decision: Decision
) -> None:
    """But for supportive care, which always goes on, and antibiotics that already run."""
    tables = answer_of_tables(load_case(case_id), decision)
    asked = {*decision.orders, SUPPORT}
    if "steroid" in asked:
        asked |= set(STEROID_WORDS)
    running = {
        event.kind
        for event in load_case(case_id).events_until(decision.at)
        if event.until is not None and event.until > decision.at
    }
    if "antibiotic" in running:
        asked.add("antibiotics")
    assert set(tables.asked_for) <= asked


@every_decision
def test_a_right_answer_agrees_on_every_line(case_id: str, decision: Decision) -> None:
    tables = answer_of_tables(load_case(case_id), decision)
    right = LearnerAnswer(
        grades={scale: tables.grades[scale].grade for scale in decision.grades},
        orders=frozenset(order for order in decision.orders if order in tables.asked_for),
        steroid=tables.steroid,
    )
    lines = compare(decision, right, tables)
    assert len(lines) == len(decision.grades) + len(decision.orders)
    assert all(line.agrees for line in lines)
    assert all(line.why.strip() for line in lines)


@every_decision
def test_each_wrong_part_shows_as_one_line(case_id: str, decision: Decision) -> None:
    tables = answer_of_tables(load_case(case_id), decision)
    orders = frozenset(order for order in decision.orders if order in tables.asked_for)
    grades: dict[str, int] = {s: tables.grades[s].grade for s in decision.grades}
    wrong = [
        LearnerAnswer({**grades, scale: (grades[scale] + 1) % 5}, orders, tables.steroid)
        for scale in decision.grades
    ]
    wrong += [
        LearnerAnswer(grades, orders ^ {order}, tables.steroid)
        for order in decision.orders
        if order != "steroid"
    ]
    if "steroid" in decision.orders:
        other = next(name for name in STEROID_WORDS if name != tables.steroid)
        wrong.append(LearnerAnswer(grades, orders, other))
    for answer in wrong:
        assert sum(not line.agrees for line in compare(decision, answer, tables)) == 1


@every_decision
def test_the_debrief_speaks_the_engine_s_grades(case_id: str, decision: Decision) -> None:
    tables = answer_of_tables(load_case(case_id), decision)
    assert "{astct}" in decision.debrief
    text = debrief(decision, tables)
    assert "{" not in text
    said = {int(found) for found in re.findall(r"ASTCT grade (\d)", text)}
    assert said <= {tables.grades["astct-2019"].grade}


def test_a_dose_that_is_too_early_is_explained_by_the_clock() -> None:
    case = load_case("scales-disagree")
    decision = next(d for d in case.decisions if d.id == "seven-hours-later")
    tables = answer_of_tables(case, decision)
    lines = compare(decision, LearnerAnswer({"astct-2019": 3, "lee-2014": 2}), tables)
    line = next(line for line in lines if line.what == ORDER_WORDS["tocilizumab"])
    assert line.table == "no"
    assert line.why == tables.timing.reason
    assert not tables.timing.allowed
    assert tables.timing.earliest_next_h == 108


def test_without_the_infection_the_same_numbers_would_be_grade_2() -> None:
    case = load_case("afebrile-not-well")
    tables = answer_of_tables(case, case.decisions[-1])
    assert (tables.grades["astct-2019"].grade, tables.if_crs.grade) == (0, 2)
    assert "would have been grade 2" in debrief(case.decisions[-1], tables)


def test_a_case_has_the_disagreement_that_it_promises() -> None:
    case = load_case("scales-disagree")
    pairs = [
        tuple(answer_of_tables(case, decision).grades[s].grade for s in ("astct-2019", "lee-2014"))
        for decision in case.decisions
    ]
    assert (3, 2) in pairs
    assert (0, 3) in pairs


def test_the_steroids_are_those_of_the_management_table() -> None:
    actions = {str(row.gives["action"]) for row in guideline(MANAGEMENT).rows}
    assert set(STEROID_WORDS) - {"none"} == {a for a in actions if re.search(r"\d+mg", a)}
    assert set(ORDER_WORDS) - {"steroid"} == actions - set(STEROID_WORDS)


def test_an_impossible_answer_is_refused() -> None:
    case = load_case("scales-disagree")
    decision = case.decisions[0]
    tables = answer_of_tables(case, decision)
    with pytest.raises(InvalidInput, match="Lee 2014 grade"):
        compare(decision, LearnerAnswer({"astct-2019": 1}), tables)
    with pytest.raises(InvalidInput, match="ASTCT 2019 grade"):
        compare(decision, LearnerAnswer({"astct-2019": 7, "lee-2014": 1}), tables)
    with pytest.raises(InvalidInput, match="steroid"):
        compare(decision, LearnerAnswer({"astct-2019": 1, "lee-2014": 1}, steroid="tea"), tables)
