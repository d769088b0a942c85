"""How every picture looks.

A figure module holds pure functions that turn a result into a `Picture`: plain traces, a layout,
and the alt text. The explorers' `LiveFigure` draws it in the browser.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

FONT = (
    '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, '
    '"Noto Sans", sans-serif'
)
PAPER = "#ffffff"
INK = "#1c2a33"
MUTED = "#55646e"  # 6:1 on white, for secondary text
LINE = "#d5dde2"  # decorative lines only
FAINT = "#f4f7f8"  # backgrounds
OUTLINE = "#6a7882"  # 4.5:1 on white, for the edge of pale marks
ACCENT = "#0f5c7a"
ACCENT_PALE = "#e3eff4"

# Of even steps from pale to dark, so that the order shows without seeing hue. Pale ones are below
# 3:1 on white: marks carry an edge of GRADE_EDGES, and the grade is always printed as well.
GRADE_COLORS = ("#e6eaed", "#fbe3a4", "#f5b566", "#dc7642", "#a3303f", "#2a1a2e")
GRADE_EDGES = (OUTLINE, "#8a6d1c", "#99601a", "#a3481c", "#7d1f2d", "#2a1a2e")
GRADE_TEXT = (INK, INK, INK, INK, "#ffffff", "#ffffff")

# What an axis leaves free above its highest value.
_ROOM = 1.05
_ROOM_IN_POWERS = 0.05

# For curves that are told apart: of good contrast on white, and apart for the color-blind.
SERIES = ("#0f5c7a", "#b1510b", "#6b4c9a", "#2e7d4f", "#a3303f", "#55646e")


@dataclass(frozen=True)
class Picture:
    """A picture as plain data, before any library draws it.

    Attributes
    ----------
    traces : tuple of mapping
        Plotly traces as plain values that JSON can say, ``type`` included; a gap is None.
    layout : mapping
        What is added to the house layout.
    alt : str
        The picture in words, for those who do not see it.
    height : int
        Height in pixels. The width follows the page.
    overlay : str
        HTML that lies over the figure, placed by inline styles. For what moves with a slider over
        a large figure, such as a cursor: it changes without the figure being drawn again. What it
        says must also be said in the sentence, as screen readers pass it over.
    """

    traces: tuple[Mapping[str, Any], ...]
    layout: Mapping[str, Any] = field(default_factory=dict)
    alt: str = ""
    height: int = 320
    overlay: str = ""


def axis(**settings: Any) -> dict[str, Any]:
    """Return an axis in the house style, with further settings.

    Parameters
    ----------
    **settings
        Plotly axis settings.

    Returns
    -------
    dict
    """
    return {
        "showgrid": True,
        "gridcolor": "#e9eef1",
        "gridwidth": 1,
        "zeroline": False,
        "linecolor": LINE,
        "tickcolor": LINE,
        "tickfont": {"size": 12, "color": MUTED},
        "fixedrange": True,
        "automargin": False,
        "ticklabeloverflow": "allow",  # no measuring of every label on every change
        **settings,
    }


def held_top(highest: float) -> float:
    """Choose where an axis ends, so that it holds still while a curve grows a little.

    An axis that follows its curve hides that the curve has changed.

    Parameters
    ----------
    highest : float
        The highest value on it, above 0.

    Returns
    -------
    float
        The next of ten steps per power of ten that leaves some room above the value.
    """
    power = 10.0 ** math.floor(math.log10(_ROOM * highest))
    steps = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return float(next(step * power for step in steps if step * power >= _ROOM * highest))


def held_power(highest: float) -> float:
    """Choose where a logarithmic axis ends, as `held_top` does.

    Parameters
    ----------
    highest : float
        The highest value on it, above 0.

    Returns
    -------
    float
        An exponent of ten, a multiple of a quarter.
    """
    return math.ceil(4 * (math.log10(highest) + _ROOM_IN_POWERS)) / 4


def whole_layout(picture: Picture) -> dict[str, Any]:
    """Return the layout of a picture together with that of the house.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    dict
    """
    return {
        "template": {"layout": {}},
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "height": picture.height,
        "autosize": True,
        "margin": {"l": 70, "r": 20, "t": 30, "b": 40},
        "showlegend": False,
        "dragmode": False,
        "hoverlabel": {
            "bgcolor": PAPER,
            "bordercolor": LINE,
            "font": {"family": FONT, "size": 12, "color": INK},
        },
        "xaxis": axis(),
        "yaxis": axis(),
        **picture.layout,
    }


def to_plotly(picture: Picture) -> "go.Figure":
    """Make a plotly figure of a picture, to save it or to work on it.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ValueError
        Where the picture holds what plotly does not know.
    """
    import plotly.graph_objects as go  # half a second that no explorer needs

    return go.Figure([dict(trace) for trace in picture.traces], whole_layout(picture))
