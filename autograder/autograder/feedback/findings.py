"""What a check found, as plain data: read strictly, because anyone may have written it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from autograder.report import FINDINGS

_MOST_ITEMS = 60
_MOST_LETTERS = 2_000

NO_FUNCTION = (
    "The check found no function to call. The cell with your solution did not run to its end: "
    "look at its error first, or at the spelling of the function's name."
)
_CUT_SHORT = "The cell with this function did not run to its end."


@dataclass(frozen=True)
class Concept:
    """One idea that a check asked for.

    Attributes
    ----------
    title : str
        What it is.
    points : float
        What it is worth.
    holds : bool
        Whether the learner's work shows it.
    hint : str
        Where to look if it does not hold.
    """

    title: str
    points: float
    holds: bool
    hint: str = ""


@dataclass(frozen=True)
class Findings:
    """What one check found.

    Attributes
    ----------
    critical : tuple of str
        What would do harm.
    hints : tuple of str
        Sentences for the learner, the most telling first.
    concepts : tuple of Concept
        In the order of the exam.
    line : int
        Of a visible check, the line that did not hold; 0 where that is unknown.
    stopped : bool
        Whether the check ended in an error.
    """

    critical: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    concepts: tuple[Concept, ...] = ()
    line: int = 0
    stopped: bool = False

    @property
    def first_sentence(self) -> str:
        """The most telling sentence, or nothing."""
        lacking = (item.hint for item in self.concepts if not item.holds and item.hint)
        return next(iter((*self.critical, *self.hints, *lacking)), "")

    def as_data(self) -> dict[str, Any]:
        """Give the findings as plain data."""
        return asdict(self)


def read_findings(data: object) -> Findings | None:
    """Read findings from plain data; whatever is not as it should be is left out.

    Parameters
    ----------
    data : object
        What an output holds under `autograder.report.FINDINGS`.

    Returns
    -------
    Findings or None
        None where it is no mapping at all.
    """
    if not isinstance(data, Mapping):
        return None
    concepts = tuple(
        Concept(
            _text(item.get("title")),
            _number(item.get("points")),
            item.get("holds") is True,
            _text(item.get("hint")),
        )
        for item in _items(data.get("concepts"))
        if isinstance(item, Mapping) and _text(item.get("title"))
    )
    line = data.get("line")
    return Findings(
        _texts(data.get("critical")),
        _texts(data.get("hints")),
        concepts,
        line if type(line) is int and line > 0 else 0,
        data.get("stopped") is True,
    )


def found_in(outputs: Iterable[Any]) -> Findings | None:
    """Find what an examination showed among the outputs of a check cell.

    The last one counts: an exam shows its findings when all questions have been asked, and what
    came before may be a learner's.

    Parameters
    ----------
    outputs : iterable of mapping
        Outputs in the notebook format.

    Returns
    -------
    Findings or None
    """
    found = None
    for output in outputs:
        data = output.get("data")
        if isinstance(data, Mapping) and FINDINGS in data:
            found = read_findings(data[FINDINGS]) or found
    return found


def first_sentence(cell: Any) -> str:
    """Find the most telling sentence that an examination showed below a check.

    Parameters
    ----------
    cell : NotebookNode
        An executed cell.

    Returns
    -------
    str
        Empty where there is none.
    """
    outputs = cell.get("outputs", [])
    found = found_in(outputs)
    if found is not None:
        return next(iter((*found.critical, *found.hints)), "")
    if any(output.get("ename") == "NameError" for output in outputs):
        return _CUT_SHORT
    return ""


def _items(value: object) -> list[object]:
    return list(value[:_MOST_ITEMS]) if isinstance(value, list | tuple) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for item in _items(value) if (text := _text(item)))


def _text(value: object) -> str:
    return str(value)[:_MOST_LETTERS] if isinstance(value, str) else ""


def _number(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # An int may be beyond every float.
    if not is_number or not -1e6 < value < 1e6:  # type: ignore[operator]
        return 0.0
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else 0.0
