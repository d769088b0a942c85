"""Through nbgrader itself: a class of submissions gone wrong in every way, graded in one go."""

from __future__ import annotations

import copy
import datetime
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

from autograder import seal
from autograder.roundtrip.nbgrading import _environment
from autograder.sealed.errors import NotSealed, SealError
from autograder.sealed.execute import SealedExecute
from autograder.sealed.hosts import Hosts
from autograder.sealed.wards import WardError

pytestmark = pytest.mark.slow

CHECK = """
### BEGIN HIDDEN TESTS
got = [double(91.375), double(-1)]
(got[0] == 182.75) * 3 + (got[1] == -2)
### END HIDDEN TESTS
"""
ANSWER = "def double(x):\n    return 2 * x"
FILES = {"table.csv": "1,2\n"}


def marks(grade_id: str, **more: object) -> dict[str, object]:
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **flags, **more}}


def source() -> NotebookNode:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook: NotebookNode = new_notebook(
        metadata={"kernelspec": kernel},
        cells=[
            new_code_cell("import math", id="setup", metadata=marks("setup", locked=True)),
            new_code_cell(
                "### BEGIN SOLUTION\n" + ANSWER + "\n### END SOLUTION",
                id="double",
                metadata=marks("double", solution=True),
            ),
            new_code_cell(
                "assert open('table.csv').read() == '1,2\\n'\nassert double(1) == 2",
                id="visible",
                metadata=marks("visible", grade=True, locked=True, points=1),
            ),
            new_code_cell(
                CHECK.strip(),
                id="check",
                metadata=marks("check", grade=True, locked=True, points=4),
            ),
            new_markdown_cell(
                "Your words",
                id="words",
                metadata=marks("words", grade=True, solution=True, points=2),
            ),
        ],
    )
    return notebook


