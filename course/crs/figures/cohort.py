"""A marker in a synthetic cohort: the patients by grade, the ROC curve, what a threshold does."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from crs.figures.theme import INK, MUTED, OUTLINE, SERIES, Picture, axis
from crs.patients.roc import Confusion, PredictiveValues, RocCurve

SYNTHETIC = "SYNTHETIC"
HEIGHT = 380
STRIP_MARGINS = {"l": 58, "r": 14, "t": 50, "b": 52}
_WELL, _ILL = OUTLINE, SERIES[4]
_GRADES = 5
# The golden ratio spreads any number of marks evenly, and the same way each time.
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Marked:
    """A marker in a cohort.

    Attributes
    ----------
    name, unit : str
        In words.
    values : tuple of float
        The highest of each patient.
    grades : tuple of int
        The highest ASTCT grade of each.
    split : int
        Patients of this grade or a higher one have what the test is to find.
    threshold : float
        A value of at least this is positive.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    grades: tuple[int, ...]
    split: int
    threshold: float

    @property
    def positives(self) -> tuple[float, ...]:
        """Values of those who have it."""
        return tuple(v for v, g in zip(self.values, self.grades, strict=True) if g >= self.split)

    @property
    def negatives(self) -> tuple[float, ...]:
        """Values of those who do not."""
        return tuple(v for v, g in zip(self.values, self.grades, strict=True) if g < self.split)


