"""What may be said of an error: its kind, the learner's own lines, an instructor's own words.

A traceback shows the source of hidden checks, the values they ask for and the grader's own files.
So nothing of one is shown. Line numbers of the learner's cells are read from it, and the lines
themselves from the cells.
"""

from __future__ import annotations

import ast
import builtins
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from autograder.feedback.findings import NO_FUNCTION, Findings

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]")
_FRAME = re.compile(r"\s*Cell In\s*\[(\d{1,6})\], line (\d{1,6})")
_AT_LINE = re.compile(r"\s*\((?:[^()\n]*, )?line \d+\)$")
_FOREIGN = re.compile(
    r'^[ \t]*File "[^"\n]*(?:site-packages|dist-packages|/lib/python\d|/opt/ward|/autograder/)'
    r'[^"\n]*"(?:, line|:)[^\n]*\n(?:(?!\s*File )[ \t]{4,}[^\n]*\n)*',
    re.MULTILINE,
)
# Where IPython says that a cell lies: in a file that is not there. Without a bound on the folders,
# a text of slashes is read again from each of them.
_CELL_FILE = re.compile(r"(?:/[\w.-]{1,255}){1,20}/ipykernel_\d+/\d+\.py")
_MOST_LETTERS = 1_000
_LONGEST_PART = 50_000
MAX_LINE = 500
_SHORTEST_WORDS = 12

TOO_LONG = "The check took too long and was stopped. Look for a loop that never ends."
BROKEN = "The check could not be completed. Please tell your instructor."
ENDED = "Your code ended the program, or used more than it may, while it was asked."
UNASKED = "Your code answered what nobody asked, as two processes would that answer at once."
REFUSED = (
    "The check could not look at what your code gives. It expects plain data of Python, NumPy or "
    "pandas. If your answer is of that kind, tell your instructor: it may be a limit of the grader."
)
NOT_STARTED = "Not started yet: the code still raises `NotImplementedError`."

UNKNOWN = "error"

# What a learner's answer cannot bring about by itself.
_OURS = ("ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError", "TabError")
_LATE = ("CellTimeoutError", "TimeoutError")
# How the grader calls what it had to stop; the message says why.
STOPPED_BY_GRADER = ("CellTimeoutError", "DeadKernelError", "LimitError")
# How a check meets a function that took its process along, or that answered out of turn.
_GONE = "Gone"
_UNASKED = "Unasked"
# How it meets what cannot be handed over, or what is no data where data is expected.
_REFUSED = "Refused"


@dataclass(frozen=True)
class Frame:
    """A line of one of the learner's cells, on the way to an error.

    Attributes
    ----------
    cell : int
        Execution count of the cell.
    line : int
        Counted from 1.
    text : str
        The line itself.
    """

    cell: int
    line: int
    text: str


def plain(text: str) -> str:
    """Take escape codes for a terminal out of a text, and what no page can show."""
    text = _ANSI.sub("", text)
    return "".join(
        letter if letter.isprintable() or letter in "\n\t\u200c\u200d\xa0" else "\ufffd"
        for letter in text.replace("\r\n", "\n")
        if letter not in "\x08\r"
    )


def without_foreign_frames(text: str) -> str:
    """Take lines of a printed traceback out that stem from no cell and no file of the learner."""
    return _CELL_FILE.sub("<cell>", _FOREIGN.sub("", text))


def kind_of_error(name: object) -> str:
    """Name the kind of an error, if it is one of Python's own.

    A class made while running may carry in its name what it was asked.
    """
    known = getattr(builtins, name, None) if isinstance(name, str) else None
    if isinstance(known, type) and issubclass(known, BaseException):
        return known.__name__
    return UNKNOWN


def with_article(kind: str) -> str:
    """Put an article before the kind of an error."""
    return f"{'an' if kind[0].upper() in 'AEIOU' else 'a'} {kind}"


def own_frames(
    traceback: Iterable[object], sources: Mapping[int, str], *, last: int = MAX_LINE
) -> tuple[Frame, ...]:
    """Find the learner's own lines in a traceback, the outermost first.

    Parameters
    ----------
    traceback : iterable of str
        As an error output holds it.
    sources : mapping of int to str
        The learner's cells by execution count.
    last : int
        The last line of a cell that is told. Where a check failed, the number of a line may say
        what was asked.

    Returns
    -------
    tuple of Frame
        At most ten, the innermost ones.
    """
    frames: list[Frame] = []
    for part in traceback:
        # IPython begins a part with it. Elsewhere it is a message, which may say anything.
        found = _FRAME.match(plain(str(part)[:_LONGEST_PART]))
        if found is not None:
            count, number = map(int, found.groups())
            line = _line_of(sources.get(count, ""), number) if number <= last else None
            if line is not None:
                frames.append(Frame(count, number, line))
    unique = [frame for at, frame in enumerate(frames) if at == 0 or frame != frames[at - 1]]
    return tuple(unique[-10:])


