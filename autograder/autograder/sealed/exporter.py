"""How ``nbgrader autograde`` reads what was handed in."""

import glob
import os
import sys
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from nbgrader.converters.base import NbGraderException

from autograder.sealed.course import secrets_of
from autograder.sealed.errors import BrokenSubmission, NotSealed, SealError
from autograder.sealed.settings import settings_of
from autograder.sealed.submissions import NOTEBOOK_MIB, read_bytes, read_notebook, unsafe_files


class SubmissionExporter(NotebookExporter):
    """Reads submitted notebooks that may be anything, and keeps nbgrader from following links.

    A notebook that cannot be read becomes one without cells that says why, so that it is recorded
    like any other. nbgrader makes one exporter for each run, when it knows the submissions.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        start: Any = super().__init__
        start(*arguments, **options)
        converter: Any = self.parent
        if getattr(converter, "coursedir", None) is not None:
            self._prove_seal(converter.coursedir)
            self._refuse_unsafe_files(converter)

    def _prove_seal(self, coursedir: Any) -> None:
        """Refuse before anything is graded, and before earlier work is removed."""
        settings = settings_of(self.config)
        if settings is None or settings.mode == "practice" or not settings.execute:
            return
        try:
            if not sys.platform.startswith("linux"):
                raise NotSealed("Linux", f"this is {sys.platform}")
            # Jails are for machines that have them.
            from autograder.jail import JailError
            from autograder.sealed.hosts import hosts_for
            from autograder.sealed.wards import WardError

            try:
                hosts_for(settings.ward).prove(secrets_of(coursedir))
            except (JailError, WardError) as error:
                if settings.mode == "shared":
                    raise SealError(f"Submissions cannot be jailed here: {error}.") from error
                raise NotSealed("a jail can be made", str(error)) from error
        except SealError as error:
            self.log.error("Nothing is graded. %s", error)
            raise NbGraderException(str(error)) from error

    def _refuse_unsafe_files(self, converter: Any) -> None:
        """Have nbgrader ignore links, pipes and giants, which it would copy or wait for."""
        coursedir = converter.coursedir
        ours = getattr(coursedir, "_refused_by_autograder", [])
        kept = [pattern for pattern in coursedir.ignore if pattern not in ours]
        refused = [
            glob.escape(str(path))
            for folder in converter.assignments
            for path in unsafe_files(Path(folder))
        ]
        coursedir.ignore = [*kept, *refused]
        coursedir._refused_by_autograder = refused

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read and convert one notebook.

        Parameters
        ----------
        filename : str
            Its path: below ``submitted/`` in nbgrader's first pass, below ``autograded/`` in the
            second.
        resources : dict or None
            nbgrader's.
        **options
            For nbconvert.

        Returns
        -------
        output, resources
        """
        resources = resources if resources is not None else ResourcesDict()
        folder, base = os.path.split(filename)
        resources["metadata"] = ResourcesDict(name=os.path.splitext(base)[0], path=folder)  # noqa: PTH122
        path = Path(filename)
        if not getattr(self.parent, "_sanitizing", True):
            return super().from_filename(filename, resources=resources, **options)
        try:
            notebook = read_notebook(read_bytes(path, NOTEBOOK_MIB * 2**20))
        except BrokenSubmission as error:
            self.log.error("%s cannot be graded: %s", filename, error.reason)
            notebook = new_notebook(metadata={"autograder": {"broken": error.reason}})
        convert: Any = self.from_notebook_node
        output, resources = convert(notebook, resources=resources, **options)
        return output, resources
