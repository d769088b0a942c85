"""Take out of an autograded notebook what its learner must not see."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.feedback.cells import count_of, learners_cells, role_of
from autograder.feedback.failures import BROKEN, failure
from autograder.feedback.findings import Findings, found_in
from autograder.feedback.hidden import Markers
from autograder.report import FINDINGS

# Set on a check whose source was hidden, for the steps that follow.
HIDDEN = "autograder_hidden"

_SCHEME_TITLE = "The marking scheme, to compare with your own answer"


def redact(nb: NotebookNode, markers: Markers, *, show_mark_scheme: bool = False) -> NotebookNode:
    """Drop hidden tests and marking schemes, and reduce the outputs of checks to findings.

    What is printed, displayed or returned while a check runs may be what was asked; an error's
    traceback shows the check. Doing it again changes nothing.

    Parameters
    ----------
    nb : NotebookNode
        Changed in place.
    markers : Markers
        What marks the regions.
    show_mark_scheme : bool
        Whether marking schemes stay, folded.

    Returns
    -------
    NotebookNode
        The same.
    """
    sources = learners_cells(nb)
    for cell in nb.cells:
        hidden = markers.has_tests(cell.source)
        if cell.cell_type == "code" and (hidden or role_of(cell) == "check"):
            cell.outputs = _findings(cell, hidden, sources)
        if hidden:
            cell.metadata[HIDDEN] = True
            cell.source = markers.without_tests(cell.source).strip()
        fold = show_mark_scheme and cell.cell_type == "markdown"
        cell.source = markers.with_schemes(cell.source, _folded if fold else _nothing)
    return nb


def _findings(cell: NotebookNode, hidden: bool, sources: Mapping[int, str]) -> list[NotebookNode]:
    shown = [item for item in cell.outputs if found_in([item]) is not None]
    if shown:
        return shown[-1:]
    diagnosis = diagnosis_of(cell)
    if diagnosis:
        return [_as_output(Findings(hints=(diagnosis,), stopped=True))]
    hidden = hidden or bool(cell.metadata.get(HIDDEN))
    count = count_of(cell)
    found = failure(cell.outputs, cell.source, hidden=hidden, count=count, sources=sources)
    return [] if found is None else [_as_output(found)]


def diagnosis_of(cell: NotebookNode) -> str:
    """Give the sentence that the grader wrote about a cell that it had to stop."""
    said = cell.metadata.get("autograder")
    if not isinstance(said, Mapping) or said.get("status") in (None, "ok", "error"):
        return ""
    diagnosis = said.get("diagnosis")
    return diagnosis[:1_000] if isinstance(diagnosis, str) and diagnosis else BROKEN


def _as_output(found: Findings) -> NotebookNode:
    html = "".join(f"<p>{escape(hint)}</p>" for hint in found.hints)
    data = {FINDINGS: found.as_data(), "text/html": html, "text/plain": "\n".join(found.hints)}
    output: NotebookNode = new_output("display_data", data=data)
    return output


def _folded(scheme: str) -> str:
    return f"<details><summary>{_SCHEME_TITLE}</summary>\n\n{scheme}\n\n</details>"


def _nothing(scheme: str) -> str:
    return ""
