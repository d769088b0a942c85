"""Answers as plain data: what a learner's function returned, and whether it is right."""

import datetime
import math
import types
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

_MAX_DEPTH = 20
_MAX_ITEMS = 100_000
_MAX_TEXT = 1_000_000

_ATOMS = (type(None), bool, datetime.date, datetime.time, datetime.datetime, datetime.timedelta)

# A subclass (an IntEnum, a defaultdict, np.float64) is read with the base's own methods, so that
# nothing that its author wrote is asked what it is worth.
_SCALARS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, lambda value: int.__add__(value, 0)),
    (float, lambda value: float.__add__(value, 0.0)),
    (complex, lambda value: complex.__add__(value, 0j)),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
)
_CONTAINERS: tuple[tuple[type, Callable[[Any], Iterable[Any]]], ...] = (
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
)
_ODD_KINDS: tuple[tuple[type, str], ...] = (
    (type, "class"),
    (types.CoroutineType, "coroutine"),
    (types.GeneratorType, "generator"),
    (map, "iterator"),
    (filter, "iterator"),
    (zip, "iterator"),
    (range, "range"),
    (BaseException, "exception"),
)
_ODD_WORDS = {
    "class": "a class",
    "coroutine": "a coroutine (remove `async`)",
    "generator": "a generator (use `return`, or make a list of it)",
    "iterator": "an iterator (make a list of it)",
    "range": "a range (make a list of it)",
    "exception": "an exception (use `raise` instead of `return`)",
    "function": "a function (are the parentheses of a call missing?)",
    "object": "an object of a class",
}
_TOO_DEEP = "data that is nested too deeply"
_TOO_MUCH_DATA = "far too much data"
_TOO_MUCH_TEXT = "far too much text"
_UNUSUAL = "unusual data"


class NotPlainError(Exception):
    """An answer that is no plain data; the message says what it is, for the learner."""


def plain(value: object) -> Any:
    """Turn an answer into built-in Python data of exactly the built-in types.

    Types are read off the object's real type, so that an object that claims to be equal to
    everything, or to be a number, is never believed.

    Parameters
    ----------
    value : object
        What a function returned.

    Returns
    -------
    object
        None, bool, int, float, complex, str, bytes, dates, and lists, tuples, sets and dicts of
        them. NumPy scalars and arrays become Python numbers and lists, a pandas Series or Index
        becomes a list and a DataFrame a dict of lists, Decimal and Fraction become floats.

    Raises
    ------
    NotPlainError
        With a phrase that names what it is, such as "a function".
    """
    left = _MAX_ITEMS

    def convert(value: object, depth: int) -> Any:
        nonlocal left
        left -= 1
        if depth > _MAX_DEPTH:
            raise NotPlainError(_TOO_DEEP)
        if left < 0:
            raise NotPlainError(_TOO_MUCH_DATA)
        kind = type(value)
        if kind in _ATOMS:
            return value
        for base, read in _SCALARS:
            if issubclass(kind, base):
                return _short(read(value))
        for base, items in _CONTAINERS:
            if issubclass(kind, base):
                return base(convert(item, depth + 1) for item in items(value))
        if issubclass(kind, dict):
            pairs: Iterable[tuple[Any, Any]] = dict.items(value)  # type: ignore[arg-type]  # a dict
            return {convert(key, depth + 1): convert(item, depth + 1) for key, item in pairs}
        return convert(_unpacked(value), depth + 1)

    try:
        return convert(value, 0)
    except NotPlainError:
        raise
    except Exception:
        raise NotPlainError(_UNUSUAL) from None


def _short(value: Any) -> Any:
    if isinstance(value, str | bytes) and len(value) > _MAX_TEXT:
        raise NotPlainError(_TOO_MUCH_TEXT)
    return value


def _unpacked(value: Any) -> Any:
    """Take out what lies in an exact NumPy, pandas or number type."""
    kind = type(value)
    if issubclass(kind, np.generic) and kind.__module__ == "numpy":
        item = np.generic.item(value)
        # An extended float stays one.
        return float(item) if type(item) is kind else item
    if kind is np.ndarray:
        if value.size > _MAX_ITEMS:
            raise NotPlainError(_TOO_MUCH_DATA)
        return np.ndarray.tolist(value)
    if kind is pd.Series or issubclass(kind, pd.Index):
        return list(value.array)
    if kind is pd.DataFrame:
        return {str(name): value.iloc[:, at] for at, name in enumerate(value.columns)}
    if kind is pd.Timestamp:
        return value.to_pydatetime(warn=False)
    if kind is pd.Timedelta:
        return value.to_pytimedelta()
    if kind in (Decimal, Fraction):
        return float(value)
    raise NotPlainError(_describe(value))


def _describe(value: object) -> str:
    """Name an odd answer, but never by its class: the name may spell a hidden input."""
    kind = type(value)
    if value is pd.NA or value is pd.NaT:
        return "a missing value"
    for odd, name in _ODD_KINDS:
        if issubclass(kind, odd):
            if isinstance(value, types.CoroutineType):
                value.close()  # or Python complains later that it was never awaited
            return _ODD_WORDS[name]
    return _ODD_WORDS["function" if callable(value) else "object"]


def odd_kind(name: str) -> str:
    """Say what an odd answer is, of which only its kind is known.

    Parameters
    ----------
    name : str
        Such as ``"class"`` or ``"generator"``.

    Returns
    -------
    str
        A phrase for the learner, such as "a class". For a name that is not known, "unusual data":
        whoever gave the name might spell a hidden input with it.
    """
    if name in (_TOO_DEEP, _TOO_MUCH_DATA, _TOO_MUCH_TEXT):
        return name
    return _ODD_WORDS.get(name, _UNUSUAL)


def kind_of(value: object) -> str:
    """Name a plain value's kind in words that a beginner knows."""
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
    if isinstance(value, set | frozenset):
        return "a set"
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
                return bool(right == given)
            return type(right) is type(given) and right == given
        if isinstance(right, int | float) and isinstance(given, int | float):
            if not (_is_finite(right) and _is_finite(given)):
                return right == given or (right != right and given != given)
            return math.isclose(right, given, rel_tol=relative, abs_tol=absolute)
        if isinstance(right, list | tuple) and isinstance(given, list | tuple):
            if len(right) != len(given):
                return False
            return all(map(compare, right, given)) if ordered else matches(right, given)
        if isinstance(right, set | frozenset) and isinstance(given, set | frozenset):
            return len(right) == len(given) and matches(right, given)
        if isinstance(right, dict) and isinstance(given, dict):
            return right.keys() == given.keys() and all(
                compare(right[key], given[key]) for key in right
            )
        if type(right) is not type(given):
            return False
        return bool(right == given) or bool(right != right and given != given)

    def matches(right: Iterable[Any], given: Iterable[Any]) -> bool:
        """Whether each item of one has a partner of its own in the other."""
        free = list(given)
        for item in right:
            partner = next((at for at, other in enumerate(free) if compare(item, other)), None)
            if partner is None:
                return False
            del free[partner]
        return True

    return compare


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an int beyond every float
        return False
