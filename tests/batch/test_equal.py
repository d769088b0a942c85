"""`autograder grade` leaves what the sealed `nbgrader autograde` leaves, cell by cell."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.batch import classroom
from tests.batch.classroom import PARTLY, PS, RIGHT, WRONG, copy_of, dump, hand_in

BIN = Path(sys.executable).parent
CONFIG = (
    classroom.CONFIG
    + """
from autograder import seal
seal(c)
c.LateSubmissionPlugin.penalty_method = "zero"
"""
)


def command(course: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        words, cwd=course, env=environment, capture_output=True, text=True, check=False, timeout=500
    )


def by_nbgrader(course: Path, *words: str) -> None:
    done = command(course, str(BIN / "nbgrader"), "autograde", PS, *words)
    assert done.returncode == 0, done.stderr


def by_us(course: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = command(course, str(BIN / "autograder"), "grade", PS, *words)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def prepare(course: Path) -> None:
    with sqlite3.connect(course / "gradebook.db") as book:
        book.execute("UPDATE assignment SET duedate = '2026-01-01 00:00:00'")
    classroom.mixed_class(course)
    hand_in(course, "jon", RIGHT | {"double": "import os\nos._exit(3)"})
    hand_in(course, "kim", PARTLY | {"double": "print('x' * 300)\n" + PARTLY["double"]})
    path = hand_in(course, "lou", RIGHT) / "numbers.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != "double-hidden"]
    notebook["cells"].append({**notebook["cells"][2], "id": "again"})
    path.write_text(json.dumps(notebook))


def notebooks(course: Path) -> dict[str, Any]:
    """Read all autograded notebooks, without the key that only we write."""
    found = {}
    for path in sorted((course / "autograded").rglob("*.ipynb")):
        notebook = json.loads(path.read_text())
        notebook["metadata"].get("autograder", {}).pop("key", None)
        found[str(path.relative_to(course))] = notebook
    return found


def other_files(course: Path) -> dict[str, tuple[int, bytes]]:
    files = classroom.tree(course / "autograded")
    return {
        name: (mode, b"" if name.endswith(".ipynb") else content)
        for name, (mode, content) in files.items()
    }


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Grade one class twice: by nbgrader, and by us."""
    folder = tmp_path_factory.mktemp("pair")
    theirs = classroom.make_course(folder / "theirs", CONFIG)
    prepare(theirs)
    ours = copy_of(theirs, folder / "ours")
    by_nbgrader(theirs)
    by_us(ours, "--workers", "2", status=1)
    return theirs, ours


@pytest.mark.slow
def test_the_gradebooks_are_equal(pair: tuple[Path, Path]) -> None:
    theirs, ours = pair
    assert dump(ours) == dump(theirs)
    graded = {(row[1], row[4]): row[6] for row in dump(ours) if row[0] == "grade"}
    assert graded["ada", "double-hidden"] == 3
    assert graded["cay", "double-hidden"] == 1
    assert graded["bob", "area-check"] == 0
    assert graded["lou", "double-hidden"] == 3
    assert graded["ivy", "double-hidden"] is None
    penalties = {row[1:4:2]: row[4] for row in dump(ours) if row[0] == "notebook"}
    assert penalties["cay", "numbers"] == 2
    assert penalties["ada", "numbers"] is None


@pytest.mark.slow
def test_the_notebooks_are_equal(pair: tuple[Path, Path]) -> None:
    theirs, ours = map(notebooks, pair)
    assert ours.keys() == theirs.keys()
    for name, notebook in theirs.items():
        assert ours[name] == notebook, name


@pytest.mark.slow
def test_the_files_are_equal(pair: tuple[Path, Path]) -> None:
    theirs, ours = map(other_files, pair)
    assert ours == theirs


@pytest.mark.slow
def test_a_regrade_over_manual_grades_is_equal(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Manual grades, comments and extra credit stay, and what changed is graded alike."""
    theirs = copy_of(pair[0], tmp_path / "theirs")
    ours = copy_of(pair[1], tmp_path / "ours")
    for course in (theirs, ours):
        for student in ("ada", "cay"):
            classroom.grade_by_hand(course, student)
        hand_in(course, "ada", WRONG | {"why": RIGHT["why"]})
        hand_in(course, "bob", RIGHT)
        (course / "submitted" / "ivy" / PS / "numbers.ipynb").write_bytes(
            (course / "submitted" / "bob" / PS / "numbers.ipynb").read_bytes()
        )
    by_nbgrader(theirs, "--force")
    by_us(ours, "--force")
    assert dump(ours) == dump(theirs)
    manual = [row for row in dump(ours) if row[0] == "grade" and row[7] is not None]
    assert [(row[1], row[4], row[7], row[8]) for row in manual] == [
        ("ada", "double-hidden", 2.5, None),
        ("ada", "why", 1.5, 0.5),
        ("cay", "double-hidden", 2.5, None),
        ("cay", "why", 1.5, 0.5),
    ]


@pytest.mark.slow
def test_each_goes_on_from_the_other(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The one skips what we graded, and we grade again what it graded."""
    ours = copy_of(pair[1], tmp_path / "ours")
    before = dump(ours), notebooks(ours)
    by_nbgrader(ours)
    assert (dump(ours), notebooks(ours)) == before
    by_nbgrader(ours, "--force", "--student", "ada")
    done = json.loads(by_us(ours, "--json", status=1).stdout)
    graded = {each["student"] for each in done["submissions"] if each["state"] == "graded"}
    assert "ada" in graded
    assert (dump(ours), notebooks(ours)) == before
    feedback = command(ours, str(BIN / "nbgrader"), "generate_feedback", PS)
    assert feedback.returncode == 0, feedback.stderr
    assert (ours / "feedback" / "ivy" / PS / "numbers.html").is_file()
