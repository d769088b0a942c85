"""nbgrader's own steps, run in a folder of their own with the course's own settings."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.feedback import first_sentence
from autograder.roundtrip.errors import RoundTripError
from autograder.roundtrip.project import CONFIG_NAME, Exercise, read_notebook
from autograder.sealed.errors import NotSealed
from autograder.sealed.settings import settings_of

LOG_NAME = "nbgrader.log"


@dataclass(frozen=True)
class CourseFolder:
    """A folder in which nbgrader works: source, release, submissions, gradebook, feedback.

    Attributes
    ----------
    path : Path
        The folder.
    api : NbGraderAPI
        nbgrader, with the course's settings.
    not_sealed : str
        Why submissions cannot be sealed here, so that scores are not for marks; empty if they are.
    """

    path: Path
    api: Any
    not_sealed: str = ""

    @property
    def log(self) -> Path:
        """Where nbgrader's messages are kept."""
        return self.path / LOG_NAME

    @property
    def inbound(self) -> Path:
        """Where the exchange takes submissions."""
        return self.path / "exchange" / str(self.api.coursedir.course_id) / "inbound"

    def run(self, step: str, *arguments: Any, **options: Any) -> None:
        """Run one of nbgrader's steps.

        Parameters
        ----------
        step : str
            A method of `NbGraderAPI`, such as ``autograde``.
        *arguments, **options
            For that method.

        Raises
        ------
        RoundTripError
            If it fails; nbgrader's own words are in the log.
        """
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"--- {step} {arguments}\n")
            log.flush()
            with _stderr_into(log):
                outcome = getattr(self.api, step)(*arguments, **options)
            log.write(f"{outcome.get('log') or ''}{outcome.get('error') or ''}\n")
        if not outcome["success"]:
            raise RoundTripError(f"nbgrader could not {step.replace('_', ' ')}. See {self.log}")

    def gradebook(self) -> Any:
        """Open the gradebook, to be used in a ``with`` statement."""
        return Gradebook(self.api.coursedir.db_url, self.api.coursedir.course_id)


@dataclass(frozen=True)
class Score:
    """What one exercise earned.

    Attributes
    ----------
    exercise : Exercise
        Which one.
    points : float or None
        None where a person has to grade it.
    sentence : str
        The most telling sentence of the examination, if any.
    """

    exercise: Exercise
    points: float | None
    sentence: str = ""


@dataclass(frozen=True)
class Graded:
    """A graded submission.

    Attributes
    ----------
    student : str
        Who.
    scores : tuple of Score
        One per exercise.
    seconds_late : float
        0 for a submission in time.
    """

    student: str
    scores: tuple[Score, ...]
    seconds_late: float = 0.0

    @property
    def total(self) -> float:
        """Points so far, without what a person has yet to grade."""
        return sum(score.points or 0 for score in self.scores)


@contextlib.contextmanager
def course_folder(
    root: Path,
    path: Path,
    assignment: str,
    *,
    show_mark_scheme: bool = False,
    grades: bool = True,
) -> Iterator[CourseFolder]:
    """Set a folder up for one assignment, with the course's settings and its source.

    Parameters
    ----------
    root : Path
        The course.
    path : Path
        An empty folder.
    assignment : str
        Name of the assignment.
    show_mark_scheme : bool
        Whether feedback pages hold the marking schemes, folded.
    grades : bool
        Whether submissions will be graded, so that it matters whether they can be sealed here.

    Yields
    ------
    CourseFolder
    """
    shutil.copytree(
        root / "source" / assignment,
        path / "source" / assignment,
        ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"),
    )
    (path / "exchange").mkdir()
    # From its own place: it may name what lies beside it.
    config: Config = PyFileConfigLoader(CONFIG_NAME, path=str(root)).load_config()
    config.CourseDirectory.root = str(path)
    config.Exchange.root = str(path / "exchange")
    config.Exchange.cache = str(path / "cache")
    if show_mark_scheme:
        config.DropHiddenChecks.show_mark_scheme = True
    not_sealed = why_not_sealed(config) if grades else ""
    if not_sealed:
        config.SealedExecute.mode = "practice"
    with _environment(path):
        yield CourseFolder(path, NbGraderAPI(config=config), not_sealed)


