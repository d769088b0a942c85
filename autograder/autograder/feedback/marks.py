"""What the gradebook holds of one submitted notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbgrader.api import Gradebook, MissingEntry


@dataclass(frozen=True)
class Mark:
    """What one graded cell earned.

    Attributes
    ----------
    points : float
        Attainable.
    score : float
        So far, extra credit included.
    waits : bool
        Whether a person has yet to grade it.
    extra : float
        Extra credit.
    by_hand : bool
        Whether a person gave the score.
    again : bool
        Whether a person graded an earlier version, and will look at this one.
    """

    points: float
    score: float = 0.0
    waits: bool = False
    extra: float = 0.0
    by_hand: bool = False
    again: bool = False


@dataclass(frozen=True)
class Comment:
    """What was written about one cell: by a person, or by the grader."""

    text: str
    by_hand: bool = True


@dataclass(frozen=True)
class Marks:
    """What one notebook earned.

    Attributes
    ----------
    cells : mapping of str to Mark
        By grade id, in the order of the gradebook.
    comments : mapping of str to Comment
        By grade id; nbgrader's own "No response." is left out.
    late_penalty : float
        Points that were taken off.
    hours_late : float
        0 for a submission in time.
    """

    cells: Mapping[str, Mark] = field(default_factory=dict)
    comments: Mapping[str, Comment] = field(default_factory=dict)
    late_penalty: float = 0.0
    hours_late: float = 0.0

    @property
    def repeated_remarks(self) -> tuple[str, ...]:
        """What the grader wrote about more than one cell: it concerns the whole notebook."""
        said = [comment.text for comment in self.comments.values() if not comment.by_hand]
        return tuple(dict.fromkeys(text for text in said if said.count(text) > 1))


def read_marks(db_url: str, notebook: str, assignment: str, student: str) -> Marks:
    """Read the marks of one notebook from the gradebook.

    Parameters
    ----------
    db_url : str
        Where the gradebook is.
    notebook, assignment, student : str
        Names of nbgrader's.

    Returns
    -------
    Marks
        Empty where the gradebook knows nothing of it.
    """
    with Gradebook(db_url) as gradebook:
        try:
            found = gradebook.find_submission_notebook(notebook, assignment, student)
        except MissingEntry:
            return Marks()
        return Marks(
            {grade.name: _mark(grade) for grade in found.grades},
            {
                comment.name: Comment(text, comment.manual_comment is not None)
                for comment in found.comments
                if (text := _text(comment))
            },
            float(found.late_submission_penalty or 0),
            max(float(found.assignment.total_seconds_late), 0.0) / 3600,
        )


def _mark(grade: Any) -> Mark:
    graded = grade.manual_score is not None or grade.auto_score is not None
    flagged = bool(grade.needs_manual_grade)
    return Mark(
        float(grade.max_score),
        float(grade.score or 0),
        waits=flagged and not graded,
        extra=float(grade.extra_credit or 0),
        by_hand=grade.manual_score is not None,
        again=flagged and grade.manual_score is not None,
    )


def _text(comment: Any) -> str:
    text = str(comment.comment or "").strip()
    return "" if comment.manual_comment is None and text == "No response." else text
