"""What a submission may use while it is graded, and what a learner is told where it used more."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from autograder.jail.spec import RawLimits

_MIB = 2**20


class InvalidLimit(ValueError):
    """A limit that makes no sense.

    Parameters
    ----------
    name : str
        The limit.
    value : object
        What it was set to.
    allowed : str
        What it may be.
    """

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} = {value!r}: it must be {allowed}")
        self.name = name
        self.value = value
        self.allowed = allowed


def _limit(
    default: float, low: float, high: float, unit: str, meaning: str, diagnosis: str, advice: str
) -> Any:
    """Declare a limit: its default and range, what it bounds, and what to say and do about it."""
    return field(
        default=default,
        metadata={
            "range": (low, high),
            "unit": unit,
            "meaning": meaning,
            "diagnosis": diagnosis,
            "advice": advice,
        },
    )


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Every field has a default and a range; `about` tells them with their meaning. Times are wall
    times unless they say otherwise.

    Attributes
    ----------
    cell_seconds : float
        One cell of a learner.
    notebook_seconds : float
        All cells of a notebook before its checks.
    cpu_seconds : int
        Processor time of one process.
    memory_mib : int
        Memory of all processes together, beyond the warm interpreter.
    processes : int
        Processes and threads at one time.
    open_files : int
        Open files of one process.
    disk_mib : int
        All files together.
    cell_output_kib : int
        What one cell may show.
    notebook_output_kib : int
        What all cells of a notebook may show.
    checks_seconds : float
        One check cell.

    Raises
    ------
    InvalidLimit
        Where a value is no number, or out of its range.
    """

    cell_seconds: float = _limit(
        30,
        0.1,
        86_400,
        "seconds",
        "wall time of one cell",
        "This cell ran longer than {value} seconds, so it was stopped.",
        "Look for a loop that never ends, or for work that can be done in fewer steps.",
    )
    notebook_seconds: float = _limit(
        300,
        0.1,
        86_400,
        "seconds",
        "wall time of all cells of a notebook together",
        "The cells of this notebook ran longer than {value} seconds in all, so this cell was not "
        "run to its end.",
        "Make the slowest cells above faster.",
    )
    cpu_seconds: int = _limit(
        120,
        1,
        86_400,
        "seconds",
        "processor time of one process",
        "The notebook used more than {value} seconds of processor time, so it was stopped here.",
        "Look for a loop that never ends, or for work that can be done in fewer steps.",
    )
    memory_mib: int = _limit(
        1024,
        64,
        1_048_576,
        "MiB",
        "memory of all processes of a submission together, beyond the libraries loaded before",
        "This cell used more than {value} MiB of memory, so it was stopped.",
        "Look for a list or table that keeps growing, or work on smaller pieces.",
    )
    processes: int = _limit(
        64,
        4,
        32_768,
        "processes",
        "processes and threads of a submission at one time",
        "This notebook tried to start more than {value} processes and threads.",
        "Start fewer of them, and wait for each to end.",
    )
    open_files: int = _limit(
        256,
        32,
        65_536,
        "files",
        "open files of one process",
        "This notebook tried to open more than {value} files at one time.",
        "Close files after use, best with a with statement.",
    )
    disk_mib: int = _limit(
        64,
        1,
        65_536,
        "MiB",
        "all files of a submission together, those that it writes included",
        "This notebook tried to write more than {value} MiB of files.",
        "Write less, or remove files that are no longer used.",
    )
    cell_output_kib: int = _limit(
        256,
        4,
        65_536,
        "KiB",
        "what one cell may show",
        "This cell showed more than {value} KiB, so its output was cut.",
        "Print less, such as the first rows of a table.",
    )
    notebook_output_kib: int = _limit(
        2048,
        4,
        262_144,
        "KiB",
        "what all cells of a notebook may show",
        "The cells of this notebook showed more than {value} KiB in all, so output was cut.",
        "Print less in the cells above.",
    )
    checks_seconds: float = _limit(
        60,
        0.1,
        86_400,
        "seconds",
        "wall time of one check cell",
        "This check took longer than {value} seconds, so it was stopped.",
        "Look for a loop that never ends in what the check calls.",
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            low, high = item.metadata["range"]
            whole = item.type in (int, "int")
            number = type(value) is int or (type(value) is float and not whole)
            if not number or not math.isfinite(value) or not low <= value <= high:
                kind = "a whole number" if whole else "a number"
                unit = item.metadata["unit"]
                raise InvalidLimit(item.name, value, f"{kind} of {unit} from {low:g} to {high:g}")

    def diagnosis(self, name: str, value: float | None = None) -> str:
        """Tell a learner which limit was met, and what to do.

        Parameters
        ----------
        name : str
            The limit, such as ``"cell_seconds"``.
        value : float, optional
            What it was this time, where a cell had a limit of its own.

        Returns
        -------
        str
            Two sentences.
        """
        metadata = _METADATA[name]
        met = getattr(self, name) if value is None else value
        said = metadata["diagnosis"].format(value=f"{met:g}")
        return f"{said} {metadata['advice']}"

    def raw(self) -> RawLimits:
        """Say the limits as the jail needs them.

        Returns
        -------
        RawLimits
        """
        return RawLimits(
            cpu_seconds=self.cpu_seconds,
            memory_bytes=self.memory_mib * _MIB,
            processes=self.processes,
            open_files=self.open_files,
            disk_bytes=self.disk_mib * _MIB,
            file_bytes=self.disk_mib * _MIB,
        )


_METADATA: Mapping[str, Mapping[str, Any]] = {item.name: item.metadata for item in fields(Limits)}


def about() -> list[tuple[str, float, str, str]]:
    """List the limits for a table.

    Returns
    -------
    list of (str, float, str, str)
        Name, default, unit and meaning.
    """
    return [
        (item.name, item.default, item.metadata["unit"], item.metadata["meaning"])  # type: ignore[misc]
        for item in fields(Limits)
    ]
