"""The dose desk: weight, drug and doses so far; then dose, vials, next time, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from crs.explorers.base import (
    Explorer,
    PictureView,
    choice,
    html_block,
    segments,
    slider_with_field,
)
from crs.figures.dose import (
    DOSES,
    HEAVIEST_KG,
    LIGHTEST_KG,
    STEROIDS,
    DoseClock,
    clock_picture,
    dose_clock,
    dose_picture,
    steroid_picture,
)
from crs.guidelines import guideline
from crs.guidelines.dosing import VialChoice, choose_vials, steroid_equivalent_mg
from crs.guidelines.engine import first_row
from crs.guidelines.schema import Constant, Row, Status
from crs.guidelines.tables import STATUS_WORDS

Rule = tuple[str, Status, str]


@dataclass(frozen=True)
class Advice:
    """What the desk says about one patient and one drug.

    Attributes
    ----------
    drug : str
        Name of the drug.
    weight_kg, dose_mg : float
        The patient, and one dose.
    mg_per_kg : float
        What the row asks for, before any cap.
    capped : bool
        Whether the cap decides.
    vials : VialChoice or None
        Only for tocilizumab.
    clock : DoseClock or None
        Only for tocilizumab.
    because : tuple of (text, status, source)
        The rules that were used.
    """

    drug: str
    weight_kg: float
    dose_mg: float
    mg_per_kg: float
    capped: bool
    vials: VialChoice | None
    clock: DoseClock | None
    because: tuple[Rule, ...]


def advise_tocilizumab(weight_kg: float, given_h: Sequence[float], min_interval_h: float) -> Advice:
    """Work out a dose of tocilizumab for cytokine release syndrome.

    Parameters
    ----------
    weight_kg : float
        Body weight.
    given_h : sequence of float
        Start times of the doses so far, on a clock whose zero is now.
    min_interval_h : float
        Hours from start to start.

    Returns
    -------
    Advice

    Raises
    ------
    InvalidInput
        If the weight or a time is out of range.
    """
    table = guideline("tocilizumab-crs")
    row = first_row(table, {"weight_kg": weight_kg}).row
    dose = DOSES["tocilizumab"](weight_kg)
    rate = float(row.gives["mg_per_kg"])
    capped = dose < rate * weight_kg
    constants = table.constants
    used: list[Row | Constant] = [row]
    if capped:
        used.append(constants["max_dose_mg"])
    standard = min_interval_h == constants["min_interval_h"].value
    used.append(constants["min_interval_h" if standard else "min_interval_cartox_h"])
    used += [constants["max_doses"], constants["max_doses_in_24_h"]]
    sources = {
        "min_interval_cartox_h": table.further_sources[1].citation,
        "max_doses_in_24_h": table.further_sources[0].citation,
    }
    names = {id(constant): name for name, constant in constants.items()}
    return Advice(
        drug="tocilizumab",
        weight_kg=weight_kg,
        dose_mg=dose,
        mg_per_kg=rate,
        capped=capped,
        vials=choose_vials(dose),
        clock=dose_clock(given_h, min_interval_h),
        because=tuple(
            (rule.text, rule.status, sources.get(names.get(id(rule), ""), table.source.citation))
            for rule in used
        ),
    )


def advise_siltuximab(weight_kg: float) -> Advice:
    """Work out the dose of siltuximab, which is given once.

    Parameters
    ----------
    weight_kg : float
        Body weight.

    Returns
    -------
    Advice

    Raises
    ------
    InvalidInput
        If the weight is out of range.
    """
    table = guideline("siltuximab")
    row = first_row(table, {"weight_kg": weight_kg}).row
    rules: tuple[Row | Constant, ...] = (row, table.constants["max_doses"])
    return Advice(
        drug="siltuximab",
        weight_kg=weight_kg,
        dose_mg=DOSES["siltuximab"](weight_kg),
        mg_per_kg=float(row.gives["mg_per_kg"]),
        capped=False,
        vials=None,
        clock=None,
        because=tuple((rule.text, rule.status, table.source.citation) for rule in rules),
    )


class DoseDesk(Explorer):
    """Dose, cap, vials, earliest next time and doses left, and the rules behind them.

    Parameters
    ----------
    weight_kg : float, optional
        The weight to begin with.
    drug : {"tocilizumab", "siltuximab", "corticosteroids"}, optional
        The drug to begin with.
    """

    def __init__(self, weight_kg: float = 70, drug: str = "tocilizumab") -> None:
        limits = guideline("tocilizumab-crs").constants
        label_h = limits["min_interval_h"].value
        cartox_h = limits["min_interval_cartox_h"].value
        self._intervals = {"label": label_h, "cartox": cartox_h}
        most = int(limits["max_doses"].value)
        super().__init__(
            "Dose desk",
            {
                "drug": segments("Drug", ("tocilizumab", "siltuximab", "corticosteroids"), drug),
                "weight_kg": slider_with_field(
                    "Weight", LIGHTEST_KG, HEAVIEST_KG, 0.1, weight_kg, "kg"
                ),
                "interval": segments(
                    "Interval between doses",
                    {"label": f"{label_h:g} h (label)", "cartox": f"{cartox_h:g} h (CARTOX)"},
                    "label",
                ),
                "doses": segments(
                    "Doses given so far", tuple(str(count) for count in range(most + 1)), "1"
                ),
                "since_last_h": slider_with_field("Last dose started", 0, 48, 0.5, 5, "h ago"),
                "gap_h": slider_with_field(
                    "Between the doses", 0, 24, 0.5, label_h, "h", "from start to start"
                ),
                "steroid": choice("Corticosteroid", STEROIDS, "dexamethasone"),
                "steroid_mg": slider_with_field("Its dose", 0.5, 1000, 0.5, 40, "mg"),
            },
            css_class="crs-dose-desk",
        )
        self.card = html_block("crs-dose-card")
        self.weight_view = self.picture()
        self.clock_view = self.picture()
        self.steroid_view = self.picture()
        self.rules = html_block("crs-dose-rules")
        self.compose(
            self.sentence_line,
            self.card,
            self.weight_view,
            self.clock_view,
            self.steroid_view,
            self.rules,
        )

    def given_h(self) -> tuple[float, ...]:
        """Return the start times of the doses so far, on a clock whose zero is now."""
        values = self.values()
        last, gap = -float(values["since_last_h"]), float(values["gap_h"])
        return tuple(sorted(last - number * gap for number in range(int(values["doses"]))))

    def update(self) -> None:
        """Show dose, vials and clock for what is set."""
        values = self.values()
        drug = str(values["drug"])
        self._show_controls(drug, int(values["doses"]))
        steroids = drug == "corticosteroids"
        _show(self.weight_view, not steroids)
        _show(self.clock_view, drug == "tocilizumab")
        _show(self.steroid_view, steroids)
        if steroids:
            self._update_steroids(str(values["steroid"]), float(values["steroid_mg"]))
            return
        weight = float(values["weight_kg"])
        if drug == "tocilizumab":
            interval = self._intervals[str(values["interval"])]
            advice = advise_tocilizumab(weight, self.given_h(), interval)
        else:
            advice = advise_siltuximab(weight)
        self.weight_view.show(dose_picture(drug, weight))
        if advice.clock is not None:
            self.clock_view.show(clock_picture(advice.clock))
        self.card.value = card_html(advice)
        self.rules.value = rules_html(advice.because)
        self.say(advice_sentence(advice))

    def _update_steroids(self, drug: str, dose_mg: float) -> None:
        table = guideline("steroid-equivalence")
        equivalents = {
            name: steroid_equivalent_mg(drug, dose_mg, name) for name in STEROIDS if name != drug
        }
        self.steroid_view.show(steroid_picture(drug, dose_mg))
        self.card.value = ""
        self.rules.value = rules_html(
            tuple((row.text, row.status, table.source.citation) for row in table.rows)
        )
        words = ", ".join(f"{mg:,.4g} mg of {name}" for name, mg in equivalents.items())
        self.say(
            f"{dose_mg:g} mg of {drug} act against inflammation like {words}. "
            "How long they act differs."
        )

    def _show_controls(self, drug: str, doses: int) -> None:
        with self.together():
            tocilizumab = drug == "tocilizumab"
            steroids = drug == "corticosteroids"
            visible = {
                "weight_kg": not steroids,
                "interval": tocilizumab,
                "steroid": steroids,
                "steroid_mg": steroids,
                "doses": tocilizumab,
                "since_last_h": tocilizumab and doses >= 1,
                "gap_h": tocilizumab and doses >= 2,
            }
            for name, shown in visible.items():
                self.controls[name].visible = shown


def advice_sentence(advice: Advice) -> str:
    """Say in words what the desk shows.

    Parameters
    ----------
    advice : Advice

    Returns
    -------
    str
    """
    cap = (
        f"the maximum, less than {advice.mg_per_kg:g} mg/kg"
        if advice.capped
        else f"{advice.mg_per_kg:g} mg/kg"
    )
    dose = f"{advice.dose_mg:,.4g} mg ({cap})"
    words = f"At {advice.weight_kg:g} kg, one dose of {advice.drug} is {dose}."
    if advice.clock is None:
        return f"{words} It is given once."
    early = sum(advice.clock.too_early)
    remark = f" {early} of the doses came too early." if early else ""
    return f"{words} May a dose start now? {advice.clock.verdict.reason}{remark}"


def card_html(advice: Advice) -> str:
    """Lay out dose, vials, next time and doses left as a row of tiles.

    Parameters
    ----------
    advice : Advice

    Returns
    -------
    str
        HTML.
    """
    product = f"{advice.mg_per_kg:g} mg/kg × {advice.weight_kg:g} kg"
    uncapped = advice.mg_per_kg * advice.weight_kg
    how = f"{product} = {uncapped:,.4g} mg, capped" if advice.capped else product
    tiles = [("One dose", f"{advice.dose_mg:,.4g} mg", how)]
    if advice.vials is not None:
        chosen = [f"{count} × {size}" for size, count in advice.vials.counts.items() if count]
        waste = advice.vials.waste_mg
        left_over = f"{waste:,.3g} mg left over" if waste > 0.05 else "nothing left over"
        tiles.append(("Vials (mg)", " + ".join(chosen), left_over))
    if advice.clock is not None:
        verdict = advice.clock.verdict
        earliest = verdict.earliest_next_h
        if earliest is None:
            when, remark = "none", "all doses are given"
        elif earliest <= 0:
            when, remark = "now", "as far as the clock goes"
        else:
            when, remark = f"in {earliest:.4g} h", "at the earliest"
        tiles.append(("Next dose", when, remark))
        given = len(advice.clock.given_h)
        tiles.append(("Doses left", str(verdict.doses_left), f"{given} given"))
    else:
        tiles.append(("Doses", "1", "not repeated"))
    cells = "".join(
        f'<li class="crs-tile"><span class="crs-tile-name">{escape(name)}</span>'
        f'<span class="crs-tile-value">{escape(value)}</span>'
        f'<span class="crs-tile-note">{escape(note)}</span></li>'
        for name, value, note in tiles
    )
    return f'{_STYLE}<ul class="crs-tiles">{cells}</ul>'


def rules_html(rules: Sequence[Rule]) -> str:
    """List the rules that were used, each with its status and source.

    Parameters
    ----------
    rules : sequence of (text, status, source)

    Returns
    -------
    str
        HTML.
    """
    rows = []
    for source, group in groupby(rules, key=lambda rule: rule[2]):
        members = list(group)
        for position, (text, status, _) in enumerate(members):
            cited = f'<td rowspan="{len(members)}">{escape(source)}</td>' if not position else ""
            rows.append(f"<tr><td>{escape(text)}</td><td>{STATUS_WORDS[status]}</td>{cited}</tr>")
    return (
        f'{_STYLE}<table class="crs-table crs-rules"><caption>The rules used here</caption>'
        '<thead><tr><th scope="col">Rule</th><th scope="col">Status</th>'
        f'<th scope="col">Source</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _show(view: PictureView, shown: bool) -> None:
    view.layout.display = None if shown else "none"


_STYLE = """<style>
.crs-tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px;
  margin: 8px 0 14px !important; padding: 0 !important; }
.crs-explorer .crs-tile { display: flex; flex-direction: column; margin: 0; padding: 11px 16px 12px;
  border: 1px solid #d5dde2; border-radius: 8px; background: #fff; list-style: none; }
.crs-tile .crs-tile-name { font-size: 12px; font-weight: 550; color: #55646e; }
.crs-tile .crs-tile-value { font-size: 21px; line-height: 1.4; font-weight: 600;
  letter-spacing: -0.01em; color: #1c2a33; font-variant-numeric: tabular-nums; }
.crs-tile .crs-tile-note { font-size: 12px; line-height: 1.4; color: #55646e; }
.crs-rules { margin-top: 4px; }
.crs-rules td { font-size: 12.5px; }
.crs-rules td:nth-child(2) { white-space: nowrap; color: #55646e; }
.crs-rules td:nth-child(3) { color: #55646e; }
</style>"""
