"""The instructor's notebook, as far as a worker needs it."""

import functools

import nbformat
from nbformat import NotebookNode

from autograder.batch.records import SourceNotebook
from autograder.sealed import cells


@functools.lru_cache(maxsize=16)
def template_of(content: bytes | None) -> NotebookNode | None:
    """Read the instructor's notebook.

    Parameters
    ----------
    content : bytes or None
        The file, where there is one.

    Returns
    -------
    NotebookNode or None
        None where it cannot be read: the gradebook knows the cells, too. Not to be changed.
    """
    if content is None:
        return None
    try:
        notebook: NotebookNode = nbformat.reads(content.decode("utf-8"), as_version=4)
    except Exception:
        return None
    return notebook


def broken_notebook(book: SourceNotebook, reason: str, mode: str) -> NotebookNode:
    """Make what is kept of a notebook that could not be graded: the exercises, without answers.

    Parameters
    ----------
    book : SourceNotebook
        What it should have been.
    reason : str
        Why it could not be graded, in a sentence.
    mode : str
        How the course is graded.

    Returns
    -------
    NotebookNode
    """
    return cells.broken_notebook(book.cells, template_of(book.template), reason, mode=mode)
