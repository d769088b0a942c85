"""Why a function is wrong: known slips, unit factors, and plain mistakes of form, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from autograder.answers import kind_of
from autograder.calling import Outcome

if TYPE_CHECKING:
    from autograder.exam import Exam

_COMMON_FACTORS = (2.0, 2.205, 10.0, 24.0, 60.0, 100.0, 1_000.0, 1_440.0, 1_000_000.0)

_NOT_STARTED = "Not started yet: the function still raises `NotImplementedError`."


@dataclass(frozen=True)
class Diagnosis:
    """What is to be said about a function.

    Attributes
    ----------
    hints : tuple of str
        Sentences for the learner, the most telling first.
    slips : tuple of str
        Keys of the recognized slips.
    judged : bool
        Whether there was any answer to judge.
    """

    hints: tuple[str, ...]
    slips: tuple[str, ...] = ()
    judged: bool = False


def diagnose(
    exam: Exam, function: object, right: Sequence[Outcome], given: Sequence[Outcome]
) -> Diagnosis:
    """Say what a learner's answers have in common with known ways to be wrong.

    Parameters
    ----------
    exam : Exam
        What was asked.
    function : object
        What the learner handed in.
    right, given : sequence of Outcome
        Right and given outcomes, one per case.

    Returns
    -------
    Diagnosis
    """
    if not callable(function):
        sentence = f"`{exam.name}` is not a function. Define it with `def {exam.name}(...)`."
        return Diagnosis((sentence,))
    if all(item.detail == "NotImplementedError" for item in given):
        return Diagnosis((_NOT_STARTED,))
    remarks = _remarks(exam, right, given)
    if all(map(exam.is_right, right, given)):
        return Diagnosis(remarks, judged=True)
    form = _form(exam, function, right, given)
    answers = [item.value for item in given if item.kind == "value"]
    if not any(item is not None for item in answers):
        judged = any(item.kind == "refused" for item in given)
        return Diagnosis((*form, *remarks), judged=judged)
    beliefs, slips = _recognize(exam, right, given)
    if not beliefs:
        beliefs = _one_answer(right, given) or _factor(exam, right, given)
    return Diagnosis((*beliefs, *form, *remarks), slips, judged=True)


def _recognize(
    exam: Exam, right: Sequence[Outcome], given: Sequence[Outcome]
) -> tuple[list[str], tuple[str, ...]]:
    """Find the models whose answers the learner gave.

    Who forgets to refuse invalid input is told so by that concept, and may hold a model besides:
    where the model refuses as it should, what the learner gave does not matter.
    """
    cases = range(len(right))
    asked = [at for at in cases if right[at].kind == "value"]

    def apart(model: frozenset[str]) -> list[int]:
        """Where a model is wrong."""
        answers = exam.answers(model)
        return [at for at in cases if not exam.is_right(right[at], answers[at])]

    def fits(model: frozenset[str], where: Sequence[int]) -> bool:
        answers = exam.answers(model)
        return all(exam.alike(answers[at], given[at]) for at in where)

    ranked: dict[frozenset[str], tuple[int, int]] = {}
    for model in exam.models:
        if len(model) > 1 and (-len(cases), 1) in ranked.values():
            break  # one slip explains every answer
        wrong = apart(model)
        if wrong and fits(model, [*asked, *wrong]):
            # The closest fit, with the fewest slips.
            ranked[model] = (-sum(fits(model, [at]) for at in cases), len(model))
    if ranked:
        # Models that the cases cannot tell apart are named together.
        models = [model for model in ranked if ranked[model] == min(ranked.values())]
        sentences = [
            ", and it ".join(exam.belief(key) for key in sorted(model)) for model in models
        ]
        return [f"Your function {', or it '.join(sentences)}."], tuple(sorted(models[0]))
    found: list[str] = []
    for slip in exam.slips:
        model = frozenset({slip.key})
        wrong = apart(model)
        answers = exam.answers(model)
        varied = any(not exam.alike(answers[wrong[0]], answers[at]) for at in wrong[1:])
        if varied and fits(model, wrong):
            found.append(slip.key)
    return [f"Among other things, your function {exam.belief(key)}." for key in found], tuple(found)


def _form(
    exam: Exam, function: object, right: Sequence[Outcome], given: Sequence[Outcome]
) -> list[str]:
    """Mistakes of form: nothing returned, errors, slowness, odd types."""
    hints: list[str] = []
    values = [item.value for item in given if item.kind == "value"]
    if values and all(value is None for value in values):
        hints.append(
            "Your function gives back None. Does every path end in `return` with a value? "
            "Printing is not returning."
        )
    elif any(value is None for value in values):
        hints.append("On some input your function gives back None: one path has no `return`.")
    if any(isinstance(value, float) and math.isnan(value) for value in values):
        hints.append("On some input your function gives back NaN, which is not a number.")
    hints += _stops(exam, right, given)
    if any(item.kind in ("slow", "skipped") for item in given):
        hints.append(
            "Your function took too long and was stopped. Look for a loop that never ends."
        )
    if any(item.kind == "unsteady" for item in given):
        hints.append(
            "Your function gives different answers to the same question. Does it keep something "
            "from call to call, or draw at random?"
        )
    if isinstance(function, type):
        hints.append(f"`{exam.name}` is a class. Define a function, with `def {exam.name}(...)`.")
    else:
        odd = sorted({item.detail for item in given if item.kind == "odd"})
        hints += [f"Your function gives back {detail}; plain data is asked for." for detail in odd]
    return hints


def _stops(exam: Exam, right: Sequence[Outcome], given: Sequence[Outcome]) -> list[str]:
    """Where the function stops with an exception, though it should not."""
    stopped = [
        (item.detail, item.line)
        for wanted, item in zip(right, given, strict=True)
        if item.kind == "error" or (item.kind == "refused" and wanted.kind == "value")
    ]
    share = "every" if len(stopped) == len(given) else "some"
    hints: list[str] = []
    for place, (name, line) in enumerate(sorted(set(stopped), key=str)[:3]):
        # One line is enough to begin with; many could say something about hidden inputs.
        where = f" (line {line} of its cell)" if line and not place else ""
        if name == "ValueError":
            hints.append(f"Your function raises a ValueError{where} on input that is valid.")
        elif name == "NotImplementedError":
            hints.append(f"On {share} input your function is not finished yet{where}.")
        elif name == "NotImplementedError elsewhere":
            hints.append("Your function calls another one that is not finished: finish that first.")
        elif name in ("exit()", "SystemExit"):
            hints.append(f"Your function ends the program{where}. Use `return` or `raise` instead.")
        elif name == "input()":
            hints.append(f"Your function asks with `input()`{where}. Use its arguments instead.")
        else:
            article = "an" if name[0] in "AEIOU" else "a"
            hints.append(f"On {share} input your function stops with {article} {name}{where}.")
        if name == "TypeError" and share == "every":
            names = ", ".join(exam.argument_names)
            hints.append(f"Does it take the arguments that the text names? They are: {names}.")
    return hints


def _one_answer(right: Sequence[Outcome], given: Sequence[Outcome]) -> list[str]:
    """Spot the same answer to everything, or answers of another kind than asked for."""
    pairs = [
        (wanted.value, item.value)
        for wanted, item in zip(right, given, strict=True)
        if wanted.kind == item.kind == "value"
    ]
    values = [value for _, value in pairs]
    # Unequal to itself is NaN, of which another sentence speaks.
    if len(values) >= 3 and all(
        type(item) is type(values[0]) and item == values[0] for item in values
    ):
        return ["Your function gives the same answer to everything."]
    wanted_kinds = {kind_of(wanted) for wanted, _ in pairs}
    kinds = {kind_of(value) for value in values if value is not None}
    if len(wanted_kinds) == 1 and len(kinds) == 1 and kinds != wanted_kinds:
        return [f"Your function gives back {kinds.pop()}, but the answer is {wanted_kinds.pop()}."]
    return []


def _factor(exam: Exam, right: Sequence[Outcome], given: Sequence[Outcome]) -> list[str]:
    """Spot a constant factor between given and right numbers: almost always a unit."""
    ratios: list[float] = []
    for wanted, item in zip(right, given, strict=True):
        if wanted.kind == item.kind == "value":
            ratios += _ratios(wanted.value, item.value)
    if len(ratios) < 3 or not all(math.isfinite(ratio) and ratio for ratio in ratios):
        return []
    factor = median(ratios)
    if not all(math.isclose(ratio, factor, rel_tol=1e-6) for ratio in ratios):
        return []
    for known, meaning in exam.unit_slips.items():
        if math.isclose(factor, known, rel_tol=1e-3):
            return [f"Your answers are exactly {known:g} times the right ones: {meaning}."]
    usual = any(
        math.isclose(factor, common, rel_tol=1e-3) or math.isclose(1 / factor, common, rel_tol=1e-3)
        for common in _COMMON_FACTORS
    )
    if usual:
        return [f"Your answers are exactly {factor:g} times the right ones. Check the units."]
    return []


def _ratios(wanted: Any, given: Any) -> Iterator[float]:
    """Divide given by right, for every pair of numbers of two answers of one shape."""
    if kind_of(wanted) == "a number" == kind_of(given):
        if wanted:
            try:
                yield given / wanted
            except OverflowError:  # an int beyond every float
                yield math.inf
    elif kind_of(wanted) == "a list" == kind_of(given) and len(wanted) == len(given):
        for pair in zip(wanted, given, strict=True):
            yield from _ratios(*pair)


def _remarks(exam: Exam, right: Sequence[Outcome], given: Sequence[Outcome]) -> tuple[str, ...]:
    """Advice that costs no points."""
    remarks: list[str] = []
    if any(item.changed_arguments for item in given):
        remarks.append(
            "Your function changes the list or table that it is given. No marks are lost, but the "
            "caller may not expect it: work on a copy."
        )
    names = exam.argument_names
    unnamed = any(
        wanted.kind == item.kind == "refused" and not any(name in item.message for name in names)
        for wanted, item in zip(right, given, strict=True)
    )
    if unnamed and names:
        remarks.append(
            "A good ValueError names the argument, such as "
            f'`raise ValueError("{names[0]} must be ...")`. No marks are lost.'
        )
    return tuple(remarks)
