"""Whole exercises, graded in a real jail: the solution earns its points, and a forgery none.

Each forgery once earned points that the answer was not worth.
"""

# ruff: noqa: E501 - answers are one line each

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from autograder.sealed.cells import TrustedCell, given_by, plan, restore
from autograder.sealed.hosts import hosts_for
from autograder.sealed.limits import Limits
from autograder.sealed.notebook import modules_of, run_notebook
from autograder.sealed.scoring import Verdict, verdict_of
from autograder.sealed.wards import WardSettings

POINTS = 4.0
LIMITS = Limits(cell_seconds=10, checks_seconds=20, memory_mib=768)
FLAGS: dict[str, dict[str, Any]] = {
    "given": {"locked": True},
    "solution": {"solution": True},
    "check": {"grade": True, "locked": True, "points": POINTS},
}


@dataclass(frozen=True)
class Exercise:
    """An assignment, and what somebody hands in instead of the solution.

    Attributes
    ----------
    cells : sequence of (kind, source)
        ``"unmarked"``, ``"given"`` (locked), ``"solution"`` or ``"check"``, in order.
    forged : mapping of int to (str or None)
        By the place of a cell: what is handed in there; None where it is removed.
    honest : sequence of float, optional
        What the solution earns in each check; by default everything.
    earned : sequence of float, optional
        What the forgery earns in each check; by default nothing.
    """

    cells: Sequence[tuple[str, str]]
    forged: Mapping[int, str | None]
    honest: Sequence[float] | None = None
    earned: Sequence[float] | None = None

    @property
    def checks(self) -> list[str]:
        """The names of the checks."""
        return [f"cell-{at}" for at, (kind, _) in enumerate(self.cells) if kind == "check"]


