"""Quiz questions: what a file may hold, and what the tables say to it."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crs.checked_yaml import ProblemAt, file_of, ids_in, read_checked
from crs.errors import InvalidInput
from crs.guidelines import grade, guideline, guideline_ids
from crs.guidelines.dosing import recommend, tocilizumab_dose_mg, tocilizumab_timing
from crs.patients.bedside import BedsideState, facts_of

Answer = tuple[Any, ...]


class _Record(BaseModel):
    """Base of the records: frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Check(_Record):
    """How the tables answer a question; one of the ways is filled in.

    Attributes
    ----------
    scales, bedside : tuple of str, dict
        Grade a bedside state on these scales.
    orders, management : tuple of str, dict
        Which of these orders the management table asks for.
    weights_kg : tuple of float
        Tocilizumab in mg at these weights.
    now_h, given_h : float, tuple of float
        The earliest hour of the next dose of tocilizumab.
    """

    scales: tuple[str, ...] = ()
    bedside: dict[str, Any] = {}
    orders: tuple[str, ...] = ()
    management: dict[str, Any] = {}
    weights_kg: tuple[float, ...] = ()
    now_h: float | None = None
    given_h: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        ways = [bool(self.scales), bool(self.orders), bool(self.weights_kg), self.now_h is not None]
        if sum(ways) != 1:
            raise ValueError("give one of scales, orders, weights_kg and now_h")
        return self


class Option(_Record):
    """One answer to choose.

    Attributes
    ----------
    text, feedback : str
        The answer, and what to say to somebody who chose it.
    right : bool
        Whether it is the right one.
    value : tuple or None
        What the answer comes to, where the tables can check it.
    """

    text: str
    feedback: str
    right: bool = False
    value: tuple[str | float | bool, ...] | None = None


class QuizQuestion(_Record):
    """One question.

    Attributes
    ----------
    id, stem : str
        Short name, and the question.
    meets : str
        The misconception that it meets.
    options : tuple of Option
        Three to five, of which one is right.
    sources : tuple of str
        Ids of guidelines, or citations in words.
    check : Check or None
        How the tables answer it.
    """

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    stem: str
    meets: str
    options: tuple[Option, ...] = Field(min_length=3, max_length=5)
    sources: tuple[str, ...] = Field(min_length=1)
    check: Check | None = None

    @property
    def right(self) -> int:
        """Position of the right option."""
        return next(position for position, option in enumerate(self.options) if option.right)

    @property
    def citations(self) -> tuple[str, ...]:
        """The sources in words."""
        return tuple(
            guideline(source).source.citation if source in guideline_ids() else source
            for source in self.sources
        )


class QuizFile(_Record):
    """The questions of one lesson.

    Attributes
    ----------
    id, title : str
        The lesson's name, and the heading.
    questions : tuple of QuizQuestion
        Three to five.
    """

    id: str
    title: str
    questions: tuple[QuizQuestion, ...] = Field(min_length=3, max_length=5)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        seen: set[str] = set()
        for position, question in enumerate(self.questions):
            place = ("questions", position)
            if question.id in seen:
                raise ProblemAt((*place, "id"), f"two questions are called {question.id!r}")
            seen.add(question.id)
            if sum(option.right for option in question.options) != 1:
                raise ProblemAt((*place, "options"), "one option must be right, and only one")
            _agree_with_tables(question, place)
        return self


def _agree_with_tables(question: QuizQuestion, place: tuple[str | int, ...]) -> None:
    if question.check is None:
        return
    try:
        truth = answer_of_tables(question.check)
    except InvalidInput as error:
        raise ProblemAt((*place, "check"), str(error)) from error
    for position, option in enumerate(question.options):
        where = (*place, "options", position)
        if option.value is None:
            raise ProblemAt(where, "an option of a question with a check needs a value")
        if (option.value == truth) != option.right:
            raise ProblemAt(
                where,
                f"the tables say {truth}, but this option has {option.value} as "
                f"{'right' if option.right else 'wrong'}",
            )


def answer_of_tables(check: Check) -> Answer:
    """Answer a question from the tables.

    Parameters
    ----------
    check : Check

    Returns
    -------
    tuple
        Grades, orders, doses in mg, or the earliest hour.

    Raises
    ------
    InvalidInput
        If the check gives something that no table can be applied to.
    """
    if check.scales:
        facts = facts_of(BedsideState.from_mapping(check.bedside))
        return tuple(float(grade(guideline(scale), facts).grade) for scale in check.scales)
    if check.orders:
        asked_for = {action for action, _ in recommend(check.management)}
        return tuple(order for order in check.orders if order in asked_for)
    if check.weights_kg:
        return tuple(round(tocilizumab_dose_mg(weight), 6) for weight in check.weights_kg)
    assert check.now_h is not None  # the validator asks for one way
    return (tocilizumab_timing(check.now_h, check.given_h).earliest_next_h,)


def question_folder() -> Path:
    """Return the folder that holds the question files."""
    return Path(str(resources.files("crs.quiz"))) / "questions"


@cache
def quiz_ids() -> tuple[str, ...]:
    """Return the ids of all quizzes, which are the file names without their ending."""
    return ids_in(question_folder())


@cache
def load_quiz(quiz_id: str) -> QuizFile:
    """Load the questions of one lesson.

    Parameters
    ----------
    quiz_id : str
        `quiz_ids` lists them.

    Returns
    -------
    QuizFile

    Raises
    ------
    InvalidInput
        If there is no quiz of that id.
    InvalidFile
        If the file does not follow the schema, or disagrees with the tables.
    """
    return read_checked(file_of(question_folder(), "quiz_id", quiz_id), QuizFile)
