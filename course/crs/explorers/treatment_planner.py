"""The treatment planner: one virtual patient, two plans side by side, and no treatment."""

from typing import cast

import ipywidgets as widgets

from crs.errors import InvalidInput
from crs.explorers.base import (
    Control,
    Explorer,
    choice,
    counter,
    segments,
    side_by_side,
    slider_with_field,
)
from crs.figures.planner import Compared, course_picture, given_picture
from crs.patients.planning import (
    HOURS_A_DAY,
    OtherDrug,
    Outcome,
    Plan,
    Planned,
    outcome_of,
    weight_of,
)

PLANS = ("A", "B")
# Doses and hours between them. Two of these no label allows: the explorer says so.
_TOCILIZUMAB = {
    "0": "None",
    "1": "One dose",
    "2/8": "2 doses, 8 h apart",
    "2/24": "2 doses, 24 h apart",
    "3/8": "3 doses, 8 h apart",
    "4/8": "4 doses, 8 h apart",
    "2/6": "2 doses, 6 h apart",
    "5/8": "5 doses, 8 h apart",
}
_OTHER = {
    "none": "None",
    "anakinra": "Anakinra, 3 days",
    "siltuximab": "Siltuximab, once",
    "emapalumab": "Emapalumab, 6 doses",
    "infliximab": "Infliximab, once",
}
# Later syndromes are rare, and ask for another cause.
_LAST_START_DAY = 13
_FIELDS = {
    "tocilizumab_interval_h": ("the interval of tocilizumab", "h"),
    "tocilizumab_doses": ("the number of tocilizumab doses", ""),
}


class TreatmentPlanner(Explorer):
    """Compare two plans of treatment in one virtual patient. SYNTHETIC."""

    def __init__(self) -> None:
        controls: dict[str, Control] = {
            "who": segments("Patient", {"virtual": "By number", "typical": "Typical"}, "virtual"),
            "seed": counter("Number of the virtual patient", 0, 9999, 27),
            "burden": slider_with_field(
                "Tumor burden", 0.1, 5, 0.1, 1, "× reference", "More cells to meet, more activation"
            ),
            "weight_kg": slider_with_field(
                "Body weight", 40, 140, 1, 70, "kg", "Doses by weight follow it"
            ),
            "days": segments("Draw", ("14", "28"), "14", "days", "Sums are over 28 days"),
            **_plan_controls("A", steroid_days=0),
            **_plan_controls("B", steroid_days=3),
        }
        super().__init__(
            "Treatment planner",
            controls,
            groups={
                "Patient": ("who", "seed", "burden", "weight_kg", "days"),
                **{
                    f"Plan {plan}": tuple(name for name in controls if name.startswith(f"{plan}_"))
                    for plan in PLANS
                },
            },
            css_class="crs-planner",
        )
        self._course = self.picture()
        self._given = self.picture()
        columns = widgets.Box([self._course, self._given], layout=side_by_side())
        self.compose(columns)

    def update(self) -> None:
        """Follow the patient under both plans, and compare them."""
        with self.together():  # what they hide and show is displayed once
            planned = self._patient()
            plans = [self._plan(name) for name in PLANS]
        untreated = outcome_of(planned)
        outcomes: list[Outcome | None] = []
        refusals: list[InvalidInput] = []
        for name, plan in zip(PLANS, plans, strict=True):
            try:
                outcomes.append(outcome_of(planned, plan))
            except InvalidInput as error:
                outcomes.append(None)
                refusals.append(_refusal(name, error))
        compared = Compared(
            untreated,
            (outcomes[0], outcomes[1]),
            (plans[0].other, plans[1].other),
            int(self.controls["days"].value),
        )
        self._course.show(course_picture(compared))
        self._given.show(given_picture(compared))
        if refusals:
            raise refusals[0]
        first, second = (outcome for outcome in outcomes if outcome is not None)
        self.say(
            " ".join(
                [
                    _about(planned, untreated),
                    *(
                        _about_plan(name, plan, outcome, untreated)
                        for name, plan, outcome in zip(PLANS, plans, (first, second), strict=True)
                    ),
                    _comparison(first, second),
                    *([_NO_RANKING] if any(plan.other != "none" for plan in plans) else []),
                ]
            )
        )

    def _patient(self) -> Planned:
        virtual = self.controls["who"].value == "virtual"
        self.controls["seed"].visible = virtual
        # A virtual patient has a weight of its own.
        self.controls["weight_kg"].visible = not virtual
        burden = float(self.controls["burden"].value)
        if virtual:
            return Planned(int(self.controls["seed"].value), burden)
        return Planned(None, burden, float(self.controls["weight_kg"].value))

    def _plan(self, name: str) -> Plan:
        def number(key: str) -> float:
            return float(self.controls[f"{name}_{key}"].value)

        count, _, interval = str(self.controls[f"{name}_tocilizumab"].value).partition("/")
        other = cast("OtherDrug", self.controls[f"{name}_other"].value)
        days = number("dexamethasone_days")
        self.controls[f"{name}_tocilizumab_day"].visible = count != "0"
        self.controls[f"{name}_dexamethasone_day"].visible = days > 0
        self.controls[f"{name}_other_day"].visible = other != "none"
        # What is not given has no time, so that equal plans are one question.
        return Plan(
            tocilizumab_doses=int(count),
            tocilizumab_h=HOURS_A_DAY * number("tocilizumab_day") if count != "0" else 0.0,
            tocilizumab_interval_h=float(interval or 8),
            dexamethasone_days=days,
            dexamethasone_h=HOURS_A_DAY * number("dexamethasone_day") if days else 0.0,
            other=other,
            other_h=HOURS_A_DAY * number("other_day") if other != "none" else 0.0,
        )


