"""What the benchmarks share: a figure, how spread is told, and the table that is printed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    value: str
    note: str = ""


def percentile(values: Sequence[float], fraction: float) -> float:
    """Return the smallest value that at least ``fraction`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]


def milliseconds(values: Sequence[float], decimals: int = 0) -> str:
    """Return median and 95th percentile in words."""
    middle, high = statistics.median(values), percentile(values, 0.95)
    return f"median {middle:.{decimals}f} ms, p95 {high:.{decimals}f} ms"


def table(rows: Sequence[Figure]) -> str:
    """Return the measurements as text in columns."""
    widths = [max(len(text) for text in column) for column in zip(*map(_cells, rows), strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(_cells(row), widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _cells(row: Figure) -> tuple[str, str, str]:
    return row.what, row.value, row.note
