"""What is left of a drug and of CAR T cells after a decision to stop, on a logarithmic scale."""

import math

from crs.figures.end_labels import words_beside
from crs.figures.theme import ACCENT, INK, MUTED, OUTLINE, SERIES, Picture, axis
from crs.models.washout import WashoutResult

_CELLS = SERIES[1]
_FLOOR = 1e-4  # below this share the picture ends
_HOURS_A_DAY = 24


def washout_picture(result: WashoutResult, drug: str) -> Picture:
    """Draw both courses, with a line at the hour that was asked for.

    Parameters
    ----------
    result : WashoutResult
        What to draw.
    drug : str
        What the drug is called.

    Returns
    -------
    Picture
    """
    asked = result.asked
    top = max(1.0, *result.cells)
    highest = math.ceil(math.log10(top) + 0.15)
    lowest = round(math.log10(_FLOOR))
    in_days = asked.horizon_h > 3 * _HOURS_A_DAY
    scale = _HOURS_A_DAY if in_days else 1
    hours = [hour / scale for hour in result.hours]
    now = asked.hours / scale
    powers = list(range(lowest, highest + 1))
    traces = (
        _curve(hours, result.drug, ACCENT, drug, "solid"),
        _curve(hours, result.cells, _CELLS, "CAR T cells", "dash"),
        {
            "type": "scatter",
            "mode": "lines",
            "x": [now, now],
            "y": [10.0**lowest, 10.0**highest],
            "line": {"color": OUTLINE, "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [now, now],
            "y": [max(result.drug_now, _FLOOR), result.cells_now],
            "marker": {
                "size": 11,
                "color": [ACCENT, _CELLS],
                "symbol": ["circle", "diamond"],
                "line": {"color": "#ffffff", "width": 1.5},
            },
            "hoverinfo": "skip",
        },
        _end_labels(drug, result.drug[-1], result.cells[-1], hours[-1], lowest),
    )
    layout = {
        "margin": {"l": 78, "r": 132, "t": 34, "b": 52},
        "xaxis": axis(
            title={
                "text": "Days after the decision" if in_days else "Hours after the decision",
                "standoff": 8,
                "font": {"size": 13, "color": INK},
            },
            range=[0, asked.horizon_h / scale],
            dtick=2 if in_days else 6,
        ),
        "yaxis": axis(
            type="log",
            range=[lowest, highest],
            tickvals=[10.0**power for power in powers],
            ticktext=[share_words(10.0**power) for power in powers],
        ),
        "annotations": [
            {
                "text": "Left, against the moment of the decision",
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": 1.1,
                "xanchor": "left",
                "showarrow": False,
                "font": {"size": 12, "color": MUTED},
            },
        ],
    }
    return Picture(traces, layout, _alt(result, drug, in_days), height=360)


def share_words(share: float) -> str:
    """Write a share for a reader: in percent, or as a multiple above twice.

    Parameters
    ----------
    share : float
        1 is all.

    Returns
    -------
    str
    """
    if share >= 2:
        return f"{share:,.0f} times"
    percent = 100 * share
    if percent < 0.01:
        return "less than 0.01 %"
    if percent >= 10:
        return f"{percent:.0f} %"
    return f"{percent:.2g} %"


def _curve(
    hours: list[float], shares: tuple[float, ...], color: str, name: str, dash: str
) -> dict[str, object]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": hours,
        "y": [share if share >= _FLOOR / 10 else None for share in shares],
        "line": {"color": color, "width": 3, "dash": dash},
        "customdata": [share_words(share) for share in shares],
        "hovertemplate": f"{name}: %{{customdata}}<extra></extra>",
    }


def _end_labels(
    drug: str, drug_left: float, cells_left: float, x: float, lowest: int
) -> dict[str, object]:
    words, heights = [], []
    for name, share in ((drug, max(drug_left, _FLOOR)), ("CAR T cells", cells_left)):
        at_floor = math.log10(share) <= lowest + 0.01
        words.append(f"<b>{name}</b>" + ("<br>below 0.01 %" if at_floor else ""))
        heights.append(share * (10**0.25 if at_floor else 1))
    return words_beside(words, heights, x, {"size": 13, "color": [ACCENT, _CELLS]})


def _alt(result: WashoutResult, drug: str, in_days: bool) -> str:
    asked = result.asked
    horizon = f"{asked.horizon_h / 24:g} days" if in_days else f"{asked.horizon_h:g} hours"
    return (
        f"Two curves over {horizon} after the decision, on a logarithmic scale. {drug} falls from "
        f"100 % to {share_words(result.drug[-1])}. CAR T cells go from 100 % to "
        f"{share_words(result.cells[-1])}, with nothing given against them."
    )
