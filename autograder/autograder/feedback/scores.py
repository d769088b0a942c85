"""Points of checks and exercises, and what they come to in a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from autograder.feedback.marks import Mark
from autograder.report import number

State = Literal["full", "part", "none", "unanswered", "waits", "ungraded", "passes", "fails"]

_WORDS: Mapping[str, tuple[str, str]] = {
    "full": ("✓", "full marks"),
    "part": ("◐", "in part"),
    "none": ("✗", "not yet"),
    "unanswered": ("○", "not answered"),
    "waits": ("…", "waits for your instructor"),
    "ungraded": ("–", "not graded"),
    "passes": ("✓", "passes"),
    "fails": ("✗", "does not pass"),
}


@dataclass(frozen=True)
class Score:
    """Points, and what they come to.

    Attributes
    ----------
    earned, points, waiting, extra : float
        Earned so far, attainable, with a person, and as extra credit.
    state : str
        In one word.
    """

    earned: float
    points: float
    waiting: float
    extra: float
    state: State

    @property
    def sign(self) -> str:
        """Say it with a character."""
        return _WORDS[self.state][0]

    @property
    def words(self) -> str:
        """Say it in words."""
        return _WORDS[self.state][1]

    @property
    def text(self) -> str:
        """Write the points."""
        if self.state == "waits" and not self.earned:
            return f"up to {number(self.points)}"
        return f"{number(self.earned)} of {number(self.points)}"

    @property
    def noun(self) -> str:
        """Write the word after `text`."""
        return "point" if self.points == 1 else "points"

    @property
    def gain(self) -> float:
        """What is still to be earned without a person."""
        return max(self.points - self.earned - self.waiting, 0.0)

    def share(self, points: float) -> float:
        """Give points as a percentage, for a bar."""
        return round(min(max(points / self.points, 0.0), 1.0) * 100, 2) if self.points else 0.0


def is_or_are(points: float) -> str:
    """Choose the verb for a number of points."""
    return "is" if points == 1 else "are"


def score_of(mark: Mark | None, points: float, untouched: bool, stopped: bool = False) -> Score:
    """Score one graded cell.

    Parameters
    ----------
    mark : Mark or None
        From the gradebook; None where it has none.
    points : float
        What the cell itself says that it is worth.
    untouched : bool
        Whether the exercise is as it was released.
    stopped : bool
        Whether a check ended in an error.

    Returns
    -------
    Score
    """
    if mark is None:
        return Score(0.0, points, points, 0.0, "ungraded")
    waiting = mark.points if mark.waits else 0.0
    state: State
    if mark.waits:
        state = "waits"
    elif not mark.points and not mark.extra:
        state = "fails" if stopped else "passes"
    elif mark.score >= mark.points:
        state = "full"
    elif untouched and mark.score <= 0:
        state = "unanswered"
    else:
        state = "part" if mark.score > 0 else "none"
    return Score(mark.score, mark.points, waiting, mark.extra, state)


def sum_of(scores: Sequence[Score]) -> Score:
    """Add scores up. Those that are worth nothing have no say in the state."""
    worth = [score for score in scores if score.points or score.earned] or list(scores)
    states = {score.state for score in worth}
    if len(states) == 1:
        state = worth[0].state
    elif "waits" in states:
        state = "waits"
    elif "ungraded" in states:
        state = "ungraded"
    else:
        state = "part" if any(score.earned > 0 for score in worth) else "none"
    return Score(
        sum(score.earned for score in scores),
        sum(score.points for score in scores),
        sum(score.waiting for score in scores),
        sum(score.extra for score in scores),
        state if worth else "ungraded",
    )
