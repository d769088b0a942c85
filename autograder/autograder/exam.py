"""Hidden checks that teach: what an exam holds, and how it examines a function.

An exam knows the right answer to each of its cases, the concepts that the cases belong to, and the
known slips: ways in which learners get the rule wrong. It gives points by concept, and when a
learner's answers are those of a known slip, it says which belief that is. It never shows a hidden
input or an expected answer.
"""

import contextlib
import inspect
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

from autograder import calling
from autograder.answers import Compare, same
from autograder.calling import Outcome
from autograder.diagnosis import diagnose
from autograder.report import show

NO_SLIPS: frozenset[str] = frozenset()

_NO_ANSWER = ("slow", "skipped")
_same = same()


@dataclass(frozen=True)
class Case:
    """One call of the learner's function: positional and named arguments."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def case(*args: Any, **kwargs: Any) -> Case:
    """Write a case as the call itself."""
    return Case(args, kwargs)


@dataclass(frozen=True)
class Concept:
    """One thing to understand, worth some points if all its cases are right.

    Attributes
    ----------
    title : str
        Shown to the learner.
    points : float
        What it is worth.
    hint : str
        Shown when it does not hold: where to look, never a hidden input or answer.
    cases : tuple of Case
        They must not all have the same answer, so that a constant earns nothing; cases of invalid
        input alone count only when another concept holds.
    """

    title: str
    points: float
    hint: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Slip:
    """A known way to get the rule wrong.

    Attributes
    ----------
    key : str
        The name under which the exam's ``answer`` function knows it.
    belief : str
        What a function with this slip believes; completes "Your function ...".
    """

    key: str
    belief: str


@dataclass(frozen=True)
class CriticalError:
    """An answer that would harm a patient.

    Attributes
    ----------
    title : str
        What happened, such as "Dose above the maximum".
    debrief : str
        Why it matters and what the rule says.
    is_made : callable
        ``is_made(case, right_outcome, given_outcome) -> bool``.
    cap : float
        The largest fraction of the points that remains.
    """

    title: str
    debrief: str
    is_made: Callable[[Case, Outcome, Outcome], bool]
    cap: float = 0.5


@dataclass(frozen=True)
class ConceptResult:
    """How one concept went."""

    concept: Concept
    right: int
    holds: bool


@dataclass(frozen=True)
class Result:
    """What an examination found.

    Attributes
    ----------
    name : str
        Of the function.
    points, score : float
        Attainable and attained; the score is finite, rounded, and within [0, points].
    concepts : tuple of ConceptResult
        In the order of the exam.
    hints : tuple of str
        Sentences for the learner, the most telling first.
    critical : tuple of CriticalError
        Those that were made.
    slips : tuple of str
        Keys of the slips that were recognized. Of models that the cases cannot tell apart, the
        first.
    judged : bool
        Whether there were answers to judge. Where not, as in an exercise that has not been started,
        the hints of the concepts would say nothing.
    """

    name: str
    points: float
    score: float
    concepts: tuple[ConceptResult, ...] = ()
    hints: tuple[str, ...] = ()
    critical: tuple[CriticalError, ...] = ()
    slips: tuple[str, ...] = ()
    judged: bool = False


class ExamError(Exception):
    """An exam whose own answer function fails: a fault of ours, never of a learner."""


@dataclass(frozen=True)
class Exam:
    """The hidden check of one exercise.

    Attributes
    ----------
    name : str
        Name of the learner's function.
    answer : callable
        ``answer(*args, slips=frozenset(), **kwargs)``: the right answer, or the answer of someone
        with these slips. A ``ValueError`` means that the input is to be refused.
    concepts : tuple of Concept
        Their points add up to the points of the exercise.
    slips : tuple of Slip
        Known wrong models.
    critical_errors : tuple of CriticalError
        Harmful answers.
    compare : callable
        Whether a given answer is right; see `autograder.answers.same`.
    unit_slips : mapping of float to str
        A constant factor between given and right answers, and what it means.
    argument_names : tuple of str
        Names that a good ValueError mentions; those of the reference by default.
    """

    name: str
    answer: Callable[..., Any]
    concepts: tuple[Concept, ...]
    slips: tuple[Slip, ...] = ()
    critical_errors: tuple[CriticalError, ...] = ()
    compare: Compare = field(default_factory=same)
    unit_slips: Mapping[float, str] = field(default_factory=dict)
    argument_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.argument_names:
            names = tuple(
                name
                for name, parameter in inspect.signature(self.answer).parameters.items()
                if name != "slips" and parameter.kind is not parameter.VAR_KEYWORD
            )
            object.__setattr__(self, "argument_names", names)

    @property
    def points(self) -> float:
        """Points of the whole exercise."""
        return float(sum(concept.points for concept in self.concepts))

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """All cases, concept by concept."""
        return tuple(item for concept in self.concepts for item in concept.cases)

    def answers(self, slips: frozenset[str] = NO_SLIPS) -> tuple[Outcome, ...]:
        """Answer all cases as someone with these slips; without slips, rightly.

        Parameters
        ----------
        slips : frozenset of str
            Keys of slips.

        Returns
        -------
        tuple of Outcome
            One per case.

        Raises
        ------
        ExamError
            If the exam's own answer is neither plain data nor a ValueError.
        """
        if slips not in self._answers:
            calls = [(item.args, item.kwargs) for item in self.cases]
            outcomes = tuple(calling.work_out(self.answer, calls, slips=slips))
            for item, outcome in zip(self.cases, outcomes, strict=True):
                if outcome.kind not in ("value", "refused"):
                    raise ExamError(f"{self.name}{item} with {set(slips)}: {outcome}")
            self._answers[slips] = outcomes
        return self._answers[slips]

    def prepare(self) -> None:
        """Work out all that depends on no learner: the right answers, and those of wrong models."""
        for model in (NO_SLIPS, *self.models):
            self.answers(model)

    @cached_property
    def _answers(self) -> dict[frozenset[str], tuple[Outcome, ...]]:
        return {}

    @cached_property
    def models(self) -> tuple[frozenset[str], ...]:
        """The wrong models: every slip alone, then every pair."""
        keys = [slip.key for slip in self.slips]
        singles = [frozenset({key}) for key in keys]
        return (*singles, *(frozenset(pair) for pair in combinations(keys, 2)))

    def belief(self, key: str) -> str:
        """Say what someone with this slip believes."""
        return next(slip.belief for slip in self.slips if slip.key == key)

    def is_right(self, right: Outcome, given: Outcome) -> bool:
        """Whether an outcome is the right one."""
        if right.kind == "refused":
            return given.kind == "refused"
        return given.kind == "value" and self._equal(right.value, given.value)

    def alike(self, one: Outcome, other: Outcome) -> bool:
        """Whether two outcomes come to the same."""
        if one.kind == "value" and other.kind == "value":
            return self._equal(one.value, other.value)
        return one.kind == other.kind and one.detail == other.detail

    def _equal(self, right: Any, given: Any) -> bool:
        try:
            return self.compare(right, given)
        except Exception:  # an answer of a kind that the comparison did not expect
            return False

    def result(self, function: object) -> Result:
        """Examine a function.

        Parameters
        ----------
        function : object
            The learner's function. Anything else is examined too, and earns nothing.

        Returns
        -------
        Result
        """
        right = self.answers()
        given = self._ask(function)
        marks = [self.is_right(*pair) for pair in zip(right, given, strict=True)]
        concepts = self._concept_results(right, marks)
        critical = tuple(
            error for error in self.critical_errors if self._makes(error, right, given)
        )
        score = sum(item.concept.points for item in concepts if item.holds)
        score = min([score, *(error.cap * self.points for error in critical)])
        findings = diagnose(self, function, right, given)
        return Result(
            self.name,
            self.points,
            min(max(round(float(score), 2), 0.0), self.points),
            concepts,
            findings.hints,
            critical,
            findings.slips,
            findings.judged,
        )

    def examine(self, function: object) -> float:
        """Examine a function, show the findings, and return the score for nbgrader.

        Parameters
        ----------
        function : object
            The learner's function.

        Returns
        -------
        float
            A built-in finite float in [0, points]. This method never raises.
        """
        try:
            result = self.result(function)
        except Exception:
            # A fault of ours must not fail the whole submission; 0 with a sentence is visible.
            result = Result(
                self.name,
                self.points,
                0.0,
                hints=("The check itself broke down. Please tell your instructor.",),
            )
        with contextlib.suppress(Exception):  # whatever became of the display, the score stands
            show(result)
        return result.score

    def _ask(self, function: object) -> list[Outcome]:
        """Ask all cases twice in orders of the exam's own; an unsteady answer is no answer."""
        if not callable(function):
            return [Outcome("odd")] * len(self.cases)
        order = list(range(len(self.cases)))
        random.Random(self.name).shuffle(order)
        deadline = time.monotonic() + calling.SECONDS_IN_ALL

        def ask(cases: Sequence[int]) -> list[Outcome]:
            calls = [(self.cases[index].args, self.cases[index].kwargs) for index in cases]
            return calling.answer_all(function, calls, deadline)

        outcomes = dict(zip(order, ask(order), strict=True))
        # What took too long once will again.
        again = [index for index in reversed(order) if outcomes[index].kind not in _NO_ANSWER]
        for index, second in zip(again, ask(again), strict=True):
            if second.kind not in _NO_ANSWER and not _is_steady(outcomes[index], second):
                outcomes[index] = Outcome("unsteady")
        return [outcomes[index] for index in range(len(self.cases))]

    def _makes(
        self, error: CriticalError, right: Sequence[Outcome], given: Sequence[Outcome]
    ) -> bool:
        def is_made(at: int) -> bool:
            try:
                return error.is_made(self.cases[at], right[at], given[at])
            except Exception:  # an answer of a kind that the rule did not expect harms nobody
                return False

        return any(map(is_made, range(len(self.cases))))

    def _concept_results(
        self, right: Sequence[Outcome], marks: Sequence[bool]
    ) -> tuple[ConceptResult, ...]:
        results: list[ConceptResult] = []
        answers_something = False
        start = 0
        for concept in self.concepts:
            part = slice(start, start + len(concept.cases))
            start = part.stop
            holds = all(marks[part])
            results.append(ConceptResult(concept, sum(marks[part]), holds))
            if holds and any(outcome.kind == "value" for outcome in right[part]):
                answers_something = True
        # A function that refuses everything has not understood what to refuse.
        return tuple(replace(item, holds=item.holds and answers_something) for item in results)


def _is_steady(first: Outcome, second: Outcome) -> bool:
    """Whether a function said the same twice."""
    if first.kind == second.kind == "value":
        return _same(first.value, second.value)
    return (first.kind, first.detail) == (second.kind, second.detail)
