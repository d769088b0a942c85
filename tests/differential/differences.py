"""Which differences between the two graders are known, and which are not."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.differential.grading import Outcome

LIST = Path(__file__).with_name("differences.toml")
DIRECTIONS = ("less", "more")


@dataclass(frozen=True)
class Group:
    """Differences that have one reason.

    Attributes
    ----------
    name : str
    reason : str
        One sentence.
    less, more : tuple of str
        Keys of outcomes for which sealed grading gives less, or more, than stock.
    """

    name: str
    reason: str
    less: tuple[str, ...]
    more: tuple[str, ...]


def read_groups(path: Path = LIST) -> list[Group]:
    """Read the list of known differences.

    Parameters
    ----------
    path : Path
        The list.

    Returns
    -------
    list of Group
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        Group(name, table["reason"], tuple(table.get("less", ())), tuple(table.get("more", ())))
        for name, table in tables.items()
    ]


def directions(groups: Iterable[Group]) -> dict[str, str]:
    """Say of each known difference whether sealed grading gives "less" or "more"."""
    return {
        key: direction
        for group in groups
        for direction in DIRECTIONS
        for key in getattr(group, direction)
    }


def unexpected(outcomes: Sequence[Outcome], expected: Mapping[str, str]) -> list[str]:
    """Hold outcomes against the known differences.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of one theme or more.
    expected : mapping of str to str
        From `directions`.

    Returns
    -------
    list of str
        One line for each difference that is not listed, shows the other way round, or does not show
        any more.
    """
    faults = []
    for outcome in outcomes:
        listed = expected.get(outcome.key, "same")
        if outcome.direction != listed:
            faults.append(f"{describe(outcome)} [listed as: {listed}]")
    return faults


def describe(outcome: Outcome) -> str:
    """Write an outcome in one line."""
    stock, sealed = (
        "no score" if score is None else f"{score:g}" for score in (outcome.stock, outcome.sealed)
    )
    error = outcome.sealed_error or outcome.stock_error or "no error"
    whose = "sealed" if outcome.sealed_error or not outcome.stock_error else "stock"
    return (
        f"{outcome.key}: stock {stock}, sealed {sealed}; {whose}: {' '.join(error.split())[:300]}"
    )
