"""Keep hidden checks out of the feedback that learners read."""

import re

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.report import FINDINGS

_HIDDEN_REGION = re.compile(r"^[^\n]*BEGIN HIDDEN TESTS.*?(END HIDDEN TESTS[^\n]*|\Z)", re.S | re.M)
_NO_FUNCTION = (
    "The check found no function to call. The cell with your solution did not run to its end: "
    "look at its error first, or at the spelling of the function's name.\n"
)
_BROKEN = "The check could not be completed. Please tell your instructor.\n"


class DropHiddenChecks(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Remove the source of hidden checks, and what may leak it, from a feedback page.

    Only the page is changed; the autograded notebook, which instructors see, stays as it is.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Clean one cell.

        Parameters
        ----------
        cell : NotebookNode
            Any cell.
        resources : dict
            Passed through.
        cell_index : int
            Position in the notebook.

        Returns
        -------
        cell, resources
        """
        source, hidden = _HIDDEN_REGION.subn("", cell.source)
        if hidden:
            cell.source = source.strip()
            if cell.cell_type == "code":
                cell.outputs = _findings(cell.outputs)
        return cell, resources


def _findings(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Keep the findings of an examination alone: anything else may show a hidden input.

    An error's traceback shows the source of the check, and what a learner's function prints or
    displays while it is asked may be what it was asked.
    """
    found = [item for item in outputs if FINDINGS in item.get("data", {})]
    if found:
        return found
    missing = any(item.get("ename") == "NameError" for item in outputs)
    return [_sentence(_NO_FUNCTION if missing else _BROKEN)]


def _sentence(text: str) -> NotebookNode:
    output: NotebookNode = new_output("stream", name="stdout", text=text)
    return output
