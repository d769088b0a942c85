"""Execution, sealed: what takes the place of nbgrader's own ``Execute``."""

import contextlib
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import Execute
from traitlets import Dict, Enum, Float, List, Unicode

from autograder.sealed.cells import TrustedCell, given_by, plan, trusted_cells
from autograder.sealed.course import course_of, secrets_of, source_folder, template_of
from autograder.sealed.errors import SealError
from autograder.sealed.scoring import verdict_of
from autograder.sealed.settings import SealSettings, settings_of
from autograder.sealed.submissions import is_safe_name, read_files

if TYPE_CHECKING:
    from autograder.sealed.notebook import NotebookRun

_WORTH_WARMING = 5


class SealedExecute(Execute):  # type: ignore[misc]  # nbgrader is untyped
    """Run a submission in a ward and its checks in an examiner.

    ``--Execute.timeout``, ``--no-execute`` and other options of nbgrader's ``Execute`` hold.
    `autograder.seal` sets the others.
    """

    timeout = Float(
        30.0,
        allow_none=True,
        help="Seconds that one cell may run, checks included if it is not the default.",
    ).tag(config=True)
    mode = Enum(
        ["sealed", "shared", "practice"],
        "sealed",
        help="How submissions are run; see autograder.seal.",
    ).tag(config=True)
    backend = Unicode("auto", help="How the jail is built.").tag(config=True)
    learner_python = Unicode("", help="The Python that runs submissions.").tag(config=True)
    course_packages = Dict({}, help="Modules of the course that submissions may import.").tag(
        config=True
    )
    hidden_packages = List(["autograder"], help="Packages that submissions must not find.").tag(
        config=True
    )
    limits = Dict({}, help="Fields of autograder.sealed.limits.Limits.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict | None = None, km: Any = None
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Run one restored notebook.

        Parameters
        ----------
        nb : NotebookNode
            Changed in place.
        resources : dict
            nbgrader's.
        km
            For nbgrader's ``Execute``; not used.

        Returns
        -------
        nb, resources
        """
        resources = resources if resources is not None else ResourcesDict()
        about = nb.metadata.get("autograder", {})
        if about.get("broken"):
            resources["autograder"] = {"is_clean": True, "verdict": verdict_of(nb)}
            return nb, resources
        if self.mode == "practice":
            # As nbgrader runs it, which nothing protects: not for marks.
            return super().preprocess(nb, resources, km)  # type: ignore[no-any-return]
        self._check_language(nb)
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            trusted = trusted_cells(gradebook.find_notebook(names["notebook"], names["assignment"]))
        self._check_restored(nb, trusted)
        folder = Path(str(resources["metadata"].get("path") or "."))
        run = self._run(nb, trusted, names["assignment"], names["notebook"], folder)
        self._write_files(run.files, folder)
        remarks = [*about.get("remarks", []), *run.diagnosis]
        nb.metadata["autograder"] = NotebookNode(mode=self.mode)
        if remarks:
            nb.metadata["autograder"]["remarks"] = remarks
        # Later steps may clear metadata, and what is saved must not depend on it.
        resources["autograder"] = {"is_clean": True, "verdict": verdict_of(nb)}
        return nb, resources

    def _run(
        self,
        nb: NotebookNode,
        trusted: tuple[TrustedCell, ...],
        assignment: str,
        notebook: str,
        folder: Path,
    ) -> "NotebookRun":
        # Importing jails is for machines that have them.
        from autograder.sealed.hosts import hosts_for
        from autograder.sealed.notebook import modules_of, run_notebook

        settings = self._settings()
        course = course_of(self)
        template = template_of(course, assignment, notebook)
        planned = plan(nb, template)
        source = source_folder(course, assignment)
        hosts = hosts_for(settings.ward)
        hosts.prove(secrets_of(course))
        hosts.prepare(
            modules_of(planned, "instructor"),
            modules_of(planned, "instructor", "check"),
            warm=self._submissions() >= _WORTH_WARMING,
        )
        return run_notebook(
            nb,
            planned,
            read_files(folder),
            hosts,
            settings.limits,
            {"NBGRADER_EXECUTION": "autograde"},
            trusted_files=read_files(source) if source is not None else {},
            given=given_by(trusted, template),
            say=self.log.warning,
        )

    def _submissions(self) -> int:
        """Count the submissions that nbgrader is about to grade."""
        return len(getattr(getattr(self.parent, "parent", None), "assignments", ()))

    def _settings(self) -> SealSettings:
        settings = settings_of(self.config)
        if settings is None:
            raise SealError("nbgrader_config.py does not call seal(c), which sets how to grade.")
        return settings

    def _check_language(self, nb: NotebookNode) -> None:
        """Refuse what is not Python, as a missing kernel would."""
        spec = nb.metadata.get("kernelspec", {})
        name = str(self.kernel_name or spec.get("name") or "python3")
        language = str(spec.get("language") or name)
        if not (name.lower().startswith("python") or language.lower().startswith("python")):
            raise SealError(
                f"The notebook asks for the kernel {name!r}. Grading in a jail runs Python alone. "
                "Set the kernel of the source notebook to Python, or set "
                'c.Execute.kernel_name = "python3".'
            )

    def _check_restored(self, nb: NotebookNode, trusted: tuple[TrustedCell, ...]) -> None:
        """Refuse a notebook that did not come through `RestoreSubmission`."""
        marks = {
            cell.metadata.nbgrader.get("grade_id"): cell
            for cell in nb.cells
            if "nbgrader" in cell.metadata
        }
        known = {cell.grade_id for cell in trusted}
        right = set(marks) == known and all(
            cell.cell_type == marks[cell.grade_id].cell_type
            and all(
                marks[cell.grade_id].metadata.nbgrader.get(flag) is getattr(cell, flag)
                for flag in ("grade", "solution", "locked")
            )
            and (not cell.locked or marks[cell.grade_id].source == cell.source)
            for cell in trusted
        )
        if not right:
            raise SealError(
                "The notebook was not restored before it was run. "
                "c.Autograde.sanitize_preprocessors must begin with "
                "autograder.sealed.preprocessors.RestoreSubmission, as seal(c) sets it."
            )

    def _write_files(self, files: Any, folder: Path) -> None:
        """Keep what a notebook wrote beside itself, as nbgrader does; nothing is overwritten."""
        for name, content in files.items():
            path = folder / name
            if not is_safe_name(name) or path.suffix == ".ipynb" or os.path.lexists(path):
                continue
            inside = [folder / parent for parent in PurePosixPath(name).parents if parent.name]
            if any(parent.is_symlink() for parent in inside):
                continue
            # A name may stand for a folder here and for a file there.
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
