"""The cascade simulator: a trigger, and the mediators that follow it."""

from typing import cast

from crs.explorers.base import Explorer, choice, segments, slider_with_field, toggle
from crs.figures.cascade import NAMES, cascade_picture, level_words, time_words
from crs.models.triggers import KINDS, MEDIATORS, Kind, Rise, Trigger, TriggeredCourse, run_trigger

# What fits each trigger: hours for a drug, days for cells that multiply first.
_WINDOWS_H: dict[Kind, dict[str, float]] = {
    "CAR T cells": {"The start": 10 * 24, "All of it": 28 * 24},
    "blinatumomab": {"The start": 48, "All of it": 14 * 24},
    "activating antibody": {"The start": 24, "All of it": 5 * 24},
}
_KIND_WORDS = {
    "CAR T cells": "CAR T cells",
    "blinatumomab": "Blinatumomab",
    "activating antibody": "Activating antibody",
}
_SHARE = "Share of own peak"


class CascadeSimulator(Explorer):
    """Three triggers, and which mediator rises first."""

    def __init__(self) -> None:
        super().__init__(
            "Cascade simulator",
            {
                "kind": choice("Trigger", _KIND_WORDS, KINDS[0]),
                "burden": slider_with_field(
                    "Target cells", 0.05, 10, 0.05, 1, "× reference", "Tumor or other target"
                ),
                "first_ug_day": slider_with_field("Rate, days 1 to 7", 0, 60, 1, 9, "µg/day"),
                "later_ug_day": slider_with_field("Rate from day 8", 0, 60, 1, 28, "µg/day"),
                "antibody_mg": slider_with_field("Dose", 0, 20, 0.1, 8, "mg"),
                "window": segments("Show", ("The start", "All of it"), "All of it"),
                "scale": segments("Scale", ("pg/mL", _SHARE), "pg/mL"),
                **{name: toggle(NAMES[name], True) for name in MEDIATORS},
            },
            groups={
                "The trigger": (
                    "kind",
                    "burden",
                    "first_ug_day",
                    "later_ug_day",
                    "antibody_mg",
                    "window",
                    "scale",
                ),
                "The mediators": MEDIATORS,
            },
            css_class="crs-cascade",
        )
        self._view = self.picture()
        self.compose(self._view)

    def update(self) -> None:
        """Show the mediators, and say which rises first and when each peaks."""
        kind = cast("Kind", self.controls["kind"].value)
        for name in ("first_ug_day", "later_ug_day"):
            self.controls[name].visible = kind == "blinatumomab"
        self.controls["antibody_mg"].visible = kind == "activating antibody"
        asked = Trigger(
            kind,
            float(self.controls["burden"].value),
            float(self.controls["first_ug_day"].value),
            float(self.controls["later_ug_day"].value),
            float(self.controls["antibody_mg"].value),
        )
        result = run_trigger(asked)
        shown = [name for name in MEDIATORS if self.controls[name].value]
        window_h = _WINDOWS_H[kind][str(self.controls["window"].value)]
        share = self.controls["scale"].value == _SHARE
        self._view.show(cascade_picture(result, shown, window_h, share))
        self.say(" ".join(_sentences(result, shown)))


def _sentences(result: TriggeredCourse, shown: list[str]) -> list[str]:
    if not shown:
        return ["No mediator is chosen. Open The mediators and choose at least one."]
    in_days = result.asked.kind == "CAR T cells"
    rises = [rise for rise in result.rises if rise.mediator in shown]
    taking_part = [(rise, rise.risen_h) for rise in rises if rise.risen_h is not None]
    silent = [NAMES[rise.mediator] for rise in rises if rise.risen_h is None]
    found = []
    if taking_part:
        named = [
            f"{NAMES[rise.mediator]} ({time_words(risen_h, in_days)})"
            for rise, risen_h in taking_part
        ]
        then = f", then {_listed(named[1:])}" if len(named) > 1 else ""
        first = "rises first" if then else "rises"
        found = [
            f"After {_given(result)}, {named[0]} {first}{then}.",
            f"Peaks: {_listed([_peak(rise, in_days) for rise, _ in taking_part])}.",
        ]
    if silent:
        where = "" if taking_part else f"After {_given(result)}: "
        found.append(
            f"{where}{_listed(silent)} never {'doubles' if len(silent) == 1 else 'double'}."
        )
    if result.il6_peaks is not None:
        before, after = result.il6_peaks
        found.append(
            f"The highest IL-6 is {level_words(before)} pg/mL before the rate changes on day 8, "
            f"and {level_words(after)} pg/mL after it."
        )
    return found


def _given(result: TriggeredCourse) -> str:
    asked = result.asked
    if asked.kind == "blinatumomab":
        return f"blinatumomab at {asked.first_ug_day:g} µg/day"
    if asked.kind == "activating antibody":
        return f"{asked.antibody_mg:g} mg of the antibody"
    return "CAR T cells"


def _peak(rise: Rise, in_days: bool) -> str:
    when = f"{'on' if in_days else 'at'} {time_words(rise.peak_h, in_days)}"
    return f"{NAMES[rise.mediator]} {level_words(rise.peak)} pg/mL {when}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
