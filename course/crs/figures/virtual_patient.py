"""A whole virtual patient over four weeks, in bands below each other; and what decides a peak."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crs.figures.cascade import NAMES, level_words
from crs.figures.end_labels import Ends, end_labels
from crs.figures.grade_strip import Run, runs_of, strip_traces
from crs.figures.theme import (
    ACCENT,
    INK,
    MUTED,
    OUTLINE,
    PAPER,
    SERIES,
    Picture,
    axis,
    held_power,
    held_top,
)
from crs.models.simulation import Numbers
from crs.patients.observation import FEVER_C, LOW_MAP_MMHG, LOW_SPO2, ice_scores, lowest_ice
from crs.patients.whole_patient import (
    CHANGED,
    LARGER,
    LAST_DAY,
    SMALLER,
    STEP_H,
    Bar,
    Extreme,
    WholeCourse,
)

_HOURS_A_DAY = 24.0
_MARGINS = {"l": 50, "r": 54, "t": 58, "b": 40}
_LEFT_PX = -44  # from the plot to the left edge, for what heads the picture
_GAP_PX = 19
_LABEL_PX = 11
_FLOOR_SHARE = 0.01  # %: below this share of a peak a band ends
_FLOOR_PG_ML = 0.1
# A run of one grade shorter than this has no room for its number; the sentence has the highest.
_SHORTEST_PRINTED_D = 0.75
# What changes over days needs fewer points, and less to send to the browser.
_SLOW = 2
_FAST = ("signal", "temp", "map", "spo2")
_BESIDE = 0.12  # of a row: between the two bars of one property


@dataclass(frozen=True)
class _Band:
    """One band of the picture: its name, its height in pixels, and what its title says."""

    name: str
    px: int
    title: str


_BANDS = (
    _Band("cells", 58, "CAR T, target cells, % of peak"),
    _Band("mediators", 88, "Mediators, pg/mL"),
    _Band("il6", 58, "IL-6 in serum, pg/mL"),
    _Band("signal", 40, "IL-6 signal, % of its most"),
    _Band("crp", 42, "CRP, mg/L"),
    _Band("ferritin", 36, "Ferritin, µg/L"),
    _Band("temp", 46, "Temperature, °C"),
    _Band("map", 42, "MAP without vasopressors, mmHg"),
    _Band("spo2", 42, "Oxygen saturation, room air, %"),
    _Band("ice", 36, "ICE score, 10 to 0"),
    _Band("grade", 40, "ASTCT 2019 grade"),
)
_PLOT_PX = sum(band.px for band in _BANDS) + _GAP_PX * (len(_BANDS) - 1)
HEIGHT = _PLOT_PX + _MARGINS["t"] + _MARGINS["b"]
_AXES = {band.name: f"y{at + 1 if at else ''}" for at, band in enumerate(_BANDS)}


def _domains() -> dict[str, tuple[float, float]]:
    found = {}
    top = float(_PLOT_PX)
    for band in _BANDS:
        found[band.name] = ((top - band.px) / _PLOT_PX, top / _PLOT_PX)
        top -= band.px + _GAP_PX
    return found


_DOMAINS = _domains()
_MEDIATORS = {
    "ifn_gamma": (SERIES[0], "solid"),
    "mcp1": (SERIES[5], "longdash"),
    "il10": (SERIES[3], "dot"),
    "tnf": (SERIES[4], "dash"),
    "il1": (SERIES[1], "dashdot"),
}


def virtual_patient_picture(result: WholeCourse, name: str) -> Picture:
    """Draw all important states of a patient, with the course without treatment behind them.

    Parameters
    ----------
    result : WholeCourse
        What to draw.
    name : str
        Who it is, such as "SYNTHETIC patient 7".

    Returns
    -------
    Picture
    """
    ranges = _ranges(result)
    fine = _plain(result.times_h / _HOURS_A_DAY)
    days = fine[::_SLOW]
    treated = bool(result.doses)
    all_own, all_before = result.values, result.untreated
    own = {key: values[::_SLOW] for key, values in all_own.items()}
    before = {key: values[::_SLOW] for key, values in all_before.items()}
    peaks = {key: float(all_before[key].max()) for key in ("car_t", "tumor")}
    shares = {key: _shares(own[key], peaks[key]) for key in peaks}
    old_cells = _shares(before["car_t"], peaks["car_t"])
    ice, old_ice = ice_scores(all_own), ice_scores(before)

    def pair(band: str, output: str, color: str, scale: float = 1.0) -> list[dict[str, Any]]:
        """Return the course without treatment, drawn only where there is one, and the course."""
        fast = band in _FAST
        along = fine if fast else days
        old, new = (all_before, all_own) if fast else (before, own)
        return [
            _untreated(along, _plain(old[output] * scale), band, treated),
            _line(along, _plain(new[output] * scale), band, color),
        ]

    traces = (
        _untreated(days, old_cells, "cells", treated),
        _line(days, shares["car_t"], "cells", ACCENT),
        _line(days, shares["tumor"], "cells", SERIES[1], "dash"),
        *(
            _line(days, _floored(own[key]), "mediators", color, dash, 1.8)
            for key, (color, dash) in _MEDIATORS.items()
        ),
        _untreated(days, _floored(before["il6_total"]), "il6", treated),
        _line(days, _floored(own["il6_total"]), "il6", SERIES[2]),
        _line(days, _floored(own["il6_free"]), "il6", SERIES[4], "dot"),
        *pair("signal", "il6_signal", SERIES[2], 100.0),
        *pair("crp", "crp", SERIES[1]),
        *pair("ferritin", "ferritin", SERIES[5]),
        *pair("temp", "temp_c", SERIES[4]),
        _threshold("temp", FEVER_C),
        *pair("map", "map_mmhg", SERIES[0]),
        _threshold("map", LOW_MAP_MMHG),
        *pair("spo2", "spo2_room_air", SERIES[3]),
        _threshold("spo2", LOW_SPO2),
        _untreated(days, old_ice, "ice", treated, "hv"),
        {
            **_line(days, ice[::_SLOW], "ice", INK),
            "line": {"color": INK, "width": 2.2, "shape": "hv"},
        },
        *_grade_traces(result, treated),
        *_name_traces(result, ranges),
    )
    return Picture(
        traces,
        _layout(result, name, treated, ranges),
        _alt(result, name, lowest_ice(ice)),
        height=HEIGHT,
    )


def _ranges(result: WholeCourse) -> dict[str, tuple[float, float]]:
    """Choose what each band spans, in steps, so that it holds still while a slider moves."""
    return {
        "cells": (math.log10(_FLOOR_SHARE), math.log10(150)),
        "mediators": (math.log10(_FLOOR_PG_ML), held_power(_most(result, 100.0, *_MEDIATORS))),
        "il6": (0.0, held_power(_most(result, 100.0, "il6_total"))),
        "signal": (0.0, 105.0),
        "crp": (0.0, held_top(_most(result, 50.0, "crp"))),
        "ferritin": (0.0, held_top(_most(result, 1000.0, "ferritin"))),
        "temp": (36.0, 0.5 * math.ceil(2 * _most(result, 40.0, "temp_c") + 0.4)),
        "map": (5 * math.floor((_least(result, 52.0, "map_mmhg") - 2) / 5), 105.0),
        "spo2": (2 * math.floor((_least(result, 85.0, "spo2_room_air") - 1) / 2), 101.0),
        "ice": (-0.8, 10.8),
        "grade": (-0.5, 1.5),
    }


def _layout(
    result: WholeCourse, name: str, treated: bool, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    ticks: dict[str, dict[str, Any]] = {
        "cells": {"tickvals": [0.01, 1, 100], "ticktext": ["0.01", "1", "100"]},
        "mediators": _powers(_FLOOR_PG_ML, ranges["mediators"][1]),
        "il6": _powers(1.0, ranges["il6"][1]),
        "signal": {"tickvals": [0, 50, 100]},
        "crp": {"nticks": 3},
        "ferritin": {"nticks": 3, "tickformat": "~s"},
        "temp": {"tickvals": [36, 38, 40]},
        "map": {"tickvals": [LOW_MAP_MMHG, 90]},
        "spo2": {"tickvals": [85, LOW_SPO2, 99]},
        "ice": {"tickvals": [0, 5, 10]},
        "grade": {
            "tickvals": [0, 1] if treated else [1],
            "ticktext": ["without", "treated"] if treated else ["grade"],
            "tickfont": {"size": 11, "color": INK},
        },
    }
    axes = {
        f"yaxis{_AXES[band.name][1:]}": axis(
            domain=list(_DOMAINS[band.name]),
            anchor="x",
            showline=False,
            ticks="",
            type="log" if band.name in ("cells", "mediators", "il6") else "linear",
            range=list(ranges[band.name]),
            **{"tickfont": {"size": 11, "color": MUTED}, **ticks[band.name]},
        )
        for band in _BANDS
    }
    day = result.asked.day
    return {
        "margin": _MARGINS,
        "barmode": "overlay",
        "xaxis": axis(
            range=[0, LAST_DAY],
            tickvals=list(range(0, LAST_DAY + 1, 4)),
            title={
                "text": "Days since the CAR T cells",
                "standoff": 6,
                "font": {"size": 12, "color": INK},
            },
            anchor=_AXES["grade"],
            ticks="",
            showline=False,
        ),
        **axes,
        "shapes": [
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": day,
                "x1": day,
                "y0": 0,
                "y1": 1,
                "layer": "below",
                "line": {
                    "color": ACCENT if treated else "rgba(0, 0, 0, 0)",
                    "width": 1.5,
                    "dash": "dot",
                },
            }
        ],
        "annotations": [
            _note(name, 1.0, {"size": 12, "color": MUTED}, xshift=_LEFT_PX, yshift=38),
            _note(
                f"┊ {result.asked.treatment}, day {day:g}; gray: without"
                if treated
                else f"Dotted: {FEVER_C:.1f} °C, {LOW_MAP_MMHG:g} mmHg, {LOW_SPO2:g} %",
                1.0,
                {"size": 12, "color": ACCENT if treated else MUTED},
                xshift=_LEFT_PX,
                yshift=21,
            ),
            *(
                _note(
                    f"<b>{band.title}</b>",
                    _DOMAINS[band.name][1],
                    {"size": 11, "color": INK},
                    bgcolor=PAPER,
                    borderpad=0,
                )
                for band in _BANDS
            ),
        ],
    }


def _line(
    days: list[float],
    values: Sequence[float | None],
    band: str,
    color: str,
    dash: str = "solid",
    width: float = 2.2,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": days,
        "y": values,
        "yaxis": _AXES[band],
        "line": {"color": color, "width": width, "dash": dash},
        "hovertemplate": "day %{x:.1f}: %{y:.3g}<extra></extra>",
    }


def _untreated(
    days: list[float], values: Sequence[float | None], band: str, drawn: bool, shape: str = "linear"
) -> dict[str, Any]:
    """Draw the course without treatment; nothing where none is given."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": days if drawn else [],
        "y": values if drawn else [],
        "yaxis": _AXES[band],
        "line": {"color": OUTLINE, "width": 1.4, "dash": "dash", "shape": shape},
        "hoverinfo": "skip",
    }


