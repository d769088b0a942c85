"""The explorer of removal: how fast C-reactive protein can fall, and what an exchange takes out."""

from crs.explorers.base import Explorer, slider_with_field
from crs.figures.removal import crp_picture, exchange_picture
from crs.models.removal import CRP_HALF_LIFE, crp_after_blockade_mg_l, fraction_removed

_HORIZON_H = 72
_MOST_EXCHANGED_L = 12.0


class RemovalView(Explorer):
    """Two kinds of removal: a half-life, and a pump that exchanges plasma."""

    def __init__(self) -> None:
        super().__init__(
            "What leaves the blood, and how fast",
            {
                "crp0_mg_l": slider_with_field("CRP at the blockade", 10, 400, 1, 180, "mg/L"),
                "baseline_mg_l": slider_with_field("CRP to which it returns", 0, 20, 1, 0, "mg/L"),
                "hours": slider_with_field("Time since the blockade", 0, _HORIZON_H, 1, 8, "h"),
                "exchanged_l": slider_with_field(
                    "Plasma exchanged", 0, _MOST_EXCHANGED_L, 0.1, 3, "L"
                ),
                "plasma_l": slider_with_field("Plasma in the body", 1, 6, 0.1, 3, "L"),
            },
            groups={
                "C-reactive protein": ("crp0_mg_l", "baseline_mg_l", "hours"),
                "Plasma exchange": ("exchanged_l", "plasma_l"),
            },
            css_class="crs-removal",
        )
        self._crp = self.picture()
        self._exchange = self.picture()
        self.compose(self._crp, self._exchange)

    def update(self) -> None:
        """Show both courses, and say what is left and what is taken."""
        start = float(self.controls["crp0_mg_l"].value)
        rest = min(start, float(self.controls["baseline_mg_l"].value))
        now_h = float(self.controls["hours"].value)
        hours = [float(hour) for hour in range(_HORIZON_H + 1)]
        course = [float(value) for value in crp_after_blockade_mg_l(hours, start, rest)]
        now = float(crp_after_blockade_mg_l([now_h], start, rest)[0])
        self._crp.show(crp_picture(hours, course, now_h, now))
        exchanged = float(self.controls["exchanged_l"].value)
        plasma = float(self.controls["plasma_l"].value)
        volumes = [_MOST_EXCHANGED_L * step / 60 for step in range(61)]
        removed = [fraction_removed(volume, plasma) for volume in volumes]
        share = fraction_removed(exchanged, plasma)
        self._exchange.show(exchange_picture(volumes, removed, plasma, exchanged, share))
        self.say(
            f"{now_h:g} h after the blockade CRP can have fallen from {start:g} to {now:.0f} mg/L "
            f"at the fastest, with a half-life of {CRP_HALF_LIFE.value:g} h. An exchange of "
            f"{exchanged:g} L with {plasma:g} L of plasma in the body removes {_percent(share)} % "
            f"of what stays in plasma, if nothing is made meanwhile."
        )


def _percent(share: float) -> str:
    if share > 0.9995:
        return "more than 99.9"
    return f"{100 * share:.1f}" if share > 0.99 else f"{100 * share:.0f}"
