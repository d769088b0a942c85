"""The SYNTHETIC cohort: one marker against the grade, and what a threshold is worth."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import pandas as pd
import traitlets

from crs.errors import InvalidInput
from crs.explorers.base import (
    Control,
    Explorer,
    choice,
    html_block,
    segments,
    side_by_side,
    slider_with_field,
    toggle,
)
from crs.figures.cohort import (
    HEIGHT,
    STRIP_MARGINS,
    Marked,
    confusion_html,
    percent,
    roc_picture,
    span_of,
    strip_picture,
)
from crs.patients.cohort import load_cohort, peaks
from crs.patients.roc import auroc, confusion_at, predictive_values, roc_curve


class _Marker:
    """A marker of the cohort, and the threshold to begin with."""

    def __init__(
        self, name: str, unit: str, lowest: float, highest: float, step: float, first: float
    ) -> None:
        self.name, self.unit = name, unit
        self.lowest, self.highest, self.step, self.first = lowest, highest, step, first


# Limits of the thresholds are those of the assays, or what a cohort comes to. The first thresholds
# are conventions; that of MCP-1 is Hay 2017's 1343.5 pg/mL (recalled), and that of C-reactive
# protein Davila 2014's 200 mg/L (recalled), both meant for other questions than this one.
_MARKERS: Mapping[str, _Marker] = {
    "il6_pg_ml": _Marker("interleukin-6", "pg/mL", 1, 1500, 1, 300),
    "ifn_gamma_pg_ml": _Marker("interferon-gamma", "pg/mL", 2, 2900, 1, 1000),
    "tnf_pg_ml": _Marker("tumor necrosis factor", "pg/mL", 1, 200, 0.5, 20),
    "il1_beta_pg_ml": _Marker("interleukin-1β", "pg/mL", 0.1, 20, 0.1, 2),
    "il10_pg_ml": _Marker("interleukin-10", "pg/mL", 1, 1500, 1, 150),
    "mcp1_pg_ml": _Marker("MCP-1", "pg/mL", 50, 10_000, 0.5, 1343.5),
    "ang2_ng_ml": _Marker("angiopoietin-2", "ng/mL", 0.5, 60, 0.1, 10),
    "crp_mg_l": _Marker("C-reactive protein", "mg/L", 1, 600, 1, 200),
    "ferritin_ug_l": _Marker("ferritin", "µg/L", 100, 100_000, 100, 3000),
}


class ThresholdHandle(anywidget.AnyWidget):
    """The threshold as a line over the first picture, to be dragged by hand."""

    _esm = Path(__file__).parent / "threshold.js"
    margins = traitlets.Dict().tag(sync=True)
    share = traitlets.Float(0.5).tag(sync=True)


class CohortView(Explorer):
    """Judge a marker in a SYNTHETIC cohort.

    Parameters
    ----------
    cohort : DataFrame, optional
        As `crs.patients.cohort.make_cohort` makes it; the one that the course ships by default.
    """

    def __init__(self, cohort: pd.DataFrame | None = None) -> None:
        self._peaks = peaks(load_cohort() if cohort is None else cohort)
        super().__init__(
            "A marker in a SYNTHETIC cohort",
            {
                "marker": choice(
                    "Marker",
                    {column: _capital(marker.name) for column, marker in _MARKERS.items()},
                    "il6_pg_ml",
                    "The highest value of each patient",
                ),
                "split": segments("To be found", {"2": "Grade ≥2", "3": "Grade ≥3"}, "3"),
                **{_threshold(column): _slider(marker) for column, marker in _MARKERS.items()},
                "prevalence": slider_with_field(
                    "Prevalence elsewhere", 1, 60, 1, 5, "%", "Where the test would be used"
                ),
                "only_crs": toggle(
                    "Only patients with CRS", True, "Those without any are easy to tell apart"
                ),
            },
            css_class="crs-cohort",
        )
        self._strip = self.picture()
        self._roc = self.picture()
        self.handle = ThresholdHandle(
            margins={**STRIP_MARGINS, "plot": HEIGHT - STRIP_MARGINS["t"] - STRIP_MARGINS["b"]}
        )
        self.handle.on_msg(self._on_handle)
        columns = widgets.Box([self._strip, self._roc], layout=side_by_side())
        self._table = html_block()
        self.compose(columns, self._table, self.handle)

    def update(self) -> None:
        """Show the patients, the curve and the counts, and say what they are worth."""
        column = str(self.controls["marker"].value)
        with self.together():  # one more display, not one for each
            for name in _MARKERS:
                self.controls[_threshold(name)].visible = name == column
        marked = self._marked(column)
        area = auroc(marked.positives, marked.negatives)
        curve = roc_curve(marked.positives, marked.negatives)
        if area is None or curve is None:
            raise InvalidInput(
                "split", f"grade {marked.split} or more", "a grade that some reach and some do not"
            )
        table = confusion_at(marked.positives, marked.negatives, marked.threshold)
        sensitivity, specificity = table.sensitivity or 0.0, table.specificity or 0.0
        prevalence = float(self.controls["prevalence"].value) / 100
        at_home = predictive_values(sensitivity, specificity, table.prevalence or 0.0)
        elsewhere = predictive_values(sensitivity, specificity, prevalence)
        span = self._span(column)
        self._strip.show(strip_picture(marked, span))
        self._roc.show(roc_picture(marked, curve, area, table))
        self._table.value = confusion_html(marked, table, at_home, elsewhere, prevalence)
        self.handle.share = _share_of(marked.threshold, span)
        self.say(
            f"SYNTHETIC. {_rule(marked)} finds {table.true_positives} of {table.ill} patients of "
            f"grade {marked.split} or more (sensitivity {percent(sensitivity)}) and alarms for "
            f"{table.false_positives} of the {table.well} others (specificity "
            f"{percent(specificity)}). {_meaning(marked, elsewhere.positive, prevalence)} The "
            f"AUROC is {area:.2f}: {_area(area, marked.split)} It says nothing about where to "
            f"put the threshold, or what a result means where grade {marked.split} is rare, so "
            "that a good AUROC by itself makes no useful test."
        )

    def _marked(self, column: str) -> Marked:
        table = self._peaks
        if self.controls["only_crs"].value:
            table = table[table["astct_grade_peak"] > 0]
        table = table.dropna(subset=[column])
        marker = _MARKERS[column]
        return Marked(
            marker.name,
            marker.unit,
            tuple(map(float, table[column])),
            tuple(map(int, table["astct_grade_peak"])),
            int(self.controls["split"].value),
            float(self.controls[_threshold(column)].value),
        )

    def _span(self, column: str) -> tuple[float, float]:
        """Return the ends of a marker's axis, which stay the same whoever is left out."""
        return span_of(tuple(map(float, self._peaks[column].dropna())))

    def _on_handle(self, widget: object, content: Any, buffers: object) -> None:
        share = content.get("share") if isinstance(content, dict) else None
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            return
        column = str(self.controls["marker"].value)
        marker = _MARKERS[column]
        low, high = self._span(column)
        value = low * (high / low) ** share
        self.controls[_threshold(column)].value = marker.step * round(value / marker.step)


def _slider(marker: _Marker) -> Control:
    return slider_with_field(
        f"Threshold of {marker.name}",
        marker.lowest,
        marker.highest,
        marker.step,
        marker.first,
        marker.unit,
        "Positive from here on; the line can be dragged too",
    )


def _threshold(column: str) -> str:
    return f"threshold_{column}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _share_of(value: float, span: tuple[float, float]) -> float:
    low, high = span
    return min(1.0, max(0.0, math.log(value / low) / math.log(high / low)))


def _rule(marked: Marked) -> str:
    return f"A peak {marked.name} of {marked.threshold:g} {marked.unit} or more"


def _meaning(marked: Marked, positive: float | None, prevalence: float) -> str:
    where = f"Where {percent(prevalence)} reach grade {marked.split}"
    if positive is None:
        return f"{where}, no test would be positive."
    return f"{where}, {percent(positive)} of the alarms would be right."


def _area(area: float, split: int) -> str:
    pair = f"of two patients, one of grade {split} or more and one not, the first has the higher"
    return f"{pair} value in {100 * area:.0f} of 100 pairs."
