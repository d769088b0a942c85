"""The level of a drug that runs day and night, with what the pump does and published levels."""

from collections.abc import Mapping, Sequence
from typing import Any

from crs.figures.levels import PublishedLevel
from crs.figures.theme import ACCENT, INK, MUTED, SERIES, Picture, axis, held_top
from crs.models.infusion import VIEW_D, InfusionResult

_PUBLISHED = SERIES[1]
_HOURS_A_DAY = 24.0
_BEFORE_H = 6.0


def infusion_picture(
    result: InfusionResult,
    published: Sequence[PublishedLevel],
    around_h: float | None,
    window_h: float,
    event: str,
) -> Picture:
    """Draw the level, when the pump runs, and two published levels.

    Parameters
    ----------
    result : InfusionResult
        What to draw.
    published : sequence of PublishedLevel
        Two, in pg/mL; drawn as dotted lines.
    around_h : float or None
        Hour from which a close view counts. None shows the two weeks.
    window_h : float
        How many hours the close view goes on.
    event : str
        What happens at that hour, such as "the step".

    Returns
    -------
    Picture
    """
    closely = around_h is not None
    zero = around_h if around_h is not None else 0.0
    low = -min(_BEFORE_H, zero) if closely else 1.0
    high = window_h if closely else 1.0 + VIEW_D

    def place(hour: float) -> float:
        return hour - zero if closely else 1 + hour / _HOURS_A_DAY

    top = held_top(max([10.0, *result.level, *(item.value for item in published)]))
    pump_x, pump_y = _pump(result)
    traces: tuple[Mapping[str, Any], ...] = (
        {
            "type": "scatter",
            "mode": "lines",
            "x": [place(hour) for hour in result.hours],
            "y": list(result.level),
            "line": {"color": ACCENT, "width": 2.5},
            "hovertemplate": ("%{x:.1f} h" if closely else "day %{x:.1f}")
            + ": %{y:.3g} pg/mL<extra></extra>",
        },
        *(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [low, high],
                "y": [item.value, item.value],
                "line": {"color": _PUBLISHED, "width": 1.5, "dash": "dot"},
                "hoverinfo": "skip",
            }
            for item in published
        ),
        {
            "type": "scatter",
            "mode": "lines",
            "x": [None if hour is None else place(hour) for hour in pump_x],
            "y": pump_y,
            "line": {"color": INK, "width": 7},
            "hoverinfo": "skip",
        },
    )
    title = f"Hours after {event}" if closely else "Day of treatment"
    layout = {
        "margin": {"l": 70, "r": 150, "t": 34, "b": 52},
        "xaxis": axis(
            title={"text": title, "standoff": 8, "font": {"size": 13, "color": INK}},
            range=[low, high],
            dtick=6 if closely else 1,
        ),
        "yaxis": axis(range=[0, top]),
        "annotations": [
            *(
                {
                    "text": f"<b>{item.name}</b><br>{item.value:g} pg/mL",
                    "xref": "paper",
                    "x": 1.01,
                    "y": item.value,
                    "xanchor": "left",
                    "align": "left",
                    "showarrow": False,
                    "font": {"size": 12, "color": _PUBLISHED},
                }
                for item in published
            ),
            {
                "text": "Blinatumomab in serum, pg/mL. Thick black line: the pump runs. "
                "Dotted: means of the label († recalled).",
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
    return Picture(traces, layout, _alt(result, published, closely, event), height=380)


def _pump(result: InfusionResult) -> tuple[list[float | None], list[float | None]]:
    """Return a line along the bottom that has gaps where the pump stands still."""
    hours: list[float | None] = []
    level: list[float | None] = []
    ends = [step.from_h for step in result.steps[1:]] + [VIEW_D * _HOURS_A_DAY]
    for step, end in zip(result.steps, ends, strict=True):
        if step.ug_day > 0:
            hours += [step.from_h, end, None]
            level += [0.0, 0.0, None]
    return hours, level


def _alt(
    result: InfusionResult, published: Sequence[PublishedLevel], closely: bool, event: str
) -> str:
    asked = result.asked
    view = f"Close view of the hours after {event}." if closely else f"View of {VIEW_D} days."
    pause = (
        f" The pump stands still for {asked.pause_h:g} hours on day {asked.pause_day}, and the "
        f"level falls from {result.before_pause:.3g} to {result.after_pause:.3g} pg/mL."
        if result.before_pause is not None and result.after_pause is not None
        else ""
    )
    lines = "".join(
        f" A dotted line marks {item.name}, {item.value:g} pg/mL." for item in published
    )
    return (
        f"{view} Level of blinatumomab: it rises within hours and settles at "
        f"{result.first_steady:.3g} pg/mL at {asked.first_ug_day:g} µg/day. From day "
        f"{asked.step_day} on the rate is {asked.later_ug_day:g} µg/day, and the level settles at "
        f"{result.later_steady:.3g} pg/mL.{pause}{lines}"
    )
