"""What a guideline file may say: frozen records, checked on load."""

from dataclasses import field
from typing import Annotated, Literal

from crs.checked_yaml import ProblemAt, limits, parsed_by
from crs.checked_yaml import Record as Record  # for whoever reads files of other kinds
from crs.guidelines.conditions import Comparison, Condition, Group, comparisons, parse_condition

Status = Literal["read", "recalled", "convention"]
Kind = Literal["grading-scale", "decision-table", "lookup-table"]
Scalar = bool | float | str

REQUIRED_RESULTS: dict[str, set[str]] = {
    "grading-scale": {"grade"},
    "decision-table": {"action", "reason"},
    "lookup-table": set(),
}


def _condition(raw: object) -> Condition:
    return raw if isinstance(raw, Comparison | Group) else parse_condition(raw)


class Source(Record):
    """Where a table was published.

    Attributes
    ----------
    authors, title, journal : str
        As cited. ``journal`` is the publisher for a label.
    year : int or None
        None for a page that bears no date.
    where : str
        The table or section that holds the rules.
    doi, url : str or None
        One of them, where there is one.
    """

    authors: str
    title: str
    journal: str
    year: int | None = None
    where: str
    doi: str | None = None
    url: str | None = None

    @property
    def citation(self) -> str:
        """One line: authors, title, journal, year, DOI or address."""
        year = self.year or "(no date)"
        place = f" doi:{self.doi}" if self.doi else f" {self.url}" if self.url else ""
        return f"{self.authors} {self.title}. {self.journal} {year}.{place}"


class Input(Record):
    """One thing that must be known to apply a table.

    Attributes
    ----------
    name, meaning : str
        The name that conditions use, and what it means at the bedside.
    kind : {"number", "integer", "boolean", "choice"}
        What values it takes.
    unit : str
        Empty for yes-or-no and choices.
    minimum, maximum : float or None
        Inclusive range of a number.
    above : float or None
        Exclusive lower bound, where zero itself makes no sense, as for a weight.
    choices : tuple of str
        The words of a choice.
    default : bool, float, str or None
        Used when the input is not given; None makes it required.
    """

    name: str
    meaning: str
    kind: Literal["number", "integer", "boolean", "choice"]
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    default: Scalar | None = None

    @property
    def allowed(self) -> str:
        """What values are accepted, in words."""
        if self.kind == "boolean":
            return "True or False"
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        number = "a whole number" if self.kind == "integer" else "a number"
        unit = f" {self.unit}" if self.unit else ""
        if self.above is not None and self.maximum is not None:
            return f"{number} above {self.above:g} and up to {self.maximum:g}{unit}"
        if self.above is not None:
            return f"{number} above {self.above:g}{unit}"
        if self.minimum is not None and self.maximum is not None:
            return f"{number} from {self.minimum:g} to {self.maximum:g}{unit}"
        if self.minimum is not None:
            return f"{number} of at least {self.minimum:g}{unit}"
        return f"{number}{unit}"

    def __post_init__(self) -> None:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("'choices' goes with kind 'choice', and only with it")
        if self.above is not None and self.minimum is not None:
            raise ValueError("give 'above' (exclusive) or 'minimum' (inclusive), not both")
        fits = {
            "boolean": isinstance(self.default, bool),
            "choice": self.default in self.choices,
        }.get(self.kind, isinstance(self.default, float) and not isinstance(self.default, bool))
        if self.default is not None and not fits:
            raise ValueError(f"the default {self.default!r} is not {self.allowed}")


class Row(Record):
    """One rule: when it applies, and what follows.

    Attributes
    ----------
    id : str
        Short name, unique within the table.
    text : str
        The rule in words, as a clinician would read it.
    when : Condition
        The rule as a condition on the inputs.
    gives : mapping
        What follows: ``grade`` for a scale; ``action``, ``reason`` (and ``replaces``) for a
        decision table; any named values for a lookup table.
    domain : str
        The column that the rule belongs to, such as "hypotension".
    status : {"read", "recalled", "convention"}
        Read in a source, stated from memory, or agreed by this course.
    note : str
        Conflicts between sources and other remarks.
    """

    id: str
    text: str
    when: Annotated[Condition, parsed_by(_condition)]
    gives: dict[str, Scalar]
    domain: str = ""
    status: Status
    note: str = ""


class Gate(Record):
    """What must hold before any row applies; without it the grade on a scale is 0."""

    text: str
    when: Annotated[Condition, parsed_by(_condition)]
    status: Status
    note: str = ""


