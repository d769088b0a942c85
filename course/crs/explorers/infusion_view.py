"""The explorer of a drug that runs day and night: a rate, a step, a pause, and the level."""

import math

from crs.explorers.base import Explorer, counter, segments, slider_with_field
from crs.figures.infusion import infusion_picture
from crs.figures.levels import PublishedLevel
from crs.guidelines.dosing import blinatumomab_rate_ug_day
from crs.models.infusion import InfusionPlan, InfusionResult, run_infusion
from crs.models.parameters import load_model

_VIEWS = ("Two weeks", "The start", "The step", "The pause")
_CLOSE_VIEW_H = 30.0
# Mean steady states of the US label. Recalled.
LABEL_STEADY = (
    PublishedLevel("label, 9 µg/day †", 228.0),
    PublishedLevel("label, 28 µg/day †", 616.0),
)


class InfusionView(Explorer):
    """Blinatumomab from a pump, and the level that it makes."""

    def __init__(self) -> None:
        typical_m2 = load_model("blinatumomab").parameters["body_surface_m2"].value
        super().__init__(
            "A drug that runs day and night",
            {
                "show": segments("Show", _VIEWS, "Two weeks"),
                "first_ug_day": slider_with_field("First rate", 1, 60, 0.5, 9, "µg/day"),
                "later_ug_day": slider_with_field("Later rate", 1, 60, 0.5, 28, "µg/day"),
                "step_day": counter("Later rate from day", 1, 12, 8),
                "body_surface_m2": slider_with_field(
                    "Body surface", 0.4, 2.5, 0.004, typical_m2, "m²", f"Typical: {typical_m2:g} m²"
                ),
                "pause_day": counter("Pump stops at the start of day", 1, 12, 11),
                "pause_h": slider_with_field("Pause", 0, 48, 1, 0, "h", "0 h is no pause"),
            },
            groups={
                "The infusion": ("first_ug_day", "later_ug_day", "step_day", "body_surface_m2"),
                "A pause": ("pause_day", "pause_h"),
            },
            css_class="crs-infusion",
        )
        self._view = self.picture()
        self.compose(self._view)

    def update(self) -> None:
        """Show the level, and say where it settles and how fast."""
        plan = InfusionPlan(
            float(self.controls["first_ug_day"].value),
            float(self.controls["later_ug_day"].value),
            int(self.controls["step_day"].value),
            int(self.controls["pause_day"].value),
            float(self.controls["pause_h"].value),
            float(self.controls["body_surface_m2"].value),
        )
        result = run_infusion(plan)
        stops = "the pump stops" if plan.pause_h > 0 else f"the start of day {plan.pause_day}"
        around = {
            "Two weeks": (None, "the start"),
            "The start": (0.0, "the start"),
            "The step": (plan.step_h, "the step"),
            "The pause": (plan.pause_from_h, stops),
        }
        around_h, event = around[str(self.controls["show"].value)]
        window_h = _CLOSE_VIEW_H + (plan.pause_h if event == stops else 0)
        self._view.show(infusion_picture(result, LABEL_STEADY, around_h, window_h, event))
        self.say(" ".join(_sentences(result)))


def _sentences(result: InfusionResult) -> list[str]:
    plan = result.asked
    later = f"{plan.later_ug_day:g} µg/day settle at {result.later_steady:.0f} pg/mL"
    if plan.step_day == 1:
        found = [f"{later}, from the first day on."]
    else:
        found = [
            f"{plan.first_ug_day:g} µg/day settle at {result.first_steady:.0f} pg/mL, and from "
            f"day {plan.step_day} on {later}."
        ]
    most = blinatumomab_rate_ug_day(70.0, 1.9, cycle=1, day=8, indication="relapsed/refractory")
    if max(plan.first_ug_day, plan.later_ug_day) > most:
        found.append(f"The label's highest rate is {most:g} µg/day.")
    found.append(
        f"The half-life is {result.half_life_h:.2g} h; 90 % of a change is done after "
        f"{result.half_life_h * math.log2(10):.2g} h, whatever the rate."
    )
    if result.before_pause is not None and result.after_pause is not None:
        found.append(
            f"The pump stops at the start of day {plan.pause_day}, at "
            f"{result.before_pause:.0f} pg/mL. After {plan.pause_h:g} h the level is "
            f"{_small(result.after_pause)} pg/mL, and the pump goes on."
        )
    return found


def _small(level: float) -> str:
    if level < 0.1:
        return "below 0.1"
    return f"{level:.2g}" if level < 100 else f"{level:.0f}"
