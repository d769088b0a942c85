"""Pictures of doses: dose against weight, doses on a clock, equivalent doses of steroids."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from crs.errors import InvalidInput
from crs.figures.theme import ACCENT, ACCENT_PALE, INK, LINE, MUTED, OUTLINE, Picture, axis
from crs.guidelines import guideline
from crs.guidelines.conditions import comparisons
from crs.guidelines.dosing import (
    TimingVerdict,
    siltuximab_dose_mg,
    steroid_equivalent_mg,
    tocilizumab_dose_mg,
    tocilizumab_timing,
)

# The label of tocilizumab for CRS starts at 2 years of age, when few children weigh less.
LIGHTEST_KG = 10.0
HEAVIEST_KG = 150.0
WARN = "#a3480f"
DOSES: dict[str, Callable[[float], float]] = {
    "tocilizumab": tocilizumab_dose_mg,
    "siltuximab": siltuximab_dose_mg,
}
_TABLES = {"tocilizumab": "tocilizumab-crs", "siltuximab": "siltuximab"}


@dataclass(frozen=True)
class DoseCurve:
    """How the dose of a drug depends on weight.

    Attributes
    ----------
    pieces : tuple of (weights, doses)
        One piece per row of the drug's table, between the weights at which it changes.
    rates : tuple of float
        mg per kg of each piece.
    cap_mg : float or None
        The most that one infusion may hold.
    """

    pieces: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]
    rates: tuple[float, ...]
    cap_mg: float | None


@cache
def dose_curve(drug: str) -> DoseCurve:
    """Return the dose of a drug over the weights that are shown.

    Parameters
    ----------
    drug : str
        ``"tocilizumab"`` or ``"siltuximab"``.

    Returns
    -------
    DoseCurve
    """
    if drug not in DOSES:
        raise InvalidInput("drug", drug, "one of " + ", ".join(DOSES))
    table = guideline(_TABLES[drug])
    steps = sorted(
        {
            float(comparison.value)
            for row in table.rows
            for comparison in comparisons(row.when)
            if comparison.is_threshold and isinstance(comparison.value, float)
        }
    )
    edges = [LIGHTEST_KG, *steps, HEAVIEST_KG]
    pieces, rates = [], []
    for low, high in pairwise(edges):
        # A piece ends just before the weight at which the next row takes over.
        last = high if high == HEAVIEST_KG else float(np.nextafter(high, low))
        weights = sorted({low, last, *np.linspace(low, last, 60)})
        pieces.append((tuple(weights), tuple(DOSES[drug](kg) for kg in weights)))
        rates.append(DOSES[drug](low) / low)
    cap = table.constants.get("max_dose_mg")
    return DoseCurve(tuple(pieces), tuple(rates), cap.value if cap else None)


def dose_picture(drug: str, weight_kg: float) -> Picture:
    """Draw the dose of a drug against weight, with one patient's point.

    Parameters
    ----------
    drug : str
        ``"tocilizumab"`` or ``"siltuximab"``.
    weight_kg : float
        The patient's weight.

    Returns
    -------
    Picture
    """
    curve = dose_curve(drug)
    dose = DOSES[drug](weight_kg)
    highest = max(max(doses) for _, doses in curve.pieces)
    top = highest * 1.17
    line_x: list[float | None] = []
    line_y: list[float | None] = []
    for weights, doses in curve.pieces:
        line_x += [*weights, None]
        line_y += [*doses, None]
    opened = [(weights[-1], doses[-1]) for weights, doses in curve.pieces[:-1]]
    closed = [(weights[0], doses[0]) for weights, doses in curve.pieces[1:]]
    beyond = _beyond_cap(curve, top)
    rate_points = [
        (weights, rate) for (weights, _), rate in zip(curve.pieces, curve.rates, strict=True)
    ]
    near_right = weight_kg > 0.8 * HEAVIEST_KG
    capped = curve.cap_mg is not None and dose >= curve.cap_mg
    traces = (
        _line([LIGHTEST_KG, HEAVIEST_KG], [curve.cap_mg] * 2, WARN, dash="dash", width=1.5),
        _line(beyond[0], beyond[1], OUTLINE, dash="dot", width=1.5),
        _line(line_x, line_y, ACCENT, width=3),
        _points(opened, symbol="circle", size=9, color="#ffffff", edge=ACCENT),
        _points(closed, symbol="circle", size=9, color=ACCENT, edge=ACCENT),
        _line([weight_kg, weight_kg, 0], [0, dose, dose], MUTED, dash="dot", width=1.2),
        {
            **_points([(weight_kg, dose)], symbol="diamond", size=15, color=INK, edge="#ffffff"),
            "mode": "markers+text",
            "text": [f"<b>{dose:,.4g} mg</b>"],
            # Below the line where the cap and its label lie above.
            "textposition": ("bottom" if capped else "top")
            + (" left" if near_right or not capped else " right"),
            "textfont": {"size": 15, "color": INK},
        },
        {
            "type": "scatter",
            "mode": "text",
            "x": [_middle(weights, rate, curve.cap_mg) for weights, rate in rate_points]
            + ([LIGHTEST_KG] if curve.cap_mg else []),
            "y": [_middle(weights, rate, curve.cap_mg) * rate for weights, rate in rate_points]
            + ([curve.cap_mg * 1.01] if curve.cap_mg else []),
            "text": [f"  {rate:g} mg/kg" for _, rate in rate_points]
            + ([f"at most {curve.cap_mg:g} mg in one infusion"] if curve.cap_mg else []),
            "textposition": ["bottom right"] * len(rate_points)
            + (["top right"] if curve.cap_mg else []),
            "textfont": {
                "size": 12,
                "color": [ACCENT] * len(rate_points) + ([WARN] if curve.cap_mg else []),
            },
            "hoverinfo": "skip",
        },
    )
    return Picture(
        traces=traces,
        layout={
            "margin": {"l": 62, "r": 16, "t": 16, "b": 46},
            "xaxis": axis(
                title={"text": "Weight (kg)", "font": {"size": 13, "color": INK}, "standoff": 8},
                range=[0, HEAVIEST_KG + 2],
                tickvals=list(range(0, int(HEAVIEST_KG) + 1, 30)),
            ),
            "yaxis": axis(
                title={"text": f"One dose of {drug} (mg)", "font": {"size": 13, "color": INK}},
                range=[0, top],
                rangemode="tozero",
            ),
        },
        alt=_dose_alt(drug, curve, weight_kg, dose),
        height=300,
    )


def _beyond_cap(curve: DoseCurve, top: float) -> tuple[list[float], list[float]]:
    """Return the line that the last piece would follow without the cap, up to the picture's top."""
    if curve.cap_mg is None:
        return [], []
    rate = curve.rates[-1]
    end = min(HEAVIEST_KG, top / rate)
    return [curve.cap_mg / rate, end], [curve.cap_mg, end * rate]


