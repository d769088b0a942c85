"""A fictional patient's fourteen days: treatment, vitals, and the grade on six scales."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from crs.figures.comparator import SCALES, compare
from crs.figures.grade_strip import Run, runs_of, strip_traces
from crs.figures.theme import (
    ACCENT,
    INK,
    MUTED,
    OUTLINE,
    SERIES,
    Picture,
    axis,
)
from crs.guidelines import guideline
from crs.guidelines.conditions import comparisons
from crs.guidelines.dosing import norepinephrine_equivalent_ug_min
from crs.patients.bedside import VASOPRESSORS, BedsideState
from crs.patients.cases import LAST_HOUR, STEROIDS, SYNTHETIC, Event, load_case

HOURS_PER_DAY = 24
HEIGHT = 640
MARGINS = {"l": 150, "r": 142, "t": 34, "b": 44}
# First and last hour of the axis: a little more than the fourteen days.
SPAN = (-2, LAST_HOUR + 2)
# A run of one grade shorter than this has no room for its number; the column at the right has it.
SHORTEST_PRINTED_H = 6
# Bottom and top of each band of the picture, as fractions of its height.
BANDS: dict[str, tuple[float, float]] = {
    "treatment": (0.89, 1.0),
    "temp_c": (0.765, 0.86),
    "systolic_mmhg": (0.645, 0.75),
    "spo2_percent": (0.515, 0.62),
    "vasopressor": (0.405, 0.49),
    "grades": (0.0, 0.365),
}
# One lane for each sort of treatment, from the top of its band to the bottom.
_LANES = {
    kind: 0.89 - 0.26 * position
    for position, kind in enumerate(("antipyretic", "tocilizumab", *STEROIDS))
}
_AXES = {
    name: f"y{position or ''}" for position, name in zip((0, 2, 3, 4, 5, 6), BANDS, strict=True)
}
_TITLES = {
    "treatment": "<b>Treatment</b>",
    "temp_c": "<b>Temperature</b><br>°C",
    "systolic_mmhg": "<b>Systolic pressure</b><br>mmHg",
    "spo2_percent": "<b>Oxygen saturation</b><br>%",
    "vasopressor": "<b>Vasopressors</b><br>norepinephrine<br>equivalent, µg/min",
}


@dataclass(frozen=True)
class Moment:
    """What one hour shows: the bedside, a vital sign or two, and the grade on each scale.

    Attributes
    ----------
    hour : int
        Since the infusion.
    state : BedsideState
    systolic_mmhg, spo2_percent : float, float
    vasopressor_ug_min : float
        All but vasopressin, as norepinephrine.
    grades : tuple of int
        In the order of `SCALES`.
    domains : tuple of str
        What decided each of them.
    """

    hour: int
    state: BedsideState
    systolic_mmhg: float
    spo2_percent: float
    vasopressor_ug_min: float
    grades: tuple[int, ...]
    domains: tuple[str, ...]


@dataclass(frozen=True)
class Track:
    """A case, graded hour by hour. SYNTHETIC.

    Attributes
    ----------
    case_id, title : str
    moments : tuple of Moment
        One for each hour, from 0 to 336.
    events : tuple of Event
    """

    case_id: str
    title: str
    moments: tuple[Moment, ...]
    events: tuple[Event, ...]

    @property
    def widest_hour(self) -> int:
        """The first hour at which the scales are furthest apart."""
        return max(self.moments, key=lambda m: (max(m.grades) - min(m.grades), -m.hour)).hour


@cache
def track_of(case_id: str) -> Track:
    """Grade a case hour by hour on all six scales.

    Parameters
    ----------
    case_id : str
        One of `crs.patients.cases.case_ids`.

    Returns
    -------
    Track
    """
    case = load_case(case_id)
    table = case.table
    moments = []
    for hour in range(LAST_HOUR + 1):
        state = case.state_at(hour)
        verdicts = compare(state)
        moments.append(
            Moment(
                hour=hour,
                state=state,
                systolic_mmhg=float(table["systolic_mmhg"].iloc[hour]),
                spo2_percent=float(table["spo2_percent"].iloc[hour]),
                vasopressor_ug_min=norepinephrine_equivalent_ug_min(
                    **{name: getattr(state, name) for name in VASOPRESSORS}
                ),
                grades=tuple(verdict.grade for verdict in verdicts),
                domains=tuple(
                    verdict.deciding.row.domain if verdict.deciding else "not met"
                    for verdict in verdicts
                ),
            )
        )
    return Track(case_id, case.title, tuple(moments), case.events)


def trajectory_picture(track: Track, hour: int) -> Picture:
    """Draw the fourteen days, with a cursor at one hour.

    Parameters
    ----------
    track : Track
    hour : int
        From 0 to 336.

    Returns
    -------
    Picture
    """
    layout = {**_fixed_layout(), "annotations": _titles(track)}
    return Picture(
        _traces(track.case_id),
        layout,
        trajectory_alt(track, hour),
        height=HEIGHT,
        overlay=_overlay(track.moments[hour]),
    )


@cache
def _traces(case_id: str) -> tuple[Mapping[str, Any], ...]:
    track = track_of(case_id)
    hours = [moment.hour for moment in track.moments]
    curves = {
        "temp_c": [moment.state.temp_c for moment in track.moments],
        "systolic_mmhg": [moment.systolic_mmhg for moment in track.moments],
        "spo2_percent": [moment.spo2_percent for moment in track.moments],
        "vasopressor": [moment.vasopressor_ug_min for moment in track.moments],
    }
    return (
        *_treatment_traces(track.events),
        _threshold_trace(),
        _oxygen_trace(track),
        *(
            {
                "type": "scatter",
                "x": hours,
                "y": curves[name],
                "yaxis": _AXES[name],
                "mode": "lines",
                "line": {
                    "color": color,
                    "width": 1.8,
                    "shape": "hv" if name == "vasopressor" else "linear",
                },
                "hoverinfo": "skip",
                **(
                    {"fill": "tozeroy", "fillcolor": "rgba(107, 76, 154, 0.18)"}
                    if name == "vasopressor"
                    else {}
                ),
            }
            for name, color in zip(
                curves, (SERIES[4], SERIES[0], SERIES[3], SERIES[2]), strict=True
            )
        ),
        *_grade_traces(track),
    )


def _treatment_traces(events: Sequence[Event]) -> list[Mapping[str, Any]]:
    steroids = [event for event in events if event.kind in STEROIDS]
    doses = [event for event in events if event.kind == "tocilizumab"]
    antipyretics = [event for event in events if event.kind == "antipyretic"]
    line_x: list[float | None] = []
    for event in steroids:
        line_x += [event.at, event.until if event.until is not None else LAST_HOUR, None]
    lanes = [_LANES[event.kind] for event in steroids]
    return [
        {
            "type": "scatter",
            "x": line_x,
            "y": [lane for lane in lanes for _ in range(3)],
            "mode": "lines",
            "line": {"color": SERIES[1], "width": 8},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "x": [event.at for event in steroids],
            "y": lanes,
            "mode": "text",
            "text": [f"{event.kind} " for event in steroids],
            "textposition": "middle left",
            "textfont": {"size": 11, "color": "#8a3f08"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "x": [event.at for event in doses],
            "y": [_LANES["tocilizumab"]] * len(doses),
            "mode": "markers+text",
            "marker": {"symbol": "triangle-down", "size": 11, "color": ACCENT},
            # The name once, before the first dose.
            "text": ["tocilizumab " if not position else "" for position in range(len(doses))],
            "textposition": "middle left",
            "textfont": {"size": 11, "color": ACCENT},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "x": [event.at for event in antipyretics],
            "y": [_LANES["antipyretic"]] * len(antipyretics),
            "mode": "markers+text",
            "marker": {"symbol": "circle-open", "size": 9, "color": OUTLINE},
            "text": [
                "antipyretic " if not position else "" for position in range(len(antipyretics))
            ],
            "textposition": "middle left",
            "textfont": {"size": 11, "color": MUTED},
            "hoverinfo": "skip",
        },
    ]


def _threshold_trace() -> Mapping[str, Any]:
    fever = next(comparisons(guideline("astct-2019").row("fever").when))
    return {
        "type": "scatter",
        "x": [0, LAST_HOUR],
        "y": [fever.value, fever.value],
        "yaxis": _AXES["temp_c"],
        "mode": "lines",
        "line": {"color": OUTLINE, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _oxygen_trace(track: Track) -> Mapping[str, Any]:
    """Mark the hours on oxygen at the foot of the band of oxygen saturation."""
    on_oxygen = runs_of([int(moment.state.oxygen != "room air") for moment in track.moments])
    x: list[float | None] = []
    text: list[str] = []
    for start, end, on in on_oxygen:
        if on:
            x += [start, end, None]
            text += ["", " oxygen", ""]
    return {
        "type": "scatter",
        "x": x,
        "y": [83.5] * len(x),
        "yaxis": _AXES["spo2_percent"],
        "mode": "lines+text",
        "line": {"color": SERIES[3], "width": 5},
        "text": text,
        "textposition": "middle right",
        "textfont": {"size": 11, "color": "#1f5c39"},
        "hoverinfo": "skip",
    }


def _grade_traces(track: Track) -> list[dict[str, Any]]:
    runs = [
        Run(len(SCALES) - 1 - position, *run)
        for position in range(len(SCALES))
        for run in runs_of([moment.grades[position] for moment in track.moments])
    ]
    return strip_traces(runs, _AXES["grades"], height=0.74, shortest=SHORTEST_PRINTED_H, text_px=12)


@cache
def _fixed_layout() -> dict[str, Any]:
    days = list(range(0, LAST_HOUR + 1, HOURS_PER_DAY))

    def band(name: str, **settings: Any) -> dict[str, Any]:
        return axis(domain=list(BANDS[name]), anchor="x", showline=False, ticks="", **settings)

    return {
        "margin": MARGINS,
        "barmode": "overlay",
        "xaxis": axis(
            range=list(SPAN),
            tickvals=days,
            ticktext=[str(hour // HOURS_PER_DAY) for hour in days],
            title={"text": "Days since the infusion", "font": {"size": 12, "color": MUTED}},
            anchor=_AXES["grades"],
            ticks="",
            showline=False,
        ),
        "yaxis": band("treatment", range=[0, 1], showticklabels=False, showgrid=False),
        "yaxis2": band("temp_c", range=[35.8, 40.6], tickvals=[36, 38, 40]),
        "yaxis3": band("systolic_mmhg", range=[65, 165], tickvals=[80, 120, 160]),
        "yaxis4": band("spo2_percent", range=[81, 101], tickvals=[85, 92, 99]),
        "yaxis5": band("vasopressor", range=[0, 12], tickvals=[0, 5, 10]),
        "yaxis6": band(
            "grades",
            range=[-0.5, len(SCALES) - 0.5],
            tickvals=list(range(len(SCALES))),
            ticktext=[f"<b>{guideline(scale).short_title}</b>  " for scale in reversed(SCALES)],
            tickfont={"size": 12, "color": INK},
            showgrid=False,
        ),
    }


def _note(text: str, y: float, **settings: Any) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": y,
        "showarrow": False,
        "font": {"size": 12, "color": INK},
        **settings,
    }


def _titles(track: Track) -> list[dict[str, Any]]:
    titles = [
        _note(
            text,
            (BANDS[name][0] + BANDS[name][1]) / 2,
            xanchor="right",
            xshift=-34,
            yanchor="middle",
            align="right",
        )
        for name, text in _TITLES.items()
    ]
    label = _note(
        f"<b>{SYNTHETIC}</b>  {track.title}",
        1,
        xanchor="left",
        yanchor="bottom",
        yshift=8,
        font={"size": 12, "color": MUTED},
    )
    return [*titles, label]


def _overlay(moment: Moment) -> str:
    """Write the cursor, and at the right what it points at.

    It lies over the figure at the same places, so that moving it does not draw the figure again.
    """
    plot_height = HEIGHT - MARGINS["t"] - MARGINS["b"]
    along = (moment.hour - SPAN[0]) / (SPAN[1] - SPAN[0])
    left = f"calc({MARGINS['l']}px + (100% - {MARGINS['l'] + MARGINS['r']}px) * {along:.5f})"

    def reading(height: float, text: str) -> str:
        top = MARGINS["t"] + (1 - height) * plot_height
        right = f"left: calc(100% - {MARGINS['r'] - 10}px); top: {top:.1f}px"
        return f'<div class="crs-reading" style="{right}">{text}</div>'

    state = moment.state
    vasopressor = f"{moment.vasopressor_ug_min:g}" if moment.vasopressor_ug_min else "none"
    if state.vasopressin_units_min:
        vasopressor += "<br>and vasopressin"
    flow = f" {state.flow_l_min:g} L/min" if state.flow_l_min else ""
    words = {
        "temp_c": f"<b>{state.temp_c:.1f}</b>",
        "systolic_mmhg": f"<b>{moment.systolic_mmhg:.0f}</b>",
        "spo2_percent": f"<b>{moment.spo2_percent:.0f}</b><br>{state.oxygen}{flow}",
        "vasopressor": f"<b>{vasopressor}</b>",
    }
    readings = [reading(sum(BANDS[name]) / 2, text) for name, text in words.items()]
    low, high = BANDS["grades"]
    for position, (grade, domain) in enumerate(zip(moment.grades, moment.domains, strict=True)):
        height = high - (position + 0.5) / len(SCALES) * (high - low)
        readings.append(reading(height, f"<b>{grade}</b>&ensp;{domain}"))
    readings.append(reading(1 + 17 / plot_height, f"<b>{when(moment.hour)}</b>"))
    return (
        f'<div aria-hidden="true"><div class="crs-cursor" style="left: {left}; '
        f'top: {MARGINS["t"]}px; height: {plot_height}px"></div>{"".join(readings)}</div>'
    )


def when(hour: int) -> str:
    """Say an hour as day and hour.

    Parameters
    ----------
    hour : int
        Since the infusion.

    Returns
    -------
    str
        Such as ``"day 4, hour 10"``.
    """
    return f"day {hour // HOURS_PER_DAY}, hour {hour % HOURS_PER_DAY}"


def trajectory_sentence(track: Track, hour: int) -> str:
    """Say in words what one hour shows.

    Parameters
    ----------
    track : Track
    hour : int

    Returns
    -------
    str
    """
    moment = track.moments[hour]
    state = moment.state
    flow = f" at {state.flow_l_min:g} L/min" if state.flow_l_min else ""
    bedside = [
        f"{state.temp_c:.1f} °C",
        f"systolic pressure {moment.systolic_mmhg:.0f} mmHg",
        f"oxygen saturation {moment.spo2_percent:.0f} % on {state.oxygen}{flow}",
    ]
    if moment.vasopressor_ug_min:
        bedside.append(f"vasopressors equal to norepinephrine {moment.vasopressor_ug_min:g} µg/min")
    if state.vasopressin_units_min:
        bedside.append(f"vasopressin {state.vasopressin_units_min:g} units/min")
    return (
        f"{when(hour).capitalize()}: {', '.join(bedside)}. {_grades_in_words(moment)}"
        f"{_latest_treatment(track, hour)}"
    )


def _grades_in_words(moment: Moment) -> str:
    names = [guideline(scale).short_title for scale in SCALES]
    low, high = min(moment.grades), max(moment.grades)
    if low == high:
        return f"All six scales say {low}."
    said = [f"{name} {grade}" for name, grade in zip(names, moment.grades, strict=True)]
    return f"Grades: {', '.join(said[:-1])} and {said[-1]}."


def _latest_treatment(track: Track, hour: int) -> str:
    given = [
        event
        for event in track.events
        if event.at <= hour and event.kind in ("antipyretic", "tocilizumab", *STEROIDS)
    ]
    if not given:
        return ""
    latest = given[-1]
    since = hour - latest.at
    ago = "in this hour" if not since else f"{since} hour{'s' if since > 1 else ''} ago"
    return f" Latest treatment: {latest.text}, {ago}."


def trajectory_alt(track: Track, hour: int) -> str:
    """Describe the picture in words.

    Parameters
    ----------
    track : Track
    hour : int

    Returns
    -------
    str
    """
    highest = ", ".join(
        f"{guideline(scale).short_title} {max(m.grades[position] for m in track.moments)}"
        for position, scale in enumerate(SCALES)
    )
    return (
        f"{SYNTHETIC}. {track.title} over fourteen days: treatment, temperature, systolic "
        f"pressure, oxygen saturation and vasopressors, and below them the grade on six scales. "
        f"Highest grades: {highest}. The cursor is at {when(hour)}."
    )