_NO_RANKING = (
    "How strongly a third drug acts is a convention of this model, so it cannot say which drug is "
    "better."
)


def _plan_controls(plan: str, *, steroid_days: int) -> dict[str, Control]:
    def day(label: str) -> Control:
        return slider_with_field(label, 0, _LAST_START_DAY, 0.25, 8, "day")

    return {
        f"{plan}_tocilizumab": choice(
            f"Tocilizumab, plan {plan}", _TOCILIZUMAB, "1", "Each dose by the label"
        ),
        f"{plan}_tocilizumab_day": day(f"First tocilizumab, plan {plan}"),
        f"{plan}_dexamethasone_days": counter(
            f"Dexamethasone, plan {plan}", 0, 7, steroid_days, "days", "10 mg every 6 h"
        ),
        f"{plan}_dexamethasone_day": day(f"Dexamethasone from, plan {plan}"),
        f"{plan}_other": choice(f"Third drug, plan {plan}", _OTHER, "none", "Off-label"),
        f"{plan}_other_day": day(f"Third drug from, plan {plan}"),
    }


def _refusal(plan: str, error: InvalidInput) -> InvalidInput:
    """Say which plan cannot be carried out, in words."""
    words, unit = _FIELDS.get(error.field, (error.field, ""))
    value = f"{error.value:g}" if isinstance(error.value, int | float) else str(error.value)
    return InvalidInput(
        f"Plan {plan} cannot be carried out: {words}", f"{value} {unit}".strip(), error.allowed
    )


def _about(planned: Planned, untreated: Outcome) -> str:
    who = "The typical patient" if planned.seed is None else f"Virtual patient {planned.seed}"
    febrile = untreated.grades > 0
    onset = (
        f"fever begins on day {untreated.times_h[febrile][0] / HOURS_A_DAY:.1f}"
        if febrile.any()
        else "there is no fever"
    )
    return f"{who}, {weight_of(planned):g} kg. Without treatment {onset}: {_course(untreated)}."


def _about_plan(name: str, plan: Plan, outcome: Outcome, untreated: Outcome) -> str:
    cells = 100 * outcome.car_t_area / untreated.car_t_area
    return (
        f"Plan {name}, {_given(plan)}: {_course(outcome)}, and the area under the CAR T cells is "
        f"{cells:.0f} % of that without treatment."
    )


def _course(outcome: Outcome) -> str:
    return (
        f"{outcome.severe_h:g} h at grade 3 or more, {outcome.fever_h:g} h of fever, CRP up to "
        f"{outcome.peak_crp_mg_l:.0f} mg/L"
    )


def _given(plan: Plan) -> str:
    parts = []
    if plan.tocilizumab_doses:
        doses = plan.tocilizumab_doses
        times = "once" if doses == 1 else f"{doses} times"
        parts.append(f"tocilizumab {times} from day {plan.tocilizumab_h / HOURS_A_DAY:g}")
    if plan.dexamethasone_days:
        parts.append(
            f"dexamethasone for {plan.dexamethasone_days:g} days from day "
            f"{plan.dexamethasone_h / HOURS_A_DAY:g}"
        )
    if plan.other != "none":
        parts.append(f"{plan.other} from day {plan.other_h / HOURS_A_DAY:g}")
    return " and ".join(parts) or "nothing"


def _comparison(first: Outcome, second: Outcome) -> str:
    """Say which plan has less of what is feared, and which leaves more of what is wanted."""
    if first.severe_h != second.severe_h:
        better, unit = ("A", "time at grade 3 or more")
        if second.severe_h < first.severe_h:
            better = "B"
    elif first.fever_h != second.fever_h:
        better, unit = ("A", "fever")
        if second.fever_h < first.fever_h:
            better = "B"
    else:
        better, unit = "", ""
    more_cells = first.car_t_area / second.car_t_area
    cells = (
        ""
        if abs(more_cells - 1) < 0.02
        else f"plan {'A' if more_cells > 1 else 'B'} leaves more CAR T cells (what drugs cost "
        "them is a convention here; a study saw no effect of steroids)"
    )
    if not better:
        found = "Neither plan has less severe syndrome or less fever"
        return f"{found}; {cells}." if cells else f"{found} than the other."
    found = f"Plan {better} has less {unit}"
    return f"{found}; {cells}." if cells else f"{found}, with as many CAR T cells."