def _middle(weights: Sequence[float], rate: float, cap_mg: float | None) -> float:
    high = weights[-1] if cap_mg is None else min(weights[-1], cap_mg / rate)
    return weights[0] + 0.3 * (high - weights[0])


def _dose_alt(drug: str, curve: DoseCurve, weight_kg: float, dose: float) -> str:
    parts = []
    for (weights, _), rate in zip(curve.pieces, curve.rates, strict=True):
        parts.append(f"{rate:g} mg/kg from {weights[0]:.4g} kg on")
    cap = f", never above {curve.cap_mg:g} mg" if curve.cap_mg else ""
    return (
        f"One dose of {drug} against weight: {', then '.join(parts)}{cap}. "
        f"The patient's point lies at {weight_kg:g} kg and {dose:,.4g} mg."
    )


@dataclass(frozen=True)
class DoseClock:
    """Doses of tocilizumab on a clock whose zero is now.

    Attributes
    ----------
    given_h : tuple of float
        Start times so far, in order; negative, as they lie before now.
    verdict : TimingVerdict
        Whether a dose may start now.
    too_early : tuple of bool
        For each dose, whether it broke the rules when it was given.
    min_interval_h, window_h : float
        The interval from start to start, and the window in which doses are counted.
    in_window : int
        How many doses the window holds now.
    most_in_window : int
        How many it may hold.
    """

    given_h: tuple[float, ...]
    verdict: TimingVerdict
    too_early: tuple[bool, ...]
    min_interval_h: float
    window_h: float
    in_window: int
    most_in_window: int


def dose_clock(given_h: Iterable[float], min_interval_h: float) -> DoseClock:
    """Judge doses of tocilizumab on a clock whose zero is now.

    Parameters
    ----------
    given_h : iterable of float
        Start times so far; none above zero.
    min_interval_h : float
        The interval from start to start.

    Returns
    -------
    DoseClock

    Raises
    ------
    InvalidInput
        If a time lies after now, or the interval is not positive.
    """
    given = tuple(sorted(given_h))
    limits = guideline("tocilizumab-crs").constants
    window = limits["window_h"].value
    return DoseClock(
        given_h=given,
        verdict=tocilizumab_timing(0, given, min_interval_h),
        too_early=tuple(
            not tocilizumab_timing(start, given[:number], min_interval_h).allowed
            for number, start in enumerate(given)
        ),
        min_interval_h=min_interval_h,
        window_h=window,
        in_window=sum(-window < start <= 0 for start in given),
        most_in_window=int(limits["max_doses_in_24_h"].value),
    )


