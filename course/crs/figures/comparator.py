"""One patient on six grading scales: the picture, the table and the sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from crs.figures.theme import (
    ACCENT,
    ACCENT_PALE,
    GRADE_COLORS,
    GRADE_EDGES,
    GRADE_TEXT,
    INK,
    LINE,
    MUTED,
    OUTLINE,
    Picture,
    axis,
)
from crs.guidelines import Verdict, grade, guideline
from crs.guidelines.conditions import Comparison, Value, comparisons
from crs.patients.bedside import BedsideState, facts_of

SCALES = ("astct-2019", "lee-2014", "penn-2018", "cartox-2018", "mskcc-2018", "ctcae-5")
GRADES = range(6)

# Short names of the inputs, for sentences and tables: (name, unit). Yes-or-no inputs have the
# words for yes and for no instead.
INPUT_NAMES: dict[str, tuple[str, str]] = {
    "temp_c": ("temperature", "°C"),
    "fluid_boluses": ("fluid boluses", ""),
    "non_vasopressin_pressors": ("vasopressors other than vasopressin", ""),
    "vasopressors": ("vasopressors", ""),
    "vasopressor_hours": ("time on vasopressors", "h"),
    "oxygen": ("oxygen", ""),
    "flow_l_min": ("flow", "L/min"),
    "fio2": ("FiO₂", ""),
    "creatinine": ("creatinine, CTCAE grade", ""),
    "transaminitis": ("transaminases, CTCAE grade", ""),
    "organ_toxicity": ("organ toxicity, CTCAE grade", ""),
}
YES_OR_NO: dict[str, tuple[str, str]] = {
    "treated": ("treated", "not treated"),
    "other_cause": ("another cause", "no other cause"),
    "hospitalized": ("in hospital for CRS", "not in hospital for CRS"),
    "hypotension": ("hypotension", "no hypotension"),
    "vasopressin": ("vasopressin running", "no vasopressin"),
    "high_dose": ("high-dose vasopressors", "no high-dose vasopressors"),
    "refractory_hypotension": ("refractory hypotension", "no refractory hypotension"),
    "ventilator": ("on a ventilator", "not on a ventilator"),
    "supplemental_oxygen": ("on oxygen", "on room air"),
    "coagulopathy": ("coagulopathy treated", "no coagulopathy treated"),
    "any_sign": ("at least one sign of CRS", "no sign of CRS"),
}
_MET = {">=": "{} or more", "<=": "{} or less", ">": "above {}", "<": "below {}"}
_MISSED = {">=": "below {}", "<=": "above {}", ">": "not above {}", "<": "not below {}"}


@dataclass(frozen=True)
class Row:
    """One row of the comparator: a scale, or the learner's own function.

    Attributes
    ----------
    name : str
        As shown on the left.
    grade : int or None
        None where there is no grade to show.
    domain : str
        What the deciding rule is about, such as "hypoxia".
    reason : str
        The rule that decided, in the words of the table.
    met : tuple of str
        The inputs that met it, in words.
    also : tuple of str
        Other rules of the same grade that are met as well.
    own : bool
        Whether this is the learner's own function.
    key : str
        The guideline's id, or "mine".
    """

    name: str
    grade: int | None
    domain: str
    reason: str
    met: tuple[str, ...]
    also: tuple[str, ...] = ()
    own: bool = False
    key: str = "mine"


def compare(state: BedsideState) -> tuple[Verdict, ...]:
    """Grade one patient on all six scales.

    Parameters
    ----------
    state : BedsideState

    Returns
    -------
    tuple of Verdict
        In the order of `SCALES`.
    """
    facts = facts_of(state)
    return tuple(grade(guideline(scale), facts) for scale in SCALES)


def row_of(verdict: Verdict) -> Row:
    """Turn a verdict into a row of the picture and of the table.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    Row
    """
    domain = verdict.deciding.row.domain if verdict.deciding is not None else "not met"
    return Row(
        name=verdict.guideline.short_title,
        grade=verdict.grade,
        domain=domain,
        reason=verdict.reason,
        met=deciding_inputs(verdict),
        also=tuple(
            match.row.text
            for match in verdict.matches
            if match is not verdict.deciding and match.row.gives["grade"] == verdict.grade
        ),
        key=verdict.guideline.id,
    )


def deciding_inputs(verdict: Verdict) -> tuple[str, ...]:
    """Say in words which inputs decided: those that met the row, or those that miss the gate.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    tuple of str
        Such as ``("temperature 38.8 °C (38.0 or more)",)``.
    """
    gate = verdict.guideline.gate
    deciding: tuple[Comparison, ...] = ()
    if verdict.deciding is not None:
        # A row that is always met rests on the gate.
        deciding = verdict.deciding.met or (tuple(comparisons(gate.when)) if gate else ())
    elif gate is not None and not gate.when.is_met(verdict.facts):
        deciding = tuple(c for c in comparisons(gate.when) if not c.is_met(verdict.facts))
    names = dict.fromkeys(comparison.input for comparison in deciding)
    return tuple(
        input_words(name, verdict.facts[name], [c for c in deciding if c.input == name])
        for name in names
    )


def input_words(name: str, value: Value, held_against: Sequence[Comparison] = ()) -> str:
    """Say one input in words, with the patient's own value and the bounds it was held against.

    Parameters
    ----------
    name : str
        Of the input.
    value : bool, float or str
        The patient's.
    held_against : sequence of Comparison
        Of which those with a numeric bound are said.

    Returns
    -------
    str
    """
    if name in YES_OR_NO:
        yes, no = YES_OR_NO[name]
        return yes if value else no
    words, unit = INPUT_NAMES[name]
    bounds = [
        (_MET if c.is_met({name: value}) else _MISSED)[c.operator].format(_number(c.value, unit))
        for c in held_against
        if c.is_threshold
    ]
    said = f"{words} {_number(value, unit)} {unit}" if unit else f"{words}: {_number(value, unit)}"
    return f"{said} ({', '.join(bounds)})" if bounds else said


def _number(value: object, unit: str) -> str:
    if isinstance(value, float):
        return f"{value:.1f}" if unit == "°C" else f"{round(value, 3):g}"
    return str(value)


def patient_words(state: BedsideState) -> tuple[str, ...]:
    """Describe what is set, in short phrases; what is normal is left out, but for the temperature.

    Parameters
    ----------
    state : BedsideState

    Returns
    -------
    tuple of str
    """
    words = [f"{state.temp_c:.1f} °C"]
    if state.treated:
        words.append("antipyretic or anticytokine drug given")
    if state.other_cause:
        words.append("another cause explains it")
    if state.symptoms:
        words.append("constitutional symptoms")
    if state.hospitalized_for_crs:
        words.append("in hospital for CRS")
    if state.hypotension:
        words.append("hypotension")
    if state.fluid_boluses:
        boluses = "fluid boluses" if state.fluid_boluses > 1 else "fluid bolus"
        words.append(f"{state.fluid_boluses:g} {boluses}")
    drugs = [
        f"{name} {rate:g} {unit}"
        for name, rate, unit in (
            ("norepinephrine", state.norepinephrine_ug_min, "µg/min"),
            ("epinephrine", state.epinephrine_ug_min, "µg/min"),
            ("phenylephrine", state.phenylephrine_ug_min, "µg/min"),
            ("dopamine", state.dopamine_ug_kg_min, "µg/kg/min"),
            ("vasopressin", state.vasopressin_units_min, "units/min"),
        )
        if rate > 0
    ]
    words.extend(drugs)
    if drugs:
        words.append(f"vasopressors for {state.vasopressor_hours:g} h")
    if state.refractory_hypotension:
        words.append("refractory hypotension")
    words.append(_oxygen_words(state))
    for name, organ_grade in (
        ("creatinine", state.creatinine_grade),
        ("transaminases", state.transaminase_grade),
        ("another organ", state.other_organ_grade),
    ):
        if organ_grade:
            words.append(f"{name} CTCAE grade {organ_grade:g}")
    if state.coagulopathy_products:
        words.append("coagulopathy treated")
    return tuple(words)


def _oxygen_words(state: BedsideState) -> str:
    if state.oxygen == "room air":
        return "room air"
    fio2 = facts_of(state)["fio2"]
    about = "about " if state.fio2 is None else ""
    flow = f" {state.flow_l_min:g} L/min" if state.flow_l_min else ""
    return f"{state.oxygen}{flow}, FiO₂ {about}{fio2:.2f}"


def comparator_picture(rows: Sequence[Row]) -> Picture:
    """Draw the grades side by side: one row per scale, on an axis from 0 to 5.

    Parameters
    ----------
    rows : sequence of Row
        Six scales, and perhaps the learner's function.

    Returns
    -------
    Picture
    """
    count = len(rows)
    places = [count - 1 - position for position in range(count)]  # the first row is on top
    graded = [row.grade for row in rows if row.grade is not None and not row.own]
    low, high = min(graded), max(graded)
    shown = [0 if row.grade is None else row.grade for row in rows]
    rail_x: list[float | None] = []
    rail_y: list[float | None] = []
    for place in places:
        rail_x += [0, 5, None]
        rail_y += [place, place, None]
    band_left, band_right = low - 0.3, high + 0.3
    traces = (
        {  # from the lowest to the highest grade of the six scales
            "type": "scatter",
            "x": [band_left, band_right, band_right, band_left],
            "y": [-0.55 + (count - 6), -0.55 + (count - 6), count - 0.45, count - 0.45],
            "fill": "toself",
            "fillcolor": ACCENT_PALE,
            "line": {"width": 0},
            "mode": "lines",
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "x": rail_x,
            "y": rail_y,
            "mode": "lines",
            "line": {"color": LINE, "width": 1.5},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "x": [end for step in shown for end in (0, step, None)],
            "y": rail_y,
            "mode": "lines",
            "line": {"color": OUTLINE, "width": 3},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "x": [step for _ in places for step in GRADES],
            "y": [place for place in places for _ in GRADES],
            "mode": "markers",
            "marker": {"size": 7, "color": "#ffffff", "line": {"color": "#aab7be", "width": 1.2}},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "x": shown,
            "y": places,
            "mode": "markers+text",
            "marker": {
                "size": [0 if row.grade is None else 29 for row in rows],
                "symbol": ["square" if row.own else "circle" for row in rows],
                "color": [GRADE_COLORS[step] for step in shown],
                "line": {"color": [GRADE_EDGES[step] for step in shown], "width": 1.5},
                "opacity": 1,
            },
            "text": ["" if row.grade is None else f"<b>{row.grade}</b>" for row in rows],
            "textfont": {"size": 15, "color": [GRADE_TEXT[step] for step in shown]},
            "textposition": "middle center",
            "hoverinfo": "skip",
            "cliponaxis": False,
        },
        {
            "type": "scatter",
            "x": [5.75] * count,
            "y": places,
            "mode": "text",
            "text": [row.domain for row in rows],
            "textposition": "middle right",
            "textfont": {
                "size": 13,
                "color": [ACCENT if row.own else MUTED for row in rows],
            },
            "hoverinfo": "skip",
            "cliponaxis": False,
        },
    )
    layout = {
        "margin": {"l": 118, "r": 0, "t": 34, "b": 8},
        "annotations": [
            {
                "text": "decided by",
                "x": 5.75,
                "xref": "x",
                "xanchor": "left",
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "xshift": -2,
                "yshift": -1,
                "showarrow": False,
                "font": {"size": 13, "color": MUTED},
            }
        ],
        "xaxis": axis(
            range=[-0.45, 7.4],
            tickvals=list(GRADES),
            ticktext=["0", "1", "2", "3", "4", "5 death"],
            side="top",
            showgrid=False,
            showline=False,
            ticks="",
            tickfont={"size": 13, "color": MUTED},
        ),
        "yaxis": axis(
            range=[-0.6, count - 0.4],
            tickvals=places,
            ticktext=[
                f"<b>{row.name}</b>  "
                if not row.own
                else f'<span style="color:{ACCENT}"><b>{row.name}</b></span>  '
                for row in rows
            ],
            showgrid=False,
            showline=False,
            ticks="",
            tickfont={"size": 13, "color": INK},
        ),
    }
    return Picture(traces, layout, comparator_alt(rows), height=42 + 42 * count)


def comparator_alt(rows: Sequence[Row]) -> str:
    """Describe the picture in words.

    Parameters
    ----------
    rows : sequence of Row

    Returns
    -------
    str
    """
    said = ", ".join(f"{row.name} {'no grade' if row.grade is None else row.grade}" for row in rows)
    return f"One row per scale with its grade marked on an axis from 0 to 5: {said}."


def comparator_sentence(rows: Sequence[Row]) -> str:
    """Say what the six scales make of the patient, and how far they are apart.

    Parameters
    ----------
    rows : sequence of Row
        The six scales; the learner's own function is left out.

    Returns
    -------
    str
    """
    scales = [row for row in rows if not row.own]
    first, second, *others = scales
    grades = [row.grade for row in scales if row.grade is not None]
    apart = max(grades) - min(grades)
    if apart == 0:
        return f"All six scales say {first.grade}. {first.name}, {_because(first)}."
    rest = [
        f"{row.name} {'says ' if not position else ''}{row.grade}"
        for position, row in enumerate(others)
    ]
    return (
        f"{first.name} says {first.grade}, {_because(first)}. "
        f"{second.name} says {second.grade}, {_because(second)}. "
        f"{', '.join(rest[:-1])} and {rest[-1]}. "
        f"From the lowest to the highest, the scales differ by {_grades(apart)}."
    )


def _because(row: Row) -> str:
    if row.reason.startswith("Not met: "):
        return f"because this is not met: {row.reason.removeprefix('Not met: ')}"
    if row.domain == "not met":
        return "because no row of its table is met"
    return f"because of “{lower_first(row.reason)}”"


def _grades(number: int) -> str:
    words = {1: "one grade", 2: "two grades", 3: "three grades", 4: "four grades"}
    return words.get(number, f"{number} grades")


def lower_first(text: str) -> str:
    """Return a text with a small first letter, unless its first word is an acronym.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    first = text.split(" ", 1)[0].strip(",.")
    return text[:1].lower() + text[1:] if first[1:].islower() or len(first) == 1 else text


