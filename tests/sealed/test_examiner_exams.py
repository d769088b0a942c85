"""An exam finds the same through a ward as in one process, whatever a learner hands in."""

# ruff: noqa: E501
from __future__ import annotations

import contextlib
import importlib
import pkgutil
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from tests.sealed.fork import talk

import autograder.exams
from autograder import calling
from autograder.exam import NO_SLIPS, Concept, Exam, Result, case
from autograder.ward.shell import CellShell, Shell

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = sorted((ROOT / "tests" / "solutions").glob("*/*.py"))
EXAMS: dict[str, Exam] = {
    f"{info.name}.{name}": thing
    for info in pkgutil.iter_modules(autograder.exams.__path__)
    for name, thing in vars(importlib.import_module(f"autograder.exams.{info.name}")).items()
    if isinstance(thing, Exam)
}


@pytest.fixture(scope="module", autouse=True)
def no_shell_stays() -> Iterator[None]:
    yield
    CellShell.clear_instance()
    InteractiveShell.clear_instance()


@contextlib.contextmanager
def here(source: str) -> Iterator[dict[str, Any]]:
    """Run a cell in this process, as one-process graders do."""
    shell = Shell()
    with shell.installed():
        shell.run(textwrap.dedent(source))
        yield dict(shell.namespace)


