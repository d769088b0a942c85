"""How every picture looks, and how a picture is drawn once and then only changed.

A figure module holds pure functions that turn a result into a `Picture`: plain traces, a layout,
and the alt text. `draw` makes a live figure of it; `redraw` changes that figure in one message, and
sends only what differs from the picture before.
"""

import sys
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

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

# For curves that are told apart: of good contrast on white, and apart for the color-blind.
SERIES = ("#0f5c7a", "#b1510b", "#6b4c9a", "#2e7d4f", "#a3303f", "#55646e")


@dataclass(frozen=True)
class Picture:
    """A picture as plain data, before any library draws it.

    Attributes
    ----------
    traces : tuple of mapping
        Plotly traces as plain values, ``type`` included. Their number and types stay the same for
        all pictures of one figure, so that one can be changed into the next.
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


def house_layout(height: int) -> dict[str, Any]:
    """Return the layout that all figures share.

    Parameters
    ----------
    height : int
        Height in pixels.

    Returns
    -------
    dict
    """
    return {
        "template": {"layout": {}},
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "height": height,
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
    }


@cache
def _whole_figure() -> Any:
    """Make a live figure that is sent to the browser whole.

    plotly's own tells the browser of itself while it is still empty, and sends data and layout
    later. A browser that draws it in between never draws what comes later.
    """

    class WholeFigure(_figure_widget()):  # type: ignore[misc]  # loaded at run time
        _whole = False

        def open(self) -> None:
            if self._whole:
                super().open()

        def send_whole(self) -> None:
            self._whole = True
            self.open()

    return WholeFigure


@cache
def _figure_widget() -> Any:
    """Load plotly's live figure, but not a grammar that takes longer than all the rest of it.

    plotly loads nbformat, which loads jsonschema, which loads the package rfc3987_syntax where
    there is one: seconds, for a check of web addresses that neither of them asks for. jsonschema
    does without what cannot be imported, so that package is out of reach meanwhile.
    """
    grammar = "rfc3987_syntax"
    hidden = grammar not in sys.modules
    if hidden:
        sys.modules[grammar] = None  # type: ignore[assignment]  # Python's way to say: not there
    try:
        return go.FigureWidget  # plotly loads it at this moment
    finally:
        if hidden:
            del sys.modules[grammar]


def draw(picture: Picture) -> "go.FigureWidget":
    """Make a live figure of a picture. Do this once; then `redraw`.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    plotly.graph_objects.FigureWidget
    """
    layout = {**house_layout(picture.height), **picture.layout}
    figure = _whole_figure()(data=[dict(trace) for trace in picture.traces], layout=layout)
    figure._config = {"displayModeBar": False, "scrollZoom": False, "responsive": True}
    figure.add_class("crs-figure")
    figure.send_whole()
    return figure


def redraw(figure: "go.FigureWidget", old: Picture, new: Picture) -> None:
    """Change a live figure from one picture into another, in one message to the browser.

    Parameters
    ----------
    figure : plotly.graph_objects.FigureWidget
        A figure that shows ``old``.
    old, new : Picture
        What it shows, and what it is to show.
    """
    if len(old.traces) != len(new.traces):
        raise ValueError("all pictures of one figure have the same number of traces")
    with figure.batch_update():
        for trace, before, after in zip(figure.data, old.traces, new.traces, strict=True):
            changed = _changes(before, after)
            if changed:
                trace.update(changed)
        _update_layout(figure.layout, old.layout, new.layout)
    if not figure._view_count:
        # Before it is shown, the browser would lose values that only some traces change.
        figure._widget_data = deepcopy(figure._data)
        figure._widget_layout = deepcopy(figure._layout_obj._props)


def _update_layout(target: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Set what differs. Shapes and annotations are changed one by one, so that little is sent."""
    for key, value in _changes(before, after).items():
        previous = before.get(key, ())
        if _are_records(value) and _are_records(previous) and len(value) == len(previous):
            for position, (old, new) in enumerate(zip(previous, value, strict=True)):
                changed = _changes(old, new)
                if changed:
                    target[key][position].update(changed)
        elif _are_records(value):
            target[key] = value  # an update would keep what the old records have and the new lack
        else:
            target.update({key: value})


def _are_records(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if before is after:
        return changed
    for key, value in after.items():
        previous = before.get(key)
        if isinstance(value, Mapping) and isinstance(previous, Mapping):
            inner = _changes(previous, value)
            if inner:
                changed[key] = inner
        elif value != previous:
            changed[key] = value
    for key in before.keys() - after.keys():
        changed[key] = None
    return changed
