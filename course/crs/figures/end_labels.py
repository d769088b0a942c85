"""Names of curves at their right ends, apart from each other.

They are a trace and no annotations: what is a trace moves with a slider without the figure being
drawn again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_BESIDE = "\u2009 "  # so that words do not touch the curve


@dataclass(frozen=True)
class Ends:
    """Where labels may stand.

    Attributes
    ----------
    x : float
        The right end of the x axis.
    low, high : float
        Ends of the y axis; exponents of ten where it is logarithmic.
    px : float
        Height of the y axis in pixels.
    logarithmic : bool
        Whether it is.
    """

    x: float
    low: float
    high: float
    px: float
    logarithmic: bool


def end_labels(
    heights: Mapping[str, float], colors: Mapping[str, str], ends: Ends, *, text_px: int
) -> dict[str, Any]:
    """Name curves at their ends, moved apart where they would cover each other.

    Parameters
    ----------
    heights : mapping of str to float
        Where each curve ends, by its name; exponents of ten where the axis is logarithmic.
    colors : mapping of str to str
        By the same names.
    ends : Ends
        Where the labels may stand.
    text_px : int
        Size of the words.

    Returns
    -------
    dict
        A Plotly trace, without ``yaxis``.
    """
    names = sorted(heights, key=lambda name: heights[name])
    apart = (text_px + 2.5) / ends.px * (ends.high - ends.low)
    places = spread([heights[name] for name in names], ends.low, ends.high, apart)
    place_of = dict(zip(names, places, strict=True))
    return words_beside(
        [f"<b>{name}</b>" for name in heights],
        [10 ** place_of[name] if ends.logarithmic else place_of[name] for name in heights],
        ends.x,
        {"size": text_px, "color": [colors[name] for name in heights]},
    )


def words_beside(
    words: Sequence[str], heights: Sequence[float], x: float, font: Mapping[str, Any]
) -> dict[str, Any]:
    """Print words at the right of a plot.

    Parameters
    ----------
    words : sequence of str
        What to print.
    heights : sequence of float
        Where, on the y axis.
    x : float
        The right end of the x axis.
    font : mapping
        Plotly's ``textfont``.

    Returns
    -------
    dict
        A Plotly trace, without ``yaxis``.
    """
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x] * len(words),
        "y": [float(f"{height:.6g}") for height in heights],
        "text": [_BESIDE + word.replace("<br>", f"<br>{_BESIDE}") for word in words],
        "textposition": "middle right",
        "textfont": dict(font),
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def spread(heights: Sequence[float], low: float, high: float, apart: float) -> list[float]:
    """Move labels apart, as little as a pass from below and one from above can do.

    Parameters
    ----------
    heights : sequence of float
        Where they would stand, in ascending order.
    low, high : float
        Between which they have to stay, as far as there is room.
    apart : float
        How far each has to be from the next.

    Returns
    -------
    list of float
        In the same order.
    """
    placed: list[float] = []
    for height in heights:
        lowest = placed[-1] + apart if placed else low + apart / 2
        placed.append(max(height, lowest))
    ceiling = high - apart / 2
    for at in reversed(range(len(placed))):
        placed[at] = min(placed[at], ceiling)
        ceiling = placed[at] - apart
    return placed
