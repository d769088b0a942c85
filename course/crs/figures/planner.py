"""Two treatment plans side by side, and no treatment: what is given, and what becomes of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crs.figures.grade_strip import Run, runs_of, strip_traces
from crs.figures.theme import (
    INK,
    MUTED,
    OUTLINE,
    SERIES,
    Picture,
    axis,
    held_power,
    held_top,
)
from crs.models.simulation import Numbers
from crs.patients.observation import FEVER_C
from crs.patients.planning import HOURS_A_DAY, LAST_DAY, LEVEL_OF, OtherDrug, Outcome

SYNTHETIC = "SYNTHETIC"
HEIGHT = 600
_MARGINS = {"l": 52, "r": 14, "t": 46, "b": 44}
_BELOW_TITLE = 1.1  # of an axis: its topmost number would run into the title above it
# A run of one grade shorter than this has no room for its number.
_SHORTEST_PRINTED_H = 24


@dataclass(frozen=True)
class Style:
    """How one course is told from the others: by its color and by its dashes."""

    name: str
    color: str
    dash: str
    words: str


STYLES = (
    Style("none", OUTLINE, "dot", "dotted: no treatment"),
    Style("A", SERIES[0], "solid", "solid: A"),
    Style("B", SERIES[1], "dash", "dashed: B"),
)


@dataclass(frozen=True)
class Compared:
    """What a picture of two plans shows.

    Attributes
    ----------
    untreated : Outcome
    plans : tuple of Outcome or None
        Of plan A and plan B; None for a plan that cannot be carried out.
    others : tuple of str
        The third drug of each plan.
    days : int
        How many are drawn.
    """

    untreated: Outcome
    plans: tuple[Outcome | None, Outcome | None]
    others: tuple[OtherDrug, OtherDrug]
    days: int = LAST_DAY

    @property
    def courses(self) -> tuple[Outcome | None, ...]:
        """No treatment, plan A, plan B."""
        return (self.untreated, *self.plans)


@dataclass(frozen=True)
class _Panel:
    output: str
    title: str
    share: float = 1.0  # of the height, against the other panels
    log_floor: float = 0.0  # above 0: a logarithmic axis that begins here
    lowest: float = 0.0
    least_top: float = 1.0  # the axis reaches at least this
    width: float = 2.2


_GIVEN = (
    _Panel("tocilizumab_ug_ml", "Tocilizumab in serum, µg/mL", least_top=10),
    _Panel("steroid_effect", "Effect of dexamethasone, share of its most", least_top=1),
    # Thin, as anakinra goes up and down four times a day.
    _Panel("other", "Third drug in blood, µg/mL", least_top=10, width=1.4),
    _Panel("car_t", "CAR T cells, copies/µg of DNA", log_floor=1, least_top=1e5),
)
_COURSE = (
    _Panel("grades", "ASTCT grade", share=0.9),
    _Panel("temp_c", "Temperature, °C (line at 38.0)", lowest=36, least_top=40.9),
    _Panel("il6_total", "Interleukin-6 in serum, pg/mL", log_floor=1, least_top=1e3),
    _Panel("il6_signal", "Interleukin-6 signal, share of its most", least_top=1.02),
    _Panel("crp", "C-reactive protein, mg/L", least_top=50),
)


def given_picture(compared: Compared) -> Picture:
    """Draw the drugs of both plans, and the CAR T cells.

    Parameters
    ----------
    compared : Compared

    Returns
    -------
    Picture
    """
    titles = {"other": _third_drug(compared.others)}
    alt = " ".join(
        [
            f"{SYNTHETIC}. Drugs and CAR T cells over {compared.days} days, one course for each of "
            "two plans and one without treatment.",
            *(
                f"Plan {style.name}: tocilizumab peaks at "
                f"{_most(outcome, 'tocilizumab_ug_ml'):.3g} µg/mL, the effect of dexamethasone at "
                f"{_most(outcome, 'steroid_effect'):.2f} of its most, CAR T cells at "
                f"{_most(outcome, 'car_t'):.3g} copies per µg."
                for style, outcome in zip(STYLES[1:], compared.plans, strict=True)
                if outcome is not None
            ),
            "Without treatment CAR T cells peak at "
            f"{_most(compared.untreated, 'car_t'):.3g} copies per µg.",
        ]
    )
    return _stack(_GIVEN, compared, titles, alt)


def course_picture(compared: Compared) -> Picture:
    """Draw grade, temperature, interleukin-6, its signal, and C-reactive protein.

    Parameters
    ----------
    compared : Compared

    Returns
    -------
    Picture
    """
    alt = " ".join(
        [
            f"{SYNTHETIC}. ASTCT grade, temperature, interleukin-6 in serum, its signal and "
            f"C-reactive protein over {compared.days} days.",
            *(
                f"{_called(style)}: grade at most {outcome.peak_grade}, interleukin-6 up to "
                f"{_most(outcome, 'il6_total'):.3g} pg/mL, its signal up to "
                f"{_most(outcome, 'il6_signal'):.2f}, C-reactive protein up to "
                f"{outcome.peak_crp_mg_l:.0f} mg/L, fever for {outcome.fever_h:g} hours."
                for style, outcome in zip(STYLES, compared.courses, strict=True)
                if outcome is not None
            ),
        ]
    )
    return _stack(_COURSE, compared, {}, alt)


def _called(style: Style) -> str:
    return "No treatment" if style.name == "none" else f"Plan {style.name}"


def _third_drug(others: Sequence[OtherDrug]) -> str:
    named = [
        f"{style.name}: {other}"
        for style, other in zip(STYLES[1:], others, strict=True)
        if other != "none"
    ]
    return "Third drug in blood, µg/mL" + (f" ({', '.join(named)})" if named else "")


def _most(outcome: Outcome, output: str) -> float:
    return float(outcome.values[output].max())


def _values(outcome: Outcome, output: str, other: OtherDrug) -> Numbers | None:
    if output != "other":
        return outcome.values[output]
    return None if other == "none" else outcome.values[LEVEL_OF[other]]


def _stack(
    panels: Sequence[_Panel], compared: Compared, titles: Mapping[str, str], alt: str
) -> Picture:
    """Put panels above each other, over the same days."""
    layout: dict[str, Any] = {
        "margin": _MARGINS,
        "barmode": "overlay",
        "xaxis": axis(
            range=[0, compared.days],
            dtick=7,
            title={
                "text": "Days since the CAR T cells",
                "standoff": 6,
                "font": {"size": 12, "color": MUTED},
            },
            anchor=_axis_name(len(panels) - 1),
        ),
    }
    notes = [
        {
            "text": f"<b>{SYNTHETIC}</b>  "
            + " · ".join(f"<span style='color:{s.color}'>{s.words}</span>" for s in STYLES[1:])
            + " · dotted: none",
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": 1,
            "xanchor": "left",
            "yanchor": "bottom",
            "xshift": -44,
            "yshift": 26,
            "showarrow": False,
            "font": {"size": 11.5, "color": MUTED},
        }
    ]
    traces: list[Mapping[str, Any]] = []
    gap = 0.062
    whole = sum(panel.share for panel in panels)
    top = 1.0
    for position, panel in enumerate(panels):
        height = (1 - gap * (len(panels) - 1)) * panel.share / whole
        domain = [max(0.0, top - height), top]
        top -= height + gap
        name = _axis_name(position)
        if panel.output == "grades":
            traces += _grade_traces(compared, name)
            settings: dict[str, Any] = {
                "range": [-0.5, 2.5],
                "tickvals": [2, 1, 0],
                "ticktext": ["<b>A</b>", "<b>B</b>", "none"],
                "showgrid": False,
            }
        else:
            found = _curves(panel, compared, name)
            traces += found
            settings = _scale(panel, found)
        key = "yaxis" + name[1:]
        layout[key] = axis(domain=domain, anchor="x", showline=False, ticks="", **settings)
        notes.append(
            {
                "text": titles.get(panel.output, panel.title),
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": domain[1],
                "xanchor": "left",
                "yanchor": "bottom",
                "xshift": -44,
                "yshift": 1,
                "showarrow": False,
                "font": {"size": 12, "color": INK},
            }
        )
    layout["annotations"] = notes
    return Picture(tuple(traces), layout, alt, height=HEIGHT)


def _axis_name(position: int) -> str:
    return "y" if position == 0 else f"y{position + 1}"


def _curves(panel: _Panel, compared: Compared, name: str) -> list[Mapping[str, Any]]:
    traces: list[Mapping[str, Any]] = []
    others: tuple[OtherDrug, ...] = ("none", *compared.others)
    for style, outcome, other in zip(STYLES, compared.courses, others, strict=True):
        values = None if outcome is None else _values(outcome, panel.output, other)
        x: list[float] = []
        y: list[float | None] = []
        if outcome is not None and values is not None:
            shown = outcome.times_h <= compared.days * HOURS_A_DAY
            x = [round(float(hour) / HOURS_A_DAY, 3) for hour in outcome.times_h[shown]]
            y = [
                float(f"{value:.4g}") if value >= panel.log_floor else None
                for value in np.maximum(values[shown], 0)
            ]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": y,
                "yaxis": name,
                "line": {"color": style.color, "width": panel.width, "dash": style.dash},
                "hovertemplate": f"{_called(style)}, day %{{x:.1f}}: %{{y:.3g}}<extra></extra>",
            }
        )
    if panel.output == "temp_c":
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [0, compared.days],
                "y": [FEVER_C, FEVER_C],
                "yaxis": name,
                "line": {"color": OUTLINE, "width": 1},
                "hoverinfo": "skip",
            }
        )
    return traces


def _scale(panel: _Panel, traces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    highest = max([panel.least_top, *(y for trace in traces for y in trace["y"] if y is not None)])
    if panel.log_floor:
        low, high = math.log10(panel.log_floor), held_power(highest)
        powers = range(math.ceil(low), math.floor(high) + 1)
        shown = [power for power in powers if len(powers) <= 3 or power % 2 == 0]
        return {
            "type": "log",
            "range": [low, high],
            "tickvals": [10**power for power in shown],
            "ticktext": [f"{10**power:,}".replace(",", "\u202f") for power in shown],
        }
    top = highest if panel.lowest else _BELOW_TITLE * held_top(highest)
    return {"range": [panel.lowest, top], "nticks": 4}


def _grade_traces(compared: Compared, name: str) -> list[dict[str, Any]]:
    """One strip for each course."""
    places = {"A": 2, "B": 1, "none": 0}
    runs: list[Run] = []
    for style, outcome in zip(STYLES, compared.courses, strict=True):
        if outcome is not None:
            shown = outcome.times_h < compared.days * HOURS_A_DAY
            ends = [*(outcome.times_h[shown] / HOURS_A_DAY), float(compared.days)]
            runs += [
                Run(places[style.name], float(ends[start]), float(ends[end]), grade)
                for start, end, grade in runs_of([int(grade) for grade in outcome.grades[shown]])
            ]
    shortest = _SHORTEST_PRINTED_H / HOURS_A_DAY
    return strip_traces(runs, name, height=0.78, shortest=shortest, text_px=12)
