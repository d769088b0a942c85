"""The autograded folder of a submission: made beside its place, and moved there in one step."""

import contextlib
import ctypes
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.batch.course import Course
from autograder.batch.keys import KEY_NAME
from autograder.batch.records import Graded, Submission

# Hidden, so that no pattern of nbgrader's finds a folder that is still being made.
_PREFIX = ".autograder-"
_EXCHANGE = 2  # RENAME_EXCHANGE
_HERE = -100  # AT_FDCWD


def is_whole(folder: Path, key: str, notebooks: Iterable[str]) -> bool:
    """Say whether a folder holds what a key stands for.

    Parameters
    ----------
    folder : Path
        The autograded folder of a submission.
    key : str
        The submission's.
    notebooks : iterable of str
        Names of those that must be there.

    Returns
    -------
    bool
    """
    return all(key_of(folder / f"{name}.ipynb") == key for name in notebooks)


def key_of(path: Path) -> str:
    """Read the key that a notebook bears; empty where there is none."""
    try:
        with path.open("rb") as file:
            found = json.load(file)["metadata"]["autograder"][KEY_NAME]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


class Stage:
    """A new autograded folder, not yet in its place.

    Parameters
    ----------
    course : Course
        For permissions.
    place : Path
        Where it goes.
    """

    def __init__(self, course: Course, place: Path) -> None:
        self._course = course
        self._place = place
        place.parent.mkdir(parents=True, exist_ok=True)
        self._made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{place.name}-", dir=place.parent))
        self._made.chmod(0o755)

    def fill(
        self, submission: Submission, source_files: Mapping[str, bytes], graded: Graded
    ) -> None:
        """Write all files: the learner's, what the notebooks left, the instructor's, the notebooks.

        Parameters
        ----------
        submission : Submission
            What was handed in.
        source_files : mapping
            The instructor's other files.
        graded : Graded
            With the executed notebooks.
        """
        contents: dict[str, bytes] = {}
        for files in (submission.files, graded.files, source_files):
            for name, content in files.items():
                _take(contents, name, content)
        for notebook in graded.notebooks:
            _take(contents, f"{notebook.name}.ipynb", notebook.content)
        for name, content in contents.items():
            path = self._made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(self._course.permissions)
        if self._course.directory.groupshared:
            for here, _, _ in os.walk(self._made):
                _share(Path(here))
            for above in (
                self._place.parent,
                self._course.folder(self._course.directory.autograded_directory, ".", "."),
            ):
                _share(above)

    def land(self) -> None:
        """Put the folder in its place; what was there is removed afterwards."""
        if _exchange(self._made, self._place):
            shutil.rmtree(self._made, ignore_errors=True)
            return
        old = self._made.with_name(self._made.name + "-old")
        with contextlib.suppress(FileNotFoundError):
            self._place.rename(old)
        self._made.rename(self._place)
        shutil.rmtree(old, ignore_errors=True)

    def drop(self) -> None:
        """Forget the folder."""
        shutil.rmtree(self._made, ignore_errors=True)


def sweep(place: Path) -> None:
    """Remove what a run that was killed left beside a folder.

    Parameters
    ----------
    place : Path
        The autograded folder of a submission.
    """
    for left in place.parent.glob(f"{_PREFIX}{_escaped(place.name)}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _take(contents: dict[str, bytes], name: str, content: bytes) -> None:
    """Add a file, instead of what stands in its way: a folder of its name, or a file above it."""
    for other in [each for each in contents if each.startswith(f"{name}/")]:
        del contents[other]
    for above in Path(name).parents:
        contents.pop(above.as_posix(), None)
    contents[name] = content


def _share(folder: Path) -> None:
    mode = folder.stat().st_mode
    if mode & 0o2770 != 0o2770:
        with contextlib.suppress(PermissionError):
            folder.chmod((mode | 0o2770) & 0o2777)


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _exchange(made: Path, place: Path) -> bool:
    """Swap two folders in one step, where the system can and both are there."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if swap(_HERE, os.fsencode(made), _HERE, os.fsencode(place), _EXCHANGE) == 0:
        return True
    error = ctypes.get_errno()
    if error in (errno.ENOENT, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM):
        return False
    raise OSError(error, os.strerror(error), str(place))
