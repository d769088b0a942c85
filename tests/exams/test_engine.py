"""The exam engine: partial credit, known slips by name, and a sentence for whatever goes wrong."""

# ruff: noqa: T201 - learners print
from __future__ import annotations

import asyncio
import collections
import datetime
import enum
import json
import logging
import math
import random
import signal
import sys
import time
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from autograder import calling
from autograder.answers import NotPlainError, plain, same
from autograder.exam import (
    NO_SLIPS,
    Concept,
    CriticalError,
    Exam,
    ExamError,
    Result,
    Slip,
    case,
)
from autograder.report import FINDINGS, as_data, as_html, as_text


def _dose_mg(weight_kg: float, days: int = 1, *, slips: frozenset[str] = NO_SLIPS) -> float:
    """Follow a rule like those of the course: two bands, a cap, a length."""
    if weight_kg <= 0 and "any-weight" not in slips:
        raise ValueError("weight_kg must be above 0")
    if days < 1:
        raise ValueError("days must be 1 or more")
    light = weight_kg <= 30 if "thirty-is-light" in slips else weight_kg < 30
    if "swapped" in slips:
        light = not light
    dose = (12 if light else 8) * weight_kg
    if "no-cap" not in slips:
        dose = min(dose, 800)
    return dose * (1 if "one-day" in slips else days)


DOSE = Exam(
    name="dose_mg",
    answer=_dose_mg,
    concepts=(
        Concept("Two bands", 4, "Which weight begins the second band?", (
            case(10), case(29.9), case(30), case(30.1), case(70))),
        Concept("The cap", 2, "What is the most that anybody gets?", (
            case(99), case(100), case(101), case(140))),
        Concept("Days", 2, "What changes with the days?", (
            case(20, days=2), case(20, days=3), case(70, days=2), case(120, days=2))),
        Concept("Invalid input", 2, "The text lists it.", (case(0), case(-1), case(20, days=0))),
    ),
    slips=(
        Slip("thirty-is-light", "counts 30 kg as light"),
        Slip("swapped", "swaps the two bands"),
        Slip("no-cap", "does not cap the dose"),
        Slip("one-day", "forgets the days"),
        Slip("any-weight", "takes any weight for valid"),
    ),
    unit_slips={0.001: "grams instead of milligrams"},
)  # fmt: skip


def right(weight_kg: float, days: int = 1) -> float:
    """Solve it rightly, in a style of its own."""
    if not weight_kg > 0:
        raise ValueError("weight_kg is not positive")
    if days < 1:
        raise ValueError("days is below 1")
    return min(800, weight_kg * {True: 12, False: 8}[weight_kg < 30]) * days


def examine(function: object, exam: Exam = DOSE) -> Result:
    """Examine, and hold what always holds: a built-in finite float, findings that can be shown."""
    with capture_output() as shown:
        score = exam.examine(function)
    assert type(score) is float
    assert math.isfinite(score)
    assert 0 <= score <= exam.points
    assert shown.stderr == ""
    result = exam.result(function)
    assert result.score == score
    assert result.name in as_text(result)
    assert "Traceback" not in as_text(result) + as_html(result)
    json.dumps(as_data(result))
    return result


def hints(function: object, exam: Exam = DOSE) -> str:
    return " | ".join(examine(function, exam).hints)


# Right answers, however they come


def test_a_right_function_gets_everything() -> None:
    result = examine(right)
    assert result.score == DOSE.points == 10.0
    assert result.hints == ()
    assert all(item.holds for item in result.concepts)


class Worth(enum.IntEnum):
    ONE = 1


class Name(enum.StrEnum):
    RIGHT = "right"


