"""A small course with secrets, for attacks to aim at.

Plain asserts, asserts with a tolerance, a partial credit that ends in a number, data that is
changed in place, a table, a loop over answers, a class, a plain name, and an exam of the engine.
What no learner may ever see is spelled in tokens that occur nowhere else, so that a leak is found
by looking for them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ASSIGNMENT = "birds"
NOTEBOOK = "flock"

# Words of hidden checks, of the instructor's solution and of the marking scheme; hidden inputs.
TOKENS = (
    "kestrelcheck",
    "kestrelsolution",
    "kestrelscheme",
    "kestrelexam",
    "ospreyward",
    "merlinward",
    "7919.0625",
    "15838.125",
    "61.8125319",
    "371.4375841",
    "5413.71875",
)

# What an attack prints, and never spells in its source, when it got at something.
GOTCHA = "GOTCHA"

EXAMS = '''
"""Exams of the toy course. kestrelexam"""

from autograder.exam import NO_SLIPS, Concept, Exam, Slip, case


def _answer(weight_kg, *, slips=NO_SLIPS):
    if weight_kg <= 0:
        raise ValueError("weight_kg must be above 0")
    return weight_kg * (2 if "twice" in slips else 6)


dose = Exam(
    "dose",
    _answer,
    (
        Concept("Six per kilogram", 3, "Read the label.", (
            case(61.8125319), case(62.8125), case(weight_kg=371.4375841))),
        Concept("Invalid weights", 1, "The text lists them.", (case(0), case(-61.8125319))),
    ),
    slips=(Slip("twice", "gives two per kilogram"),),
)
'''

DATA = """
import numpy as np
import pandas as pd

