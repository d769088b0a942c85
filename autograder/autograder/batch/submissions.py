"""Find and read what students handed in, without following where it points."""

import contextlib
import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.batch.course import Course
from autograder.batch.records import Submission
from autograder.sealed.errors import BrokenSubmission
from autograder.sealed.submissions import (
    FILE_MIB,
    NOTEBOOK_MIB,
    is_safe_name,
    left_out,
    read_bytes,
    unsafe_files,
)

TIMESTAMP = "timestamp.txt"
_MIB = 2**20


@dataclass(frozen=True)
class Found:
    """A student's folder for an assignment.

    Attributes
    ----------
    student : str
        Id.
    folder : Path
        Where the submission lies.
    """

    student: str
    folder: Path


def find(course: Course, assignment: str, students: Sequence[str] = ()) -> list[Found]:
    """Find submissions, in the order of student ids.

    Parameters
    ----------
    course : Course
        The course.
    assignment : str
        Name of the assignment.
    students : sequence of str
        Ids or patterns such as ``a*``; all by default.

    Returns
    -------
    list of Found
    """
    directory = course.directory
    step = directory.submitted_directory
    pattern = re.compile(
        directory.format_path(step, "(?P<student>.*)", re.escape(assignment), escape=True) + "$"
    )
    excluded = set(filter(None, directory.student_id_exclude.split(",")))
    wanted = tuple(students) or (directory.student_id,)
    found: dict[str, Found] = {}
    root = Path(directory.format_path(step, "*", assignment))
    for path in sorted(Path(root.anchor).glob(str(root.relative_to(root.anchor)))):
        match = pattern.match(str(path))
        if match is None or not path.is_dir():
            continue
        student = match["student"]
        named = any(fnmatch.fnmatchcase(student, each) or student == each for each in wanted)
        if named and student not in excluded and not student.startswith("."):
            found[student] = Found(student, path)
    return [found[student] for student in sorted(found)]


def read(course: Course, found: Found, notebooks: Iterable[str]) -> Submission:
    """Read a submission.

    Links are not followed, and what is no regular file is left out: a submission must not name
    what the grader may read. The caps are those of `autograder.sealed.submissions`.

    Parameters
    ----------
    course : Course
        For what nbgrader ignores.
    found : Found
        Where it lies.
    notebooks : iterable of str
        Names of the assignment's notebooks; others are left out.

    Returns
    -------
    Submission
        Without its key.
    """
    known = set(notebooks)
    unsafe = set(unsafe_files(found.folder))
    books: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    broken: dict[str, str] = {}
    for name in walk(found.folder, course.directory.ignore):
        path = found.folder / name
        if name.endswith(".ipynb"):
            book = name.removesuffix(".ipynb")
            if book in known:
                try:
                    books[book] = read_bytes(path, NOTEBOOK_MIB * _MIB)
                except BrokenSubmission as error:
                    broken[book] = error.reason
        elif path not in unsafe and is_safe_name(name):
            with contextlib.suppress(BrokenSubmission):
                files[name] = read_bytes(path, FILE_MIB * _MIB)
    timestamp = files.get(TIMESTAMP, b"")[:200].decode("utf-8", "replace").strip()
    return Submission(found.student, books, files, timestamp, left_out(found.folder), broken)


def read_trusted(folder: Path, ignored: Sequence[str]) -> dict[str, bytes]:
    """Read the instructor's files that lie beside the notebooks.

    Parameters
    ----------
    folder : Path
        In ``source/``; it need not exist.
    ignored : sequence of str
        nbgrader's ``CourseDirectory.ignore``.

    Returns
    -------
    dict
        Contents by relative path.
    """
    return {
        name: (folder / name).read_bytes()
        for name in walk(folder, ignored)
        if not name.endswith(".ipynb") and (folder / name).is_file()
    }


def with_key(submission: Submission, key: str) -> Submission:
    """Give a submission its key."""
    return replace(submission, key=key)


def walk(folder: Path, ignored: Sequence[str]) -> Iterator[str]:
    """List files of a folder by relative path as nbgrader does, in order.

    Parameters
    ----------
    folder : Path
        Where to start.
    ignored : sequence of str
        nbgrader's ``CourseDirectory.ignore``.

    Yields
    ------
    str
        A relative path with forward slashes. Links are listed, and not followed.
    """
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_ignored(name, ignored))
        links = [name for name in folders if Path(here, name).is_symlink()]
        folders[:] = [name for name in folders if name not in links]
        for name in sorted((*names, *links)):
            if not _is_ignored(name, ignored):
                yield Path(here, name).relative_to(folder).as_posix()


def _is_ignored(name: str, ignored: Sequence[str]) -> bool:
    """Match as a shell does: a star stands for no leading dot."""
    return any(
        fnmatch.fnmatchcase(name, pattern) and (name[:1] != "." or pattern[:1] == ".")
        for pattern in ignored
    )
