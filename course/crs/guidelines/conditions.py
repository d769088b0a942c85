"""The conditions that guideline rows are written in.

A condition is a comparison such as ``temp_c >= 38.0`` or ``oxygen in [face mask, Venturi mask]``,
or a group of conditions under ``all`` or ``any``. The word ``always`` is met by everything.
A threshold is inclusive or exclusive as its operator says.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

Value = bool | float | str
Facts = Mapping[str, Value]

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_COMPARISON = re.compile(
    r"^(?P<input>[a-z][a-z0-9_]*)\s*(?P<operator>>=|<=|==|!=|>|<|\bin\b)\s*(?P<value>.+)$"
)


@dataclass(frozen=True)
class Comparison:
    """One input held against one value, or against a list of words.

    Attributes
    ----------
    input : str
        Name of the input.
    operator : str
        One of ``>=``, ``<=``, ``>``, ``<``, ``==``, ``!=`` and ``in``.
    value : bool, float, str or tuple of str
        The threshold, or the words for ``in``.
    """

    input: str
    operator: str
    value: Value | tuple[str, ...]

    def __str__(self) -> str:
        if isinstance(self.value, tuple):
            return f"{self.input} in [{', '.join(self.value)}]"
        if isinstance(self.value, bool):
            return f"{self.input} {self.operator} {str(self.value).lower()}"
        if isinstance(self.value, float):
            return f"{self.input} {self.operator} {self.value:g}"
        return f"{self.input} {self.operator} {self.value}"

    @property
    def is_threshold(self) -> bool:
        """Whether this is a numeric bound with an edge worth testing."""
        return self.operator in _OPERATORS

    def is_met(self, facts: Facts) -> bool:
        """Whether the facts satisfy the comparison."""
        given = facts[self.input]
        if isinstance(self.value, tuple):
            return given in self.value
        if self.operator == "==":
            return given == self.value
        if self.operator == "!=":
            return given != self.value
        return _OPERATORS[self.operator](float(given), float(self.value))


@dataclass(frozen=True)
class Group:
    """Conditions of which all, or at least one, must be met.

    Attributes
    ----------
    every : bool
        True for ``all``, False for ``any``.
    members : tuple of Condition
        Empty only for ``always``.
    """

    every: bool
    members: "tuple[Condition, ...]"

    def __str__(self) -> str:
        if not self.members:
            return "always"
        word = " and " if self.every else " or "
        return word.join(
            f"({member})" if isinstance(member, Group) and len(member.members) > 1 else str(member)
            for member in self.members
        )

    def is_met(self, facts: Facts) -> bool:
        """Whether the facts satisfy the group."""
        results = (member.is_met(facts) for member in self.members)
        return all(results) if self.every else any(results)


Condition = Comparison | Group
ALWAYS = Group(every=True, members=())


def parse_value(text: str) -> Value | tuple[str, ...]:
    """Read the right-hand side of a comparison.

    Parameters
    ----------
    text : str
        A number, ``true``, ``false``, a word, or words in brackets.

    Returns
    -------
    bool, float, str or tuple of str
    """
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return tuple(word.strip() for word in text[1:-1].split(","))
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def parse_condition(raw: object) -> Condition:
    """Turn what a guideline file says under ``when`` into a condition.

    Parameters
    ----------
    raw : object
        A comparison as text, ``"always"``, or a mapping with the single key ``all`` or ``any``.

    Returns
    -------
    Condition

    Raises
    ------
    ValueError
        With a sentence that says what was expected.
    """
    if raw == "always":
        return ALWAYS
    if isinstance(raw, str):
        match = _COMPARISON.match(raw.strip())
        if match is None:
            raise ValueError(
                f"{raw!r} is not a comparison; write, for example, 'temp_c >= 38.0' or "
                "'oxygen in [face mask, Venturi mask]'"
            )
        value = parse_value(match["value"])
        if (match["operator"] == "in") != isinstance(value, tuple):
            raise ValueError(f"{raw!r}: 'in' goes with words in brackets, and only with them")
        if match["operator"] in _OPERATORS and (
            isinstance(value, bool) or not isinstance(value, float)
        ):
            raise ValueError(f"{raw!r}: {match['operator']} needs a number on its right")
        return Comparison(match["input"], match["operator"], value)
    if isinstance(raw, dict) and len(raw) == 1:
        word, members = next(iter(raw.items()))
        if word in ("all", "any") and isinstance(members, list) and members:
            return Group(word == "all", tuple(parse_condition(member) for member in members))
    raise ValueError(f"{raw!r} is not a condition; write a comparison, 'always', 'all:' or 'any:'")


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """List every comparison inside a condition, in the order written."""
    if isinstance(condition, Comparison):
        yield condition
    else:
        for member in condition.members:
            yield from comparisons(member)


def met_comparisons(condition: Condition, facts: Facts) -> Iterator[Comparison]:
    """List the comparisons that made a condition true: those on a branch that is met.

    Parameters
    ----------
    condition : Condition
        A condition that the facts meet.
    facts : mapping of str to bool, float or str
        The inputs.

    Yields
    ------
    Comparison
    """
    if isinstance(condition, Comparison):
        if condition.is_met(facts):
            yield condition
    elif condition.is_met(facts):
        for member in condition.members:
            yield from met_comparisons(member, facts)
