"""A population over four weeks: the median and the band of most, without treatment and with it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crs.figures.theme import INK, MUTED, OUTLINE, SERIES, Picture, axis, held_power, held_top
from crs.models.simulation import Numbers
from crs.patients.observation import FEVER_C, LOW_MAP_MMHG, LOW_SPO2
from crs.patients.planning import HOURS_A_DAY, LAST_DAY
from crs.patients.populations import Band, hours_of_population

SYNTHETIC = "SYNTHETIC"
_UNTREATED, _TREATED = OUTLINE, SERIES[0]
_FILLS = ("rgba(85, 100, 110, 0.18)", "rgba(15, 92, 122, 0.20)")


@dataclass(frozen=True)
class Shown:
    """How one output is shown.

    Attributes
    ----------
    name : str
        In words, as it stands in a sentence.
    unit : str
        Empty for a share.
    log_floor : float
        Above 0 for a logarithmic axis, which begins there.
    span : tuple of float or None
        Ends of a linear axis that stays the same; None for one from 0 to the highest value.
    threshold : float or None
        A line to hold the courses against.
    threshold_words : str
    lowest_counts : bool
        Whether it is the lowest value that matters.
    digits : int
        Decimals in words.
    of : str
        What a value without a unit is of, for the title.
    """

    name: str
    unit: str
    log_floor: float = 0.0
    span: tuple[float, float] | None = None
    threshold: float | None = None
    threshold_words: str = ""
    lowest_counts: bool = False
    digits: int = 0
    of: str = ""


SHOWN: Mapping[str, Shown] = {
    "temp_c": Shown(
        "temperature", "°C", 0, (36, 41), FEVER_C, f"fever from {FEVER_C:g} °C", False, 1
    ),
    "crp": Shown("C-reactive protein", "mg/L"),
    "il6_total": Shown("interleukin-6 in serum", "pg/mL", 1),
    "il6_signal": Shown("interleukin-6 signal", "", 0, (0, 1), digits=2, of="share of its most"),
    "ifn_gamma": Shown("interferon-gamma", "pg/mL", 1),
    "ferritin": Shown("ferritin", "µg/L", 100),
    "map_mmhg": Shown(
        "mean arterial pressure without vasopressors",
        "mmHg",
        0,
        (20, 110),
        LOW_MAP_MMHG,
        f"support below {LOW_MAP_MMHG:g} mmHg",
        True,
    ),
    "spo2_room_air": Shown(
        "oxygen saturation on room air",
        "%",
        0,
        (50, 100),
        LOW_SPO2,
        f"oxygen below {LOW_SPO2:g} %",
        True,
    ),
    "car_t": Shown("CAR T cells", "copies/µg", 1),
    "neurotoxicity": Shown("neurotoxicity", "", digits=2, of="state of the model"),
}


@dataclass(frozen=True)
class Extreme:
    """The highest point of a median course; the lowest where that is what counts.

    Attributes
    ----------
    day : float
    value, low, high : float
        The median there, and the ends of the band at the same time.
    """

    day: float
    value: float
    low: float
    high: float


def extreme_of(output: str, band: Band) -> Extreme:
    """Find the extreme of a median course.

    Parameters
    ----------
    output : str
        One of `SHOWN`.
    band : Band

    Returns
    -------
    Extreme
    """
    find = np.argmin if SHOWN[output].lowest_counts else np.argmax
    at = int(find(band.median))
    hours = hours_of_population()
    return Extreme(
        float(hours[at]) / HOURS_A_DAY,
        float(band.median[at]),
        float(band.low[at]),
        float(band.high[at]),
    )


def in_words(output: str, value: float) -> str:
    """Write a value with its unit.

    Parameters
    ----------
    output : str
        One of `SHOWN`.
    value : float

    Returns
    -------
    str
    """
    shown = SHOWN[output]
    # Three digits are more than a population of this size can tell.
    text = (
        f"{float(f'{value:.3g}'):,.0f}"
        if not shown.digits and value >= 100
        else f"{value:.{shown.digits}f}"
    )
    return f"{text} {shown.unit}".strip()


def population_picture(
    output: str, untreated: Band, treated: Band, patients: int, treatment: str
) -> Picture:
    """Draw the bands of a population.

    Parameters
    ----------
    output : str
        One of `SHOWN`.
    untreated, treated : Band
    patients : int
        How many there are.
    treatment : str
        In words.

    Returns
    -------
    Picture
    """
    first, second = extreme_of(output, untreated), extreme_of(output, treated)
    caption = (
        f"{patients} virtual patients. Line: median. Band: 90 of 100. "
        f"<span style='color:{_UNTREATED}'>Dashed, gray: no treatment</span> · "
        f"<span style='color:{_TREATED}'>solid, blue: {treatment}</span>"
    )
    word = "lowest" if SHOWN[output].lowest_counts else "highest"
    alt = (
        f"{SYNTHETIC}. {_sentence_case(SHOWN[output].name)} of {patients} virtual patients over "
        f"{LAST_DAY} days. Without treatment the median is {word} on day {first.day:.1f}, at "
        f"{in_words(output, first.value)}, where 90 of 100 patients lie between "
        f"{in_words(output, first.low)} and {in_words(output, first.high)}. With {treatment} it is "
        f"{word} on day {second.day:.1f}, at {in_words(output, second.value)}, where they lie "
        f"between {in_words(output, second.low)} and {in_words(output, second.high)}."
    )
    return _picture(output, untreated, treated, caption, alt, banded=True)


def typical_picture(
    output: str, untreated: Sequence[float], treated: Sequence[float], treatment: str
) -> Picture:
    """Draw the patient in the middle, before a population has been followed.

    Parameters
    ----------
    output : str
        One of `SHOWN`.
    untreated, treated : sequence of float
    treatment : str
        In words.

    Returns
    -------
    Picture
    """
    bands = [
        Band(values, values, values)
        for values in (np.asarray(untreated, dtype=float), np.asarray(treated, dtype=float))
    ]
    first, second = (extreme_of(output, band) for band in bands)
    caption = (
        "The patient in the middle alone. "
        f"<span style='color:{_UNTREATED}'>Dashed, gray: no treatment</span> · "
        f"<span style='color:{_TREATED}'>solid, blue: {treatment}</span>"
    )
    word = "lowest" if SHOWN[output].lowest_counts else "highest"
    alt = (
        f"{SYNTHETIC}. {_sentence_case(SHOWN[output].name)} of the patient in the middle over "
        f"{LAST_DAY} days; the population has not been followed yet. Without treatment it is "
        f"{word} on day {first.day:.1f}, at {in_words(output, first.value)}; with {treatment} on "
        f"day {second.day:.1f}, at {in_words(output, second.value)}."
    )
    return _picture(output, bands[0], bands[1], caption, alt, banded=False)


def _sentence_case(text: str) -> str:
    return text if text[:3].isupper() else text[0].upper() + text[1:]


def _picture(
    output: str, untreated: Band, treated: Band, caption: str, alt: str, *, banded: bool
) -> Picture:
    shown = SHOWN[output]
    days = [round(float(hour) / HOURS_A_DAY, 3) for hour in hours_of_population()]
    traces: list[Mapping[str, Any]] = []
    for band, fill in zip((untreated, treated), _FILLS, strict=True):
        for edge, filling in ((band.low, "none"), (band.high, "tonexty")):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": days if banded else [],
                    "y": _clean(edge, shown) if banded else [],
                    "line": {"width": 0},
                    "fill": filling,
                    "fillcolor": fill,
                    "hoverinfo": "skip",
                }
            )
    for band, color, dash, name in (
        (untreated, _UNTREATED, "dash", "no treatment"),
        (treated, _TREATED, "solid", "treated"),
    ):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": days,
                "y": _clean(band.median, shown),
                "line": {"color": color, "width": 2.6, "dash": dash},
                "hovertemplate": f"{name}, day %{{x:.1f}}: %{{y:.3g}}<extra></extra>",
            }
        )
    level = shown.threshold
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": [0, LAST_DAY] if level is not None else [],
            "y": [level, level] if level is not None else [],
            "line": {"color": SERIES[1], "width": 1.5, "dash": "dot"},
            "hoverinfo": "skip",
        }
    )
    unit = f", {shown.unit or shown.of}"
    notes = [
        _note(f"<b>{SYNTHETIC}</b>  {_sentence_case(shown.name)}{unit}", 42, INK),
        _note(caption.split(". <span", maxsplit=1)[0] + ".", 24, MUTED),
        _note("<span" + caption.split(". <span", maxsplit=1)[1], 7, MUTED),
    ]
    if level is not None:
        notes.append(
            {
                "text": shown.threshold_words,
                "xref": "paper",
                "x": 1,
                "y": level,
                "xanchor": "right",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 11, "color": SERIES[1]},
            }
        )
    layout = {
        "margin": {"l": 56, "r": 16, "t": 70, "b": 48},
        "xaxis": axis(
            range=[0, LAST_DAY],
            dtick=7,
            title={
                "text": "Days since the CAR T cells",
                "standoff": 8,
                "font": {"size": 13, "color": INK},
            },
        ),
        "yaxis": axis(**_scale(shown, (untreated, treated))),
        "annotations": notes,
    }
    return Picture(tuple(traces), layout, alt, height=420)


def _note(text: str, above: int, color: str) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "xshift": -48,
        "yshift": above,
        "showarrow": False,
        "font": {"size": 12, "color": color},
    }


def _clean(values: Numbers, shown: Shown) -> list[float]:
    """Round for the way to the browser, and keep a band on a logarithmic axis whole."""
    return [float(f"{max(value, shown.log_floor):.4g}") for value in map(float, values)]


def _scale(shown: Shown, bands: Sequence[Band]) -> dict[str, Any]:
    highest = max(float(band.high.max()) for band in bands)
    if shown.log_floor:
        low = math.log10(shown.log_floor)
        high = max(low + 1, held_power(max(highest, shown.log_floor)))
        powers = [10**power for power in range(math.ceil(low), math.floor(high) + 1)]
        return {
            "type": "log",
            "range": [low, high],
            "tickvals": powers,
            "ticktext": [f"{power:,}".replace(",", "\u202f") for power in powers],
        }
    if shown.span is not None:
        low, high = shown.span
        lowest = min(float(band.low.min()) for band in bands)
        # Never a band outside of its picture.
        return {"type": "linear", "range": [min(low, lowest), max(high, highest)]}
    return {"type": "linear", "range": [0, held_top(max(highest, 0.1))]}