def _line_of(source: str, number: int) -> str | None:
    line = next(islice(io.StringIO(source), max(number, 1) - 1, None), None)
    return None if line is None else line.strip()[:200]


def own_message(name: str, value: object) -> str:
    """Give the message of an error in a learner's own cell, without the name of a made-up file."""
    text = plain(value)[:_MOST_LETTERS] if isinstance(value, str) else ""
    return _AT_LINE.sub("", text) if name in _OURS else text


def literal_messages(source: str) -> frozenset[str]:
    """Find the messages that an instructor wrote out in a check: of ``assert`` and ``raise``.

    Parameters
    ----------
    source : str
        The whole source of the check.

    Returns
    -------
    frozenset of str
    """
    messages: set[str] = set()
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Assert):
            messages |= _literal(node.msg)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            messages |= _literal(node.exc.args[0])
    return frozenset(messages)


def _literal(node: ast.expr | None) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip():
        return {node.value.strip()}
    return set()


def _words_within(source: str, message: str) -> str:
    """Find the instructor's own sentences within a message of a check whose source is shown."""
    written = [
        node.value.strip()
        for node in ast.walk(_parsed(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    said = {
        text for text in written if len(text) >= _SHORTEST_WORDS and " " in text and text in message
    }
    longest = [text for text in said if not any(text in other for other in said - {text})]
    return " ".join(sorted(longest, key=message.index))


def _parsed(source: str) -> ast.Module:
    # IPython's own lines are no Python.
    lines = ["pass" if line.startswith(("%", "!")) else line for line in source.splitlines()]
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def failure(
    outputs: Sequence[Mapping[str, object]],
    source: str,
    *,
    hidden: bool,
    count: int,
    sources: Mapping[int, str],
) -> Findings | None:
    """Say why a check ended in an error.

    Parameters
    ----------
    outputs : sequence of mapping
        Of the check cell.
    source : str
        Its whole source.
    hidden : bool
        Whether some of it is hidden.
    count : int
        Its execution count.
    sources : mapping of int to str
        The learner's cells by execution count.

    Returns
    -------
    Findings or None
        None where there was no error.
    """
    error = next((item for item in outputs if item.get("output_type") == "error"), None)
    if error is None:
        return None
    found = error.get("traceback")
    traceback = found if isinstance(found, list) else []
    own = own_frames(traceback, sources)
    line = 0 if hidden else _last_line(own_frames(traceback, {count: source}))
    said = _sentences(error, source, hidden, own, line)
    return Findings(hints=said, line=line, stopped=True)


def _last_line(frames: Sequence[Frame]) -> int:
    return frames[-1].line if frames else 0


def _sentences(
    error: Mapping[str, object], source: str, hidden: bool, own: Sequence[Frame], line: int
) -> tuple[str, ...]:
    name = error.get("ename")
    value = error.get("evalue")
    kind = kind_of_error(name)
    message = plain(value).strip() if isinstance(value, str) else ""
    where = f" at line {line} of the check" if line else ""
    if name in _LATE:
        return (TOO_LONG,)
    if name in (*STOPPED_BY_GRADER, _GONE):
        return (ENDED,)
    if name == _UNASKED:
        return (UNASKED,)
    if name == _REFUSED:
        return (REFUSED,)
    if own and kind == "NotImplementedError":
        return (NOT_STARTED,)
    if own:
        stopped = f"Your code stopped with {with_article(kind)} (line {own[-1].line} of its cell)."
        return (stopped,)
    literals = literal_messages(source)
    exact = next((text for text in sorted(literals) if message in (text, repr(text))), "")
    words = exact or ("" if hidden else _words_within(source, message))
    if words:
        return (words,)
    if name == "NameError":
        return (NO_FUNCTION,)
    if kind in ("AssertionError", UNKNOWN):
        return (f"What it asks for does not hold{where}.",)
    if name in _OURS:
        return (BROKEN,)
    return (
        f"It stopped with {with_article(kind)}{where}. "
        "Does your code give back what the text asks for?",
    )
