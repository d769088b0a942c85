"""Read what was handed in: notebooks that may be anything, and files that may point anywhere."""

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.sealed.errors import BrokenSubmission

NOTEBOOK_MIB = 100
MAX_CELLS = 2000
MAX_FILES = 500
FILE_MIB = 16
FILES_MIB = 32

# Deeper nesting than a notebook ever has; the parser would give up later, and untidily.
_MAX_DEPTH = 200
_SURROGATE = re.compile("[\ud800-\udfff]")
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CELL_TYPES = ("code", "markdown", "raw")
_OPEN = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


def read_notebook(data: bytes) -> NotebookNode:
    """Read a submitted notebook.

    Parameters
    ----------
    data : bytes
        Content of the file.

    Returns
    -------
    NotebookNode
        Of nbformat 4, with the kernel's name as its only metadata. Cells have a type, a text,
        metadata, and an id, outputs and attachments where they had some of the right type; nothing
        more was checked.

    Raises
    ------
    BrokenSubmission
        With a sentence that says what is wrong.
    """
    content = _parse(data)
    cells = content.get("cells")
    if cells is None and isinstance(content.get("worksheets"), list):
        cells = _converted(content).get("cells")
    if not isinstance(cells, list):
        raise BrokenSubmission("The file is not a notebook: it has no list of cells.")
    if len(cells) > MAX_CELLS:
        raise BrokenSubmission(
            f"The notebook has {len(cells)} cells; at most {MAX_CELLS} can be graded."
        )
    metadata = content.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    notebook = NotebookNode(nbformat=4, nbformat_minor=5, metadata=NotebookNode())
    if isinstance(spec, dict):
        notebook.metadata["kernelspec"] = nbformat.from_dict(
            {str(key): value for key, value in spec.items() if isinstance(value, str)}
        )
    notebook["cells"] = [_cell(cell) for cell in cells if isinstance(cell, dict)]
    _give_ids(notebook["cells"])
    return notebook


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > NOTEBOOK_MIB * 2**20:
        raise BrokenSubmission(
            f"The notebook is larger than {NOTEBOOK_MIB} MiB. Clear its outputs, save it and hand "
            "it in again."
        )
    if not data.strip():
        raise BrokenSubmission("The notebook's file is empty.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BrokenSubmission("The file is not a notebook: it is not text in UTF-8.") from None
    try:
        content = json.loads(text)
    except RecursionError:
        raise BrokenSubmission("The file is not a notebook: it is nested too deeply.") from None
    except ValueError as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        raise BrokenSubmission(
            f"The file is not a notebook: it is not valid JSON{where}. It may be only half "
            "written. Open it in JupyterLab, save it and hand it in again."
        ) from None
    if not isinstance(content, dict):
        raise BrokenSubmission("The file is not a notebook: it has no list of cells.")
    return content


def _converted(content: dict[str, Any]) -> dict[str, Any]:
    """Convert a notebook of an older format."""
    major = content.get("nbformat")
    content["nbformat"] = major if major in (1, 2, 3) else 3
    content.setdefault("nbformat_minor", 0)
    content.setdefault("metadata", {})
    try:
        return dict(nbformat.convert(nbformat.from_dict(content), 4))
    except Exception:
        raise BrokenSubmission(
            "The notebook has an old format that cannot be read. Open it in JupyterLab, save it "
            "and hand it in again."
        ) from None


def _give_ids(cells: list[NotebookNode]) -> None:
    """Give an id to each cell that has none of its own; nbformat would take random ones."""
    taken: set[str] = set()
    for at, cell in enumerate(cells):
        name = cell.get("id")
        if not isinstance(name, str) or not CELL_ID.fullmatch(name) or name in taken:
            name = f"submitted-{at}"
            while name in taken:
                name += "-"
        taken.add(name)
        cell["id"] = name


def _cell(cell: Mapping[str, Any]) -> NotebookNode:
    cell_type = cell.get("cell_type")
    kept = NotebookNode(
        cell_type=cell_type if cell_type in _CELL_TYPES else "raw",
        source=_text(cell.get("source")),
        metadata=NotebookNode(),
    )
    metadata = cell.get("metadata")
    if isinstance(metadata, dict) and _depth_at_most(metadata, _MAX_DEPTH):
        kept["metadata"] = nbformat.from_dict(metadata)
    for key, kind in (("id", str), ("attachments", dict), ("execution_count", int)):
        if isinstance(cell.get(key), kind):
            kept[key] = cell[key]
    if isinstance(cell.get("outputs"), list):
        kept["outputs"] = cell["outputs"]
    return kept


def _depth_at_most(value: object, depth: int) -> bool:
    if not isinstance(value, (dict, list)):
        return True
    if depth <= 0:
        return False
    items = value.values() if isinstance(value, dict) else value
    return all(_depth_at_most(item, depth - 1) for item in items)


def _text(source: object) -> str:
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    # Half characters cannot be written as UTF-8.
    return _SURROGATE.sub("\ufffd", source) if isinstance(source, str) else ""


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a regular file, without following a link and without waiting.

    Parameters
    ----------
    path : Path
        The file.
    limit : int
        How many bytes it may have.

    Returns
    -------
    bytes

    Raises
    ------
    BrokenSubmission
        If it is a link, a folder, a pipe or a device, or too large.
    """
    try:
        fd = os.open(path, _OPEN)
    except OSError as error:
        if path.is_symlink():
            raise BrokenSubmission(
                f"{path.name} is a link to another file, which is not followed."
            ) from None
        raise BrokenSubmission(f"{path.name} cannot be read: {error.strerror}.") from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise BrokenSubmission(f"{path.name} is not a regular file.")
        if status.st_size > limit:
            raise BrokenSubmission(
                f"{path.name} has {status.st_size / 2**20:.0f} MiB; "
                f"at most {limit / 2**20:.0f} MiB can be graded."
            )
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(fd)


def read_files(folder: Path) -> dict[str, bytes]:
    """Read the files that lie beside a notebook.

    Parameters
    ----------
    folder : Path
        A folder of one submission or of one assignment.

    Returns
    -------
    dict of str to bytes
        By relative path with forward slashes. Notebooks, links, devices, and what goes beyond the
        caps of this module are left out.
    """
    found: dict[str, bytes] = {}
    room = FILES_MIB * 2**20
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".ipynb" or not is_safe_name(name):
            continue
        try:
            data = read_bytes(path, min(FILE_MIB * 2**20, room))
        except BrokenSubmission:
            continue
        room -= len(data)
        found[name] = data
        if len(found) >= MAX_FILES:
            break
    return found


def unsafe_files(folder: Path) -> list[Path]:
    """List what nbgrader must not copy from a submission: links, pipes, devices, giants.

    Parameters
    ----------
    folder : Path
        Of one submission.

    Returns
    -------
    list of Path
    """
    unsafe: list[Path] = []
    room, count = FILES_MIB * 2**20, 0
    for path in _walk(folder):
        status = path.lstat()
        if path.suffix == ".ipynb" and stat.S_ISREG(status.st_mode):
            continue
        size = status.st_size
        count += 1
        if (
            not stat.S_ISREG(status.st_mode)
            or size > min(FILE_MIB * 2**20, room)
            or count > MAX_FILES
        ):
            unsafe.append(path)
        else:
            room -= size
    return unsafe


def is_safe_name(name: str) -> bool:
    """Say whether a relative path stays in its folder and can be written anywhere.

    Parameters
    ----------
    name : str
        With forward slashes.

    Returns
    -------
    bool
    """
    path = PurePosixPath(name)
    return (
        bool(path.parts)
        and not path.is_absolute()
        and ".." not in path.parts
        and "\0" not in name
        and "\\" not in name
        and not _SURROGATE.search(name)
        and len(name.encode()) <= 1024
        and all(len(part.encode()) <= 255 for part in path.parts)
    )


def _walk(folder: Path) -> Iterator[Path]:
    """List everything below a folder but folders, in order, without following links."""
    for parent, folders, files in os.walk(folder):
        folders.sort()
        below = Path(parent)
        # A link to a folder is listed as a folder, and is none.
        links = [name for name in folders if (below / name).is_symlink()]
        for name in sorted([*files, *links]):
            yield below / name


def left_out(folder: Path) -> tuple[str, ...]:
    """Say which files of a submission are not looked at.

    Parameters
    ----------
    folder : Path
        Of the submission.

    Returns
    -------
    tuple of str
        At most three sentences.
    """
    names = [str(path.relative_to(folder))[:80] for path in unsafe_files(folder)]
    said = [
        f"The file {name} was left out: it is a link, no regular file, or too large."
        for name in names[:2]
    ]
    if len(names) > len(said):
        said.append(f"{len(names) - len(said)} more files were left out.")
    return tuple(said)