def span_of(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the logarithmic axis for a marker.

    Parameters
    ----------
    values : sequence of float
        All above 0.

    Returns
    -------
    low, high : float
    """
    return min(values) / 1.5, max(values) * 1.5


def strip_picture(marked: Marked, span: tuple[float, float]) -> Picture:
    """Draw every patient by grade, and the threshold.

    Parameters
    ----------
    marked : Marked
    span : tuple of float
        Ends of the axis, as `span_of` gives them. A threshold outside of it lies at its edge.

    Returns
    -------
    Picture
    """
    low, high = span
    line = min(max(marked.threshold, low), high)
    traces: list[Mapping[str, Any]] = []
    for ill in (False, True):
        x, y, text = [], [], []
        for number, (value, grade) in enumerate(zip(marked.values, marked.grades, strict=True)):
            if (grade >= marked.split) is ill:
                x.append(round(grade + 0.56 * ((number * _GOLDEN) % 1 - 0.5), 3))
                y.append(value)
                text.append(f"grade {grade}: {value:g} {marked.unit}")
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": x,
                "y": y,
                "text": text,
                "marker": {
                    "symbol": "diamond" if ill else "circle-open",
                    "size": 8 if ill else 7.5,
                    "color": _ILL if ill else _WELL,
                    "opacity": 0.85,
                },
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": [-0.5, _GRADES - 0.5],
            "y": [line, line],
            "line": {"color": SERIES[0], "width": 2.5, "dash": "dash"},
            "hoverinfo": "skip",
        }
    )
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": [marked.split - 0.5] * 2,
            "y": [low, high],
            "line": {"color": MUTED, "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        }
    )
    powers = [
        10**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    ]
    layout = {
        "margin": STRIP_MARGINS,
        "xaxis": axis(
            range=[-0.5, _GRADES - 0.5],
            tickvals=list(range(_GRADES)),
            showgrid=False,
            title=_title("Highest ASTCT grade of the patient"),
        ),
        "yaxis": axis(
            type="log",
            range=[math.log10(low), math.log10(high)],
            tickvals=powers,
            ticktext=[f"{power:,g}".replace(",", "\u202f") for power in powers],
        ),
        "annotations": [
            _note(f"<b>{SYNTHETIC}</b>  Peak {marked.name}, {marked.unit}", 22, INK),
            _note(
                f"<span style='color:{_ILL}'>◆ grade {marked.split} or more</span> · ○ less · "
                f"<span style='color:{SERIES[0]}'>dashed: threshold</span>",
                4,
                MUTED,
            ),
        ],
    }
    by_grade = "; ".join(
        f"grade {grade}, {len(found)} patients, median {_median(found):.3g}"
        for grade in range(_GRADES)
        if (found := [v for v, g in zip(marked.values, marked.grades, strict=True) if g == grade])
    )
    alt = (
        f"{SYNTHETIC} cohort. Highest {marked.name} of each patient in {marked.unit}, by highest "
        f"grade: {by_grade}. The threshold lies at {marked.threshold:g} {marked.unit}."
    )
    return Picture(tuple(traces), layout, alt, height=HEIGHT)


def roc_picture(marked: Marked, curve: RocCurve, area: float, table: Confusion) -> Picture:
    """Draw the ROC curve, and the threshold's place on it.

    Parameters
    ----------
    marked : Marked
    curve : RocCurve
    area : float
        Under it.
    table : Confusion
        At the threshold.

    Returns
    -------
    Picture
    """
    sensitivity, specificity = table.sensitivity or 0.0, table.specificity or 0.0
    x = [round(100 * (1 - share), 3) for share in curve.specificity]
    y = [round(100 * share, 3) for share in curve.sensitivity]
    traces: tuple[Mapping[str, Any], ...] = (
        {
            "type": "scatter",
            "mode": "lines",
            "x": [0, 100],
            "y": [0, 100],
            "line": {"color": OUTLINE, "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": y,
            "line": {"color": INK, "width": 2.2, "shape": "linear"},
            "hovertemplate": "false alarms %{x:.0f} %, sensitivity %{y:.0f} %<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [100 * (1 - specificity)],
            "y": [100 * sensitivity],
            "marker": {
                "size": 14,
                "color": SERIES[0],
                "line": {"color": "#ffffff", "width": 2},
            },
            "cliponaxis": False,
            "hoverinfo": "skip",
        },
    )
    layout = {
        "margin": {"l": 58, "r": 18, "t": 50, "b": 52},
        "xaxis": axis(
            range=[0, 100], dtick=25, ticksuffix=" %", title=_title("False alarms: 1 − specificity")
        ),
        "yaxis": axis(range=[0, 102], dtick=25, ticksuffix=" %"),
        "annotations": [
            _note(f"<b>{SYNTHETIC}</b>  Sensitivity; AUROC {area:.2f}", 22, INK),
            _note("● the threshold · dotted: a coin toss", 4, MUTED),
        ],
    }
    alt = (
        f"{SYNTHETIC} cohort. ROC curve of peak {marked.name} for grade {marked.split} or more: "
        f"the area under it is {area:.2f}. At {marked.threshold:g} {marked.unit} sensitivity is "
        f"{100 * sensitivity:.0f} % and specificity {100 * specificity:.0f} %."
    )
    return Picture(traces, layout, alt, height=HEIGHT)


def confusion_html(
    marked: Marked,
    table: Confusion,
    at_home: PredictiveValues,
    elsewhere: PredictiveValues,
    prevalence: float,
) -> str:
    """Write the four counts, and what results mean at two prevalences.

    Parameters
    ----------
    marked : Marked
    table : Confusion
    at_home, elsewhere : PredictiveValues
        In the cohort, and where the condition is as frequent as the learner says.
    prevalence : float
        From 0 to 1: what the learner says.

    Returns
    -------
    str
    """
    ill, well = f"Grade {marked.split} or more", f"Below grade {marked.split}"
    threshold = f"{marked.threshold:g} {escape(marked.unit)}"
    cohort = table.prevalence or 0.0

    def row(head: str, cells: Sequence[str]) -> str:
        return (
            f"<tr><th scope='row'>{head}</th>" + "".join(f"<td>{cell}</td>" for cell in cells)
        ) + "</tr>"

    return (
        "<div style='display:flex;flex-wrap:wrap;gap:4px 32px'>"
        "<div style='flex:1 1 300px;min-width:0'>"
        f"<table class='crs-table'><caption>{SYNTHETIC} patients at this threshold</caption>"
        f"<thead><tr><th scope='col'>Peak {escape(marked.name)}</th><th scope='col'>{ill}</th>"
        f"<th scope='col'>{well}</th></tr></thead><tbody>"
        + row(
            f"≥ {threshold}",
            (f"{table.true_positives} found", f"{table.false_positives} false alarms"),
        )
        + row(
            f"&lt; {threshold}",
            (f"{table.false_negatives} missed", f"{table.true_negatives} left alone"),
        )
        + row(
            "Share sorted rightly",
            (
                f"{percent(table.sensitivity)} sensitivity",
                f"{percent(table.specificity)} specificity",
            ),
        )
        + "</tbody></table></div><div style='flex:1 1 300px;min-width:0'>"
        "<table class='crs-table'><caption>What a result means</caption><thead><tr>"
        f"<th scope='col'>Prevalence of grade {marked.split} or more</th>"
        "<th scope='col'>Positive predictive value</th>"
        "<th scope='col'>Negative predictive value</th></tr></thead><tbody>"
        + row(
            f"{percent(cohort)}, this cohort",
            (percent(at_home.positive), percent(at_home.negative)),
        )
        + row(
            f"{percent(prevalence)}, as you set it",
            (percent(elsewhere.positive), percent(elsewhere.negative)),
        )
        + "</tbody></table></div></div>"
    )


def percent(share: float | None) -> str:
    """Write a share in percent.

    Parameters
    ----------
    share : float or None
        From 0 to 1; None where it cannot be said.

    Returns
    -------
    str
    """
    return "no such result" if share is None else f"{100 * share:.0f} %"


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "standoff": 8, "font": {"size": 13, "color": INK}}


def _note(text: str, above: int, color: str) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "xshift": -50,
        "yshift": above,
        "showarrow": False,
        "font": {"size": 12, "color": color},
    }
