"""What an executed check cell earns, by nbgrader's own rules."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task

# A sum of partial credits may exceed the maximum by what floats lose.
_HAIR = 1e-6


@dataclass(frozen=True)
class Scored:
    """What a graded cell earned.

    Attributes
    ----------
    score : float or None
        None where a person has to grade it.
    points : float
        The most that it can earn.
    diagnosis : str
        A sentence where the score is not what the cell says; else empty.
    """

    score: float | None
    points: float
    diagnosis: str = ""


def score_of(cell: NotebookNode) -> Scored:
    """Score a graded cell as nbgrader does, but let no partial credit leave its range.

    nbgrader gives full marks for NaN and for a negative number, and fails the whole submission for
    one above the maximum.

    Parameters
    ----------
    cell : NotebookNode
        With its outputs.

    Returns
    -------
    Scored
    """
    if not is_grade(cell):
        raise ValueError("not a graded cell")
    points = float(cell.metadata["nbgrader"]["points"])
    number = None
    if cell.cell_type == "code" and not is_solution(cell):
        number = _partial(cell)
    if number is None:
        score, points = determine_grade(cell)
        return Scored(score, points)
    if not math.isfinite(number):
        # Not the number itself, here and below: it may say what the check has asked.
        return Scored(0.0, points, "The check ended with what is no number of points.")
    if number < 0:
        return Scored(0.0, points, "The check ended with a number below 0, and counts as 0.")
    if number > points:
        said = f"The check ended with more than {points:g} points, and counts as {points:g}."
        return Scored(points, points, said if number > points + _HAIR else "")
    return Scored(number, points)


def _partial(cell: NotebookNode) -> float | None:
    """Find the number that nbgrader would read, if it gets that far."""
    for output in cell.outputs:
        if output.output_type == "error":
            return None
        if output.output_type == "stream" and output.name == "stderr":
            return None
        if output.output_type == "execute_result":
            data = output.get("data", {})
            text = data.get("text/plain") if isinstance(data, Mapping) else None
            try:
                return float(text) if isinstance(text, str) and text else None
            except ValueError:
                return None
    return None


@dataclass(frozen=True)
class Verdict:
    """What of an executed notebook goes into the gradebook.

    Attributes
    ----------
    broken : str
        Why the notebook could not be graded; empty if it was.
    scores : mapping of str to Scored
        By the name of the graded cell.
    comments : mapping of str to (str or None)
        nbgrader's automatic comment, by the name of each answer and task.
    general : str
        What concerns the notebook as a whole. It is part of the first comment already; for a broken
        notebook, it belongs into the first comment that the gradebook has a row for.
    """

    broken: str = ""
    scores: Mapping[str, Scored] = field(default_factory=dict)
    comments: Mapping[str, str | None] = field(default_factory=dict)
    general: str = ""


def verdict_of(nb: NotebookNode) -> Verdict:
    """Read scores and comments from an executed notebook.

    Parameters
    ----------
    nb : NotebookNode
        Restored and run.

    Returns
    -------
    Verdict
        The same from ``nbgrader autograde`` and from ``autograder grade``.
    """
    about = nb.metadata.get("autograder", {})
    broken = str(about.get("broken", ""))
    remarks = [broken] if broken else [str(remark) for remark in about.get("remarks", [])]
    general = " ".join(remarks)
    if broken:
        return Verdict(broken=broken, general=general)
    scores: dict[str, Scored] = {}
    said: dict[str, list[str]] = {}
    current: str | None = None
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        sentences = [str(cell.metadata.get("autograder", {}).get("diagnosis", ""))]
        if is_solution(cell) or is_task(cell):
            current = str(name)
            said[current] = []
            if cell.metadata.nbgrader.get("checksum") == compute_checksum(cell) and not is_task(
                cell
            ):
                said[current].append("No response.")
        if is_grade(cell):
            scores[str(name)] = scored = score_of(cell)
            sentences.append(scored.diagnosis)
        if current is not None:
            # What a check or a cell between says belongs to the answer above it.
            new = [sentence for sentence in sentences if sentence]
            said[current] += [sentence for sentence in new if sentence not in said[current]]
    if general and said:
        next(iter(said.values())).append(general)
    comments = {name: " ".join(sentences) or None for name, sentences in said.items()}
    return Verdict(scores=scores, comments=comments, general=general)


def save(notebook: Any, verdict: Verdict) -> None:
    """Write a verdict into the rows of a submitted notebook, without committing.

    Grades and comments by hand stay as they are.

    Parameters
    ----------
    notebook : nbgrader.api.SubmittedNotebook
        A row of the gradebook, in an open session.
    verdict : Verdict
        What it earned.
    """
    for grade in notebook.grades:
        if verdict.broken:
            grade.auto_score = None
        elif grade.name in verdict.scores:
            grade.auto_score = verdict.scores[grade.name].score
        else:
            continue  # a task, which a person grades
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
    comments = sorted(notebook.comments, key=lambda comment: comment.name)
    for comment in comments:
        if verdict.broken:
            comment.auto_comment = None
        elif comment.name in verdict.comments:
            comment.auto_comment = verdict.comments[comment.name]
    if verdict.broken and comments:
        comments[0].auto_comment = verdict.broken
