"""What a check ends in, as the number of points that it means."""

import contextlib
import math
import numbers
from collections.abc import Iterator
from decimal import Decimal
from typing import Any


@contextlib.contextmanager
def points_as_numbers(ip: Any, *, counts: bool) -> Iterator[None]:
    """Show a cell's last value as Python's number where it is another kind of number.

    nbgrader reads a partial credit from its text, and takes what it cannot read for full marks:
    ``np.int64(0)``, which a count of NumPy's verdicts ends in.

    Parameters
    ----------
    ip : InteractiveShell
        Runs the cell inside.
    counts : bool
        Whether the cell ends in what it has worked out: then what is no number is none at all.
    """
    hook = ip.displayhook
    formats = hook.compute_format_data
    hook.compute_format_data = lambda result: formats(number_of(result, counts=counts))
    try:
        yield
    finally:
        hook.compute_format_data = formats


def number_of(result: Any, *, counts: bool = False) -> Any:
    """Make Python's number of another kind of number.

    Parameters
    ----------
    result : object
        What a check ended with.
    counts : bool
        Whether nothing but a number, a text or None can have been meant.

    Returns
    -------
    object
        Not a number (NaN) for a complex number, and for several numbers in place of one; what is no
        number of any kind, as it is, or NaN where a number was meant.
    """
    kind = type(result)
    if kind in (bool, int, float):
        return result
    dtype = getattr(result, "dtype", None)
    if kind.__module__.startswith(("numpy", "pandas")) and getattr(dtype, "kind", "b") in "iufc":
        items = list(result.ravel() if hasattr(result, "ravel") else result)
        result = items[0] if len(items) == 1 else math.nan
    elif not isinstance(result, numbers.Number | Decimal):
        is_other = result is None or isinstance(result, str) or kind.__name__ in ("bool", "bool_")
        return result if is_other or not counts else math.nan
    try:
        return float(result)
    except (TypeError, ValueError, OverflowError):
        return math.nan
