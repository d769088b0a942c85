"""Where the course lies, and which assignments it has."""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.roundtrip.errors import RoundTripError

CONFIG_NAME = "nbgrader_config.py"

_HEADING = re.compile(r"^## +(?:Exercise +)?(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """A graded cell of a source notebook.

    Attributes
    ----------
    grade_id : str
        Of the graded cell.
    notebook : str
        Name of its notebook, without the suffix.
    title : str
        The heading it stands under.
    points : float
        What it is worth.
    by_hand : bool
        Whether a person grades it.
    """

    grade_id: str
    notebook: str
    title: str
    points: float
    by_hand: bool


def find_root(start: Path) -> Path:
    """Find the course that a folder lies in, or else the one that this package lies in.

    Parameters
    ----------
    start : Path
        Usually the working directory.

    Returns
    -------
    Path

    Raises
    ------
    RoundTripError
        If there is none.
    """
    for folder in (start.resolve(), *start.resolve().parents, *Path(__file__).resolve().parents):
        if (folder / CONFIG_NAME).is_file() and (folder / "source").is_dir():
            return folder
    raise RoundTripError(
        f"No course found: no folder above {start.resolve()} holds source/ and {CONFIG_NAME}.\n"
        "Change into the course's folder, or name it with --course FOLDER."
    )


def assignments(root: Path) -> list[str]:
    """Name the assignments: the folders of ``source/`` that hold a notebook."""
    return sorted({path.parent.name for path in (root / "source").glob("*/*.ipynb")})


def check_assignment(root: Path, name: str) -> None:
    """Raise unless there is an assignment of this name.

    Parameters
    ----------
    root : Path
        The course.
    name : str
        Such as ``05-grading``.

    Raises
    ------
    RoundTripError
        With the names that there are.
    """
    known = assignments(root)
    if name not in known:
        raise RoundTripError(
            f"There is no assignment {name!r}. There is: {', '.join(known) or 'none yet'}."
        )


def source_notebooks(root: Path, name: str) -> list[Path]:
    """List the notebooks of an assignment, as instructors write them."""
    return sorted((root / "source" / name).glob("*.ipynb"))


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of ours."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def exercises(root: Path, name: str) -> list[Exercise]:
    """List the cells of an assignment that are worth points, in order.

    Parameters
    ----------
    root : Path
        The course.
    name : str
        Of the assignment.

    Returns
    -------
    list of Exercise
    """
    found: list[Exercise] = []
    for path in source_notebooks(root, name):
        title = path.stem
        for cell in read_notebook(path).cells:
            headings = _HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
            title = headings[-1] if headings else title
            marks = cell.metadata.get("nbgrader", {})
            by_hand = bool(marks.get("task") or (marks.get("grade") and marks.get("solution")))
            if (marks.get("grade") or by_hand) and marks.get("points", 0) > 0:
                found.append(
                    Exercise(marks["grade_id"], path.stem, title, float(marks["points"]), by_hand)
                )
    return found