class Refusal(Record):
    """Inputs that are each allowed, but not together.

    Attributes
    ----------
    when : Condition
        The combination that no rule can be applied to.
    input : str
        The input that the message names.
    allowed : str
        What would have been accepted, in words.
    """

    when: Annotated[Condition, parsed_by(_condition)]
    input: str
    allowed: str


class Constant(Record):
    """A number that belongs to a table without being a row, such as a maximum dose."""

    value: float
    unit: str
    text: str
    status: Status
    note: str = ""


class Guideline(Record):
    """One table of clinical rules with its source.

    Attributes
    ----------
    id, title, short_title, edition : str
        Names of the table.
    kind : {"grading-scale", "decision-table", "lookup-table"}
        How its rows are read: the highest grade that is met, every row that is met in order,
        or the first row that is met.
    source : Source
        Where it was published.
    further_sources : tuple of Source
        Others that were used, or that disagree.
    inputs : tuple of Input
        What must be known.
    refused : tuple of Refusal
        Combinations of inputs that no rule can be applied to.
    gate : Gate or None
        What must hold before any row applies.
    rows : tuple of Row
        The rules.
    constants : mapping of str to Constant
        Numbers that hold for the whole table.
    notes : tuple of str
        What to know before use: conflicts, limits, what the table leaves out.
    """

    id: str
    title: str
    short_title: str
    edition: str
    kind: Kind
    source: Source
    further_sources: tuple[Source, ...] = ()
    inputs: tuple[Input, ...] = ()
    refused: tuple[Refusal, ...] = ()
    gate: Gate | None = None
    rows: Annotated[tuple[Row, ...], limits(min_length=1)]
    constants: dict[str, Constant] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = {item.name: item for item in self.inputs}
        produced = {row.gives.get("action") for row in self.rows}
        seen: set[str] = set()
        for position, row in enumerate(self.rows):
            if row.id in seen:
                raise ProblemAt(("rows", position, "id"), f"two rows are called {row.id!r}")
            seen.add(row.id)
            problem = _result_problem(self.kind, row.gives, produced)
            if problem:
                raise ProblemAt(("rows", position, "gives"), problem)
        conditions: list[tuple[tuple[str | int, ...], Condition]] = [
            (("rows", position, "when"), row.when) for position, row in enumerate(self.rows)
        ]
        conditions += [
            (("refused", position, "when"), refusal.when)
            for position, refusal in enumerate(self.refused)
        ]
        if self.gate is not None:
            conditions.append((("gate", "when"), self.gate.when))
        for location, condition in conditions:
            for comparison in comparisons(condition):
                problem = _comparison_problem(comparison, known)
                if problem:
                    raise ProblemAt(location, problem)
        for position, refusal in enumerate(self.refused):
            if refusal.input not in known:
                problem = f"{refusal.input!r} is not among the inputs"
                raise ProblemAt(("refused", position, "input"), problem)

    def row(self, row_id: str) -> Row:
        """Return the row with this id."""
        return next(row for row in self.rows if row.id == row_id)


def _result_problem(kind: Kind, gives: dict[str, Scalar], produced: set[Scalar | None]) -> str:
    missing = REQUIRED_RESULTS[kind] - set(gives)
    if missing:
        return f"a row of a {kind} gives {', '.join(sorted(missing))}"
    if kind == "grading-scale" and (
        isinstance(gives["grade"], bool) or gives["grade"] not in (1, 2, 3, 4)
    ):
        return f"a grade is a whole number from 1 to 4, not {gives['grade']!r}"
    for name in str(gives.get("replaces", "")).split(","):
        if name.strip() and name.strip() not in produced:
            return f"it replaces {name.strip()!r}, which no row gives as its action"
    return ""


def _comparison_problem(comparison: Comparison, known: dict[str, Input]) -> str:
    item = known.get(comparison.input)
    if item is None:
        return (
            f"{comparison.input!r} is not among the inputs; "
            f"add it there, or use one of {', '.join(sorted(known)) or 'none'}"
        )
    words = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    if item.kind == "choice":
        for word in words:
            if word not in item.choices:
                return f"{word!r} is not a choice of {item.name}; it must be {item.allowed}"
    elif item.kind == "boolean" and not isinstance(comparison.value, bool):
        return f"{item.name} is true or false, but is compared with {comparison.value!r}"
    elif item.kind in ("number", "integer") and (
        isinstance(comparison.value, bool) or not isinstance(comparison.value, float)
    ):
        return f"{item.name} is a number, but is compared with {comparison.value!r}"
    return ""
