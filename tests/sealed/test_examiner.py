"""Check cells in the examiner: what they see of a submission, and what it cannot do to them."""

# ruff: noqa: E501

from __future__ import annotations

import os
import re
import signal
import socket
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sealed.fork import holder

from autograder.sealed.examiner import (
    Examiner,
    ExaminerError,
    ExaminerHost,
    WarmInterpreter,
)
from autograder.sealed.statements import imports_of, names_defined
from autograder.sealed.wards import CellRun

LEARNER = """\
import abc
import collections
import contextlib
import dataclasses
import enum
import functools
import math as m
import random
import sys
import typing
import warnings
import numpy as np
import pandas as pd

class DoseError(ValueError):
    pass

class ChildError(DoseError):
    pass

class Vector:
    "Two numbers."
    count = 0

    def __init__(self, x, y=0):
        self.x, self.y = x, y
        Vector.count += 1

    def norm(self):
        return (self.x ** 2 + self.y ** 2) ** 0.5

    def __eq__(self, other):
        return True

    def __add__(self, other):
        return type(self)(self.x + other.x, self.y + other.y)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor)

    def __len__(self):
        return 2

    def __getitem__(self, at):
        return [self.x, self.y][at]

    def __contains__(self, item):
        return item in (self.x, self.y)

    def __lt__(self, other):
        return self.norm() < other.norm()

    def __repr__(self):
        return f"Vector({self.x}, {self.y})"

class Long(Vector):
    pass

class Plain:
    def __init__(self, a):
        self.a = a

@dataclasses.dataclass
class Drug:
    name: str
    dose_mg: float = 1.5
    days: list = dataclasses.field(default_factory=list)

class Forged(float):
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __sub__(self, other): return 0.0
    def __abs__(self): return 0.0
    def doubled(self): return float(self) * 2
    __hash__ = None

class Hotter(Forged):
    def twice_hot(self): return True

class Vitals(typing.NamedTuple):
    pulse: int
    pressure: int
    def shock_index(self): return self.pulse / self.pressure

class Grade(enum.IntEnum):
    LOW = 1
    HIGH = 2
    def label(self): return f"grade {self.value}"

class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...

class DoseTooHigh(ValueError):
    def __init__(self, dose):
        super().__init__()
        self.dose = dose
    def __str__(self): return f"{self.dose} is too high"
    def advice(self): return "stop"

@contextlib.contextmanager
def opened(name): yield name.upper()

class Yes:
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __gt__(self, other): return True
    def __sub__(self, other): return 0.0
    def __abs__(self): return 0.0
    def __bool__(self): return True
    def __len__(self): return 5
    def __iter__(self): return iter([1, 2])
    def __contains__(self, item): return True
    def __float__(self): return 1.0
    def __getattr__(self, name): return self
    def __call__(self, *args): return self
    def __array__(self, *args, **kwargs): return np.array(5.0)

def squares(n: int, power: int = 2, *rest, flag=True, **more) -> list:
    '''The squares.

    From 1 to n.
    '''
    if n < 1:
        raise ValueError("n must be greater")
    return [i ** power for i in range(1, n + 1)]

def grade(score): return Grade.HIGH if score > 5 else Grade.LOW
def overdose(dose): raise DoseTooHigh(dose)
def open_nothing(): open("nothing")
def returned(): return ValueError("a")
def warns(): warnings.warn("it is old")
def draw(numpy=False): return np.random.random() if numpy else random.random()
def types(): return pd.DataFrame({"a": [1.5]}).dtypes

def sum_of_squares(n): return sum(squares(n))
def vector(x, y): return Vector(x, y)
def yes(*args): return Yes()
def forged(value): return Forged(value)
def plain(a): return Plain(a)
def grow(items, by=1):
    items.append(by)
    print("growing", items)
def change(thing):
    if type(thing) is dict: thing["b"] = 2
    elif type(thing) is set: thing.add(2)
    elif type(thing) is np.ndarray: thing *= 2
    elif type(thing) is pd.DataFrame: thing["b"] = thing["a"] * 2
    elif type(thing) is list: thing[0].append(9)
def count(upto):
    for at in range(upto):
        yield at
def forever():
    at = 0
    while True:
        yield at
        at += 1
def breaks():
    yield 1
    raise DoseError("later")
def stops():
    x = 1
    raise ChildError("too much", 5)
def apply(function, *args): return function(*args)
def same(thing): return thing
def endless():
    while True: pass
def leaves(): sys.exit(3)
def dies():
    import os
    os._exit(0)
def remember(x):
    remember.seen = getattr(remember, "seen", []) + [x]
    return remember.seen
def table(): return pd.DataFrame({"a": [1, 2]})
@functools.lru_cache
def cached(x): return x * 2
async def later(): return 5
class Both(Vector, Plain): pass
both = Both(1)
total = 10
values = [1, 2, 3]
frame = pd.DataFrame({"a": [1.5, 2.5]})
drug = Drug("a", days=[1])
first = Vector(3, 4)
double = lambda x: 2 * x
abs = lambda x: 0
isinstance = lambda *args: True
given = given if "given" in globals() else None
"""