class Pair(NamedTuple):
    first: int
    second: int


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (np.float64(1.5), 1.5),
        (np.int64(2), 2),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.longdouble(1.5), 1.5),
        (np.array(2.5), 2.5),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (pd.Series([1.0, 2.0]), [1.0, 2.0]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (pd.DataFrame({"a": [1, 2]}), {"a": [1, 2]}),
        (pd.Timestamp("2020-01-02"), datetime.datetime(2020, 1, 2)),
        (pd.Timedelta(hours=1), datetime.timedelta(hours=1)),
        (Decimal("1.5"), 1.5),
        (Fraction(3, 2), 1.5),
        (Worth.ONE, 1),
        (Name.RIGHT, "right"),
        (Pair(1, 2), (1, 2)),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        ({"a": (np.int64(1), {2.0})}, {"a": (1, {2.0})}),
    ],
)
def test_answers_become_plain_data(given: object, meant: object) -> None:
    got = plain(given)
    assert got == meant
    assert type(got) is type(meant)


def test_a_numpy_answer_is_as_good() -> None:
    assert examine(lambda weight_kg, days=1: np.float64(right(weight_kg, days))).score == 10
    assert examine(lambda weight_kg, days=1: Decimal(right(weight_kg, days))).score == 10


def test_prints_warnings_logs_and_displays_cost_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    # A handler bound to the real stderr, as logging.basicConfig() makes in a cell.
    logger = logging.getLogger("learner")
    handler = logging.StreamHandler(sys.stderr)
    logger.addHandler(handler)

    def noisy(weight_kg: float, days: int = 1) -> float:
        print("weighing", weight_kg)
        print("careful", weight_kg, file=sys.stderr)
        warnings.warn(f"old style {weight_kg}", DeprecationWarning, stacklevel=1)
        logger.critical("weight %s", weight_kg)
        return right(weight_kg, days)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert DOSE.result(noisy).score == 10
    logger.removeHandler(handler)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_what_is_displayed_while_hidden_inputs_are_asked_is_kept_out() -> None:
    shell: Any = InteractiveShell.instance()
    try:
        from IPython.display import display

        def showing(weight_kg: float, days: int = 1) -> float:
            display({"text/plain": f"secret {weight_kg}"}, raw=True)
            sys.displayhook(f"secret {weight_kg}")
            return right(weight_kg, days)

        publisher, hook = shell.display_pub, sys.displayhook
        with capture_output() as shown:
            assert DOSE.examine(showing) == 10
        assert [FINDINGS in item.data for item in shown.outputs] == [True]
        assert "secret" not in shown.stdout
        assert shell.display_pub is publisher
        assert sys.displayhook is hook
    finally:
        InteractiveShell.clear_instance()


def test_changing_the_arguments_costs_nothing_but_is_said() -> None:
    exam = Exam(
        "worst",
        lambda grades, slips=NO_SLIPS: max(grades),
        (Concept("All", 1, "Look at all.", (case([1, 3, 2]), case([4, 1]), case([2]))),),
    )

    def sorting(grades: list[int]) -> int:
        grades.sort()
        return grades.pop()

    assert examine(sorting, exam).score == 1
    assert "changes the list" in hints(sorting, exam)
    table = Exam(
        "last",
        lambda table, slips=NO_SLIPS: float(table["t"].iloc[-1]),
        (
            Concept(
                "All",
                1,
                "Look.",
                (
                    case(pd.DataFrame({"t": [1.0, np.nan, 2.0]})),
                    case(pd.DataFrame({"t": [np.nan, 3.0]})),
                ),
            ),
        ),
    )
    assert hints(lambda table: table["t"].iloc[-1], table) == ""


def test_a_bare_value_error_is_right_and_advised_on() -> None:
    def bare(weight_kg: float, days: int = 1) -> float:
        if weight_kg <= 0 or days < 1:
            raise ValueError
        return right(weight_kg, days)

    assert examine(bare).score == 10
    assert "names the argument" in hints(bare)


# Partial credit and slips


def with_slips(*keys: str) -> Callable[..., float]:
    def function(weight_kg: float, days: int = 1) -> float:
        return _dose_mg(weight_kg, days, slips=frozenset(keys))

    return function


