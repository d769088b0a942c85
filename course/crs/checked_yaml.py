"""Read a YAML file into a checked record; name the file and the line when something is wrong.

Records are frozen dataclasses. pydantic checks what a file gives them; it and the parser are loaded
when the first file is read, as they take longer to import than all of the course.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, dataclass_transform

from crs.errors import InvalidFile, InvalidInput

if TYPE_CHECKING:
    import yaml
    from pydantic import GetCoreSchemaHandler, TypeAdapter


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """Base of what a file may hold: frozen, made by keywords, strict about unknown keys.

    A subclass is a dataclass without saying so. What must hold between its fields is checked in
    ``__post_init__``, which raises ValueError or `ProblemAt`. Types are checked when a file is
    read.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = {
        "extra": "forbid",
        "arbitrary_types_allowed": True,
    }
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)


RecordT = TypeVar("RecordT", bound=Record)


@dataclasses.dataclass(frozen=True)
class _Check:
    """What pydantic shall check of a field; asked for when a file is read."""

    make: Callable[[], object]

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> Any:
        return handler.generate_schema(Annotated[source, self.make()])


def limits(**named: Any) -> _Check:
    """Limit a field of a record, in an ``Annotated`` type: what `pydantic.Field` takes.

    Parameters
    ----------
    **named : float, int or str
        Such as ``ge``, ``le``, ``gt``, ``min_length``, ``pattern``.

    Returns
    -------
    object
        For pydantic.
    """

    def make() -> object:
        from pydantic import Field

        return Field(**named)

    return _Check(make)


def parsed_by(parse: Callable[[Any], object]) -> _Check:
    """Parse a field of a record before it is checked, in an ``Annotated`` type.

    Parameters
    ----------
    parse : callable
        Takes what the file has; raises ValueError.

    Returns
    -------
    object
        For pydantic.
    """

    def make() -> object:
        from pydantic import BeforeValidator

        return BeforeValidator(parse)

    return _Check(make)


class ProblemAt(ValueError):
    """A rule that spans several entries; carries the place, so that the line can be named."""

    def __init__(self, location: Sequence[str | int], problem: str) -> None:
        self.location = tuple(location)
        super().__init__(problem)


def read_checked(path: Path, record: type[RecordT]) -> RecordT:
    """Read one YAML file into a record.

    Parameters
    ----------
    path : Path
        A YAML file. If the record has an ``id``, it must be the file's name without its ending.
    record : type
        The `Record` that the file must follow.

    Returns
    -------
    record

    Raises
    ------
    InvalidFile
        Names the file, the line, what is wrong and what would be right.
    """
    import yaml
    from pydantic import ValidationError

    text = path.read_text(encoding="utf-8")
    try:
        tree, raw = _tree_and_data(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidFile(path, line, f"not valid YAML: {error.problem}") from error
    repeated = _repeated_key(tree)
    if repeated is not None:
        line = repeated.start_mark.line + 1
        raise InvalidFile(path, line, f"{repeated.value!r} stands twice in one mapping")
    try:
        adapter = _adapter(record)  # type: ignore[arg-type]  # a class can be hashed
        checked: RecordT = adapter.validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        location = cause.location if isinstance(cause, ProblemAt) else first["loc"]
        name = ".".join(str(part) for part in location) or "file"
        raise InvalidFile(
            path, line_of(text, location), f"{name}: {cause or _words(first)}"
        ) from error
    named = getattr(checked, "id", path.stem)
    if named != path.stem:
        line = line_of(text, ("id",))
        raise InvalidFile(path, line, f"id is {named!r}, but the file is {path.stem!r}")
    return checked


def _loader(text: str) -> Any:
    """Return a safe parser, the fast one where there is one."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)


def _tree_and_data(text: str) -> "tuple[yaml.Node | None, Any]":
    """Parse a YAML text once, for its lines and for its values."""
    loader = _loader(text)
    try:
        tree = loader.get_single_node()
        return tree, None if tree is None else loader.construct_document(tree)
    finally:
        loader.dispose()


@cache
def _adapter(record: type) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(record)


def _words(error: Mapping[str, Any]) -> str:
    """Return what is wrong in the words of files, where pydantic speaks of arguments."""
    if error["type"] == "unexpected_keyword_argument":
        return "Extra inputs are not permitted"
    if error["type"] == "dataclass_type":
        name = error["ctx"]["class_name"]
        return f"Input should be a valid dictionary or instance of {name}"
    return str(error["msg"])


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
    import yaml

    loader = _loader(text)
    node = loader.get_single_node()
    loader.dispose()
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


def _repeated_key(node: "yaml.Node | None") -> "yaml.Node | None":
    """Find a key that stands twice in one mapping, which YAML readers let pass silently."""
    import yaml

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
