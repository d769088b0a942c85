"""Grade a learner's own copy, and give them the page that a student would get."""

import json
import os
import shutil
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.roundtrip.errors import RoundTripError
from autograder.roundtrip.nbgrading import (
    CourseFolder,
    Graded,
    course_folder,
    read_remarks,
    read_scores,
)
from autograder.roundtrip.project import exercises, read_notebook, source_notebooks

_YOU = "you"
_LEFT_OUT = shutil.ignore_patterns("*.ipynb", ".*", "feedback", "__pycache__")


@dataclass(frozen=True)
class PracticeResult:
    """What came of grading one's own copy.

    Attributes
    ----------
    graded : Graded
        Scores by exercise.
    pages : tuple of Path
        The feedback pages.
    """

    graded: Graded
    pages: tuple[Path, ...]


def grade_own_copy(
    root: Path, assignment: str, folder: Path, say: Callable[[str], None] = print
) -> PracticeResult:
    """Grade the notebooks in a folder and put the feedback into its folder ``feedback``.

    Parameters
    ----------
    root : Path
        The course.
    assignment : str
        Name of the assignment.
    folder : Path
        Where the learner's notebooks lie.
    say : callable
        Told each step as it begins.

    Returns
    -------
    PracticeResult

    Raises
    ------
    RoundTripError
        With what the learner can do about it.
    """
    sources = source_notebooks(root, assignment)
    own = {path.name: _read(folder / path.name, assignment) for path in sources}
    for name in own:
        say(f"Reading {folder / name} (saved {_ago(folder / name)})")
    with (
        tempfile.TemporaryDirectory(prefix="crs-practice-") as temporary,
        # Nobody reads the prose of who learns alone, so they get the scheme to do it themselves.
        course_folder(root, Path(temporary), assignment, show_mark_scheme=True) as course,
    ):
        course.run("generate_assignment", assignment)
        submitted = course.path / "submitted" / _YOU / assignment
        # A helper module of the learner's own goes along, as it would when handed in.
        shutil.copytree(folder, submitted, ignore=_LEFT_OUT)
        started = False
        for name, notebook in own.items():
            released = read_notebook(course.path / "release" / assignment / name)
            started |= _texts(notebook) != _texts(released)
            nbformat.write(notebook, submitted / name)
        if not started:
            raise RoundTripError(
                f"There is nothing to grade yet: {folder} holds the assignment as released.\n"
                "If you have answered something, save the notebook (Ctrl+S) and run this again."
            )
        if course.not_sealed:
            say(f"Not for marks, but good for practice: {course.not_sealed}")
        say("Grading it in a temporary folder (about half a minute)")
        _autograde(course, assignment)
        for remark in read_remarks(course, assignment, _YOU):
            say(f"Note: {remark}")
        say("Making the feedback page")
        course.run("generate_feedback", assignment, _YOU)
        graded = read_scores(course, assignment, exercises(root, assignment))
        pages = _keep(course.path / "feedback" / _YOU / assignment, folder / "feedback")
    return PracticeResult(graded[0], pages)


def _read(path: Path, assignment: str) -> NotebookNode:
    """Read a learner's notebook, or say what is wrong with it."""
    if not path.is_file():
        near = ", ".join(other.name for other in sorted(path.parent.glob("*.ipynb")))
        raise RoundTripError(
            f"There is no {path}.\n"
            + (f"The folder holds {near}: give your notebook its old name back.\n" if near else "")
            + ("" if near else "make learn puts the assignment there. ")
            + f"To grade another folder: autograder practice {assignment} --from FOLDER"
        )
    try:
        text = path.read_text(encoding="utf-8")
        json.loads(text)
    except (OSError, ValueError) as error:
        raise RoundTripError(
            f"{path} is not a notebook: {error}.\n"
            "It may be empty or half written. Open it in JupyterLab and save it (Ctrl+S); if it "
            "does not open, rename it and run make learn, which puts a fresh copy in its place."
        ) from None
    try:
        notebook: NotebookNode = nbformat.reads(text, as_version=4)
        if not any(cell.metadata.get("nbgrader") for cell in notebook.cells):
            raise ValueError("none of its cells is one of the assignment's")
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RoundTripError(
            f"{path} is not a copy of this assignment: {first}.\n"
            "Rename it, run make learn for a fresh copy, and paste your answers into that."
        ) from None
    return notebook


def _texts(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells]


def _autograde(course: CourseFolder, assignment: str) -> None:
    try:
        course.run("autograde", assignment, _YOU)
    except RoundTripError:
        words = course.log.read_text(encoding="utf-8")
        if "DeadKernelError" in words:
            raise RoundTripError(
                "Python stopped while your notebook was running. Does it call exit() or quit(), or "
                "use up the memory?\nChoose Run All in JupyterLab to see which cell does it."
            ) from None
        kept = Path(tempfile.mkstemp(prefix="crs-practice-", suffix=".log")[1])
        kept.write_text(words, encoding="utf-8")
        raise RoundTripError(
            "nbgrader could not grade your notebook. The usual reason is a cell of the assignment "
            "that was deleted or pasted in from elsewhere.\nRename your notebook, run make learn "
            f"for a fresh copy, and paste your answers into that.\nDetails: {kept}"
        ) from None


def _keep(made: Path, folder: Path) -> tuple[Path, ...]:
    folder.mkdir(exist_ok=True)
    pages = []
    for page in sorted(made.glob("*.html")):
        partial = folder / f".{page.name}.partial"
        shutil.copyfile(page, partial)
        pages.append(partial.replace(folder / page.name))
    return tuple(pages)


def _ago(path: Path) -> str:
    minutes = (time.time() - path.stat().st_mtime) / 60
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes:.0f} min ago"
    return f"{minutes / 60:.0f} h ago" if minutes < 48 * 60 else f"{minutes / 1440:.0f} days ago"


def wants_browser(environment: Mapping[str, str], platform: str) -> bool:
    """Say whether to open a browser: not where told so, in CI, or on Linux without a display."""
    if environment.get("NO_BROWSER", "") not in ("", "0") or environment.get("CI"):
        return False
    if platform.startswith("linux"):
        return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    return True


def open_page(page: Path) -> bool:
    """Open a page in the browser where there is one; say whether that was tried."""
    return wants_browser(os.environ, sys.platform) and webbrowser.open(page.as_uri())