@pytest.mark.parametrize("key", [slip.key for slip in DOSE.slips])
def test_every_slip_is_named(key: str) -> None:
    result = examine(with_slips(key))
    assert set(result.slips) == {key}
    assert result.hints[0] == f"Your function {DOSE.belief(key)}."
    assert 0 < result.score < 10 or key == "swapped"


@pytest.mark.parametrize(
    "pair", [("thirty-is-light", "no-cap"), ("swapped", "one-day"), ("no-cap", "any-weight")]
)
def test_pairs_are_named(pair: tuple[str, str]) -> None:
    result = examine(with_slips(*pair))
    assert set(result.slips) == set(pair)
    assert all(DOSE.belief(key) in result.hints[0] for key in pair)


def test_points_go_by_concept() -> None:
    result = examine(with_slips("no-cap"))
    assert [item.holds for item in result.concepts] == [True, False, False, True]
    assert result.score == 6


def test_a_slip_among_other_mistakes_is_named_as_such() -> None:
    def two_faults(weight_kg: float, days: int = 1) -> float:
        dose = (12 if weight_kg < 30 else 8) * weight_kg * days
        return dose + 1 if weight_kg < 20 else dose

    result = examine(two_faults)
    assert result.slips == ("no-cap",)
    assert result.hints[0] == "Among other things, your function does not cap the dose."


def test_who_forgets_to_refuse_is_still_understood() -> None:
    result = examine(lambda weight_kg, days=1: min(800, (12 if weight_kg < 30 else 8) * weight_kg))
    assert result.slips == ("any-weight", "one-day")


def test_models_that_the_cases_cannot_tell_apart_are_named_together() -> None:
    def answer(number: int, *, slips: frozenset[str] = NO_SLIPS) -> int:
        return number + (1 if slips else 0)

    exam = Exam(
        "same_number",
        answer,
        (Concept("All", 1, "Look.", (case(1), case(2), case(3))),),
        (Slip("a", "thinks a"), Slip("b", "thinks b")),
    )
    result = examine(lambda number: number + 1, exam)
    assert result.hints[0] == "Your function thinks a, or it thinks b."


@pytest.mark.parametrize("factor", [0.001, 1000, 24])
def test_a_constant_factor_is_a_unit(factor: float) -> None:
    words = hints(lambda weight_kg, days=1: factor * right(weight_kg, days))
    assert f"exactly {factor:g} times" in words
    assert ("grams instead of milligrams" in words) is (factor == 0.001)


def test_a_constant_factor_is_seen_in_lists_too() -> None:
    exam = Exam(
        "levels",
        lambda start, slips=NO_SLIPS: [start, start / 2, start / 4],
        (Concept("All", 1, "Look.", (case(8), case(4))),),
    )
    assert "exactly 1000 times" in hints(lambda s: np.array([s, s / 2, s / 4]) * 1000, exam)


def test_a_critical_error_caps_the_score_and_says_why() -> None:
    overdose = CriticalError(
        "Dose above the maximum",
        "More than 800 mg a day harms.",
        lambda asked, wanted, given: given.value > 800 * asked.kwargs.get("days", 1),
        cap=0.25,
    )
    exam = Exam("dose_mg", _dose_mg, DOSE.concepts, DOSE.slips, (overdose,))
    result = examine(with_slips("no-cap"), exam)
    assert result.score == 2.5
    assert "Patient safety: Dose above the maximum." in as_html(result)
    # The rule compares numbers; an answer of another kind must not break it.
    assert examine(lambda weight_kg, days=1: "800 mg", exam).critical == ()
    assert examine(right, exam).score == 10


# Nothing to judge


def stub(weight_kg: float, days: int = 1) -> float:
    raise NotImplementedError()


