"""What a learner answered, kept in a small file beside the lessons.

The first answer to a question counts, as later ones have seen the feedback. Where the file cannot
be written or read, answers last as long as the notebook's kernel, and nothing fails.
"""

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE_NAME = ".crs-answers.json"
CONFIDENCE = {"guessing": "guessing", "fairly-sure": "fairly sure", "certain": "certain"}

_this_session: dict[tuple[str, str], "GivenAnswer"] = {}


@dataclass(frozen=True)
class GivenAnswer:
    """One answer.

    Attributes
    ----------
    quiz, question : str
        Ids.
    option : int
        Position of the option that was chosen.
    right : bool
        Whether it was right.
    confidence : str
        One of `CONFIDENCE`.
    at : str
        When, in coordinated universal time.
    """

    quiz: str
    question: str
    option: int
    right: bool
    confidence: str
    at: str = ""


def answers_file() -> Path:
    """Return the file of the folder in which the notebook runs."""
    return Path.cwd() / FILE_NAME


def recall(path: Path | None = None) -> tuple[GivenAnswer, ...]:
    """Return all first answers, in the order in which they were given.

    Parameters
    ----------
    path : Path, optional
        The file; that of the notebook's folder by default.

    Returns
    -------
    tuple of GivenAnswer
        Empty where there is no file, or none that can be read.
    """
    known = {(answer.quiz, answer.question): answer for answer in _read(path or answers_file())}
    return tuple((_this_session | known).values())


def remember(answer: GivenAnswer, path: Path | None = None) -> bool:
    """Keep an answer, unless its question has one.

    Parameters
    ----------
    answer : GivenAnswer
        Its time is filled in.
    path : Path, optional
        The file; that of the notebook's folder by default.

    Returns
    -------
    bool
        Whether it lies in the file now; if not, it lasts until the kernel stops.
    """
    path = path or answers_file()
    key = (answer.quiz, answer.question)
    known = {(kept.quiz, kept.question): kept for kept in recall(path)}
    if key not in known:
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        known[key] = GivenAnswer(**(asdict(answer) | {"at": stamp}))
        _this_session[key] = known[key]
    return _write(path, tuple(known.values()))


def forget(path: Path | None = None) -> None:
    """Forget all answers, to begin anew.

    Parameters
    ----------
    path : Path, optional
        The file; that of the notebook's folder by default.
    """
    _this_session.clear()
    with suppress(OSError):
        (path or answers_file()).unlink(missing_ok=True)


def _read(path: Path) -> tuple[GivenAnswer, ...]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["answers"]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    found = []
    for entry in kept if isinstance(kept, list) else ():
        with suppress(TypeError, ValueError):
            found.append(_checked(GivenAnswer(**entry)))
    return tuple(found)


def _checked(answer: GivenAnswer) -> GivenAnswer:
    """Refuse what this library would not have written."""
    types = (str, str, int, bool, str, str)
    given = (answer.quiz, answer.question, answer.option, answer.right, answer.confidence)
    right_types = all(isinstance(value, kind) for value, kind in zip(given, types, strict=False))
    if not right_types or answer.confidence not in CONFIDENCE:
        raise ValueError("not an answer")
    return answer


def _write(path: Path, answers: tuple[GivenAnswer, ...]) -> bool:
    text = json.dumps({"version": 1, "answers": [asdict(a) for a in answers]}, indent=1)
    temporary = None
    try:
        # Written beside and moved, so that a crash leaves the old file whole.
        handle, temporary = tempfile.mkstemp(prefix=FILE_NAME, dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        Path(temporary).replace(path)
    except OSError:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        return False
    return True
