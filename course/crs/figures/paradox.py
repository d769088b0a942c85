"""The tocilizumab paradox: receptors blocked step by step, and the course of one patient."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from crs.figures.theme import (
    ACCENT,
    INK,
    MUTED,
    OUTLINE,
    SERIES,
    Picture,
    axis,
    held_power,
    held_top,
)
from crs.models.il6 import BLOCKED_FROM_D, BlockadeSteps, ParadoxResult
from crs.models.removal import CRP_HALF_LIFE, crp_after_blockade_mg_l

_SIGNAL = SERIES[1]
_CRP = SERIES[2]
_TOTAL = SERIES[3]
_HOURS_A_DAY = 24.0
_FLOOR_PG_ML = 0.1  # below this a logarithmic picture ends


def steps_picture(steps: BlockadeSteps, blocked: float, il6_pg_ml: float, stat3: float) -> Picture:
    """Draw where IL-6 and its signal settle against the share of receptors that is blocked.

    Parameters
    ----------
    steps : BlockadeSteps
        Both curves.
    blocked, il6_pg_ml, stat3 : float
        The share that is blocked now, and where that settles: the marks.

    Returns
    -------
    Picture
    """
    shares = [100 * share for share in steps.blocked]
    top = held_top(max(1.0, *steps.il6_pg_ml))
    highest = held_top(100 * max(0.01, *steps.stat3))
    traces: tuple[Mapping[str, Any], ...] = (
        _curve(shares, steps.il6_pg_ml, ACCENT, "%{x:.4g} % blocked: %{y:,.0f} pg/mL"),
        _mark(100 * blocked, il6_pg_ml, ACCENT, "circle"),
        _second(
            _curve(
                shares,
                [100 * share for share in steps.stat3],
                _SIGNAL,
                "%{x:.4g} % blocked: %{y:.2g} %",
                "dash",
            )
        ),
        _second(_mark(100 * blocked, 100 * stat3, _SIGNAL, "diamond")),
    )
    title = _title("Receptors blocked")
    layout = {
        "margin": {"l": 70, "r": 24, "t": 34, "b": 52},
        "xaxis": axis(title=title, range=[0, 103], domain=[0, 0.44], ticksuffix=" %", dtick=20),
        "yaxis": axis(range=[0, top], tickformat=",~r"),
        "xaxis2": axis(
            title=title, range=[0, 103], domain=[0.56, 1], anchor="y2", ticksuffix=" %", dtick=20
        ),
        "yaxis2": axis(range=[0, highest], anchor="x2", ticksuffix=" %"),
        "annotations": [
            _caption("Step by step: where <b>IL-6</b> settles, pg/mL", 0, 1.03),
            _caption("where <b>its signal</b> settles, STAT3 phosphorylated", 0.56, 1.03),
        ],
    }
    alt = (
        f"Two curves against the share of receptors that is blocked, from 0 to 100 percent. IL-6 "
        f"settles at {steps.il6_pg_ml[0]:,.0f} pg/mL with none blocked and rises to "
        f"{steps.il6_pg_ml[-1]:,.0f} with all blocked. The signal falls meanwhile from "
        f"{100 * steps.stat3[0]:.0f} percent to 0. Marks stand at {100 * blocked:.1f} percent "
        f"blocked: {il6_pg_ml:,.0f} pg/mL and a signal of {100 * stat3:.1f} percent."
    )
    return Picture(traces, layout, alt, height=270)


def course_picture(result: ParadoxResult) -> Picture:
    """Draw IL-6, its signal and CRP over days, one above the other.

    Parameters
    ----------
    result : ParadoxResult
        What to draw.

    Returns
    -------
    Picture
    """
    asked = result.asked
    bound = asked.blockade == "siltuximab"
    days = list(result.days)
    top = max(10.0, *result.il6_total_pg_ml)
    linear_top = held_top(top)
    lowest, highest = math.log10(_FLOOR_PG_ML), held_power(top)
    bottom = _FLOOR_PG_ML if bound else 0.0
    signal = [100 * share for share in result.stat3]
    signal_top = held_top(max(5.0, *signal))
    crp_top = held_top(max(10.0, *result.crp_mg_l))
    hours = [_HOURS_A_DAY * (day - BLOCKED_FROM_D) for day in days if day >= BLOCKED_FROM_D]
    fastest = [float(value) for value in crp_after_blockade_mg_l(hours, result.before_crp_mg_l, 0)]
    begins = asked.blockade != "none"
    # On a logarithmic axis a course that falls out of the picture ends at its edge.
    free = [max(value, _FLOOR_PG_ML / 10) if bound else value for value in result.il6_free_pg_ml]
    traces: tuple[Mapping[str, Any], ...] = (
        _curve(days, free, ACCENT, "day %{x:.1f}: %{y:,.3g} pg/mL free"),
        _curve(
            days,
            result.il6_total_pg_ml if bound else [None] * len(days),
            _TOTAL,
            "day %{x:.1f}: %{y:,.3g} pg/mL with what siltuximab holds",
            "dash",
        ),
        _second(_curve(days, signal, _SIGNAL, "day %{x:.1f}: %{y:.2g} %")),
        _third(_curve(days, result.crp_mg_l, _CRP, "day %{x:.1f}: %{y:.0f} mg/L")),
        _third(
            {
                **_curve(
                    [day for day in days if day >= BLOCKED_FROM_D], fastest, OUTLINE, "", "dot"
                ),
                "hoverinfo": "skip",
            }
        ),
        _line_at(begins, bottom, 10**highest if bound else linear_top),
        _second(_line_at(begins, 0, signal_top)),
        _third(_line_at(begins, 0, crp_top)),
        {
            "type": "scatter",
            "mode": "markers",
            "x": list(result.starts_d),
            "y": [bottom] * len(result.starts_d),
            "marker": {"symbol": "triangle-up", "size": 11, "color": INK},
            "cliponaxis": False,
            "hovertemplate": "dose on day %{x:.2f}<extra></extra>",
        },
    )
    end = asked.horizon_d
    ticks = 1 if end <= 14 else 7
    layout = {
        "margin": {"l": 78, "r": 24, "t": 34, "b": 52},
        "xaxis": axis(range=[0, end], dtick=ticks, anchor="y", showticklabels=False),
        "yaxis": axis(
            domain=[0.74, 1],
            type="log" if bound else "linear",
            range=[lowest, highest] if bound else [0, linear_top],
            tickformat=",~r",
            nticks=5,
            **({"dtick": 1 if highest - lowest < 4 else 2} if bound else {"dtick": None}),
        ),
        "xaxis2": axis(range=[0, end], dtick=ticks, anchor="y2", showticklabels=False),
        "yaxis2": axis(domain=[0.38, 0.62], range=[0, signal_top], ticksuffix=" %", nticks=5),
        "xaxis3": axis(
            range=[0, end],
            dtick=ticks,
            anchor="y3",
            title=_title("Days; receptors or IL-6 are blocked from day 1 on" if begins else "Days"),
        ),
        "yaxis3": axis(domain=[0, 0.26], range=[0, crp_top], nticks=5),
        "annotations": [
            _caption(_il6_caption(result), 0, 1.02),
            _caption("<b>Signal</b>: STAT3 that is phosphorylated", 0, 0.64),
            _caption(
                f"<b>CRP</b>, mg/L. Dotted: no fall is faster, with a half-life of "
                f"{CRP_HALF_LIFE.value:g} h",
                0,
                0.28,
            ),
        ],
    }
    return Picture(traces, layout, _alt(result), height=520)


def _il6_caption(result: ParadoxResult) -> str:
    if result.asked.blockade == "siltuximab":
        return (
            "<b>IL-6</b>, pg/mL, logarithmic. Solid: free. Dashed: with what siltuximab holds. "
            "▲ a dose"
        )
    doses = ". ▲ a dose" if result.starts_d else ""
    return f"<b>IL-6 in serum</b>, pg/mL{doses}"


def _alt(result: ParadoxResult) -> str:
    asked = result.asked
    at = result.day_after
    what = {
        "none": "Nothing is blocked.",
        "by hand": f"From day 1 on {100 * asked.blocked:.0f} percent of receptors are blocked.",
        "tocilizumab": f"Tocilizumab is given from day 1 on, doses: {len(result.starts_d)}.",
        "siltuximab": "Siltuximab is given on day 1.",
    }[asked.blockade]
    total = (
        f" With what siltuximab holds it is {result.il6_total_pg_ml[at]:,.0f} pg/mL."
        if asked.blockade == "siltuximab"
        else ""
    )
    return (
        f"Three courses over {asked.horizon_d:g} days, one above the other. {what} Free IL-6 goes "
        f"from {result.before_pg_ml:,.3g} before to {result.il6_free_pg_ml[at]:,.3g} pg/mL on day "
        f"{result.days[at]:.1f}.{total} The signal goes from {100 * result.before_stat3:.0f} to "
        f"{100 * result.stat3[at]:.0f} percent, and C-reactive protein from "
        f"{result.before_crp_mg_l:.0f} to {result.crp_mg_l[at]:.0f} mg/L, never below a dotted "
        f"line that shows its fastest fall."
    )


def _curve(
    x: Sequence[float], y: Sequence[float | None], color: str, hover: str, dash: str = "solid"
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": list(y),
        "line": {"color": color, "width": 2.5, "dash": dash},
        "hovertemplate": f"{hover}<extra></extra>",
    }


def _mark(x: float, y: float, color: str, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "marker": {
            "size": 12,
            "color": color,
            "symbol": symbol,
            "line": {"color": "#ffffff", "width": 1.5},
        },
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _line_at(shown: bool, low: float, high: float) -> dict[str, Any]:
    day = BLOCKED_FROM_D if shown else None
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [day, day],
        "y": [low, high],
        "line": {"color": OUTLINE, "width": 1, "dash": "dashdot"},
        "hoverinfo": "skip",
    }


def _second(trace: dict[str, Any]) -> dict[str, Any]:
    return {**trace, "xaxis": "x2", "yaxis": "y2"}


def _third(trace: dict[str, Any]) -> dict[str, Any]:
    return {**trace, "xaxis": "x3", "yaxis": "y3"}


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "standoff": 8, "font": {"size": 13, "color": INK}}


def _caption(text: str, x: float, y: float) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": y,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": MUTED},
    }
