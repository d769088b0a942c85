"""The level of a drug over days, with its doses and with published levels to hold it against."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crs.figures.theme import ACCENT, INK, MUTED, SERIES, Picture, axis, held_power, held_top
from crs.models.regimen import RegimenResult

_FLOOR = 0.1  # µg/mL: below this a logarithmic picture ends
_PUBLISHED = SERIES[1]


@dataclass(frozen=True)
class PublishedLevel:
    """A level from a publication, as a line to hold a curve against.

    Attributes
    ----------
    name : str
        What it is, such as "peak".
    value : float
        µg/mL.
    """

    name: str
    value: float


def levels_picture(
    result: RegimenResult, published: Sequence[PublishedLevel], logarithmic: bool
) -> Picture:
    """Draw the level, a mark at every dose, and the published levels.

    Parameters
    ----------
    result : RegimenResult
        What to draw.
    published : sequence of PublishedLevel
        At most two; drawn as dotted lines.
    logarithmic : bool
        Whether the level is drawn on a logarithmic scale.

    Returns
    -------
    Picture
    """
    end = result.days[-1]
    top = max([1.0, result.peak, *(item.value for item in published)])
    lowest = math.log10(_FLOOR)
    highest = held_power(top)
    bottom = _FLOOR if logarithmic else 0.0
    lines = [
        published[at].value if at < len(published) else None for at in range(2)
    ]  # always two traces, so that one picture can become the next
    traces: tuple[Mapping[str, Any], ...] = (
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(result.days),
            "y": [value if value >= _FLOOR or not logarithmic else None for value in result.level],
            "line": {"color": ACCENT, "width": 2.5},
            "hovertemplate": "day %{x:.1f}: %{y:.3g} µg/mL<extra></extra>",
        },
        *(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [0, end],
                "y": [value, value],
                "line": {"color": _PUBLISHED, "width": 1.5, "dash": "dot"},
                "hoverinfo": "skip",
            }
            for value in lines
        ),
        {
            "type": "scatter",
            "mode": "markers",
            "x": list(result.starts),
            "y": [bottom] * len(result.starts),
            "marker": {"symbol": "triangle-up", "size": 11, "color": INK},
            "cliponaxis": False,
            "hovertemplate": "dose on day %{x:.2f}<extra></extra>",
        },
    )
    layout = {
        "margin": {"l": 70, "r": 140, "t": 34, "b": 52},
        "xaxis": axis(
            title={
                "text": "Days since the first dose",
                "standoff": 8,
                "font": {"size": 13, "color": INK},
            },
            range=[0, end],
        ),
        "yaxis": axis(
            type="log" if logarithmic else "linear",
            range=[lowest, highest] if logarithmic else [0, held_top(top)],
        ),
        "annotations": [
            *(
                {
                    "text": f"<b>{item.name}</b><br>{item.value:g} µg/mL",
                    "xref": "paper",
                    "x": 1.01,
                    "y": math.log10(item.value) if logarithmic else item.value,
                    "xanchor": "left",
                    "align": "left",
                    "showarrow": False,
                    "font": {"size": 12, "color": _PUBLISHED},
                }
                for item in published
            ),
            {
                "text": _caption(result, published),
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
    return Picture(traces, layout, _alt(result, published, logarithmic), height=380)


def _caption(result: RegimenResult, published: Sequence[PublishedLevel]) -> str:
    caption = f"{result.asked.drug.capitalize()} in serum, µg/mL. ▲ a dose."
    if published:
        caption += " Dotted: rheumatoid arthritis, 8 mg/kg every 4 weeks."
    return caption


def _alt(result: RegimenResult, published: Sequence[PublishedLevel], logarithmic: bool) -> str:
    asked = result.asked
    scale = "logarithmic" if logarithmic else "linear"
    lines = "".join(
        f" A dotted line marks {item.name}, {item.value:g} µg/mL." for item in published
    )
    return (
        f"Level of {asked.drug} over {result.days[-1]:.0f} days on a {scale} scale, after "
        f"{asked.doses} of {asked.dose_mg:.0f} mg. It peaks at {result.peak:.3g} µg/mL on day "
        f"{result.peak_day:.1f} and ends at {result.four_weeks_later:.3g} µg/mL.{lines}"
    )
