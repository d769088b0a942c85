"""Run one notebook under seal, with hosts that stay warm from one submission to the next."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from autograder.batch.records import Source, SourceNotebook
from autograder.batch.template import template_of
from autograder.batch.work import Executed
from autograder.sealed.cells import given_by, is_foreign, plan, restore
from autograder.sealed.errors import BrokenSubmission
from autograder.sealed.examiner import ExaminerError, WarmInterpreter
from autograder.sealed.hosts import hosts_for
from autograder.sealed.notebook import modules_of, run_notebook
from autograder.sealed.outputs import clean
from autograder.sealed.settings import SealSettings
from autograder.sealed.submissions import read_notebook

_ENVIRONMENT = {"NBGRADER_EXECUTION": "autograde"}
_KIB = 1024
_MARK = "autograder"


def run(
    content: bytes,
    book: SourceNotebook,
    files: Mapping[str, bytes],
    remarks: tuple[str, ...],
    source: Source,
) -> Executed:
    """Restore a submitted notebook and run it, as ``nbgrader autograde`` with the seal does.

    Parameters
    ----------
    content : bytes
        What was handed in.
    book : SourceNotebook
        What it was made from.
    files : mapping
        What lies beside it.
    remarks : tuple of str
        What was left out of the submission.
    source : Source
        The assignment; its settings are `autograder.sealed.settings.SealSettings`.

    Returns
    -------
    Executed

    Raises
    ------
    BrokenSubmission
        If it cannot be graded.
    SealError
        If this machine cannot grade.
    """
    settings: SealSettings = source.settings
    shared = settings.mode == "shared"
    submitted = read_notebook(content)
    if is_foreign(submitted, book.cells):
        raise BrokenSubmission(
            "The notebook belongs to another assignment: no marked cell is this one's."
        )
    template = template_of(book.template)
    keep = not source.outputs["ClearOutput"]["enabled"]
    restored = restore(submitted, book.cells, template, keep_outputs=keep, keep_kernel=shared)
    nb = restored.notebook
    _set_kernel(nb, book, settings)
    said = [*restored.remarks, *remarks]
    left: Mapping[str, bytes] = {}
    if settings.execute:
        planned = plan(nb, template)
        hosts = hosts_for(settings.ward)
        hosts.prove([Path(path) for path in source.secrets])
        hosts.prepare(
            modules_of(planned, "instructor"),
            modules_of(planned, "instructor", "check"),
            warm=source.warm,
        )
        done = run_notebook(
            nb,
            planned,
            files,
            hosts,
            settings.limits,
            _ENVIRONMENT,
            trusted_files=source.files,
            given=given_by(book.cells, template),
        )
        said += done.diagnosis
        left = done.files
    else:
        for cell in nb.cells:
            if cell.cell_type == "code":
                most = settings.limits.cell_output_kib * _KIB
                cell.outputs = clean(cell.outputs, max_bytes=most, is_check=True)
    about: dict[str, Any] = {"mode": settings.mode}
    if said:
        about["remarks"] = said
    nb.metadata[_MARK] = nbformat.from_dict(about)
    return Executed(nb, left)


def warm_examiner(source: Source) -> WarmInterpreter | None:
    """Begin to start what all workers' examiners are forked from, and go on meanwhile.

    Parameters
    ----------
    source : Source
        The assignment.

    Returns
    -------
    WarmInterpreter or None
        None where no examiner is needed.
    """
    settings: SealSettings = source.settings
    if settings.mode != "sealed" or not settings.execute:
        return None
    try:
        warm = WarmInterpreter()
    except ExaminerError:
        return None  # workers will try, and say so
    for book in source.notebooks.values():
        template = template_of(book.template)
        # Whatever is handed in, the instructor's cells and the checks are these.
        planned = plan(restore(new_notebook(), book.cells, template).notebook, template)
        warm.prepare(modules_of(planned, "instructor", "check"), source.warm)
    return warm


def _set_kernel(nb: NotebookNode, book: SourceNotebook, settings: SealSettings) -> None:
    """Let the gradebook say which kernel a notebook is for, and refuse what is not Python."""
    spec = json.loads(book.kernelspec) if book.kernelspec else None
    if spec:
        nb.metadata["kernelspec"] = nbformat.from_dict(spec)
    spec = nb.metadata.get("kernelspec", {})
    name = str(settings.kernel_name or spec.get("name") or "python3")
    language = str(spec.get("language") or name)
    if not any(each.lower().startswith("python") for each in (name, language)):
        raise BrokenSubmission(
            f"The notebook asks for the kernel {name!r}, and only Python can be graded."
        )
