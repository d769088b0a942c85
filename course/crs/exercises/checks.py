"""Visible checks: one call, the expected answer, and a sentence that teaches.

A check that does not hold raises `NotYetError`, which a notebook shows as a few plain sentences
instead of a traceback.
"""

import math
from collections.abc import Callable
from numbers import Real
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

_LONGEST = 400


class NotYetError(AssertionError):
    """A visible check that does not hold yet."""

    def _render_traceback_(self) -> list[str]:
        """Give IPython the sentences to show in place of a traceback."""
        return [str(self)]


def expect(
    function: Callable[..., object],
    *args: Any,
    gives: object,
    because: str,
    tolerance: float = 1e-9,
    **kwargs: Any,
) -> None:
    """Check that one call of a function gives the expected answer.

    Parameters
    ----------
    function : callable
        The learner's function.
    *args, **kwargs
        What to call it with.
    gives : object
        The expected answer.
    because : str
        Shown when the answer differs: the sentence that teaches.
    tolerance : float
        For numbers, relative and absolute.

    Raises
    ------
    NotYetError
        If the call gives anything else, or stops with an error.
    """
    called = _call_as_text(function, args, kwargs)
    try:
        answer = function(*args, **kwargs)
    except Exception as error:
        raise NotYetError(_stopped(function, called, error, because)) from None
    if answer is None and gives is not None:
        raise NotYetError(
            f"{called}\ngave None, but {_short(gives)} is expected.\n"
            "Does every path of your function end in `return` with a value?\n"
            "Printing is not returning."
        )
    if not _same(gives, answer, tolerance):
        raise NotYetError(
            f"{called}\ngave {_short(answer)}, but {_short(gives)} is expected.\n{because}"
        )


def expect_value_error(
    function: Callable[..., object], *args: Any, argument: str, **kwargs: Any
) -> None:
    """Check that a function refuses one invalid input with a ValueError that names the argument.

    Parameters
    ----------
    function : callable
        The learner's function.
    *args, **kwargs
        What to call it with.
    argument : str
        Name of the argument that is invalid.

    Raises
    ------
    NotYetError
        If the call gives an answer or another error, or if the message does not name the argument.
    """
    called = _call_as_text(function, args, kwargs)
    example = f'raise ValueError("{argument} must be ...")'
    try:
        answer = function(*args, **kwargs)
    except ValueError as refusal:
        if argument in str(refusal):
            return
        raise NotYetError(
            f"{called}\nraised a ValueError, which is right, but its message does not name the "
            f"argument {argument}.\nWrite, for example: {example}"
        ) from None
    except Exception as error:
        advice = f"A ValueError is expected here. Write, for example: {example}"
        raise NotYetError(_stopped(function, called, error, advice)) from None
    raise NotYetError(
        f"{called}\ngave {_short(answer)}, but {argument} is invalid here, so a ValueError is "
        f"expected.\nWrite, for example: {example}"
    )


def try_it(function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    """Call a function and print the call with its answer.

    Parameters
    ----------
    function : callable
        The learner's function. Until it is written, a sentence says so. Its own errors are left
        alone, so that the learner sees where they arose.
    *args, **kwargs
        What to call it with.
    """
    try:
        answer = function(*args, **kwargs)
    except NotImplementedError:
        print(_not_written(function))  # noqa: T201 - this is what the function is for
    else:
        called = _call_as_text(function, args, kwargs)
        print(f"{called} gives {_short(answer)}")  # noqa: T201


def _not_written(function: Callable[..., object]) -> str:
    return (
        f"{_name(function)} is not written yet.\n"
        "Put your code in place of the line `raise NotImplementedError()`,\n"
        "and run that cell again."
    )


def _stopped(function: Callable[..., object], called: str, error: Exception, advice: str) -> str:
    if isinstance(error, NotImplementedError):
        return _not_written(function)
    line = _line_in_notebook(error.__traceback__)
    where = f" in line {line} of its cell" if line else ""
    said = f": {_clip(str(error))}" if str(error) else ""
    return f"{called}\nstopped{where} with a {type(error).__name__}{said}\n{advice}"


def _line_in_notebook(trace: TracebackType | None) -> int | None:
    """Find the last line of a notebook cell that an error passed through."""
    line = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "ipykernel" in file or file.startswith("<ipython"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _same(expected: object, given: object, tolerance: float) -> bool:
    """Compare as a reader would: 3 is 3.0, a list is a tuple, but True is not 1."""
    expected, given = _plain(expected), _plain(given)
    if isinstance(expected, bool) or isinstance(given, bool):
        return type(expected) is type(given) and expected == given
    if isinstance(expected, Real) and isinstance(given, Real):
        return math.isclose(expected, given, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(expected, list | tuple) and isinstance(given, list | tuple):
        return len(expected) == len(given) and all(
            _same(one, other, tolerance) for one, other in zip(expected, given, strict=True)
        )
    return type(expected) is type(given) and bool(expected == given)


def _plain(value: object) -> object:
    """Turn a NumPy number into a Python number."""
    return value.item() if isinstance(value, np.generic) else value


def _call_as_text(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str:
    parts = [_short(value) for value in args]
    parts += [f"{name}={_short(value)}" for name, value in kwargs.items()]
    return f"{_name(function)}({', '.join(parts)})"


def _name(function: Callable[..., object]) -> str:
    return str(getattr(function, "__name__", "your function"))


def _short(value: object) -> str:
    """Write a value as it may stand in a sentence; tables are named by their size."""
    if isinstance(value, pd.DataFrame):
        label = value.attrs.get("label", "table")
        return f"<{label}, {len(value)} rows>"
    if isinstance(value, tuple):
        inside = ", ".join(_short(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if type(value) is list:
        return _clip(f"[{', '.join(_short(item) for item in value[:_LONGEST])}]")
    if isinstance(value, pd.Series | np.ndarray):
        return f"<{len(value)} values>" if np.ndim(value) else repr(_plain(value))
    return _clip(repr(_plain(value)))


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
