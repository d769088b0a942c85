"""The explorer of the paradox: why IL-6 rises under tocilizumab while its signal and CRP fall."""

from typing import cast

from crs.explorers.base import Explorer, choice, counter, segments, slider_with_field
from crs.figures.occupancy import percent_words
from crs.figures.paradox import course_picture, steps_picture
from crs.guidelines import guideline
from crs.guidelines.dosing import siltuximab_dose_mg, tocilizumab_dose_mg
from crs.models.il6 import (
    Blockade,
    ParadoxQuestion,
    ParadoxResult,
    blockade_steps,
    il6_steady_pg_ml,
    run_paradox,
    stat3_steady,
)

HORIZONS_D = {"4 days": 4.0, "2 weeks": 14.0, "8 weeks": 56.0}
WEIGHT_KG = 70.0
_NO_FAILURE = (
    "A rising IL-6 after tocilizumab is no failure of the drug and no reason for another dose."
)


class TocilizumabParadox(Explorer):
    """IL-6 that is made and cleared; receptors blocked by hand or by a drug; then the course."""

    def __init__(self) -> None:
        most = int(guideline("tocilizumab-crs").constants["max_doses"].value)
        super().__init__(
            "The tocilizumab paradox",
            {
                "blockade": choice(
                    "What is blocked",
                    {
                        "none": "Nothing",
                        "by hand": "Receptors, by hand",
                        "tocilizumab": "Receptors, by tocilizumab",
                        "siltuximab": "IL-6, by siltuximab",
                    },
                    "tocilizumab",
                ),
                "blocked_percent": slider_with_field("Receptors blocked", 0, 100, 0.1, 50, "%"),
                "doses": counter("Doses", 1, most, 1),
                "production_pg_ml_h": slider_with_field(
                    "IL-6 made", 5, 5000, 5, 700, "pg/mL/h", "Per mL of plasma"
                ),
                "half_life_h": slider_with_field(
                    "Half-life of IL-6", 0.3, 4, 0.1, 1, "h", "Before the drug; not known well"
                ),
                "receptor_percent": slider_with_field(
                    "Cleared by receptors", 0, 95, 1, 70, "%", "The rest by kidney and the like"
                ),
                "horizon": segments("Show", tuple(HORIZONS_D), "2 weeks"),
            },
            css_class="crs-tocilizumab-paradox",
        )
        self._course = self.picture()
        self._steps = self.picture()
        self.compose(self._course, self._steps)

    def update(self) -> None:
        """Show the course and the steps, and say what rises, what falls, and what it means."""
        blockade = cast("Blockade", self.controls["blockade"].value)
        self.controls["blocked_percent"].visible = blockade == "by hand"
        self.controls["doses"].visible = blockade == "tocilizumab"
        asked = ParadoxQuestion(
            float(self.controls["production_pg_ml_h"].value),
            float(self.controls["half_life_h"].value),
            float(self.controls["receptor_percent"].value) / 100,
            blockade,
            float(self.controls["blocked_percent"].value) / 100,
            _dose_mg(blockade),
            int(self.controls["doses"].value) if blockade == "tocilizumab" else 1,
            guideline("tocilizumab-crs").constants["min_interval_h"].value,
            HORIZONS_D[str(self.controls["horizon"].value)],
        )
        result = run_paradox(asked)
        self._course.show(course_picture(result))
        turnover = (asked.production_pg_ml_h, asked.half_life_h, asked.receptor_share)
        blocked = result.blocked[result.day_after]
        settled = il6_steady_pg_ml(*turnover, blocked)
        steps = blockade_steps(*turnover)
        self._steps.show(steps_picture(steps, blocked, settled, stat3_steady(settled, blocked)))
        self.say(" ".join(_sentences(result)))


def _dose_mg(blockade: Blockade) -> float:
    if blockade == "tocilizumab":
        return tocilizumab_dose_mg(WEIGHT_KG)
    return siltuximab_dose_mg(WEIGHT_KG) if blockade == "siltuximab" else 0.0


def _sentences(result: ParadoxResult) -> list[str]:
    asked, at = result.asked, result.day_after
    before, after = result.before_pg_ml, result.il6_free_pg_ml[at]
    if asked.blockade == "none":
        return [
            f"Nothing is blocked: as much IL-6 is cleared as made, and it stays at "
            f"{_level(before)} pg/mL, the signal at {percent_words(result.before_stat3)}, CRP at "
            f"{result.before_crp_mg_l:.0f} mg/L."
        ]
    signal = (
        f"the signal goes from {percent_words(result.before_stat3)} to "
        f"{percent_words(result.stat3[at])}"
    )
    crp = f"CRP from {result.before_crp_mg_l:.0f} to {result.crp_mg_l[at]:.0f} mg/L"
    if asked.blockade == "siltuximab":
        return [
            f"A day after {asked.dose_mg:.0f} mg of siltuximab ({WEIGHT_KG:g} kg) free IL-6 has "
            f"gone from {_level(before)} to {_level(after)} pg/mL; {signal}, {crp}.",
            f"All IL-6, with what the drug holds, is {_level(result.il6_total_pg_ml[at])} pg/mL "
            f"and rises on: the antibody carries it for weeks. An assay that counts it says "
            f"nothing about the signal.",
        ]
    blocked = percent_words(result.blocked[at])
    change = _change_words(before, after)
    if asked.blockade == "by hand":
        return [
            f"A day after {blocked} of the receptors were blocked, IL-6 {change}; {signal}, {crp}.",
            "What receptors no longer clear stays in the blood, and what they no longer see "
            "gives no signal.",
        ]
    doses = len(result.starts_d)
    given = "one dose" if doses == 1 else f"the last of {doses} doses"
    found = [
        f"A day after {given} of {asked.dose_mg:.0f} mg of tocilizumab ({WEIGHT_KG:g} kg), "
        f"{blocked} of the receptors are blocked. IL-6 {change}; {signal}, {crp}.",
        _NO_FAILURE,
    ]
    if doses > 1:
        found.append(
            "One dose already blocks nearly all receptors; the others add days, not depth."
        )
    return found


def _change_words(before: float, after: float) -> str:
    if abs(after - before) <= 0.01 * before:
        return f"stays at {_level(before)} pg/mL, as receptors clear hardly any of it"
    times = f", {after / before:.2g} times as much" if after > before else ""
    return f"goes from {_level(before)} to {_level(after)} pg/mL{times}"


def _level(pg_ml: float) -> str:
    if pg_ml < 0.01:
        return "below 0.01"
    return f"{pg_ml:,.0f}" if pg_ml >= 100 else f"{pg_ml:.2g}"
