"""What travels between the command, its workers and its writer: plain data alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.sealed.cells import TrustedCell
    from autograder.sealed.scoring import Verdict


@dataclass(frozen=True)
class SourceNotebook:
    """A notebook of the assignment.

    Attributes
    ----------
    name : str
        Without suffix.
    kernelspec : str or None
        As JSON, as the gradebook keeps it.
    cells : tuple of TrustedCell
        In the gradebook's order.
    template : bytes or None
        The instructor's notebook, where it lies in the course.
    """

    name: str
    kernelspec: str | None
    cells: "tuple[TrustedCell, ...]"
    template: bytes | None


@dataclass(frozen=True)
class Source:
    """All that a worker needs to know of an assignment.

    Attributes
    ----------
    assignment : str
        Its name.
    notebooks : mapping
        By name.
    files : mapping
        The instructor's other files by relative path; they replace those of a submission,
    not_replacing : tuple of str
        but for these.
    settings : object
        How to run cells, for `runner`.
    outputs : mapping
        nbgrader's options for outputs, by preprocessor.
    runner : str
        Dotted name of the function that runs one notebook.
    key : str
        A digest of the above, of the code and of its environment.
    secrets : tuple of str
        Paths that no ward may show. They, and the next, change no result and are not in the key.
    warm : bool
        Whether so many submissions come that preparing for them pays.
    """

    assignment: str
    notebooks: Mapping[str, SourceNotebook]
    files: Mapping[str, bytes]
    settings: Any
    outputs: Mapping[str, Mapping[str, Any]]
    runner: str
    not_replacing: tuple[str, ...] = ()
    key: str = ""
    secrets: tuple[str, ...] = ()
    warm: bool = False

    @property
    def replacing(self) -> dict[str, bytes]:
        """Those of the instructor's files that replace a learner's."""
        return {name: data for name, data in self.files.items() if name not in self.not_replacing}


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Attributes
    ----------
    student : str
        Id.
    notebooks : mapping
        Contents by name; only those that belong to the assignment.
    files : mapping
        Other files by relative path.
    timestamp : str
        The text of ``timestamp.txt``, or nothing.
    remarks : tuple of str
        What was left out, and why.
    broken : mapping
        Notebooks that cannot be read from disk, and why.
    key : str
        A digest of all that the result depends on.
    """

    student: str
    notebooks: Mapping[str, bytes]
    files: Mapping[str, bytes]
    timestamp: str = ""
    remarks: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True)
class GradedNotebook:
    """A notebook after its checks.

    Attributes
    ----------
    name : str
        Without suffix.
    content : bytes
        The executed notebook.
    verdict : Verdict
        What goes into the gradebook.
    remarks : tuple of str
        What was mended.
    """

    name: str
    content: bytes
    verdict: "Verdict"
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graded:
    """What a worker gives back.

    Attributes
    ----------
    student : str
        Id.
    key : str
        That of the submission.
    notebooks : tuple of GradedNotebook
        Those that were handed in.
    files : mapping
        New files that the notebooks left, by relative path.
    lasting : bool
        Whether the same submission would come to the same end again. A worker that died is no
        fault of the submission alone: a rerun tries again.
    failure : str
        An error of ours, or of the machine. Then there is nothing to write: what was graded before
        stays.
    seconds : float
        How long it took.
    """

    student: str
    key: str
    notebooks: tuple[GradedNotebook, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    lasting: bool = True
    failure: str = ""
    seconds: float = 0.0

    @property
    def broken(self) -> tuple[str, ...]:
        """Say why it could not be graded, once per notebook."""
        if self.failure:
            return (self.failure,)
        return tuple(
            f"{each.name}: {each.verdict.broken}"
            if len(self.notebooks) > 1
            else each.verdict.broken
            for each in self.notebooks
            if each.verdict.broken
        )
