"""Call a learner's function, quietly and for a limited time."""

import builtins
import contextlib
import copy
import io
import logging
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, FunctionType
from typing import Any, Literal

from IPython.core.displayhook import CapturingDisplayHook
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from autograder.answers import NotPlainError, odd_kind, plain, same

# A call may take this long, and after the first call that took longer, only this long.
SECONDS_PER_CALL = 2.0
SECONDS_ONCE_SLOW = 0.5
# All calls of one examination: well below what nbgrader allows a cell.
SECONDS_IN_ALL = 20.0

_BUILT_IN_ERRORS = {
    kind: name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}
_ATOMS = (type(None), bool, int, float, str)
_CELL_FILE = re.compile(r"ipykernel_\d+[/\\]\d+\.py$|^<ipython-input|^<learner")


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    Attributes
    ----------
    kind : str
        ``"value"``, ``"refused"`` (a ValueError), ``"error"`` (any other exception),
        ``"odd"`` (something that is no plain data), ``"unsteady"`` (another answer than before),
        ``"slow"`` or ``"skipped"``.
    value : object
        The plain answer, for a value.
    detail : str
        The built-in name of the exception (or ``"input()"``, ``"exit()"``, ``"NotImplementedError
        elsewhere"``), or what the odd thing was. Never an exception's message: it may hold a hidden
        input.
    line : int or None
        For an exception: the line of the learner's cell where it arose.
    message : str
        For a refusal: what the exception said. Only ever searched, never shown.
    changed_arguments : bool
        Whether the call changed a list, dict or table that it was given.
    """

    kind: Literal["value", "refused", "error", "odd", "unsteady", "slow", "skipped"]
    value: Any = None
    detail: str = ""
    line: int | None = None
    message: str = ""
    changed_arguments: bool = False


class _OutOfTime(BaseException):
    """Raised inside a call that takes too long; no ``except Exception`` catches it."""


class _LeftTheNotebook(BaseException):
    """Raised where a call would end the kernel, as `exit()` and `quit()` do."""


class _Alarm:
    """Interrupts a call after some seconds, where the system can (not on Windows)."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._armed = False
        self._before: Any = None
        self._works = hasattr(signal, "setitimer") and (
            threading.current_thread() is threading.main_thread()
        )

    def arm(self) -> None:
        if self._works:
            self._armed = True
            self._before = signal.signal(signal.SIGALRM, self._ring)
            # The interval repeats the interruption for code that swallows the first one.
            signal.setitimer(signal.ITIMER_REAL, self._seconds, 0.05)

    def disarm(self) -> None:
        if self._works:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before or signal.SIG_DFL)

    def _ring(self, signum: int, frame: FrameType | None) -> None:
        if self._armed:
            raise _OutOfTime


class _Nowhere(io.TextIOBase):
    """Where a learner's prints go while hidden inputs are asked: nothing is kept."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep prints, displays, warnings and log lines of a call out of the notebook."""
    silent = logging.root.manager.disable
    recursion = sys.getrecursionlimit()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(_Nowhere()))
        stack.enter_context(contextlib.redirect_stderr(_Nowhere()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        # A handler may have been bound to the real stderr before.
        logging.disable(logging.CRITICAL)
        if InteractiveShell.initialized():
            stack.enter_context(_quiet_shell(InteractiveShell.instance()))
        try:
            yield
        finally:
            logging.disable(silent)
            sys.setrecursionlimit(recursion)


@contextlib.contextmanager
def _quiet_shell(shell: Any) -> Iterator[None]:
    def stay() -> None:
        raise _LeftTheNotebook

    publisher, hook = shell.display_pub, sys.displayhook
    shell.display_pub = CapturingDisplayPublisher()
    sys.displayhook = CapturingDisplayHook(shell=shell, outputs=[])
    shell.ask_exit = stay
    try:
        yield
    finally:
        shell.display_pub, sys.displayhook = publisher, hook
        del shell.ask_exit


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
    alarm = _Alarm(seconds)
    try:
        with _quiet():
            try:
                try:
                    alarm.arm()
                    answer = plain(function(*given, **named))
                    changed = _looks_changed((args, dict(kwargs)), (given, named))
                finally:
                    alarm.disarm()
            finally:
                alarm.disarm()  # again, as the alarm may ring while it is being disarmed
    except _OutOfTime:
        return Outcome("slow")
    except NotPlainError as odd:
        return Outcome("odd", detail=str(odd))
    except BaseException as error:
        return _raised(function, error)
    return Outcome("value", value=answer, changed_arguments=changed)


def work_out(
    function: Callable[..., object],
    calls: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]],
    **more: Any,
) -> list[Outcome]:
    """Call a function of our own with each set of arguments; never raise.

    It is quicker than `call`: the function is trusted to end, and to say nothing that matters.

    Parameters
    ----------
    function : callable
        An exam's answer.
    calls : sequence of (args, kwargs)
        What to call it with. Lists, dicts and tables are copied.
    **more
        Given to every call.

    Returns
    -------
    list of Outcome
        One per call.
    """
    outcomes: list[Outcome] = []
    with _quiet():
        for args, kwargs in calls:
            try:
                if not all(type(item) in _ATOMS for item in (*args, *kwargs.values())):
                    args, kwargs = copy.deepcopy((args, dict(kwargs)))
                outcomes.append(Outcome("value", value=plain(function(*args, **kwargs, **more))))
            except NotPlainError as odd:
                outcomes.append(Outcome("odd", detail=str(odd)))
            except Exception as error:
                outcomes.append(_raised(function, error))
    return outcomes


