"""Seeds that a check sets: the submission shall draw what it would draw in the check's process.

One way only. What a submission draws leaves the check's generators alone, as they may make the very
inputs that the check tests with.
"""

import contextlib
import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

from autograder.ward.values import encode

# Those that a whole process shares.
_STATES: dict[str, Callable[[Any], Any]] = {
    "random": lambda module: module.getstate(),
    "numpy.random": lambda module: module.get_state(),
}
_seeded: set[str] = set()


def watch() -> None:
    """Note from now on which generators are seeded."""
    for name in _STATES:
        # The check may be the first to import it.
        with contextlib.suppress(ImportError):
            module: Any = importlib.import_module(name)
            if not hasattr(module.seed, "__wrapped__"):
                module.seed = _telling(name, module.seed)
    _seeded.clear()


def _telling(name: str, seed: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(seed)
    def telling(*args: Any, **kwargs: Any) -> None:
        seed(*args, **kwargs)
        _seeded.add(name)

    return telling


def take() -> list[list[Any]]:
    """Give the state of each generator that was seeded since the last time.

    Returns
    -------
    list of list
        Its module and its state, as `autograder.ward.values` writes it.
    """
    taken = [[name, encode(_STATES[name](sys.modules[name]))] for name in sorted(_seeded)]
    _seeded.clear()
    return taken
