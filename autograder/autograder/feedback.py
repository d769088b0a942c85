"""Keep hidden checks out of the feedback that learners read."""

from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output

HIDDEN_MARK = "BEGIN HIDDEN TESTS"


class DropHiddenChecks(Preprocessor):
    """Replace the source of hidden checks, and what leaks it, in a feedback page.

    Only the page is changed; the autograded notebook, which instructors see, stays as it is.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clean one cell.

        Parameters
        ----------
        cell : NotebookNode
            Any cell.
        resources : dict
            Passed through.
        index : int
            Position in the notebook.

        Returns
        -------
        cell, resources
        """
        if cell.cell_type == "code" and HIDDEN_MARK in cell.source:
            cell.source = "# A hidden check. What it found stands below."
            cell.outputs = [_without_trace(output) for output in cell.outputs]
        return cell, resources


def _without_trace(output: NotebookNode) -> NotebookNode:
    """An error output shows the source of the check: say instead what has happened."""
    if output.output_type != "error":
        return output
    if output.ename == "NameError":
        sentence = (
            "The check found no function to call. The cell with your solution did not run to its "
            "end: look at its error first.\n"
        )
    else:
        sentence = "The check could not be completed. Please tell your instructor.\n"
    return new_output("stream", name="stdout", text=sentence)
