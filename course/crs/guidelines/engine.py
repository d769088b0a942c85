"""Apply a guideline to a patient, and say which row decided.

The engine knows no medicine. It checks the inputs that a table asks for, finds the rows whose
conditions are met, and reads them as the kind of table demands: the highest grade of a scale,
every action of a decision table in order, the first row of a lookup table.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np

from crs.errors import InvalidInput
from crs.guidelines.conditions import Comparison, Facts, Value, met_comparisons
from crs.guidelines.schema import Guideline, Input, Row


@dataclass(frozen=True)
class Match:
    """A row that applies, with the comparisons that made it apply."""

    row: Row
    met: tuple[Comparison, ...]


@dataclass(frozen=True)
class Verdict:
    """The grade of one patient on one scale.

    Attributes
    ----------
    guideline : Guideline
        The scale.
    grade : int
        0 when the scale does not apply.
    deciding : Match or None
        The row that decided: the first written among those with the highest grade. None when no
        row, or not even the gate, was met.
    matches : tuple of Match
        All rows that apply, in the order of the table.
    facts : mapping
        The inputs that were used, defaults filled in.
    """

    guideline: Guideline
    grade: int
    deciding: Match | None
    matches: tuple[Match, ...]
    facts: Facts

    @property
    def reason(self) -> str:
        """Why, in the words of the table."""
        if self.deciding is not None:
            return self.deciding.row.text
        gate = self.guideline.gate
        if gate is not None and not gate.when.is_met(self.facts):
            return f"Not met: {gate.text}"
        return "No row of the table is met."


def check_facts(table: Guideline, given: Mapping[str, object]) -> Facts:
    """Check the inputs of a table, and fill in defaults.

    Parameters
    ----------
    table : Guideline
        The table that asks.
    given : mapping of str to object
        At least the inputs without a default. Others may be there too; they are left out.

    Returns
    -------
    mapping of str to bool, float or str

    Raises
    ------
    InvalidInput
        Names the input, the value and what is allowed.
    """
    facts = {
        item.name: check_value(item, given.get(item.name, item.default)) for item in table.inputs
    }
    for refusal in table.refused:
        if refusal.when.is_met(facts):
            raise InvalidInput(refusal.input, facts[refusal.input], refusal.allowed)
    return facts


def check_value(item: Input, value: object) -> Value:
    """Check one value against what its input allows.

    Parameters
    ----------
    item : Input
        Kind, range and choices.
    value : object
        What was given.

    Returns
    -------
    bool, float or str

    Raises
    ------
    InvalidInput
        Names the input, the value and what is allowed.
    """
    if item.kind == "boolean":
        if isinstance(value, bool | np.bool_):  # a column of a table holds the second
            return bool(value)
    elif item.kind == "choice":
        if isinstance(value, str) and value in item.choices:
            return value
    elif not isinstance(value, bool) and isinstance(value, Real):
        number = float(value)
        whole = item.kind != "integer" or number.is_integer()
        low = (item.minimum is None or number >= item.minimum) and (
            item.above is None or number > item.above
        )
        high = item.maximum is None or number <= item.maximum
        if math.isfinite(number) and whole and low and high:
            return number
    raise InvalidInput(item.name, value, item.allowed)


def matching_rows(table: Guideline, given: Mapping[str, object]) -> tuple[Match, ...]:
    """List every row that applies, in the order of the table; none where the gate is not met.

    Parameters
    ----------
    table : Guideline
        Any table.
    given : mapping of str to object
        Its inputs.

    Returns
    -------
    tuple of Match

    Raises
    ------
    InvalidInput
        If an input is missing or not allowed.
    """
    return _matches(table, check_facts(table, given))


def _matches(table: Guideline, facts: Facts) -> tuple[Match, ...]:
    if table.gate is not None and not table.gate.when.is_met(facts):
        return ()
    return tuple(
        Match(row, tuple(met_comparisons(row.when, facts)))
        for row in table.rows
        if row.when.is_met(facts)
    )


def first_row(table: Guideline, given: Mapping[str, object]) -> Match:
    """Find the first row of a lookup table that applies.

    Parameters
    ----------
    table : Guideline
        A lookup table whose rows cover every allowed input.
    given : mapping of str to object
        Its inputs.

    Returns
    -------
    Match

    Raises
    ------
    InvalidInput
        If an input is missing or not allowed, or if no row covers the inputs.
    """
    matches = matching_rows(table, given)
    if not matches:
        names = ", ".join(item.name for item in table.inputs)
        raise InvalidInput(names, dict(given), f"covered by a row of {table.title}")
    return matches[0]


def grade(scale: Guideline, given: Mapping[str, object]) -> Verdict:
    """Grade a patient on one scale.

    Parameters
    ----------
    scale : Guideline
        A grading scale.
    given : mapping of str to object
        Its inputs; further ones are ignored.

    Returns
    -------
    Verdict

    Raises
    ------
    InvalidInput
        If an input is missing or not allowed.
    """
    facts = check_facts(scale, given)
    matches = _matches(scale, facts)
    deciding = max(matches, key=lambda match: match.row.gives["grade"], default=None)
    number = 0 if deciding is None else int(deciding.row.gives["grade"])
    return Verdict(scale, number, deciding, matches, facts)


def actions(table: Guideline, given: Mapping[str, object]) -> tuple[Match, ...]:
    """List the actions of a decision table: one row each, in order, replaced ones left out.

    Parameters
    ----------
    table : Guideline
        A decision table. Where several rows give one action, the first that is met counts.
        A row may say under ``replaces`` which actions it replaces, separated by commas.
    given : mapping of str to object
        Its inputs.

    Returns
    -------
    tuple of Match

    Raises
    ------
    InvalidInput
        If an input is missing or not allowed.
    """
    chosen: dict[str, Match] = {}
    for match in matching_rows(table, given):
        chosen.setdefault(str(match.row.gives["action"]), match)
    replaced = {
        name.strip()
        for match in chosen.values()
        for name in str(match.row.gives.get("replaces", "")).split(",")
    }
    return tuple(match for action, match in chosen.items() if action not in replaced)
