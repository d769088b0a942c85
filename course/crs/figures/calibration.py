"""How often a learner was right, by how sure they were."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from crs.figures.theme import ACCENT, ACCENT_PALE, INK, MUTED, OUTLINE, Picture, axis

# What the words promise, in percent: a convention of this course.
PROMISES: dict[str, tuple[float, float]] = {
    "guessing": (20, 45),
    "fairly sure": (60, 85),
    "certain": (90, 100),
}
FEWEST_TO_JUDGE = 5


@dataclass(frozen=True)
class Level:
    """All answers of one level of confidence.

    Attributes
    ----------
    words : str
        A key of `PROMISES`.
    asked, right : int
        How many answers, and how many of them right.
    """

    words: str
    asked: int
    right: int

    @property
    def percent(self) -> float:
        """Share of right answers."""
        return 100 * self.right / self.asked

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of that share in percent, after Wilson."""
        z = 1.96
        n, p = self.asked, self.right / self.asked
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)

    @property
    def judgement(self) -> str:
        """Whether the word keeps its promise, in words."""
        low, high = PROMISES[self.words]
        if self.asked < FEWEST_TO_JUDGE:
            return "too few answers to say more"
        lowest, highest = self.interval
        if highest < low:
            return "surer than right"
        if lowest > high:
            return "better than you thought"
        return "in keeping with the word"


def calibration_picture(levels: Sequence[Level]) -> Picture:
    """Draw the share of right answers at each level of confidence.

    Parameters
    ----------
    levels : sequence of Level
        Those with at least one answer.

    Returns
    -------
    Picture
    """
    places = {words: position for position, words in enumerate(PROMISES)}
    promise_x: list[float | None] = []
    promise_y: list[float | None] = []
    for words, (low, high) in PROMISES.items():
        left, right = places[words] - 0.3, places[words] + 0.3
        promise_x += [left, right, right, left, left, None]
        promise_y += [low, low, high, high, low, None]
    bars_x: list[float | None] = []
    bars_y: list[float | None] = []
    for level in levels:
        bars_x += [places[level.words], places[level.words], None]
        bars_y += [*level.interval, None]
    traces = (
        {
            "type": "scatter",
            "mode": "lines",
            "x": promise_x,
            "y": promise_y,
            "fill": "toself",
            "fillcolor": ACCENT_PALE,
            "line": {"color": OUTLINE, "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "x": bars_x,
            "y": bars_y,
            "line": {"color": ACCENT, "width": 3},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [places[level.words] for level in levels],
            "y": [level.percent for level in levels],
            "text": [f"   <b>{level.right} of {level.asked}</b>" for level in levels],
            "textposition": "middle right",
            "textfont": {"size": 14, "color": INK},
            "marker": {"size": 14, "color": ACCENT, "line": {"color": "#ffffff", "width": 2}},
            "hoverinfo": "skip",
            "cliponaxis": False,
        },
    )
    return Picture(
        traces,
        {
            "margin": {"l": 66, "r": 20, "t": 16, "b": 66},
            "xaxis": axis(
                range=[-0.6, len(PROMISES) - 0.4],
                tickvals=list(places.values()),
                ticktext=[f"<b>{words}</b>" for words in places],
                tickfont={"size": 13, "color": INK},
                showgrid=False,
                title={
                    "text": "How sure you were. Lines: 95 % intervals. "
                    "Dotted boxes: what the word promises (convention)",
                    "font": {"size": 12, "color": MUTED},
                    "standoff": 10,
                },
            ),
            "yaxis": axis(
                range=[-4, 104],
                tickvals=[0, 25, 50, 75, 100],
                title={"text": "Right answers (%)", "font": {"size": 13, "color": INK}},
            ),
        },
        alt=f"Share of right answers by confidence. {calibration_sentence(levels)}",
        height=340,
    )


def calibration_sentence(levels: Sequence[Level]) -> str:
    """Say in words how confidence and answers go together.

    Parameters
    ----------
    levels : sequence of Level

    Returns
    -------
    str
    """
    if not levels:
        return "No answers yet. Answer the questions of a lesson, then run this cell again."
    total = sum(level.asked for level in levels)
    right = sum(level.right for level in levels)
    parts = [
        f"When you were {level.words}, {level.right} of {level.asked} were right: "
        f"{level.judgement}."
        for level in levels
    ]
    return f"You were right in {right} of {total} first answers. {' '.join(parts)}"
