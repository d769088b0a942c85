"""What goes out of the blood: C-reactive protein by itself, anything in plasma by an exchange."""

from collections.abc import Mapping, Sequence
from typing import Any

from crs.figures.theme import ACCENT, INK, MUTED, OUTLINE, Picture, axis, held_top


def crp_picture(
    hours: Sequence[float], crp_mg_l: Sequence[float], now_h: float, now_mg_l: float
) -> Picture:
    """Draw the fastest possible fall of C-reactive protein.

    Parameters
    ----------
    hours, crp_mg_l : sequence of float
        The course.
    now_h, now_mg_l : float
        The moment that is asked about.

    Returns
    -------
    Picture
    """
    top = held_top(max(10.0, *crp_mg_l))
    traces = (
        _line(hours, crp_mg_l, ACCENT, "solid", "%{x:.0f} h: %{y:.0f} mg/L<extra></extra>"),
        _mark(now_h, now_mg_l, ACCENT),
    )
    layout = {
        "margin": {"l": 70, "r": 40, "t": 34, "b": 52},
        "xaxis": axis(title=_title("Hours since the blockade"), range=[0, hours[-1]], dtick=12),
        "yaxis": axis(range=[0, top]),
        "annotations": [_caption("C-reactive protein at its fastest possible fall, mg/L")],
    }
    alt = (
        f"C-reactive protein over {hours[-1]:g} hours: it falls from {crp_mg_l[0]:.0f} to "
        f"{crp_mg_l[-1]:.0f} mg/L, fast at first and then ever more slowly. A mark stands at "
        f"{now_h:g} hours and {now_mg_l:.0f} mg/L."
    )
    return Picture(traces, layout, alt, height=280)


def exchange_picture(
    volumes_l: Sequence[float], removed: Sequence[float], plasma_l: float, now_l: float, now: float
) -> Picture:
    """Draw the share that an exchange removes, against what a draining would remove.

    Parameters
    ----------
    volumes_l, removed : sequence of float
        Exchanged volume, and the share from 0 to 1 that it removes.
    plasma_l : float
        Volume of plasma in the body.
    now_l, now : float
        The exchange that is asked about, and its share.

    Returns
    -------
    Picture
    """
    end = volumes_l[-1]
    traces: tuple[Mapping[str, Any], ...] = (
        _line(
            volumes_l,
            [100 * share for share in removed],
            ACCENT,
            "solid",
            "%{x:.1f} L: %{y:.0f} %<extra></extra>",
        ),
        {**_line([0, plasma_l, end], [0, 100, 100], OUTLINE, "dot", ""), "hoverinfo": "skip"},
        _mark(now_l, 100 * now, ACCENT),
    )
    layout = {
        "margin": {"l": 70, "r": 40, "t": 34, "b": 52},
        "xaxis": axis(title=_title("Plasma exchanged, L"), range=[0, end]),
        "yaxis": axis(range=[0, 108], ticksuffix=" %"),
        "annotations": [
            _caption("Share removed. Dotted: if the old plasma left first, without mixing")
        ],
    }
    alt = (
        f"Share of a substance that an exchange removes, for {plasma_l:g} L of plasma in the body. "
        f"The curve rises steeply and flattens: {100 * now:.0f} % at {now_l:g} L. A dotted line "
        f"shows what would leave without mixing: everything at {plasma_l:g} L."
    )
    return Picture(traces, layout, alt, height=280)


def _line(
    x: Sequence[float], y: Sequence[float], color: str, dash: str, hover: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": list(y),
        "line": {"color": color, "width": 2.5, "dash": dash},
        "hovertemplate": hover,
    }


def _mark(x: float, y: float, color: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "marker": {"size": 11, "color": color, "line": {"color": "#ffffff", "width": 1.5}},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "standoff": 8, "font": {"size": 13, "color": INK}}


def _caption(text: str) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1.14,
        "xanchor": "left",
        "showarrow": False,
        "font": {"size": 12, "color": MUTED},
    }
