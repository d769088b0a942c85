"""Compare what a learner decides at the bedside with what the tables say.

Nothing is written down as the right answer: grades come from the grading scales, orders from the
management table, both applied to the case at the hour of the decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crs.errors import InvalidInput
from crs.guidelines import Match, Verdict, actions, grade, guideline
from crs.guidelines.dosing import TimingVerdict, management_facts, tocilizumab_timing
from crs.patients.bedside import facts_of
from crs.patients.cases import Case, Decision

MANAGEMENT = "management-asco-2021"
NO_STEROID = "none"
STEROID_WORDS = {
    NO_STEROID: "none",
    "dexamethasone-10mg-q12h": "dexamethasone 10 mg every 12 h",
    "dexamethasone-10mg-q6h": "dexamethasone 10 mg every 6 h",
    "methylprednisolone-500mg-q12h": "methylprednisolone 500 mg every 12 h",
}
ORDER_WORDS = {
    "antibiotics": "Antibiotics: start, or go on",
    "icans-workup": "Neurological workup",
    "icu": "Intensive care",
    "tocilizumab": "Tocilizumab now",
    "second-line": "A second-line drug",
    "supportive-care": "Supportive care",
    "steroid": "Corticosteroid",
}


@dataclass(frozen=True)
class TableAnswer:
    """What the tables say about one decision.

    Attributes
    ----------
    grades : mapping of str to Verdict
        By scale: those that the decision asks for, ASTCT always among them.
    asked_for : mapping of str to Match
        The rows of the management table that apply, by action.
    timing : TimingVerdict
        Whether tocilizumab may be given now, as far as the clock goes.
    if_crs : Verdict
        The ASTCT grade if there were no other cause.
    """

    grades: Mapping[str, Verdict]
    asked_for: Mapping[str, Match]
    timing: TimingVerdict
    if_crs: Verdict

    @property
    def steroid(self) -> str:
        """The corticosteroid that the management table asks for, or ``"none"``."""
        return next((action for action in self.asked_for if action in STEROID_WORDS), NO_STEROID)


@dataclass(frozen=True)
class LearnerAnswer:
    """What a learner committed to.

    Attributes
    ----------
    grades : mapping of str to int
        By scale.
    orders : frozenset of str
        What was ordered, of those that the decision asks about. Steroids stand apart.
    steroid : str
        One of `STEROID_WORDS`.
    """

    grades: Mapping[str, int]
    orders: frozenset[str] = field(default_factory=frozenset)
    steroid: str = NO_STEROID


@dataclass(frozen=True)
class Line:
    """One thing that was asked: what the learner said, and what the table says.

    Attributes
    ----------
    what, yours, table : str
        In words.
    agrees : bool
        Whether the two are the same.
    why : str
        The row that decided, in its words.
    scale : str
        The grading scale, for a grade; empty for an order.
    """

    what: str
    yours: str
    table: str
    agrees: bool
    why: str
    scale: str = ""


def answer_of_tables(case: Case, decision: Decision) -> TableAnswer:
    """Apply the tables to a case at the hour of a decision.

    Parameters
    ----------
    case : Case
        A fictional patient.
    decision : Decision
        One of the case's decisions.

    Returns
    -------
    TableAnswer
    """
    state = case.state_at(decision.at)
    facts = facts_of(state)
    scales = dict.fromkeys(("astct-2019", *decision.grades))
    grades: dict[str, Verdict] = {scale: grade(guideline(scale), facts) for scale in scales}
    asked = management_facts(case.management_facts(decision.at, grades["astct-2019"].grade))
    matches = actions(guideline(MANAGEMENT), asked)
    return TableAnswer(
        grades=grades,
        asked_for={str(match.row.gives["action"]): match for match in matches},
        timing=tocilizumab_timing(decision.at, case.tocilizumab_given_h(decision.at)),
        if_crs=grade(guideline("astct-2019"), facts_of(replace(state, other_cause=False))),
    )


def compare(decision: Decision, learner: LearnerAnswer, tables: TableAnswer) -> tuple[Line, ...]:
    """Put a learner's answer beside the tables', line by line.

    Parameters
    ----------
    decision : Decision
        What was asked.
    learner : LearnerAnswer
        What was committed to.
    tables : TableAnswer
        What the tables say.

    Returns
    -------
    tuple of Line
        The grades, then the orders.

    Raises
    ------
    InvalidInput
        If a grade is missing, or an answer is not one that can be given.
    """
    lines = []
    for scale in decision.grades:
        verdict = tables.grades[scale]
        mine = learner.grades.get(scale)
        name = verdict.guideline.short_title
        if mine is None or not 0 <= mine <= 4:
            raise InvalidInput(f"{name} grade", mine, "a grade from 0 to 4")
        lines.append(
            Line(
                what=f"{name} grade",
                yours=str(mine),
                table=str(verdict.grade),
                agrees=mine == verdict.grade,
                why=verdict.reason,
                scale=scale,
            )
        )
    if learner.steroid not in STEROID_WORDS:
        raise InvalidInput("steroid", learner.steroid, "one of " + ", ".join(STEROID_WORDS))
    for order in decision.orders:
        if order == "steroid":
            lines.append(_steroid_line(learner.steroid, tables))
        else:
            lines.append(_order_line(order, order in learner.orders, tables))
    return tuple(lines)


def debrief(decision: Decision, tables: TableAnswer) -> str:
    """Fill in the grades that a decision's debrief speaks of.

    Parameters
    ----------
    decision : Decision
        Whose ``debrief`` is filled in.
    tables : TableAnswer
        What the tables say.

    Returns
    -------
    str
    """
    grades = {scale.split("-")[0]: verdict.grade for scale, verdict in tables.grades.items()}
    return decision.debrief.format(**grades, astct_if_crs=tables.if_crs.grade)


def _steroid_line(mine: str, tables: TableAnswer) -> Line:
    match = tables.asked_for.get(tables.steroid)
    return Line(
        what=ORDER_WORDS["steroid"],
        yours=STEROID_WORDS[mine],
        table=STEROID_WORDS[tables.steroid],
        agrees=mine == tables.steroid,
        why=match.row.text if match else "No row of the table asks for it.",
    )


def _order_line(order: str, mine: bool, tables: TableAnswer) -> Line:
    match = tables.asked_for.get(order)
    why = match.row.text if match else "No row of the table asks for it."
    if order == "tocilizumab" and match is None and not tables.timing.allowed:
        why = tables.timing.reason
    return Line(
        what=ORDER_WORDS[order],
        yours="yes" if mine else "no",
        table="yes" if match else "no",
        agrees=mine == (match is not None),
        why=why,
    )
