"""From a graded notebook and its marks to what the page says, as plain records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from markupsafe import Markup
from nbformat import NotebookNode

from autograder.feedback.cells import (
    Role,
    count_of,
    headings,
    is_unanswered,
    learners_cells,
    mark_of,
    role_of,
    without_line,
)
from autograder.feedback.code import highlighted
from autograder.feedback.failures import plain
from autograder.feedback.findings import Findings, found_in
from autograder.feedback.hidden import check_title
from autograder.feedback.markdown import Picture, no_picture, render
from autograder.feedback.marks import Mark, Marks
from autograder.feedback.outputs import Output, Stopped, shown
from autograder.feedback.redact import HIDDEN, diagnosis_of
from autograder.report import inline, number

State = Literal["full", "part", "none", "unanswered", "waits", "ungraded", "passes", "fails"]

_WORDS: Mapping[str, tuple[str, str]] = {
    "full": ("✓", "full marks"),
    "part": ("◐", "in part"),
    "none": ("✗", "not yet"),
    "unanswered": ("○", "not answered"),
    "waits": ("…", "waits for your instructor"),
    "ungraded": ("–", "not graded"),
    "passes": ("✓", "passes"),
    "fails": ("✗", "does not pass"),
}
_MOST_CELLS = 2_000
_EMPTY = Markup()


@dataclass(frozen=True)
class Names:
    """What nbgrader calls a submission."""

    notebook: str
    assignment: str
    student: str


@dataclass(frozen=True)
class Score:
    """Points, and what they come to.

    Attributes
    ----------
    earned, points, waiting, extra : float
        Earned so far, attainable, with a person, and as extra credit.
    state : str
        In one word.
    """

    earned: float
    points: float
    waiting: float
    extra: float
    state: State

    @property
    def sign(self) -> str:
        """Say it with a character."""
        return _WORDS[self.state][0]

    @property
    def words(self) -> str:
        """Say it in words."""
        return _WORDS[self.state][1]

    @property
    def text(self) -> str:
        """Write the points."""
        if self.state == "waits" and not self.earned:
            return f"up to {number(self.points)}"
        return f"{number(self.earned)} of {number(self.points)}"

    @property
    def gain(self) -> float:
        """What is still to be earned without a person."""
        return max(self.points - self.earned - self.waiting, 0.0)

    def share(self, points: float) -> float:
        """Give points as a percentage, for a bar."""
        return round(min(max(points / self.points, 0.0), 1.0) * 100, 2) if self.points else 0.0


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
    comments : tuple of Markup
        An instructor's.
    blocks : tuple of Block
        Its cells.
    """

    anchor: str
    title: str
    score: Score
    checks: tuple[Check, ...] = ()
    comments: tuple[Markup, ...] = ()
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


def page_of(nb: NotebookNode, marks: Marks, names: Names, *, picture: Picture = no_picture) -> Page:
    """Say what the page says of a notebook.

    Parameters
    ----------
    nb : NotebookNode
        Autograded and redacted; it is not changed.
    marks : Marks
        From the gradebook.
    names : Names
        Of the submission.
    picture : callable
        Gives a file beside the notebook as an address that begins with ``data:``, or None.

    Returns
    -------
    Page
    """
    title, parts = _parts(nb)
    reader = _Reader(nb, marks, picture)
    sections = [
        reader.section(at, part_title or title or names.notebook, cells)
        for at, (part_title, cells) in enumerate(parts, 1)
    ]
    missing = [name for name in marks.cells if name not in reader.seen]
    if missing and sections:
        sections.append(_missing(missing, marks, len(sections) + 1))
    said = nb.metadata.get("autograder")
    said = said if isinstance(said, Mapping) else {}
    broken = _sentence(said.get("broken"))
    exercises = [section for section in sections if section.checks]
    score = _total(exercises, marks)
    next_title, next_anchor, next_words = _next(exercises, score, broken)
    return Page(
        title or names.notebook,
        names,
        _headline(score, broken),
        next_title,
        next_anchor,
        next_words,
        _notes(exercises, score, marks, said, broken),
        score,
        tuple(section for section in sections if section.checks or section.blocks),
    )


