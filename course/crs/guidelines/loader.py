"""Read guideline files; name the file and the line when one is wrong."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import yaml
from pydantic import ValidationError

from crs.errors import InvalidGuideline, InvalidInput
from crs.guidelines.schema import Guideline, RowError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def guideline_folder() -> Path:
    """Return the folder that holds the guideline files."""
    return Path(str(resources.files("crs.guidelines")))


@cache
def guideline_ids() -> tuple[str, ...]:
    """List the ids of all guidelines, which are the file names without their ending."""
    return tuple(sorted(path.stem for path in guideline_folder().glob("*.yaml")))


@cache
def guideline(guideline_id: str) -> Guideline:
    """Load one guideline by its id.

    Parameters
    ----------
    guideline_id : str
        For example ``"astct-2019"``; `guideline_ids` lists them.

    Returns
    -------
    Guideline

    Raises
    ------
    InvalidInput
        If there is no guideline of that id.
    InvalidGuideline
        If the file does not follow the schema.
    """
    if guideline_id not in guideline_ids():
        raise InvalidInput("guideline_id", guideline_id, "one of " + ", ".join(guideline_ids()))
    return read_guideline(guideline_folder() / f"{guideline_id}.yaml")


def read_guideline(path: Path) -> Guideline:
    """Read and check one guideline file.

    Parameters
    ----------
    path : Path
        A YAML file.

    Returns
    -------
    Guideline

    Raises
    ------
    InvalidGuideline
        Names the file, the line, what is wrong and what would be right.
    """
    text = path.read_text(encoding="utf-8")
    try:
        raw = yaml.load(text, Loader=_LOADER)  # a safe loader, see above
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidGuideline(path, line, f"not valid YAML: {error.problem}") from error
    try:
        record = Guideline.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        location: Sequence[str | int] = first["loc"]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, RowError):
            location = cause.location
        name = ".".join(str(part) for part in location) or "file"
        problem = f"{name}: {cause or first['msg']}"
        raise InvalidGuideline(path, _line_of(text, location), problem) from error
    if record.id != path.stem:
        raise InvalidGuideline(
            path, _line_of(text, ("id",)), f"id is {record.id!r}, but the file is {path.stem!r}"
        )
    return record


def _line_of(text: str, location: Sequence[str | int]) -> int:
    """Return the one-based line of the deepest part of a location that the file has."""
    node = yaml.compose(text, Loader=_LOADER)
    if node is None:
        return 1
    line = node.start_mark.line
    for part in location:
        child = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
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
