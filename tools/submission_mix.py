"""A fixed mix of made-up submissions of an assignment, for measuring how long grading takes.

Of 100, 70 are right in varied styles, 20 are wrong in varied ways, 8 crash in varied ways, and 2
are right but sleep for two seconds. The same number asks for the same submissions, byte for byte.
"""

from __future__ import annotations

import ast
import copy
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

ROOT = Path(__file__).resolve().parent.parent
SLEEP_SECONDS = 2
Kind = Literal["right", "wrong", "crash", "slow"]
SHARES: tuple[tuple[Kind, float], ...] = (
    ("right", 0.70),
    ("wrong", 0.20),
    ("crash", 0.08),
    ("slow", 0.02),
)
# By the name of the function that an exercise asks for.
Answers = Mapping[str, str]
_MARKERS = re.compile(r"^.*(?:BEGIN|END) SOLUTION.*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Made:
    """One submission.

    Attributes
    ----------
    student : str
        Its number and kind, as a name.
    kind : str
        right, wrong, crash or slow.
    how : str
        In which way, in a few words.
    notebook : NotebookNode
        What is handed in.
    """

    student: str
    kind: Kind
    how: str
    notebook: NotebookNode


def kinds(count: int) -> list[Kind]:
    """Share a number of submissions out among the kinds, in an order that looks like chance.

    Parameters
    ----------
    count : int
        How many.

    Returns
    -------
    list of str
    """
    numbers = {kind: int(share * count) for kind, share in SHARES}
    rest = sorted(SHARES, key=lambda item: item[1] * count - numbers[item[0]], reverse=True)
    for kind, _ in rest[: count - sum(numbers.values())]:
        numbers[kind] += 1
    order = [kind for kind, _ in SHARES for _ in range(numbers[kind])]
    random.Random(count).shuffle(order)
    return order


def mix(released: NotebookNode, styles: Sequence[Answers], count: int) -> Iterator[Made]:
    """Make the submissions.

    Parameters
    ----------
    released : NotebookNode
        The assignment as learners get it.
    styles : sequence of mapping
        Right answers by different authors.
    count : int
        How many submissions.

    Yields
    ------
    Made
    """
    made: dict[Kind, int] = {kind: 0 for kind, _ in SHARES}
    for position, kind in enumerate(kinds(count), start=1):
        number = made[kind]
        made[kind] += 1
        answers, how = dict(styles[number % len(styles)]), f"style {number % len(styles) + 1}"
        notebook = copy.deepcopy(released)
        if kind == "wrong":
            answers, how = _slip(answers, number)
        elif kind == "crash":
            names = list(answers)
            name = names[number % len(names)]
            how, change = CRASHES[number % len(CRASHES)]
            answers[name] = change(answers[name])
        elif kind == "slow":
            name = list(answers)[number % len(answers)]
            answers[name] = f"import time\n\ntime.sleep({SLEEP_SECONDS})\n\n{answers[name]}"
            how = f"sleeps for {SLEEP_SECONDS} s"
        if kind == "right":
            turn = number // len(styles)
            answers = {
                name: RETOUCHES[(turn + at) % len(RETOUCHES)](text)
                for at, (name, text) in enumerate(answers.items())
            }
            how += f", retouched from {RETOUCHES[turn % len(RETOUCHES)].__name__.strip('_')} on"
        first = next(iter(answers))
        answers[first] = f"# Version {position}\n{answers[first]}"  # no two are the same
        fill(notebook, answers)
        if kind == "right" and number % 5 == 4:
            _scribble(notebook)
            how += ", own cells"
        yield Made(f"{position:03d}-{kind}", kind, how, notebook)


def styles_of(assignment: str) -> list[Answers]:
    """Read the right answers of an assignment: the instructor's, and those of other authors.

    Parameters
    ----------
    assignment : str
        Such as 05-grading.

    Returns
    -------
    list of mapping
    """
    (source,) = sorted((ROOT / "source" / assignment).glob("*.ipynb"))
    own = {
        name: _MARKERS.sub("", cell.source)
        for cell in nbformat.read(source, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
        and (name := _function_of(cell.source)) is not None
    }
    others = [
        _split(path.read_text(encoding="utf-8"), list(own))
        for path in sorted((ROOT / "tests" / "solutions" / assignment).glob("*.py"))
    ]
    return [own, *others]


def fill(notebook: NotebookNode, answers: Answers) -> None:
    """Put answers into the solution cells.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    answers : mapping
        Text by the name of the function.
    """
    for cell in notebook.cells:
        if not cell.metadata.get("nbgrader", {}).get("solution"):
            continue
        name = _function_of(cell.source)
        if name is not None and name in answers:
            cell.source = answers[name]


def _function_of(source: str) -> str | None:
    found = re.search(r"^def (\w+)\(", source, re.MULTILINE)
    return found and found.group(1)


def _split(text: str, names: Sequence[str]) -> Answers:
    """Give each function of a module a text of its own, with the module's imports before it."""
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    before = "".join(
        ast.unparse(node) + "\n"
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
    )
    return {
        name: before
        + "\n\n"
        + "".join(lines[functions[name].lineno - 1 : functions[name].end_lineno])
        for name in names
    }


# Right answers in other clothes


def _as_written(text: str) -> str:
    return text


def _reformatted(text: str) -> str:
    """Write it as the interpreter would: no comments, other quotes, other line breaks."""
    return ast.unparse(ast.parse(text)) + "\n"


def _renamed(text: str) -> str:
    """Give every name that a function binds for itself another one; arguments keep theirs."""
    tree = ast.parse(text)
    for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
        arguments = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
        own = {
            node.id
            for node in ast.walk(function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        } - arguments
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in own:
                node.id = f"my_{node.id}"
    return ast.unparse(tree) + "\n"


def _chatty(text: str) -> str:
    """Print and warn on the way, as learners do."""
    name = _function_of(text)
    return (
        f"import warnings\n\n{text}\nprint('defined', {name!r})\nwarnings.warn('still learning')\n"
    )


def _wrapped(text: str) -> str:
    """Hide the work in a helper, behind a function that only hands on."""
    tree = ast.parse(text)
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    arguments = function.args
    handed = [arg.arg for arg in arguments.args] + [
        f"{arg.arg}={arg.arg}" for arg in arguments.kwonlyargs
    ]
    public = copy.deepcopy(function)
    public.body = [ast.parse(f"return _work_{function.name}({', '.join(handed)})").body[0]]
    function.name = f"_work_{function.name}"
    tree.body.append(public)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


RETOUCHES: tuple[Callable[[str], str], ...] = (
    _as_written,
    _reformatted,
    _renamed,
    _chatty,
    _wrapped,
)


def _scribble(notebook: NotebookNode) -> None:
    """Add cells of the learner's own: a note, a try, a table to look at."""
    at = 1 + next(at for at, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells[at:at] = [
        new_markdown_cell("My notes: *look at the limits first*.", id="my-notes"),
        new_code_cell("sum(range(10))", id="my-try"),
        new_code_cell(
            "import pandas as pd\n\npd.DataFrame({'hour': range(6), 'temp_c': [38.5] * 6})",
            id="my-table",
        ),
    ]


# Wrong answers


class _Mutate(ast.NodeTransformer):
    """Change the one comparison that is ``wanted``, counted from 0; count them all."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen = 0

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        swaps: dict[type[ast.cmpop], type[ast.cmpop]] = {
            ast.GtE: ast.Gt,
            ast.Gt: ast.GtE,
            ast.LtE: ast.Lt,
            ast.Lt: ast.LtE,
            ast.In: ast.NotIn,
            ast.NotIn: ast.In,
            ast.Eq: ast.NotEq,
        }
        swap = swaps.get(type(node.ops[0]))
        if swap is not None:
            if self.seen == self.wanted:
                node.ops[0] = swap()
            self.seen += 1
        return node


def _off_by_a_limit(text: str, number: int) -> str:
    tree = ast.parse(text)
    counter = _Mutate(-1)
    counter.visit(copy.deepcopy(tree))
    if counter.seen:
        tree = _Mutate(number % counter.seen).visit(tree)
    return ast.unparse(tree) + "\n"


def _never_refuses(text: str, number: int) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and any(isinstance(part, ast.Raise) for part in node.body):
            node.body = [ast.Pass()]
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _answers_in_words(text: str, number: int) -> str:
    name = _function_of(text)
    return (
        f"{text}\n_right_{name} = {name}\n\n\n"
        f"def {name}(*args, **kwargs):\n    return str(_right_{name}(*args, **kwargs))\n"
    )


def _always_the_same(text: str, number: int) -> str:
    return f"def {_function_of(text)}(*args, **kwargs):\n    return {number % 4}\n"


def _forgets_return(text: str, number: int) -> str:
    return f"def {_function_of(text)}(*args, **kwargs):\n    answer = {number}\n"


SLIPS: tuple[Callable[[str, int], str], ...] = (
    _off_by_a_limit,
    _never_refuses,
    _off_by_a_limit,
    _answers_in_words,
    _off_by_a_limit,
    _always_the_same,
    _forgets_return,
)


def _slip(answers: Answers, number: int) -> tuple[dict[str, str], str]:
    """Spoil one to three functions; every tenth submission has only the first two exercises."""
    changed = dict(answers)
    if number % 10 == 9:
        return dict(list(changed.items())[:2]), "two exercises, the others untouched"
    names = list(changed)
    done = []
    for turn in range(1 + number % 3):
        name = names[(number + 3 * turn) % len(names)]
        slip = SLIPS[(number + turn) % len(SLIPS)]
        changed[name] = slip(changed[name], number)
        done.append(f"{name} {slip.__name__.strip('_').replace('_', ' ')}")
    return changed, "; ".join(done)


# Crashes


def _before(lines: str) -> Callable[[str], str]:
    return lambda text: f"{lines}\n\n\n{text}"


def _inside(statement: str) -> Callable[[str], str]:
    """Put a statement first in the function's body."""

    def change(text: str) -> str:
        tree = ast.parse(text)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                node.body[:0] = ast.parse(statement).body
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    return change


CRASHES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("leaves the process", _before("import os\n\nos._exit(3)")),
    ("stops with a KeyError", _before("{}['never']")),
    ("kills itself", _before("import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)")),
    ("is no Python", lambda text: text.replace("):", ")", 1).replace(") ->", ") >", 1)),
    ("leaves the process when asked", _inside("import os; os._exit(1)")),
    ("calls itself without end", _before("def deep(n):\n    return deep(n + 1)\n\n\ndeep(0)")),
    ("reads where there is nothing", _before("import ctypes\n\nctypes.string_at(0)")),
    ("divides by zero when asked", _inside("1 / 0")),
)