class Checks:
    """Runs check cells of one submission."""

    def __init__(self, examiner: Examiner, sock: socket.socket) -> None:
        self.examiner = examiner
        self._sock = sock

    def run(self, source: str, seconds: float = 20.0, number: int | None = None) -> CellRun:
        return self.examiner.run(
            textwrap.dedent(source),
            is_check=True,
            holder=self._sock,
            seconds=seconds,
            number=number,
        )

    def instructor(self, source: str) -> CellRun:
        return self.examiner.run(textwrap.dedent(source), is_check=False, seconds=20)

    def passes(self, source: str) -> CellRun:
        run = self.run(source)
        assert run.status == "ok", error_of(run)
        return run

    def fails(self, source: str) -> dict[str, Any]:
        run = self.run(source)
        assert run.status == "error"
        return error_of(run)


def error_of(run: CellRun) -> dict[str, Any]:
    return next(output for output in run.outputs if output["output_type"] == "error")


def result_of(run: CellRun) -> str:
    return str(run.outputs[-1]["data"]["text/plain"])


@pytest.fixture(scope="module")
def host() -> Iterator[ExaminerHost]:
    with ExaminerHost() as host:
        yield host


@pytest.fixture(scope="module")
def sock() -> Iterator[socket.socket]:
    with holder(LEARNER) as sock:
        yield sock


@pytest.fixture
def checks(host: ExaminerHost, sock: socket.socket) -> Iterator[Checks]:
    with host.open({}) as examiner:
        yield Checks(examiner, sock)


# Functions and data