class Course:
    """A course in a folder, sealed, with nbgrader's own Python interface."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.root = root
        self.config = Config()
        self.config.CourseDirectory.root = str(root)
        self.config.CourseDirectory.course_id = "toy"
        seal(self.config, **options)

    @property
    def api(self) -> Any:
        return NbGraderAPI(config=copy.deepcopy(self.config))

    def prepare(self) -> NotebookNode:
        folder = self.root / "source" / "ps"
        folder.mkdir(parents=True)
        nbformat.write(source(), folder / "nb.ipynb")
        for name, text in FILES.items():
            (folder / name).write_text(text)
        outcome = self.api.generate_assignment("ps")
        assert outcome["success"], outcome
        notebook: NotebookNode = nbformat.read(self.root / "release" / "ps" / "nb.ipynb", 4)
        notebook.cells[1].source = ANSWER
        return notebook

    def hand_in(self, student: str, notebook: NotebookNode | bytes) -> Path:
        folder = self.root / "submitted" / student / "ps"
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(notebook, bytes):
            (folder / "nb.ipynb").write_bytes(notebook)
        else:
            nbformat.write(notebook, folder / "nb.ipynb")
        return folder

    def autograde(self, student: str = "*", **options: Any) -> dict[str, Any]:
        outcome: dict[str, Any] = self.api.autograde("ps", student, **options)
        return outcome

    def rows(self, student: str) -> dict[str, tuple[float | None, bool]]:
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            notebook = gradebook.find_submission_notebook("nb", "ps", student)
            return {g.name: (g.auto_score, g.needs_manual_grade) for g in notebook.grades}

    def comments(self, student: str) -> dict[str, str | None]:
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            notebook = gradebook.find_submission_notebook("nb", "ps", student)
            return {c.name: c.auto_comment for c in notebook.comments}

    def autograded(self, student: str) -> NotebookNode:
        notebook: NotebookNode = nbformat.read(
            self.root / "autograded" / student / "ps" / "nb.ipynb", 4
        )
        return notebook


@pytest.fixture(scope="module", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with _environment(tmp_path_factory.mktemp("ipython")):
        yield


Change = Callable[[NotebookNode], None]


def answer(text: str) -> Change:
    def change(notebook: NotebookNode) -> None:
        notebook.cells[1].source = text

    return change


def extra(text: str, at: int = 2) -> Change:
    def change(notebook: NotebookNode) -> None:
        notebook.cells.insert(at, new_code_cell(text, id="own"))

    return change


def copied(notebook: NotebookNode) -> None:
    notebook.cells.insert(4, copy.deepcopy(notebook.cells[3]))
    notebook.cells.insert(2, copy.deepcopy(notebook.cells[1]))


def deleted(notebook: NotebookNode) -> None:
    del notebook.cells[2:4]


def tagged(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]
    notebook.cells[1].source = "def double(x):\n    return 'no'"


def reversed_(notebook: NotebookNode) -> None:
    notebook.cells.reverse()


def forged(notebook: NotebookNode) -> None:
    notebook.cells[1].source = "pass"
    notebook.cells[3].outputs = [
        new_output("execute_result", data={"text/plain": "4"}, execution_count=1)
    ]


# What is handed in; what the two checks earn; what the comment says.
CLASS: dict[str, tuple[Change | bytes, tuple[float | None, float | None], str]] = {
    "a-right": (lambda notebook: None, (1, 4), ""),
    "b-half": (answer("def double(x):\n    return abs(2 * x)"), (1, 3), ""),
    "c-wrong": (answer("def double(x):\n    return x"), (0, 0), ""),
    "d-broken": (b'{"cells": [', (None, None), "not valid JSON"),
    "e-empty": (b"", (None, None), "is empty"),
    "f-copied": (copied, (1, 4), "more than once"),
    "g-deleted": (deleted, (1, 4), "were missing and are put back"),
    "h-tagged": (tagged, (0, 0), "tags"),
    "i-reversed": (reversed_, (1, 4), "put back in order"),
    "j-forged": (forged, (0, 0), ""),
    "k-warns": (
        answer("import warnings\ndef double(x):\n    warnings.warn('!')\n    return 2 * x"),
        (1, 4),
        "",
    ),
    "l-exits": (extra("import os\nos._exit(3)"), (1, 4), "ended the notebook's process"),
    "m-loops": (extra("while True: pass"), (1, 4), "longer than 4 seconds"),
    "n-nan": (answer("import math\ndef double(x):\n    return math.nan"), (0, 0), ""),
    "o-html": (extra("from IPython.display import HTML\nHTML('<script>1</script>x')"), (1, 4), ""),
    "p-writes": (extra("open('made.txt', 'w').write('x')\nopen('nb.ipynb', 'w')"), (1, 4), ""),
    "q-reads": (
        extra("import glob, os\nprint(sorted(os.listdir()))\nopen('table.csv', 'w').write('0')"),
        (1, 4),
        "",
    ),
    "r-version": (b"", (1, 4), ""),
    "s-foreign": (b"", (None, None), "belongs to another assignment"),
    "t-folder": (b"", (None, None), "not a regular file"),
    "u-linked": (b"", (None, None), "is a link to another file"),
    "v-links": (lambda notebook: None, (1, 4), "The file link.txt was left out"),
    "w-shadows": (lambda notebook: None, (1, 4), ""),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Grade the whole class in one run."""
    course = Course(tmp_path_factory.mktemp("course"), cell_seconds=4)
    released = course.prepare()
    for student, (change, _, _) in CLASS.items():
        notebook = copy.deepcopy(released)
        if not isinstance(change, bytes):
            change(notebook)
        folder = course.hand_in(student, change if isinstance(change, bytes) else notebook)
        path = folder / "nb.ipynb"
        if student == "r-version":
            content = json.loads(nbformat.writes(released))
            path.write_text(json.dumps({**content, "nbformat": 9, "nbformat_minor": 77}))
        elif student == "s-foreign":
            notebook = new_notebook(cells=[new_code_cell("x", metadata=marks("no", solution=True))])
            nbformat.write(notebook, path)
        elif student == "t-folder":
            path.unlink()
            path.mkdir()
        elif student == "u-linked":
            path.unlink()
            path.symlink_to(course.root / "source" / "ps" / "nb.ipynb")
        elif student == "v-links":
            (folder / "link.txt").symlink_to(course.root / "gradebook.db")
            (folder / "zero").symlink_to("/dev/zero")
            (folder / "own.txt").write_text("kept")
            os.mkfifo(folder / "pipe")
        elif student == "w-shadows":
            (folder / "math.py").write_text("raise SystemExit")
            (folder / "table.csv").write_text("9,9")
    outcome = course.autograde(force=False)
    assert outcome["success"], outcome
    return course


