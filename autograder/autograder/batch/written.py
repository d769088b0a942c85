"""Notebooks as text, quickly: byte for byte what nbformat writes."""

from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any

from nbformat import NotebookNode
from nbformat.v4.nbjson import JSONWriter
from nbformat.v4.rwbase import split_lines, strip_transient

_quoted: Callable[[str], str] = encode_basestring


class _UnusualError(Exception):
    """Something that is left to nbformat."""


def written(nb: NotebookNode) -> str:
    """Write a notebook.

    Python's own writer of indented JSON takes several times as long, and nbformat copies the whole
    notebook first.

    Parameters
    ----------
    nb : NotebookNode
        Used up: its texts are split into lines, in place.

    Returns
    -------
    str
    """
    nb = strip_transient(split_lines(nb))
    parts: list[str] = []
    try:
        _write(nb, "\n", parts.append)
    except _UnusualError:
        text: str = JSONWriter().writes(nb)
        return text
    return "".join(parts)


def _write(value: Any, line: str, put: Callable[[str], None]) -> None:
    """Write one value; `line` is the end of a line and what it is indented by."""
    if type(value) is str:
        put(_quoted(value))
    elif isinstance(value, dict):
        _write_items(value, line, put)
    elif type(value) is list:
        _write_list(value, line, put)
    elif value is None:
        put("null")
    elif type(value) is bool:
        put("true" if value else "false")
    elif type(value) is int or (type(value) is float and value - value == 0):
        put(repr(value))
    else:
        raise _UnusualError


def _write_items(value: dict[Any, Any], line: str, put: Callable[[str], None]) -> None:
    if not value:
        put("{}")
        return
    inner = f"{line} "
    before = "{" + inner
    if not all(type(key) is str for key in value):
        raise _UnusualError
    for key in sorted(value):
        put(f"{before}{_quoted(key)}: ")
        _write(value[key], inner, put)
        before = "," + inner
    put(line + "}")


def _write_list(value: list[Any], line: str, put: Callable[[str], None]) -> None:
    if not value:
        put("[]")
        return
    inner = f"{line} "
    before = "[" + inner
    for item in value:
        put(before)
        _write(item, inner, put)
        before = "," + inner
    put(line + "]")