def answer_all(
    function: Callable[..., object],
    calls: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]],
    deadline: float,
) -> list[Outcome]:
    """Call a function with each set of arguments; stop calling when time is up.

    Parameters
    ----------
    function : callable
        The learner's function.
    calls : sequence of (args, kwargs)
        What to call it with, in this order.
    deadline : float
        When to stop calling, by `time.monotonic`.

    Returns
    -------
    list of Outcome
        One per call; ``"skipped"`` for those that time did not allow.
    """
    if hasattr(type(function), "__autograder_calls__"):
        return _ask_the_ward(function, calls, deadline)
    outcomes: list[Outcome] = []
    seconds = SECONDS_PER_CALL
    for args, kwargs in calls:
        if time.monotonic() > deadline:
            outcomes.append(Outcome("skipped"))
            continue
        outcomes.append(call(function, args, kwargs, seconds))
        if outcomes[-1].kind == "slow":
            # A loop that never ends on some input must not use up the time of the other inputs.
            seconds = SECONDS_ONCE_SLOW
    return outcomes


def _ask_the_ward(
    function: Any,
    calls: Sequence[tuple[tuple[Any, ...], Mapping[str, Any]]],
    deadline: float,
) -> list[Outcome]:
    """Ask all calls at once of a function that lives in another process."""
    # By its type, as Python finds special methods: a class may stand for a learner's class.
    answers = type(function).__autograder_calls__(
        function, calls, SECONDS_PER_CALL, SECONDS_ONCE_SLOW, max(0.0, deadline - time.monotonic())
    )
    return [_outcome(answer, *asked) for answer, asked in zip(answers, calls, strict=True)]


def _outcome(answer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Outcome:
    """Read what came of a call in another process, as `call` would have."""
    if answer.kind == "value":
        try:
            value = plain(answer.value)
        except NotPlainError as odd:
            return Outcome("odd", detail=str(odd))
        changed = answer.args is not None and _looks_changed(
            (args, dict(kwargs)), (answer.args, answer.kwargs)
        )
        return Outcome("value", value=value, changed_arguments=changed)
    if answer.kind == "odd":
        return Outcome("odd", detail=odd_kind(answer.odd))
    if answer.kind == "ended" or answer.left:
        return Outcome("error", detail="exit()", line=answer.line)
    if answer.kind != "raised":
        return Outcome(answer.kind)
    kind = vars(builtins)[answer.error]
    name = "input()" if answer.asked else answer.error
    if name == "NotImplementedError" and not answer.own:
        name = "NotImplementedError elsewhere"
    if issubclass(kind, ValueError):
        message = " ".join(answer.messages)[:500]
        return Outcome("refused", detail="ValueError", line=answer.line, message=message)
    return Outcome("error", detail=name, line=answer.line)


def _raised(function: object, error: BaseException) -> Outcome:
    """Tell what an exception says, without running anything that its class defines."""
    line = _line_of(function, error)
    if isinstance(error, _LeftTheNotebook):
        return Outcome("error", detail="exit()", line=line)
    kinds = type(error).__mro__
    name = next(_BUILT_IN_ERRORS[kind] for kind in kinds if kind in _BUILT_IN_ERRORS)
    if any(kind.__name__ == "StdinNotImplementedError" for kind in kinds):
        name = "input()"
    if name == "NotImplementedError" and not _arose_in(function, error):
        name = "NotImplementedError elsewhere"
    if ValueError in kinds:
        said = [item for item in _args_of(error) if type(item) is str]
        return Outcome("refused", detail="ValueError", line=line, message=" ".join(said)[:500])
    return Outcome("error", detail=name, line=line)


def _line_of(function: object, error: BaseException) -> int | None:
    """Find the last line of the function's own cell in the traceback."""
    if not isinstance(function, FunctionType) or not _CELL_FILE.search(
        function.__code__.co_filename
    ):
        return None
    file = function.__code__.co_filename
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _arose_in(function: object, error: BaseException) -> bool:
    """Whether the function itself raised, not another one that it calls."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (
        not isinstance(function, FunctionType)
        or trace is None
        or trace.tb_frame.f_code is function.__code__
    )


# What an exception was made with, whatever its class makes of the name.
_args_of: Callable[[BaseException], tuple[object, ...]] = vars(BaseException)["args"].__get__

_identical = same(relative=0, absolute=0)


def _looks_changed(before: object, after: object) -> bool:
    try:
        return not _identical(plain(before), plain(after))
    except NotPlainError:  # an argument that is no plain data, such as a function
        return False
