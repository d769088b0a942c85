"""Strips of grades over time: a box for every run of one grade, with the grade in figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crs.figures.theme import GRADE_COLORS, GRADE_EDGES, GRADE_TEXT, LINE


@dataclass(frozen=True)
class Run:
    """A time of one grade.

    Attributes
    ----------
    row : float
        The strip's place on the y axis.
    start, end : float
        On the x axis.
    grade : int
    """

    row: float
    start: float
    end: float
    grade: int


def runs_of(grades: Sequence[int]) -> list[tuple[int, int, int]]:
    """Split grades at even steps of time into runs of the same grade.

    Parameters
    ----------
    grades : sequence of int
        One for each step.

    Returns
    -------
    list of tuple of int
        First step, first step after it, and grade.
    """
    runs: list[tuple[int, int, int]] = []
    start = 0
    for step in range(1, len(grades) + 1):
        if step == len(grades) or grades[step] != grades[start]:
            runs.append((start, step, grades[start]))
            start = step
    return runs


def strip_traces(
    runs: Sequence[Run], yaxis: str, *, height: float, shortest: float, text_px: int
) -> list[dict[str, Any]]:
    """Draw runs as boxes, and print the grade in those that are long enough.

    There is one trace for each grade, so that runs can come and go without a change of colors.

    Parameters
    ----------
    runs : sequence of Run
        Of one strip or of several.
    yaxis : str
        Plotly's name of the axis, such as "y3".
    height : float
        Of a box, on the y axis.
    shortest : float
        A run shorter than this, on the x axis, has no room for its grade.
    text_px : int
        Size of the figures.

    Returns
    -------
    list of dict
        Plotly traces: first the boxes, grade by grade, then the figures.
    """
    printed = [run for run in runs if run.end - run.start >= shortest]
    return [
        *(
            _boxes([run for run in runs if run.grade == grade], grade, yaxis, height / 2)
            for grade in range(len(GRADE_COLORS))
        ),
        *(
            _figures([run for run in printed if GRADE_TEXT[run.grade] == color], color, text_px)
            | {"yaxis": yaxis}
            for color in dict.fromkeys(GRADE_TEXT)
        ),
    ]


def _boxes(runs: Sequence[Run], grade: int, yaxis: str, half: float) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    for run in runs:
        x += [run.start, run.end, run.end, run.start, run.start, None]
        y += [*[run.row - half] * 2, *[run.row + half] * 2, run.row - half, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"grade {grade}",
        "x": x,
        "y": y,
        "yaxis": yaxis,
        "fill": "toself",
        "fillcolor": GRADE_COLORS[grade],
        "line": {"color": GRADE_EDGES[grade] if grade else LINE, "width": 1},
        "hoverinfo": "skip",
    }


def _figures(runs: Sequence[Run], color: str, text_px: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "text",
        "x": [(run.start + run.end) / 2 for run in runs],
        "y": [run.row for run in runs],
        "text": [str(run.grade) for run in runs],
        "textposition": "middle center",
        "textfont": {"size": text_px, "color": color},
        "hoverinfo": "skip",
    }
