"""Modules that are not there: they import, do nothing, and never raise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autograder.ward import standins
from autograder.ward.standins import StandIns

PACKAGES = {"crs": ("crs.exercises", "crs.deep.inner"), "autograder": ()}


@pytest.mark.parametrize(
    ("name", "replaced"),
    [
        ("crs", False),
        ("crs.exercises", False),
        ("crs.exercises.tables", False),
        ("crs.deep", False),
        ("crs.deep.inner", False),
        ("crs.deep.other", True),
        ("crs.guidelines", True),
        ("crs.exercisesx", True),
        ("crsx", False),
        ("autograder", True),
        ("autograder.exams.grading", True),
        ("numpy", False),
    ],
)
def test_what_is_real_and_what_is_not(name: str, replaced: bool) -> None:
    assert StandIns(PACKAGES).stands_in(name) is replaced


def run(code: str) -> None:
    package = Path(standins.__file__).parent
    start = (
        f"import sys; sys.path.insert(0, {str(package)!r}); import standins; "
        "standins.StandIns({'gone': ()}).install()\n"
    )
    subprocess.run([sys.executable, "-I", "-c", start + code], check=True)


@pytest.mark.parametrize(
    "code",
    [
        "import gone",
        "import gone.a.b.c as c; c.d.e(1)(2)[3].f",
        "from gone import anything, Other",
        "from gone.guidelines import *",
        "from gone import x\nx.y = 1; del x.y; x[0] = 1; del x[0]",
        "from gone import x\nassert not x and len(x) == 0 and list(x) == [] and 3 not in x",
        "from gone import x\nwith x as y: y()",
        "from gone import x\nx + 1; 1 - x; -x; x @ x; x < 3; int(x); float(x); x == 3",
        "from gone import Base\nclass Mine(Base):\n    def f(self): return 1\n"
        "assert Mine().f() == 1",
        "from gone import Base\nassert not isinstance(3, Base)",
        "from gone import SomeError\ntry:\n    1 / 0\nexcept SomeError:\n    raise\n"
        "except ZeroDivisionError:\n    pass",
        "from gone import SomeError\nfrom gone import SomeError as Again\n"
        "assert SomeError is Again",
        "from gone import decorate\n@decorate\ndef f(): return 1\nassert f() == 1",
        "from gone import x\nimport copy; copy.deepcopy(x)",
        "import gone.sub\nassert repr(gone.sub.thing) == 'not available while grading'",
        "import gone.sub, sys\nassert gone.sub is sys.modules['gone.sub']",
    ],
)
def test_an_instructors_cell_does_not_fail(code: str) -> None:
    run(code)


def test_an_unknown_module_still_is_unknown() -> None:
    run(
        "try:\n    import no_such_module\nexcept ImportError:\n    pass\n"
        "else:\n    raise SystemExit(1)"
    )
