"""Undo the accidents in a submission that keep nbgrader from grading it."""

from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode, from_dict
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor, OverwriteCells


class MendSubmission(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Forget copies of marked cells, and put back graded cells that were deleted.

    nbgrader itself fails on a cell that was copied with its mark, and on a deleted exercise. It
    stands first in ``Autograde.sanitize_preprocessors``.
    """

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Mend one submitted notebook.

        Parameters
        ----------
        nb : NotebookNode
            Changed in place.
        resources : dict
            nbgrader's, with the names of assignment and notebook.

        Returns
        -------
        nb, resources
        """
        for grade_id in forget_copies(nb):
            self.log.warning("Cell %s was there more than once; the last one counts", grade_id)
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            source = gradebook.find_notebook(names["notebook"], names["assignment"])
            for grade_id in self._put_back(nb, source):
                self.log.warning("Cell %s was missing; it is put back", grade_id)
        return nb, resources

    def _put_back(self, nb: NotebookNode, source: Any) -> list[str]:
        """Put every missing graded cell behind the nearest one that stands before it in source."""
        points = {cell.name: cell.max_score for cell in (*source.grade_cells, *source.task_cells)}
        solutions = {cell.name for cell in source.solution_cells}
        tasks = {cell.name for cell in source.task_cells}
        made = OverwriteCells(parent=self)
        missing: list[str] = []
        behind = 0
        for cell in source.source_cells:
            there = [at for at, other in enumerate(nb.cells) if _grade_id(other) == cell.name]
            if there:
                behind = there[0] + 1
            elif cell.name in points:
                mended = made.missing_cell_transform(
                    cell, points[cell.name], cell.name in solutions, cell.name in tasks
                )
                nb.cells.insert(behind, from_dict({**mended, "id": cell.name}))
                behind += 1
                missing.append(cell.name)
        return missing


def forget_copies(nb: NotebookNode) -> list[str]:
    """Take the mark off all but the last of the cells that bear the same one.

    Parameters
    ----------
    nb : NotebookNode
        Changed in place.

    Returns
    -------
    list of str
        Grade ids that were there more than once.
    """
    seen: set[str] = set()
    copied: list[str] = []
    for cell in reversed(nb.cells):
        grade_id = _grade_id(cell)
        if grade_id is None:
            cell.metadata.pop("nbgrader", None)  # the remains of a mark stop nbgrader, too
        elif grade_id in seen:
            del cell.metadata["nbgrader"]
            copied.append(grade_id)
        else:
            seen.add(grade_id)
    return copied


def _grade_id(cell: NotebookNode) -> str | None:
    marks = cell.metadata.get("nbgrader")
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    return grade_id if isinstance(grade_id, str) else None
