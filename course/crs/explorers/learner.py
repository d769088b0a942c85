"""Ask the learner's own function, and say in a sentence what went wrong if something did."""

import contextlib
import inspect
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Real

from crs.guidelines.conditions import Value

HIGHEST_GRADE = 5


@dataclass(frozen=True)
class Answer:
    """What the learner's function said.

    Attributes
    ----------
    grade : int or None
        None where it gave no grade.
    problem : str
        Why not, as a sentence; empty where it gave one.
    asked : mapping of str to bool, float or str
        The arguments that it was called with, by name.
    """

    grade: int | None
    problem: str = ""
    asked: Mapping[str, Value] = field(default_factory=dict)


def ask_for_grade(function: object, arguments: Mapping[str, Value]) -> Answer:
    """Call a learner's function with those of the arguments that it accepts.

    Parameters
    ----------
    function : callable
        Anything that was handed in.
    arguments : mapping of str to bool, float or str
        By name.

    Returns
    -------
    Answer
        Never an exception.
    """
    if not callable(function):
        return Answer(None, f"mine must be a function, but is {_short(function)}.")
    try:
        positional, named, unknown = _accepted(function, arguments)
    except (TypeError, ValueError):  # a built-in without a signature
        positional, named, unknown = {}, dict(arguments), ""
    if unknown:
        return Answer(
            None,
            f"Your function asks for {unknown}, which the comparator does not know. "
            f"Known are {', '.join(arguments)}.",
        )
    answer = _call(function, list(positional.values()), named)
    return replace(answer, asked={**positional, **named})


def _call(
    function: Callable[..., object], positional: list[Value], named: Mapping[str, Value]
) -> Answer:
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            returned = function(*positional, **named)
    except NotImplementedError:
        return Answer(None, "Your function is not written yet: it raises NotImplementedError.")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a learner's code raises becomes a sentence
        words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Answer(None, f"Your function stopped with {_short(words, quoted=False)}.")
    return _as_grade(returned)


def _accepted(
    function: Callable[..., object], arguments: Mapping[str, Value]
) -> tuple[dict[str, Value], dict[str, Value], str]:
    """Sort the arguments as the function takes them; the last is a required one we do not have."""
    positional: dict[str, Value] = {}
    named: dict[str, Value] = {}
    takes_all = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_all = True
        elif parameter.name in arguments:
            by_place = parameter.kind is parameter.POSITIONAL_ONLY
            (positional if by_place else named)[parameter.name] = arguments[parameter.name]
        elif parameter.default is parameter.empty:
            return {}, {}, parameter.name
    if takes_all:
        named |= {name: value for name, value in arguments.items() if name not in positional}
    return positional, named, ""


def _as_grade(returned: object) -> Answer:
    if returned is None:
        return Answer(None, "Your function returned nothing (None). Does every path return?")
    # numpy's whole numbers are Real, numpy's booleans are not
    if isinstance(returned, Real) and not isinstance(returned, bool):
        number = float(returned)
        if number.is_integer() and 0 <= number <= HIGHEST_GRADE:
            return Answer(int(number))
    return Answer(
        None,
        f"Your function returned {_short(returned)}, but a grade is a whole number "
        f"from 0 to {HIGHEST_GRADE}.",
    )


def _short(value: object, *, quoted: bool = True) -> str:
    try:
        text = repr(value) if quoted else str(value)
    except Exception:  # a broken __repr__ must not break the explorer
        text = f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"
