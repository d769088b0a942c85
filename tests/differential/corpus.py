r"""Exercises, honest answers to them, and checks: what both graders have to agree on.

Each file in ``cases`` is a theme and becomes one notebook. It looks like this::

    setup = "import numpy as np"              # the notebook's first cell; may be left out

    [given]                                   # files that the instructor gives; may be left out
    "readings.csv" = "a,b\n1,2\n"

    [handed_in]                               # files that every learner hands in; may be left out
    "helper.py" = "def triple(x): return 3 * x"

    [[case]]
    name = "double"
    instructor = "factor = 2"                 # a locked cell before the answer; may be left out
    solution = "def double(x): return factor * x"
    right = ["double = lambda x: x + x"]      # other answers that earn everything
    wrong = ["def double(x): return x"]       # answers that lose something
    checks = [                                # one cell each; the last line may be partial credit
        "assert double(2) == 4",
        {points = 2, code = "2.0 if double(3) == 6 else 0.5"},
    ]

Where there is only one, it may stand without its list. The solutions of a theme are one notebook,
in the order of the file; the first of the other answers are the next notebook, with the cases that
have one; and so on. So each case takes names of its own. Where cases build on each other,
``together = true`` at the top of the file keeps all of them in every notebook, those that have no
other answer with their solution.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CASES = Path(__file__).with_name("cases")
SETUP = "import math\n\nimport numpy as np\nimport pandas as pd"


@dataclass(frozen=True)
class Check:
    """One check cell.

    Attributes
    ----------
    grade_id : str
        The case's name and the check's number, from 1.
    code : str
    points : float
    """

    grade_id: str
    code: str
    points: float = 1


@dataclass(frozen=True)
class Case:
    """One exercise.

    Attributes
    ----------
    name : str
    answers : mapping of str to str
        Source by name: "solution", "right-1", ..., "wrong-1", ...
    checks : tuple of Check
    instructor : str
        Source of a locked cell before the answer, or "".
    """

    name: str
    answers: Mapping[str, str]
    checks: tuple[Check, ...]
    instructor: str = ""


@dataclass(frozen=True)
class Theme:
    """One notebook of exercises.

    Attributes
    ----------
    name : str
    cases : tuple of Case
    setup : str
        Source of the first cell.
    together : bool
        Whether cases build on each other.
    given, handed_in : mapping of str to str
        Files of the instructor's, and of the learner's, by name.
    """

    name: str
    cases: tuple[Case, ...]
    setup: str = SETUP
    together: bool = False
    given: Mapping[str, str] = field(default_factory=dict)
    handed_in: Mapping[str, str] = field(default_factory=dict)

    def notebooks(self) -> list[list[tuple[Case, str]]]:
        """Give the cases of each notebook, each with the name of the answer that is handed in."""
        most = max(len(case.answers) for case in self.cases)
        return [
            [
                (case, list(case.answers)[turn if turn < len(case.answers) else 0])
                for case in self.cases
                if turn < len(case.answers) or self.together
            ]
            for turn in range(most)
        ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check(name: str, number: int, written: str | Mapping[str, Any]) -> Check:
    if isinstance(written, str):
        return Check(f"{name}-{number}", written.strip())
    return Check(f"{name}-{number}", written["code"].strip(), written["points"])


def read_case(table: Mapping[str, Any]) -> Case:
    """Read one case.

    Parameters
    ----------
    table : mapping
        As written in the file.

    Returns
    -------
    Case

    Raises
    ------
    ValueError
        If something in it has a name that we do not know.
    """
    unknown = table.keys() - {"name", "instructor", "solution", "right", "wrong", "checks"}
    if unknown:
        raise ValueError(f"{table['name']}: unknown {sorted(unknown)}")
    answers = {"solution": table["solution"].strip()}
    for kind in ("right", "wrong"):
        for number, source in enumerate(_listed(table.get(kind, [])), 1):
            answers[f"{kind}-{number}"] = source.strip()
    checks = [
        _check(table["name"], number, written)
        for number, written in enumerate(_listed(table["checks"]), 1)
    ]
    return Case(table["name"], answers, tuple(checks), table.get("instructor", "").strip())


def read_theme(path: Path) -> Theme:
    """Read a file of cases.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Theme
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return Theme(
        path.stem,
        tuple(read_case(case) for case in table["case"]),
        table.get("setup", SETUP).strip(),
        table.get("together", False),
        table.get("given", {}),
        table.get("handed_in", {}),
    )


def _drill() -> Theme:
    """Make a notebook of many small exercises, as in a first week of drill."""
    cases = [
        Case(
            f"number-{n}",
            {"solution": f"number_{n} = {n}"},
            (Check(f"number-{n}-1", f"assert number_{n} == {n}"),),
        )
        for n in range(1, 41)
    ]
    return Theme("drill", tuple(cases), setup="import math")


def theme_names() -> list[str]:
    """Name all themes."""
    return sorted(["drill", *(path.stem for path in CASES.glob("*.toml"))])


def read_themes(names: Iterable[str] = ()) -> list[Theme]:
    """Read themes.

    Parameters
    ----------
    names : iterable of str
        Which; all without it.

    Returns
    -------
    list of Theme
    """
    return [
        _drill() if name == "drill" else read_theme(CASES / f"{name}.toml")
        for name in list(names) or theme_names()
    ]