def comparator_table(rows: Sequence[Row]) -> str:
    """Write the table: scale, grade, the row that decided, and the inputs that met it.

    Parameters
    ----------
    rows : sequence of Row

    Returns
    -------
    str
        HTML.
    """
    body = "".join(_table_row(row) for row in rows)
    return (
        '<table class="crs-table crs-comparator-table">'
        "<caption>The row of each table that decided, and what met it</caption>"
        '<thead><tr><th scope="col">Scale</th><th scope="col">Grade</th>'
        '<th scope="col">Deciding row</th><th scope="col">At this bedside</th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _table_row(row: Row) -> str:
    grade_cell = "–" if row.grade is None else grade_pill(row.grade)
    met = "".join(f"<li>{escape(words)}</li>" for words in row.met)
    also = "".join(
        f'<div class="crs-also">Also met: {escape(lower_first(text))}</div>' for text in row.also
    )
    return (
        f'<tr data-scale="{escape(row.key)}"{" class=crs-own" if row.own else ""}>'
        f'<th scope="row">{escape(row.name)}</th><td>{grade_cell}</td>'
        f'<td><div class="crs-deciding-row">{escape(row.reason)}</div>{also}</td>'
        f"<td>{f'<ul class=crs-met>{met}</ul>' if met else ''}</td></tr>"
    )


def grade_pill(number: int) -> str:
    """Write a grade as a small colored mark with its number.

    Parameters
    ----------
    number : int
        0 to 5.

    Returns
    -------
    str
        HTML.
    """
    return f'<span class="crs-grade crs-grade-{number}">{number}</span>'


def patient_line(state: BedsideState) -> str:
    """Write what is set as one line of phrases.

    Parameters
    ----------
    state : BedsideState

    Returns
    -------
    str
        HTML.
    """
    phrases = "".join(f"<li>{escape(words)}</li>" for words in patient_words(state))
    return f'<ul class="crs-patient" aria-label="This patient">{phrases}</ul>'