# The notebook's parts


def _parts(nb: NotebookNode) -> tuple[str, list[tuple[str, list[NotebookNode]]]]:
    """Divide a notebook at its headings: its title, and its parts with their titles.

    Headings count down to the level that tells most graded cells apart.
    """
    cells = nb.cells[:_MOST_CELLS]
    graded = [at for at, cell in enumerate(cells) if role_of(cell) in ("check", "task", "by-hand")]
    found = [headings(cell.source) if cell.cell_type == "markdown" else [] for cell in cells]

    def starts(level: int) -> list[int]:
        return [at for at, items in enumerate(found) if any(item[0] <= level for item in items)]

    def apart(level: int) -> int:
        return len({max([s for s in starts(level) if s <= at], default=-1) for at in graded})

    level = max(range(1, 7), key=lambda level: (apart(level), -level))
    title = next((item[1] for items in found for item in items if item[0] == 1), "")
    if not title:
        title = next((item[1] for items in found[:1] for item in items), "")
    parts: list[tuple[str, list[NotebookNode]]] = [("", [])]
    for at, cell in enumerate(cells):
        fitting = [item for item in found[at] if item[0] <= level]
        if fitting:
            _, words, line = fitting[-1]
            parts.append((words, []))
            cell = NotebookNode({**cell, "source": without_line(cell.source, line)})
        parts[-1][1].append(cell)
    return _plain_heading(title), [(_plain_heading(words), part) for words, part in parts if part]


def _plain_heading(words: str) -> str:
    """Take the signs of Markdown out of a heading."""
    return plain(render(words).striptags()).strip()[:200]


class _Reader:
    """Reads the cells of one notebook."""

    def __init__(self, nb: NotebookNode, marks: Marks, picture: Picture) -> None:
        self._marks = marks
        self._picture = picture
        self._sources = learners_cells(nb)
        language = nb.metadata.get("language_info")
        name = language.get("name") if isinstance(language, Mapping) else None
        self._language = name if isinstance(name, str) else "python"
        self.seen: set[str] = set()

    def section(self, at: int, title: str, cells: Sequence[NotebookNode]) -> Section:
        """Read one part of the notebook."""
        answers = [cell for cell in cells if role_of(cell) in ("answer", "by-hand")]
        untouched = bool(answers) and all(map(is_unanswered, answers))
        checks = [
            self._check(cell, untouched)
            for cell in cells
            if role_of(cell) in ("check", "task", "by-hand")
        ]
        comments = [
            render(text, headings_below=3)
            for cell in cells
            if (text := self._marks.comments.get(str(mark_of(cell).get("grade_id"))))
        ]
        blocks = [
            block
            for cell in cells
            if role_of(cell) != "check" and (block := self._block(cell)) is not None
        ]
        return Section(
            f"exercise-{at}",
            title,
            _sum([item.score for item in checks]),
            tuple(checks),
            tuple(dict.fromkeys(comments)),
            tuple(blocks),
        )

    def _check(self, cell: NotebookNode, untouched: bool) -> Check:
        mark = mark_of(cell)
        grade_id = str(mark["grade_id"])
        self.seen.add(grade_id)
        role = role_of(cell)
        if role != "check":
            score = _score_of(self._marks.cells.get(grade_id), _points(mark), False)
            title = "Read by your instructor"
            unread = is_unanswered(cell) and score.state == "none"
            state: State = "unanswered" if unread else score.state
            score = Score(score.earned, score.points, score.waiting, score.extra, state)
            return Check(_anchor(grade_id), title, score, True, _remark(self._marks, grade_id))
        found = found_in(cell.outputs) or Findings()
        started = any(hint.startswith("Not started yet") for hint in found.hints)
        score = _score_of(
            self._marks.cells.get(grade_id), _points(mark), untouched or started, found.stopped
        )
        hidden = bool(cell.metadata.get(HIDDEN))
        pointed = (found.line,) if found.line else ()
        return Check(
            _anchor(grade_id),
            check_title(cell.source, grade_id),
            score,
            False,
            _remark(self._marks, grade_id),
            tuple(map(_inline, found.critical)),
            tuple(map(_inline, found.hints)) if started or not untouched else (),
            tuple(
                ConceptLine(
                    _inline(item.title),
                    f"{number(item.points if item.holds else 0)} of {number(item.points)}",
                    item.holds,
                    _inline("" if item.holds else item.hint),
                )
                for item in found.concepts
            ),
            Markup() if hidden else self._code(cell.source, pointed),
            _inline(found.first_sentence),
        )

    def _block(self, cell: NotebookNode) -> Block | None:
        role = role_of(cell)
        if not cell.source.strip() and not cell.get("outputs"):
            return None
        if cell.cell_type != "code":
            return self._text(cell, role)
        count = count_of(cell)
        outputs = shown(cell.outputs, count=count, sources=self._sources)
        pointed = [
            frame.line for item in outputs if isinstance(item, Stopped) for frame in item.own
        ]
        labels = {"given": "Given code", "own": "Code cell"}
        block = Block(
            labels.get(role, "Your answer"),
            code=self._code(cell.source, pointed),
            outputs=outputs,
            remark=diagnosis_of(cell),
        )
        folded = role == "given" and not block.stopped
        return Block(block.label, folded, Markup(), block.code, block.outputs, block.remark)

    def _text(self, cell: NotebookNode, role: Role) -> Block | None:
        if not cell.source.strip():
            return None
        if cell.cell_type == "markdown":
            html = render(cell.source, cell.get("attachments"), picture=self._picture)
        else:
            html = Markup('<pre class="plain">{}</pre>').format(plain(cell.source[:100_000]))
        if role in ("given", "task"):
            return Block("The text of the exercise", True, html)
        return Block("Your answer" if role in ("answer", "by-hand") else "", False, html)

    def _code(self, source: str, pointed: Iterable[int]) -> Markup:
        return highlighted(source, self._language, frozenset(pointed))


