"""Scores as a table for the terminal."""

from collections.abc import Sequence
from textwrap import shorten

from autograder.report import number
from autograder.roundtrip.nbgrading import Graded, Score

BY_HAND = "by hand"


def points_of(score: Score) -> str:
    """Say what an exercise earned, in a word."""
    return BY_HAND if score.points is None else number(score.points)


def table(rows: Sequence[Sequence[str]], numbers: range) -> list[str]:
    """Align rows in columns; those with numbers to the right.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first is the head.
    numbers : range
        Which columns are aligned to the right.

    Returns
    -------
    list of str
        Lines, with a rule below the head.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if at in numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def by_exercise(graded: Sequence[Graded]) -> list[str]:
    """Make a row per exercise and a column per submission."""
    exercises = next((item.scores for item in graded if item.scores), ())
    rows = [["Exercise", "Points", *(item.student for item in graded)]]
    for at, score in enumerate(exercises):
        earned = [points_of(item.scores[at]) if item.scores else "failed" for item in graded]
        rows.append([_short(score.exercise.title), number(score.exercise.points), *earned])
    attainable = sum(score.exercise.points for score in exercises)
    rows.append(["Total so far", number(attainable), *(number(item.total) for item in graded)])
    if any(item.seconds_late for item in graded):
        rows.append(["Late", "", *(lateness(item.seconds_late) for item in graded)])
    return table(rows, range(1, len(rows[0])))


def of_one(graded: Graded) -> list[str]:
    """Make a row per exercise, with the most telling sentence."""
    rows = [["Exercise", "Points", "What the check found"]]
    for score in graded.scores:
        if score.points is None:
            earned, found = "?", "Compare your answer with the marking scheme on the page."
        else:
            full = score.points == score.exercise.points
            earned, found = number(score.points), score.sentence
            found = found or ("Every concept holds." if full else "See the feedback page.")
        earned += f" of {number(score.exercise.points)}"
        rows.append([_short(score.exercise.title), earned, shorten(found, 100, placeholder=" …")])
    return table(rows, range(1, 2))


def lateness(seconds: float) -> str:
    """Say how late, in a word; nothing for a submission in time."""
    if seconds <= 0:
        return ""
    hours = seconds / 3600
    return f"{hours / 24:.1f} days" if hours >= 24 else f"{hours:.1f} h"


def _short(title: str) -> str:
    return shorten(title, 44, placeholder=" …")
