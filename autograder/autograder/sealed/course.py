"""Where the instructor's side of a course lies."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode


def course_of(step: Any) -> Any:
    """Find nbgrader's ``CourseDirectory`` from a step of its conversion.

    Parameters
    ----------
    step : traitlets.config.Configurable
        A preprocessor or an exporter.

    Returns
    -------
    CourseDirectory or None
        None where the step is used outside of nbgrader.
    """
    while step is not None:
        course = getattr(step, "coursedir", None)
        if course is not None:
            return course
        step = getattr(step, "parent", None)
    return None


def source_folder(course: Any, assignment: str) -> Path | None:
    """Return the folder of an assignment as the instructor wrote it.

    Parameters
    ----------
    course : CourseDirectory or None
        The course.
    assignment : str
        Name of the assignment.

    Returns
    -------
    Path or None
        None where there is none.
    """
    if course is None:
        return None
    folder = Path(course.format_path(course.source_directory, ".", assignment))
    return folder if folder.is_dir() else None


def template_of(course: Any, assignment: str, notebook: str) -> NotebookNode | None:
    """Read the instructor's notebook.

    Parameters
    ----------
    course : CourseDirectory or None
        The course.
    assignment, notebook : str
        Names.

    Returns
    -------
    NotebookNode or None
        None where it is not there, or cannot be read.
    """
    folder = source_folder(course, assignment)
    path = None if folder is None else folder / f"{notebook}.ipynb"
    if path is None or not path.is_file():
        return None
    status = path.stat()
    return _template(str(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=32)
def _template(path: str, changed: int, size: int) -> NotebookNode | None:
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except Exception:
        # The gradebook knows the cells, too; only their order may be another.
        return None
    return notebook


def secrets_of(course: Any) -> tuple[Path, ...]:
    """List what no submission may find: gradebook, source, releases, other submissions.

    Parameters
    ----------
    course : CourseDirectory or None
        The course.

    Returns
    -------
    tuple of Path
        Those that are there.
    """
    if course is None:
        return ()
    root = Path(course.root)
    names = (
        course.source_directory,
        course.release_directory,
        course.submitted_directory,
        course.autograded_directory,
        course.feedback_directory,
    )
    # The course's own folder is none: the learner's Python may lie in it, as in <course>/.venv.
    paths = [root / name for name in names]
    database = str(course.db_url)
    if database.startswith("sqlite:///"):
        paths.append(Path(database.removeprefix("sqlite:///")))
    return tuple(path for path in paths if path.exists())