_LANE, _WINDOW_LANE = 1.0, 0.0


def clock_picture(clock: DoseClock) -> Picture:
    """Draw the doses given, the intervals after them, the 24-hour window and the next dose.

    Parameters
    ----------
    clock : DoseClock

    Returns
    -------
    Picture
    """
    earliest = clock.verdict.earliest_next_h
    first = min([-clock.window_h, *clock.given_h])
    last = max(12.0, (earliest or 0.0) + 7.0, *[h + clock.min_interval_h for h in clock.given_h])
    last = 4 * math.ceil(last / 4)  # so that the axis holds still while the clock goes on
    interval_x: list[float | None] = []
    interval_y: list[float | None] = []
    for start in clock.given_h:
        interval_x += [*_box(start, start + clock.min_interval_h)[0], None]
        interval_y += [*_box(0, 0, _LANE, 0.26)[1], None]
    good = [
        (h, _LANE) for h, early in zip(clock.given_h, clock.too_early, strict=True) if not early
    ]
    bad = [(h, _LANE) for h, early in zip(clock.given_h, clock.too_early, strict=True) if early]
    numbers = {start: str(number) for number, start in enumerate(clock.given_h, 1)}
    window_x, window_y = _box(-clock.window_h, 0, _WINDOW_LANE, 0.2)
    next_words = _next_words(clock)
    traces = (
        _band(window_x, window_y, "#eef1f3", OUTLINE),
        _band(interval_x, interval_y, ACCENT_PALE, ACCENT),
        _line([0, 0], [-0.42, 1.5], INK, width=2),
        _numbered(good, numbers, ACCENT, "circle"),
        _numbered(bad, numbers, WARN, "square"),
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [] if earliest is None else [earliest],
            "y": [] if earliest is None else [_LANE],
            "text": [f"<b>{len(clock.given_h) + 1}</b>"],
            "textposition": "middle center",
            "textfont": {"size": 12, "color": INK},
            "marker": {
                "symbol": "circle",
                "size": 22,
                "color": "#ffffff",
                "line": {"color": INK, "width": 2},
            },
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "text",
            "x": [0, -clock.window_h, 0 if earliest is None else earliest],
            "y": [1.5, _WINDOW_LANE, _LANE],
            "text": [
                "<b>now</b>",
                f"  last {clock.window_h:g} h: {_count_words(clock)}",
                next_words,
            ],
            "textposition": ["top center", "middle right", "middle right"],
            "textfont": {"size": 12, "color": [INK, INK, INK]},
            "hoverinfo": "skip",
            "cliponaxis": False,
        },
    )
    return Picture(
        traces=traces,
        layout={
            "margin": {"l": 16, "r": 16, "t": 12, "b": 46},
            "xaxis": axis(
                title={"text": "Hours from now", "font": {"size": 13, "color": INK}, "standoff": 8},
                range=[first - 1.5, last],
                dtick=8,
                tick0=0,
            ),
            "yaxis": axis(range=[-0.5, 1.85], visible=False),
        },
        alt=_clock_alt(clock),
        height=210,
    )


def _next_words(clock: DoseClock) -> str:
    earliest = clock.verdict.earliest_next_h
    if earliest is None:
        return "    no dose is left"
    if earliest <= 0:
        return "       next: from now on"
    return f"       next: in {earliest:.4g} h at the earliest"


def _count_words(clock: DoseClock) -> str:
    return f"{clock.in_window} of at most {clock.most_in_window} doses"


def _clock_alt(clock: DoseClock) -> str:
    if not clock.given_h:
        return "A clock without doses: none has been given."
    starts = ", ".join(f"{-start:.4g} h ago" for start in clock.given_h)
    early = [str(number) for number, is_early in enumerate(clock.too_early, 1) if is_early]
    remark = f" Given too early: dose {' and '.join(early)}." if early else ""
    return (
        f"Doses on a clock: started {starts}.{remark} Each is followed by "
        f"{clock.min_interval_h:g} h in which no further dose may start. The last "
        f"{clock.window_h:g} h hold {_count_words(clock)}. "
        f"{_next_words(clock).strip().capitalize()}."
    )


STEROIDS = ("dexamethasone", "methylprednisolone", "prednisone", "hydrocortisone")
_ROUND_MG = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)


