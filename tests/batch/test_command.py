"""The command line: exit statuses, messages, and how soon it is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.batch import classroom
from tests.batch.classroom import PS, RIGHT, copy_of, hand_in

from autograder import cli
from autograder.batch.summary import Outcome, Summary

DB = "c.CourseDirectory.db_url = {url!r}\nfrom autograder import seal\nseal(c)\n"
SEAL = "from autograder import seal\nseal(c{more})\n"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = classroom.CONFIG + SEAL.format(more="")
    return classroom.make_course(tmp_path_factory.mktemp("released") / "course", config)


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    return copy_of(released, tmp_path / "course")


def configure(course: Path, text: str) -> None:
    (course / "nbgrader_config.py").write_text(classroom.CONFIG + text)


def grade(course: Path, *words: str) -> int:
    return cli.main(["--course", str(course), "grade", PS, *words])


def test_a_course_that_is_not_sealed_is_refused(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(course, "ada", RIGHT)
    configure(course, "")
    assert grade(course) == 2
    assert "from autograder import seal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (SEAL.format(more=", memory_mib=-1"), "memory_mib"),
        (SEAL.format(more=", mode='practise'"), "practise"),
        (SEAL.format(more=", mode='practice'"), "practice"),
        ("import a_module_that_is_not_there\n", "a_module_that_is_not_there"),
        (
            "c.CourseDirectory.db_url = 'sqlite:////nowhere/at/all.db'\n" + SEAL.format(more=""),
            "no",
        ),
        ("c.CourseDirectory.db_url = 'nonsense'\n" + SEAL.format(more=""), "cannot be opened"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    course: Path, capsys: pytest.CaptureFixture[str], config: str, said: str
) -> None:
    hand_in(course, "ada", RIGHT)
    configure(course, config)
    assert grade(course) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_nothing_to_grade_is_refused(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grade(course) == 2
    assert "no submission" in capsys.readouterr().err
    hand_in(course, "ada", RIGHT)
    assert grade(course, "--student", "bob") == 2
    assert cli.main(["--course", str(course), "grade", "ps7"]) == 2


@pytest.mark.parametrize("words", [["--workers", "0"], ["--workers", "many"], ["--nonsense"]])
def test_wrong_words_are_refused(course: Path, words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        grade(course, *words)
    assert stopped.value.code == 2


def test_the_course_is_found_from_a_folder_below(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(course, "")
    folder = hand_in(course, "ada", RIGHT)
    monkeypatch.chdir(folder)
    assert cli.main(["grade", PS]) == 2
    assert str(course / "nbgrader_config.py") in capsys.readouterr().err


@pytest.mark.slow
def test_all_graded_is_0_and_some_broken_is_1(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(course, "ada", RIGHT)
    assert grade(course) == 0
    assert "graded" in capsys.readouterr().out
    (hand_in(course, "bob", RIGHT) / "numbers.ipynb").write_text("no notebook")
    assert grade(course, "--preview", "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert {each["student"]: each["state"] for each in data["submissions"]} == {
        "ada": "unchanged",
        "bob": "broken",
    }
    assert not (course / "autograded" / "bob").exists()
    assert grade(course) == 1
    out = capsys.readouterr().out
    assert "not a notebook" in out
    assert grade(course) == 1
    assert grade(course, "--student", "ada") == 0


@pytest.mark.slow
def test_the_self_test_tells_a_table(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--course", str(course), "selftest"]) == 0
    said = capsys.readouterr().out
    assert "network" in said
    assert "yes" in said


def test_help_is_quick_and_imports_little() -> None:
    program = (
        "import sys\nfrom autograder import cli\n"
        "try:\n    cli.main(['grade', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'nbgrader', 'nbformat', 'sqlalchemy', 'traitlets', 'numpy', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_grading_imports_no_app_of_nbgraders() -> None:
    program = (
        "import sys\n"
        "import autograder.batch.run, autograder.batch.sealing, autograder.batch.gradebook\n"
        "import nbgrader.plugins\n"
        "heavy = ['nbgrader.apps', 'nbgrader.server_extensions', 'nbconvert', 'nbclient', "
        "'numpy', 'pandas', 'distributed']\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "import nbgrader, nbgrader.apps\n"
        "print(nbgrader.__version__ >= '0.9', bool(nbgrader._jupyter_server_extension_points()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[]", "True True"]


def test_a_scheduler_without_dask_names_what_to_install(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(course, "ada", RIGHT)
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert grade(course, "--scheduler", "tcp://127.0.0.1:1") == 2
    assert "crs-autograder[cluster]" in capsys.readouterr().err


def test_a_summary_of_nothing_but_broken_ones() -> None:
    summary = Summary("ps1", 1, outcomes=[Outcome("ada", "broken", ("It is torn.",))])
    said = "\n".join(summary.lines())
    assert "It is torn." in said
    assert "ada" in said