PASSING = {
    "calls": "assert squares(2) == [1, 4]\nassert squares(n=2, power=3) == [1, 8]",
    "data": "assert total == 10 and values == [1, 2, 3] and type(values) is list",
    "table": "assert frame['a'].sum() == 4.0 and type(frame).__name__ == 'DataFrame'",
    "data is one object in a cell": "values.append(4)\nassert values == [1, 2, 3, 4]",
    "undefined": """
        try:
            nowhere
        except NameError as error:
            assert str(error) == "name 'nowhere' is not defined"
        else:
            assert False
        """,
    "globals": "assert 'squares' in globals() and 'nowhere' not in globals()",
    "globals of a name": "assert globals()['squares'](1) == [1] and globals().get('no') is None",
    "dir": "assert {'squares', 'total'} <= set(dir()) and 'In' in dir()",
    "locals": "assert 'total' in locals() and 'nowhere' not in locals()",
    "eval": "assert eval('squares(2)') == [1, 4]",
    "exec": "exec('x = squares(1)')\nassert x == [1]",
    "functions of the check": """
        def ask(n):
            return squares(n) + [total]
        assert ask(1) == [1, 10]
        assert [squares(n)[0] for n in (1, 2)] == [1, 1]
        """,
    "deleting a name": """
        kept = squares
        del squares
        try:
            sum_of_squares(1)
        except NameError as error:
            assert type(error) is NameError and "squares" in str(error)
        else:
            raise AssertionError("it does not use squares")
        try:
            squares
        except NameError:
            pass
        else:
            assert False
        finally:
            squares = kept
        assert sum_of_squares(2) == 5
        """,
    "binding a name": "squares = double\nassert squares(4) == 8",
    "built-ins are ours": "assert abs(-3) == 3 and not isinstance(1, str)",
    "np is ours": "import numpy\nassert np is numpy and m.cos(0) == 1",
    "printed text": """
        import contextlib, io
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            grow([])
        assert text.getvalue() == "growing [1]\\n"
        """,
    "printed text, by IPython": """
        from IPython.utils.capture import capture_output
        with capture_output() as shown:
            grow([])
        assert shown.stdout == "growing [1]\\n"
        """,
    "an awaited value": "assert callable(later)",
    # In place
    "a list": "items = [1]\nassert grow(items, by=5) is None\nassert items == [1, 5]",
    "a dict": "d = {'a': 1}\nchange(d)\nassert d == {'a': 1, 'b': 2}",
    "a set": "s = {1}\nchange(s)\nassert s == {1, 2}",
    "an array": "import numpy\na = numpy.ones(2)\nb = a\nchange(a)\nassert b.tolist() == [2, 2]",
    "a frame": "import pandas\nt = pandas.DataFrame({'a': [1]})\nu = t\nchange(t)\n"
    "assert list(u.columns) == ['a', 'b'] and u.b[0] == 2",
    "an inner list": "row = [1]\ngrid = [row]\nchange(grid)\nassert row == [1, 9]",
    "by name": "items = []\ngrow(items=items)\nassert items == [1]",
    # Generators
    "a generator": "assert list(count(5)) == [0, 1, 2, 3, 4] and sum(count(100)) == 4950",
    "next": "g = count(2)\nassert next(g) == 0 and next(g) == 1 and next(g, None) is None",
    "an endless generator": "import itertools\n"
    "assert list(itertools.islice(forever(), 10)) == list(range(10))",
    "zip": "assert list(zip(forever(), 'abc')) == [(0, 'a'), (1, 'b'), (2, 'c')]",
    "a generator's kind": "import inspect, types\nassert inspect.isgenerator(count(1))",
    "a generator that breaks": """
        g = breaks()
        assert next(g) == 1
        try:
            next(g)
        except DoseError as error:
            assert error.args == ("later",)
        else:
            assert False
        """,
    # Exceptions
    "a built-in exception": """
        try:
            squares(0)
        except ValueError as error:
            assert str(error) == "n must be greater" and type(error) is ValueError
        """,
    "an exception that the check names": """
        try:
            stops()
        except DoseError as error:
            assert error.args == ("too much", 5) and isinstance(error, ValueError)
            assert type(error).__mro__[1] is DoseError
        else:
            assert False
        """,
    "an exception that it does not name": """
        try:
            stops()
        except Exception as error:
            assert type(error) is ValueError
        """,
    "issubclass": "assert issubclass(DoseError, ValueError) and issubclass(ChildError, DoseError)",
    "pytest": "import pytest\nwith pytest.raises(DoseError, match='too much'): stops()",
    "the end of the program": """
        try:
            leaves()
        except SystemExit as error:
            assert error.code == 3
        """,
    # Callbacks and functions as values
    "known functions": "import math, numpy\nassert apply(math.sqrt, 4) == 2\n"
    "assert apply(numpy.sin, 0) == 0 and apply(max, 1, 2) == 2 and apply(str.upper, 'a') == 'A'\n"
    "assert apply(int, '5') == 5",
    "lambdas and functions as arguments": """
        import math, numpy as np
        factor = 3
        assert apply(lambda x: x ** 2, 4) == 16
        assert apply(lambda x: factor * math.sqrt(x), 4) == 6
        assert apply(lambda x: np.sum([x, x]), 4) == 8
        def line(slope):
            def at(x, shift=1, *, times=2):
                return (slope * x + shift) * times
            return at
        assert apply(line(2), 3) == 14
        def helper(x): return x + 1
        assert apply(lambda x: helper(squares(x)[0]), 2) == 2
        assert apply(lambda x: [y for y in range(x) if y % 2], 4) == [1, 3]
        try:
            apply(lambda x: 1 / x, 0)
        except ZeroDivisionError:
            pass
        """,
    "their own functions": "assert apply(squares, 2) == [1, 4] and apply(double, 2) == 4",
    "identity": "assert same(squares) is squares and squares == squares and squares != double",
    "types": "assert same(int) is int and same(ValueError) is ValueError",
    "classes as arguments": "assert apply(Vector, 1, 2).x == 1 and same(Vector) is Vector",
    "objects as arguments": "v = vector(1, 2)\nassert same(v) is v and apply(Vector.norm, v) > 2",
    "function attributes": "remember(1)\nremember(2)\nassert remember.seen == [1, 2]",
    "an object that is nothing": """
        try:
            squares(object())
        except TypeError as error:
            assert "not supported" in str(error)
        """,
    "copies": "import copy\nassert copy.copy(squares) is squares\n"
    "v = vector(1, 2)\nw = copy.deepcopy(v)\nw.x = 5\nassert v.x == 1 and w.x == 5",
    # Introspection
    "signature": """
        import inspect
        s = inspect.signature(squares)
        assert list(s.parameters) == ["n", "power", "rest", "flag", "more"]
        assert s.parameters["power"].default == 2 and s.parameters["n"].annotation is int
        assert s.return_annotation is list
        assert str(s) == "(n: int, power: int = 2, *rest, flag=True, **more) -> list"
        assert list(inspect.signature(Vector).parameters) == ["x", "y"]
        assert list(inspect.signature(first.norm).parameters) == []
        """,
    "names": "assert squares.__name__ == 'squares' and 'From 1' in squares.__doc__\n"
    "assert squares.__defaults__ == (2,) and squares.__kwdefaults__ == {'flag': True}\n"
    "assert squares.__annotations__ == {'n': int, 'power': int, 'return': list}\n"
    "assert squares.__qualname__ == 'squares' and squares.__module__ == '__main__'",
    "kinds": "import inspect, types\nassert inspect.isfunction(squares) and callable(squares)\n"
    "assert isinstance(squares, types.FunctionType) and inspect.isclass(Vector)\n"
    "assert not callable(first) and not inspect.isfunction(total)",
    "code": "c = sum_of_squares.__code__\nassert 'squares' in c.co_names and c.co_argcount == 1\n"
    "assert squares.__code__.co_varnames[:2] == ('n', 'power')",
    "source": "import ast, inspect\nsource = inspect.getsource(squares)\n"
    "assert source.startswith('def squares') and 'return [i ** power' in source\n"
    "assert any(isinstance(node, ast.ListComp) for node in ast.walk(ast.parse(source)))",
    "a cached function": "assert cached(4) == 8 and cached.__name__ == 'cached'",
    # Classes and objects
    "objects": "v = Vector(3, 4)\nassert v.x == 3 and v.norm() == 5.0 and v.x + v.y == 7",
    "isinstance": "assert isinstance(first, Vector) and isinstance(Long(1), Vector)\n"
    "assert not isinstance(plain(1), Vector) and type(first) is Vector\n"
    "assert type(Long(1)).__mro__[1] is Vector and issubclass(Long, Vector)",
    "class attributes": "n = Vector.count\nVector(1)\nassert Vector.count == n + 1\n"
    "assert Vector.__doc__ == 'Two numbers.' and Vector.__name__ == 'Vector'",
    "equality is by value": "assert Vector(1, 2) == Vector(1, 2)\n"
    "assert not Vector(1, 2) == Vector(1, 3) and Vector(1, 2) != Vector(1, 3)\n"
    "assert Vector(1, 2) != Long(1, 2)\n"
    "assert Vector(1, 2) != 5 and not Vector(1, 2) == [1, 2]\n"
    "assert 5 != Vector(1, 2) and [Vector(1, 2)] == [Vector(1, 2)]",
    "no equality, no equals": "p, q = plain(1), plain(1)\nassert p == p and p != q",
    "operators": "assert Vector(1, 2) + Vector(1, 1) == Vector(2, 3)\n"
    "assert Vector(1, 2) * 2 == Vector(2, 4) and Vector(1, 1) < Vector(2, 2)\n"
    "assert len(first) == 2 and first[1] == 4 and 3 in first and list(first) == [3, 4]",
    "attributes are set": "v = Vector(1)\nv.x = 9\nassert v.norm() == 9 and v.__dict__ == {'x': 9, 'y': 0}\n"
    "assert vars(v) == {'x': 9, 'y': 0}\ndel v.x\nassert not hasattr(v, 'x') and hasattr(v, 'y')",
    "text": "assert repr(first) == 'Vector(3, 4)' == str(first) == f'{first}'",
    "data classes": "assert drug.name == 'a' and drug.days == [1] and drug == Drug('a', days=[1])\n"
    "assert drug != Drug('b') and Drug('b').dose_mg == 1.5 and 'Drug(' in repr(drug)",
    "dir of an object": "assert {'x', 'norm'} <= set(dir(first))",
    "sorted": "assert [v.x for v in sorted([Vector(3), Vector(1)])] == [1, 3]",
    "several bases": "assert isinstance(both, Vector) and isinstance(both, Plain)",
    "hash": "assert len({plain(1), plain(2)}) == 2",
    # Numbers that claim to be anything
    "a forged number": "x = forged(3)\nassert not x == 5 and isinstance(x, float) and abs(x) == 3",
    # Data with a class
    "a number of a class": "assert isinstance(forged(3), Forged) and type(forged(3)) is Forged\n"
    "assert Forged(2).doubled() == 4 and Forged(2) + 1 == 3 and not forged(3) < 1",
    "a number of a class, given": "assert apply(Forged.doubled, forged(3)) == 6\n"
    "import copy\nassert copy.deepcopy([forged(3)]) == [3.0]",
    "a number of a derived class": "assert isinstance(Hotter(3), Forged) and Hotter(3).doubled() == 6\n"
    "assert not isinstance(forged(3), Hotter) and Hotter(3).twice_hot()",
    "a named tuple with methods": "v = Vitals(90, 60)\nassert v.shock_index() == 1.5 and v == (90, 60)\n"
    "assert isinstance(v, Vitals) and v.pulse == 90 and v._fields == ('pulse', 'pressure')",
    "an enumeration of numbers": "assert grade(9) is Grade.HIGH and grade(9).name == 'HIGH'\n"
    "assert grade(9) == 2 and grade(1) < grade(9) and apply(Grade.label, grade(9)) == 'grade 2'",
    "fields of a data class": "import dataclasses as d\n"
    "assert d.asdict(drug) == {'name': 'a', 'dose_mg': 1.5, 'days': [1]} and d.is_dataclass(Drug)\n"
    "assert [f.name for f in d.fields(Drug)] == ['name', 'dose_mg', 'days']\n"
    "assert d.fields(Drug)[1].default == 1.5 and d.replace(drug, name='b').name == 'b'",
    "abstract classes": "import abc, inspect\nassert inspect.isabstract(Shape) and issubclass(Shape, abc.ABC)\n"
    "assert Shape.__abstractmethods__ == {'area'}",
    # What errors, warnings and blocks tell
    "an error's attributes": """
        try:
            overdose(7)
        except DoseTooHigh as error:
            assert error.dose == 7 and str(error) == "7 is too high" and error.advice() == "stop"
        else:
            assert False
        made = DoseTooHigh(3)
        assert made.dose == 3 and isinstance(made, ValueError)
        """,
    "an error's attributes, of a built-in class": """
        try:
            open_nothing()
        except OSError as error:
            assert error.filename == "nothing" and error.errno == 2
        """,
    "an error that is returned": "assert isinstance(returned(), ValueError) and returned().args == ('a',)",
    "warnings": "import pytest\nwith pytest.warns(UserWarning, match='old'): warns()",
    "a context manager": """
        with opened("a") as name:
            assert name == "A"
        """,
    # What a check hands over
    "iterators": "assert apply(sum, (n for n in [1, 2])) == 3 and apply(list, map(str, [1])) == ['1']\n"
    "import itertools\nassert next(apply(iter, itertools.count(5))) == 5\n"
    "assert apply(list, (squares(n)[0] for n in [1, 2])) == [1, 1]",
    "partials": "import functools, operator\nassert apply(functools.partial(pow, 2), 3) == 8\n"
    "assert apply(operator.itemgetter(1), [4, 5]) == 5",
    "text files": "import io\nfile = io.StringIO('a\\nb')\nassert apply(list, file) == ['a\\n', 'b']\n"
    "assert file.read() == ''",
    "seeds": """
        import random
        import numpy as np
        random.seed(1)
        one = draw()
        random.seed(1)
        assert draw() == one and draw() != one
        np.random.seed(2)
        two = draw(numpy=True)
        np.random.seed(2)
        assert draw(numpy=True) == two == np.random.random()
        """,
    "a module": "import math\nassert same(math).cos(0) == 1 and apply(same(math).sin, 0) == 0",
    "types of data": "assert types().to_dict() == {'a': 'float64'} and types()['a'] == float",
}  # fmt: skip