def steroid_picture(drug: str, dose_mg: float) -> Picture:
    """Draw equivalent doses of four steroids, one below the other.

    Each steroid has a scale of its own; doses of equal effect stand on one vertical line.

    Parameters
    ----------
    drug : str
        The steroid whose dose is known.
    dose_mg : float
        Its dose.

    Returns
    -------
    Picture
    """
    # A common scale of effect: mg of the first steroid.
    here = steroid_equivalent_mg(drug, dose_mg, STEROIDS[0])
    low, high = 0.06, 1500.0
    ticks: list[tuple[float, float, str]] = []
    rails_x: list[float | None] = []
    rails_y: list[float | None] = []
    for position, name in enumerate(STEROIDS):
        y = -float(position)
        rails_x += [np.log10(low), np.log10(high), None]
        rails_y += [y, y, None]
        for mg in _ROUND_MG:
            x = steroid_equivalent_mg(name, mg, STEROIDS[0])
            if low * 1.1 <= x <= high / 1.1:
                # The number gives way to the line and to the mark of the dose itself.
                clear = abs(np.log10(x / here)) > 0.11 if here > 0 else True
                ticks.append((float(np.log10(x)), y, f"{mg:g}" if clear else ""))
    equivalents = {name: steroid_equivalent_mg(drug, dose_mg, name) for name in STEROIDS}
    x_here = float(np.log10(here)) if here > 0 else float(np.log10(low))
    rows = [-float(position) for position in range(len(STEROIDS))]
    traces = (
        _line(rails_x, rails_y, LINE, width=2),
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [x for x, _, _ in ticks],
            "y": [y for _, y, _ in ticks],
            "text": [words for _, _, words in ticks],
            "textposition": "bottom center",
            "textfont": {"size": 11, "color": MUTED},
            "marker": {"symbol": "line-ns", "size": 9, "line": {"color": OUTLINE, "width": 1.5}},
            "hoverinfo": "skip",
        },
        _line([x_here, x_here], [0.55, -3.2], ACCENT, width=2),
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [x_here] * len(rows),
            "y": rows,
            "text": [f"  <b>{equivalents[name]:,.4g} mg</b>" for name in STEROIDS],
            "textposition": "top left" if here > 150 else "top right",
            "textfont": {"size": 14, "color": INK},
            "marker": {
                "size": 13,
                "color": [INK if name == drug else ACCENT for name in STEROIDS],
                "symbol": ["diamond" if name == drug else "circle" for name in STEROIDS],
                "line": {"color": "#ffffff", "width": 1.5},
            },
            "hoverinfo": "skip",
        },
    )
    words = ", ".join(f"{mg:,.4g} mg of {name}" for name, mg in equivalents.items())
    return Picture(
        traces=traces,
        layout={
            "margin": {"l": 140, "r": 24, "t": 16, "b": 16},
            "xaxis": axis(visible=False, range=[float(np.log10(low)), float(np.log10(high))]),
            "yaxis": axis(
                range=[-3.5, 0.75],
                showgrid=False,
                tickvals=rows,
                ticktext=[name.capitalize() for name in STEROIDS],
                tickfont={"size": 13, "color": INK},
                showline=False,
                ticks="",
            ),
        },
        alt=f"Four scales, one per steroid; a vertical line joins doses of equal effect: {words}.",
        height=270,
    )


def _line(
    x: Sequence[float | None],
    y: Sequence[float | None],
    color: str,
    *,
    dash: str = "solid",
    width: float = 2,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": list(y),
        "line": {"color": color, "width": width, "dash": dash},
        "hoverinfo": "skip",
    }


def _points(
    points: Sequence[tuple[float, float]], *, symbol: str, size: float, color: str, edge: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "marker": {
            "symbol": symbol,
            "size": size,
            "color": color,
            "line": {"color": edge, "width": 2},
        },
        "hoverinfo": "skip",
    }


def _numbered(
    points: Sequence[tuple[float, float]], numbers: Mapping[float, str], color: str, symbol: str
) -> dict[str, Any]:
    return {
        **_points(points, symbol=symbol, size=22, color=color, edge="#ffffff"),
        "mode": "markers+text",
        "text": [f"<b>{numbers[x]}</b>" for x, _ in points],
        "textposition": "middle center",
        "textfont": {"size": 12, "color": "#ffffff"},
    }


def _box(
    left: float, right: float, y: float = _LANE, half: float = 0.26
) -> tuple[list[float], list[float]]:
    return [left, right, right, left, left], [y - half, y - half, y + half, y + half, y - half]


def _band(
    x: Sequence[float | None], y: Sequence[float | None], fill: str, edge: str
) -> dict[str, Any]:
    return {
        **_line(x, y, edge, width=1),
        "fill": "toself",
        "fillcolor": fill,
    }
