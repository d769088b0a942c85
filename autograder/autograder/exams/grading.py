"""Hidden checks of assignment 05, grading."""

from autograder.exam import NO_SLIPS, Concept, Exam, Slip, case
from crs.guidelines import grade, guideline

_DEVICES_WITH_FLOW = ("nasal cannula", "high-flow nasal cannula")


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
    if oxygen == "nasal cannula" and flow_l_min <= 0:
        raise ValueError("flow_l_min must be above 0 with a nasal cannula")
    facts = {
        "temp_c": temp_c,
        "treated": treated and "fever-again" not in slips,
        "hypotension": hypotension,
        "non_vasopressin_pressors": non_vasopressin_pressors,
        "vasopressin": vasopressin,
        "oxygen": oxygen,
        "flow_l_min": flow_l_min,
        "other_cause": other_cause,
    }
    if "vasopressin-counts" in slips and vasopressin:
        facts |= {"non_vasopressin_pressors": non_vasopressin_pressors + 1, "vasopressin": False}
    if "six-is-high" in slips and oxygen in _DEVICES_WITH_FLOW and flow_l_min == 6:
        facts["flow_l_min"] = 6.1
    if "mask-by-flow" in slips and oxygen == "face mask":
        facts["oxygen"] = "nasal cannula"
    if "fever-above" in slips and temp_c == 38.0:
        facts["temp_c"] = 37.9
    verdict = grade(guideline("astct-2019"), facts)
    if "sum" in slips:
        columns: dict[str, int] = {}
        for match in verdict.matches:
            number = int(match.row.gives["grade"])
            columns[match.row.domain] = max(columns.get(match.row.domain, 0), number)
        columns.pop("fever", None)
        return min(4, sum(columns.values())) or verdict.grade
    return verdict.grade


astct_grade = Exam(
    name="astct_grade",
    answer=_astct_grade,
    concepts=(
        Concept(
            "Fever opens the scale",
            2,
            "From which temperature on is it fever, and what if the fever has another cause?",
            (
                case(37.9),
                case(38.0),
                case(39.4),
                case(37.9, oxygen="nasal cannula", flow_l_min=2),
                case(39.0, other_cause=True, hypotension=True),
            ),
        ),
        Concept(
            "After treatment, fever is no longer needed",
            2,
            "Think of a patient who has become afebrile after tocilizumab but still needs support.",
            (
                case(37.0, treated=True, hypotension=True, non_vasopressin_pressors=1),
                case(36.8, treated=True, oxygen="nasal cannula", flow_l_min=3),
                case(37.0, treated=True),
            ),
        ),
        Concept(
            "Hypotension and vasopressors",
            2,
            "Which vasopressor is not counted? And is a vasopressor ever given without hypotension?",
            (
                case(38.5, hypotension=True),
                case(38.5, hypotension=True, non_vasopressin_pressors=1),
                case(38.5, hypotension=True, non_vasopressin_pressors=1, vasopressin=True),
                case(38.5, hypotension=True, non_vasopressin_pressors=2),
                case(38.5, hypotension=True, vasopressin=True),
                case(38.5, non_vasopressin_pressors=3),
            ),
        ),
        Concept(
            "Oxygen",
            2,
            "Is 6 L/min still low flow? Does a flow matter for a mask?",
            (
                case(38.5, oxygen="nasal cannula", flow_l_min=5.9),
                case(38.5, oxygen="nasal cannula", flow_l_min=6),
                case(38.5, oxygen="nasal cannula", flow_l_min=6.1),
                case(38.5, oxygen="blow-by"),
                case(38.5, oxygen="face mask", flow_l_min=5),
                case(38.5, oxygen="Venturi mask", flow_l_min=4),
                case(38.5, oxygen="CPAP"),
                case(38.5, oxygen="ventilator"),
            ),
        ),
        Concept(
            "The worse column decides",
            1,
            "Both columns are graded; which one gives the grade?",
            (
                case(39.5, hypotension=True, oxygen="nasal cannula", flow_l_min=2),
                case(39.5, non_vasopressin_pressors=1, oxygen="nasal cannula", flow_l_min=2),
                case(39.5, hypotension=True, oxygen="BiPAP"),
            ),
        ),
        Concept(
            "Invalid input",
            1,
            "The text lists which values raise a ValueError.",
            (
                case(38.5, oxygen="oxygen tent"),
                case(38.5, non_vasopressin_pressors=-1),
                case(38.5, oxygen="nasal cannula", flow_l_min=-2),
                case(38.5, oxygen="nasal cannula", flow_l_min=0),
            ),
        ),
    ),
    slips=(
        Slip("fever-again", "asks for fever again after tocilizumab or an antipyretic"),
        Slip("vasopressin-counts", "counts vasopressin as one of several vasopressors"),
        Slip("six-is-high", "takes 6 L/min for high flow, but low flow includes 6"),
        Slip("mask-by-flow", "grades a face mask by its flow, as if it were a cannula"),
        Slip("fever-above", "asks for a temperature above 38.0 °C, but 38.0 is fever"),
        Slip("sum", "adds the grades of the columns instead of taking the worse one"),
    ),
)