readings = pd.DataFrame({"value": [1.5, -2.0, 3.25, -4.0, 5.0]})
"""

SOLUTIONS = {
    "double": "def double(x):\n    return 2 * x",
    "third": "def third(x):\n    return x / 3",
    "tally": 'def tally(table):\n    return table.groupby("ward")["amount"].sum().to_dict()',
    "cleaned": 'readings = readings[readings["value"] >= 0]',
    "dose": (
        "def dose(weight_kg):\n"
        "    if weight_kg <= 0:\n"
        '        raise ValueError("weight_kg must be above 0")\n'
        "    return 6 * weight_kg"
    ),
    "vector": (
        "class Vector:\n"
        "    def __init__(self, x, y):\n"
        "        self.x, self.y = x, y\n"
        "\n"
        "    def __add__(self, other):\n"
        "        return Vector(self.x + other.x, self.y + other.y)\n"
        "\n"
        "    def __eq__(self, other):\n"
        "        return (self.x, self.y) == (other.x, other.y)"
    ),
    "answer": "answer = 6 * 7",
    "tidy": "def tidy(table):\n    return table.dropna().reset_index(drop=True)",
    "even": "def even(n):\n    return n % 2 == 0",
    "growth": "def growth(start, years):\n    return start * 2**years",
}

# What honest learners hand in, by exercise.
HONEST: dict[str, dict[str, str]] = {
    "right": SOLUTIONS,
    "wrong": {
        "double": "def double(x):\n    return x",
        "third": "def third(x):\n    return x",
        "tally": 'def tally(table):\n    return {ward: -1 for ward in table["ward"]}',
        "cleaned": "readings",
        "dose": "def dose(weight_kg):\n    return 9.5 * weight_kg + 1",
        "tidy": "def tidy(table):\n    return table",
        "even": "def even(n):\n    return n",
        "growth": "def growth(start, years):\n    return start",
        "vector": "class Vector:\n    def __init__(self, x, y):\n        self.x = x",
        "answer": "answer = 0",
    },
    "half": {
        "tally": 'def tally(table):\n    return {"a": 3, table["ward"][1]: 4}',
        "dose": "def dose(weight_kg):\n    return 6 * weight_kg",
    },
    "untouched": {},
}

CHECKS: dict[str, tuple[float, str]] = {
    "double-visible": (1, "assert double(1) == 2"),
    "double-check": (
        3,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
assert double(7919.0625) == 15838.125, "Twice a number, whatever the number."
assert double(-0.5) == -1
### END HIDDEN TESTS
""",
    ),
    "third-check": (
        2,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
assert abs(third(5413.71875) - 1804.5729166666667) < 1e-6
assert np.isclose(third(-1.5), -0.5)
assert 0.33 < third(1) < 0.34
### END HIDDEN TESTS
""",
    ),
    "tally-check": (
        4,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
found = tally(pd.DataFrame({
    "ward": ["ospreyward", "merlinward", "ospreyward", "ternward", "wrenward"],
    "amount": [1, 4, 2, 8, 16],
}))
names = sorted(found)
expected = {"ospreyward": 3, "merlinward": 4, "ternward": 8, "wrenward": 16}
float(sum(bool(found.get(ward) == amount) for ward, amount in expected.items()))
### END HIDDEN TESTS
""",
    ),
    "cleaned-check": (
        2,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
assert len(readings) == 3
assert readings["value"].min() >= 0
### END HIDDEN TESTS
""",
    ),
    "dose-check": (
        4,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
import toy_exams

toy_exams.dose.examine(dose)
### END HIDDEN TESTS
""",
    ),
    "tidy-check": (
        1,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
found = tidy(pd.DataFrame({"amount": [1.0, None, 4.0]}))
assert found.equals(pd.DataFrame({"amount": [1.0, 4.0]}))
### END HIDDEN TESTS
""",
    ),
    "even-check": (
        1,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
assert all(map(even, [2, 4, 7918]))
assert not any(map(even, [1, 3, 7919]))
### END HIDDEN TESTS
""",
    ),
    "growth-check": (
        1,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
assert growth(2.0, 20) == 2097152.0
assert growth(1e-3, -20) == 9.5367431640625e-10
### END HIDDEN TESTS
""",
    ),
    "growth-near": (
        1,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
assert abs(growth(3, 2) - 12) <= 1
### END HIDDEN TESTS
""",
    ),
    # It binds a name that the next exercise asks for.
    "vector-check": (
        1,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
answer = Vector(1, 2) + Vector(3, 4)
assert answer == Vector(4, 6)
assert not answer == Vector(4, 7)
### END HIDDEN TESTS
""",
    ),
    "answer-check": (
        1,
        """
# Hidden check.
### BEGIN HIDDEN TESTS
# kestrelcheck
assert answer == 42
### END HIDDEN TESTS
""",
    ),
}

# What each check gives for what kind of answer.
SCORES: dict[str, dict[str, float]] = {
    "double-visible": {"right": 1, "wrong": 0, "untouched": 0},
    "double-check": {"right": 3, "wrong": 0, "untouched": 0},
    "third-check": {"right": 2, "wrong": 0, "untouched": 0},
    "tally-check": {"right": 4, "wrong": 0, "half": 1, "untouched": 0},
    "cleaned-check": {"right": 2, "wrong": 0, "untouched": 0},
    "dose-check": {"right": 4, "wrong": 0, "half": 3, "untouched": 0},
    "tidy-check": {"right": 1, "wrong": 0, "untouched": 0},
    "even-check": {"right": 1, "wrong": 0, "untouched": 0},
    "growth-check": {"right": 1, "wrong": 0, "untouched": 0},
    "growth-near": {"right": 1, "wrong": 0, "untouched": 0},
    "vector-check": {"right": 1, "wrong": 0, "untouched": 0},
    "answer-check": {"right": 1, "wrong": 0, "untouched": 0},
}

_TEXTS = {
    "double": "Write `double(x)`: twice `x`.",
    "third": "Write `third(x)`: a third of `x`.",
    "tally": "Write `tally(table)`: the amounts of each ward, added up, as a dict.",
    "cleaned": "Take the readings below 0 out of `readings`.",
    "dose": "Write `dose(weight_kg)`: six per kilogram; a ValueError where that makes no sense.",
    "tidy": "Write `tidy(table)`: the rows without a gap, numbered anew.",
    "even": "Write `even(n)`: whether `n` is even.",
    "growth": "Write `growth(start, years)`: what doubles each year.",
    "vector": "Write the class `Vector(x, y)`, with `+` and `==`.",
    "answer": "Work out `answer`, six times seven.",
}
_SCHEME = "=== BEGIN MARK SCHEME ===\n\nkestrelscheme\n\n=== END MARK SCHEME ==="


def _marked(grade_id: str, **more: object) -> dict[str, object]:
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **flags, **more}}


def source() -> NotebookNode:
    """Make the instructor's notebook."""
    cells = [
        new_markdown_cell("# Birds", id="title"),
        new_code_cell(DATA.strip(), id="data", metadata=_marked("data", locked=True)),
    ]
    for name, solution in SOLUTIONS.items():
        header, _, body = solution.partition("\n") if "def " in solution else ("", "", solution)
        mark = f"### BEGIN SOLUTION\n# kestrelsolution\n{textwrap.dedent(body)}\n### END SOLUTION"
        cells.append(
            new_markdown_cell(
                f"## {name.capitalize()}\n\n{_TEXTS[name]}",
                id=f"{name}-text",
                metadata=_marked(f"{name}-text", locked=True),
            )
        )
        text = f"{header}\n{textwrap.indent(mark, '    ')}" if header else mark
        cells.append(new_code_cell(text, id=name, metadata=_marked(name, solution=True)))
        for check, (points, code) in CHECKS.items():
            if check.startswith(name):
                metadata = _marked(check, grade=True, locked=True, points=points)
                cells.append(new_code_cell(code.strip(), id=check, metadata=metadata))
    task = _marked("words", task=True, locked=True, points=2)
    cells.append(new_markdown_cell(f"## In words\n\nWhy?\n\n{_SCHEME}", id="words", metadata=task))
    free = _marked("reason", solution=True, grade=True, points=2)
    cells.append(new_markdown_cell("YOUR ANSWER HERE", id="reason", metadata=free))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook: NotebookNode = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return notebook


def make_course(folder: Path, config: str) -> Path:
    """Make the course's folder: source, settings, and the exams outside of it.

    Parameters
    ----------
    folder : Path
        Made, with a folder ``course`` and a folder ``library`` in it.
    config : str
        nbgrader's configuration.

    Returns
    -------
    Path
        The course.
    """
    course = folder / "course"
    (course / "source" / ASSIGNMENT).mkdir(parents=True)
    nbformat.write(source(), course / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb")
    (course / "source" / ASSIGNMENT / "table.csv").write_text("ward,amount\na,1\n")
    (course / "nbgrader_config.py").write_text(config)
    (folder / "library").mkdir()
    (folder / "library" / "toy_exams.py").write_text(EXAMS)
    return course


def fill(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """Write answers into the cells of a released notebook.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    answers : mapping of str to str
        Source by grade id.
    """
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    return notebook


def honest_answers(kinds: Mapping[str, str]) -> dict[str, str]:
    """Give the sources of a learner who is right, wrong or half right, by exercise."""
    return {
        name: HONEST[kind][name]
        for name, kind in kinds.items()
        if name in SOLUTIONS and name in HONEST[kind]
    }


def expected_scores(kinds: Mapping[str, str]) -> dict[str, float]:
    """Give what each check is worth to a learner who is right, wrong or half right."""
    return {check: by_kind[kinds[check.split("-")[0]]] for check, by_kind in SCORES.items()}
