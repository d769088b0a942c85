"""Answers as plain data: what a learner's function returned, and whether it is right."""

import datetime
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

_EXACT: tuple[type, ...] = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    datetime.date,
    datetime.datetime,
    datetime.timedelta,
)
_MAX_DEPTH = 20
_MAX_ITEMS = 100_000


class NotPlain(Exception):
    """An answer that is no plain data; the message says what it is, for the learner."""


def plain(value: object, depth: int = 0) -> Any:
    """Turn an answer into built-in Python data of exactly the built-in types.

    Types are checked by identity, so that an object that claims to be equal to everything is
    never asked to compare itself.

    Parameters
    ----------
    value : object
        What a function returned.
    depth : int
        How deep inside a container this value lies.

    Returns
    -------
    object
        None, bool, int, float, complex, str, bytes, dates, and lists, tuples, sets and dicts of
        them. NumPy scalars and arrays become Python numbers and lists; a pandas Series becomes a
        list and a DataFrame a dict of lists.

    Raises
    ------
    NotPlain
        With a phrase that names the type, such as "an object of the class Grade".
    """
    if depth > _MAX_DEPTH:
        raise NotPlain("data that is nested too deeply")
    kind = type(value)
    if kind in _EXACT:
        return value
    if isinstance(value, np.generic) and kind.__module__ == "numpy":
        return value.item()
    if kind is np.ndarray:
        return plain(np.ndarray.tolist(value), depth + 1)  # type: ignore[arg-type]  # exact type
    if kind is pd.Series:
        return plain(list(value.array), depth + 1)  # type: ignore[attr-defined]  # exact type
    if kind is pd.DataFrame:
        frame: pd.DataFrame = value  # type: ignore[assignment]  # exact type, checked above
        return {str(name): plain(frame[name], depth + 1) for name in frame.columns}
    if kind in (list, tuple, set, frozenset, dict):
        if len(value) > _MAX_ITEMS:  # type: ignore[arg-type]  # exact built-in container
            raise NotPlain("far too much data")
        if kind is dict:
            return {
                plain(key, depth + 1): plain(item, depth + 1)
                for key, item in value.items()  # type: ignore[attr-defined]  # exact dict
            }
        return kind(plain(item, depth + 1) for item in value)  # type: ignore[attr-defined,call-arg]  # exact container
    raise NotPlain(_describe(value))


def _describe(value: object) -> str:
    if callable(value):
        return "a function"
    name = type(value).__name__
    return f"an object of the type {name[:40]}" if name.isidentifier() else "an unusual object"


def kind_of(value: object) -> str:
    """A plain value's kind in words that a beginner knows."""
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "True or False"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict):
        return "a dict"
    if isinstance(value, list | tuple):
        return "a list"
    return f"a {type(value).__name__}"


Compare = Callable[[Any, Any], bool]


def same(
    relative: float = 1e-9, absolute: float = 1e-9, ordered: bool = True, true_is_one: bool = False
) -> Compare:
    """Build a comparison of a right answer with a given one.

    Lists and tuples are interchangeable. Whole numbers may come as floats. A bool is not a number.

    Parameters
    ----------
    relative, absolute : float
        Tolerance for numbers: the larger of the two counts.
    ordered : bool
        Whether the order of a list matters.
    true_is_one : bool
        Whether True and False may stand for 1 and 0.

    Returns
    -------
    callable
        ``compare(right, given) -> bool``; both plain data.
    """

    def compare(right: Any, given: Any) -> bool:
        if isinstance(right, bool) or isinstance(given, bool):
            if true_is_one and isinstance(right, int | float) and isinstance(given, int | float):
                return float(right) == float(given)
            return type(right) is type(given) and right == given
        if isinstance(right, int | float) and isinstance(given, int | float):
            if not (math.isfinite(right) and _is_finite(given)):
                return right == given or (right != right and given != given)
            return math.isclose(right, given, rel_tol=relative, abs_tol=absolute)
        if isinstance(right, list | tuple) and isinstance(given, list | tuple):
            if len(right) != len(given):
                return False
            if ordered:
                return all(map(compare, right, given))
            return all(any(compare(one, other) for other in given) for one in right) and all(
                any(compare(one, other) for one in right) for other in given
            )
        if isinstance(right, dict) and isinstance(given, dict):
            return right.keys() == given.keys() and all(
                compare(right[key], given[key]) for key in right
            )
        return type(right) is type(given) and bool(right == given)

    return compare


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False
