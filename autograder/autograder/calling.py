"""Call a learner's function once, quietly and for a limited time."""

import contextlib
import copy
import io
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal

from autograder.answers import NotPlain, plain

SECONDS_PER_CALL = 2.0

_BUILT_IN_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    Attributes
    ----------
    kind : str
        ``"value"``, ``"refused"`` (a ValueError), ``"error"`` (any other exception),
        ``"odd"`` (something that is no plain data), ``"slow"`` or ``"skipped"``.
    value : object
        The plain answer, for a value.
    detail : str
        The exception's type, or what the odd thing was. Never the message: it may hold a hidden
        input.
    line : int or None
        For an error: the line of the learner's cell where it arose.
    message : str
        For a refusal: what the exception said. Only ever searched, never shown.
    changed_arguments : bool
        Whether the call changed a list, dict or table that it was given.
    """

    kind: Literal["value", "refused", "error", "odd", "slow", "skipped"]
    value: Any = None
    detail: str = ""
    line: int | None = None
    message: str = ""
    changed_arguments: bool = False


class _OutOfTime(BaseException):
    """Raised inside a call that takes too long; no ``except Exception`` catches it."""


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the block after some seconds, where the system can (not on Windows)."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, interrupt)
    # The interval repeats the interruption for code that swallows the first one.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def call(
    function: Callable[..., object],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    seconds: float = SECONDS_PER_CALL,
) -> Outcome:
    """Call a function with copies of its arguments; never raise.

    Parameters
    ----------
    function : callable
        The learner's function.
    args, kwargs : tuple, mapping
        Arguments. The call gets copies.
    seconds : float
        Time after which the call is given up.

    Returns
    -------
    Outcome
    """
    given, named = copy.deepcopy((args, dict(kwargs)))
    noise = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(noise),
            contextlib.redirect_stderr(noise),
            warnings.catch_warnings(),
            _time_limit(seconds),
        ):
            warnings.simplefilter("ignore")
            answer = plain(function(*given, **named))
    except _OutOfTime:
        return Outcome("slow")
    except NotPlain as odd:
        return Outcome("odd", detail=str(odd))
    except ValueError as refusal:
        return Outcome("refused", detail="ValueError", message=_text_of(refusal))
    except BaseException as error:
        return Outcome("error", detail=_name_of(error), line=_line_of(error))
    return Outcome(
        "value",
        value=answer,
        changed_arguments=_looks_changed((args, dict(kwargs)), (given, named)),
    )


def answer_all(
    function: Callable[..., object],
    calls: list[tuple[tuple[Any, ...], Mapping[str, Any]]],
    total_seconds: float = 15.0,
) -> list[Outcome]:
    """Call a function with each set of arguments; stop calling when time is up.

    Parameters
    ----------
    function : callable
        The learner's function.
    calls : list of (args, kwargs)
        What to call it with, in this order.
    total_seconds : float
        After this long, or after two slow calls, the remaining outcomes are ``"skipped"``.

    Returns
    -------
    list of Outcome
        One per call.
    """
    outcomes: list[Outcome] = []
    started = time.monotonic()
    for args, kwargs in calls:
        slow = sum(outcome.kind == "slow" for outcome in outcomes)
        if slow >= 2 or time.monotonic() - started > total_seconds:
            outcomes.append(Outcome("skipped"))
        else:
            outcomes.append(call(function, args, kwargs))
    return outcomes


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except Exception:
        return ""


def _name_of(error: BaseException) -> str:
    """The name of a built-in exception; a learner's own class is only "an error of your own"."""
    kind = type(error)
    if kind.__module__ == "builtins":
        return kind.__name__
    for base in _BUILT_IN_ERRORS:
        if isinstance(error, base):
            return base.__name__
    return "error of its own kind"


def _line_of(error: BaseException) -> int | None:
    """The last line of notebook code in the traceback."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "ipykernel" in name or name.startswith(("<ipython", "<string")):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _looks_changed(before: object, after: object) -> bool:
    try:
        return bool(plain(before) != plain(after))
    except Exception:
        return False
