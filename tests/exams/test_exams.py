"""Every exam of the course: the right answer earns all, each known slip is caught and named.

The tests find exams and assignments by themselves; a new assignment joins without a new test.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

import autograder.exams
from autograder.exam import NO_SLIPS, Exam, Result

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENTS = sorted(path.parent.name for path in (ROOT / "source").glob("*/*.ipynb"))
SOLUTIONS = sorted((ROOT / "tests" / "solutions").glob("*/*.py"))

EXAMS: dict[str, Exam] = {
    f"{info.name}.{name}": thing
    for info in pkgutil.iter_modules(autograder.exams.__path__)
    for name, thing in vars(importlib.import_module(f"autograder.exams.{info.name}")).items()
    if isinstance(thing, Exam)
}
SLIPS = [(name, slip.key) for name, exam in EXAMS.items() for slip in exam.slips]

_CHECK = re.compile(r"(\w+)\.(\w+)\.examine\((\w+)\)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@pytest.fixture(params=EXAMS)
def exam(request: pytest.FixtureRequest) -> Exam:
    return EXAMS[request.param]


def answering(exam: Exam, slips: frozenset[str] = NO_SLIPS) -> Callable[..., Any]:
    """Someone with these slips, seen from outside."""
    return lambda *args, **kwargs: exam.answer(*args, **kwargs, slips=slips)


def hidden_checks(assignment: str) -> Iterator[tuple[Any, str, str, str]]:
    """Find the hidden-check cells of an assignment: cell, module, exam, learner's function."""
    for path in sorted((ROOT / "source" / assignment).glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for module, name, argument in _CHECK.findall(cell.source):
                yield cell, module, name, argument


def test_there_are_exams() -> None:
    assert EXAMS
    assert ASSIGNMENTS


# Right and wrong


def test_the_reference_gets_everything(exam: Exam) -> None:
    result = exam.result(answering(exam))
    assert result.score == exam.points
    assert all(item.holds for item in result.concepts)
    assert result.critical == ()
    # Its messages are an example of what is asked: they name the argument.
    assert result.hints == ()


@pytest.mark.parametrize(("name", "key"), SLIPS)
def test_each_slip_fails_and_is_named(name: str, key: str) -> None:
    exam = EXAMS[name]
    result = exam.result(answering(exam, frozenset({key})))
    assert result.score < exam.points
    assert result.slips == (key,)
    assert result.hints[0] == f"Your function {exam.belief(key)}."


def test_slips_can_be_told_apart(exam: Exam) -> None:
    keys = [slip.key for slip in exam.slips]
    assert len(set(keys)) == len(keys)
    singles = [frozenset[str](), *(frozenset({key}) for key in keys)]
    for at, one in enumerate(singles):
        for other in singles[at + 1 :]:
            assert not alike(exam, one, other), f"no case tells {set(one)} from {set(other)}"


def test_pairs_are_named_where_they_can_be_told_apart(
    exam: Exam, record_property: Callable[[str, object], None]
) -> None:
    merged: list[str] = []
    for model in (model for model in exam.models if len(model) == 2):
        pair = " + ".join(sorted(model))
        twins = [other for other in exam.models if other != model and alike(exam, model, other)]
        if alike(exam, model, NO_SLIPS):
            merged.append(f"{pair} = right")
            continue
        result = exam.result(answering(exam, model))
        assert result.score < exam.points, pair
        if not twins:
            assert set(result.slips) == model, pair
            continue
        merged.append(f"{pair} = {', '.join(' + '.join(sorted(twin)) for twin in twins)}")
        fewest = min(map(len, (model, *twins)))
        for twin in (model, *twins):
            if len(twin) == fewest:
                assert all(exam.belief(key) in result.hints[0] for key in twin), pair
    record_property("pairs that no case tells apart", merged)


def alike(exam: Exam, one: frozenset[str], other: frozenset[str]) -> bool:
    return all(map(exam.alike, exam.answers(one), exam.answers(other)))


def raising(kind: type[BaseException]) -> Callable[..., Any]:
    def function(*args: object, **kwargs: object) -> object:
        raise kind("no")

    return function


def constant(value: object) -> Callable[..., Any]:
    return lambda *args, **kwargs: value


CONSTANTS: list[object] = [
    0,
    1,
    2,
    -1,
    0.5,
    True,
    False,
    None,
    "",
    "a",
    [],
    {},
    (),
    set(),
    math.nan,
    math.inf,
]


@pytest.mark.parametrize("value", CONSTANTS, ids=repr)
def test_a_constant_earns_nothing(exam: Exam, value: object) -> None:
    assert exam.result(constant(value)).score == 0


def test_no_right_answer_earns_anything_as_a_constant(exam: Exam) -> None:
    for outcome in exam.answers():
        if outcome.kind == "value":
            assert exam.result(constant(outcome.value)).score == 0


@pytest.mark.parametrize("kind", [NotImplementedError, ValueError, TypeError, SystemExit])
def test_always_raising_earns_nothing(exam: Exam, kind: type[BaseException]) -> None:
    assert exam.result(raising(kind)).score == 0


@pytest.mark.parametrize("thing", [None, 3, "text", object(), int, str, dict, print])
def test_what_is_no_answer_earns_nothing(exam: Exam, thing: object) -> None:
    assert exam.result(thing).score == 0


def test_right_answers_of_another_kind_earn_nothing(exam: Exam) -> None:
    right = answering(exam)

    def text(*args: Any, **kwargs: Any) -> str:
        return f"{right(*args, **kwargs)} "

    def boxed(*args: Any, **kwargs: Any) -> list[Any]:
        return [right(*args, **kwargs)]

    for function in (text, boxed):
        assert exam.result(function).score == 0


# How an exam is built


def test_every_concept_asks_for_more_than_one_answer(exam: Exam) -> None:
    right = iter(exam.answers())
    for concept in exam.concepts:
        outcomes = [next(right) for _ in concept.cases]
        if all(outcome.kind == "refused" for outcome in outcomes):
            assert concept is exam.concepts[-1], f"{concept.title}: invalid input comes last"
            continue
        first = outcomes[0]
        assert not all(exam.alike(first, other) for other in outcomes), concept.title


def test_no_concept_asks_a_case_twice(exam: Exam) -> None:
    for concept in exam.concepts:
        calls = [repr((item.args, dict(item.kwargs))) for item in concept.cases]
        assert len(set(calls)) == len(calls), concept.title


def test_sentences_are_sentences(exam: Exam) -> None:
    for slip in exam.slips:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slip.key)
        assert slip.belief[0].islower(), slip.belief
        assert slip.belief[-1] not in ".!?", slip.belief
    for concept in exam.concepts:
        assert concept.title[0].isupper() or not concept.title[0].isalpha(), concept.title
        assert concept.hint[-1] in ".?", concept.hint
    for error in exam.critical_errors:
        assert error.title[-1] not in ".!?", error.title
        assert error.debrief[-1] in ".?", error.debrief
        assert 0 < error.cap < 1