@pytest.mark.parametrize("student", CLASS)
def test_each_gets_what_is_deserved_and_is_told_why(course: Course, student: str) -> None:
    _, (visible, check), words = CLASS[student]
    rows = course.rows(student)
    assert (rows["visible"][0], rows["check"][0]) == (visible, check)
    by_person = check is None
    assert rows["check"][1] is rows["visible"][1] is by_person
    said = " ".join(filter(None, course.comments(student).values()))
    if words:
        assert words in said
    else:
        assert said.replace("No response.", "").strip() == ""
    assert "91.375" not in said


@pytest.mark.parametrize("student", CLASS)
def test_an_autograded_notebook_is_there_for_each(course: Course, student: str) -> None:
    notebook = course.autograded(student)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells if "nbgrader" in cell.metadata] == [
        *("setup", "double", "visible", "check", "words")
    ]
    about = notebook.metadata.autograder
    assert about.mode == "sealed"
    assert ("broken" in about) is (CLASS[student][1][1] is None)
    assert "/" not in json.dumps(about).replace("\\/", "")


def test_feedback_comes_out_for_each(course: Course) -> None:
    outcome = course.api.generate_feedback("ps")
    assert outcome["success"], outcome
    for student in CLASS:
        page = (course.root / "feedback" / student / "ps" / "nb.html").read_text()
        assert "91.375" not in page
        assert "182.75" not in page


def output_of(course: Course, student: str) -> str:
    (cell,) = [cell for cell in course.autograded(student).cells if cell.id == "own"]
    return json.dumps(cell.outputs)


def test_an_output_that_acts_is_disarmed(course: Course) -> None:
    assert "script" not in output_of(course, "o-html")


def test_files_go_in_and_none_come_out(course: Course) -> None:
    assert "['table.csv']" in output_of(course, "q-reads")
    for student in ("p-writes", "q-reads"):
        folder = course.root / "autograded" / student / "ps"
        assert sorted(path.name for path in folder.iterdir()) == ["nb.ipynb", "table.csv"]
        assert (folder / "table.csv").read_text() == FILES["table.csv"]


def test_links_are_not_copied(course: Course) -> None:
    folder = course.root / "autograded" / "v-links" / "ps"
    assert sorted(path.name for path in folder.iterdir()) == ["nb.ipynb", "own.txt", "table.csv"]
    # A later submission without the links is copied whole again.
    submitted = course.root / "submitted" / "v-links" / "ps"
    for name in ("link.txt", "zero", "pipe"):
        (submitted / name).unlink()
    (submitted / "link.txt").write_text("honest")
    assert course.autograde("v-links")["success"]
    assert (folder / "link.txt").read_text() == "honest"


def test_grading_again_gives_the_same_bytes(course: Course) -> None:
    for student in ("b-half", "l-exits"):
        path = course.root / "autograded" / student / "ps" / "nb.ipynb"
        before = path.read_bytes(), course.rows(student), course.comments(student)
        assert course.autograde(student)["success"]
        assert (path.read_bytes(), course.rows(student), course.comments(student)) == before


def test_grades_and_comments_by_hand_stay(course: Course) -> None:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        grade = gradebook.find_grade("words", "nb", "ps", "a-right")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 1.5, 0.25, False
        gradebook.find_comment("double", "nb", "ps", "a-right").manual_comment = "Fine."
        gradebook.find_grade("check", "nb", "ps", "d-broken").manual_score = 2
        gradebook.db.commit()
    for student in ("a-right", "d-broken"):
        assert course.autograde(student)["success"]
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        grade = gradebook.find_grade("words", "nb", "ps", "a-right")
        assert (grade.manual_score, grade.extra_credit, grade.needs_manual_grade) == (
            *(1.5, 0.25, True),
        )
        assert gradebook.find_comment("double", "nb", "ps", "a-right").comment == "Fine."
        assert gradebook.find_submission("ps", "d-broken").score == 2


def test_late_work_is_penalized_by_nbgraders_own_rule(course: Course) -> None:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        gradebook.update_or_create_assignment("ps", duedate=datetime.datetime(2020, 1, 1))
    folder = course.root / "submitted" / "b-half" / "ps"
    (folder / "timestamp.txt").write_text("2020-01-02 00:00:00 UTC")
    course.config.LateSubmissionPlugin.penalty_method = "zero"
    assert course.autograde("b-half")["success"]
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        notebook = gradebook.find_submission_notebook("nb", "ps", "b-half")
        assert (notebook.score, notebook.late_submission_penalty) == (4, 4)