def test_an_exercise_that_was_not_started_gets_one_sentence() -> None:
    result = examine(stub)
    assert result.score == 0
    assert result.hints == ("Not started yet: the function still raises `NotImplementedError`.",)
    for text in (as_text(result), as_html(result)):
        assert not any(concept.hint in text for concept in DOSE.concepts)
    assert "<table" not in as_html(result)
    assert as_data(result)["concepts"] == []


def test_an_exercise_that_calls_an_unfinished_one_is_told_so() -> None:
    def helper(weight_kg: float) -> float:
        raise NotImplementedError()

    assert hints(lambda weight_kg, days=1: helper(weight_kg) * days) == (
        "Your function calls another one that is not finished: finish that first."
    )


def test_a_half_started_exercise_is_judged() -> None:
    def half(weight_kg: float, days: int = 1) -> float:
        if days > 1:
            raise NotImplementedError
        return right(weight_kg, days)

    result = examine(half)
    assert result.score == 8
    assert "not finished yet" in result.hints[0]


@pytest.mark.parametrize("thing", [None, 3, "dose_mg", [], math.nan, Ellipsis])
def test_no_function(thing: object) -> None:
    result = examine(thing)
    assert result.score == 0
    assert result.hints == ("`dose_mg` is not a function. Define it with `def dose_mg(...)`.",)


# Wrong in form: each gets a sentence, and only what is wrong costs points


class Grade:
    def __init__(self, weight_kg: float, days: int = 1) -> None:
        self.weight_kg = weight_kg


async def later(weight_kg: float, days: int = 1) -> float:
    await asyncio.sleep(0)
    return right(weight_kg, days)


def generating(weight_kg: float, days: int = 1) -> Any:
    yield right(weight_kg, days)


def endless(weight_kg: float, days: int = 1) -> float:
    while True:
        pass


def deep(weight_kg: float, days: int = 1) -> float:
    return deep(weight_kg, days)


def leaving(weight_kg: float, days: int = 1) -> float:
    sys.exit(1)


def interrupting(weight_kg: float, days: int = 1) -> float:
    raise KeyboardInterrupt


class Own(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def own_error(weight_kg: float, days: int = 1) -> float:
    raise Own(weight_kg)


def nested(weight_kg: float, days: int = 1) -> list[Any]:
    box: list[Any] = []
    box.append(box)
    return box


def vast(weight_kg: float, days: int = 1) -> list[Any]:
    box: list[Any] = [0] * 1000
    for _ in range(10):
        box = [box] * 1000
    return box


def no_arguments() -> float:
    return 1.0


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda *_, **__: None, "gives back None. Does every path end in `return`"),
        (lambda *_, **__: math.nan, "gives back NaN"),
        (lambda *_, **__: 560, "the same answer to everything"),
        (lambda *_, **__: True, "the same answer to everything"),
        (lambda weight_kg, days=1: f"{weight_kg * 8} mg", "gives back text, but the answer is a"),
        (lambda weight_kg, days=1: weight_kg > 30, "gives back True or False, but the answer is"),
        (lambda weight_kg, days=1: [weight_kg], "gives back a list, but the answer is a number"),
        (lambda weight_kg, days=1: 10**400 + int(weight_kg), ""),
        (lambda weight_kg, days=1: 10**5000, "the same answer to everything"),
        (lambda *_, **__: print, "gives back a function"),
        (lambda *_, **__: int, "gives back a class"),
        (lambda *_, **__: object(), "gives back an object"),
        (lambda *_, **__: ValueError("no"), "gives back an exception"),
        (lambda *_, **__: pd.NA, "gives back a missing value"),
        (lambda *_, **__: Grade(1), "gives back an object of a class"),
        (lambda *_, **__: map(abs, [1]), "gives back an iterator (make a list of it)"),
        (Grade, "is a class. Define a function"),
        (later, "a coroutine"),
        (generating, "a generator"),
        (deep, "stops with a RecursionError"),
        (leaving, "ends the program"),
        (interrupting, "stops with a KeyboardInterrupt"),
        (own_error, "stops with an Exception"),
        (nested, "nested too deeply"),
        (vast, "far too much data"),
        (lambda *_, **__: "a" * 2_000_000, "far too much text"),
        (no_arguments, "They are: weight_kg, days."),
        (lambda *_, **__: 1 / 0, "On every input your function stops with a ZeroDivisionError"),
        (lambda *_, **__: dict[str, float]()["dose"], "stops with a KeyError"),
        (lambda *_, **__: int("x"), "raises a ValueError on input that is valid"),
        (lambda weight_kg, days=1: random.random(), "different answers to the same question"),
    ],
)
def test_what_goes_wrong_gets_a_sentence_and_no_points(
    function: Callable[..., object], sentence: str
) -> None:
    result = examine(function)
    assert result.score == 0
    assert sentence in " | ".join(result.hints)


