"""Why a function is wrong: known slips, unit factors, and plain mistakes of form, in sentences."""

import math
from collections.abc import Sequence
from statistics import median

from autograder.answers import kind_of
from autograder.calling import Outcome
from autograder.exam import Exam

_COMMON_FACTORS = (2.0, 2.205, 10.0, 24.0, 60.0, 100.0, 1_000.0, 1_440.0, 1_000_000.0)


def diagnose(
    exam: Exam,
    function: object,
    right: Sequence[Outcome],
    given: Sequence[Outcome],
    marks: Sequence[bool],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say what a learner's answers have in common with known ways to be wrong.

    Parameters
    ----------
    exam : Exam
        What was asked.
    function : object
        What the learner handed in.
    right, given : sequence of Outcome
        Right and given outcomes, one per case.
    marks : sequence of bool
        Which of them are right.

    Returns
    -------
    hints : tuple of str
        Sentences for the learner, the most telling first.
    slips : tuple of str
        Keys of the recognized slips.
    """
    if all(marks):
        return _remarks(exam, right, given), ()
    if not callable(function):
        return (f"`{exam.name}` is not a function. Define it with `def {exam.name}(...)`.",), ()
    hints = _form(given)
    slips: tuple[str, ...] = ()
    if any(outcome.kind == "value" for outcome in given):
        beliefs, slips = _recognize(exam, right, given, marks)
        hints = [*beliefs, *hints]
        if not beliefs:
            hints += _one_answer(exam, right, given) or _factor(exam, right, given)
    return (*hints, *_remarks(exam, right, given)), slips


def _recognize(
    exam: Exam, right: Sequence[Outcome], given: Sequence[Outcome], marks: Sequence[bool]
) -> tuple[list[str], tuple[str, ...]]:
    """Find the models whose answers the learner gave.

    Only cases with an answer count: who forgets to refuse invalid input is told so by that concept.
    """
    asked = [index for index, outcome in enumerate(right) if outcome.kind == "value"]
    if all(marks[index] for index in asked):
        return [], ()
    exact = [
        model
        for model in exam.models
        if all(_alike(exam, exam.answers(model)[index], given[index]) for index in asked)
    ]
    if exact:
        fewest = min(map(len, exact))
        models = [model for model in exact if len(model) == fewest]
        # Models that the cases cannot tell apart are named together.
        sentences = [" and it ".join(exam.belief(key) for key in sorted(model)) for model in models]
        return [f"Your function {', or it '.join(sentences)}."], tuple(sorted(models[0]))
    found: list[str] = []
    for model in exam.models:
        if len(model) > 1:
            continue
        (key,) = model
        answers = exam.answers(model)
        apart = [index for index in asked if not exam.is_right(right[index], answers[index])]
        shared = all(_alike(exam, answers[index], given[index]) for index in apart)
        varied = len({repr(answers[index].value) for index in apart}) >= 2
        if len(apart) >= 2 and varied and shared:
            found.append(key)
    return [f"Among other things, your function {exam.belief(key)}." for key in found], tuple(found)


def _alike(exam: Exam, one: Outcome, other: Outcome) -> bool:
    if one.kind == "value" and other.kind == "value":
        return exam.compare(one.value, other.value)
    return one.kind == other.kind and one.detail == other.detail


def _form(given: Sequence[Outcome]) -> list[str]:
    """Mistakes of form: nothing returned, errors, slowness, odd types."""
    kinds = [outcome.kind for outcome in given]
    hints: list[str] = []
    values = [outcome.value for outcome in given if outcome.kind == "value"]
    errors = {(outcome.detail, outcome.line) for outcome in given if outcome.kind == "error"}
    if errors == {("NotImplementedError", line) for _, line in errors} and errors:
        return ["This exercise has not been started: it still raises NotImplementedError."]
    if values and all(value is None for value in values):
        hints.append(
            "Your function gives back None. Does every path end in `return` with a value? "
            "Printing is not returning."
        )
    elif any(value is None for value in values):
        hints.append("On some input your function gives back None: one path has no `return`.")
    if any(isinstance(value, float) and math.isnan(value) for value in values):
        hints.append("On some input your function gives back NaN, which is not a number.")
    for name, line in sorted(errors, key=str)[:3]:
        where = f" in line {line} of its cell" if line else ""
        share = "every" if kinds.count("error") == len(kinds) else "some"
        hints.append(f"On {share} input your function stops with a {name}{where}.")
    if "slow" in kinds:
        hints.append(
            "Your function took too long and was stopped. Look for a loop that never ends."
        )
    for detail in sorted({outcome.detail for outcome in given if outcome.kind == "odd"}):
        hints.append(f"Your function gives {detail}; plain data is asked for.")
    return hints


def _one_answer(exam: Exam, right: Sequence[Outcome], given: Sequence[Outcome]) -> list[str]:
    values = [
        outcome.value
        for wanted, outcome in zip(right, given, strict=True)
        if wanted.kind == "value" and outcome.kind == "value"
    ]
    if len(values) >= 3 and all(repr(value) == repr(values[0]) for value in values):
        if values[0] is None:
            return []
        return ["Your function gives the same answer to everything."]
    wanted_kind = next((kind_of(item.value) for item in right if item.value is not None), "")
    kinds = {kind_of(value) for value in values if value is not None}
    if kinds and wanted_kind and wanted_kind not in kinds:
        return [f"Your function gives back {kinds.pop()}, but the answer is {wanted_kind}."]
    return []


def _factor(exam: Exam, right: Sequence[Outcome], given: Sequence[Outcome]) -> list[str]:
    """A constant factor between given and right numbers: almost always a unit."""
    ratios = [
        outcome.value / wanted.value
        for wanted, outcome in zip(right, given, strict=True)
        if kind_of(wanted.value) == "a number" == kind_of(outcome.value) and wanted.value
    ]
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


def _remarks(exam: Exam, right: Sequence[Outcome], given: Sequence[Outcome]) -> tuple[str, ...]:
    """Advice that costs no points."""
    remarks: list[str] = []
    if any(outcome.changed_arguments for outcome in given):
        remarks.append(
            "Your function changes the list or table that it is given. No marks are lost, but the "
            "caller may not expect it: work on a copy."
        )
    unnamed = [
        outcome
        for wanted, outcome in zip(right, given, strict=True)
        if wanted.kind == "refused" == outcome.kind
        and not any(name in outcome.message for name in exam.argument_names)
    ]
    if unnamed and exam.argument_names:
        remarks.append(
            "A good ValueError names the argument, such as "
            f"`raise ValueError(\"{exam.argument_names[0]} must be ...\")`. No marks are lost."
        )
    return tuple(remarks)
