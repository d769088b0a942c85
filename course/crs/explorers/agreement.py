"""The explorer of agreement: 59 real patients graded on two scales."""

from crs.exercises.tables import lee_against_astct
from crs.explorers.base import Explorer, toggle
from crs.figures.agreement import Agreement, agreement_picture

# Unweighted and quadratic kappa of the table, with and without the patients that have no CRS.
# Written out, since to calculate them is an exercise; a test calculates them again.
KAPPA = {False: (0.663, 0.871), True: (0.578, 0.802)}


def both_scales() -> Agreement:
    """Return how many of the 59 patients had each pair of grades."""
    table = lee_against_astct()
    return Agreement(
        str(table.index.name),
        str(table.columns.name),
        tuple(tuple(int(count) for count in row) for row in table.to_numpy()),
    )


class AgreementView(Explorer):
    """Agreement of Lee 2014 and ASTCT 2019, with or without the patients who had no CRS."""

    def __init__(self) -> None:
        super().__init__(
            "Two scales, 59 patients",
            {"without_zero": toggle("Leave out the patients without CRS on either scale")},
            css_class="crs-agreement",
        )
        self._all = both_scales()
        self._darkest = max(max(row) for row in self._all.counts)
        self._view = self.picture()
        self.compose(self._view)

    def update(self) -> None:
        """Show the counts that are asked for, and say what they mean."""
        without_zero = bool(self.controls["without_zero"].value)
        shown = self._all.without_zero() if without_zero else self._all
        self._view.show(agreement_picture(shown, self._darkest))
        kappa, weighted = KAPPA[without_zero]
        left_out = self._all.patients - shown.patients
        whom = f" ({left_out} without CRS are left out)" if left_out else ""
        self.say(
            f"Of {shown.patients} patients{whom}, {shown.same} have the same grade on both "
            f"scales, which is {100 * shown.same / shown.patients:.0f} %. Kappa is {kappa:.2f}, "
            f"with quadratic weights {weighted:.2f}. {shown.columns} grades "
            f"{shown.columns_higher} patients higher, {shown.rows} {shown.rows_higher}."
        )
