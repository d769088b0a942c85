"""Mediators after a trigger: their courses, and below them in which order they rise and peak."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from crs.figures.end_labels import Ends, end_labels, words_beside
from crs.figures.theme import INK, MUTED, SERIES, Picture, axis, held_power
from crs.models.triggers import MEDIATORS, Rise, TriggeredCourse

NAMES: Mapping[str, str] = {
    "tnf": "TNF",
    "ifn_gamma": "IFN-γ",
    "il10": "IL-10",
    "il1": "IL-1β",
    "il6_free": "IL-6",
    "mcp1": "MCP-1",
}
_COLORS = dict(
    zip(MEDIATORS, (SERIES[4], SERIES[0], SERIES[3], SERIES[1], SERIES[2], SERIES[5]), strict=True)
)
_DASHES = dict(
    zip(MEDIATORS, ("dash", "solid", "dot", "dashdot", "solid", "longdash"), strict=True)
)
_WIDTHS = {"il6_free": 3.5}
_CURVES = (0.42, 1.0)
_ROWS = (0.0, 0.29)
_FLOOR = 0.1  # pg/mL: below this the logarithmic picture ends
_HEIGHT = 520
_MARGINS = {"l": 56, "r": 88, "t": 34, "b": 50}
_HOURS_A_DAY = 24.0
_LONGEST_IN_HOURS = 72.0
_LABEL_PX = 12


def cascade_picture(
    result: TriggeredCourse, shown: Sequence[str], window_h: float, share: bool
) -> Picture:
    """Draw mediators against time, and a row for each with its rise and its peak.

    Parameters
    ----------
    result : TriggeredCourse
        What to draw.
    shown : sequence of str
        Which mediators, by name as in `crs.models.triggers.MEDIATORS`.
    window_h : float
        How many hours from the trigger on.
    share : bool
        Whether each is drawn against its own peak; in pg/mL on a logarithmic scale otherwise.

    Returns
    -------
    Picture
    """
    scale = 1.0 if window_h <= _LONGEST_IN_HOURS else _HOURS_A_DAY
    rises = [rise for rise in result.rises if rise.mediator in shown]
    highest = max([10.0, *(rise.peak for rise in rises)])
    end = window_h / scale
    y_range = (0.0, 105.0) if share else (math.log10(_FLOOR), held_power(highest))
    curves_px = (_CURVES[1] - _CURVES[0]) * (_HEIGHT - _MARGINS["t"] - _MARGINS["b"])
    ends = Ends(end, *y_range, curves_px, not share)
    traces = (
        *(_curve(result, name, name in shown, window_h, scale, share) for name in MEDIATORS),
        *(_row(rises, name, scale) for name in MEDIATORS),
        *(
            _marks(rises, what, scale, heights)
            for what in ("risen", "peak")
            for heights in (None, lambda rise, level: 100 * level / rise.peak if share else level)
        ),
        _end_labels(result, rises, window_h, share, ends),
        _row_times(rises, result.asked.kind == "CAR T cells", end),
    )
    layout = {
        "margin": _MARGINS,
        "xaxis": axis(
            title={
                "text": f"{'Hours' if scale == 1 else 'Days'} since the trigger",
                "standoff": 8,
                "font": {"size": 13, "color": INK},
            },
            range=[0, end],
            dtick=_tick(end),
            tickangle=0,
            anchor="y2",
        ),
        "yaxis": axis(
            domain=list(_CURVES),
            type="linear" if share else "log",
            range=list(y_range),
            **_ticks(share, y_range[1]),
        ),
        "yaxis2": axis(
            domain=list(_ROWS),
            range=[len(MEDIATORS) - 0.5, -0.5],
            tickvals=list(range(len(rises))),
            ticktext=[f"<b>{NAMES[rise.mediator]}</b>" for rise in rises],
            tickfont={"size": 12, "color": INK},
            showgrid=False,
        ),
        "annotations": [
            _note(
                "Each against its own peak" if share else "Level in blood, pg/mL",
                0,
                _CURVES[1],
            ),
            _note("┃ a tenth of the way up    ◆ peak", 0, _ROWS[1]),
        ],
    }
    return Picture(traces, layout, _alt(result, rises, window_h, share), height=_HEIGHT)


def time_words(hours: float, in_days: bool) -> str:
    """Say a time after the trigger.

    Parameters
    ----------
    hours : float
    in_days : bool

    Returns
    -------
    str
        Such as "day 8.5" or "7.0 h".
    """
    return f"day {hours / _HOURS_A_DAY:.1f}" if in_days else f"{hours:.1f} h"


def level_words(level: float) -> str:
    """Write a level with three digits.

    Parameters
    ----------
    level : float

    Returns
    -------
    str
        Such as "1,840" or "0.25".
    """
    rounded = float(f"{level:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def _curve(
    result: TriggeredCourse, name: str, shown: bool, window_h: float, scale: float, share: bool
) -> dict[str, Any]:
    points = [
        (hour / scale, level)
        for hour, level in zip(result.times_h, result.levels[name], strict=True)
        if shown and hour <= window_h
    ]
    peak = max(result.levels[name])
    unit = "% of its peak" if share else "pg/mL"
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [time for time, _ in points],
        "y": [_rounded(100 * level / peak if share else max(level, _FLOOR)) for _, level in points],
        "line": {
            "color": _COLORS[name],
            "width": _WIDTHS.get(name, 2.2),
            "dash": _DASHES[name],
        },
        "hovertemplate": f"{NAMES[name]}, %{{x:.1f}}: %{{y:.3g}} {unit}<extra></extra>",
    }


def _row(rises: Sequence[Rise], name: str, scale: float) -> dict[str, Any]:
    """Draw the time from rise to peak of one mediator; nothing for one that is not shown."""
    found = [(at, rise) for at, rise in enumerate(rises) if rise.mediator == name]
    x: list[float] = []
    y: list[float] = []
    for at, rise in found:
        if rise.risen_h is not None:
            x, y = [rise.risen_h / scale, rise.peak_h / scale], [at, at]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "yaxis": "y2",
        "line": {"color": _COLORS[name], "width": 4},
        "hoverinfo": "skip",
    }


def _marks(
    rises: Sequence[Rise], what: str, scale: float, height: Callable[[Rise, float], float] | None
) -> dict[str, Any]:
    """Mark all rises or all peaks: in the rows, or on the curves where a height is given."""
    taking_part = [(at, rise, rise.risen_h) for at, rise in enumerate(rises) if rise.risen_h]
    peaks = what == "peak"
    colors = [_COLORS[rise.mediator] for _, rise, _ in taking_part]
    if height is None:
        y = [float(at) for at, *_ in taking_part]
    else:
        levels = [rise.peak if peaks else rise.risen_at for _, rise, _ in taking_part]
        y = [height(rise, level) for (_, rise, _), level in zip(taking_part, levels, strict=True)]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [(rise.peak_h if peaks else risen_h) / scale for _, rise, risen_h in taking_part],
        "y": y,
        "yaxis": "y2" if height is None else "y",
        "marker": {
            "symbol": "diamond" if peaks else "line-ns",
            "size": 11 if peaks else 14,
            "color": colors,
            "line": {"width": 1.5, "color": "#ffffff"} if peaks else {"width": 3, "color": colors},
        },
        "hoverinfo": "skip",
    }


def _ticks(share: bool, top_power: float) -> dict[str, Any]:
    if share:
        return {"tickvals": [0, 25, 50, 75, 100], "ticksuffix": " %"}
    powers = range(round(math.log10(_FLOOR)), math.floor(top_power) + 1)
    return {
        "tickvals": [10.0**power for power in powers],
        "ticktext": [f"{10.0**power:,g}" if power < 3 else f"{10**power:,}" for power in powers],
    }


def _tick(length: float) -> float:
    """Return a step that ends where the axis ends, with few enough labels for a narrow page."""
    return next(step for step in (1, 2, 6, 7, 12, 24) if length % step == 0 and length <= 7 * step)


def _end_labels(
    result: TriggeredCourse, rises: Sequence[Rise], window_h: float, share: bool, ends: Ends
) -> dict[str, Any]:
    """Name each curve at its right end."""
    heights = {}
    for rise in sorted(rises, key=lambda rise: MEDIATORS.index(rise.mediator)):
        level = float(np.interp(window_h, result.times_h, result.levels[rise.mediator]))
        height = 100 * level / rise.peak if share else math.log10(max(level, _FLOOR))
        heights[NAMES[rise.mediator]] = height
    colors = {NAMES[name]: color for name, color in _COLORS.items()}
    return end_labels(heights, colors, ends, text_px=_LABEL_PX)


def _row_times(rises: Sequence[Rise], in_days: bool, end: float) -> dict[str, Any]:
    """Print at the right of each row when it rises and when it peaks."""
    divisor, unit = (_HOURS_A_DAY, "d") if in_days else (1.0, "h")
    words = [
        "hardly rises"
        if rise.risen_h is None
        else f"{rise.risen_h / divisor:.1f} → {rise.peak_h / divisor:.1f} {unit}"
        for rise in rises
    ]
    rows = [float(at) for at in range(len(rises))]
    return {**words_beside(words, rows, end, {"size": 12, "color": INK}), "yaxis": "y2"}


def _note(text: str, x: float, y: float) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": y,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "font": {"size": 12, "color": MUTED},
    }


def _rounded(value: float) -> float:
    """Keep four digits: a picture shows no more, and less is sent to the browser."""
    return float(f"{value:.4g}")


def _alt(result: TriggeredCourse, rises: Sequence[Rise], window_h: float, share: bool) -> str:
    in_days = result.asked.kind == "CAR T cells"
    span = (
        f"{window_h:g} hours"
        if window_h <= _LONGEST_IN_HOURS
        else f"{window_h / _HOURS_A_DAY:g} days"
    )
    if not rises:
        return f"Mediators after {result.asked.kind} over {span}: none is chosen."
    drawn = "against its own peak" if share else "in pg/mL on a logarithmic scale"
    rows = "; ".join(
        f"{NAMES[rise.mediator]} hardly rises"
        if rise.risen_h is None
        else f"{NAMES[rise.mediator]} has risen at {time_words(rise.risen_h, in_days)} and peaks "
        f"at {time_words(rise.peak_h, in_days)} with {level_words(rise.peak)} pg/mL"
        for rise in rises
    )
    return (
        f"Mediators of the typical patient after {result.asked.kind} over {span}, each {drawn}. "
        f"Rows below, in order of rise: {rows}."
    )
