"""The explorer of binding: which complexes IL-6 forms, without a drug and with it."""

from typing import cast

from crs.explorers.base import Explorer, segments, slider_with_field, toggle
from crs.figures.occupancy import (
    drug_words,
    il6_picture,
    percent_words,
    receptor_picture,
    signal_picture,
)
from crs.models.il6 import (
    MEASURED_MOSTLY_FREE,
    BindingDrug,
    OccupancyQuestion,
    OccupancyResult,
    run_occupancy,
)


class ReceptorOccupancy(Explorer):
    """IL-6, its receptors and one of two antibodies; then who holds whom, and what signals."""

    def __init__(self) -> None:
        super().__init__(
            "Who holds whom",
            {
                "il6_pg_ml": slider_with_field(
                    "IL-6", 1, 9999, 1, 1000, "pg/mL", "All of it, free or held"
                ),
                "soluble_receptor_ng_ml": slider_with_field(
                    "Soluble receptor", 0, 200, 1, 50, "ng/mL", "Adults: about 25 to 75 †"
                ),
                "soluble_gp130_ng_ml": slider_with_field(
                    "Soluble gp130", 0, 800, 5, 250, "ng/mL", "Adults: about 100 to 400 †"
                ),
                "drug": segments(
                    "Drug",
                    {"tocilizumab": "Tocilizumab", "siltuximab": "Siltuximab"},
                    "tocilizumab",
                ),
                "drug_ug_ml": slider_with_field(
                    "Level of the drug", 0, 300, 0.1, 100, "µg/mL", "† recalled"
                ),
                "membrane_receptor": toggle("The cells carry the IL-6 receptor", True),
            },
            css_class="crs-receptor-occupancy",
        )
        self._il6 = self.picture()
        self._receptor = self.picture()
        self._signal = self.picture()
        self.compose(self._il6, self._receptor, self._signal)

    def update(self) -> None:
        """Show the three pairs of bars, and say what the drug changes."""
        result = run_occupancy(
            OccupancyQuestion(
                float(self.controls["il6_pg_ml"].value),
                float(self.controls["soluble_receptor_ng_ml"].value),
                float(self.controls["soluble_gp130_ng_ml"].value),
                cast("BindingDrug", self.controls["drug"].value),
                float(self.controls["drug_ug_ml"].value),
                bool(self.controls["membrane_receptor"].value),
            )
        )
        self._il6.show(il6_picture(result))
        self._receptor.show(receptor_picture(result))
        self._signal.show(signal_picture(result))
        self.say(" ".join(_sentences(result)))


def _sentences(result: OccupancyResult) -> list[str]:
    asked, without, treated = result.asked, result.without, result.treated
    found = [
        f"Without a drug {percent_words(without.il6_share('il6'))} of the IL-6 is free, soluble "
        f"gp130 buffers {percent_words(without.il6_share('buffered'))}, and "
        f"{percent_words(without.il6_share('classic', 'trans'))} signals: "
        f"{percent_words(without.il6_share('classic'))} classic, "
        f"{percent_words(without.il6_share('trans'))} trans."
    ]
    if without.signal == 0:
        found.append("Without any receptor nothing can signal.")
    elif asked.drug_ug_ml == 0:
        found.append(f"With no {asked.drug} in the blood nothing changes.")
    else:
        free = percent_words(treated.il6_share("il6"))
        left = percent_words(result.signal_left)
        if asked.drug == "tocilizumab":
            found.append(
                f"With {drug_words(result)}, {percent_words(treated.blocked_share)} of the "
                f"receptor carries the drug: {free} of the IL-6 is free, and the signal is {left} "
                f"of what it was. More free IL-6, less signal."
            )
        else:
            found.append(
                f"With {drug_words(result)}, the drug holds "
                f"{percent_words(treated.il6_share('il6_siltuximab'))} of the IL-6: {free} is "
                f"free, and the signal is {left} of what it was. An assay may still count all of "
                f"it."
            )
    found.append(
        f"The shares follow from affinities; {MEASURED_MOSTLY_FREE}, so trust the "
        f"direction more than the number."
    )
    return found
