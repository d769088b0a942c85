"""What a worker does: one submission and the trusted cells in, executed notebooks and scores out.

It keeps no state but warm hosts, opens no gradebook, and reads nothing of the course's folders.
"""

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbformat.v4.nbjson import JSONWriter

from autograder.batch.keys import KEY_NAME
from autograder.batch.outputs import tidy
from autograder.batch.records import Graded, GradedNotebook, Source, SourceNotebook, Submission
from autograder.batch.template import broken_notebook
from autograder.sealed.errors import BrokenSubmission
from autograder.sealed.scoring import verdict_of
from autograder.sealed.submissions import is_safe_name

SEALED = "autograder.batch.sealing.run"
_NO_NOTEBOOK = "The notebook was not handed in: the submission holds none of this assignment."
_MARK = "autograder"


@dataclass(frozen=True)
class Executed:
    """A notebook after its cells ran.

    Attributes
    ----------
    notebook : NotebookNode
        With its outputs; its marks are the instructor's. ``metadata["autograder"]`` says how it
        went.
    files : mapping
        New files that its cells left, by relative path.
    """

    notebook: NotebookNode
    files: Mapping[str, bytes] = field(default_factory=dict)


# Runs a notebook: its content, its source, the files beside it, remarks on what was left out, and
# the assignment.
Runner = Callable[[bytes, SourceNotebook, Mapping[str, bytes], tuple[str, ...], Source], Executed]


def grade(source: Source, submission: Submission) -> Graded:
    """Grade a submission.

    Parameters
    ----------
    source : Source
        The assignment.
    submission : Submission
        What was handed in.

    Returns
    -------
    Graded
        Never an exception for what a submission holds.

    Raises
    ------
    autograder.sealed.errors.SealError
        If this machine cannot grade at all.
    Exception
        For an error of ours.
    """
    begun = time.perf_counter()
    run = runner(source.runner)
    files = {**submission.files, **source.replacing}
    left: dict[str, bytes] = {}
    done: list[GradedNotebook] = []
    none = not submission.notebooks and not submission.broken
    for name in sorted(source.notebooks):
        book = source.notebooks[name]
        broken = _NO_NOTEBOOK if none else submission.broken.get(name, "")
        content = submission.notebooks.get(name)
        if content is not None and not broken:
            try:
                executed = run(content, book, files, submission.remarks, source)
                done.append(_graded(book, executed, source, submission.key))
            except BrokenSubmission as error:
                broken = error.reason
            else:
                new = _new_files(executed.files, files)
                left.update(new)
                files.update(new)
        if broken:
            done.append(_broken(book, broken, source, submission.key))
    seconds = time.perf_counter() - begun
    return Graded(submission.student, submission.key, tuple(done), left, seconds=seconds)


def given_up(source: Source, submission: Submission, reason: str) -> Graded:
    """Say that a submission could not be graded though nothing is known to be wrong with it.

    Parameters
    ----------
    source : Source
        The assignment.
    submission : Submission
        What was handed in.
    reason : str
        Why, in a sentence.

    Returns
    -------
    Graded
        Not lasting: a rerun tries again.
    """
    names = sorted({*submission.notebooks, *submission.broken} or source.notebooks)
    broken = tuple(_broken(source.notebooks[name], reason, source, "") for name in names)
    return Graded(submission.student, submission.key, broken, lasting=False)


def failed(submission: Submission, error: str) -> Graded:
    """Say that grading failed for a reason of ours, so that nothing is to be written.

    Parameters
    ----------
    submission : Submission
        What was handed in.
    error : str
        What happened.

    Returns
    -------
    Graded
    """
    failure = f"Grading it failed for a reason that is not the learner's ({error})."
    return Graded(submission.student, submission.key, (), lasting=False, failure=failure)


def runner(name: str) -> Runner:
    """Import the function that runs a notebook."""
    module, _, function = name.rpartition(".")
    found: Runner = getattr(importlib.import_module(module), function)
    return found


def _graded(book: SourceNotebook, executed: Executed, source: Source, key: str) -> GradedNotebook:
    verdict = verdict_of(executed.notebook)
    remarks = tuple(executed.notebook.metadata.get(_MARK, {}).get("remarks", ()))
    nb = tidy(executed.notebook, source.outputs)
    return GradedNotebook(book.name, _written(nb, key), verdict, remarks)


def _broken(book: SourceNotebook, reason: str, source: Source, key: str) -> GradedNotebook:
    nb = broken_notebook(book, reason, getattr(source.settings, "mode", "sealed"))
    verdict = verdict_of(nb)
    return GradedNotebook(book.name, _written(nb, key), verdict)


def _new_files(files: Mapping[str, bytes], there: Mapping[str, bytes]) -> dict[str, bytes]:
    """Choose what a notebook left that may be kept: nothing that was there is overwritten."""
    return {
        name: content
        for name, content in files.items()
        if name not in there and is_safe_name(name) and not name.endswith(".ipynb")
    }


def _written(nb: NotebookNode, key: str) -> bytes:
    """Write a notebook as nbgrader's exporter does, with its key."""
    mark = nb.metadata.setdefault(_MARK, NotebookNode())
    mark[KEY_NAME] = key
    text: str = JSONWriter().writes(nb)
    return (text if text.endswith("\n") else text + "\n").encode("utf-8")
