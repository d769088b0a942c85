"""The management desk: a patient in, the actions of the decision table out, with reasons."""

from html import escape

from crs.explorers.base import (
    Explorer,
    Value,
    counter,
    html_block,
    segments,
    slider_with_field,
    toggle,
)
from crs.guidelines.conditions import Comparison, Facts, comparisons
from crs.guidelines.dosing import management_facts, tocilizumab_timing
from crs.guidelines.engine import Match, actions, check_facts
from crs.guidelines.loader import guideline
from crs.guidelines.schema import Row
from crs.guidelines.tables import STATUS_WORDS

_TABLE = "management-asco-2021"
_TOCILIZUMAB = "tocilizumab"
_SPACING_H = 8.0
# No row of the table asks for the product; it names it because the guideline does.
_PRODUCT = "tisa-cel"


class ManagementDesk(Explorer):
    """What the simplified ASCO table asks for, in order, with the row that asks.

    Parameters
    ----------
    **start : bool, int or float
        Where controls start, by name, such as ``crs_grade=0, icans_grade=2``.
    """

    def __init__(self, **start: Value) -> None:
        grades = tuple("01234")
        super().__init__(
            "What next?",
            {
                "crs_grade": segments("CRS grade", grades, "2", "by ASTCT 2019"),
                "icans_grade": segments("ICANS grade", grades, "0", "by ASTCT 2019"),
                "temp_c": slider_with_field("Temperature", 35, 42, 0.1, 38.9, "°C"),
                "fever_days": slider_with_field("Fever has lasted", 0, 10, 0.5, 1, "days"),
                "anc_10e9_l": slider_with_field("Neutrophils", 0, 8, 0.1, 0.1, "×10⁹/L"),
                "infection_suspected": toggle("An infection is suspected"),
                "hypotension": toggle("Blood pressure is still too low", value=True),
                "fluid_boluses": counter("Fluid boluses so far", 0, 6, 2),
                "improving": toggle("Improving since the last tocilizumab, or since onset"),
                "tocilizumab_doses": counter("Tocilizumab doses so far", 0, 4, 0),
                "hours_since_last": slider_with_field(
                    "Hours since the last dose", 0, 48, 1, 8, "h", "Earlier doses: 8 h apart"
                ),
                "steroids_running": toggle("Corticosteroids are running"),
            },
            groups={
                "Fever and infection": (
                    "temp_c",
                    "fever_days",
                    "anc_10e9_l",
                    "infection_suspected",
                ),
                "Pressure and course": ("hypotension", "fluid_boluses", "improving"),
                "Given so far": ("tocilizumab_doses", "hours_since_last", "steroids_running"),
            },
            css_class="crs-management",
        )
        self._list = html_block("crs-actions")
        for name, value in start.items():
            control = self.controls[name]
            control.value = str(value) if control.kind == "segments" else value
            control.default = control.value
        self.panel.specs = [control.spec(name) for name, control in self.controls.items()]
        self.compose(self._list)

    def state(self) -> dict[str, object]:
        """Return the patient as `crs.guidelines.dosing.recommend` asks for it."""
        values = self.values()
        doses = int(values["tocilizumab_doses"])
        last = float(values["hours_since_last"])
        now = last + _SPACING_H * max(0, doses - 1)
        return {
            "product": _PRODUCT,
            "crs_grade": int(values["crs_grade"]),
            "icans_grade": int(values["icans_grade"]),
            "fever_days": values["fever_days"],
            "temp_c": values["temp_c"],
            "anc_10e9_l": values["anc_10e9_l"],
            "infection_suspected": values["infection_suspected"],
            "hypotension": values["hypotension"],
            "fluid_boluses": values["fluid_boluses"],
            "improving": values["improving"],
            "steroids_running": values["steroids_running"],
            "now_h": now,
            "tocilizumab_given_h": [_SPACING_H * dose for dose in range(doses)],
        }

    def update(self) -> None:
        """Show the actions in order, and say which comes first and whether tocilizumab is one."""
        self.controls["hours_since_last"].visible = self.controls["tocilizumab_doses"].value > 0
        state = self.state()
        table = guideline(_TABLE)
        facts = management_facts(state)
        found = actions(table, facts)
        self._list.value = _actions_html(found)
        self.say(_summary(found) + " " + self._about_tocilizumab(found, facts, state))

    def _about_tocilizumab(
        self, found: tuple[Match, ...], facts: dict[str, object], state: dict[str, object]
    ) -> str:
        for match in found:
            if match.row.gives["action"] == _TOCILIZUMAB:
                return f"Tocilizumab is among them: {_because(match.row)}."
        if not facts["tocilizumab_timing_ok"]:
            given = [float(hour) for hour in state["tocilizumab_given_h"]]  # type: ignore[attr-defined]
            verdict = tocilizumab_timing(float(str(state["now_h"])), given)
            return "Tocilizumab is not among them. " + verdict.reason
        checked = check_facts(guideline(_TABLE), facts)
        nearest = min(
            (
                [c for c in comparisons(row.when) if not c.is_met(checked)]
                for row in guideline(_TABLE).rows
                if row.gives["action"] == _TOCILIZUMAB
            ),
            key=lambda unmet: (len(unmet), sum(_distance(c, checked) for c in unmet)),
        )
        return "Tocilizumab is not among them: " + " and ".join(map(self._unmet, nearest)) + "."

    def _unmet(self, comparison: Comparison) -> str:
        control = self.controls[comparison.input]
        value = comparison.value
        if isinstance(value, bool):
            return f"not while “{control.label}” is {'off' if value else 'on'}"
        words = {">=": "at least", ">": "more than", "==": "of", "<=": "at most", "<": "less than"}
        unit = f" {control.unit}" if control.kind == "slider" else ""
        label = control.label if control.kind == "segments" else control.label.lower()
        return f"it would need {label} {words[comparison.operator]} {value:g}{unit}"


def _because(row: Row) -> str:
    return row.text.partition(", ")[2]


def _action(row: Row) -> str:
    return row.text.partition(", ")[0]


def _distance(comparison: Comparison, facts: Facts) -> float:
    """Say how far a fact is from meeting a comparison, so that the nearest rule can be named."""
    if isinstance(comparison.value, bool):
        return 0.0
    return abs(float(facts[comparison.input]) - float(str(comparison.value)))


def _summary(found: tuple[Match, ...]) -> str:
    if not found:
        return "The table asks for nothing: no CRS, no ICANS, and no sign of infection was entered."
    names = [_action(match.row) for match in found]
    if len(names) == 1:
        return f"One action: {names[0]}."
    listed = ", ".join([names[0], *(name[0].lower() + name[1:] for name in names[1:])])
    return f"{len(names)} actions, in this order: {listed}."


def _actions_html(found: tuple[Match, ...]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{number}. {escape(_action(match.row))}</th>'
        f"<td>{escape(_sentence_case(_because(match.row)))}</td>"
        f"<td>{escape(STATUS_WORDS[match.row.status])}</td></tr>"
        for number, match in enumerate(found, 1)
    )
    if not found:
        rows = '<tr><td colspan="3">No action of the table applies.</td></tr>'
    return (
        '<table class="crs-table"><caption>What the table asks for, in order (ASCO 2021, '
        "simplified for teaching; not for patient care)</caption>"
        '<thead><tr><th scope="col">Action</th><th scope="col">Because of</th>'
        '<th scope="col">Status of the rule</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