# Scores


def _points(mark: Mapping[str, Any]) -> float:
    points = mark.get("points")
    is_number = isinstance(points, int | float) and not isinstance(points, bool)
    return float(points) if is_number and 0 <= points < 1e6 else 0.0  # type: ignore[arg-type, operator]


def _score_of(mark: Mark | None, points: float, untouched: bool, stopped: bool = False) -> Score:
    if mark is None:
        return Score(0.0, points, points, 0.0, "ungraded")
    waiting = mark.points if mark.waits else 0.0
    state: State
    if mark.waits:
        state = "waits"
    elif not mark.points and not mark.extra:
        state = "fails" if stopped else "passes"
    elif mark.score >= mark.points:
        state = "full"
    elif untouched and mark.score <= 0:
        state = "unanswered"
    else:
        state = "part" if mark.score > 0 else "none"
    return Score(mark.score, mark.points, waiting, mark.extra, state)


def _remark(marks: Marks, grade_id: str) -> str:
    mark = marks.cells.get(grade_id)
    if mark is None:
        return ""
    said = []
    if mark.extra:
        said.append(f"{number(mark.extra)} of these are extra credit.")
    if mark.again:
        said.append("An earlier version was graded; your instructor will look at this one again.")
    return " ".join(said)


def _sum(scores: Sequence[Score]) -> Score:
    worth = [score for score in scores if score.points or score.earned] or list(scores)
    states = {score.state for score in worth}
    if len(states) == 1:
        state = worth[0].state
    elif "waits" in states:
        state = "waits"
    elif "ungraded" in states:
        state = "ungraded"
    else:
        state = "part" if any(score.earned > 0 for score in worth) else "none"
    return Score(
        sum(score.earned for score in scores),
        sum(score.points for score in scores),
        sum(score.waiting for score in scores),
        sum(score.extra for score in scores),
        state if worth else "ungraded",
    )