def test_a_comparison_that_fails_is_no_unsteady_answer() -> None:
    def strict(right: Any, given: Any) -> bool:
        return bool(abs(right - given) < 1)

    exam = Exam("dose_mg", _dose_mg, DOSE.concepts, DOSE.slips, compare=strict)
    assert hints(lambda weight_kg, days=1: f"{weight_kg} mg", exam) == (
        "Your function gives back text, but the answer is a number."
    )
    assert examine(right, exam).score == 10


def test_an_answer_kept_from_call_to_call_is_no_answer() -> None:
    calls: list[float] = []

    def counting(weight_kg: float, days: int = 1) -> float:
        calls.append(weight_kg)
        return right(weight_kg, days) + len(calls)

    result = DOSE.result(counting)
    assert result.score == 0
    assert "different answers to the same question" in " ".join(result.hints)


def test_a_fault_on_some_input_costs_only_its_concept() -> None:
    def faulty(weight_kg: float, days: int = 1) -> float:
        if days == 3:
            raise KeyError(days)
        return right(weight_kg, days)

    assert examine(faulty).score == 8


def test_an_endless_loop_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "SECONDS_PER_CALL", 0.1)
    monkeypatch.setattr(calling, "SECONDS_ONCE_SLOW", 0.05)
    monkeypatch.setattr(calling, "SECONDS_IN_ALL", 1.0)
    started = time.monotonic()
    result = DOSE.result(endless)
    assert time.monotonic() - started < 5
    assert result.score == 0
    assert result.hints == (
        "Your function took too long and was stopped. Look for a loop that never ends.",
    )


def test_an_endless_loop_on_some_input_costs_only_its_concept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calling, "SECONDS_PER_CALL", 0.2)
    monkeypatch.setattr(calling, "SECONDS_ONCE_SLOW", 0.1)

    def stuck(weight_kg: float, days: int = 1) -> float:
        while days > 1:
            pass
        return right(weight_kg, days)

    result = DOSE.result(stuck)
    assert result.score == 8
    assert "took too long" in result.hints[0]


def test_a_loop_that_swallows_every_exception_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "SECONDS_PER_CALL", 0.1)
    monkeypatch.setattr(calling, "SECONDS_ONCE_SLOW", 0.1)
    monkeypatch.setattr(calling, "SECONDS_IN_ALL", 1.0)

    def stubborn(weight_kg: float, days: int = 1) -> float:
        while True:
            try:
                return float(input("Weight? "))
            except:  # noqa: E722 - as a beginner writes it
                print("once more")

    started = time.monotonic()
    assert DOSE.result(stubborn).score == 0
    assert time.monotonic() - started < 20


def test_the_clock_is_put_back() -> None:
    before = signal.getsignal(signal.SIGALRM)
    examine(right)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_a_function_does_to_its_surroundings_is_undone() -> None:
    limit = sys.getrecursionlimit()
    stdout = sys.stdout

    def meddling(weight_kg: float, days: int = 1) -> float:
        sys.setrecursionlimit(limit + 7)
        sys.stdout = sys.__stdout__
        warnings.simplefilter("error")
        return right(weight_kg, days)

    assert DOSE.result(meddling).score == 10
    assert sys.getrecursionlimit() == limit
    assert sys.stdout is stdout


