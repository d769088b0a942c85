"""What a jail is made of, and what a ward in it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Backend = Literal["namespaces", "landlock"]

# Where things lie inside a jail.
RUNTIME = "/opt/ward"
HOME = "/home/learner"
INNER_ID = 1000


class JailError(Exception):
    """A jail could not be built on this machine.

    Parameters
    ----------
    stage : str
        What was being done, such as ``"make namespaces"``.
    reason : str
        What the system answered.
    """

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(f"the jail could not {stage}: {reason}")
        self.stage = stage
        self.reason = reason


@dataclass(frozen=True)
class JailSpec:
    """One jail.

    Attributes
    ----------
    interpreter : Path
        The learner's Python, such as ``<course>/.venv/bin/python``.
    runtime : tuple of Path
        Folders with our own code; each appears read-only under ``/opt/ward``.
    hidden : tuple of Path
        Files and folders that must be empty inside, such as ``site-packages/autograder``.
    only : mapping of Path to tuple of str
        Folders of which nothing but these relative paths exists inside.
    worker_uid : int or None
        For a grader that is root: the user that the jail runs as. None takes a free one.
    backend : str
        ``"auto"`` takes namespaces, and Landlock where namespaces are refused.
    tools : tuple of str
        Commands that a notebook's ``!`` and ``%%bash`` may use; those that the machine lacks are
        left out.
    """

    interpreter: Path
    runtime: tuple[Path, ...]
    hidden: tuple[Path, ...] = ()
    only: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    worker_uid: int | None = None
    backend: Literal["auto", "namespaces", "landlock"] = "auto"
    tools: tuple[str, ...] = (
        "sh",
        "bash",
        "cat",
        "cp",
        "cut",
        "date",
        "echo",
        "env",
        "find",
        "grep",
        "head",
        "ls",
        "mkdir",
        "mv",
        "pwd",
        "rm",
        "sed",
        "sleep",
        "sort",
        "tail",
        "touch",
        "tr",
        "true",
        "uniq",
        "wc",
    )


@dataclass(frozen=True)
class RawLimits:
    """What one ward may use.

    Attributes
    ----------
    cpu_seconds : int
        Processor time of each process.
    memory_bytes : int
        Address space of each process, beyond what the warm interpreter maps already.
    processes : int
        Processes and threads in the ward, without its init.
    open_files : int
        Open descriptors of each process.
    disk_bytes : int
        The private home, ``/tmp`` and ``/dev/shm`` together.
    file_bytes : int
        Any single file.
    """

    cpu_seconds: int
    memory_bytes: int
    processes: int
    open_files: int
    disk_bytes: int
    file_bytes: int
