"""Grade a class of honest and hostile students in a process of its own; read what came of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from tests.hostile import corpus, toy
from tests.hostile.corpus import Attack

ROOT = Path(__file__).resolve().parents[2]
SUPERVISE = Path(__file__).with_name("supervise.py")

# Limits that grade an attack fast. Whoever runs into one is told so, like everybody.
LIMITS = {
    "cell_seconds": 3,
    "notebook_seconds": 20,
    "cpu_seconds": 15,
    "memory_mib": 768,
    "disk_mib": 32,
    "checks_seconds": 8,
}

# A notebook whose source is huge is longer than all that wards may write.
_MOST_BYTES = 2**26

STOCK = "c = get_config()\n"
SEALED = (
    "from autograder import seal\n\n"
    "c = get_config()\n"
    "modules = {{'crs': ['crs.exercises']}}\n"
    "seal(c, learner_python={python!r}, course_packages=modules, **{limits!r})\n"
)

# Honest students, some graded before, some after, and some among the attackers (in their order).
HONEST: dict[str, Mapping[str, str]] = {
    student: dict.fromkeys(toy.SOLUTIONS, kind)
    for student, kind in {
        "aa-right": "right",
        "forged-values-neighbor": "right",
        "leaks-neighbor": "wrong",
        "secrets-neighbor": "right",
        "zz-right": "right",
        "zz-untouched": "untouched",
    }.items()
}


def sealed_config(**limits: object) -> str:
    """Write the configuration of a sealed course."""
    python = str(ROOT / ".venv" / "bin" / "python")
    return SEALED.format(python=python, limits={**LIMITS, **limits})


class _Words(HTMLParser):
    """The words of a page, without styles and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def words_of(page: str) -> str:
    """Give a page's words, as a reader sees them."""
    parser = _Words()
    parser.feed(page)
    return " ".join("".join(parser.words).split())


@dataclass(frozen=True)
class Graded:
    """What became of one student's submission.

    Attributes
    ----------
    scores : dict
        What each check earned; None where there is no score.
    total : float
        All that the gradebook counts for the submission: extra credit and manual scores, too.
    page : str
        The feedback page, or "".
    notebook : NotebookNode or None
        The autograded notebook.
    files : dict
        All files of ``autograded/<student>``, by relative path.
    seconds : float
        How long it took, where that can be seen.
    """

    scores: dict[str, float | None]
    total: float
    page: str
    notebook: NotebookNode | None
    files: dict[str, bytes]
    seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """What became of a class.

    Attributes
    ----------
    course : Path
        Its folder.
    students : dict of str to Graded
    log : str
        What the graders said.
    seconds : float
        Of all commands.
    survivors : tuple of str
        Processes that were left.
    changed : tuple of str
        Files outside of what grading writes that are not as they were.
    codes : tuple of int
        Exit status of each command.
    late : bool
        Whether a command had to be stopped.
    peak_mib : float
        Memory of the largest process.
    """

    course: Path
    students: dict[str, Graded]
    log: str
    seconds: float
    survivors: tuple[str, ...]
    changed: tuple[str, ...]
    codes: tuple[int, ...] = ()
    late: bool = False
    peak_mib: float = 0.0


def environment(folder: Path) -> dict[str, str]:
    """Give a grader's environment, in which nothing is left to the user's own settings."""
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(folder / "library"),
        "IPYTHONDIR": str(folder / "ipython"),
        "HOME": str(folder / "home"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # A secret of the grader, which no submission may see.
        "GRADER_SECRET": "kestrelcheck",
    }


@dataclass(frozen=True)
class Class:
    """A course with students who have handed in."""

    folder: Path
    course: Path
    students: tuple[str, ...]


def enroll(folder: Path, config: str, attacks: Iterable[Attack], honest: bool = True) -> Class:
    """Make a course, release it, and let everybody hand in.

    Parameters
    ----------
    folder : Path
        A new folder.
    config : str
        nbgrader's configuration.
    attacks : iterable of Attack
        Attackers.
    honest : bool
        Whether honest students are among them.
    """
    course = toy.make_course(folder, config)
    (folder / "home").mkdir(mode=0o755)
    (folder / "home" / "canary.txt").write_text("kestrelcheck")
    _run(folder, [["generate_assignment", toy.ASSIGNMENT]])
    release = nbformat.read(
        course / "release" / toy.ASSIGNMENT / f"{toy.NOTEBOOK}.ipynb", as_version=4
    )
    students = []
    for attack in attacks:
        corpus.submit(attack, release, course / "submitted" / attack.student / toy.ASSIGNMENT)
        students.append(attack.student)
    for student, kinds in HONEST.items() if honest else ():
        quiet = corpus.Attack("", "", "", kinds, (), (), 0, "", False, ())
        corpus.submit(quiet, release, course / "submitted" / student / toy.ASSIGNMENT)
        students.append(student)
    return Class(folder, course, tuple(sorted(students)))


def nbgrader(*arguments: str) -> list[str]:
    """Write a command of nbgrader."""
    log = "--Application.log_format=%(created)f %(message)s"
    return [sys.executable, "-m", "nbgrader", *arguments, log]


