"""Read a YAML file into a checked record; name the file and the line when something is wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from crs.errors import InvalidFile, InvalidInput

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
RecordT = TypeVar("RecordT", bound=BaseModel)


class ProblemAt(ValueError):
    """A rule that spans several entries; carries the place, so that the line can be named."""

    def __init__(self, location: Sequence[str | int], problem: str) -> None:
        self.location = tuple(location)
        super().__init__(problem)


def read_checked(path: Path, record: type[RecordT]) -> RecordT:
    """Read one YAML file into a pydantic record.

    Parameters
    ----------
    path : Path
        A YAML file. If the record has an ``id``, it must be the file's name without its ending.
    record : type
        The pydantic model that the file must follow. Its validators may raise `ProblemAt`.

    Returns
    -------
    record

    Raises
    ------
    InvalidFile
        Names the file, the line, what is wrong and what would be right.
    """
    text = path.read_text(encoding="utf-8")
    try:
        tree = yaml.compose(text, Loader=_LOADER)
        raw = yaml.load(text, Loader=_LOADER)  # a safe loader, see above
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidFile(path, line, f"not valid YAML: {error.problem}") from error
    repeated = _repeated_key(tree)
    if repeated is not None:
        line = repeated.start_mark.line + 1
        raise InvalidFile(path, line, f"{repeated.value!r} stands twice in one mapping")
    try:
        checked = record.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        location = cause.location if isinstance(cause, ProblemAt) else first["loc"]
        name = ".".join(str(part) for part in location) or "file"
        raise InvalidFile(
            path, line_of(text, location), f"{name}: {cause or first['msg']}"
        ) from error
    named = getattr(checked, "id", path.stem)
    if named != path.stem:
        line = line_of(text, ("id",))
        raise InvalidFile(path, line, f"id is {named!r}, but the file is {path.stem!r}")
    return checked


def ids_in(folder: Path) -> tuple[str, ...]:
    """List the ids of the YAML files in a folder, which are their names without the ending.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    tuple of str
        Sorted.
    """
    return tuple(sorted(path.stem for path in folder.glob("*.yaml")))


def file_of(folder: Path, field: str, file_id: str) -> Path:
    """Find the YAML file with an id.

    Parameters
    ----------
    folder : Path
    field : str
        What the caller calls the id, for the error.
    file_id : str

    Returns
    -------
    Path

    Raises
    ------
    InvalidInput
        If there is no such file.
    """
    known = ids_in(folder)
    if file_id not in known:
        raise InvalidInput(field, file_id, "one of " + ", ".join(known))
    return folder / f"{file_id}.yaml"


def line_of(text: str, location: Sequence[str | int]) -> int:
    """Return the one-based line of the deepest part of a location that a YAML text has.

    Parameters
    ----------
    text : str
        YAML.
    location : sequence of str or int
        Keys and positions from the root downwards.

    Returns
    -------
    int
    """
    node = yaml.compose(text, Loader=_LOADER)
    if node is None:
        return 1
    line = node.start_mark.line
    for part in location:
        child = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, child = key.start_mark.line, value
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            child = node.value[part]
            line = child.start_mark.line
        if child is None:
            break
        node = child
    return int(line) + 1


def _repeated_key(node: yaml.Node | None) -> yaml.Node | None:
    """Find a key that stands twice in one mapping, which YAML readers let pass silently."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                repeated: yaml.Node = key
                return repeated
            seen.add(key.value)
            inner = _repeated_key(value)
            if inner is not None:
                return inner
    elif isinstance(node, yaml.SequenceNode):
        for member in node.value:
            inner = _repeated_key(member)
            if inner is not None:
                return inner
    return None
