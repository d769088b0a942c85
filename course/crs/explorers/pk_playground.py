"""The pharmacokinetics playground: dose, weight, interval and number of doses; then the level."""

from typing import cast

from crs.explorers.base import Explorer, choice, counter, segments, slider_with_field
from crs.figures.levels import PublishedLevel, levels_picture
from crs.guidelines import guideline
from crs.guidelines.dosing import siltuximab_dose_mg, tocilizumab_dose_mg
from crs.models.regimen import Antibody, Regimen, run_regimen

_INTERVALS_H = {
    "8": "8 hours",
    "24": "1 day",
    "168": "1 week",
    "336": "2 weeks",
    "504": "3 weeks",
    "672": "4 weeks",
}
# Means of the US label in rheumatoid arthritis at 8 mg/kg every 4 weeks, once settled. Read in a
# copy of the label.
_LABEL = (PublishedLevel("label: mean peak", 183.0), PublishedLevel("label: mean trough", 9.74))


class PKPlayground(Explorer):
    """Doses of tocilizumab or siltuximab, and the level that they make."""

    def __init__(self) -> None:
        super().__init__(
            "Pharmacokinetics playground",
            {
                "drug": segments(
                    "Drug",
                    {"tocilizumab": "Tocilizumab", "siltuximab": "Siltuximab"},
                    "tocilizumab",
                ),
                "weight_kg": slider_with_field("Body weight", 30, 150, 1, 70, "kg"),
                "mg_per_kg": slider_with_field("Dose", 1, 16, 0.5, 8, "mg/kg"),
                "interval_h": choice("Every", _INTERVALS_H, "8", "From start to start"),
                "doses": counter("Doses", 1, 8, 1),
                "scale": segments("Scale", ("Linear", "Logarithmic"), "Linear"),
            },
            css_class="crs-pk-playground",
        )
        self._view = self.picture()
        self.compose(self._view)

    def update(self) -> None:
        """Show the level, and say what it is worth knowing."""
        drug = cast("Antibody", self.controls["drug"].value)
        weight_kg = float(self.controls["weight_kg"].value)
        mg_per_kg = float(self.controls["mg_per_kg"].value)
        interval_h = str(self.controls["interval_h"].value)
        doses = int(self.controls["doses"].value)
        dose_mg = mg_per_kg * weight_kg
        result = run_regimen(Regimen(drug, dose_mg, float(interval_h), doses))
        published = _LABEL if drug == "tocilizumab" else ()
        logarithmic = self.controls["scale"].value == "Logarithmic"
        self._view.show(levels_picture(result, published, logarithmic))
        given = "once" if doses == 1 else f"{doses} times, every {_INTERVALS_H[interval_h]}"
        sentences = [
            f"{mg_per_kg:g} mg/kg for {weight_kg:g} kg is {dose_mg:.0f} mg, given {given}.",
            f"The level peaks at {result.peak:.3g} µg/mL. Four weeks after the last dose it is "
            f"{result.four_weeks_later:.3g} µg/mL.",
        ]
        if result.before_last_dose is not None:
            sentences.append(
                f"Just before the last dose it is {result.before_last_dose:.3g} µg/mL."
            )
        if drug == "tocilizumab":
            sentences += _against_the_label(weight_kg, dose_mg, float(interval_h), doses)
        else:
            sentences += _against_cartox(weight_kg, dose_mg, float(interval_h), doses)
        self.say(" ".join(sentences))


# Long intervals are those of other diseases, where doses are not counted.
_LONGEST_OF_CRS_H = 24


def _against_the_label(
    weight_kg: float, dose_mg: float, interval_h: float, doses: int
) -> list[str]:
    """Say what the label for cytokine release syndrome would not allow."""
    limits = guideline("tocilizumab-crs").constants
    allowed_mg = tocilizumab_dose_mg(weight_kg)
    found = []
    if dose_mg > allowed_mg == limits["max_dose_mg"].value:
        found.append(f"The label allows at most {allowed_mg:g} mg in one infusion.")
    elif dose_mg > allowed_mg:
        found.append(f"The label gives {allowed_mg:g} mg for {weight_kg:g} kg.")
    if doses > limits["max_doses"].value and interval_h <= _LONGEST_OF_CRS_H:
        most = f"{limits['max_doses'].value:g}"
        found.append(f"For cytokine release syndrome the label allows at most {most} doses.")
    return found


def _against_cartox(weight_kg: float, dose_mg: float, interval_h: float, doses: int) -> list[str]:
    """Say how siltuximab is given for cytokine release syndrome."""
    once_mg = siltuximab_dose_mg(weight_kg)
    as_said = abs(dose_mg - once_mg) < 0.5 and doses == 1
    of_other_diseases = doses > 1 and interval_h > _LONGEST_OF_CRS_H
    if as_said or of_other_diseases:
        return []
    return [
        f"For cytokine release syndrome it is off-label; CARTOX gives {once_mg:.0f} mg "
        f"({once_mg / weight_kg:g} mg/kg), once."
    ]
