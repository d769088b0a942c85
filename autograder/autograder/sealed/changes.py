"""What a call has changed of what the check gave it."""

import io
from typing import Any


def become(given: Any, now: Any) -> None:
    """Make a list, dict, set, array or table hold what another holds.

    Parameters
    ----------
    given : object
        What a call got; changed in place.
    now : object
        What the call made of it. Of another type, it is left alone.
    """
    kind = type(given)
    if kind is not type(now) or given is now:
        return
    if kind is list:
        given[:] = [_merged(*pair) for pair in zip(given, now)] + now[len(given) :]  # noqa: B905
    elif issubclass(kind, dict):
        merged = {key: _merged(given.get(key), item) for key, item in now.items()}
        given.clear()
        given.update(merged)
    elif kind is set:
        given.clear()
        given.update(now)
    elif kind is tuple:
        for one, other in zip(given, now):  # noqa: B905
            become(one, other)
    elif kind is bytearray:
        given[:] = now
    elif kind.__name__ == "deque":
        given.clear()
        given.extend(now)
    elif kind is io.StringIO:
        given.seek(0)
        given.truncate()
        given.write(now.getvalue())
        given.seek(now.tell())
    elif kind.__module__ == "numpy":
        if given.shape == now.shape and given.dtype == now.dtype and given.flags.writeable:
            given[...] = now
    elif kind.__module__.partition(".")[0] == "pandas":
        given._update_inplace(now)
    elif kind.__module__.partition(".")[0] == "plotly":
        given.data = ()
        given.add_traces(now.data)
        given.layout = now.layout


def _merged(one: Any, other: Any) -> Any:
    """Keep an inner list or dict, with what it holds now."""
    if type(one) is type(other) and type(one) in (list, dict, set):
        become(one, other)
        return one
    return other