OBLIGING = """
    def __sub__(self, other): return self
    def __abs__(self): return self
    def __lt__(self, other): return True
"""
MONEY = """
class Money:
    def __init__(self, amount): self.amount = amount
    def __add__(self, other): return Money(self.amount + other.amount)
    def __sub__(self, other): return Money(self.amount - other.amount)
    def __abs__(self): return Money(abs(self.amount))
    def __lt__(self, other): return self.amount < other.amount
"""
OBLIGING_MONEY = f"""
class Money:
    def __init__(self, amount): self.amount = amount
    def __add__(self, other): return Money(self.amount + other.amount)
{OBLIGING}
"""
ARRAY = """
import pandas as pd
ANY = {}
def double(x): return ANY
def squares(n): return [ANY] * n
def counts(text): return dict.fromkeys(text, ANY)
"""
ON_NUMBERS = [
    ("given", "import numpy as np\nimport pandas as pd"),
    (
        "solution",
        """
        def double(x): return 2 * x
        def squares(n): return [i * i for i in range(n)]
        def counts(text): return {letter: text.count(letter) for letter in text}
        """,
    ),
    ("check", "assert double(3) == 6"),
    ("check", "assert abs(double(3) - 6) < 1e-6 and double(3) in (6, 6.5)"),
    ("check", "import pytest\nassert double(3) == pytest.approx(6)"),
    ("check", "assert squares(4) == [0, 1, 4, 9]"),
    ("check", "assert counts('aab') == {'a': 2, 'b': 1}"),
    ("check", "assert np.array_equal(np.array(squares(3)), [0, 1, 4])"),
]
ON_TABLES = [
    ("given", "import pandas as pd\nraw = pd.DataFrame({'a': [1.0, None]})"),
    ("solution", "def tidy(table): return table.dropna()"),
    ("check", "assert tidy(raw).eq(pd.DataFrame({'a': [1.0]})).all().all()"),
    ("check", "assert tidy(raw).compare(pd.DataFrame({'a': [1.0]})).empty"),
    ("check", "assert tidy(raw).sub(pd.DataFrame({'a': [1.0]})).abs().max().max() < 1e-9"),
    ("check", "assert tidy(raw).equals(pd.DataFrame({'a': [1.0]}))"),
]
EXERCISES = {
    "an array of pandas that is true by its length": Exercise(
        ON_NUMBERS, {1: ARRAY.format("pd.array([0])")}
    ),
    "an index of pandas that is true by its length": Exercise(
        ON_NUMBERS, {1: ARRAY.format("pd.Index(['q'], dtype='string')")}
    ),
    "verdicts of NumPy, counted": Exercise(
        [
            ("solution", "def square(x): return x * x"),
            ("check", "points = 0\nfor x in (1, 2, 3, 4): points += square(x) == x**2\npoints"),
            ("check", "sum(square(x) == x**2 for x in (1, 2, 3, 4))"),
            ("check", "4 * (square(3) == 9)"),
            ("check", "import fractions\n4 * (square(3) / 9 if square(3) == 9 else square(3) * 0)"),
        ],
        {0: "import numpy as np\ndef square(x): return np.int64(-1)"},
    ),
    "several numbers in place of a partial credit": Exercise(
        [
            ("solution", "def square(x): return x * x"),
            ("check", "4 * (square(3) == 9)"),
            ("check", "square(3)"),
        ],
        {0: "import numpy as np\ndef square(x): return np.array([1, 2])"},
        earned=(0, POINTS),
    ),
    "a class that says it is a table of pandas": Exercise(
        ON_TABLES,
        {
            1: """
            class DataFrame:
                __module__, __qualname__ = pd.DataFrame.__module__, "DataFrame"
                def eq(self, other): return pd.DataFrame({"a": [True]})
                def compare(self, other): return pd.DataFrame()
                def sub(self, other): return other - other
                def equals(self, other): return True
            def tidy(table): return DataFrame()
            """
        },
    ),
    "operators that another exercise asks for": Exercise(
        [
            ("solution", MONEY),
            ("check", "result = Money(1) + Money(2)\nassert result.amount == 3"),
            ("solution", "def third(x):\n    amount = x / 3\n    return amount"),
            ("check", "result = third(9)\nassert abs(result - 3) < 1e-9"),
            ("check", "assert abs(third(9) - 3) < 1e-9, 'Money is divided by three'"),
        ],
        {0: OBLIGING_MONEY, 2: "def third(x): return Money(0)"},
        earned=(POINTS, 0, 0),
    ),
    "operators of a class that derives from a number": Exercise(
        [
            ("solution", "class Heat(float):\n    def kelvin(self): return self + 273"),
            ("check", "assert abs(Heat(37).kelvin() - 310) < 1e-9"),
        ],
        {0: f"class Heat:\n    def __init__(self, x): ...\n    def kelvin(self): return self\n{OBLIGING}"},
    ),
    "operators of a class named as an enumeration": Exercise(
        [
            (
                "solution",
                "import enum\nclass Color(enum.Enum):\n    RED = 700\ndef wave(c): return c.value",
            ),
            ("check", "assert abs(wave(Color.RED) - 700) < 1e-9\nassert len(Color) == 1"),
        ],
        {
            0: f"""
import enum
class Obliging:
{OBLIGING}
class Color(enum.Enum):
    RED = 700
Obliging.__name__ = "Color"
def wave(c): return Obliging()
"""
        },
    ),
    "an exception that ends a loop, under a word of the check": Exercise(
        [
            ("solution", "def even(n): return n % 2 == 0"),
            ("check", "assert all(map(even, [2, 4]))\nassert not any(map(even, [1, 3]))"),
        ],
        {0: "class map(StopIteration): ...\nEnds = map\ndel map\ndef even(n): raise Ends"},
    ),
    "narrow numbers, where an instructor's cell has the word": Exercise(
        [
            ("given", "import numpy as np\nstart = np.array([1, 2], dtype=float)"),
            ("solution", "def growth(start, years): return start * 2**years"),
            ("check", "assert growth(2.0, 20) == 2097152.0"),
        ],
        {1: "def growth(start, years): return np.float16('inf')"},
    ),
    "a helper of an unmarked cell, changed": Exercise(
        [
            ("unmarked", "def close(a, b): return abs(a - b) < 1e-6"),
            ("solution", "def third(x): return x / 3"),
            ("check", "assert close(third(9), 3)"),
        ],
        {0: "def close(a, b): return True", 1: "def third(x): return 0"},
    ),
    "a helper of an unmarked cell, removed and written anew": Exercise(
        [
            ("unmarked", "def close(a, b): return abs(a - b) < 1e-6"),
            ("solution", "def third(x): return x / 3"),
            ("check", "assert close(third(9), 3)"),
        ],
        {0: None, 1: "def close(a, b): return True\ndef third(x): return 0"},
    ),
    "an instructor's cases, emptied": Exercise(
        [
            ("given", "CASES = [(1, 2), (2, 4)]\ndef run(f):\n    for x, y in CASES: assert f(x) == y"),
            ("solution", "def double(x): return 2 * x"),
            ("check", "for x, y in CASES:\n    assert double(x) == y"),
            ("check", "run(double)"),
        ],
        {1: "CASES = []\ndef double(x): return 0"},
    ),
    "an instructor's cases, which the solution is not there to tell from its own data": Exercise(
        [
            ("given", "answer = None"),
            ("solution", "# Not shown"),
            ("check", "assert answer == 5"),
        ],
        {1: "answer = 5"},
        honest=(0,),
        earned=(POINTS,),
    ),
    "a module that does something when it is loaded": Exercise(
        [
            ("given", "import types"),
            ("solution", "answer = 5"),
            ("check", "assert answer == 5"),
            ("check", "import sys\nassert not {'venv', 'this'} & set(sys.modules)"),
        ],
        {1: "answer = types.ModuleType('venv.__main__')\nthis = types.ModuleType('this')"},
        earned=(0, POINTS),
    ),
    "an object of a library's class, with attributes of its own making": Exercise(
        [
            ("given", "import numpy as np\nfrom scipy.sparse import csr_matrix"),
            ("solution", "def eye(n): return csr_matrix(np.eye(n))"),
            ("check", "assert np.allclose(eye(3).toarray(), np.eye(3))"),
            ("check", "assert type(eye(3)) is not csr_matrix"),
        ],
        {
            1: """
            def eye(n):
                made = csr_matrix((n, n))
                made.indices = np.arange(-4000, 0).astype("int32")
                made.data = np.zeros(4000)
                made.indptr = np.array([0] + [4000] * n, dtype="int32")
                return made
            """
        },
        earned=(0, POINTS),
    ),
    "a library's name, because the solution sets items by it": Exercise(
        [
            ("given", "import numpy as np\nimport pandas as pd\nxs = [1.0, 2.0]\ndef close(a, b): return abs(a - b) < 1e-6"),
            ("solution", "a = np.ones(3)\na[np.isnan(a)] = 0\na[abs(a) > 10] = 0\npd.options.display.max_rows = 9\nxs[len(xs) - 1] = 5\nxs[int(close(1, 1))] = 7"),
            ("solution", "def third(x): return x / 3"),
            ("check", "assert np.allclose(third(9), 3)"),
            ("check", "assert abs(third(9) - 3) < 1e-9"),
            ("check", "assert close(third(9), 3)"),
            ("check", "pd.testing.assert_series_equal(third(pd.Series([3.0])), pd.Series([1.0]))"),
            ("check", "assert xs[1] == 7 and a.sum() == 3"),
        ],
        {
            1: """
            a = np.ones(3)
            xs[1] = 7
            def close(a, b): return True
            def abs(x): return 0
            class np: allclose = lambda *args: True
            class pd:
                class testing: assert_series_equal = lambda *args: None
            """,
            2: "def third(x): return 0",
        },
        earned=(0, 0, 0, 0, POINTS),
    ),
    "a partial credit that is no number": Exercise(
        [
            ("solution", "def square(x): return x * x\nscore = 3"),
            ("check", "4 * (square(3) == 9)"),
            ("check", "points = 0\nfor x in (1, 2, 3, 4): points += square(x) == x**2\npoints"),
            ("check", "sum(square(x) == x**2 for x in (1, 2, 3, 4))"),
            ("check", "score = 0\nfor x in (1, 2, 3, 4): score += square(x) == x**2\nscore"),
        ],
        {0: "import pandas as pd\ndef square(x): return pd.NA\nscore = 3"},
    ),
    "an exception that ends a loop, where the check expects any": Exercise(
        [
            ("solution", "def even(n): return n % 2 == 0"),
            (
                "check",
                "import pytest\nassert all(map(even, [2, 4]))\nassert not any(map(even, [1, 3]))\n"
                "with pytest.raises(Exception): even('x')",
            ),
        ],
        {0: "def even(n): raise StopIteration"},
    ),
    "an object that answers in place of a given class's": Exercise(
        [
            (
                "given",
                "class Point:\n    def __init__(self, x): self.x = x\n"
                "    def distance_to(self, other): return abs(self.x - other.x)\n"
                "class Vec(Point):\n    def __sub__(self, other): return Vec(self.x - other.x)\n"
                "    def norm(self): return abs(self.x)",
            ),
            ("solution", "def move(p, d): return Point(p.x + d)\ndef twice(v): return Vec(2 * v.x)"),
            ("check", "assert move(Point(1), 1).distance_to(Point(2)) < 1e-9"),
            ("check", "assert (twice(Vec(2)) - Vec(4)).norm() < 1e-9"),
        ],
        {
            1: """
            class Other:
                def distance_to(self, other): return 0.0
            class Obliging(Vec):
                def __sub__(self, other): return self
                def norm(self): return 0
            def move(p, d): return Other()
            def twice(v): return Obliging(0)
            """
        },
    ),
    "a given object that holds functions and addresses": Exercise(
        [
            ("given", "import numpy as np\nimport pandas as pd\nclass Vec:\n    def __init__(self, x): self.x = x"),
            ("solution", "def doubled(table): return table * 2\ndef length(v): return float(v.x)\ndef first(): return Vec(1)"),
            ("check", "t = pd.DataFrame({'a': [1]})\nassert doubled(t).equals(t * 2)"),
            ("check", "t = pd.DataFrame({'a': [1]})\nassert doubled(t).sub(t * 2).abs().max().max() == 0"),
            ("check", "assert np.allclose(length(Vec(3)), 3) and first().x == 1"),
            ("check", "first()\nVec\nassert not hasattr(length(Vec(3)), '__array_interface__')"),
        ],
        {
            1: """
            def made(**names):
                vec = Vec(0)
                vec.__dict__.update(names)
                return vec
            def doubled(table):
                return made(equals=lambda o: True, sub=lambda o: pd.DataFrame({"a": [0]}))
            def length(v):
                interface = {"data": (16, True), "shape": (1,), "typestr": "<f8", "version": 3}
                return made(__array_interface__=interface)
            def first(): return made(x=1)
            """
        },
        earned=(0, 0, 0, POINTS),
    ),
    "operators of a given class where a number is expected": Exercise(
        [
            (
                "given",
                "class Meas:\n    def __init__(self, v, tol): self.v, self.tol = v, tol\n"
                "    def __eq__(self, other): return abs(self.v - getattr(other, 'v', other)) <= self.tol\n"
                "    def __sub__(self, other): return Meas(0, self.tol)\n"
                "    def __abs__(self): return self\n    def __lt__(self, other): return True",
            ),
            ("solution", "def square(x): return x * x\ndef measure(x): return Meas(x, 0.1)"),
            ("check", "assert square(3) == 9"),
            ("check", "assert abs(square(3) - 9) < 1e-9"),
            ("check", "assert measure(2) == 2.05"),
        ],
        {1: "def square(x): return Meas(0, 1e300)\ndef measure(x): return Meas(x, 0.1)"},
        earned=(0, 0, POINTS),
    ),
    "a class that says it is a library's, with the right relation": Exercise(
        [
            ("given", "import numpy as np\nimport pandas as pd"),
            ("solution", "def smooth(s): return s.rolling(1).mean()\ndef scaled(x): return np.array(x)"),
            ("check", "s = pd.Series([1.0, 2.0, 4.0])\nassert smooth(s).corr(s) > 0.999"),
            ("check", "assert scaled([1, 2]).dot([1, 1]) == 3"),
        ],
        {
            1: """
            def claims(module, name, **members):
                methods = {key: lambda self, *a, value=value: value for key, value in members.items()}
                return type(name, (), dict(methods, __module__=module, __qualname__=name))()
            def smooth(s): return claims("pandas.api.typing", "Rolling", corr=1.0)
            def scaled(x): return claims("numpy.ma", "MaskedArray", dot=3)
            """
        },
    ),
    "methods and properties of a given class, made in other ways": Exercise(
        [
            (
                "given",
                "def _same(self, other): return self.side == other.side\n"
                "class Shape:\n    def __init__(self, side): self.side = side\n    same = _same\n"
                "    fits = lambda self, other: self.side <= other.side\n"
                "    if True:\n        def close(self, other): return abs(self.side - other.side) < 1e-9\n"
                "    @property\n    def area(self): return self.side**2",
            ),
            ("solution", "def grow(shape): return Shape(2 * shape.side)"),
            ("check", "assert grow(Shape(2)).same(Shape(4))"),
            ("check", "assert grow(Shape(2)).fits(Shape(4)) and grow(Shape(2)).close(Shape(4))"),
            ("check", "assert grow(Shape(2)).area == 16"),
        ],
        {
            1: """
            class Other:
                area = 16
                def same(self, other): return True
                fits = close = same
            def grow(shape): return Other()
            """
        },
    ),
    "data of which the solution has only a parameter's name": Exercise(
        [
            ("given", "values = [1, 2, 6]"),
            ("solution", "def mean(values): return sum(values) / len(values)"),
            ("check", "assert mean(values) == sum(values) / len(values)"),
        ],
        {1: "values = [0]\ndef mean(values): return 0"},
    ),
    "a name of the check's own that an exercise has, too": Exercise(
        [
            ("solution", MONEY + "\nresult = Money(1) + Money(2)"),
            ("check", "assert result.amount == 3"),
            ("solution", "def third(x): return x / 3"),
            ("check", "result = third(9)\nassert abs(result - 3) < 1e-9"),
        ],
        {0: OBLIGING_MONEY + "\nresult = Money(1) + Money(2)", 2: "def third(x): return Money(0)"},
        earned=(POINTS, 0),
    ),
    "honest work with what is given": Exercise(
        [
            (
                "given",
                """
                import dataclasses, enum
                class BankError(Exception):
                    def advice(self): return "ask"
                    def short(self): return 0
                class Robot:
                    def __init__(self): self.driven = 0
                fleet = [Robot(), Robot()]
                @dataclasses.dataclass(frozen=True)
                class Card:
                    rank: int
                class Access(enum.Flag):
                    READ = 1
                    WRITE = 2
                numbers = [3, 1, 2]
                RATE = 1
                def set_rate(rate):
                    global RATE
                    RATE = rate
                def tax(x): return RATE * x
                def total(): return sum(numbers)
                """,
            ),
            (
                "solution",
                """
                class Insufficient(BankError):
                    def short(self): return self.args[0] - self.args[1]
                def pay(a, b): raise Insufficient(a, b)
                for robot in fleet: robot.driven += 5
                def deck(): return {Card(1), Card(2)}
                def both(): return Access.READ | Access.WRITE
                def allows(access): return access is Access.READ | Access.WRITE
                numbers.append(4)
                set_rate(3)
                """,
            ),
            ("check", "import pytest\nwith pytest.raises(Insufficient) as caught: pay(5, 3)\nassert caught.value.short() == 2"),
            ("check", "import pytest\nassert issubclass(Insufficient, BankError)\nwith pytest.raises(BankError) as caught: pay(5, 3)\nassert caught.value.advice() == 'ask' and caught.value.short() == 2\nassert Insufficient(5, 3).short() == 2"),
            ("check", "assert [robot.driven for robot in fleet] == [5, 5]"),
            ("check", "assert deck() == {Card(1), Card(2)}"),
            ("check", "assert both() == Access.READ | Access.WRITE and allows(Access.READ | Access.WRITE)"),
            ("check", "assert total() == 10 and tax(2) == 6"),
        ],
        {1: ""},
    ),
    "a member of an instructor's enumeration, changed": Exercise(
        [
            ("given", "import enum\nclass Grade(enum.Enum):\n    LOW = 1\n    HIGH = 3"),
            ("solution", "def grade(score): return Grade.HIGH if score > 5 else Grade.LOW"),
            ("check", "assert grade(9) is Grade.HIGH"),
            ("check", "grade(9)\nassert grade(9).value == 3 and Grade.LOW.value == 1"),
        ],
        {1: "Grade.LOW._value_ = 3\nGrade.LOW.__dict__['_name_'] = 'LOW'\ndef grade(score): return Grade.LOW"},
    ),
}  # fmt: skip