@pytest.mark.parametrize("name", PASSING)
def test_honest_checks_pass(name: str, checks: Checks) -> None:
    checks.passes(PASSING[name])


REFUSED = {
    "equal to anything": "assert yes() == 5",
    "less than anything": "assert yes() < 0.001",
    "greater than anything": "assert 5 < yes()",
    "no difference": "assert abs(yes() - 5) < 1e-6",
    "in a list": "assert [5] == [yes()]",
    "truth": "assert yes()",
    "length": "assert len(yes()) == 5",
    "everything in it": "assert 7 in yes()",
    "items": "assert list(yes()) == [1, 2]",
    "a number": "assert float(yes()) == 1.0",
    "an array": "import numpy\nassert numpy.allclose(yes(), 5)",
    "an array, equal": "import numpy\nassert (numpy.asarray(yes()) == 5).all()",
    "close": "import math\nassert math.isclose(yes(), 5)",
    "approximately": "import pytest\nassert yes() == pytest.approx(5)",
    "approximately, turned": "import pytest\nassert pytest.approx(5) == yes()",
    "unittest": "import unittest\nunittest.TestCase().assertEqual(yes(), 5)",
    "unittest, almost": "import unittest\nunittest.TestCase().assertAlmostEqual(yes(), 5)",
    "pandas": "import pandas\npandas.testing.assert_frame_equal(yes(), pandas.DataFrame({'a': [1]}))",
    "numpy testing": "import numpy\nnumpy.testing.assert_array_equal(yes(), [5])",
    "a set": "assert yes() in {1, 2, 3}",
    "a forged number": "assert forged(3) == 5",
    "a forged number, less": "assert forged(3) < 1",
    "a forged number, near": "assert forged(3) - 5 == 0",
    "a forged number, close": "import math\nassert math.isclose(forged(3), 5)",
    "built-ins of theirs": "assert abs(5) == 0",
    "pickling": "import pickle\npickle.dumps(squares)",
    "pickling an object": "import pickle\npickle.dumps(first)",
    "a callback that keeps": "seen = []\napply(lambda x: seen.append(x), 1)",
    "a callback that keeps, in a function": "def f():\n    seen = []\n    apply(lambda x: seen.append(x), 1)\nf()",
    "a method": "class A:\n    def f(self, x): return x\napply(A().f, 1)",
    "a function that calls itself": "def f(x): return f(x)\napply(f, 1)",
    "an object of the check": "class A: pass\napply(print, A())",
    "a type error of ours": "class A: pass\ntry:\n    apply(print, A())\nexcept TypeError:\n    pass",
    "a class of the check": "class A: pass\nsame(A)",
    "an open file": "import os\nsame(open(os.devnull))",
    "an array by address": "first.__array_interface__",
    "array protocol": "import numpy\nassert numpy.array(yes()).dtype == float",
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_claims_to_be_anything_is_nothing(name: str, checks: Checks) -> None:
    checks.fails(REFUSED[name])


def test_operators_wait_until_the_check_names_the_class(checks: Checks) -> None:
    assert checks.fails("vector(1, 2) + vector(1, 2)")["ename"] == "Refused"
    checks.passes("Vector\nassert (vector(1, 2) + vector(1, 2)).x == 2")


# Where it happened


def test_a_learners_error_says_where_in_the_cell(checks: Checks) -> None:
    run = checks.run("x = 1\nstops()", number=7)
    error = error_of(run)
    assert error["ename"] == "ValueError"
    text = "\n".join(error["traceback"])
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert "Cell In[7], line 2" in plain
    line = LEARNER[: LEARNER.index("raise ChildError")].count("\n") + 1
    assert f"Cell In[1], line {line}" in plain
    assert "in stops()" in plain
    assert run.execution_count == 7


def test_prints_of_the_submission_are_no_output_of_the_check(checks: Checks) -> None:
    run = checks.passes("grow([])\nprint('ours')")
    assert [output["text"] for output in run.outputs] == ["ours\n"]


def test_the_last_value_is_the_result(checks: Checks) -> None:
    assert result_of(checks.passes("sum(squares(2)) / 2")) == "2.5"
    assert checks.passes("sum(squares(2));").outputs == ()


# Cells


def test_checks_that_follow_each_other_ask_one_fork(host: ExaminerHost) -> None:
    with holder(LEARNER) as one, holder(LEARNER) as two, host.open({}) as examiner:
        first, later = Checks(examiner, one), Checks(examiner, two)
        first.passes("assert remember(1) == [1]\nvalues.clear()\nv = Vector(1)")
        first.passes("assert remember(2) == [1, 2] and v.x == 1 and isinstance(v, Vector)")
        first.passes("del squares")
        first.fails("squares")
        # Data is fetched anew in each check.
        first.passes("assert values == [1, 2, 3]")
        later.passes("assert remember(3) == [3] and squares(1) == [1]")
        assert "earlier check" in later.fails("v.x")["evalue"]


def test_what_a_check_binds_stays(host: ExaminerHost) -> None:
    with holder(LEARNER) as one, holder(LEARNER) as two, host.open({}) as examiner:
        Checks(examiner, one).passes("""
            import math
            kept = squares
            limit = 5
            def helper(n): return squares(n)
            """)
        Checks(examiner, two).passes(
            "assert limit == 5 and math.sqrt(4) == 2 and helper(1) == [1] and kept(2) == [1, 4]"
        )


def test_instructors_programs_are_trusted_and_their_data_is_shared(
    host: ExaminerHost,
) -> None:
    setup = """
        import math
        import pandas as pd
        LIMIT = 5
        table = pd.DataFrame({"a": [1, 2]})
        cells = [1, 2]
        untouched = {"a": [1]}
        def twice(x): return 2 * x
        def within(x): return x <= LIMIT
        def total(): return int(table["a"].sum())
        class Node:
            def __init__(self, value): self.value = value
            def __eq__(self, other): return self.value == other.value
        node = Node(1)
        other = Node(2)
        """
    learner = """
        LIMIT = 1000
        twice = lambda x: 0
        within = lambda x: True
        table.loc[0, "a"] = 10
        cells.append(3)
        node.value = 5
        class math: sqrt = staticmethod(lambda x: 1)
        def use(f, x): return f(x)
        def read(): return node.value
        """
    with holder(setup, learner) as sock, host.open({}) as examiner:
        checks = Checks(examiner, sock)
        checks.instructor(setup)
        checks.passes("""
            assert twice(3) == 6 and not within(6) and math.sqrt(4) == 2
            assert LIMIT == 1000
            assert table["a"].tolist() == [10, 2] and total() == 12
            assert cells == [1, 2, 3] and untouched == {"a": [1]}
            assert node.value == 5 and read() == 5
            assert other.value == 2 and type(other) is Node
            assert use(twice, 4) == 0  # the ward's own function of that name
            untouched["a"].append(2)
            table.loc[1, "a"] = 0
            """)
        checks.passes("assert untouched == {'a': [1]} and table['a'].tolist() == [10, 2]")


def test_objects_of_instructors_classes_go_by_value(host: ExaminerHost) -> None:
    setup = """
        class Node:
            def __init__(self, value):
                self.value = value
                self.left = self.right = self.parent = None
                self.marks = []
            def inorder(self):
                before = self.left.inorder() if self.left else []
                return before + [self.value] + (self.right.inorder() if self.right else [])
            def __eq__(self, other):
                return isinstance(other, Node) and self.inorder() == other.inorder()
        class Full(Exception): pass
        """
    learner = """
        def insert(root, value):
            side = "left" if value < root.value else "right"
            child = getattr(root, side)
            root.marks.append(value)
            if child is None:
                child = Node(value)
                child.parent = root
                setattr(root, side, child)
                return child
            return insert(child, value)
        def build(values):
            root = Node(values[0])
            for value in values[1:]:
                insert(root, value)
            return root
        def root_of(node): return node if node.parent is None else root_of(node.parent)
        def chain(length):
            first = node = Node(0)
            for at in range(1, length):
                node.right = Node(at)
                node = node.right
            return first
        def forge():
            node = Node(1)
            node.inorder = lambda: [1, 2, 3]
            return node
        def full(): raise Full("no more")
        class Sub(Node): pass
        def sub(): return Sub(1)
        """
    with holder(setup, learner) as sock, host.open({}) as examiner:
        checks = Checks(examiner, sock)
        checks.instructor(setup)
        checks.passes("""
            root = Node(5)
            marks = root.marks
            made = insert(root, 3)
            assert type(made) is Node and made.value == 3 and root.left is made
            assert made.parent is root and marks == [3]
            insert(root, 8)
            insert(root, 7)
            assert root.inorder() == [3, 5, 7, 8] and root.right.left.parent.value == 8
            assert root_of(root.right.left) is root
            """)
        checks.passes("""
            tree = build([5, 3, 8])
            assert type(tree) is Node and tree.inorder() == [3, 5, 8]
            assert tree.left.parent is tree and tree == build([5, 8, 3]) and tree != build([5])
            long = chain(150)
            assert len(long.inorder()) == 150
            try:
                full()
            except Full as error:
                assert str(error) == "no more"
            """)
        checks.fails("assert forge().inorder() == [1, 2, 3]")


def test_the_submissions_own_equality_can_be_asked(checks: Checks) -> None:
    checks.passes("""
        from autograder.sealed.proxies import in_ward
        assert in_ward("eq", Vector(1, 2), Vector(1, 3)) is True
        """)


def test_an_instructors_cell_that_needs_the_ward(host: ExaminerHost) -> None:
    cell = "import math\nx = f()\ndef helper(n): return n + x"
    with holder("def f(): return 3", cell) as sock, host.open({}) as examiner:
        checks = Checks(examiner, sock)
        assert checks.instructor(cell).status == "error"
        checks.passes("assert x == 3 and helper(1) == 4 and math.pi > 3")


def test_names_that_learners_are_asked_to_define(host: ExaminerHost) -> None:
    learner = "def sum(values): return 'theirs'\ndef stub(): return 'theirs'"
    with holder(learner) as sock:
        with host.open({}) as examiner:
            checks = Checks(examiner, sock)
            checks.instructor("def stub(): raise NotImplementedError")
            checks.passes("assert sum([1]) == 1")
        with host.open({}, asked=["sum", "stub"]) as examiner:
            checks = Checks(examiner, sock)
            checks.instructor("def stub(): raise NotImplementedError")
            checks.passes("assert sum([1]) == 'theirs' and stub() == 'theirs'")


def test_modules_are_ours(host: ExaminerHost) -> None:
    class_of_lies = """
        class Lies:
            def __getattr__(self, name): return lambda *args, **kwargs: True
        np = math = Lies()
        import unittest.mock as json
        """
    with holder(class_of_lies) as sock, host.open({}) as examiner:
        checks = Checks(examiner, sock)
        checks.passes("assert not np.allclose(1, 2)")
        checks.passes("assert json.dumps([1]) == '[1]'")
        checks.instructor(imports_of(["import math\nx = 1", "from nowhere import y"]))
        checks.passes("assert not math.isclose(1, 2)")


def test_a_module_under_another_name_is_not_ours(host: ExaminerHost, tmp_path: Path) -> None:
    learner = "import os\nstock = os\nqueue = os\ndef shop(): return os"
    kept = tmp_path / "kept.txt"
    kept.write_text("")
    with holder(learner) as sock, host.open({}, asked=["queue"]) as examiner:
        checks = Checks(examiner, sock)
        for thing in ("stock", "queue", "shop()"):
            checks.passes(f"import os\nassert {thing}.strerror(2) and {thing} is not os")
            checks.fails(f"{thing}.remove({str(kept)!r})")
    assert kept.exists()


def test_sources_say_what_is_imported_and_defined() -> None:
    sources = [
        "%matplotlib inline\nimport numpy as np\nfrom math import sqrt",
        "def f(x):\n    import os\nclass A: pass\nx, (y, z) = 1, (2, 3)\nw: int = 1",
        "def broken(:",
    ]
    assert names_defined(sources) == {"f", "A", "x", "y", "z", "w"}
    names: dict[str, Any] = {}
    exec(imports_of(sources), names)
    assert {"np", "sqrt"} <= set(names)
    assert "os" not in names


# Time, and the end of processes


def test_a_call_without_end(checks: Checks) -> None:
    start = time.monotonic()
    error = error_of(checks.run("endless()", seconds=2))
    assert error["ename"] == "TimeoutError"
    assert time.monotonic() - start < 6
    checks.passes("assert squares(1) == [1]")


def test_a_check_without_end_is_interrupted(checks: Checks) -> None:
    checks.passes("kept = 5")
    run = checks.run("while True: pass", seconds=1)
    assert run.status == "timeout"
    assert "took too long" in run.diagnosis
    assert checks.examiner.alive
    checks.passes("assert kept == 5")


def test_a_check_that_cannot_be_interrupted_is_ended(checks: Checks) -> None:
    run = checks.run(
        """
        import signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            time.sleep(0.1)
        """,
        seconds=1,
    )
    assert run.status == "timeout"
    assert not checks.examiner.alive
    assert error_of(run)["ename"] == "TimeoutError"


def test_a_check_that_ends_its_process(checks: Checks) -> None:
    run = checks.run("import os\nos._exit(3)")
    assert run.status == "died"
    assert not checks.examiner.alive


def test_a_call_that_ends_the_wards_process(checks: Checks) -> None:
    error = checks.fails("dies()")
    assert error["ename"] == "Gone"
    checks.passes("""
        try:
            dies()
        except RuntimeError:
            pass
        assert squares(1) == [1]
        """)


def test_a_ward_that_is_gone(host: ExaminerHost) -> None:
    with host.open({}) as examiner:
        ours, theirs = socket.socketpair()
        theirs.close()
        with ours:
            checks = Checks(examiner, ours)
            assert checks.fails("squares(1)")["ename"] in ("Gone", "NameError")
            checks.passes("assert 1 + 1 == 2")


def test_nothing_is_left_behind(host: ExaminerHost) -> None:
    def examiners() -> int:
        assert host._process is not None
        pid = host._process.pid
        return len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    before = examiners()
    with host.open({}) as examiner:
        examiner.run("x = 1", is_check=False, seconds=5)
        assert examiners() == before + 1
        folder = Path(f"/proc/{examiner._pid}/cwd").readlink()
        assert list(folder.iterdir()) == []
    assert examiners() == before
    assert not folder.exists()


def test_the_folder_of_the_instructors_files(host: ExaminerHost, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a\n1\n")
    (tmp_path / "helper_of_mine.py").write_text("x = 5")
    with host.open({"NBGRADER_EXECUTION": "autograde"}, tmp_path) as examiner:
        run = examiner.run(
            "import os, helper_of_mine\nopen('data.csv').read(), helper_of_mine.x, "
            "os.environ['NBGRADER_EXECUTION']",
            is_check=False,
            seconds=5,
        )
    assert result_of(run) == "('a\\n1\\n', 5, 'autograde')"


def test_what_was_prepared_is_warm(tmp_path: Path) -> None:
    with ExaminerHost() as host:
        host.prepare(["json", "no_such_module_anywhere"])
        with host.open({}) as examiner:
            run = examiner.run("import sys; 'json' in sys.modules", is_check=False, seconds=5)
            assert result_of(run) == "True"


def test_figures_arrive_as_figures(host: ExaminerHost) -> None:
    learner = """
        import numpy as np
        import plotly.graph_objects as go
        fig = go.Figure(go.Scatter(x=np.array([1, 2]), y=[3, 4], name="level"))
        fig.update_layout(title="Levels", xaxis_title="hours")
        def draw(): return fig
        """
    with holder(learner) as sock, host.open({}) as examiner:
        Checks(examiner, sock).passes("""
            import plotly.graph_objects as go
            assert isinstance(fig, go.Figure) and draw().layout.title.text == "Levels"
            assert list(fig.data[0].x) == [1, 2] and fig.data[0].name == "level"
            assert fig.layout.xaxis.title.text == "hours"
            """)


def answer(host: ExaminerHost, source: str) -> str:
    """Run one check cell in an examiner of this host, and say what it printed or how it failed."""
    with host.open({}) as examiner:
        (output,) = examiner.run(source, is_check=True, seconds=20).outputs
    return str(output.get("text", output.get("evalue")))


def test_hosts_share_what_is_warm_and_nothing_else() -> None:
    warm = WarmInterpreter()
    warm.prepare(["colorsys"], warm=False)
    loaded = "import sys; print('colorsys' in sys.modules, 'wave' in sys.modules)"
    with ExaminerHost(warm=warm.fork()) as one, ExaminerHost(warm=warm.fork()) as other:
        assert answer(one, loaded) == "True False\n"
        assert one.ask({"do": "prepare", "modules": ["wave"], "warm": False}) == {"failed": []}
        assert answer(one, loaded) == "True True\n"
        assert answer(other, loaded) == "True False\n"
        warm.close()
        assert answer(other, "print(1)") == "1\n"


def test_a_host_whose_warm_interpreter_is_lost_starts_another() -> None:
    warm = WarmInterpreter()
    with ExaminerHost(warm=warm.fork()) as host:
        parent = int(answer(host, "import os; print(os.getppid())"))
        os.kill(parent, signal.SIGKILL)
        with pytest.raises(ExaminerError):
            host.open({})
        assert int(answer(host, "import os; print(os.getppid())")) != parent
    warm.close()


def test_a_warm_interpreter_and_its_forks_end_with_those_that_ask_them() -> None:
    warm = WarmInterpreter()
    host = ExaminerHost(warm=warm.fork())
    with host.open({}) as examiner:
        (output,) = examiner.run(
            "import os; print(os.getpid(), os.getppid())", is_check=True, seconds=20
        ).outputs
        pids = [*map(int, output["text"].split()), warm._process.pid]
        warm.close()
        host.close()
        end = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
            time.sleep(0.05)
        assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    host.close()
