"""What the ward says about its functions, classes and modules, read strictly.

Nothing here asks anything. What is not as it should be is left out, or raises `BadTree`.
"""

import builtins
import contextlib
import copy
import dataclasses
import inspect
import keyword
import linecache
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder.ward.values import TOO_DEEP, TOO_MUCH_DATA, TOO_MUCH_TEXT, BadTree, decode

# The lines of a cell that is longer are not told: their numbers could say much of an input.
MAX_LINE = 500
# What test frameworks and this grader raise means something to them.
_NEVER_SHARED = (
    "IPython", "_pytest", "autograder", "bdb", "builtins", "doctest", "pluggy", "pytest",
    "unittest",
)  # fmt: skip
_LIBRARIES = (
    "matplotlib", "networkx", "numpy", "pandas", "plotly", "scipy", "seaborn", "sklearn",
    "statsmodels", "sympy",
)  # fmt: skip
KINDS = ("class", "coroutine", "generator", "iterator", "exception", "function", "object")
PHRASES = {
    "class": "a class",
    "coroutine": "a coroutine (remove `async`)",
    "generator": "a generator",
    "iterator": "an iterator",
    "exception": "an exception",
    "function": "a function",
    "object": "an object of a class",
    TOO_MUCH_DATA: TOO_MUCH_DATA,
    TOO_MUCH_TEXT: TOO_MUCH_TEXT,
    TOO_DEEP: TOO_DEEP,
}


@dataclass
class _OneField:
    field: Any


def dataclass_fields(told: object) -> dict[str, Any] | None:
    """Make what `dataclasses.fields` reads of a class.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    dict or None
        None for what is no data class.

    Raises
    ------
    BadTree
        For a field without a name.
    """
    if type(told) is not list:
        return None
    fields: dict[str, Any] = {}
    for name, annotation, default in told[:200]:
        if not is_name(name):
            raise BadTree("no field")
        field: Any = copy.copy(dataclasses.fields(_OneField)[0])
        field.name, field.type = name, annotation_of(annotation)
        if type(default) is list and len(default) == 1:
            with contextlib.suppress(BadTree):
                field.default = decode(default[0], kept=())
        fields[name] = field
    return fields


def library_class(told: Mapping[str, Any]) -> type | None:
    """Find the class of a library, loaded on this side, that a class of the ward says it is.

    Parameters
    ----------
    told : mapping
        What the ward says of the class.

    Returns
    -------
    type or None
    """
    module, name = told.get("module"), told.get("qualname")
    if type(module) is not str or type(name) is not str:
        return None
    if not is_known_module(module):
        return None
    found = vars(sys.modules[module]).get(name) if module in sys.modules else None
    return found if isinstance(found, type) and found.__module__ == module else None


def figure_from(told: Any) -> Any:
    """Build a plotly figure from its traces and layout.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    BadTree
        If it is none, or plotly is not installed here.
    """
    if type(told) is not dict:
        raise BadTree("no figure")
    try:
        from plotly import graph_objects
    except ImportError:
        raise BadTree("a figure") from None
    return graph_objects.Figure(data=told.get("data"), layout=told.get("layout"))


def code_of(told: dict[str, Any], name: str, source: object) -> types.CodeType:
    """Make a code object that says what the learner's says, and does nothing.

    Parameters
    ----------
    told : dict
        What the ward says.
    name : str
        Of the function.
    source : object
        Its source, if it is text.

    Returns
    -------
    types.CodeType
    """
    variables = tuple(item for item in list_of(told.get("varnames")) if type(item) is str)
    counts = [
        told[key] if type(told.get(key)) is int and 0 <= told[key] <= len(variables) else 0
        for key in ("argcount", "posonlyargcount", "kwonlyargcount")
    ]
    name = name if is_name(name) else "function"
    file = f"<submitted {name} {abs(hash(source)) if type(source) is str else 0}>"
    line = 1
    if type(source) is str:
        lines = source.splitlines(keepends=True)
        linecache.cache[file] = (len(source), None, lines, file)
    base = compile("", file, "exec")
    try:
        constants = decode(told.get("constants"), kept=())
        made = base.replace(
            co_name=name,
            co_filename=file,
            co_firstlineno=line,
            co_names=tuple(item for item in list_of(told.get("names")) if type(item) is str),
            co_consts=constants if type(constants) is tuple else (None,),
        )
        return made.replace(
            co_varnames=variables,
            co_nlocals=len(variables),
            co_argcount=counts[0],
            co_posonlyargcount=min(counts[1], counts[0]),
            co_kwonlyargcount=counts[2] if counts[0] + counts[2] <= len(variables) else 0,
        )
    except (BadTree, ValueError, TypeError):
        return base.replace(co_name=name)


