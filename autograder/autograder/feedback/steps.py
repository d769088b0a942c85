"""Two steps for nbgrader's ``GenerateFeedback``: redact the notebook, and make the page."""

from __future__ import annotations

from pathlib import Path

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, NbGraderPreprocessor
from traitlets import Bool

from autograder.feedback.hidden import Markers
from autograder.feedback.markdown import no_picture
from autograder.feedback.marks import read_marks
from autograder.feedback.page import page_of
from autograder.feedback.pictures import pictures_in
from autograder.feedback.records import Names
from autograder.feedback.redact import redact

# Where the template finds the page among nbconvert's resources.
PAGE = "autograder_page"


class DropHiddenChecks(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is untyped
    """Remove the source of hidden checks, and what may leak it, from a feedback page.

    The autograded notebook, which instructors see, stays as it is.

    Attributes
    ----------
    show_mark_scheme : bool
        Whether the marking scheme of a question that a person grades is on the page, folded.
    """

    show_mark_scheme = Bool(False, help="Show marking schemes, folded.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Redact a notebook.

        Parameters
        ----------
        nb : NotebookNode
            Changed in place.
        resources : dict
            Passed through.

        Returns
        -------
        nb, resources
        """
        tests, scheme = ClearHiddenTests(parent=self), ClearMarkScheme(parent=self)
        markers = Markers(
            tests.begin_test_delimeter,
            tests.end_test_delimeter,
            scheme.begin_mark_scheme_delimeter,
            scheme.end_mark_scheme_delimeter,
        )
        return redact(nb, markers, show_mark_scheme=self.show_mark_scheme), resources


class MakePage(DropHiddenChecks):
    """Work out what the page says. It redacts the notebook first, whatever went before."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Put the page among the resources, for the template.

        Parameters
        ----------
        nb : NotebookNode
            Changed in place.
        resources : dict
            nbgrader's, with the names of the submission and the gradebook's address.

        Returns
        -------
        nb, resources
        """
        nb, resources = super().preprocess(nb, resources)
        given = resources["nbgrader"]
        names = Names(given["notebook"], given["assignment"], given["student"])
        marks = read_marks(given["db_url"], names.notebook, names.assignment, names.student)
        folder = resources.get("metadata", {}).get("path")
        picture = pictures_in(Path(folder)) if folder else no_picture
        resources[PAGE] = page_of(nb, marks, names, picture=picture)
        return nb, resources