def test_the_command_line_holds_its_options(course: Course) -> None:
    (course.root / "nbgrader_config.py").write_text(
        "from autograder import seal\nc = get_config()\n"
        "c.CourseDirectory.course_id = 'toy'\nseal(c)\n"
    )

    def autograde(*words: str) -> None:
        command = [sys.executable, "-m", "nbgrader", "autograde", "ps", "--force", *words]
        done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    autograde("--student", "m-loops", "--Execute.timeout=2")
    assert "longer than 2 seconds" in str(course.comments("m-loops"))
    autograde("--student=j-forged", "--no-execute")
    # What was handed in counts then, as nbgrader warns.
    assert course.rows("j-forged")["check"][0] == 4
    autograde("--student=j-forged")
    assert course.rows("j-forged")["check"][0] == 0


def test_what_is_not_restored_is_not_run(course: Course) -> None:
    config = copy.deepcopy(course.config)
    config.Autograde.sanitize_preprocessors = ["nbgrader.preprocessors.ClearOutput"]
    api = NbGraderAPI(config=config)
    outcome = api.autograde("ps", "h-tagged")
    assert not outcome["success"]
    assert "must begin with" in outcome["log"]
    assert course.autograde("h-tagged")["success"]


@pytest.mark.parametrize("mode", ["sealed", "shared"])
def test_a_machine_that_cannot_seal_refuses_and_loses_nothing(
    course: Course, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    def refuse(self: Hosts, secrets: object = ()) -> None:
        if mode == "sealed":
            raise NotSealed("no network", "a socket could be opened")
        raise WardError("no ward could be opened")

    monkeypatch.setitem(course.config.SealedExecute, "mode", mode)
    monkeypatch.setattr(Hosts, "prove", refuse)
    path = course.root / "autograded" / "a-right" / "ps" / "nb.ipynb"
    before = path.read_bytes(), course.rows("a-right")
    outcome = course.autograde("a-right")
    assert not outcome["success"]
    told = outcome["log"] + outcome.get("error", "")
    if mode == "sealed":
        assert "Submissions cannot be sealed on this machine" in told
        assert "'no network'" in told
        assert "two ways out" in told
    else:
        assert "Submissions cannot be jailed here: no ward could be opened." in told
    assert (path.read_bytes(), course.rows("a-right")) == before


def test_another_system_refuses(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sealed.exporter.sys", SimpleNamespace(platform="darwin"))
    outcome = course.autograde("a-right")
    assert not outcome["success"]
    assert "this is darwin" in outcome["log"]


def test_another_language_is_refused() -> None:
    step = SealedExecute(config=Config())
    spec = {"name": "ir", "language": "R", "display_name": "R"}
    with pytest.raises(SealError, match=r"kernel 'ir'.*Python alone"):
        step._check_language(new_notebook(metadata={"kernelspec": spec}))
    step.kernel_name = "python3"
    step._check_language(new_notebook(metadata={"kernelspec": spec}))


def test_what_comes_back_goes_nowhere_else(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "autograded", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "there.txt").write_text("old")
    (folder / "link").symlink_to(elsewhere)
    files = {
        "new/a.txt": b"1",
        "there.txt": b"2",
        "there.txt/b": b"3",
        "link/c": b"4",
        "../d": b"5",
        "e.ipynb": b"6",
    }
    SealedExecute(config=Config())._write_files(files, folder)
    assert (folder / "new" / "a.txt").read_bytes() == b"1"
    assert (folder / "there.txt").read_text() == "old"
    assert sorted(path.name for path in folder.iterdir()) == ["link", "new", "there.txt"]
    assert list(elsewhere.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["autograded", "elsewhere"]


def test_shared_mode_grades_in_one_process(tmp_path: Path) -> None:
    course = Course(tmp_path, mode="shared", cell_seconds=4)
    released = course.prepare()
    for student, change in {
        "half": answer("def double(x):\n    return abs(2 * x)"),
        "writes": extra("open('made.txt', 'w').write('x')"),
        "exits": extra("import os\nos._exit(3)"),
    }.items():
        notebook = copy.deepcopy(released)
        change(notebook)
        course.hand_in(student, notebook)
    course.hand_in("broken", b"{")
    outcome = course.autograde()
    assert outcome["success"], outcome
    assert course.rows("half")["check"] == (3, False)
    assert course.rows("exits")["check"] == (4, False)
    assert course.rows("broken")["check"] == (None, True)
    assert (tmp_path / "autograded" / "writes" / "ps" / "made.txt").read_text() == "x"
    assert course.autograded("half").metadata.autograder.mode == "shared"
