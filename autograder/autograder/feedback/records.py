"""What the page says, as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from autograder.feedback.failures import with_article
from autograder.feedback.outputs import Output, Stopped
from autograder.feedback.scores import Score

_EMPTY = Markup()


@dataclass(frozen=True)
class Names:
    """What nbgrader calls a submission."""

    notebook: str
    assignment: str
    student: str


@dataclass(frozen=True)
class ConceptLine:
    """A concept as the page shows it."""

    title: Markup
    points: str
    holds: bool
    hint: Markup


@dataclass(frozen=True)
class Check:
    """What was found of one graded cell.

    Attributes
    ----------
    anchor, title : str
        Where and what it is.
    score : Score
        Its points.
    by_hand : bool
        Whether a person grades it.
    remark : str
        A sentence about the score.
    critical, hints : tuple of Markup
        Sentences.
    concepts : tuple of ConceptLine
        What holds and what not.
    code : Markup
        The source of a visible check.
    first_sentence : Markup
        The most telling one.
    """

    anchor: str
    title: str
    score: Score
    by_hand: bool = False
    remark: str = ""
    critical: tuple[Markup, ...] = ()
    hints: tuple[Markup, ...] = ()
    concepts: tuple[ConceptLine, ...] = ()
    code: Markup = _EMPTY
    first_sentence: Markup = _EMPTY


@dataclass(frozen=True)
class Remark:
    """A comment on an exercise, and whom it is from."""

    label: str
    html: Markup


@dataclass(frozen=True)
class Block:
    """A cell of the notebook as the page shows it.

    Attributes
    ----------
    label : str
        Whose it is.
    folded : bool
        Whether it shows its label alone until it is opened.
    html, code : Markup
        Text, or source code.
    outputs : tuple of Output
        Below code.
    remark : str
        What the grader says of it.
    """

    label: str
    folded: bool = False
    html: Markup = _EMPTY
    code: Markup = _EMPTY
    outputs: tuple[Output, ...] = ()
    remark: str = ""
    shape: ClassVar[str] = "block"

    @property
    def stopped(self) -> bool:
        """Whether it ended in an error."""
        return bool(self.remark) or any(isinstance(item, Stopped) for item in self.outputs)


@dataclass(frozen=True)
class Section:
    """A part of the notebook under one heading.

    Attributes
    ----------
    anchor, title : str
        Where and what it is.
    score : Score
        Of all its checks.
    checks : tuple of Check
        None in a part that is not graded.
    comments : tuple of Remark
        An instructor's, and the grader's.
    blocks : tuple of Block
        Its cells.
    """

    anchor: str
    title: str
    score: Score
    checks: tuple[Check, ...] = ()
    comments: tuple[Remark, ...] = ()
    blocks: tuple[Block, ...] = ()

    @property
    def first_sentence(self) -> Markup:
        """The most telling sentence about what lacks."""
        lacking = [
            item
            for item in self.checks
            if item.first_sentence and item.score.state not in ("full", "passes", "waits")
        ]
        most = max(lacking, key=lambda item: item.score.gain, default=None)
        return most.first_sentence if most else Markup()

    @property
    def cause(self) -> str:
        """Why the learner's own code did not run to its end, or nothing."""
        for block in self.blocks:
            stops = [item for item in block.outputs if isinstance(item, Stopped)]
            if not stops:
                continue
            if not stops[0].kind:
                return stops[0].message
            where = f" at line {stops[0].own[-1].line}" if stops[0].own else ""
            kind = with_article(stops[0].kind)
            return f"Your code stopped with {kind}{where}: mend that first."
        return ""

    @property
    def stopped(self) -> bool:
        """Whether one of its cells ended in an error."""
        return any(block.stopped for block in self.blocks)


@dataclass(frozen=True)
class Page:
    """All that the page says.

    Attributes
    ----------
    title : str
        Of the notebook.
    names : Names
        Of the submission.
    headline : str
        The summary in one line.
    next_title, next_anchor : str
        The exercise to begin with; empty where there is none.
    next_words : Markup
        What to do there.
    notes : tuple of str
        About lateness, extra credit, and what was mended.
    score : Score
        Of the notebook.
    sections : tuple of Section
        In the order of the notebook; those with checks are the exercises.
    """

    title: str
    names: Names
    headline: str
    next_title: str
    next_anchor: str
    next_words: Markup
    notes: tuple[str, ...]
    score: Score
    sections: tuple[Section, ...]

    @property
    def exercises(self) -> tuple[Section, ...]:
        """The graded sections."""
        return tuple(section for section in self.sections if section.checks)

    @property
    def rest(self) -> tuple[Section, ...]:
        """The other sections."""
        return tuple(section for section in self.sections if not section.checks)