def both(exam: Exam, source: str) -> Result:
    """Examine a function both ways; give what both found."""
    with here(source) as names:
        local = exam.result(names[exam.name])
    with talk(source) as ward:
        found = ward.get(exam.name)
        assert found.kind == "value"
        sealed = exam.result(found.value)
    assert sealed == local
    return sealed


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_right_solutions(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    asked = 0
    with here(source) as local, talk(source) as ward:
        for exam in EXAMS.values():
            found = ward.get(exam.name)
            if found.kind == "missing":
                assert exam.name not in local
                continue
            result = exam.result(found.value)
            assert result == exam.result(local[exam.name])
            assert result.score == exam.points
            asked += 1
    assert asked


@pytest.mark.parametrize("name", EXAMS)
def test_every_wrong_model(name: str) -> None:
    exam = EXAMS[name]
    module, attribute = name.split(".")
    source = f"from autograder.exams import {module}\n"
    models = [frozenset[str](), *exam.models[:: max(1, len(exam.models) // 10)]]
    for at, model in enumerate(models):
        source += textwrap.dedent(f"""
            def f{at}(*args, **kwargs):
                return {module}.{attribute}.answer(*args, slips=frozenset({sorted(model)}), **kwargs)
            """)
    names = [f"f{at}" for at in range(len(models))]
    found = set()
    with here(source) as local, talk(source) as ward:
        for function in names:
            result = exam.result(ward.get(function).value)
            assert result == exam.result(local[function])
            found.add(result.slips)
    assert len(found) > 1


# Odd functions, asked by a small exam


def _dose(weight_kg: float, days: int = 1, *, slips: frozenset[str] = NO_SLIPS) -> float:
    if weight_kg <= 0:
        raise ValueError("weight_kg must be above 0")
    return min(8 * weight_kg, 800) * days


DOSE = Exam(
    "dose",
    _dose,
    (
        Concept("Weight", 4, "Look.", (case(10), case(29.9), case(70), case(120))),
        Concept("Days", 2, "Count.", (case(20, days=2), case(70, days=3))),
        Concept("Invalid", 2, "Refuse.", (case(0), case(-1))),
    ),
)

ODD = {
    "none": "def dose(weight_kg, days=1): pass",
    "prints": "def dose(weight_kg, days=1): print(weight_kg)",
    "crash": "def dose(weight_kg, days=1):\n    x = 1\n    return x / 0",
    "crash in another": "def other(x):\n    return [][x]\ndef dose(weight_kg, days=1):\n    return other(3)",
    "not started": "def dose(weight_kg, days=1):\n    raise NotImplementedError()",
    "half started": "def dose(weight_kg, days=1):\n    if days > 1:\n        raise NotImplementedError\n    return 8 * weight_kg",
    "calls unfinished": "def other(x): raise NotImplementedError()\ndef dose(weight_kg, days=1): return other(1)",
    "input": "def dose(weight_kg, days=1): return float(input('weight?'))",
    "exit": "def dose(weight_kg, days=1):\n    exit()",
    "quit": "def dose(weight_kg, days=1):\n    quit(keep_kernel=True)",
    "sys.exit": "import sys\ndef dose(weight_kg, days=1):\n    sys.exit(3)",
    "interrupt": "def dose(weight_kg, days=1):\n    raise KeyboardInterrupt",
    "own error": "class Bad(Exception): pass\ndef dose(weight_kg, days=1):\n    raise Bad('x')",
    "own value error": "class Bad(ValueError): pass\ndef dose(weight_kg, days=1):\n    if weight_kg <= 0: raise Bad('weight_kg')\n    return 1.0",
    "odd error": "class Bad(ValueError):\n    args = 5\n    def __str__(self): raise KeyError\ndef dose(weight_kg, days=1):\n    raise Bad('weight_kg')",
    "bare value error": "def dose(weight_kg, days=1):\n    if weight_kg <= 0: raise ValueError\n    return min(800, 8 * weight_kg) * days",
    "refuses all": "def dose(weight_kg, days=1): raise ValueError('weight_kg')",
    "arguments": "def dose(weight): return 1",
    "no arguments": "def dose(): return 1",
    "constant": "def dose(weight_kg, days=1): return 5",
    "text": "def dose(weight_kg, days=1): return str(8 * weight_kg * days)",
    "nan": "def dose(weight_kg, days=1): return float('nan')",
    "infinite": "def dose(weight_kg, days=1): return -float('inf')",
    "huge": "def dose(weight_kg, days=1): return 10 ** 4000",
    "far too long": "def dose(weight_kg, days=1): return 'x' * 2_000_000",
    "far too much": "def dose(weight_kg, days=1): return [0] * 200_000",
    "more than a frame": "def dose(weight_kg, days=1): return [0] * 3_000_000",
    "deep": "def dose(weight_kg, days=1):\n    a = []\n    for _ in range(50): a = [a]\n    return a",
    "endless": "def dose(weight_kg, days=1):\n    a = []\n    a.append(a)\n    return a",
    "recursion": "def dose(weight_kg, days=1): return dose(weight_kg, days)",
    "function": "def dose(weight_kg, days=1): return lambda: 1",
    "built-in function": "def dose(weight_kg, days=1): return print",
    "class": "def dose(weight_kg, days=1): return int",
    "own class": "class A: pass\ndef dose(weight_kg, days=1): return A",
    "object": "class A: pass\ndef dose(weight_kg, days=1): return A()",
    "callable object": "class A:\n    def __call__(self): pass\ndef dose(weight_kg, days=1): return A()",
    "module": "import math\ndef dose(weight_kg, days=1): return math",
    "generator": "def dose(weight_kg, days=1): yield 1",
    "coroutine": "async def dose(weight_kg, days=1): return 1",
    "map": "def dose(weight_kg, days=1): return map(str, [1])",
    "zip in a list": "def dose(weight_kg, days=1): return [1, zip([1])]",
    "range": "def dose(weight_kg, days=1): return range(3)",
    "dict keys": "def dose(weight_kg, days=1): return {1: 2}.keys()",
    "exception": "def dose(weight_kg, days=1): return ValueError('x')",
    "missing": "import pandas\ndef dose(weight_kg, days=1): return pandas.NA",
    "no time": "import pandas\ndef dose(weight_kg, days=1): return [pandas.NaT]",
    "always equal": "class A:\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\ndef dose(weight_kg, days=1): return A()",
    "always equal number": "class A(float):\n    def __eq__(self, other): return True\n    def __abs__(self): return 0.0\n    __sub__ = __rsub__ = __add__ = lambda self, other: 0.0\n    def __hash__(self): return 0\ndef dose(weight_kg, days=1): return A(3)",
    "own float": "class A(float): pass\ndef dose(weight_kg, days=1):\n    if weight_kg <= 0: raise ValueError('weight_kg')\n    return A(min(800, 8 * weight_kg) * days)",
    "numpy": "import numpy\ndef dose(weight_kg, days=1):\n    if weight_kg <= 0: raise ValueError('weight_kg')\n    return numpy.float32(min(800, 8 * weight_kg) * days)",
    "array": "import numpy\ndef dose(weight_kg, days=1): return numpy.array([weight_kg])",
    "own array": "import numpy\nclass A(numpy.ndarray): pass\ndef dose(weight_kg, days=1): return numpy.zeros(1).view(A)",
    "series": "import pandas\ndef dose(weight_kg, days=1): return pandas.Series([weight_kg])",
    "decimal": "from decimal import Decimal\ndef dose(weight_kg, days=1):\n    if weight_kg <= 0: raise ValueError('weight_kg')\n    return Decimal(min(800, 8 * weight_kg) * days)",
    "fraction": "from fractions import Fraction\ndef dose(weight_kg, days=1): return Fraction(8 * weight_kg)",
    "complex": "def dose(weight_kg, days=1): return 1j",
    "named tuple": "from typing import NamedTuple\nclass P(NamedTuple):\n    a: int = 1\ndef dose(weight_kg, days=1): return P()",
    "enum": "import enum\nclass E(enum.IntEnum):\n    A = 1\nclass F(enum.Enum):\n    A = 1\ndef dose(weight_kg, days=1): return E.A if days == 1 else F.A",
    "data class": "import dataclasses\n@dataclasses.dataclass\nclass D:\n    a: float\ndef dose(weight_kg, days=1): return D(weight_kg)",
    "random": "import random\ndef dose(weight_kg, days=1): return random.random()",
    "counts": "calls = []\ndef dose(weight_kg, days=1):\n    calls.append(1)\n    return len(calls)",
    "remembers": "first = {}\ndef dose(weight_kg, days=1):\n    first.setdefault('x', weight_kg)\n    return first['x']",
    "unsteady error": "n = [0]\ndef dose(weight_kg, days=1):\n    n[0] += 1\n    return 1 if n[0] % 2 else 1 / 0",
    "noisy": "import logging, sys, warnings\nfrom IPython.display import display\ndef dose(weight_kg, days=1):\n    print('x'); print('y', file=sys.stderr); logging.critical('z'); warnings.warn('w'); display('v'); sys.displayhook(1)\n    if weight_kg <= 0: raise ValueError('weight_kg')\n    return min(800, 8 * weight_kg) * days",
    "global": "cap = 800\ndef dose(weight_kg, days=1):\n    global cap\n    if weight_kg <= 0: raise ValueError('weight_kg')\n    return min(cap, 8 * weight_kg) * days",
    "partial": "import functools\ndef f(factor, weight_kg, days=1):\n    return factor * weight_kg * days\ndose = functools.partial(f, 8)",
    "wrapped": "import functools\ndef w(f):\n    @functools.wraps(f)\n    def inner(*args, **kwargs):\n        return f(*args, **kwargs)\n    return inner\n@w\ndef dose(weight_kg, days=1):\n    return 1 / 0",
    "method": "class A:\n    def dose(self, weight_kg, days=1):\n        return 8 * weight_kg * days\ndose = A().dose",
    "a class": "class dose:\n    def __init__(self, weight_kg, days=1): pass",
    "a callable object": "class A:\n    def __call__(self, weight_kg, days=1): return 8 * weight_kg * days\ndose = A()",
    "a built-in function": "dose = max",
    "a type": "dose = float",
    "a number": "dose = 5",
    "a list": "dose = [1, 2]",
    "nothing": "dose = None",
    "an object": "class A: pass\ndose = A()",
    "swallows": "def dose(weight_kg, days=1):\n    try:\n        return 8 * weight_kg / 0\n    except BaseException:\n        return 1",
    "changes recursion": "import sys\ndef dose(weight_kg, days=1):\n    sys.setrecursionlimit(150)\n    return 8 * weight_kg * days",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_functions(name: str) -> None:
    both(DOSE, ODD[name])


def test_arguments_that_a_call_changes_are_seen() -> None:
    table = pd.DataFrame({"t": [3.0, np.nan, 1.0]})
    exam = Exam(
        "worst",
        lambda values, more=None, slips=NO_SLIPS: 3,
        (
            Concept("All", 1, "Look.", (case([1, 3, 2]), case([3, 1], None), case(values=table))),
            Concept("More", 1, "Look.", (case({"a": [3]}), case(np.array([1, 3])), case({3, 1}))),
        ),
    )
    for body in (
        "values.sort()",
        "values.clear()",
        "values['b'] = 1",
        "values[0] = 7",
        "values['t'] = 2",
        "values.drop(columns=['t'], inplace=True)",
        "values['a'].append(4)",
        "values.add(9)",
        "pass",
    ):
        source = f"""
            def worst(values, more=None):
                try:
                    {body}
                except Exception:
                    pass
                return 3
            """
        result = both(exam, source)
        assert any("changes the list" in hint for hint in result.hints) is (body != "pass")


def test_a_slow_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "SECONDS_PER_CALL", 0.3)
    monkeypatch.setattr(calling, "SECONDS_ONCE_SLOW", 0.1)
    result = both(
        DOSE,
        """
        def dose(weight_kg, days=1):
            while weight_kg == 70:
                pass
            return 8 * weight_kg * days
        """,
    )
    assert any("took too long" in hint for hint in result.hints)


def test_all_time_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "SECONDS_PER_CALL", 0.3)
    monkeypatch.setattr(calling, "SECONDS_ONCE_SLOW", 0.2)
    monkeypatch.setattr(calling, "SECONDS_IN_ALL", 0.7)
    start = time.monotonic()
    both(DOSE, "def dose(weight_kg, days=1):\n    while True:\n        pass")
    assert time.monotonic() - start < 8


# What one process does not survive


@pytest.mark.parametrize(
    "body",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), 9)",
        "os.abort()",
        "os.closerange(3, 1000)",
    ],
)
def test_a_call_that_ends_the_process_costs_itself_alone(body: str) -> None:
    source = f"""
        import os
        def dose(weight_kg, days=1):
            if weight_kg == 29.9:
                {body}
            if weight_kg <= 0: raise ValueError("weight_kg")
            return min(800, 8 * weight_kg) * days
        """
    with talk(source) as ward:
        result = DOSE.result(ward.get("dose").value)
    assert [item.holds for item in result.concepts] == [False, True, True]
    assert any("ends the program" in hint for hint in result.hints)


def test_a_function_that_always_ends_the_process() -> None:
    with talk("import os\ndef dose(*a, **k): os._exit(0)") as ward:
        start = time.monotonic()
        result = DOSE.result(ward.get("dose").value)
    assert result.score == 0
    assert time.monotonic() - start < 5
    assert any("ends the program" in hint for hint in result.hints)


def test_a_call_that_cannot_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "SECONDS_PER_CALL", 0.3)
    source = """
        import signal
        def dose(weight_kg, days=1):
            if weight_kg == 70 and days == 1:
                signal.signal(signal.SIGALRM, signal.SIG_IGN)
                while True:
                    pass
            if weight_kg <= 0: raise ValueError("weight_kg")
            return min(800, 8 * weight_kg) * days
        """
    with talk(source) as ward:
        result = DOSE.result(ward.get("dose").value)
    assert result.score == 4
    assert any("took too long" in hint for hint in result.hints)
