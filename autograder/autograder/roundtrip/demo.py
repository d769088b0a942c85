"""An instructor's whole round trip, in a temporary folder, with five made-up submissions."""

import datetime
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.roundtrip.nbgrading import CourseFolder, Graded, course_folder, read_scores
from autograder.roundtrip.project import exercises, read_notebook, source_notebooks

# Short code that takes the place of solution cells: ASSIGNMENT/SUBMISSION/FUNCTION.txt
_CELLS = Path(__file__).parent / "submissions"
_MARKERS = re.compile(r"^.*(?:BEGIN|END) SOLUTION.*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Submission:
    """One made-up submission.

    Attributes
    ----------
    student : str
        What it shows, as a name.
    solved : bool
        Whether it starts from the instructor's solution, or from the released notebook.
    hours_after_due : float
        When it was handed in.
    """

    student: str
    solved: bool
    hours_after_due: float


SUBMISSIONS = (
    Submission("all-right", True, -30),
    Submission("untouched", False, -20),
    Submission("two-misconceptions", True, -3),
    Submission("crashes", True, -1),
    Submission("late", True, 26),
)


@dataclass(frozen=True)
class Demonstrated:
    """What came of the round trip.

    Attributes
    ----------
    folder : Path
        Everything nbgrader made, the gradebook included.
    graded : tuple of Graded
        Scores by submission, in the order of `SUBMISSIONS`.
    """

    folder: Path
    graded: tuple[Graded, ...]


def demonstrate(
    root: Path, assignment: str, say: Callable[[str], None] = print, folder: Path | None = None
) -> Demonstrated:
    """Generate, release, hand in, collect, autograde and give feedback.

    Parameters
    ----------
    root : Path
        The course.
    assignment : str
        Name of the assignment.
    say : callable
        Told each step as it begins.
    folder : Path or None
        An empty folder to work in; by default a temporary one, which is kept.

    Returns
    -------
    Demonstrated
    """
    folder = folder or Path(tempfile.mkdtemp(prefix="crs-demo-"))
    today = datetime.datetime.now(datetime.UTC).date()
    due = datetime.datetime.combine(today, datetime.time(12)) - datetime.timedelta(days=3)
    with course_folder(root, folder, assignment) as course:
        say(f"generate    the student version of {assignment}, in {folder}")
        course.run("generate_assignment", assignment)
        with course.gradebook() as gradebook:
            gradebook.update_or_create_assignment(assignment, duedate=due)
        say("release     it to the exchange")
        course.run("release_assignment", assignment)
        for submission in SUBMISSIONS:
            say(f"hand in     {submission.student}")
            _hand_in(root, course, assignment, submission, due)
        say("collect     the submissions")
        course.run("collect", assignment)
        if course.not_sealed:
            say(f"Not for marks: {course.not_sealed}")
        for submission in SUBMISSIONS:
            say(f"autograde   {submission.student}")
            course.run("autograde", assignment, submission.student)
        say("feedback    a page for each submission")
        course.run("generate_feedback", assignment)
        course.run("release_feedback", assignment)
        graded = {
            item.student: item
            for item in read_scores(course, assignment, exercises(root, assignment))
        }
    return Demonstrated(folder, tuple(graded[item.student] for item in SUBMISSIONS))


def solve(notebook: NotebookNode, source: NotebookNode) -> None:
    """Fill the solution cells of a released notebook with the instructor's solutions.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    source : NotebookNode
        The instructor's notebook.
    """
    texts = {
        marks["grade_id"]: _MARKERS.sub("", cell.source)
        for cell in source.cells
        if (marks := cell.metadata.get("nbgrader", {})).get("solution")
    }
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = texts.get(grade_id, cell.source)


def replace_functions(notebook: NotebookNode, texts: Mapping[str, str]) -> None:
    """Give solution cells another text.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    texts : mapping of str to str
        Text by the name of the function that the cell defines.

    Raises
    ------
    KeyError
        If no solution cell defines one of the functions.
    """
    for name, text in texts.items():
        defines = re.compile(rf"^def {name}\(", re.MULTILINE)
        cells = [
            cell
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("solution") and defines.search(cell.source)
        ]
        if not cells:
            raise KeyError(f"no solution cell defines {name}")
        cells[0].source = text


def _hand_in(
    root: Path,
    course: CourseFolder,
    assignment: str,
    submission: Submission,
    due: datetime.datetime,
) -> None:
    """Place a submission in the exchange as ``nbgrader submit`` does, under its name and time."""
    moment = due + datetime.timedelta(hours=submission.hours_after_due)
    timestamp = f"{moment:%Y-%m-%d %H:%M:%S}.000000 UTC"
    inbox = course.inbound / "+".join(
        [submission.student, assignment, timestamp, secrets.token_urlsafe(9).replace("+", "-")]
    )
    shutil.copytree(course.path / "release" / assignment, inbox)
    own = {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted((_CELLS / assignment / submission.student).glob("*.txt"))
    }
    for source in source_notebooks(root, assignment):
        notebook = read_notebook(inbox / source.name)
        if submission.solved:
            solve(notebook, read_notebook(source))
        replace_functions(notebook, own)
        nbformat.write(notebook, inbox / source.name)
    (inbox / "timestamp.txt").write_text(timestamp)
    (inbox / "submission_secret.txt").write_text(secrets.token_hex(64))
