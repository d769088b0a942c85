"""Hidden checks of assignment 05, grading."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd

from autograder.answers import same
from autograder.exam import NO_SLIPS, Concept, Exam, Slip, case
from crs.exercises import lee_against_astct
from crs.guidelines import Verdict, dosing, grade, guideline

_BODY_WEIGHT_KG = 70
_CANNULAS = ("nasal cannula", "high-flow nasal cannula")
_MASKS = ("face mask", "non-rebreather", "Venturi mask")
_POSITIVE_PRESSURE = ("CPAP", "BiPAP")


def _lowest_criterion(verdict: Verdict) -> int:
    """Answer like someone who tries the lower grades first and stops at the first that fits."""
    grades = {int(match.row.gives["grade"]) for match in verdict.matches}
    return min(grades - {1}, default=verdict.grade)


def _grade_by_domain(verdict: Verdict) -> dict[str, int]:
    """Find the highest grade that is met in each column of a scale."""
    columns: dict[str, int] = {}
    for match in verdict.matches:
        number = int(match.row.gives["grade"])
        columns[match.row.domain] = max(columns.get(match.row.domain, 0), number)
    return columns


# Norepinephrine equivalent


def _norepinephrine_equivalent(
    norepinephrine_ug_min: float = 0,
    dopamine_ug_kg_min: float = 0,
    epinephrine_ug_min: float = 0,
    phenylephrine_ug_min: float = 0,
    *,
    slips: frozenset[str] = NO_SLIPS,
) -> float:
    if "dopamine-per-minute" in slips:
        dopamine_ug_kg_min *= _BODY_WEIGHT_KG
    if "dopamine-not-halved" in slips:
        dopamine_ug_kg_min *= 2
    if "dopamine-doubled" in slips:
        dopamine_ug_kg_min *= 4
    if "phenylephrine-not-divided" in slips:
        phenylephrine_ug_min *= 10
    if "phenylephrine-multiplied" in slips:
        phenylephrine_ug_min *= 100
    if "factors-swapped" in slips:
        dopamine_ug_kg_min /= 5
        phenylephrine_ug_min *= 5
    if "epinephrine-left-out" in slips:
        epinephrine_ug_min = min(epinephrine_ug_min, 0)
    equivalent = dosing.norepinephrine_equivalent_ug_min(
        norepinephrine_ug_min=norepinephrine_ug_min,
        dopamine_ug_kg_min=dopamine_ug_kg_min,
        epinephrine_ug_min=epinephrine_ug_min,
        phenylephrine_ug_min=phenylephrine_ug_min,
    )
    if "all-per-kilogram" in slips:
        equivalent *= _BODY_WEIGHT_KG
    if "answer-per-kilogram" in slips:
        equivalent /= _BODY_WEIGHT_KG
    return round(equivalent) if "rounded" in slips else equivalent


norepinephrine_equivalent = Exam(
    name="norepinephrine_equivalent",
    answer=_norepinephrine_equivalent,
    concepts=(
        Concept(
            "Norepinephrine and epinephrine",
            2,
            "Both count in full. Is either left out, converted or rounded?",
            (
                case(norepinephrine_ug_min=7),
                case(norepinephrine_ug_min=0.4),
                case(epinephrine_ug_min=3.2),
                case(norepinephrine_ug_min=11.7, epinephrine_ug_min=2.6),
            ),
        ),
        Concept(
            "Dopamine",
            2,
            "Which factor, and does the conversion need a body weight?",
            (
                case(dopamine_ug_kg_min=8),
                case(dopamine_ug_kg_min=2),
                case(dopamine_ug_kg_min=20),
            ),
        ),
        Concept(
            "Phenylephrine",
            2,
            "Which factor, and in which direction?",
            (
                case(phenylephrine_ug_min=180),
                case(phenylephrine_ug_min=30),
            ),
        ),
        Concept(
            "Several drugs, or none",
            1,
            "The parts are added up. A drug that is not given has the rate 0.",
            (
                case(),
                case(9, 6, 3, 130),
                case(2, 4, 1, 60),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            "The text lists which values raise a ValueError. Is each of the four rates checked?",
            (
                case(norepinephrine_ug_min=-1),
                case(dopamine_ug_kg_min=-0.5),
                case(norepinephrine_ug_min=10, epinephrine_ug_min=-2),
                case(norepinephrine_ug_min=10, phenylephrine_ug_min=-20),
            ),
        ),
    ),
    slips=(
        Slip(
            "dopamine-per-minute",
            "multiplies dopamine by a body weight of 70 kg; half its rate in µg/kg/min is already "
            "the equivalent in µg/min",
        ),
        Slip("dopamine-not-halved", "counts dopamine in full instead of half"),
        Slip("dopamine-doubled", "multiplies dopamine by 2 instead of dividing it"),
        Slip("phenylephrine-not-divided", "counts phenylephrine in full instead of a tenth"),
        Slip("phenylephrine-multiplied", "multiplies phenylephrine by 10 instead of dividing it"),
        Slip("factors-swapped", "exchanges the factors of dopamine and phenylephrine"),
        Slip("epinephrine-left-out", "leaves epinephrine out"),
        Slip(
            "all-per-kilogram",
            "multiplies by a body weight of 70 kg; the answer is in µg/min and needs no weight",
        ),
        Slip(
            "answer-per-kilogram",
            "divides by a body weight of 70 kg; the answer is in µg/min, not in µg/kg/min",
        ),
        Slip("rounded", "rounds the answer"),
    ),
)


# High-dose vasopressors


def _is_high_dose_vasopressor(
    hours: float,
    vasopressin: bool = False,
    norepinephrine_ug_min: float = 0,
    dopamine_ug_kg_min: float = 0,
    epinephrine_ug_min: float = 0,
    phenylephrine_ug_min: float = 0,
    *,
    age_years: float = 40,
    slips: frozenset[str] = NO_SLIPS,
) -> bool:
    if age_years < 18 and "adult-numbers-in-child" not in slips:
        raise ValueError("age_years must be 18 or more: the table is for adults")
    rates = {
        "norepinephrine_ug_min": norepinephrine_ug_min,
        "dopamine_ug_kg_min": dopamine_ug_kg_min,
        "epinephrine_ug_min": epinephrine_ug_min,
        "phenylephrine_ug_min": phenylephrine_ug_min,
    }
    dosing.is_high_dose_vasopressor(hours, vasopressin, **rates)  # refuses what is invalid
    if "time-ignored" in slips:
        hours = 3.1
    if "time-above" in slips and hours == 3:
        hours = 2.9
    if "norepinephrine-per-kilogram" in slips:
        rates["norepinephrine_ug_min"] *= _BODY_WEIGHT_KG
    if "rate-above" in slips:
        rates = {name: rate * (1 - 1e-9) for name, rate in rates.items()}
    if "vasopressin-alone" in slips and vasopressin and hours >= 3:
        return True
    if "vasopressin-ignored" in slips:
        vasopressin = False
    if "ten-without-vasopressin" in slips and sum(rate > 0 for rate in rates.values()) > 1:
        vasopressin = True
    if "rates-added-unconverted" in slips and _is_high_dose(
        hours, vasopressin, {"norepinephrine_ug_min": sum(rates.values())}
    ):
        return True
    if "dopamine-in-full" in slips:
        halved = rates["dopamine_ug_kg_min"] / 2
        equivalent = dosing.norepinephrine_equivalent_ug_min(**rates) + halved
        if _is_high_dose(hours, vasopressin, {"norepinephrine_ug_min": equivalent}):
            return True
    if "no-combination" in slips:
        return any(_is_high_dose(hours, False, {name: rate}) for name, rate in rates.items())
    several = sum(rate > 0 for rate in rates.values()) + vasopressin > 1
    if "equivalent-only" in slips or ("own-row-only-alone" in slips and several):
        equivalent = dosing.norepinephrine_equivalent_ug_min(**rates)
        rates = {"norepinephrine_ug_min": equivalent}
    return _is_high_dose(hours, vasopressin, rates)


def _is_high_dose(hours: float, vasopressin: bool, rates: Mapping[str, float]) -> bool:
    return dosing.is_high_dose_vasopressor(hours, vasopressin, **rates)


is_high_dose_vasopressor = Exam(
    name="is_high_dose_vasopressor",
    answer=_is_high_dose_vasopressor,
    concepts=(
        Concept(
            "Time",
            2,
            "For how long must the rate have been needed, and is exactly that long enough?",
            (
                case(2.9, norepinephrine_ug_min=30),
                case(3, norepinephrine_ug_min=30),
                case(0, epinephrine_ug_min=25),
                case(30, phenylephrine_ug_min=250),
            ),
        ),
        Concept(
            "One drug alone",
            3,
            "Each drug has its own limit. Is the limit itself already high-dose?",
            (
                case(5, norepinephrine_ug_min=19.9),
                case(5, norepinephrine_ug_min=20),
                case(5, dopamine_ug_kg_min=9.9),
                case(5, dopamine_ug_kg_min=10),
                case(5, phenylephrine_ug_min=199),
                case(5, phenylephrine_ug_min=200),
                case(5, epinephrine_ug_min=9.9),
                case(5, epinephrine_ug_min=10),
            ),
        ),
        Concept(
            "Several drugs without vasopressin",
            2,
            "Which limit holds for the sum, and is every drug converted before it is added?",
            (
                case(6, norepinephrine_ug_min=12, epinephrine_ug_min=7.9),
                case(6, norepinephrine_ug_min=13, phenylephrine_ug_min=80),
                case(6, norepinephrine_ug_min=6, dopamine_ug_kg_min=8, phenylephrine_ug_min=90),
                case(6, norepinephrine_ug_min=10, phenylephrine_ug_min=120),
                case(6, norepinephrine_ug_min=14, dopamine_ug_kg_min=4, epinephrine_ug_min=5),
            ),
        ),
        Concept(
            "With vasopressin",
            2,
            "Vasopressin lowers a limit. Which one, and is vasopressin alone high-dose?",
            (
                case(6, vasopressin=True),
                case(6, vasopressin=True, norepinephrine_ug_min=9.9),
                case(6, vasopressin=True, norepinephrine_ug_min=11),
                case(6, vasopressin=True, norepinephrine_ug_min=8, dopamine_ug_kg_min=6),
                case(6, vasopressin=True, norepinephrine_ug_min=5, phenylephrine_ug_min=40),
            ),
        ),
        Concept(
            "A drug that meets its own limit",
            1,
            "The convention says what counts whatever else runs.",
            (
                case(4, norepinephrine_ug_min=1, dopamine_ug_kg_min=12),
                case(4, vasopressin=True, dopamine_ug_kg_min=11),
                case(4, norepinephrine_ug_min=1.5, epinephrine_ug_min=11),
                case(4, norepinephrine_ug_min=1, dopamine_ug_kg_min=8, epinephrine_ug_min=8),
            ),
        ),
        Concept(
            "Adults only",
            1,
            "For whom were these limits made?",
            (
                case(5, norepinephrine_ug_min=25, age_years=18),
                case(5, norepinephrine_ug_min=5, age_years=18),
                case(5, norepinephrine_ug_min=25, age_years=17),
                case(5, norepinephrine_ug_min=5, age_years=6),
                case(1, vasopressin=True, epinephrine_ug_min=12, age_years=11),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            "The text lists which values raise a ValueError. Is each of them checked?",
            (
                case(-1, norepinephrine_ug_min=25),
                case(5, norepinephrine_ug_min=-3),
                case(5, dopamine_ug_kg_min=-3),
                case(5, norepinephrine_ug_min=25, epinephrine_ug_min=-3),
                case(1, phenylephrine_ug_min=-30),
            ),
        ),
    ),
    slips=(
        Slip("time-above", "asks for more than 3 hours, but 3 hours are enough"),
        Slip("time-ignored", "does not ask how long the vasopressors have run"),
        Slip("rate-above", "asks for rates above the limits, but the limits themselves count"),
        Slip("vasopressin-ignored", "uses the same limit with and without vasopressin"),
        Slip("vasopressin-alone", "takes vasopressin for high-dose whatever runs beside it"),
        Slip(
            "ten-without-vasopressin",
            "uses the limit of 10 µg/min for combinations without vasopressin, too",
        ),
        Slip("rates-added-unconverted", "adds rates of different drugs without converting them"),
        Slip("dopamine-in-full", "adds dopamine in full instead of half"),
        Slip("no-combination", "looks at each drug alone and never at the combination"),
        Slip(
            "equivalent-only",
            "looks only at the norepinephrine equivalent and not at the limit of each drug",
        ),
        Slip(
            "own-row-only-alone",
            "forgets the limit of a drug as soon as another vasopressor runs beside it",
        ),
        Slip(
            "norepinephrine-per-kilogram",
            "multiplies norepinephrine by a body weight, but the rate is in µg/min already",
        ),
        Slip("adult-numbers-in-child", "judges a child by the limits for adults"),
    ),
    compare=same(true_is_one=True),
)


# ASTCT 2019


def _astct_grade(
    temp_c: float,
    treated: bool = False,
    hypotension: bool = False,
    non_vasopressin_pressors: int = 0,
    vasopressin: bool = False,
    oxygen: str = "room air",
    flow_l_min: float = 0,
    other_cause: bool = False,
    *,
    slips: frozenset[str] = NO_SLIPS,
) -> int:
    facts: dict[str, object] = {
        "temp_c": temp_c,
        "treated": treated,
        "hypotension": hypotension,
        "non_vasopressin_pressors": non_vasopressin_pressors,
        "vasopressin": vasopressin,
        "oxygen": oxygen,
        "flow_l_min": flow_l_min,
        "other_cause": other_cause,
    }
    scale = guideline("astct-2019")
    grade(scale, facts)  # refuses what is invalid
    if "fever-above" in slips and temp_c == 38.0:
        facts["temp_c"] = 37.9
    if "fever-again" in slips:
        facts["treated"] = False
    if "fever-not-needed" in slips:
        facts["treated"] = True
    if "treated-is-grade-1" in slips and facts["treated"]:
        facts["temp_c"] = 38.0
    if "other-cause-ignored" in slips:
        facts["other_cause"] = False
    if "vasopressor-needs-hypotension" in slips and not hypotension:
        facts |= {"non_vasopressin_pressors": 0, "vasopressin": False}
    elif "vasopressin-counts" in slips and vasopressin:
        facts |= {"non_vasopressin_pressors": non_vasopressin_pressors + 1, "vasopressin": False}
    elif "vasopressin-never-counts" in slips:
        facts["vasopressin"] = False
    if "six-is-high" in slips and oxygen in _CANNULAS and flow_l_min == 6:
        facts["flow_l_min"] = 6.1
    if "cannula-by-name" in slips and oxygen == "high-flow nasal cannula":
        facts["flow_l_min"] = 40
    if "mask-by-flow" in slips and oxygen in _MASKS:
        facts |= {"oxygen": "nasal cannula", "flow_l_min": max(flow_l_min, 1)}
    if "blow-by-is-high" in slips and oxygen == "blow-by":
        facts["oxygen"] = "face mask"
    if "only-ventilator-is-4" in slips and oxygen in _POSITIVE_PRESSURE:
        facts["oxygen"] = "face mask"
    verdict = grade(scale, facts)
    columns = _grade_by_domain(verdict)
    columns.pop("fever", None)
    if "sum" in slips:
        return min(4, sum(columns.values())) or verdict.grade
    if "first-column" in slips:
        return columns.get("hypotension", 0) or columns.get("hypoxia", 0) or verdict.grade
    return verdict.grade


astct_grade = Exam(
    name="astct_grade",
    answer=_astct_grade,
    concepts=(
        Concept(
            "Fever opens the scale",
            3,
            "From which temperature on is it fever, and what if the findings have another cause?",
            (
                case(37.9),
                case(38.0),
                case(39.4),
                case(37.9, oxygen="nasal cannula", flow_l_min=2),
                case(37.2, hypotension=True, non_vasopressin_pressors=1),
                case(39.0, other_cause=True, hypotension=True),
                case(36.9, treated=True, other_cause=True, oxygen="CPAP"),
            ),
        ),
        Concept(
            "After treatment, fever is no longer needed",
            4,
            "Think of a patient who has become afebrile after tocilizumab but still needs support.",
            (
                case(37.0, treated=True, hypotension=True, non_vasopressin_pressors=1),
                case(36.8, treated=True, oxygen="nasal cannula", flow_l_min=3),
                case(37.5, treated=True, hypotension=True),
                case(37.0, treated=True),
                case(38.3, treated=True),
            ),
        ),
        Concept(
            "Hypotension and vasopressors",
            4,
            "Which vasopressor is not counted? Is a vasopressor ever given without hypotension?",
            (
                case(38.5, hypotension=True),
                case(38.5, hypotension=True, non_vasopressin_pressors=1),
                case(38.5, hypotension=True, non_vasopressin_pressors=1, vasopressin=True),
                case(38.5, hypotension=True, non_vasopressin_pressors=2),
                case(38.5, hypotension=True, non_vasopressin_pressors=2, vasopressin=True),
                case(38.5, hypotension=True, vasopressin=True),
                case(38.5, non_vasopressin_pressors=1),
                case(38.5, non_vasopressin_pressors=3),
            ),
        ),
        Concept(
            "Oxygen",
            4,
            "Is 6 L/min still low flow? What decides for a cannula, and what for a mask?",
            (
                case(38.5, oxygen="nasal cannula", flow_l_min=0.5),
                case(38.5, oxygen="nasal cannula", flow_l_min=6),
                case(38.5, oxygen="nasal cannula", flow_l_min=6.1),
                case(38.5, oxygen="high-flow nasal cannula", flow_l_min=5),
                case(38.5, oxygen="high-flow nasal cannula", flow_l_min=35),
                case(38.5, oxygen="blow-by"),
                case(38.5, oxygen="face mask", flow_l_min=5),
                case(38.5, oxygen="Venturi mask", flow_l_min=4),
                case(38.5, oxygen="non-rebreather", flow_l_min=15),
                case(38.5, oxygen="CPAP"),
                case(38.5, oxygen="BiPAP"),
                case(38.5, oxygen="ventilator"),
            ),
        ),
        Concept(
            "The worse column decides",
            2,
            "Both columns are graded; which one gives the grade?",
            (
                case(39.5, hypotension=True, oxygen="nasal cannula", flow_l_min=2),
                case(39.5, non_vasopressin_pressors=1, oxygen="nasal cannula", flow_l_min=2),
                case(39.5, hypotension=True, oxygen="ventilator"),
                case(39.5, non_vasopressin_pressors=2, oxygen="face mask", flow_l_min=8),
                case(39.5, hypotension=True, oxygen="face mask", flow_l_min=8),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            "The text lists which values raise a ValueError. Is each of them checked?",
            (
                case(38.5, oxygen="oxygen tent"),
                case(38.5, non_vasopressin_pressors=-1),
                case(38.5, oxygen="nasal cannula", flow_l_min=-2),
                case(38.5, oxygen="nasal cannula", flow_l_min=0),
                case(38.5, oxygen="high-flow nasal cannula"),
                case(101.3),
            ),
        ),
    ),
    slips=(
        Slip("fever-again", "asks for fever again after tocilizumab or an antipyretic"),
        Slip("fever-above", "asks for a temperature above 38.0 °C, but 38.0 is fever"),
        Slip("fever-not-needed", "grades patients who never had fever and were not treated"),
        Slip(
            "treated-is-grade-1",
            "gives a treated patient at least grade 1, even without fever",
        ),
        Slip("other-cause-ignored", "does not ask whether the findings have another cause"),
        Slip("vasopressin-counts", "counts vasopressin as one of several vasopressors"),
        Slip("vasopressin-never-counts", "overlooks vasopressin when it is the only vasopressor"),
        Slip(
            "vasopressor-needs-hypotension",
            "counts vasopressors only where `hypotension` is True, but a vasopressor implies it",
        ),
        Slip("six-is-high", "takes 6 L/min for high flow, but low flow includes 6"),
        Slip(
            "cannula-by-name",
            "goes by the name of the high-flow cannula, but the flow decides for either cannula",
        ),
        Slip("mask-by-flow", "grades a mask by its flow, as if it were a cannula"),
        Slip("blow-by-is-high", "takes blow-by oxygen for high flow"),
        Slip(
            "only-ventilator-is-4",
            "keeps grade 4 for the ventilator, but CPAP and BiPAP are positive pressure, too",
        ),
        Slip("sum", "adds the grades of the columns instead of taking the worse one"),
        Slip(
            "first-column",
            "stops at the hypotension column and does not look whether hypoxia is worse",
        ),
    ),
)


# Lee 2014


def _lee_grade(
    fio2: float = 0.21,
    hypotension: bool = False,
    vasopressors: int = 0,
    high_dose: bool = False,
    organ_toxicity: int = 0,
    transaminitis: int = 0,
    ventilator: bool = False,
    *,
    slips: frozenset[str] = NO_SLIPS,
) -> int:
    facts: dict[str, object] = {
        "fio2": fio2,
        "hypotension": hypotension,
        "vasopressors": vasopressors,
        "high_dose": high_dose,
        "organ_toxicity": organ_toxicity,
        "transaminitis": transaminitis,
        "ventilator": ventilator,
    }
    scale = guideline("lee-2014")
    grade(scale, facts)  # refuses what is invalid
    if "forty-percent-is-low" in slips and fio2 == 0.40:
        facts["fio2"] = 0.39
    if "room-air-is-oxygen" in slips and fio2 == 0.21:
        facts["fio2"] = 0.22
    if "vasopressor-needs-hypotension" in slips and not hypotension:
        facts |= {"vasopressors": 0, "high_dose": False}
    elif "several-at-low-dose" in slips and vasopressors >= 2:
        facts["vasopressors"] = 1
    elif "any-vasopressor-is-3" in slips and vasopressors >= 1:
        facts["vasopressors"] = 2
    if "high-dose-is-4" in slips and high_dose:
        facts["ventilator"] = True
    if "two-vasopressors-are-4" in slips and vasopressors >= 2:
        facts["ventilator"] = True
    if "ventilator-is-3" in slips and ventilator:
        facts |= {"ventilator": False, "fio2": max(fio2, 0.4)}
    if "organ-toxicity-capped" in slips:
        facts["organ_toxicity"] = min(organ_toxicity, 3)
    if "transaminitis-4-is-4" in slips and transaminitis == 4:
        facts["organ_toxicity"] = 4
    if "transaminitis-ignored" in slips:
        facts["transaminitis"] = 0
    if "transaminitis-as-penn" in slips:
        facts["transaminitis"] = max(transaminitis - 1, 0)
    verdict = grade(scale, facts)
    if "lowest-first" in slips:
        return _lowest_criterion(verdict)
    if "starts-at-0" in slips and verdict.grade == 1:
        return 0
    return verdict.grade


lee_grade = Exam(
    name="lee_grade",
    answer=_lee_grade,
    concepts=(
        Concept(
            "Where the scale starts",
            2,
            "What is the grade of a patient with CRS who meets none of the further criteria?",
            (
                case(),
                case(organ_toxicity=1),
                case(transaminitis=1),
                case(organ_toxicity=1, fio2=0.3),
            ),
        ),
        Concept(
            "Oxygen",
            2,
            "From where on is it oxygen therapy, and to which grade does exactly 40 % belong?",
            (
                case(fio2=0.22),
                case(fio2=0.39),
                case(fio2=0.40),
                case(fio2=1.0),
            ),
        ),
        Concept(
            "Hypotension and vasopressors",
            3,
            "One or several? Low dose or high? And is a vasopressor given without hypotension?",
            (
                case(hypotension=True),
                case(hypotension=True, vasopressors=1),
                case(vasopressors=1),
                case(hypotension=True, vasopressors=1, high_dose=True),
                case(hypotension=True, vasopressors=2),
                case(vasopressors=3),
                case(hypotension=True, vasopressors=2, high_dose=True),
            ),
        ),
        Concept(
            "Organ toxicity",
            2,
            "Which grade follows from each grade of organ toxicity?",
            (
                case(organ_toxicity=2),
                case(organ_toxicity=3),
                case(organ_toxicity=4),
                case(organ_toxicity=4, transaminitis=1),
            ),
        ),
        Concept(
            "Transaminitis",
            2,
            "Up to grade 3 it is like any organ toxicity. What is different at grade 4?",
            (
                case(transaminitis=2),
                case(transaminitis=3),
                case(transaminitis=4),
                case(transaminitis=4, organ_toxicity=2),
            ),
        ),
        Concept(
            "Any one criterion is enough",
            2,
            "Several criteria of different grades can be met at once. Which one decides?",
            (
                case(fio2=0.5, ventilator=True),
                case(fio2=0.28, hypotension=True, organ_toxicity=1),
                case(fio2=0.45, hypotension=True, vasopressors=1),
                case(hypotension=True, vasopressors=2, organ_toxicity=2),
                case(hypotension=True, ventilator=True, transaminitis=3),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            "The text lists which values raise a ValueError. Is each of them checked?",
            (
                case(fio2=0.2),
                case(fio2=1.1),
                case(fio2=40),
                case(vasopressors=-1),
                case(organ_toxicity=5),
                case(organ_toxicity=-1),
                case(transaminitis=5),
                case(transaminitis=-1),
            ),
        ),
    ),
    slips=(
        Slip(
            "forty-percent-is-low", "puts exactly 40 % oxygen below the limit, but 0.40 reaches it"
        ),
        Slip(
            "room-air-is-oxygen", "takes an FiO₂ of 0.21 for oxygen therapy, but that is room air"
        ),
        Slip(
            "vasopressor-needs-hypotension",
            "counts vasopressors only where `hypotension` is True, but a vasopressor implies it",
        ),
        Slip(
            "several-at-low-dose",
            "asks for a high dose even where several vasopressors run; several are enough",
        ),
        Slip(
            "any-vasopressor-is-3",
            "gives grade 3 for any vasopressor, as ASTCT does; Lee has grade 2 for one at low dose",
        ),
        Slip("high-dose-is-4", "gives grade 4 for high-dose vasopressors, as Penn does"),
        Slip("two-vasopressors-are-4", "gives grade 4 for two vasopressors, as ASTCT does"),
        Slip("ventilator-is-3", "takes the ventilator for one more form of oxygen"),
        Slip(
            "organ-toxicity-capped",
            "applies the exception for transaminitis to every organ toxicity",
        ),
        Slip(
            "transaminitis-4-is-4",
            "gives grade 4 for transaminitis of grade 4, which is the one exception",
        ),
        Slip("transaminitis-ignored", "leaves transaminitis out"),
        Slip("transaminitis-as-penn", "grades transaminitis one lower, as Penn does"),
        Slip("lowest-first", "stops at the lowest criterion that is met; the highest decides"),
        Slip("starts-at-0", "gives 0 where no criterion is met, but a patient with CRS has 1"),
    ),
)


# Penn


def _penn_grade(
    hospitalized: bool = False,
    creatinine: int = 0,
    transaminitis: int = 0,
    hypotension: bool = False,
    fluid_boluses: int = 0,
    vasopressors: int = 0,
    high_dose: bool = False,
    coagulopathy: bool = False,
    oxygen: str = "room air",
    *,
    slips: frozenset[str] = NO_SLIPS,
) -> int:
    facts: dict[str, object] = {
        "hospitalized": hospitalized,
        "creatinine": creatinine,
        "transaminitis": transaminitis,
        "hypotension": hypotension,
        "fluid_boluses": fluid_boluses,
        "vasopressors": vasopressors,
        "high_dose": high_dose,
        "coagulopathy": coagulopathy,
        "oxygen": oxygen,
    }
    scale = guideline("penn-2018")
    grade(scale, facts)  # refuses what is invalid
    # Grade 2 and grade 4 each have one criterion that stands for "whatever makes it so".
    grade_2, grade_4 = {"hospitalized": True}, {"oxygen": "ventilator"}
    if "hospital-ignored" in slips:
        facts["hospitalized"] = False
    if "low-flow-is-2" in slips and oxygen in ("nasal cannula", "blow-by"):
        facts |= {"oxygen": "room air", **grade_2}
    if "positive-pressure-is-4" in slips and oxygen in _POSITIVE_PRESSURE:
        facts |= grade_4
    if "one-bolus-is-enough" in slips and fluid_boluses == 1:
        facts["fluid_boluses"] = 2
    if "hypotension-is-2" in slips and hypotension:
        facts |= grade_2
    if "vasopressor-needs-hypotension" in slips and not hypotension:
        facts |= {"vasopressors": 0, "high_dose": False}
    elif "low-dose-is-2" in slips and vasopressors == 1 and not high_dose:
        facts |= {"vasopressors": 0, **grade_2}
    if "several-vasopressors-are-4" in slips and vasopressors >= 2:
        facts |= grade_4
    if "high-dose-is-3" in slips:
        facts["high_dose"] = False
    if "transaminitis-as-creatinine" in slips:
        facts["creatinine"] = max(creatinine, transaminitis)
    if "creatinine-as-transaminitis" in slips:
        facts |= {"creatinine": 0, "transaminitis": max(creatinine, transaminitis)}
    if "creatinine-4-is-4" in slips and creatinine == 4:
        facts |= grade_4
    if "coagulopathy-ignored" in slips:
        facts["coagulopathy"] = False
    verdict = grade(scale, facts)
    if "lowest-first" in slips:
        return _lowest_criterion(verdict)
    if "starts-at-0" in slips and verdict.grade == 1:
        return 0
    return verdict.grade


penn_grade = Exam(
    name="penn_grade",
    answer=_penn_grade,
    concepts=(
        Concept(
            "Where the scale starts",
            1,
            "What is the grade of a patient with CRS who meets none of the further criteria?",
            (
                case(),
                case(creatinine=1),
                case(transaminitis=1),
                case(creatinine=2, transaminitis=1),
            ),
        ),
        Concept(
            "Oxygen",
            3,
            "Is there any oxygen in grade 2? And which device alone is grade 4?",
            (
                case(oxygen="nasal cannula"),
                case(oxygen="blow-by"),
                case(oxygen="high-flow nasal cannula"),
                case(oxygen="Venturi mask"),
                case(oxygen="CPAP"),
                case(oxygen="BiPAP"),
                case(oxygen="ventilator"),
            ),
        ),
        Concept(
            "Hypotension and fluids",
            2,
            "How many boluses are multiple boluses, and what is hypotension with fewer?",
            (
                case(hypotension=True),
                case(hypotension=True, fluid_boluses=1),
                case(hypotension=True, fluid_boluses=2),
                case(hypotension=True, fluid_boluses=3),
                case(hypotension=True, fluid_boluses=1, hospitalized=True),
            ),
        ),
        Concept(
            "Vasopressors",
            3,
            "Does the number decide here, or the dose?",
            (
                case(hypotension=True, vasopressors=1),
                case(vasopressors=1),
                case(hypotension=True, vasopressors=3),
                case(hypotension=True, vasopressors=1, high_dose=True),
                case(hypotension=True, vasopressors=2, high_dose=True),
            ),
        ),
        Concept(
            "Creatinine and transaminases",
            2,
            "The two are not read off the same way. Which one weighs more?",
            (
                case(creatinine=2),
                case(creatinine=3),
                case(creatinine=4),
                case(creatinine=2, transaminitis=2),
                case(transaminitis=3),
                case(transaminitis=4),
            ),
        ),
        Concept(
            "Hospital and coagulopathy",
            1,
            "Each of the two is a criterion by itself.",
            (
                case(hospitalized=True),
                case(coagulopathy=True),
            ),
        ),
        Concept(
            "Any one criterion is enough",
            1,
            "Several criteria of different grades can be met at once. Which one decides?",
            (
                case(hospitalized=True, coagulopathy=True),
                case(hospitalized=True, oxygen="ventilator"),
                case(creatinine=2, transaminitis=4),
                case(hospitalized=True, creatinine=2),
                case(oxygen="face mask", vasopressors=1, hypotension=True, high_dose=True),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            "The text lists which values raise a ValueError. Is each of them checked?",
            (
                case(oxygen="oxygen tent"),
                case(creatinine=5),
                case(creatinine=-1),
                case(transaminitis=5),
                case(transaminitis=-1),
                case(hypotension=True, fluid_boluses=-1),
                case(hypotension=True, vasopressors=-1),
            ),
        ),
    ),
    slips=(
        Slip("hospital-ignored", "leaves treatment in hospital out"),
        Slip("low-flow-is-2", "gives grade 2 for low-flow oxygen, as ASTCT does"),
        Slip("positive-pressure-is-4", "gives grade 4 for CPAP and BiPAP, as ASTCT does"),
        Slip("one-bolus-is-enough", "takes one fluid bolus for multiple boluses"),
        Slip("hypotension-is-2", "gives grade 2 for any hypotension, as ASTCT and Lee do"),
        Slip(
            "vasopressor-needs-hypotension",
            "counts vasopressors only where `hypotension` is True, but a vasopressor implies it",
        ),
        Slip("low-dose-is-2", "gives grade 2 for one vasopressor at low dose, as Lee does"),
        Slip("several-vasopressors-are-4", "gives grade 4 for several vasopressors, as ASTCT does"),
        Slip("high-dose-is-3", "does not tell high-dose vasopressors from low-dose ones"),
        Slip("transaminitis-as-creatinine", "reads transaminitis off the row of creatinine"),
        Slip("creatinine-as-transaminitis", "reads creatinine off the row of transaminitis"),
        Slip("creatinine-4-is-4", "gives grade 4 for creatinine of grade 4"),
        Slip("coagulopathy-ignored", "leaves coagulopathy out"),
        Slip("lowest-first", "stops at the lowest criterion that is met; the highest decides"),
        Slip("starts-at-0", "gives 0 where no criterion is met, but a patient with CRS has 1"),
    ),
)


# Worst grade of a course

_TIMELINE_COLUMNS = ("hour", "temp_c", "drug_given", "hypotension_grade", "hypoxia_grade")
_TREATMENTS = ("acetaminophen", "tocilizumab", "dexamethasone")
_COLUMN_GRADES = (0, 2, 3, 4)
_HYPOTENSION_OF: dict[int, dict[str, object]] = {
    0: {},
    2: {"hypotension": True},
    3: {"hypotension": True, "non_vasopressin_pressors": 1},
    4: {"hypotension": True, "non_vasopressin_pressors": 2},
}
_OXYGEN_OF = {0: "room air", 2: "blow-by", 3: "face mask", 4: "CPAP"}


@cache
def _row_grade(febrile: bool, treated: bool, hypotension_grade: int, hypoxia_grade: int) -> int:
    facts = {
        "temp_c": 38.0 if febrile else 37.0,
        "treated": treated,
        "oxygen": _OXYGEN_OF[hypoxia_grade],
        **_HYPOTENSION_OF[hypotension_grade],
    }
    return grade(guideline("astct-2019"), facts).grade


def _worst_grade(
    timeline: pd.DataFrame, *, slips: frozenset[str] = NO_SLIPS
) -> tuple[int, int | None]:
    values = zip(*(timeline[name].tolist() for name in _TIMELINE_COLUMNS), strict=True)
    rows = [dict(zip(_TIMELINE_COLUMNS, row, strict=True)) for row in values]
    for row in rows:
        for column in ("hypotension_grade", "hypoxia_grade"):
            if row[column] not in _COLUMN_GRADES:
                raise ValueError(f"{column} must be 0, 2, 3 or 4")
    if "order-as-given" not in slips:
        rows.sort(key=lambda row: row["hour"])
    seen_fever = treated = False
    grades: list[int] = []
    for row in rows:
        febrile = row["temp_c"] > 38.0 if "fever-above" in slips else row["temp_c"] >= 38.0
        first_fever = febrile and not seen_fever
        seen_fever = seen_fever or febrile
        dose = row["drug_given"] in _TREATMENTS or ("any-drug" in slips and row["drug_given"] != "")
        counts = dose and (seen_fever or "premedication" in slips)
        if "first-fever-row-left-out" in slips and first_fever and "premedication" not in slips:
            counts = False
        before = treated
        treated = counts or (treated and "not-carried-forward" not in slips)
        open_without_fever = before if "from-the-next-row" in slips else treated
        if "fever-again" in slips:
            open_without_fever = False
        if "once-febrile-always" in slips and seen_fever:
            open_without_fever = True
        if "fever-not-needed" in slips:
            open_without_fever = True
        number = _row_grade(
            febrile, open_without_fever, row["hypotension_grade"], row["hypoxia_grade"]
        )
        columns = row["hypotension_grade"] + row["hypoxia_grade"]
        grades.append(min(4, columns) if "sum" in slips and number and columns else number)
    worst = max(grades, default=0)
    if worst == 0 and not ("hour-of-nothing" in slips and rows):
        return 0, None
    positions = [position for position, number in enumerate(grades) if number == worst]
    position = positions[-1] if "last-hour" in slips else positions[0]
    return worst, position if "row-number" in slips else rows[position]["hour"]


def _timeline(*rows: tuple[float, float, str, int, int]) -> pd.DataFrame:
    """Build a SYNTHETIC timeline: hour, temperature, drug, hypotension and hypoxia column."""
    return pd.DataFrame(list(rows), columns=list(_TIMELINE_COLUMNS))


worst_grade = Exam(
    name="worst_grade",
    answer=_worst_grade,
    concepts=(
        Concept(
            "Fever opens the course",
            2,
            "From which temperature on is it fever? And what of a row without fever, as long as "
            "nothing has been given?",
            (
                case(_timeline((0, 37.0, "", 0, 0), (1, 38.0, "", 0, 0), (2, 38.0, "", 2, 0))),
                case(_timeline((0, 37.9, "", 3, 0), (1, 37.9, "", 0, 4), (2, 38.4, "", 0, 0))),
                case(
                    _timeline(
                        (0, 37.5, "", 3, 2),
                        (1, 38.8, "", 2, 0),
                        (2, 37.6, "", 0, 4),
                        (3, 39.0, "", 0, 0),
                    )
                ),
            ),
        ),
        Concept(
            "After treatment, fever is no longer needed",
            3,
            "A treatment holds from its own row on, to the end.",
            (
                case(
                    _timeline(
                        (0, 38.4, "", 0, 0),
                        (1, 38.9, "tocilizumab", 2, 0),
                        (2, 37.3, "", 2, 0),
                        (3, 36.9, "", 3, 2),
                        (4, 36.8, "", 0, 2),
                    )
                ),
                case(
                    _timeline(
                        (0, 39.2, "", 0, 0),
                        (1, 37.6, "dexamethasone", 0, 3),
                        (2, 37.0, "", 0, 2),
                    )
                ),
                case(
                    _timeline(
                        (0, 38.7, "acetaminophen", 0, 0),
                        (1, 37.1, "", 2, 0),
                        (2, 37.2, "", 0, 4),
                        (3, 37.0, "", 0, 0),
                    )
                ),
            ),
        ),
        Concept(
            "Premedication is not treatment",
            3,
            "Which doses come too early to count?",
            (
                case(
                    _timeline(
                        (0, 36.9, "acetaminophen", 0, 0), (1, 37.4, "", 2, 3), (2, 38.1, "", 0, 0)
                    )
                ),
                case(
                    _timeline(
                        (0, 36.8, "dexamethasone", 0, 0),
                        (1, 37.2, "", 3, 0),
                        (2, 38.5, "", 0, 0),
                        (3, 37.4, "", 0, 2),
                    )
                ),
                case(
                    _timeline(
                        (0, 37.0, "acetaminophen", 0, 0),
                        (1, 38.2, "", 2, 0),
                        (2, 37.5, "", 4, 0),
                        (3, 38.1, "", 3, 0),
                    )
                ),
            ),
        ),
        Concept(
            "Which drugs count",
            1,
            "The text lists the drugs that count as treatment.",
            (
                case(
                    _timeline((0, 38.6, "cefepime", 0, 0), (1, 37.3, "", 3, 0), (2, 38.4, "", 0, 2))
                ),
                case(
                    _timeline(
                        (0, 38.6, "", 0, 0),
                        (1, 37.3, "cefepime", 0, 4),
                        (2, 38.1, "acetaminophen", 3, 0),
                        (3, 37.0, "", 2, 0),
                    )
                ),
            ),
        ),
        Concept(
            "The worst grade, and the first hour of it",
            3,
            "Both columns count, and a grade can be reached more than once.",
            (
                case(
                    _timeline(
                        (4, 38.5, "", 2, 0),
                        (10, 39.0, "", 2, 3),
                        (16, 39.5, "", 3, 2),
                        (22, 38.2, "", 0, 0),
                    )
                ),
                case(_timeline((3, 38.1, "", 0, 0), (5, 38.3, "", 0, 0), (8, 38.2, "", 0, 0))),
                case(_timeline((6, 38.9, "", 2, 2), (12, 39.3, "", 2, 2), (18, 38.0, "", 0, 2))),
                case(_timeline((1, 36.8, "", 0, 0), (9, 36.9, "", 0, 0))),
            ),
        ),
        Concept(
            "Order in time",
            1,
            "The rows may come in any order.",
            (
                case(
                    _timeline(
                        (18, 38.4, "", 3, 0),
                        (6, 38.2, "", 0, 0),
                        (12, 38.9, "", 3, 0),
                        (24, 37.6, "", 0, 0),
                    )
                ),
                case(
                    _timeline(
                        (20, 36.9, "", 4, 0),
                        (2, 37.0, "acetaminophen", 0, 0),
                        (14, 37.4, "tocilizumab", 2, 0),
                        (8, 38.3, "", 0, 0),
                    )
                ),
            ),
        ),
        Concept(
            "Invalid input, and an empty table",
            1,
            "The text lists which values raise a ValueError, and what an empty table gives.",
            (
                case(_timeline((0, 38.5, "", 1, 0))),
                case(_timeline((0, 38.5, "", 0, 0), (6, 38.5, "", 0, 5))),
                case(_timeline((0, 36.5, "", 0, 0), (6, 36.5, "", -2, 0))),
                case(_timeline()),
            ),
        ),
    ),
    slips=(
        Slip("fever-again", "asks for fever again after treatment"),
        Slip("premedication", "takes premedication, given before the first fever, for treatment"),
        Slip("not-carried-forward", "forgets a treatment in the rows after the dose"),
        Slip("from-the-next-row", "counts a treatment only from the row after the dose on"),
        Slip(
            "first-fever-row-left-out",
            "overlooks a treatment that is given in the row of the first fever",
        ),
        Slip("any-drug", "takes every drug for a treatment of CRS, an antibiotic, too"),
        Slip(
            "once-febrile-always",
            "grades rows without fever although nothing has been given, because fever was there "
            "once",
        ),
        Slip("fever-not-needed", "takes the columns as they are and never asks for fever"),
        Slip("fever-above", "asks for a temperature above 38.0 °C, but 38.0 is fever"),
        Slip("last-hour", "gives the last hour of the worst grade instead of the first"),
        Slip("order-as-given", "takes the rows in the order given instead of the order of hours"),
        Slip("row-number", "gives the number of the row instead of the hour"),
        Slip("hour-of-nothing", "gives an hour where there was no CRS at all"),
        Slip("sum", "adds the grades of the columns instead of taking the worse one"),
    ),
    argument_names=("hypotension_grade", "hypoxia_grade", "timeline"),
)


# Weighted kappa


def _weighted_kappa(
    table: pd.DataFrame, weights: str | None = None, *, slips: frozenset[str] = NO_SLIPS
) -> float:
    counts = table.to_numpy(dtype=float)
    size = len(counts)
    if counts.shape != (size, size):
        raise ValueError("table must have as many rows as columns")
    if weights not in (None, "quadratic"):
        raise ValueError("weights must be None or 'quadratic'")
    total = counts.sum()
    if total == 0:
        raise ValueError("table must count at least one patient")
    if "weights-ignored" in slips:
        weights = None
    if "always-quadratic" in slips:
        weights = "quadratic"
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    if weights is None:
        disagreement = (distance > 0).astype(float)
    else:
        disagreement = distance.astype(float) if "linear" in slips else distance**2.0
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    if "row-totals-twice" in slips:
        columns = rows
    if "column-totals-twice" in slips:
        rows = columns
    expected = np.outer(rows, columns) / total
    if "even-chance" in slips:
        expected = np.full((size, size), total / size**2)
    by_chance = float((disagreement * expected).sum())
    if by_chance == 0:
        raise ValueError("table must not hold all patients in one category")
    observed = float((disagreement * counts).sum())
    if "agreement-only" in slips:
        return 1 - observed / float(disagreement.max() * total)
    if "disagreement" in slips:
        return observed / by_chance
    return 1 - observed / by_chance


def _square(*rows: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


_WITH_CRS = lee_against_astct().loc[1:, 1:]
_UNEVEN = _square((20, 5, 1), (10, 15, 9), (2, 4, 34))
_FOUR = _square((9, 3, 0, 1), (1, 12, 4, 0), (0, 6, 8, 2), (0, 0, 1, 5))

weighted_kappa = Exam(
    name="weighted_kappa",
    answer=_weighted_kappa,
    concepts=(
        Concept(
            "Unweighted",
            3,
            "Observed disagreement against that expected by chance. Which totals make the "
            "expectation?",
            (
                case(_WITH_CRS),
                case(_UNEVEN),
                case(_square((30, 10), (3, 7))),
            ),
        ),
        Concept(
            "Quadratic weights",
            3,
            "How much more does a difference of two grades weigh than a difference of one?",
            (
                case(_WITH_CRS, "quadratic"),
                case(_UNEVEN, weights="quadratic"),
                case(_FOUR, weights="quadratic"),
            ),
        ),
        Concept(
            "Perfect agreement, and less than chance",
            1,
            "Kappa is 1 at best, and may be below 0.",
            (
                case(_square((11, 0, 0), (0, 4, 0), (0, 0, 6))),
                case(_square((1, 9, 2), (8, 1, 7), (2, 9, 1))),
                case(_square((1, 9, 2), (8, 1, 7), (2, 9, 1)), weights="quadratic"),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            "The text lists which values raise a ValueError. Is each of them checked?",
            (
                case(_square((4, 1, 0), (2, 3, 1))),
                case(_FOUR, weights="linear"),
                case(_square((0, 0), (0, 0))),
                case(_square((0, 0, 0), (0, 25, 0), (0, 0, 0))),
            ),
        ),
    ),
    slips=(
        Slip("weights-ignored", "gives the unweighted kappa whatever `weights` says"),
        Slip("always-quadratic", "gives the quadratic kappa whatever `weights` says"),
        Slip("linear", "weighs by the difference of the grades, not by its square"),
        Slip("row-totals-twice", "makes the expectation from the row totals alone"),
        Slip("column-totals-twice", "makes the expectation from the column totals alone"),
        Slip("even-chance", "expects every pair of grades equally often"),
        Slip("agreement-only", "gives the agreement without correcting for chance"),
        Slip("disagreement", "gives the disagreement: the last step, 1 minus it, is missing"),
    ),
)