def _run(
    folder: Path, steps: Iterable[list[str]], seconds: float = 600
) -> tuple[str, list[dict[str, object]]]:
    reports = []
    log = folder / "log.txt"
    for step in steps:
        report = folder / "report.json"
        command = step if step[0] == sys.executable else nbgrader(*step)
        with log.open("ab") as stream:
            subprocess.run(
                [sys.executable, "-I", str(SUPERVISE), str(report), str(seconds), "3", *command],
                cwd=folder / "course",
                env=environment(folder),
                stdout=stream,
                stderr=stream,
                check=True,
            )
        reports.append(json.loads(report.read_text()))
    return log.read_text(errors="replace"), reports


def grade(enrolled: Class, steps: Iterable[list[str]] | None = None, seconds: float = 600) -> Run:
    """Grade a class.

    Parameters
    ----------
    enrolled : Class
        From `enroll`.
    steps : iterable of commands, optional
        Arguments of nbgrader, or whole commands; autograding and feedback without it.
    seconds : float
        For each step; a step that takes longer is killed.
    """
    steps = steps or [
        ["autograde", toy.ASSIGNMENT],
        ["generate_feedback", toy.ASSIGNMENT],
    ]
    before = _outside(enrolled)
    start = time.monotonic()
    log, reports = _run(enrolled.folder, steps, seconds)
    took = time.monotonic() - start
    after = _outside(enrolled)
    changed = sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )
    survivors = [str(item) for report in reports for item in report["survivors"]]  # type: ignore[attr-defined]
    return Run(
        enrolled.course,
        _read(enrolled, log),
        log,
        took,
        tuple(survivors),
        tuple(changed),
        tuple(int(str(report["code"])) for report in reports),
        any(bool(report["late"]) for report in reports),
        max(float(str(report["peak_mib"])) for report in reports),
    )


def _outside(enrolled: Class) -> dict[str, bytes]:
    """Read what grading must leave alone, and see what lies where everybody may write."""
    found: dict[str, bytes] = {}
    course = enrolled.course
    for root in (
        course / "source",
        course / "release",
        course / "submitted",
        enrolled.folder / "library",
        enrolled.folder / "home",
    ):
        for path in root.rglob("*"):
            if {"__pycache__", ".cache", ".jupyter", ".local"} & set(path.parts):
                continue
            if path.is_symlink():
                found[str(path)] = str(path.readlink()).encode()
            elif path.is_file():
                with path.open("rb") as file:  # and no more of it: one is sparse and huge
                    found[str(path)] = file.read(2**16) + str(path.stat().st_mtime_ns).encode()
    for path in course.iterdir():
        if path.name not in ("autograded", "feedback", "gradebook.db"):
            found.setdefault(str(path), b"")
    for open_to_all in map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue")):
        with contextlib.suppress(OSError):
            for path in open_to_all.iterdir():
                if "attack" in path.name and path.name != "attack-listener":
                    found[str(path)] = b""
    return found


def _read(enrolled: Class, log: str) -> dict[str, Graded]:
    seconds = _seconds(log)
    students = {}
    url = f"sqlite:///{enrolled.course / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        for student in enrolled.students:
            scores: dict[str, float | None] = {}
            total = 0.0
            rows = [
                item
                for item in gradebook.assignment_submissions(toy.ASSIGNMENT)
                if item.student.id == student
            ]
            for notebook in rows[0].notebooks if rows else ():
                for item in notebook.grades:
                    total += (item.score or 0.0) + (item.extra_credit or 0.0)
                    if item.name in toy.CHECKS:
                        scores[item.name] = None if item.needs_manual_grade else item.auto_score
            students[student] = _read_one(
                enrolled.course, student, scores, total, seconds.get(student, 0.0)
            )
    return students


def _read_one(
    course: Path, student: str, scores: dict[str, float | None], total: float, seconds: float
) -> Graded:
    page = course / "feedback" / student / toy.ASSIGNMENT / f"{toy.NOTEBOOK}.html"
    home = course / "autograded" / student / toy.ASSIGNMENT
    autograded = home / f"{toy.NOTEBOOK}.ipynb"
    return Graded(
        scores,
        total,
        page.read_text(encoding="utf-8") if page.is_file() else "",
        nbformat.read(autograded, as_version=4) if autograded.is_file() else None,
        {
            str(path.relative_to(home)): path.open("rb").read(_MOST_BYTES)
            for path in sorted(home.rglob("*"))
            if path.is_file() and not path.is_symlink()
        },
        seconds,
    )


def _seconds(log: str) -> dict[str, float]:
    """Tell from the log how long each student's submission took."""
    timed = re.findall(r"^TIMED (\S+) ([\d.]+)$", log, re.MULTILINE)
    times = {student: float(seconds) for student, seconds in timed}
    last: tuple[str, float] | None = None
    for found in re.finditer(r"^(\d+\.\d+) (.*)$", log, re.MULTILINE):
        at = float(found[1])
        start = re.search(
            r"(?:Copying|Converting notebook) .*/submitted/([^/]+)/[^/]+(?: -> .*autograded|/)",
            found[2],
        )
        if start and (last is None or last[0] != start[1]):
            if last is not None:
                times[last[0]] = at - last[1]
            last = (start[1], at)
    return times
