"""The steps around execution: put a submission right before it, clean and save after it."""

from pathlib import Path

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import is_grade
from traitlets import Bool

from autograder.sealed.cells import broken_notebook, is_foreign, restore, trusted_cells
from autograder.sealed.course import course_of, template_of
from autograder.sealed.errors import BrokenSubmission
from autograder.sealed.outputs import clean, without_stderr
from autograder.sealed.scoring import save, verdict_of
from autograder.sealed.submissions import left_out


class RestoreSubmission(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Put a submitted notebook back to what the instructor meant; first of the sanitizing steps.

    It takes the place of nbgrader's ``DeduplicateIds`` and ``OverwriteCells``.
    """

    enabled = Bool(True, help="It cannot be switched off.")

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Restore one notebook.

        Parameters
        ----------
        nb : NotebookNode
            As `SubmissionExporter` read it.
        resources : dict
            nbgrader's.

        Returns
        -------
        nb, resources
        """
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            row = gradebook.find_notebook(names["notebook"], names["assignment"])
            trusted = trusted_cells(row)
        course = course_of(self)
        template = template_of(course, names["assignment"], names["notebook"])
        mode = str(self.config.SealedExecute.get("mode", "sealed"))
        broken = str(nb.metadata.get("autograder", {}).get("broken", ""))
        if not broken and is_foreign(nb, trusted):
            broken = "The notebook belongs to another assignment: no marked cell is this one's."
            if mode == "shared":
                # As nbgrader does it: no row, no file, and the command says that it failed.
                raise BrokenSubmission(broken)
            self.log.error("%s cannot be graded: %s", names["notebook"], broken)
        if broken:
            return broken_notebook(trusted, template, broken, mode=mode), resources
        restored = restore(
            nb,
            trusted,
            template,
            keep_outputs=not self.config.ClearOutput.get("enabled", True),
            keep_kernel=mode == "shared",
        )
        remarks = [*restored.remarks, *left_out(Path(resources["metadata"].get("path") or "."))]
        for remark in remarks:
            self.log.warning("%s: %s", names["notebook"], remark)
        result = restored.notebook
        result.metadata["autograder"] = NotebookNode(mode=mode)
        if remarks:
            result.metadata["autograder"]["remarks"] = remarks
        return result, resources


class CleanOutputs(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Take out of outputs what could act in an instructor's browser.

    It matters for ``--no-execute``, where the outputs are those that were handed in, and for
    practice without a seal. What a ward ran is clean already.
    """

    enabled = Bool(True, help="It cannot be switched off.")

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Clean the outputs of one notebook.

        Parameters
        ----------
        nb : NotebookNode
            Changed in place.
        resources : dict
            nbgrader's.

        Returns
        -------
        nb, resources
        """
        if resources.get("autograder", {}).get("is_clean"):
            return nb, resources
        practice = self.config.SealedExecute.get("mode") == "practice"
        limit = self.config.SealedExecute.get("limits", {}).get("cell_output_kib", 256)
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs = clean(cell.outputs, max_bytes=limit * 1024, is_check=True)
                if practice and is_grade(cell):
                    cell.outputs = without_stderr(cell.outputs)
        return nb, resources


class SaveSealedGrades(SaveAutoGrades):  # type: ignore[misc]  # nbgrader is untyped
    """Save scores and comments, those of notebooks that could not be graded included.

    It does what nbgrader's ``SaveAutoGrades`` does, in one transaction, and adds what a learner
    should know to the automatic comments.
    """

    enabled = Bool(True, help="It cannot be switched off.")

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Save what one notebook earned.

        Parameters
        ----------
        nb : NotebookNode
            After execution.
        resources : dict
            nbgrader's.

        Returns
        -------
        nb, resources
        """
        names = resources["nbgrader"]
        verdict = resources.get("autograder", {}).get("verdict") or verdict_of(nb)
        with Gradebook(names["db_url"]) as gradebook:
            notebook = gradebook.find_submission_notebook(
                names["notebook"], names["assignment"], names["student"]
            )
            save(notebook, verdict)
            gradebook.db.commit()
        return nb, resources
