"""The key of a submission: a digest of all that its result depends on."""

import dataclasses
import hashlib
import json
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograder.batch.records import Source, Submission

KEY_NAME = "key"

# Rooms of ours whose code grades nothing: pages, and the way to them.
_NOT_GRADING = ("feedback", "roundtrip")
_SUFFIXES = (".py", ".yaml", ".yml", ".json", ".csv", ".xml", ".ant", ".txt", ".html", ".css")


def digest(*parts: object) -> str:
    """Digest parts so that no two different lists of parts come out alike.

    Parameters
    ----------
    *parts : object
        Bytes, or anything that JSON can say.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    total = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else _as_json(part)
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def of_source(source: Source, code: str, *more: object) -> str:
    """Digest an assignment, its settings and the code that grades it.

    Parameters
    ----------
    source : Source
        The assignment; its own key is not read.
    code : str
        See `of_code`.
    *more : object
        What else changes a result, such as the due date.

    Returns
    -------
    str
    """
    notebooks = [source.notebooks[name] for name in sorted(source.notebooks)]
    return digest(
        source.assignment,
        *(dataclasses.astuple(notebook)[:3] for notebook in notebooks),
        *(notebook.template or b"" for notebook in notebooks),
        *_files(source.files),
        _plain(source.settings),
        source.outputs,
        source.not_replacing,
        source.runner,
        code,
        *more,
    )


def of_submission(submission: Submission, source_key: str, *more: object) -> str:
    """Digest a submission together with what it is graded by.

    Parameters
    ----------
    submission : Submission
        Its own key is not read.
    source_key : str
        That of the assignment.
    *more : object
        What else changes its result, such as an extension.

    Returns
    -------
    str
    """
    return digest(
        source_key,
        submission.student,
        submission.timestamp,
        submission.remarks,
        sorted(submission.broken.items()),
        *_files(submission.notebooks),
        *_files(submission.files),
        *more,
    )


def of_code(packages: Iterable[str], interpreters: Iterable[Path]) -> str:
    """Digest the code that grades and the environments that it runs in.

    Parameters
    ----------
    packages : iterable of str
        Packages whose files are read: the engine, and the course's own.
    interpreters : iterable of Path
        Whose installed distributions count, by name and version.

    Returns
    -------
    str
    """
    parts: list[object] = [sys.version, *map(of_package, sorted(set(packages)))]
    for interpreter in sorted({Path(sys.executable), *interpreters}):
        parts.append(_distributions(interpreter))
    return digest(*parts)


def of_package(package: str) -> str:
    """Digest the files of a package, without importing it.

    Parameters
    ----------
    package : str
        Its name.

    Returns
    -------
    str
        The same wherever it is installed; that of nothing where it is not.
    """
    parts: list[object] = [package]
    for folder in _folders(package):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).parts
            told = inside[0] in _NOT_GRADING or "__pycache__" in inside
            if path.suffix in _SUFFIXES and not told:
                parts += [path.relative_to(folder).as_posix(), path.read_bytes()]
    return digest(*parts)


def _folders(package: str) -> list[Path]:
    from importlib.util import find_spec

    spec = find_spec(package)
    return [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []


def _distributions(interpreter: Path) -> list[str]:
    """Name the distributions beside an interpreter, without starting it."""
    if interpreter == Path(sys.executable):
        folders = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    else:
        folders = set(interpreter.parent.parent.glob("lib*/python3*/site-packages"))
    names = {path.name for folder in folders for path in folder.glob("*.dist-info")}
    return [str(interpreter), *sorted(names)]


def _files(files: Mapping[str, bytes]) -> list[object]:
    return [len(files), *(part for name in sorted(files) for part in (name, files[name]))]


def _plain(value: object) -> object:
    """Say a settings record in JSON's terms, with the name of its class."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"": type(value).__qualname__, **fields}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    return value


def _as_json(value: object) -> bytes:
    def other(item: Any) -> str:
        return f"{type(item).__qualname__}:{item}"

    return json.dumps(_plain(value), sort_keys=True, default=other).encode()