# Exams and notebooks


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_hidden_check_calls_its_exam(assignment: str) -> None:
    used = []
    for cell, module, name, argument in hidden_checks(assignment):
        exam = EXAMS[f"{module}.{name}"]
        marks = cell.metadata.nbgrader
        assert argument == exam.name
        assert f"from autograder.exams import {module}" in cell.source
        assert exam.points == marks["points"], marks["grade_id"]
        assert f"({marks['points']} points)" in cell.source
        used.append(f"{module}.{name}")
    modules = {name.split(".")[0] for name in used}
    assert sorted(used) == sorted(name for name in EXAMS if name.split(".")[0] in modules)


def test_every_exam_belongs_to_an_assignment() -> None:
    used = {
        f"{module}.{name}"
        for assignment in ASSIGNMENTS
        for _, module, name, _ in hidden_checks(assignment)
    }
    assert used == set(EXAMS)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_feedback_names_no_number_that_the_text_does_not(assignment: str) -> None:
    """A number in a hint may be a threshold of the text, but never a hidden input or answer."""
    text = " ".join(
        re.sub(r"### BEGIN.*?### END [A-Z ]+", "", cell.source, flags=re.DOTALL)
        for path in (ROOT / "source" / assignment).glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
    )
    public = {float(number) for number in _NUMBER.findall(text)}
    for _, module, name, _ in hidden_checks(assignment):
        exam = EXAMS[f"{module}.{name}"]
        shown = [
            *(part for concept in exam.concepts for part in (concept.title, concept.hint)),
            *(slip.belief for slip in exam.slips),
            *(part for error in exam.critical_errors for part in (error.title, error.debrief)),
            *exam.unit_slips.values(),
        ]
        for sentence in shown:
            for number in _NUMBER.findall(sentence):
                assert float(number) in public, f"{name}: {sentence}"


# Independent right solutions, in styles of their own


def functions_of(path: Path) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location(f"solution_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def solved_by(path: Path) -> dict[str, Result]:
    """Examine the functions in a file by the exams of its assignment."""
    functions = functions_of(path)
    return {
        argument: EXAMS[f"{module}.{name}"].result(functions[argument])
        for _, module, name, argument in hidden_checks(path.parent.name)
        if argument in functions
    }


@pytest.mark.parametrize(
    "path", SOLUTIONS, ids=lambda path: f"{path.parent.name}/{path.stem}" if path else "none"
)
def test_an_independent_solution_gets_everything(path: Path) -> None:
    results = solved_by(path)
    assert results, f"{path} defines none of the functions"
    for name, result in results.items():
        missed = [item.concept.title for item in result.concepts if not item.holds]
        assert result.score == result.points, f"{name}: {missed} {result.hints}"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_exercise_has_two_independent_solutions(assignment: str) -> None:
    solutions = [set(functions_of(path)) for path in SOLUTIONS if path.parent.name == assignment]
    for _, _, _, argument in hidden_checks(assignment):
        assert sum(argument in names for names in solutions) >= 2, argument
