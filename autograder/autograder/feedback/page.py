"""From a graded notebook and its marks to all that the page says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nbformat import NotebookNode

from autograder.feedback.markdown import Picture, no_picture
from autograder.feedback.marks import Comment, Marks
from autograder.feedback.reading import Reader, missing_section, parts_of
from autograder.feedback.records import Names, Page, Section
from autograder.feedback.scores import Score, sum_of
from autograder.feedback.summary import headline, next_step, notes_on, remarks_in, sentence


def page_of(nb: NotebookNode, marks: Marks, names: Names, *, picture: Picture = no_picture) -> Page:
    """Say what the page says of a notebook.

    Parameters
    ----------
    nb : NotebookNode
        Autograded and redacted; it is not changed.
    marks : Marks
        From the gradebook.
    names : Names
        Of the submission.
    picture : callable
        Gives a file beside the notebook as an address that begins with ``data:``, or None.

    Returns
    -------
    Page
    """
    said = nb.metadata.get("autograder")
    said = said if isinstance(said, Mapping) else {}
    broken = sentence(said.get("broken"))
    remarks = remarks_in(said)
    marks = _without(marks, [text.rstrip(".") for text in (broken, *remarks) if text])
    title, parts = parts_of(nb)
    reader = Reader(nb, marks, picture)
    sections = [
        reader.section(at, part_title or title or names.notebook, cells)
        for at, (part_title, cells) in enumerate(parts, 1)
    ]
    if broken and not any(mark.by_hand for mark in marks.cells.values()):
        sections = []  # what stands there is the assignment, and no answer
    missing = [name for name in marks.cells if name not in reader.seen]
    if missing and sections:
        sections.append(missing_section(missing, marks, len(sections) + 1))
    exercises = [section for section in sections if section.checks]
    score = _total(exercises, marks)
    next_title, next_anchor, next_words = next_step(exercises, score, broken)
    return Page(
        title or names.notebook,
        names,
        headline(score, broken),
        next_title,
        next_anchor,
        next_words,
        notes_on(exercises, score, marks, remarks, broken),
        score,
        tuple(section for section in sections if section.checks or section.blocks),
    )


def _without(marks: Marks, told: Sequence[str]) -> Marks:
    """Take out of the grader's comments what the page says before them."""
    kept: dict[str, Comment] = {}
    for name, comment in marks.comments.items():
        text = comment.text
        for said in () if comment.by_hand else sorted(told, key=len, reverse=True):
            text = text.replace(said, "")
        if not comment.by_hand:
            text = text.lstrip(" .\n")
        if text:
            kept[name] = replace(comment, text=text)
    return replace(marks, comments=kept)


def _total(exercises: Sequence[Section], marks: Marks) -> Score:
    whole = sum_of([section.score for section in exercises])
    return replace(whole, earned=max(whole.earned - marks.late_penalty, 0.0))
