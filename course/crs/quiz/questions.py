"""Quiz questions: what a file may hold, and what the tables say to it."""

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from crs.checked_yaml import ProblemAt, Record, file_of, ids_in, limits, read_checked
from crs.errors import InvalidInput
from crs.guidelines import grade, guideline, guideline_ids
from crs.guidelines.dosing import recommend, tocilizumab_dose_mg, tocilizumab_timing
from crs.models.infusion import blinatumomab_steady_pg_ml
from crs.models.regimen import Regimen, run_regimen
from crs.models.removal import crp_after_blockade_mg_l, fraction_removed
from crs.models.washout import blinatumomab_half_life_h, cells_left, drug_left
from crs.patients.bedside import BedsideState, facts_of

Answer = tuple[Any, ...]

# What a model can be asked; each takes the numbers of the question, by name.
MODELS: Mapping[str, Callable[..., float]] = {
    "tocilizumab-four-weeks-later-ug-ml": lambda dose_mg, doses, interval_h: (
        run_regimen(Regimen("tocilizumab", dose_mg, interval_h, int(doses))).four_weeks_later
    ),
    "blinatumomab-steady-pg-ml": blinatumomab_steady_pg_ml,
    "blinatumomab-left-percent": lambda hours: 100 * drug_left(hours, blinatumomab_half_life_h()),
    "cells-against-decision": cells_left,
    "crp-mg-l": lambda hours, crp0_mg_l, baseline_mg_l: float(
        crp_after_blockade_mg_l([hours], crp0_mg_l, baseline_mg_l)[0]
    ),
    "removed-percent": lambda exchanged_volume_l, plasma_volume_l: (
        100 * fraction_removed(exchanged_volume_l, plasma_volume_l)
    ),
}


class Check(Record):
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
    model, given : str, dict
        What one of `MODELS` says to these numbers, to two significant digits.
    """

    scales: tuple[str, ...] = ()
    bedside: dict[str, Any] = field(default_factory=dict)
    orders: tuple[str, ...] = ()
    management: dict[str, Any] = field(default_factory=dict)
    weights_kg: tuple[float, ...] = ()
    now_h: float | None = None
    given_h: tuple[float, ...] = ()
    model: str = ""
    given: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ways = [self.scales, self.orders, self.weights_kg, self.now_h is not None, self.model]
        if sum(map(bool, ways)) != 1:
            raise ValueError("give one of scales, orders, weights_kg, now_h and model")
        if self.model and self.model not in MODELS:
            raise ValueError(f"{self.model!r} is none of the models {', '.join(MODELS)}")


class Option(Record):
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


class QuizQuestion(Record):
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

    id: Annotated[str, limits(pattern=r"^[a-z0-9-]+$")]
    stem: str
    meets: str
    options: Annotated[tuple[Option, ...], limits(min_length=3, max_length=5)]
    sources: Annotated[tuple[str, ...], limits(min_length=1)]
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


class QuizFile(Record):
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
    questions: Annotated[tuple[QuizQuestion, ...], limits(min_length=3, max_length=5)]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for position, question in enumerate(self.questions):
            place = ("questions", position)
            if question.id in seen:
                raise ProblemAt((*place, "id"), f"two questions are called {question.id!r}")
            seen.add(question.id)
            if sum(option.right for option in question.options) != 1:
                raise ProblemAt((*place, "options"), "one option must be right, and only one")
            _agree_with_tables(question, place)


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
        Grades, orders, doses in mg, the earliest hour, or what a model says.

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
    if check.model:
        return (float(f"{MODELS[check.model](**check.given):.2g}"),)
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