# Objects that lie


class Liar:
    """Equal to everything, and of any class that is asked for."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *args: object, **kwargs: object) -> Any:
        return self

    def __float__(self) -> float:
        return 1.0

    __class__ = float  # type: ignore[assignment]  # on purpose


class Bomb:
    @property  # type: ignore[misc]  # on purpose
    def __class__(self) -> Any:
        raise RuntimeError("boom")

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("boom")

    def __repr__(self) -> str:
        raise RuntimeError("boom")


class LyingInt(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__

    def __float__(self) -> float:
        raise RuntimeError("boom")

    def __add__(self, other: object) -> Any:
        raise RuntimeError("boom")


class LyingList(list[Any]):
    def __iter__(self) -> Any:
        raise RuntimeError("boom")

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


# Made inside the tests: pytest itself would ask them what they are.
LIES: dict[str, Callable[[], object]] = {
    "liar": Liar,
    "bomb": Bomb,
    "int": lambda: LyingInt(3),
    "list": lambda: LyingList([1]),
    "liar in a list": lambda: [Liar()],
}


@pytest.mark.parametrize("lie", LIES)
def test_an_object_that_lies_is_not_believed(lie: str) -> None:
    assert examine(lambda *_, **__: LIES[lie]()).score == 0
    assert examine(lambda weight_kg, days=1: {weight_kg: LIES[lie]()}).score == 0


@pytest.mark.parametrize("lie", LIES)
def test_an_object_that_lies_is_no_function(lie: str) -> None:
    assert examine(LIES[lie]()).score == 0


def test_a_lying_number_counts_as_what_it_is() -> None:
    assert type(plain(LyingInt(3))) is int
    assert plain(LyingInt(3)) == 3
    assert plain(LyingList([1, 2])) == [1, 2]


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.complex_numbers(),
        st.text(),
        st.binary(),
        st.dates(),
        st.decimals(),
        st.fractions(),
        st.just(10**400),
        st.builds(object),
    ),
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.dictionaries(st.text(), inner)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ANYTHING, min_size=1, max_size=len(DOSE.cases)))
def test_no_answer_whatsoever_breaks_the_exam(answers: list[Any]) -> None:
    keys = [repr((item.args, dict(item.kwargs))) for item in DOSE.cases]

    def anything(*args: Any, **kwargs: Any) -> Any:
        return answers[keys.index(repr((args, kwargs))) % len(answers)]

    result = DOSE.result(anything)
    assert type(result.score) is float
    assert 0 <= result.score <= DOSE.points
    assert "different answers" not in " ".join(result.hints)
    json.dumps(as_data(result))
    as_html(result)


# What must not come out

CANARY = 91.375


def _canary_answer(weight_kg: float, *, slips: frozenset[str] = NO_SLIPS) -> float:
    if weight_kg < 0:
        raise ValueError("weight_kg must not be negative")
    return weight_kg * 2


CANARIES = Exam(
    "double",
    _canary_answer,
    (
        Concept("All", 1, "Look.", (case(CANARY), case(CANARY + 1), case(CANARY + 2))),
        Concept("Invalid", 1, "Look.", (case(-CANARY),)),
    ),
    (Slip("none", "does nothing"),),
)


def raising(kind: type[BaseException]) -> Callable[[float], float]:
    def function(weight_kg: float) -> float:
        raise kind(f"weight is {weight_kg}")

    return function


def named_after(weight_kg: float) -> object:
    spelled = f"weight_{weight_kg}".replace(".", "_").replace("-", "minus")
    return type(spelled, (), {"__module__": "builtins"})()


def raising_named_after(weight_kg: float) -> object:
    spelled = f"weight_{weight_kg}".replace(".", "_").replace("-", "minus")
    raise type(spelled, (KeyError,), {"__module__": "builtins"})


@pytest.mark.parametrize(
    "function",
    [
        lambda weight_kg: weight_kg,
        lambda weight_kg: f"weight {weight_kg}",
        lambda weight_kg: {weight_kg: weight_kg},
        lambda weight_kg: {}[weight_kg],
        lambda weight_kg: print(weight_kg),
        raising(KeyError),
        raising(ValueError),
        raising(SystemExit),
        raising(AssertionError),
        named_after,
        raising_named_after,
    ],
)
def test_hidden_inputs_never_come_out(function: Callable[[float], object]) -> None:
    with capture_output() as shown:
        result = CANARIES.result(function)
    for text in (as_text(result), as_html(result), json.dumps(as_data(result)), shown.stdout):
        assert "91.375" not in text
        assert "91_375" not in text
        assert "182.75" not in text


def test_findings_are_escaped() -> None:
    exam = Exam(
        "f",
        lambda x, slips=NO_SLIPS: x,
        (Concept("<b>& `code`", 1, "1 < 2", (case(1), case(2))),),
    )
    page = as_html(examine(lambda x: 0 * x, exam))
    assert "&lt;b&gt;&amp; <code>code</code>" in page
    assert "1 &lt; 2" in page


def test_the_table_is_accessible() -> None:
    page = as_html(examine(with_slips("no-cap")))
    assert page.count('scope="row"') == len(DOSE.concepts)
    assert page.count('scope="col"') == 4
    assert 'aria-label="Concepts of dose_mg"' in page
    assert "not yet" in page  # not by color or sign alone


# Faults of ours


def test_a_broken_exam_says_so_and_never_raises() -> None:
    exam = Exam(
        "f",
        lambda x, slips=NO_SLIPS: {}[x],
        (Concept("All", 1, "Look.", (case(1), case(2))),),
    )
    with pytest.raises(ExamError):
        exam.result(right)
    with capture_output() as shown:
        assert exam.examine(right) == 0.0
    assert "Please tell your instructor" in shown.stdout


def test_a_display_that_fails_does_not_cost_the_score(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no display")

    monkeypatch.setattr("autograder.report.display", broken)
    assert DOSE.examine(right) == 10.0


def test_points_do_not_stray_by_rounding() -> None:
    exam = Exam(
        "f",
        lambda x, slips=NO_SLIPS: x,
        tuple(Concept(str(at), 1 / 3, "Look.", (case(at), case(at + 1))) for at in range(3)),
    )
    assert exam.points == 1.0
    assert exam.examine(lambda x: x) == 1.0
    assert exam.examine(lambda x: x if x < 3 else 0) == 0.67


# Comparing


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, 1 + 1e-12, True),
        (1, 1.001, False),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        (None, 0, False),
        ("a", "a ", False),
        ([1, 2], (1, 2), True),
        ([1, 2], [2, 1], False),
        ([1, 2], [1, 2, 3], False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({1, 2}, {2.0, 1.0}, True),
        ({1, 2}, frozenset({1, 2}), True),
        ({1, 2}, [1, 2], False),
        (math.nan, math.nan, True),
        (complex(0, math.nan), complex(0, math.nan), True),
        (math.inf, 10**400, False),
        (5, 10**400, False),
    ],
)
def test_same(one: object, other: object, equal: bool) -> None:
    assert same()(one, other) is equal
    assert same()(other, one) is equal


def test_same_without_order_counts_how_often() -> None:
    unordered = same(ordered=False)
    assert unordered([1, 2, 2], (2, 1, 2))
    assert not unordered([1, 1, 2], [1, 2, 2])


def test_same_may_take_true_for_one() -> None:
    lenient = same(true_is_one=True)
    assert lenient(1, True)
    assert lenient(False, 0.0)
    assert not lenient(True, 10**400)
    assert not lenient("True", True)


def test_too_much_is_not_plain() -> None:
    with pytest.raises(NotPlainError, match="far too much"):
        plain(np.zeros(1_000_000))