def signature_of(told: object) -> inspect.Signature | None:
    """Rebuild a signature.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    inspect.Signature or None
        None if it is none.
    """
    if type(told) is not list or len(told) != 2:
        return None
    parameters = []
    try:
        for name, kind, default, annotation in told[0]:
            value: Any = inspect.Parameter.empty
            if default is not None:
                value = decode(default[0], kept=()) if default else ...
            parameters.append(
                inspect.Parameter(
                    name,
                    [
                        inspect.Parameter.POSITIONAL_ONLY,
                        inspect.Parameter.POSITIONAL_OR_KEYWORD,
                        inspect.Parameter.VAR_POSITIONAL,
                        inspect.Parameter.KEYWORD_ONLY,
                        inspect.Parameter.VAR_KEYWORD,
                    ][kind],
                    default=value,
                    annotation=annotation_of(annotation),
                )
            )
        return inspect.Signature(parameters, return_annotation=annotation_of(told[1]))
    except (BadTree, ValueError, TypeError, IndexError):
        return None


def annotation_of(told: object) -> Any:
    """Rebuild an annotation: a built-in type as itself, others as text.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    object
        `inspect.Parameter.empty` where there is none.
    """
    if type(told) is not str:
        return inspect.Parameter.empty
    # The built-in types as themselves, others as text.
    found = vars(builtins).get(told)
    return found if isinstance(found, type) else None if told == "None" else told


def list_of(told: object) -> list[Any]:
    """Take a list, and an empty one in place of anything else.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    list
    """
    return told if type(told) is list else []


def strings_of(told: object) -> list[str]:
    """Take the texts of a list.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    list of str
    """
    if type(told) not in (list, tuple):
        return []
    return [item for item in told if type(item) is str]  # type: ignore[attr-defined]


def is_number(told: object) -> bool:
    """Tell whether it may be the number of an object or of a cell.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    bool
    """
    return type(told) is int and 0 <= told < 2**31


def line_of(told: object) -> int | None:
    """Take the number of a line, if it is one of the first.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    int or None
    """
    return told if type(told) is int and 0 < told <= MAX_LINE else None


def is_known_module(module: str) -> bool:
    """Tell whether a module is of Python's own or a library's, and means nothing to the grader.

    Parameters
    ----------
    module : str
        Its name.

    Returns
    -------
    bool
    """
    root = module.partition(".")[0]
    return root not in _NEVER_SHARED and root in (*_LIBRARIES, *sys.stdlib_module_names)


def is_name(told: object) -> bool:
    """Tell whether it may be a name of Python.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    bool
    """
    return (
        type(told) is str
        and len(told) <= 100
        and told.isidentifier()
        and not keyword.iskeyword(told)
    )


def text_or_none(told: object) -> str | None:
    """Take a text, and None in place of anything else.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    str or None
    """
    return told if type(told) is str else None


def error_of(told: object) -> type[BaseException] | None:
    """Find the built-in class of exceptions of a name.

    Parameters
    ----------
    told : object
        What the ward says.

    Returns
    -------
    type or None
    """
    found = vars(builtins).get(told) if type(told) is str else None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def messages_of(told: dict[str, Any]) -> list[str]:
    """Take what an exception was made with, as far as it is text.

    Parameters
    ----------
    told : dict
        What the ward says of the exception.

    Returns
    -------
    list of str
    """
    return [item for item in list_of(told.get("args"))[:10] if type(item) is str]


def phrase_of(odd: object) -> str:
    """Say what kind of thing it was that is no data.

    Parameters
    ----------
    odd : object
        As the ward calls it.

    Returns
    -------
    str
    """
    return PHRASES.get(odd, "unusual data") if type(odd) is str else "unusual data"
