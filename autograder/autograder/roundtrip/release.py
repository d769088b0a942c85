"""Rebuild ``release/`` from ``source/``, the same bytes every time."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from autograder.roundtrip.errors import RoundTripError
from autograder.roundtrip.nbgrading import course_folder

# What a running kernel writes into a notebook varies from machine to machine.
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

Files = dict[str, bytes]


def build(root: Path, assignment: str) -> Files:
    """Make the student version of an assignment.

    Parameters
    ----------
    root : Path
        The course.
    assignment : str
        Name of the assignment.

    Returns
    -------
    dict of str to bytes
        Content by path below ``release/``.
    """
    with (
        tempfile.TemporaryDirectory(prefix="crs-release-") as folder,
        course_folder(root, Path(folder), assignment, grades=False) as course,
    ):
        try:
            course.run("generate_assignment", assignment)
        except RoundTripError:
            words = course.log.read_text(encoding="utf-8")
            raise RoundTripError(f"nbgrader could not make {assignment}:\n{words}") from None
        return read_release(course.path / "release", assignment)


def read_release(folder: Path, assignment: str) -> Files:
    """Read a generated assignment, in its normal form."""
    return {
        path.relative_to(folder).as_posix(): _normal(path)
        for path in sorted((folder / assignment).rglob("*"))
        if path.is_file()
    }


def _normal(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix != ".ipynb":
        return content
    notebook: dict[str, Any] = json.loads(content)
    notebook["metadata"] = _METADATA
    for cell in notebook["cells"]:
        if "id" not in cell:
            raise RoundTripError(f"{path.name} has a cell without an id; save it as nbformat 4.5.")
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)
    return text.encode() + b"\n"


def differences(root: Path, assignment: str, files: Files) -> list[str]:
    """List how the committed release differs from what it should be.

    Parameters
    ----------
    root : Path
        The course.
    assignment : str
        Name of the assignment.
    files : dict of str to bytes
        What it should be; empty for an assignment that has no source.

    Returns
    -------
    list of str
        One sentence per file.
    """
    folder = root / "release"
    there = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder / assignment).rglob("*")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }
    return [
        *(f"release/{name} is missing" for name in sorted(files.keys() - there.keys())),
        *(f"release/{name} has no source" for name in sorted(there.keys() - files.keys())),
        *(
            f"release/{name} differs from what its source makes"
            for name in sorted(files.keys() & there.keys())
            if files[name] != there[name]
        ),
    ]


def write(root: Path, assignment: str, files: Files) -> None:
    """Replace the release of an assignment; with no files, remove it.

    Parameters
    ----------
    root : Path
        The course.
    assignment : str
        Name of the assignment.
    files : dict of str to bytes
        Content by path below ``release/``.
    """
    shutil.rmtree(root / "release" / assignment, ignore_errors=True)
    for name, content in files.items():
        path = root / "release" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def without_source(root: Path, known: list[str]) -> list[str]:
    """Name folders of ``release/`` whose assignment is gone from ``source/``."""
    return sorted(
        path.name
        for path in (root / "release").glob("*")
        if path.is_dir() and path.name not in known
    )