def why_not_sealed(config: Config) -> str:
    """Say why submissions cannot be sealed on this machine.

    Parameters
    ----------
    config : Config
        The course's settings.

    Returns
    -------
    str
        A sentence; empty where they can be, and where the course does not ask for it.
    """
    settings = settings_of(config)
    if settings is None or settings.mode != "sealed":
        return ""
    if not sys.platform.startswith("linux"):
        return "Submissions can be sealed on Linux alone."
    # Jails are for machines that have them.
    from autograder.jail import JailError
    from autograder.sealed.hosts import hosts_for
    from autograder.sealed.wards import WardError

    try:
        hosts_for(settings.ward).prove()
    except NotSealed as error:
        return f"The property {error.what!r} does not hold here: {error.reason}"
    except (JailError, WardError) as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return ""


@contextlib.contextmanager
def _stderr_into(log: TextIO) -> Iterator[None]:
    """Send this process's and its kernels' stderr to a file: a kernel's own chatter is no news."""
    terminal = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        with contextlib.redirect_stderr(log):
            yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


@contextlib.contextmanager
def _environment(path: Path) -> Iterator[None]:
    """Let nbgrader find its helper, and keep kernels from reading the user's own start-up files."""
    # nbgrader starts the command alembic, which lies beside the interpreter.
    beside = str(Path(sys.executable).parent)
    changes = {
        "PATH": os.pathsep.join([beside, os.environ.get("PATH", "")]),
        "IPYTHONDIR": str(path / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def read_scores(course: CourseFolder, assignment: str, exercises: list[Exercise]) -> list[Graded]:
    """Read what every submission earned.

    Parameters
    ----------
    course : CourseFolder
        After autograding.
    assignment : str
        Name of the assignment.
    exercises : list of Exercise
        Its exercises.

    Returns
    -------
    list of Graded
        By student. One that could not be graded has no scores.
    """
    graded: list[Graded] = []
    with course.gradebook() as gradebook:
        for submission in gradebook.assignment_submissions(assignment):
            student = submission.student.id
            folder = course.path / "autograded" / student / assignment
            scores = []
            for exercise in exercises if folder.is_dir() else []:
                try:
                    grade = gradebook.find_grade(
                        exercise.grade_id, exercise.notebook, assignment, student
                    )
                except MissingEntry:
                    continue
                points = None if grade.needs_manual_grade else float(grade.score)
                scores.append(Score(exercise, points, _sentence(folder, exercise)))
            graded.append(Graded(student, tuple(scores), submission.total_seconds_late))
    return sorted(graded, key=lambda item: item.student)


def read_remarks(course: CourseFolder, assignment: str, student: str) -> list[str]:
    """Read what was mended or stopped in a graded submission.

    Parameters
    ----------
    course : CourseFolder
        After autograding.
    assignment, student : str
        Names.

    Returns
    -------
    list of str
        Sentences.
    """
    said: list[str] = []
    for path in sorted((course.path / "autograded" / student / assignment).glob("*.ipynb")):
        notebook = read_notebook(path)
        said += notebook.metadata.get("autograder", {}).get("remarks", [])
        said += (
            cell.metadata["autograder"]["diagnosis"]
            for cell in notebook.cells
            if cell.metadata.get("autograder", {}).get("diagnosis")
        )
    return list(dict.fromkeys(said))


def _sentence(folder: Path, exercise: Exercise) -> str:
    """Find the first sentence that the examination of an exercise showed."""
    for cell in read_notebook(folder / f"{exercise.notebook}.ipynb").cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == exercise.grade_id:
            return first_sentence(cell)
    return ""
