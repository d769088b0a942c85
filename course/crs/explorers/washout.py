"""The explorer of stopping: what is left of a drug, and of CAR T cells."""

import math

from crs.explorers.base import Explorer, segments, slider_with_field
from crs.figures.washout import share_words, washout_picture
from crs.models.washout import Washout, blinatumomab_half_life_h, cell_parameters, washout

HORIZONS_H = {"2 days": 48.0, "2 weeks": 336.0}


class WashoutView(Explorer):
    """A decision to stop, for a drug with a half-life and for CAR T cells."""

    def __init__(self) -> None:
        peak_day = cell_parameters()["peak_day"].value
        super().__init__(
            "Stop, and wait",
            {
                "half_life_h": slider_with_field(
                    "Half-life of the drug",
                    0.5,
                    240,
                    0.1,
                    round(blinatumomab_half_life_h(), 1),
                    "h",
                    "1.9 h is blinatumomab",
                ),
                "decision_day": slider_with_field(
                    "Decided on day",
                    1,
                    28,
                    0.1,
                    peak_day,
                    "after the cells",
                    f"They peak on day {peak_day:g}",
                ),
                "hours": slider_with_field("Time since the decision", 0, 336, 1, 12, "h"),
                "horizon": segments("Show", tuple(HORIZONS_H), "2 days"),
            },
            css_class="crs-washout",
        )
        self._view = self.picture()
        self.compose(self._view)

    def update(self) -> None:
        """Show both courses, and say what is left of each."""
        half_life_h = float(self.controls["half_life_h"].value)
        hours = float(self.controls["hours"].value)
        horizon_h = HORIZONS_H[str(self.controls["horizon"].value)]
        # An hour beyond the view widens the view: no setting leaves the picture empty.
        result = washout(
            Washout(
                half_life_h,
                float(self.controls["decision_day"].value),
                hours,
                max(horizon_h, 24 * math.ceil(hours / 24)),
            )
        )
        typical = math.isclose(half_life_h, round(blinatumomab_half_life_h(), 1))
        drug = "Blinatumomab" if typical else "Drug"
        self._view.show(washout_picture(result, drug))
        the_drug = "blinatumomab" if typical else "the drug"
        cells = share_words(result.cells_now)
        if result.cells_now > 1.005:
            many = cells if result.cells_now >= 2 else f"{result.cells_now:.1f} times"
            course = f"CAR T cells have grown to {many} their number at the decision"
        else:
            course = f"of CAR T cells {cells} are left"
        self.say(
            f"{hours:g} h after the decision, {share_words(result.drug_now)} of {the_drug} is "
            f"left, with a half-life of {half_life_h:g} h; {course}. "
            f"{the_drug.capitalize()} falls below 1 % after "
            f"{half_life_h * math.log2(100):.0f} h."
        )