def _total(exercises: Sequence[Section], marks: Marks) -> Score:
    whole = _sum([section.score for section in exercises])
    earned = max(whole.earned - marks.late_penalty, 0.0)
    return Score(earned, whole.points, whole.waiting, whole.extra, whole.state)


def _missing(names: Sequence[str], marks: Marks, at: int) -> Section:
    """Name what the gradebook knows and the notebook has not."""
    checks = tuple(
        Check(
            _anchor(name),
            name,
            _score_of(marks.cells[name], 0.0, True),
            remark="This cell of the assignment is missing in your notebook.",
        )
        for name in names
    )
    score = _sum([item.score for item in checks])
    return Section(f"exercise-{at}", "Missing in your notebook", score, checks)


# Sentences


def _headline(score: Score, broken: str) -> str:
    if broken:
        return "This notebook could not be graded"
    if not score.points:
        return "Nothing in this notebook is worth points"
    text = f"{number(score.earned)} of {number(score.points)}"
    if not score.waiting:
        return f"{text} points"
    verb = "awaits" if score.waiting == 1 else "await"
    return f"{text} so far; {number(score.waiting)} {verb} your instructor"


def _next(exercises: Sequence[Section], score: Score, broken: str) -> tuple[str, str, Markup]:
    """Say what to do next: the title and the anchor of an exercise, and words."""
    if broken:
        return "", "", _inline(f"{broken} Mend that and hand it in again, or ask your instructor.")
    lacking = [section for section in exercises if section.score.gain > 0]
    # Who has not begun begins at the beginning.
    begun = [section for section in lacking if section.score.state != "unanswered"]
    most = max(
        lacking if begun else lacking[:1], key=lambda section: section.score.gain, default=None
    )
    if most is None:
        waits = "What is left is with your instructor." if score.waiting else "Nothing is left."
        return "", "", _inline(f"Every automatic check is content. {waits}" if score.points else "")
    points = number(most.score.gain)
    gain = f"There is {points} point to gain." if points == "1" else f"{points} points to gain."
    if most.score.state == "unanswered":
        return most.title, most.anchor, _inline(f"{gain} You have not answered it yet.")
    said = most.first_sentence
    if not said and most.stopped:
        said = Markup("Its code stopped with an error: mend that first.")
    return most.title, most.anchor, Markup("{} {}").format(gain, said)


def _notes(
    exercises: Sequence[Section],
    score: Score,
    marks: Marks,
    said: Mapping[str, object],
    broken: str,
) -> tuple[str, ...]:
    notes: list[str] = []
    if marks.hours_late or marks.late_penalty:
        late = f"Handed in {_long(marks.hours_late)} late" if marks.hours_late else "Handed in late"
        cost = (
            f"{number(marks.late_penalty)} {_noun(marks.late_penalty)} taken off for it."
            if marks.late_penalty
            else "no points were taken off for it."
        )
        notes.append(f"{late}: {cost}")
    if score.extra:
        notes.append(f"{number(score.extra)} of your points are extra credit.")
    empty = sum(section.score.state == "unanswered" for section in exercises)
    if empty and not broken:
        are = "exercise is" if empty == 1 else "exercises are"
        notes.append(f"{empty} {are} not answered yet.")
    remarks = said.get("remarks")
    if isinstance(remarks, list | tuple):
        notes += [text for item in remarks[:20] if (text := _sentence(item))]
    return tuple(dict.fromkeys(notes))


def _noun(points: float) -> str:
    return "point was" if points == 1 else "points were"


def _long(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    if hours >= 1.5:
        return f"{hours:.0f} hours"
    minutes = max(round(hours * 60), 1)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _sentence(value: object) -> str:
    text = plain(value).strip()[:1_000] if isinstance(value, str) else ""
    return text if not text or text[-1] in ".!?" else f"{text}."


def _inline(text: str) -> Markup:
    return Markup(inline(plain(text)))  # inline escapes


def _anchor(grade_id: str) -> str:
    """Make a name for a place on the page, apart from the page's own."""
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in grade_id)
    return f"cell-{kept[:100]}"
