"""The grading comparator: one patient at the bedside, six scales side by side."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from crs.errors import InvalidInput
from crs.explorers.base import (
    Control,
    Explorer,
    choice,
    counter,
    html_block,
    segments,
    slider_with_field,
    toggle,
)
from crs.explorers.learner import Answer, ask_for_grade
from crs.figures.comparator import (
    SCALES,
    Row,
    comparator_picture,
    comparator_sentence,
    comparator_table,
    compare,
    patient_line,
    row_of,
)
from crs.guidelines import Verdict, grade, guideline
from crs.guidelines.conditions import Value
from crs.patients import Vignette, bedside, vignette, vignettes
from crs.patients.bedside import (
    CANNULAS,
    VASOPRESSORS,
    BedsideState,
    estimated_fio2,
    facts_of,
)

OWN_PATIENT = "own"
DRUGS = (*VASOPRESSORS, "vasopressin_units_min")
_GRADES = ("0", "1", "2", "3", "4")

# How a learner's function and the guideline are brought together again, by what is put back to
# normal: (fields of the bedside, what parts them, how it was put back).
_PUT_BACK: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("temp_c",), "the temperature", "at {temp_c:.1f} °C"),
    (("treated",), "treatment", "without the antipyretic or anticytokine drug"),
    (("other_cause",), "the other cause", "without another cause"),
    (("hypotension",), "hypotension", "without hypotension"),
    (("fluid_boluses",), "the fluid boluses", "without fluid boluses"),
    (("norepinephrine_ug_min",), "norepinephrine", "without norepinephrine"),
    (("epinephrine_ug_min",), "epinephrine", "without epinephrine"),
    (("phenylephrine_ug_min",), "phenylephrine", "without phenylephrine"),
    (("dopamine_ug_kg_min",), "dopamine", "without dopamine"),
    (("vasopressin_units_min",), "vasopressin", "without vasopressin"),
    (("vasopressor_hours",), "the time on vasopressors", "after {vasopressor_hours:g} hours"),
    (("oxygen", "flow_l_min", "fio2"), "oxygen", "on room air"),
    (("creatinine_grade",), "creatinine", "with normal creatinine"),
    (("transaminase_grade",), "the transaminases", "with normal transaminases"),
    (("other_organ_grade",), "organ toxicity", "without other organ toxicity"),
    (("coagulopathy_products",), "coagulopathy", "without coagulopathy"),
    (("hospitalized_for_crs",), "the hospital stay", "outside the hospital"),
)


def _controls() -> dict[str, Control]:
    presets = {OWN_PATIENT: "A patient of your own"} | {
        item.id: f"{item.id}: {item.title}" for item in vignettes()
    }
    return {
        "preset": choice("Patient (fictional)", presets, OWN_PATIENT),
        "temp_c": slider_with_field("Temperature", 35, 42, 0.1, 39.0, "°C"),
        "treated": toggle(
            "Treated",
            note="Antipyretic or anticytokine drug given after CRS was established. "
            "Premedication does not count.",
        ),
        "symptoms": toggle("Constitutional symptoms", note="Fatigue, headache, muscle pain."),
        "hospitalized_for_crs": toggle(
            "In hospital for CRS",
            note="On intravenous treatment, as for fever with neutropenia.",
        ),
        "other_cause": toggle(
            "Another cause", note="Something other than CRS explains the findings."
        ),
        "hypotension": toggle("Hypotension", note="Too low for this patient."),
        "fluid_boluses": counter("Fluid boluses", 0, 10, note="Given for hypotension."),
        "vasopressor_hours": slider_with_field(
            "Time on vasopressors", 0, 96, 1, 6, "h", "At the present rates."
        ),
        "refractory_hypotension": toggle(
            "Refractory hypotension",
            note="In spite of high-dose vasopressors. Counts while one runs.",
        ),
        "norepinephrine_ug_min": slider_with_field("Norepinephrine", 0, 60, 0.5, 0, "µg/min"),
        "epinephrine_ug_min": slider_with_field("Epinephrine", 0, 30, 0.5, 0, "µg/min"),
        "phenylephrine_ug_min": slider_with_field("Phenylephrine", 0, 400, 5, 0, "µg/min"),
        "dopamine_ug_kg_min": slider_with_field("Dopamine", 0, 30, 0.5, 0, "µg/kg/min"),
        "vasopressin_units_min": slider_with_field("Vasopressin", 0, 0.1, 0.01, 0, "units/min"),
        "oxygen": choice("Oxygen device", bedside.OXYGEN_DEVICES, "room air"),
        "flow_l_min": slider_with_field("Oxygen flow", 0.5, 60, 0.5, 2, "L/min"),
        "fio2": slider_with_field("Inspired oxygen fraction", 0.21, 1, 0.01, 0.4, "FiO₂"),
        "creatinine_grade": segments("Creatinine", _GRADES, "0", "CTCAE grade"),
        "transaminase_grade": segments("Transaminases", _GRADES, "0", "CTCAE grade"),
        "other_organ_grade": segments("Worst other organ", _GRADES, "0", "CTCAE grade"),
        "coagulopathy_products": toggle(
            "Coagulopathy treated", note="With plasma, cryoprecipitate or fibrinogen."
        ),
    }


GROUPS = {
    "Fever": ("temp_c", "treated", "symptoms", "hospitalized_for_crs", "other_cause"),
    "Blood pressure": (
        "hypotension",
        "fluid_boluses",
        "vasopressor_hours",
        "refractory_hypotension",
    ),
    "Vasopressors": DRUGS,
    "Oxygen": ("oxygen", "flow_l_min", "fio2"),
    "Organs": (
        "creatinine_grade",
        "transaminase_grade",
        "other_organ_grade",
        "coagulopathy_products",
    ),
}


class GradingComparator(Explorer):
    """Set a patient up, and see six scales grade that patient side by side.

    Parameters
    ----------
    mine : callable, optional
        Your own grading function, such as ``astct_grade``. It is asked with those inputs of the
        scale that it accepts, and shown beside the six.
    preset : str, optional
        One of the twelve fictional patients, ``"A"`` to ``"L"``, to start with.
    scale : str
        The guideline that your function is held against.

    Raises
    ------
    InvalidInput
        If there is no such preset or scale.
    """

    def __init__(
        self,
        mine: Callable[..., object] | None = None,
        preset: str | None = None,
        *,
        scale: str = "astct-2019",
    ) -> None:
        if scale not in SCALES:
            raise InvalidInput("scale", scale, "one of " + ", ".join(SCALES))
        self.mine = mine
        self.scale = scale
        controls = _controls()
        self._normal = {name: control.default for name, control in controls.items()}
        if preset is not None:
            start = _settings_of(vignette(preset), self._normal)
            for name, value in start.items():
                controls[name].value = controls[name].default = value
        super().__init__(
            "One patient on six scales", controls, groups=GROUPS, css_class="crs-comparator"
        )
        self.controls["preset"].observe(self._on_preset, names="value")
        for name, control in self.controls.items():
            if name != "preset":
                control.observe(self._on_own_change, names="value")
        self._applying = False
        self._patient = html_block("crs-patient-line")
        self._table = html_block()
        self._view = self.picture()
        self.compose(self._patient, self.sentence_line, self._view, self._table)

    @property
    def state(self) -> BedsideState:
        """The patient that is set up now."""
        return _state_of(self.values())

    def update(self) -> None:
        """Grade the patient that is set up, and show it."""
        state = self.state
        self.controls["flow_l_min"].visible = state.oxygen in CANNULAS
        self.controls["fio2"].visible = _needs_fio2(self.values())
        verdicts = compare(state)
        rows = [row_of(verdict) for verdict in verdicts]
        sentence = comparator_sentence(rows)
        if self.mine is not None:
            verdict = verdicts[SCALES.index(self.scale)]
            answer = ask_for_grade(self.mine, _arguments(verdict))
            rows.append(_own_row(answer, verdict, answer.asked))
            sentence = f"{self._words_on(answer, verdict, state)} {sentence}"
        self._patient.value = patient_line(state)
        self._view.show(comparator_picture(rows))
        self._table.value = comparator_table(rows)
        self.say(sentence)

    def _words_on(self, answer: Answer, verdict: Verdict, state: BedsideState) -> str:
        name = verdict.guideline.short_title
        if answer.grade is None:
            return answer.problem
        if answer.grade == verdict.grade:
            return f"Your function and {name} agree on {answer.grade}."
        part = f"Your function says {answer.grade}, {name} says {verdict.grade}."
        found = self._what_parts_them(state, verdict.grade)
        if not found:
            met = "; ".join(row_of(verdict).met)
            return f"{part} No single input parts them. {name} goes by: {met}."
        said = " or ".join(dict.fromkeys(f"{what} ({how} they agree)" for what, how in found))
        return f"{part} They part at {said}."

    def _what_parts_them(self, state: BedsideState, guideline_grade: int) -> list[tuple[str, str]]:
        """Put back one input after the other, and list those that bring the two together.

        Where some of them leave the guideline's grade as it is, it is the learner's function that
        moved, and only these are listed.
        """
        normal = _state_of(self._normal)
        telling: list[tuple[str, str]] = []
        others: list[tuple[str, str]] = []
        for names, what, how in _PUT_BACK:
            back = {name: getattr(normal, name) for name in names}
            if back == {name: getattr(state, name) for name in names}:
                continue
            try:
                changed = replace(state, **back)
            except InvalidInput:  # without this drug, another setting makes no sense
                continue
            verdict = grade(guideline(self.scale), facts_of(changed))
            if ask_for_grade(self.mine, _arguments(verdict)).grade == verdict.grade:
                found = telling if verdict.grade == guideline_grade else others
                found.append((what, how.format(**back)))
        return telling or others

    def _on_preset(self, change: Mapping[str, Any]) -> None:
        if change["new"] == OWN_PATIENT:
            return
        self._applying = True
        try:
            self.set(**_settings_of(vignette(change["new"]), self._normal))
        finally:
            self._applying = False

    def _on_own_change(self, change: Mapping[str, Any]) -> None:
        if not self._applying:
            self.controls["preset"].value = OWN_PATIENT


def _settings_of(chosen: Vignette, normal: Mapping[str, Value]) -> dict[str, Value]:
    """Return the control values that set a vignette up."""
    settings: dict[str, Value] = {**normal, "preset": chosen.id}
    plain = BedsideState(temp_c=float(normal["temp_c"]))
    for item in fields(BedsideState):
        value = getattr(chosen.state, item.name)
        if value != getattr(plain, item.name):
            in_words = item.name.endswith("_grade")
            settings[item.name] = f"{value:g}" if in_words else value
    return settings


def _needs_fio2(values: Mapping[str, Value]) -> bool:
    device = str(values["oxygen"])
    return estimated_fio2(device, float(values["flow_l_min"])) is None


def _state_of(values: Mapping[str, Value]) -> BedsideState:
    """Read a bedside from the controls; what a hidden or idle control holds does not count."""
    state: dict[str, object] = {name: value for name, value in values.items() if name != "preset"}
    for name in ("creatinine_grade", "transaminase_grade", "other_organ_grade"):
        state[name] = int(values[name])
    if not any(float(values[name]) > 0 for name in DRUGS):
        state |= {"vasopressor_hours": 0.0, "refractory_hypotension": False}
    if values["oxygen"] not in CANNULAS:
        state["flow_l_min"] = 0.0
    if not _needs_fio2(values):
        state["fio2"] = None
    return BedsideState.from_mapping(state)


def _arguments(verdict: Verdict) -> dict[str, Value]:
    """Return the inputs of the scale, whole numbers whole, to ask a learner's function with."""
    return {
        item.name: int(verdict.facts[item.name])
        if item.kind == "integer"
        else verdict.facts[item.name]
        for item in verdict.guideline.inputs
    }


def _own_row(answer: Answer, verdict: Verdict, arguments: Mapping[str, Value]) -> Row:
    name = verdict.guideline.short_title
    if answer.grade is None:
        domain, reason = "no grade", answer.problem
    elif answer.grade == verdict.grade:
        domain, reason = "agrees", f"Agrees with {name}."
    else:
        domain, reason = "differs", f"Differs from {name}, which says {verdict.grade}."
    asked = tuple(f"{argument}={value!r}" for argument, value in arguments.items())
    return Row("Your function", answer.grade, domain, reason, asked, own=True)
