"""A fictional patient so far: monitor, course, laboratory values, notes, and decisions taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from crs.figures.comparator import deciding_inputs, grade_pill, lower_first
from crs.figures.theme import ACCENT, INK, MUTED, OUTLINE, SERIES, Picture, axis
from crs.figures.trajectory import HOURS_PER_DAY, when
from crs.guidelines import guideline
from crs.guidelines.conditions import comparisons
from crs.patients.bedside import VASOPRESSORS
from crs.patients.cases import LAST_HOUR, STEROIDS, SYNTHETIC, Case, Decision, Event
from crs.patients.judging import MANAGEMENT, STEROID_WORDS, Line, TableAnswer

FIRST_VIEW_H = 72
LOOK_BACK_H = 6
MOST_NOTES = 7
HEIGHT = 470
_ROWS = ("antibiotic", "corticosteroid", "tocilizumab", "vasopressor", "oxygen")
_ROW_COLORS = dict(zip(_ROWS, (MUTED, SERIES[1], ACCENT, SERIES[2], SERIES[3]), strict=True))
# Bottom and top of each band, as fractions of the picture's height.
_BANDS = {
    "treatment": (0.76, 1.0),
    "temp_c": (0.5, 0.71),
    "circulation": (0.25, 0.46),
    "crp_mg_l": (0.0, 0.21),
}
_RATE_WORDS = {
    "norepinephrine_ug_min": ("norepinephrine", "µg/min"),
    "epinephrine_ug_min": ("epinephrine", "µg/min"),
    "phenylephrine_ug_min": ("phenylephrine", "µg/min"),
    "dopamine_ug_kg_min": ("dopamine", "µg/kg/min"),
    "vasopressin_units_min": ("vasopressin", "units/min"),
}


@dataclass(frozen=True)
class Commitment:
    """A decision that has been taken, beside what the tables say.

    Attributes
    ----------
    decision : Decision
        What was asked.
    number, of : int
        Its place among the case's decisions.
    lines : tuple of Line
        What the learner said and what the tables say.
    tables : TableAnswer
        The tables' answer.
    debrief : str
        What to take away.
    """

    decision: Decision
    number: int
    of: int
    lines: tuple[Line, ...]
    tables: TableAnswer
    debrief: str

    @property
    def agreed(self) -> int:
        """On how many lines learner and tables agree."""
        return sum(line.agrees for line in self.lines)


def oxygen_words(case: Case, hour: int) -> str:
    """Say how the patient breathes.

    Parameters
    ----------
    case : Case
    hour : int

    Returns
    -------
    str
        Such as ``"nasal cannula, 2 L/min"``.
    """
    state = case.state_at(hour)
    support = str(case.row_at(hour)["support"])
    if support:
        return support
    flow = f", {state.flow_l_min:g} L/min" if state.flow_l_min else ""
    fio2 = f", FiO₂ {state.fio2:.2f}" if state.fio2 is not None else ""
    return f"{state.oxygen}{flow}{fio2}"


def vasopressor_words(case: Case, hour: int) -> str:
    """Say which vasopressors run.

    Parameters
    ----------
    case : Case
    hour : int

    Returns
    -------
    str
        Such as ``"norepinephrine 4 µg/min"``, or ``"none"``.
    """
    state = case.state_at(hour)
    running = [
        f"{name} {getattr(state, field):g} {unit}"
        for field, (name, unit) in _RATE_WORDS.items()
        if getattr(state, field) > 0
    ]
    return ", ".join(running) or "none"


def monitor_sentence(case: Case, hour: int) -> str:
    """Say in words what the monitor shows.

    Parameters
    ----------
    case : Case
    hour : int

    Returns
    -------
    str
    """
    row = case.row_at(hour)
    vasopressor = vasopressor_words(case, hour)
    pressor = f" on {vasopressor}" if vasopressor != "none" else ""
    breathing = oxygen_words(case, hour)
    breathing = f"on {breathing}" if breathing != "ventilator" else "on a ventilator"
    return (
        f"Hour {hour} ({when(hour)}): {row['temp_c']:.1f} °C, heart rate "
        f"{row['heart_rate_bpm']:.0f}, pressure {row['systolic_mmhg']:.0f}/"
        f"{row['diastolic_mmhg']:.0f}{pressor}, breathing {row['respiratory_rate_min']:.0f} times "
        f"a minute, saturation {row['spo2_percent']:.0f} % {breathing}."
    )


def monitor_html(case: Case, hour: int) -> str:
    """Lay out the monitor: what it shows now, and six hours ago.

    Parameters
    ----------
    case : Case
    hour : int

    Returns
    -------
    str
        HTML.
    """
    now = case.row_at(hour)
    before = case.row_at(max(0, hour - LOOK_BACK_H))

    def number(name: str, digits: int = 0) -> tuple[str, str]:
        earlier = f"{before[name]:.{digits}f}"
        return f"{now[name]:.{digits}f}", earlier

    temp, temp_before = number("temp_c", 1)
    rate, rate_before = number("heart_rate_bpm")
    systolic, systolic_before = number("systolic_mmhg")
    diastolic, diastolic_before = number("diastolic_mmhg")
    breaths, breaths_before = number("respiratory_rate_min")
    saturation, saturation_before = number("spo2_percent")
    tiles = [
        ("Temperature", temp, "°C", temp_before),
        ("Heart rate", rate, "/min", rate_before),
        ("Pressure", f"{systolic}/{diastolic}", "mmHg", f"{systolic_before}/{diastolic_before}"),
        ("Breaths", breaths, "/min", breaths_before),
        ("Saturation", saturation, "%", saturation_before),
    ]
    cells = "".join(
        f'<li><span class="crs-mon-name">{name}</span>'
        f'<span class="crs-mon-value">{value} <span class="crs-mon-unit">{unit}</span></span>'
        f'<span class="crs-mon-before">{_earlier_words(hour, earlier)}</span></li>'
        for name, value, unit, earlier in tiles
    )
    facts = [
        ("Oxygen", oxygen_words(case, hour)),
        ("Vasopressor", vasopressor_words(case, hour)),
        ("Boluses", f"{now['fluid_boluses']:.0f}" if now["fluid_boluses"] else "none"),
    ]
    if case.charts("ice_score"):
        facts.append(("Brain", _brain_words(now)))
    chips = "".join(f"<li><strong>{name}</strong> {escape(words)}</li>" for name, words in facts)
    return f'<ul class="crs-monitor">{cells}</ul><ul class="crs-support">{chips}</ul>'


def _earlier_words(hour: int, earlier: str) -> str:
    if hour < LOOK_BACK_H:
        return f"at hour 0: {earlier}" if hour else "at the start"
    return f"{LOOK_BACK_H} h ago: {earlier}"


def _brain_words(row: Mapping[str, Any]) -> str:
    ice = row["ice_score"]
    score = "cannot be scored" if ice is None else f"{ice:.0f} of 10"
    return f"ICE {score}, ICANS grade {row['icans_grade']:.0f}"


def header_html(case: Case) -> str:
    """Introduce the patient.

    Parameters
    ----------
    case : Case

    Returns
    -------
    str
        HTML.
    """
    about = case.about
    return (
        f'<p class="crs-case-about"><span class="crs-synthetic">{SYNTHETIC}</span> '
        f"{escape(case.summary)} {about.weight_kg:g} kg; {escape(about.product)} at hour 0.</p>"
    )


def labs_html(case: Case, hour: int) -> str:
    """Lay out the latest laboratory values, each with the one before.

    Parameters
    ----------
    case : Case
    hour : int

    Returns
    -------
    str
        HTML.
    """
    rows = []
    for lab in case.labs_at(hour):
        earlier = [at for at in case.written.labs[lab.name] if at < lab.drawn_h]
        before = f"{case.written.labs[lab.name][earlier[-1]]:,g}" if earlier else "–"
        rows.append(
            f'<tr><th scope="row">{escape(lab.meaning)} '
            f'<span class="crs-unit">{escape(lab.unit)}</span></th>'
            f"<td><strong>{lab.value:,g}</strong></td><td>{before}</td><td>{lab.drawn_h}</td></tr>"
        )
    return (
        '<table class="crs-table crs-labs"><caption>Latest laboratory values</caption><thead><tr>'
        '<th scope="col">Test</th><th scope="col">Value</th><th scope="col">Before</th>'
        f'<th scope="col">Hour</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def notes_html(case: Case, hour: int) -> str:
    """List the latest notes and events, newest first.

    Parameters
    ----------
    case : Case
    hour : int

    Returns
    -------
    str
        HTML.
    """
    found = [(event.at, event.text) for event in case.events_until(hour)]
    found += [(entry.at, entry.note) for entry in case.written.chart if entry.note]
    latest = sorted((note for note in found if note[0] <= hour), key=lambda note: -note[0])
    items = "".join(
        f"<li{' class=crs-new' if hour - at <= LOOK_BACK_H else ''}>"
        f'<span class="crs-note-hour">{at}</span><span>{escape(words)}</span></li>'
        for at, words in latest[:MOST_NOTES]
    )
    return (
        '<div class="crs-notes"><div class="crs-notes-title">Notes, newest first '
        f'<span class="crs-unit">(hour)</span></div><ul>{items}</ul></div>'
    )


def course_picture(case: Case, hour: int, decisions_h: Sequence[int] = ()) -> Picture:
    """Draw the course up to one hour; what comes later stays hidden.

    Parameters
    ----------
    case : Case
    hour : int
        From 0 to 336.
    decisions_h : sequence of int
        Hours of the decisions taken so far.

    Returns
    -------
    Picture
    """
    table = case.table_until(hour)
    hours = list(range(hour + 1))
    end = max(FIRST_VIEW_H, hour + 4)
    bars = {name: _bars(case, table, name, hour) for name in _ROWS}
    doses = case.tocilizumab_given_h(hour)
    places = {name: position for position, name in enumerate(_ROWS)}
    fever = next(comparisons(guideline("astct-2019").row("fever").when)).value
    assert isinstance(fever, float)  # a temperature
    draws = [(at, value) for at, value in case.written.labs["crp_mg_l"].items() if at <= hour]
    traces: tuple[dict[str, Any], ...] = (
        *(
            {
                **_curve(
                    [x for start, stop in bars[name] for x in (start, stop, None)],
                    [places[name]] * (3 * len(bars[name])),
                    _ROW_COLORS[name],
                    "y",
                ),
                "line": {"color": _ROW_COLORS[name], "width": 9},
            }
            for name in _ROWS
            if name != "tocilizumab"
        ),
        {
            **_curve(list(doses), [places["tocilizumab"]] * len(doses), ACCENT, "y"),
            "mode": "markers",
            "marker": {"symbol": "triangle-down", "size": 12, "color": ACCENT},
        },
        {
            **_curve([0, end], [fever, fever], OUTLINE, "y2"),
            "line": {"color": OUTLINE, "width": 1.2, "dash": "dash"},
        },
        _curve(hours, table["temp_c"].tolist(), SERIES[4], "y2"),
        _curve(hours, table["heart_rate_bpm"].tolist(), SERIES[3], "y3", dash="dot"),
        _curve(hours, table["systolic_mmhg"].tolist(), SERIES[0], "y3"),
        {
            **_curve([at for at, _ in draws], [value for _, value in draws], SERIES[1], "y4"),
            "mode": "lines+markers",
            "marker": {"size": 6, "color": SERIES[1]},
        },
        {
            **_curve(
                [x for at in decisions_h for x in (at, at, None)],
                [y for _ in decisions_h for y in (-0.6, len(_ROWS) - 0.4, None)],
                INK,
                "y",
            ),
            "line": {"color": INK, "width": 1.2, "dash": "dot"},
        },
    )
    return Picture(
        traces, _course_layout(case, end, bool(decisions_h)), course_alt(case, hour), height=HEIGHT
    )


def _bars(case: Case, table: pd.DataFrame, name: str, hour: int) -> list[tuple[int, int]]:
    """Return the runs of hours in which something was on, up to one hour."""
    if name == "oxygen":
        return _runs(table["oxygen"] != "room air")
    if name == "vasopressor":
        return _runs((table[[*VASOPRESSORS, "vasopressin_units_min"]] > 0).any(axis=1))
    kinds = STEROIDS if name == "corticosteroid" else (name,)
    return [
        (event.at, min(hour, LAST_HOUR if event.until is None else event.until))
        for event in case.events_until(hour)
        if event.kind in kinds and _is_course(event)
    ]


def _is_course(event: Event) -> bool:
    return event.until is not None


def _runs(on: "pd.Series[bool]") -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for hour, is_on in enumerate(on):
        if is_on and start is None:
            start = hour
        elif not is_on and start is not None:
            runs.append((start, hour))
            start = None
    if start is not None:
        runs.append((start, len(on) - 1))
    return runs


def _curve(
    x: Sequence[float | None],
    y: Sequence[float | None],
    color: str,
    yaxis: str,
    dash: str = "solid",
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": list(y),
        "yaxis": yaxis,
        "line": {"color": color, "width": 2, "dash": dash},
        "hoverinfo": "skip",
    }


_TITLES = {
    "temp_c": "<b>Temperature</b><br>°C, fever dashed",
    "circulation": (
        f'<b><span style="color:{SERIES[0]}">Systolic</span></b><br>mmHg<br>'
        f'<b><span style="color:{SERIES[3]}">Heart rate</span></b><br>/min, dotted'
    ),
    "crp_mg_l": "<b>CRP</b><br>mg/L, when drawn",
}


def _course_layout(case: Case, end: float, decided: bool) -> dict[str, Any]:
    def band(name: str, **settings: Any) -> dict[str, Any]:
        return axis(domain=list(_BANDS[name]), anchor="x", showline=False, ticks="", **settings)

    days = end / HOURS_PER_DAY
    step = HOURS_PER_DAY * 2 if days > 8 else HOURS_PER_DAY if days > 4 else HOURS_PER_DAY // 2
    ticks = list(range(0, int(end) + 1, step))
    titles = [
        {
            "text": text,
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": sum(_BANDS[name]) / 2,
            "xanchor": "right",
            "yanchor": "middle",
            "xshift": -36,
            "align": "right",
            "showarrow": False,
            "font": {"size": 11.5, "color": INK},
        }
        for name, text in _TITLES.items()
    ]
    label = {
        "text": f"<b>{SYNTHETIC}</b>  {case.title}"
        + ("; dotted lines: your decisions" if decided else ""),
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 6,
        "showarrow": False,
        "font": {"size": 12, "color": MUTED},
    }
    return {
        "margin": {"l": 132, "r": 14, "t": 30, "b": 42},
        "xaxis": axis(
            range=[-1, end],
            tickvals=ticks,
            ticktext=[str(tick) for tick in ticks],
            title={"text": "Hours since the infusion", "font": {"size": 12, "color": MUTED}},
            anchor="y4",
            ticks="",
            showline=False,
        ),
        "yaxis": band(
            "treatment",
            range=[-0.6, len(_ROWS) - 0.4],
            tickvals=list(range(len(_ROWS))),
            ticktext=[f"{name.capitalize()}  " for name in _ROWS],
            tickfont={"size": 11.5, "color": INK},
        ),
        "yaxis2": band("temp_c", range=[35.8, 40.6], tickvals=[36, 38, 40]),
        "yaxis3": band("circulation", range=[40, 165], tickvals=[50, 100, 150]),
        "yaxis4": band("crp_mg_l", range=[0, 230], tickvals=[0, 100, 200]),
        "annotations": [*titles, label],
    }


def course_alt(case: Case, hour: int) -> str:
    """Describe the course so far in words.

    Parameters
    ----------
    case : Case
    hour : int

    Returns
    -------
    str
    """
    table = case.table_until(hour)
    hottest = int(table["temp_c"].to_numpy().argmax())
    lowest = int(table["systolic_mmhg"].to_numpy().argmin())
    doses = case.tocilizumab_given_h(hour)
    given = ", ".join(f"hour {at}" for at in doses) or "none"
    return (
        f"Course of {case.title} from hour 0 to hour {hour}. SYNTHETIC. Highest temperature "
        f"{table['temp_c'].iloc[hottest]:.1f} °C at hour {hottest}; lowest systolic pressure "
        f"{table['systolic_mmhg'].iloc[lowest]:.0f} mmHg at hour {lowest}; "
        f"tocilizumab: {given}; oxygen now: {oxygen_words(case, hour)}; "
        f"vasopressor now: {vasopressor_words(case, hour)}."
    )


def commitment_sentence(commitment: Commitment) -> str:
    """Say in words how a commitment compares with the tables.

    Parameters
    ----------
    commitment : Commitment

    Returns
    -------
    str
    """
    total = len(commitment.lines)
    agreed = commitment.agreed
    words = (
        f"You and the tables agree on all {total} points."
        if agreed == total
        else f"You and the tables agree on {agreed} of {total} points."
    )
    for line in commitment.lines:
        if line.scale:
            words += f" {line.what}: yours {line.yours}, the table's {line.table}."
    return words


def commitment_html(commitment: Commitment) -> str:
    """Put what the learner decided beside what the tables say, with the rows that decided.

    Parameters
    ----------
    commitment : Commitment

    Returns
    -------
    str
        HTML.
    """
    decision = commitment.decision
    rows = "".join(_line_html(line, commitment.tables) for line in commitment.lines)
    asked = {order for order in decision.orders if order != "steroid"}
    # What the table asks for besides what was asked of the learner.
    further = [
        match.row.text
        for action, match in commitment.tables.asked_for.items()
        if action not in asked and not ("steroid" in decision.orders and action in STEROID_WORDS)
    ]
    more = "".join(f"<li>{escape(text)}</li>" for text in further)
    table = guideline(MANAGEMENT)
    return (
        '<div class="crs-reveal"><div class="crs-kicker">'
        f"Decision {commitment.number} of {commitment.of}, hour {decision.at}</div>"
        f'<div class="crs-form-title">{escape(decision.title)}</div>'
        f"<details><summary>What was asked</summary><p>{escape(decision.situation)}</p></details>"
        '<table class="crs-table crs-lines"><caption class="crs-visually-hidden">'
        "Your answers beside the tables'</caption><thead><tr>"
        '<th scope="col">Question</th><th scope="col">You</th><th scope="col">Table</th>'
        '<th scope="col"><span class="crs-visually-hidden">Same or not</span></th>'
        f'<th scope="col">The row that decides</th></tr></thead><tbody>{rows}</tbody></table>'
        + (f'<div class="crs-more">The table also asks for:<ul>{more}</ul></div>' if more else "")
        + f'<p class="crs-debrief">{escape(commitment.debrief)}</p>'
        f'<p class="crs-more">Orders by {escape(table.short_title)}: '
        f"{escape(table.source.citation)}. Simplified for teaching, not for patient care.</p></div>"
    )


def _line_html(line: Line, tables: TableAnswer) -> str:
    why = escape(line.why)
    yours, said = escape(line.yours), escape(line.table)
    if line.scale:
        verdict = tables.grades[line.scale]
        yours, said = grade_pill(int(line.yours)), grade_pill(int(line.table))
        met = ", ".join(deciding_inputs(verdict)) if verdict.deciding else ""
        why = f'<div class="crs-deciding-row">{why}</div>' + (
            f'<div class="crs-also">At this bedside: {escape(met)}</div>' if met else ""
        )
    mark = "same" if line.agrees else "differs"
    sign = "✓" if line.agrees else "≠"
    return (
        f'<tr class="crs-{mark}"><th scope="row">{escape(line.what)}</th><td>{yours}</td>'
        f'<td>{said}</td><td class="crs-mark"><span aria-hidden="true">{sign}</span> {mark}</td>'
        f"<td>{why}</td></tr>"
    )


def summary_html(commitments: Sequence[Commitment]) -> str:
    """Sum up all decisions of a case.

    Parameters
    ----------
    commitments : sequence of Commitment

    Returns
    -------
    str
        HTML.
    """
    rows = []
    for commitment in commitments:
        grades = "".join(
            f"<div>{escape(line.what)}: {grade_pill(int(line.yours))} "
            f"<span aria-hidden='true'>→</span> table {grade_pill(int(line.table))}</div>"
            for line in commitment.lines
            if line.scale
        )
        orders = [line for line in commitment.lines if not line.scale]
        same = sum(line.agrees for line in orders)
        differing = ", ".join(lower_first(line.what) for line in orders if not line.agrees)
        rows.append(
            f'<tr><th scope="row">{escape(commitment.decision.title)}'
            f'<div class="crs-unit">hour {commitment.decision.at}</div></th><td>{grades}</td>'
            f"<td>{same} of {len(orders)}</td><td>{escape(differing) or 'none'}</td></tr>"
        )
    return (
        '<div class="crs-summary"><div class="crs-form-title">Your decisions</div>'
        '<table class="crs-table"><caption class="crs-visually-hidden">Your decisions beside the '
        'tables\'</caption><thead><tr><th scope="col">Decision</th>'
        '<th scope="col">Grade: yours → table</th><th scope="col">Orders alike</th>'
        f'<th scope="col">Orders that differ</th></tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table></div>"
    )