def _threshold(band: str, value: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [0, LAST_DAY],
        "y": [value, value],
        "yaxis": _AXES[band],
        "line": {"color": OUTLINE, "width": 1.2, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _grade_traces(result: WholeCourse, treated: bool) -> list[dict[str, Any]]:
    """Draw a strip of grades; a second one for the course without treatment."""
    strips = [(1, result.grades), *([(0, result.untreated_grades)] if treated else [])]
    step_d = STEP_H / _HOURS_A_DAY
    runs = [
        Run(row, start * step_d, min(end * step_d, float(LAST_DAY)), grade)
        for row, grades in strips
        for start, end, grade in runs_of([int(grade) for grade in grades])
    ]
    return strip_traces(
        runs, _AXES["grade"], height=0.86, shortest=_SHORTEST_PRINTED_D, text_px=_LABEL_PX
    )


def _name_traces(
    result: WholeCourse, ranges: Mapping[str, tuple[float, float]]
) -> Iterator[dict[str, Any]]:
    own, before = result.values, result.untreated

    def power(value: float, floor: float) -> float:
        return math.log10(max(floor, value))

    cells = {"CAR T": ("car_t", ACCENT), "target": ("tumor", SERIES[1])}
    yield _names(
        "cells",
        {
            name: power(100 * float(own[key][-1] / before[key].max()), _FLOOR_SHARE)
            for name, (key, _) in cells.items()
        },
        {name: color for name, (_, color) in cells.items()},
        ranges,
    )
    yield _names(
        "mediators",
        {NAMES[key]: power(float(own[key][-1]), _FLOOR_PG_ML) for key in _MEDIATORS},
        {NAMES[key]: color for key, (color, _) in _MEDIATORS.items()},
        ranges,
    )
    yield _names(
        "il6",
        {
            "total": power(float(own["il6_total"][-1]), 1.0),
            "free": power(float(own["il6_free"][-1]), 1.0),
        },
        {"total": SERIES[2], "free": SERIES[4]},
        ranges,
    )


def _names(
    band: str,
    heights: Mapping[str, float],
    colors: Mapping[str, str],
    ranges: Mapping[str, tuple[float, float]],
) -> dict[str, Any]:
    """Name the curves of a band at their right ends; heights are exponents of ten."""
    px = next(one.px for one in _BANDS if one.name == band)
    ends = Ends(LAST_DAY, *ranges[band], px, logarithmic=True)
    return {**end_labels(heights, colors, ends, text_px=_LABEL_PX), "yaxis": _AXES[band]}


def _note(text: str, y: float, font: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": y,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 1,
        "showarrow": False,
        "font": font,
        **settings,
    }


def _plain(values: Numbers) -> list[float]:
    """Keep four digits: a picture shows no more, and less is sent to the browser."""
    return [float(f"{value:.4g}") for value in values]


def _floored(values: Numbers) -> list[float]:
    return _plain(np.maximum(values, _FLOOR_PG_ML))


def _shares(values: Numbers, peak: float) -> list[float]:
    return _plain(np.maximum(100 * values / peak, _FLOOR_SHARE / 10))


def _most(result: WholeCourse, at_least: float, *keys: str) -> float:
    both = (result.values, result.untreated)
    return max(at_least, *(float(values[key].max()) for values in both for key in keys))


def _least(result: WholeCourse, at_most: float, key: str) -> float:
    both = (result.values, result.untreated)
    return min(at_most, *(float(values[key].min()) for values in both))


def _powers(lowest: float, top: float) -> dict[str, Any]:
    """Label every second power of ten, so that a low band stays readable."""
    first = round(math.log10(lowest))
    powers = range(first + first % 2, math.floor(top) + 1, 2)
    return {
        "tickvals": [10.0**power for power in powers],
        "ticktext": [level_words(10.0**power) for power in powers],
    }


def _alt(result: WholeCourse, name: str, worst_ice: int) -> str:
    own = result.values
    given = (
        f", with {result.asked.treatment} on day {result.asked.day:g} and, in gray dashes, without"
        if result.doses
        else ", without treatment"
    )
    return (
        f"{name} over {LAST_DAY} days{given}, in eleven bands: CAR T cells and target cells; "
        f"mediators; interleukin-6, total up to {level_words(float(own['il6_total'].max()))} "
        f"pg/mL; its signal up to {100 * float(own['il6_signal'].max()):.0f} %; CRP up to "
        f"{float(own['crp'].max()):.0f} mg/L; ferritin up to "
        f"{level_words(float(own['ferritin'].max()))} µg/L; temperature up to "
        f"{float(own['temp_c'].max()):.1f} °C; mean arterial pressure down to "
        f"{float(own['map_mmhg'].min()):.0f} mmHg; oxygen saturation down to "
        f"{float(own['spo2_room_air'].min()):.0f} %; ICE score down to "
        f"{worst_ice}; and the ASTCT 2019 grade, at most "
        f"{int(result.grades.max())}. Dotted lines mark {FEVER_C:.1f} °C, {LOW_MAP_MMHG:g} mmHg "
        f"and {LOW_SPO2:g} %."
    )


def sensitivity_picture(extreme: Extreme, value: float, bars: Sequence[Bar], name: str) -> Picture:
    """Draw what half and one and a half times each property makes of a peak or a low.

    Parameters
    ----------
    extreme : Extreme
        Of which output.
    value : float
        What it is in this patient.
    bars : sequence of Bar
        The largest first.
    name : str
        Who it is.

    Returns
    -------
    Picture
    """
    logarithmic = extreme.output in ("il6_total", "car_t")
    values = [value, *(bar.smaller for bar in bars), *(bar.larger for bar in bars)]
    low, high = min(values), max(values)
    if logarithmic:
        low, high = math.log10(low), math.log10(high)
    room = max(0.12 * (high - low), 0.05 if logarithmic else 0.5)
    span = [low - room, high + room]
    traces = (
        _half(bars, "smaller", value, SERIES[0]),
        _half(bars, "larger", value, SERIES[1]),
        _ends(bars, "smaller", SERIES[0], "triangle-down"),
        _ends(bars, "larger", SERIES[1], "triangle-up"),
        {
            "type": "scatter",
            "mode": "lines",
            "x": [value, value],
            "y": [-0.6, len(bars) - 0.4],
            "line": {"color": INK, "width": 1.5},
            "hoverinfo": "skip",
        },
    )
    title = f"{extreme.label[0].upper()}{extreme.label[1:]}, {extreme.unit}"
    layout = {
        "margin": {"l": 12, "r": 24, "t": 58, "b": 50},
        "xaxis": axis(
            type="log" if logarithmic else "linear",
            range=span,
            title={"text": title, "standoff": 8, "font": {"size": 13, "color": INK}},
            **({"dtick": "D2", "tickformat": ",~r"} if logarithmic else {"nticks": 7}),
        ),
        "yaxis": axis(range=[len(bars) - 0.4, -0.75], showticklabels=False, showgrid=False),
        "annotations": [
            _note(name, 1.0, {"size": 12, "color": MUTED}, yshift=30),
            _note(
                f"<span style='color:{SERIES[0]}'>▼ × {SMALLER:g}</span>    "
                f"<span style='color:{SERIES[1]}'>▲ × {LARGER:g}</span>    ┃ unchanged",
                1.0,
                {"size": 12, "color": INK},
                yshift=10,
            ),
            *(
                {
                    "text": f"<b>{CHANGED[bar.parameter]}</b>",
                    "xref": "paper",
                    "x": 0,
                    "y": at - 0.4,
                    "xanchor": "left",
                    "yanchor": "middle",
                    "showarrow": False,
                    "bgcolor": PAPER,
                    "borderpad": 0,
                    "font": {"size": 11, "color": INK},
                }
                for at, bar in enumerate(bars)
            ),
        ],
    }
    return Picture(traces, layout, _sensitivity_alt(extreme, value, bars, name), height=480)


def number_words(extreme: Extreme, value: float) -> str:
    """Write a peak or a low with as many digits as matter.

    Parameters
    ----------
    extreme : Extreme
    value : float

    Returns
    -------
    str
        With its unit.
    """
    if extreme.output == "temp_c":
        return f"{value:.1f} {extreme.unit}"
    if extreme.output in ("map_mmhg", "spo2_room_air"):
        return f"{value:.0f} {extreme.unit}"
    return f"{level_words(value)} {extreme.unit}"


def _half(bars: Sequence[Bar], end: str, value: float, color: str) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    # Beside each other, as both may lie on one side of what is unchanged.
    beside = -_BESIDE if end == "smaller" else _BESIDE
    for at, bar in enumerate(bars):
        x += [value, getattr(bar, end), None]
        y += [at + beside, at + beside, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": color, "width": 7},
        "hoverinfo": "skip",
    }


def _ends(bars: Sequence[Bar], end: str, color: str, symbol: str) -> dict[str, Any]:
    factor, beside = (SMALLER, -_BESIDE) if end == "smaller" else (LARGER, _BESIDE)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [getattr(bar, end) for bar in bars],
        "y": [at + beside for at in range(len(bars))],
        "marker": {
            "symbol": symbol,
            "size": 13,
            "color": color,
            "line": {"color": "#ffffff", "width": 1},
        },
        "customdata": [CHANGED[bar.parameter] for bar in bars],
        "hovertemplate": f"%{{customdata}} × {factor:g}: %{{x:.4g}}<extra></extra>",
    }


def _sensitivity_alt(extreme: Extreme, value: float, bars: Sequence[Bar], name: str) -> str:
    rows = "; ".join(
        f"{CHANGED[bar.parameter]}: {number_words(extreme, bar.smaller)} and "
        f"{number_words(extreme, bar.larger)}"
        for bar in bars
    )
    return (
        f"{name}: the {extreme.label} is {number_words(extreme, value)}. Bars show what half, and "
        f"one and a half times, each property makes of it, the longest bar first. {rows}."
    )
