"""What came of a batch: as a table, and as data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any

from autograder.batch.gradebook import Move
from autograder.batch.progress import duration
from autograder.report import number

GRADED, UNCHANGED, BROKEN = "graded", "unchanged", "broken"
_WIDEST = 100


@dataclass(frozen=True)
class Outcome:
    """What came of one submission.

    Attributes
    ----------
    student : str
        Id.
    state : str
        ``"graded"``, ``"unchanged"`` or ``"broken"``.
    reasons : tuple of str
        Why it is broken.
    moves : tuple of Move
        Scores that are not what they were.
    remarks : tuple of str
        What was mended or left out.
    """

    student: str
    state: str
    reasons: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def regraded(self) -> tuple[Move, ...]:
        """Moves of a submission that had been graded before."""
        return tuple(move for move in self.moves if not move.first)


@dataclass
class Summary:
    """What came of a batch.

    Attributes
    ----------
    assignment : str
        Its name.
    found : int
        How many submissions there are.
    preview : bool
        Whether nothing was written.
    seconds : float
        How long it took.
    outcomes : list of Outcome
        One per submission that was looked at.
    """

    assignment: str
    found: int
    preview: bool = False
    seconds: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, state: str) -> int:
        """Count the submissions of a state."""
        return sum(outcome.state == state for outcome in self.outcomes)

    @property
    def changed(self) -> list[Outcome]:
        """List submissions that had a score, and have or would have another one."""
        return [outcome for outcome in self._sorted() if outcome.regraded]

    def lines(self) -> list[str]:
        """Say it to a person.

        Returns
        -------
        list of str
        """
        graded = self.count(GRADED)
        each = f" ({self.seconds / graded:.2f} seconds each)" if graded and self.seconds else ""
        said = [
            f"{self.assignment}: {self.found} "
            + ("submission" if self.found == 1 else "submissions")
            + f", {duration(self.seconds)}{each}",
            "",
            *columns(
                [
                    ["graded" if not self.preview else "would be graded", str(graded)],
                    ["unchanged, left as it is", str(self.count(UNCHANGED))],
                    ["broken", str(self.count(BROKEN))],
                    [
                        "score changed" if not self.preview else "score would change",
                        str(len(self.changed)),
                    ],
                ]
            ),
        ]
        if self.changed:
            said += ["", *columns(self._moves(), head=True)]
        broken = [outcome for outcome in self._sorted() if outcome.state == BROKEN]
        if broken:
            rows = [
                [outcome.student, shorten(" ".join(outcome.reasons), _WIDEST)] for outcome in broken
            ]
            said += ["", *columns([["Broken", "Why"], *rows], head=True)]
        if self.preview:
            said += ["", "Nothing was written. The same command without --preview grades."]
        return said

    def as_json(self) -> str:
        """Say it to a program.

        Returns
        -------
        str
            JSON: counts, and one record per submission.
        """
        data = {
            "assignment": self.assignment,
            "found": self.found,
            "preview": self.preview,
            "seconds": round(self.seconds, 3),
            "graded": self.count(GRADED),
            "unchanged": self.count(UNCHANGED),
            "broken": self.count(BROKEN),
            "changed": len(self.changed),
            "submissions": [_record(outcome) for outcome in self._sorted()],
        }
        return json.dumps(data, indent=1, ensure_ascii=False)

    def _sorted(self) -> list[Outcome]:
        return sorted(self.outcomes, key=lambda outcome: outcome.student)

    def _moves(self) -> list[list[str]]:
        rows = [["Student", "Check", "Before", "After", "Moves by"]]
        books = {move.notebook for each in self.changed for move in each.regraded}
        for outcome in self.changed:
            total = sum(move.difference for move in outcome.regraded)
            for at, move in enumerate(outcome.regraded):
                check = f"{move.notebook}: {move.check}" if len(books) > 1 else move.check
                by = "a manual grade stands" if move.overruled else _signed(move.difference)
                student = outcome.student if at == 0 else ""
                rows.append([student, check, _points(move.before), _points(move.after), by])
            if len(outcome.regraded) > 1:
                rows.append(["", "in all", "", "", _signed(total)])
        return rows


def columns(rows: Sequence[Sequence[str]], *, head: bool = False) -> list[str]:
    """Align rows in columns.

    Parameters
    ----------
    rows : sequence of sequence of str
        All of one length.
    head : bool
        Whether the first is the head, to be underlined.

    Returns
    -------
    list of str
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    if head:
        lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


def _record(outcome: Outcome) -> dict[str, Any]:
    return {
        "student": outcome.student,
        "state": outcome.state,
        "reasons": list(outcome.reasons),
        "remarks": list(outcome.remarks),
        "moves": [
            {
                "notebook": move.notebook,
                "check": move.check,
                "before": move.before,
                "after": move.after,
                "difference": move.difference,
                "first": move.first,
                "overruled": move.overruled,
            }
            for move in outcome.moves
        ],
    }


def _points(value: float | None) -> str:
    return "none" if value is None else number(value)


def _signed(value: float) -> str:
    return ("+" if value > 0 else "−" if value < 0 else "") + number(abs(value))