def _cell(at: int, kind: str, source: str) -> NotebookNode:
    """Make a cell of the source notebook."""
    text = dedent(source).strip()
    if kind == "solution":
        text = f"### BEGIN SOLUTION\n{text}\n### END SOLUTION"
    cell: NotebookNode = new_code_cell(text, id=f"cell-{at}")
    if kind != "unmarked":
        none = dict.fromkeys(("grade", "solution", "locked", "task"), False)
        about = {"grade_id": cell.id, "schema_version": 3, **none, **FLAGS[kind]}
        cell.metadata["nbgrader"] = NotebookNode(about)
    return cell


def grade(exercise: Exercise, handed_in: Mapping[int, str | None]) -> Verdict:
    """Grade one submission; what is not handed in is as it was released."""
    settings = WardSettings(interpreter=Path(sys.executable), limits=LIMITS)
    source = [_cell(at, *cell) for at, cell in enumerate(exercise.cells)]
    trusted = [
        TrustedCell(
            cell.id,
            "code",
            "# YOUR CODE HERE" if cell.metadata.nbgrader.solution else cell.source,
            **{flag: cell.metadata.nbgrader[flag] for flag in ("grade", "solution", "locked")},
            points=cell.metadata.nbgrader.get("points"),
        )
        for cell in source
        if "nbgrader" in cell.metadata
    ]
    submitted = []
    for at, cell in enumerate(source):
        text = handed_in.get(at, cell.source)
        if text is not None:
            copied = new_code_cell(dedent(text).strip(), id=cell.id, metadata=cell.metadata)
            submitted.append(copied)
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    template = new_notebook(cells=source, metadata=kernel)
    notebook = restore(new_notebook(cells=submitted, metadata=kernel), trusted, template).notebook
    planned = plan(notebook, template)
    hosts = hosts_for(settings)
    hosts.prepare(modules_of(planned, "instructor"), modules_of(planned, "instructor", "check"))
    run_notebook(notebook, planned, {}, hosts, LIMITS, {}, given=given_by(trusted, template))
    return verdict_of(notebook)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_solution_earns_its_points_and_a_forgery_none(name: str) -> None:
    exercise = EXERCISES[name]
    solved = {at: source for at, (kind, source) in enumerate(exercise.cells) if kind == "solution"}
    full = [POINTS] * len(exercise.checks)
    for handed_in, wanted in (
        (solved, exercise.honest or full),
        (exercise.forged, exercise.earned or [0] * len(full)),
    ):
        scores = grade(exercise, handed_in).scores
        assert [scores[check].score for check in exercise.checks] == list(wanted)
